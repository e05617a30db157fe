"""What the reference samples would measure without noise: distributions freed of their own noise.

The spread of a reference is that of the patients and that of the measurement. The calls ask where
a sample stands among patients, so the second is taken out: by the iteration of Richardson and Lucy
(J Opt Soc Am 1972, doi:10.1364/JOSA.62.000055; Astron J 1974, doi:10.1086/111605), stopped early,
which keeps the result smooth. The sampling of the reference comes in by resamples, each of which
gives every member a Poisson number of copies that hangs on nothing but the member's id. A sample is
judged by those resamples only that hold no copy of it: it is always left out, and adding or taking
away other members changes nothing else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
RESAMPLES = 100
MAD_TO_SD = 1.4826
LEAST_SD = 1.0  # points of AUC; a reference is never taken to be narrower than this
_STEP = 1.0  # width of a cell, points of AUC
# Middles of the cells, AUC in %; a value beyond counts as the outermost.
GRID = np.arange(-20.0, 136.0, _STEP)
_ITERATIONS = 40
_NEGLIGIBLE = 1e-12  # smaller shares count as none: numbers near the smallest are slow to multiply
_LEAST_ERROR = 0.5  # points; half a cell
# Number of copies at which the cumulative Poisson distribution of mean 1 passes a uniform number.
_POISSON = np.cumsum(np.exp(-1.0) / np.array([1, 1, 2, 6, 24, 120, 720], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Deconvolved:
    """Noise-free distributions of one reference, one row per resample.

    `prior` (resamples, cells) holds the share of patients in each cell of `GRID`; `centre` and
    `spread` (resamples,) are median and 1.4826 MAD.
    """

    prior: Values
    centre: Values
    spread: Values


def deconvolve(values: Values, error: float, copies: Values) -> Deconvolved:
    """Free the distribution of a reference of its noise, in every resample.

    Parameters
    ----------
    values : array (n,)
        AUC of the members, %.
    error : float
        Standard error of such a value, points; 0 where it is not known: nothing is taken out.
    copies : array (n, resamples)
        How often each resample holds each member (`copies_of`).

    Returns
    -------
    Deconvolved
        A resample without any member has no distribution: `prior` 0, the others NaN.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> measured = 80 + 4 * rng.standard_normal(300) + 3 * rng.standard_normal(300)
    >>> found = deconvolve(measured, 3.0, np.ones((300, 1)))
    >>> bool(abs(found.centre[0] - 80) < 1), bool(abs(found.spread[0] - 4) < 1)
    (True, True)
    """
    cells = np.clip(np.rint((values - GRID[0]) / _STEP).astype(int), 0, len(GRID) - 1)
    counts = np.zeros((len(GRID), copies.shape[1]))
    np.add.at(counts, cells, copies)
    shares = (counts / np.maximum(counts.sum(axis=0), 1.0)).T
    prior = shares
    if error > 0:
        kernel = _likelihood(GRID, max(error, _LEAST_ERROR))
        kernel[kernel < _NEGLIGIBLE] = 0.0
        kernel /= kernel.sum(axis=0)
        prior = np.full(shares.shape, 1.0 / len(GRID))
        for _ in range(_ITERATIONS):
            expected = prior @ kernel.T
            prior = prior * ((shares / np.maximum(expected, _NEGLIGIBLE)) @ kernel)
            prior[prior < _NEGLIGIBLE] = 0.0
    full = counts.sum(axis=0) > 0
    centre, spread = np.full((2, len(prior)), np.nan)
    centre[full] = _median(prior[full])
    distance = _median_distance(prior[full], centre[full])
    spread[full] = np.maximum(MAD_TO_SD * distance, LEAST_SD)
    return Deconvolved(prior, centre, spread)


def posterior(prior: Values, n: int, auc: float, error: float) -> Values:
    """Give the distribution of a sample's noise-free AUC, one row per row of `prior`.

    Parameters
    ----------
    prior : array (m, cells)
        Rows of `Deconvolved.prior`.
    n : int
        Members of the reference. One in n + 1 patients counts as unlike all others, so that a
        sample far from the reference is not drawn to it.
    auc, error : float
        What was measured, and its standard error, points.

    Examples
    --------
    >>> flat = np.full((1, len(GRID)), 1 / len(GRID))
    >>> round(float(posterior(flat, 10, 50.0, 2.0)[0] @ GRID), 6)
    50.0
    """
    weight = 1.0 / (n + 1)
    mixed = (1 - weight) * prior + weight / len(GRID)
    inside = np.clip([auc], GRID[0], GRID[-1])
    joint = mixed * _likelihood(inside, max(error, _LEAST_ERROR))[0]
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _likelihood(values: Values, error: float) -> Values:
    """Normal likelihood of each value at each cell, largest 1 per value: (n, cells)."""
    squares = ((values[:, None] - GRID) / error) ** 2
    return np.asarray(np.exp(-0.5 * (squares - squares.min(axis=1, keepdims=True))))


def copies_of(samples: Sequence[str], seed: int) -> Values:
    """Give how often each of the resamples holds each sample, (samples, resamples).

    >>> bool(abs(copies_of(["S1", "S2"], 1).mean() - 1) < 0.3)
    True
    """
    if not len(samples):
        return np.empty((0, RESAMPLES))
    return np.array([_copies(seed, sample) for sample in samples], dtype=np.float64)


def resamples_without(sample: str, seed: int) -> NDArray[np.intp]:
    """Give the numbers of the resamples that hold no copy of a sample.

    >>> 20 < len(resamples_without("S1", 1)) < 60
    True
    """
    return np.flatnonzero(np.array(_copies(seed, sample)) == 0)


@lru_cache(maxsize=100_000)
def _copies(seed: int, sample: str) -> NDArray[np.int8]:
    digest = hashlib.sha256(f"{seed}\0{sample}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return np.searchsorted(_POISSON, generator.random(RESAMPLES)).astype(np.int8)


def _median(prior: Values) -> Values:
    """Median of each row, linear inside its cell."""
    upper = np.cumsum(prior, axis=1)
    total = upper[:, -1:]
    cell = np.argmax(upper >= total / 2, axis=1)
    row = np.arange(len(prior))
    inside = (total[:, 0] / 2 - upper[row, cell] + prior[row, cell]) / prior[row, cell]
    return np.asarray(GRID[cell] + (inside - 0.5) * _STEP)


def _median_distance(prior: Values, centre: Values) -> Values:
    """Median distance from the centre, of each row."""
    distance = np.abs(GRID - centre[:, None])
    order = np.argsort(distance, axis=1)
    upper = np.cumsum(np.take_along_axis(prior, order, axis=1), axis=1)
    cell = np.argmax(upper >= upper[:, -1:] / 2, axis=1)
    row = np.arange(len(prior))
    return np.asarray(distance[row, order[row, cell]])
