"""Find plates printed without any label: exactly 8 × 12, 16 × 24 or 32 × 48 cells.

Without labels only the exact shape of a plate says which cell is which well; anything else is
refused.
"""

from dataclasses import dataclass, field

from drp.plates.blocks import Reading
from drp.plates.gridrows import missing_rows
from drp.plates.pages import Page
from drp.plates.values import looks_like_number, read_status
from drp.problems import Place, Problem, Problems
from drp.wellnames import FORMATS

_FEWEST_CELLS = min(columns for _, columns in FORMATS.values())


@dataclass(slots=True)
class PositionalGrid:
    """A run of rows that hold nothing but values and blanks.

    Attributes
    ----------
    page : Page
        The page it stands on.
    start, stop : int
        Index of its first row and of the first row after it.
    shape : tuple of int
        Rows and columns.
    faults : list of Problem
        If one is an error, the run has not the shape of a plate and there is nothing to read.
    """

    page: Page
    start: int
    stop: int
    shape: tuple[int, int]
    faults: list[Problem] = field(default_factory=list)

    def readings(self) -> list[Reading]:
        """Give every cell, row by row; field k is column k. Nothing if there are faults."""
        if any(fault.severity == "error" for fault in self.faults):
            return []
        return [
            Reading(
                index - self.start + 1, column + 1, cells[column], self.page.cell(index, column)
            )
            for index, cells in enumerate(self.page.rows[self.start : self.stop], self.start)
            for column in range(self.shape[1])
        ]


def find_positional_grids(
    page: Page, file: str, skip: set[int] | None = None
) -> list[PositionalGrid]:
    """Find every run of unlabelled rows on a page.

    Parameters
    ----------
    page : Page
        Rows of cells.
    file : str
        Name of the file, for the places of faults.
    skip : set of int, optional
        Indices of rows that belong to something else.

    Examples
    --------
    >>> page = Page([["7"] * 12 + [""]] * 8)
    >>> grid = find_positional_grids(page, "plate.csv")[0]
    >>> grid.shape, grid.readings()[-1].locator
    ((8, 12), 'line 8 field 12')
    """
    runs: list[list[int]] = []
    for index in range(len(page.rows)):
        if (skip is None or index not in skip) and is_positional(page, index):
            if runs and runs[-1][-1] == index - 1:
                runs[-1].append(index)
            else:
                runs.append([index])
    return [
        _measure(page, run[0], run[-1] + 1, file)
        for run in runs
        if any(looks_like_number(cell) for index in run for cell in page.rows[index])
    ]


def is_positional(page: Page, index: int) -> bool:
    """Say whether a row is wide enough for a plate and holds only values, states and blanks."""
    cells = page.rows[index]
    return len(cells) >= _FEWEST_CELLS and all(
        looks_like_number(cell) or read_status(cell) is not None for cell in cells
    )


def _has_gaps(rows: list[list[str]]) -> bool:
    """Say whether the filled rows are neither neighbours nor every n-th row."""
    filled = [row for row, cells in enumerate(rows, start=1) if any(cell.strip() for cell in cells)]
    return bool(missing_rows(filled))


def _measure(page: Page, start: int, stop: int, file: str) -> PositionalGrid:
    rows = page.rows[start:stop]
    widths = sorted({len(cells) for cells in rows})
    trailing = all(not cells[-1].strip() for cells in rows)
    shapes = [(len(rows), widths[0] - extra) for extra in ((0, 1) if trailing else (0,))]
    shape = next((shape for shape in shapes if shape in FORMATS.values()), shapes[-1])
    found = Problems()
    if len(widths) > 1 or shape not in FORMATS.values():
        columns = " or ".join(str(width - trailing) for width in widths)
        found.error(
            "plate.bad-shape",
            Place(file, f"{page.line(start)} to {page.line(stop - 1)}"),
            f"values without labels stand in {len(rows)} rows of {columns} columns",
            "Without row letters and column numbers only 8 × 12, 16 × 24 and 32 × 48 can be read.",
        )
    elif not page.terminated and stop == len(page.rows):
        found.error(
            "plate.truncated",
            Place(file, page.line(stop - 1)),
            f"the last line has no line end, the file may be cut off after {rows[-1][-1]!r}",
            "Export the plate again; if the file is whole, save it with a last line end.",
        )
    elif _has_gaps(rows):
        found.warning(
            "plate.blank-row",
            Place(file, f"{page.line(start)} to {page.line(stop - 1)}"),
            "a blank row stands between filled ones, and no letters say which row is which",
            "Check that no rows have changed places; export with row letters if possible.",
        )
    return PositionalGrid(page, start, stop, shape, found.items)
