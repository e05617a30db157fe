"""EnVision (PerkinElmer, Revvity) exports: CSV or text, one plate or several.

Each block of values has a table of plate information, above or below it. A block titled
``Results for …`` is measured; one titled ``Calculated results: …`` is not and is left out. Where
blocks have no title, header or letters (the bare variant), the plate information says which they
are: that of a calculated block has a formula.
"""

import re
from dataclasses import dataclass

from drp.plates.blocks import Block
from drp.plates.grid import Grid, find_grids, find_stray_rows
from drp.plates.pages import Page, Source
from drp.plates.positional import PositionalGrid, find_positional_grids
from drp.plates.readers.envision_information import (
    TITLE,
    Information,
    Protocol,
    read_information,
    read_protocol,
)
from drp.problems import Place, Problem, Problems
from drp.wellnames import row_letters

NAME = "envision"
MEANING = "EnVision exports with blocks 'Results for …' or tables 'Plate information'"

_CALCULATED = "Calculated results"
_MEASURED = re.compile(
    r"Results for (.+?)(?: - (channel [0-9]+(?: window [0-9]+)?))?(?: \(([^()]*)\))?"
)


@dataclass(slots=True)
class _Data:
    """A block of values and the plate information it goes with."""

    grid: Grid | PositionalGrid
    row: int
    title: str = ""
    information: Information | None = None

    @property
    def calculated(self) -> bool:
        if self.title:
            return self.title.startswith(_CALCULATED)
        return bool(self.information and self.information.formula)

    @property
    def label(self) -> str:
        measured = _MEASURED.fullmatch(self.title)
        if measured:
            return measured.group(1)
        return (self.information.label if self.information else "") or "signal"


def recognise(source: Source) -> bool:
    """Say whether a file is an EnVision export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_envision(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured block of an EnVision export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        Plates in the order of the file. Rows that the protocol does not print are absent.
    """
    blocks: list[Block] = []
    for page in source.pages:
        if _is_envision(page):
            before = max((block.plate_index for block in blocks), default=0)
            blocks += _read_page(page, source.file, before, found)
    return blocks


def _is_envision(page: Page) -> bool:
    firsts = [cells[0].strip() for cells in page.rows]
    return any(
        first.startswith("Exported with EnVision")
        or (_MEASURED.fullmatch(first) is not None and " - channel " in first)
        or (first == TITLE and firsts[row + 1 : row + 2] == ["Plate"])
        for row, first in enumerate(firsts)
    )


def _read_page(page: Page, file: str, before: int, found: Problems) -> list[Block]:
    protocol = read_protocol(page)
    data = _pair(
        _find_data(page, file, found), read_information(page, file, found), protocol, file, found
    )
    _check_protocol(page, protocol, file, found)
    measured = [block for block in data if not block.calculated]
    if not measured and not found.errors:
        text = "no measured block: only calculated values, or none" if data else "no block to read"
        fix = "Export the raw results ('Results for …')."
        found.error("plate.no-measured-block", Place(file), text, fix)
    blocks = []
    for index, plate in enumerate(_by_plate(data), start=before + 1):
        for block in plate:
            if not block.calculated:
                blocks.append(_block(block, plate, index, protocol, file))
    return blocks


def _find_data(page: Page, file: str, found: Problems) -> list[_Data]:
    """Find the blocks of values, titled grids and bare ones; platemaps are none."""
    grids = find_grids(page, file)
    found.extend(find_stray_rows(page, grids, file))
    data: list[_Data] = []
    for grid in grids:
        title = grid.title
        if title.startswith(_CALCULATED) or _MEASURED.fullmatch(title):
            data.append(_Data(grid, grid.header, title))
        elif not _is_platemap(page, grid.header):
            found.error(
                "plate.unknown-block",
                Place(file, page.line(grid.header)),
                f"a grid stands under {title!r}, which is neither 'Results for …' nor calculated",
                "Export the plate again.",
            )
    inside = {row for grid in grids for row in range(grid.header, grid.stop)}
    for bare in find_positional_grids(page, file, inside):
        data.append(_Data(bare, bare.start))
    return sorted(data, key=lambda block: block.row)


def _is_platemap(page: Page, header: int) -> bool:
    """Say whether the last section above a header is the platemap, which looks like data."""
    for row in range(header - 1, -1, -1):
        first = page.rows[row][0].strip()
        if first in {"Platemap:", TITLE} or first.startswith((_CALCULATED, "Results for")):
            return first == "Platemap:"
    return False


