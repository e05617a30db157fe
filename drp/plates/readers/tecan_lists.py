"""Lists in Tecan's exports that give one well per line; a line is read whole or not at all."""

from drp.plates.blocks import Reading
from drp.plates.pages import Page
from drp.plates.values import looks_like_number, read_status
from drp.problems import Place, Problem, Problems
from drp.wellnames import parse_well, well_name


def collect_wells(
    page: Page, header: int, first: int, well_cell: int, value_cell: int, file: str
) -> tuple[list[Reading], int, list[Problem]]:
    """Collect the lines of a list that gives one well per line.

    Parameters
    ----------
    page : Page
        Rows of cells; every index counts from 0.
    header, first : int
        Index of the header and of the first line with a well.
    well_cell, value_cell : int
        Index of the cells with the well and with its value.
    file : str
        Name of the file.

    Returns
    -------
    readings : list of Reading
        One per well, from the lines that are whole.
    stop : int
        Index of the first row after the list.
    faults : list of Problem
        Lines that are short, wide or cut off, a well given twice, an empty list.
    """
    width = len(page.rows[header])
    # Every line may have one blank field more than the header, or none of them.
    due = min(max(len(page.rows[first]), width), width + 1) if first < len(page.rows) else width
    readings: dict[tuple[int, int], Reading] = {}
    found = Problems()
    stop = first
    for stop in range(first, len(page.rows) + 1):
        cells = page.rows[stop] if stop < len(page.rows) else []
        well = parse_well(cells[well_cell]) if len(cells) > well_cell else None
        if well is None:
            break
        last = not page.terminated and stop == len(page.rows) - 1
        if last or len(cells) != due or any(map(str.strip, cells[width:])) or well in readings:
            earlier = readings.get(well)
            found.extend([_line_fault(page, stop, well, (width, due), earlier, last, file)])
        else:
            readings[well] = Reading(*well, cells[value_cell], page.cell(stop, value_cell))
    if len(cells) > value_cell and looks_like_number(cells[value_cell]):
        beside = cells[well_cell].strip() if len(cells) > well_cell else ""
        text = f"a value stands beside {beside!r}, which is no well"
        where = Place(file, page.line(stop))
        found.error("plate.unlabelled-row", where, text, "Wells are A1 to AF48.")
    if stop == first:
        text = "a list of wells has no line"
        where = Place(file, page.line(header))
        found.error("plate.no-rows", where, text, "Export the plate again.")
    return list(readings.values()), stop, found.items


def _line_fault(
    page: Page,
    row: int,
    well: tuple[int, int],
    widths: tuple[int, int],
    earlier: Reading | None,
    last: bool,
    file: str,
) -> Problem:
    """Say why a line of a list cannot be used; `widths` are those of the header and of a line."""
    cells, (width, due) = page.rows[row], widths
    fix = "Export the plate again."
    if last:
        code = "plate.truncated"
        text = f"the last line has no line end, the file may be cut off after {cells[-1]!r}"
        fix = "Export the plate again; if the file is whole, save it with a last line end."
    elif len(cells) != due or any(map(str.strip, cells[width:])):
        code = "plate.short-row" if len(cells) < due else "plate.wide-row"
        text = f"the line has {len(cells)} fields, its header has {width}"
    else:
        code = "plate.duplicate-well"
        text = f"the well is given twice, here and at {earlier.locator if earlier else ''}"
        fix = "Keep the line that is right."
    where = Place(file, page.line(row), well=well_name(*well))
    return Problem(code, "error", where, text, fix)


def find_stray_wells(
    page: Page, well_cell: int, listed: set[int], file: str, found: Problems
) -> None:
    """Note every line outside of a list that gives a well and beside it a value.

    Parameters
    ----------
    page : Page
        Rows of cells.
    well_cell : int
        Index of the cell with the well; the value stands in any other.
    listed : set of int
        Indices of the rows of lists.
    file : str
        Name of the file.
    found : Problems
        Takes the lines.
    """
    for row, cells in enumerate(page.rows):
        if row in listed or len(cells) <= max(well_cell, 1):
            continue
        label = cells[well_cell].strip()
        if parse_well(label) and any(map(is_value, cells[:well_cell] + cells[well_cell + 1 :])):
            text = "a well and its value stand outside of any list"
            fix = "Every list needs its header above its first line. Export the plate again."
            found.error("plate.stray-row", Place(file, page.line(row), well=label), text, fix)


def find_moved_lines(page: Page, header: int, stop: int, file: str) -> list[Problem]:
    """Find lines of a list on a sheet that end early, as if a cell of theirs had been deleted.

    Parameters
    ----------
    page : Page
        Rows of cells.
    header, stop : int
        Index of the header of the list and of the first row after it.
    file : str
        Name of the file.
    """
    found = Problems()
    named = [cell for cell, name in enumerate(page.rows[header]) if name.strip()]
    for row in range(header + 1, stop if page.sheet and len(named) > 2 else header):
        if not page.rows[row][named[-1]].strip():
            text = "the line ends before its last column, its cells may have moved"
            where = Place(file, page.line(row))
            found.error("plate.short-row", where, text, "Export the plate again.")
    return found.items


def is_value(text: str) -> bool:
    """Say whether a cell holds a number, or a word for the state of a reading.

    Examples
    --------
    >>> is_value("0.5"), is_value("OVER"), is_value("Manual"), is_value("")
    (True, True, False, False)
    """
    return looks_like_number(text) or (bool(text.strip()) and read_status(text) is not None)
