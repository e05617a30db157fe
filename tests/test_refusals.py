"""Which plates an error speaks of; which errors stop a whole run."""

import pytest

from drp.problems import Place, Problem
from drp.refusals import LAYOUT_COLUMN, plates_at_fault, stops_run

ROWS = [
    {"plate": "PL1", "file": "a/1.txt", "layout": "m.tsv", "sample": "S1"},
    {"plate": "PL2", "file": "both.xlsx", "layout": "m.tsv", "sample": "S2"},
    {"plate": "PL3", "file": "both.xlsx", "layout": "n.xlsx#2", "sample": "S3;S4"},
    {"plate": "PL4", "file": "4.txt", "layout": "n.xlsx#1", "sample": "S5"},
]


def error(code, file="", locator="", plate="", severity="error"):
    return Problem(code, severity, Place(file, locator, plate), "odd", "Mend it.")


@pytest.mark.parametrize(
    ("problem", "plates"),
    [
        (error("plate.truncated", "a/1.txt", "line 9"), ["PL1"]),
        (error("plate.duplicate-row", "both.xlsx", plate="PL3"), ["PL2", "PL3"]),
        (error("layout.bad-dose", "n.xlsx"), ["PL3", "PL4"]),
        (error("plates.no-file", "plates.tsv", "column file", "PL2"), ["PL2"]),
        (error("plates.no-file", "plates.tsv", LAYOUT_COLUMN, "PL3"), ["PL3", "PL4"]),
        (error("wells.no-value", "both.xlsx", plate="PL3"), ["PL3"]),
        (error("wells.unknown-exclusion", "exclusions.tsv", plate="PL4"), ["PL4"]),
        (error("wells.no-value", "a/1.txt", plate="PL1", severity="warning"), []),
    ],
)
def test_an_error_is_laid_to_the_plates_it_speaks_of(problem, plates):
    assert list(plates_at_fault([problem], ROWS)) == plates
    assert not stops_run([problem], ROWS)


@pytest.mark.parametrize(
    "problem",
    [
        error("config.bad-value", "config.yaml"),
        error("sheet.double-id", "plates.tsv", "line 3"),
        error("wells.identical-plates", "1.txt", plate="PL1"),
        error("wells.same-barcode", "1.txt", plate="PL1"),
        error("plates.outside", "plates.tsv", "column file", "PL1"),
        error("layout.bad-names", "names.csv"),
        error("cohort.no-file", "config.yaml"),
        error("drugs.double", "drugs.tsv"),
    ],
)
def test_what_cannot_be_laid_to_a_plate_stops_the_run(problem):
    one_plate = error("plate.truncated", "a/1.txt")
    assert plates_at_fault([one_plate, problem], ROWS) is None
    assert stops_run([one_plate, problem], ROWS)


def test_errors_that_leave_no_sample_stop_the_run():
    errors = [error("plate.empty", name) for name in ("a/1.txt", "both.xlsx")]
    assert not stops_run(errors, ROWS)
    assert stops_run([*errors, error("plate.empty", "4.txt")], ROWS)
