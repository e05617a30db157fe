"""What the writers of Tecan's dialects share: plates under ``<>``, parts of plates, lines."""

from collections.abc import Iterator
from pathlib import Path

from drp.plates.writers.common import (
    Cell,
    Line,
    Signal,
    check_text,
    number_text,
    plate_shape,
    put_in_place,
    put_workbook,
)
from drp.wellnames import row_letters, smallest_format, well_name

Rows = list[list[Cell]]


def part_of(signal: Signal, first: tuple[int, int]) -> str:
    """Name the part of the plate that a signal covers when its first value lies in `first`.

    Examples
    --------
    >>> part_of([[1, 2, 3], [4, 5, 6]], (2, 2))
    'B2-C4'
    """
    rows, columns = plate_shape(signal)
    return f"{well_name(*first)}-{well_name(first[0] + rows - 1, first[1] + columns - 1)}"


def plate_rows(signal: Signal, first: tuple[int, int], *, whole: bool = False) -> Rows:
    """Write a plate under ``<>``, only the part measured or the `whole` plate around it.

    Examples
    --------
    >>> plate_rows([[5.0]], (2, 3))
    [['<>', 3.0], ['B', 5.0]]
    """
    rows, columns = plate_shape(signal)
    top, left = (1, 1) if whole else first
    last = (first[0] + rows - 1, first[1] + columns - 1)
    bottom, right = smallest_format(*last) if whole else last
    values = dict(wells_of(signal, first))
    header: list[Cell] = ["<>", *map(float, range(left, right + 1))]
    return [
        header,
        *(
            [row_letters(row), *(values.get((row, c), "") for c in range(left, right + 1))]
            for row in range(top, bottom + 1)
        ),
    ]


def wells_of(signal: Signal, first: tuple[int, int]) -> Iterator[tuple[tuple[int, int], float]]:
    """Give row and column of every value, row by row."""
    for row, values in enumerate(signal, first[0]):
        for column, value in enumerate(values, first[1]):
            yield (row, column), float(value)


def put_rows(
    path: str | Path,
    sheets: dict[str, Rows],
    *,
    separator: str,
    line_ending: str,
    decimal: str,
    encoding: str,
    padded: bool,
) -> None:
    """Write a workbook if the file is called ``.xlsx``, else text, one sheet after the other.

    Parameters
    ----------
    path : str or Path
        The file to write.
    sheets : dict of str to rows
        Name of the sheet to its rows; in text the names do not appear.
    separator, line_ending, decimal, encoding : str
        Of a text.
    padded : bool
        Fill every line of a text with empty fields to the width of the widest.
    """
    if Path(path).suffix.lower() == ".xlsx":
        put_workbook(path, sheets)
        return
    rows = [row for sheet in sheets.values() for row in sheet]
    width = max(map(len, rows)) if padded else 0
    lines: list[Line] = []
    for row in rows:
        fields = [c if isinstance(c, str) else number_text(c, decimal=decimal) for c in row]
        fields = [_quoted(text, separator) for text in fields]
        lines.append([*fields, *[""] * (width - len(fields))])
    put_in_place(path, lines, separator, line_ending, encoding)


def _quoted(text: str, separator: str) -> str:
    """Put a text that holds the separator in quotes, as spreadsheets do."""
    check_text(text, "\n")
    return f'"{text}"' if separator in text else text
