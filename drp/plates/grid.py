"""Find labelled grids: a header of column numbers above rows that begin with letters.

Wells come from the labels, never from the order of lines: a line that is lost must not move the
wells below it. Every reader of a dialect with labels builds on this one finder.
"""

from dataclasses import dataclass, field
from itertools import repeat

from drp.plates.blocks import Reading
from drp.plates.gridrows import LABEL, collect_rows, row_label
from drp.plates.pages import Page
from drp.plates.values import looks_like_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import MOST_COLUMNS

_COLUMNS = {form: n for n in range(1, MOST_COLUMNS + 1) for form in (str(n), f"{n:02d}")}
_FEWEST_COLUMNS = 6  # a shorter line of numbers is a header only if a lettered row follows


@dataclass(slots=True)
class Grid:
    """A labelled grid on a page.

    Attributes
    ----------
    page : Page
        The page it stands on.
    header : int
        Index of the header row on the page.
    label_cell, first_cell : int
        Index of the cell with the row letter and of the cell of the first column.
    columns : range
        The column numbers.
    width : int
        Number of cells that every row must have; a last blank cell more is allowed.
    corner : str
        Text above the row letters.
    lines : dict of int to int
        Row number to index on the page, for every row that can be used.
    stop : int
        Index of the first row after the grid.
    faults : list of Problem
        What is wrong with the grid. They count only if the grid holds measured values.
    """

    page: Page
    header: int
    label_cell: int
    first_cell: int
    columns: range
    width: int
    corner: str
    lines: dict[int, int] = field(default_factory=dict)
    stop: int = 0
    faults: list[Problem] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The first cell of the row above the header; empty if that row is blank."""
        return self.page.rows[self.header - 1][0].strip() if self.header else ""

    def readings(self) -> list[Reading]:
        """Give every cell of the usable rows, row by row."""
        found: list[Reading] = []
        for row, index in sorted(self.lines.items()):
            texts = self.page.rows[index][self.first_cell :]
            places = self.page.cells(index, self.first_cell, len(texts))
            found += map(Reading, repeat(row), self.columns, texts, places)
        return found


def find_grids(page: Page, file: str) -> list[Grid]:
    """Find every labelled grid on a page, in order.

    Parameters
    ----------
    page : Page
        Rows of cells of a text file or of a sheet.
    file : str
        Name of the file, for the places of faults.

    Returns
    -------
    list of Grid
        Each with the rows that can be used and the faults of the others: a short or wide row, a
        row given twice, rows in another order (warning), a gap in the rows, a last line cut off.

    Examples
    --------
    >>> page = Page([["", "01", "02"], ["A", "5", "6"], ["C", "7", "8"]])
    >>> grid = find_grids(page, "plate.csv")[0]
    >>> [(reading.row, reading.column, reading.text) for reading in grid.readings()]
    [(1, 1, '5'), (1, 2, '6'), (3, 1, '7'), (3, 2, '8')]
    """
    grids = []
    index = 0
    while index < len(page.rows):
        grid = _find_header(page, index)
        if grid is None:
            index += 1
            continue
        grid.lines, grid.stop, grid.faults = collect_rows(
            page, index, grid.label_cell, grid.first_cell, grid.columns, grid.width, file
        )
        grids.append(grid)
        index = grid.stop
    return grids


def find_stray_rows(page: Page, grids: list[Grid], file: str) -> list[Problem]:
    """Find lettered rows of numbers that belong to no grid, as a broken header leaves them.

    Parameters
    ----------
    page : Page
        The page the grids were found on.
    grids : list of Grid
        All grids of the page.
    file : str
        Name of the file.

    Examples
    --------
    >>> page = Page([["", "1", "3"], ["A", "5", "6"]])
    >>> print(find_stray_rows(page, find_grids(page, "p.csv"), "p.csv")[0])
    error plate.stray-row: p.csv, line 2, row A: a row of values stands under no header of
    column numbers. Every grid needs a header with consecutive column numbers directly above row A.
    """
    inside = {index for grid in grids for index in range(grid.header, grid.stop)}
    found = Problems()
    for index, cells in enumerate(page.rows):
        if index in inside or len(cells) < 3:
            continue
        label = next((cell.strip() for cell in cells if cell.strip()), "")
        if LABEL.fullmatch(label) and sum(map(looks_like_number, cells)) >= 2:
            found.error(
                "plate.stray-row",
                Place(file, page.line(index), well=f"row {label}"),
                "a row of values stands under no header of column numbers",
                "Every grid needs a header with consecutive column numbers directly above row A.",
            )
    return found.items


def _find_header(page: Page, index: int) -> Grid | None:
    cells = page.rows[index]
    start = next((i for i, cell in enumerate(cells) if cell and not cell.isspace()), None)
    if start is None:
        return None
    corner = "" if cells[start].strip() in _COLUMNS else cells[start].strip()
    if LABEL.fullmatch(corner):
        return None  # a row of values that happen to be consecutive numbers
    start += bool(corner)
    numbers: list[int] = []
    for cell in cells[start:]:
        number = _COLUMNS.get(cell.strip())
        if number is None or (numbers and number != numbers[-1] + 1):
            break
        numbers.append(number)
    after = cells[start + len(numbers) :]
    if not numbers or any(cell.strip() for cell in (after[:1] if page.sheet else after)):
        return None
    label_cell, first_cell = (start - 1, start) if start else (0, 1)
    labelled = (
        index + 1 < len(page.rows) and row_label(page.rows[index + 1], label_cell) is not None
    )
    if not labelled and (start == 0 or len(numbers) < _FEWEST_COLUMNS):
        return None
    columns = range(numbers[0], numbers[-1] + 1)
    # A header without a corner, as R writes it, is one cell shorter than its rows.
    width = len(cells) + (start == 0)
    return Grid(page, index, label_cell, first_cell, columns, width, corner)
