"""Time to relapse: calendar months, and the two vocabularies of early and late.

The words are never shared between systems: the BFM timing counts from diagnosis and from the end
of therapy, the COG timing from diagnosis alone with a cut that depends on the site.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DIAGNOSIS_CUTS = (18, 36)
THERAPY_CUT = 6

_NEAR_DAYS = 7
_NEAR_MONTHS = Decimal("0.25")


def add_months(day: date, months: int) -> date:
    """Add calendar months; a day the month does not have becomes its last day.

    Parameters
    ----------
    day : datetime.date
        The day to count from.
    months : int
        Calendar months to add, 0 or more.

    Returns
    -------
    datetime.date
        The same day of the later month, or that month's last day.

    Examples
    --------
    >>> add_months(date(2019, 8, 31), 18)
    datetime.date(2021, 2, 28)
    """
    years, month_index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month_index + 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day.day, last))


@dataclass(frozen=True, slots=True)
class Dates:
    """Time from an event to the relapse, known by the calendar."""

    start: date
    end: date

    def reached(self, months: int) -> bool:
        """Say whether that many calendar months had passed; the very day counts as reached.

        Examples
        --------
        >>> Dates(date(2019, 8, 31), date(2021, 2, 28)).reached(18)
        True
        """
        return self.end >= add_months(self.start, months)

    def near(self, months: int) -> bool:
        """Say whether the relapse is within 7 days of the cut, on either side.

        Examples
        --------
        >>> Dates(date(2019, 8, 31), date(2021, 3, 7)).near(18)
        True
        """
        return abs((self.end - add_months(self.start, months)).days) <= _NEAR_DAYS

    def approximate_months(self) -> Decimal:
        """Give the time in months of 30.4375 days, to compare with a number someone wrote.

        Examples
        --------
        >>> round(Dates(date(2020, 1, 1), date(2021, 1, 1)).approximate_months(), 1)
        Decimal('12.0')
        """
        return Decimal((self.end - self.start).days) / Decimal("30.4375")


@dataclass(frozen=True, slots=True)
class Months:
    """Time from an event to the relapse, known in months."""

    value: Decimal

    def reached(self, months: int) -> bool:
        """Say whether that many months had passed; exactly as many counts as reached.

        Examples
        --------
        >>> Months(Decimal("18.0")).reached(18)
        True
        """
        return self.value >= months

    def near(self, months: int) -> bool:
        """Say whether the time is within 0.25 months of the cut, on either side.

        Examples
        --------
        >>> Months(Decimal("17.75")).near(18)
        True
        """
        return abs(self.value - months) <= _NEAR_MONTHS


Elapsed = Dates | Months


def bfm_timing(months_since_diagnosis: Decimal, months_off_therapy: Decimal) -> str:
    """Give the timing of ALL-REZ BFM, ALLR3, IntReALL and InPOG.

    Parameters
    ----------
    months_since_diagnosis : decimal.Decimal
        Months from diagnosis to relapse, 0 or more.
    months_off_therapy : decimal.Decimal
        Months from the end of therapy to relapse; 0 for a relapse on therapy.

    Returns
    -------
    str
        ``very_early`` (< 18 months from diagnosis, whatever the therapy), ``early`` (on therapy
        or < 6 months after it) or ``late``. 18 is early, 6 is late.

    References
    ----------
    Sidhu et al., Indian J Pediatr 2023, Table 1. The review writes both "more than 6" and "6 or
    more" months; 6 counts as late here.

    Examples
    --------
    >>> bfm_timing(Decimal(18), Decimal(0)), bfm_timing(Decimal(32), Decimal(6))
    ('early', 'late')
    """
    if months_since_diagnosis < DIAGNOSIS_CUTS[0]:
        return "very_early"
    return "late" if months_off_therapy >= THERAPY_CUT else "early"


def cog_timing(site: str, months_since_diagnosis: Decimal) -> str:
    """Give the timing of the COG classes.

    Parameters
    ----------
    site : str
        ``isolated_marrow``, ``combined`` or ``isolated_em``.
    months_since_diagnosis : decimal.Decimal
        Months from diagnosis to relapse, 0 or more.

    Returns
    -------
    str
        ``early`` or ``late``: late from 36 months on with marrow disease, from 18 months on
        without.

    References
    ----------
    Sidhu et al., Indian J Pediatr 2023, Table 1.

    Examples
    --------
    >>> cog_timing("isolated_em", Decimal(24)), cog_timing("combined", Decimal(24))
    ('late', 'early')
    """
    cut = DIAGNOSIS_CUTS[0] if site == "isolated_em" else DIAGNOSIS_CUTS[1]
    return "late" if months_since_diagnosis >= cut else "early"
