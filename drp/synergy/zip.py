"""ZIP: do drugs shift each other's curves? Conditional fits against the product of single curves.

Each drug alone is fitted by a free Hill curve; the product of the fractions alive that these give
is what is expected. Every row and column of the matrix is then fitted along one drug, the others
held, with the start fixed at what the others do without it; the mean of these conditional fits,
less what is expected, is the score. Where a curve fails, so does the score: see `Zip.reason`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.hill import HillFits, refit_hill
from drp.synergy.zip_curves import (
    Conditional,
    Matrix,
    conditionals,
    single_values,
    surfaces,
    why_not,
    without,
)
from drp.synergy.zip_steps import Request, Steps, fit_asked, run, run_together

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
    steps = score_zip(doses, inhibition, weight, variant=variant, well_sd=well_sd, drugs=drugs)
    return run(steps, fit_asked)


def zip_models(
    matrices: Sequence[tuple[tuple[ArrayLike, ...], ArrayLike]],
    weights: Sequence[ArrayLike] | None = None,
    *,
    variant: Variant = "observed",
    well_sds: Sequence[float] | None = None,
) -> list[Zip]:
    """Score many matrices at once: as `zip_model` would one by one, but several times as fast.

    Parameters
    ----------
    matrices : sequence of (doses, inhibition)
        As in `zip_model`; sizes, doses and gaps may differ.
    weights, well_sds : sequences, optional
        Of each matrix.
    variant : {"observed", "fitted"}
        As in `zip_model`.

    Returns
    -------
    list of Zip
        The same to the last bit as one by one.

    Examples
    --------
    >>> dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0])
    >>> both = 100 * (1 - np.outer(5 / (5 + dose), 5 / (5 + dose)))
    >>> [one.label for one in zip_models([((dose, dose), both), ((dose, dose[:2]), both[:, :2])])]
    ['zip', 'zip_1d']
    """
    return run_together(
        [
            score_zip(
                *one,
                None if weights is None else weights[at],
                variant=variant,
                well_sd=None if well_sds is None else well_sds[at],
            )
            for at, one in enumerate(matrices)
        ]
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

    def refit(asked: Request) -> HillFits:
        fits = observed.fits.take(asked.part)
        return refit_hill(fits, asked.dose, asked.values, asked.weight, start=asked.start)

    steps = _fit_all(matrix, observed.variant, None, observed.pairs, drawn=True)
    alone, conditional, _ = run(steps, refit)
    return *surfaces(matrix, alone, conditional), alone


def score_zip(
    doses: tuple[ArrayLike, ...],
    inhibition: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    variant: Variant = "observed",
    well_sd: float | None = None,
    drugs: tuple[str, ...] | None = None,
) -> Steps[Zip]:
    """Score one matrix as `zip_model` does, asking for fits as it goes."""
    matrix = Matrix.of(doses, np.asarray(inhibition, dtype=np.float64), weight)
    pairs = _pairs(matrix, variant, well_sd)
    alone, conditional, unmeasured = yield from _fit_all(matrix, variant, well_sd, pairs)
    expected, fitted = surfaces(matrix, alone, conditional)
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
        why_not(matrix, curves, alone, expected - fitted, failed, drugs),
        pairs,
    )


def _fit_all(
    matrix: Matrix,
    variant: Variant,
    well_sd: float | None,
    pairs: tuple[Zip, ...],
    drawn: bool = False,
) -> Steps[tuple[HillFits, HillFits, int]]:
    """Ask for the fits of the drugs alone and of the conditional curves.

    Also gives the number of starts that were not measured.
    """
    n_alone = len(matrix.long)
    first = matrix.values[..., n_alone:, 0]
    missing = np.isnan(first) | (variant == "fitted")
    alone, rest = slice(n_alone), slice(n_alone, None)
    free = np.full((*first.shape[:-1], n_alone), np.nan)
    if not missing.any():
        starts = np.concatenate([free, first], axis=-1)
        both = yield _request(matrix, slice(None), starts, well_sd)
        return both.take(alone), both.take(rest), 0
    single = yield _request(matrix, alone, free, well_sd)
    starts = np.where(missing, _fitted_starts(matrix, single, pairs, drawn), first)
    conditional = yield _request(matrix, rest, starts, well_sd)
    # A curve without any start would be fitted as a free one.
    lost = np.isnan(starts)
    if lost.any():
        blank = {name: np.where(lost, np.nan, getattr(conditional, name)) for name in _NUMBERS}
        conditional = HillFits(**blank, status=np.where(lost, "too_few_doses", conditional.status))
    unmeasured = np.isnan(first).any(axis=tuple(range(first.ndim - 1))).sum()
    return single, conditional, int(unmeasured)


_NUMBERS = ("start", "plateau", "midpoint", "slope", "rss", "rmse")


def _request(matrix: Matrix, part: slice, start: Floats, well_sd: float | None) -> Request:
    values = matrix.values[..., part, :]
    # No curve has a range below 0: without a well SD none is inactive.
    return Request(part, matrix.dose[part], values, matrix.weight[part], start, well_sd or 0.0)


def _fitted_starts(matrix: Matrix, alone: HillFits, pairs: tuple[Zip, ...], drawn: bool) -> Floats:
    """Give what the other drugs do without the drug of each conditional curve, by their curves."""
    n_drugs = len(matrix.levels)
    single = single_values(matrix, alone)
    starts = []
    for drug in matrix.long:
        others = [one for one in range(n_drugs) if one != drug]
        if pairs:
            doses, table, counts = without(matrix, drug)
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
    rest = (without(matrix, drug) for drug in range(len(matrix.levels)))
    return tuple(zip_model(*one, variant=variant, well_sd=well_sd) for one in rest)


def _joined(alone: HillFits, conditional: HillFits) -> HillFits:
    pairs = ((getattr(alone, name), getattr(conditional, name)) for name in HillFits.__slots__)
    return HillFits(*(np.concatenate(pair) for pair in pairs))
