"""Write exports of Tecan's i-control."""

from collections.abc import Mapping
from pathlib import Path

from drp.plates.writers.common import Cell, Signal
from drp.plates.writers.tecan import Rows, part_of, plate_rows, put_rows
from drp.wellnames import row_letters

_GERMAN = {
    "Application": "Programm",
    "Device": "Gerät",
    "Serial number": "Seriennummer",
    "Date": "Datum",
    "Time": "Zeit",
    "User": "Anwender",
    "Plate": "Platte",
    "Plate-ID (Stacker)": "Platten-ID (Stapler)",
    "Mode": "Modus",
    "Luminescence": "Lumineszenz",
    "Absorbance": "Absorption",
    "Start Time": "Startzeit",
    "End Time": "Endzeit",
    "Mean": "Mittelwert",
}


def write_tecan_icontrol(
    path: str | Path,
    plates: Mapping[str, Mapping[str, tuple[Signal, tuple[int, int]]]],
    *,
    mode: str = "Luminescence",
    barcodes: Mapping[str, str] | None = None,
    measured_at: str = "11/25/2025 3:57:04 PM",
    several_points: bool = False,
    german: bool = False,
    separator: str = "\t",
    line_ending: str = "\r\n",
    decimal: str = ".",
    encoding: str = "utf-8",
    padded: bool = False,
) -> None:
    r"""Write runs as an i-control export: a workbook with a run per sheet, or text.

    Parameters
    ----------
    path : str or Path
        The file to write; a workbook if it is called ``.xlsx``.
    plates : mapping of str to mapping of str to (array, (int, int))
        Name of the sheet to label to signal, row A first, and the row and column of its first
        value. NaN is written as a blank cell.
    mode : str
        Mode of all labels: ``Luminescence``, ``Absorbance``, ``Fluorescence Top Reading``.
    barcodes : mapping of str to str, optional
        Name of the sheet to what the stacker calls the plate.
    measured_at : str
        Date and time as the computer prints it.
    several_points : bool
        As a list of wells with the mean of two points each.
    german : bool
        Names of settings as in a German installation.
    separator, line_ending, decimal, encoding : str
        Of a text.
    padded : bool
        Fill lines of a text with empty fields to one width, as comma-separated exports do.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.txt"
    >>> write_tecan_icontrol(path, {"Sheet1": {"Label1": ([[7.0, 8.0]], (2, 2))}})
    >>> [line for line in path.read_text().splitlines() if line.startswith(("<>", "B"))]
    ['<>\t2\t3', 'B\t7\t8']
    """
    sheets: dict[str, Rows] = {}
    for sheet, labels in plates.items():
        rows = _head(measured_at, (barcodes or {}).get(sheet, ""))
        for label, (signal, first) in labels.items():
            rows += _section(label, signal, first, mode, measured_at, several_points)
        sheets[sheet] = _translate(rows) if german else rows
    put_rows(
        path,
        sheets,
        separator=separator,
        line_ending=line_ending,
        decimal=decimal,
        encoding=encoding,
        padded=padded,
    )


def _line(name: str, *values: Cell) -> list[Cell]:
    return [name, "", "", "", *values]


def _head(measured_at: str, barcode: str) -> Rows:
    date, time = measured_at.split(" ", 1)
    return [
        _line("Application: Tecan i-control", "Tecan i-control , 2.0.10.0"),
        _line("Device: infinite M1000Pro", "Serial number: 1000000001"),
        [""],
        ["Date:", date],
        ["Time:", time],
        [""],
        _line("System", "READER-PC"),
        _line("User", "READER-PC\\reader"),
        _line("Plate", "Greiner 96 Flat Bottom White Polystyrene [GRE96fw.pdfx]"),
        _line("Plate-ID (Stacker)", barcode),
        [""],
    ]


def _section(
    label: str,
    signal: Signal,
    first: tuple[int, int],
    mode: str,
    measured_at: str,
    several_points: bool,
) -> Rows:
    rows: Rows = [
        [f"Label: {label}"],
        _line("Mode", mode),
        *([_line("Multiple Reads per Well (Circle)", "2 x 2")] if several_points else []),
        *([_line("Measurement Wavelength", 600.0, "nm")] if mode == "Absorbance" else []),
        _line("Integration Time", 200.0, "ms"),
        _line("Part of Plate", part_of(signal, first)),
        ["Start Time:", measured_at],
        [""],
        ["", "Temperature: 21.7 °C"],
    ]
    rows += _points(signal, first) if several_points else plate_rows(signal, first)
    return [*rows, [""], [""], ["End Time:", measured_at], [""]]


def _points(signal: Signal, first: tuple[int, int]) -> Rows:
    """Write a list of wells: the mean, its deviation, two points that lie evenly around it."""
    rows: Rows = [["Well", "Mean", "StDev", "0;1", "1;0"]]
    for row, values in enumerate(signal, first[0]):
        for column, value in enumerate(values, first[1]):
            mean = float(value)
            rows.append([f"{row_letters(row)}{column}", mean, 1.0, mean - 1, mean + 1])
    return rows


def _translate(rows: Rows) -> Rows:
    def word(cell: Cell) -> Cell:
        if not isinstance(cell, str):
            return cell
        name, colon, value = cell.partition(":")
        return f"{_GERMAN.get(name, name)}{colon}{value}"

    # Of the part of the plate no German name is known; its line is found by its form.
    return [[word(cell) for cell in row] for row in rows]
