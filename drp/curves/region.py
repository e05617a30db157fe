"""The likelihood region of each curve, sampled in midpoint and slope.

A parameter vector belongs to the region if its squared error exceeds the least one by no more
than ``s² F(level; 1, n - 4)``. The profile-likelihood interval of any quantity read off the curve
is the range of that quantity over the region, so one sample serves them all. Near the optimum cells
stand on rays out to the region's edge, as on a hemisphere seen from above: for a nearly linear
model every quantity is then a sinusoid along and across the rays, and three points tell its peak.
Farther off the nodes of the search table make sure that a second valley is not overlooked.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums, solve
from drp.curves.grid import N_SLOPES
from drp.curves.model import LN10, Floats
from drp.curves.objective import Point, Problem

N_RAYS = 12
# Cells along a ray, from the optimum to the edge; the last stands just inside.
SHARES = np.append(np.sin(np.pi / 8 * np.arange(1, 4)), 0.99)
# Distances tried along a ray, in units of the distance the Hessian predicts for the edge, and how
# often the crossing found is mended.
LADDER = np.array([0.25, 0.6, 1.1, 2.0, 4.5])
N_CORRECTIONS = 2
WIDEST_STEP = (1.0, 1.5)  # decades of e, units of eta, that one ray unit may span
# What a sinusoid's peak may gain between cells, as a share of its range.
HIGHEST_RISE = 0.02
# Of the table's midpoints and slopes so many are passed over.
MIDPOINT_STRIDE, SLOPE_STRIDE = 3, 2


class Cells(NamedTuple):
    """Midpoint and slope of points, shape (n_cells, n_columns), of the columns of a `Problem`."""

    e: Floats
    eta: Floats


def cell_sums(problem: Problem, cells: Cells) -> Sums:
    """Give the weighted sums of s at each cell, as the asymptotes need them."""
    n_columns = problem.x.shape[1]
    if n_columns < 2:  # a single column would be summed in another order
        twice = np.zeros(2, dtype=np.intp)
        pair = cell_sums(problem.take(twice), Cells(*(part[:, twice] for part in cells)))
        return Sums(pair.weight[:1], *(part[:, :1] for part in pair[1:]))
    s = problem.x[:, None] - cells.e
    s *= 0.5 * LN10 * np.exp(cells.eta)
    np.tanh(s, out=s)
    s *= -0.5
    s += 0.5
    mean_s = np.einsum("dn,dkn->kn", problem.weight, s) / problem.whole
    s -= mean_s
    sy = np.einsum("dn,dkn->kn", problem.weight * problem.y, s)
    s *= s
    spread = np.einsum("dn,dkn->kn", problem.weight, s)
    sum_s = mean_s * problem.whole
    return Sums(problem.whole, sum_s, spread + mean_s * sum_s, spread, sy)


class Rays(NamedTuple):
    """Cells around each optimum: itself first, then rows run over shares and within these rays.

    `low` and `high` are the outermost midpoints of the region along them, shape (n_columns,).
    """

    cells: Cells
    low: Floats
    high: Floats


def ray_cells(problem: Problem, best: Point, room: Floats) -> Rays:
    """Sample midpoint and slope on rays from each optimum to the edge of its region.

    Parameters
    ----------
    problem : Problem
        One column per curve.
    best : Point
        Their optima, none flat.
    room : array (n_columns,)
        Squared error to spare above the least one.

    Returns
    -------
    Rays
        ``1 + len(SHARES) * N_RAYS`` cells per column.
    """
    step_e, step_eta = _steps(best, room)
    least = 2.0 * best.loss - problem.spread
    scale = 1.0 / np.maximum(room, 1e-300)

    def along(distance: Floats) -> Cells:
        """Place cells at distances of shape (n_distances, N_RAYS, n_columns)."""
        e = np.clip(best.e + distance * step_e, problem.e_low, problem.e_high)
        eta = np.clip(best.eta + distance * step_eta, problem.eta_low, problem.eta_high)
        return Cells(e.reshape(-1, len(room)), eta.reshape(-1, len(room)))

    def reach(distance: Floats) -> Floats:
        """Say how far out each distance is: 1 at the region's edge."""
        excess = solve(cell_sums(problem, along(distance)), problem.box).excess
        far: Floats = np.sqrt(np.maximum(excess - least, 0.0) * scale)
        return far.reshape(distance.shape)

    edge = _edge(reach, (N_RAYS, len(room)))
    around = along(SHARES[:, None, None] * edge)
    cells = Cells(np.vstack([best.e, around.e]), np.vstack([best.eta, around.eta]))
    outermost = along(edge[None]).e
    return Rays(cells, -_vertex(_around(-outermost)), _vertex(_around(outermost)))


