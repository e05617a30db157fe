"""Fit a batch of curves: the public door of the engine."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.curves.collapse import DoseMeans, collapse, total
from drp.curves.errors import at_bounds, standard_errors, tops_and_bottoms
from drp.curves.fits import Fits
from drp.curves.flat import p_flat, p_flat_shared
from drp.curves.intervals import find_intervals
from drp.curves.metrics import area_under_curve, drug_sensitivity_scores
from drp.curves.model import Bounds, Floats
from drp.curves.noise import Noise, own_noise
from drp.curves.robust import FEWEST_WELLS, settle, squared_error, wells_at_curve
from drp.curves.search import FALLING, RISING, Searched, batches, search_all

__all__ = ["Direction", "Fits", "fit"]

FEWEST_DOSES = 4
# Curves searched together, and curves held at once; they bound time and memory, not results.
BATCH_SIZE = 8192
BLOCK_SIZE = 8192

Direction = Literal["both", "decreasing"]
# Names of the sixteen ways to stand at bounds, then of what else a search may come to.
PARAMETERS = ("top", "bottom", "log10_ec50", "slope")
STATES = np.array(
    [
        "at_bound:" + ",".join(name for place, name in enumerate(PARAMETERS) if held >> place & 1)
        for held in range(1 << len(PARAMETERS))
    ]
    + ["failed:steps_ran_out", "flat"]
)
STATES[0] = "converged"
DIRECTIONS: dict[str, tuple[int, ...]] = {"both": (FALLING, RISING), "decreasing": (FALLING,)}


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
    noise: Noise | Callable[[Fits], Noise | None] | None = None,
    seed: int = 0,
    robust: bool = False,
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
    at_dose : array (n_curves,) or (n_curves, n), optional
        Doses at which the viability wants an interval; NaN = none.
    noise : Noise or callable, optional
        Noise of the wells of each curve for errors, intervals and the flat test, or what gives it
        from the fits without intervals; else each curve's own residuals, SSE / (n - 4), which needs
        more than four wells.
    seed : int
        Seed of the simulated null distributions behind `p_flat`.
    robust : bool
        Let outlying wells count less (Huber's loss, see `drp.curves.robust`). `sse` and `sst` are
        still those of all wells. Curves of fewer than eight wells are fitted as usual.

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
    options = Options(bounds or Bounds(), DIRECTIONS[direction], intervals, level, seed)
    wells = Wells.of(dose, viability, weights, at_dose)
    n_curves = len(wells.viability)
    if callable(noise) and n_curves <= BLOCK_SIZE and not robust:
        return Fits(**_fit_with_noise_of(noise, wells, options))
    if callable(noise):
        noise = noise(
            fit(dose, viability, weights, bounds=bounds, direction=direction, robust=robust)
        )
    wells = wells._replace(noise=noise)
    columns: dict[str, NDArray[Any]] = {}
    for begin in range(0, max(n_curves, 1), BLOCK_SIZE):
        block = slice(begin, begin + BLOCK_SIZE)
        found = (
            _fit_robustly(wells.take(block), options)
            if robust
            else _fit_block(wells.take(block), options)
        )
        for name, values in found.items():
            shape = (n_curves, *values.shape[1:])
            whole = columns.setdefault(name, np.empty(shape, dtype=values.dtype))
            whole[block] = values
    return Fits(**columns)


class Options(NamedTuple):
    """What is asked of a fit: see `fit`; signs are its directions."""

    bounds: Bounds
    signs: tuple[int, ...]
    intervals: bool
    level: float
    seed: int


class Wells(NamedTuple):
    """The wells of curves, as given to `fit`; `at` is log10 of the doses asked for, if any."""

    dose: Floats
    viability: Floats
    weights: Floats | None
    at: Floats
    noise: Noise | None

    @classmethod
    def of(
        cls,
        dose: ArrayLike,
        viability: ArrayLike,
        weights: ArrayLike | None,
        at_dose: ArrayLike | None,
    ) -> "Wells":
        """Turn what a caller gave into arrays."""
        values = np.array(viability, dtype=np.float64, ndmin=2, copy=None)
        doses = np.full(len(values), np.nan) if at_dose is None else at_dose
        with np.errstate(divide="ignore"):
            at = np.log10(np.asarray(doses, np.float64))
        at = np.broadcast_to(at, (len(values), *at.shape[1:]))
        given = None if weights is None else np.asarray(weights, dtype=np.float64)
        return cls(np.asarray(dose, dtype=np.float64), values, given, at, None)

    def take(self, curves: slice | NDArray[np.intp]) -> "Wells":
        """Give the same for some curves; what all curves share stays as it is."""
        n_curves = len(self.viability)

        def some(values: Floats) -> Floats:
            return values[curves] if values.ndim == 2 and len(values) == n_curves else values

        weights = None if self.weights is None else some(self.weights)
        noise = None if self.noise is None else self.noise.take(curves)
        return Wells(some(self.dose), self.viability[curves], weights, self.at[curves], noise)


class Block(NamedTuple):
    """Some curves after the search: their means, the columns so far, and what each batch found."""

    means: DoseMeans
    columns: dict[str, NDArray[Any]]
    searched: list[tuple[NDArray[np.intp], DoseMeans, Searched]]


def _fit_block(wells: Wells, options: Options) -> dict[str, NDArray[Any]]:
    """Fit some curves; few enough for all they need to be held at once."""
    block = _search_block(wells, options)
    if options.intervals:
        _add_uncertainty(block, wells, options)
    return block.columns


def _search_block(wells: Wells, options: Options) -> Block:
    means = collapse(wells.dose, wells.viability, wells.weights)
    columns = _empty(means, wells.at.shape)
    usable = np.flatnonzero(is_usable(means))
    groups = [usable[group] for group in batches(means.take(usable), BATCH_SIZE)]
    parts = [means.take(curves) for curves in groups]
    found = search_all(parts, options.bounds, options.signs, keep_gains=options.intervals)
    for curves, part, searched in zip(groups, parts, found, strict=True):
        for name, values in _describe(part, searched, options.bounds).items():
            columns[name][curves] = values
    return Block(means, columns, list(zip(groups, parts, found, strict=True)))


def _add_uncertainty(block: Block, wells: Wells, options: Options) -> None:
    """Add errors, intervals and p-values to the columns of a block."""
    for curves, part, searched in block.searched:
        known = wells.noise
        own = own_noise(part, searched.best.loss) if known is None else known.take(curves)
        found = _uncertainty(part, searched, options, wells.at[curves], own)
        for name, values in found.items():
            block.columns[name][curves] = values
    usable = np.flatnonzero(is_usable(block.means))
    if len(usable):
        block.columns["p_flat"][usable] = _p_flat(
            block.means, usable, block.columns, wells.noise, options
        )


def _fit_with_noise_of(
    fits: Callable[[Fits], Noise | None], wells: Wells, options: Options
) -> dict[str, NDArray[Any]]:
    """Fit curves of one block whose noise follows from all fits; they are searched once."""
    block = _search_block(wells, options)
    _add_uncertainty(block, wells._replace(noise=fits(Fits(**block.columns))), options)
    return block.columns


def is_usable(means: DoseMeans) -> NDArray[np.bool_]:
    """Say which curves have doses enough for a fit."""
    enough = (means.n_doses >= FEWEST_DOSES) & np.isfinite(means.step) & (means.step > 0)
    enough &= np.isfinite(means.x).sum(axis=0) >= FEWEST_DOSES - 1
    usable: NDArray[np.bool_] = enough & (means.x_max > means.x_min)
    return usable


def _p_flat(
    means: DoseMeans,
    usable: NDArray[np.intp],
    columns: dict[str, NDArray[Any]],
    noise: Noise | None,
    options: Options,
) -> Floats:
    tested, sse, sst = means.take(usable), columns["sse"][usable], columns["sst"][usable]
    asked = options.bounds, options.signs, options.seed
    if noise is None:
        return p_flat(tested, _r2(sse, sst), *asked)
    return p_flat_shared(tested, sst - sse, noise.take(usable), *asked)


def _fit_robustly(wells: Wells, options: Options) -> dict[str, NDArray[Any]]:
    """Fit with the weights at which Huber's loss comes to rest, where the wells are enough."""
    columns = _fit_block(wells, options)
    many = np.flatnonzero(columns["n_points"] >= FEWEST_WELLS)
    part = wells.take(many)

    def refit(curves: NDArray[np.intp], weights: Floats) -> Floats:
        some = part.take(curves)._replace(weights=weights)
        found = _fit_block(some, options._replace(intervals=False))
        return wells_at_curve(some.dose, found)

    settled = settle(part.dose, part.viability, part.weights, refit)
    noise = settled.noise if part.noise is None else part.noise
    found = _fit_block(part._replace(weights=settled.weights, noise=noise), options)
    curve = wells_at_curve(part.dose, found)
    for name, about in (("sse", curve), ("sst", settled.mean)):
        found[name] = squared_error(part.viability, about, settled.given)
    for name, values in found.items():
        columns[name][many] = values
    return columns


