"""Gen5 (BioTek, Agilent) text exports: one plate or several, the whole preamble before each.

Measured and calculated lines alternate in one matrix; each ends with its label, and the ``Read``
steps of the procedure say which labels are measured. The matrix ``Layout`` has other labels.
"""

import re
from collections.abc import Iterator

from drp.plates.blocks import Block
from drp.plates.pages import Page, Source
from drp.plates.readers.gen5_extent import extent_faults, order_faults
from drp.plates.readers.gen5_matrix import (
    Matrix,
    find_matrices,
    find_stray_lines,
    header_columns,
)
from drp.plates.readers.gen5_procedure import Measurement, Procedure, read_procedure
from drp.plates.values import parse_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import parse_well, row_letters

NAME = "gen5"
MEANING = "Gen5 text exports with 'Procedure Details', matrices and a label after every line"

_KEYS = {
    "Software Version",
    "Experiment File Path",
    "Protocol File Path",
    "Plate Number",
    "Reader Type",
    "Reader Serial Number",
    "Reading Type",
    "Procedure Details",
}
_FIRST_KEYS = ("Software Version", "Plate Number")
_SERIES = ("Time", "Wavelength", "X Read")
_UNKNOWN = ("n/a", "unknown")
_MASKED = re.compile(r"\*[^*]+\*")
_AGAIN = "Export the plate again."


def recognise(source: Source) -> bool:
    """Say whether a file is a Gen5 text export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_gen5(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured line of a Gen5 export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file or a plate as a whole.

    Returns
    -------
    list of Block
        Plates in the order of the file, one block for each label that a ``Read`` step measured.
    """
    plates = [(page, rows) for page in source.pages if _is_gen5(page) for rows in _plates(page)]
    blocks: list[Block] = []
    for index, (page, rows) in enumerate(plates, start=1):
        blocks += _read_plate(page, rows, source.file, index, found)
    return blocks


def _is_gen5(page: Page) -> bool:
    return not page.sheet and len(_KEYS & {_key(cells) for cells in page.rows}) >= 2


def _key(cells: list[str]) -> str:
    return cells[0].strip().removesuffix(":").rstrip()


def _plates(page: Page) -> Iterator[range]:
    """Give the rows of each plate: a preamble that begins again begins the next one."""
    start = 0
    seen: set[str] = set()
    for row, cells in enumerate(page.rows):
        key = _key(cells)
        if key in _FIRST_KEYS:
            if key in seen or "matrix" in seen:
                yield range(start, row)
                start, seen = row, set()
            seen.add(key)
        elif header_columns(cells):
            seen.add("matrix")
    yield range(start, len(page.rows))


def _read_plate(page: Page, rows: range, file: str, index: int, found: Problems) -> list[Block]:
    procedure = read_procedure(page, rows)
    series = procedure.not_endpoint or _find_series(page, rows)
    if series:
        text = f"plate {index} of the file has more than one value per well: {series[1]!r}"
        fix = "Only endpoint reads can be used; export a plate that was read once."
        found.error("plate.not-endpoint", Place(file, page.line(series[0])), text, fix)
        return []
    matrices = find_matrices(page, rows, file)
    found.extend(find_stray_lines(page, rows, matrices, file))
    _check_end(page, rows, matrices, file, found)
    blocks: list[Block] = []
    unclear = Problems()
    for matrix in matrices:
        blocks += _blocks(matrix, procedure, file, unclear)
    if not blocks:
        found.extend(fault for matrix in matrices if not matrix.labels for fault in matrix.faults)
        found.extend(unclear.items or [_no_measured(page, rows, matrices, procedure, index, file)])
        return []
    about = _about(page, rows)
    faults = [*unclear.items, *_plate_faults(page, rows, procedure, blocks, file)]
    blocks[0].faults = [*faults, *blocks[0].faults]
    for block in blocks:
        block.plate_index = index
        _describe(block, about)
    return blocks


def _check_end(page: Page, rows: range, matrices: list[Matrix], file: str, found: Problems) -> None:
    """Note a last line without an end; inside a matrix it is an error and found there."""
    last = len(page.rows) - 1
    if not page.terminated and last in rows and all(matrix.stop <= last for matrix in matrices):
        text = "the last line, below the values, has no line end: the file may be cut off"
        fix = "The values are whole; export again if you need what stands below them."
        found.warning("plate.incomplete-footer", Place(file, page.line(last)), text, fix)


def _find_series(page: Page, rows: range) -> tuple[int, str] | None:
    """Find the header of a table over time, wavelength or position, with a column for each well."""
    for row in rows:
        cells = page.rows[row]
        if cells[0].strip().startswith(_SERIES) and any(map(parse_well, cells[1:])):
            return row, cells[0].strip()
    return None