def _pair(
    data: list[_Data],
    tables: list[Information],
    protocol: Protocol,
    file: str,
    found: Problems,
) -> list[_Data]:
    """Give each block its plate information; the order of the two is the same in all the file."""
    if not tables or not data:
        return data
    last = data[0].row < tables[0].row
    fix = "Export the plate again with plate information for every block."
    if protocol.information_last not in (None, last):
        text = "plate information is not where the file's own protocol says, above or below"
        found.error("plate.bad-information", Place(file, f"line {tables[0].row + 1}"), text, fix)
        return []
    kinds = sorted([(block.row, "data") for block in data] + [(t.row, "table") for t in tables])
    wanted = ("data", "table") if last else ("table", "data")
    for position, (row, kind) in enumerate(kinds):
        if kind != wanted[position % 2] or (len(kinds) % 2 and position == len(kinds) - 1):
            what = "a block without plate information" if kind == "data" else "no block of values"
            text = f"plate information and blocks do not alternate: here stands {what}"
            found.error("plate.bad-information", Place(file, f"line {row + 1}"), text, fix)
            return []
    for block, table in zip(data, tables, strict=True):
        block.information = table
        if block.title and (bool(table.formula) != block.calculated or not _agree(block, table)):
            text = (
                f"{block.title!r} goes with plate information of {table.label or table.formula!r}"
            )
            place = Place(file, f"line {table.row + 1}")
            found.error("plate.bad-information", place, text, fix)
    return data


def _agree(block: _Data, table: Information) -> bool:
    return block.calculated or not table.label or table.label == block.label


def _check_protocol(page: Page, protocol: Protocol, file: str, found: Problems) -> None:
    if protocol.rotated is not None:
        where = Place(file, page.line(protocol.rotated))
        text = "the protocol says that the plate was rotated"
        found.error("plate.rotated", where, text, "Measure the plate with A1 at the top left.")
    if not protocol.complete:
        text = "the end of the file ('Exported with EnVision …') is missing"
        fix = "The values are whole; export again if you need what the file says about the run."
        found.warning("plate.incomplete-footer", Place(file), text, fix)


def _by_plate(data: list[_Data]) -> list[list[_Data]]:
    """Group blocks by the plate number; without one, a repeated title begins the next plate."""
    plates: dict[str, list[_Data]] = {}
    for block in data:
        if block.information:
            key = block.information.plate
        else:
            earlier = sum(
                other.title == block.title for group in plates.values() for other in group
            )
            key = str(earlier + 1)
        plates.setdefault(key, []).append(block)
    return list(plates.values())


def _block(data: _Data, plate: list[_Data], index: int, protocol: Protocol, file: str) -> Block:
    information = data.information or Information(data.row)
    measured = _MEASURED.fullmatch(data.title)
    channel, unit = (measured.group(2), measured.group(3)) if measured else (None, None)
    same = [other for other in plate if not other.calculated and other.label == data.label]
    repeats = {other.information.repeat for other in same if other.information}
    read = data.label
    if len(same) > max(len(repeats), 1):
        # Several detectors or windows of one label; blocks without a title say which in Measinfo.
        part = channel or (f"detector {information.detector}" if information.detector else "")
        read = f"{read} {part}".rstrip()
    if information.repeat not in ("", "1"):
        read = f"{read} repeat {information.repeat}"
    return Block(
        plate_index=index,
        read=read,
        readings=data.grid.readings(),
        locator=data.grid.page.line(data.row),
        barcode=information.barcode,
        sheet=data.grid.page.sheet,
        mode=information.mode,
        unit=unit or "",
        registration="labelled" if isinstance(data.grid, Grid) else "positional",
        blank_status="missing" if isinstance(data.grid, Grid) else "not_read",
        measured_at=information.measured_at,
        date_order="mdy",
        software=protocol.software,
        temperature=information.temperature,
        faults=[*data.grid.faults, *_shape_faults(data, plate, protocol, file)],
    )


def _shape_faults(data: _Data, plate: list[_Data], protocol: Protocol, file: str) -> list[Problem]:
    """Compare the shape of a block with the protocol and with the plate's calculated block."""
    found = Problems()
    grid, where = data.grid, Place(file, data.grid.page.line(data.row))
    if grid.faults and isinstance(grid, PositionalGrid):
        return []
    if isinstance(grid, PositionalGrid):
        rows, columns = set(range(1, grid.shape[0] + 1)), grid.shape[1]
    else:
        rows, columns = set(grid.lines), grid.columns[-1]
    due = (protocol.rows or 0, protocol.columns or 0)
    if all(due) and (max(rows, default=0) > due[0] or columns > due[1]):
        text = f"the block is larger than the plate of the protocol, {due[0]} × {due[1]}"
        found.error("plate.other-format", where, text, "Export the plate again.")
    elif not grid.faults and len(rows) < due[0]:
        text = f"{len(rows)} of the plate's {due[0]} rows are printed: {_letters(rows)}"
        found.warning("plate.partial", where, text, "Check that no more rows were measured.")
    calculated = {
        row
        for other in plate
        if other.calculated and isinstance(other.grid, Grid)
        for row in other.grid.lines
    }
    if isinstance(grid, Grid):
        for row in sorted(calculated - rows):
            letters = row_letters(row)
            text = f"row {letters} is missing, but the calculated block of this plate has it"
            place = Place(file, where.locator, well=f"row {letters}")
            found.error("plate.missing-row", place, text, "Export the plate again.")
    return found.items


def _letters(rows: set[int]) -> str:
    return ", ".join(row_letters(row) for row in sorted(rows))
