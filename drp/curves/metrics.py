"""Numbers read off a curve: areas, absolute IC50, drug sensitivity scores.

All take arrays that broadcast; doses are log10, viability and inhibition are per cent, and a flat
curve has NaN for midpoint and slope. `low` and `high` are the log10 tested limits.
"""

import numpy as np

from drp.curves.model import LN10, Floats, exponent

# Inhibition below this is noise to the drug sensitivity score (Yadav 2014).
DSS_THRESHOLD = 10.0
# IC50 is the dose of this viability, per cent of the negative control.
HALF_VIABILITY = 50.0


def _log10_one_plus(x: Floats, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give log10(1 + 10 ** (slope * (x - log10_ec50))) without overflow."""
    with np.errstate(invalid="ignore"):  # a flat curve has no midpoint
        value: Floats = np.logaddexp(0.0, exponent(x, log10_ec50, slope)) / LN10
    return value


def mean_share(low: Floats, high: Floats, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give the mean over log dose, from `low` to `high`, of the share s of the span left.

    Examples
    --------
    >>> one = np.ones(1)
    >>> mean_share(-one, one, 0 * one, 2 * one)   # symmetric about the midpoint
    array([0.5])
    """
    risen = _log10_one_plus(high, log10_ec50, slope) - _log10_one_plus(low, log10_ec50, slope)
    share: Floats = 1.0 - risen / (slope * (high - low))
    return share


def area_under_curve(
    left: Floats, right: Floats, log10_ec50: Floats, slope: Floats, low: Floats, high: Floats
) -> Floats:
    """Give the mean viability over the tested log doses, in per cent; it may exceed 100.

    Examples
    --------
    >>> arguments = (100.0, 0.0, 2.0, 1.0, 0.0, 4.0)
    >>> area_under_curve(*(np.array([value]) for value in arguments))
    array([50.])
    """
    share = mean_share(low, high, log10_ec50, slope)
    area: Floats = np.where(np.isnan(log10_ec50), left, right + (left - right) * share)
    return area


def log10_dose_at(
    level: float, left: Floats, right: Floats, log10_ec50: Floats, slope: Floats
) -> Floats:
    """Give the log10 dose at which a falling curve crosses `level` per cent viability.

    Returns
    -------
    array
        +inf where the curve stays at or above the level, -inf where it stays at or below it.

    Examples
    --------
    >>> log10_dose_at(50.0, *(np.array([value]) for value in (100.0, 0.0, 2.0, 1.0)))
    array([2.])
    >>> log10_dose_at(50.0, *(np.array([value]) for value in (100.0, 60.0, 2.0, 1.0)))
    array([inf])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = log10_ec50 + np.log10((left - level) / (level - right)) / slope
    value: Floats = np.where(right >= level, np.inf, np.where(left <= level, -np.inf, inside))
    return value


def area_above_threshold(
    highest: Floats,
    lowest: Floats,
    log10_ec50: Floats,
    slope: Floats,
    low: Floats,
    high: Floats,
    threshold: float | Floats = DSS_THRESHOLD,
) -> tuple[Floats, Floats]:
    """Give the area of inhibition above a threshold, and the width over which it is above.

    Inhibition rises from `lowest` to `highest`, per cent; a flat curve stays at `highest`.

    Returns
    -------
    area, width : array
        Per cent × decades, and decades. Both 0 where `highest` does not exceed the threshold.
    """
    flat = np.isnan(log10_ec50)
    e, b = np.where(flat, 0.0, log10_ec50), np.where(flat, 1.0, slope)
    active = highest > threshold
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = e - np.log10((highest - threshold) / (threshold - lowest)) / b
    begins_above = flat | (lowest >= threshold)
    start = np.where(begins_above, low, np.clip(crossing, low, high))
    start = np.where(active, start, high)
    width = high - start
    # 10 ** (b (e - x)) is the mirror image of the risen share's exponent.
    gained = _log10_one_plus(-high, -e, b) - _log10_one_plus(-start, -e, b)
    rising = (highest - threshold) * width + (highest - lowest) / b * gained
    area = np.where(flat, (highest - threshold) * width, rising)
    return np.where(active, np.maximum(area, 0.0), 0.0), np.where(active, width, 0.0)


def drug_sensitivity_scores(
    bottom: Floats, log10_ec50: Floats, slope: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats, Floats]:
    """Give DSS1, DSS2 and DSS3 of falling curves, threshold 10 %, without the IC50 cliff.

    Yadav et al., Sci Rep 2014, doi:10.1038/srep05193. The inhibition starts from 0 there, so the
    upper asymptote plays no part. A flat curve scores its own inhibition, 100 - bottom.

    Parameters
    ----------
    bottom : array
        Lower asymptote of viability, per cent.
    log10_ec50, slope : array
        Midpoint and slope; NaN where flat.
    low, high : array
        log10 of the lowest and highest dose tested.

    Returns
    -------
    dss1, dss2, dss3 : array
        0–100, 0–50 and 0–100; 0 where the inhibition never exceeds the threshold.

    Examples
    --------
    >>> arguments = (10.0, 2.0, 1.2, 0.0, 4.0)
    >>> scores = drug_sensitivity_scores(*(np.array([value]) for value in arguments))
    >>> [round(float(score[0]), 6) for score in scores]
    [41.324229, 21.145906, 29.102847]
    """
    highest = 100.0 - np.asarray(bottom)
    area, width = area_above_threshold(
        highest, np.zeros_like(highest), log10_ec50, slope, low, high
    )
    dss1 = 100.0 * area / ((100.0 - DSS_THRESHOLD) * (high - low))
    scale = np.log10(np.maximum(highest, DSS_THRESHOLD))
    return dss1, dss1 / scale, dss1 * (2.0 / scale) * width / (high - low)


def asymmetric_drug_sensitivity_score(
    top: Floats, bottom: Floats, log10_ec50: Floats, slope: Floats, low: Floats, high: Floats
) -> Floats:
    """Give DSS_asym of falling curves: iTReX's area, taken on the four-parameter curve.

    Half of the share of the area above a floating threshold, a tenth of the largest inhibition
    taken between 100 and 110 %. iTReX itself fits two to five parameters; on a symmetric curve
    the area is the same. It has no logarithm and no cap, and is not comparable with DSS1–3.

    Returns
    -------
    array
        0 to about 50.

    Examples
    --------
    >>> arguments = (100.0, 0.0, 0.0, 1.0, 0.0, 4.0)
    >>> score = asymmetric_drug_sensitivity_score(*(np.array([value]) for value in arguments))
    >>> round(float(score[0]), 3)
    45.82
    """
    highest, lowest = 100.0 - np.asarray(bottom), 100.0 - np.asarray(top)
    # Bottom below 0, which only other bounds than ours allow, lifts the threshold above 10 %.
    threshold = 0.1 * np.clip(highest, 100.0, 110.0)
    area, _ = area_above_threshold(highest, lowest, log10_ec50, slope, low, high, threshold)
    score: Floats = 50.0 * area / ((100.0 - threshold) * (high - low))
    return score