def _no_measured(
    page: Page, rows: range, matrices: list[Matrix], procedure: Procedure, index: int, file: str
) -> Problem:
    labels = sorted({label for matrix in matrices for label in matrix.labels})
    text = f"plate {index} of the file has no measured line; "
    text += f"its labels are {', '.join(map(repr, labels))}" if labels else "it has no matrix"
    if not procedure.steps:
        text += ", and no 'Read' step says what was measured"
    fix = "Export the procedure, and the raw data of every read as a matrix."
    where = Place(file, page.line(rows.start))
    return Problem("plate.no-measured-block", "error", where, text, fix)


def _blocks(matrix: Matrix, procedure: Procedure, file: str, unclear: Problems) -> list[Block]:
    """Give a block for each measured label of a matrix; note labels that may be measured."""
    measured: dict[str, Measurement] = {}
    where = Place(file, matrix.page.line(matrix.header))
    for label in matrix.labels:
        measurement = procedure.find(label)
        if measurement:
            measured[label] = measurement
        elif procedure.is_unclear(label):
            names = ", ".join(repr(step.name) for step in procedure.steps) or "none"
            text = f"lines are labelled {label!r}, which no 'Read' step measured; steps are {names}"
            fix = "Export the plate again, with the whole procedure."
            unclear.error("plate.unknown-block", where, text, fix)
    blocks = [_block(matrix, label, found, procedure, file) for label, found in measured.items()]
    if blocks:
        steps = [found.step for found in measured.values()]
        blocks[0].faults = [
            *matrix.faults,
            *order_faults(matrix, measured, where),
            *extent_faults(matrix, steps, procedure.plate_type, where),
            *blocks[0].faults,
        ]
    return blocks


def _block(
    matrix: Matrix, label: str, measurement: Measurement, procedure: Procedure, file: str
) -> Block:
    block = Block(
        plate_index=0,
        read=label,
        readings=matrix.readings(label),
        locator=matrix.page.line(matrix.header),
        mode=measurement.mode,
        wavelength_nm=measurement.wavelength_nm,
        blank_status="not_read" if procedure.runtime else "missing",
    )
    wells = measurement.step.wells
    outside = []
    for reading in block.readings:
        text = reading.text.strip()
        if wells is not None and (reading.row, reading.column) not in wells:
            block.statuses[reading.row, reading.column] = "not_read"
            outside += [reading] if text else []
        elif _MASKED.fullmatch(text):
            block.statuses[reading.row, reading.column] = "invalid"
    if outside:
        found = Problems()
        text = f"{len(outside)} values of {label!r} stand outside the wells that its step reads"
        where = Place(file, outside[0].locator, well=f"row {row_letters(outside[0].row)}")
        found.error("plate.other-format", where, f"{text}: {outside[0].text!r}", _AGAIN)
        block.faults = found.items
    return block


def _plate_faults(
    page: Page, rows: range, procedure: Procedure, blocks: list[Block], file: str
) -> list[Problem]:
    """Note a simulated plate, and reads of the procedure that the file does not print."""
    found = Problems()
    for row in rows:
        cells = [cell.strip() for cell in page.rows[row]]
        if _key(cells) == "Reading Type" and "Simulation" in cells:
            text = "the reading type is 'Simulation': the values come from no plate"
            fix = "Use such a file for tests only."
            found.warning("plate.simulated", Place(file, page.line(row)), text, fix)
    printed = list(filter(None, (procedure.find(block.read) for block in blocks)))
    for step in procedure.steps:
        names = [measurement.name for measurement in printed if measurement.step is step]
        for name in step.missing(names):
            text = f"no line has the read {name!r} of the step {step.name!r}"
            where = Place(file, page.line(rows.start))
            found.warning("plate.missing-read", where, text, "Export every read that you need.")
    return found.items


def _about(page: Page, rows: range) -> dict[str, str]:
    """Read the preamble of a plate: its keys and the cells after them, the first of each."""
    about: dict[str, str] = {}
    for row in rows:
        cells = page.rows[row]
        if len(cells) > 1:
            about.setdefault(_key(cells), cells[1].strip())
    return about


def _describe(block: Block, about: dict[str, str]) -> None:
    """Say of a block what the preamble says; never who read it, with which device, or where."""
    version, model = about.get("Software Version", ""), about.get("Reader Type", "")
    number = about.get("Plate Number", "")
    date, time = about.get("Date", ""), about.get("Time", "")
    temperature = about.get("Actual Temperature", "")
    block.software = f"Gen5 {version}".strip()
    block.instrument = "" if model.lower() in _UNKNOWN else model
    block.name = "" if number.isdigit() else number
    block.barcode = about.get("Barcode", about.get("Plate Barcode", ""))
    block.measured_at = f"{date} {time}".strip() if date else ""
    degrees = parse_number(temperature, "," if "," in temperature else ".")
    block.temperature = float("nan") if degrees is None else degrees
