"""Exports of Tecan's Magellan: a list with one well per line, and what it says of the run below.

The header names the columns: values as ``Raw data`` or ``Label1``, the well as ``Well
positions``, perhaps ``Plate``. Up to two lines with time and temperature may stand below it. A
column of numbers counts as measured only if its name or the lines below the list say so.
"""

import re
from dataclasses import dataclass

from drp.plates.blocks import Block
from drp.plates.pages import Page, Source
from drp.plates.readers.tecan_lists import collect_wells, find_stray_wells
from drp.plates.readers.tecan_magellan_information import (
    Information,
    is_information,
    read_information,
)
from drp.plates.readers.tecan_part import check_part, is_whole, parse_part
from drp.plates.readers.tecan_sections import is_calculated, note_other_sheets
from drp.plates.readers.tecan_tables import Table
from drp.plates.values import looks_like_number, parse_number
from drp.problems import Place, Problem, Problems

NAME = "tecan_magellan"
MEANING = "Tecan Magellan exports, a list with the column 'Well positions'"

_WELLS = "Well positions"
_PLATE = "plate"
_RAW = re.compile(r"raw data.*|label ?[0-9]+", re.IGNORECASE)
_NOTES = re.compile(r"plate|layout|sample.*|dilution.*|replicate.*|identifier.*", re.IGNORECASE)
_BELOW = re.compile(r"[0-9]+(?:[.,][0-9]+)? ?s|-?[0-9]+(?:[.,][0-9]+)? ?\S{0,2}C")
_DEGREES = re.compile(r"(-?[0-9]+(?:[.,][0-9]+)?) ?\S{0,2}C")
_LINES_BELOW = 2


@dataclass(frozen=True, slots=True)
class _List:
    """The list of a page: indices of its header, first line and first row after it, its wells."""

    page: Page
    header: int
    first: int
    stop: int
    well_cell: int

    def name(self, cell: int) -> str:
        return self.page.rows[self.header][cell].strip()

    def below(self, cell: int) -> list[str]:
        """Give what stands between the name of a column and its first value."""
        rows = self.page.rows[self.header + 1 : self.first]
        return [cells[cell].strip() for cells in rows if cell < len(cells)]

    def texts(self, cell: int) -> list[str]:
        rows = self.page.rows[self.first : self.stop]
        return [cells[cell].strip() for cells in rows if cell < len(cells)]


def recognise(source: Source) -> bool:
    """Say whether a file is a Magellan export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_run(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measurement of a Magellan export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        One plate per sheet; the column ``Plate`` names it. The label of a measurement is the name
        of its column.
    """
    blocks: list[Block] = []
    sheets = [page for page in source.pages if _is_run(page)]
    note_other_sheets(source, sheets, found)
    for index, page in enumerate(sheets, start=1):
        listed = _find_list(page, source.file, found)
        if listed is not None:
            blocks += _read_list(listed, index, source.file, found)
    if not blocks and not found.errors:
        text = "no column holds raw values ('Raw data', 'Label1')"
        found.error("plate.no-measured-block", Place(source.file), text, "Export the raw data.")
    return blocks


def _is_run(page: Page) -> bool:
    return bool(_headers(page)) or is_information(page)


def _headers(page: Page) -> list[int]:
    return [row for row, cells in enumerate(page.rows) if _WELLS in cells]


def _find_list(page: Page, file: str, found: Problems) -> _List | None:
    headers = _headers(page)
    if len(headers) != 1:
        text = f"the column 'Well positions' stands in {len(headers)} rows, one is due"
        where = Place(file, page.line(headers[1] if headers else 0))
        found.error("plate.unknown-block", where, text, "Export the plate again.")
        return None
    header = headers[0]
    well_cell = page.rows[header].index(_WELLS)
    first = header + 1
    while first <= header + _LINES_BELOW and first < len(page.rows):
        cells = page.rows[first]
        if len(cells) > well_cell and cells[well_cell].strip():
            break
        if not all(_BELOW.fullmatch(cell.strip()) for cell in cells if cell.strip()):
            break
        first += 1
    _, stop, _ = collect_wells(page, header, first, well_cell, well_cell, file)
    find_stray_wells(page, well_cell, set(range(header, stop)), file, found)
    return _List(page, header, first, stop, well_cell)


