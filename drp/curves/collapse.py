"""Wells to dose means: the exact reduction that makes fitting fast.

For least squares, fitting the weighted mean of each dose with the summed weight gives the same
curve as fitting every well, and the scatter within doses is a constant that is added back. The
arrays are dose-major, shape (n_doses, n_curves): every later step then works on whole rows, adds
rows one after the other, and so gives one curve the same bits whatever else is in the batch.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from drp.curves.model import Floats

# Doses nearer than this, in decades, are one dose: a unit conversion may change the last digits.
SAME_DOSE_DECADES = 1e-6


def total(terms: Floats) -> Floats:
    """Add up the rows of `terms`, first to last, so that no column depends on another.

    NumPy's own sum chooses its order of addition from the shape of the array; this does not.

    Examples
    --------
    >>> total(np.array([[1.0, 10.0], [2.0, 20.0]]))
    array([ 3., 30.])
    """
    result: Floats = terms[0].copy()
    for row in terms[1:]:
        result += row
    return result


@dataclass(frozen=True, slots=True)
class DoseMeans:
    """What a batch of curves is reduced to; a row with weight 0 is padding.

    Attributes
    ----------
    x : array (n_doses, n_curves)
        log10 dose, ascending; -inf for dose 0.
    mean, weight : array (n_doses, n_curves)
        Weighted mean of the wells and the sum of their weights.
    scatter : array (n_curves,)
        Weighted sum of squares of wells about their dose mean.
    n_points, n_doses : array of int (n_curves,)
        Wells used, and distinct doses among them, dose 0 included.
    x_min, x_max, step : array (n_curves,)
        log10 of the lowest and highest dose above 0, and the smallest step between doses.
    """

    x: Floats
    mean: Floats
    weight: Floats
    scatter: Floats
    n_points: NDArray[np.int64]
    n_doses: NDArray[np.int64]
    x_min: Floats
    x_max: Floats
    step: Floats

    def take(self, curves: NDArray[np.intp]) -> "DoseMeans":
        """Give the same for the curves picked, without padding that all of them share."""
        rows = max(int(self.n_doses[curves].max(initial=1)), 1)
        picked = {}
        for one in fields(self):
            value = getattr(self, one.name)
            picked[one.name] = (
                value[:rows].take(curves, axis=-1) if value.ndim == 2 else value[curves]
            )
        return DoseMeans(**picked)

    @property
    def total_weight(self) -> Floats:
        """Sum of weights, shape (n_curves,)."""
        return total(self.weight)

    @property
    def level(self) -> Floats:
        """Weighted mean of all wells, shape (n_curves,)."""
        level: Floats = total(self.weight * self.mean) / self.total_weight
        return level


def collapse(dose: Floats, viability: Floats, weights: Floats | None = None) -> DoseMeans:
    """Reduce wells to dose means, weights and scatter.

    Parameters
    ----------
    dose : array (n_points,) or (n_curves, n_points)
        Any linear unit, 0 or more; NaN = missing.
    viability : array (n_curves, n_points)
        NaN = missing.
    weights : array, optional
        Broadcasts with `viability`; 0 = missing. By default 1.

    Returns
    -------
    DoseMeans
        Wells that are missing are left out and not counted. The order of wells changes no bit.

    Raises
    ------
    ValueError
        A dose or weight is negative, or a number is infinite.

    Examples
    --------
    >>> means = collapse(np.array([1.0, 10.0, 1.0]), np.array([[90.0, 20.0, 110.0]]))
    >>> means.mean[:, 0], means.weight[:, 0], means.scatter
    (array([100.,  20.]), array([2., 1.]), array([200.]))
    """
    if weights is None and (layout := _shared_layout(dose, np.shape(viability)[-1])) is not None:
        return _collapse_shared(*layout, np.array(viability, dtype=np.float64, ndmin=2))
    dose, viability, weight = _aligned(dose, viability, weights)
    # Sorted wells make the sums below independent of the order in which they were given.
    order = np.lexsort((weight, viability, dose), axis=-1)
    dose, viability, weight = (
        np.take_along_axis(values, order, axis=-1).T.copy() for values in (dose, viability, weight)
    )
    with np.errstate(divide="ignore"):
        log_dose = np.log10(dose)
    row, n_doses = _dose_rows(log_dose, weight > 0)
    return _summed(log_dose, viability, weight, row, n_doses)


def _shared_layout(dose: Floats, n_points: int) -> tuple[Floats, list[NDArray[np.intp]]] | None:
    """Give the distinct doses and the wells at each, if all curves have the same doses.

    None where they do not, where doses are missing, or where doses that count as one differ in
    their last digits.
    """
    if not len(dose):
        return None
    first = dose if dose.ndim == 1 else dose[0]
    if len(first) != n_points or not np.isfinite(first).all() or (first < 0).any():
        return None
    if dose.ndim > 1 and not (dose == first).all():
        return None
    doses, which = np.unique(first, return_inverse=True)
    with np.errstate(divide="ignore"):
        x = np.log10(doses)
    if (np.diff(x[np.isfinite(x)]) <= SAME_DOSE_DECADES).any():
        return None
    return x, [np.flatnonzero(which == row) for row in range(len(x))]


def _collapse_shared(x: Floats, wells: list[NDArray[np.intp]], viability: Floats) -> DoseMeans:
    """Reduce curves whose wells all stand at the same doses, dose by dose."""
    if np.isinf(viability).any():
        raise ValueError("viability must be finite, or NaN where missing")
    shape = (len(x), len(viability))
    mean, weight, scatter = np.zeros(shape), np.zeros(shape), np.zeros(shape[1])
    rows = [np.sort(viability[:, at], axis=1).T for at in wells]  # NaN last
    for row, values in enumerate(rows):
        for value in values:
            known = ~np.isnan(value)
            weight[row] += known
            mean[row] += np.where(known, value, 0.0)
        mean[row] /= np.where(weight[row] > 0, weight[row], 1.0)
    for row, values in enumerate(rows):
        if len(values) > 1:
            for value in values:
                scatter += np.where(np.isnan(value), 0.0, (value - mean[row]) ** 2)
    n_points = total(weight).astype(np.int64)
    return _packed(np.repeat(x[:, None], shape[1], axis=1), mean, weight, scatter, n_points)


def _packed(
    x: Floats, mean: Floats, weight: Floats, scatter: Floats, n_points: NDArray[np.int64]
) -> DoseMeans:
    """Move doses without wells to the end of each curve, as padding."""
    used = weight > 0
    n_doses = used.sum(axis=0).astype(np.int64)
    gaps = np.flatnonzero(n_doses < len(x))
    if len(gaps):
        order = np.argsort(~used[:, gaps], axis=0, kind="stable")
        for values in (x, mean, weight):
            values[:, gaps] = np.take_along_axis(values[:, gaps], order, axis=0)
        rows = max(int(n_doses.max(initial=1)), 1)
        x, mean, weight = x[:rows], mean[:rows], weight[:rows]
        x[weight == 0] = np.nan
    return _with_limits(x, mean, weight, scatter, n_points, n_doses)


def _aligned(
    dose: Floats, viability: Floats, weights: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Give all three the shape (n_curves, n_points); missing wells last, with weight 0."""
    viability = np.array(viability, dtype=np.float64, ndmin=2)
    dose = np.array(np.broadcast_to(np.asarray(dose, dtype=np.float64), viability.shape))
    given = np.ones(()) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = np.array(np.broadcast_to(given, viability.shape))
    for name, values in (("dose", dose), ("viability", viability), ("weights", weight)):
        if np.isinf(values).any():
            raise ValueError(f"{name} must be finite, or NaN where missing")
    if (dose < 0).any() or (weight < 0).any():
        raise ValueError("doses and weights must not be negative")
    missing = np.isnan(dose) | np.isnan(viability) | ~(weight > 0)
    dose[missing], viability[missing], weight[missing] = np.inf, 0.0, 0.0
    return dose, viability, weight


