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
    with np.errstate(invalid="ignore", under="ignore"):  # a flat curve has no midpoint
        u = exponent(x, log10_ec50, slope)
        # Four times as fast as logaddexp, and as exact.
        value: Floats = (np.maximum(u, 0.0) + np.log1p(np.exp(-np.abs(u)))) / LN10
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


def breeze_score(
    bottom: Floats, log10_ec50: Floats, slope: Floats, low: Floats, high: Floats
) -> Floats:
    """Give DSS2 with the rules of Breeze: a cliff at the highest dose, and tenths.

    The score is 0 where the EC50 is not below the highest dose, where the largest inhibition is
    below 10 %, where the slope is 0 and, instead of being capped, above 50. Inhibition counts up
    to 100 % and the slope without its sign. A flat curve has no EC50 and scores 0. Potdar et al.,
    Bioinformatics 2020, doi:10.1093/bioinformatics/btaa138.

    Parameters
    ----------
    bottom, log10_ec50, slope, low, high : array
        As in `drug_sensitivity_scores`.

    Returns
    -------
    array
        0 to 50, one decimal; NaN where the bottom is NaN.

    Examples
    --------
    A hair on either side of the highest dose:

    >>> curves = (np.zeros(2), np.array([3.999, 4.001]), np.ones(2), np.zeros(2), np.full(2, 4.0))
    >>> breeze_score(*curves)
    array([2.2, 0. ])
    """
    highest = np.minimum(100.0 - np.asarray(bottom), 100.0)
    steepness = np.abs(slope)
    counts = (log10_ec50 < high) & (highest >= DSS_THRESHOLD) & (steepness > 0)
    score = drug_sensitivity_scores(
        100.0 - highest, np.where(counts, log10_ec50, np.nan), steepness, low, high
    )[1]
    counts = counts & (score >= 0.0) & (score <= 50.0)
    tenths: Floats = np.where(counts, np.round(np.round(score, 4), 1), 0.0)
    return np.where(np.isnan(highest), np.nan, tenths)


def pharmacogx_aac(
    bottom: Floats, log10_ec50: Floats, slope: Floats, low: Floats, high: Floats
) -> Floats:
    """Give PharmacoGx's area above the curve, a fraction, of a curve that starts from 1.

    Smirnov et al., Bioinformatics 2016, doi:10.1093/bioinformatics/btv723. To fit as it does, see
    `drp.scores.pharmacogx_areas`.

    Parameters
    ----------
    bottom : array
        Viability left at the highest dose conceivable (E_inf), a fraction of 0 to 1.
    log10_ec50, slope, low, high : array
        As in `area_under_curve`; a slope of 0 is a curve half-way down at every dose.

    Returns
    -------
    array
        0 to 1; 0 where the bottom is 1.

    Examples
    --------
    >>> arguments = (0.362653, np.log10(1.18106), 1.28651, -1.0, 1.0)
    >>> float(pharmacogx_aac(*(np.array([value]) for value in arguments))[0].round(4))
    0.2979
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        risen = 1.0 - mean_share(low, high, log10_ec50, slope)
    share = np.where(np.asarray(slope) == 0, 0.5, risen)
    area: Floats = np.where(np.asarray(bottom) == 1, 0.0, (1.0 - bottom) * share)
    return area


def log10_effective_dose(share: float, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give the log10 dose at which a `share` of the curve's own span is gone (relative ED).

    Parameters
    ----------
    share : float
        Between 0 and 1; 0.5 is the EC50, which is the relative IC50.
    log10_ec50, slope : array
        NaN where flat: there is no such dose.

    Examples
    --------
    >>> log10_effective_dose(0.9, np.array([1.0]), np.array([2.0])).round(4)
    array([1.4771])
    """
    dose: Floats = log10_ec50 + np.log10(share / (1.0 - share)) / slope
    return dose
