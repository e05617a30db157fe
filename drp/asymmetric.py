"""DSS_asym: the asymmetric drug sensitivity score of paediatric precision oncology (iTReX).

It differs from Yadav's scores in every part: a curve of five parameters through the single wells,
a loss that outlying wells sway less, a threshold that floats with the largest inhibition, half of
the area, no logarithm and no cap. The two cannot be converted into each other.

A curve of five parameters on five doses is not determined by its data, and the criterion has
several optima. The search is therefore part of the definition: it starts at the middle of the
tested doses and follows the criterion downhill, four parameters first and the fifth from there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.curves.collapse import total
from drp.curves.model import LN10, Floats

# The curve is scored on so many doses, evenly spaced in log dose.
N_SCORED = 200
# Asymptotes start at these quantiles of the wells.
START_QUANTILES = (0.05, 0.95)
MOST_STEPS = 30
# Two steps in a row that lower the criterion by less than this share end the search.
TOLERANCE = 1e-4
# Residuals count as at least this (a hundredth of a per cent) in the curvature.
SMALLEST_RESIDUAL = 1e-4
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-5, 1e8
# Largest step: asymptotes, decades, share of the slope (at least a tenth), log of the asymmetry.
STEP_LIMITS = (0.5, 0.5, 0.7, 0.7, 0.7)
LARGEST_EXPONENT = 300.0


class AsymmetricScores(NamedTuple):
    """Scores and curves; arrays of shape (n_curves,), NaN where a curve has too few doses.

    score: DSS_asym, 0 to about 50. goodness: 1 - SSE / SST, at least 0. threshold: inhibition that
    counts, per cent (10 to 11). low_end, high_end: asymptotes of inhibition, per cent.
    log10_middle, slope, asymmetry: the other parameters. objective: sum of |residual| ** 1.5, of
    fractions.
    """

    score: Floats
    goodness: Floats
    threshold: Floats
    low_end: Floats
    high_end: Floats
    log10_middle: Floats
    slope: Floats
    asymmetry: Floats
    objective: Floats

    @property
    def adjusted(self) -> Floats:
        """DSS_asym times the goodness of fit."""
        return self.score * self.goodness


def asymmetric_scores(
    dose: ArrayLike, viability: ArrayLike, *, fewest_doses: int = 4
) -> AsymmetricScores:
    """Fit the asymmetric curve to the wells of each curve and give DSS_asym.

    Parameters
    ----------
    dose : array (n_points,) or (n_curves, n_points)
        In any linear unit; dose 0 plays no part. NaN = missing.
    viability : array (n_curves, n_points)
        Per cent, where 100 is the negative and 0 the positive control. NaN = missing.
    fewest_doses : int
        Distinct doses needed.

    Returns
    -------
    AsymmetricScores
        The order of wells and of curves changes no bit.

    Notes
    -----
    Inhibition ``i(x) = b + (t - b) / (1 + 10 ** (h (m - x))) ** s``;
    ``A = 0.1 max(100, min(110, 100 max(t, b)))``;
    ``DSS_asym = 0.5 · 100 ∫ max(100 i - A, 0) dx / ((100 - A) (x_max - x_min))`` on 200 doses. A
    curve with h < 0 is taken as constant at its value at the highest dose. ElHarouni et al.,
    Pharmacol Res 2022;175:105996, doi:10.1016/j.phrs.2021.105996.

    Examples
    --------
    >>> dose = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    >>> found = asymmetric_scores(dose, np.array([[100.0, 91.0, 50.0, 9.0, 0.0]]))
    >>> float(found.score[0].round(1)), float(found.threshold[0].round(1))
    (23.2, 10.1)
    """
    response = np.array(viability, dtype=np.float64, ndmin=2)
    doses = np.array(np.broadcast_to(np.asarray(dose, dtype=np.float64), response.shape))
    used = (doses > 0) & np.isfinite(doses) & np.isfinite(response)
    doses[~used], response[~used] = np.inf, np.inf
    order = np.lexsort((response, doses), axis=-1)
    doses, response = (np.take_along_axis(part, order, axis=-1) for part in (doses, response))
    n_points, distinct = used.sum(axis=1), _distinct(doses)
    columns = np.full((len(AsymmetricScores._fields), len(response)), np.nan)
    for n in np.unique(n_points):
        curves = np.flatnonzero((n_points == n) & (distinct >= max(fewest_doses, 2)))
        if len(curves):
            x = np.log10(doses[curves, :n]).T.copy()
            columns[:, curves] = _score(x, (1.0 - response[curves, :n] / 100.0).T.copy())
    return AsymmetricScores(*columns)


def _distinct(doses: Floats) -> NDArray[np.int64]:
    """Count the distinct doses of sorted rows; infinite ones are missing."""
    finite = np.isfinite(doses)
    with np.errstate(invalid="ignore"):
        new = finite[:, 1:] & (doses[:, 1:] > doses[:, :-1])
    counts: NDArray[np.int64] = finite[:, 0].astype(np.int64) + new.sum(axis=1)
    return counts


def _score(x: Floats, y: Floats) -> list[Floats]:
    """Fit and score curves with equally many wells; `x`, `y` of shape (n_points, n_curves)."""
    four, _ = _descend(x, y, _start(x, y), 4)
    q, objective = _descend(x, y, four, 5)
    low, high = x[0], x[-1]
    grid = low + (high - low) * np.linspace(0.0, 1.0, N_SCORED)[:, None]
    inhibition = 100.0 * _curve(grid, q)[0]
    inhibition = np.where(q[3] < 0, inhibition[-1], inhibition)
    threshold = 0.1 * np.clip(100.0 * np.maximum(q[0], q[1]), 100.0, 110.0)
    over = np.maximum(inhibition - threshold, 0.0)
    mean_over = (total(over) - 0.5 * (over[0] + over[-1])) / (N_SCORED - 1)
    error, spread = total((y - _curve(x, q)[0]) ** 2), total((y - total(y) / len(y)) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        goodness = np.where(spread > 0, np.maximum(0.0, 1.0 - error / spread), 0.0)
    score = 50.0 * mean_over / (100.0 - threshold)
    ends = [100.0 * q[0], 100.0 * q[1]]
    return [score, goodness, threshold, *ends, q[2], q[3], np.exp(q[4]), objective]


def _start(x: Floats, y: Floats) -> Floats:
    """Start at quantiles, the middle dose, slope 1 in the direction of the trend, no asymmetry."""
    low, high = (np.quantile(y, share, axis=0) for share in START_QUANTILES)
    trend = total((x - total(x) / len(x)) * y)
    return np.array([low, high, (x[0] + x[-1]) / 2, np.where(trend >= 0, 1.0, -1.0), 0.0 * low])


def _curve(x: Floats, q: Floats) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Give the inhibition, a fraction, and what its derivatives need. q[4] = ln asymmetry."""
    u = np.clip((q[2] - x) * (q[3] * LN10), -LARGEST_EXPONENT, LARGEST_EXPONENT)
    rise = np.exp(u)
    logs = np.log1p(rise)
    share = np.exp(-np.exp(q[4]) * logs)
    return q[0] + (q[1] - q[0]) * share, (rise, logs, share)


