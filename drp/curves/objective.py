"""The squared error of a batch of curves in midpoint and slope, with its derivatives.

The asymptotes are projected out (`drp.curves.asymptotes`); derivatives are in ``e = log10 EC50``
and ``eta = ln slope``. Every operation is elementwise over the columns.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import BOTH_FREE, LEFT_FREE, RIGHT_FREE, Sums, solve
from drp.curves.collapse import total
from drp.curves.model import LN10, Box, Floats, exponent


class Problem(NamedTuple):
    """One least-squares problem per column: x, y (deviations from the mean) and weights."""

    x: Floats
    y: Floats
    weight: Floats
    box: Box
    spread: Floats  # SST about the mean
    e_low: Floats
    e_high: Floats
    eta_low: Floats
    eta_high: Floats

    def take(self, columns: NDArray[np.intp]) -> "Problem":
        """Give the same for some columns only."""
        return Problem(
            self.x[:, columns],
            self.y[:, columns],
            self.weight[:, columns],
            Box(*(limit[columns] for limit in self.box)),
            self.spread[columns],
            self.e_low[columns],
            self.e_high[columns],
            self.eta_low[columns],
            self.eta_high[columns],
        )


class Point(NamedTuple):
    """A point of every column: parameters, half the squared error, gradient, Hessians."""

    e: Floats
    eta: Floats
    left: Floats
    right: Floats
    free: Floats
    loss: Floats
    g_e: Floats
    g_eta: Floats
    h_ee: Floats
    h_eeta: Floats
    h_etaeta: Floats
    n_ee: Floats
    n_eeta: Floats
    n_etaeta: Floats


def evaluate(problem: Problem, e: Floats, eta: Floats, sign: int) -> Point:
    """Give the projected half squared error and its derivatives at (e, eta).

    Parameters
    ----------
    problem : Problem
        Columns of one direction.
    e, eta : array (n_columns,)
        log10 EC50 and ln slope.
    sign : int
        +1 falling, -1 rising.

    Returns
    -------
    Point
        h: the Hessian with the asymptotes projected out; n: its Gauss-Newton part.
    """
    y, weight = problem.y, problem.weight
    u = exponent(problem.x, e, np.exp(eta))
    rise = np.exp(u)
    s = 1.0 / (1.0 + rise)
    sums, mean_s = _sums(weight, s, y)
    best = solve(sums, problem.box, sign)
    span = best.left - best.right
    residual = y - (best.right + span * s)
    slope = _Slopes.of(u, rise, s, LN10 * np.exp(eta), weight, weight * residual)
    level = np.where(best.free == BOTH_FREE, 1.0 / sums.weight, 0.0)
    arm = s - np.where(best.free == BOTH_FREE, mean_s, np.where(best.free == RIGHT_FREE, 1.0, 0.0))
    hessian, newton = _projected(slope, span, weight, arm, level, best.free)
    return Point(
        e,
        eta,
        best.left,
        best.right,
        best.free.astype(np.float64),
        0.5 * total(weight * residual * residual),
        -span * slope.residual[0],
        -span * slope.residual[1],
        *hessian,
        *newton,
    )


class _Slopes(NamedTuple):
    """Derivatives of s in (e, eta), and their sums; second order as (e e, e eta, eta eta)."""

    weighted: tuple[Floats, Floats]
    residual: tuple[Floats, Floats]
    products: tuple[Floats, Floats, Floats]
    bends: tuple[Floats, Floats, Floats]

    @classmethod
    def of(
        cls, u: Floats, rise: Floats, s: Floats, c: Floats, weight: Floats, w_r: Floats
    ) -> "_Slopes":
        bend = s * s * rise
        s_e, s_eta, tilt = c * bend, -u * bend, rise * s - s
        w_e, w_eta = weight * s_e, weight * s_eta
        return cls(
            (w_e, w_eta),
            (total(w_r * s_e), total(w_r * s_eta)),
            (total(w_e * s_e), total(w_e * s_eta), total(w_eta * s_eta)),
            (
                total(w_r * (c * s_e * tilt)),
                total(w_r * (c * bend * (1.0 - u * tilt))),
                total(w_r * (u * bend * (u * tilt - 1.0))),
            ),
        )


def _projected(
    slope: _Slopes,
    span: Floats,
    weight: Floats,
    arm: Floats,
    per_level: Floats,
    free: NDArray[np.int8],
) -> tuple[list[Floats], list[Floats]]:
    """Give the Hessian and its Gauss-Newton part with the free asymptotes projected out."""
    per_arm = _reciprocal(total(weight * arm * arm), free)
    plain = [total(one * arm) * span for one in slope.weighted]
    full = [one - bent for one, bent in zip(plain, slope.residual, strict=True)]
    shift = [total(one) * span for one in slope.weighted]
    hessian, newton = [], []
    pairs = ((0, 0), (0, 1), (1, 1))
    for (k, m), product, bent in zip(pairs, slope.products, slope.bends, strict=True):
        common = span * span * product - shift[k] * shift[m] * per_level
        newton.append(common - plain[k] * plain[m] * per_arm)
        hessian.append(common - span * bent - full[k] * full[m] * per_arm)
    return hessian, newton


def _sums(weight: Floats, s: Floats, y: Floats) -> tuple[Sums, Floats]:
    w_s = weight * s
    whole, sum_s = total(weight), total(w_s)
    mean_s = sum_s / whole
    apart = s - mean_s
    # y sums to zero, so the centred product is the plain one, but without its cancellation.
    centred = weight * apart
    return Sums(whole, sum_s, total(w_s * s), total(centred * apart), total(centred * y)), mean_s


def _reciprocal(arm: Floats, free: NDArray[np.int8]) -> Floats:
    movable = (free == BOTH_FREE) | (free == LEFT_FREE) | (free == RIGHT_FREE)
    with np.errstate(all="ignore"):
        inverse: Floats = np.where(movable & (arm > 0), 1.0 / arm, 0.0)
    return inverse
