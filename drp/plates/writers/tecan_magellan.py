"""Write exports of Tecan's Magellan."""

from collections.abc import Mapping
from pathlib import Path

from drp.plates.writers.common import Signal, plate_shape
from drp.plates.writers.tecan import Rows, put_rows, wells_of
from drp.wellnames import well_name

_WAVELENGTHS = (595, 700, 450, 492)


def write_tecan_magellan(
    path: str | Path,
    reads: Mapping[str, Signal],
    *,
    first: tuple[int, int] = (1, 1),
    plate: str = "",
    conditions: bool = False,
    difference: bool = False,
    separator: str = "\t",
    line_ending: str = "\r\n",
    decimal: str = ".",
    encoding: str = "utf-8",
) -> None:
    """Write one plate as a Magellan export: a list of wells column by column, then the run.

    Parameters
    ----------
    path : str or Path
        The file to write; a workbook if it is called ``.xlsx``, else text.
    reads : mapping of str to array, shape (rows, columns)
        Name of the column (``Raw data``, or ``Label1``, ``Label2``) to signal; all of one shape.
        NaN is written as a blank cell.
    first : (int, int)
        Row and column of the first value.
    plate : str
        Name of the plate, for a column ``Plate``; empty for none.
    conditions : bool
        With time and temperature below the header.
    difference : bool
        With a calculated column ``Difference data``.
    separator, line_ending, decimal, encoding : str
        Of a text.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.txt"
    >>> write_tecan_magellan(path, {"Raw data": [[0.5], [0.7]]})
    >>> [line.split() for line in path.read_text().splitlines()[1:3]]
    [['0.5', 'A1'], ['0.7', 'B1']]
    """
    shapes = {plate_shape(signal) for signal in reads.values()}
    if len(shapes) != 1:
        raise ValueError("all reads of a plate must have the same shape")
    columns = {name: dict(wells_of(signal, first)) for name, signal in reads.items()}
    if difference:
        own = next(iter(columns.values()))
        columns["Difference data"] = {well: value - 1 for well, value in own.items()}
    names = [*columns, "Well positions", *(["Plate"] if plate else [])]
    rows: Rows = [[*names]]
    if conditions:
        rows += [["0s"] * len(reads), ["24.8 °C"] * len(reads)]
    wells = sorted(next(iter(columns.values())), key=lambda well: (well[1], well[0]))
    for well in wells:
        values = [column[well] for column in columns.values()]
        rows.append([*values, well_name(*well), *([plate] if plate else [])])
    put_rows(
        path,
        {"Magellan Sheet 1": [*rows, *_run(list(reads))]},
        separator=separator,
        line_ending=line_ending,
        decimal=decimal,
        encoding=encoding,
        padded=True,
    )


def _run(names: list[str]) -> Rows:
    lines = [
        "Date of measurement: 2025-07-06/Time of measurement: 09:43:07",
        "viability.mth",
        "06072025-001.wsp",
        "Unknown user",
        "infinite F50",
        "Instrument serial number: 1000000001",
    ]
    for number, _ in enumerate(names):
        lines += [f"Measurement {number + 1}."] if len(names) > 1 else []
        lines += [
            "Measurement mode: Absorbance",
            f"Measurement wavelength: {_WAVELENGTHS[number % len(_WAVELENGTHS)]} nm",
            "Plate definition file: GRE96ft.pdf",
            "Unit: OD",
        ]
    lines += [f"Meas. temperature: {name}: 23.4 °C" for name in names]
    return [[line] for line in lines]
