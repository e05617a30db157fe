"""Write SoftMax Pro exports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from drp.plates.writers.common import (
    Line,
    Signal,
    check_text,
    number_text,
    plate_shape,
    put_in_place,
)
from drp.wellnames import MOST_COLUMNS, MOST_ROWS, parse_well, smallest_format, well_name

Plates: TypeAlias = "Signal | Mapping[str, Signal] | Mapping[str, Mapping[str, Signal]]"

_GROUP = (
    "Group: Samples",
    "Sample\tWells\tValue\tMeanValue\t",
    "01\tA1\t1.000\t1.000\t",
    "",
    "Group Column\tFormula Name\tFormula\tPrecision\tNotation",
    "1\tSample\t!SampleNames\t2 decimal places\tNumeric",
    "",
    "Group Summaries",
    "~End",
)


def write_softmax(
    path: str | Path,
    signal: Plates,
    *,
    layout: str = "TimeFormat",
    reading: str = "Luminescence",
    first_well: str = "A1",
    reduced: bool = True,
    note: str | None = None,
    group: bool = False,
    missing: str = "NaN",
    temperature: str = "25",
    separator: str = "\t",
    decimal: str = ".",
    line_ending: str = "\r\n",
    encoding: str = "utf-16",
) -> None:
    r"""Write one plate or several as a SoftMax Pro export.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    signal : array, or mapping of str to array, or mapping of str to mapping of str to array
        Signal of shape (rows, columns), row of `first_well` first; for several plates by their
        names, for several wavelengths by name and wavelength: ``{"P1": {"450": …, "650": …}}``,
        for fluorescence ``"485/538"``.
    layout : {"TimeFormat", "PlateFormat"}
        All wells in one line, or rows and columns.
    reading : {"Luminescence", "Absorbance", "Fluorescence", "Time Resolved"}
        The read mode.
    first_well : str
        Where the part of the plate begins that was read. The plate is the smallest of 96, 384 or
        1536 wells that holds the part.
    reduced : bool
        Repeat the values of the first wavelength as reduced values, as the software does.
    note : str, optional
        A section with a note of this text comes first; it may have several lines.
    group : bool
        A section with a group of samples follows each plate.
    missing : str
        What stands for NaN.
    temperature : str
        As printed.
    separator, decimal, line_ending, encoding : str
        Of the file. A decimal comma needs another separator.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.txt"
    >>> write_softmax(path, {"P1": [[1.5, 2]]}, layout="PlateFormat", encoding="utf-8")
    >>> lines = path.read_text().splitlines()
    >>> lines[0], lines[3].rstrip("\t")
    ('##BLOCKS= 1', '\t25\t1.5\t2')
    """
    if layout not in ("TimeFormat", "PlateFormat"):
        raise ValueError(f"layout must be TimeFormat or PlateFormat, found {layout!r}")
    sections: list[list[Line]] = []
    if note is not None:
        sections.append(["Note: ", *note.split("\n"), "~End "])
    for name, reads in _plates(signal).items():
        check_text(name, separator)
        plate = _Plate(reads, first_well, missing, decimal)
        lines: list[Line] = [_header(name, plate, layout, reading)]
        body = _time_format if layout == "TimeFormat" else _plate_format
        lines += body(plate, list(reads.values()), ["Temperature(¡C)", temperature])
        lines += [""] if layout == "PlateFormat" else []
        lines += body(plate, [next(iter(reads.values()))], []) if reduced else []
        sections.append([*lines, "~End"])
        sections += [list(_GROUP)] if group else []
    count: list[Line] = [f"##BLOCKS= {len(sections)}"]
    footer = "Original Filename: simulated; Date Last Saved: 11/3/2025 10:15:00 AM"
    text = [*count, *(line for section in sections for line in section), footer]
    put_in_place(path, text, separator, line_ending, encoding)


def _plates(signal: Any) -> dict[str, dict[str, Signal]]:
    """Give the plates as a mapping of name to a mapping of wavelength to signal."""
    plates = signal if isinstance(signal, Mapping) else {"Plate1": signal}
    return {
        name: dict(reads) if isinstance(reads, Mapping) else {"0": reads}
        for name, reads in plates.items()
    }


class _Plate:
    """The part of a plate that was read, and how its numbers are written."""

    def __init__(
        self, reads: Mapping[str, Signal], first_well: str, missing: str, decimal: str
    ) -> None:
        first = parse_well(first_well)
        shapes = {plate_shape(signal) for signal in reads.values()}
        if first is None or len(shapes) != 1:
            raise ValueError(f"{first_well!r} must be a well, and all wavelengths of one shape")
        self.first, (rows, columns) = first, shapes.pop()
        self.last = (first[0] + rows - 1, first[1] + columns - 1)
        if self.last[0] > MOST_ROWS or self.last[1] > MOST_COLUMNS:
            raise ValueError(f"a part of {rows} × {columns} from {first_well} is on no plate")
        self.shape = smallest_format(*self.last)
        self.wavelengths = list(reads)
        self.missing, self.decimal = missing, decimal

    def row(self, signal: Signal, row: int) -> list[str]:
        """Give the cells of a row of the plate, blank outside the part that was read."""
        blanks = [""] * self.shape[1]
        if not self.first[0] <= row <= self.last[0]:
            return blanks
        values = signal[row - self.first[0]]
        cells = [number_text(v, self.missing, decimal=self.decimal) for v in values]
        blanks[self.first[1] - 1 : self.last[1]] = cells
        return blanks


def _header(name: str, plate: _Plate, layout: str, reading: str) -> list[str]:
    pairs = [wavelength.split("/") for wavelength in plate.wavelengths]
    emission = "".join(f"{pair[-1]} " for pair in pairs)
    excitation = "".join(f"{pair[0]} " for pair in pairs if len(pair) > 1)
    (row, column), (last_row, last_column) = plate.first, plate.last
    part = [str(column), str(last_column - column + 1), str(plate.shape[0] * plate.shape[1])]
    rows = [str(row), str(last_row - row + 1)]
    position = ["FALSE"] if reading == "Fluorescence" else []
    optics = [excitation, "Manual", "", "", "", "6", "", "", ""]
    before = rows if reading == "Absorbance" else [*optics, *rows]
    return [
        *("Plate:", name, "1.3", layout, "Endpoint", reading, *position, "Raw", "FALSE", "1"),
        *("", "", "", "", "", str(len(pairs)), emission, *part, *before, "", ""),
    ]


def _time_format(
    plate: _Plate, signals: Sequence[Signal], temperature: Sequence[str]
) -> list[Line]:
    """Give the wells and their values; `temperature` is its title and text, empty if reduced."""
    title, text = temperature or ("", "")
    rows = range(1, plate.shape[0] + 1)
    wells = [well_name(r, c) for r in rows for c in range(1, plate.shape[1] + 1)]
    lines: list[Line] = [["", title, *wells, ""]]
    for signal in signals:
        cells = [cell for row in rows for cell in plate.row(signal, row)]
        lines += [["", text, *cells, ""], *([""] if temperature else [])]
    return lines


def _plate_format(
    plate: _Plate, signals: Sequence[Signal], temperature: Sequence[str]
) -> list[Line]:
    """Give the columns and the rows of a plate; `temperature` as in `_time_format`."""
    title, text = temperature or ("", "")
    columns = [str(column) for column in range(1, plate.shape[1] + 1)]
    lines: list[Line] = [["", title, *[cell for _ in signals for cell in (*columns, "")], ""]]
    for row in range(1, plate.shape[0] + 1):
        cells = [cell for signal in signals for cell in (*plate.row(signal, row), "")]
        lines.append(["", text if row == plate.first[0] else "", *cells, ""])
    return lines
