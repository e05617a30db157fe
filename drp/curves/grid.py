"""Starts for the fit: every curve against one table of midpoints and slopes.

What a node of the table explains needs three weighted sums of s over the doses. Where curves share
their relative doses these are one matrix product for all nodes and curves; otherwise they are
summed dose by dose. No start is drawn at random: the best few local optima of the table are
polished, so the same wells always give the same fit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums, mirrored, solve
from drp.curves.collapse import DoseMeans
from drp.curves.model import Bounds, Floats, box_around, falling_share
from drp.curves.objective import FAR_BELOW

N_SLOPES = 16
# Midpoints beyond the outer doses, in shares of the margin; between doses see `place_midpoints`.
OUTSIDE = np.array([0.42, 0.7, 1.0])
# A steep curve is told apart from its neighbours by the one dose near its midpoint: the share there
# is 1/2, and about 4/5 and 24/25 so many decades, divided by the slope, to one side.
CLOSE, CLOSER = 1.4, 0.6
N_STARTS = 4
# A start is tried if its node explains nearly as much as the curve's best node: short of it by no
# more than these shares of the spread and of what the best node leaves unexplained.
SLACK_OF_SPREAD, SLACK_OF_REST = 0.02, 0.1
# Curves whose tables are worked on at once: few enough for the arrays to stay in the cache.
CURVES_IN_CACHE = 32
# Relative log doses that agree to this many decimals share a table.
DOSE_DECIMALS = 6
# Neighbouring nodes whose gains differ by less than this share of the spread are level. A matrix
# product and a plain sum differ in the last bits; this keeps them from choosing other starts.
LEVEL_SHARE = 1e-9
# Below this share of the sum of squares the sums are rounding, and s shows no span.
SMALLEST_SPREAD = 1e-11
TINY = np.finfo(np.float64).tiny


class Nodes(NamedTuple):
    """The nodes of each curve's table, shape (n_midpoints * N_SLOPES, n_curves or 1).

    `e` is log10 EC50 relative to the curve's lowest dose, `eta` is ln slope.
    """

    e: Floats
    eta: Floats


class Starts(NamedTuple):
    """Where to start: flat lists, one entry per start; `gain` is what its node explains."""

    curve: NDArray[np.intp]
    log10_ec50: Floats
    log_slope: Floats
    gain: Floats


def place_midpoints(doses: Floats, slopes: Floats, margin: float) -> Floats:
    """Place the midpoints of a table, ascending for each slope.

    Parameters
    ----------
    doses : array (n_doses, n_tables)
        Relative log10 doses, ascending, the lowest 0; a dose may be repeated.
    slopes : array (N_SLOPES,)
        Hill slopes.
    margin : float
        How far midpoints may lie beyond the doses, decades.

    Returns
    -------
    array (6 * n_doses + 3, N_SLOPES, n_tables)
        Each dose, two points close to either side, the middle between doses, and some beyond.
    """
    low, high = doses[:-1, None], doses[1:, None]
    shape = (len(low), len(slopes), doses.shape[1])
    gap, slope = high - low, slopes[:, None]
    closer, close = np.minimum(gap / 6, CLOSER / slope), np.minimum(gap / 3, CLOSE / slope)
    between = (low, low + closer, low + close, 0.5 * (low + high), high - close, high - closer)
    inside = np.stack([np.broadcast_to(part, shape) for part in between], axis=1)
    near = np.minimum(0.25 * margin, CLOSER / slopes)
    far = np.vstack([near, np.broadcast_to(margin * OUTSIDE[:, None], (3, len(slopes)))])[
        :, :, None
    ]
    ends = np.zeros((1, *shape[1:])) + doses[-1]
    return np.concatenate([ends * 0 - far[::-1], inside.reshape(-1, *shape[1:]), ends, ends + far])


class Table:
    """The table of a batch of curves, and the sums over doses at its nodes.

    Parameters
    ----------
    means : DoseMeans
        The batch.
    bounds : Bounds
        Limits of the parameters.
    """

    def __init__(self, means: DoseMeans, bounds: Bounds) -> None:
        x = np.maximum(np.round(means.x - means.x_min, DOSE_DECIMALS), FAR_BELOW)
        self.shared = bool((x == x[:, :1]).all())
        self._x = x[:, :1] if self.shared else x
        self._even = self.shared and bool((means.weight == means.weight[:, :1]).all())
        self._means = means
        self.level = means.level
        eta = np.linspace(np.log(bounds.slope[0]), np.log(bounds.slope[1]), N_SLOPES)
        # Dose 0 has no place on the axis: the lowest dose above it stands twice instead.
        doses = np.sort(np.maximum(self._x, 0.0), axis=0)
        e = place_midpoints(doses, np.exp(eta), bounds.ec50_margin)
        self.nodes = Nodes(e.reshape(-1, e.shape[2]), np.tile(eta, len(e))[:, None])
        if self.shared:
            self._share = falling_share(self._x[:, 0], self.nodes.e, np.exp(self.nodes.eta))
            self._square = self._share**2

    def sums(self, curves: slice) -> Sums:
        """Give the sums at every node, shape (n_nodes, n_curves of the slice or 1)."""
        weight = self._means.weight[:, curves]
        pulled = weight * (self._means.mean[:, curves] - self.level[curves])
        if self.shared:
            own = weight[:, :1] if self._even else weight
            whole, sy = own.sum(axis=0), _product(self._share, pulled)
            s, ss = _product(self._share, own), _product(self._square, own)
        else:
            whole, s, ss, sy = weight.sum(axis=0), *self._by_dose(curves, weight, pulled)
        return Sums(whole, s, ss, ss - s * s / whole, sy)

    def _by_dose(self, curves: slice, weight: Floats, pulled: Floats) -> list[Floats]:
        e, slope = self.nodes.e[:, curves], np.exp(self.nodes.eta)
        sums = [np.zeros(e.shape) for _ in range(3)]
        for row, own, pull in zip(self._x[:, curves], weight, pulled, strict=True):
            share = falling_share(row, e, slope)
            sums[2] += pull * share
            weighted = own * share
            sums[0] += weighted
            weighted *= share
            sums[1] += weighted
        return sums


def _product(table: Floats, columns: Floats) -> Floats:
    """Multiply matrices of a fixed shape: a column's bits then do not depend on how many came."""
    padded = np.zeros((len(columns), CURVES_IN_CACHE))
    padded[:, : columns.shape[1]] = columns
    result: Floats = (table @ padded)[:, : columns.shape[1]]
    return result


