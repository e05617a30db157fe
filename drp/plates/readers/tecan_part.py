"""The part of a plate that was to be measured, as Tecan's exports print it, and what is there."""

import re
from collections.abc import Iterable

from drp.plates.readers.tecan_tables import Table
from drp.problems import Place, Problems
from drp.wellnames import FORMATS, parse_well, well_name

Well = tuple[int, int]

_RANGE = re.compile(r"([A-Za-z]{1,2}[0-9]{1,2})(?:\s*[-:]\s*([A-Za-z]{1,2}[0-9]{1,2}))?")
_SHOWN = 5


def parse_part(text: str) -> set[Well] | None:
    """Give the wells of a part of a plate, or None if the text names none.

    Examples
    --------
    >>> sorted(parse_part("B2-C3"))
    [(2, 2), (2, 3), (3, 2), (3, 3)]
    >>> len(parse_part("A1:H12")), len(parse_part("A1-A3; C5")), parse_part("full plate")
    (96, 4, None)
    """
    wells: set[Well] = set()
    for piece in re.split(r"[;,]", text):
        match = _RANGE.fullmatch(piece.strip())
        ends = [parse_well(end) for end in (match.groups() if match else [""]) if end is not None]
        if None in ends:
            return None
        (top, left), (bottom, right) = (end for end in (ends[0], ends[-1]) if end is not None)
        if top > bottom or left > right:
            return None
        wells |= {
            (row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)
        }
    return wells


def check_part(table: Table, part: set[Well] | None, stated: str, file: str) -> dict[Well, str]:
    """Compare a block with the part of the plate that was to be measured.

    Parameters
    ----------
    table : Table
        The block; takes the faults.
    part : set of (int, int), optional
        The wells due; None if the file does not say. Then a list must fill a rectangle.
    stated : str
        The part as printed.
    file : str
        Name of the file.

    Returns
    -------
    dict of (int, int) to str
        ``not_read`` for every blank cell outside the part.
    """
    where = Place(file, table.page.line(table.header))
    found = Problems()
    due = part if part is not None else table.wells
    if part is None and table.listed:
        due = _rectangle(due)
    lost = due - table.wells
    if part is None and not is_whole(table.wells):
        text = f"{len(table.wells)} wells are printed, and nothing says how many are due"
        found.warning("plate.partial", where, text, "Check that no more wells were measured.")
    if lost and not table.broken:
        if part is None:
            text, code = "the list leaves out wells between others", "plate.missing-well"
        else:
            text, code = f"the part of the plate is {stated}, wells are missing", "plate.truncated"
        found.error(code, where, f"{text}: {list_wells(lost)}", "Export the plate again.")
    outside = [r for r in table.readings if (r.row, r.column) not in due]
    beyond = {(r.row, r.column) for r in outside if r.text.strip()}
    if beyond:
        text = f"the part of the plate is {stated}, others hold values: {list_wells(beyond)}"
        found.error("plate.part-of-plate", where, text, "Export the plate again.")
    table.faults += found.items
    return {(r.row, r.column): "not_read" for r in outside if not r.text.strip()}


def list_wells(wells: Iterable[Well]) -> str:
    """Name some wells for people: five of them, and how many more.

    Examples
    --------
    >>> list_wells({(1, 2), (1, 1)})
    'A1, A2'
    """
    names = [well_name(*well) for well in sorted(wells)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def is_whole(wells: set[Well]) -> bool:
    """Say whether wells are all those of a plate of 96, 384 or 1536.

    Examples
    --------
    >>> is_whole({(1, 1), (8, 12)}), is_whole(parse_part("A1-H12") or set())
    (False, True)
    """
    last = max(wells, default=(0, 0))
    return last in FORMATS.values() and len(wells) == last[0] * last[1]


def _rectangle(wells: set[Well]) -> set[Well]:
    """Give the smallest rectangle around wells."""
    if not wells:
        return set()
    rows, columns = [row for row, _ in wells], [column for _, column in wells]
    return {
        (row, column)
        for row in range(min(rows), max(rows) + 1)
        for column in range(min(columns), max(columns) + 1)
    }