def _steps(best: Point, room: Floats) -> tuple[Floats, Floats]:
    """Give the steps in e and eta of each ray that should just reach the edge."""
    sound = (best.h_ee > 0) & (best.h_etaeta > 0)
    sound &= best.h_ee * best.h_etaeta > best.h_eeta**2
    ee = np.where(sound, best.h_ee, np.maximum(best.n_ee, 0.0))
    etaeta = np.where(sound, best.h_etaeta, np.maximum(best.n_etaeta, 0.0))
    eeta = np.where(sound, best.h_eeta, 0.0)
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


def _edge(reach: Callable[[Floats], Floats], shape: tuple[int, int]) -> Floats:
    """Find how far out each ray first leaves the region; the last distance if it never does."""
    tried = np.broadcast_to(LADDER[:, None, None], (len(LADDER), *shape))
    reached = reach(tried)
    outside = reached > 1.0
    first = np.argmax(outside, axis=0)[None]
    leaves = outside.any(axis=0)
    last = np.where(leaves, first[0], len(LADDER) - 1)[None]
    high, high_reach = (np.take_along_axis(part, last, axis=0)[0] for part in (tried, reached))
    before = np.maximum(first - 1, 0)
    low, low_reach = (np.take_along_axis(part, before, axis=0)[0] for part in (tried, reached))
    inner = first[0] > 0
    low, low_reach = np.where(inner, low, 0.0), np.where(inner, low_reach, 0.0)
    for _ in range(N_CORRECTIONS):
        middle = _between(low, low_reach, high, high_reach)
        found = reach(middle[None])[0]
        out = found > 1.0
        low, low_reach = np.where(out, low, middle), np.where(out, low_reach, found)
        high, high_reach = np.where(out, middle, high), np.where(out, found, high_reach)
    edge: Floats = np.where(leaves, _between(low, low_reach, high, high_reach), high)
    return edge


def _between(low: Floats, low_reach: Floats, high: Floats, high_reach: Floats) -> Floats:
    gap = np.maximum(high_reach - low_reach, 1e-12)
    crossing: Floats = low + (high - low) * np.clip((1.0 - low_reach) / gap, 0.05, 0.95)
    return crossing


def nodes_to_try(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pick nodes of a search table that stand for all inside the region.

    Parameters
    ----------
    inside : array of bool (n_nodes, n_columns)
        Which nodes belong to the region.

    Returns
    -------
    array of bool (n_nodes, n_columns)
        Every third midpoint by turns, and the outermost midpoints: steep curves have valleys too
        narrow to be met otherwise.
    """
    midpoint, slope = np.divmod(np.arange(len(inside)), N_SLOPES)
    turn = midpoint // MIDPOINT_STRIDE % SLOPE_STRIDE
    kept = (midpoint % MIDPOINT_STRIDE == 0) & (slope % SLOPE_STRIDE == turn)
    tried: NDArray[np.bool_] = inside & kept[:, None]
    some = np.flatnonzero(inside.any(axis=0))
    tried[np.argmax(inside, axis=0)[some], some] = True
    tried[len(inside) - 1 - np.argmax(inside[::-1], axis=0)[some], some] = True
    return tried


def peak(values: Floats) -> Floats:
    """Give the highest value over shares and rays, the peak between cells by parabolas.

    Parameters
    ----------
    values : array (1 + len(SHARES) * N_RAYS, n_columns)
        As the cells of `Rays`; NaN outside the region.

    Returns
    -------
    array (n_columns,)
        -inf where all are NaN.
    """
    values = np.where(np.isnan(values), -np.inf, values)
    cube = values[1:].reshape(len(SHARES), N_RAYS, -1)
    # On the far side of the optimum the opposite ray goes on.
    opposite = np.roll(cube[0], N_RAYS // 2, axis=0)[None]
    centre = np.broadcast_to(values[0], opposite.shape)
    beyond = np.full_like(opposite, -np.inf)
    along = _vertex(np.concatenate([opposite, centre, cube, beyond]))
    return _vertex(_around(along))


def _around(values: Floats) -> Floats:
    """Close the circle of rays: the last before the first, and the first after the last."""
    return np.concatenate([values[-1:], values, values[:1]])


def _vertex(values: Floats) -> Floats:
    """Give the highest value along the first axis, its ends left out, mended by a parabola."""
    inner = values[1:-1]
    place = np.argmax(inner, axis=0)[None]
    before, top, after = (
        np.take_along_axis(part, place, axis=0)[0] for part in (values[:-2], inner, values[2:])
    )
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        bend = before - 2.0 * top + after
        rise = (after - before) ** 2 / (-8.0 * bend)
        # Where limits act the quantity is no sinusoid, and may gain no more than one would.
        most = HIGHEST_RISE * (
            top - np.min(inner, axis=0, where=np.isfinite(inner), initial=np.inf)
        )
    sound = np.isfinite(rise) & (bend < 0) & np.isfinite(most)
    highest: Floats = np.where(sound, top + np.minimum(rise, most), top)
    return highest
