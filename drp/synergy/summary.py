"""One dose matrix to one row of the synergy table: scores, call and reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drp.synergy.agreement import model_columns
from drp.synergy.certainty import call_probability
from drp.synergy.draws import Estimate
from drp.synergy.flags import disagreeing, find_flags, n_over_120
from drp.synergy.noise import Noise
from drp.synergy.score import Mask, Scores
from drp.synergy.surface import DoseMatrix
from drp.synergy.verdict import Evidence, Limits, classify_excess, make_call
from drp.synergy.wording import count_cells, dose_text, signed, whole

# 80 % power at a two-sided 5 % level: (1.96 + 0.84) standard errors.
_POWER_FACTOR = 2.8
# Cmax and doses that were converted from other units differ in the last digits.
_SAME_DOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Reach:
    """Which combination cells a patient can reach.

    Attributes
    ----------
    cells : numpy.ndarray of bool
        True where every dose is at or below its drug's Cmax, shape (n_combination_cells,).
    unknown : str
        Why that is not known, in words, and then no cell is marked; else empty.
    """

    cells: Mask
    unknown: str


def find_reach(matrix: DoseMatrix, cmax: Mapping[str, float]) -> Reach:
    """Compare the doses of a matrix with the plasma levels of its drugs.

    Parameters
    ----------
    matrix : DoseMatrix
        The doses.
    cmax : mapping of str to float
        Highest plasma level in nM by drug name in lower case. A drug that is not there, or has
        no positive level, is unknown; nothing is assumed for it.

    Returns
    -------
    Reach

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [1.0, 10], "drug2": "B",
    ...                       "dose2": [5.0, 5], "viability_pct": [40.0, 20]})
    >>> matrix = next(dose_matrices(wells))
    >>> find_reach(matrix, {"a": 3.0, "b": 100.0})
    Reach(cells=array([ True, False]), unknown='')
    >>> find_reach(matrix, {"a": 3.0}).unknown
    'no plasma peak known for B'
    """
    peaks = np.array([cmax.get(drug.lower(), np.nan) for drug in matrix.drugs], dtype=np.float64)
    known = np.isfinite(peaks) & (peaks > 0)
    missing = [drug for drug, has in zip(matrix.drugs, known.tolist(), strict=True) if not has]
    unknown = f"no plasma peak known for {' and '.join(missing)}" if missing else ""
    if matrix.dose_unit != "nM":
        unknown = f"doses in {matrix.dose_unit} cannot be compared with plasma levels in nM"
    doses = matrix.doses[matrix.is_combination]
    cells = (doses <= peaks * (1 + _SAME_DOSE)).all(axis=1) & (unknown == "")
    return Reach(np.asarray(cells), unknown)


def summarise(
    matrix: DoseMatrix, scores: Scores, reach: Reach, noise: Noise, limits: Limits
) -> dict[str, Any]:
    """Give the row of the synergy table for one combination in one sample.

    Parameters
    ----------
    matrix, scores, reach, noise
        The wells, the scores of their combination cells, which of those a patient can reach,
        and the SD of one well.
    limits : Limits
        Where the calls change.

    Returns
    -------
    dict
        The columns described in `drp.synergy.score_synergy`, but for p_fdr.

    Examples
    --------
    See `drp.synergy.score_synergy`, which gives one such row per sample and combination.
    """
    apart = disagreeing(matrix, noise)
    flags = find_flags(matrix)
    flags += ["single_agents_disagree"] * bool(apart)
    flags += ["single_agents_elsewhere"] * bool(matrix.borrowed)
    flags += ["single_agents_fitted"] * bool(scores.fitted.any())
    row = _describe(matrix, scores, limits) | {"flags": ";".join(flags)}
    row |= _achievable(matrix, scores, reach, limits)
    row |= _verdict(matrix, scores, reach, limits, flags)
    high = f"{row['n_over_120']} of {row['n_wells']} wells are above 120 % viability"
    notes = [
        _beyond_reach(scores, reach, str(row["call"]), limits),
        f"{high}: review the plate." if "viability_over_120" in flags else "",
        _single_agents(matrix, apart, scores.fitted),
        f"Noise: {noise.note}." if noise.note else "",
    ]
    row["reason"] = " ".join(filter(None, [row["reason"], *notes]))
    return row | {"noise_sd": noise.well, "noise_df": noise.df}


def _single_agents(matrix: DoseMatrix, apart: list[str], fitted: Mask) -> str:
    """Say which single agents come from elsewhere or off a curve, and which disagree."""
    notes = []
    if matrix.borrowed:
        notes.append(
            f"{' and '.join(matrix.borrowed)} alone: from the sample's other wells, as the plates "
            "of the combination lack them."
        )
    by_drug = zip(matrix.drugs, matrix.doses.T, strict=True)
    read = [drug for drug, doses in by_drug if (fitted & (doses > 0)).any()]
    if read:
        count = int(np.count_nonzero(fitted))
        at = "one dose" if count == 1 else f"{count} doses"
        notes.append(f"{' and '.join(read)} alone at {at}: read off the fitted curve.")
    if apart:
        notes.append(
            f"{' and '.join(apart)} alone does something else here than in the sample's other "
            "wells: review both plates."
        )
    return " ".join(notes)


def _describe(matrix: DoseMatrix, scores: Scores, limits: Limits) -> dict[str, Any]:
    """Say what was measured, and the scores over all combination cells."""
    names = (*matrix.drugs, "")
    bliss = scores.bliss_excess(scores.scored)
    return {
        "sample": matrix.sample,
        "combination": matrix.combination,
        **{f"drug{suffix}": names[i] for i, suffix in enumerate(("", "2", "3"))},
        "design": matrix.design,
        "dose_unit": matrix.dose_unit,
        "doses": "; ".join(_dose_range(matrix, drug) for drug in range(len(matrix.drugs))),
        "n_wells": len(matrix.viability),
        "n_cells": int(scores.scored.sum()),
        "n_missing": int((~scores.scored).sum()),
        "n_over_120": n_over_120(matrix),
        "best_cell": _best_cell(matrix, scores),
        "bliss_se": bliss.se,
        "probability_positive": scores.probability_over(scores.scored, 0.0),
        "probability_synergistic": scores.probability_over(
            scores.scored, limits.synergistic_excess
        ),
        "detectable_excess": _POWER_FACTOR * bliss.se,
        **model_columns(matrix, scores),
    }


def _dose_range(matrix: DoseMatrix, drug: int) -> str:
    doses = np.unique(matrix.doses[matrix.doses[:, drug] > 0, drug])
    if not doses.size:
        return f"{matrix.drugs[drug]} at no dose"
    ends = " to ".join(dict.fromkeys((dose_text(doses[0]), dose_text(doses[-1]))))
    count = f" ({doses.size} doses)" if doses.size > 1 else ""
    return f"{matrix.drugs[drug]} {ends} {matrix.dose_unit}{count}"


def _best_cell(matrix: DoseMatrix, scores: Scores) -> str:
    """Name the cell with the largest Bliss excess; empty if none was scored."""
    if not scores.scored.any():
        return ""
    excess = scores.observed - scores.bliss
    best = int(np.nanargmax(excess))
    doses = matrix.doses[matrix.is_combination][best].tolist()
    pairs = zip(matrix.drugs, doses, strict=True)
    named = " + ".join(f"{drug} {dose_text(dose)} {matrix.dose_unit}" for drug, dose in pairs)
    return f"{named}: {signed(float(excess[best]))} points"


def _achievable(matrix: DoseMatrix, scores: Scores, reach: Reach, limits: Limits) -> dict[str, Any]:
    """Average the Bliss excess over the cells a patient can reach, if there are enough."""
    near = scores.scored & reach.cells
    count, everywhere = int(near.sum()), int(scores.scored.sum())
    enough = count >= limits.min_cells
    note = f"{count} of {count_cells(everywhere, len(matrix.drugs))} within reach"
    return {
        **(scores.bliss_excess(near) if enough else Estimate()).columns("achievable_bliss"),
        "n_achievable": count,
        "limits_known": not reach.unknown,
        "achievable_note": reach.unknown or (note if enough else f"{note}: too few to average"),
    }


def _verdict(
    matrix: DoseMatrix, scores: Scores, reach: Reach, limits: Limits, flags: list[str]
) -> dict[str, Any]:
    """Call the combination on the cells a patient can reach, or on all if that is not known."""
    cells = scores.scored if reach.unknown else scores.scored & reach.cells
    inhibition, gain = scores.inhibition(cells), scores.hsa_excess(cells)
    count = count_cells(int(cells.sum()), len(matrix.drugs))
    evidence = Evidence(
        bliss=scores.bliss_excess(cells),
        gain=gain,
        inhibition=inhibition,
        n_cells=int(cells.sum()),
        n_ceiling=int((scores.bliss[cells] > limits.ceiling_inhibition).sum()),
        saturated=_saturated(matrix, limits),
        cells=f"all {count}" if reach.unknown else f"the {count} a patient can reach",
        gap=_gap(matrix, scores, reach, limits),
        flags=tuple(flags),
    )
    assessable, call, reason = make_call(evidence, limits)
    return {
        **inhibition.columns("mean_inhibition"),
        **gain.columns("gain"),
        "assessable": assessable,
        "call": call,
        "probability": call_probability(call, *scores.may_be(cells), limits)
        if assessable
        else float("nan"),
        "reason": reason,
    }


def _gap(matrix: DoseMatrix, scores: Scores, reach: Reach, limits: Limits) -> str:
    """Say what would be missing if there were too few cells for a call."""
    everywhere = int(scores.scored.sum())
    if everywhere >= limits.min_cells:
        within = int((scores.scored & reach.cells).sum())
        few = f"only {within}" if within else "none"
        lie = "is" if within < 2 else "are"
        every = count_cells(everywhere, len(matrix.drugs))
        return f"{few} of the {every} {lie} at doses a patient can reach"
    lacking = (np.isnan(matrix.inhibition) & ~scores.fitted)[matrix.singles]
    alone = [drug for i, drug in enumerate(matrix.drugs) if lacking[:, i].any()]
    why = f"; {' and '.join(alone)} alone was not measured at every dose" if alone else ""
    return f"{count_cells(everywhere, len(matrix.drugs))} could be scored{why}"


def _saturated(matrix: DoseMatrix, limits: Limits) -> str:
    """Name a single agent that leaves no room for synergy at its lowest dose already."""
    inhibition = matrix.inhibition
    for drug, name in enumerate(matrix.drugs):
        others = np.delete(matrix.doses, drug, axis=1)
        alone = np.flatnonzero((others == 0).all(axis=1) & (matrix.doses[:, drug] > 0))
        if alone.size and inhibition[alone[0]] > limits.ceiling_inhibition:
            dose = f"{dose_text(float(matrix.doses[alone[0], drug]))} {matrix.dose_unit}"
            share = whole(float(inhibition[alone[0]]))
            return f"{name} alone inhibits {share} % at its lowest dose ({dose}) already"
    return ""


def _beyond_reach(scores: Scores, reach: Reach, call: str, limits: Limits) -> str:
    """Say how the scores over all doses compare with those a patient can reach."""
    if reach.unknown:
        return f"Which doses a patient can reach is not known: {reach.unknown}."
    if not (scores.scored & ~reach.cells).any():
        return ""
    bliss = scores.bliss_excess(scores.scored)
    numbers = f"{signed(bliss.value)} points ({signed(bliss.lo)} to {signed(bliss.hi)})"
    if classify_excess(bliss, limits) == "synergistic" and "synergistic" not in call:
        return f"Synergy only above reachable doses: Bliss excess over all doses {numbers}."
    return f"Over all doses the Bliss excess is {numbers}."
