"""Approvals: what releases a report, and what makes an approval void."""

import dataclasses
import re

import pytest

from drp.config import parse_config
from drp.plan import Plan
from drp.records import input_hash
from drp.report.build import build_record
from drp.report.html import render_html
from drp.report.index import index_row
from drp.report.pdf import render_pdf
from drp.sheets import Sheets, scan_sheets
from tests import report_example
from tests.test_report_html import Page
from tests.test_report_pdf import text_of

NOW = "0123456789abcdef"
GIVEN = {"sample": "P01-S1", "by": "lab director", "date": "2026-02-09", "input_hash": NOW}


def record(approvals, hashes=None, samples=("P01-S1",)):
    tables = report_example.as_rows(report_example.tables(samples=samples, n_drugs=6))
    hashes = hashes or dict.fromkeys(samples, NOW)
    tables["input_hashes"] = [{"sample": s, "input_hash": h} for s, h in hashes.items()]
    tables["approvals"] = approvals
    return build_record(
        report_example.PATIENT,
        [report_example.sample_row(sample) for sample in samples],
        tables,
        settings=report_example.SETTINGS,
        provenance=report_example.PROVENANCE,
    )


def words(record):
    page = Page(render_html(record, report_example.GENERATED))
    return " ".join(page.words), text_of(render_pdf(record, report_example.GENERATED))


def test_an_approval_of_these_inputs_releases_the_report():
    released = record([GIVEN])
    assert (released.status, index_row(released).status) == ("released", "released")
    for text in words(released):
        assert "Released by lab director on 2026-02-09" in text
        assert "DRAFT" not in text


def test_without_an_approval_it_stays_a_draft_and_says_what_to_enter():
    draft = record([])
    assert draft.status == "draft"
    for text in words(draft):
        assert "DRAFT: not signed" in text
        assert f"P01-S1 {NOW}" in text


def test_changed_inputs_make_the_approval_void():
    void = record([GIVEN], hashes={"P01-S1": "fedcba9876543210"})
    assert void.status == "draft"
    for text in words(void):
        said = "DRAFT: approval of 2026-02-09 is void: the inputs have changed since"
        assert said in text
        assert "Released" not in text
    again = GIVEN | {"date": "2026-03-01", "input_hash": "fedcba9876543210"}
    assert record([GIVEN, again], hashes={"P01-S1": "fedcba9876543210"}).status == "released"


def test_an_empty_hash_never_fits():
    assert record([GIVEN | {"input_hash": ""}], hashes={"P01-S1": ""}).status == "draft"
    tables = report_example.as_rows(report_example.tables(n_drugs=6)) | {
        "approvals": [GIVEN | {"input_hash": ""}]
    }
    none_known = build_record(
        report_example.PATIENT, [report_example.sample_row()], tables,
        settings=report_example.SETTINGS, provenance=report_example.PROVENANCE,
    )  # fmt: skip
    assert none_known.status == "draft"


def test_a_report_is_released_only_with_all_of_its_samples():
    samples = ("P01-S1", "P01-S2")
    half = record([GIVEN], samples=samples)
    assert half.status == "draft"
    for text in words(half):
        assert "DRAFT: this sample approved by lab director on 2026-02-09" in text
        assert "DRAFT: not signed" in text
    both = record([GIVEN, GIVEN | {"sample": "P01-S2"}], samples=samples)
    assert both.status == "released"


SHEETS = Sheets(
    plates=[
        {"plate": "PL1", "file": "1.txt", "layout": "m.tsv", "sample": "S1", "run": "R1"},
        {"plate": "PL2", "file": "2.txt", "layout": "m.tsv", "sample": "S1;S2", "run": "R1"},
        {"plate": "PL3", "file": "3.txt", "layout": "n.tsv", "sample": "S2", "run": "R1"},
    ],
    samples=[{"sample": "S1", "patient": "P1"}, {"sample": "S2", "patient": "P2"}],
    patients=[{"patient": "P1", "site": "combined"}, {"patient": "P2", "site": "combined"}],
    exclusions=[{"plate": "PL1", "well": "A1", "reason": "dry"}],
)
TABLES = {
    "quality": [{"plate": f"PL{n}", "verdict": "pass", "reasons": ""} for n in (1, 2, 3)],
    "reference": [
        {"assay": assay, "drug": drug, "source_hash": f"{assay}{drug}"}
        for assay in ("a", "b")
        for drug in ("x", "y")
    ],
}
FILES = {name: f"sha of {name}" for name in ("1.txt", "2.txt", "3.txt", "m.tsv", "n.tsv")}


