"""Tidy tables: find the line with the names of the columns, and read the lines below by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from drp.plates.pages import Page, Source
from drp.wellnames import parse_well

_NOISE = re.compile(r"[\s_.\-]+")


@dataclass(frozen=True, slots=True)
class Tidy:
    """A tidy table on a page.

    Attributes
    ----------
    page : Page
        The page it stands on.
    header : int
        Index of the line with the names.
    cells : dict of str to int
        Our name of a column to the index of its cell.
    twice : list of str
        Columns that mean the same as another one, as ``role`` and ``WellType`` do.
    """

    page: Page
    header: int
    cells: dict[str, int]
    twice: list[str]

    def rows(self) -> list[int]:
        """Give the index of every line below the header that is not blank."""
        first = self.header + 1
        return [row for row in range(first, len(self.page.rows)) if not self.page.is_blank(row)]

    def text(self, row: int, column: str) -> str:
        """Give a cell as printed; empty where the column or the cell is absent."""
        cell = self.cells.get(column)
        cells = self.page.rows[row]
        return cells[cell] if cell is not None and cell < len(cells) else ""

    def place(self, row: int, column: str) -> str:
        """Say where a cell stands."""
        return self.page.cell(row, self.cells[column])

    def width(self) -> int:
        """Give the number of cells of the header."""
        return len(self.page.rows[self.header])

    def well(self, row: int) -> tuple[int, int] | None:
        """Give row and column of the well of a line, or None if it names no well."""
        return parse_well(self.well_text(row))

    def well_text(self, row: int) -> str:
        """Give the well of a line as printed, from one column or from two."""
        if "well" in self.cells:
            return self.text(row, "well").strip()
        return self.text(row, "row").strip() + self.text(row, "column").strip()


def find_tidy(
    source: Source, synonyms: Mapping[str, tuple[str, ...]], needed: tuple[str, ...]
) -> list[Tidy]:
    """Find the tidy tables of a file: on each page the first line that is not blank.

    Parameters
    ----------
    source : Source
        The opened file.
    synonyms : mapping of str to tuple of str
        Our name of a column to the names it may have, in `plain_name`'s form.
    needed : tuple of str
        Columns without which a table is none of this kind. ``well`` also stands for the two
        columns ``row`` and ``column``.

    Examples
    --------
    >>> page = Page([["Well ID", "Signal"], ["A1", "7"]])
    >>> names = {"well": ("well", "wellid"), "value": ("value", "signal")}
    >>> find_tidy(Source("p.csv", "", [page]), names, ("well", "value"))[0].cells
    {'well': 0, 'value': 1}
    """
    ours = {name: column for column, names in synonyms.items() for name in names}
    tables = []
    for page in source.pages:
        header = next((row for row in range(len(page.rows)) if not page.is_blank(row)), None)
        if header is None:
            continue
        cells: dict[str, int] = {}
        twice = []
        for cell, text in enumerate(page.rows[header]):
            column = ours.get(plain_name(text))
            if column in cells:
                twice.append(text.strip())
            elif column:
                cells[column] = cell
        have = {*cells, "well"} if {"row", "column"} <= set(cells) else set(cells)
        if set(needed) <= have:
            tables.append(Tidy(page, header, cells, twice))
    return tables


def plain_name(text: str) -> str:
    """Bring a column name to its plain form: lower case, without blanks, dots and dashes.

    Examples
    --------
    >>> plain_name("Well_ID"), plain_name("dose unit")
    ('wellid', 'doseunit')
    """
    return _NOISE.sub("", text).lower()
