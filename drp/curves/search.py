"""The best curve of each batch: starts from the table, Newton, the best of all and of flat."""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans, total
from drp.curves.grid import (
    CURVES_IN_CACHE,
    DOSE_DECIMALS,
    Nodes,
    Starts,
    Table,
    find_starts,
    signed_gains,
)
from drp.curves.model import Bounds, Box, Floats, box_around, flat_level
from drp.curves.newton import polish
from drp.curves.objective import FAR_BELOW, Point, Problem

FALLING, RISING = 1, -1
# A second optimum is worth a word if it fits nearly as well and lies this far away (decades).
RIVAL_ERROR_SHARE, RIVAL_DISTANCE = 0.01, 0.3
# Fewer curves with the same doses than this have their tables worked out one by one.
FEWEST_TO_SHARE = 24
# Starts that are followed together; it bounds memory, not results. The last of them take dozens of
# steps more than most, and these cost the same for one start as for a hundred.
STARTS_AT_ONCE = 32768
# Where flat curves are outside the limits, nodes are measured against a loss this many times that
# of the worst imaginable fit.
WORST = 1e3


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
    point : Point
        The optimum and its derivatives as the search met it: a rising curve seen from the highest
        dose, as a falling one.
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
    point: Point

    def take(self, curves: NDArray[np.intp]) -> "Best":
        """Give the entries of some curves."""
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        point = parts.pop("point").take(curves)
        return Best(**{name: part[curves] for name, part in parts.items()}, point=point)


class Searched(NamedTuple):
    """A batch after the search: what intervals are made from.

    `problem` has one column per curve, in the direction of its best fit.
    """

    best: Best
    nodes: Nodes
    gains: Floats
    base: Floats
    problem: Problem
    flat_excess: Floats


def batches(means: DoseMeans, size: int) -> list[NDArray[np.intp]]:
    """Cut curves into batches, those with the same relative doses together if they are many.

    Examples
    --------
    >>> from drp.curves.collapse import collapse
    >>> means = collapse(np.array([[1.0, 10.0], [5.0, 50.0], [1.0, 20.0]]), np.ones((3, 2)))
    >>> [batch.tolist() for batch in batches(means, 10)]
    [[0, 1, 2]]
    """
    relative = np.round(means.x - means.x_min, DOSE_DECIMALS)
    if (relative == relative[:, :1]).all():
        groups = [np.arange(relative.shape[1])]
    else:
        order = np.lexsort((*relative, means.n_doses))
        ordered = relative[:, order]
        cuts = np.flatnonzero((ordered[:, 1:] != ordered[:, :-1]).any(axis=0)) + 1
        groups = np.split(order, cuts)
    many = [group for group in groups if len(group) >= FEWEST_TO_SHARE]
    few = [group for group in groups if len(group) < FEWEST_TO_SHARE]
    if few:
        alone = np.concatenate(few)
        many += np.split(alone, np.flatnonzero(np.diff(means.n_doses[alone])) + 1)
    return [group[i : i + size] for group in many for i in range(0, len(group), size)]


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
    return search_all([means], bounds, signs)[0]


def search_all(
    parts: list[DoseMeans], bounds: Bounds, signs: tuple[int, ...], *, keep_gains: bool = True
) -> list[Searched]:
    """Search several batches; starts of batches with equally many doses are followed together.

    Parameters
    ----------
    parts : list of DoseMeans
        The batches.
    bounds, signs
        As in `search`.
    keep_gains : bool
        Whether intervals will be made of the result; without, `Searched.gains` is empty.

    Returns
    -------
    list of Searched
        The same to the last bit as one by one.
    """
    scanned = [_scanned(means, bounds, signs, keep_gains) for means in parts]
    ends: dict[int, tuple[Point, NDArray[np.bool_]]] = {}
    for rows in sorted({len(means.x) for means in parts}):
        alike = [place for place, means in enumerate(parts) if len(means.x) == rows]
        ends |= zip(alike, _polished([scanned[place] for place in alike]), strict=True)
    found = []
    for place, (means, one) in enumerate(zip(parts, scanned, strict=True)):
        point, converged = ends[place]
        best = _pick(means, Ends(one.curve, one.sign, converged, point), one.flat_at, one.excess)
        own = np.arange(len(means.x_min))
        own += len(own) * np.where(best.sign == signs[0], 0, 1)
        problem = one.problem.take(own)
        found.append(Searched(best, one.nodes, one.gains, one.base, problem, one.excess))
    return found


