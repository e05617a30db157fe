"""The likelihood region of each curve, as a cloud of points.

A parameter vector belongs to the region if its squared error exceeds the least one by no more
than ``s² F(level; 1, n - 4)``. The profile-likelihood interval of any quantity read off the curve
is the range of that quantity over the region, so one cloud serves them all. Midpoint and slope are
sampled: near the optimum on rays out to the region's edge, farther off by the nodes of the search
table, so that a second valley is not overlooked. For each such cell the asymptotes' part of the
region is an ellipse cut by their limits, and points on its edge are exact.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums, solve
from drp.curves.collapse import total
from drp.curves.grid import N_SLOPES, Nodes
from drp.curves.metrics import mean_share
from drp.curves.model import Box, Floats, falling_share
from drp.curves.objective import Problem
from drp.curves.search import Best

N_RAYS = 36
# Distances tried along a ray, in units of the distance the Hessian predicts for the edge.
LADDER = np.array([0.5, 0.8, 1.0, 1.25, 1.6, 2.2, 3.2, 5.0, 9.0])
# Shares of the way to the edge that are kept as cells.
SHARES = np.array([0.3, 0.6, 0.85, 1.0])
N_ANGLES = 12
# Points found by interpolation may miss the edge by this share of the allowed excess.
EDGE_TOLERANCE = 0.02
WIDEST_STEP = (2.0, 1.5)  # decades of e, units of eta, that one ray unit may span


class Cells(NamedTuple):
    """Midpoint and slope of points of the region: flat lists, `curve` says whose."""

    curve: NDArray[np.intp]
    e: Floats
    eta: Floats


class Cloud(NamedTuple):
    """Points of the region. Cells hold lists; asymptotes have shape (n_cells, n_points).

    `left` and `right` are deviations from the curve's mean, NaN where a point is not allowed.
    """

    cells: Cells
    left: Floats
    right: Floats


def node_sums(problem: Problem, cells: Cells) -> Sums:
    """Give the weighted sums of s at each cell, as the asymptotes need them."""
    weight, y = problem.weight[:, cells.curve], problem.y[:, cells.curve]
    s = falling_share(problem.x[:, cells.curve], cells.e, np.exp(cells.eta))
    whole = total(weight)
    mean_s = total(weight * s) / whole
    centred = weight * (s - mean_s)
    spread = total(centred * (s - mean_s))
    return Sums(whole, mean_s * whole, spread + mean_s**2 * whole, spread, total(centred * y))


def region_cells(
    problem: Problem,
    best: Best,
    nodes: Nodes,
    node_excess: Floats,
    curves: NDArray[np.intp],
    allowed: Floats,
    sign: int,
) -> Cells:
    """Sample midpoint and slope over the region of the curves given.

    Parameters
    ----------
    problem : Problem
        The batch, in one direction.
    best : Best
        Its fits.
    nodes, node_excess : Nodes, array (n_curves, n_nodes)
        Search table and its SSE - SST.
    curves : array of int
        The curves wanted: fitted, not flat, in this direction.
    allowed : array (n_curves,)
        SSE - SST up to which a point belongs to the region.
    sign : int
        +1 falling, -1 rising.

    Returns
    -------
    Cells
        The optimum itself first, in order of curve within each kind of cell.
    """
    near = _ray_cells(problem, best, curves, allowed, sign)
    inside = node_excess[curves] <= allowed[curves][:, None]
    # Every second midpoint and slope will do: the neighbourhood of the optimum has its rays.
    inside &= _every_second(inside.shape[1])
    row, node = np.nonzero(inside)
    whose = curves[row]
    return Cells(
        np.concatenate([curves, near.curve, whose]),
        np.concatenate([best.e[curves], near.e, nodes.e[whose, node]]),
        np.concatenate([best.eta[curves], near.eta, nodes.eta[whose, node]]),
    )


def _every_second(n_nodes: int) -> NDArray[np.bool_]:
    """Pick every second midpoint and slope of a table, the outermost midpoints included."""
    midpoint, slope = np.divmod(np.arange(n_nodes), N_SLOPES)
    kept: NDArray[np.bool_] = (midpoint % 2 == 0) & (slope % 2 == midpoint // 2 % 2)
    return kept


def _ray_cells(
    problem: Problem, best: Best, curves: NDArray[np.intp], allowed: Floats, sign: int
) -> Cells:
    room = allowed - (best.loss - problem.spread)
    step_e, step_eta = _rays(best, curves, room[curves])

    def along(distance: Floats) -> Cells:
        """Place cells at distances of shape (n_distances, n_rays, n_curves), inside the bounds."""
        shape = distance.shape
        e = best.e[curves] + distance * step_e
        eta = best.eta[curves] + distance * step_eta
        e = np.clip(e, problem.e_low[curves], problem.e_high[curves])
        eta = np.clip(eta, problem.eta_low[curves], problem.eta_high[curves])
        return Cells(np.broadcast_to(curves, shape).ravel(), e.ravel(), eta.ravel())

    def reach(cells: Cells) -> Floats:
        """Say how far out each cell lies: 1 at the region's edge."""
        excess = solve(node_sums(problem, cells), _box(problem, cells.curve), sign).excess
        over = excess - (best.loss - problem.spread)[cells.curve]
        far: Floats = np.sqrt(np.maximum(over, 0.0) / np.maximum(room[cells.curve], 1e-300))
        return far

    shape = (len(LADDER), N_RAYS, len(curves))
    distances = np.broadcast_to(LADDER[:, None, None], shape)
    edge = _edge(distances, reach(along(distances)).reshape(shape))
    # One correction: the root of the excess grows nearly in proportion to the distance.
    found = reach(along(edge[None])).reshape(edge.shape)
    edge = np.where(found > 1.0, edge / np.maximum(found, 1.0), edge)
    return along(SHARES[:, None, None] * edge)


