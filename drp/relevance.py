"""CurveCurator's test of a curve against no response: the recalibrated F and the relevance score.

For comparison with published analyses. `drp.sensitivity.fit_curves` itself tests against a null
simulated for its own bounds and design (``p_flat``), which keeps its size for any number of doses;
this one was calibrated on about ten single doses fitted in both directions.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.curves.model import Floats

# Degrees of freedom of the numerator and location of the recalibrated distribution.
NUMERATOR, LOCATION = 5.0, 0.12
N_PARAMETERS = 4
FEWEST_POINTS = 5
# A curve without response has a null model no worse than this, in ratios.
LARGEST_NULL_RMSE = 0.1


def denominator(n_points: ArrayLike) -> Floats:
    """Give the effective degrees of freedom of the denominator; NaN below five points.

    >>> float(denominator(12).round(9))
    7.572490347
    """
    n = np.asarray(n_points, dtype=np.float64)
    spare = np.maximum(n - N_PARAMETERS, 1.0)
    freedom: Floats = (0.8 - 1.0 / (spare**4 / n + 4.0)) * (n - 2.5)
    return np.where(n >= FEWEST_POINTS, freedom, np.nan)


def recalibrated_f(
    sse_null: ArrayLike, sse: ArrayLike, n_points: ArrayLike
) -> tuple[Floats, Floats]:
    """Give CurveCurator's F and its p-value. Bayer et al., Nat Commun 2023.

    Parameters
    ----------
    sse_null, sse : array
        Squared error about the null model (a constant) and about the curve.
    n_points : array
        Points, one control point included; at least five.

    Returns
    -------
    f, p : array
        ``F = max(0, (SSE0 - SSE) / SSE · n / 4)``, and its upper tail.

    Examples
    --------
    >>> f, p = recalibrated_f(0.45, 0.022, 12)
    >>> float(f.round(3)), bool(p < 1e-4)
    (58.364, True)
    """
    null, curve, n = (np.asarray(part, dtype=np.float64) for part in (sse_null, sse, n_points))
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.maximum(0.0, (null - curve) / curve * n / N_PARAMETERS)
    return f, _upper_tail(f, denominator(n))


def relevance_score(
    f: ArrayLike,
    n_points: ArrayLike,
    fold_change: ArrayLike,
    *,
    alpha: float = 0.05,
    least_change: float = 0.25,
) -> Floats:
    """Give the relevance score: -log10 of p after F is shrunk where the effect is small.

    Parameters
    ----------
    f, n_points : array
        As `recalibrated_f` gives and takes them.
    fold_change : array
        log2 of the curve at the highest dose over the control.
    alpha, least_change : float
        Level and fold change that a relevant curve must reach.

    Returns
    -------
    array
        0 or more; -log10(alpha) is the limit.

    Examples
    --------
    >>> float(relevance_score(57.867187, 12, -0.830393).round(4))
    2.7439
    """
    from scipy.special import fdtri

    values, change = (np.asarray(part, dtype=np.float64) for part in (f, fold_change))
    freedom = denominator(n_points)
    fudge = least_change / np.sqrt(fdtri(NUMERATOR, freedom, 1.0 - alpha))
    with np.errstate(divide="ignore"):
        shrunk = 1.0 / (1.0 / np.sqrt(values) + fudge / np.abs(change)) ** 2
        score: Floats = -np.log10(_upper_tail(shrunk, freedom))
    return score


def regulation(
    relevance: ArrayLike,
    fold_change: ArrayLike,
    null_rmse: ArrayLike,
    null_level: ArrayLike,
    *,
    alpha: float = 0.05,
    least_change: float = 0.25,
) -> NDArray[np.str_]:
    """Sort curves into ``down``, ``up``, ``not`` and, undecided, the empty string.

    Parameters
    ----------
    relevance, fold_change : array
        As in `relevance_score`.
    null_rmse, null_level : array
        Root mean squared error about the null model, and its level, as ratios.

    Examples
    --------
    >>> regulation([2.7, 0.3, 0.3], [-0.8, -0.1, -0.1], [0.2, 0.05, 0.3], [0.9, 1.0, 1.0]).tolist()
    ['down', 'not', '']
    """
    limit = -np.log10(alpha)
    change = np.asarray(fold_change, dtype=np.float64)
    relevant = np.asarray(relevance) >= limit
    moved = relevant & (np.abs(change) >= least_change)
    level = np.abs(np.log2(np.asarray(null_level, dtype=np.float64)))
    still = ~relevant & (np.asarray(null_rmse) <= LARGEST_NULL_RMSE) & (level <= least_change / 2)
    direction = np.where(change < 0, "down", "up")
    return np.where(moved, direction, np.where(still, "not", ""))


def _upper_tail(f: Floats, freedom: Floats) -> Floats:
    from scipy.special import fdtrc

    return np.asarray(fdtrc(NUMERATOR, freedom, np.maximum(f - LOCATION, 0.0)), dtype=np.float64)
