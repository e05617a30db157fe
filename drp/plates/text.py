"""From the bytes of a text file to rows of cells: encoding, line ends, separator.

Nothing here knows what a plate is. Lines are split one by one, because real exports hold
unbalanced quotes which would swallow the rest of the file if it were read as one CSV table.
"""

import csv
from dataclasses import dataclass

MOST_BYTES = 64 * 1024 * 1024
MOST_CELLS = 4_000_000
SEPARATORS = ("\t", ";", ",")

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """The cells of a text file.

    Attributes
    ----------
    rows : list of list of str
        The cells of every line, as printed.
    encoding : str
        ``utf-8``, ``utf-8-sig``, ``utf-16`` or ``cp1252``.
    separator : str
        Field separator; empty if no line holds one.
    terminated : bool
        Whether the last line ends with a line end; if not, the file may have been cut off.
    """

    rows: list[list[str]]
    encoding: str
    separator: str
    terminated: bool


def decode(content: bytes) -> tuple[str, str]:
    r"""Decode a text file by its byte order mark, else as UTF-8, else as Windows' cp1252.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    text, encoding : str
        The text without byte order mark, and what it was decoded with.

    Raises
    ------
    ValueError
        The bytes are text in none of these encodings, or hold NUL characters as binary files do.

    Examples
    --------
    >>> decode(b"\xef\xbb\xbfA1")
    ('A1', 'utf-8-sig')
    >>> decode(b"\xb5M"), decode(b"\xef\xbb\xbf\xb5M")
    (('µM', 'cp1252'), ('µM', 'cp1252'))
    """
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    # Some readers put a mark for UTF-8 before text that they write in cp1252.
    for encoding in (marked,) if marked == "utf-16" else (marked, "cp1252"):
        try:
            text = content.removeprefix(_MARKS[0][0]).decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise ValueError("it holds NUL characters, as binary files do")
        return text, encoding
    known = marked if marked == "utf-16" else "UTF-8 or cp1252"
    raise ValueError(f"its bytes are no text in {known}")


def split_lines(text: str) -> tuple[list[str], bool]:
    r"""Split at CRLF, LF or lone CR, and say whether the last line was ended.

    Examples
    --------
    >>> split_lines("a\r\nb\rc\n")
    (['a', 'b', 'c'], True)
    >>> split_lines("a\nb")
    (['a', 'b'], False)
    """
    # str.splitlines would also split at signs that may stand inside a cell, such as U+2028.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    terminated = lines[-1] == ""
    return (lines[:-1] if terminated else lines), terminated


def find_separator(lines: list[str]) -> str:
    """Give the separator: of tab, semicolon and comma the one that most lines hold.

    A comma may be a decimal sign or stand in a name, so on a tie tab goes before semicolon and
    semicolon before comma.

    Examples
    --------
    >>> find_separator([";1;2", "A;0,5;0,7", "B;0,9;1,1"])
    ';'
    >>> find_separator(["A549"])
    ''
    """
    counts = {sign: sum(sign in line for line in lines) for sign in SEPARATORS}
    best = max(SEPARATORS, key=lambda sign: counts[sign])
    return best if counts[best] else ""


def split_cells(line: str, separator: str) -> list[str]:
    r"""Split one line into its cells; quotes are undone where they are balanced.

    Examples
    --------
    >>> split_cells('A1,"5-azacytidine, fresh",10', ",")
    ['A1', '5-azacytidine, fresh', '10']
    >>> split_cells("A;1;", ";")
    ['A', '1', '']
    """
    if '"' not in line or not separator:
        return line.split(separator) if separator else [line]
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return line.split(separator)


def read_text(content: bytes) -> Text:
    r"""Turn the bytes of a text file into rows of cells.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    ValueError
        It is no text, or it would have more than 4,000,000 cells.

    Examples
    --------
    >>> read_text(b";1;2\r\nA;5;6\r\n").rows
    [['', '1', '2'], ['A', '5', '6']]
    """
    text, encoding = decode(content)
    lines, terminated = split_lines(text)
    separator = find_separator(lines)
    cells = len(lines) + (text.count(separator) if separator else 0)
    if cells > MOST_CELLS:
        raise ValueError(f"it has {cells:,} cells, more than {MOST_CELLS:,}")
    rows = [split_cells(line, separator) for line in lines]
    return Text(rows, encoding, separator, terminated)
