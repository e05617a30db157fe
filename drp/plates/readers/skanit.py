"""SkanIt exports (Varioskan, Multiskan …): workbooks with a sheet for every step of a session.

On the sheet of a measuring step, which begins with ``Measurement results``, grids stand below each
other, one for each wavelength and plate; the corner of a grid is its unit. A grid with the corner
``Sample`` is the layout. Sheets of calculating steps (``Blank Subtraction 1_02``) are left out.
"""

from dataclasses import dataclass

from drp.plates.blocks import Block
from drp.plates.grid import Grid, find_stray_rows
from drp.plates.pages import Page, Source
from drp.plates.readers.bmg_information import plain_id
from drp.plates.readers.skanit_information import (
    TITLE,
    Context,
    find_course,
    grid_kind,
    is_calculation,
    mode_of,
    nanometres,
    read_context,
    read_device,
    read_moment,
    sheet_step,
    unit_mode,
)
from drp.plates.readers.strict_grids import find_strict_grids
from drp.problems import Place, Problem, Problems
from drp.wellnames import FORMATS, row_letters

NAME = "skanit"
MEANING = "SkanIt workbooks with a sheet 'Measurement results' for every measuring step"

_FIX = "Export the session again."
_ROWS = {columns: rows for rows, columns in FORMATS.values()}


@dataclass(slots=True)
class _Data:
    """A measured grid with the lines above it, and where the wavelength line stands."""

    page: Page
    grid: Grid
    own: Context
    step: str
    wavelength: str


def recognise(source: Source) -> bool:
    """Say whether a file is a SkanIt export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    names = {page.sheet.strip() for page in source.pages}
    if {"Session information", "Instrument information", "General information"} & names and any(
        mode_of(sheet_step(page)) for page in source.pages
    ):
        return True
    return any(_is_skanit(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured grid of a SkanIt export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        In the order of sheets and lines; plates are numbered as their names first appear.
    """
    data: list[_Data] = []
    for page in source.pages:
        if _is_measured(page, source.file, found):
            data += _read_sheet(page, source.file, found)
    if not data and not found.errors:
        text = "no sheet of a measuring step holds a grid of values"
        fix = "Export the measured results as plates, not as a list."
        found.error("plate.no-measured-block", Place(source.file), text, fix)
    plates = list(dict.fromkeys(item.own.plate for item in data))
    waves = {item.step: {i.wavelength for i in data if i.step == item.step} for item in data}
    device = read_device(source.pages)
    blocks = []
    for item in data:
        label = item.step or item.grid.corner
        if len(waves[item.step]) > 1:
            label = f"{label} {_wave_label(item.wavelength)}"
        blocks.append(_block(item, plates.index(item.own.plate) + 1, label, device, source.file))
    return blocks


def _is_skanit(page: Page) -> bool:
    firsts = [cells[0].strip() if cells else "" for cells in page.rows]
    titled = TITLE in firsts[:1]
    waved = any(first.startswith("Wavelength:") for first in firsts)
    stepped = any(mode_of(first) for first in firsts) or bool(mode_of(sheet_step(page)))
    session = any(first.lower().endswith(".skax") for first in firsts[:4])
    return titled + waved + stepped + session > 1


def _is_measured(page: Page, file: str, found: Problems) -> bool:
    """Say whether a sheet is that of a measuring step: by its name, its step, its title."""
    grids = find_strict_grids(page, file)
    line = read_context(page, 0, grids[0].header if grids else len(page.rows)).step
    steps = [sheet_step(page), line]
    measuring, calculating = any(map(mode_of, steps)), any(map(is_calculation, steps))
    if measuring and calculating:
        text = f"the sheet {page.sheet!r} holds the step {line!r}"
        found.error("plate.inconsistent", Place(file, page.sheet), text, _FIX)
    titled = bool(page.rows and page.rows[0]) and page.rows[0][0].strip() == TITLE
    return not calculating and (measuring or titled)


