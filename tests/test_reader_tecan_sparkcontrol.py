"""Exports of SparkControl: a real one, written ones, broken ones."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_tecan_sparkcontrol
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
RUN = """Method name: viability,,,,,,
Application: SparkControl,,,,V3.1,,
Device: Spark,,,,Serial number: 1806012423,,
User,,,,PC\\somebody,,
List of actions in this measurement script:,,,,,,
Plate,,,,,,
,Absorbance,,,,,OD600
,Luminescence,,,,,LUM
,,,,,,
Name,,,,GRE96ft,,
Plate layout,,,,,,
<>,1,2,3,,,
A,SM1,SM2,BL1,,,
B,1,2,3,,,
Plate area,,,,A1-H12,,
,,,,,,
Mode,Absorbance,,,,,
Name,OD600,,,,,
Measurement wavelength [nm],,,,600,,
Part of Plate,,,,A1-B2,,
,,,,,,
Start Time,,,,2025-12-19 15:07:02,,
Temperature [°C],,,,28.5,,
,,,,,,
<>,Value,Time [ms],,,,
A1,0.0921,0,,,,
A2,0.0942,204,,,,
B2,0.1015,408,,,,
B1,OVER,612,,,,
,,,,,,
,,,,,,
End Time,,,,2025-12-19 15:08:02,,
,,,,,,
Mode,Luminescence,,,,,
Name,LUM,,,,,
Output,,,,Counts/s,,
Part of Plate,,,,A1-B2,,
Start Time,,,,2025-12-19 15:09:02,,
,,,,,,
<>,1,2,3,,,
A,5,6,,,,
B,7,8,,,,
C,,,,,,
,,,,,,
End Time,,,,2025-12-19 15:10:02,,
"""


def write(tmp_path, text, name="run.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_the_real_export(shared_data):
    folder = shared_data / "plates"
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [r for r in csv.DictReader(stream) if r["path"].startswith("tecan/spark")]
    reads, problems = scan_plate(folder / row["path"])
    assert {problem.code for problem in problems} == {"plate.saturated"}
    assert len(reads) == int(row["expected_wells"])
    names = ["OD600", "OD700", *(f"GFP {gain}" for gain in range(40, 121, 10))]
    assert list(dict.fromkeys(reads["read"])) == names
    for number in (1, 2, 3):
        name, _, well = row[f"spot{number}_well"].partition(":")
        value = reads[(reads["read"] == name) & (reads["well"] == well)].iloc[0]
        assert value["signal"] == float(row[f"spot{number}_value"])
        assert value["locator"] == row[f"spot{number}_source"].split(" (")[0]
    modes = reads.groupby("read", sort=False)["mode"].first().tolist()
    assert modes == ["abs", "abs", *["fluo"] * 9]
    waves = reads.groupby("read", sort=False)["wavelength_nm"].first().tolist()
    assert waves == ["600", "700", *["488/530"] * 9]
    # A slow twin: every line that begins with a well, in the order of the file.
    text = (folder / row["path"]).read_text(encoding="utf-8-sig")
    lines = [line.split(",") for line in text.splitlines() if line[:1] in "ABCDEFGH"]
    lines = [fields for fields in lines if fields[0][1:].isdigit()]
    assert reads["well"].tolist() == [fields[0] for fields in lines]
    assert reads["raw_text"].tolist() == [fields[1] for fields in lines]
    assert (reads["status"] == "saturated").sum() == sum(fields[1] == "OVER" for fields in lines)


def test_a_list_and_a_plate_of_a_part(tmp_path):
    reads, problems = scan_plate(write(tmp_path, RUN))
    assert errors(problems) == []
    first = reads[reads["read"] == "OD600"]
    assert first["well"].tolist() == ["A1", "A2", "B2", "B1"]
    assert first["status"].tolist() == ["ok", "ok", "ok", "saturated"]
    one = first.iloc[0]
    assert (one["wavelength_nm"], one["temperature_c"], one["locator"]) == (
        "600",
        28.5,
        "line 26 field 2",
    )
    assert (one["instrument"], one["software"]) == ("Spark", "SparkControl V3.1")
    second = reads[reads["read"] == "LUM"].set_index("well")
    assert second["unit"].unique().tolist() == ["Counts/s"]
    assert second[second["status"] == "ok"]["signal"].to_dict() == {
        "A1": 5.0,
        "A2": 6.0,
        "B1": 7.0,
        "B2": 8.0,
    }
    assert (second["status"] == "not_read").sum() == 5


DEFECTS = {
    "a line lost": ("A2,0.0942,204,,,,\n", "", ["plate.truncated"]),
    "a line twice": ("A2,0.0942", "A1,7,1,,,,\nA2,0.0942", ["plate.duplicate-well"]),
    "a line elsewhere": ("Plate area", "A2,7,1,,,,\nPlate area", ["plate.stray-row"]),
    "a value lost": ("A2,0.0942,204", "A2,204", ["plate.short-row"]),
    "a value more": ("A2,0.0942", "A2,9,0.0942", ["plate.wide-row"]),
    "a well lost": ("A2,0.0942", ",0.0942", ["plate.stray-row", "plate.unlabelled-row"]),
    "header lost": ("<>,Value,Time [ms],,,,\n", "", ["plate.stray-row", "plate.truncated"]),
    "mode lost": (
        "Mode,Luminescence,,,,,\n",
        "",
        ["plate.bad-information", "plate.duplicate-block", "plate.truncated"],
    ),
    "first mode lost": ("Mode,Absorbance,,,,,\n", "", ["plate.truncated", "plate.unknown-block"]),
    "part larger": ("A1-B2", "A1-C2", ["plate.truncated"]),
    "part smaller": ("A1-B2", "A1-A2", ["plate.part-of-plate"]),
    "kinetic": ("Mode,Absorbance", "Mode,Kinetic,,,,,\nMode,Absorbance", ["plate.not-endpoint"]),
    "cycles": ("<>,Value", "Cycle Nr.,1,2,,,,\n<>,Value", ["plate.not-endpoint"]),
    "scan": ("Mode,Absorbance", "Mode,Absorbance Scan", ["plate.not-endpoint"]),
    "names exchanged": ("OD600", "OD700", ["plate.truncated"]),
    "unknown title": ("<>,Value", "Smoothed,,,,,,\n<>,Value", ["plate.unknown-block"]),
    "reference without its blocks": (
        "Part",
        "Reference wavelength,,,,700,,\nPart",
        ["plate.truncated"],
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_an_error(tmp_path, name):
    before, after, expected = DEFECTS[name]
    assert before in RUN
    assert codes(write(tmp_path, RUN.replace(before, after, 1))) == expected


def test_a_calculated_block_is_left_out(tmp_path):
    text = RUN.replace("<>,Value", "Pathlength corrected,,,,,,\n<>,Value", 1)
    reads, problems = scan_plate(write(tmp_path, text))
    assert errors(problems) == []
    assert set(reads["read"]) == {"LUM"}


def test_what_the_script_says_must_be_there(tmp_path):
    cut = RUN[: RUN.index("Mode,Luminescence")]
    assert codes(write(tmp_path, cut)) == ["plate.truncated"]
    no_script = cut.replace(",Absorbance,,,,,OD600\n,Luminescence,,,,,LUM\n", "")
    assert codes(write(tmp_path, no_script)) == []
    assert "plate.no-script" in warnings(write(tmp_path, no_script))
    turned = RUN.replace("Name,OD600", "Name,X").replace("Name,LUM", "Name,OD600")
    turned = turned.replace("Name,X", "Name,LUM")
    assert codes(write(tmp_path, turned)) == ["plate.bad-information"]


def test_what_a_missing_end_means(tmp_path):
    cut = RUN[: RUN.rindex("End Time")]
    assert codes(write(tmp_path, cut)) == []
    assert "plate.incomplete-footer" in warnings(write(tmp_path, cut))
    assert "plate.truncated" in codes(write(tmp_path, RUN[: RUN.index("B,7,8") + 4]))


def test_cp1252_after_a_mark_for_utf8(tmp_path):
    path = tmp_path / "run.csv"
    path.write_bytes(b"\xef\xbb\xbf" + RUN.encode("cp1252"))
    reads, problems = scan_plate(path)
    assert errors(problems) == []
    assert "plate.encoding" in {problem.code for problem in problems}
    assert reads.iloc[0]["temperature_c"] == 28.5


@QUICK
@given(
    hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=NUMBERS).filter(
        lambda signal: np.isfinite(signal).any()
    ),
    st.tuples(st.integers(1, 20), st.integers(1, 30)),
    st.sampled_from([(",", "."), (";", ","), ("\t", ".")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.booleans(),
)
def test_round_trip_of_text(tmp_path, signal, first, locale, line_ending, listed, layout):
    path = tmp_path / "plate.csv"
    separator, decimal = locale
    own = {"LUM": signal, "LUM 2": signal * 2}
    write_tecan_sparkcontrol(
        path,
        {"": own},
        first=first,
        listed=listed,
        layout=layout,
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


@QUICK
@given(st.integers(1, 3), st.booleans(), st.booleans(), st.sampled_from([(1, 1), (2, 2)]))
@pytest.mark.slow
def test_round_trip_of_a_workbook(tmp_path, sheets, listed, reference, first):
    path = tmp_path / "plates.xlsx"
    plates = {f"P{n}": {"OD": SIGNAL[:6, :9] + n * 1e6} for n in range(1, sheets + 1)}
    write_tecan_sparkcontrol(
        path, plates, first=first, mode="Absorbance", listed=listed, reference=reference
    )
    reads, problems = scan_plate(path)
    assert [p for p in problems if not (reference and p.code == "plate.identical")] == []
    if not errors(problems):
        assert set(reads["read"]) == ({"OD", "OD Reference"} if reference else {"OD"})
        for plate, own in plates.items():
            name = plate if sheets > 1 else "plates"
            assert_same(reads[reads["plate"] == name], "OD", own["OD"], first)


def test_a_cell_deleted_from_a_list_on_a_sheet_is_seen(tmp_path):
    path = tmp_path / "plates.xlsx"
    signal = SIGNAL.copy()
    signal[3, 11] = math.nan
    write_tecan_sparkcontrol(path, {"P1": {"LUM": signal}}, listed=False)
    assert codes(path) == ["plate.short-row"]


def test_the_same_plate_gives_the_same_bytes(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_tecan_sparkcontrol(tmp_path / name, {"": {"LUM": SIGNAL}})
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    path = tmp_path / "whole.csv"
    for listed in (False, True):
        write_tecan_sparkcontrol(
            path, {"": {"LUM": SIGNAL}}, listed=listed, layout=True, line_ending="\n"
        )
        assert_damage_moves_nothing(path, random.Random(6), 40, ",")
