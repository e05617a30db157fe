"""What one printed cell of a plate says: a number, or the state of a reading without one.

A state is never turned into a number: a saturated well is as alive as a well can be, and a zero
would say that it is dead.
"""

import math
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

Decimal = Literal[".", ","]

_POINT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}(?:\.[0-9]*)?"
    r"|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}(?:,[0-9]*)?"
    r"|[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]*"
    r"|[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*"
    r"|[+-]?[0-9]{1,3}(?:['’\u00a0\u202f ][0-9]{3})+(?:[.,][0-9]*)?"
)
_BEYOND = re.compile(r"([<>])\s*(?:[0-9]+(?:[.,][0-9]*)?)")
_SIGNS = re.compile(r"\*{2,}|\?{2,}")

_STATUSES = {
    "": "missing",
    **dict.fromkeys(("nan", "na", "n/a", "#n/a", "missed", "missing", "null"), "missing"),
    **dict.fromkeys(("ovrflw", "ovrflow", "overflow", "over", ">max", "#sat"), "saturated"),
    **dict.fromkeys(("#low", "<min", "undrflw"), "below_range"),
    **dict.fromkeys(("invalid", "range?", "path?"), "invalid"),
}


class NumberFault(NamedTuple):
    """Numbers that cannot be read safely: what is wrong, and the position of the first of them."""

    fault: str
    position: int


def read_status(text: str) -> str | None:
    """Give the status that a cell without a number stands for, or None if it is no known word.

    Parameters
    ----------
    text : str
        The cell as printed.

    Returns
    -------
    str or None
        ``saturated``, ``below_range``, ``invalid`` or ``missing``; a blank cell is ``missing``.

    Examples
    --------
    >>> [read_status(text) for text in ("OVRFLW", "*****", "<Min", "NaN", " ", "12")]
    ['saturated', 'invalid', 'below_range', 'missing', 'missing', None]
    """
    token = text.strip().lower()
    if token in _STATUSES:
        return _STATUSES[token]
    if _SIGNS.fullmatch(token):
        return "invalid"
    beyond = _BEYOND.fullmatch(token)
    if beyond:
        return "saturated" if beyond.group(1) == ">" else "below_range"
    return None


def find_decimal(texts: Iterable[str]) -> tuple[Decimal, list[NumberFault]]:
    """Find the decimal sign that all numbers agree on.

    Parameters
    ----------
    texts : iterable of str
        Every cell of the file that may hold a number; other cells do not matter.

    Returns
    -------
    decimal : {".", ","}
        The sign. A comma only if no number has a point and at least one comma cannot separate
        thousands (``0,15``, ``12,5``, ``1234,567``).
    faults : list of NumberFault
        Thousands separators, commas that could be either, commas beside points. If there is one,
        no number of the file can be trusted.

    Examples
    --------
    >>> find_decimal(["1.5", "2000", "OVRFLW"])
    ('.', [])
    >>> find_decimal(["0,15", "210,530"])
    (',', [])
    >>> find_decimal(["210,530", "17"])[1]
    [NumberFault(fault='may have a decimal comma or a thousands separator', position=0)]
    """
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        token = text.strip()
        if not (token.isascii() and token.isdigit()):
            first.setdefault(_kind(token), index)
    faults = []
    if "grouped" in first:
        faults.append(NumberFault("has thousands separators", first["grouped"]))
    commas = [first[kind] for kind in ("comma", "unclear") if kind in first]
    if commas and "point" in first:
        faults.append(NumberFault("has a comma where other numbers have a point", min(commas)))
    elif "unclear" in first and "comma" not in first:
        fault = "may have a decimal comma or a thousands separator"
        faults.append(NumberFault(fault, first["unclear"]))
    return ("," if "comma" in first and not faults else "."), faults


def _kind(token: str) -> str:
    """Tell how a number is written: grouped, point, comma, unclear; empty if it is none."""
    if _GROUPED.fullmatch(token):
        return "grouped"
    if _THOUSANDS.fullmatch(token):
        return "unclear"
    if _COMMA.fullmatch(token):
        return "comma"
    return "point" if "." in token and _POINT.fullmatch(token) else ""


def looks_like_number(text: str) -> bool:
    """Say whether a cell holds a number in any way of writing, even one that is unclear.

    Examples
    --------
    >>> [looks_like_number(text) for text in ("12", "210,530", "0.5", "OVRFLW", "")]
    [True, True, True, False, False]
    """
    token = text.strip()
    return token.isdigit() or bool(_kind(token)) or _POINT.fullmatch(token) is not None


def parse_number(text: str, decimal: Decimal = ".") -> float | None:
    """Give the number in a cell, or None if it is not one finite number.

    Parameters
    ----------
    text : str
        The cell as printed; blanks around the number do not matter.
    decimal : {".", ","}
        The decimal sign of the file.

    Examples
    --------
    >>> parse_number("1083480"), parse_number("-0,5", ","), parse_number("4.8E+06")
    (1083480.0, -0.5, 4800000.0)
    >>> parse_number("1,083"), parse_number("1e999"), parse_number("OVRFLW")
    (None, None, None)
    """
    token = text.strip()
    if decimal == "," and _COMMA.fullmatch(token):
        token = token.replace(",", ".")
    if not _POINT.fullmatch(token):
        return None
    number = float(token)
    return number if math.isfinite(number) else None
