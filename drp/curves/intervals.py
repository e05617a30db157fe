"""Profile-likelihood intervals: the range of each quantity over the likelihood region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.grid import N_SLOPES, Nodes
from drp.curves.metrics import HALF_VIABILITY, drug_sensitivity_scores
from drp.curves.model import Floats
from drp.curves.noise import Noise
from drp.curves.objective import Point
from drp.curves.outermost import best_of_each, outermost_midpoint, outermost_value
from drp.curves.ranges import QUANTITIES, Columns, cut_of, ranges, viability_ranges
from drp.curves.region import (
    MIDPOINT_STRIDE,
    SLOPE_STRIDE,
    Cells,
    nodes_to_try,
    peak,
    ray_cells,
)
from drp.curves.search import Searched

# Curves whose regions are worked on at once: few enough for the arrays to stay in the cache.
CURVES_IN_CACHE = 256
NODES_IN_CACHE = 4096
# A midpoint this near to its bound, in decades, counts as standing at it: the side is open.
AT_BOUND_DECADES = 1e-3
# A node that lacks less than this share of a range to its end is followed farther out.
NEARLY = 0.5
SMALLEST_GAIN = np.finfo(np.float64).tiny


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
        np.fmin.at(self.low, curve, low)
        np.fmax.at(self.high, curve, high)

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
    viability_at: list[Range]


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
    at : array (n_doses, n_curves)
        log10 doses, relative to the lowest, whose viability wants an interval; NaN = none.
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
    room = noise.variance * quantile
    # A perfect fit leaves no noise to measure; its region is the optimum itself.
    allowed = best.loss - searched.problem.spread + room
    e, ic50, auc, dss2, *viability_at = (Range.empty(n_curves) for _ in range(4 + len(at)))
    found = Intervals(e, ic50, auc, dss2, viability_at)
    columns = Columns.of(searched, means, at, allowed)
    curves = np.flatnonzero(~best.flat & (freedom > 0))
    if len(curves):
        _take_in_rays(found, columns, curves, best.point, room)
        _take_in_nodes(found, columns, curves, searched, room)
    turned = np.flatnonzero(columns.rising)
    low, high = (columns.width - end for end in (found.e.high, found.e.low))
    found.e.low[turned], found.e.high[turned] = low[turned], high[turned]
    _take_in_flat(found, searched, means, allowed)
    _open_sides(found, searched, means, freedom)
    return found


def _take_in_rays(
    found: Intervals, columns: Columns, curves: NDArray[np.intp], best: Point, room: Floats
) -> None:
    """Widen every range by the neighbourhood of the optimum, peaks between cells included."""
    for begin in range(0, len(curves), CURVES_IN_CACHE):
        some = curves[begin : begin + CURVES_IN_CACHE]
        part = columns.take(some)
        rays = ray_cells(part.problem, best.take(some), room[some])
        cut = cut_of(part, rays.cells)
        seen = [
            (getattr(found, name), ends)
            for name, ends in ranges(part, rays.cells, QUANTITIES, cut).items()
        ]
        seen += zip(found.viability_at, viability_ranges(part, cut, rays.cells), strict=True)
        # All peaks in one call: a column's bits do not depend on its neighbours.
        ends = peak(np.hstack([side for _, (low, high) in seen for side in (-low, high)]))
        for (one, _), (low, high) in zip(seen, ends.reshape(len(seen), 2, -1), strict=True):
            one.widen(some, -low, high)
        found.e.widen(some, rays.low, rays.high)


def _take_in_nodes(
    found: Intervals,
    columns: Columns,
    curves: NDArray[np.intp],
    searched: Searched,
    room: Floats,
) -> None:
    """Widen every range by nodes of the search table that belong to the region.

    Where a node lies farther out than all rays, the region is no ellipse there, and what lies
    farther out still is looked for.
    """
    nodes = searched.nodes
    gains = searched.gains[:, curves]
    gains *= searched.best.sign[curves]
    inside = gains >= np.maximum((searched.base - columns.allowed)[curves], SMALLEST_GAIN)
    tried = np.flatnonzero(nodes_to_try(inside).T.ravel())  # far faster than two indices
    whose, node = np.divmod(tried, len(inside))
    whose = curves[whose]
    e, eta = nodes.e[node, whose if nodes.e.shape[1] > 1 else 0], nodes.eta[node, 0]
    e = np.where(columns.rising[whose], columns.width[whose] - e, e)
    steps = _node_steps(nodes)
    at_nodes = _at_nodes(found, columns, whose, e, eta)
    for name, ends in at_nodes.items():
        seen: Range = getattr(found, name)
        width = NEARLY * (seen.high - seen.low)
        for side, values, known in ((-1, ends[0], seen.low), (1, ends[1], seen.high)):
            some, place = best_of_each(whose, values, side)
            farther = side * values[place] > side * known[some] - width[some]
            some, place = some[farther], place[farther]
            if len(some):
                begin = e[place], eta[place], values[place]
                first = (steps[0][node[place], some if len(steps[0][0]) > 1 else 0], steps[1])
                wanted = known[some], width[some]
                out = outermost_value(columns.take(some), name, side, begin, first, wanted)
                seen.widen(some, out, out)
    known_e = np.where(np.isnan(at_nodes["auc"][0]), np.nan, e)
    _follow_midpoint(found, columns, curves, searched.best.point, room, (whose, known_e, eta))


def _node_steps(nodes: Nodes) -> tuple[Floats, Floats]:
    """Give half the distances between the nodes tried: in midpoint at each node, and in slope."""
    e = nodes.e.reshape(-1, N_SLOPES, nodes.e.shape[1])
    step: Floats = np.asarray(np.gradient(e, axis=0)) * (0.5 * MIDPOINT_STRIDE)
    eta = nodes.eta[:N_SLOPES, 0]
    return step.reshape(nodes.e.shape), np.asarray(0.5 * SLOPE_STRIDE * (eta[1] - eta[0]))


def _at_nodes(
    found: Intervals, columns: Columns, whose: NDArray[np.intp], e: Floats, eta: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """Give the ranges at single cells, one per entry of the lists; those of viability are taken in.

    Viability is so nearly linear in the asymptotes that nothing farther out is worth the search.
    """
    ends = {name: (np.full(len(e), np.nan), np.full(len(e), np.nan)) for name in QUANTITIES}
    for begin in range(0, len(e), NODES_IN_CACHE):
        part = slice(begin, begin + NODES_IN_CACHE)
        cells, some = Cells(e[None, part], eta[None, part]), columns.take(whose[part])
        cut = cut_of(some, cells)
        for name, pair in ranges(some, cells, QUANTITIES, cut).items():
            for whole, one in zip(ends[name], pair, strict=True):
                whole[part] = one[0]
        for seen, (low, high) in zip(
            found.viability_at, viability_ranges(some, cut, cells), strict=True
        ):
            seen.widen(whose[part], low[0], high[0])
    return ends


def _follow_midpoint(
    found: Intervals,
    columns: Columns,
    curves: NDArray[np.intp],
    best: Point,
    room: Floats,
    inside: tuple[NDArray[np.intp], Floats, Floats],
) -> None:
    """Widen the range of the midpoint to the edge of its profile, from the outermost node inside.

    `inside` lists whose each node is, its midpoint (NaN if outside after all) and its ln slope.
    """
    part, some = columns.problem.take(curves), best.take(curves)
    for side in (-1, 1):
        e, eta = best.e.copy(), best.eta.copy()
        whose, place = best_of_each(inside[0], inside[1], side)
        farther = side * inside[1][place] > side * e[whose]
        whose, place = whose[farther], place[farther]
        e[whose], eta[whose] = inside[1][place], inside[2][place]
        start = e[curves], eta[curves]
        out = outermost_midpoint(part, *start, room[curves], 2.0 * some.loss, side)
        found.e.widen(curves, out, out)


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
        for one in found.viability_at:
            one.widen(inside, level, level)
        beyond = np.where(level >= HALF_VIABILITY, np.inf, -np.inf)
        found.ic50.widen(inside, beyond, beyond)
        score = drug_sensitivity_scores(level, none, none, np.zeros_like(width), width)[1]
        found.dss2.widen(inside, score, score)


def _open_sides(found: Intervals, searched: Searched, means: DoseMeans, freedom: Floats) -> None:
    """Open an interval where the midpoint reaches its bound, or IC50 leaves the tested doses."""
    problem = searched.problem
    found.e.low[found.e.low <= problem.e_low + AT_BOUND_DECADES] = -np.inf
    found.e.high[found.e.high >= problem.e_high - AT_BOUND_DECADES] = np.inf
    beyond = means.x_max - means.x_min
    found.ic50.low[found.ic50.low < 0.0] = -np.inf
    found.ic50.high[found.ic50.high > beyond] = np.inf
    for one in (found.e, found.ic50, found.auc, found.dss2, *found.viability_at):
        one.blank((freedom <= 0) | (one.low > one.high))
