"""Standing: where samples stand among the reference samples for one drug, as measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.deconvolution import LEAST_SD, MAD_TO_SD, Values

SAME_DOSE = 0.01  # relative difference up to which two dose limits are the same
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Standing:
    """Where samples stand, arrays (m,)."""

    z: Values
    percentile: Values
    distance: Values  # reference median minus AUC, points
    n: NDArray[np.int64]


def stand(auc: Values, references: Values, own: NDArray[np.intp]) -> Standing:
    """Rank samples among the members of one reference, each without itself.

    Parameters
    ----------
    auc : array (m,)
        AUC of the samples, %.
    references : array (n,)
        AUC of the members, ascending.
    own : array (m,) of int
        Place of the sample among the members; -1 where it is none of them.

    Returns
    -------
    Standing
        `z` is the distance over 1.4826 MAD, which never counts as less than one point of AUC. NaN
        where no member is left.

    Examples
    --------
    >>> found = stand(np.array([60.0, 80.0]), np.array([70.0, 80.0, 90.0]), np.array([-1, 1]))
    >>> found.percentile, found.distance, found.n
    (array([100.,  50.]), array([20.,  0.]), array([3, 2]))
    """
    n = len(references) - (own >= 0)
    centre, spread = centre_and_spread(references, own)
    own_auc = references[own] if len(references) else np.full(len(own), np.nan)
    above = len(references) - np.searchsorted(references, auc, side="right")
    above = above - ((own >= 0) & (own_auc > auc))
    with np.errstate(divide="ignore", invalid="ignore"):
        percentile = np.where(n > 0, 100 * above / n, np.nan)
    return Standing((centre - auc) / spread, percentile, centre - auc, n)


def centre_and_spread(references: Values, own: NDArray[np.intp]) -> tuple[Values, Values]:
    """Give median and 1.4826 MAD of a reference, leaving out one member at a time.

    Parameters
    ----------
    references : array (n,)
        Ascending.
    own : array (m,) of int
        The member to leave out; -1 for none.

    Examples
    --------
    >>> centre_and_spread(np.array([80.0, 90.0, 100.0]), np.array([-1, 0]))
    (array([90., 95.]), array([14.826,  7.413]))
    """
    centre = _median_without(references, own)
    spread = np.full(len(own), np.nan)
    # Leaving out one of n members gives no more than three medians.
    for middle in np.unique(centre[~np.isnan(centre)]):
        distance = np.abs(references - middle)
        order = np.argsort(distance, kind="stable")
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        rows = centre == middle
        left_out = np.where(own[rows] >= 0, place[own[rows]], -1)
        spread[rows] = MAD_TO_SD * _median_without(distance[order], left_out)
    return centre, np.maximum(spread, LEAST_SD)


def _median_without(ascending: Values, left_out: NDArray[np.intp]) -> Values:
    """Median of ascending values without the one at each given place (-1: with all)."""
    length = len(ascending) - (left_out >= 0)
    if not len(ascending) or not length.all():
        return np.full(len(left_out), np.nan)
    skipped = np.where(left_out >= 0, left_out, len(ascending))
    middle = [ascending[place + (place >= skipped)] for place in ((length - 1) // 2, length // 2)]
    return np.asarray((middle[0] + middle[1]) / 2)


def z_cut(n: int, z: float, established: int) -> float:
    """Give the z a sample must reach: with a small reference, its small-sample prediction limit.

    With n reference samples a new value lies beyond ``t(n - 1) sqrt(1 + 1/n)`` spreads as rarely as
    beyond `z` spreads of a known normal distribution. From `established` samples on, `z` itself.

    >>> z_cut(30, 1.0, 20)
    1.0
    >>> round(z_cut(10, 1.0, 20), 2)
    1.11
    """
    if n >= established:
        return z
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(n - 1, ndtr(z)) * np.sqrt(1 + 1 / n))


def errors_of(curves: pd.DataFrame, plates: Mapping[str, float]) -> Values:
    """Give the standard error of each curve's AUC, points: of its wells, and of what makes 100 %.

    Parameters
    ----------
    curves : DataFrame
        auc, auc_lo, auc_hi, and plates: those the curve rests on, joined by ``;``.
    plates : mapping
        As `control_errors` gives it. Of several plates the errors average out.

    Returns
    -------
    array
        NaN where the interval of the AUC is unknown.

    Examples
    --------
    >>> curves = pd.DataFrame({"auc": [50.0], "auc_lo": 46.08, "auc_hi": 53.92, "plates": "PL1"})
    >>> errors_of(curves, {"PL1": 0.04}).round(2)
    array([2.83])
    """
    place, texts = pd.factorize(curves["plates"])
    shared = np.array([_shared_error(text.split(";"), plates) for text in texts])
    wells = standard_error(curves, "auc")
    return np.hypot(wells, shared[place] * curves["auc"].to_numpy(float)) if len(place) else wells


def _shared_error(names: list[str], plates: Mapping[str, float]) -> float:
    own = [plates.get(name, 0.0) for name in names]
    return float(np.sqrt(np.sum(np.square(own)))) / len(own)


def control_errors(plates: Iterable[Mapping[Any, Any]]) -> dict[str, float]:
    """Give each plate's relative standard error of the median of its negative controls.

    Of n normal values a median is 1.2533 times as uncertain as the mean. 0 where unknown.

    Examples
    --------
    >>> control_errors([{"plate": "PL1", "cv_negative": 8.0, "n_negative": 16}])
    {'PL1': 0.025066}
    """
    found = {}
    for plate in plates:
        n, cv = plate.get("n_negative", 0), plate.get("cv_negative", float("nan"))
        known = n > 0 and cv == cv
        found[plate["plate"]] = round(1.2533 * cv / 100 / float(np.sqrt(n)), 12) if known else 0.0
    return found


def auc_over(members: Mapping[str, Values], low: float, high: float) -> Values:
    """Give the area under members' curves over another range of doses, %.

    Parameters
    ----------
    members : mapping of str to array (n,)
        dose_min, dose_max, auc, top, bottom, slope, ec50, as in the table of reference samples.
        Whether a curve falls or rises is told by its AUC; where neither gives it, or the curve is
        not known, the result is NaN.
    low, high : float
        Range, in the members' dose unit; to lie inside the tested one.

    Examples
    --------
    >>> curve = {"dose_min": 1.0, "dose_max": 1e4, "auc": 50.0, "top": 100.0, "bottom": 0.0,
    ...          "slope": 1.0, "ec50": 100.0}
    >>> auc_over({name: np.array([value]) for name, value in curve.items()}, 1.0, 100.0).round(0)
    array([85.])
    """
    drop = members["top"] - members["bottom"]
    flat = drop == 0
    log_ec50 = np.log10(np.where(flat, 1.0, members["ec50"]))
    slope = np.where(flat, 1.0, members["slope"])

    def gone(start: Values, end: Values) -> Values:
        """Mean share of the way down, from the integral of a logistic curve."""
        scale = slope * np.log(10.0)
        upper, lower = (np.logaddexp(0.0, scale * (edge - log_ec50)) for edge in (end, start))
        width = np.where(end > start, end - start, np.nan)  # a single dose has no area
        return np.asarray((upper - lower) / scale / width)

    own = gone(np.log10(members["dose_min"]), np.log10(members["dose_max"]))
    falling = members["top"] - drop * own
    rising = members["bottom"] + drop * own
    errors = [np.abs(area - members["auc"]) for area in (falling, rising)]
    share = gone(np.full_like(drop, np.log10(low)), np.full_like(drop, np.log10(high)))
    falls = errors[0] <= errors[1]
    area = np.where(falls, members["top"] - drop * share, members["bottom"] + drop * share)
    return np.where(np.minimum(*errors) <= LEAST_SD, area, np.nan)


def standard_error(curves: pd.DataFrame, measure: str) -> Values:
    """Give the standard error that the 95 % interval of a measure stands for; NaN without one."""
    width = curves[f"{measure}_hi"].to_numpy(float) - curves[f"{measure}_lo"].to_numpy(float)
    return np.asarray(width / (2 * _NORMAL_95))
