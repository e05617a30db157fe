"""Fits that gross outliers do not pull along: iteratively reweighted least squares.

A well whose residual exceeds 1.345 times the noise counts in proportion to its inverse residual
(Huber's loss), the noise being the median absolute residual of the curve. Every well has a weight
of its own, so replicates are not one mean; for given weights the fit is the usual one.
Huber, Ann Math Stat 1964, doi:10.1214/aoms/1177703732; Street, Carroll and Ruppert, Am Stat 1988,
doi:10.1080/00031305.1988.10475548 (the variance).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.model import Floats, curve_at
from drp.curves.noise import N_PARAMETERS, Noise

HUBER = 1.345
MAD_TO_SD = 1.4826
# With fewer wells the curve passes so near to most of them that residuals say nothing of noise.
FEWEST_WELLS = 2 * N_PARAMETERS
# The noise counts as at least this share of the wells' own spread.
SMALLEST_SCALE = 1e-3
MOST_ROUNDS = 30
# Weights that change less are at rest.
AT_REST = 1e-3


class Settled(NamedTuple):
    """Where the weights came to rest.

    weights, given : array (n_curves, n_points)
        With and without Huber's share; 0 where a well is missing.
    mean : array (n_curves, 1)
        Mean of the wells by the weights given.
    noise : Noise
        Variance of a well of weight 1, for errors and intervals of the reweighted fit.
    """

    weights: Floats
    given: Floats
    mean: Floats
    noise: Noise


def settle(
    dose: Floats,
    viability: Floats,
    weights: Floats | None,
    refit: Callable[[NDArray[np.intp], Floats], Floats],
) -> Settled:
    """Reweight wells until weights and curve agree.

    Parameters
    ----------
    dose, viability, weights : array
        As in `drp.curves.fit`; each curve with at least `FEWEST_WELLS` wells.
    refit : callable
        Takes numbers of curves and their weights, (n, n_points); gives the fitted curves at their
        wells, NaN where there is no fit.
    """
    shape = viability.shape
    given = np.ones(shape) if weights is None else np.array(np.broadcast_to(weights, shape))
    given[np.isnan(viability) | np.isnan(np.broadcast_to(dose, shape))] = 0.0
    given[np.isnan(given)] = 0.0
    count = (given > 0).sum(axis=1)
    mean = _sum(np.where(given > 0, given * viability, 0.0)) / _sum(given)
    floor = SMALLEST_SCALE * np.sqrt(
        squared_error(viability, mean[:, None], given) / np.maximum(count, 1)
    )
    share, residual, scale = np.ones(shape), np.zeros(shape), np.ones(len(count))
    active = np.arange(len(count))
    for _ in range(MOST_ROUNDS):
        if not len(active):
            break
        curve = refit(active, (given * share)[active])
        residual[active] = np.sqrt(given[active]) * np.nan_to_num(viability[active] - curve)
        scale[active] = np.maximum(_scale(residual[active], given[active]), floor[active])
        new = _huber_share(residual[active], scale[active])
        moved = np.abs(new - share[active]).max(axis=1) > AT_REST
        share[active] = new
        active = active[moved]
    noise = _noise(given, share, residual, count)
    return Settled(given * share, given, mean[:, None], noise)


def _scale(residual: Floats, given: Floats) -> Floats:
    """Give the noise of each curve from the median absolute residual of its wells."""
    return MAD_TO_SD * np.nanmedian(np.where(given > 0, np.abs(residual), np.nan), axis=1)


def _huber_share(residual: Floats, scale: Floats) -> Floats:
    """Give what is left of each well's weight.

    >>> _huber_share(np.array([[1.0, -2.69]]), np.array([1.0]))
    array([[1. , 0.5]])
    """
    size = np.maximum(np.abs(residual), np.finfo(np.float64).tiny)
    share: Floats = np.minimum(1.0, HUBER * scale[:, None] / size)
    return share


def _noise(given: Floats, share: Floats, residual: Floats, count: NDArray[np.int64]) -> Noise:
    used = given > 0
    wells = np.maximum(count, 1)
    freedom = np.maximum(count - N_PARAMETERS, 0).astype(np.float64)
    linear = (used & (share >= 1.0)).sum(axis=1) / wells
    pulled = _sum((share * residual) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = 1.0 + N_PARAMETERS / wells * (1.0 - linear) / linear
        variance = spread**2 * pulled / freedom / linear**2
        # The reweighted fit is as curved as its wells' mean share says.
        variance *= _sum(share * used) / wells
    known = np.isfinite(variance)
    return Noise(np.where(known, variance, np.nan), np.where(known, freedom, 0.0))


def wells_at_curve(dose: Floats, fits: Mapping[str, NDArray[Any]]) -> Floats:
    """Give the fitted curves at the doses of their wells, shape (n_curves, n_points)."""
    rising = fits["increasing"]
    left = np.where(rising, fits["bottom"], fits["top"])[:, None]
    right = np.where(rising, fits["top"], fits["bottom"])[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.log10(np.broadcast_to(dose, (len(left), np.shape(dose)[-1])))
        return curve_at(x, left, right, fits["log10_ec50"][:, None], fits["slope"][:, None])


def squared_error(viability: Floats, about: Floats, weights: Floats) -> Floats:
    """Give the weighted squared error of each curve's wells, wells of weight 0 left out."""
    terms = np.where(weights > 0, weights * (viability - about) ** 2, 0.0)
    return _sum(terms)


def _sum(terms: Floats) -> Floats:
    """Add up each row, smallest first: the order of wells then changes no bit."""
    result: Floats = np.sort(terms, axis=1).sum(axis=1)
    return result
