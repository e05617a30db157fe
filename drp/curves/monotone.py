"""What can be said without a curve: dose means, made monotone, and joined by straight lines."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.metrics import DSS_THRESHOLD, HALF_VIABILITY
from drp.curves.model import Floats


class ModelFree(NamedTuple):
    """Model-free numbers; NaN where undefined.

    auc: mean of the dose means over log dose, per cent. dss1: area of inhibition above 10 % on
    the scale of DSS1. log10_ic50: where the monotone means cross 50 %; ±inf beyond the doses.
    auc_isotonic: as auc, of the monotone means.
    """

    auc: Floats
    dss1: Floats
    log10_ic50: Floats
    auc_isotonic: Floats


def non_increasing(mean: Floats, weight: Floats) -> Floats:
    """Give the best non-increasing sequence by weighted least squares (pool adjacent violators).

    Barlow et al., Statistical Inference under Order Restrictions, 1972.

    Parameters
    ----------
    mean, weight : array (n_doses,) or (n_doses, n_curves)
        Means by ascending dose, and weights above 0; rows of weight 0 may follow the last dose.

    Returns
    -------
    array
        Of the same shape; a row of weight 0 repeats the last dose.

    Examples
    --------
    >>> non_increasing(np.array([90.0, 100.0, 40.0]), np.array([1.0, 1.0, 2.0]))
    array([95., 95., 40.])
    """
    shape = np.shape(mean)
    if not shape[0]:
        return np.empty(shape)
    blocks = _Blocks(np.reshape(mean, (shape[0], -1)), np.reshape(weight, (shape[0], -1)))
    for dose in range(shape[0]):
        blocks.push(dose)
    return blocks.spread().reshape(shape)


class _Blocks:
    """The stacks of pooled blocks of all curves, grown dose by dose."""

    def __init__(self, mean: Floats, weight: Floats) -> None:
        self.mean, self.own = np.asarray(mean, float), np.asarray(weight, float)
        self.level, self.weight = np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        self.last_dose = np.zeros(self.mean.shape, dtype=np.intp)
        self.depth = np.zeros(self.mean.shape[1], dtype=np.intp)

    def push(self, dose: int) -> None:
        """Add a dose to every curve that has it, and pool while a block lies above its left."""
        curve = np.flatnonzero(self.own[dose] > 0)
        at = self.depth[curve]
        self.level[at, curve] = self.mean[dose, curve]
        self.weight[at, curve] = self.own[dose, curve]
        self.last_dose[at, curve] = dose
        self.depth[curve] += 1
        while len(curve):
            at = self.depth[curve] - 1
            curve, at = curve[at > 0], at[at > 0]
            rises = self.level[at - 1, curve] < self.level[at, curve]
            curve, at = curve[rises], at[rises]
            self._pool(curve, at)

    def _pool(self, curve: NDArray[np.intp], at: NDArray[np.intp]) -> None:
        before, after = self.weight[at - 1, curve], self.weight[at, curve]
        moment = before * self.level[at - 1, curve] + after * self.level[at, curve]
        self.level[at - 1, curve] = moment / (before + after)
        self.weight[at - 1, curve] = before + after
        self.last_dose[at - 1, curve] = self.last_dose[at, curve]
        self.depth[curve] -= 1

    def spread(self) -> Floats:
        """Give each dose the level of its block."""
        curve = np.arange(self.mean.shape[1])
        block = np.zeros(len(curve), dtype=np.intp)
        result = np.empty(self.mean.shape)
        for dose in range(len(result)):
            further = (self.last_dose[block, curve] < dose) & (block < self.depth - 1)
            block = block + further
            result[dose] = self.level[block, curve]
        return result


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
    x, mean, weight = _doses_above_zero(means)
    used = weight > 0
    n_doses = used.sum(axis=0)
    curve, last = np.arange(len(n_doses)), np.maximum(n_doses - 1, 0)
    x = np.where(used, x, x[last, curve])  # rows after the last dose have no width
    mean = np.where(used, mean, mean[last, curve])
    falling = non_increasing(mean, weight)
    width = np.where(n_doses > 1, x[last, curve] - x[0], np.nan)
    over = 100.0 - mean - DSS_THRESHOLD
    crossing = np.where(n_doses > 0, _crossing(x, falling), np.nan)
    return ModelFree(
        _trapezoid(x, mean) / width,
        100.0 * _positive_area(x, over) / ((100.0 - DSS_THRESHOLD) * width),
        crossing,
        _trapezoid(x, falling) / width,
    )


def _doses_above_zero(means: DoseMeans) -> tuple[Floats, Floats, Floats]:
    """Give x, mean and weight without dose 0, which stands first where there is one."""
    zero = np.isneginf(means.x[0])
    moved = []
    for values, blank in ((means.x, np.nan), (means.mean, 0.0), (means.weight, 0.0)):
        later = np.vstack([values[1:], np.full((1, len(zero)), blank)])
        moved.append(np.where(zero, later, values))
    return moved[0], moved[1], moved[2]


def _trapezoid(x: Floats, y: Floats) -> Floats:
    """Give the area under each polygon, added from the lowest dose up."""
    area = np.zeros(x.shape[1])
    for row in range(1, len(x)):
        area += (x[row] - x[row - 1]) * (y[row] + y[row - 1]) / 2
    return area


def _positive_area(x: Floats, y: Floats) -> Floats:
    """Give the area between the positive part of a polygon and zero, crossings exact."""
    area = np.zeros(x.shape[1])
    for row in range(1, len(x)):
        high, low = np.maximum(y[row], y[row - 1]), np.minimum(y[row], y[row - 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(low >= 0, 1.0, high / (high - low))
            piece = (x[row] - x[row - 1]) * share * (high + np.maximum(low, 0.0)) / 2
        area += np.where(high > 0, piece, 0.0)
    return area


def _crossing(x: Floats, falling: Floats) -> Floats:
    curve = np.arange(x.shape[1])
    after = np.argmax(falling < HALF_VIABILITY, axis=0)
    before = np.maximum(after - 1, 0)
    start, stop = falling[before, curve], falling[after, curve]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (start - HALF_VIABILITY) / (start - stop)
        inside = x[before, curve] + share * (x[after, curve] - x[before, curve])
    beyond = np.where(falling[-1] >= HALF_VIABILITY, np.inf, -np.inf)
    outside = (falling[-1] >= HALF_VIABILITY) | (falling[0] <= HALF_VIABILITY)
    result: Floats = np.where(outside, beyond, inside)
    return result