def hashed(sheets=SHEETS, tables=TABLES, files=FILES, **config):
    plan = Plan(parse_config({"assay": {"name": "a"}} | config), sheets)
    return input_hash(plan, sheets.patients[0], sheets.samples[0], tables, files)


def other_cells(sheet, index, **cells):
    rows = [dict(row) for row in getattr(SHEETS, sheet)]
    rows[index] |= cells
    return dataclasses.replace(SHEETS, **{sheet: rows})


def other_table(name, index, **cells):
    rows = [dict(row) for row in TABLES[name]]
    rows[index] |= cells
    return TABLES | {name: rows}


def test_the_hash_is_the_same_for_the_same_inputs_in_any_order():
    assert hashed() == hashed(tables={name: rows[::-1] for name, rows in TABLES.items()})
    assert re.fullmatch("[0-9a-f]{16}", hashed())


@pytest.mark.parametrize(
    "changed",
    [
        {"sheets": other_cells("samples", 0, blasts_pct="40")},
        {"sheets": other_cells("patients", 0, site="isolated_marrow")},
        {"sheets": other_cells("plates", 0, read="LUM")},
        {"sheets": other_cells("plates", 1, layout="n.tsv")},
        {"sheets": other_cells("exclusions", 0, reason="bubble")},
        {"sheets": dataclasses.replace(SHEETS, exclusions=[])},
        {"files": FILES | {"1.txt": "another"}},
        {"files": FILES | {"m.tsv": "another"}},
        {"files": FILES | {"1.txt": FILES["2.txt"], "2.txt": FILES["1.txt"]}},
        {"tables": other_table("quality", 0, verdict="warn")},
        {"tables": other_table("quality", 1, reasons="edge effect 12 % is above 10")},
        {"tables": other_table("reference", 0, source_hash="another")},
        {"seed": 2},
        {"calls": {"z": 1.5}},
        {"laboratory": "another"},
    ],
)
def test_every_input_of_a_sample_changes_its_hash(changed):
    assert hashed(**changed) != hashed()


@pytest.mark.parametrize(
    "changed",
    [
        {"sheets": dataclasses.replace(SHEETS, approvals=[{"sample": "S1", "by": "lab"}])},
        {"sheets": other_cells("samples", 1, blasts_pct="40")},
        {"sheets": other_cells("patients", 1, site="isolated_marrow")},
        {"sheets": other_cells("plates", 2, read="LUM")},
        {"files": FILES | {"3.txt": "another", "n.tsv": "another"}},
        {"tables": other_table("quality", 2, verdict="fail")},
        {"tables": other_table("reference", 3, source_hash="another")},
    ],
)
def test_what_belongs_to_others_does_not(changed):
    assert hashed(**changed) == hashed()


def test_a_line_of_code_changes_the_hash(monkeypatch):
    before = hashed()
    monkeypatch.setattr("drp.records.fingerprint", lambda *stages: "another")
    assert hashed() != before


def test_an_approval_that_says_too_little_is_refused(tmp_path):
    for sheet, text in (
        ("plates", "plate\tfile\tlayout\tsample\nPL1\t1\tm\tS1\n"),
        ("samples", "sample\tpatient\nS1\tP1\n"),
        ("patients", "patient\nP1\n"),
        (
            "approvals",
            "sample\tby\tdate\tinput_hash\nS1\tlab\t2026-02-09\t0123456789abcdef\n"
            "S1\t\t2026-02-09\t\nS7\tlab\t9 Feb\t0123456789abcdef\n",
        ),
    ):
        (tmp_path / f"{sheet}.tsv").write_text(text)
    _, problems = scan_sheets(tmp_path)
    found = {(problem.code, problem.where.locator.split(",")[0]) for problem in problems}
    assert found == {
        ("sheet.incomplete-approval", "line 3"),
        ("sheet.unknown-link", "line 4"),
        ("sheet.bad-date", "line 4"),
    }
    assert "by, input_hash" in next(str(p) for p in problems if "incomplete" in p.code)
