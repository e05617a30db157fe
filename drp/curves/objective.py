"""The squared error of a batch of curves in midpoint and slope, with its derivatives.

The asymptotes are projected out (`drp.curves.asymptotes`); derivatives are in ``e = log10 EC50``
and ``eta = ln slope``. Every operation is elementwise over the columns, and sums run over the
doses first to last, so a column's bits do not depend on its neighbours.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import BOTH_FREE, NONE_FREE, RIGHT_FREE, Sums, solve
from drp.curves.collapse import total
from drp.curves.model import LN10, Box, Floats

# Stands in for log10 of dose 0: s is 1 to the last bit there, and products with it stay finite.
FAR_BELOW = -1e4


class Problem(NamedTuple):
    """One least-squares problem per column: x, y (deviations from the mean) and weights.

    Every column is fitted by a falling curve. A rising one is fitted as the falling curve it is
    when seen from the highest dose: x is then the distance from there.
    """

    x: Floats
    y: Floats
    weight: Floats
    whole: Floats  # sum of weights
    box: Box
    spread: Floats  # SST about the mean
    e_high: Floats
    e_low: float
    eta_low: float
    eta_high: float

    @classmethod
    def joined(cls, parts: "list[Problem]") -> "Problem":
        """Put problems with equally many doses and the same lowest limits side by side."""
        x, y, weight = (np.hstack([part[place] for part in parts]) for place in range(3))
        box = Box(*(np.concatenate(one) for one in zip(*(part.box for part in parts), strict=True)))
        whole, spread, e_high = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("whole", "spread", "e_high")
        )
        limits = parts[0].e_low, parts[0].eta_low, parts[0].eta_high
        return cls(x, y, weight, whole, box, spread, e_high, *limits)

    def take(self, columns: NDArray[np.intp]) -> "Problem":
        """Give the same for some columns only, laid out by rows, on which sums rely."""
        return Problem(
            self.x.take(columns, axis=1),
            self.y.take(columns, axis=1),
            self.weight.take(columns, axis=1),
            self.whole[columns],
            Box(*(limit[columns] for limit in self.box)),
            self.spread[columns],
            self.e_high[columns],
            self.e_low,
            self.eta_low,
            self.eta_high,
        )


class Point(NamedTuple):
    """A point of every column: parameters, half the squared error, gradient, Hessians.

    h: the Hessian with the asymptotes projected out; n: its Gauss-Newton part.
    """

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

    def take(self, columns: NDArray[np.intp]) -> "Point":
        """Give the same for some columns only."""
        return Point(*(part[columns] for part in self))


def total_of(one: Floats, other: Floats) -> Floats:
    """Add up the rows of a product, first to last, without forming it.

    Examples
    --------
    >>> total_of(np.array([[1.0], [2.0]]), np.array([[10.0], [20.0]]))
    array([50.])
    """
    if one.shape[-1] < 2:  # a single column would be summed in another order
        return total(one * other)
    result: Floats = np.einsum("dn,dn->n", one, other)
    return result


def share_at(x: Floats, e: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the exponent u, ``tanh(u / 2)`` and the share s at every dose and column.

    The hyperbolic tangent serves s, 1 - 2 s and s (1 - s) at once and never overflows.
    """
    u = x - e
    u *= LN10 * slope
    bent = np.multiply(u, 0.5)
    np.tanh(bent, out=bent)
    s = np.multiply(bent, -0.5)
    s += 0.5
    return u, bent, s


def sums_at(weight: Floats, whole: Floats, s: Floats, y: Floats) -> tuple[Sums, Floats]:
    """Give the weighted sums of s that the asymptotes need, and the mean of s."""
    mean_s = total_of(weight, s) / whole
    apart = s - mean_s
    centred = weight * apart
    spread = total_of(centred, apart)
    # y sums to zero, so the centred product is the plain one, but without its cancellation.
    sums = Sums(whole, mean_s * whole, spread + mean_s**2 * whole, spread, total_of(centred, y))
    return sums, mean_s


