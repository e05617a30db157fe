"""Starts for the fit: every curve against one table of midpoints and slopes.

Curves with the same relative doses and weights share the table. No start is drawn at random: the
best few local optima of the table are polished, so the same wells always give the same fit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums, solve
from drp.curves.collapse import DoseMeans
from drp.curves.model import Bounds, Floats, box_around, falling_share

N_SLOPES = 20
# Midpoints stand a quarter of the smallest dose step apart, within these numbers of them.
MIDPOINTS_PER_STEP = 4
MIDPOINT_ROUNDING = 8
MOST_MIDPOINTS = 97
N_STARTS = 5
# Curves whose tables are worked on at once: few enough for the arrays to stay in the cache.
CURVES_IN_CACHE = 48
# Relative log doses that agree to this many decimals share a table.
DOSE_DECIMALS = 6


class Nodes(NamedTuple):
    """The nodes of each curve's table, shape (n_curves, n_midpoints * N_SLOPES).

    `e` is log10 EC50 relative to the curve's lowest dose, `eta` is ln slope.
    """

    e: Floats
    eta: Floats


class Starts(NamedTuple):
    """Where to start: flat lists, one entry per start, in order of curve and then of merit."""

    curve: NDArray[np.intp]
    log10_ec50: Floats
    log_slope: Floats


def n_midpoints(means: DoseMeans, bounds: Bounds) -> NDArray[np.int64]:
    """Say how many midpoints each curve's table has; shape (n_curves,)."""
    width = means.x_max - means.x_min + 2 * bounds.ec50_margin
    wanted = np.ceil(np.round(MIDPOINTS_PER_STEP * width / means.step, DOSE_DECIMALS))
    rounded = np.ceil(wanted / MIDPOINT_ROUNDING) * MIDPOINT_ROUNDING + 1
    counts: NDArray[np.int64] = np.minimum(rounded, MOST_MIDPOINTS).astype(np.int64)
    return counts


