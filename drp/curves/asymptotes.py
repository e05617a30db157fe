"""The best two asymptotes for a given midpoint and slope: variable projection in a box.

With midpoint and slope given, the curve is linear in its asymptotes, so the best pair is known in
closed form: the free optimum where it lies in the box, else the best point of the box's edges.
Golub and Pereyra, SIAM J Numer Anal 1973, doi:10.1137/0710036.
"""

from typing import NamedTuple

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
    free: NDArray[np.int8]
    excess: Floats


def solve(sums: Sums, box: Box, sign: int) -> Asymptotes:
    """Find the asymptotes of least squared error for each midpoint and slope.

    Parameters
    ----------
    sums : Sums
        Arrays of any one shape.
    box : Box
        Limits as deviations from the mean; they broadcast with the sums.
    sign : int
        +1: left >= right (falling); -1: left <= right (rising).

    Returns
    -------
    Asymptotes
        `excess` is SSE minus the squared error of the mean, at most 0 where a curve helps.
        Where no curve of this direction fits better than its own edge, FLAT with excess inf.

    Examples
    --------
    Two doses, s = 1 and 0, y = +30 and -30 about the mean:

    >>> one = np.ones(1)
    >>> best = solve(Sums(2 * one, one, one, one / 2, 30 * one),
    ...              Box(-np.inf * one, np.inf * one, -50 * one, np.inf * one), 1)
    >>> best.left, best.right, best.excess
    (array([30.]), array([-30.]), array([-1800.]))
    """
    with np.errstate(all="ignore"):
        span = sums.sy / sums.spread
        right = -span * sums.s / sums.weight
        left = right + span
        inside = (sums.spread > SMALLEST_SPREAD * sums.ss) & (sign * span > 0)
        inside &= (left >= box.left_low) & (left <= box.left_high)
        inside &= (right >= box.right_low) & (right <= box.right_high)
        best = Asymptotes(
            np.where(inside, left, 0.0),
            np.where(inside, right, 0.0),
            np.where(inside, BOTH_FREE, FLAT).astype(np.int8),
            np.where(inside, -sums.sy * span, np.inf),
        )
        for held in (box.right_low, box.right_high):
            if np.isfinite(held).any():
                best = _better(best, _right_held(sums, box, sign, held), inside)
        for held in (box.left_low, box.left_high):
            if np.isfinite(held).any():
                best = _better(best, _left_held(sums, box, sign, held), inside)
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


def _right_held(sums: Sums, box: Box, sign: int, held: Floats) -> Asymptotes:
    free = (sums.sy - held * (sums.s - sums.ss)) / sums.ss
    low, high = _ordered(box.left_low, box.left_high, held, sign)
    left = np.clip(free, low, high)
    excess = squared_error_excess(sums, left, held)
    return Asymptotes(left, held, np.where(left == free, LEFT_FREE, NONE_FREE), excess)


def _left_held(sums: Sums, box: Box, sign: int, held: Floats) -> Asymptotes:
    free = (-sums.sy - held * (sums.s - sums.ss)) / (sums.weight - 2 * sums.s + sums.ss)
    low, high = _ordered(box.right_low, box.right_high, held, -sign)
    right = np.clip(free, low, high)
    excess = squared_error_excess(sums, held, right)
    return Asymptotes(held, right, np.where(right == free, RIGHT_FREE, NONE_FREE), excess)


def _ordered(low: Floats, high: Floats, held: Floats, sign: int) -> tuple[Floats, Floats]:
    """Narrow the limits of one asymptote so that it stays on its side of the one held."""
    return (np.maximum(low, held), high) if sign > 0 else (low, np.minimum(high, held))


def _better(best: Asymptotes, other: Asymptotes, settled: NDArray[np.bool_]) -> Asymptotes:
    """Keep the better of two; where the free optimum lies inside the box it is settled."""
    wins = ~settled & (other.excess < best.excess) & np.isfinite(other.left + other.right)
    wins &= other.left != other.right
    return Asymptotes(
        np.where(wins, other.left, best.left),
        np.where(wins, other.right, best.right),
        np.where(wins, other.free, best.free),
        np.where(wins, other.excess, best.excess),
    )
