"""Labelled grids of text exports whose lines differ in width.

One software ends every line with a separator, another only the header, a third leaves blank cells
at the end of a line away. A field more or less in a single line may as well have moved its values
by one column, so a width counts only if lines beside each other share it.
"""

from dataclasses import replace
from itertools import pairwise

from drp.plates.grid import Grid, find_grids
from drp.plates.gridrows import row_label
from drp.plates.pages import Page
from drp.problems import Place, Problem, Problems

_FIX = "Export the plate again."


def find_strict_grids(page: Page, file: str) -> list[Grid]:
    """Find every labelled grid on a page, whether blank cells end its lines or not.

    Parameters
    ----------
    page : Page
        Rows of cells of a text file; a sheet of a workbook is read as `find_grids` reads it.
    file : str
        Name of the file, for the places of faults.

    Returns
    -------
    list of Grid
        As of `find_grids`. A line that leaves out its last cells has readings only for the cells
        that are printed. Columns must begin with 1: a lost number would move every value.

    Examples
    --------
    >>> page = Page([["", "1", "2", "3", ""], ["A", "5", "6"], ["B", "7", "8"]])
    >>> [(r.row, r.column, r.text) for r in find_strict_grids(page, "p.csv")[0].readings()]
    [(1, 1, '5'), (1, 2, '6'), (2, 1, '7'), (2, 2, '8')]
    """
    grids = find_grids(page, file)
    if page.sheet:
        return grids
    rows = list(page.rows)
    faults: dict[int, Problem] = {}
    for grid in grids:
        _square(rows, grid, file, faults)
    if any(row is not printed for row, printed in zip(rows, page.rows, strict=True)):
        grids = find_grids(replace(page, rows=rows), file)
    for grid in grids:
        grid.page = page
        _add_faults(grid, file, faults)
    return grids


def _square(rows: list[list[str]], grid: Grid, file: str, faults: dict[int, Problem]) -> None:
    """Bring the lines of a grid to one width in `rows`, or say why that cannot be done."""
    header = rows[grid.header]
    n_columns, due = len(grid.columns), grid.first_cell + len(grid.columns)
    # A header without a corner, as R writes it, begins with its first number.
    end = due - (not grid.corner and bool(header[grid.label_cell].strip()))
    if len(header) > end:
        rows[grid.header] = header[:end]
    lines = [
        index
        for index in range(grid.header + 1, grid.stop)
        if row_label(rows[index], grid.label_cell) is not None
    ]
    widths = {index: len(rows[index]) for index in lines}
    if set(widths.values()) == {due + 1} and (len(header) == due + 1 or len(lines) > 1):
        if not any(rows[index][-1].strip() for index in lines):
            for index in lines:
                rows[index] = rows[index][:due]
        return
    shared = {
        index
        for before, after in pairwise(lines)
        if widths[before] == widths[after]
        for index in (before, after)
    }
    trimmed = {i for i in shared if widths[i] < due and rows[i][-1].strip()}
    for index in lines:
        place = Place(file, grid.page.line(index), well=f"row {rows[index][grid.label_cell]}")
        if index in trimmed:
            rows[index] = rows[index] + [""] * (due - widths[index])
        elif widths[index] == due + 1:
            text = f"the row is wider than its header, which has {n_columns} columns"
            faults[index] = Problem("plate.wide-row", "error", place, text, _FIX)
        elif widths[index] == due and trimmed and index not in shared:
            text = f"the row has {n_columns} fields, the rows beside it have another number"
            faults[index] = Problem("plate.short-row", "error", place, text, _FIX)


def _add_faults(grid: Grid, file: str, faults: dict[int, Problem]) -> None:
    found = Problems()
    where = Place(file, grid.page.line(grid.header))
    if grid.columns[0] != 1:
        text = f"the columns begin with {grid.columns[0]}, not with 1"
        fix = "A lost column number moves every value. Export the plate again."
        found.error("plate.bad-columns", where, text, fix)
        grid.lines = {}
    for row, index in sorted(grid.lines.items()):
        if index in faults:
            found.extend([faults[index]])
            del grid.lines[row]
    cut = [i for i in grid.lines.values() if len(grid.page.rows[i]) < grid.width]
    if cut:
        text = f"{len(cut)} rows end before column {grid.columns[-1]}: a cell left out is no value"
        found.warning("plate.partial", where, text, "Check that these wells were not measured.")
    grid.faults = [*grid.faults, *found.items]
