"""The blocks of values in Tecan's exports: plates under ``<>``, and lists with a well per line.

Both name every well, so both are read by their labels alone.
"""

import re
from dataclasses import dataclass, field

from drp.plates.blocks import Reading
from drp.plates.grid import Grid, find_grids, find_stray_rows
from drp.plates.pages import Page
from drp.plates.readers.tecan_lists import (
    collect_wells,
    find_moved_lines,
    find_stray_wells,
    is_value,
)
from drp.problems import Place, Problem, Problems
from drp.wellnames import row_letters

CORNER = "<>"

_VALUES = ("value", "mean", "mittelwert")
_SETTING = re.compile(r":(?:\s|$)")


@dataclass(slots=True)
class Table:
    """One block of values.

    Attributes
    ----------
    page : Page
        The page it stands on.
    header, stop : int
        Index of its header and of the first row after it.
    title : str
        What stands alone in the row above the header; empty if nothing does.
    readings : list of Reading
        Its cells.
    listed : bool
        Whether it gives a well per line, rather than a plate.
    averaged : bool
        Whether each value is the mean of several points of the well.
    faults : list of Problem
        What is wrong with it.
    """

    page: Page
    header: int
    stop: int
    title: str
    readings: list[Reading]
    listed: bool = False
    averaged: bool = False
    faults: list[Problem] = field(default_factory=list)

    @property
    def wells(self) -> set[tuple[int, int]]:
        """Row and column of every well that is printed."""
        return {(reading.row, reading.column) for reading in self.readings}

    @property
    def broken(self) -> bool:
        """Whether a fault is an error."""
        return any(fault.severity == "error" for fault in self.faults)


def find_tables(page: Page, file: str, found: Problems) -> list[Table]:
    """Find every block of values on a page, in order.

    Parameters
    ----------
    page : Page
        Rows of cells.
    file : str
        Name of the file.
    found : Problems
        Takes grids that do not begin with ``<>``, and lines of values outside of any block.

    Examples
    --------
    >>> page = Page([["<>", "Value"], ["A1", "0.5"], ["A2", "0.7"]])
    >>> (table,) = find_tables(page, "P1.csv", Problems())
    >>> [(reading.column, reading.text) for reading in table.readings]
    [(1, '0.5'), (2, '0.7')]
    """
    headers = [row for row, cells in enumerate(page.rows) if _is_list(cells)]
    tables = []
    for header in headers:
        readings, stop, faults = collect_wells(page, header, header + 1, 0, 1, file)
        faults += find_moved_lines(page, header, stop, file)
        averaged = page.rows[header][1].strip().lower() != "value"
        title = _title(page, header)
        tables.append(Table(page, header, stop, title, readings, True, averaged, faults))
    listed = {row for table in tables for row in range(table.header, table.stop)}
    grids = [grid for grid in find_grids(page, file) if grid.header not in listed]
    for grid in grids:
        faults = [*grid.faults, *_moved_rows(grid, file), *_unlabelled_row(grid, file)]
        title = _title(page, grid.header)
        tables.append(Table(page, grid.header, grid.stop, title, grid.readings(), faults=faults))
        if grid.corner != CORNER:
            text = f"a grid begins with {grid.corner!r}, not with {CORNER!r}"
            where = Place(file, page.line(grid.header))
            found.error("plate.unknown-block", where, text, "Export the plate again.")
    found.extend(find_stray_rows(page, grids, file))
    find_stray_wells(page, 0, listed, file, found)
    return sorted(tables, key=lambda table: table.header)


def _is_list(cells: list[str]) -> bool:
    first = [cell.strip().lower() for cell in cells[:2]]
    return len(first) == 2 and first[0] in (CORNER, "well") and first[1] in _VALUES


def _title(page: Page, header: int) -> str:
    """Give what stands alone above a header, unless it is a setting such as ``Label: Label1``."""
    cells = page.rows[header - 1] if header else [""]
    alone = not any(cell.strip() for cell in cells[1:])
    return cells[0].strip() if alone and not _SETTING.search(cells[0]) else ""


def _moved_rows(grid: Grid, file: str) -> list[Problem]:
    """Find rows of a sheet whose last well is blank, as if a cell of theirs had been deleted."""
    page, found = grid.page, Problems()
    ends = [reading for reading in grid.readings() if reading.text.strip()]
    right = max((reading.column for reading in ends), default=0)
    full = {reading.row for reading in ends if reading.column == right}
    for row, index in sorted(grid.lines.items()):
        if page.sheet and row not in full and any(reading.row == row for reading in ends):
            text = f"the row has no value in column {right}, its cells may have moved"
            where = Place(file, page.line(index), well=f"row {row_letters(row)}")
            found.error("plate.short-row", where, text, "Export the plate again.")
    return found.items


def _unlabelled_row(grid: Grid, file: str) -> list[Problem]:
    """Find a row of values directly below a plate, which has lost its letter."""
    page, found = grid.page, Problems()
    cells = page.rows[grid.stop] if grid.stop < len(page.rows) else [CORNER]
    if cells[0].strip() != CORNER and sum(map(is_value, cells[1:])) > 1:
        text = f"a row of values begins with {cells[0].strip()!r}, not with row letters"
        where = Place(file, page.line(grid.stop))
        found.error("plate.unlabelled-row", where, text, "Export the plate again.")
    return found.items