def _read_sheet(page: Page, file: str, found: Problems) -> list[_Data]:
    grids = find_strict_grids(page, file)
    course = find_course(page, grids)
    if course:
        fix = "Only endpoint measurements can be read: one value for each well."
        text = f"{course!r} is no endpoint measurement"
        found.error("plate.not-endpoint", Place(file, page.sheet or "line 1"), text, fix)
        return []
    found.extend(find_stray_rows(page, grids, file))
    data: list[_Data] = []
    start, step, wavelength = 0, "", ""
    above = Context()
    for grid in grids:
        own = read_context(page, start, grid.header)
        context = own.over(above)
        start = grid.stop
        kind = grid_kind(grid)
        where = Place(file, page.line(grid.header))
        if own.plate and above.plate:
            text = f"the plate {above.plate!r} has a layout, but no values"
            found.error("plate.no-values", where, text, _FIX)
        # A layout above the values stands between them and the lines that belong to both.
        above = context if kind == "layout" else Context()
        if kind == "layout":
            continue
        step, wavelength = context.step or step, context.wavelength or wavelength
        if is_calculation(step):
            text = f"the calculating step {step!r} stands on the sheet of a measuring step"
            found.error("plate.inconsistent", where, text, _FIX)
        elif kind == "unknown":
            text = f"a grid of numbers has the corner {grid.corner!r}, which is no known unit"
            fix = "Known are RLU, RFU, Abs, OD and counts. Export the session again."
            found.error("plate.unknown-block", where, text, fix)
        else:
            data.append(_Data(page, grid, context, step or sheet_step(page), wavelength))
    if above.plate:
        text = f"the plate {above.plate!r} has a layout, but no values"
        found.error("plate.no-values", Place(file, page.sheet), text, _FIX)
    _check_lines(data, file, found)
    return data


def _check_lines(data: list[_Data], file: str, found: Problems) -> None:
    """Check that every grid of a sheet names its plate, if one does, and so for wavelengths."""
    named = [item for item in data if item.own.plate]
    waved = [item for item in data if item.own.wavelength]
    for item in data:
        where = Place(file, item.page.line(item.grid.header))
        if named and not item.own.plate:
            text = "no line above the grid names its plate, other grids of the sheet have one"
            found.error("plate.bad-information", where, text, _FIX)
        elif item.own.stray:
            text = f"the line {item.own.stray!r} above the grid is not understood"
            found.error("plate.bad-information", where, text, _FIX)
    waves = {item.wavelength for item in data}
    for plate in dict.fromkeys(item.own.plate for item in data):
        lost = waves - {item.wavelength for item in data if item.own.plate == plate}
        if lost:
            text = f"the plate {plate!r} has no values for {min(lost)!r}, others have"
            found.error("plate.bad-information", Place(file, data[0].page.sheet), text, _FIX)
    sections: list[list[str]] = []
    for item in data:
        if item.own.wavelength or not sections:
            sections.append([])
        sections[-1].append(item.own.plate)
    if waved and len(waved) < len(data) and any(names != sections[0] for names in sections):
        item = next(item for item in data if not item.own.wavelength)
        text = "no line above the grid names its wavelength, other grids of the sheet have one"
        where = Place(file, item.page.line(item.grid.header))
        found.error("plate.bad-information", where, text, _FIX)


def _wave_label(line: str) -> str:
    return f"{nanometres(line)} nm" if nanometres(line) else line


def _block(item: _Data, index: int, label: str, device: tuple[str, str], file: str) -> Block:
    page, grid = item.page, item.grid
    plain = plain_id(item.own.plate)
    return Block(
        plate_index=index,
        read=label,
        readings=grid.readings(),
        locator=page.line(grid.header),
        barcode=plain,
        sheet=page.sheet,
        mode=mode_of(item.step) or unit_mode(grid.corner),
        unit=grid.corner,
        wavelength_nm=nanometres(item.wavelength),
        instrument=device[0],
        software=device[1],
        blank_status="not_read",
        measured_at=read_moment(page),
        faults=[*grid.faults, *_shape_faults(item, file)],
    )


def _shape_faults(item: _Data, file: str) -> list[Problem]:
    """Compare the rows of a grid with those of a plate with as many columns."""
    found = Problems()
    rows, columns = sorted(item.grid.lines), item.grid.columns[-1]
    due = _ROWS.get(columns, 0)
    where = Place(file, item.page.line(item.grid.header))
    mode, unit = mode_of(item.step), unit_mode(item.grid.corner)
    if mode and unit and mode != unit and unit != "count":
        text = f"the step {item.step!r} has values in {item.grid.corner!r}"
        found.error("plate.inconsistent", where, text, _FIX)
    if due and rows and rows[-1] > due:
        text = f"row {row_letters(rows[-1])} on a plate of {columns} columns"
        found.error("plate.other-format", where, text, _FIX)
    elif due and 0 < len(rows) < due:
        text = f"{len(rows)} of the plate's {due} rows are printed: "
        text += ", ".join(map(row_letters, rows))
        found.warning("plate.partial", where, text, "Check that no more rows were measured.")
    return found.items
