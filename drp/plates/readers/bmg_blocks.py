"""From titled grids or tables of wells to measured blocks, for exports of BMG LABTECH readers."""

import re
from dataclasses import dataclass
from math import isclose, isnan, nan
from statistics import median

from drp.plates.blocks import Block, Reading
from drp.plates.grid import Grid
from drp.plates.pages import Page
from drp.plates.readers.bmg_information import Header, Title, is_marker, read_title
from drp.plates.readers.bmg_wells import WellTable
from drp.plates.values import looks_like_number, parse_number
from drp.problems import Place, Problems
from drp.wellnames import FORMATS, row_letters, well_name

_ROWS = {columns: rows for rows, columns in FORMATS.values()}
_BASED_ON = re.compile(r"based on (Raw Data.*)")
_PLACE_OF_FILTER = re.compile(r" ([0-9])\)$")
_FIX = "Export the plate again."


@dataclass(slots=True)
class Plate:
    """One plate of an export: its page, what stands above the values, its number from 1."""

    page: Page
    header: Header
    index: int
    file: str


@dataclass(slots=True)
class _Titled:
    grid: Grid
    title: Title


def blocks_of_grids(plate: Plate, grids: list[Grid], first: int, found: Problems) -> list[Block]:
    """Take the measured blocks of one plate among its grids, and check them with the others.

    Parameters
    ----------
    plate : Plate
        Where they stand.
    grids : list of Grid
        All grids of the plate, layouts and calculated values too.
    first : int
        Index of the first row that belongs to the plate.
    found : Problems
        Takes a title that is lost or damaged, blocks out of order, and what is no endpoint.

    Returns
    -------
    list of Block
        In the order of the page.
    """
    page, file = plate.page, plate.file
    titled = []
    stop = first
    for grid in grids:
        title = _find_title(page, stop, grid.header)
        stop = grid.stop
        where = Place(file, page.line(grid.header))
        if title.kind == "course" or (plate.header.course and title.kind != "layout"):
            add_course(title.text if title.kind == "course" else plate.header.course, where, found)
            return []
        if title.kind == "damaged":
            text = f"a grid stands under {title.text!r}, which is no title of a block"
            found.error("plate.unknown-block", where, text, _FIX)
        elif title.kind == "unknown":
            text = f"the block {title.text!r} was taken for a calculation and left out"
            fix = "Measured blocks are titled 'Raw Data (…)'."
            found.warning("plate.unknown-block", where, text, fix)
        else:
            titled.append(_Titled(grid, title))
    _check_order(titled, plate, found)
    return [_block(block, titled, plate) for block in titled if block.title.kind == "measured"]


def blocks_of_table(plate: Plate, table: WellTable, found: Problems) -> list[Block]:
    """Take the measured blocks of a table of wells.

    Parameters
    ----------
    plate : Plate
        Where it stands.
    table : WellTable
        The table.
    found : Problems
        Takes what is wrong with the table, and what is no endpoint.
    """
    where = Place(plate.file, plate.page.line(table.row))
    titles = [read_title(series.title) for series in table.series]
    course = table.axis or plate.header.course
    course = course or next((title.text for title in titles if title.kind == "course"), "")
    if course:
        add_course(course, where, found)
        return []
    found.extend(table.faults)
    blocks = []
    for series, title in zip(table.series, titles, strict=True):
        if title.kind == "damaged":
            text = f"{title.text!r} is no title of a block"
            found.error("plate.unknown-block", Place(plate.file, series.locator), text, _FIX)
        elif title.kind == "measured":
            blocks.append(_make(plate, title, series.readings, series.locator))
    return blocks


def add_course(text: str, where: Place, found: Problems) -> None:
    """Add the error that an export is a kinetic, a spectrum or a scan: `text` says so."""
    fix = "Only endpoint measurements can be read: one value for each well."
    found.error("plate.not-endpoint", where, f"{text!r} is no endpoint measurement", fix)


def _find_title(page: Page, first: int, header: int) -> Title:
    """Read the nearest line above a header; a line of the export's own header is no title."""
    for row in range(header - 1, first - 1, -1):
        cells = [cell.strip() for cell in page.rows[row] if cell.strip()]
        if not cells:
            continue
        title = read_title(cells[0] if page.sheet else ", ".join(cells))
        if is_marker(cells[0]):  # what stands behind the colon may be a person or a path
            return Title(cells[0].partition(":")[0], 0, "damaged")
        if title.kind == "unknown" and _is_mode(title.text):
            return Title(title.text, 0, "damaged")
        return title
    return Title("", 0, "damaged")


def _is_mode(text: str) -> bool:
    return re.match(r"(Luminescence|Absorbance|.*Fluorescence)\b", text) is not None


