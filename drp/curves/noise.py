"""How noisy the wells of a curve are: from the curve itself, or shared among curves of a sample.

A curve of five single wells leaves one degree of freedom for its noise: by itself it can say almost
nothing about its own uncertainty. Dozens of such curves from one sample, read on the same plates,
say it together. Each keeps its own estimate as far as the spread among the curves warrants.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.model import Floats

N_PARAMETERS = 4
# Fewer curves do not tell how the noise varies between curves; each then stands alone.
FEWEST_CURVES = 8
# Perfect fits would have infinite weight on the log scale; they count as this share of the median.
SMALLEST_SHARE = 1e-5


@dataclass(frozen=True, slots=True)
class Noise:
    """Variance of a well about its curve, and its degrees of freedom; one entry per curve.

    `variance` is NaN, and `freedom` 0, where nothing is known. `freedom` may be infinite.
    """

    variance: Floats
    freedom: Floats

    def take(self, curves: slice | NDArray[np.intp]) -> "Noise":
        """Give the entries of some curves."""
        return Noise(self.variance[curves], self.freedom[curves])


def own_noise(means: DoseMeans, loss: Floats) -> Noise:
    """Give each curve's own noise, SSE / (n - 4) with n - 4 degrees of freedom.

    Parameters
    ----------
    means : DoseMeans
        The curves.
    loss : array (n_curves,)
        Squared error of the dose means; the scatter of replicates is added here.
    """
    freedom = np.maximum(means.n_points - N_PARAMETERS, 0).astype(np.float64)
    return residual_noise(loss + means.scatter, freedom)


def residual_noise(sse: Floats, freedom: Floats) -> Noise:
    """Give sse / freedom; NaN where there is no freedom."""
    variance = np.divide(sse, freedom, out=np.full(len(freedom), np.nan), where=freedom > 0)
    return Noise(variance, freedom)


def shared_noise(sse: Floats, freedom: Floats, group: NDArray[np.intp]) -> Noise:
    """Moderate each curve's noise by that of its group.

    Parameters
    ----------
    sse : array (n_curves,)
        Residual sum of squares; NaN where there is no fit.
    freedom : array (n_curves,)
        Residual degrees of freedom; 0 where there are none.
    group : array of int (n_curves,)
        Curves with the same number share what they know: those of one sample.

    Returns
    -------
    Noise
        ``(d0 s0² + d s²) / (d0 + d)`` with d0 + d degrees of freedom. A group of fewer than 8
        curves with freedom keeps its curves' own noise.

    Notes
    -----
    Empirical Bayes estimate with a scaled inverse chi-square prior; Smyth, Stat Appl Genet Mol
    Biol 2004;3:3, doi 10.2202/1544-6115.1027, part 6.2.

    Examples
    --------
    >>> sse, freedom = np.full(10, 50.0), np.full(10, 2.0)
    >>> noise = shared_noise(sse, freedom, np.zeros(10, dtype=int))
    >>> float(noise.variance[0].round(6)), float(noise.freedom[0])
    (25.0, inf)
    """
    usable = np.isfinite(sse) & (freedom > 0)
    own = residual_noise(sse, np.where(usable, freedom, 0.0))
    variance, total_freedom = own.variance.copy(), own.freedom.copy()
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        known = members[usable[members]]
        if len(known) < FEWEST_CURVES:
            continue
        prior, prior_freedom = _prior(own.variance[known], own.freedom[known])
        d, s2 = own.freedom[members], np.nan_to_num(own.variance[members])
        if np.isinf(prior_freedom):
            variance[members] = prior
        else:
            variance[members] = (prior_freedom * prior + d * s2) / (prior_freedom + d)
        total_freedom[members] = prior_freedom + d
    return Noise(variance, total_freedom)


def _prior(variance: Floats, freedom: Floats) -> tuple[float, float]:
    """Match mean and variance of log s² to those of a scaled F distribution."""
    from scipy.special import digamma, polygamma

    kept = np.maximum(variance, SMALLEST_SHARE * np.median(variance))
    if not kept.min() > 0:
        return float(np.mean(variance)), float(len(variance))
    logs = np.log(kept) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(np.var(logs, ddof=1) - np.mean(polygamma(1, freedom / 2)))
    if excess <= 0:
        # The spread is what chance alone would give: one noise for all, its exact pooled estimate.
        return float(np.sum(variance * freedom) / np.sum(freedom)), float("inf")
    half = _inverse_trigamma(excess)
    scale = np.exp(float(np.mean(logs)) + float(digamma(half)) - np.log(half))
    return float(scale), 2 * half


def _inverse_trigamma(value: float) -> float:
    """Solve trigamma(x) = value by Newton's method on 1 / trigamma, which is nearly linear."""
    from scipy.special import polygamma

    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return x


def free_parameters(status: NDArray[np.str_]) -> NDArray[np.int64]:
    """Count the parameters with which a fit took up noise.

    An asymptote or midpoint at its bound takes up none. A slope at its bound still does: a step has
    every gap between doses to choose from. Simulated flat wells bear this out.

    >>> free_parameters(np.array(["converged", "at_bound:bottom,slope", "flat"]))
    array([4, 3, 1])
    """
    counts = []
    for text in status:
        held = set(text.partition("at_bound:")[2].split(",")) - {"", "slope"}
        counts.append(1 if text == "flat" else N_PARAMETERS - len(held))
    return np.array(counts, dtype=np.int64)


def is_shared(noise: Noise, own_freedom: Floats) -> bool:
    """Say whether any curve borrowed from others."""
    return bool((noise.freedom > own_freedom).any())
