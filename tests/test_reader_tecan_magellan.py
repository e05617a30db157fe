"""Exports of Magellan: a real one, written ones, broken ones."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_tecan_magellan
from tests.tecan_exports import (
    assert_damage_moves_nothing,
    assert_same,
    codes,
    errors,
    warnings,
)

QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
DECIMALS = st.integers(1, 10**9).map(lambda number: number / 10_000)
NUMBERS = st.one_of(st.integers(0, 10**7).map(float), DECIMALS, st.just(math.nan))
SIGNAL = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13)) + 500_000
RUN = """Label1\tLabel2\tWell positions\tPlate
0s\t31s\t\t
24.8 °C\t25.1 °C\t\t
0.10\t0.20\tA1\tP1
0.11\tOVER\tB1\tP1
0.12\t0.22\tA2\t
0.13\t0.23\tB2\t
Date of measurement: 2021-07-06/Time of measurement: 09:43:07\t\t\t
viability.mth\t\t\t
Some Body\t\t\t
infinite F50\t\t\t
Instrument serial number: 12901000069\t\t\t
Measurement 1.\t\t\t
Measurement mode: Absorbance\t\t\t
Measurement wavelength: 535 nm\t\t\t
Unit: OD\t\t\t
Measurement 2.\t\t\t
Measurement mode: Fluorescence\t\t\t
Excitation wavelength: 485 nm\t\t\t
Emission wavelength: 535 nm\t\t\t
Unit: RFU\t\t\t
Meas. temperature: Label1: 24.9 °C\t\t\t
Meas. temperature: Label2: 25.1 °C\t\t\t
"""


def write(tmp_path, text, name="run.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_real_workbook(shared_data):
    folder = shared_data / "plates"
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [r for r in csv.DictReader(stream) if r["path"].startswith("tecan/magellan")]
    reads, problems = scan_plate(folder / row["path"])
    assert [problem for problem in problems if problem.code != "plate.partial"] == []
    assert reads["status"].tolist() == ["ok"] * int(row["expected_wells"])
    for number in (1, 2, 3):
        value = reads[reads["well"] == row[f"spot{number}_well"]].iloc[0]
        assert value["signal"] == float(row[f"spot{number}_value"])
        assert value["locator"] == row[f"spot{number}_source"].split(" (")[0]
    first = reads.iloc[0]
    assert (first["plate"], first["read"], first["mode"], first["unit"]) == (
        "96WEL008",
        "Raw data",
        "abs",
        "OD",
    )
    assert (first["wavelength_nm"], first["instrument"], first["temperature_c"]) == (
        "595",
        "ULTRA",
        23.4,
    )
    assert first["measured_at_raw"] == "2021-07-06 09:43:07"
    texts = reads.astype(str)
    assert not texts.apply(lambda column: column.str.contains("Unknown user|C:|1290")).any().any()


def test_two_labels(tmp_path):
    reads, problems = scan_plate(write(tmp_path, RUN))
    assert errors(problems) == []
    assert reads["well"].tolist() == ["A1", "B1", "A2", "B2"] * 2
    first, second = reads[reads["read"] == "Label1"], reads[reads["read"] == "Label2"]
    assert first["signal"].tolist() == [0.10, 0.11, 0.12, 0.13]
    assert second["status"].tolist() == ["ok", "saturated", "ok", "ok"]
    assert second.iloc[0]["locator"] == "line 4 field 2"
    about = ["plate", "mode", "wavelength_nm", "unit", "temperature_c", "instrument"]
    assert first.iloc[0][about].tolist() == ["P1", "abs", "535", "OD", 24.9, "infinite F50"]
    assert second.iloc[0][about].tolist() == ["P1", "fluo", "485/535", "RFU", 25.1, "infinite F50"]
    assert not reads.astype(str).apply(lambda column: column.str.contains("Some Body")).any().any()


DEFECTS = {
    "a line lost": ("0.12\t0.22\tA2\t\n", "", ["plate.missing-well"]),
    "a line twice": ("0.12", "0.4\t0.5\tA1\t\n0.12", ["plate.duplicate-well"]),
    "a well lost": ("\tB1\t", "\t\t", ["plate.stray-row", "plate.unlabelled-row"]),
    "the first well lost": ("\tA1\t", "\t\t", ["plate.stray-row"]),
    "the last well lost": ("\tB2\t", "\t\t", ["plate.unlabelled-row"]),
    "a value lost": ("0.12\t0.22", "0.22", ["plate.stray-row", "plate.unlabelled-row"]),
    "header lost": (
        "Label1\tLabel2\tWell positions\tPlate\n",
        "",
        ["plate.unknown-block"],
    ),
    "header twice": (
        "Date of",
        "Label1\tLabel2\tWell positions\tPlate\nDate of",
        ["plate.unknown-block"],
    ),
    "two plates": ("B2\t", "B2\tP2", ["plate.several-plates"]),
    "kinetic": ("Label2\tWell", "Label1\tWell", ["plate.not-endpoint"]),
    "unknown column": ("Plate\n0s\t31s\t\t\n", "Score\n0s\t31s\t\t\n", ["plate.unknown-block"]),
    "part larger": ("Measurement 1.", "Range: A1:C2", ["plate.truncated"]),
    "part smaller": ("Measurement 1.", "Range: A1:B1", ["plate.part-of-plate"]),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_an_error(tmp_path, name):
    before, after, expected = DEFECTS[name]
    assert before in RUN
    text = RUN.replace(before, after, 1)
    if name == "unknown column":
        text = text.replace("\tP1\n", "\t7\n")
    assert codes(write(tmp_path, text)) == expected


def test_two_columns_of_one_name_and_one_time(tmp_path):
    text = (
        RUN.replace("Label2\tWell", "Label1\tWell")
        .replace("31s", "0s")
        .replace("25.1 °C", "24.8 °C")
    )
    assert codes(write(tmp_path, text)) == ["plate.duplicate-column"]


def test_only_calculated_values_are_no_measurement(tmp_path):
    text = RUN.replace("Label1\tLabel2", "Difference data\tMean")
    assert codes(write(tmp_path, text)) == ["plate.no-measured-block"]


def test_a_file_that_ends_with_the_list(tmp_path):
    lines = RUN[: RUN.index("Date of")]
    assert codes(write(tmp_path, lines)) == ["plate.truncated"]
    path = tmp_path / "whole.txt"
    write_tecan_magellan(path, {"Raw data": SIGNAL}, line_ending="\n")
    text = path.read_text()
    path.write_text(text[: text.index("Date of")])
    assert codes(path) == []
    assert warnings(path) == ["plate.incomplete-footer"]


def test_the_short_form_of_release_7_5(tmp_path):
    text = "Well A\tWell positions\n0s\t\n24.5 °C\t\n0.1\tA1\n0.2\tA2\n"
    text += "Date of measurement: 2025-01-01/Time of measurement: 10:00:00\t\n"
    text += "Plate Description: [S] - Greiner 96 Flat\t\nRange: A1:A2\t\nAbsorbance\t\n"
    text += "Label: Well A\t\nMeasurement wavelength: 492 nm\t\n"
    reads, problems = scan_plate(write(tmp_path, text))
    assert problems == []
    assert reads["signal"].tolist() == [0.1, 0.2]
    first = reads.iloc[0]
    assert (first["mode"], first["wavelength_nm"], first["temperature_c"]) == ("abs", "492", 24.5)


@QUICK
@given(
    hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=NUMBERS).filter(
        lambda signal: np.isfinite(signal).any()
    ),
    st.tuples(st.integers(1, 20), st.integers(1, 30)),
    st.sampled_from([("\t", "."), (";", ","), (",", ".")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_round_trip(tmp_path, signal, first, locale, line_ending, conditions, difference, book):
    path = tmp_path / ("plate.xlsx" if book else "plate.txt")
    separator, decimal = locale
    own = {"Label1": signal, "Label2": signal * 2}
    write_tecan_magellan(
        path,
        own,
        first=first,
        plate="P7",
        conditions=conditions,
        difference=difference,
        separator=separator,
        decimal=decimal,
        line_ending=line_ending,
    )
    reads, problems = scan_plate(path)
    if "plate.ambiguous-number" in {problem.code for problem in problems}:
        assert decimal == ","
        return
    assert errors(problems) == []
    for name, values in own.items():
        assert_same(reads, name, values, first)
    assert set(reads["plate"]) == {"P7"}
    assert set(reads["wavelength_nm"]) == {"595", "700"}


def test_the_same_plate_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_tecan_magellan(tmp_path / name, {"Raw data": SIGNAL})
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_reads_of_different_shapes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="same shape"):
        write_tecan_magellan(tmp_path / "p.xlsx", {"Label1": [[1.0]], "Label2": [[1.0, 2.0]]})


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    path = tmp_path / "whole.txt"
    reads = {"Label1": SIGNAL, "Label2": SIGNAL + 7e6}
    write_tecan_magellan(path, reads, conditions=True, plate="P1", line_ending="\n")
    # In this list the first field is a value, so a new label there would be a new value.
    assert_damage_moves_nothing(path, random.Random(7), 70, "\t", labels=False)
