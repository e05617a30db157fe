"""Cells of a stage table as plain Python values: a missing number is None, text is text."""

from collections.abc import Mapping
from math import isfinite, isinf, isnan
from typing import Any, Literal

from drp.report.record import Estimate

Row = Mapping[str, Any]
Tables = Mapping[str, list[dict[str, Any]]]


def records(tables: Tables, name: str, **keep: str) -> list[dict[str, Any]]:
    """Give the rows of a table, those whose columns have the values of `keep`.

    A table that is absent has no rows: an optional stage did not run.

    >>> records({"risk": [{"patient": "P1"}, {"patient": "P2"}]}, "risk", patient="P2")
    [{'patient': 'P2'}]
    """
    found = list(tables.get(name, []))
    for column, value in keep.items():
        found = [row for row in found if row[column] == value]
    return found


def text(row: Row, name: str) -> str:
    """Give a text cell; empty where it is missing.

    >>> text({"reason": float("nan")}, "reason")
    ''
    """
    value = row.get(name)
    return value if isinstance(value, str) else ""


def number(row: Row, name: str) -> float | None:
    """Give a number; None where it is missing, infinite or no number.

    >>> number({"z": float("nan")}, "z"), number({"z": "71.5"}, "z"), number({}, "z")
    (None, 71.5, None)
    """
    value = row.get(name, "nan")
    try:
        value = value if type(value) is float else float(value)
    except (TypeError, ValueError):
        return None
    return value if isfinite(value) else None


def count(row: Row, name: str) -> int:
    """Give a count; 0 where it is missing."""
    return int(number(row, name) or 0)


def flag(row: Row, name: str, default: bool) -> bool:
    """Give a truth value; `default` where the column is missing or empty."""
    value = row.get(name)
    return default if value is None or value != value else bool(value)


def parts(row: Row, name: str, separator: str) -> list[str]:
    """Split a text cell at a separator, without empty parts.

    >>> parts({"flags": "a; b;"}, "flags", ";")
    ['a', 'b']
    """
    return [part.strip() for part in text(row, name).split(separator) if part.strip()]


def estimate(row: Row, name: str, open_low: float | None = None) -> Estimate:
    """Give a value with its interval; an infinite end, or a low end at `open_low`, is open.

    >>> estimate({"ic50": 5.0, "ic50_lo": 0.0, "ic50_hi": 9.0}, "ic50", open_low=0.0).open
    'low'
    """
    low, high = _raw(row, f"{name}_lo"), _raw(row, f"{name}_hi")
    low_open = isinf(low) or (open_low is not None and low <= open_low)
    high_open = isinf(high)
    which: Literal["", "low", "high", "both"] = ""
    if low_open and high_open:
        which = "both"
    elif low_open or high_open:
        which = "low" if low_open else "high"
    return Estimate(
        value=number(row, name),
        lo=None if low_open or isnan(low) else low,
        hi=None if high_open or isnan(high) else high,
        open=which,
    )


def _raw(row: Row, name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None else float(value)
