"""What can be said without a curve: dose means, made monotone, and joined by straight lines."""

from typing import NamedTuple

import numpy as np

from drp.curves.collapse import DoseMeans
from drp.curves.metrics import DSS_THRESHOLD, HALF_VIABILITY
from drp.curves.model import Floats


class ModelFree(NamedTuple):
    """Model-free numbers; NaN where undefined.

    auc: mean of the dose means over log dose, per cent. dss1: area of inhibition above 10 % on
    the scale of DSS1. log10_ic50: where the monotone means cross 50 %; ±inf beyond the doses.
    """

    auc: Floats
    dss1: Floats
    log10_ic50: Floats


def non_increasing(mean: Floats, weight: Floats) -> Floats:
    """Give the best non-increasing sequence by weighted least squares (pool adjacent violators).

    Barlow et al., Statistical Inference under Order Restrictions, 1972.

    Parameters
    ----------
    mean, weight : array (n_doses,)
        Means by ascending dose, and weights above 0.

    Returns
    -------
    array (n_doses,)

    Examples
    --------
    >>> non_increasing(np.array([90.0, 100.0, 40.0]), np.array([1.0, 1.0, 2.0]))
    array([95., 95., 40.])
    """
    blocks: list[tuple[float, float, int]] = []
    for value, own in zip(mean, weight, strict=True):
        level, total, size = float(value), float(own), 1
        while blocks and blocks[-1][0] < level:
            before, before_total, before_size = blocks.pop()
            level = (before * before_total + level * total) / (before_total + total)
            total, size = total + before_total, size + before_size
        blocks.append((level, total, size))
    return np.concatenate([np.full(size, level) for level, _, size in blocks] or [np.empty(0)])


def model_free_of(means: DoseMeans) -> ModelFree:
    """Read area, score and IC50 off the dose means of each curve; dose 0 plays no part.

    Parameters
    ----------
    means : DoseMeans
        Mean viability in per cent.

    Returns
    -------
    ModelFree
        Arrays of shape (n_curves,). The areas need two doses, the IC50 one.

    Examples
    --------
    >>> from drp.curves.collapse import collapse
    >>> found = model_free_of(collapse(np.array([1.0, 10.0, 100.0]), np.array([[100.0, 70, 30]])))
    >>> float(found.auc[0]), float(found.log10_ic50[0])
    (67.5, 1.5)
    """
    rows = []
    for curve in range(len(means.n_points)):
        used = (means.weight[:, curve] > 0) & np.isfinite(means.x[:, curve])
        columns = (means.x, means.mean, means.weight)
        rows.append(_one_curve(*(values[used, curve] for values in columns)))
    return ModelFree(*np.array(rows, dtype=np.float64).reshape(-1, 3).T)


def _one_curve(x: Floats, mean: Floats, weight: Floats) -> tuple[float, float, float]:
    if len(x) == 0:
        return np.nan, np.nan, np.nan
    crossing = _crossing(x, non_increasing(mean, weight))
    if len(x) == 1:
        return np.nan, np.nan, crossing
    width = float(x[-1] - x[0])
    auc = float(np.trapezoid(mean, x)) / width
    over = 100.0 - mean - DSS_THRESHOLD
    scaled = 100.0 * _positive_area(x, over) / ((100.0 - DSS_THRESHOLD) * width)
    return auc, scaled, crossing


def _positive_area(x: Floats, y: Floats) -> float:
    """Give the area between the positive part of a polygon and zero, crossings exact."""
    area = 0.0
    for step, first, last in zip(np.diff(x), y[:-1], y[1:], strict=True):
        high, low = max(first, last), min(first, last)
        if high <= 0:
            continue
        share = 1.0 if low >= 0 else high / (high - low)
        area += float(step) * share * (high + max(low, 0.0)) / 2
    return area


def _crossing(x: Floats, falling: Floats) -> float:
    if falling[-1] >= HALF_VIABILITY:
        return np.inf
    if falling[0] <= HALF_VIABILITY:
        return -np.inf
    after = int(np.argmax(falling < HALF_VIABILITY))
    start, stop = falling[after - 1], falling[after]
    share = (start - HALF_VIABILITY) / (start - stop)
    return float(x[after - 1] + share * (x[after] - x[after - 1]))
