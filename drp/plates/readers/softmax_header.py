"""The line ``Plate:`` of a SoftMax Pro export: how the plate was read, and which part of it.

Its fields have no names. They are counted from the field that says ``Raw`` or ``Reduced``, because
fluorescence has one field more before it.
"""

from dataclasses import dataclass

from drp.plates.pages import Page
from drp.plates.readers.softmax_sections import LAYOUTS
from drp.problems import Place, Problems
from drp.wellnames import FORMATS

_ENDPOINT = "Endpoint"
_MODES = {
    "Luminescence": "lum",
    "Absorbance": "abs",
    "Fluorescence": "fluo",
    "Time Resolved": "fluo",
}
_SHAPES = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), **FORMATS}
_KINDS = ("Raw", "Reduced")
# Places of fields, counted from the one that says Raw or Reduced.
_READINGS, _N_WAVELENGTHS, _WAVELENGTHS = 2, 8, 9
_FIRST_COLUMN, _N_COLUMNS, _WELLS, _EXCITATION = 10, 11, 12, 13
_ROWS_OF_ABSORBANCE, _ROWS_OF_OTHERS = 13, 22


@dataclass(frozen=True, slots=True)
class PlateHeader:
    """What a line ``Plate:`` says.

    Attributes
    ----------
    row : int
        Index of the line on the page.
    name : str
        Name of the plate section.
    layout : str
        ``TimeFormat`` (wells in a line) or ``PlateFormat`` (wells in rows and columns).
    reading : str
        ``Luminescence``, ``Absorbance`` …, as printed.
    reduced : bool
        The section holds calculated values only.
    wavelengths : tuple of str
        One per measurement, as ``450`` or ``485/538``; empty where there is no filter.
    shape : tuple of int
        Rows and columns of the whole plate.
    rows, columns : range
        The part of the plate that was read, from 1.
    """

    row: int
    name: str
    layout: str
    reading: str
    reduced: bool
    wavelengths: tuple[str, ...]
    shape: tuple[int, int]
    rows: range
    columns: range

    @property
    def mode(self) -> str:
        """``lum``, ``abs`` or ``fluo``."""
        return _MODES[self.reading]

    @property
    def reads(self) -> list[str]:
        """The label of each measurement; where wavelengths repeat, they are numbered."""
        labels: list[str] = []
        for position, wavelength in enumerate(self.wavelengths):
            label = f"{self.reading} {wavelength}".strip()
            earlier = self.wavelengths[:position].count(wavelength)
            labels.append(f"{label} ({earlier + 1})" if earlier else label)
        return labels

    def is_due(self, well: tuple[int, int]) -> bool:
        """Say whether a well lies in the part of the plate that was read."""
        return well[0] in self.rows and well[1] in self.columns


def read_header(page: Page, row: int, file: str, found: Problems) -> PlateHeader | None:
    """Read a line ``Plate:``.

    Parameters
    ----------
    page : Page
        Rows of cells.
    row : int
        Index of the line.
    file : str
        Name of the file.
    found : Problems
        Takes the reason if the plate cannot be read: no endpoint, or fields that contradict.

    Returns
    -------
    PlateHeader or None
        None if there was an error.

    Examples
    --------
    >>> line = "Plate:,P7,1.3,PlateFormat,Endpoint,Absorbance,Raw,FALSE,1,,,,,,2,450 650,3,8,96,1,4"
    >>> header = read_header(Page([line.split(",")]), 0, "p.txt", Problems())
    >>> header.name, header.reads, header.shape, header.rows, header.columns
    ('P7', ['Absorbance 450', 'Absorbance 650'], (8, 12), range(1, 5), range(3, 11))
    """
    cells = [cell.strip() for cell in page.rows[row]]
    where = Place(file, page.line(row))
    try:
        kind = _one_of(cells, 4, "kind of measurement")
        if kind != _ENDPOINT or _readings(cells) != 1:
            text = f"the plate {cells[1]!r} is no endpoint measurement: {kind!r}"
            text += f" with {_readings(cells)} readings" if kind == _ENDPOINT else ""
            fix = "Only endpoint measurements can be read; export one reading per well."
            found.error("plate.not-endpoint", where, text, fix)
            return None
        return _parse(cells, row)
    except ValueError as error:
        text = f"the line 'Plate:' cannot be used: {error}"
        found.error("plate.bad-information", where, text, "Export the plate again.")
        return None


def _parse(cells: list[str], row: int) -> PlateHeader:
    layout = _one_of(cells, 3, "layout", LAYOUTS)
    reading = _one_of(cells, 5, "read mode", tuple(_MODES))
    base = _base(cells)
    wells = _count(cells, base + _WELLS, "number of wells")
    if wells not in _SHAPES:
        raise ValueError(f"no plate has {wells} wells")
    rows_at = base + (_ROWS_OF_ABSORBANCE if _MODES[reading] == "abs" else _ROWS_OF_OTHERS)
    rows = _part(cells, rows_at, "row", _SHAPES[wells][0])
    columns = _part(cells, base + _FIRST_COLUMN, "column", _SHAPES[wells][1])
    return PlateHeader(
        row=row,
        name=cells[1],
        layout=layout,
        reading=reading,
        reduced=cells[base] == "Reduced",
        wavelengths=_wavelengths(cells, base, reading),
        shape=_SHAPES[wells],
        rows=rows,
        columns=columns,
    )


def _base(cells: list[str]) -> int:
    base = next((at for at in (6, 7) if at < len(cells) and cells[at] in _KINDS), None)
    if base is None:
        raise ValueError(f"neither field 7 nor 8 says Raw or Reduced ({cells[6:8]})")
    return base


def _readings(cells: list[str]) -> int:
    """Give the number of readings per well."""
    return _count(cells, _base(cells) + _READINGS, "number of readings")


def _wavelengths(cells: list[str], base: int, reading: str) -> tuple[str, ...]:
    count = _count(cells, base + _N_WAVELENGTHS, "number of wavelengths")
    printed = cells[base + _WAVELENGTHS].split()
    if len(printed) != count:
        raise ValueError(f"it announces {count} wavelengths and names {printed}")
    emission = ["" if wavelength == "0" else wavelength for wavelength in printed]
    excitation = cells[base + _EXCITATION].split() if _MODES[reading] == "fluo" else []
    if len(excitation) != count:
        return tuple(emission)
    return tuple(f"{ex}/{em}" for ex, em in zip(excitation, emission, strict=True))


def _part(cells: list[str], at: int, what: str, most: int) -> range:
    first = _count(cells, at, f"first {what}")
    number = _count(cells, at + 1, f"number of {what}s")
    if first + number - 1 > most:
        raise ValueError(f"{what}s {first} to {first + number - 1} are not on a plate of {most}")
    return range(first, first + number)


def _count(cells: list[str], at: int, what: str) -> int:
    text = cells[at] if at < len(cells) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text)):
        raise ValueError(f"field {at + 1}, the {what}, is {text!r}")
    return int(text)


def _one_of(cells: list[str], at: int, what: str, known: tuple[str, ...] = ()) -> str:
    text = cells[at] if at < len(cells) else ""
    if not text or (known and text not in known):
        names = f", not {', '.join(known)}" if known else ""
        raise ValueError(f"field {at + 1}, the {what}, is {text!r}{names}")
    return text
