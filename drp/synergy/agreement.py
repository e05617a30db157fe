"""The models beside Bliss in the row of a combination: scores, notes, and how far they agree."""

from typing import Any

import numpy as np

from drp.synergy.draws import Estimate
from drp.synergy.models import NOT_ASKED_FOR, ModelScore
from drp.synergy.score import Scores
from drp.synergy.surface import DoseMatrix
from drp.synergy.table import Table
from drp.synergy.wording import dose_text

NO_MUSYC = {
    **dict.fromkeys(("musyc_beta", "musyc_alpha12", "musyc_alpha21"), np.nan),
    "musyc_note": "not asked for",
}
MODEL_NAMES = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe", "zip": "ZIP"}


def model_columns(matrix: DoseMatrix, scores: Scores) -> dict[str, Any]:
    """Give the columns of Loewe, ZIP, CSS, RI and the best region, and how the models agree.

    Parameters
    ----------
    matrix, scores
        The wells, and the scores of their combination cells.

    Returns
    -------
    dict
        See `drp.synergy.score_synergy`.

    Examples
    --------
    See `drp.synergy.score_synergy`, which gives these columns.
    """
    models, every = scores.models, scores.scored
    estimates = {
        "bliss": scores.bliss_excess(every),
        "hsa": scores.hsa_excess(every),
        "loewe": models.loewe.mean(every, scores.df),
        "zip": models.zip.mean(every, scores.df),
    }
    columns: dict[str, Any] = models.over_pair.columns("gain_over_pair")
    for name, one in estimates.items():
        columns |= one.columns(name)
    return columns | {
        **_loewe_roots(models.loewe),
        "loewe_note": models.loewe.reason,
        "zip_variant": models.zip.variant,
        "zip_note": models.zip.reason,
        "zip_withheld": models.zip.withheld,
        "css": models.css,
        "css_note": models.css_reason,
        **_relative_inhibition(models.ri),
        **_best_region(matrix, scores),
        "agreement": agreement(estimates),
        "models_note": _models_note(models.loewe, models.zip),
    }


def musyc_columns(matrix: DoseMatrix) -> dict[str, Any]:
    """Fit the MuSyC surface of a pair; null with the reason where there is none.

    Parameters
    ----------
    matrix : DoseMatrix
        The wells.

    Returns
    -------
    dict
        musyc_beta, musyc_alpha12, musyc_alpha21 and musyc_note, which says how the fit ended.

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [1.0, 10], "drug2": "B",
    ...                       "dose2": [5.0, 5], "viability_pct": [40.0, 20]})
    >>> musyc_columns(next(dose_matrices(wells)))["musyc_note"]
    'too_few_cells: 2 of 12 needed'
    """
    from drp.synergy.musyc import fit_musyc

    if len(matrix.drugs) != 2:
        return NO_MUSYC | {"musyc_note": "MuSyC is fitted to two drugs"}
    first, second = matrix.doses.T
    found = fit_musyc(first, second, matrix.inhibition, matrix.n_wells)
    if found.parameters is None:
        return NO_MUSYC | {"musyc_note": found.status}
    return {
        "musyc_beta": found.parameters.beta,
        "musyc_alpha12": found.parameters.alpha12,
        "musyc_alpha21": found.parameters.alpha21,
        "musyc_note": found.status,
    }


def _loewe_roots(loewe: ModelScore) -> dict[str, float]:
    scored = np.isfinite(loewe.excess)
    roots = scored & loewe.defined
    return {
        "loewe_defined": float(roots.sum() / scored.sum()) if scored.any() else np.nan,
        "loewe_at_roots": float(loewe.excess[roots].mean()) if roots.any() else np.nan,
    }


def _relative_inhibition(ri: tuple[float, ...]) -> dict[str, float]:
    each = (*ri, *[np.nan] * (3 - len(ri)))
    known = [value for value in ri if np.isfinite(value)]
    return {
        "ri": max(known) if known else np.nan,
        **dict(zip(("ri_drug", "ri_drug2", "ri_drug3"), each, strict=True)),
    }


def _best_region(matrix: DoseMatrix, scores: Scores) -> dict[str, Any]:
    region = scores.region
    if not region.first:
        return {"best_region": np.nan, "best_region_p": np.nan, "best_region_doses": ""}
    ranges = [
        f"{drug} {dose_text(float(level[low + 1]))}–{dose_text(float(level[high + 1]))}"
        for drug, level, low, high in zip(
            matrix.drugs, Table.of(matrix, 0).levels, region.first, region.last, strict=True
        )
    ]
    where = f"{' + '.join(ranges)} {matrix.dose_unit}"
    return {
        "best_region": region.value,
        "best_region_p": region.p,
        "best_region_doses": where,
    }


def agreement(estimates: dict[str, Estimate]) -> str:
    """Say how many models see more or less than they expect, each by its own interval.

    Parameters
    ----------
    estimates : dict of Estimate
        Mean excess by model; NaN where a model was not scored.

    Returns
    -------
    str
        Names of the models that see more, less or neither, and those not scored.

    Examples
    --------
    >>> more, neither = Estimate(9.0, 2.0, 5.0, 13.0, 0.01), Estimate(1.0, 2.0, -3.0, 5.0, 0.6)
    >>> agreement({"bliss": more, "loewe": more, "zip": neither, "hsa": Estimate()})
    '2 of 3 models see more than they expect (Bliss, Loewe); neither: ZIP; not scored: HSA'
    """
    groups: dict[str, list[str]] = {"more": [], "less": [], "neither": [], "none": []}
    for name, one in estimates.items():
        kind = "none" if np.isnan(one.value) or np.isnan(one.lo) else "neither"
        kind = "more" if one.lo > 0 else "less" if one.hi < 0 else kind
        groups[kind].append(MODEL_NAMES[name])
    count = len(estimates) - len(groups["none"])
    parts = [
        f"{len(names)} of {count} models see{'s' * (len(names) == 1)} {kind} than "
        f"{'it expects' if len(names) == 1 else 'they expect'} ({', '.join(names)})"
        for kind, names in groups.items()
        if names and kind in ("more", "less")
    ]
    parts += [f"neither: {', '.join(groups['neither'])}"] if groups["neither"] else []
    parts += [f"not scored: {', '.join(groups['none'])}"] if groups["none"] else []
    return "; ".join(parts)


def _models_note(loewe: ModelScore, zip_: ModelScore) -> str:
    """Say what the models beside Bliss could not do, and what stands in."""
    if loewe.reason == zip_.reason == NOT_ASKED_FOR:
        return "Loewe and ZIP were not asked for"
    notes = [one.reason for one in (loewe, zip_) if one.reason]
    if np.isnan(zip_.excess).all():
        notes.append("Bliss on the data stands")
    return "; ".join(notes)
