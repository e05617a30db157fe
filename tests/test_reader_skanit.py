"""SkanIt: sheets of measuring steps, with grids for every wavelength and plate."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.plates import scan_plate
from drp.plates.pages import Page, Source, open_source
from drp.plates.readers import skanit
from drp.plates.writers import write_skanit
from drp.problems import Problems
from tests.reader_blocks import read_blocks

QUICK = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
TOP = [["Measurement results"], ["Session of J. Doe"], ["8/23/2024 3:02:30 PM"], [" "]]


def grid(corner, *rows, first=1):
    header = [corner, *(str(column) for column in range(first, first + len(rows[0])))]
    return [header, *([letter, *cells] for letter, cells in zip("ABCDEFGH", rows, strict=False))]


def block(plate, *rows, wave="Wavelength: 450 nm", unit="Abs"):
    lines = [[wave], [" "], [plate], [" "]]
    return [*[line for line in lines if line[0]], *grid(unit, *rows), [" "]]


def source(sheets):
    pages = []
    for name, rows in sheets.items():
        width = max(len(row) for row in rows)
        pages.append(Page([[*row, *[""] * (width - len(row))] for row in rows], name))
    return Source("p.xlsx", "0", pages)


def one(*rows, step="Absorbance 1", sheet="Absorbance 1_01"):
    return source({sheet: [*TOP, [step], *[line for part in rows for line in part]]})


FIRST, SECOND = (["1", "2"], ["3", "4"]), (["5", "6"], ["7", " "])


def cells(block):
    return {(reading.row, reading.column): reading.text for reading in block.readings}


def test_the_real_workbook_gives_every_value(shared_data):
    path = shared_data / "plates" / "skanit" / "skanit_lum96.xlsx"
    reads, problems = scan_plate(path)
    assert problems == []
    assert reads["status"].tolist() == ["ok"] * 96
    rows = open_source(path, "plate", Problems()).pages[0].rows
    for row in reads.itertuples():
        assert row.raw_text == rows["ABCDEFGH".index(row.well[0]) + 10][row.column]
        assert row.locator == f"Luminescence 1_01!{'ABCDEFGHIJKLM'[row.column]}{row.row + 10}"
    first = reads.iloc[0]
    assert (first["mode"], first["unit"], first["read"]) == ("lum", "RLU", "Luminescence 1")
    assert (first["wavelength_nm"], first["barcode"]) == ("", "")
    assert first["measured_at_raw"] == "8/23/2024 3:02:30 PM"


def test_spot_values_of_the_manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["path"].startswith("skanit/")]
    reads, _ = scan_plate(shared_data / "plates" / row["path"])
    assert len(reads) == int(row["expected_wells"])
    wells = reads.set_index("well")
    for number in (1, 2, 3):
        value = wells.loc[row[f"spot{number}_well"]]
        assert value["signal"] == float(row[f"spot{number}_value"])
        assert value["locator"] == row[f"spot{number}_source"].split(" (")[0]


def test_plates_and_wavelengths_down_the_sheet():
    sample = grid("Sample", ["Un0001", "Un0002"], ["Un0003", "17"])
    blocks, found = read_blocks(
        one(
            block("M12", *FIRST), sample,
            block("M12", *SECOND, wave="Wavelength: 570 nm"), sample,
            block("Blank plate", ["8", "9"], ["1", "2"]), sample,
            block("Blank plate", ["3", "9"], ["1", "2"], wave="Wavelength: 570 nm"),
        )
    )  # fmt: skip
    assert found == []
    assert [(b.plate_index, b.read, b.wavelength_nm, b.barcode) for b in blocks] == [
        (1, "Absorbance 1 450 nm", "450", "M12"),
        (1, "Absorbance 1 570 nm", "570", "M12"),
        (2, "Absorbance 1 450 nm", "450", ""),
        (2, "Absorbance 1 570 nm", "570", ""),
    ]
    assert cells(blocks[1]) == {(1, 1): "5", (1, 2): "6", (2, 1): "7", (2, 2): " "}
    assert {b.mode for b in blocks} == {"abs"}
    assert "Doe" not in repr(blocks)


def test_a_wavelength_for_several_plates():
    second = block("P2", *SECOND, wave="")
    blocks, found = read_blocks(one(block("P1", *FIRST), second))
    assert found == []
    assert [(b.barcode, b.wavelength_nm) for b in blocks] == [("P1", "450"), ("P2", "450")]


def test_several_steps_and_what_is_calculated():
    blocks, found = read_blocks(
        source(
            {
                "Luminescence 1_01": [
                    *TOP, ["Luminescence 1"],
                    *block("P", *FIRST, wave="Wavelength: 0 nm", unit="RLU"),
                ],
                "Blank Subtraction 1_02": [
                    ["Calculation results"], *TOP[1:], ["Blank Subtraction 1"], *block("P", *SECOND)
                ],
                "Standard Curve 1_03": [*TOP, ["Standard Curve 1"], *block("P", *SECOND)],
                "My reading_04": [*TOP, ["My reading"], *block("P", *SECOND)],
                "Layout definitions": [["Layout"], *grid("Plate", ["1", "2"])],
                "Instrument information": [["", "Name", "Varioskan LUX"], ["", "Serial", "30-8"]],
                "General information": [["", "SW", "SkanIt Software 7.0 RE, ver. 7.0.2.5"]],
                "Session information": [["", "Executed with", "Varioskan of J. Doe"]],
            }
        )
    )  # fmt: skip
    assert found == []
    assert [(b.read, b.mode, b.plate_index) for b in blocks] == [
        ("Luminescence 1", "lum", 1),
        ("My reading", "abs", 1),
    ]
    assert (blocks[0].instrument, blocks[0].software) == (
        "Varioskan LUX",
        "SkanIt Software 7.0.2.5",
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (block("", *FIRST) + block("P2", *SECOND), "plate.bad-information"),
        (block("P1", *FIRST) + block("", *SECOND), "plate.bad-information"),
        (block("P1", *FIRST) + block("P1", *SECOND, wave="Wavelength: 9 nm")
         + block("P2", *SECOND, wave=""), "plate.bad-information"),
        (block("P1", *FIRST) + block("P1", *SECOND), "plate.duplicate-block"),
        (block("P1", *FIRST) + block("P1", *FIRST, wave="Wavelength: 9 nm") + block("P2", *SECOND),
         "plate.bad-information"),
        ([*block("P1", *FIRST)[:3], ["C"], *block("P1", *FIRST)[4:]], "plate.bad-information"),
        (block("P1", *FIRST, unit="ABX"), "plate.unknown-block"),
        (block("P1", *FIRST, unit=""), "plate.unknown-block"),
        (block("P1", *FIRST, unit="RLU"), "plate.inconsistent"),
        ([*block("P1", *FIRST)[:7], ["D", "5", "6"]], "plate.missing-row"),
        (block("P1", *FIRST)[:4] + block("P1", *FIRST)[5:], "plate.stray-row"),
        ([["avg. time [s]", "Un0001 (B01)"], ["0", "0.5"]], "plate.not-endpoint"),
        ([["Reading 1"], *block("P1", *FIRST)], "plate.not-endpoint"),
        ([["Blank Subtraction 1"], *block("P1", *FIRST)], "plate.inconsistent"),
        ([["Plate 1"]], "plate.no-measured-block"),
        (grid("Sample", ["a", "b"]), "plate.no-measured-block"),
        (block("P1", ["a", "b"], unit="Sample") + block("P2", *FIRST), "plate.no-values"),
        (block("P1", *FIRST) + block("P2", ["a", "b"], unit="Sample"), "plate.no-values"),
    ],
)  # fmt: skip
def test_defects_end_as_errors(rows, code):
    _, found = read_blocks(one(rows))
    assert code in found


def test_a_sheet_and_its_step_must_agree():
    _, found = read_blocks(one(block("P", *FIRST), step="Blank Subtraction 1"))
    assert "plate.inconsistent" in found
    _, found = read_blocks(one(block("P", *FIRST), sheet="Standard Curve 1_02"))
    assert "plate.inconsistent" in found


def test_names_of_plates_that_sound_like_steps():
    blocks, found = read_blocks(one(block("Average 1", *FIRST), block("Ratio-2", *SECOND)))
    assert found == []
    assert [(b.plate_index, b.barcode) for b in blocks] == [(1, ""), (2, "Ratio-2")]


def test_a_layout_above_the_values():
    head = [["Wavelength: 450 nm"], ["P1"], ["Temperature: 25 °C"]]
    blocks, found = read_blocks(one(head, grid("Sample", ["a", "b"]), [[" "]], grid("Abs", *FIRST)))
    assert found == []
    assert [(b.barcode, b.wavelength_nm) for b in blocks] == [("P1", "450")]


def test_saved_as_text(tmp_path):
    lines = [*TOP, ["Absorbance 1"], *block("M12", *FIRST), *block("M16", *SECOND)]
    text = "".join(",".join([*line, *[""] * (3 - len(line))]) + "\n" for line in lines)
    (tmp_path / "p.csv").write_text(text)
    reads, problems = scan_plate(tmp_path / "p.csv")
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert reads["plate"].unique().tolist() == ["M12", "M16"]
    assert reads["status"].tolist() == ["ok"] * 7 + ["not_read"]
    (tmp_path / "p.csv").write_text(text.replace("A,5,6", "A,,5,6"))
    _, found = read_blocks(tmp_path / "p.csv")
    assert "plate.wide-row" in found


def test_files_of_others_are_not_taken():
    assert not skanit.recognise(source({"Data": grid("RLU", *FIRST)}))
    assert not skanit.recognise(source({"Data": [["Measurement results"], *grid("RLU", *FIRST)]}))


@QUICK
@given(
    st.sampled_from([(8, 12), (16, 24), (2, 5), (32, 6)]),
    st.integers(0, 10**6),
    st.sampled_from([0, 0.4]),
    st.booleans(),
    st.sampled_from(
        [("Luminescence 1", "RLU"), ("Absorbance 2", "Abs"), ("Fluorescence 1", "RFU")]
    ),
)
def test_round_trip(tmp_path, shape, seed, lost, layout, step):
    chance = np.random.default_rng(seed)
    plates = {}
    for name in ("P1", "P2"):
        signal = np.round(chance.lognormal(8, 2, shape), 3)
        signal[chance.random(shape) < lost] = math.nan
        signal[0, 0] = 7.25
        plates[name] = {"450": signal, "570": signal + 1}
    path = tmp_path / "p.xlsx"
    write_skanit(path, plates, step=step[0], unit=step[1], layout=layout)
    rows = {page.sheet: page.rows for page in open_source(path, "plate", Problems()).pages}
    blocks, found = read_blocks(path)
    assert found == []
    assert [b.barcode for b in blocks] == ["P1", "P1", "P2", "P2"]
    for block in blocks:
        expected = plates[block.barcode][block.wavelength_nm]
        wells = {(r.row, r.column): float(r.text) for r in block.readings if r.text.strip()}
        assert wells == {
            (row + 1, column + 1): value
            for (row, column), value in np.ndenumerate(expected)
            if not math.isnan(value)
        }
        first = block.readings[0]
        sheet, _, cell = first.locator.partition("!")
        assert rows[sheet][int(cell[1:]) - 1][1] == first.text


def test_the_writer_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_skanit(tmp_path / name, [[1.0, 2.0]])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def mutate(page, chance):
    """Damage a sheet in its structure: rows, labels, corners."""
    rows = [list(row) for row in page.rows]
    at, other = chance.randrange(len(rows)), chance.randrange(len(rows))
    kind = chance.choice(["drop", "double", "swap", "cut", "blank", "label", "chunk", "header"])
    if kind == "drop":
        del rows[at]
    elif kind == "double":
        rows.insert(other, list(rows[at]))
    elif kind == "swap":
        rows[at], rows[other] = rows[other], rows[at]
    elif kind == "cut":
        del rows[at:]
    elif kind == "blank":
        rows.insert(at, [""] * len(rows[at]))
    elif kind == "label":
        rows[at][0] = chance.choice(["", "C", "Q", "7", "aa", "Sample"])
    elif kind == "chunk":
        del rows[at : at + chance.randrange(1, 12)]
    elif kind == "header":
        rows[at][chance.randrange(len(rows[at]))] = chance.choice(["", "7", "12"])
    return Page(rows, page.sheet)


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    signal = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13)) + 100_000
    path = tmp_path / "w.xlsx"
    waves = {"450": signal, "570": signal + 100_000}
    write_skanit(path, {"P1": waves, "P2": {k: v + 200_000 for k, v in waves.items()}})
    whole = open_source(path, "plate", Problems()).pages
    chance = random.Random(3)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(200):
        page = mutate(whole[0], chance)
        blocks, found = read_blocks(Source("p.xlsx", "0", [page, *whole[1:]]))
        outcomes["refused" if found else "read"] += 1
        for block in [] if found else blocks:
            base = 100_000 + 100_000 * (block.wavelength_nm == "570")
            base += 200_000 * (block.barcode == "P2")
            for reading in block.readings:
                expected = str(base + reading.row * 1000 + reading.column)
                assert reading.text in ("", expected, "7", "12"), (block.read, reading)
    assert min(outcomes.values()) > 20
