"""Dates and times as instruments print them, to ISO 8601 where that is certain."""

import re
from datetime import datetime

_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + _CLOCK)
_SLASHES = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})" + _CLOCK)
_LAST_MONTH = 12


def iso_moment(text: str, order: str = "") -> str:
    """Give a printed date and time in ISO 8601, or an empty text where it cannot be certain.

    Parameters
    ----------
    text : str
        As printed.
    order : {"", "mdy", "dmy"}
        Order of day and month where the kind of export fixes it. Without it only dates that can be
        read in one way are taken: 16/10/2024, 10/16/2024, 05/05/2024.

    Examples
    --------
    >>> iso_moment("10/16/2024 3:09:52 PM"), iso_moment("2021-07-06 09:43:07")
    ('2024-10-16T15:09:52', '2021-07-06T09:43:07')
    >>> iso_moment("03/04/2016 16:54:03"), iso_moment("03/04/2016 16:54:03", "dmy")
    ('', '2016-04-03T16:54:03')
    """
    plain = text.strip()
    printed = _ISO.fullmatch(plain)
    if printed:
        year, month, day = (int(part) for part in printed.groups()[:3])
        return _moment(year, month, day, printed.groups()[3:])
    printed = _SLASHES.fullmatch(plain)
    if not printed:
        return ""
    first, second, year = (int(part) for part in printed.groups()[:3])
    if not order:
        if first != second and max(first, second) <= _LAST_MONTH:
            return ""
        order = "dmy" if first > _LAST_MONTH else "mdy"
    month, day = (first, second) if order == "mdy" else (second, first)
    return _moment(year, month, day, printed.groups()[3:])


def _moment(year: int, month: int, day: int, clock: tuple[str | None, ...]) -> str:
    hour, minute, second, half = clock
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= _LAST_MONTH:
            return ""
        hours = hours % 12 + (12 if half.lower().startswith("p") else 0)
    try:
        moment = datetime(year, month, day, hours, int(minute or 0), int(second or 0))
    except ValueError:
        return ""
    return moment.isoformat() if hour else moment.date().isoformat()
