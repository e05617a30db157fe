"""From a point near the rim of the likelihood region to its outermost one."""

import numpy as np
from numpy.typing import NDArray

from drp.curves.model import Floats
from drp.curves.objective import Problem, evaluate
from drp.curves.ranges import Columns, ranges
from drp.curves.region import Cells

N_MIDPOINT_STEPS = 6
LONGEST_STEP = (0.5, 0.7)  # decades of e, units of eta
# A point whose excess misses the region's edge by this share of the room still counts.
EDGE_TOLERANCE = 0.01
# Rounds of the pattern search.
N_ROUNDS = 4
AROUND = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)], float)


def outermost_midpoint(
    problem: Problem, e: Floats, eta: Floats, room: Floats, least: Floats, side: int
) -> Floats:
    """Follow the profile of the midpoint outwards to where it leaves the region.

    Newton's method on two conditions at once: the slope is at its best for the midpoint, and the
    error is at its limit. Only points found inside count.

    Parameters
    ----------
    problem : Problem
        One column per curve.
    e, eta : array (n_columns,)
        A point of each region.
    room : array (n_columns,)
        Squared error to spare above the least one.
    least : array (n_columns,)
        The least squared error.
    side : int
        -1 towards low, +1 towards high doses.

    Returns
    -------
    array (n_columns,)
        The outermost midpoint found inside.
    """
    limit = 0.5 * (least + room)
    slack = EDGE_TOLERANCE * 0.5 * room
    outermost = e.copy()
    with np.errstate(all="ignore"):
        for _ in range(N_MIDPOINT_STEPS):
            here = evaluate(problem, e, eta)
            inside = here.loss <= limit + slack
            outermost = np.where(inside & (side * e > side * outermost), e, outermost)
            bend = np.where(here.h_etaeta > 0, here.h_etaeta, here.n_etaeta)
            held = ~(bend > 0) | ((eta <= problem.eta_low) & (here.g_eta > 0))
            held |= (eta >= problem.eta_high) & (here.g_eta < 0)
            down = np.where(held, 0.0, -here.g_eta / bend)
            lever = np.where(held, 0.0, here.h_eeta / bend)
            rise = side * (here.g_e + here.h_eeta * down)
            curved = here.h_ee - here.h_eeta * lever
            to_go = limit - (here.loss + 0.5 * here.g_eta * down)
            root = np.sqrt(np.maximum(rise * rise + 2.0 * curved * to_go, 0.0))
            # The stable form of the quadratic's root; without a crossing, as far as allowed.
            step = 2.0 * to_go / (rise + root)
            step = np.where((step > -LONGEST_STEP[0]) & (rise + root > 0), step, LONGEST_STEP[0])
            step = side * np.minimum(step, LONGEST_STEP[0])
            turn = np.clip(down - lever * step, -LONGEST_STEP[1], LONGEST_STEP[1])
            e = np.clip(e + step, problem.e_low, problem.e_high)
            eta = np.clip(eta + turn, problem.eta_low, problem.eta_high)
    return outermost


def outermost_value(
    columns: Columns,
    name: str,
    side: int,
    start: tuple[Floats, Floats, Floats],
    steps: tuple[Floats, Floats],
    wanted: tuple[Floats, Floats],
) -> Floats:
    """Improve on the outermost value of a quantity by a pattern search in midpoint and slope.

    Parameters
    ----------
    columns : Columns
        The curves.
    name : str
        Of `drp.curves.ranges.QUANTITIES`.
    side : int
        -1 for the lowest, +1 for the highest value.
    start : tuple of array (n_columns,)
        Midpoint, ln slope, and the value there.
    steps : tuple of array (n_columns,)
        First steps in midpoint and ln slope.
    wanted : tuple of array (n_columns,)
        The value to outdo, and by how much the start may lag behind it. The lag allowed is halved
        every round; a column that lags more is given up.

    Returns
    -------
    array (n_columns,)
        At least as far out as the value at the start.
    """
    outermost = start[2].copy()
    active = np.arange(len(outermost))
    search: tuple[Floats, ...] = (*start, *steps)
    for number in range(N_ROUNDS):
        search = _round(columns, name, side, search)
        outermost[active] = search[2]
        lag = side * (wanted[0][active] - search[2])
        kept = np.flatnonzero(lag < wanted[1][active] * 0.5 ** (number + 1))
        if not len(kept):
            break
        active, columns = active[kept], columns.take(kept)
        search = tuple(part[kept] for part in search)
    return outermost


