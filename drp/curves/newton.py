"""Projected Newton on midpoint and slope, for all starts at once.

The asymptotes are projected out (`drp.curves.asymptotes`), so each step is a 2 by 2 system in
``e = log10 EC50`` and ``eta = ln slope``. A coordinate at its bound whose gradient points outwards
is frozen; where the Hessian is not positive definite the Gauss-Newton matrix stands in; only
steps that lower the error are taken. Every operation is elementwise over the starts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import BOTH_FREE, FLAT, LEFT_FREE, NONE_FREE, RIGHT_FREE
from drp.curves.model import Box, Floats
from drp.curves.objective import Point, Problem, evaluate

MOST_STEPS = 60
LONGEST_STEP = (0.4, 0.7)  # decades of e, units of eta
FIRST_DAMPING = (1e-9, 1e-2)
MORE_DAMPING, LESS_DAMPING, MOST_DAMPING = 8.0, 0.1, 1e7
# A start is done when the fall still to be had is this share of the error, or of the spread.
TOLERANCE = 1e-10
TOLERANCE_OF_SPREAD = 1e-15
# Every few steps a start is given up that has all but stopped falling, unless it is held back by
# damping: steps that are refused say nothing of what there is to gain.
PATIENCE = 5
STAGNATION = 1e-8
LIGHT_DAMPING = 0.1
# After the first steps a start is given up that would still be behind another start of its curve
# if it fell by several times what its quadratic promises.
HEAD_START = 2
HOPE = 10.0
# When steps run out, a start still counts as arrived if less than this share of the spread
# about the mean is left to gain.
NEGLIGIBLE = 1e-6


def frozen(problem: Problem, point: Point) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which coordinates stand at a bound that the descent direction would leave."""
    hold_e = ((point.e <= problem.e_low) & (point.g_e > 0)) | (
        (point.e >= problem.e_high) & (point.g_e < 0)
    )
    hold_eta = ((point.eta <= problem.eta_low) & (point.g_eta > 0)) | (
        (point.eta >= problem.eta_high) & (point.g_eta < 0)
    )
    return hold_e, hold_eta


class Model(NamedTuple):
    """The quadratic that a step minimises: gradient and a positive definite matrix."""

    g_e: Floats
    g_eta: Floats
    ee: Floats
    eeta: Floats
    etaeta: Floats
    promised: Floats  # fall in half the squared error if the quadratic were all


def _quadratic(problem: Problem, point: Point) -> Model:
    """Take the Hessian where it is positive definite, else the Gauss-Newton matrix, lifted."""
    hold_e, hold_eta = frozen(problem, point)
    determinant = point.h_ee * point.h_etaeta - point.h_eeta**2
    positive = ((point.h_ee > 0) | hold_e) & ((point.h_etaeta > 0) | hold_eta)
    positive &= (determinant > 1e-13 * np.abs(point.h_ee * point.h_etaeta)) | hold_e | hold_eta
    tiny = np.finfo(np.float64).tiny
    lift = 1.0 + 1e-6
    ee = np.where(hold_e, 1.0, np.where(positive, point.h_ee, point.n_ee * lift + tiny))
    etaeta = np.where(
        hold_eta, 1.0, np.where(positive, point.h_etaeta, point.n_etaeta * lift + tiny)
    )
    eeta = np.where(hold_e | hold_eta, 0.0, np.where(positive, point.h_eeta, point.n_eeta))
    g_e, g_eta = np.where(hold_e, 0.0, point.g_e), np.where(hold_eta, 0.0, point.g_eta)
    step_e, step_eta = _solve(g_e, g_eta, ee, eeta, etaeta)
    return Model(g_e, g_eta, ee, eeta, etaeta, -(g_e * step_e + g_eta * step_eta))


