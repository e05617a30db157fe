"""One cell of the sheet of patients: text into a value, or a refusal that says what to write."""

import difflib
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from drp.risk.refusal import RefusedError

EM_SITES = ("CNS", "testes", "other")

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARS = (1950, 2100)
_LONGEST_MONTHS = 600
_OLDEST_YEARS = 110


def read_choice(text: str, allowed: Sequence[str]) -> str:
    """Read one of a few words; upper and lower case make no difference.

    Parameters
    ----------
    text : str
        The cell.
    allowed : sequence of str
        The words.

    Returns
    -------
    str
        The word as in `allowed`.

    Raises
    ------
    RefusedError
        The text is none of the words; the nearest is named.

    Examples
    --------
    >>> read_choice("mpal", ("B", "T", "MPAL"))
    'MPAL'
    """
    by_folded = {word.casefold(): word for word in allowed}
    if text.casefold() in by_folded:
        return by_folded[text.casefold()]
    near = difflib.get_close_matches(text.casefold(), by_folded, n=1, cutoff=0.5)
    hint = f" Nearest: {by_folded[near[0]]}." if near else ""
    fix = f"Write one of {', '.join(allowed)}, or leave it empty if not known.{hint}"
    raise RefusedError("unknown-value", f"{text!r} is not known here", fix)


def read_answer(text: str) -> bool:
    """Read a yes or no.

    Examples
    --------
    >>> read_answer("Y"), read_answer("no")
    (True, False)
    """
    if text.casefold() in _ANSWERS:
        return _ANSWERS[text.casefold()]
    fix = "Write Y or N, or leave it empty if not known."
    raise RefusedError("unknown-value", f"{text!r} is neither Y nor N", fix)


def read_em_sites(text: str) -> frozenset[str]:
    """Read a list of extramedullary sites, separated by ``;``; ``none`` for none.

    Examples
    --------
    >>> sorted(read_em_sites("testes;CNS")), read_em_sites("none")
    (['CNS', 'testes'], frozenset())
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if [part.casefold() for part in parts] == ["none"]:
        return frozenset()
    if not parts:
        fix = "Write CNS, testes or other, separated by ';', or none."
        raise RefusedError("unknown-value", f"{text!r} names no site", fix)
    return frozenset(read_choice(part, EM_SITES) for part in parts)


def read_months(text: str) -> Decimal:
    """Read a time in months, 0 to 600.

    Examples
    --------
    >>> read_months("18.0")
    Decimal('18.0')
    """
    return _number(text, _LONGEST_MONTHS, "months")


def read_age(text: str) -> Decimal:
    """Read an age in years, 0 to 110.

    Examples
    --------
    >>> read_age("16.2")
    Decimal('16.2')
    """
    return _number(text, _OLDEST_YEARS, "years")


def read_relapse_number(text: str) -> int:
    """Read which relapse it is: 1 for the first.

    Examples
    --------
    >>> read_relapse_number("2")
    2
    """
    number = _number(text, 20, "relapses")
    if number != int(number) or number < 1:
        raise RefusedError("bad-number", f"{text!r} is no count from 1", "Write 1 for the first.")
    return int(number)


def read_date(text: str) -> date:
    """Read a calendar date, year-month-day.

    Examples
    --------
    >>> read_date("2020-02-29")
    datetime.date(2020, 2, 29)
    """
    fix = "Write year-month-day, for example 2018-05-10."
    if not _DATE.fullmatch(text):
        raise RefusedError("bad-date", f"{text!r} is no date", fix)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise RefusedError("bad-date", f"{text!r} is not in the calendar", fix) from error
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise RefusedError("bad-date", f"the year of {text!r} cannot be right", fix)
    return day


def _number(text: str, largest: int, unit: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        fix = f"Write {unit} as a number with a decimal point, 0 or more."
        raise RefusedError("bad-number", f"{text!r} is no number of {unit}", fix)
    value = Decimal(text)
    if value > largest:
        found = f"{text} {unit} cannot be right"
        raise RefusedError("out-of-range", found, f"Write 0 to {largest} {unit}.")
    return value
