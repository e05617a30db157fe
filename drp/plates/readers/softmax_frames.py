"""The values of a plate in a SoftMax Pro export, in both of its layouts.

*TimeFormat* names every well in a header and gives the values in one line per wavelength.
*PlateFormat* numbers the columns, once per wavelength, and gives one line per row of the plate from
row A on; the rows have no letters. So a line that is lost must show: the part of the plate that was
read is stated, the temperature stands in its first row, and nothing stands outside of it.

Below the measured values the same layout repeats without temperature: reduced values, which are
calculated, even where they are equal.
"""

from dataclasses import dataclass, field

from drp.plates.blocks import Reading
from drp.plates.pages import Page
from drp.plates.readers.softmax_header import PlateHeader
from drp.problems import Place, Problems
from drp.wellnames import parse_well, row_letters

_FIRST = 2  # cells before the first well: time, temperature
_TEMPERATURE = "temperature"
_FIX = "Export the plate again."

Well = tuple[int, int]


@dataclass(slots=True)
class Frame:
    """A header with the values below it.

    Attributes
    ----------
    header : int
        Index of the header on the page.
    stop : int
        Index of the line after the last one that may belong to it.
    reduced : bool
        The values are calculated.
    temperature : str
        As printed.
    reads : list of list of Reading
        The printed wells of each wavelength; empty if they cannot be read.
    tops : set of int
        Index of every line in which the temperature should stand.
    """

    header: int
    stop: int
    reduced: bool
    temperature: str = ""
    reads: list[list[Reading]] = field(default_factory=list)
    tops: set[int] = field(default_factory=set)


def find_frames(page: Page, plate: PlateHeader, stop: int) -> list[Frame]:
    """Find the headers of the wells in the section of a plate, with the range of each.

    Parameters
    ----------
    page : Page
        Rows of cells.
    plate : PlateHeader
        The line that begins the section.
    stop : int
        Index of the line after the section.
    """
    kinds = [(row, _kind(page.rows[row], plate)) for row in range(plate.row + 1, stop)]
    heads = [(row, kind == "reduced") for row, kind in kinds if kind]
    ends = [row for row, _ in heads[1:]] + [stop]
    return [Frame(row, end, reduced) for (row, reduced), end in zip(heads, ends, strict=False)]


def read_measured(page: Page, plate: PlateHeader, frame: Frame, file: str, found: Problems) -> None:
    """Read the values of a measured frame into its `reads`.

    Parameters
    ----------
    page : Page
        Rows of cells.
    plate : PlateHeader
        What the section says about itself.
    frame : Frame
        As `find_frames` gave it.
    file : str
        Name of the file.
    found : Problems
        Takes lines lost or too many, fields lost, values where none are due.
    """
    try:
        _read_values(page, plate, frame)
        _take_temperature(page, frame)
        _check_part(plate, frame)
    except _DamageError as damage:
        frame.reads = []
        locator, code, text, well = damage.args
        found.error(code, Place(file, locator, well=well), text, _FIX)


def read_reduced(page: Page, plate: PlateHeader, frame: Frame, file: str, found: Problems) -> None:
    """Read a reduced frame, to compare it; what is wrong with it alone does no harm.

    Parameters
    ----------
    page, plate, frame, file
        As for `read_measured`.
    found : Problems
        Takes a temperature: that line is a measured one.
    """
    for row in range(frame.header + 1, frame.stop):
        if len(page.rows[row]) > 1 and page.rows[row][1].strip():
            text = f"{page.rows[row][1].strip()!r}, a temperature, stands below reduced values"
            found.error("plate.mixed-up", Place(file, page.line(row)), text, _FIX)
    try:
        _read_values(page, plate, frame)
    except _DamageError:
        frame.reads = []


class _DamageError(Exception):
    """Where a frame is damaged, the code, what was found, the well."""

    def __init__(self, locator: str, code: str, text: str, well: str = "") -> None:
        super().__init__(locator, code, text, well)


def _kind(cells: list[str], plate: PlateHeader) -> str:
    """Say what a line is the header of: ``measured`` or ``reduced`` values; empty if of none."""
    if len(cells) <= _FIRST:
        return ""
    if cells[1].strip().lower().startswith(_TEMPERATURE):
        return "measured"
    if plate.layout == "TimeFormat":
        is_header = parse_well(cells[_FIRST]) is not None
    else:
        columns = [cell.strip() for cell in cells[_FIRST : _FIRST + plate.shape[1]]]
        is_header = columns == [str(number) for number in range(1, plate.shape[1] + 1)]
    return "reduced" if is_header and not cells[1].strip() else ""


def _read_values(page: Page, plate: PlateHeader, frame: Frame) -> None:
    if plate.layout == "TimeFormat":
        _read_line_of_wells(page, plate, frame)
    else:
        _read_rows(page, plate, frame)


def _read_line_of_wells(page: Page, plate: PlateHeader, frame: Frame) -> None:
    wells = _labelled_wells(page, plate, frame)
    width = len(page.rows[frame.header])
    last = max(offset for offset, well in enumerate(wells) if plate.is_due(well))
    lines = [row for row in range(frame.header + 1, frame.stop) if not page.is_blank(row)]
    due = 1 if frame.reduced else len(plate.wavelengths)
    if len(lines) != due:
        text = f"{len(lines)} lines of values stand below the wells, {due} are due"
        raise _DamageError(page.line(frame.header), "plate.bad-shape", text)
    for row in lines:
        _check_width(page, row, width, _FIRST + last)
        values = page.rows[row][_FIRST : _FIRST + len(wells)]
        frame.reads.append(
            [
                Reading(*well, text, page.cell(row, _FIRST + offset))
                for offset, (well, text) in enumerate(zip(wells, values, strict=False))
            ]
        )
    frame.tops = set(lines)