def designs(means: DoseMeans) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find which curves share relative doses and weights: first of each design, and which is whose.

    Examples
    --------
    >>> from drp.curves.collapse import collapse
    >>> dose = np.array([[1.0, 10.0], [5.0, 50.0], [1.0, 20.0]])
    >>> [part.tolist() for part in designs(collapse(dose, np.ones((3, 2))))]
    [[0, 2], [0, 0, 1]]
    """
    relative = np.round(means.x - means.x_min, DOSE_DECIMALS)
    # A padding row repeats the last dose; its weight of 0 tells it from a dose.
    key = np.vstack([relative, means.weight]).T
    _, first, whose = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return first, whose.reshape(-1)


def scan(
    means: DoseMeans, bounds: Bounds, signs: tuple[int, ...], flat_excess: Floats
) -> tuple[Nodes, dict[int, Starts], dict[int, Floats]]:
    """Try every node of the table on every curve and pick the starts.

    Parameters
    ----------
    means : DoseMeans
        Dose means of a batch, all with the same `n_midpoints`.
    bounds : Bounds
        Limits of the parameters.
    signs : tuple of int
        Directions: +1 falling, -1 rising.
    flat_excess : array (n_curves,)
        SSE - SST of each curve's best flat curve; inf if it may not be flat.

    Returns
    -------
    nodes : Nodes
        The table of each curve.
    starts : dict of Starts
        For each direction, at most `N_STARTS` per curve, none where no node beats flat.
    excess : dict of array (n_curves, n_nodes)
        For each direction, SSE - SST of every node at its best asymptotes.
    """
    midpoints = int(n_midpoints(means, bounds)[0])
    nodes: list[Nodes] = []
    starts: dict[int, list[Starts]] = {sign: [] for sign in signs}
    excess: dict[int, list[Floats]] = {sign: [] for sign in signs}
    for begin in range(0, len(flat_excess), CURVES_IN_CACHE):
        curves = np.arange(begin, min(begin + CURVES_IN_CACHE, len(flat_excess)))
        part = means.take(curves)
        table, sums = _table(part, bounds, midpoints)
        nodes.append(table)
        for sign in signs:
            box = box_around(bounds, sign, part.level[:, None])
            error = solve(sums, box, sign).excess
            excess[sign].append(error)
            curve, node = _local_optima(error, flat_excess[curves])
            start = Starts(curve + begin, table.e[curve, node], table.eta[curve, node])
            starts[sign].append(start)
    return (
        Nodes(*(np.concatenate(parts) for parts in zip(*nodes, strict=True))),
        {
            sign: Starts(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
            for sign, found in starts.items()
        },
        {sign: np.concatenate(found) for sign, found in excess.items()},
    )


def _table(means: DoseMeans, bounds: Bounds, midpoints: int) -> tuple[Nodes, Sums]:
    """Evaluate the sums of every node for every curve of a batch."""
    first, whose = designs(means)
    x = np.round(means.x - means.x_min, DOSE_DECIMALS)[:, first]
    width = np.round(means.x_max - means.x_min, DOSE_DECIMALS)[first] + 2 * bounds.ec50_margin
    e = width[:, None] * (np.arange(midpoints) / (midpoints - 1)) - bounds.ec50_margin
    eta = np.linspace(np.log(bounds.slope[0]), np.log(bounds.slope[1]), N_SLOPES)
    node_e, node_eta = np.repeat(e, N_SLOPES, axis=1), np.tile(eta, (len(first), midpoints))
    node_slope = np.exp(node_eta)
    s, ss = np.zeros(node_e.shape), np.zeros(node_e.shape)
    sy = np.zeros((len(whose), node_e.shape[1]))
    moment = means.weight * (means.mean - means.level)
    for row, weight, weighted_y in zip(x, means.weight[:, first], moment, strict=True):
        share = falling_share(row[:, None], node_e, node_slope)
        weighted = weight[:, None] * share
        s += weighted
        ss += weighted * share
        sy += weighted_y[:, None] * (share if len(first) == 1 else share[whose])
    weight = means.total_weight[first][:, None]
    weight, s, ss, spread = (_spread(p, whose) for p in (weight, s, ss, ss - s * s / weight))
    sums = Sums(weight, s, ss, spread, sy)
    return Nodes(_spread(node_e, whose), _spread(node_eta, whose)), sums


def _spread(part: Floats, whose: NDArray[np.intp]) -> Floats:
    """Give each curve the row of its design; one row is lent to all without a copy."""
    if len(part) == 1:
        return np.broadcast_to(part, (len(whose), part.shape[1]))
    return part[whose]


def _local_optima(excess: Floats, flat_excess: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pick the best local optima among the nodes: flat lists of curve and node, by curve."""
    n_curves = len(excess)
    usable = np.where(excess < flat_excess[:, None], excess, np.inf)
    square = usable.reshape(n_curves, -1, N_SLOPES)
    candidates = np.where(square <= _lowest_neighbour(square), square, np.inf)
    candidates = candidates.reshape(n_curves, -1)
    curves = np.arange(n_curves)
    chosen = []
    for _ in range(N_STARTS):
        node = np.argmin(candidates, axis=1)
        kept = np.isfinite(candidates[curves, node])
        chosen.append((curves[kept], node[kept]))
        candidates[curves, node] = np.inf
    curve = np.concatenate([pair[0] for pair in chosen])
    node = np.concatenate([pair[1] for pair in chosen])
    order = np.argsort(curve, kind="stable")
    return curve[order], node[order]


def _lowest_neighbour(square: Floats) -> Floats:
    """Give the lowest value among each node and its four neighbours; shape kept.

    Diagonal neighbours do not count: valleys run diagonally, and each bend deserves a start.
    """
    lowest = square.copy()
    lowest[:, 1:] = np.minimum(lowest[:, 1:], square[:, :-1])
    lowest[:, :-1] = np.minimum(lowest[:, :-1], square[:, 1:])
    lowest[:, :, 1:] = np.minimum(lowest[:, :, 1:], square[:, :, :-1])
    lowest[:, :, :-1] = np.minimum(lowest[:, :, :-1], square[:, :, 1:])
    return lowest
