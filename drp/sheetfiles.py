"""One sheet as a file: tab-separated lines under a header of known columns."""

import csv
from pathlib import Path

from drp.privacy import personal_column
from drp.problems import Place, Problems

Row = dict[str, str]


def read_sheet(
    path: Path,
    required: tuple[str, ...],
    further: tuple[str, ...],
    optional: bool,
    found: Problems,
) -> tuple[list[Row], list[int]]:
    """Read one sheet.

    Parameters
    ----------
    path : Path
        Tab-separated text with one header line; lines that start with ``#`` are remarks.
    required, further : tuple of str
        Columns that must be there, and columns that may be.
    optional : bool
        Whether the file may be absent.
    found : Problems
        Takes everything that is wrong with the file, its header or the width of its lines.

    Returns
    -------
    rows : list of dict
        Columns by name, unknown cells empty.
    lines : list of int
        Line number in the file of each row.
    """
    if not path.is_file():
        if not optional:
            found.error(
                "sheet.absent", Place(path.name), "the sheet is not there", "Run `drp init` first."
            )
        return [], []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found.error(
            "sheet.encoding", Place(path.name), "the sheet is not UTF-8", "Save it as UTF-8 text."
        )
        return [], []
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not numbered:
        found.error("sheet.empty", Place(path.name), "the sheet is empty", "Give it a header line.")
        return [], []
    cells = [_cells(line, path.name, number, found) for number, line in numbered]
    header = [cell.strip() for cell in cells[0]]
    if not _check_header(header, path.name, numbered[0][0], required, further, found):
        return [], []
    return _rows(header, cells[1:], [number for number, _ in numbered[1:]], path.name, found)


def _cells(line: str, file: str, number: int, found: Problems) -> list[str]:
    """Split a line by itself, so that a lost quote cannot swallow the lines after it."""
    if '"' not in line:
        return line.split("\t")
    try:
        return next(csv.reader([line], delimiter="\t", strict=True))
    except csv.Error:
        text = f"a quotation mark has no partner: {line.strip()[:80]!r}"
        place = Place(file, f"line {number}")
        found.error("sheet.lost-quote", place, text, 'Remove it, or write it twice ("") in quotes.')
        return line.split("\t")


def read_remarks(path: Path) -> list[str]:
    """Give the remark lines of a sheet; none of a file that is absent."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.startswith("#")]


def _check_header(
    header: list[str],
    file: str,
    line: int,
    required: tuple[str, ...],
    further: tuple[str, ...],
    found: Problems,
) -> bool:
    place = Place(file, f"line {line}")
    missing = [column for column in required if column not in header]
    if missing:
        hint = " Columns are separated by tabs." if len(header) == 1 else ""
        found.error(
            "sheet.missing-column",
            place,
            f"no column {', '.join(missing)}; found {', '.join(header)}",
            f"Add it to the header.{hint}",
        )
    for column in header:
        if personal_column(column):
            found.error(
                "sheet.personal",
                place,
                f"column {column} would carry a person's identity",
                "Remove the column: drp works with pseudonyms only.",
            )
        elif column not in required + further:
            found.error(
                "sheet.unknown-column",
                place,
                f"column {column!r} is not known here",
                f"Known columns: {', '.join(required + further)}.",
            )
    if len(set(header)) != len(header):
        found.error("sheet.double-column", place, "a column occurs twice", "Remove one of them.")
        return False
    return not missing


def _rows(
    header: list[str], body: list[list[str]], lines: list[int], file: str, found: Problems
) -> tuple[list[Row], list[int]]:
    rows, unknown = [], dict.fromkeys(header, "")
    for cells, line in zip(body, lines, strict=True):
        if len(cells) > len(header):
            found.error(
                "sheet.too-many-cells",
                Place(file, f"line {line}"),
                f"{len(cells)} cells under {len(header)} columns",
                "Look for a stray tab.",
            )
        values = map(str.strip, cells)
        rows.append(unknown | dict(zip(header, values, strict=False)))
    return rows, lines
