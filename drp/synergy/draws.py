"""How far a synergy score could be off: the joint bootstrap of wells and controls.

Each draw moves the plate's controls (one shift shared by every well normalised to them) and every
cell, single agents included, by the noise of `drp.synergy.noise`; the score is computed again.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from drp.synergy.noise import Controls, Noise
from drp.synergy.nulls import FloatArray
from drp.synergy.surface import DoseMatrix

Centre = Literal["median", "mean"]

_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its standard error, 95 % interval and two-sided p-value; NaN if unknown."""

    value: float = np.nan
    se: float = np.nan
    lo: float = np.nan
    hi: float = np.nan
    p: float = np.nan

    def columns(self, name: str) -> dict[str, float]:
        """Give the columns of a table that hold it.

        >>> list(Estimate(1.0).columns("bliss"))
        ['bliss', 'bliss_lo', 'bliss_hi', 'bliss_p']
        """
        ends = {f"{name}_lo": self.lo, f"{name}_hi": self.hi}
        return {name: self.value, **ends, f"{name}_p": self.p}


def draw_inhibition(
    matrix: DoseMatrix,
    controls: Controls,
    noise: Noise,
    *,
    rng: np.random.Generator,
    draws: int,
    centre: Centre = "median",
) -> FloatArray:
    """Draw the inhibition of every cell again, as if the plates had been measured anew.

    Parameters
    ----------
    matrix, controls, noise
        The measured wells, what they were normalised to, and the SD of one well.
    rng : numpy.random.Generator
        Source of the draws.
    draws : int
        How many.
    centre : {"median", "mean"}
        How the normalisation summarised the controls of a plate.

    Returns
    -------
    numpy.ndarray
        Inhibition in %, shape (draws, n_cells); NaN for a cell without wells.

    Examples
    --------
    See `drp.synergy.score_synergy`, which calls it.
    """
    n_wells = matrix.n_wells
    shape = (len(matrix.doses), len(matrix.plates))
    flat = matrix.cell * shape[1] + matrix.plate
    wells = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(flat, matrix.viability, minlength=shape[0] * shape[1]).reshape(shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_well = 1.0 / n_wells
    per_well[n_wells == 0] = np.nan
    cell_error = _normals(rng, draws, shape[0]) * (noise.well * np.sqrt(per_well))
    zero = [_shift(v, noise.positive, rng, draws, centre) for v in controls.positive]
    full = [_shift(v, noise.negative, rng, draws, centre) for v in controls.negative]
    floor = np.column_stack(zero) if zero else np.zeros((draws, 0))
    # Renormalising v = 100 (r - P) / (N - P) to the shifted N and P, on the scale of v.
    scale = 100.0 / (100.0 + (np.column_stack(full) if full else floor) - floor)
    moved = scale @ total.T - (scale * floor) @ wells.T
    return np.asarray(100.0 - moved * per_well - cell_error, dtype=np.float64)


def _shift(
    values: FloatArray, sd: float, rng: np.random.Generator, draws: int, centre: Centre
) -> FloatArray:
    """Draw the error of the centre of some control wells, shape (draws,)."""
    if not values.size:
        return np.zeros(draws)
    noise = _normals(rng, draws, values.size) * sd
    drawn = np.median(noise, axis=1) if centre == "median" else noise.mean(axis=1)
    return np.asarray(drawn, dtype=np.float64)


def _normals(rng: np.random.Generator, draws: int, size: int) -> FloatArray:
    """Draw normal errors in mirrored pairs, which leaves no chance lean to either side."""
    half = rng.standard_normal(((draws + 1) // 2, size))
    return np.concatenate([half, -half])[:draws]


def mirrored_part(drawn: FloatArray, count: int) -> FloatArray:
    """Take the first draws with their mirror images, which lean to neither side.

    Parameters
    ----------
    drawn : numpy.ndarray
        Draws as `draw_inhibition` gives them: the second half mirrors the first, (draws, ...).
    count : int
        How many to take, rounded down to pairs; all of them if there are no more.

    Examples
    --------
    >>> mirrored_part(np.array([1.0, 2, 3, -1, -2, -3]), 4)
    array([ 1.,  2., -1., -2.])
    """
    if count >= len(drawn):
        return drawn
    pairs, half = count // 2, (len(drawn) + 1) // 2
    return np.concatenate([drawn[:pairs], drawn[half : half + pairs]])


def intervals(
    value: npt.NDArray[Any], drawn: npt.NDArray[Any], df: float
) -> tuple[FloatArray, FloatArray]:
    """Lay the 95 % range of the draws around the observed values.

    The range is taken from the median of the draws, because noise pulls a maximum (HSA) to one
    side, and widened by ``t(0.975, df) / 1.96`` since the SD is itself estimated.

    Parameters
    ----------
    value : numpy.ndarray
        Observed values, shape (...).
    drawn : numpy.ndarray
        Their draws, shape (draws, ...).
    df : float
        Degrees of freedom of the well SD.

    Returns
    -------
    lo, hi : numpy.ndarray
        Ends of the interval, shape (...).

    Examples
    --------
    >>> drawn = np.linspace(-10, 10, 201)[:, np.newaxis]
    >>> [end.round(3).tolist() for end in intervals(np.array([50.0]), drawn, 1e9)]
    [[40.5], [59.5]]
    """
    low, middle, high = _quantiles(drawn)
    return value + widening(df) * (low - middle), value + widening(df) * (high - middle)


def _quantiles(drawn: npt.NDArray[Any]) -> FloatArray:
    """Give the quantiles 2.5, 50 and 97.5 % along the first axis, as `numpy.quantile` does.

    Sorting so few draws takes a third of the time of that; NaN where any draw is NaN.
    """
    ordered = np.sort(np.moveaxis(drawn, 0, -1), axis=-1)
    place = np.array([0.025, 0.5, 0.975]) * (len(drawn) - 1)
    below = np.floor(place).astype(np.intp)
    low = ordered[..., below]
    part = ordered[..., np.minimum(below + 1, len(drawn) - 1)] - low
    found = low + part * (place - below)
    found[np.isnan(ordered[..., -1])] = np.nan
    return np.asarray(np.moveaxis(found, -1, 0))


def estimate(value: float, drawn: npt.NDArray[Any], df: float) -> Estimate:
    """Give a score its standard error, interval and p-value from its draws.

    The p-value takes the error of the score to be the same where there is no interaction. With
    ``count`` draws that lie as far beyond their median, towards 0 and after the widening of
    `intervals`, as the score lies from 0, it is ``(1 + 2 count) / (1 + draws)``, at most 1. So
    it is below 0.05 where the interval excludes 0, and never below 1 / (1 + draws).

    Parameters
    ----------
    value : float
        Observed score, points.
    drawn : numpy.ndarray
        Its draws, shape (draws,).
    df : float
        Degrees of freedom of the well SD.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> round(estimate(8.0, np.linspace(-2, 18, 201), 1e9).p, 3)
    0.213
    """
    wider = widening(df)
    low, middle, high = (float(one) for one in _quantiles(drawn))
    lo, hi = value + wider * (low - middle), value + wider * (high - middle)
    error = (drawn - middle) * wider
    beyond = error <= -value if value > 0 else error >= -value
    p = min(1.0, (1 + 2 * np.count_nonzero(beyond)) / (1 + drawn.size))
    se = float(drawn.std(ddof=1) * wider)
    return Estimate(float(value), se, float(lo), float(hi), float(p))


def probability_above(value: float, drawn: npt.NDArray[Any], df: float, threshold: float) -> float:
    """Give the probability that a true score lies above a threshold, by its draws.

    Parameters
    ----------
    value, drawn, df
        As in `estimate`.
    threshold : float
        Points.

    Returns
    -------
    float
        From 1 / (2 draws + 2) to 1 less that: draws cannot tell a smaller chance from none.

    Examples
    --------
    >>> probability_above(8.0, np.linspace(-2, 18, 2001), 1e9, 8.0)
    0.5
    """
    error = (drawn - np.median(drawn)) * widening(df)
    above = np.count_nonzero(value + error > threshold)
    level = 0.5 * np.count_nonzero(value + error == threshold)
    return float((above + level + 0.5) / (drawn.size + 1))


def widening(df: float) -> float:
    """Give ``t(0.975, df) / 1.96``: how much wider an interval is, as the SD is estimated too.

    >>> round(widening(8), 3)
    1.177
    """
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975)) / _NORMAL_975


def false_discovery_rate(p_values: npt.NDArray[Any]) -> FloatArray:
    """Adjust p-values for the number of tests made.

    Parameters
    ----------
    p_values : numpy.ndarray
        P-values, shape (n,), 0 to 1; NaN where there was no test.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values, shape (n,), 0 to 1; NaN stays NaN and counts as no test.

    Notes
    -----
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. Journal of the Royal
    Statistical Society B 1995. doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> false_discovery_rate(np.array([0.01, 0.04, 0.03, np.nan]))
    array([0.03, 0.04, 0.04,  nan])
    """
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    rising = tested[np.argsort(p_values[tested], kind="stable")]
    raw = p_values[rising] * len(rising) / np.arange(1, len(rising) + 1)
    adjusted[rising] = np.minimum.accumulate(raw[::-1])[::-1]
    return adjusted
