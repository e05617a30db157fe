"""One curve at a time by SciPy: as its users fit it, and as thoroughly as it can be done.

Every peer takes the wells of one curve and gives left, right, log10 EC50 and slope, or None. Those
that can tell more (an interval of the EC50, a test against a flat curve) have a second function.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from curve_designs import MARGIN, SLOPES, Curves, Floats, clipped, oriented, squared_error
from scipy.optimize import curve_fit, least_squares, minimize
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

LN10 = np.log(10.0)
Parameters = tuple[float, ...] | None
# What fitting programs raise when they find no curve.
NO_CURVE = (ArithmeticError, AssertionError, AttributeError, IndexError, RuntimeError, TypeError,
            ValueError)  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """Another program, or one way of using it.

    Attributes
    ----------
    name, package : str
        As shown; the distribution whose version counts.
    fit : callable (dose, viability) -> left, right, log10_ec50, slope
        One curve.
    more : callable of the same arguments, optional
        The fit with what else the program says of it.
    gives : str
        What that is.
    share : float
        Part of each chunk that is fitted with `more`, below 1 for the slow.
    """

    name: str
    package: str
    fit: Callable[[Floats, Floats], Parameters]
    more: Callable[[Floats, Floats], object] | None = None
    gives: str = ""
    share: float = 1.0


def fit_all(fit: Callable[[Floats, Floats], Parameters], dose: Floats, viability: Floats) -> Curves:
    """Fit curves one by one; NaN where a program gave none."""
    found = np.full((len(viability), 4), np.nan)
    for row, wells in zip(found, viability, strict=True):
        try:
            parameters = fit(dose, wells)
        except NO_CURVE:
            continue
        if parameters is not None:
            row[:] = oriented(*parameters)
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return Curves(*found.T)


def logistic(x: Floats, left: float, right: float, log10_ec50: float, slope: float) -> Floats:
    """Give the curve at x = log10 dose."""
    return right + (left - right) / (1.0 + 10.0 ** (slope * (x - log10_ec50)))


def first_guess(x: Floats, viability: Floats) -> list[float]:
    """Start from the mean of the first and the last dose, the middle of the doses, and slope 1."""
    first, last = viability[x == x.min()].mean(), viability[x == x.max()].mean()
    return [max(first, 0.1), max(last, 0.1), (x.min() + x.max()) / 2, 1.0]


def box(x: Floats) -> tuple[list[float], list[float]]:
    """Give the common bounds of left, right, log10 EC50 and slope."""
    low = [0.0, 0.0, x.min() - MARGIN, SLOPES[0]]
    return low, [np.inf, np.inf, x.max() + MARGIN, SLOPES[1]]


def levenberg(dose: Floats, viability: Floats) -> Parameters:
    """`curve_fit` by Levenberg–Marquardt: no bounds, no Jacobian."""
    x = np.log10(dose)
    return tuple(curve_fit(logistic, x, viability, first_guess(x, viability))[0])


def bounded(dose: Floats, viability: Floats) -> Parameters:
    """`curve_fit` with the common bounds: trust region reflective, no Jacobian."""
    x = np.log10(dose)
    return tuple(curve_fit(logistic, x, viability, first_guess(x, viability), bounds=box(x))[0])


def flat_p(sse: float, viability: Floats) -> float:
    """Test against a flat curve by the customary F, three and n - 4 degrees of freedom."""
    freedom = len(viability) - 4
    sst = ((viability - viability.mean()) ** 2).sum()
    return float(f_distribution.sf((sst - sse) / 3 / (sse / freedom), 3, freedom))


def _with_covariance(dose: Floats, viability: Floats, limits: object) -> tuple[float, ...]:
    x = np.log10(dose)
    start = first_guess(x, viability)
    best, covariance = curve_fit(logistic, x, viability, start, bounds=limits)
    half = np.sqrt(covariance[2, 2]) * t_distribution.ppf(0.975, len(x) - 4)
    sse = ((viability - logistic(x, *best)) ** 2).sum()
    return best[2] - half, best[2] + half, flat_p(sse, viability)


def levenberg_more(dose: Floats, viability: Floats) -> tuple[float, ...]:
    """Add the interval from the covariance, and the F test."""
    return _with_covariance(dose, viability, (-np.inf, np.inf))


def bounded_more(dose: Floats, viability: Floats) -> tuple[float, ...]:
    """Likewise with bounds."""
    return _with_covariance(dose, viability, box(np.log10(dose)))


def _share(x: Floats, e: float, eta: float) -> Floats:
    power = np.clip(LN10 * np.exp(eta) * (x - e), -600.0, 600.0)
    return 1.0 / (1.0 + np.exp(power))


def _from(start: list[float], x: Floats, y: Floats) -> tuple[float, tuple[float, ...]]:
    """Run `least_squares` with its Jacobian in (left, right, e, ln slope) from one start."""

    def residual(q: Floats) -> Floats:
        return q[1] + (q[0] - q[1]) * _share(x, q[2], q[3]) - y

    def jacobian(q: Floats) -> Floats:
        share = _share(x, q[2], q[3])
        bend = (q[0] - q[1]) * share * (1.0 - share)
        slope = LN10 * np.exp(q[3])
        return np.column_stack([share, 1.0 - share, slope * bend, -slope * (x - q[2]) * bend])

    low, high = box(x)
    limits = [*low[:3], np.log(low[3])], [*high[:3], np.log(high[3])]
    scale = [30.0, 30.0, 0.5, 0.5]
    found = least_squares(residual, start, jacobian, limits, x_scale=scale, max_nfev=100)
    left, right, e, eta = found.x
    return 2.0 * found.cost, (left, right, e, float(np.exp(eta)))


def one_start(dose: Floats, viability: Floats) -> Parameters:
    """`least_squares`, bounded, analytic Jacobian, from the usual guess."""
    x = np.log10(dose)
    left, right, e, _ = first_guess(x, viability)
    return _from([left, right, e, 0.0], x, viability)[1]


def five_starts(dose: Floats, viability: Floats) -> Parameters:
    """Likewise, best of five midpoints spread over the doses."""
    x = np.log10(dose)
    left, right, _, _ = first_guess(x, viability)
    middles = x.min() + np.ptp(x) * np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    return min(_from([left, right, e, 0.0], x, viability) for e in middles)[1]


def best_levels(share: Floats, y: Floats) -> tuple[float, float]:
    """Give the two asymptotes, neither below 0, of least squared error for one midpoint and slope.

    Non-negative least squares in two unknowns: the free solution, else the better edge.
    """
    rest = 1.0 - share
    aa, ab, bb, ay, by = share @ share, share @ rest, rest @ rest, share @ y, rest @ y
    determinant = aa * bb - ab * ab
    if determinant <= 1e-13 * aa * bb:
        level = max(y.mean(), 0.0)
        return level, level
    left, right = (bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant
    if left >= 0 and right >= 0:
        return left, right
    left, right = max(ay / aa, 0.0), max(by / bb, 0.0)
    return (left, 0.0) if left * ay > right * by else (0.0, right)


def twelve_starts(dose: Floats, viability: Floats) -> Parameters:
    """Search for the best there is: `minimize` (L-BFGS-B) from six midpoints and two slopes.

    Only midpoint and ln slope are searched; the asymptotes are the best for each (`best_levels`).
    """
    x = np.log10(dose)
    total = ((viability - viability.mean()) ** 2).sum()

    def error(q: Floats) -> tuple[float, Floats]:
        share = _share(x, *q)
        left, right = best_levels(share, viability)
        residual = right + (left - right) * share - viability
        pull = (left - right) * share * (1.0 - share) * residual * LN10 * np.exp(q[1])
        gradient = np.array([pull.sum(), -(pull * (x - q[0])).sum()])
        return residual @ residual / total, 2.0 * gradient / total

    low, high = box(x)
    limits = [(low[2], high[2]), (np.log(low[3]), np.log(high[3]))]
    options = {"ftol": 1e-13, "gtol": 1e-9, "maxiter": 300}
    ends = [
        minimize(error, [e, eta], jac=True, method="L-BFGS-B", bounds=limits, options=options)
        for e in np.linspace(x.min() - 0.5, x.max() + 0.5, 6)
        for eta in (0.0, 1.5)
    ]
    best = min(ends, key=lambda end: end.fun)
    return *best_levels(_share(x, *best.x), viability), best.x[0], float(np.exp(best.x[1]))


def flat_curves(viability: Floats) -> Curves:
    """Give the best flat curve of each row of wells."""
    level = np.maximum(np.nanmean(viability, axis=1), 0.0)
    none = np.full(len(level), np.nan)
    return Curves(level, level, none, none)


def best_feasible(found: list[Curves], dose: Floats, viability: Floats) -> Floats:
    """Give the least squared error that any of the results has once put within the bounds."""
    errors = [
        squared_error(clipped(curves, dose), dose, viability)
        for curves in [*found, flat_curves(viability)]
    ]
    return np.minimum.reduce(errors)


SCIPY_PEERS = (
    Peer("SciPy curve_fit, LM", "scipy", levenberg, levenberg_more, "delta interval, F test"),
    Peer("SciPy curve_fit, bounded", "scipy", bounded, bounded_more, "delta interval, F test"),
    Peer("SciPy least_squares, Jacobian, 1 start", "scipy", one_start),
    Peer("SciPy least_squares, Jacobian, 5 starts", "scipy", five_starts),
)
SEARCH = Peer("SciPy search, 12 starts", "scipy", twelve_starts)