def _r2(sse: Floats, sst: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Floats = np.where(sst > 0, 1.0 - sse / sst, 0.0)
    return share


def _empty(means: DoseMeans, at: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Give the columns of curves that were not fitted; `at` is the shape of the doses asked for."""
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
    columns["viability_at_lo"], columns["viability_at_hi"] = np.full((2, *at), np.nan)
    columns["increasing"] = np.zeros(n_curves, dtype=bool)
    columns["second_optimum"] = np.zeros(n_curves, dtype=bool)
    columns["status"] = np.full(n_curves, "too_few_doses", dtype=STATES.dtype)
    return columns


def _describe(means: DoseMeans, searched: Searched, bounds: Bounds) -> dict[str, NDArray[Any]]:
    best = searched.best
    top, bottom = tops_and_bottoms(best)
    slope, width = np.exp(best.eta), means.x_max - means.x_min
    none = np.zeros_like(width)
    held = at_bounds(means, best, bounds)
    which = sum(value.astype(np.intp) << place for place, value in enumerate(held.values()))
    status = STATES[np.where(best.flat, -1, np.where(best.converged, which, -2))]
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
        "status": status,
        "auc": area_under_curve(best.left, best.right, best.e, slope, none, width),
        "dss2": np.where(falling, score, 0.0),
    }


def _uncertainty(
    means: DoseMeans, searched: Searched, options: Options, at: Floats, noise: Noise
) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name, values in standard_errors(means, searched.best, options.bounds, noise).items():
        columns[f"{name}_se"] = values
    doses = np.atleast_2d(at.T) - means.x_min
    asked = doses[:0] if np.isnan(doses).all() else doses
    found = find_intervals(means, searched, options.level, asked, noise)
    for name, one, shift in (
        ("log10_ec50", found.e, means.x_min),
        ("log10_ic50", found.ic50, means.x_min),
        ("auc", found.auc, 0.0),
        ("dss2", found.dss2, 0.0),
    ):
        columns[f"{name}_lo"], columns[f"{name}_hi"] = one.low + shift, one.high + shift
    if len(asked):
        for name, end in (("viability_at_lo", "low"), ("viability_at_hi", "high")):
            ends = np.stack([getattr(one, end) for one in found.viability_at], axis=1)
            columns[name] = ends.reshape(at.shape)
    return columns
