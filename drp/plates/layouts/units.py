"""Units of doses, and their way to nM."""

from decimal import Decimal
from typing import NamedTuple

ALLOWED = "nM, uM, µM, mM, M, pM, log10 M, IU/mL, ug/mL"

_MICRO = ("u", "\u00b5", "\u03bc")  # letter u, micro sign, Greek mu
_TO_NM = {
    "pM": Decimal("0.001"),
    "nM": Decimal(1),
    **{f"{micro}M": Decimal(1000) for micro in _MICRO},
    "mM": Decimal(1_000_000),
    "M": Decimal(1_000_000_000),
}
_LOG = ("log10 M", "log10(M)", "log10M")
_OTHERS = {
    **dict.fromkeys(("IU/mL", "IU/ml"), "IU/mL"),
    **{f"{micro}g/{volume}": "ug/mL" for micro in _MICRO for volume in ("mL", "ml")},
}


class Dose(NamedTuple):
    """A dose in a unit of the contract: ``nM``, ``IU/mL`` or ``ug/mL``."""

    value: float
    unit: str


def is_unit(unit: str) -> bool:
    """Say whether a unit is known; capitals matter, since mM is not MM.

    Examples
    --------
    >>> is_unit("µM"), is_unit("um"), is_unit("IU/mL")
    (True, False, True)
    """
    return unit in _TO_NM or unit in _LOG or unit in _OTHERS


def is_logarithm(unit: str) -> bool:
    """Say whether doses of this unit are logarithms, which may be negative.

    Examples
    --------
    >>> is_logarithm("log10 M"), is_logarithm("M")
    (True, False)
    """
    return unit in _LOG


def convert_dose(value: float, unit: str) -> Dose:
    """Bring a dose to nM; units that are not molar stay, in one spelling.

    Parameters
    ----------
    value : float
        Dose as written, not negative; for ``log10 M`` any number.
    unit : str
        A unit that `is_unit` knows.

    Returns
    -------
    Dose
        Rounded to 12 significant digits, so that 0.0032 uM is 3.2 nM.

    Examples
    --------
    >>> convert_dose(0.0032, "uM"), convert_dose(-6, "log10 M"), convert_dose(5, "IU/ml")
    (Dose(value=3.2, unit='nM'), Dose(value=1000.0, unit='nM'), Dose(value=5.0, unit='IU/mL'))
    """
    if unit in _LOG:
        return Dose(_rounded(10 ** (value + 9)), "nM")
    if unit in _TO_NM:
        return Dose(_rounded(float(Decimal(repr(float(value))) * _TO_NM[unit])), "nM")
    return Dose(_rounded(float(value)), _OTHERS[unit])


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")
