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
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
RESAMPLES = 100
MAD_TO_SD = 1.4826
LEAST_SD = 1.0  # points of AUC; a reference is never taken to be narrower than this
LEAST_ERROR = 0.5  # points; half a cell
STEP = 1.0  # width of a cell, points of AUC
# Middles of the cells, AUC in %; a value beyond counts as the outermost.
GRID = np.arange(-20.0, 136.0, STEP)
_ITERATIONS = 40
_NEGLIGIBLE = 1e-12  # smaller shares count as none: numbers near the smallest are slow to multiply
# Number of copies at which the cumulative Poisson distribution of mean 1 passes a uniform number.
_POISSON = np.cumsum(np.exp(-1.0) / np.array([1, 1, 2, 6, 24, 120, 720], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Deconvolved:
    """Noise-free distributions of one reference, one row per resample.

    `prior` (resamples, cells) holds the share of patients in each cell of `GRID`; `centre` and
    `spread` (resamples,) are median and 1.4826 MAD. A resample without any member has no
    distribution: `prior` 0, the others NaN.
    """

    prior: Values
    centre: Values
    spread: Values


def deconvolve(values: Values, error: float, copies: NDArray[Any]) -> Deconvolved:
    """Free the distribution of a reference of its noise, in every resample.

    Parameters
    ----------
    values : array (n,)
        AUC of the members, %.
    error : float
        Standard error of such a value, points; 0 where it is not known: nothing is taken out.
    copies : array (n, resamples)
        How often each resample holds each member (`copies_of`).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> measured = 80 + 4 * rng.standard_normal(300) + 3 * rng.standard_normal(300)
    >>> found = deconvolve(measured, 3.0, np.ones((300, 1)))
    >>> bool(abs(found.centre[0] - 80) < 1), bool(abs(found.spread[0] - 4) < 1)
    (True, True)
    """
    counts = _counts(values, copies)
    full = counts.sum(axis=1) > 0
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    prior = _sharpened(shares, max(error, LEAST_ERROR)) if error > 0 else shares
    centre, spread = np.full((2, len(prior)), np.nan)
    centre[full] = _median(prior[full])
    distance = _median_distance(prior[full], centre[full])
    spread[full] = np.maximum(MAD_TO_SD * distance, LEAST_SD)
    return Deconvolved(prior, centre, spread)


def _counts(values: Values, copies: NDArray[Any]) -> Values:
    """Members in each cell, in every resample: (resamples, cells)."""
    cells = np.clip(np.rint((values - GRID[0]) / STEP).astype(int), 0, len(GRID) - 1)
    order = np.argsort(cells, kind="stable")
    held, first = np.unique(cells[order], return_index=True)
    counts = np.zeros((copies.shape[1], len(GRID)))
    if len(held):
        counts[:, held] = np.add.reduceat(copies[order], first, axis=0, dtype=np.float64).T
    return counts


def _sharpened(shares: Values, error: float) -> Values:
    """Take the noise out of each row; nobody is put farther than two errors beyond the members."""
    held = np.flatnonzero(shares.any(axis=0))
    margin = int(np.ceil(2 * error / STEP))
    cells = np.arange(max(held[0] - margin, 0), min(held[-1] + margin + 1, len(GRID)))
    measured = shares[:, cells]
    kernel = likelihood(GRID[cells], np.full(len(cells), error))[:, cells].T
    kernel[kernel < _NEGLIGIBLE] = 0.0
    kernel /= kernel.sum(axis=0)
    prior = np.full(measured.shape, 1.0 / len(cells))
    for _ in range(_ITERATIONS):
        expected = prior @ kernel.T
        prior = prior * ((measured / np.maximum(expected, _NEGLIGIBLE)) @ kernel)
        prior[prior < _NEGLIGIBLE] = 0.0
    everywhere = np.zeros(shares.shape)
    everywhere[:, cells] = prior
    return everywhere


def likelihood(values: Values, errors: Values) -> Values:
    """Give the normal likelihood of measured values at each cell, largest 1 per value.

    Parameters
    ----------
    values, errors : array (n,)
        AUC, %, and its standard error, points.

    Returns
    -------
    array (n, cells)

    Examples
    --------
    >>> likelihood(np.array([50.0]), np.array([2.0]))[0, GRID == 52.0].round(4)
    array([0.6065])
    """
    squares = ((values[:, None] - GRID) / errors[:, None]) ** 2
    return np.asarray(np.exp(-0.5 * (squares - squares.min(axis=1, keepdims=True))))


def copies_of(samples: Sequence[str], seed: int) -> NDArray[np.int8]:
    """Give how often each of the resamples holds each sample, (samples, resamples).

    >>> bool(abs(copies_of(["S1", "S2"], 1).mean() - 1) < 0.3)
    True
    """
    if not len(samples):
        return np.empty((0, RESAMPLES), dtype=np.int8)
    return np.array([_copies(seed, sample) for sample in samples], dtype=np.int8)


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
    return np.asarray(GRID[cell] + (inside - 0.5) * STEP)


def _median_distance(prior: Values, centre: Values) -> Values:
    """Median distance from the centre, of each row."""
    distance = np.abs(GRID - centre[:, None])
    order = np.argsort(distance, axis=1)
    upper = np.cumsum(np.take_along_axis(prior, order, axis=1), axis=1)
    cell = np.argmax(upper >= upper[:, -1:] / 2, axis=1)
    row = np.arange(len(prior))
    return np.asarray(distance[row, order[row, cell]])