def _solve(g_e: Floats, g_eta: Floats, a: Floats, b: Floats, d: Floats) -> tuple[Floats, Floats]:
    determinant = np.maximum(a * d - b * b, 1e-15 * a * d + np.finfo(np.float64).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        return (b * g_eta - d * g_e) / determinant, (b * g_e - a * g_eta) / determinant


def _next(problem: Problem, point: Point, model: Model, damping: Floats) -> tuple[Floats, Floats]:
    """Give the parameters after one damped, limited step that stays inside the bounds."""
    a, d = model.ee * (1.0 + damping), model.etaeta * (1.0 + damping)
    _, step_eta = _solve(model.g_e, model.g_eta, a, model.eeta, d)
    step_eta = np.where(np.isnan(step_eta), 0.0, step_eta)
    new_eta = _limited(point.eta, step_eta, LONGEST_STEP[1], problem.eta_low, problem.eta_high)
    # e takes what is best for the step that eta really makes. Steep curves lie in valleys that
    # are straight in 1/slope, not in ln slope: hence expm1.
    step_e = -(model.g_e - model.eeta * np.expm1(point.eta - new_eta)) / a
    new_e = _limited(point.e, step_e, LONGEST_STEP[0], problem.e_low, problem.e_high)
    cut = new_e != point.e + step_e
    step_eta = -(model.g_eta + model.eeta * (new_e - point.e)) / d
    again = _limited(point.eta, step_eta, LONGEST_STEP[1], problem.eta_low, problem.eta_high)
    return new_e, np.where(cut, again, new_eta)


def _limited(
    start: Floats, step: Floats, longest: float, low: float, high: Floats | float
) -> Floats:
    with np.errstate(invalid="ignore"):
        moved: Floats = np.clip(start + np.clip(step, -longest, longest), low, high)
    return moved


class Wall(NamedTuple):
    """The limit on an asymptote that stopped a start: which may still move there, and where.

    `free` is BOTH_FREE (0) for starts that met none.
    """

    free: Floats
    left: Floats
    right: Floats


class State(NamedTuple):
    """Starts under way: where each is, its damping, its last error looked at, its wall."""

    here: Point
    damping: Floats
    before: Floats
    wall: Wall

    def take(self, kept: NDArray[np.intp]) -> "State":
        """Give the same for some starts only."""
        return State(
            self.here.take(kept),
            self.damping[kept],
            self.before[kept],
            Wall(*(part[kept] for part in self.wall)),
        )


def polish(
    problem: Problem, column: NDArray[np.intp], e: Floats, eta: Floats, owner: NDArray[np.intp]
) -> tuple[Point, NDArray[np.bool_]]:
    """Follow every start down to its local optimum, or until another start has overtaken it.

    Where a limit on an asymptote begins to act, the curvature jumps and a Newton step from the
    free side overshoots again and again. Starts that met such a wall are followed once more with
    the asymptote held at its limit, where the error is smooth.

    Parameters
    ----------
    problem : Problem
        One column per curve and direction.
    column : array of int (n_starts,)
        The column each start belongs to.
    e, eta : array (n_starts,)
        The starts, inside the bounds.
    owner : array of int (n_starts,)
        The curve each start belongs to: a start may be overtaken by any other of its curve.

    Returns
    -------
    point : Point
        Where each start ended, (n_starts,).
    converged : array of bool (n_starts,)
        False where steps ran out first; the point is then the best one seen.
    """
    # Far from any optimum the quadratic may overflow; such steps are limited or refused.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _polish(problem, column, e, eta, owner)


def _polish(
    problem: Problem, column: NDArray[np.intp], e: Floats, eta: Floats, owner: NDArray[np.intp]
) -> tuple[Point, NDArray[np.bool_]]:
    point, converged, wall = _descend(problem, column, e, eta, owner)
    hit = np.flatnonzero(wall.free != BOTH_FREE)
    if not len(hit):
        return point, converged
    whole = problem.take(column[hit])
    held = whole._replace(box=_held_box(whole.box, Wall(*(part[hit] for part in wall))))
    every = np.arange(len(hit))
    along, arrived, _ = _descend(held, every, point.e[hit], point.eta[hit], every)
    there = evaluate(whole, along.e, along.eta)
    better = there.loss < point.loss[hit]
    merged = []
    for old, new in zip(point, there, strict=True):
        changed = old.copy()
        changed[hit] = np.where(better, new, old[hit])
        merged.append(changed)
    # The best point along the wall, which the free side could not better either.
    same = there.loss <= point.loss[hit] + NEGLIGIBLE * whole.spread
    converged[hit] |= arrived & same
    return Point(*merged), converged


def _held_box(box: Box, wall: Wall) -> Box:
    """Hold the asymptote that met its limit where it met it."""
    hold_right = (wall.free == LEFT_FREE) | (wall.free == NONE_FREE)
    hold_left = (wall.free == RIGHT_FREE) | (wall.free == NONE_FREE)
    return Box(
        np.where(hold_left, wall.left, box.left_low),
        np.where(hold_left, wall.left, box.left_high),
        np.where(hold_right, wall.right, box.right_low),
        np.where(hold_right, wall.right, box.right_high),
    )


def _descend(
    problem: Problem, column: NDArray[np.intp], e: Floats, eta: Floats, owner: NDArray[np.intp]
) -> tuple[Point, NDArray[np.bool_], Wall]:
    part = problem.take(column)
    start = evaluate(part, e, eta)
    state = State(start, np.zeros(len(e)), start.loss, Wall(*np.zeros((3, len(e)))))
    result, walls = [value.copy() for value in start], [value.copy() for value in state.wall]
    converged, active = np.zeros(len(e), dtype=bool), np.arange(len(e))
    lowest = np.full(int(owner.max(initial=-1)) + 1, np.inf)
    for step in range(MOST_STEPS + 1):
        model = _quadratic(part, state.here)
        done = _finished(part, state, model)
        if step >= HEAD_START:
            np.minimum.at(lowest, owner[active], state.here.loss)
            done |= state.here.loss - HOPE * model.promised > lowest[owner[active]]
        if step % PATIENCE == PATIENCE - 1:
            still = state.before - state.here.loss <= STAGNATION * state.here.loss
            done |= still & (state.damping <= LIGHT_DAMPING)
            state = state._replace(before=state.here.loss.copy())
        arrived = done.copy()
        if step == MOST_STEPS:
            arrived |= HOPE * model.promised <= NEGLIGIBLE * part.spread
            done[:] = True
        if done.any():
            for whole, current in zip(result + walls, (*state.here, *state.wall), strict=True):
                whole[active[done]] = current[done]
            converged[active[done]] = arrived[done]
            kept = np.flatnonzero(~done)
            active, part, state = active[kept], part.take(kept), state.take(kept)
            model = Model(*(current[kept] for current in model))
        if not len(active):
            break
        state = _moved(part, state, model)
    return Point(*result), converged, Wall(*walls)


def _finished(part: Problem, state: State, model: Model) -> NDArray[np.bool_]:
    done: NDArray[np.bool_] = (
        model.promised <= TOLERANCE * state.here.loss + TOLERANCE_OF_SPREAD * part.spread
    )
    done |= (state.here.free == FLAT) | (state.damping > MOST_DAMPING)
    return done


def _moved(part: Problem, state: State, model: Model) -> State:
    """Take one step where it lowers the error, else stay with more damping."""
    here, damping, before, wall = state
    there = evaluate(part, *_next(part, here, model, damping))
    lower = there.loss < here.loss
    # `there` is this step's own: where it is no better, what was known before is put back.
    refused = np.flatnonzero(~lower)
    met = ~lower & (there.free != here.free) & (there.free != FLAT) & (here.free == BOTH_FREE)
    if met.any():
        wall = Wall(
            np.where(met, there.free, wall.free),
            np.where(met, there.left, wall.left),
            np.where(met, there.right, wall.right),
        )
    for new, old in zip(there, here, strict=True):
        new[refused] = old[refused]
    # Damping starts from the curvature along the valley, which it has to match.
    along = 1.0 - model.eeta**2 / (model.ee * model.etaeta)
    more = np.maximum(damping, np.clip(along, *FIRST_DAMPING)) * MORE_DAMPING
    return State(there, np.where(lower, damping * LESS_DAMPING, more), before, wall)
