"""Tables of wells in exports of BMG LABTECH readers: ``Well`` and the values, down or across.

MARS writes one line per well (``Well`` or ``Well Row`` and ``Well Col``, ``Content``, then one
column per block of values); SMART Control writes one row per block, with the wells side by side.
"""

from dataclasses import dataclass, field

from drp.plates.blocks import Reading
from drp.plates.pages import Page
from drp.problems import Place, Problem, Problems
from drp.wellnames import parse_well, well_name

_NAMED = ("well", "well row", "well col", "content", "group")
_FIX = "Export the table again."


@dataclass(frozen=True, slots=True)
class Series:
    """One block of values in a table of wells: its title as printed, and where that stands."""

    title: str
    locator: str
    readings: list[Reading]


@dataclass(slots=True)
class WellTable:
    """A table of wells on a page.

    Attributes
    ----------
    row : int
        Index of the row that begins with ``Well``.
    series : list of Series
        Every titled column or row, layouts and calculated values too.
    axis : str
        What a second header line counts, such as ``Time [s]``; empty for an endpoint.
    faults : list of Problem
        What is wrong with the table.
    """

    row: int
    series: list[Series] = field(default_factory=list)
    axis: str = ""
    faults: list[Problem] = field(default_factory=list)


def find_well_table(page: Page, file: str) -> WellTable | None:
    """Find the table of wells on a page; there is at most one.

    Parameters
    ----------
    page : Page
        Rows of cells.
    file : str
        Name of the file, for the places of faults.

    Examples
    --------
    >>> page = Page([["Well", "A01", "A02"], [" Raw Data (450)", "0.1", "0.2"]], "Table End point")
    >>> (series,) = find_well_table(page, "p.xlsx").series
    >>> series.title, [(r.row, r.column, r.text, r.locator) for r in series.readings][-1]
    (' Raw Data (450)', (1, 2, '0.2', 'Table End point!C2'))
    """
    for row, cells in enumerate(page.rows):
        names = [cell.strip().lower() for cell in cells[:2]]
        if names[:1] == ["well"] and any(parse_well(cell) for cell in cells[1:]):
            return _read_across(page, row, file)
        if names[:1] == ["well"] or names == ["well row", "well col"]:
            return _read_down(page, row, file)
    return None


def _read_across(page: Page, row: int, file: str) -> WellTable:
    table, found = WellTable(row), Problems()
    wells: dict[int, tuple[int, int]] = {}
    for cell, text in enumerate(page.rows[row][1:], start=1):
        well = parse_well(text)
        where = Place(file, page.cell(row, cell))
        if well is not None and well in wells.values():
            text = f"the well {well_name(*well)} is given twice"
            found.error("plate.duplicate-well", where, text, _FIX)
        elif well is not None:
            wells[cell] = well
        elif text.strip():
            found.error("plate.bad-well", where, f"{text!r} is no well", "Wells are A1 to AF48.")
    for index in range(row + 1, len(page.rows)):
        cells = page.rows[index]
        if page.is_blank(index):
            continue
        width = len(cells) if page.sheet else len(page.rows[row])
        if len(cells) != width:
            text = f"the line has {len(cells)} fields, the line of the wells {width}"
            found.error("plate.short-row", Place(file, page.line(index)), text, _FIX)
            continue
        lost = [i for i, cell in enumerate(cells) if i and i not in wells and cell.strip()]
        if lost:
            where = Place(file, page.cell(index, lost[0]))
            text = f"the value {cells[lost[0]]!r} stands under no well"
            found.error("plate.bad-well", where, text, _FIX)
        readings = [
            Reading(*well, cells[cell], page.cell(index, cell)) for cell, well in wells.items()
        ]
        table.series.append(Series(cells[0], page.line(index), readings))
    table.faults = found.items
    return table


def _read_down(page: Page, row: int, file: str) -> WellTable:
    table, found = WellTable(row), Problems()
    names = [cell.strip().lower() for cell in page.rows[row]]
    n_labels = 2 if names[0] == "well row" else 1
    titled = [cell for cell, name in enumerate(names) if name and name not in _NAMED]
    rows = [index for index in range(row + 1, len(page.rows)) if not page.is_blank(index)]
    if rows and not any(cell.strip() for cell in page.rows[rows[0]][:n_labels]):
        table.axis = next(cell.strip() for cell in page.rows[rows.pop(0)] if cell.strip())
    columns: dict[int, list[Reading]] = {cell: [] for cell in titled}
    first: dict[tuple[int, int], str] = {}
    widths = {len(page.rows[index]) for index in rows}
    end = max([*titled, n_labels]) + 1
    for index in rows:
        cells = page.rows[index]
        label = "".join(cell.strip() for cell in cells[:n_labels])
        well = parse_well(label)
        where = Place(file, page.line(index))
        if well is None:
            text = f"{label!r} is no well"
            found.error("plate.bad-well", where, text, "Wells are A1 to AF48.")
        elif well in first:
            text = f"the well {well_name(*well)} is given twice, here and at {first[well]}"
            found.error("plate.duplicate-well", where, text, _FIX)
        elif len(cells) < end or len(widths) > 1 or any(cell.strip() for cell in cells[end:]):
            text = f"the line has {len(cells)} fields, the table {end}; others have {max(widths)}"
            found.error("plate.short-row", where, text, _FIX)
        elif not page.terminated and index == len(page.rows) - 1:
            text = f"the last line has no line end, the file may be cut off: {cells[-1]!r}"
            found.error("plate.truncated", where, text, _FIX)
        else:
            first[well] = page.line(index)
            for cell in titled:
                columns[cell].append(Reading(*well, cells[cell], page.cell(index, cell)))
    table.series = [
        Series(page.rows[row][cell], page.cell(row, cell), columns[cell]) for cell in titled
    ]
    table.faults = found.items
    return table
