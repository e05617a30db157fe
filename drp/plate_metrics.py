"""Formulas of plate quality: how far the controls lie apart, and how much wells of a kind scatter.

All take signals as arrays of one dimension, in the reader's unit, in any order. A metric without
enough wells is NaN, never 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEAST_CONTROLS = 4  # fewer wells do not give a spread
_MAD_TO_SD = 1.4826  # makes the MAD of normal data estimate their standard deviation
_UNKNOWN = float("nan")


def robust_sd(values: Values) -> float:
    """Give 1.4826 times the median absolute deviation from the median.

    >>> float(robust_sd(np.array([1.0, 2.0, 3.0, 4.0, 100.0])))
    1.4826
    """
    return float(_MAD_TO_SD * np.median(np.abs(values - np.median(values))))


def median(values: Values) -> float:
    """Give the median; NaN without values.

    >>> median(np.array([3.0, 1.0, 2.0])), median(np.array([]))
    (2.0, nan)
    """
    return float(np.median(values)) if len(values) else _UNKNOWN


def z_prime(negative: Values, positive: Values) -> float:
    """Give Z′ = 1 - 3 (sd_n + sd_p) / |mean_n - mean_p|; NaN with fewer than 4 wells of a kind.

    Source: Zhang, Chung and Oldenburg, J Biomol Screen 1999;4:67, doi 10.1177/108705719900400206.

    >>> round(z_prime(np.array([99.0, 100, 101, 100]), np.array([1.0, 0, 1, 0])), 3)
    0.958
    """
    return _separation(negative, positive, np.mean, lambda x: float(np.std(x, ddof=1)))


def robust_z_prime(negative: Values, positive: Values) -> float:
    """Give Z′ from medians and 1.4826 MAD; NaN with fewer than 4 wells of a kind.

    >>> round(robust_z_prime(np.array([99.0, 100, 101, 10]), np.array([1.0, 0, 1, 0])), 3)
    0.933
    """
    return _separation(negative, positive, np.median, robust_sd)


def _separation(
    negative: Values,
    positive: Values,
    centre: Callable[[Values], Any],
    spread: Callable[[Values], float],
) -> float:
    if min(len(negative), len(positive)) < LEAST_CONTROLS:
        return _UNKNOWN
    distance = abs(float(centre(negative)) - float(centre(positive)))
    return 1 - 3 * (spread(negative) + spread(positive)) / distance if distance else float("-inf")


def ssmd(negative: Values, positive: Values) -> float:
    """Give the strictly standardised mean difference, (mean_n - mean_p) / sqrt(var_n + var_p).

    Source: Zhang, Genomics 2007;89:552, doi 10.1016/j.ygeno.2006.12.014. NaN with fewer than 4
    wells of a kind.

    >>> round(ssmd(np.array([99.0, 100, 101, 100]), np.array([1.0, 0, 1, 0])), 1)
    99.5
    """
    if min(len(negative), len(positive)) < LEAST_CONTROLS:
        return _UNKNOWN
    spread = float(np.sqrt(np.var(negative, ddof=1) + np.var(positive, ddof=1)))
    return float(np.mean(negative) - np.mean(positive)) / spread if spread else float("inf")


def signal_to_background(negative: Values, positive: Values, blank: Values) -> float:
    """Give mean_n / mean_p, the mean blank taken off both where there are blanks.

    NaN with fewer than 4 wells of a kind, and where the positive controls do not lie above the
    blanks: there is no background left to compare with.

    >>> ten, two = np.full(4, 10.0), np.full(4, 2.0)
    >>> signal_to_background(ten, two, np.array([])), signal_to_background(ten, two, two / 2)
    (5.0, 9.0)
    """
    if min(len(negative), len(positive)) < LEAST_CONTROLS:
        return _UNKNOWN
    empty = float(np.mean(blank)) if len(blank) else 0.0
    background = float(np.mean(positive)) - empty
    return (float(np.mean(negative)) - empty) / background if background > 0 else _UNKNOWN


def cv_pct(values: Values) -> float:
    """Give the coefficient of variation in per cent; NaN with fewer than 4 wells.

    >>> round(cv_pct(np.array([90.0, 100, 110, 100])), 2)
    8.16
    """
    if len(values) < LEAST_CONTROLS or not np.mean(values):
        return _UNKNOWN
    return float(100 * np.std(values, ddof=1) / np.mean(values))


def robust_cv_pct(values: Values) -> float:
    """Give 100 times 1.4826 MAD over the median; NaN with fewer than 4 wells.

    >>> round(robust_cv_pct(np.array([90.0, 100, 110, 100])), 3)
    7.413
    """
    centre = median(values)
    if len(values) < LEAST_CONTROLS or not centre:
        return _UNKNOWN
    return 100 * robust_sd(values) / centre
