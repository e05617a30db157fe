"""Units of doses, and their way to nM."""

from decimal import Decimal
from math import inf
from typing import NamedTuple

ALLOWED = "nM, uM, µM, mM, M, pM, log10 M, IU/mL, ug/mL"

_MICRO = ("u", "\u00b5", "\u03bc")  # letter u, micro sign, Greek mu
_PREFIXES = {
    "p": Decimal("0.001"),
    "n": Decimal(1),
    **dict.fromkeys(_MICRO, Decimal(1000)),
    "m": Decimal(1_000_000),
    "": Decimal(1_000_000_000),
}
_TO_NM = {
    f"{prefix}{molar}": factor
    for prefix, factor in _PREFIXES.items()
    for molar in ("M", "mol/L", "mol/l")
}
_LOG = ("log10 M", "log10(M)", "log10M")
_LARGEST_LOG = 200  # beyond it a power of ten may be no number of the computer
# A plain U may be a unit of any enzyme assay, so U/mL is not taken for IU/mL.
_OTHERS = {
    **dict.fromkeys(("IU/mL", "IU/ml"), "IU/mL"),
    **{f"{micro}g/{volume}": "ug/mL" for micro in _MICRO for volume in ("mL", "ml")},
}
# What people write and we do not take; a hint for them, never a conversion.
_MEANT = {
    **dict.fromkeys(("u/ml", "units/ml"), "IU/mL"),
    **dict.fromkeys(("log m", "logm", "log10", "log(m)", "log [m]"), "log10 M"),
    **{"molar": "M", "millimolar": "mM", "micromolar": "uM", "nanomolar": "nM", "picomolar": "pM"},
    **dict.fromkeys(("micro m", "mcm"), "uM"),
    "mcg/ml": "ug/mL",
}


class Dose(NamedTuple):
    """A dose in a unit of the contract: ``nM``, ``IU/mL`` or ``ug/mL``."""

    value: float
    unit: str


def is_unit(unit: str) -> bool:
    """Say whether a unit is known; capitals matter, since mM is not MM.

    Examples
    --------
    >>> is_unit("µM"), is_unit("um"), is_unit("IU/mL"), is_unit("nmol/L")
    (True, False, True, True)
    """
    return unit in _TO_NM or unit in _LOG or unit in _OTHERS


def nearest_unit_words(unit: str) -> str:
    """Say which units there are and, if there is one, the unit most like an unknown one.

    It is a hint for a person and is never used in place of what is written.

    Examples
    --------
    >>> print(nearest_unit_words("um"))
    Use one of nM, uM, µM, mM, M, pM, log10 M, IU/mL, ug/mL; nearest to 'um' is 'uM'.
    """
    folded = {name.casefold(): name for name in reversed((*_TO_NM, *_LOG, *_OTHERS))}
    near = (_MEANT | folded).get(unit.strip().casefold())
    hint = f"; nearest to {unit!r} is {near!r}" if near else ""
    return f"Use one of {ALLOWED}{hint}."


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
        Rounded to 12 significant digits, so that 0.0032 uM is 3.2 nM; infinite where the number is
        too large to be a dose at all.

    Examples
    --------
    >>> convert_dose(0.0032, "uM"), convert_dose(-6, "log10 M"), convert_dose(5, "IU/ml")
    (Dose(value=3.2, unit='nM'), Dose(value=1000.0, unit='nM'), Dose(value=5.0, unit='IU/mL'))
    """
    if unit in _LOG:
        return Dose(_rounded(10 ** (value + 9) if value < _LARGEST_LOG else inf), "nM")
    if unit in _TO_NM:
        return Dose(_rounded(float(Decimal(repr(float(value))) * _TO_NM[unit])), "nM")
    return Dose(_rounded(float(value)), _OTHERS[unit])


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")
