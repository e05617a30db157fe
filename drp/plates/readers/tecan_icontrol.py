"""Exports of Tecan's i-control (Infinite readers): a workbook with one run per sheet, or text.

A run is a plate. Its measurements follow one another, each as ``Label: Label1`` with settings, a
plate under ``<>`` that shows only the part measured, and ``End Time:``. The language of the
labels may be English or German; wells and values are found by signs that no language changes.
"""

import re
from dataclasses import replace
from itertools import pairwise

from drp.plates.blocks import Block
from drp.plates.pages import Page, Source
from drp.plates.readers.tecan_sections import (
    find_not_endpoint,
    is_calculated,
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

NAME = "tecan_icontrol"
MEANING = "Tecan i-control exports with 'Application: Tecan i-control', one run per sheet"

_APPLICATION = re.compile(r"(?:Application|Programm)\s*:\s*Tecan i-control.*")
_VERSION = re.compile(r"Tecan i-control\s*,\s*([0-9.]+)")
_DEVICE = re.compile(r"(?:Device|Gerät)\s*:\s*(.+)")
_LABEL = re.compile(r"Label\s*:\s*(.*)")
_BARCODE = ("plate-id (stacker)", "platten-id (stapler)")


def recognise(source: Source) -> bool:
    """Say whether a file is an i-control export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_run(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measurement of an i-control export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        Plates in the order of sheets and runs. Where several sheets hold runs, the name of the
        sheet names the plate: ``Plate-ID (Stacker)`` is another name, given as barcode. Labels
        that measured different wells in the same way are one measurement.
    """
    blocks: list[Block] = []
    sheets = [page for page in source.pages if _is_run(page) or _has_corner(page)]
    note_other_sheets(source, sheets, found)
    for page in sheets:
        row = find_not_endpoint(page)
        if row is not None:
            report_not_endpoint(page, row, source.file, found)
            continue
        tables = find_tables(page, source.file, found)
        runs = _runs(page)
        for start, stop in runs:
            index = max((block.plate_index for block in blocks), default=0) + 1
            run = _read_run(page, start, stop, tables, index, source.file, found)
            if len(sheets) > 1 and len(runs) == 1:
                run = [replace(block, name=page.sheet) for block in run]
            blocks += run
    if not blocks and not found.errors:
        text = "no block of values begins with '<>'"
        found.error("plate.no-measured-block", Place(source.file), text, "Export the plate again.")
    return blocks


def _is_run(page: Page) -> bool:
    """Say whether a page begins a run, or still shows the labels of one."""
    firsts = [cells[0].strip() for cells in page.rows]
    if any(map(_APPLICATION.fullmatch, firsts)):
        return True
    if any(first.startswith(("Plate-ID (", "Platten-ID (")) for first in firsts):
        return True
    return _has_corner(page) and any(map(_LABEL.fullmatch, firsts))


def _has_corner(page: Page) -> bool:
    return any(cells[0].strip() == CORNER for cells in page.rows)


def _runs(page: Page) -> list[tuple[int, int]]:
    """Split a page where the name of the application begins another run."""
    starts = [
        row for row, cells in enumerate(page.rows) if _APPLICATION.fullmatch(cells[0].strip())
    ]
    return list(pairwise([0, *starts[1:], len(page.rows)]))


def _read_run(
    page: Page,
    start: int,
    stop: int,
    tables: list[Table],
    index: int,
    file: str,
    found: Problems,
) -> list[Block]:
    """Read one run; its first rows, up to the first label, hold what is common to all labels."""
    labels = {
        row: match.group(1).strip()
        for row in range(start, stop)
        if (match := _LABEL.fullmatch(page.rows[row][0].strip()))
    }
    own = [table for table in tables if start <= table.header < stop]
    if not own and not labels:
        text = "a run of i-control holds no values"
        found.error("plate.no-values", Place(file, page.line(start)), text, "Export it again.")
    blocks = [] if labels else _read_unlabelled(page, start, stop, own, index, file)
    for table in own:
        if labels and table.header < min(labels):
            text = "a block of values stands above the first 'Label: …'"
            where = Place(file, page.line(table.header))
            found.error("plate.unknown-block", where, text, "Export the plate again.")
    measured = [
        make_block(section, table, index, read, file)
        for row, after in pairwise([*labels, stop])
        for section in [make_section(page, row, after, labels[row], own)]
        for read, table in measured_tables(section, file, found)
    ]
    barcode, instrument, software = _about(page, start, stop)
    return [
        replace(block, barcode=barcode, instrument=instrument, software=software)
        for block in [*blocks, *_unite(measured)]
    ]


def _read_unlabelled(
    page: Page, start: int, stop: int, tables: list[Table], index: int, file: str
) -> list[Block]:
    """Read a run without ``Label:``, as in text exports of release 1.11.

    All settings stand above the first block there, so with several blocks nothing says which
    settings go with which block.
    """
    blocks = []
    for table in tables:
        first = start if len(tables) == 1 else table.header
        section = make_section(page, first, stop, table.title, tables)
        if not is_calculated(table.title):
            blocks.append(make_block(section, table, index, table.title or "signal", file))
    return blocks


def _unite(measured: list[Block]) -> list[Block]:
    """Unite labels that measured different wells of the plate in the same way."""
    groups: dict[tuple[str, str, str], list[Block]] = {}
    for block in measured:
        groups.setdefault((block.mode, block.wavelength_nm, block.unit), []).append(block)
    united = []
    for group in groups.values():
        wells = [(reading.row, reading.column) for block in group for reading in block.readings]
        if len(group) == 1 or len(set(wells)) < len(wells) or not group[0].mode:
            united += group
            continue
        whole = replace(
            group[0],
            read=" + ".join(block.read for block in group),
            readings=[reading for block in group for reading in block.readings],
            statuses={well: status for block in group for well, status in block.statuses.items()},
            faults=[fault for block in group for fault in block.faults],
        )
        united.append(whole)
    return united


def _about(page: Page, start: int, stop: int) -> tuple[str, str, str]:
    """Give barcode, model of the reader, and software of a run, as far as printed."""
    barcode = instrument = software = ""
    for cells in page.rows[start:stop]:
        first = cells[0].strip()
        if plain_key(first) in _BARCODE and not barcode:
            barcode = next_value(cells)
        if _APPLICATION.fullmatch(first) and not software:
            version = _VERSION.search(next_value(cells))
            software = f"i-control {version.group(1)}" if version else "i-control"
        device = _DEVICE.fullmatch(first)
        if device and not instrument:
            instrument = device.group(1).strip()
    return barcode, instrument, software
