"""Names of wells: ``A1`` to ``AF48``, row letters without padding, columns from 1.

Exports write the same well as ``A1``, ``a01`` or ``A001``, and label the rows after Z as ``AA`` to
``AF`` or, in some readers, as lowercase ``a`` to ``f``.
"""

import re
from functools import lru_cache

MOST_ROWS = 32
MOST_COLUMNS = 48
FORMATS = {96: (8, 12), 384: (16, 24), 1536: (32, 48)}

_WELL = re.compile(r"([A-Za-z]|[Aa][A-Fa-f])0{0,2}([1-9][0-9]?)")
_LETTERS = tuple(
    [chr(ord("A") + index) for index in range(26)] + ["A" + chr(ord("A") + i) for i in range(6)]
)
_ROW_NUMBERS = {letters: number for number, letters in enumerate(_LETTERS, start=1)}


def row_letters(row: int) -> str:
    """Give the letters of a row.

    Parameters
    ----------
    row : int
        Row number, 1 to 32.

    Examples
    --------
    >>> row_letters(1), row_letters(27), row_letters(32)
    ('A', 'AA', 'AF')
    """
    if not 1 <= row <= MOST_ROWS:
        raise ValueError(f"row must be 1 to {MOST_ROWS}, found {row}")
    return _LETTERS[row - 1]


def row_number(letters: str) -> int | None:
    """Give the number of a row written in capitals, or None if there is no such row.

    Examples
    --------
    >>> row_number("A"), row_number("AF"), row_number("AG"), row_number("a")
    (1, 32, None, None)
    """
    return _ROW_NUMBERS.get(letters)


@lru_cache(maxsize=4096)
def well_name(row: int, column: int) -> str:
    """Give the name of a well.

    Parameters
    ----------
    row, column : int
        Row 1 to 32, column 1 to 48.

    Examples
    --------
    >>> well_name(16, 24)
    'P24'
    """
    if not 1 <= column <= MOST_COLUMNS:
        raise ValueError(f"column must be 1 to {MOST_COLUMNS}, found {column}")
    return f"{row_letters(row)}{column}"


@lru_cache(maxsize=4096)  # more than the wells of the largest plate
def parse_well(text: str) -> tuple[int, int] | None:
    """Give row and column of a well written in any usual way, or None if it is no well.

    Parameters
    ----------
    text : str
        ``A1``, ``a01``, ``A001``, ``AF48``; blanks around it do not matter. A single lowercase
        letter is the row of that letter (``a1`` is ``A1``), never a row after Z.

    Returns
    -------
    tuple of int or None
        Row (1 to 32) and column (1 to 48).

    Examples
    --------
    >>> parse_well("A001"), parse_well(" p24 "), parse_well("AF48")
    ((1, 1), (16, 24), (32, 48))
    >>> parse_well("A0"), parse_well("A49"), parse_well("11")
    (None, None, None)
    """
    match = _WELL.fullmatch(text.strip())
    if match is None:
        return None
    row, column = _ROW_NUMBERS[match.group(1).upper()], int(match.group(2))
    return (row, column) if column <= MOST_COLUMNS else None


def plate_format(rows: int, columns: int) -> int | None:
    """Give the number of wells (96, 384 or 1536) of a full plate of this shape, else None.

    Examples
    --------
    >>> plate_format(16, 24), plate_format(16, 23)
    (384, None)
    """
    return next((wells for wells, shape in FORMATS.items() if shape == (rows, columns)), None)


def smallest_format(row: int, column: int) -> tuple[int, int]:
    """Give rows and columns of the smallest plate that has this well.

    Examples
    --------
    >>> smallest_format(8, 12), smallest_format(9, 2), smallest_format(1, 25)
    ((8, 12), (16, 24), (32, 48))
    """
    return next(shape for shape in FORMATS.values() if row <= shape[0] and column <= shape[1])
