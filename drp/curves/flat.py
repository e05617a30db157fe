"""Is there any response at all? A test against the flat curve with the null simulated.

Under a flat truth the usual F statistic does not follow an F distribution: midpoint and slope have
no meaning there, and the bounds cut the parameter space. So the null distribution of R², the share
of variance that the best curve explains, is simulated. Under it the share of the spread between
doses that a curve explains is independent of that spread and of the scatter within doses, so one
set of fits per number and spacing of doses serves any number of wells.
"""

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.model import Bounds, Floats
from drp.curves.noise import N_PARAMETERS, Noise
from drp.curves.search import search

N_FITTED = 1000
# Each simulated fit is met with so many draws of the spread between and within doses.
N_DRAWS = 8
# Below this share of the simulated values the tail's known power law takes over.
TAIL_SHARE = 0.02
# The null curve: a viability of 100 with noise small enough that the bounds on it do not act.
NULL_LEVEL, NULL_NOISE = 100.0, 4.0
# Mean steps between doses that agree to this many decimals of a decade share a null.
STEP_DECIMALS = 1


class Design(NamedTuple):
    """Doses above 0, evenly spaced; their step in decades; whether dose 0 is among the doses."""

    n_positive: int
    step: float
    with_zero: bool

    @property
    def n_doses(self) -> int:
        """Distinct doses, dose 0 included."""
        return self.n_positive + self.with_zero


def p_flat(
    means: DoseMeans, r2: Floats, bounds: Bounds, signs: tuple[int, ...], seed: int
) -> Floats:
    """Give the p-value of each curve against a flat one.

    Parameters
    ----------
    means : DoseMeans
        The curves.
    r2 : array (n_curves,)
        1 - SSE / SST of the wells.
    bounds, signs : Bounds, tuple of int
        As in the fit.
    seed : int
        Seed of the simulation; with the design it decides every draw.

    Returns
    -------
    array (n_curves,)
        Between 0 and 1; NaN with no more wells than parameters. The null takes the doses as
        evenly spaced at their mean step, and the wells as spread evenly over them.
    """
    values = np.full(len(r2), np.nan)
    known = np.flatnonzero((means.n_points > N_PARAMETERS) & np.isfinite(r2))
    for design, curves in by_design(means, known):
        for n_points in np.unique(means.n_points[curves]).tolist():
            some = curves[means.n_points[curves] == n_points]
            null = null_distribution(design, n_points, bounds, signs, seed)
            values[some] = tail_probability(r2[some], null, n_points)
    return values


def p_flat_shared(
    means: DoseMeans,
    explained: Floats,
    noise: Noise,
    bounds: Bounds,
    signs: tuple[int, ...],
    seed: int,
) -> Floats:
    """Give the p-value of each curve against a flat one, the noise known from elsewhere too.

    Parameters
    ----------
    means : DoseMeans
        The curves.
    explained : array (n_curves,)
        SST - SSE: what the curve explains beyond a flat line.
    noise : Noise
        Variance of the wells and its degrees of freedom.
    bounds, signs, seed
        As in `p_flat`.

    Returns
    -------
    array (n_curves,)
        Between 1 / 8,001 (no smaller value can be told) and 1; NaN where the noise is unknown.
    """
    values = np.full(len(explained), np.nan)
    known = np.isfinite(explained) & (noise.freedom > 0) & (noise.variance > 0)
    freedom = np.minimum(np.round(noise.freedom, 1), 1e8)
    for design, curves in by_design(means, np.flatnonzero(known)):
        order = curves[np.argsort(freedom[curves], kind="stable")]
        for some in np.split(order, np.flatnonzero(np.diff(freedom[order])) + 1):
            null = ratio_distribution(design, float(freedom[some[0]]), bounds, signs, seed)
            above = len(null) - np.searchsorted(null, explained[some] / noise.variance[some])
            values[some] = (1.0 + above) / (1.0 + len(null))
    return values


@lru_cache(maxsize=1024)
def ratio_distribution(
    design: Design, freedom: float, bounds: Bounds, signs: tuple[int, ...], seed: int
) -> Floats:
    """Simulate what the best curve through a flat one explains, in units of the noise variance.

    Returns
    -------
    array (N_FITTED * N_DRAWS,)
        Ascending; the variance is itself drawn, with `freedom` degrees.
    """
    share = explained_shares(design, bounds, signs, seed)
    random = np.random.default_rng([seed, crc32(repr((design, freedom, "shared")).encode())])
    between = random.chisquare(design.n_doses - 1, (N_DRAWS, N_FITTED))
    variance = random.chisquare(freedom, (N_DRAWS, N_FITTED)) / freedom
    ratios: Floats = np.sort((between * share / variance).ravel())
    return ratios