def _slopes(x: Floats, q: Floats, parts: tuple[Floats, Floats, Floats], n: int) -> list[Floats]:
    """Give the derivatives in the first n parameters."""
    rise, logs, share = parts
    bend = -(q[1] - q[0]) * share * np.exp(q[4])
    common = bend * LN10 * (rise / (1.0 + rise))
    return [1.0 - share, share, common * q[3], common * (q[2] - x), bend * logs][:n]


def _criterion(residual: Floats) -> Floats:
    size = np.abs(residual)
    return total(size * np.sqrt(size))


def _descend(x: Floats, y: Floats, start: Floats, n: int) -> tuple[Floats, Floats]:
    """Lower the criterion from `start` in the first n parameters; damped Gauss-Newton."""
    q = start.copy()
    objective = _criterion(y - _curve(x, q)[0])
    damping, calm = np.full(len(objective), FIRST_DAMPING), np.zeros(len(objective), dtype=int)
    active = np.arange(len(objective))
    for _ in range(MOST_STEPS):
        part_x, part_y, here = x[:, active], y[:, active], q[:, active]
        there = _stepped(part_x, part_y, here, damping[active], n)
        reached, before = _criterion(part_y - _curve(part_x, there)[0]), objective[active]
        lower = reached < before
        q[:, active] = np.where(lower, there, here)
        objective[active] = np.where(lower, reached, before)
        small = lower & (before - reached <= TOLERANCE * before)
        calm[active] = np.where(small, calm[active] + 1, np.where(lower, 0, calm[active]))
        eased = np.maximum(0.3 * damping[active], LEAST_DAMPING)
        damping[active] = np.where(lower, eased, 5.0 * damping[active])
        active = active[(calm[active] < 2) & (damping[active] <= MOST_DAMPING)]
        if not len(active):
            break
    return q, objective


def _stepped(x: Floats, y: Floats, q: Floats, damping: Floats, n: int) -> Floats:
    """Give the parameters after one damped, weighted Gauss-Newton step of limited length."""
    value, parts = _curve(x, q)
    residual = y - value
    weight = 1.0 / np.sqrt(np.maximum(np.abs(residual), SMALLEST_RESIDUAL))
    slopes = _slopes(x, q, parts, n)
    curvature, gradient = np.empty((x.shape[1], n, n)), np.empty((x.shape[1], n))
    for k in range(n):
        weighted = weight * slopes[k]
        gradient[:, k] = total(weighted * residual)
        for m in range(k, n):
            curvature[:, k, m] = curvature[:, m, k] = total(weighted * slopes[m])
    own = np.einsum("ckk->ck", curvature)
    # The floor keeps directions that the wells say nothing about from blowing up.
    ridge = damping[:, None] * np.maximum(own, 1e-6 * own.max(axis=1, keepdims=True) + 1e-9)
    damped = curvature + ridge[:, :, None] * np.eye(n)
    step = np.linalg.solve(damped, gradient[:, :, None])[:, :, 0].T
    limits = np.repeat(np.array(STEP_LIMITS[:n])[:, None], len(damping), axis=1)
    limits[3] = np.maximum(limits[3] * np.abs(q[3]), 0.1)
    moved = q.copy()
    moved[:n] += np.clip(step, -limits, limits)
    return moved
