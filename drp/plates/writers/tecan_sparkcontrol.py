"""Write exports of Tecan's SparkControl."""

from collections.abc import Mapping
from pathlib import Path

from drp.plates.writers.common import Cell, Signal, plate_shape
from drp.plates.writers.tecan import Rows, part_of, plate_rows, put_rows, wells_of
from drp.wellnames import smallest_format, well_name


def write_tecan_sparkcontrol(
    path: str | Path,
    plates: Mapping[str, Mapping[str, Signal]],
    *,
    first: tuple[int, int] = (1, 1),
    mode: str = "Luminescence",
    listed: bool = True,
    reference: bool = False,
    layout: bool = False,
    measured_at: str = "19/12/2025 15:07",
    separator: str = ",",
    line_ending: str = "\r\n",
    decimal: str = ".",
    encoding: str = "utf-8-sig",
    padded: bool = True,
) -> None:
    """Write plates as a SparkControl export: a workbook with a plate per sheet, or text.

    Parameters
    ----------
    path : str or Path
        The file to write; a workbook if it is called ``.xlsx``. A text holds one plate.
    plates : mapping of str to mapping of str to array, shape (rows, columns)
        Name of the sheet to name of the measurement to signal. NaN is written as a blank.
    first : (int, int)
        Row and column of the first value; only the part from there on is measured.
    mode : str
        ``Luminescence``, ``Absorbance`` or ``Fluorescence Top Reading``.
    listed : bool
        One well per line (True), or the whole plate under ``<>``.
    reference : bool
        With a block at a reference wavelength, 1 everywhere, and one of differences.
    layout : bool
        With a layout of the plate above the measurements.
    measured_at : str
        Date and time as the computer prints it.
    separator, line_ending, decimal, encoding : str
        Of a text.
    padded : bool
        Fill lines of a text with empty fields to one width.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.csv"
    >>> write_tecan_sparkcontrol(path, {"": {"LUM": [[7.0, 8.0]]}})
    >>> [line for line in path.read_text().splitlines() if line.startswith(("<>", "A1", "A2"))]
    ['<>,Value,Time [ms],,,,', 'A1,7,0,,,,', 'A2,8,200,,,,']
    """
    sheets: dict[str, Rows] = {}
    for sheet, reads in plates.items():
        signals = list(reads.values())
        rows = _head(list(reads), mode, signals[0], first, layout)
        for name, signal in reads.items():
            rows += _section(name, signal, first, mode, listed, reference, measured_at)
        sheets[sheet] = rows
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


def _head(
    names: list[str], mode: str, signal: Signal, first: tuple[int, int], layout: bool
) -> Rows:
    rows, columns = plate_shape(signal)
    shape = smallest_format(first[0] + rows - 1, first[1] + columns - 1)
    drawn: Rows = plate_rows([[float("nan")] * shape[1]] * shape[0], (1, 1)) if layout else []
    for row in drawn[1:]:
        row[1:] = [f"SM1_{column}" for column in range(1, shape[1] + 1)]
    script: Rows = [["", mode, "", "", "", "", name] for name in names]
    return [
        ["Method name: viability"],
        _line("Application: SparkControl", "V2.3"),
        _line("Device: Spark", "Serial number: 1000000001"),
        [""],
        _line("Date:", "19/12/2025"),
        _line("Time:", "3:20 PM"),
        _line("User", "READER-PC\\reader"),
        _line("Plate", "[GRE96ft] - Greiner 96 Flat Transparent"),
        [""],
        ["List of actions in this measurement script:"],
        ["Plate"],
        *script,
        [""],
        _line("Name", "GRE96ft"),
        ["Plate layout"],
        *drawn,
        _line("Plate area", part_of([[0.0] * shape[1]] * shape[0], (1, 1))),
        [""],
    ]


def _section(
    name: str,
    signal: Signal,
    first: tuple[int, int],
    mode: str,
    listed: bool,
    reference: bool,
    measured_at: str,
) -> Rows:
    rows: Rows = [
        ["Mode", mode],
        ["Name", name],
        *([_line("Measurement wavelength", 600.0, "nm")] if mode == "Absorbance" else []),
        *([_line("Reference wavelength", 700.0, "nm")] if reference else []),
        _line("Settle time", 50.0, "ms"),
        _line("Part of Plate", part_of(signal, first)),
        [""],
        _line("Start Time", measured_at),
        _line("Temperature", "28.5", "°C"),
        [""],
    ]
    rows += _values(signal, first, listed)
    if reference:
        ones = [[1.0] * len(signal[0]) for _ in signal]
        less = [[float(value) - 1 for value in values] for values in signal]
        rows += [[""], ["Reference"], *_values(ones, first, listed)]
        rows += [[""], ["Difference"], *_values(less, first, listed)]
    return [*rows, [""], [""], _line("End Time", measured_at), [""]]


def _values(signal: Signal, first: tuple[int, int], listed: bool) -> Rows:
    if not listed:
        return plate_rows(signal, first, whole=True)
    rows: Rows = [["<>", "Value", "Time [ms]"]]
    for number, (well, value) in enumerate(wells_of(signal, first)):
        rows.append([well_name(*well), value, 200.0 * number])
    return rows
