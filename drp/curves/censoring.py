"""The absolute IC50 as far as the doses tested let it be known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.curves.fits import Fits
from drp.curves.metrics import HALF_VIABILITY, log10_dose_at
from drp.curves.model import Floats


def censored_half_doses(
    fits: Fits, model_free: Floats, low: Floats, high: Floats
) -> dict[str, NDArray[Any]]:
    """Give the dose of 50 % viability, its qualifier and its interval; never extrapolated.

    Parameters
    ----------
    fits : Fits
        Fitted with intervals, per cent viability.
    model_free : array (n_curves,)
        The dose read off the means, for curves without a fit; 0 or infinite beyond the doses.
    low, high : array (n_curves,)
        Lowest and highest dose tested.

    Returns
    -------
    dict of array (n_curves,)
        ``ic50``, moved to the nearest tested dose; ``ic50_qualifier``: ``=``, ``>`` or ``<``,
        empty without any dose; ``ic50_lo`` and ``ic50_hi``, 0 and infinite where open. A curve
        that is flat or rises is beyond the doses on the side on which it starts.

    Examples
    --------
    >>> from drp.curves.fitting import fit
    >>> dose = 10.0 ** np.arange(5)
    >>> fits = fit(dose, np.array([[100.0, 99.0, 97.0, 90.0, 75.0]]))
    >>> found = censored_half_doses(fits, np.array([np.inf]), dose[:1], dose[-1:])
    >>> str(found["ic50_qualifier"][0]), float(found["ic50"][0])
    ('>', 10000.0)
    """
    start = np.where(fits.increasing, fits.bottom, fits.top)
    beyond = np.where(start >= HALF_VIABILITY, np.inf, -np.inf)
    falling = ~fits.increasing & ~np.isnan(fits.log10_ec50)
    crossing = log10_dose_at(HALF_VIABILITY, fits.top, fits.bottom, fits.log10_ec50, fits.slope)
    estimate = 10.0 ** np.where(falling, crossing, beyond)
    estimate = np.where(np.isnan(fits.auc), model_free, estimate)
    with np.errstate(invalid="ignore"):
        above, below = estimate > high, estimate < low
        lower = np.minimum(10.0**fits.log10_ic50_lo, high)
        upper = np.maximum(10.0**fits.log10_ic50_hi, low)
    qualifier = np.where(above, ">", np.where(below, "<", "="))
    return {
        "ic50": np.clip(estimate, low, high),
        "ic50_qualifier": np.where(np.isnan(estimate), "", qualifier).astype(object),
        "ic50_lo": lower,
        "ic50_hi": upper,
    }
