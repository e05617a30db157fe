"""The best two asymptotes for a given midpoint and slope: variable projection in a box.

With midpoint and slope given, the curve is linear in its asymptotes, so the best pair is known in
closed form: the free optimum where it lies in the box, else the best point of the box's edges.
Golub and Pereyra, SIAM J Numer Anal 1973, doi:10.1137/0710036.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.model import Box, Floats

# Which asymptotes may still move at the best point; FLAT: the curve has no span.
BOTH_FREE, LEFT_FREE, RIGHT_FREE, NONE_FREE, FLAT = range(5)

# Below this share of the sum of squares, s is the same at every dose: no span can be seen.
SMALLEST_SPREAD = 1e-14


class Sums(NamedTuple):
    """Weighted sums over doses of s and of y, the deviation from the curve's mean.

    weight: of 1; s: of s; ss: of s²; spread: of (s - mean s)²; sy: of s y.
    """

    weight: Floats
    s: Floats
    ss: Floats
    spread: Floats
    sy: Floats


class Asymptotes(NamedTuple):
    """Left and right asymptote as deviations from the mean, what is free, and SSE - SST."""

    left: Floats
    right: Floats
    free: Floats
    excess: Floats


def mirrored(sums: Sums) -> Sums:
    """Give the sums of 1 - s: those of a rising curve, seen from high doses as a falling one."""
    rest = sums.weight - sums.s
    return Sums(sums.weight, rest, rest - sums.s + sums.ss, sums.spread, -sums.sy)


def solve(sums: Sums, box: Box) -> Asymptotes:
    """Find the asymptotes of least squared error for each midpoint and slope: left above right.

    Parameters
    ----------
    sums : Sums
        Arrays of any one shape.
    box : Box
        Limits as deviations from the mean; they broadcast with the sums.

    Returns
    -------
    Asymptotes
        `excess` is SSE minus the squared error of the mean, at most 0 where a curve helps.
        Where no falling curve fits better than its own edge, FLAT with excess inf.

    Examples
    --------
    Two doses, s = 1 and 0, y = +30 and -30 about the mean:

    >>> one = np.ones(1)
    >>> best = solve(Sums(2 * one, one, one, one / 2, 30 * one),
    ...              Box(-np.inf * one, np.inf * one, -50 * one, np.inf * one))
    >>> best.left, best.right, best.excess
    (array([30.]), array([-30.]), array([-1800.]))
    """
    with np.errstate(all="ignore"):
        span = sums.sy / sums.spread
        right = -span * sums.s / sums.weight
        left = right + span
        inside = (sums.spread > SMALLEST_SPREAD * sums.ss) & (span > 0)
        inside &= (left >= box.left_low) & (left <= box.left_high)
        inside &= (right >= box.right_low) & (right <= box.right_high)
        best = Asymptotes(left, right, np.zeros_like(span), -sums.sy * span)
        outside = np.nonzero(~inside)
        if len(outside[0]):
            shape = inside.shape
            edge = _on_edges(_picked(sums, outside, shape), _picked(box, outside, shape))
            for whole, part in zip(best, edge, strict=True):
                whole[outside] = part
    return best


def _picked(parts: Any, where: tuple[NDArray[np.intp], ...], shape: tuple[int, ...]) -> Any:
    """Give the same tuple for some elements only."""
    return type(parts)(
        *((p if p.shape == shape else np.broadcast_to(p, shape))[where] for p in parts)
    )


def _on_edges(sums: Sums, box: Box) -> Asymptotes:
    """Find the best asymptotes on the edges of the box; the flat curve where none is better."""
    none = np.zeros_like(sums.sy)
    best = Asymptotes(none, none, np.full_like(none, FLAT), np.full_like(none, np.inf))
    for held in (box.right_low, box.right_high):
        if np.isfinite(held).any():
            best = _better(best, _right_held(sums, box, held))
    for held in (box.left_low, box.left_high):
        if np.isfinite(held).any():
            best = _better(best, _left_held(sums, box, held))
    return best


def squared_error_excess(sums: Sums, left: Floats, right: Floats) -> Floats:
    """Give SSE - SST of curves with these asymptotes (deviations from the mean)."""
    cross = sums.s - sums.ss
    value: Floats = (
        left * left * sums.ss
        + 2 * left * right * cross
        + right * right * (sums.weight - 2 * sums.s + sums.ss)
        - 2 * sums.sy * (left - right)
    )
    return value


def _right_held(sums: Sums, box: Box, held: Floats) -> Asymptotes:
    free = (sums.sy - held * (sums.s - sums.ss)) / sums.ss
    left = np.clip(free, np.maximum(box.left_low, held), box.left_high)
    excess = squared_error_excess(sums, left, held)
    return Asymptotes(left, held, np.where(left == free, LEFT_FREE, NONE_FREE), excess)


def _left_held(sums: Sums, box: Box, held: Floats) -> Asymptotes:
    free = (-sums.sy - held * (sums.s - sums.ss)) / (sums.weight - 2 * sums.s + sums.ss)
    right = np.clip(free, box.right_low, np.minimum(box.right_high, held))
    excess = squared_error_excess(sums, held, right)
    return Asymptotes(held, right, np.where(right == free, RIGHT_FREE, NONE_FREE), excess)


def _better(best: Asymptotes, other: Asymptotes) -> Asymptotes:
    """Keep the better of two; a curve without span does not count."""
    wins = (other.excess < best.excess) & np.isfinite(other.left + other.right)
    wins &= other.left != other.right
    return Asymptotes(*(np.where(wins, new, old) for new, old in zip(other, best, strict=True)))
