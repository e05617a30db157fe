"""Trends: whether values rise or fall along a plate or a run, by ranks, so that no well decides."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_NORMAL_95 = 1.959963984540054
_MOST_EXACT = 8  # 40,320 orders; with more values the t approximation is close


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope with its 95 % interval and two-sided p-value; all NaN where it cannot be told."""

    slope: float = float("nan")
    lo: float = float("nan")
    hi: float = float("nan")
    p: float = float("nan")


def rank_slope(places: Values, values: Values, groups: Sequence[Hashable]) -> Trend:
    """Estimate the slope of values over places, the same in all groups, by ranks.

    Only values of one group are compared, so a difference of level between groups is no trend.
    The estimate minimises Jaeckel's dispersion with Wilcoxon scores: the median of the slopes
    between all pairs, weighted by their distance. The p-value is that of the rank statistic
    ``sum (x - mean x) rank(y)`` under permutation within the groups (its exact mean and variance,
    ties included, and the normal distribution); the interval is the set of slopes it allows.

    Parameters
    ----------
    places, values : array, shape (n,)
        In any order; the slope is in units of the values per unit of place.
    groups : sequence, length n

    Returns
    -------
    Trend
        NaN if no two values of one group stand in different places. An end of the interval that
        the values do not bound is infinite.

    References
    ----------
    Jaeckel, Ann Math Stat 1972;43:1449, doi 10.1214/aoms/1177692377.

    Examples
    --------
    >>> found = rank_slope(np.arange(6.0), 2 * np.arange(6.0), ["DMSO"] * 6)
    >>> found.slope, round(found.p, 3)
    (2.0, 0.025)
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    slopes, weights, variance = [], [], 0.0
    for _, own in sorted(members.items(), key=lambda item: str(item[0])):
        x, y = places[own], values[own]
        first, second = np.triu_indices(len(x), 1)
        distance = x[second] - x[first]
        apart = distance != 0
        slopes.append((y[second] - y[first])[apart] / distance[apart])
        weights.append(np.abs(distance[apart]))
        variance += _variance(x, y)
    if not sum(map(len, slopes)):
        return Trend()
    slope, weight = np.concatenate(slopes), np.concatenate(weights)
    if not variance > 0:  # all values of each group are equal
        return Trend(slope=0.0, lo=0.0, hi=0.0, p=1.0)
    statistic = float(np.sum(weight * np.sign(slope)))
    order = np.argsort(slope, kind="stable")
    below = np.cumsum(weight[order])
    total, reach = float(below[-1]), _NORMAL_95 * variance**0.5
    return Trend(
        slope=_weighted_median(slope[order], below),
        lo=_at(slope[order], below, (total - reach) / 2, float("-inf")),
        hi=_at(slope[order], below, (total + reach) / 2, float("inf")),
        p=_two_sided(statistic / variance**0.5),
    )


def _variance(x: Values, y: Values) -> float:
    """Variance over all orders of y of the sum over pairs of |dx| sign(slope)."""
    if len(x) < 2:
        return 0.0
    ranks = midranks(y)
    return float(4 * len(x) ** 2 * np.var(x) * np.var(ranks) / (len(x) - 1))


def _weighted_median(ordered: Values, below: Values) -> float:
    half = below[-1] / 2
    tolerance = 1e-12 * below[-1]
    lower = np.searchsorted(below, half - tolerance)
    upper = np.searchsorted(below, half + tolerance)
    return float((ordered[lower] + ordered[upper]) / 2)


def _at(ordered: Values, below: Values, weight: float, beyond: float) -> float:
    if not 0 < weight < below[-1]:
        return beyond
    return float(ordered[np.searchsorted(below, weight)])


def _two_sided(z: float) -> float:
    from math import erfc, sqrt

    return float(erfc(abs(z) / sqrt(2)))


def midranks(values: Values) -> Values:
    """Rank values from 1; equal ones share the mean of their ranks.

    >>> midranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place].astype(float)


def spearman(places: Values, values: Values) -> tuple[float, float]:
    """Give Spearman's rank correlation and its two-sided p-value.

    Parameters
    ----------
    places, values : array, shape (n,)

    Returns
    -------
    rho, p : float
        The p-value is exact over all orders up to 8 values, by Student's t beyond. NaN with fewer
        than 3 values or if either never changes.

    Examples
    --------
    >>> rho, p = spearman(np.arange(4.0), np.array([1.0, 3.0, 4.0, 9.0]))
    >>> round(rho, 9), round(p * 24)
    (1.0, 2)
    """
    x, y = midranks(places), midranks(values)
    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return float("nan"), float("nan")
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt(np.sum(x**2) * np.sum(y**2)))
    rho = float(np.sum(x * y)) / scale
    return rho, _exact_p(x, y) if len(x) <= _MOST_EXACT else _student_p(rho, len(x))


def _exact_p(x: Values, y: Values) -> float:
    products = np.abs(y[_orders(len(y))] @ x)
    seen = abs(float(np.sum(x * y)))
    return float(np.sum(products >= seen - 1e-9)) / factorial(len(y))


@cache
def _orders(n: int) -> NDArray[np.int64]:
    return np.array(list(permutations(range(n))), dtype=np.int64)


def _student_p(rho: float, n: int) -> float:
    from scipy.special import stdtr

    if abs(rho) >= 1:
        return 0.0
    t = abs(rho) * ((n - 2) / (1 - rho**2)) ** 0.5
    return float(2 * stdtr(n - 2, -t))
