"""Write EnVision exports."""

from pathlib import Path

from drp.plates.writers.common import (
    Line,
    Signal,
    check_text,
    grid_lines,
    plate_shape,
    put_in_place,
)
from drp.wellnames import row_letters

_CALCULATION = "Calc 1: Crosstalk = Crosstalk correction where Label : {read} channel 1"
_CONDITIONS = (
    "Measured height",
    "Chamber temperature at start",
    "Chamber temperature at end",
    "Humidity at start",
    "Humidity at end",
    "Ambient temperature at start",
    "Ambient temperature at end",
)
_MEASUREMENT = ("Group", "Label", "ScanX", "ScanY", "Measinfo", "Kinetics", "Measurement date")
_BACKGROUND = ("Plate", "Label", "Result", "Signal", "Flashes/Time", "Meastime", "MeasInfo")


def write_envision(
    path: str | Path,
    signal: Signal,
    *,
    label: str = "LUM 384",
    measured_at: str = "11/03/2025 10:15:00 AM",
    comment: str | None = None,
    plate_number: int = 1,
    barcode: str = "",
    separator: str = ";",
    line_ending: str = "\r\n",
    information_last: bool = True,
) -> None:
    """Write one plate as an EnVision export with a calculated and a measured block.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    signal : array, shape (rows, columns)
        Signal in counts per second, row A first; NaN is written as a blank cell. At most 32 rows
        and 48 columns. Whole numbers are printed without a decimal point in the measured block.
    label : str
        Name of the measurement; the block is titled ``Results for {label}(1) - channel 0 (CPS)``.
    measured_at : str
        Date and time as the instrument prints it, month first.
    comment : str, optional
        Free text for the protocol notes, one line without the separator.
    plate_number : int
        Place of the plate in the stack, from 1; not an identity.
    barcode : str
        Barcode of the plate; empty as with an instrument without a barcode reader.
    separator, line_ending : str
        Field separator and end of every line.
    information_last : bool
        Plate information below the grid it belongs to (True) or above it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.csv"
    >>> write_envision(path, [[1083480, float("nan")], [20, 21.5]])
    >>> lines = path.read_text().splitlines()
    >>> lines[lines.index("Results for LUM 384(1) - channel 0 (CPS)"):][:4]
    ['Results for LUM 384(1) - channel 0 (CPS)', ';01;02;', 'A;1083480;;', 'B;20;21.5;']
    """
    rows, columns = plate_shape(signal)
    read = f"{label}(1)"
    for text in (label, measured_at, barcode, comment or ""):
        check_text(text, separator)
    about = [str(plate_number), "1", barcode]
    calculated = _information(about, "", measured_at, _CALCULATION.format(read=read))
    measured = _information(about, read, measured_at, "")
    background: list[Line] = ["Background information", [*_BACKGROUND, ""]]
    background.append([str(plate_number), label, "0", "0", "0.1", "00:00:00.000", "Ex=N/A", ""])
    titles = (
        f"Calculated results: {_CALCULATION.format(read=read)}",
        f"Results for {read} - channel 0 (CPS)",
    )
    lines: list[Line] = []
    for title, information, decimals in (
        (titles[0], calculated, True),
        (titles[1], measured, False),
    ):
        grid: list[Line] = [
            title,
            *grid_lines(signal, pad="02d", decimals=decimals, trailing=True),
        ]
        about_plate = [*information, "", *background]
        parts = (grid, about_plate) if information_last else (about_plate, grid)
        lines += [*parts[0], "", *parts[1], ""]
    lines += _footer(rows, columns, read, measured_at, comment, information_last)
    put_in_place(path, lines, separator, line_ending)


def _information(about: list[str], read: str, measured_at: str, formula: str) -> list[Line]:
    """Give the plate information: of a measured block, or of a calculated one if `formula`."""
    unknown = ["N/A"] * len(_CONDITIONS)
    names: tuple[str, ...] = _MEASUREMENT
    values = ["1", read, "0", "0", "Ex=N/A", "0", measured_at]
    if formula:
        names, values = ("Formula", "Measurement date"), [formula, measured_at]
    return [
        "Plate information ",
        ["Plate", "Repeat", "Barcode", *_CONDITIONS, *names, ""],
        [*about, *unknown, *values, ""],
    ]


def _footer(
    rows: int,
    columns: int,
    read: str,
    measured_at: str,
    comment: str | None,
    information_last: bool,
) -> list[Line]:
    def line(name: str, value: str) -> list[str]:
        return [name, "", "", "", value]

    empty = [["", *(f"{column:02d}" for column in range(1, columns + 1)), ""]]
    empty += [[row_letters(row), *["- "] * columns, ""] for row in range(1, rows + 1)]
    return [
        "",
        "Basic assay information ",
        line("Assay ID: ", "1"),
        line("Assay Started: ", measured_at),
        line("Assay Finished: ", "N/A"),
        line("Protocol Name: ", "Luminescence"),
        "",
        "Protocol information",
        line("Number of plate repeats", "1"),
        line("Rotated plate", "No"),
        line("Protocol notes", comment or " "),
        "",
        "Plate type:",
        line("Name of the plate type", f"{rows * columns} General"),
        line("Number of rows", str(rows)),
        line("Number of columns", str(columns)),
        line("Number of the wells in the plate", str(rows * columns)),
        "",
        "Platemap:",
        line("Plate", "1"),
        line("Group", "1"),
        "",
        *empty,
        "",
        " - - Undefined",
        "",
        "Calculations:",
        line(" Formula", _CALCULATION.format(read=read)),
        "",
        "Auto export parameters:",
        line("Export format", "Plate2"),
        line(
            "Place plate information at",
            "End of plate" if information_last else "Beginning of plate",
        ),
        "",
        "Exported with EnVision Workstation version 1.13.3009.1409",
    ]