def _round(
    columns: Columns, name: str, side: int, search: tuple[Floats, ...]
) -> tuple[Floats, ...]:
    """Try the points around each, and the peak of a parabola through them; move to the best.

    The steps are halved where no point is better, and where the parabola's peak is.
    """
    e, eta, value, step_e, step_eta = search

    def values_at(places: Floats) -> tuple[Cells, Floats]:
        problem = columns.problem
        tried = Cells(
            np.clip(e + places[:, 0] * step_e, problem.e_low, problem.e_high),
            np.clip(eta + places[:, 1] * step_eta, problem.eta_low, problem.eta_high),
        )
        found = ranges(columns, tried, (name,))[name][side > 0]
        return tried, np.where(np.isnan(found), -np.inf, side * found)

    around, found = values_at(AROUND[:, :, None])
    top, found_top = values_at(_parabola_peak(side * value, found)[None])
    every = np.vstack([found, found_top])
    best, column = np.argmax(every, axis=0), np.arange(len(e))
    highest = every[best, column]
    better = highest > side * value
    e, eta = (
        np.where(better, np.vstack(parts)[best, column], old)
        for parts, old in zip(zip(around, top, strict=True), (e, eta), strict=True)
    )
    shorter = np.where(better & (best < len(AROUND)), 1.0, 0.5)
    return e, eta, np.where(better, side * highest, value), shorter * step_e, shorter * step_eta


def _parabola_peak(centre: Floats, around: Floats) -> Floats:
    """Give the peak of the paraboloid through nine points, in steps, shape (2, n_columns).

    No farther than two steps; the centre where there is no peak.
    """
    with np.errstate(all="ignore"):
        low_e, high_e = around[[0, 1, 2]].sum(axis=0), around[[5, 6, 7]].sum(axis=0)
        low_eta, high_eta = around[[0, 3, 5]].sum(axis=0), around[[2, 4, 7]].sum(axis=0)
        slope_e, slope_eta = (high_e - low_e) / 6.0, (high_eta - low_eta) / 6.0
        bend_e = around[1] + around[6] - 2.0 * centre
        bend_eta = around[3] + around[4] - 2.0 * centre
        both = (around[0] + around[7] - around[2] - around[5]) / 4.0
        determinant = bend_e * bend_eta - both * both
        peak_e = (both * slope_eta - bend_eta * slope_e) / determinant
        peak_eta = (both * slope_e - bend_e * slope_eta) / determinant
        peak = np.stack([peak_e, peak_eta])
    sound = (bend_e < 0) & (determinant > 0) & np.isfinite(peak).all(axis=0)
    return np.where(sound, np.clip(peak, -2.0, 2.0), 0.0)


def best_of_each(
    column: NDArray[np.intp], value: Floats, side: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the outermost value of each column: the columns, and the place of the first such value.

    Parameters
    ----------
    column : array of int (n_values,)
        Ascending.
    value : array (n_values,)
        NaN does not count.
    side : int
        -1 for the lowest, +1 for the highest.

    Examples
    --------
    >>> best_of_each(np.array([0, 0, 2]), np.array([1.0, 3.0, 2.0]), 1)
    (array([0, 2]), array([1, 2]))
    """
    known = np.flatnonzero(~np.isnan(value))
    if not len(known):
        return known, known
    column, value = column[known], side * value[known]
    first = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    top = np.repeat(np.maximum.reduceat(value, first), np.diff(np.append(first, len(value))))
    place = np.flatnonzero(value == top)
    kept = np.append(True, column[place[1:]] != column[place[:-1]])
    return column[place[kept]], known[place[kept]]
