"""One dose matrix to the rows of the surface table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from drp.synergy.draws import intervals
from drp.synergy.nulls import FloatArray
from drp.synergy.score import Mask, Scores
from drp.synergy.surface import DoseMatrix


def cell_table(
    matrix: DoseMatrix, scores: Scores, reachable: Mask, ceiling_inhibition: float
) -> dict[str, npt.NDArray[Any]]:
    """Lay out every cell; expectation and excess stand in combination cells only.

    Parameters
    ----------
    matrix : DoseMatrix
        The cells.
    scores : Scores
        Of its combination cells.
    reachable : numpy.ndarray of bool
        True where a patient is known to reach every dose, shape (n_combination_cells,).
    ceiling_inhibition : float
        Expected inhibition above which a cell leaves no room for synergy, %.

    Returns
    -------
    dict of array (n_cells,)
        The columns described in `drp.synergy.score_synergy`.

    Examples
    --------
    See `drp.synergy.score_synergy`, which gives this table.
    """
    both = matrix.is_combination
    excess = scores.observed - scores.bliss
    lo, hi = intervals(excess, scores.drawn - scores.drawn_bliss, scores.df)
    expected = _spread(both, scores.bliss)
    columns = _plan(matrix) | {
        "n_wells": matrix.n_wells,
        "observed": matrix.inhibition,
        "expected_bliss": expected,
        "expected_hsa": _spread(both, scores.hsa),
        "excess_bliss": _spread(both, excess),
        "excess_bliss_lo": _spread(both, lo),
        "excess_bliss_hi": _spread(both, hi),
        "excess_hsa": _spread(both, scores.observed - scores.hsa),
        "expected_loewe": _spread(both, scores.models.loewe.expected),
        "excess_loewe": _spread(both, scores.models.loewe.excess),
        "loewe_defined": _spread(both, scores.models.loewe.defined) == 1,
        "expected_zip": _spread(both, scores.models.zip.expected),
        "excess_zip": _spread(both, scores.models.zip.excess),
        "achievable": _spread(both, reachable) == 1,
        "room": expected <= ceiling_inhibition,
        "reason": _text(_reasons(matrix, scores.fitted)),
    }
    return {name: np.broadcast_to(values, both.shape) for name, values in columns.items()}


def _spread(both: Mask, values: npt.NDArray[Any]) -> FloatArray:
    """Put the values of the combination cells among all cells; null elsewhere."""
    spread = np.full(both.shape, np.nan)
    spread[both] = values
    return spread


def _plan(matrix: DoseMatrix) -> dict[str, Any]:
    """Give what identifies each cell."""
    columns: dict[str, Any] = {
        "sample": _text(matrix.sample),
        "combination": _text(matrix.combination),
        "dose_unit": _text(matrix.dose_unit),
    }
    for i, suffix in enumerate(("", "2", "3")):
        named = i < len(matrix.drugs)
        columns[f"drug{suffix}"] = _text(matrix.drugs[i] if named else "")
        columns[f"dose{suffix}"] = matrix.doses[:, i] if named else np.nan
    return columns


def _text(value: str | list[str]) -> npt.NDArray[Any]:
    return np.array(value, dtype=object)


def _reasons(matrix: DoseMatrix, fitted: Mask) -> list[str]:
    """Say of each cell what is missing, or read off a curve; empty if nothing is."""
    absent = np.isnan(matrix.inhibition)
    reasons = ["no usable well" if lacks else "" for lacks in absent]
    for cell in np.flatnonzero(fitted):
        reasons[cell] = "no usable well; read off the drug's fitted curve"
    lacking = (absent & ~fitted)[matrix.singles]
    for cell, lacks in zip(np.flatnonzero(matrix.is_combination), lacking, strict=True):
        alone = [drug for drug, lack in zip(matrix.drugs, lacks, strict=True) if lack]
        if alone and not absent[cell]:
            reasons[cell] = f"{' and '.join(alone)} alone has no usable well at this dose"
    return reasons