def _rays(best: Best, curves: NDArray[np.intp], room: Floats) -> tuple[Floats, Floats]:
    """Give the steps in e and eta of each ray that should just reach the edge."""
    point = best.hessian
    ee, eeta, etaeta = (getattr(point, name)[curves] for name in ("h_ee", "h_eeta", "h_etaeta"))
    sound = (ee > 0) & (etaeta > 0) & (ee * etaeta > eeta**2)
    ee = np.where(sound, ee, np.maximum(point.n_ee[curves], 0.0))
    etaeta = np.where(sound, etaeta, np.maximum(point.n_etaeta[curves], 0.0))
    eeta = np.where(sound, eeta, 0.0)
    angle = (2 * np.pi / N_RAYS * np.arange(N_RAYS))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        lever = np.where(etaeta > 0, eeta / etaeta, 0.0)
        # Near the optimum the excess is d' H d; the first ray is the profile of e itself.
        widest_e = np.sqrt(room / np.maximum(ee - eeta * lever, 0.0))
        widest_eta = np.sqrt(room / etaeta)
    step_e = np.cos(angle) * np.fmin(widest_e, WIDEST_STEP[0])
    step_eta = np.sin(angle) * np.fmin(widest_eta, WIDEST_STEP[1]) - lever * step_e
    long = np.maximum(np.abs(step_eta) / WIDEST_STEP[1], 1.0)
    return step_e / long, step_eta / long


def _edge(distances: Floats, reached: Floats) -> Floats:
    """Interpolate where each ray first leaves the region; the last distance if it never does."""
    outside = reached > 1.0
    first = np.argmax(outside, axis=0)[None]
    upper = np.take_along_axis(distances, first, axis=0)[0]
    upper_reach = np.take_along_axis(reached, first, axis=0)[0]
    before = np.maximum(first - 1, 0)
    lower = np.where(first[0] > 0, np.take_along_axis(distances, before, axis=0)[0], 0.0)
    lower_reach = np.where(first[0] > 0, np.take_along_axis(reached, before, axis=0)[0], 0.0)
    gap = np.maximum(upper_reach - lower_reach, 1e-12)
    crossing = lower + (upper - lower) * np.clip((1.0 - lower_reach) / gap, 0.0, 1.0)
    edge: Floats = np.where(outside.any(axis=0), crossing, distances[-1])
    return edge


