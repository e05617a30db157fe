"""Write SkanIt workbooks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from drp.plates.writers.common import Cell, Signal, plate_shape, put_workbook
from drp.wellnames import row_letters

Rows = list[list[Cell]]


def write_skanit(
    path: str | Path,
    plates: Signal | Mapping[str, Signal] | Mapping[str, Mapping[str, Signal]],
    *,
    step: str = "Luminescence 1",
    unit: str = "RLU",
    measured_at: str = "8/23/2024 3:02:30 PM",
    layout: bool = True,
    calculated: bool = True,
    instrument: str = "Varioskan LUX",
) -> None:
    """Write plates as SkanIt exports a session: measured, calculated and general sheets.

    Parameters
    ----------
    path : str or Path
        The workbook to write.
    plates : array, or mapping of str to array or to mapping of str to array
        Signal, row A first, NaN for an empty cell: of one plate; by name of the plate; or by name
        of the plate and wavelength in nm (``"450"``).
    step, unit : str
        Name of the measuring step and the unit in the corner of its grids.
    measured_at : str
        Date and time as the computer prints them.
    layout, calculated : bool
        Write the layout below each grid; write the sheet of a calculating step.
    instrument : str
        Model of the reader.

    Examples
    --------
    >>> import tempfile
    >>> from drp.plates import read_plate
    >>> path = Path(tempfile.mkdtemp()) / "p.xlsx"
    >>> write_skanit(path, {"P1": [[105.4, 111.6]], "P2": [[90.72, float("nan")]]})
    >>> read_plate(path)[["plate", "well", "signal", "locator"]]
      plate well  signal                locator
    0    P1   A1  105.40  Luminescence 1_01!B11
    1    P1   A2  111.60  Luminescence 1_01!C11
    2    P2   A1   90.72  Luminescence 1_01!B22
    3    P2   A2     NaN  Luminescence 1_01!C22
    """
    named = plates if isinstance(plates, Mapping) else {"Plate 1": plates}
    grids: list[tuple[str, str, Signal]] = []
    for name, values in named.items():
        waves = values if isinstance(values, Mapping) else {"0": values}
        grids += [(name, wave, signal) for wave, signal in waves.items()]
    session: Rows = [["Measurement results"], ["session.skax"], [measured_at], [" "], [step]]
    rows = [list(row) for row in session]
    corrected: Rows = [["Calculation results"], *session[1:4], ["Blank Subtraction 1"]]
    for name, wave, signal in grids:
        rows += [*_grid(name, wave, unit, signal), *(_layout(signal) if layout else []), [], []]
        array = np.asarray(signal, dtype=float)
        corrected += [*_grid(name, wave, unit, np.round(array - np.nanmin(array), 4)), [], []]
    sheets: dict[str, Rows] = {f"{step}_01": rows[:-2]}
    if calculated:
        sheets["Blank Subtraction 1_02"] = corrected[:-2]
    device: Cell = instrument
    software = "SkanIt Software 7.0 RE for Microplate Readers RE, ver. 7.0.0.50"
    sheets["Session information"] = [["Session information"], ["", "Execution time", measured_at]]
    sheets["Instrument information"] = [
        ["Instrument information"],
        ["", "Name", "", "", device],
        ["", "Serial number", "", "", "0000-00000"],
    ]
    sheets["General information"] = [
        ["General information"],
        ["", "Report generated with SW version", "", "", software],
    ]
    put_workbook(path, sheets)


def _grid(name: str, wave: str, unit: str, signal: Signal) -> Rows:
    rows, columns = plate_shape(signal)
    letters = [row_letters(row) for row in range(1, rows + 1)]
    lines: Rows = [[f"Wavelength: {wave} nm"], [" "], [name], [" "]]
    lines.append([unit, *(float(column) for column in range(1, columns + 1))])
    lines += [[letter, *map(float, values)] for letter, values in zip(letters, signal, strict=True)]
    return lines


def _layout(signal: Signal) -> Rows:
    rows, columns = plate_shape(signal)
    lines: Rows = [[" "], ["Sample", *(float(column) for column in range(1, columns + 1))]]
    for row in range(1, rows + 1):
        names = [f"Un{(row - 1) * columns + column:04d}" for column in range(1, columns + 1)]
        lines.append([row_letters(row), *names])
    return lines