def _check_order(titled: list[_Titled], plate: Plate, found: Problems) -> None:
    """Check that blocks stand in the order they are printed in: else titles were exchanged."""
    seen: set[str] = set()
    measured = {block.title.text for block in titled if block.title.kind == "measured"}
    number = place = 0
    for block in titled:
        title = block.title
        based = _BASED_ON.search(title.text)
        wrong = bool(based and based.group(1) in measured - seen)
        wrong = wrong or 0 < title.number <= number
        number = title.number or number
        if title.kind == "measured":
            seen.add(title.text)
            match = _PLACE_OF_FILTER.search(title.text)
            wrong = wrong or (match is not None and int(match.group(1)) < place)
            place = int(match.group(1)) if match else place
        if wrong:
            where = Place(plate.file, plate.page.line(block.grid.header))
            text = f"the block {title.text!r} stands out of order"
            found.error("plate.block-order", where, text, _FIX)


def _block(block: _Titled, titled: list[_Titled], plate: Plate) -> Block:
    grid = block.grid
    made = _make(plate, block.title, grid.readings(), plate.page.line(grid.header))
    found = Problems(list(grid.faults))
    rows = set(grid.lines)
    others = {row for other in titled if other.grid.columns == grid.columns for row in _rows(other)}
    due = _ROWS.get(grid.columns[-1], 0)
    where = Place(plate.file, made.locator)
    for row in sorted(others - rows) if rows else []:
        text = f"row {row_letters(row)} is missing, but another block of this plate has it"
        place = Place(plate.file, made.locator, well=f"row {row_letters(row)}")
        found.error("plate.missing-row", place, text, _FIX)
    if due and max(rows, default=0) > due:
        text = f"row {row_letters(max(rows))} on a plate of {grid.columns[-1]} columns"
        found.error("plate.other-format", where, text, _FIX)
    elif due and 0 < len(rows) < due and not found.errors:
        text = f"{len(rows)} of the plate's {due} rows are printed: "
        text += ", ".join(row_letters(row) for row in sorted(rows))
        found.warning("plate.partial", where, text, "Check that no more rows were measured.")
    _check_calculated(made, titled, plate.file, found)
    made.faults = found.items
    return made


def _check_calculated(block: Block, titled: list[_Titled], file: str, found: Problems) -> None:
    """Compare a block with what was calculated from it."""
    texts = {(r.row, r.column): r for r in block.readings}
    for other in titled:
        based = _BASED_ON.search(other.title.text)
        if other.title.kind != "calculated" or not based or based.group(1) != block.read:
            continue
        less: dict[int, list[float]] = {}
        for reading in other.grid.readings():
            raw = texts.get((reading.row, reading.column))
            if raw is None or not looks_like_number(reading.text):
                continue
            place = Place(file, raw.locator, well=well_name(reading.row, reading.column))
            if not raw.text.strip():
                text = f"the well has no raw value, but {reading.text!r} was calculated from it"
                found.error("plate.inconsistent", place, text, _FIX)
            difference = _number(raw.text) - _number(reading.text)
            if not isnan(difference):
                less.setdefault(reading.row, []).append(difference)
        if other.title.text.startswith("Blank corrected"):
            _check_exchange(less, Place(file, block.locator), found)


def _check_exchange(less: dict[int, list[float]], block: Place, found: Problems) -> None:
    """Find rows where the blank was added instead of taken off: raw and corrected exchanged.

    `less` holds the differences of raw and corrected values of each row.
    """
    usual = {row: median(values) for row, values in less.items()}
    falls = [value for value in usual.values() if value > 0]
    rises = {row: -value for row, value in usual.items() if value < 0}
    if len(rises) >= len(falls):
        return  # blanks below zero are odd, but all rows agree on them
    for row, value in rises.items():
        if any(isclose(value, fall, rel_tol=0.05) for fall in falls):
            text = f"row {row_letters(row)} was exchanged with its blank-corrected values"
            place = Place(block.file, block.locator, well=f"row {row_letters(row)}")
            found.error("plate.inconsistent", place, text, _FIX)


def _number(text: str) -> float:
    number = parse_number(text, "," if "," in text else ".")
    return nan if number is None else number


def _rows(block: _Titled) -> set[int]:
    faulty = any(fault.severity == "error" for fault in block.grid.faults)
    return set() if faulty else set(block.grid.lines)


def _make(plate: Plate, title: Title, readings: list[Reading], locator: str) -> Block:
    return Block(
        plate_index=plate.index,
        read=title.text,
        readings=readings,
        locator=locator,
        barcode=plate.header.barcode,
        sheet=plate.page.sheet,
        mode=plate.header.mode,
        wavelength_nm=title.wavelength_nm,
        blank_status="not_read",
        measured_at=plate.header.measured_at,
    )