def evaluate(problem: Problem, e: Floats, eta: Floats) -> Point:
    """Compute squared error, gradient and Hessian with the asymptotes at their best.

    Parameters
    ----------
    problem : Problem
        The columns.
    e, eta : array (n_columns,)
        log10 EC50 and ln slope.

    Returns
    -------
    Point
        One entry per column.
    """
    slope = np.exp(eta)
    u, bent, s = share_at(problem.x, e, slope)
    sums, mean_s = sums_at(problem.weight, problem.whole, s, problem.y)
    best = solve(sums, problem.box)
    span = best.left - best.right
    residual = problem.y - best.right
    residual -= span * s
    pulled = problem.weight * residual
    loss = 0.5 * total_of(pulled, residual)
    first, second = _derivatives(problem.weight, pulled, u, bent, s)
    gradient, hessian, newton = _projected(
        first, second, sums, mean_s, span, LN10 * slope, best.free
    )
    return Point(e, eta, best.left, best.right, best.free, loss, *gradient, *hessian, *newton)


class _First(NamedTuple):
    """Sums over doses with v = s (1 - s): of w v, w v u, each also times s, and of squares."""

    v: Floats
    vu: Floats
    vs: Floats
    vus: Floats
    vv: Floats
    vvu: Floats
    vvuu: Floats


class _Second(NamedTuple):
    """Sums over doses of the weighted residual times v, v u, v t, v t u, v t u², t = 1 - 2 s."""

    v: Floats
    vu: Floats
    vt: Floats
    vtu: Floats
    vtuu: Floats


def _derivatives(
    weight: Floats, pulled: Floats, u: Floats, bent: Floats, s: Floats
) -> tuple[_First, _Second]:
    v = bent * bent
    np.subtract(1.0, v, out=v)
    v *= 0.25
    wv = weight * v
    wvu = wv * u
    of_wv, of_wvu, of_wvs, of_wvus = total(wv), total(wvu), total_of(wv, s), total_of(wvu, s)
    wvu *= v
    first = _First(of_wv, of_wvu, of_wvs, of_wvus, total_of(wv, v), total(wvu), total_of(wvu, u))
    v *= pulled
    of_v, of_vu = total(v), total_of(v, u)
    v *= bent
    of_vt = total(v)
    v *= u
    return first, _Second(of_v, of_vu, of_vt, total(v), total_of(v, u))


def _projected(
    first: _First,
    second: _Second,
    sums: Sums,
    mean_s: Floats,
    span: Floats,
    c: Floats,
    free: Floats,
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Give gradient, Hessian and its Gauss-Newton part with the free asymptotes projected out.

    With an asymptote free, s acts through its deviation from `centre`: the mean of s if the level
    is free too, 0 if only the left and 1 if only the right asymptote may move.
    """
    both, right_free = free == BOTH_FREE, free == RIGHT_FREE
    centre = mean_s * both + right_free
    square = np.where(both, sums.spread, sums.ss)
    square = np.where(right_free, sums.weight - 2.0 * sums.s + sums.ss, square)
    with np.errstate(all="ignore"):
        per_arm = np.where((free < NONE_FREE) & (square > 0), 1.0 / square, 0.0)
    per_level = both / sums.weight
    # ds/de = c v and ds/deta = -u v.
    shift = (c * first.v * span, -first.vu * span)
    arm = (c * (first.vs - centre * first.v) * span, (centre * first.vu - first.vus) * span)
    pull = (c * second.v, -second.vu)
    full = (arm[0] - pull[0], arm[1] - pull[1])
    products = (c * c * first.vv, -c * first.vvu, first.vvuu)
    bends = (c * c * second.vt, c * (second.v - second.vtu), second.vtuu - second.vu)
    hessian, newton = [], []
    for (k, m), product, bent in zip(((0, 0), (0, 1), (1, 1)), products, bends, strict=True):
        common = span * span * product - shift[k] * shift[m] * per_level
        newton.append(common - arm[k] * arm[m] * per_arm)
        hessian.append(common - span * bent - full[k] * full[m] * per_arm)
    return [-span * one for one in pull], hessian, newton