class _Scanned(NamedTuple):
    """A batch whose table was looked at: its starts, flat lists, and what flat curves are worth."""

    problem: Problem
    curve: NDArray[np.intp]
    sign: NDArray[np.int64]
    column: NDArray[np.intp]
    e: Floats
    eta: Floats
    nodes: Nodes
    gains: Floats
    base: Floats
    flat_at: Floats
    excess: Floats


def _scanned(
    means: DoseMeans, bounds: Bounds, signs: tuple[int, ...], keep_gains: bool
) -> _Scanned:
    level = means.level
    flat_at = flat_level(bounds, level)
    excess = np.where(np.isnan(flat_at), np.inf, means.total_weight * (flat_at - level) ** 2)
    spread = total(means.weight * (means.mean - level) ** 2)
    # Where no curve may be flat, any start is better than none.
    base = np.where(np.isfinite(excess), excess, WORST * (spread + level**2))
    table, starts_of, gains = _scan(means, bounds, signs, base, spread, keep_gains)
    problem = _problem(means, bounds, signs, level, spread)
    starts = _columns(means, starts_of)
    return _Scanned(problem, *starts, table.nodes, gains, base, flat_at, excess)


def _polished(scanned: list[_Scanned]) -> list[tuple[Point, NDArray[np.bool_]]]:
    """Follow the starts of several batches with equally many doses, `STARTS_AT_ONCE` together."""
    sizes = [len(one.base) for one in scanned]
    owner = _joined([one.curve for one in scanned], sizes)
    column = _joined([one.column for one in scanned], [len(one.problem.whole) for one in scanned])
    e, eta = (np.concatenate([getattr(one, name) for one in scanned]) for name in ("e", "eta"))
    problem = Problem.joined([one.problem for one in scanned])
    # All starts of a curve stay together: one may be overtaken by another.
    order = np.argsort(owner, kind="stable")
    first = np.flatnonzero(np.diff(owner[order], prepend=-1))
    begins = np.arange(0, len(order), STARTS_AT_ONCE)
    cuts = np.append(first[np.searchsorted(first, begins, side="right") - 1], len(order))
    ends, converged = np.empty((len(Point._fields), len(order))), np.empty(len(order), dtype=bool)
    for begin, end in pairwise(np.unique(cuts).tolist()):
        some = order[begin:end]
        own = np.unique(owner[some], return_inverse=True)[1]
        point, converged[some] = polish(problem, column[some], e[some], eta[some], own)
        ends[:, some] = point
    cut = np.cumsum([len(one.curve) for one in scanned])[:-1]
    points = (Point(*part) for part in np.split(ends, cut, axis=1))
    return list(zip(points, np.split(converged, cut), strict=True))


def _joined(parts: list[NDArray[np.intp]], sizes: list[int]) -> NDArray[np.intp]:
    """Join lists of numbers, each counted on from the sizes of those before."""
    begins = np.cumsum([0, *sizes])[:-1].tolist()
    return np.concatenate([part + begin for part, begin in zip(parts, begins, strict=True)])


def _columns(
    means: DoseMeans, starts_of: dict[int, Starts]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp], Floats, Floats]:
    """Join the starts of all directions: curve, sign, column of the problem, midpoint, slope."""
    parts = []
    for place, (sign, starts) in enumerate(starts_of.items()):
        column = starts.curve + place * len(means.x_min)
        e = seen_from(sign, starts.log10_ec50, (means.x_max - means.x_min)[starts.curve])
        parts.append((starts.curve, np.full(len(column), sign), column, e, starts.log_slope))
    joined = [np.concatenate(one) for one in zip(*parts, strict=True)]
    return joined[0], joined[1], joined[2], joined[3], joined[4]


