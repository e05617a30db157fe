"""Profile-likelihood intervals: the range of each quantity over the likelihood region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.metrics import (
    HALF_VIABILITY,
    area_under_curve,
    drug_sensitivity_scores,
    log10_dose_at,
)
from drp.curves.model import Floats, curve_at
from drp.curves.noise import Noise
from drp.curves.region import Cloud, cloud, region_cells
from drp.curves.search import FALLING, Searched

# Curves whose regions are worked on at once: few enough for the arrays to stay in the cache.
CURVES_IN_CACHE = 32
# A midpoint this near to its bound, in decades, counts as standing at it: the side is open.
AT_BOUND_DECADES = 1e-3


@dataclass(slots=True)
class Range:
    """Lowest and highest value seen so far for each curve, NaN ignored."""

    low: Floats
    high: Floats

    @classmethod
    def empty(cls, n_curves: int) -> "Range":
        """Start with nothing seen."""
        return cls(np.full(n_curves, np.inf), np.full(n_curves, -np.inf))

    def widen(self, curve: NDArray[np.intp], low: Floats, high: Floats) -> None:
        """Take in values; `curve` says whose they are."""
        np.minimum.at(self.low, curve, np.where(np.isnan(low), np.inf, low))
        np.maximum.at(self.high, curve, np.where(np.isnan(high), -np.inf, high))

    def blank(self, unknown: NDArray[np.bool_]) -> None:
        """Set to NaN where nothing can be said."""
        self.low[unknown] = np.nan
        self.high[unknown] = np.nan


@dataclass(slots=True)
class Intervals:
    """Intervals of a batch. Doses are log10, relative to each curve's lowest dose.

    An open side of `e` or `ic50` is infinite.
    """

    e: Range
    ic50: Range
    auc: Range
    dss2: Range
    viability_at: Range


def find_intervals(
    means: DoseMeans, searched: Searched, level: float, at: Floats, noise: Noise
) -> Intervals:
    """Find the intervals of every curve of a batch.

    Parameters
    ----------
    means : DoseMeans
        The batch.
    searched : Searched
        What `drp.curves.search.search` found for it.
    level : float
        Coverage aimed at, between 0 and 1.
    at : array (n_curves,)
        log10 dose, relative to the lowest, whose viability wants an interval; NaN = none.
    noise : Noise
        Of the wells of each curve.

    Returns
    -------
    Intervals
        NaN where nothing is known of the noise.

    Notes
    -----
    Bates and Watts, Nonlinear Regression Analysis and Its Applications, 1988, chapter 6.
    """
    from scipy.special import stdtrit

    best, n_curves = searched.best, len(means.n_points)
    freedom = noise.freedom
    # Beyond 1e8 degrees of freedom Student's t is the normal distribution to all digits.
    quantile = stdtrit(np.clip(freedom, 1, 1e8), 0.5 + level / 2) ** 2
    first_problem = next(iter(searched.problem.values()))
    room = noise.variance * quantile
    # A perfect fit leaves no noise to measure; its region is the optimum itself.
    allowed = best.loss - first_problem.spread + room
    found = Intervals(*(Range.empty(n_curves) for _ in range(5)))
    for sign, problem in searched.problem.items():
        wanted = np.flatnonzero((best.sign == sign) & ~best.flat & (freedom > 0))
        for begin in range(0, len(wanted), CURVES_IN_CACHE):
            curves = wanted[begin : begin + CURVES_IN_CACHE]
            cells = region_cells(
                problem, best, searched.nodes, searched.excess[sign], curves, allowed, sign
            )
            points = cloud(problem, cells, best, allowed, means.x_max - means.x_min, sign)
            _take_in(found, points, means, at, sign)
    _take_in_flat(found, searched, means, allowed)
    _open_sides(found, searched, means, freedom)
    return found


def _take_in(found: Intervals, points: Cloud, means: DoseMeans, at: Floats, sign: int) -> None:
    """Widen every range by the points of a cloud."""
    cells = points.cells
    curve, level = cells.curve, means.level[cells.curve][:, None]
    left, right = points.left + level, points.right + level
    e, slope = cells.e[:, None], np.exp(cells.eta)[:, None]
    high = (means.x_max - means.x_min)[curve][:, None]
    low = np.zeros_like(high)
    allowed = ~np.isnan(left).all(axis=1)

    def widen(range_: Range, values: Floats) -> None:
        range_.widen(curve, np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1))

    found.e.widen(curve[allowed], cells.e[allowed], cells.e[allowed])
    with np.errstate(invalid="ignore"):
        widen(found.auc, area_under_curve(left, right, e, slope, low, high))
        if not np.isnan(at[curve]).all():
            value = curve_at(at[curve][:, None], left, right, e, slope)
            widen(found.viability_at, np.where(np.isnan(at[curve][:, None]), np.nan, value))
        if sign == FALLING:
            half = log10_dose_at(HALF_VIABILITY, left, right, e, slope)
            widen(found.ic50, np.where(np.isnan(left), np.nan, half))
            # For given midpoint and slope the score falls as the bottom rises.
            ends = np.stack([np.fmin.reduce(right, axis=1), np.fmax.reduce(right, axis=1)], axis=1)
            score = drug_sensitivity_scores(ends, e, slope, low, high)[1]
            widen(found.dss2, np.where(np.isnan(ends), np.nan, score))
        else:
            # A rising curve has no dose at which it falls to half, and no area of sensitivity.
            beyond = np.where(left >= HALF_VIABILITY, np.inf, -np.inf)
            widen(found.ic50, np.where(np.isnan(left), np.nan, beyond))
            widen(found.dss2, np.where(allowed, 0.0, np.nan)[:, None])


def _take_in_flat(found: Intervals, searched: Searched, means: DoseMeans, allowed: Floats) -> None:
    """Widen every range by flat curves where these belong to the region."""
    spread = means.total_weight
    with np.errstate(invalid="ignore"):
        half = np.sqrt(np.where(allowed >= 0, allowed / spread, np.nan))
    inside = np.flatnonzero((searched.flat_excess <= allowed) & ~np.isnan(half))
    none = np.full(len(inside), np.nan)
    width = (means.x_max - means.x_min)[inside]
    for sign in (-1.0, 1.0):
        level = (means.level + sign * half)[inside]
        found.e.widen(inside, np.full(len(inside), -np.inf), np.full(len(inside), np.inf))
        found.auc.widen(inside, level, level)
        found.viability_at.widen(inside, level, level)
        beyond = np.where(level >= HALF_VIABILITY, np.inf, -np.inf)
        found.ic50.widen(inside, beyond, beyond)
        score = drug_sensitivity_scores(level, none, none, np.zeros_like(width), width)[1]
        found.dss2.widen(inside, score, score)


def _open_sides(found: Intervals, searched: Searched, means: DoseMeans, freedom: Floats) -> None:
    """Open an interval where the midpoint reaches its bound, or IC50 leaves the tested doses."""
    problem = next(iter(searched.problem.values()))
    found.e.low[found.e.low <= problem.e_low + AT_BOUND_DECADES] = -np.inf
    found.e.high[found.e.high >= problem.e_high - AT_BOUND_DECADES] = np.inf
    beyond = means.x_max - means.x_min
    found.ic50.low[found.ic50.low < 0.0] = -np.inf
    found.ic50.high[found.ic50.high > beyond] = np.inf
    for one in (found.e, found.ic50, found.auc, found.dss2, found.viability_at):
        one.blank((freedom <= 0) | (one.low > one.high))
