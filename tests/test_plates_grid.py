"""Labelled grids and grids without labels, found by rule."""

import pytest

from drp.plates.grid import find_grids, find_stray_rows
from drp.plates.gridrows import missing_rows
from drp.plates.pages import Page
from drp.plates.positional import find_positional_grids


def _page(text, **about):
    return Page([line.split(";") for line in text.strip("\n").split("\n")], **about)


def _only(text, **about):
    (grid,) = find_grids(_page(text, **about), "p.csv")
    return grid


def _wells(grid):
    return {(r.row, r.column): r.text for r in grid.readings()}


def _codes(problems):
    return [problem.code for problem in problems]


WHOLE = {(1, 1): "5", (1, 2): "6", (2, 1): "7", (2, 2): "8"}


@pytest.mark.parametrize(
    "text",
    [
        ";1;2\nA;5;6\nB;7;8",
        ";01;02;\nA;5;6;\nB;7;8;",
        "RLU;1;2\nA;5;6\nB;7;8",
        "1;2\nA;5;6\nB;7;8",  # as R writes it, without a corner
        ";1;2\nA;5;6;\nB;7;8;",
        ";1;2\na;5;6\nb;7;8",
        ";;1;2\n;A;5;6\n;B;7;8",
        ";1;2;;;\nA;5;6;;;\nB;7;8;;;",  # padded with separators
        "title\n;1;2\nA;5;6\nB;7;8\n\nmore",
    ],
)
def test_ways_to_write_the_same_grid(text):
    grid = _only(text)
    assert _wells(grid) == WHOLE
    assert grid.faults == []


def test_locators_lead_to_the_cell():
    readings = _only("x\n\n;1;2\nA;5;6").readings()
    assert [reading.locator for reading in readings] == ["line 4 field 2", "line 4 field 3"]


def test_partial_grids_keep_their_labels():
    grid = _only(";3;4\nC;5;6\nD;7;8")
    assert _wells(grid) == {(3, 3): "5", (3, 4): "6", (4, 3): "7", (4, 4): "8"}


def test_rows_beyond_z():
    grid = _only(";1;2\nY;1;2\nZ;3;4\nAA;5;6\nAB;7;8")
    assert sorted(grid.lines) == [25, 26, 27, 28]
    sparse = _only(";1;2\nA;1;2\nG;3;4\nM;3;4\nS;3;4\nY;3;4\ne;5;6")
    assert sorted(sparse.lines) == [1, 7, 13, 19, 25, 31]
    assert sparse.faults == []


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([1, 2, 3], []),
        ([3, 4], []),
        ([5], []),
        ([1, 5, 9, 13], []),
        ([1, 2, 4], [3]),
        ([1, 5, 13], [9]),
        ([1, 7, 13, 25, 31], [19]),
        ([8, 4, 1, 2, 3, 5, 6], [7]),
    ],
)
def test_missing_rows(rows, missing):
    assert missing_rows(rows) == missing


def test_a_lost_row_moves_no_other():
    grid = _only(";1;2\nA;1;2\nB;3;4\nD;7;8")
    assert _wells(grid)[4, 1] == "7"
    (fault,) = grid.faults
    assert (fault.code, fault.where.well, fault.where.locator) == (
        "plate.missing-row",
        "row C",
        "line 4",
    )


@pytest.mark.parametrize(
    ("text", "code", "kept"),
    [
        (";1;2\nA;5;6\nB;7", "plate.short-row", [1]),
        (";1;2;\nA;5;6;\nB;7;8", "plate.short-row", [1]),
        (";1;2\nA;5;6\nB;7;8;9", "plate.wide-row", [1]),
        (";1;2\nA;5;6\nB;7;8;;", "plate.wide-row", [1]),
        (";1;2\nA;5;6\nA;7;8", "plate.duplicate-row", [1]),
        (";1;2\nB;5;6\nA;7;8", "plate.row-order", [1, 2]),
        (";1;2\nA;5;6\nx;7;8", "plate.bad-row", [1]),
        (";1;2\nA;5;6\n;7;8", "plate.unlabelled-row", [1]),
        (";1;2\nA;5;6\nSum;7;8", "plate.unlabelled-row", [1]),
        (";1;2;3;4;5;6\n\nA;1;2;3;4;5;6", "plate.no-rows", []),
    ],
)
def test_damaged_rows_are_named_and_not_used(text, code, kept):
    grid = _only(text)
    assert _codes(grid.faults) == [code]
    assert sorted(grid.lines) == kept