def _dose_rows(
    log_dose: Floats, used: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Number the dose of each well within its curve; shape (n_points, n_curves)."""
    row = np.zeros(log_dose.shape, dtype=np.intp)
    start = log_dose[0].copy()
    for point in range(1, len(log_dose)):
        with np.errstate(invalid="ignore"):
            far = log_dose[point] - start > SAME_DOSE_DECADES
        new = used[point] & (far | (np.isneginf(start) & ~np.isneginf(log_dose[point])))
        row[point] = row[point - 1] + new
        start = np.where(new, log_dose[point], start)
    return row, np.where(used.any(axis=0), row[-1] + 1, 0).astype(np.int64)


def _summed(
    log_dose: Floats,
    viability: Floats,
    weight: Floats,
    row: NDArray[np.intp],
    n_doses: NDArray[np.int64],
) -> DoseMeans:
    curves = np.arange(weight.shape[1])
    shape = (max(int(n_doses.max(initial=1)), 1), len(curves))
    x, mean, summed = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    for point in range(len(log_dose)):
        cell = row[point], curves
        first = np.isnan(x[cell]) & (weight[point] > 0)
        x[cell] = np.where(first, log_dose[point], x[cell])
        summed[cell] += weight[point]
        mean[cell] += weight[point] * viability[point]
    mean /= np.where(summed > 0, summed, 1.0)
    scatter = np.zeros(len(curves))
    for point in range(len(log_dose)):
        scatter += weight[point] * (viability[point] - mean[row[point], curves]) ** 2
    n_points = (weight > 0).sum(axis=0).astype(np.int64)
    return _with_limits(x, mean, summed, scatter, n_points, n_doses)


def _with_limits(
    x: Floats,
    mean: Floats,
    weight: Floats,
    scatter: Floats,
    n_points: NDArray[np.int64],
    n_doses: NDArray[np.int64],
) -> DoseMeans:
    """Add lowest and highest dose and the smallest step; padding repeats the highest dose."""
    positive = np.where(np.isfinite(x), x, np.nan)
    highest = np.fmax.reduce(positive, axis=0)
    lowest = np.fmin.reduce(positive, axis=0)
    with np.errstate(invalid="ignore"):
        steps = np.fmin.reduce(np.diff(positive, axis=0), axis=0, initial=np.inf)
    x = np.where(np.isnan(x), np.where(np.isnan(highest), 0.0, highest), x)
    return DoseMeans(x, mean, weight, scatter, n_points, n_doses, lowest, highest, steps)