def signed_gains(
    sums: Sums, bounds: Bounds, level: Floats, base: Floats, signs: tuple[int, ...]
) -> Floats:
    """Give how much better each node is than the base: above 0 if falling, below 0 if rising.

    Parameters
    ----------
    sums : Sums
        At the nodes.
    bounds : Bounds
        Limits of the parameters.
    level, base : array (n_curves,)
        Mean of each curve, and the SSE - SST to better: that of the best flat curve.
    signs : tuple of int
        Directions: +1 falling, -1 rising.

    Returns
    -------
    array (n_nodes, n_curves)
        base - (SSE - SST) at the best asymptotes, times the direction; 0 where none is better.
    """
    low = bounds.bottom[0]
    only_low = np.isinf([*bounds.top, bounds.bottom[1]]).all()
    if not (only_low and (level >= low).all()):
        return _gains_in_any_box(sums, bounds, level, base, signs)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = sums.spread > SMALLEST_SPREAD * sums.ss
        spread = np.where(seen, sums.spread, 0.0)
        span = sums.sy * np.where(seen, 1.0 / spread, 0.0)
        gain = np.abs(span)
        gain *= sums.sy
        if np.isfinite(low):
            gain -= _held_cost(sums._replace(spread=spread), span, low - level)
    return gain


