"""The lettered rows of a labelled grid: which row each is, and whether it is whole.

A row that is short, too wide or cut off is not used at all: which of its values moved, nobody can
tell.
"""

import re
from functools import reduce
from itertools import pairwise
from math import gcd

from drp.plates.pages import Page
from drp.plates.values import looks_like_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import row_letters, row_number

LABEL = re.compile(r"[A-Z]|A[A-F]|[a-z]|a[a-f]")


def missing_rows(rows: list[int]) -> list[int]:
    """Give the rows that are lost from a plate read in part or in whole.

    A reader prints either neighbouring rows or every n-th row, so the rows printed stand at equal
    distance; a wider gap between two of them is a row that was lost.

    Parameters
    ----------
    rows : list of int
        Row numbers printed, any order.

    Examples
    --------
    >>> missing_rows([1, 2, 4, 5]), missing_rows([1, 5, 9, 13]), missing_rows([3, 4, 5])
    ([3], [], [])
    """
    ordered = sorted(rows)
    step = reduce(gcd, (after - row for row, after in pairwise(ordered)), 0)
    return sorted(set(range(ordered[0], ordered[-1], step)) - set(ordered)) if step else []


def row_label(cells: list[str], label_cell: int) -> str | None:
    """Give the letters a row begins with, or None if it does not begin with row letters.

    Examples
    --------
    >>> row_label(["A", "5"], 0), row_label(["", "B ", "5"], 1), row_label(["Total", "5"], 0)
    ('A', 'B', None)
    """
    if len(cells) <= label_cell or any(cell.strip() for cell in cells[:label_cell]):
        return None
    label = cells[label_cell].strip()
    return label if LABEL.fullmatch(label) else None


def collect_rows(
    page: Page,
    header: int,
    label_cell: int,
    first_cell: int,
    columns: range,
    width: int,
    file: str,
) -> tuple[dict[int, int], int, list[Problem]]:
    """Collect the rows of the grid below a header, with their faults.

    Parameters
    ----------
    page : Page
        The page; every index into it counts from 0.
    header, label_cell, first_cell : int
        Index of the header row, of the cell with the letters, of the cell of the first column.
    columns : range
        The column numbers of the header.
    width : int
        Number of cells a row must have.
    file : str
        Name of the file.

    Returns
    -------
    lines : dict of int to int
        Row number to index on the page, for every row that is whole and given once.
    stop : int
        Index of the first row after the grid.
    faults : list of Problem
        See `drp.plates.grid.find_grids`.
    """
    labels = []
    for index in range(header + 1, len(page.rows)):
        label = row_label(page.rows[index], label_cell)
        if label is None:
            break
        labels.append((index, label))
    stop = header + 1 + len(labels)
    # Some readers go on after Z with lowercase letters: "e" beside "A" is row 31, AE.
    beyond = any(label.isupper() for _, label in labels)
    found = Problems()
    lines: dict[int, int] = {}
    seen: dict[int, str] = {}
    order: list[int] = []
    for index, label in labels:
        where = Place(file, page.line(index), well=f"row {label}")
        name = f"A{label}" if beyond and len(label) == 1 and label.islower() else label
        row = row_number(name.upper())
        if row is None:
            text = f"{label!r} beside capital letters is no row of a plate"
            found.error("plate.bad-row", where, text, "Rows are A to Z and AA to AF.")
            continue
        if row in seen:
            text = f"row {label} is given twice"
            found.error("plate.duplicate-row", where, text, "Keep the row that is right.")
        seen.setdefault(row, page.line(index))
        order.append(row)
        if _is_whole(page, index, first_cell, len(columns), width, where, found):
            lines.setdefault(row, index)
    _check_order(order, seen, Place(file, page.line(header)), found)
    stop += _has_lost_letter(page, stop, first_cell, columns, file, found)
    return lines, stop, found.items


def _is_whole(
    page: Page,
    index: int,
    first_cell: int,
    n_columns: int,
    width: int,
    where: Place,
    found: Problems,
) -> bool:
    cells = page.rows[index]
    if not page.terminated and index == len(page.rows) - 1:
        found.error(
            "plate.truncated",
            where,
            f"the last line has no line end, the file may be cut off after {cells[-1]!r}",
            "Export the plate again; if the file is whole, save it with a last line end.",
        )
    if len(cells) < width:
        text = f"the row has {max(len(cells) - first_cell, 0)} of {width - first_cell} fields"
        found.error("plate.short-row", where, text, "Export the plate again.")
        return False
    beyond = cells[first_cell + n_columns :]
    if any(cell.strip() for cell in (beyond[:1] if page.sheet else beyond)) or (
        len(cells) > width + 1
    ):
        text = f"the row is wider than its header, which has {n_columns} columns"
        fix = "A thousands separator or a lost line end does this. Export the plate again."
        found.error("plate.wide-row", where, text, fix)
        return False
    return page.terminated or index < len(page.rows) - 1


def _check_order(order: list[int], seen: dict[int, str], header: Place, found: Problems) -> None:
    """Check the rows as a whole: `order` as they stand, `seen` the line of each."""
    if not order:
        text = "a header of column numbers has no lettered row below it"
        found.error("plate.no-rows", header, text, "Export the plate again.")
        return
    if order != sorted(order):
        text = "the rows are not in order; wells were taken by their labels"
        found.warning("plate.row-order", header, text, "Check that the labels are right.")
    for row in missing_rows(order):
        letters, after = row_letters(row), min(later for later in seen if later > row)
        found.error(
            "plate.missing-row",
            Place(header.file, seen[after], well=f"row {letters}"),
            f"row {letters} is missing, here stands row {row_letters(after)}",
            "Export the plate again; the rows that are there keep their own wells.",
        )


def _has_lost_letter(
    page: Page, stop: int, first_cell: int, columns: range, file: str, found: Problems
) -> bool:
    """Say whether directly below the grid stands a row of values that has lost its letter."""
    if stop == len(page.rows):
        return False
    cells = page.rows[stop]
    values = [cell.strip() for cell in cells[first_cell : first_cell + len(columns)]]
    if [value.lstrip("0") for value in values] == [str(column) for column in columns]:
        return False  # the header of the next grid
    printed = [value for value in values if value]
    if not printed or not all(map(looks_like_number, printed)):
        return False
    found.error(
        "plate.unlabelled-row",
        Place(file, page.line(stop)),
        f"a row of values begins with {cells[first_cell - 1].strip()!r}, not with row letters",
        "Give the row its letter; a row that is no plate row must follow after a blank line.",
    )
    return True
