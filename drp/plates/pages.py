"""Open an export or a layout: one or more pages of cells that know where they stand in the file.

A text file has one page; a workbook has one for each sheet. What the file is, its content says, not
its name.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from drp.plates.text import MOST_BYTES, read_text
from drp.plates.workbook import column_letters, read_workbook
from drp.problems import Place, Problems

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of cells with their places.

    Attributes
    ----------
    rows : list of list of str
        The cells as printed. In a text file rows may differ in width; in a sheet they do not.
    sheet : str
        Name of the sheet; empty for a text file.
    terminated : bool
        False if the last line of a text file has no line end.
    merged : list of tuple of int
        Top, left, bottom and right of each merged range of a sheet, from 0.
    """

    rows: list[list[str]]
    sheet: str = ""
    terminated: bool = True
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)

    def cell(self, row: int, column: int) -> str:
        """Say where a cell stands; both indices count from 0.

        Examples
        --------
        >>> Page([["a", "b"]]).cell(0, 1), Page([["a", "b"]], "Data").cell(0, 1)
        ('line 1 field 2', 'Data!B1')
        """
        if self.sheet:
            return f"{self.sheet}!{column_letters(column + 1)}{row + 1}"
        return f"line {row + 1} field {column + 1}"

    def cells(self, row: int, first: int, count: int) -> list[str]:
        """Say where neighbouring cells of a row stand; `row` and `first` count from 0.

        Examples
        --------
        >>> Page([["a", "b", "c"]]).cells(0, 1, 2)
        ['line 1 field 2', 'line 1 field 3']
        """
        if self.sheet:
            return [self.cell(row, column) for column in range(first, first + count)]
        head = f"line {row + 1} field "
        return [head + str(number) for number in range(first + 1, first + 1 + count)]

    def line(self, row: int) -> str:
        """Say where a row stands; the index counts from 0.

        Examples
        --------
        >>> Page([["a"]]).line(0), Page([["a"]], "Data").line(0)
        ('line 1', 'Data row 1')
        """
        return f"{self.sheet} row {row + 1}" if self.sheet else f"line {row + 1}"

    def is_blank(self, row: int) -> bool:
        """Say whether every cell of a row is blank.

        Examples
        --------
        >>> Page([["", " "]]).is_blank(0)
        True
        """
        return not any(cell.strip() for cell in self.rows[row])


@dataclass(slots=True)
class Source:
    """A file that was opened: its name, the SHA-256 of its bytes, its bytes, its pages."""

    file: str
    sha256: str
    pages: list[Page] = field(default_factory=list)
    content: bytes = field(default=b"", repr=False)

    @property
    def stem(self) -> str:
        """The file name without its extension, fit to be an id."""
        return safe_id(Path(self.file).stem)


def safe_id(text: str) -> str:
    """Make an id from any text: letters, digits, ``.``, ``_``, ``-``; at most 64 signs.

    Examples
    --------
    >>> safe_id("Plate 7 (repeat)"), safe_id("../../etc"), safe_id("??")
    ('Plate_7_repeat', 'etc', 'plate')
    """
    return _UNSAFE.sub("_", text).strip("._-")[:64] or "plate"


def open_source(path: str | Path, area: str, found: Problems) -> Source | None:
    """Read a file into pages of cells.

    Parameters
    ----------
    path : str or Path
        A text file (tab, semicolon or comma) or an xlsx workbook of at most 64 MB.
    area : {"plate", "layout"}
        First half of the codes of the problems.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    Source or None
        None if the file cannot be used at all; `found` then says why.
    """
    path = Path(path)
    where = Place(path.name)
    try:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path.name}")
        too_large = path.stat().st_size > MOST_BYTES
        content = b"" if too_large else path.read_bytes()
    except OSError as error:
        found.error(f"{area}.unreadable", where, _reason(error), "Check the name and the rights.")
        return None
    if too_large:
        text = f"the file has more than {MOST_BYTES:,} bytes"
        found.error(f"{area}.too-large", where, text, "An export of a few plates is far smaller.")
        return None
    if not content.strip():
        found.error(f"{area}.empty", where, "the file is empty", "Export the plate again.")
        return None
    source = Source(path.name, hashlib.sha256(content).hexdigest(), content=content)
    try:
        source.pages = _pages(content, area, where, found)
    except ValueError as error:
        text = f"the file cannot be used: {error}"
        fix = "Save it as a plain xlsx workbook or as a text file (CSV, TSV)."
        found.error(f"{area}.unusable-file", where, text, fix)
        return None
    return source


def _pages(content: bytes, area: str, where: Place, found: Problems) -> list[Page]:
    if content.startswith(_OLD_EXCEL):
        raise ValueError("it is a workbook of the old xls kind or a protected one")
    if content.startswith(_ZIP):
        sheets = read_workbook(content)
        return [Page(sheet.rows, name, merged=sheet.merged) for name, sheet in sheets.items()]
    text = read_text(content)
    if text.encoding == "cp1252":
        found.warning(
            f"{area}.encoding",
            where,
            "the text is not UTF-8 and was read as Windows-1252",
            "Check letters such as µ and °, or save the file as UTF-8.",
        )
    return [Page(text.rows, terminated=text.terminated)]


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