def by_design(means: DoseMeans, curves: NDArray[np.intp]) -> list[tuple[Design, NDArray[np.intp]]]:
    """Group curves by design, the doses taken as evenly spaced at their mean step."""
    if not len(curves):
        return []
    used = np.isfinite(means.x) & (means.weight > 0)
    n_positive = used.sum(axis=0)[curves]
    with_zero = means.n_doses[curves] > n_positive
    step = (means.x_max - means.x_min)[curves] / (n_positive - 1)
    step = np.maximum(np.round(step, STEP_DECIMALS), 10.0**-STEP_DECIMALS)
    order = np.lexsort((with_zero, step, n_positive))
    key = np.stack([n_positive, step, with_zero])[:, order]
    groups = np.split(order, np.flatnonzero((key[:, 1:] != key[:, :-1]).any(axis=0)) + 1)
    return [
        (
            Design(int(n_positive[one[0]]), float(step[one[0]]), bool(with_zero[one[0]])),
            curves[one],
        )
        for one in groups
    ]


def tail_probability(r2: Floats, null: Floats, n_points: int) -> Floats:
    """Give the probability of an R² at least as large under the null.

    In the far tail, where simulated values run out, 1 - R² follows a power law with exponent
    (n - 4) / 2, as for any model that has three parameters more than the mean.

    Examples
    --------
    >>> null = np.linspace(0.0, 0.5, 101)
    >>> tail_probability(np.array([0.0, 0.25]), null, 24).round(2)
    array([1.  , 0.51])
    """
    null = np.sort(null)
    n_tail = max(int(TAIL_SHARE * len(null)), 1)
    above = len(null) - np.searchsorted(null, r2, side="left")
    counted = np.minimum((1.0 + above) / (1.0 + len(null)), 1.0)
    anchor = null[-n_tail]
    power = 0.5 * (n_points - N_PARAMETERS)
    rest = np.clip((1.0 - r2) / max(1.0 - anchor, 1e-300), 0.0, 1.0)
    beyond = (1.0 + n_tail) / (1.0 + len(null)) * rest**power
    probability: Floats = np.where(r2 > anchor, beyond, counted)
    return probability


def null_distribution(
    design: Design, n_points: int, bounds: Bounds, signs: tuple[int, ...], seed: int
) -> Floats:
    """Simulate R² of the best curve through wells of a flat one.

    Parameters
    ----------
    design : Design
        The doses.
    n_points : int
        Wells, spread evenly over the doses.
    bounds, signs : Bounds, tuple of int
        As in the fit.
    seed : int
        Seed; the draws depend on it and on the design, on nothing else.

    Returns
    -------
    array (N_FITTED * N_DRAWS,)
        Or (N_FITTED,) without replicates.
    """
    explained = explained_shares(design, bounds, signs, seed)
    within = n_points - design.n_doses
    if within <= 0:
        return explained
    random = np.random.default_rng([seed, crc32(repr((design, n_points)).encode())])
    between = random.chisquare(design.n_doses - 1, (N_DRAWS, N_FITTED))
    scatter = random.chisquare(within, (N_DRAWS, N_FITTED))
    r2: Floats = (between * explained / (between + scatter)).ravel()
    return r2


@lru_cache(maxsize=256)
def explained_shares(design: Design, bounds: Bounds, signs: tuple[int, ...], seed: int) -> Floats:
    """Simulate the share of the spread of a flat curve's dose means that the best curve explains.

    Returns
    -------
    array (N_FITTED,)
        Between 0 and 1; read-only.
    """
    random = np.random.default_rng([seed, crc32(repr(design).encode())])
    shape = design.n_doses, N_FITTED
    x = np.arange(design.n_positive) * design.step
    if design.with_zero:
        x = np.append(-np.inf, x)
    one = np.ones(N_FITTED)
    means = DoseMeans(
        np.repeat(x[:, None], N_FITTED, axis=1),
        NULL_LEVEL + NULL_NOISE * random.standard_normal(shape),
        np.ones(shape),
        0.0 * one,
        np.full(N_FITTED, design.n_doses, dtype=np.int64),
        np.full(N_FITTED, design.n_doses, dtype=np.int64),
        0.0 * one,
        x[-1] * one,
        design.step * one,
    )
    searched = search(means, bounds, signs)
    spread = searched.problem.spread
    share: Floats = np.clip(1.0 - searched.best.loss / spread, 0.0, 1.0)
    share.setflags(write=False)
    return share
