"""The best curve of each batch: starts from the table, Newton, the best of all and of flat."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans, total
from drp.curves.grid import Nodes, n_midpoints, scan
from drp.curves.model import Bounds, Floats, box_around, flat_level
from drp.curves.newton import polish
from drp.curves.objective import Point, Problem

FALLING, RISING = 1, -1
# A second optimum is worth a word if it fits nearly as well and lies this far away (decades).
RIVAL_ERROR_SHARE, RIVAL_DISTANCE = 0.01, 0.3


@dataclass(frozen=True, slots=True)
class Best:
    """The best fit of each curve of a batch; arrays of shape (n_curves,).

    Attributes
    ----------
    e, eta : array
        log10 EC50 relative to the lowest dose, and ln slope; NaN where flat is best.
    left, right : array
        Asymptotes at low and high dose.
    sign : array of int
        +1 falling, -1 rising; +1 where flat.
    loss : array
        Squared error of the dose means (scatter within doses not included).
    flat, converged, rival : array of bool
        Flat is best; the search ended by its own rule; another optimum fits nearly as well.
    hessian : Point
        Derivatives at the optimum, of the half squared error.
    """

    e: Floats
    eta: Floats
    left: Floats
    right: Floats
    sign: NDArray[np.int64]
    loss: Floats
    flat: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    rival: NDArray[np.bool_]
    hessian: Point


class Searched(NamedTuple):
    """A batch after the search: what intervals are made from."""

    best: Best
    nodes: Nodes
    excess: dict[int, Floats]
    problem: dict[int, Problem]
    flat_excess: Floats


def batches(means: DoseMeans, bounds: Bounds, size: int) -> list[NDArray[np.intp]]:
    """Cut curves into batches that share a table's size, neighbours of one design together."""
    relative = means.x - means.x_min
    sizes = n_midpoints(means, bounds)
    order = np.lexsort((*means.weight, *relative, means.n_doses, sizes))
    cuts = np.flatnonzero(np.diff(sizes[order]) | np.diff(means.n_doses[order])) + 1
    groups = np.split(order, cuts) if len(order) else []
    return [group[i : i + size] for group in groups for i in range(0, len(group), size)]


def search(means: DoseMeans, bounds: Bounds, signs: tuple[int, ...]) -> Searched:
    """Find the global optimum of every curve of a batch.

    Parameters
    ----------
    means : DoseMeans
        All with at least three distinct doses above 0 and one table size (see `batches`).
    bounds : Bounds
        Limits of the parameters.
    signs : tuple of int
        Directions to try, in order of preference on ties.

    Returns
    -------
    Searched
        The best fits, and what the search knows of the rest of the parameter space.
    """
    level = means.level
    flat_at = flat_level(bounds, level)
    flat_excess = np.where(np.isnan(flat_at), np.inf, means.total_weight * (flat_at - level) ** 2)
    nodes, starts_of, excess = scan(means, bounds, signs, flat_excess)
    problems, found = {}, []
    for sign in signs:
        starts = starts_of[sign]
        problems[sign] = _problem(means, bounds, sign, level)
        point, converged = polish(
            problems[sign], starts.curve, starts.log10_ec50, starts.log_slope, sign
        )
        found.append(Ends(starts.curve, np.full(len(starts.curve), sign), converged, point))
    best = _pick(means, _joined(found), flat_at, flat_excess)
    return Searched(best, nodes, excess, problems, flat_excess)


class Ends(NamedTuple):
    """Where the starts ended: flat lists; `curve` says whose."""

    curve: NDArray[np.intp]
    sign: NDArray[np.int64]
    converged: NDArray[np.bool_]
    point: Point


def _joined(found: list[Ends]) -> Ends:
    points = zip(*(ends.point for ends in found), strict=True)
    return Ends(
        np.concatenate([ends.curve for ends in found]),
        np.concatenate([ends.sign for ends in found]),
        np.concatenate([ends.converged for ends in found]),
        Point(*(np.concatenate(parts) for parts in points)),
    )


def _problem(means: DoseMeans, bounds: Bounds, sign: int, level: Floats) -> Problem:
    y = means.mean - level
    width = means.x_max - means.x_min
    low, high = np.log(bounds.slope[0]), np.log(bounds.slope[1])
    return Problem(
        means.x - means.x_min,
        y,
        means.weight,
        box_around(bounds, sign, level),
        total(means.weight * y * y),
        np.full_like(width, -bounds.ec50_margin),
        width + bounds.ec50_margin,
        np.full_like(width, low),
        np.full_like(width, high),
    )


def _pick(means: DoseMeans, ends: Ends, flat_at: Floats, flat_excess: Floats) -> Best:
    """Take the best optimum of each curve; flat where none beats it. Ties go to the first."""
    n_curves, level = len(flat_at), means.level
    # A last row of NaN stands in for curves that had no start.
    point = Point(*(np.append(part, np.nan) for part in ends.point))
    chosen = np.full(n_curves, len(ends.curve), dtype=np.intp)
    order = np.lexsort((ends.point.loss, ends.curve))
    curves, first = np.unique(ends.curve[order], return_index=True)
    chosen[curves] = order[first]
    fitted = Point(*(part[chosen] for part in point))
    spread = total(means.weight * (means.mean - level) ** 2)
    loss = 2.0 * fitted.loss
    flat = ~(loss < spread + flat_excess)
    return Best(
        np.where(flat, np.nan, fitted.e),
        np.where(flat, np.nan, fitted.eta),
        np.where(flat, flat_at, level + fitted.left),
        np.where(flat, flat_at, level + fitted.right),
        np.where(flat, FALLING, np.append(ends.sign, FALLING)[chosen]),
        np.where(flat, spread + flat_excess, loss),
        flat,
        flat | np.append(ends.converged, True)[chosen],
        _has_rival(ends, fitted, loss + means.scatter) & ~flat,
        fitted,
    )


def _has_rival(ends: Ends, fitted: Point, error: Floats) -> NDArray[np.bool_]:
    """Say which curves have another optimum nearly as good at another midpoint."""
    behind = 2.0 * (ends.point.loss - fitted.loss[ends.curve])
    near = behind <= RIVAL_ERROR_SHARE * error[ends.curve]
    apart = np.abs(ends.point.e - fitted.e[ends.curve]) > RIVAL_DISTANCE
    rival = np.zeros(len(error), dtype=bool)
    rival[ends.curve[near & apart]] = True
    return rival
