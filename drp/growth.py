"""Growth-rate inhibition (GR): the effect of a drug on the rate of growth, not on the end count.

Leukaemic blasts often do not divide outside the body, and many die without any drug. Then no rate
of growth exists and GR is not defined; the share that survives without drug (control over day 0)
is what can be said.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from drp.curves import Bounds, fit
from drp.curves.collapse import collapse, total
from drp.curves.metrics import log10_dose_at
from drp.curves.model import Floats, curve_at

# A doubling time above one and a half times the assay leaves too little growth to inhibit.
FEWEST_DIVISIONS = 1.0 / 1.5
# A share of control above this counts as this: growth beyond the control's is noise.
LARGEST_SHARE = 1.25
# Dose means above this are cut before the curve is fitted.
LARGEST_RESPONSE = 1.1
SLOPE_BOUNDS = (0.1, 5.0)
N_SCORED = 101
SIGNIFICANT = 0.05
# Parameters of the curve beyond the constant, and all of them.
N_EXTRA, N_FREE = 2, 3


class GrowthCurves(NamedTuple):
    """Curves of GR, or of a share of control; arrays of shape (n_curves,).

    mean: over log dose, of the curve. largest_effect: the lower mean of the two highest doses.
    end: of the curve at infinite dose. log10_half: log10 dose at 0.5, infinite where the curve
    stays above. log10_ec50, slope: NaN where constant. p_flat: F-test against the constant. sse:
    of the dose means.
    """

    mean: Floats
    largest_effect: Floats
    end: Floats
    log10_half: Floats
    log10_ec50: Floats
    slope: Floats
    p_flat: Floats
    sse: Floats

    @property
    def area_over(self) -> Floats:
        """1 - mean: 0 for no effect, 1 for no growth, up to 2 for all cells dead."""
        return 1.0 - self.mean

    def mean_between(self, low: float, high: float) -> Floats:
        """Mean of the curve over log dose between two doses of one's choice."""
        return _mean(self, np.log10(low), np.log10(high))


def growth_rate_inhibition(treated: ArrayLike, control: ArrayLike, day0: ArrayLike) -> Floats:
    """Give GR from a read at time zero: ``2 ** (log2(x / x0) / log2(c / x0)) - 1``.

    Hafner et al., Nat Methods 2016, doi:10.1038/nmeth.3853.

    Parameters
    ----------
    treated, control, day0 : array
        Signals above background: with drug, without, and without at the time of treatment.

    Returns
    -------
    array
        1 no effect, 0 no growth, below 0 killing, -1 all dead (also for signals of 0 or less).
        NaN where the control did not grow, or a signal is missing.

    Examples
    --------
    >>> float(growth_rate_inhibition(10000.0, 20000.0, 13200.0).round(6))
    -0.370692
    >>> float(growth_rate_inhibition(10000.0, 12000.0, 13200.0))   # the control shrank
    nan
    """
    x, c, x0 = (np.asarray(part, dtype=np.float64) for part in (treated, control, day0))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.log2(np.maximum(x, 0.0) / x0) / np.log2(c / x0)
        value = 2.0**rate - 1.0
    result: Floats = np.where((x0 > 0) & (c > x0) & ~np.isnan(x), value, np.nan)
    return result