def _labelled_wells(page: Page, plate: PlateHeader, frame: Frame) -> list[Well]:
    """Give the wells of a header: in order, each once, all that were read among them."""
    cells = page.rows[frame.header][_FIRST:]
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    wells: list[Well] = []
    for offset, cell in enumerate(cells):
        well = parse_well(cell)
        on_plate = well and well[0] <= plate.shape[0] and well[1] <= plate.shape[1]
        if well is None or not on_plate or (wells and well <= wells[-1]):
            text = f"{cell.strip()!r} in field {_FIRST + offset + 1} is not the next well"
            raise _DamageError(page.line(frame.header), "plate.bad-well", text)
        wells.append(well)
    n_due, n_named = len(plate.rows) * len(plate.columns), sum(map(plate.is_due, wells))
    if n_named != n_due:
        text = f"{n_named} of the {n_due} wells that were read are named"
        raise _DamageError(page.line(frame.header), "plate.truncated", text)
    return wells


def _read_rows(page: Page, plate: PlateHeader, frame: Frame) -> None:
    n_rows, n_columns = plate.shape
    starts = _column_groups(page, plate, frame)
    width = len(page.rows[frame.header])
    rows = list(range(frame.header + 1, frame.stop))
    while (
        rows
        and page.is_blank(rows[-1])
        and (len(rows) > n_rows or len(page.rows[rows[-1]]) != width)
    ):
        rows.pop()
    lines = [row for row in rows if not page.is_blank(row)]
    if len(lines) != len(plate.rows) or not plate.rows[-1] <= len(rows) <= n_rows:
        text = f"{len(lines)} rows of values stand below the header, {len(plate.rows)} are due"
        raise _DamageError(page.line(frame.header), "plate.bad-shape", text)
    for number, row in enumerate(rows, start=1):
        if number in plate.rows:
            _check_width(page, row, width, starts[-1] + plate.columns[-1] - 1)
    for start in starts:
        frame.reads.append(
            [
                Reading(number, column + 1, cells[start + column], page.cell(row, start + column))
                for number, row in enumerate(rows, start=1)
                for cells in (page.rows[row],)
                for column in range(n_columns)
                if start + column < len(cells)
            ]
        )
    frame.tops = {rows[plate.rows[0] - 1]}


def _column_groups(page: Page, plate: PlateHeader, frame: Frame) -> list[int]:
    """Give the cell of column 1 for every wavelength."""
    cells = [cell.strip() for cell in page.rows[frame.header][_FIRST:]]
    columns = [str(number) for number in range(1, plate.shape[1] + 1)]
    groups = 1 if frame.reduced else len(plate.wavelengths)
    due = [cell for _ in range(groups) for cell in (*columns, "")][:-1]
    if cells[: len(due)] != due or any(cells[len(due) :]):
        text = (
            f"the header should number columns 1 to {plate.shape[1]} for each of {groups} "
            f"wavelengths and reads {' '.join(cells).strip()!r}"
        )
        raise _DamageError(page.line(frame.header), "plate.bad-shape", text)
    return [_FIRST + group * (len(columns) + 1) for group in range(groups)]


def _check_width(page: Page, row: int, width: int, last: int) -> None:
    """Check that a line has as many fields as its header, so that no value can have moved.

    A line that lost its blank end may be shorter, if the last well that is due is there.
    """
    cells = page.rows[row]
    stripped = bool(cells[-1].strip()) and last < len(cells) < width
    if len(cells) != width and not stripped:
        text = f"the line has {len(cells)} fields, its header has {width}"
        raise _DamageError(
            page.line(row), "plate.short-row" if len(cells) < width else "plate.wide-row", text
        )
    if cells[0].strip():
        text = f"the line begins with {cells[0].strip()!r}, as kinetics and spectra do"
        raise _DamageError(page.line(row), "plate.not-endpoint", text)


def _take_temperature(page: Page, frame: Frame) -> None:
    """Take the temperature, which must stand in just the lines that begin a reading, or in none."""
    inside = range(frame.header + 1, frame.stop)
    rows = {r for r in inside if len(page.rows[r]) > 1 and page.rows[r][1].strip()}
    if rows and rows != frame.tops:
        text = "a temperature is missing, or stands in another row than the first that was read"
        raise _DamageError(page.line(min(rows ^ frame.tops)), "plate.bad-information", text)
    if rows:
        frame.temperature = page.rows[min(rows)][1].strip()


def _check_part(plate: PlateHeader, frame: Frame) -> None:
    """Check that nothing stands outside the part of the plate that was read."""
    for readings in frame.reads:
        for reading in readings:
            if reading.text.strip() and not plate.is_due((reading.row, reading.column)):
                letters = row_letters(plate.rows[0]), row_letters(plate.rows[-1])
                text = (
                    f"{reading.text.strip()!r} is outside the part that was read, "
                    f"{letters[0]}{plate.columns[0]} to {letters[1]}{plate.columns[-1]}"
                )
                well = f"{row_letters(reading.row)}{reading.column}"
                raise _DamageError(reading.locator, "plate.other-format", text, well)
