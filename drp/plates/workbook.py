"""From the bytes of an xlsx workbook to rows of cells, after a look at what it would cost.

A workbook of five kilobytes can ask for gigabytes, by its archive or by one cell at the far end of
a sheet. So the archive's own directory and the largest cell reference are checked first.
"""

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterable

MOST_MEMBERS = 200
MOST_BYTES = 64 * 1024 * 1024
MOST_RATIO = 100
MOST_CELLS = 4_000_000

_WORKBOOK = "xl/workbook.xml"
# r="B7" of a cell, r="7" of a row and ref="A1:B7" of a sheet, whatever stands around them.
_REFERENCE = re.compile(rb"\br(?:ef)?\s*=\s*[\"']\s*([A-Za-z$]{0,5}[0-9]{1,9}(?::[A-Za-z$0-9]+)?)")
_CORNER = re.compile(rb"\$?([A-Za-z]{0,3})\$?([0-9]{1,9})")


def read_workbook(content: bytes) -> dict[str, list[list[str]]]:
    """Turn an xlsx workbook into the text of its cells, sheet by sheet, at their true places.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    dict of str to list of list of str
        Sheet name to rows of cells; row 0, cell 0 is A1. An empty cell is ``""``, a whole number
        has no decimal point, a date is written as in ISO 8601.

    Raises
    ------
    ValueError
        The archive is damaged, too large unpacked, or no xlsx workbook.
    """
    check_archive(content)
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {
            # Without this option leading blank rows and columns are cut off and wells shift.
            name: _texts(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in workbook.sheet_names
        }
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        raise ValueError(f"it cannot be read as an xlsx workbook ({error})") from error


def check_archive(content: bytes) -> None:
    """Refuse an archive that is no xlsx workbook or would cost too much memory.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    ValueError
        With the reason: more than 200 members, more than 64 MB unpacked, more than 100 times its
        packed size, more than 4,000,000 cells from A1 to the last one in a sheet, or an XML
        document type (which a workbook never needs).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_directory(archive)
            for member in archive.infolist():
                _check_member(member.filename, archive.read(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"its archive is damaged or protected ({error})") from error


def _check_directory(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if _WORKBOOK not in archive.namelist():
        raise ValueError("it is an archive, but not an xlsx workbook")
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"its archive has {len(members)} members, more than {MOST_MEMBERS}")
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MOST_BYTES or total > MOST_RATIO * max(packed, 1):
        raise ValueError(
            f"unpacked it has {total:,} bytes, {total // max(packed, 1)} times its packed size; "
            f"allowed are {MOST_BYTES:,} bytes and {MOST_RATIO} times"
        )


def _check_member(name: str, content: bytes) -> None:
    if name.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in content or b"\0" in content):
        raise ValueError(f"{name} declares an XML document type or is not UTF-8")
    if b"sheetData" not in content:
        return
    rows = columns = 1
    for reference in set(_REFERENCE.findall(content)):
        for letters, number in _CORNER.findall(reference):
            rows, columns = max(rows, int(number)), max(columns, column_number(letters.decode()))
    if rows * columns > MOST_CELLS:
        raise ValueError(
            f"{name} reaches to cell {column_letters(columns)}{rows}, "
            f"that is {rows * columns:,} cells, more than {MOST_CELLS:,}"
        )


def column_letters(column: int) -> str:
    """Give a sheet column's letters.

    Examples
    --------
    >>> column_letters(1), column_letters(27), column_letters(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Give a sheet column's number, 0 for no letters.

    Examples
    --------
    >>> column_number("A"), column_number("XFD"), column_number("")
    (1, 16384, 0)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _texts(rows: Iterable[Iterable[object]]) -> list[list[str]]:
    return [[_text(value) for value in row] for row in rows]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
