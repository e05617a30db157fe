"""ZIP: do drugs shift each other's curves? Conditional fits against the product of single curves.

Each drug alone is fitted by a free Hill curve; the product of the fractions alive that these give
is what is expected. Every row and column of the matrix is then fitted along one drug, the others
held, with the start fixed at what the others do without it; the mean of these conditional fits,
less what is expected, is the score. Where a curve fails, so does the score: see `Zip.reason`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.hill import HillFits, fit_hill, refit_hill
from drp.synergy.nulls import bliss
from drp.synergy.zip_curves import Conditional, Matrix, conditionals

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Variant = Literal["observed", "fitted"]

# A curve has failed if its RMSE is above this many well SDs and above this many points.
GATE_SDS, GATE_POINTS = 3.0, 10.0


@dataclass(frozen=True, slots=True)
class Zip:
    """ZIP of one dose matrix; surfaces hold the combination cells, doses ascending.

    Attributes
    ----------
    label : str
        ``zip``, or ``zip_1d`` where a drug has one dose only: fits run along the others alone.
    variant : str
        Start of a conditional curve: ``observed`` or ``fitted``.
    expected, fitted : array (n_1, ..., n_drugs)
        Inhibition expected and fitted, %; doses above 0 only. NaN where a row or column has too
        few doses or the cell was not measured.
    curves : tuple of Conditional
        All curves: each drug alone first (held at 0), then the conditional ones.
    fits : HillFits
        Their fits.
    failed : array of bool (n_curves,)
        Curves that did not converge or whose RMSE is too large.
    n_fitted_starts : int
        Conditional curves whose start was not measured, and was read off a single curve.
    reason : str
        Why the score must not be reported, in words; empty if it may.
    pairs : tuple of Zip
        Where starts of three drugs come from curves: the pair without each drug.
    """

    label: str
    variant: Variant
    expected: Floats
    fitted: Floats
    curves: tuple[Conditional, ...]
    fits: HillFits
    failed: Mask
    n_fitted_starts: int
    reason: str
    pairs: tuple["Zip", ...] = ()

    @property
    def excess(self) -> Floats:
        """Fitted less expected inhibition, points."""
        return self.fitted - self.expected

    @property
    def reportable(self) -> bool:
        """True where no curve failed and at least one cell is scored."""
        return not self.reason


def zip_model(
    doses: tuple[ArrayLike, ...],
    inhibition: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    variant: Variant = "observed",
    well_sd: float | None = None,
    drugs: tuple[str, ...] | None = None,
) -> Zip:
    """Fit the curves of a dose matrix and score it by ZIP.

    Parameters
    ----------
    doses : tuple of arrays
        Levels of each drug, ascending, 0 the first; two or three drugs.
    inhibition : array (n_1, ..., n_drugs)
        Mean of each cell, %, not clipped; NaN = not measured.
    weight : array, optional
        Wells behind each cell.
    variant : {"observed", "fitted"}
        Start of a conditional curve: what was measured of the other drugs alone (as
        synergyfinder), or what their own curves give (as first published).
    well_sd : float, optional
        SD of one well, points: for the gate and for inactive drugs.
    drugs : tuple of str, optional
        Names for the reason.

    Returns
    -------
    Zip
        With three drugs the expectation is the product of three, and the fit the mean of three
        conditional curves at the triple cells.

    Notes
    -----
    Yadav B, Wennerberg K, Aittokallio T, Tang J. Comput Struct Biotechnol J 2015;13:504-513,
    doi:10.1016/j.csbj.2015.09.001.

    Examples
    --------
    >>> dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0])
    >>> alone = 100 * dose / (5 + dose)
    >>> both = alone[:, None] + alone - np.outer(alone, alone) / 100
    >>> found = zip_model((dose, dose), both)
    >>> found.label, found.reportable, bool(np.abs(found.excess).max() < 1e-3)
    ('zip', True, True)
    """
    matrix = Matrix.of(doses, np.asarray(inhibition, dtype=np.float64), weight)
    pairs = _pairs(matrix, variant, well_sd)
    alone, conditional, unmeasured = _fit_all(matrix, variant, well_sd, pairs)
    expected, fitted = _surfaces(matrix, alone, conditional)
    fits = _joined(alone, conditional)
    curves = conditionals(matrix)
    limit = max(GATE_SDS * (well_sd or 0.0), GATE_POINTS)
    failed = np.char.startswith(fits.status, "failed") | (fits.rmse > limit)
    return Zip(
        "zip" if len(matrix.long) == len(matrix.levels) else "zip_1d",
        variant,
        expected,
        fitted,
        curves,
        fits,
        failed,
        unmeasured,
        _why_not(matrix, curves, alone, expected - fitted, failed, drugs),
        pairs,
    )


def zip_draws(
    observed: Zip, doses: tuple[ArrayLike, ...], drawn: ArrayLike, weight: ArrayLike | None = None
) -> tuple[Floats, Floats, HillFits]:
    """Score the draws of a bootstrap by the ZIP of the observed matrix.

    Parameters
    ----------
    observed : Zip
        From `zip_model`, same doses and weights.
    doses, weight
        As in `zip_model`.
    drawn : array (n_draws, n_1, ..., n_drugs)
        Drawn cell means, NaN in the same cells as observed.

    Returns
    -------
    expected, fitted : array (n_draws, n_1, ..., n_drugs)
        Of the combination cells; the gate is not applied again.
    alone : HillFits
        Curves of the drugs alone that have more than one dose above 0, (n_draws, n_drugs): what
        Loewe needs.

    Examples
    --------
    >>> dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0])
    >>> both = 100 * (1 - np.outer(5 / (5 + dose), 5 / (5 + dose)))
    >>> expected, fitted, alone = zip_draws(zip_model((dose, dose), both), (dose, dose), both[None])
    >>> fitted.shape, bool(np.abs(fitted - expected).max() < 1e-2)
    ((1, 4, 4), True)
    """
    matrix = Matrix.of(doses, np.asarray(drawn, dtype=np.float64), weight)
    alone, conditional, _ = _fit_all(matrix, observed.variant, None, observed.pairs, observed.fits)
    return *_surfaces(matrix, alone, conditional), alone


def _fit_all(
    matrix: Matrix,
    variant: Variant,
    well_sd: float | None,
    pairs: tuple[Zip, ...],
    observed: HillFits | None = None,
) -> tuple[HillFits, HillFits, int]:
    """Fit drugs alone and conditional curves; with `observed`, as draws of these.

    Also gives the number of starts that were not measured.
    """
    n_alone = len(matrix.long)
    first = matrix.values[..., n_alone:, 0]
    missing = np.isnan(first) | (variant == "fitted")
    part = (slice(n_alone), slice(n_alone, None))
    free = np.full((*first.shape[:-1], n_alone), np.nan)
    if not missing.any():
        both = _fit(matrix, slice(None), np.concatenate([free, first], axis=-1), well_sd, observed)
        return both.take(part[0]), both.take(part[1]), 0
    alone = _fit(matrix, part[0], free, well_sd, observed)
    starts = np.where(missing, _fitted_starts(matrix, alone, pairs, observed is not None), first)
    conditional = _fit(matrix, part[1], starts, well_sd, observed)
    # A curve without any start would be fitted as a free one.
    lost = np.isnan(starts)
    if lost.any():
        blank = {name: np.where(lost, np.nan, getattr(conditional, name)) for name in _NUMBERS}
        conditional = HillFits(**blank, status=np.where(lost, "too_few_doses", conditional.status))
    return alone, conditional, int(np.isnan(first).any(axis=tuple(range(first.ndim - 1))).sum())


_NUMBERS = ("start", "plateau", "midpoint", "slope", "rss", "rmse")


def _fit(
    matrix: Matrix,
    part: slice,
    start: Floats,
    well_sd: float | None,
    observed: HillFits | None,
) -> HillFits:
    dose, weight, values = matrix.dose[part], matrix.weight[part], matrix.values[..., part, :]
    if observed is None:
        return fit_hill(dose, values, weight, start=start, well_sd=well_sd)
    return refit_hill(observed.take(part), dose, values, weight, start=start)


def _fitted_starts(matrix: Matrix, alone: HillFits, pairs: tuple[Zip, ...], drawn: bool) -> Floats:
    """Give what the other drugs do without the drug of each conditional curve, by their curves."""
    n_drugs = len(matrix.levels)
    single = _single_values(matrix, alone)
    starts = []
    for drug in matrix.long:
        others = [one for one in range(n_drugs) if one != drug]
        if pairs:
            doses, table, counts = _without(matrix, drug)
            pair = pairs[drug]
            surface = zip_draws(pair, doses, table, counts)[1] if drawn else pair.fitted
        else:
            surface = single[others[0]]
        starts.append(surface.reshape(*surface.shape[: surface.ndim - len(others)], -1))
    return np.concatenate(starts, axis=-1)


def _pairs(matrix: Matrix, variant: Variant, well_sd: float | None) -> tuple[Zip, ...]:
    """Fit the pairs that give three drugs their starts, where starts come from curves."""
    if len(matrix.levels) < 3:
        return ()
    if variant == "observed" and np.isfinite(matrix.values[len(matrix.long) :, 0]).all():
        return ()
    rest = (_without(matrix, drug) for drug in range(len(matrix.levels)))
    return tuple(zip_model(*one, variant=variant, well_sd=well_sd) for one in rest)


def _without(matrix: Matrix, drug: int) -> tuple[tuple[Floats, ...], Floats, Floats]:
    """Give levels, table and weights of the matrix without one drug."""
    axis = matrix.table.ndim - len(matrix.levels) + drug
    doses = tuple(one for at, one in enumerate(matrix.levels) if at != drug)
    table: Floats = np.take(matrix.table, 0, axis=axis)
    counts: Floats = np.take(matrix.counts, 0, axis=drug)
    return doses, table, counts


def _single_values(matrix: Matrix, alone: HillFits) -> list[Floats]:
    """Give the inhibition of each drug alone at its doses above 0.

    From its curve, within the doses that were measured; of a drug with one dose, as observed.
    """
    n_drugs, values = len(matrix.levels), []
    lead = matrix.table.ndim - n_drugs
    for drug, levels in enumerate(matrix.levels):
        own: list[int | slice] = [0] * n_drugs
        own[drug] = slice(1, None)
        if drug not in matrix.long:
            values.append(matrix.table[(slice(None),) * lead + tuple(own)])
            continue
        curve = matrix.long.index(drug)
        used = (matrix.weight[curve] > 0) & np.isfinite(matrix.values[..., curve, :]).reshape(
            -1, matrix.dose.shape[1]
        ).all(axis=0)
        measured = matrix.dose[curve][used & (matrix.dose[curve] > 0)]
        ends = (measured.min(), measured.max()) if measured.size else (np.inf, -np.inf)
        inside = (levels[1:] >= ends[0]) & (levels[1:] <= ends[1])
        fitted = alone.take(slice(curve, curve + 1)).at(levels[1:])[..., 0, :]
        values.append(np.where(inside, fitted, np.nan))
    return values


def _surfaces(matrix: Matrix, alone: HillFits, conditional: HillFits) -> tuple[Floats, Floats]:
    """Give expected and fitted inhibition of the combination cells."""
    n_drugs = len(matrix.levels)
    lead = matrix.table.ndim - n_drugs
    shape = tuple(len(one) - 1 for one in matrix.levels)
    singles = []
    for drug, values in enumerate(_single_values(matrix, alone)):
        own = [1] * n_drugs
        own[drug] = shape[drug]
        wide = values.reshape(*values.shape[:lead], *own)
        singles.append(np.broadcast_to(wide, (*wide.shape[:lead], *shape)))
    inner = (slice(None),) * lead + (slice(1, None),) * n_drugs
    absent = np.where(np.isnan(matrix.table[inner]) | (matrix.counts[inner[lead:]] == 0), np.nan, 0)
    expected = bliss(np.stack(singles, axis=-1)) + absent
    begin, fits = 0, []
    for drug in matrix.long:
        held = [size for other, size in enumerate(shape) if other != drug]
        count = int(np.prod(held))
        some = conditional.take(slice(begin, begin + count)).at(matrix.levels[drug][1:])
        some = some.reshape(*some.shape[:lead], *held, shape[drug])
        fits.append(np.moveaxis(some, -1, lead + drug))
        begin += count
    fitted = sum(fits[1:], fits[0]) / len(fits) if fits else np.full_like(expected, np.nan)
    return expected, fitted + absent


def _joined(alone: HillFits, conditional: HillFits) -> HillFits:
    pairs = ((getattr(alone, name), getattr(conditional, name)) for name in HillFits.__slots__)
    return HillFits(*(np.concatenate(pair) for pair in pairs))


def _why_not(
    matrix: Matrix,
    curves: tuple[Conditional, ...],
    alone: HillFits,
    excess: Floats,
    failed: Mask,
    drugs: tuple[str, ...] | None,
) -> str:
    """Say why ZIP cannot be reported, naming every failed curve; empty if it can."""
    names = drugs or tuple(f"drug {one + 1}" for one in range(len(matrix.levels)))
    short = [names[drug] for drug, has in zip(matrix.long, alone.fitted, strict=True) if not has]
    if not matrix.long or short:
        lacking = " and ".join(short or names)
        return f"ZIP not reportable: too few doses for the curve of {lacking} alone"
    if not np.isfinite(excess).any():
        return "ZIP not reportable: no row and column of the matrix has enough doses for its curve"
    if not failed.any():
        return ""
    which = "; ".join(
        _curve_name(curve, names) for curve, bad in zip(curves, failed, strict=True) if bad
    )
    return f"ZIP not reportable: {failed.sum()} of {len(failed)} curves failed ({which})"


def _curve_name(curve: Conditional, names: tuple[str, ...]) -> str:
    others = [f"{name} {dose:g}" for name, dose in zip(names, curve.held, strict=True) if dose > 0]
    return f"{names[curve.drug]} {'with ' + ' and '.join(others) if others else 'alone'}"
