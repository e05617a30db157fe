"""Tidy tables of readings: one line per well, in columns found by their names."""

import re

from drp.plates.blocks import Block, Reading
from drp.plates.columns import Tidy, find_tidy
from drp.plates.modes import mode_of
from drp.plates.pages import Source
from drp.problems import Place, Problems
from drp.tables import STATUSES
from drp.wellnames import well_name

NAME = "tidy"
MEANING = "tables with columns well (or row and column) and value, perhaps plate, read, status"

_COUNTS = ("count", "counts", "cellcount", "cellcounts")
_PARTS = re.compile(r"([^0-9]*)([0-9]*)")

_SYNONYMS = {
    "plate": ("plate", "plateid", "barcode"),
    "well": ("well", "wellid"),
    "row": ("row", "wellrow"),
    "column": ("column", "col", "wellcolumn"),
    "value": ("value", "signal", "readout", "readoutvalue", *_COUNTS),
    "background": ("background", "backgroundvalue"),
    "mode": ("mode",),
    "unit": ("unit", "signalunit"),
    "read": ("read",),
    "status": ("status",),
}


def recognise(source: Source) -> bool:
    """Say whether a file holds a tidy table of readings.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return bool(_tables(source))


def read(source: Source, found: Problems) -> list[Block]:
    """Read every tidy table of a file.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes lines that cannot be used.

    Returns
    -------
    list of Block
        One per plate and read; plates are numbered in the natural order of their names, so that
        the order of lines does not matter.
    """
    blocks: dict[tuple[str, str], Block] = {}
    first: dict[tuple[str, str, str], str] = {}
    for table in _tables(source):
        where = Place(source.file, table.page.line(table.header))
        if table.twice:
            text = f"columns mean the same as others: {', '.join(table.twice)}"
            found.error("plate.duplicate-column", where, text, "Keep one of them.")
        if "background" in table.cells:
            text = "a column of background values is there; nothing is subtracted from the signal"
            fix = "Subtract it before, if the assay asks for that."
            found.warning("plate.background", where, text, fix)
        for row in table.rows():
            _read_row(table, row, source.file, blocks, first, found)
    names = sorted({plate for plate, _ in blocks}, key=_natural)
    for (plate, _), block in blocks.items():
        block.plate_index = names.index(plate) + 1
    return [blocks[key] for key in sorted(blocks, key=lambda key: (_natural(key[0]), key[1]))]


def _tables(source: Source) -> list[Tidy]:
    return find_tidy(source, _SYNONYMS, ("well", "value"))


def _read_row(
    table: Tidy,
    row: int,
    file: str,
    blocks: dict[tuple[str, str], Block],
    first: dict[tuple[str, str, str], str],
    found: Problems,
) -> None:
    page, line = table.page, table.page.line(row)
    plate = table.text(row, "plate").strip()
    head = page.rows[table.header][table.cells["value"]].strip()
    label = table.text(row, "read").strip() or head
    well = table.well(row)
    place = Place(file, line, plate)
    if not page.terminated and row == len(page.rows) - 1:
        text = f"the last line has no line end, the file may be cut off: {page.rows[row][-1]!r}"
        fix = "Write the table again; if it is whole, save it with a last line end."
        found.error("plate.truncated", place, text, fix)
        return
    if len(page.rows[row]) != table.width() and not page.sheet:
        text = f"the line has {len(page.rows[row])} fields, the header has {table.width()}"
        fix = "Put a field that holds the separator in quotes."
        found.error("plate.short-row", place, text, fix)
        return
    if well is None:
        text = f"{table.well_text(row)!r} is no well"
        found.error("plate.bad-well", place, text, "Wells are A1 to AF48.")
        return
    block = blocks.setdefault(
        (plate, label),
        Block(
            0,
            label,
            [],
            line,
            name=plate,
            barcode=plate,
            sheet=page.sheet,
            mode=mode_of(table.text(row, "mode"))
            or mode_of(table.text(row, "unit"))
            or mode_of(head),
            unit=table.text(row, "unit").strip(),
        ),
    )
    name = well_name(*well)
    earlier = first.setdefault((plate, label, name), line)
    if earlier != line:
        text = f"the well is given twice, here and at {earlier}"
        found.error(
            "plate.duplicate-well",
            Place(file, line, plate, name),
            text,
            "Keep the line that is right.",
        )
        return
    _take(table, row, well, block, Place(file, line, plate, name), found)


def _take(
    table: Tidy, row: int, well: tuple[int, int], block: Block, place: Place, found: Problems
) -> None:
    status = table.text(row, "status").strip().lower()
    if status and status not in STATUSES:
        text = f"status {status!r} is not known"
        found.error("plate.bad-status", place, text, f"Use one of {', '.join(STATUSES)}.")
        return
    text = table.text(row, "value")
    block.readings.append(Reading(*well, text, table.place(row, "value")))
    if status:
        block.statuses[well] = status


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort P2 before P10."""
    return [(int(part or 0), text) for text, part in _PARTS.findall(name)]