def test_a_cut_last_line_is_not_used():
    grid = _only(";1;2\nA;5;6\nB;7;8", terminated=False)
    assert _codes(grid.faults) == ["plate.truncated"]
    assert sorted(grid.lines) == [1]


@pytest.mark.parametrize("header", [";1;3", ";1;2x", ";0;1", ";2;1", ";1;2;note", ";48;49"])
def test_a_broken_header_leaves_stray_rows(header):
    page = _page(f"{header}\nA;5;6\nB;7;8")
    assert find_grids(page, "p.csv") == []
    assert _codes(find_stray_rows(page, [], "p.csv")) == ["plate.stray-row"] * 2


def test_rows_after_a_blank_line_are_stray():
    page = _page(";1;2\nA;5;6\n\nB;7;8")
    grids = find_grids(page, "p.csv")
    assert _codes(find_stray_rows(page, grids, "p.csv")) == ["plate.stray-row"]


def test_notes_beside_a_grid_in_a_sheet():
    grid = _only(";1;2;;note\nA;5;6;;x\nB;7;8;;y", sheet="Data")
    assert _wells(grid) == WHOLE
    assert grid.readings()[3].locator == "Data!C3"


def test_stacked_grids_without_a_blank_line():
    grids = find_grids(_page("dose;1;2\nA;5;6\nrun;1;2\nA;7;8"), "p.csv")
    assert [grid.corner for grid in grids] == ["dose", "run"]
    assert [_codes(grid.faults) for grid in grids] == [[], []]


def _bare(rows, columns, trailing=True):
    return [[str(row * 100 + c) for c in range(columns)] + [""] * trailing for row in range(rows)]


@pytest.mark.parametrize("shape", [(8, 12), (16, 24), (32, 48)])
@pytest.mark.parametrize("trailing", [True, False])
def test_exact_shapes_are_read_by_position(shape, trailing):
    (grid,) = find_positional_grids(Page(_bare(*shape, trailing)), "p.csv")
    readings = grid.readings()
    assert grid.faults == []
    assert len(readings) == shape[0] * shape[1]
    assert (readings[-1].row, readings[-1].column) == shape


def test_blank_frames_belong_to_the_plate():
    rows = _bare(8, 12)
    rows[0] = [""] * 13
    rows[7] = [""] * 13
    (grid,) = find_positional_grids(Page([["title"], *rows]), "p.csv")
    assert [r.text for r in grid.readings()[:12]] == [""] * 12
    assert grid.readings()[12].locator == "line 3 field 1"


@pytest.mark.parametrize("shape", [(7, 12), (8, 13), (9, 12), (16, 12), (8, 24)])
def test_other_shapes_are_refused(shape):
    (grid,) = find_positional_grids(Page(_bare(*shape)), "p.csv")
    assert _codes(grid.faults) == ["plate.bad-shape"]
    assert grid.readings() == []


def test_a_short_row_of_a_bare_plate_is_refused():
    rows = _bare(16, 24)
    rows[5] = rows[5][:20]
    (grid,) = find_positional_grids(Page(rows), "p.csv")
    assert _codes(grid.faults) == ["plate.bad-shape"]


def test_a_bare_plate_cut_at_its_end_is_refused():
    (grid,) = find_positional_grids(Page(_bare(8, 12, False), terminated=False), "p.csv")
    assert _codes(grid.faults) == ["plate.truncated"]


def test_a_blank_row_among_filled_ones_of_a_bare_plate_is_said():
    blank, filled = [""] * 13, [*map(str, range(12)), ""]
    rows = [blank, filled, filled, filled, blank, blank, blank, blank]
    assert find_positional_grids(Page(rows), "p.csv")[0].faults == []
    rows[0], rows[2] = rows[2], rows[0]  # A and C have changed places
    (grid,) = find_positional_grids(Page(rows), "p.csv")
    assert [fault.code for fault in grid.faults] == ["plate.blank-row"]
    assert len(grid.readings()) == 96
    every_second = [filled, blank] * 4
    assert find_positional_grids(Page(every_second), "p.csv")[0].faults == []
