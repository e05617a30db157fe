"""Calls: which drugs stand out, and how sure that is.

Three statements are kept apart and printed beside each call: the *data* (did sample, plate and
curve pass?), the *rank* (where does the sample stand among reference samples of the same assay?)
and the *exposure* (is the effect at a concentration a patient reaches?). The call follows from the
three, and its probability from draws of the well noise and of the reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.standing import Standing, Values, draw, rank_words, stand, z_cut
from drp.tables import CALLS, check

SENSITIVE, INTERMEDIATE, NOT_SENSITIVE, NOT_EVALUABLE = CALLS
_SAME_DOSE = 0.01  # relative difference up to which two dose limits are the same


@dataclass(frozen=True, slots=True)
class DrugFacts:
    """What is known of a drug apart from the plate.

    `exvivo` is ``yes``, ``limited``, ``no`` or empty (not in the drug table); `caveat` says why;
    `cmax` is the verified total peak plasma level in the dose unit, NaN if there is none, then
    `cmax_reason` says why; `free` gives the unbound part of it in words, if known.
    """

    exvivo: str = ""
    caveat: str = ""
    cmax: float = float("nan")
    cmax_reason: str = "no verified plasma level"
    free: str = ""


@dataclass(frozen=True, slots=True)
class _Verdict:
    call: str
    reason: str
    data: str
    rank: str = ""
    exposure: str = ""
    rank_status: str = "none"
    probability: float = float("nan")
    z: float = float("nan")
    percentile: float = float("nan")
    n_reference: int = 0


def make_calls(
    curves: pd.DataFrame,
    samples: pd.DataFrame,
    plates: pd.DataFrame,
    members: pd.DataFrame,
    facts: Mapping[str, DrugFacts],
    settings: Mapping[str, Any],
    *,
    seed: int,
) -> pd.DataFrame:
    """Call every drug of every sample.

    Parameters
    ----------
    curves : DataFrame
        Table `curves`, with the column plates: the plates the curve rests on, joined by ``;``.
    samples : DataFrame
        One row per sample: sample, assay, verdict, reasons.
    plates : DataFrame
        Table `quality`.
    members : DataFrame
        The reference, one row per reference sample and drug (`drp.cohort`).
    facts : mapping
        Drug name in lower case → `DrugFacts`; a drug not in it counts as unknown.
    settings : mapping
        `drp.config.CallSettings` with `minimum` and `established` of `drp.config.CohortSettings`.
    seed : int
        Seeds the draws, together with the ids of sample and drug: other samples never change them.

    Returns
    -------
    DataFrame
        Table `calls`. Further columns: uncertain (true below `certain`), rank_status
        (``established``, ``provisional`` or ``none``), data, rank (the other two statements) and
        caveat. A drug that is not evaluable has a reason and no number.
    """
    quality_of = {
        row["sample"]: {str(column): value for column, value in row.items()}
        for row in samples.to_dict("records")
    }
    failed = plates[plates["verdict"] == "fail"]
    failed_plates = dict(zip(failed["plate"], failed["reasons"], strict=True))
    keys = [members["assay"], members["drug"].str.casefold(), members["dose_unit"]]
    references = {
        (str(assay), str(drug), str(unit)): group
        for (assay, drug, unit), group in members.groupby(keys, sort=False)
    }
    rows = []
    for record in curves.sort_values(["sample", "drug"]).to_dict("records"):
        curve = {str(column): value for column, value in record.items()}
        sample = quality_of[curve["sample"]]
        drug = facts.get(curve["drug"].casefold(), DrugFacts())
        reference = _comparable(references, curve, str(sample["assay"]))
        verdict = _call(curve, sample, failed_plates, drug, reference, settings, seed)
        rows.append({"sample": curve["sample"], "drug": curve["drug"]} | _row(verdict, settings))
    columns = None if rows else [*_row(_Verdict("", "", ""), settings), "sample", "drug"]
    return check(_typed(pd.DataFrame(rows, columns=columns)), "calls")


def _typed(calls: pd.DataFrame) -> pd.DataFrame:
    if len(calls):
        return calls
    numbers = ("probability", "z", "percentile")
    kinds = {column: "float64" if column in numbers else "str" for column in calls.columns}
    return calls.astype(kinds | {"n_reference": "int64", "uncertain": "bool"})


def _row(verdict: _Verdict, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "call": verdict.call,
        "probability": verdict.probability,
        "z": verdict.z,
        "percentile": verdict.percentile,
        "n_reference": verdict.n_reference,
        "exposure": verdict.exposure,
        "reason": verdict.reason,
        "uncertain": bool(verdict.probability < settings["certain"]),
        "rank_status": verdict.rank_status,
        "data": verdict.data,
        "rank": verdict.rank,
    }


def _comparable(
    references: Mapping[tuple[str, str, str], pd.DataFrame], curve: Mapping[str, Any], assay: str
) -> Values:
    """AUCs of the same assay, drug, unit and dose range, without the sample itself; ascending."""
    members = references.get((assay, curve["drug"].casefold(), curve["dose_unit"]))
    if members is None:
        return np.empty(0)
    same = (
        (members["sample"].to_numpy() != curve["sample"])
        & np.isclose(members["dose_min"], curve["dose_min"], rtol=_SAME_DOSE, atol=0)
        & np.isclose(members["dose_max"], curve["dose_max"], rtol=_SAME_DOSE, atol=0)
    )
    values = members["auc"].to_numpy(float)[same]
    return np.sort(values[~np.isnan(values)])


def _call(
    curve: Mapping[str, Any],
    sample: Mapping[str, Any],
    failed_plates: Mapping[str, str],
    drug: DrugFacts,
    reference: Values,
    settings: Mapping[str, Any],
    seed: int,
) -> _Verdict:
    obstacle = _obstacle(curve, sample, failed_plates, drug)
    if obstacle:
        return _Verdict(NOT_EVALUABLE, obstacle, data=obstacle)
    if len(reference) < settings["minimum"]:
        reason = (
            f"no reference: {len(reference)} comparable samples of the {settings['minimum']} needed"
        )
        return _Verdict(NOT_EVALUABLE, reason, data="curve passes", rank=reason)
    state = "with warnings" if sample["verdict"] == "warn" else "pass"
    data = f"the curve passes, sample and plates {state}"
    return replace(_ranked(curve, drug, reference, settings, seed), data=data)


def _obstacle(
    curve: Mapping[str, Any],
    sample: Mapping[str, Any],
    failed_plates: Mapping[str, str],
    drug: DrugFacts,
) -> str:
    """Why nothing can be said of this drug, or nothing."""
    if sample["verdict"] == "fail":
        return f"the sample failed quality control: {sample['reasons']}"
    for plate in str(curve["plates"]).split(";"):
        if plate in failed_plates:
            return f"plate {plate} failed quality control: {failed_plates[plate]}"
    if drug.exvivo == "no":
        return f"cannot be read in this assay: {drug.caveat}"
    if curve["shape"] == "none" or np.isnan(curve["auc"]):
        return f"no curve: {curve['flags'].replace('_', ' ') or 'too few readings'}"
    if np.isnan(curve["auc_lo"]) or np.isnan(curve["auc_hi"]):
        return "too few wells to say how sure the curve is"
    return ""


def _ranked(
    curve: Mapping[str, Any],
    drug: DrugFacts,
    reference: Values,
    settings: Mapping[str, Any],
    seed: int,
) -> _Verdict:
    n = len(reference)
    provisional = n < settings["established"]
    cut = z_cut(n, settings["z"], settings["established"])
    exposure, at_peak = _exposure(curve, drug, settings["viability_at_cmax"])
    standing = stand(curve["auc"], reference[None, :], at_peak, _active(curve), cut)
    call = str(_decide(standing, settings)[0])
    drawn = draw(curve, reference, standing, draws=int(settings["draws"]), seed=seed)
    note = " (provisional: few reference samples)" if provisional else ""
    return _Verdict(
        call=call,
        reason=_reason(call, standing, settings, note) + _limitation(drug),
        data="",
        rank=f"{rank_words(standing)}, z {float(standing.z[0]):.1f}{note}",
        exposure=exposure,
        rank_status="provisional" if provisional else "established",
        probability=float(np.mean(_decide(drawn, settings) == call)),
        z=float(standing.z[0]),
        percentile=float(standing.percentile[0]),
        n_reference=n,
    )


def _active(curve: Mapping[str, Any]) -> bool:
    return bool(curve["shape"] == "decreasing" and "flat" not in curve["flags"].split(";"))


def _exposure(curve: Mapping[str, Any], drug: DrugFacts, limit: float) -> tuple[str, float]:
    """What is known of the effect at the plasma peak: in words, and as viability or NaN."""
    at_peak = float(curve["viability_at_cmax"])
    if np.isnan(drug.cmax) or np.isnan(at_peak):
        return f"exposure unknown: {drug.cmax_reason}", float("nan")
    unit = curve["dose_unit"]
    total = f"{_dose(drug.cmax)} {unit}" + (f" ({drug.free} free)" if drug.free else "")
    words = f"{at_peak:.0f} % viable at the plasma peak of {total}"
    if "cmax_outside_range" in curve["flags"].split(";"):
        nearest = curve["dose_max"] if drug.cmax > curve["dose_max"] else curve["dose_min"]
        words += f", read at {_dose(nearest)} {unit}, the nearest dose tested"
        if drug.cmax < curve["dose_min"] and at_peak <= limit:
            # an effect at a dose above the peak says nothing about the peak itself
            return f"exposure unknown: {words}", float("nan")
    return words, at_peak


def _dose(value: float) -> str:
    """Three significant digits, thousands marked: 2,420."""
    return f"{float(f'{value:.3g}'):,.15g}"


def _decide(standing: Standing, settings: Mapping[str, Any]) -> NDArray[np.str_]:
    """The call of each row of a standing.

    A rank beyond the cuts is sensitive unless the effect lies above the reachable concentration. A
    strong effect at a reachable concentration is never "not sensitive", however usual it is.
    """
    far = (standing.z >= standing.cut) & (standing.distance >= settings["auc_difference"])
    beyond = far & standing.active
    ranks = standing.percentile >= settings["percentile"]
    contradicted = np.asarray(standing.at_peak) > settings["viability_at_cmax"]
    sensitive = beyond & ranks & ~contradicted
    middle = beyond | _strong(standing, settings)
    calls = np.where(sensitive, SENSITIVE, np.where(middle, INTERMEDIATE, NOT_SENSITIVE))
    return np.asarray(calls, dtype=np.str_)


def _strong(standing: Standing, settings: Mapping[str, Any]) -> Any:
    return standing.active & (np.asarray(standing.at_peak) <= settings["strong_at_cmax"])


def _reason(call: str, standing: Standing, settings: Mapping[str, Any], note: str) -> str:
    rank = f"{rank_words(standing)}{note}"
    if call == SENSITIVE and np.isnan(standing.at_peak):
        return f"{rank}; exposure unknown"
    if call == SENSITIVE:
        return f"{rank}; the effect lies at a reachable concentration"
    if call == INTERMEDIATE:
        return _middle_reason(standing, settings, rank)
    if not standing.active:
        return f"no effect on these cells over the tested doses; {rank}"
    if standing.z[0] >= standing.cut:
        return f"too close to the reference to matter; {rank}"
    return (
        f"within the usual spread; {rank}" if standing.z[0] > 0 else f"not more than usual; {rank}"
    )


def _middle_reason(standing: Standing, settings: Mapping[str, Any], rank: str) -> str:
    if standing.at_peak > settings["viability_at_cmax"]:
        return f"{rank}, but only above the reachable concentration"
    if _strong(standing, settings):
        return f"strong effect at a reachable concentration, but usual for this drug; {rank}"
    return f"{rank}: beyond the usual spread, short of the {settings['percentile']:g} % cut"


def _limitation(drug: DrugFacts) -> str:
    return f"; limited ex vivo: {drug.caveat}" if drug.exvivo == "limited" else ""