def _box(problem: Problem, curve: NDArray[np.intp]) -> Box:
    return Box(*(limit[curve] for limit in problem.box))


def cloud(
    problem: Problem, cells: Cells, best: Best, allowed: Floats, width: Floats, sign: int
) -> Cloud:
    """Add the asymptotes to the cells: points on the edge of each cell's ellipse and its limits.

    Parameters
    ----------
    problem, cells, best : Problem, Cells, Best
        The batch, its sampled midpoints and slopes, and its fits.
    allowed : array (n_curves,)
        SSE - SST up to which a point belongs to the region.
    width : array (n_curves,)
        Decades from the lowest to the highest dose.
    sign : int
        +1 falling, -1 rising.

    Returns
    -------
    Cloud
        Cells without an allowed point are kept, all NaN.
    """
    sums = node_sums(problem, cells)
    room = allowed - (best.loss - problem.spread)
    limit = (allowed + EDGE_TOLERANCE * room)[cells.curve]
    box = _box(problem, cells.curve)
    zero = np.zeros(len(cells.e))
    share = mean_share(zero, width[cells.curve], cells.e, np.exp(cells.eta))
    lists = [_ellipse(sums, limit, share)]
    for held in (box.right_low, box.right_high):
        if np.isfinite(held).any():
            lists.append(_on_limit(sums, limit, held, right=True))
    for held in (box.left_low, box.left_high):
        if np.isfinite(held).any():
            lists.append(_on_limit(sums, limit, held, right=False))
    left = np.concatenate([pair[0] for pair in lists])
    right = np.concatenate([pair[1] for pair in lists])
    slack = 1e-9 * (1.0 + np.abs(left) + np.abs(right))
    with np.errstate(invalid="ignore"):
        keep = (left >= box.left_low - slack) & (left <= box.left_high + slack)
        keep &= (right >= box.right_low - slack) & (right <= box.right_high + slack)
        keep &= sign * (left - right) >= 0
    return Cloud(cells, np.where(keep, left, np.nan).T, np.where(keep, right, np.nan).T)


def _ellipse(sums: Sums, limit: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Give points on the unlimited ellipse, the first in the direction of the curve's area."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slack = limit + sums.sy**2 / sums.spread
        radius = np.sqrt(np.where(slack >= 0, slack, np.nan))
        mean_s = sums.s / sums.weight
        span_scale, level_scale = 1.0 / np.sqrt(sums.spread), 1.0 / np.sqrt(sums.weight)
        start = np.arctan2((share - mean_s) * span_scale, level_scale)
        angle = start + (2 * np.pi / N_ANGLES * np.arange(N_ANGLES))[:, None]
        level = radius * level_scale * np.cos(angle)
        span = sums.sy / sums.spread + radius * span_scale * np.sin(angle)
        right = level - span * mean_s
    return right + span, right


def _on_limit(sums: Sums, limit: Floats, held: Floats, *, right: bool) -> tuple[Floats, Floats]:
    """Give the two points where the ellipse meets a limit of one asymptote."""
    cross = sums.s - sums.ss
    square = sums.ss if right else sums.weight - 2 * sums.s + sums.ss
    moment = (sums.sy if right else -sums.sy) - held * cross
    own = sums.weight - 2 * sums.s + sums.ss if right else sums.ss
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Excess with one asymptote held: held² own + 2 held·sy·(±1) - moment² / square at best.
        lowest = held**2 * own + (2 if right else -2) * held * sums.sy - moment**2 / square
        half = np.sqrt(np.where(limit >= lowest, (limit - lowest) / square, np.nan))
        other = np.stack([moment / square - half, moment / square + half])
    fixed = np.broadcast_to(held, other.shape)
    return (other, fixed) if right else (fixed, other)