def _read_list(listed: _List, index: int, file: str, found: Problems) -> list[Block]:
    page, told = listed.page, read_information(listed.page, listed.stop)
    cells = _measured_cells(listed, told, file, found)
    name = _plate_name(listed, file, found)
    blocks = []
    for cell in cells:
        readings, _, faults = collect_wells(
            page, listed.header, listed.first, listed.well_cell, cell, file
        )
        table = Table(page, listed.header, listed.stop, "", readings, True, faults=faults)
        statuses = check_part(table, parse_part(told.part), told.part, file)
        settings = told.of(listed.name(cell), len(cells))
        block = Block(
            plate_index=index,
            read=listed.name(cell),
            readings=readings,
            locator=page.line(listed.header),
            name=name,
            barcode=name,
            sheet=page.sheet,
            mode=settings.mode,
            unit=settings.unit,
            wavelength_nm=settings.wavelength,
            instrument=told.instrument,
            software="Magellan",
            measured_at=told.measured_at,
            temperature=_temperature(listed, cell, told),
            statuses=statuses,
            faults=[*table.faults, *_end_faults(table, told, file)],
        )
        blocks.append(block)
    return blocks


def _measured_cells(listed: _List, told: Information, file: str, found: Problems) -> list[int]:
    """Give the columns of measured values; those of calculated values and of notes are left out."""
    page, names = listed.page, {*told.temperatures, *told.labels}
    where = Place(file, page.line(listed.header))
    measured: dict[str, int] = {}
    for cell in range(len(page.rows[listed.header])):
        name = listed.name(cell)
        if cell == listed.well_cell or not any(listed.texts(cell)):
            continue
        known = _RAW.fullmatch(name) or name in names or any(listed.below(cell))
        if name and known and not is_calculated(name):
            if name in measured:
                kinetic = listed.below(cell) != listed.below(measured[name])
                text = f"two columns are called {name!r}"
                code = "plate.not-endpoint" if kinetic else "plate.duplicate-column"
                found.error(code, where, text, "Export one measurement of each well.")
            measured.setdefault(name, cell)
        elif not (name and (_NOTES.fullmatch(name) or is_calculated(name))) and any(
            map(looks_like_number, listed.texts(cell))
        ):
            text = f"the column {name!r} holds numbers, measured or calculated?"
            fix = "Export raw data only: columns 'Raw data', 'Label1' and so on."
            found.error("plate.unknown-block", where, text, fix)
    return list(measured.values())


def _plate_name(listed: _List, file: str, found: Problems) -> str:
    cells = range(len(listed.page.rows[listed.header]))
    cell = next((cell for cell in cells if listed.name(cell).lower() == _PLATE), None)
    names = sorted({text for text in listed.texts(cell) if text}) if cell is not None else []
    if len(names) > 1:
        text = f"the column 'Plate' names several plates: {', '.join(names[:5])}"
        where = Place(file, listed.page.line(listed.header))
        found.error("plate.several-plates", where, text, "Export every plate into its own sheet.")
    return names[0] if len(names) == 1 else ""


def _temperature(listed: _List, cell: int, told: Information) -> float:
    """Give the temperature of a measurement, °C, from below the list or from above its values."""
    if listed.name(cell) in told.temperatures:
        return told.temperatures[listed.name(cell)]
    matches = (_DEGREES.fullmatch(text) for text in listed.below(cell))
    number = next((parse_number(m.group(1).replace(",", ".")) for m in matches if m), None)
    return float("nan") if number is None else number


def _end_faults(table: Table, told: Information, file: str) -> list[Problem]:
    """Say if the file ends with the list: an error unless it fills a whole plate."""
    if told.lines:
        return []
    found = Problems()
    where = Place(file, table.page.line(min(table.stop, len(table.page.rows)) - 1))
    text = "after the list the file says nothing of the run"
    if is_whole(table.wells):
        fix = "The values are whole; export again if you need what the file says about the run."
        found.warning("plate.incomplete-footer", where, text, fix)
    else:
        text += ", the list may be cut off"
        found.error("plate.truncated", where, text, "Export the plate again.")
    return found.items
