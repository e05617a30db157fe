"""What plates.tsv asks for is what is read: which plate of a file, which layout, each file once."""

import pandas as pd
import pytest

from drp.plain_tables import make_frame
from drp.plates import from_sheets
from drp.plates.from_sheets import read_plates
from drp.plates.reads import READS
from drp.plates.writers.common import put_workbook
from drp.refusals import plates_at_fault
from tests.plates_workbooks import make_workbook

LAYOUT = "plate,well,drug,dose,unit\n1,A1,X,5,nM\n2,A1,Y,6,nM\n"


@pytest.fixture
def folder(tmp_path):
    grid = [["", "1", "2"], ["A", 10.0, 20.0]]
    other = [["", "1", "2"], ["A", 30.0, 40.0]]
    put_workbook(tmp_path / "run.xlsx", {"day 1": grid, "day 2": other})
    (tmp_path / "map.csv").write_text(LAYOUT)
    (tmp_path / "one.csv").write_text(",1,2\nA,7,8\n")
    (tmp_path / "single.csv").write_text("well,drug,dose,unit\nA1,X,5,nM\n")
    return tmp_path


def _row(plate, file="run.xlsx", layout="single.csv", **more):
    return {"plate": plate, "file": file, "layout": layout, "sample": "S"} | more


def _codes(read):
    return [problem.code for problem in read.problems.items]


@pytest.mark.parametrize(
    "choice", [{"plate_index": "2"}, {"sheet": "day 2"}, {"barcode": "day 2"}], ids=str
)
def test_a_plate_of_several_is_chosen_by_index_sheet_or_barcode(folder, choice):
    read = read_plates([_row("P9", **choice)], str(folder), {})
    assert _codes(read) == []
    assert read.reads["signal"] == [30.0, 40.0]
    assert set(read.reads["plate"]) == {"P9"}
    assert [problem.code for problem in read.unused] == ["plates.unused-plate"]
    assert "day 1" in read.unused[0].found


def test_which_plate_is_never_guessed(folder):
    read = read_plates([_row("P1"), _row("P2", sheet="day 3")], str(folder), {})
    assert _codes(read) == ["plates.which-plate", "plates.no-such-plate"]
    assert "sheet day 1" in read.problems.items[0].fix
    assert read.reads["plate"] == []


def test_choices_that_contradict_each_other_are_an_error(folder):
    row = _row("P1", sheet="day 1", plate_index="2")
    assert _codes(read_plates([row], str(folder), {})) == ["plates.no-such-plate"]


def test_a_file_that_several_rows_name_is_read_once(folder, monkeypatch):
    opened = []
    scan = from_sheets.scan_columns
    monkeypatch.setattr(
        from_sheets,
        "scan_columns",
        lambda path, **more: opened.append(path.name) or scan(path, **more),
    )
    rows = [_row("P1", plate_index="1"), _row("P2", plate_index="2"), _row("P3", "one.csv")]
    read = read_plates(rows, str(folder), {})
    assert opened == ["run.xlsx", "one.csv"]
    assert read.unused == []
    assert read.reads["plate"] == ["P1", "P1", "P2", "P2", "P3", "P3"]
    assert read.files["plate"] == ["P1", "P2", "P3", ""]


def test_files_of_one_name_in_two_folders_are_told_apart(folder):
    """One laboratory names every export plate1.csv, in a folder for each day."""
    for day, text in (("monday", "A,1\n"), ("tuesday", ",1,2\nA,7,8\n")):
        (folder / day).mkdir()
        (folder / day / "plate1.csv").write_text(text)
        (folder / day / "map.csv").write_text("well,drug,dose,unit\nA1,X,5,nM\n")
    rows = [_row(day, f"{day}/plate1.csv", f"{day}/map.csv") for day in ("monday", "tuesday")]
    (folder / "tuesday" / "map.csv").write_text("well,drug,dose,unit\nA1,X,five,nM\n")
    problems = read_plates(rows, str(folder), {}).problems.items
    assert {problem.where.file for problem in problems} == {"monday/plate1.csv", "tuesday/map.csv"}
    by_plate = plates_at_fault(problems, rows)
    assert {name: {p.code for p in own} for name, own in by_plate.items()} == {
        "monday": {"plate.unrecognised"},
        "tuesday": {"layout.bad-dose"},
    }


def test_problems_of_a_file_with_one_plate_name_the_plate_of_the_sheet(folder):
    (folder / "one.csv").write_text(",1,2\nA,7,OVRFLW\n")
    read = read_plates([_row("P7", "one.csv")], str(folder), {})
    assert [(p.code, p.where.plate) for p in read.problems.items] == [("plate.saturated", "P7")]


def test_a_layout_of_several_plates_is_chosen_behind_its_name(folder):
    rows = [
        _row("P1", "one.csv", "map.csv#2"),
        _row("P2", "one.csv", "map.csv"),
        _row("P3", "one.csv", "map.csv#7"),
    ]
    read = read_plates(rows, str(folder), {})
    assert _codes(read) == ["plates.which-layout"] * 2
    assert (read.layouts["layout"], read.layouts["drug"]) == (["map.csv#2"], ["Y"])


def test_files_outside_the_folder_are_refused(folder):
    for name in ("../one.csv", "", "/etc/hostname"):
        read = read_plates([_row("P1", name)], str(folder), {})
        assert "plates.outside" in _codes(read)


def test_a_broken_workbook_is_a_problem_not_a_crash(folder):
    content = make_workbook({"A": {"A1": 1.0}})
    (folder / "run.xlsx").write_bytes(content[: len(content) // 2])
    assert _codes(read_plates([_row("P1")], str(folder), {})) == ["plate.unusable-file"]


def test_row_order_does_not_matter(folder):
    rows = [_row("P1", plate_index="1"), _row("P2", plate_index="2")]
    one, other = (read_plates(order, str(folder), {}) for order in (rows, rows[::-1]))
    frames = [make_frame(read.reads, "reads", READS) for read in (one, other)]
    ordered = [frame.sort_values(["plate", "well"], ignore_index=True) for frame in frames]
    pd.testing.assert_frame_equal(*ordered)


@pytest.mark.parametrize(
    ("scan", "code"),
    [("scan_columns", "plate.fault"), ("scan_layout_columns", "layout.fault")],
)
def test_a_file_that_drp_fails_on_is_named_and_the_others_are_read(folder, monkeypatch, scan, code):
    wholly = getattr(from_sheets, scan)
    bad = {"plate.fault": "one.csv", "layout.fault": "single.csv"}[code]

    def scanned(path, **options):
        if path.name == bad:
            return [][0]
        return wholly(path, **options)

    monkeypatch.setattr(from_sheets, scan, scanned)
    rows = [
        _row("P1", file="one.csv", layout="single.csv"),
        _row("P2", plate_index="2", layout="map.csv#1"),
    ]
    read = read_plates(rows, str(folder), {})
    assert _codes(read) == [code]
    (problem,) = read.problems.items
    assert problem.where.file == bad
    assert "IndexError: list index out of range; test_plates_from_sheets.py" in problem.found
    assert list(plates_at_fault(read.problems.items, rows)) == ["P1"]
    assert "P2" in read.reads["plate"]
    assert set(read.layouts["layout"]) >= {"map.csv#1"}


def test_a_full_memory_is_no_fault_of_a_file(folder, monkeypatch):
    def scanned(path, **options):
        raise MemoryError

    monkeypatch.setattr(from_sheets, "scan_columns", scanned)
    with pytest.raises(MemoryError):
        read_plates([_row("P1", file="one.csv")], str(folder), {})