def seen_from(sign: int | NDArray[np.int64], x: Floats, width: Floats) -> Floats:
    """Give a relative log dose as it stands in the search, or as it was: a rising curve's mirrored.

    >>> seen_from(RISING, np.array([0.5]), np.array([3.0]))
    array([2.5])
    """
    seen: Floats = np.where(np.equal(sign, RISING), width - x, x)
    return seen


def _scan(
    means: DoseMeans,
    bounds: Bounds,
    signs: tuple[int, ...],
    base: Floats,
    spread: Floats,
    keep_gains: bool,
) -> tuple[Table, dict[int, Starts], Floats]:
    """Try every node of the table on every curve: starts by direction, and the signed gains."""
    table, found, kept = Table(means, bounds), [], []
    for begin in range(0, len(spread), CURVES_IN_CACHE):
        part = slice(begin, begin + CURVES_IN_CACHE)
        gains = signed_gains(table.sums(part), bounds, table.level[part], base[part], signs)
        nodes = table.nodes if table.shared else Nodes(table.nodes.e[:, part], table.nodes.eta)
        starts = find_starts(gains, nodes, (spread + base)[part], signs)
        found.append({sign: one._replace(curve=one.curve + begin) for sign, one in starts.items()})
        if keep_gains:
            kept.append(gains)
    joined = {}
    for sign in signs:
        parts = zip(*(starts[sign] for starts in found), strict=True)
        joined[sign] = Starts(*(np.concatenate(part) for part in parts))
    return table, joined, np.concatenate(kept, axis=1) if keep_gains else np.empty((0, 0))


class Ends(NamedTuple):
    """Where the starts ended: flat lists; `curve` says whose."""

    curve: NDArray[np.intp]
    sign: NDArray[np.int64]
    converged: NDArray[np.bool_]
    point: Point


def _problem(
    means: DoseMeans, bounds: Bounds, signs: tuple[int, ...], level: Floats, spread: Floats
) -> Problem:
    """Set up the columns of each direction, one direction after the other."""
    n, width = len(signs), means.x_max - means.x_min
    x = np.maximum(means.x - means.x_min, FAR_BELOW)
    return Problem(
        np.hstack([x if sign == FALLING else width - x for sign in signs]),
        np.tile(means.mean - level, n),
        np.tile(means.weight, n),
        np.tile(means.total_weight, n),
        Box(*(np.tile(limit, n) for limit in box_around(bounds, level))),
        np.tile(spread, n),
        np.tile(width + bounds.ec50_margin, n),
        -bounds.ec50_margin,
        float(np.log(bounds.slope[0])),
        float(np.log(bounds.slope[1])),
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
    sign = np.where(flat, FALLING, np.append(ends.sign, FALLING)[chosen])
    falling, width = sign == FALLING, means.x_max - means.x_min
    e = seen_from(sign, fitted.e, width)
    rivals = ends.curve, seen_from(ends.sign, ends.point.e, width[ends.curve]), ends.point.loss
    return Best(
        np.where(flat, np.nan, e),
        np.where(flat, np.nan, fitted.eta),
        np.where(flat, flat_at, level + np.where(falling, fitted.left, fitted.right)),
        np.where(flat, flat_at, level + np.where(falling, fitted.right, fitted.left)),
        sign,
        np.where(flat, spread + flat_excess, loss),
        flat,
        flat | np.append(ends.converged, True)[chosen],
        _has_rival(*rivals, e, loss, loss + means.scatter) & ~flat,
        fitted,
    )


def _has_rival(
    curve: NDArray[np.intp], e: Floats, half: Floats, best_e: Floats, least: Floats, error: Floats
) -> NDArray[np.bool_]:
    """Say which curves have another optimum nearly as good at another midpoint."""
    behind = 2.0 * half - least[curve]
    near = behind <= RIVAL_ERROR_SHARE * error[curve]
    apart = np.abs(e - best_e[curve]) > RIVAL_DISTANCE
    rival = np.zeros(len(error), dtype=bool)
    rival[curve[near & apart]] = True
    return rival
