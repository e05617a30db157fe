"""What the data of a curve do not determine, in words a report can look up."""

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.fits import Fits
from drp.curves.model import Floats

SIGNIFICANT = 0.05
# Decades from midpoint to where a curve of slope 1 has passed 90 % of its span.
DECADES_TO_NINETY = float(np.log10(9.0))
# A rise between two doses above this many standard errors is no noise.
RISE_STANDARD_ERRORS = 3.0
LARGEST_AREA_GAP = 5.0  # points of viability

Mask = NDArray[np.bool_]


def replicate_sd(means: DoseMeans) -> Floats:
    """Give the pooled standard deviation of wells within doses; NaN without replicates.

    Examples
    --------
    >>> from drp.curves.collapse import collapse
    >>> replicate_sd(collapse(np.array([1.0, 1.0, 10.0]), np.array([[90.0, 110.0, 40.0]]))).round(3)
    array([14.142])
    """
    freedom = means.n_points - means.n_doses
    variance = np.where(freedom > 0, means.scatter / np.maximum(freedom, 1), np.nan)
    return np.sqrt(variance)


def identifiability(
    fits: Fits, means: DoseMeans, auc_model_free: Floats, auc_shift: Floats | None = None
) -> dict[str, Mask]:
    """Say for each flag which curves it holds for.

    Parameters
    ----------
    fits : Fits
        Fitted with intervals.
    means : DoseMeans
        The dose means of the same curves.
    auc_model_free : array (n_curves,)
        Area under the dose means, per cent.
    auc_shift : array (n_curves,), optional
        Largest change of the area without one well (`drp.curves.influence`); by default unknown.

    Returns
    -------
    dict of array of bool (n_curves,)
        ``flat`` (p above 0.05), ``flat_untested`` (too few wells to test),
        ``ec50_above_range``, ``ec50_below_range``, ``bottom_unseen``, ``top_unseen``,
        ``at_bound:<parameter>``, ``steep_between_doses``, ``non_monotone``, ``multi_optima``,
        ``area_disagree``, ``influential_well`` (one well moves the area by more than 5 points),
        ``open_ci`` (EC50's interval open), ``no_interval``,
        ``too_few_doses``, ``steps_ran_out``.
    """
    status = fits.status.astype(str)
    fitted = status != "too_few_doses"
    e, h = fits.log10_ec50, fits.slope
    flags: dict[str, Mask] = {"too_few_doses": ~fitted}
    with np.errstate(invalid="ignore"):
        flags["flat"] = (status == "flat") | (fits.p_flat > SIGNIFICANT)
        flags["flat_untested"] = fitted & np.isnan(fits.p_flat) & (status != "flat")
        flags["ec50_above_range"] = e > means.x_max
        flags["ec50_below_range"] = e < means.x_min
        early, late = (e - 1.0 / h < means.x_min), (e + 1.0 / h > means.x_max)
        flags["bottom_unseen"] = np.where(fits.increasing, early, late)
        flags["top_unseen"] = np.where(fits.increasing, late, early)
        disagree = np.abs(fits.auc - auc_model_free) > LARGEST_AREA_GAP
        flags["open_ci"] = np.isinf(fits.log10_ec50_lo) | np.isinf(fits.log10_ec50_hi)
    held = np.char.startswith(status, "at_bound:")
    for name in ("top", "bottom", "log10_ec50", "slope"):
        # No parameter's name is part of another's.
        named = held & (np.char.find(status, name) >= 0)
        flags[f"at_bound:{name.removeprefix('log10_')}"] = named
    flags["steep_between_doses"] = steep_between_doses(fits, means)
    flags["non_monotone"] = fitted & rises(means, fits)
    flags["multi_optima"] = fits.second_optimum
    flags["area_disagree"] = disagree
    shift = np.zeros(len(e)) if auc_shift is None else auc_shift
    with np.errstate(invalid="ignore"):
        flags["influential_well"] = shift > LARGEST_AREA_GAP
    flags["no_interval"] = fitted & np.isnan(fits.auc_lo)
    flags["steps_ran_out"] = status == "failed:steps_ran_out"
    return flags


def steep_between_doses(fits: Fits, means: DoseMeans) -> Mask:
    """Say which curves do nearly all of their drop between two neighbouring doses."""
    reach = DECADES_TO_NINETY / fits.slope
    with np.errstate(invalid="ignore"):
        lower, upper = means.x[:-1], means.x[1:]
        real = (means.weight[1:] > 0) & (means.weight[:-1] > 0)
        inside = (lower <= fits.log10_ec50 - reach) & (fits.log10_ec50 + reach <= upper)
        # Dose 0 is infinitely far below the lowest dose and brackets nothing.
        return np.asarray((inside & real & np.isfinite(lower)).any(axis=0))


def rises(means: DoseMeans, fits: Fits) -> Mask:
    """Say where a falling curve's means rise from a lower to a higher dose beyond noise."""
    freedom = np.maximum(means.n_points - 4, 1)
    residual = np.where(means.n_points > 4, np.sqrt(fits.sse / freedom), np.nan)
    pooled = replicate_sd(means)
    noise = np.where(np.isnan(pooled), residual, pooled)
    found = np.zeros(len(noise), dtype=bool)
    for later in range(1, len(means.mean)):
        for earlier in range(later):
            weights = means.weight[earlier], means.weight[later]
            with np.errstate(divide="ignore", invalid="ignore"):
                error = noise * np.sqrt(1.0 / weights[0] + 1.0 / weights[1])
                rise = means.mean[later] - means.mean[earlier]
                real = (weights[0] > 0) & (weights[1] > 0)
                found |= real & (rise > RISE_STANDARD_ERRORS * error) & (error > 0)
    return found & ~fits.increasing