def growth_rate_inhibition_endpoint(relative: ArrayLike, divisions: ArrayLike) -> Floats:
    """Give GR from a stated rate of growth: ``2 ** (1 + log2(min(1.25, RV)) / (T / Td)) - 1``.

    Parameters
    ----------
    relative : array
        RV, the share of control at the end (viability / 100).
    divisions : array
        T / Td, the duration of the assay over the doubling time of the untreated cells.

    Returns
    -------
    array
        As `growth_rate_inhibition`; NaN where T / Td is below 2/3 (Td > 1.5 T) or unknown.

    Examples
    --------
    >>> float(growth_rate_inhibition_endpoint(0.5, 2.0).round(6))
    0.414214
    """
    share = np.clip(np.asarray(relative, dtype=np.float64), 0.0, LARGEST_SHARE)
    rate = np.asarray(divisions, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 2.0 ** (1.0 + np.log2(share) / rate) - 1.0
    result: Floats = np.where(rate >= FEWEST_DIVISIONS, value, np.nan)
    return result


def growth_of_wells(
    viability: pd.DataFrame, divisions: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Give each well's GR, and how the untreated cells of its plate fared.

    Parameters
    ----------
    viability : pandas.DataFrame
        Columns sample, viability_pct; if present role and plate. Wells of role ``day0``, read at
        the time of treatment and scaled like the others, tell the growth of their plate's (or
        without plates, their sample's) control.
    divisions : mapping of str to float, optional
        Sample → doublings of its untreated cells during the assay, where a rate is stated.

    Returns
    -------
    pandas.DataFrame
        One row per well, in order: ``gr`` (NaN where it is not defined); ``control_growth``, the
        control's signal over that of day 0, below 1 where cells died without drug; ``gr_form``:
        ``time_dependent``, ``endpoint`` or empty.

    Examples
    --------
    >>> wells = pd.DataFrame({"sample": "S1", "role": ["day0", "sample"],
    ...                       "viability_pct": [66.0, 50.0]})
    >>> well = growth_of_wells(wells).iloc[1]
    >>> round(float(well["gr"]), 6), well["gr_form"]
    (-0.370692, 'time_dependent')
    """
    share = viability["viability_pct"].to_numpy(dtype=np.float64) / 100.0
    growth = _control_growth(viability)
    stated = viability["sample"].map(dict(divisions or {})).to_numpy(dtype=np.float64)
    timed = ~np.isnan(growth)
    endpoint = growth_rate_inhibition_endpoint(share, stated)
    gr = np.where(timed, growth_rate_inhibition(share, 1.0, 1.0 / growth), endpoint)
    form = np.where(timed, "time_dependent", np.where(np.isnan(stated), "", "endpoint"))
    return pd.DataFrame({"gr": gr, "control_growth": growth, "gr_form": form.astype(object)})


def _control_growth(viability: pd.DataFrame) -> Floats:
    if "role" not in viability:
        return np.full(len(viability), np.nan)
    key = "plate" if "plate" in viability else "sample"
    day0 = viability[viability["role"] == "day0"]
    if "excluded" in day0:
        day0 = day0[~day0["excluded"].astype(bool)]
    level = viability[key].map(day0.groupby(key)["viability_pct"].median())
    start = level.to_numpy(dtype=np.float64)
    return np.where(start > 0, 100.0 / np.where(start > 0, start, 1.0), np.nan)


def growth_curves(dose: ArrayLike, response: ArrayLike, *, lowest: float = -1.0) -> GrowthCurves:
    """Fit curves that start from 1 to GR values, as gDR does.

    Parameters
    ----------
    dose : array (n_points,) or (n_curves, n_points)
        Linear, above 0. NaN = missing.
    response : array (n_curves, n_points)
        GR, or the share of control. NaN = missing.
    lowest : float
        Lowest end of a curve: -1 for GR, 0 for a share of control.

    Returns
    -------
    GrowthCurves
        Dose means are cut at 1.1, the slope lies within 0.1 to 5. Where an F-test does not tell
        the curve from a constant (p >= 0.05), the constant. NaN for fewer than four doses.

    Examples
    --------
    >>> dose = 0.01 * 2.0 ** np.arange(12)
    >>> found = growth_curves(dose, [0.1 + 0.9 / (1 + (dose / 0.5) ** 2)])
    >>> [float(part[0].round(4)) for part in (found.end, 10 ** found.log10_ec50, found.slope)]
    [0.1, 0.5, 2.0]
    """
    from scipy.special import fdtrc

    given = collapse(np.asarray(dose, float), np.array(response, dtype=np.float64, ndmin=2))
    doses = np.where(given.weight > 0, 10.0**given.x, np.nan).T
    mean = np.where(given.weight > 0, given.mean, np.nan).T
    bounds = Bounds(top=(1.0, 1.0), bottom=(lowest, 1.0), slope=SLOPE_BOUNDS, ec50_margin=1.0)
    fits = fit(doses, np.minimum(mean, LARGEST_RESPONSE), bounds=bounds, direction="decreasing")
    n = fits.n_points
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.maximum(fits.sst - fits.sse, 0.0) / N_EXTRA / (fits.sse / (n - N_FREE + 1))
        p_flat = np.where(fits.sse > 0, fdtrc(N_EXTRA, np.maximum(n - N_FREE + 1, 1), gain), 0.0)
    known = ~np.isnan(fits.auc)
    p_flat = np.where(known, p_flat, np.nan)
    # A flat fit is held at 1 by its top; the constant is the mean of the dose means.
    constant = known & (np.isnan(fits.log10_ec50) | (p_flat >= SIGNIFICANT))
    level = np.divide(total(np.nan_to_num(mean.T)), n, out=np.full(len(n), np.nan), where=n > 0)
    end = np.where(constant, level, fits.bottom)
    e, slope = (np.where(constant, np.nan, part) for part in (fits.log10_ec50, fits.slope))
    half = log10_dose_at(0.5, np.where(constant, level, 1.0), end, e, slope)
    curves = GrowthCurves(
        np.full(len(n), np.nan), _largest_effect(mean, n), end, half, e, slope, p_flat,
        np.where(constant, fits.sst, fits.sse),
    )  # fmt: skip
    return curves._replace(mean=_mean(curves, given.x_min, given.x_max))


def _largest_effect(mean: Floats, n: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
    """Give the lower of the means at the two highest doses."""
    if not mean.size:
        return np.full(len(mean), np.nan)
    curve = np.arange(len(mean))
    last = mean[curve, np.maximum(n - 1, 0)]
    return np.fmin(last, np.where(n > 1, mean[curve, np.maximum(n - 2, 0)], np.nan))


def _mean(curves: GrowthCurves, low: ArrayLike, high: ArrayLike) -> Floats:
    """Average the curve over evenly spaced log doses, both ends included."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    grid = low + (high - low) * np.linspace(0.0, 1.0, N_SCORED)[:, None]
    value = curve_at(grid, np.where(np.isnan(curves.log10_ec50), curves.end, 1.0), curves.end,
                     curves.log10_ec50, curves.slope)  # fmt: skip
    return total(value) / N_SCORED
