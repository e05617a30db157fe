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
# Rounds of the pattern search; each that finds nothing better halves its steps.
N_ROUNDS = 6
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

    Returns
    -------
    array (n_columns,)
        At least as far out as the value at the start.
    """
    e, eta, value = start
    step_e, step_eta = steps
    problem, column = columns.problem, np.arange(len(e))
    for _ in range(N_ROUNDS):
        tried = Cells(
            np.clip(e + AROUND[:, :1] * step_e, problem.e_low, problem.e_high),
            np.clip(eta + AROUND[:, 1:] * step_eta, problem.eta_low, problem.eta_high),
        )
        found = ranges(columns, tried, (name,))[name][side > 0]
        found = np.where(np.isnan(found), -np.inf, side * found)
        best = np.argmax(found, axis=0)
        top = found[best, column]
        better = top > side * value
        e, eta = (np.where(better, part[best, column], old) for part, old in
                  zip(tried, (e, eta), strict=True))  # fmt: skip
        value = np.where(better, side * top, value)
        step_e, step_eta = (np.where(better, step, 0.5 * step) for step in (step_e, step_eta))
    return value


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
