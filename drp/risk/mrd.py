"""Minimal residual disease (MRD) as laboratories write it: a fraction known to lie in an interval.

`<0.1%` is not a number. It says that the fraction is somewhere from 0 to below 0.001, which
settles a cut at 1e-3 and leaves one at 1e-4 open. Decimal arithmetic keeps 0.1 % equal to 1e-3.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from drp.risk.refusal import RefusedError

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_PATTERN = re.compile(
    r"(?P<sign><=|>=|<|>|≤|≥)?\s*"
    rf"(?:(?P<mantissa>{_NUMBER})\s*[x×*]\s*(?=10\^))?"
    rf"(?:10\^(?P<power>-?\d{{1,2}})|(?P<number>{_NUMBER})(?:[eE](?P<exponent>[+-]?\d{{1,2}}))?)"
    r"\s*(?P<percent>%)?"
)
_FIX = "Write a percentage such as 0.005% or <0.1%, or a fraction such as 5e-5; 0 is none found."


@dataclass(frozen=True, slots=True)
class Mrd:
    """A marrow fraction between 0 and 1, known to lie between `lower` and `upper`.

    Attributes
    ----------
    lower, upper : decimal.Decimal
        Ends of the interval, fractions (0.001 is 0.1 %); equal when a value was measured.
    lower_open, upper_open : bool
        True where the end itself is left out, as in ``<0.1%``.
    as_fraction : bool
        True when it was written as a fraction and not as a percentage.
    """

    lower: Decimal
    upper: Decimal
    lower_open: bool = False
    upper_open: bool = False
    as_fraction: bool = False

    def may_reach(self, cut: Decimal) -> bool:
        """Say whether the fraction can be `cut` or more.

        Examples
        --------
        >>> read_mrd("<0.1%").may_reach(Decimal("1e-3"))
        False
        """
        return self.upper > cut or (self.upper == cut and not self.upper_open)

    def may_be_below(self, cut: Decimal) -> bool:
        """Say whether the fraction can be less than `cut`.

        Examples
        --------
        >>> read_mrd("0.1%").may_be_below(Decimal("1e-3"))
        False
        """
        return self.lower < cut

    def is_exactly(self, cut: Decimal) -> bool:
        """Say whether a value was measured and is `cut`.

        Examples
        --------
        >>> read_mrd("10^-3").is_exactly(Decimal("0.001"))
        True
        """
        return self.lower == self.upper == cut


@lru_cache(maxsize=4096)
def read_mrd(text: str) -> Mrd:
    """Read one MRD result.

    Parameters
    ----------
    text : str
        A percentage (``0.005%``, ``<0.1%``) or a fraction with an exponent (``1e-4``, ``10^-4``,
        ``5 x 10^-4``), after ``<``, ``<=``, ``>`` or ``>=`` if only a limit is known; or ``0``.

    Returns
    -------
    Mrd
        The interval of fractions, within 0 to 1.

    Raises
    ------
    RefusedError
        The text is no such result. A bare ``0.1`` is refused: it may be 0.1 % or 10 %.

    Examples
    --------
    >>> read_mrd("0.005%").lower == Decimal("5e-5")
    True
    >>> read_mrd("0.1")
    Traceback (most recent call last):
    drp.risk.refusal.RefusedError: MRD '0.1' has no unit: 0.1 % or a fraction of 0.1?...
    """
    match = _PATTERN.fullmatch(re.sub("10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "10^", text).translate(_SUPERSCRIPTS))
    if match is None:
        raise RefusedError("bad-mrd", f"MRD {text!r} cannot be read", _FIX)
    value, is_plain = _value(match)
    if is_plain and not match["percent"] and value != 0:
        found = f"MRD {text!r} has no unit: {text} % or a fraction of {text}?"
        raise RefusedError("mrd-unit", found, _FIX)
    fraction = value / 100 if match["percent"] else value
    as_fraction = not match["percent"] and value != 0
    return _interval(text, match["sign"] or "=", fraction, as_fraction)


def _value(match: re.Match[str]) -> tuple[Decimal, bool]:
    if match["power"] is not None:
        return Decimal(match["mantissa"] or 1).scaleb(int(match["power"])), False
    number = Decimal(match["number"])
    if match["exponent"] is not None:
        return number.scaleb(int(match["exponent"])), False
    return number, True


def _interval(text: str, sign: str, fraction: Decimal, as_fraction: bool) -> Mrd:
    zero, one = Decimal(0), Decimal(1)
    impossible = {"<": fraction == zero, ">": fraction == one}.get(sign, False)
    if fraction > one or impossible:
        raise RefusedError("mrd-range", f"MRD {text!r} is not between 0 and 100 %", _FIX)
    if sign in ("<", "<=", "≤"):
        return Mrd(zero, fraction, upper_open=sign == "<", as_fraction=as_fraction)
    if sign in (">", ">=", "≥"):
        return Mrd(fraction, one, lower_open=sign == ">", as_fraction=as_fraction)
    return Mrd(fraction, fraction, as_fraction=as_fraction)
