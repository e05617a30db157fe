"""Fit a batch of curves: the public door of the engine."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.curves.collapse import DoseMeans, collapse, total
from drp.curves.errors import at_bounds, standard_errors, tops_and_bottoms
from drp.curves.flat import p_flat, p_flat_shared
from drp.curves.intervals import find_intervals
from drp.curves.metrics import area_under_curve, drug_sensitivity_scores
from drp.curves.model import Bounds, Floats
from drp.curves.noise import Noise, own_noise
from drp.curves.search import FALLING, RISING, Searched, batches, search

FEWEST_DOSES = 4
# Curves worked on at once; bounds the memory and changes no result.
BATCH_SIZE = 1024

Direction = Literal["both", "decreasing"]
DIRECTIONS: dict[str, tuple[int, ...]] = {"both": (FALLING, RISING), "decreasing": (FALLING,)}


@dataclass(frozen=True, slots=True)
class Fits:
    """Fitted curves; every array has shape (n_curves,), in the order given.

    Attributes
    ----------
    top, bottom : array
        Upper and lower asymptote, in the unit of the viability. Equal where flat.
    slope, log10_ec50 : array
        Hill slope (above 0 also for a rising curve) and log10 of the midpoint; NaN where flat.
    sse, sst : array
        Weighted squared error of all wells about the curve and about their mean.
    n_points, n_doses : array of int
        Wells and distinct doses used.
    increasing, second_optimum : array of bool
        The curve rises with dose. Another optimum fits nearly as well at another midpoint.
    status : array of str
        ``converged``, ``at_bound:<parameters>``, ``flat``, ``too_few_doses`` or
        ``failed:steps_ran_out`` (the values are then the best ones seen).
    auc, dss2 : array
        Of the curve over the tested doses; DSS2 only means something for per cent viability.
    top_se, bottom_se, slope_se, log10_ec50_se : array
        Standard errors; NaN at a bound, where flat, without intervals asked for.
    log10_ec50_lo, log10_ec50_hi, log10_ic50_lo, log10_ic50_hi : array
        Profile-likelihood intervals; infinite = open on that side. IC50 is the dose of 50.
    auc_lo, auc_hi, dss2_lo, dss2_hi, viability_at_lo, viability_at_hi : array
        Likewise; `viability_at` at the doses asked for.
    p_flat : array
        p-value against a flat curve.

    Notes
    -----
    Intervals and p-values are NaN if not asked for, or with four wells or fewer.
    """

    top: Floats
    bottom: Floats
    slope: Floats
    log10_ec50: Floats
    sse: Floats
    sst: Floats
    n_points: NDArray[np.int64]
    n_doses: NDArray[np.int64]
    increasing: NDArray[np.bool_]
    second_optimum: NDArray[np.bool_]
    status: NDArray[np.str_]
    auc: Floats
    dss2: Floats
    top_se: Floats
    bottom_se: Floats
    slope_se: Floats
    log10_ec50_se: Floats
    log10_ec50_lo: Floats
    log10_ec50_hi: Floats
    log10_ic50_lo: Floats
    log10_ic50_hi: Floats
    auc_lo: Floats
    auc_hi: Floats
    dss2_lo: Floats
    dss2_hi: Floats
    viability_at_lo: Floats
    viability_at_hi: Floats
    p_flat: Floats


def fit(
    dose: ArrayLike,
    viability: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    bounds: Bounds | None = None,
    direction: Direction = "both",
    intervals: bool = False,
    level: float = 0.95,
    at_dose: ArrayLike | None = None,
    noise: Noise | None = None,
    seed: int = 0,
) -> Fits:
    """Fit the bounded four-parameter logistic to many curves at once, by least squares.

    Parameters
    ----------
    dose : array (n_points,) or (n_curves, n_points)
        In any linear unit, 0 or more; dose 0 is a control well. NaN = missing.
    viability : array (n_curves, n_points)
        Not clipped; per cent for IC50 and DSS2, any unit for the rest. NaN = missing.
    weights : array, optional
        Broadcasts with `viability`, for example 1 / variance; 0 = missing.
    bounds : Bounds, optional
        Limits of the parameters.
    direction : {"both", "decreasing"}
        Whether a curve may rise with dose.
    intervals : bool
        Also give standard errors, intervals and p-values.
    level : float
        Coverage of the intervals, between 0 and 1.
    at_dose : array (n_curves,), optional
        Doses at which the viability wants an interval; NaN = none.
    noise : Noise, optional
        Noise of the wells of each curve for errors, intervals and the flat test; else each curve's
        own residuals, SSE / (n - 4), which needs more than four wells.
    seed : int
        Seed of the simulated null distributions behind `p_flat`.

    Returns
    -------
    Fits
        One entry per curve, whatever its data. No result depends on the other curves of the
        call, on the order of curves or on the order of wells.

    Examples
    --------
    >>> dose = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    >>> fits = fit(dose, np.array([[100.0, 98.0, 60.0, 22.0, 20.2]]))
    >>> str(fits.status[0]), int(fits.n_doses[0]), float(fits.log10_ec50[0].round(1))
    ('converged', 5, 2.0)
    """
    bounds = bounds or Bounds()
    signs = DIRECTIONS[direction]
    given = None if weights is None else np.asarray(weights, dtype=np.float64)
    means = collapse(np.asarray(dose, float), np.asarray(viability, float), given)
    n_curves = len(means.n_points)
    at = np.full(n_curves, np.nan)
    if at_dose is not None:
        with np.errstate(divide="ignore"):
            at = np.log10(np.broadcast_to(np.asarray(at_dose, float), n_curves))
    columns = _empty(means)
    enough = (means.n_doses >= FEWEST_DOSES) & np.isfinite(means.step) & (means.step > 0)
    enough &= np.isfinite(means.x).sum(axis=0) >= FEWEST_DOSES - 1
    usable = np.flatnonzero(enough & (means.x_max > means.x_min))
    for group in batches(means.take(usable), bounds, BATCH_SIZE):
        curves = usable[group]
        part = means.take(curves)
        searched = search(part, bounds, signs)
        found = _describe(part, searched, bounds)
        if intervals:
            own = own_noise(part, searched.best.loss) if noise is None else noise.take(curves)
            found |= _uncertainty(part, searched, bounds, level, at[curves], own)
        for name, values in found.items():
            columns[name][curves] = values
    if intervals and len(usable):
        tested, sse, sst = means.take(usable), columns["sse"][usable], columns["sst"][usable]
        if noise is None:
            p_values = p_flat(tested, _r2(sse, sst), bounds, signs, seed)
        else:
            p_values = p_flat_shared(tested, sst - sse, noise.take(usable), bounds, signs, seed)
        columns["p_flat"][usable] = p_values
    return Fits(**columns)


def _r2(sse: Floats, sst: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Floats = np.where(sst > 0, 1.0 - sse / sst, 0.0)
    return share


def _empty(means: DoseMeans) -> dict[str, NDArray[Any]]:
    """Give the columns of curves that were not fitted."""
    n_curves = len(means.n_points)
    columns: dict[str, NDArray[Any]] = {
        name: np.full(n_curves, np.nan) for name in Fits.__dataclass_fields__
    }
    level = np.divide(
        total(means.weight * means.mean),
        means.total_weight,
        out=np.full(n_curves, np.nan),
        where=means.n_points > 0,
    )
    columns["sst"] = total(means.weight * (means.mean - level) ** 2) + means.scatter
    columns["n_points"], columns["n_doses"] = means.n_points, means.n_doses.astype(np.int64)
    columns["increasing"] = np.zeros(n_curves, dtype=bool)
    columns["second_optimum"] = np.zeros(n_curves, dtype=bool)
    columns["status"] = np.full(n_curves, "too_few_doses", dtype="U64")
    return columns


def _describe(means: DoseMeans, searched: Searched, bounds: Bounds) -> dict[str, NDArray[Any]]:
    best = searched.best
    top, bottom = tops_and_bottoms(best)
    slope, width = np.exp(best.eta), means.x_max - means.x_min
    none = np.zeros_like(width)
    held = at_bounds(means, best, bounds)
    status = []
    for curve in range(len(width)):
        names = [name for name, value in held.items() if value[curve]]
        state = "at_bound:" + ",".join(names) if names else "converged"
        state = state if best.converged[curve] else "failed:steps_ran_out"
        status.append("flat" if best.flat[curve] else state)
    falling = best.sign == FALLING
    score = drug_sensitivity_scores(best.right, best.e, slope, none, width)[1]
    return {
        "top": top,
        "bottom": bottom,
        "slope": slope,
        "log10_ec50": best.e + means.x_min,
        "sse": best.loss + means.scatter,
        "increasing": ~falling,
        "second_optimum": best.rival,
        "status": np.array(status),
        "auc": area_under_curve(best.left, best.right, best.e, slope, none, width),
        "dss2": np.where(falling, score, 0.0),
    }


def _uncertainty(
    means: DoseMeans, searched: Searched, bounds: Bounds, level: float, at: Floats, noise: Noise
) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name, values in standard_errors(means, searched.best, bounds, noise).items():
        columns[f"{name}_se"] = values
    found = find_intervals(means, searched, level, at - means.x_min, noise)
    for name, one, shift in (
        ("log10_ec50", found.e, means.x_min),
        ("log10_ic50", found.ic50, means.x_min),
        ("auc", found.auc, 0.0),
        ("dss2", found.dss2, 0.0),
        ("viability_at", found.viability_at, 0.0),
    ):
        columns[f"{name}_lo"], columns[f"{name}_hi"] = one.low + shift, one.high + shift
    return columns
