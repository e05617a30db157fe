"""What every writer shares: the shape of a plate, numbers as text, grids, whole files."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from drp.wellnames import MOST_COLUMNS, MOST_ROWS, row_letters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Signal: TypeAlias = Sequence[Sequence[float]] | NDArray[Any]
else:
    Signal = Sequence[Sequence[float]]
Line: TypeAlias = str | list[str]
Cell: TypeAlias = str | float


def plate_shape(signal: Signal) -> tuple[int, int]:
    """Give rows and columns of a plate's signal.

    Raises
    ------
    ValueError
        The rows differ in width, or there are not 1 to 32 rows of 1 to 48 columns.

    Examples
    --------
    >>> plate_shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    """
    widths = {len(values) for values in signal}
    rows, columns = len(signal), widths.pop() if widths else 0
    if widths or not (1 <= rows <= MOST_ROWS and 1 <= columns <= MOST_COLUMNS):
        raise ValueError(
            f"signal must have 1 to {MOST_ROWS} rows of one width, 1 to {MOST_COLUMNS} columns"
        )
    return rows, columns


def check_text(text: str, separator: str) -> None:
    """Refuse a text that would break a line apart.

    Raises
    ------
    ValueError
        It holds the separator or a line break.
    """
    if any(sign in text for sign in (separator, "\r", "\n")):
        raise ValueError(f"{text!r} must hold neither {separator!r} nor a line break")


def number_text(
    value: float, blank: str = "", *, decimals: bool = False, decimal: str = "."
) -> str:
    """Write a number so that reading it gives the same number back.

    Parameters
    ----------
    value : float
        Any number; NaN is written as `blank`.
    blank : str
        What stands for NaN.
    decimals : bool
        Print a decimal point in whole numbers too.
    decimal : {".", ","}
        Decimal sign.

    Examples
    --------
    >>> number_text(12.0), number_text(0.25, decimal=","), number_text(float("nan"), "NA")
    ('12', '0,25', 'NA')
    """
    number = float(value)
    if math.isnan(number):
        return blank
    if number.is_integer() and not decimals:
        return str(int(number))
    return repr(number).replace(".", decimal)


def grid_lines(
    signal: Signal,
    *,
    pad: str = "d",
    decimals: bool = False,
    trailing: bool = False,
    blank: str = "",
    decimal: str = ".",
) -> list[list[str]]:
    """Write a plate as a header of column numbers and lines that begin with row letters.

    Parameters
    ----------
    signal : array, shape (rows, columns)
        Row A first; NaN is written as `blank`.
    pad : str
        Format of column numbers: ``d`` or ``02d``.
    decimals, blank, decimal
        As in `number_text`.
    trailing : bool
        End every line with an empty field.

    Examples
    --------
    >>> grid_lines([[5, 6]], pad="02d")
    [['', '01', '02'], ['A', '5', '6']]
    """
    end = [""] if trailing else []
    columns = len(signal[0])
    lines = [["", *(format(column, pad) for column in range(1, columns + 1)), *end]]
    for row, values in enumerate(signal, start=1):
        cells = (number_text(v, blank, decimals=decimals, decimal=decimal) for v in values)
        lines.append([row_letters(row), *cells, *end])
    return lines


def put_in_place(
    path: str | Path,
    lines: Sequence[Line],
    separator: str,
    line_ending: str,
    encoding: str = "utf-8",
) -> None:
    r"""Write a text file whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    lines : sequence of str or list of str
        Lines, or their fields.
    separator, line_ending : str
        Between fields, and after every line.
    encoding : str
        A codec of Python: ``utf-8``, ``utf-8-sig``, ``utf-16``, ``cp1252`` …

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> put_in_place(path, ["title", ["A", "5"]], ",", "\n")
    >>> path.read_text()
    'title\nA,5\n'
    """
    texts = [line if isinstance(line, str) else separator.join(line) for line in lines]
    put_bytes(path, "".join(text + line_ending for text in texts).encode(encoding))


def put_workbook(path: str | Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
    """Write an xlsx workbook whole or not at all; the same cells give the same bytes.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    sheets : mapping of str to rows of cells
        Sheet name to rows from A1 on. Numbers become number cells, text stays text, ``""`` and
        NaN leave the cell empty. No text is taken as a formula or a link.

    Examples
    --------
    >>> import tempfile
    >>> from drp.plates.workbook import read_workbook
    >>> path = Path(tempfile.mkdtemp()) / "a.xlsx"
    >>> put_workbook(path, {"Data": [["", "note"], ["A", 5.5]]})
    >>> read_workbook(path.read_bytes())["Data"].rows
    [['', 'note'], ['A', '5.5']]
    """
    import datetime
    import io

    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": datetime.datetime(2000, 1, 1)})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    if cell:
                        sheet.write_string(row, column, cell)
                elif not math.isnan(cell):
                    sheet.write_number(row, column, float(cell))
    book.close()
    put_bytes(path, stream.getvalue())


def put_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    target = Path(path)
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, target)  # noqa: PTH105