def _held_cost(sums: Sums, span: Floats, low: Floats) -> Floats:
    """Give the signed loss of gain where the free bottom would lie below `low`, a deviation.

    Holding an asymptote at a distance d from its free optimum costs d² times the weight that is
    left to it once the other asymptote has followed.
    """
    mean_s = sums.s / sums.weight
    falling = span > 0.0
    # How far the lower asymptote would lie too low: the right one of a falling curve, the left
    # one of a rising curve.
    cost: Floats = span * mean_s
    np.maximum(cost, cost - span, out=cost)
    cost += low
    np.maximum(cost, 0.0, out=cost)
    cost *= cost
    scaled = sums.weight * sums.spread
    rest = np.maximum(sums.weight - 2.0 * sums.s + sums.ss, sums.spread + TINY)
    cost *= np.where(falling, scaled / sums.ss, -scaled / rest)
    return cost


def _gains_in_any_box(
    sums: Sums, bounds: Bounds, level: Floats, base: Floats, signs: tuple[int, ...]
) -> Floats:
    shape = sums.sy.shape
    whole = Sums(*(np.broadcast_to(part, shape) for part in sums))
    gains = np.zeros(shape)
    for sign in signs:
        seen = whole if sign > 0 else mirrored(whole)
        excess = solve(seen, box_around(bounds, level[None])).excess
        better = base - np.where(np.isfinite(excess), excess, np.inf)
        gains = np.where(better > np.abs(gains), sign * better, gains)
    return gains


def local_optima(gains: Floats, level: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the nodes that no neighbour in midpoint or slope outdoes, falling and rising apart.

    Diagonal neighbours do not count: valleys run diagonally, and each bend deserves a start.

    Parameters
    ----------
    gains : array (n_nodes, n_curves)
        As from `signed_gains`.
    level : array (n_curves,)
        Differences up to this do not count.

    Returns
    -------
    falling, rising : array of bool (n_nodes, n_curves)
    """
    square = gains.reshape(-1, N_SLOPES, gains.shape[1])
    later, steeper = square[1:] - square[:-1], square[:, 1:] - square[:, :-1]
    found = []
    for up_e, up_eta, right_side in (
        (later > level, steeper > level, square > level),
        (later < -level, steeper < -level, square < -level),
    ):
        top = right_side
        top[1:] &= up_e
        top[:-1] &= ~up_e
        top[:, 1:] &= up_eta
        top[:, :-1] &= ~up_eta
        found.append(top.reshape(gains.shape))
    return found[0], found[1]


def find_starts(
    gains: Floats, nodes: Nodes, spread: Floats, signs: tuple[int, ...]
) -> dict[int, Starts]:
    """Pick the best few local optima of the table for each curve and direction.

    Parameters
    ----------
    gains : array (n_nodes, n_curves)
        As from `signed_gains`.
    nodes : Nodes
        The table.
    spread : array (n_curves,)
        SSE of each curve's base.
    signs : tuple of int
        Directions: +1 falling, -1 rising.

    Returns
    -------
    dict of Starts
        None where no node betters the base.
    """
    found = local_optima(gains, LEVEL_SHARE * spread)
    starts = {}
    for sign in signs:
        at = np.flatnonzero(found[0] if sign > 0 else found[1])  # far faster than two indices
        node, curve = np.divmod(at, gains.shape[1])
        gain = sign * gains[node, curve]
        kept = _worth_trying(curve, gain, spread)
        node, curve = node[kept], curve[kept]
        e = nodes.e[node, curve if nodes.e.shape[1] > 1 else 0]
        starts[sign] = Starts(curve, e, nodes.eta[node, 0], gain[kept])
    return starts


def _worth_trying(curve: NDArray[np.intp], gain: Floats, spread: Floats) -> NDArray[np.intp]:
    """Keep the best `N_STARTS` of each curve, if nearly as good as its best."""
    order = np.lexsort((-gain, curve))
    ordered = curve[order]
    first = np.searchsorted(ordered, ordered)
    top, whole = gain[order[first]], spread[ordered]
    near = top - gain[order] <= SLACK_OF_SPREAD * whole + SLACK_OF_REST * (whole - top)
    few = np.arange(len(order)) - first < N_STARTS
    kept: NDArray[np.intp] = np.sort(order[near & few])
    return kept
