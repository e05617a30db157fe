"""Loewe, ZIP, CSS and RI of one dose matrix, with the draws that give their intervals."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drp.synergy.draws import Estimate, estimate
from drp.synergy.hill import HillFits
from drp.synergy.loewe import loewe
from drp.synergy.nulls import FloatArray
from drp.synergy.observed import Seen
from drp.synergy.surface import DoseMatrix
from drp.synergy.table import Table, joined, measured_range, redrawn_curves
from drp.synergy.zip import Variant, zip_draws

Mask = npt.NDArray[np.bool_]

# Share of draws in which a model must have a score, for its interval to be given.
ENOUGH_DRAWS = 0.95
NOT_ASKED_FOR = "not asked for"


@dataclass(frozen=True, slots=True)
class ModelScore:
    """What one null model says of the combination cells of a matrix.

    Attributes
    ----------
    expected, excess : numpy.ndarray
        Inhibition expected, %, and the excess over it, points, shape (n_combination_cells,); NaN
        in cells that the model does not score.
    drawn : numpy.ndarray
        The excess of each draw, shape (draws, n_combination_cells).
    defined : numpy.ndarray of bool
        For Loewe, where the equation has a root; else where there is a score.
    variant : str
        Which form of the model.
    reason : str
        Why there is no score, or what stands in for it, in words; empty if neither.
    withheld : float
        Mean excess that is not to be reported, as curves failed; NaN if nothing was withheld.
    """

    expected: FloatArray
    excess: FloatArray
    drawn: FloatArray
    defined: Mask
    variant: str = ""
    reason: str = ""
    withheld: float = np.nan

    def mean(self, cells: Mask, df: float) -> Estimate:
        """Estimate the mean excess over those of some cells that the model scores, points."""
        scored = cells & np.isfinite(self.excess)
        if not scored.any():
            return Estimate()
        value = float(self.excess[scored].mean())
        drawn = self.drawn[:, scored].mean(axis=1)
        kept = drawn[np.isfinite(drawn)]
        return estimate(value, kept, df) if kept.size >= ENOUGH_DRAWS * drawn.size else Estimate()


@dataclass(frozen=True, slots=True)
class Models:
    """The scores of a matrix beyond Bliss and HSA.

    Attributes
    ----------
    loewe, zip : ModelScore
        Synergy, points.
    css : float
        Combination sensitivity score, 0-100; NaN with `css_reason`. Efficacy, not synergy.
    ri : tuple of float
        Relative inhibition of each drug alone, 0-100; NaN with fewer than four doses.
    css_reason : str
        Why there is no CSS, in words.
    over_pair : Estimate
        Of three drugs: mean gain of the triple cells over the best of their pairs, points.
    """

    loewe: ModelScore
    zip: ModelScore
    css: float = np.nan
    ri: tuple[float, ...] = field(default_factory=tuple)
    css_reason: str = ""
    over_pair: Estimate = field(default_factory=Estimate)


def score_models(
    matrix: DoseMatrix, seen: Seen, redrawn: FloatArray, *, df: float, variant: Variant = "observed"
) -> Models:
    """Score a matrix by Loewe and ZIP, once as observed and once per draw, and give CSS and RI.

    Parameters
    ----------
    matrix : DoseMatrix
        The wells.
    seen : Seen
        Its curves as observed, from `drp.synergy.observed.fit_observed`.
    redrawn : numpy.ndarray
        Inhibition of every cell in each draw, %, shape (draws, n_cells): the draws that Bliss and
        HSA are scored on.
    df : float
        Degrees of freedom of the SD of one well.
    variant : {"observed", "fitted"}
        Of ZIP, as in `drp.synergy.observed.fit_observed`.

    Returns
    -------
    Models
        A model that cannot be scored has NaN and a reason.

    Examples
    --------
    See `drp.synergy.score_synergy`, which calls it.
    """
    table, drawn = seen.table, seen.table.fill(redrawn)
    by_zip, alone = _zip(matrix, seen, drawn, variant)
    alone = redrawn_curves(table, seen.curves, drawn) if alone is None else alone
    return Models(
        _loewe(matrix, table, joined(seen.curves), alone, redrawn[:, matrix.is_combination]),
        by_zip,
        np.nan if seen.css is None else seen.css.css,
        seen.ri,
        "CSS is defined for two drugs" if seen.css is None else seen.css.reason,
        _over_pair(table, seen.observed, drawn, df) if len(seen.ri) == 3 else Estimate(),
    )


def no_models(matrix: DoseMatrix, n_draws: int) -> Models:
    """Give the models of a matrix for which none was asked."""
    nothing = _nothing(matrix, n_draws, NOT_ASKED_FOR)
    return Models(nothing, nothing, ri=(np.nan,) * len(matrix.drugs), css_reason=NOT_ASKED_FOR)


def _over_pair(table: Table, observed: FloatArray, drawn: FloatArray, df: float) -> Estimate:
    """Compare triples with the best of their pairs, where all three pairs were measured."""

    def gain(values: FloatArray) -> FloatArray:
        triple = values[..., 1:, 1:, 1:]
        pairs = (
            values[..., 1:, 1:, :1],
            values[..., 1:, :1, 1:],
            values[..., :1, 1:, 1:],
        )
        best = np.maximum(np.maximum(pairs[0], pairs[1]), pairs[2])
        return np.asarray(triple - best).reshape(*values.shape[:-3], -1)

    seen = gain(observed)
    known = np.isfinite(seen)
    if not known.any():
        return Estimate()
    return estimate(float(seen[known].mean()), gain(drawn)[:, known].mean(axis=1), df)


def _nothing(
    matrix: DoseMatrix, n_draws: int, reason: str, variant: str = "", withheld: float = np.nan
) -> ModelScore:
    n_cells = int(matrix.is_combination.sum())
    none = np.full(n_cells, np.nan)
    drawn = np.full((n_draws, n_cells), np.nan)
    return ModelScore(none, none, drawn, np.zeros(n_cells, dtype=bool), variant, reason, withheld)


def _loewe(
    matrix: DoseMatrix,
    table: Table,
    curves: HillFits,
    redrawn: HillFits,
    drawn_cells: FloatArray,
) -> ModelScore:
    short = [name for name, has in zip(matrix.drugs, curves.fitted, strict=True) if not has]
    if short:
        reason = f"Loewe not scored: too few doses for the curve of {' and '.join(short)} alone"
        return _nothing(matrix, len(drawn_cells), reason)
    both = matrix.is_combination
    doses = matrix.doses[both]
    found = loewe(curves, doses)
    # Curves say nothing of doses beyond those at which their drug was measured alone.
    expected = np.where(measured_range(table, matrix, both), found.expected, np.nan)
    excess = matrix.inhibition[both] - expected
    scored = np.isfinite(excess)
    return ModelScore(
        expected,
        excess,
        drawn_cells - loewe(redrawn, doses).expected,
        found.defined & scored,
        "root",
        _stand_in(found.defined[scored]),
    )


def _stand_in(defined: Mask) -> str:
    """Say where the better fitted drug stands in for Loewe."""
    if defined.all():
        return ""
    what = "the better of the fitted drugs stands in"
    if not defined.any():
        return f"Loewe has no root in any cell: {what}"
    return f"Loewe has no root in {np.count_nonzero(~defined)} of {defined.size} cells: {what}"


def _zip(
    matrix: DoseMatrix, seen: Seen, drawn: FloatArray, variant: Variant
) -> tuple[ModelScore, HillFits | None]:
    """Score by ZIP; with it the curves of the drugs alone in every draw, if all have a curve."""
    table, found = seen.table, seen.zip
    if found is None:
        reason = "ZIP not reportable: a diagonal design has no rows and columns to fit"
        return _nothing(matrix, len(drawn), reason, variant), None
    if not found.reportable:
        scored = found.excess[np.isfinite(found.excess)]
        withheld = float(scored.mean()) if scored.size else np.nan
        return _nothing(matrix, len(drawn), found.reason, variant, withheld), None
    both = matrix.is_combination
    expected, fitted, alone = zip_draws(found, table.levels, drawn, table.wells)
    excess = table.cells(found.excess, both)
    notes = [f"ZIP along one drug only ({matrix.design})"] if found.label == "zip_1d" else []
    if found.n_fitted_starts:
        notes.append(f"{found.n_fitted_starts} starts of ZIP's curves read off fitted curves")
    score = ModelScore(
        table.cells(found.expected, both),
        excess,
        table.cells(fitted - expected, both),
        np.isfinite(excess),
        f"{found.label}, {variant}",
        "; ".join(notes),
    )
    return score, alone if alone.start.shape[-1] == len(matrix.drugs) else None
