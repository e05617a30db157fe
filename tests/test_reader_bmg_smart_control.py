"""BMG workbooks: the microplate view and the table of wells, which must agree."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.plates import scan_plate
from drp.plates.pages import Page, Source, open_source
from drp.plates.readers import bmg_smart_control
from drp.plates.writers import write_bmg_smart_control
from drp.problems import Problems
from tests.reader_blocks import read_blocks

QUICK = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
ABOUT = [["User: user"], ["Test ID: 11"], ["Date: 03/04/2024"], ["Time: 13:06:28"], ["ID1: P-7"]]
VIEW = "Microplate End point"
TABLE = "Table End point"


def grid(title, *rows):
    width = len(rows[0])
    lines = [["", title], ["", *(str(column) for column in range(1, width + 1))]]
    return [
        *lines,
        *([letter, *cells] for letter, cells in zip("ABCDEFGH", rows, strict=False)),
        [],
    ]


def source(**sheets):
    """Make a workbook of rows; `view` and `table` are its two usual sheets."""
    names = {"view": VIEW, "table": TABLE}
    pages = []
    for name, rows in sheets.items():
        width = max(len(row) for row in rows)
        padded = [[*row, *[""] * (width - len(row))] for row in rows]
        pages.append(Page(padded, names.get(name, name.replace("_", " "))))
    return Source("p.xlsx", "0", pages)


RAW = grid("4. Raw Data (450)", ["1", "2", "3"], ["4", "", "6"])
CALCULATED = grid("5. Blank corrected based on Raw Data (450)", ["0", "1", "2"], ["3", "", "5"])
WELLS = [
    ["Well", "A01", "A02", "A03", "B01", "B02", "B03"],
    ["Content", "Sample X1", "X2", "X3", "X4", "X5", "X6"],
    [" Raw Data (450)", "1", "2", "3", "4", "", "6.0"],
    [" Blank corrected based on Raw Data (450)", "0", "1", "2", "3", "", "5"],
]


def test_the_real_workbook_gives_every_value(shared_data):
    path = shared_data / "plates" / "bmg" / "smartcontrol_fluor96.xlsx"
    reads, problems = scan_plate(path)
    assert problems == []
    assert reads["status"].tolist() == ["ok"] * 96
    pages = {page.sheet: page for page in open_source(path, "plate", Problems()).pages}
    cells = pages[TABLE].rows
    assert cells[16][0] == " Raw Data (480-14/520-30)"
    expected = dict(zip(cells[12][1:], cells[16][1:], strict=True))
    for row in reads.itertuples():
        assert row.raw_text == expected[f"{row.well[0]}{row.column:02d}"]
        sheet, _, cell = row.locator.partition("!")
        column = "ABCDEFGHIJKLM".index(cell[0])
        assert pages[sheet].rows[int(cell[1:]) - 1][column] == row.raw_text
    first = reads.iloc[0]
    assert (first["mode"], first["read"]) == ("fluo", "Raw Data (480-14/520-30)")
    assert first["wavelength_nm"] == "480-14/520-30"
    assert first["measured_at_raw"] == "11/12/2024 1:06:28 PM"
    assert (first["measured_at"], first["barcode"]) == ("", "")


def test_spot_values_of_the_manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if "smartcontrol" in row["path"]]
    reads, _ = scan_plate(shared_data / "plates" / row["path"])
    assert len(reads) == int(row["expected_wells"])
    signal = dict(zip(reads["well"], reads["signal"], strict=True))
    for number in (1, 2, 3):
        assert signal[row[f"spot{number}_well"]] == float(row[f"spot{number}_value"])


def test_only_raw_data_are_taken():
    layout = grid("1. Layout", ["S1", "X1", "B"], ["1", "2", "3"])
    dilutions = grid("3. Dilutions", ["1", "1", "1"], ["1", "1", "1"])
    blocks, found = read_blocks(
        source(view=[*ABOUT, ["Absorbance"], [], *layout, *dilutions, *RAW, *CALCULATED])
    )
    assert found == []
    (block,) = blocks
    assert [(r.row, r.column, r.text) for r in block.readings] == [
        (1, 1, "1"), (1, 2, "2"), (1, 3, "3"), (2, 1, "4"), (2, 2, ""), (2, 3, "6"),
    ]  # fmt: skip
    assert (block.mode, block.barcode, block.blank_status) == ("abs", "P-7", "not_read")
    assert block.readings[0].locator == f"{VIEW}!B20"


@pytest.mark.parametrize("column", ["Well", "Well Row"])
def test_a_table_of_wells_alone(column):
    names, wells = ["Well"], [["A01"], ["B12"]]
    if column == "Well Row":
        names, wells = ["Well Row", "Well Col"], [["A", "1"], ["B", "12"]]
    rows = [[*names, "Content", "Raw Data (450)"], [*wells[0], "X", "5"], [*wells[1], "", "6"]]
    blocks, found = read_blocks(source(table=[*ABOUT, *rows]))
    assert found == []
    assert [(r.row, r.column, r.text) for r in blocks[0].readings] == [(1, 1, "5"), (2, 12, "6")]


def test_the_two_views_agree():
    blocks, found = read_blocks(source(view=[*ABOUT, *RAW, *CALCULATED], table=[*ABOUT, *WELLS]))
    assert found == []
    assert len(blocks) == 1


@pytest.mark.parametrize(
    ("row", "cell", "text"),
    [(2, 1, "11"), (2, 3, ""), (2, 5, "9"), (2, 0, " Raw Data (451)"), (0, 6, "B04")],
)
def test_a_difference_between_the_views_is_an_error(row, cell, text):
    wells = [list(cells) for cells in WELLS]
    wells[row][cell] = text
    _, found = read_blocks(source(view=[*ABOUT, *RAW, *CALCULATED], table=[*ABOUT, *wells]))
    assert set(found) == {"plate.inconsistent"}


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ({"view": [*ABOUT, *CALCULATED]}, "plate.no-measured-block"),
        ({"view": [*ABOUT, *grid("4. Rw Dta (450)", ["1", "2"])]}, "plate.unknown-block"),
        ({"view": [*ABOUT, *grid("", ["1", "2"])]}, "plate.unknown-block"),
        ({"view": [*ABOUT, *CALCULATED, *RAW]}, "plate.block-order"),
        ({"view": [*ABOUT, *RAW, *grid("3. Raw Data (570)", ["1", "2", "3"], ["1", "2", "4"])]},
         "plate.block-order"),
        ({"view": [*ABOUT, *RAW[:3], [], *CALCULATED]}, "plate.missing-row"),
        ({"view": [*ABOUT, *RAW[:2], *RAW[3:]], "table": [*ABOUT, *WELLS]}, "plate.inconsistent"),
        ({"view": [*ABOUT, *RAW, *RAW]}, "plate.block-order"),
        ({"Table_All_Cycles": [*ABOUT, *WELLS]}, "plate.not-endpoint"),
        ({"table": [*ABOUT, ["Well", "Content", "Raw Data (1)"], ["", "Time", "0 s"],
                    ["A01", "X", "5"]]}, "plate.not-endpoint"),
        ({"table": [*ABOUT, [*WELLS[0][:-1], "A01"], *WELLS[1:]]}, "plate.duplicate-well"),
        ({"table": [*ABOUT, [*WELLS[0][:-1], "A77"], *WELLS[1:]]}, "plate.bad-well"),
        ({"table": [*ABOUT, [*WELLS[0][:-1], ""], *WELLS[1:]]}, "plate.bad-well"),
        ({"view": ABOUT}, "plate.no-measured-block"),
    ],
)  # fmt: skip
def test_defects_end_as_errors(sheets, code):
    _, found = read_blocks(source(**sheets))
    assert code in found


def test_workbooks_of_others_are_not_taken():
    assert not bmg_smart_control.recognise(source(Sheet1=[["", "1", "2"], ["A", "5", "6"]]))
    text = Page([["Test name: x"], ["ID1: y"]])
    assert not bmg_smart_control.recognise(Source("p.csv", "0", [text]))
    renamed = source(Sheet1=[*ABOUT, *RAW])
    assert bmg_smart_control.recognise(renamed)
    assert len(read_blocks(renamed)[0]) == 1


@QUICK
@given(
    st.sampled_from([(8, 12), (16, 24), (2, 5), (32, 6)]),
    st.integers(0, 10**6),
    st.sampled_from([0, 0.3]),
    st.sampled_from([(True, True), (True, False), (False, True)]),
)
@pytest.mark.slow
def test_round_trip(tmp_path, shape, seed, lost, views):
    chance = np.random.default_rng(seed)
    signal = np.round(chance.lognormal(8, 2, shape), 3)
    signal[chance.random(shape) < lost] = math.nan
    signal[-1, -1] = 7.25
    blocks = {"480-14/520-30": signal, "590": signal * 2}
    path = tmp_path / "p.xlsx"
    write_bmg_smart_control(path, blocks, barcode="P1", microplate=views[0], table=views[1])
    pages = {page.sheet: page.rows for page in open_source(path, "plate", Problems()).pages}
    read, found = read_blocks(path)
    assert found == []
    assert [block.read for block in read] == [f"Raw Data ({name})" for name in blocks]
    for block, expected in zip(read, blocks.values(), strict=True):
        wells = {(r.row, r.column): float(r.text) for r in block.readings if r.text}
        assert wells == {
            (row + 1, column + 1): value
            for (row, column), value in np.ndenumerate(expected)
            if not math.isnan(value)
        }
        last = block.readings[-1]
        assert any(last.text in cells for cells in pages[last.locator.split("!")[0]])


def test_the_writer_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_bmg_smart_control(tmp_path / name, [[1.0, 2.0]])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with pytest.raises(ValueError, match="shape of one plate"):
        write_bmg_smart_control(tmp_path / "c.xlsx", {"a": [[1.0]], "b": [[1.0, 2.0]]})


def mutate(pages, chance):
    """Damage one sheet in its structure: rows and single cells."""
    pages = [Page([list(row) for row in page.rows], page.sheet) for page in pages]
    rows = chance.choice(pages[:2]).rows
    filled = [index for index, row in enumerate(rows) if any(row)]
    at, other = chance.choice(filled), chance.choice(filled)
    kind = chance.choice(
        ["drop", "double", "swap", "cut", "blank", "clear", "left", "right", "label"]
    )
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
    elif kind == "clear":
        rows[at][chance.randrange(len(rows[at]))] = ""
    elif kind in ("left", "right"):
        where = chance.randrange(len(rows[at]))
        moved = [*rows[at][:where], *rows[at][where + 1 :], ""]
        rows[at] = moved if kind == "left" else [*rows[at][:where], "", *rows[at][where:-1]]
    elif kind == "label":
        rows[at][0] = chance.choice(["", "C", "Q", "7", "aa"])
    return [page for page in pages if page.rows]


@pytest.mark.slow
@pytest.mark.parametrize("table", [True, False])
def test_damage_never_moves_a_value(tmp_path, table):
    signal = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13)) + 500_000
    path = tmp_path / "w.xlsx"
    blocks = {"450 1": signal, "570 2": signal + 200_000}
    if not table:
        del blocks["570 2"]  # rows exchanged between two raw blocks: only the table can tell
    write_bmg_smart_control(path, blocks, table=table)
    whole = open_source(path, "plate", Problems())
    chance = random.Random(11)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(200):
        pages = mutate(whole.pages, chance)
        blocks, found = read_blocks(Source("p.xlsx", "0", pages))
        outcomes["refused" if found else "read"] += 1
        for block in [] if found else blocks:
            base = 700_000 if "570" in block.read else 500_000
            for reading in block.readings:
                expected = str(base + reading.row * 1000 + reading.column)
                assert reading.text in ("", expected), (block.read, reading)
    assert min(outcomes.values()) > 20
