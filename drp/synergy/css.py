"""How much a drug, or a pair of drugs, kills over the doses tested: RI and CSS.

Both are efficacy, not synergy. They run from 0 to 100; growth makes them negative.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.hill import HillFits
from drp.synergy.hill_plan import FEWEST_FREE
from drp.synergy.zip_steps import Steps, fit_asked, request, run

Floats = NDArray[np.float64]


class Css(NamedTuple):
    """The sensitivity score of a pair; NaN with its reason in words where there is none.

    css1: drug 1 with drug 2 at its midpoint; css2: the reverse; css: their mean.
    """

    css1: float
    css2: float
    css: float
    reason: str


def relative_inhibition(fits: HillFits, lowest: ArrayLike, highest: ArrayLike) -> Floats:
    """Average fitted inhibition over log dose, from the lowest to the highest dose.

    Parameters
    ----------
    fits : HillFits
        Curves, (..., n_curves), fitted without dose 0.
    lowest, highest : array (n_curves,) or float
        Doses above 0, in the unit of the fits.

    Returns
    -------
    array (..., n_curves)
        %; NaN where there is no curve.

    Notes
    -----
    RI of Malyutina A et al., PLoS Comput Biol 2019;15(5):e1006752,
    doi:10.1371/journal.pcbi.1006752.

    Examples
    --------
    >>> from drp.synergy.hill import fit_hill
    >>> dose = np.array([1.0, 3.0, 9.0, 27.0, 81.0])
    >>> fits = fit_hill(dose, [100 * dose / (9 + dose)])
    >>> relative_inhibition(fits, 1.0, 81.0).round(3)
    array([50.])
    """
    slope, ln_midpoint = fits.slope, np.log(fits.midpoint)
    first, last = np.log(lowest), np.log(highest)
    with np.errstate(invalid="ignore", divide="ignore"):
        # ln(1 + exp) of the far end less that of the near end, in units of the slope.
        risen = np.logaddexp(0.0, slope * (last - ln_midpoint))
        risen -= np.logaddexp(0.0, slope * (first - ln_midpoint))
        mean = fits.start + (fits.plateau - fits.start) * risen / (slope * (last - first))
    flat = np.isnan(fits.midpoint)
    value: Floats = np.where(flat, fits.plateau, mean)
    return value


def single_ri(dose: ArrayLike, inhibition: ArrayLike) -> float:
    """Give the RI of one drug from its doses and inhibitions; dose 0 is left out of the fit.

    Parameters
    ----------
    dose, inhibition : array (n_doses,)
        Doses of any unit, inhibition in %; NaN = missing.

    Returns
    -------
    float
        %; NaN with fewer than four doses above 0.

    Examples
    --------
    >>> round(single_ri([0, 1, 3, 9, 27, 81], [0, 10, 25, 50, 75, 90]), 2)
    50.0
    """
    return run(score_ri(dose, inhibition), fit_asked)


def score_ri(dose: ArrayLike, inhibition: ArrayLike) -> Steps[float]:
    """Give the RI of one drug as `single_ri` does, asking for fits as it goes."""
    dose, inhibition = np.asarray(dose, dtype=np.float64), np.asarray(inhibition, dtype=np.float64)
    used = (dose > 0) & np.isfinite(inhibition)
    if used.sum() < FEWEST_FREE:
        return float("nan")
    fits = yield request(dose[used], inhibition[None, used])
    return float(relative_inhibition(fits, dose[used].min(), dose[used].max())[0])


def css(doses: tuple[ArrayLike, ArrayLike], inhibition: ArrayLike) -> Css:
    """Score how sensitive a sample is to a pair of drugs over all doses.

    CSS1 is the RI of drug 1 with drug 2 at its midpoint, at most its highest dose: each
    inhibition there is read off the curve along drug 2. CSS2 is the reverse, CSS their mean.

    Parameters
    ----------
    doses : tuple of two arrays
        Levels of each drug, ascending, 0 the first: (n_1,) and (n_2,).
    inhibition : array (n_1, n_2)
        %, not clipped; what was read off a curve above 100 counts as 100. NaN = missing.

    Returns
    -------
    Css
        A side whose curves lack doses is NaN: four doses above 0 are needed. A drug with one dose
        above 0 (an anchor) is taken at that dose, and its own side is missing.

    Notes
    -----
    Malyutina A et al., PLoS Comput Biol 2019;15(5):e1006752, doi:10.1371/journal.pcbi.1006752.

    Examples
    --------
    >>> dose = np.array([0.0, 1, 3, 9, 27, 81])
    >>> alone = 100 * dose / (9 + dose)
    >>> both = 100 * (1 - np.outer(100 - alone, 100 - alone) / 1e4)
    >>> [round(score, 3) for score in css((dose, dose), both)[:3]]
    [75.0, 75.0, 75.0]
    """
    return run(score_css(doses, inhibition), fit_asked)


def score_css(doses: tuple[ArrayLike, ArrayLike], inhibition: ArrayLike) -> Steps[Css]:
    """Score a pair as `css` does, asking for fits as it goes."""
    level = [np.asarray(one, dtype=np.float64) for one in doses]
    table = np.asarray(inhibition, dtype=np.float64)
    first = yield from _side(level[0], level[1], table)
    second = yield from _side(level[1], level[0], table.T)
    sides = [first, second]
    missing = [str(drug + 1) for drug, side in enumerate(sides) if np.isnan(side)]
    reason = f"too few doses for CSS along drug {' and '.join(missing)}" if missing else ""
    anchored = [len(one) == 2 for one in level]
    whole = np.mean(
        [side for side, own in zip(sides, anchored, strict=True) if not own] or [np.nan]
    )
    return Css(first, second, float(whole), reason)


def _side(along: Floats, partner: Floats, table: Floats) -> Steps[float]:
    """Give the RI of the drug of the rows with the other at its midpoint, or at its one dose."""
    if (along > 0).sum() < FEWEST_FREE:
        return float("nan")
    if len(partner) == 2:
        return (yield from score_ri(along, table[:, 1]))
    curves = yield request(partner, table)
    at = np.minimum(curves.midpoint[0], partner.max())  # the first row is the partner alone
    if np.isnan(at):  # without a midpoint the highest dose is as near as one can come
        at = np.float64(partner.max())
    read = np.minimum(curves.at(at[None])[:, 0], 100.0)
    return (yield from score_ri(along, read))
