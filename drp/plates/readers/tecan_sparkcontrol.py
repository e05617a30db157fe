"""Exports of Tecan's SparkControl (Spark readers): text or a workbook, one plate per page.

The script of the run lists the measurements. Each follows as a section ``Mode``, ``Name``,
settings, then a list with a well per line or a plate under ``<>``, then ``End Time``. A plate is
printed whole, so wells outside of the part measured are blank. The list of the script says which
measurements must be there.
"""

import re
from dataclasses import replace
from itertools import pairwise

from drp.plates.blocks import Block
from drp.plates.pages import Page, Source
from drp.plates.readers.tecan_sections import (
    Section,
    find_not_endpoint,
    make_block,
    make_section,
    measured_tables,
    next_value,
    note_other_sheets,
    plain_key,
    report_not_endpoint,
)
from drp.plates.readers.tecan_tables import CORNER, Table, find_tables
from drp.problems import Place, Problems

NAME = "tecan_sparkcontrol"
MEANING = "Tecan SparkControl exports with 'Application: SparkControl', lists or plates"

_APPLICATION = re.compile(r"Application\s*:\s*SparkControl.*")
_DEVICE = re.compile(r"Device\s*:\s*(.+)")
_ACTIONS = "list of actions in this measurement script"
_LAYOUT = "plate layout"
_MEASURES = re.compile(r"(?:absor|lumin|fluor).*", re.IGNORECASE)


def recognise(source: Source) -> bool:
    """Say whether a file is a SparkControl export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_run(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measurement of a SparkControl export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        One plate per page, in order; where several sheets hold runs, the name of the sheet names
        the plate. The label of a measurement is its ``Name``.
    """
    blocks: list[Block] = []
    sheets = [page for page in source.pages if _is_run(page) or _has_corner(page)]
    note_other_sheets(source, sheets, found)
    for index, page in enumerate(sheets, start=1):
        row = find_not_endpoint(page)
        if row is not None:
            report_not_endpoint(page, row, source.file, found)
            continue
        name = page.sheet if len(sheets) > 1 else ""
        plate = _read_page(page, index, source.file, found)
        blocks += [replace(block, name=name) for block in plate]
    if not blocks and not found.errors:
        text = "no measurement ('Mode', 'Name', '<>') holds values"
        found.error("plate.no-measured-block", Place(source.file), text, "Export the plate again.")
    return blocks


def _is_run(page: Page) -> bool:
    """Say whether a page begins a run, or still shows the sections of one."""
    if any(_APPLICATION.fullmatch(cells[0].strip()) for cells in page.rows):
        return True
    if not _modes(page):
        return False
    return _has_corner(page) or any(plain_key(cells[0]) == _ACTIONS for cells in page.rows)


def _has_corner(page: Page) -> bool:
    return any(cells[0].strip() == CORNER for cells in page.rows)


def _modes(page: Page) -> list[int]:
    """Give the rows where sections begin; elsewhere the value of ``Mode`` stands further right."""
    return [
        row
        for row, cells in enumerate(page.rows)
        if cells[0].strip() == "Mode" and len(cells) > 1 and cells[1].strip()
    ]


def _read_page(page: Page, index: int, file: str, found: Problems) -> list[Block]:
    tables = find_tables(page, file, found)
    modes = _modes(page)
    first = min(modes, default=len(page.rows))
    for table in tables:
        if table.header < first and not _is_layout(page, table):
            text = "a block of values stands above the first 'Mode'"
            where = Place(file, page.line(table.header))
            found.error("plate.unknown-block", where, text, "Export the plate again.")
    sections = []
    for start, stop in pairwise([*modes, len(page.rows)]):
        section = make_section(page, start, stop, "", tables)
        mode, wavelength = section.value("mode"), section.wavelength
        section.name = section.value("name") or f"{mode} {wavelength}".strip()
        _check_reference(section, file, found)
        sections.append(section)
    _check_script(page, sections, file, found)
    instrument, software = _about(page)
    return [
        replace(
            make_block(section, table, index, read, file), instrument=instrument, software=software
        )
        for section in sections
        for read, table in measured_tables(section, file, found)
    ]


def _check_reference(section: Section, file: str, found: Problems) -> None:
    """Check that a measurement with a reference has its three blocks, so none is another's."""
    titles = {table.title for table in section.tables}
    has = ["Reference" in titles, "Difference" in titles]
    due = any(has) or bool(section.value("reference wavelength"))
    if section.tables and due and not (all(has) and len(section.tables) == 3):
        text = "of a plain block, 'Reference' and 'Difference' not all are here"
        where = Place(file, section.page.line(section.start))
        found.error("plate.truncated", where, text, "Export the plate again.")


def _is_layout(page: Page, table: Table) -> bool:
    """Say whether a block above the first section is the layout of the plate, which is no data."""
    for row in range(table.header - 1, -1, -1):
        key = plain_key(page.rows[row][0])
        if key in ("start time", "part of plate", "mode"):
            return False
        if key == _LAYOUT:
            return not table.listed
    return False


def _check_script(page: Page, sections: list[Section], file: str, found: Problems) -> None:
    """Compare the measurements with those that the script of the run lists."""
    due, row = _script(page)
    have = [section.value("name") for section in sections]
    if have == due:
        return
    if not due:
        text = "the script of the run is missing, which says how many measurements are due"
        fix = "Check that every measurement is here."
        found.warning("plate.no-script", Place(file, page.sheet), text, fix)
        return
    lost = [name for name in due if name not in have]
    where = Place(file, page.line(row))
    if lost:
        text = f"the script of the run measures {', '.join(map(repr, lost))}, without values here"
        found.error("plate.truncated", where, text, "Export the plate again.")
    else:
        text = f"the script of the run measures {', '.join(due)}; here stand {', '.join(have)}"
        fix = "Export the plate again; the names of measurements are not where they belong."
        found.error("plate.bad-information", where, text, fix)


def _script(page: Page) -> tuple[list[str], int]:
    """Give the names of the measurements in the script, and where it stands."""
    names: list[str] = []
    rows = iter(enumerate(page.rows))
    start = next((row for row, cells in rows if plain_key(cells[0]) == _ACTIONS), 0)
    if start or plain_key(page.rows[0][0]) == _ACTIONS:
        for row, cells in rows:
            texts = [cell.strip() for cell in cells if cell.strip()]
            if not texts or page.is_blank(row):
                break
            if len(texts) > 1 and not cells[0].strip() and _MEASURES.fullmatch(texts[0]):
                names.append(texts[-1])
    return names, start


def _about(page: Page) -> tuple[str, str]:
    """Give the model of the reader and its software, as far as printed."""
    instrument = software = ""
    for cells in page.rows:
        first = cells[0].strip()
        if _APPLICATION.fullmatch(first) and not software:
            software = f"SparkControl {next_value(cells)}".strip()
        device = _DEVICE.fullmatch(first)
        if device and not instrument:
            instrument = device.group(1).strip()
    return instrument, software
