"""How far one well moves a curve: the fit repeated without it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.curves.collapse import collapse
from drp.curves.fitting import BLOCK_SIZE, Direction, fit
from drp.curves.model import Bounds, Floats
from drp.curves.monotone import model_free_of


def largest_auc_shift(
    dose: ArrayLike,
    viability: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    bounds: Bounds | None = None,
    direction: Direction = "both",
    at_least: float = 0.0,
    auc: ArrayLike | None = None,
) -> Floats:
    """Give the largest change of the area under the curve when one well is left out.

    Of replicates only the lowest and the highest are tried: leaving out one between moves the mean
    less. The area is still taken over all tested doses, so an outer dose without replicates is not
    tried; nor is a well without which no fit is possible.

    Parameters
    ----------
    dose, viability, weights, bounds, direction
        As in `drp.curves.fit`.
    at_least : float
        A replicate is tried only if leaving it out moves the area under the dose means by so many
        points; that costs far less to find out than a fit. A well alone at its dose always is.

    auc : array (n_curves,), optional
        Area under each curve with all wells, where it is known already.

    Returns
    -------
    array (n_curves,)
        Points of viability; NaN where no well could be left out, 0 where none was worth trying.

    Examples
    --------
    >>> dose = np.repeat(10.0 ** np.arange(5), 2)
    >>> response = np.array([[100.0, 100, 99, 98, 60, 61, 22, 20, 20, 60]])
    >>> bool(largest_auc_shift(dose, response)[0] > 2)
    True
    """
    values = np.array(viability, dtype=np.float64, ndmin=2)
    doses = np.array(np.broadcast_to(np.asarray(dose, dtype=np.float64), values.shape))
    given = np.ones(()) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = np.array(np.broadcast_to(given, values.shape))
    values[np.isnan(doses) | ~(weight > 0)] = np.nan
    weight[np.isnan(values)] = 0.0
    if auc is None:
        auc = fit(doses, values, weight, bounds=bounds, direction=direction).auc
    area = np.asarray(auc, dtype=np.float64)
    curve, well = np.nonzero(_candidates(doses, values))
    largest = np.full(len(values), np.nan)
    if at_least > 0:
        worth = _shift_of_means(doses, values, weight, curve, well) >= at_least
        worth |= _alone(doses, values)[curve, well]
        idle = np.setdiff1d(curve, curve[worth])
        largest[idle] = np.where(np.isnan(area[idle]), np.nan, 0.0)
        curve, well = curve[worth], well[worth]
    for begin in range(0, len(curve), BLOCK_SIZE):
        some, left_out = (part[begin : begin + BLOCK_SIZE] for part in (curve, well))
        fewer = weight[some]
        fewer[np.arange(len(some)), left_out] = 0.0
        without = fit(doses[some], values[some], fewer, bounds=bounds, direction=direction)
        np.fmax.at(largest, some, np.abs(without.auc - area[some]))
    return largest


def _shift_of_means(
    dose: Floats, viability: Floats, weight: Floats, curve: NDArray[np.intp], well: NDArray[np.intp]
) -> Floats:
    """Give how far the area under the dose means moves when each of these wells is left out."""
    area = model_free_of(collapse(dose, viability, weight)).auc
    shift = np.zeros(len(curve))
    for begin in range(0, len(curve), BLOCK_SIZE):
        part = slice(begin, begin + BLOCK_SIZE)
        fewer = viability[curve[part]]
        fewer[np.arange(len(fewer)), well[part]] = np.nan
        without = model_free_of(collapse(dose[curve[part]], fewer, weight[curve[part]])).auc
        shift[part] = np.abs(without - area[curve[part]])
    return shift


def _alone(dose: Floats, viability: Floats) -> NDArray[np.bool_]:
    """Say which wells have no replicate."""
    used = ~np.isnan(viability)
    same = (dose[:, :, None] == dose[:, None, :]) & used[:, None, :]
    alone: NDArray[np.bool_] = used & (same.sum(axis=2) == 1)
    return alone


def _candidates(dose: Floats, viability: Floats) -> NDArray[np.bool_]:
    """Pick the lowest and the highest well of each dose, and single wells of inner doses."""
    used = ~np.isnan(viability)
    picked = np.zeros(viability.shape, dtype=bool)
    positive = np.where(used & (dose > 0), dose, np.nan)
    low, high = np.fmin.reduce(positive, axis=1), np.fmax.reduce(positive, axis=1)
    for well in range(dose.shape[1]):
        same = used & (dose == dose[:, [well]])
        value = viability[:, [well]]
        with np.errstate(invalid="ignore"):
            lowest = ~(same & (viability < value)).any(axis=1)
            highest = ~(same & (viability > value)).any(axis=1)
        outer = (dose[:, well] == low) | (dose[:, well] == high)
        alone = same.sum(axis=1) == 1
        picked[:, well] = used[:, well] & (lowest | highest) & ~(outer & alone)
    return picked
