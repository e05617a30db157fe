"""Write workbooks of BMG SMART Control."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drp.plates.writers.bmg_mars import titled_blocks
from drp.plates.writers.common import Cell, Signal, put_workbook
from drp.wellnames import row_letters

Rows = list[list[Cell]]


def write_bmg_smart_control(
    path: str | Path,
    signal: Signal | Mapping[str, Signal],
    *,
    mode: str = "Fluorescence (FI)",
    barcode: str = "",
    date: str = "11/12/2024",
    time: str = "1:06:28 PM",
    microplate: bool = True,
    table: bool = True,
) -> None:
    """Write one plate as SMART Control exports it, with layout and blank-corrected values.

    Parameters
    ----------
    path : str or Path
        The workbook to write.
    signal : array, shape (rows, columns), or mapping of str to array
        Signal of row A first; NaN leaves the cell empty. A mapping gives a block for each filter
        (``480-14/520-30``); else the filter is ``No filter``.
    mode : str
        ``Luminescence``, ``Absorbance``, ``Fluorescence (FI)``.
    barcode : str
        Written as ``ID1``.
    date, time : str
        As the computer prints them.
    microplate, table : bool
        Which of the two views to write: ``Microplate End point``, ``Table End point``.

    Examples
    --------
    >>> import tempfile
    >>> from drp.plates import read_plate
    >>> path = Path(tempfile.mkdtemp()) / "p.xlsx"
    >>> write_bmg_smart_control(path, {"480-14/520-30": [[8168026, 8558760]]})
    >>> read_plate(path)[["well", "signal", "locator"]]
      well     signal                   locator
    0   A1  8168026.0  Microplate End point!B26
    1   A2  8558760.0  Microplate End point!C26
    """
    titled, shape = titled_blocks(signal, corrected=True, together=False)
    about: Rows = [
        ["User: user"],
        ["Path: C:\\BMG\\SMART Control\\user\\Data"],
        ["Test ID: 11"],
        ["Test Name: Viability"],
        [f"Date: {date}"],
        [f"Time: {time}"],
        [f"ID1: {barcode}"],
        ["ID2: "],
        ["ID3: Plate 2"],
        [mode],
    ]
    protocol: Rows = [[" Basic settings "], ["Measurement type:", mode], ["Microplate name:", "96"]]
    sheets: dict[str, Rows] = {}
    if microplate:
        sheets["Microplate End point"] = [[], [], *about, [], [], [], *_microplate(titled, shape)]
    if table:
        sheets["Table End point"] = [*about, [], [], *_table(titled, shape)]
    sheets["Protocol Information"] = [*about, [], [], *protocol]
    put_workbook(path, sheets)


def _microplate(titled: Mapping[str, NDArray[np.float64]], shape: tuple[int, int]) -> Rows:
    n_rows, n_columns = shape
    header: list[Cell] = ["", *(str(column) for column in range(1, n_columns + 1))]
    letters = [row_letters(row) for row in range(1, n_rows + 1)]
    contents: Rows = [
        [letter, *(f"X{row * n_columns + column}" for column in range(n_columns))]
        for row, letter in enumerate(letters)
    ]
    rows: Rows = [["", "1. Layout"], [*header, "", "Plate: NUNC 96"], *contents, []]
    rows += [["", "2. Dilutions"], [*header, "", "Plate: NUNC 96"]]
    rows += [[letter, *[1.0] * n_columns] for letter in letters]
    for number, (title, values) in enumerate(titled.items(), start=3):
        note = ["", "Average of all blanks used"] if title.startswith("Blank") else []
        rows += [[], ["", f"{number}. {title}"], [*header, *note]]
        rows += [[letter, *cells] for letter, cells in zip(letters, values.tolist(), strict=True)]
    return rows


def _table(titled: Mapping[str, NDArray[np.float64]], shape: tuple[int, int]) -> Rows:
    n_rows, n_columns = shape
    wells = [
        f"{row_letters(row)}{column:02d}"
        for row in range(1, n_rows + 1)
        for column in range(1, n_columns + 1)
    ]
    rows: Rows = [
        ["Well", *wells],
        ["Content", *(f"Sample X{number}" for number in range(len(wells)))],
        ["Dilutions", *[1.0] * len(wells)],
    ]
    rows += [[f" {title}", *values.ravel().tolist()] for title, values in titled.items()]
    return rows
