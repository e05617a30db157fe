"""Write BMG MARS exports."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drp.plates.writers.common import (
    Line,
    Signal,
    check_text,
    number_text,
    plate_shape,
    put_in_place,
)
from drp.wellnames import row_letters, well_name

_LAST_CAPITAL = 26


def write_bmg_mars(
    path: str | Path,
    signal: Signal | Mapping[str, Signal],
    *,
    mode: str = "Luminescence",
    barcode: str = "",
    date: str = "10/16/2024",
    time: str = "3:09:52 PM",
    rows: Sequence[int] | None = None,
    blank_corrected: bool = True,
    table: bool = False,
    padded: bool = True,
    trimmed: bool = False,
    lowercase: bool = True,
    separator: str = ",",
    decimal: str = ".",
    line_ending: str = "\r\n",
) -> None:
    r"""Write one plate as MARS exports it: header lines, raw data, blank-corrected values.

    Parameters
    ----------
    path : str or Path
        The file to write.
    signal : array, shape (rows, columns), or mapping of str to array
        Signal of row A first; NaN is a blank cell, that is a well that was not read. A mapping
        gives a block for each filter (``450``, ``485/520``); else the filter is ``No filter``.
    mode : str
        ``Luminescence``, ``Absorbance``, ``Fluorescence (FI)``.
    barcode : str
        Written as ``ID1``.
    date, time : str
        As the computer prints them.
    rows : sequence of int, optional
        The row numbers to print, in that order; by default all.
    blank_corrected : bool
        Add a calculated block for each raw one.
    table : bool
        One line per well instead of the grid of a plate.
    padded : bool
        Fill every line with separators to the width of the plate.
    trimmed : bool
        Leave out blank cells at the end of a row.
    lowercase : bool
        Rows after Z as ``a`` to ``f``, not ``AA`` to ``AF``.
    separator, decimal, line_ending : str
        Field separator, decimal sign, end of every line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "p.csv"
    >>> write_bmg_mars(path, [[985, 831], [79187, float("nan")]], blank_corrected=False)
    >>> path.read_text().splitlines()[-5:]
    ['Raw Data (No filter),,', ',,', ',1,2', 'A,985,831', 'B,79187,']
    """
    titled, (n_rows, n_columns) = titled_blocks(signal, corrected=blank_corrected)
    for text in (mode, barcode, date, time, *titled):
        check_text(text, separator)
    lines = [
        ["User: USER", "Path: C:\\BMG\\User\\Data", "Test run no.: 412"],
        ["Test name: Viability", f"Date: {date}", f"Time: {time}"],
        [""],
        [f"ID1: {barcode}", "ID2:", "ID3:"],
        [mode],
        [""],
    ]
    printed = list(rows or range(1, n_rows + 1))
    if table:
        lines += _wells(titled, printed, decimal)
    else:
        lines += _grids(titled, printed, decimal, lowercase, trimmed)
    width = n_columns + 1 if padded and not trimmed and not table else 0
    filled: list[Line] = [line + [""] * (width - len(line)) for line in lines]
    put_in_place(path, filled, separator, line_ending)


def titled_blocks(
    signal: Signal | Mapping[str, Signal], *, corrected: bool, together: bool = True
) -> tuple[dict[str, NDArray[np.float64]], tuple[int, int]]:
    """Give the blocks of values by title, raw and blank-corrected, and the shape of the plate.

    Parameters
    ----------
    signal : array, or mapping of str to array
        As in `write_bmg_mars`.
    corrected : bool
        Add blank-corrected blocks: the lowest signal is taken as the blank.
    together : bool
        Each corrected block after its raw one (True), or all of them at the end.

    Raises
    ------
    ValueError
        The blocks differ in shape, or one has not the shape of a plate.

    Examples
    --------
    >>> blocks, shape = titled_blocks([[5.0, 7.0]], corrected=True)
    >>> list(blocks), shape
    (['Raw Data (No filter)', 'Blank corrected based on Raw Data (No filter)'], (1, 2))
    """
    blocks = signal if isinstance(signal, Mapping) else {"No filter": signal}
    shapes = {plate_shape(values) for values in blocks.values()}
    if len(shapes) != 1:
        raise ValueError("all blocks must have the shape of one plate")
    raw: dict[str, NDArray[np.float64]] = {}
    late: dict[str, NDArray[np.float64]] = {}
    for name, values in blocks.items():
        array = np.asarray(values, dtype=float)
        raw[f"Raw Data ({name})"] = array
        if corrected:
            difference = np.round(array - np.nanmin(array), 3)
            (raw if together else late)[f"Blank corrected based on Raw Data ({name})"] = difference
    return raw | late, shapes.pop()


def _grids(
    titled: Mapping[str, NDArray[np.float64]],
    rows: Sequence[int],
    decimal: str,
    lowercase: bool,
    trimmed: bool,
) -> list[list[str]]:
    lines: list[list[str]] = []
    for title, values in titled.items():
        numbers = [str(column) for column in range(1, values.shape[1] + 1)]
        lines += [[title], [""], ["", *numbers]]
        for row in rows:
            cells = [number_text(value, decimal=decimal) for value in values[row - 1]]
            while trimmed and cells and not cells[-1]:
                del cells[-1]
            label = row_letters(row)
            if lowercase and row > _LAST_CAPITAL:
                label = label[1:].lower()
            lines.append([label, *cells])
        lines.append([""])
    return lines[:-1]


def _wells(
    titled: Mapping[str, NDArray[np.float64]], rows: Sequence[int], decimal: str
) -> list[list[str]]:
    lines = [["Well", "Content", *titled]]
    n_columns = next(iter(titled.values())).shape[1]
    for row in rows:
        for column in range(1, n_columns + 1):
            cells = [values[row - 1, column - 1] for values in titled.values()]
            if not np.isnan(cells).all():
                label = f"{row_letters(row)}{column:02d}"
                texts = [number_text(value, decimal=decimal) for value in cells]
                lines.append([label, f"Sample {well_name(row, column)}", *texts])
    return lines
