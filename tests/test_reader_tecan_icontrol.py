"""Exports of i-control: real ones, written ones, broken ones."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_tecan_icontrol
from tests.plates_workbooks import make_workbook
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
RUN = """Application: Tecan i-control\t\t\t\tTecan i-control , 1.9.17.0
Device: infinite 200Pro\t\t\t\tSerial number: 1202007079

Date:\t1/9/2024
User\t\t\t\tPC\\somebody
Plate-ID (Stacker)\t\t\t\tP7

Label: MUF
Mode\t\t\t\tFluorescence Top Reading
Excitation Wavelength\t\t\t\t360\tnm
Emission Wavelength\t\t\t\t465\tnm
Part of Plate\t\t\t\tA1-B3
Start Time:\t'1/19/2024 3:42:12 AM

\tTemperature: 23.1 °C
<>\t1\t2\t3
A\t1221\tOVER\t1463
B\t1387\t1416\tINVALID

End Time:\t1/19/2024 3:42:39 AM
"""


def write(tmp_path, text, name="run.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_real_workbook(shared_data):
    folder = shared_data / "plates"
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [r for r in csv.DictReader(stream) if r["path"].startswith("tecan_icontrol/Raw")]
    reads, problems = scan_plate(folder / row["path"])
    assert problems == []
    assert reads["status"].tolist() == ["ok"] * int(row["expected_wells"])
    assert list(dict.fromkeys(reads["plate"])) == ["H2122-2", "H358-2", "H358-1", "H2122-1"]
    # The name of the sheet is what the laboratory's own list calls the plate.
    barcodes = dict(zip(reads["plate"], reads["barcode"], strict=True))
    assert barcodes == {
        "H2122-2": "Plate 16",
        "H358-2": "Plate 20",
        "H358-1": "Plate 22",
        "H2122-1": "Plate 18",
    }
    for number in (1, 2, 3):
        plate, _, well = row[f"spot{number}_well"].partition(":")
        value = reads[(reads["plate"] == plate) & (reads["well"] == well)].iloc[0]
        assert value["signal"] == float(row[f"spot{number}_value"])
        assert value["locator"] == row[f"spot{number}_source"].split(" (")[0]
    first = reads.iloc[0]
    assert (first["mode"], first["instrument"], first["software"], first["temperature_c"]) == (
        "lum",
        "infinite M1000Pro",
        "i-control 2.0.10.0",
        21.7,
    )
    assert (
        not reads.astype(str).apply(lambda column: column.str.contains("docomp|15050")).any().any()
    )


def test_a_run_as_text(tmp_path):
    reads, problems = scan_plate(write(tmp_path, RUN))
    assert errors(problems) == []
    assert dict(zip(reads["well"], reads["raw_text"], strict=True)) == {
        "A1": "1221",
        "A2": "OVER",
        "A3": "1463",
        "B1": "1387",
        "B2": "1416",
        "B3": "INVALID",
    }
    assert reads["status"].tolist() == ["ok", "saturated", "ok", "ok", "ok", "invalid"]
    first = reads.iloc[0]
    assert (first["plate"], first["read"], first["mode"]) == ("run", "MUF", "fluo")
    assert (first["wavelength_nm"], first["barcode"], first["locator"]) == (
        "360/465",
        "P7",
        "line 17 field 2",
    )
    assert (first["temperature_c"], first["measured_at_raw"]) == (23.1, "1/19/2024 3:42:12 AM")


DEFECTS = {
    "short row": ("A\t1221\tOVER\t1463", "A\t1221\t1463", ["plate.short-row"]),
    "wide row": ("A\t1221", "A\t1\t221", ["plate.wide-row"]),
    "row lost": ("B\t1387\t1416\tINVALID\n", "", ["plate.truncated"]),
    "row twice": ("B\t1387", "A\t7\t8\t9\nB\t1387", ["plate.duplicate-row"]),
    "header lost": ("<>\t1\t2\t3\n", "", ["plate.stray-row", "plate.truncated"]),
    "corner lost": ("<>\t1", "\t1", ["plate.unknown-block"]),
    "columns shifted": (
        "<>\t1\t2\t3",
        "<>\t2\t3\t4",
        ["plate.part-of-plate", "plate.truncated"],
    ),
    "part larger": ("A1-B3", "A1-C3", ["plate.truncated"]),
    "part smaller": ("A1-B3", "A1-B2", ["plate.part-of-plate"]),
    "letter lost": ("B\t1387", "\t1387", ["plate.unlabelled-row"]),
    "kinetic": ("<>\t1", "Cycle Nr.\t1\t2\n<>\t1", ["plate.not-endpoint"]),
    "kinetic in German": ("Mode", "Kinetik - Messung\nMode", ["plate.not-endpoint"]),
    "scan": ("Top Reading", "Top Scan", ["plate.not-endpoint"]),
    "two grids": (
        "\nEnd Time",
        "\n<>\t1\t2\t3\nA\t1\t2\t3\nB\t4\t5\t6\nEnd Time",
        ["plate.duplicate-block"],
    ),
    "unknown title": ("<>\t1", "Sharpened\n<>\t1", ["plate.unknown-block"]),
    "settings twice": ("Start", "Part of Plate\t\t\t\tA1-B3\nStart", ["plate.bad-information"]),
    "unknown word": ("OVER", "about 7", ["plate.unknown-token"]),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_an_error(tmp_path, name):
    before, after, expected = DEFECTS[name]
    assert RUN.count(before) >= 1
    path = write(tmp_path, RUN.replace(before, after, 1))
    assert codes(path) == expected
    _, problems = scan_plate(path)
    for problem in errors(problems):
        assert problem.fix
        assert "line" in str(problem.where) or problem.code == "plate.no-measured-block"


def test_what_a_missing_end_means(tmp_path):
    end = RUN.index("End Time")
    assert warnings(write(tmp_path, RUN[:end])) == [
        "plate.incomplete-footer",
        "plate.invalid-reading",
        "plate.saturated",
    ]
    assert codes(write(tmp_path, RUN[:end])) == []
    no_part = RUN[:end].replace("Part of Plate\t\t\t\tA1-B3\n", "")
    assert codes(write(tmp_path, no_part)) == ["plate.truncated"]
    cut = RUN.index("1416") + 3
    assert "plate.truncated" in codes(write(tmp_path, RUN[:cut]))


def test_labels_of_different_wells_are_one_measurement(tmp_path):
    second = RUN[RUN.index("Label:") :].replace("MUF", "Label2").replace("A1-B3", "A4-B6")
    second = second.replace("1\t2\t3", "4\t5\t6")
    path = write(tmp_path, RUN + "\n" + second)
    reads, problems = scan_plate(path)
    assert errors(problems) == []
    assert set(reads["read"]) == {"MUF + Label2"}
    assert len(reads) == 12
    # The same wells, or another mode: two measurements.
    same = RUN[RUN.index("Label:") :].replace("MUF", "Label2").replace("465", "500")
    reads, _ = scan_plate(write(tmp_path, RUN + same))
    assert list(dict.fromkeys(reads["read"])) == ["MUF", "Label2"]
    absorbance = second.replace("Fluorescence Top Reading", "Absorbance")
    reads, _ = scan_plate(write(tmp_path, RUN + absorbance))
    assert list(dict.fromkeys(reads["mode"])) == ["fluo", "abs"]


def test_a_label_twice_and_a_label_without_values(tmp_path):
    assert codes(write(tmp_path, RUN + RUN[RUN.index("Label:") :])) == ["plate.duplicate-block"]
    settings_only = RUN[RUN.index("Label:") : RUN.index("<>")].replace("MUF", "Label2")
    assert codes(write(tmp_path, RUN + settings_only)) == ["plate.truncated"]


def test_a_second_run_in_the_same_file_is_another_plate(tmp_path):
    other = RUN.replace("P7", "P8").replace("1221", "99")
    reads, problems = scan_plate(write(tmp_path, RUN + other))
    assert errors(problems) == []
    assert reads["plate"].tolist() == ["P7"] * 6 + ["P8"] * 6


def test_text_without_labels_as_release_1_11_writes_it(tmp_path):
    text = "\n".join(
        [
            'Application: Tecan i-control,,,,"Tecan i-control , 1.11.1.0"',
            "Mode,,,,Absorbance",
            "Mode,,,,Luminescence",
            "OD600:600,,,,",
            "<>,1,2,,",
            "A,0.1,0.2,,",
            "",
            "LUMI:Lum,,,,",
            "<>,1,2,,",
            "A,7,8,,",
            "",
            "End Time:,15.10.2016 00:11:32,,,",
            "",
        ]
    )
    reads, problems = scan_plate(write(tmp_path, text))
    assert errors(problems) == []
    assert list(dict.fromkeys(reads["read"])) == ["OD600:600", "LUMI:Lum"]
    assert set(reads["mode"]) == {""}  # which settings go with which block, nobody can tell
    assert reads["signal"].tolist() == [0.1, 0.2, 7.0, 8.0]


def test_another_sheet_is_named_and_a_damaged_run_is_not_lost(tmp_path):
    rows = [line.split("\t") for line in RUN.splitlines()]
    letters = "ABCDEF"
    cells = {
        f"{letters[column]}{row}": text.replace("<>", "&lt;&gt;")
        for row, line in enumerate(rows, start=1)
        for column, text in enumerate(line)
        if text
    }
    cells |= {f"{c}{r}": float(cells[f"{c}{r}"]) for c, r in (("B", 16), ("C", 16), ("D", 16))}
    broken = {place: text for place, text in cells.items() if not place.endswith("16")}
    path = tmp_path / "runs.xlsx"
    path.write_bytes(make_workbook({"P1": cells, "notes": {"A1": "bought by whom"}}))
    assert "plate.other-sheet" in warnings(path)
    assert codes(path) == []
    path.write_bytes(make_workbook({"P1": cells, "P2": broken}))
    assert "plate.stray-row" in codes(path)


@QUICK
@given(
    hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=NUMBERS).filter(
        lambda signal: np.isfinite(signal).any()
    ),
    st.tuples(st.integers(1, 20), st.integers(1, 30)),
    st.sampled_from([("\t", "."), ("\t", ","), (",", "."), (";", ",")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.booleans(),
)
def test_round_trip_of_text(tmp_path, signal, first, locale, line_ending, german, points):
    path = tmp_path / "plate.txt"
    separator, decimal = locale
    write_tecan_icontrol(
        path,
        {"": {"Label1": (signal, first)}},
        separator=separator,
        decimal=decimal,
        line_ending=line_ending,
        german=german,
        several_points=points,
        padded=separator != "\t",
        encoding="utf-8-sig" if german else "cp1252",
    )
    reads, problems = scan_plate(path)
    if "plate.ambiguous-number" in {problem.code for problem in problems}:
        assert decimal == ","
        return
    assert errors(problems) == []
    assert_same(reads, "Label1", signal, first)
    assert ("plate.mean-of-points" in {problem.code for problem in problems}) == points
    assert set(reads["mode"]) == {"lum"}


@pytest.mark.slow
@QUICK
@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 12), st.sampled_from(["lum", "abs"]))
def test_round_trip_of_a_workbook(tmp_path, sheets, labels, columns, mode):
    path = tmp_path / "runs.xlsx"
    plates = {
        f"P{sheet}": {
            f"Label{label}": (SIGNAL[:, :columns] + sheet * 1e6 + label * 1e7, (2, 2))
            for label in range(1, labels + 1)
        }
        for sheet in range(1, sheets + 1)
    }
    name = {"lum": "Luminescence", "abs": "Absorbance"}[mode]
    write_tecan_icontrol(path, plates, mode=name)
    reads, problems = scan_plate(path)
    assert problems == []
    for plate, own in plates.items():
        for label, (signal, first) in own.items():
            assert_same(
                reads[reads["plate"] == (plate if sheets > 1 else "runs")], label, signal, first
            )
    assert set(reads["mode"]) == {mode}
    assert reads.iloc[0]["locator"].startswith("P1!B")


def test_a_cell_deleted_from_a_sheet_is_seen(tmp_path):
    path = tmp_path / "runs.xlsx"
    signal = SIGNAL.copy()
    signal[3, 11] = math.nan  # as if the cells of row D had moved to the left
    write_tecan_icontrol(path, {"P1": {"Label1": (signal, (1, 1))}})
    assert codes(path) == ["plate.short-row"]


def test_the_same_plate_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_tecan_icontrol(tmp_path / name, {"P1": {"Label1": (SIGNAL, (1, 1))}})
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    path = tmp_path / "whole.txt"
    plates = {"": {"Label1": (SIGNAL, (1, 1))}}
    for points in (False, True):
        write_tecan_icontrol(path, plates, several_points=points, line_ending="\n")
        assert_damage_moves_nothing(path, random.Random(5), 40, "\t")
