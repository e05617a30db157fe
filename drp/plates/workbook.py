"""From the bytes of an xlsx workbook to rows of cells, after a look at what it would cost.

A workbook of five kilobytes can ask for gigabytes, by its archive or by one cell at the far end of
a sheet. So the archive's own directory and the largest cell reference are checked first.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass

from drp.plates import workbook_child

MOST_MEMBERS = 200
MOST_BYTES = 64 * 1024 * 1024
MOST_RATIO = 100
MOST_CELLS = 4_000_000

_PATIENCE_S = 60
_WORKBOOK = "xl/workbook.xml"
# r="B7" of a cell, r="7" of a row and ref="A1:B7" of a sheet, whatever stands around them.
_REFERENCE = re.compile(rb"\br(?:ef)?\s*=\s*[\"']\s*([A-Za-z$]{0,5}[0-9]{1,9}(?::[A-Za-z$0-9]+)?)")
_CORNER = re.compile(rb"\$?([A-Za-z]{0,3})\$?([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a sheet as text from A1 on, and the corners of its merged ranges from 0."""

    rows: list[list[str]]
    merged: list[tuple[int, int, int, int]]


def read_workbook(content: bytes) -> dict[str, Sheet]:
    """Turn an xlsx workbook into the text of its cells, sheet by sheet, at their true places.

    The work is done in a process of its own that may use 2 GB of memory and 20 s of time.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    dict of str to Sheet
        By name; row 0, cell 0 is A1. An empty cell is ``""``, a whole number has no decimal point,
        a date is written as in ISO 8601.

    Raises
    ------
    ValueError
        The archive is damaged, too large unpacked, or no xlsx workbook.
    """
    check_archive(content)
    command = [sys.executable, "-I", workbook_child.__file__]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_PATIENCE_S)  # noqa: S603
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise ValueError("reading it fails, or takes more than 2 GB of memory or 20 s") from None
    if "error" in found:
        raise ValueError(f"it cannot be read as an xlsx workbook ({found['error']})")
    return {
        name: Sheet(rows, [(top, left, bottom, right) for top, left, bottom, right in merged])
        for name, rows, merged in found["sheets"]
    }


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
