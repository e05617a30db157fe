"""Where the search for a Hill curve starts: nodes of the table of `drp.curves.grid`.

With midpoint and slope given, what a curve explains is known in closed form. All curves at the
same doses share one table; the best local optima of each are followed, or just the best node.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums
from drp.curves.collapse import total
from drp.curves.grid import (
    CURVES_IN_CACHE,
    N_SLOPES,
    SMALLEST_SPREAD,
    TINY,
    Nodes,
    find_starts,
    place_midpoints,
    signed_gains,
)
from drp.curves.model import Bounds, falling_share

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

FALLING, RISING = 1, -1
# Draws whose nodes are looked at together, in one product of a fixed shape.
DRAWS_IN_CACHE = 128


class Table(NamedTuple):
    """Nodes for one set of doses: t, the share of the span, at each (n_nodes, n_doses).

    midpoint: log10, relative to the lowest dose above 0; eta: ln of the slope; (n_nodes,).
    """

    midpoint: Floats
    eta: Floats
    t: Floats
    square: Floats


@lru_cache(maxsize=64)  # the combinations of a plate share their doses
def make_table(
    relative: tuple[float, ...], slopes: tuple[float, float], margin: float, every: int = 1
) -> Table:
    """Lay out the nodes for curves at the same doses.

    Parameters
    ----------
    relative : tuple of float
        log10 of the doses over the lowest above 0, ascending; far below 0 for dose 0. At least
        two others.
    slopes : tuple of float
        Lowest and highest slope.
    margin : float
        How far beyond the doses midpoints may lie, decades.
    every : int
        Of the slopes, and of the midpoints of each, only every so many.

    Returns
    -------
    Table

    Examples
    --------
    >>> make_table((-1e4, 0.0, 1.0), (0.1, 10.0), 1.0).t.shape
    (240, 3)
    """
    eta = np.linspace(np.log(slopes[0]), np.log(slopes[1]), N_SLOPES)[::every]
    doses = np.array(relative)
    midpoint = place_midpoints(doses[doses >= 0, None], np.exp(eta), margin)[::every].ravel()
    etas = np.tile(eta, len(midpoint) // len(eta))
    t = 1.0 - falling_share(doses, midpoint[:, None], np.exp(etas)[:, None])
    return Table(midpoint, etas, t, t * t)


class Group(NamedTuple):
    """Curves of one table with the same weights and, all of them, a free or a fixed start.

    y: (n_doses, n_curves) as deviations from the level; weight: (n_doses,); room: (n_curves,),
    the distance from the level to the cap.
    """

    y: Floats
    weight: Floats
    room: Floats
    fixed: bool


class NodeSums(NamedTuple):
    """Sums over doses at the nodes: of w, w t, w t²; the spread of t, and 1 / spread.

    All (n_nodes, 1) but for `whole`, the sum of w.
    """

    whole: float
    t: Floats
    tt: Floats
    spread: Floats
    per_spread: Floats


def node_gains(table: Table, group: Group, part: slice, sums: NodeSums) -> Floats:
    """Give how much better than a flat curve each node explains some curves, signed.

    Parameters
    ----------
    table : Table
        The nodes.
    group : Group
        The curves.
    part : slice
        Which of them, `CURVES_IN_CACHE` at most.
    sums : NodeSums
        From `node_sums`, the same for all parts.

    Returns
    -------
    array (n_nodes, n_curves of the part)
        Above 0 where inhibition rises, below 0 where it falls with dose.
    """
    if group.fixed:
        gain, span = _fixed_gains(table, group, part, sums)
        gain *= np.sign(span)
        return gain
    whole, t, tt, spread, _ = sums
    pull = _product(table.t, group.weight[:, None] * group.y[:, part])
    room = group.room[part]
    # In viability, the mirror image of inhibition, the cap is a lowest value of either asymptote.
    mirrored = Sums(np.full(1, whole), whole - t, whole - 2.0 * t + tt, spread, pull)
    limits = Bounds(bottom=(0.0, np.inf))
    base = whole * np.minimum(room, 0.0) ** 2
    below = room < 0
    if not below.any():
        return signed_gains(mirrored, limits, room, base, (FALLING, RISING))
    gain = np.empty_like(pull)
    for some in (below, ~below):
        one = mirrored._replace(sy=pull[:, some])
        gain[:, some] = signed_gains(one, limits, room[some], base[some], (FALLING, RISING))
    # Where t is the same at every dose but for rounding, so is what it seems to explain.
    gain *= spread > SMALLEST_SPREAD * mirrored.ss
    return gain


def _fixed_gains(table: Table, group: Group, part: slice, sums: NodeSums) -> tuple[Floats, Floats]:
    """Give what each node explains, 0 or more, and its span, where the start is given."""
    pull = _product(table.t, group.weight[:, None] * group.y[:, part])
    span = pull * sums.per_spread
    np.minimum(span, group.room[part], out=span)
    pull *= 2.0
    pull -= span * sums.tt
    pull *= span
    return pull, span


def node_sums(table: Table, group: Group) -> NodeSums:
    """Give the sums over doses that all curves of a group share."""
    weight = group.weight
    whole = float(weight.sum())
    t, tt = (table.t @ weight)[:, None], (table.square @ weight)[:, None] + TINY
    spread = tt if group.fixed else np.maximum(tt - t * t / whole, 0.0)
    seen = np.where(spread > SMALLEST_SPREAD * tt, spread, 0.0)
    per_spread = np.where(seen > 0, 1.0 / np.maximum(seen, TINY), 0.0)
    return NodeSums(whole, t, tt, spread, per_spread)


def _product(nodes: Floats, columns: Floats) -> Floats:
    """Multiply matrices of a fixed shape: a column's bits then do not depend on how many came."""
    padded = np.zeros((len(columns), CURVES_IN_CACHE))
    padded[:, : columns.shape[1]] = columns
    result: Floats = (nodes @ padded)[:, : columns.shape[1]]
    return result


