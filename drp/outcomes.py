"""The sheet outcomes.tsv: what was given to a patient after a sample, and what came of it."""

from math import isfinite
from pathlib import Path

from drp.concordance import RESPONSES
from drp.problems import Place, Problems
from drp.sheetfiles import Row, read_sheet

REQUIRED = ("patient", "sample", "therapy")
FURTHER = ("response", "mrd", "matched", "pfs_months", "previous_pfs_months", "remark")


def read_outcomes(path: Path) -> list[Row]:
    """Read the sheet and check it.

    Raises
    ------
    DataError
        With every problem: a response in other words, a number that is none, an outcome twice.
    """
    found = Problems()
    rows, lines = read_sheet(path, REQUIRED, FURTHER, False, found)
    seen: set[tuple[str, str]] = set()
    for row, line in zip(rows, lines, strict=True):
        _check(row, Place(path.name, f"line {line}"), found)
        key = row["sample"], row["therapy"]
        if key in seen:
            place = Place(path.name, f"line {line}")
            found.error("sheet.double-id", place, f"{' '.join(key)} occurs twice", "Remove one.")
        seen.add(key)
    found.raise_errors()
    return rows


def _check(row: Row, place: Place, found: Problems) -> None:
    response = row.get("response", "")
    if response and response not in RESPONSES:
        words = f"found the response {response!r}"
        found.error("sheet.bad-response", place, words, f"Write one of {', '.join(RESPONSES)}.")
    for column in ("pfs_months", "previous_pfs_months"):
        if not _is_months(row.get(column, "")):
            words = f"{column}: found {row[column]!r}"
            found.error("sheet.bad-number", place, words, "Give months, for example 4.5.")


def _is_months(text: str) -> bool:
    try:
        return not text or (isfinite(float(text)) and float(text) >= 0)
    except ValueError:
        return False
