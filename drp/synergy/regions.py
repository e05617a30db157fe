"""The best region of a dose matrix, with a p-value from its own null.

The largest of many means is large by chance: against a cut-off at 10 points, 46 % of 8 × 8
matrices without any interaction would pass at a well SD of 10. So the best region is only ever
compared with the best regions of matrices that have no interaction and the same noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SIDE = 3


@dataclass(frozen=True, slots=True)
class BestRegion:
    """The window of doses with the largest mean excess.

    Attributes
    ----------
    value : float
        Mean excess of its cells, points; NaN if no window has all its cells scored.
    first, last : tuple of int
        Places of its lowest and highest dose of each drug, among the doses above 0.
    p : float
        Share of null draws with a best region at least as large, (1 + count) / (1 + draws).
    """

    value: float
    first: tuple[int, ...]
    last: tuple[int, ...]
    p: float


def window_means(excess: ArrayLike, n_drugs: int = 2) -> Floats:
    """Average the excess over every window of 3 doses of each drug.

    Parameters
    ----------
    excess : array (..., n_1, ..., n_drugs)
        Points; the last `n_drugs` axes are the doses above 0, ascending. NaN = not scored.
    n_drugs : int
        Number of drugs.

    Returns
    -------
    array
        One mean per window; a drug with fewer than 3 doses has one window of all of them. NaN
        where a cell of the window was not scored.

    Examples
    --------
    >>> window_means(np.arange(12.0).reshape(3, 4))
    array([[5., 6.]])
    """
    values = np.asarray(excess, dtype=np.float64)
    axes = tuple(range(values.ndim - n_drugs, values.ndim))
    sides = tuple(min(SIDE, values.shape[axis]) for axis in axes)
    windows = sliding_window_view(values, sides, axis=axes)
    # Cells are added in one fixed order, so that draws do not touch each other's bits.
    flat = windows.reshape(*windows.shape[: values.ndim], -1)
    summed = np.zeros(flat.shape[:-1])
    for cell in range(flat.shape[-1]):
        summed += flat[..., cell]
    summed /= flat.shape[-1]
    return summed


def best_region(excess: ArrayLike, null: ArrayLike | None = None) -> BestRegion:
    """Find the window of 3 × 3 combination cells with the largest mean excess.

    Parameters
    ----------
    excess : array (n_1, ..., n_drugs)
        Observed excess of the combination cells, points, doses ascending; NaN = not scored.
        Two axes for two drugs, three for three.
    null : array (n_draws, n_1, ..., n_drugs), optional
        Excess of draws without interaction: the expected surface plus noise, scored again.

    Returns
    -------
    BestRegion
        On ties the window of the lowest doses. Without `null` p is NaN.

    Examples
    --------
    >>> excess = np.zeros((5, 5))
    >>> excess[2:, 1:4] = 20
    >>> found = best_region(excess, np.random.default_rng(1).normal(0, 5, (999, 5, 5)))
    >>> found.value, found.first, found.last, found.p
    (20.0, (2, 1), (4, 3), 0.001)
    """
    values = np.asarray(excess, dtype=np.float64)
    means = window_means(values, values.ndim)
    if not np.isfinite(means).any():
        return BestRegion(np.nan, (), (), np.nan)
    scored = np.where(np.isnan(means), -np.inf, means)
    first = tuple(int(place) for place in np.unravel_index(np.argmax(scored), means.shape))
    sides = (min(SIDE, size) for size in values.shape)
    last = tuple(place + side - 1 for place, side in zip(first, sides, strict=True))
    value, p = float(scored[first]), np.nan
    if null is not None:
        drawn = window_means(null, values.ndim)
        # Windows that were not scored do not count in the draws either.
        drawn = np.where(np.isfinite(means), drawn, -np.inf)
        drawn = drawn.reshape(len(drawn), -1).max(axis=1)
        p = float((1 + np.count_nonzero(drawn >= value)) / (1 + len(drawn)))
    return BestRegion(value, first, last, p)