class Starts(NamedTuple):
    """Flat lists, one entry per start: whose, log10 of the midpoint, ln of the slope."""

    curve: Indices
    midpoint: Floats
    eta: Floats


def several_starts(table: Table, group: Group) -> Starts:
    """Give the best few local optima of each curve; none where no node betters a flat curve."""
    found: list[Starts] = []
    nodes = Nodes(table.midpoint[:, None], table.eta[:, None])
    # The error of the best constant, which a free curve whose mean is above the cap has there.
    above = 0.0 if group.fixed else np.minimum(group.room, 0.0)
    spread = total(group.weight[:, None] * (group.y - above) ** 2)
    sums = node_sums(table, group)
    for begin in range(0, group.y.shape[1], CURVES_IN_CACHE):
        part = slice(begin, begin + CURVES_IN_CACHE)
        gains = node_gains(table, group, part, sums)
        for one in find_starts(gains, nodes, spread[part], (FALLING, RISING)).values():
            found.append(Starts(one.curve + begin, one.log10_ec50, one.log_slope))
    return join(found)


def best_nodes(table: Table, group: Group) -> tuple[Indices, Floats]:
    """Give the best node of each curve and what it explains; the first and 0 where none does.

    Without a cap that is the node with the largest square of one product, which costs far less
    than the gain under the cap, and is never below it. So the cap only has to be looked at for
    curves whose best node lies beyond it.
    """
    sums = node_sums(table, group)
    root, mean = np.sqrt(sums.per_spread)[:, 0], np.zeros(len(table.t))
    if not group.fixed:
        mean = sums.t[:, 0] / sums.whole
        # As in `node_gains`: seen in viability t must show a span too.
        rest = sums.whole - 2.0 * sums.t + sums.tt
        root[(sums.spread <= SMALLEST_SPREAD * rest)[:, 0]] = 0.0
    scaled = (root * (table.t.T - mean)).copy()
    pulled = (group.weight[:, None] * group.y).T
    n_curves = len(pulled)
    node, gain = np.empty(n_curves, dtype=np.intp), np.empty(n_curves)
    every, over = np.arange(DRAWS_IN_CACHE), np.zeros(n_curves, dtype=bool)
    padded = np.zeros((DRAWS_IN_CACHE, len(group.weight)))
    for begin in range(0, n_curves, DRAWS_IN_CACHE):
        part = slice(begin, begin + DRAWS_IN_CACHE)
        n_some = len(pulled[part])
        padded[:n_some] = pulled[part]
        pull = padded @ scaled  # a fixed shape, as in `_product`
        best = np.argmax(np.abs(pull), axis=1)
        most = pull[every, best]
        span = most * root[best]
        below = span * mean[best]
        node[part], gain[part] = best[:n_some], (most * most)[:n_some]
        over[part] = np.maximum(span - below, -below)[:n_some] > group.room[part]
    _under_the_cap(table, group, sums, np.flatnonzero(over), node, gain)
    return node, gain


def _under_the_cap(
    table: Table, group: Group, sums: NodeSums, at: Indices, node: Indices, gain: Floats
) -> None:
    """Find the best node of some curves by the gain under the cap."""
    for begin in range(0, len(at), CURVES_IN_CACHE):
        some = at[begin : begin + CURVES_IN_CACHE]
        few = group._replace(y=group.y[:, some], room=group.room[some])
        if group.fixed:
            gains = _fixed_gains(table, few, slice(None), sums)[0]
        else:
            gains = np.abs(node_gains(table, few, slice(None), sums))
        node[some] = np.argmax(gains, axis=0)
        gain[some] = gains[node[some], np.arange(len(some))]


def explained_at(midpoint: Floats, eta: Floats, x: Floats, group: Group) -> Floats:
    """Give what curves with a fixed start explain at a midpoint and a slope each.

    Parameters
    ----------
    midpoint, eta : array (n_curves,)
        ln of the midpoint and of the slope; NaN = unknown.
    x : array (n_doses, n_curves)
        ln of the doses, relative to the same dose as the midpoints.
    group : Group
        The curves.

    Returns
    -------
    array (n_curves,)
        As `node_gains`, without the sign; NaN where a midpoint is unknown.
    """
    t = 0.5 + 0.5 * np.tanh(0.5 * np.exp(eta) * (x - midpoint))
    weighted = group.weight[:, None] * t
    square, pull = total(weighted * t), total(weighted * group.y)
    span = np.minimum(pull / np.maximum(square, TINY), group.room)
    explained: Floats = span * (2.0 * pull - span * square)
    return explained


def join(parts: list[Starts]) -> Starts:
    """Put lists of starts one after the other."""
    return Starts(*(np.concatenate(one) for one in zip(*parts, strict=True)))
