"""Calls: which drugs stand out, and how sure that is.

Three statements are kept apart and printed beside each call: the *data* (did sample, plate and
curve pass?), the *rank* (where does the sample stand among reference samples of the same assay?)
and the *exposure* (is the effect at a concentration a patient reaches?). The call follows from the
three, and its probability from draws of the well noise and of the reference.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.tables import CALLS, check

Values = NDArray[np.float64]
SENSITIVE, INTERMEDIATE, NOT_SENSITIVE, NOT_EVALUABLE = CALLS
_MAD_TO_SD = 1.4826
_LEAST_SD = 1.0  # points of AUC; a reference is never taken to be narrower than this
_NORMAL_95 = 1.959963984540054
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
    return _ranked(curve, drug, reference, settings, seed)


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


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a sample stands for one drug; arrays where each draw has its own."""

    z: Any
    percentile: Any
    distance: Any  # reference median minus AUC, points
    at_peak: Any  # viability at the plasma peak, %; NaN where the exposure is unknown
    active: bool
    n: int
    cut: float


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
    standing = _stand(curve["auc"], reference[None, :], at_peak, _active(curve), cut)
    call = str(_decide(standing, settings)[0])
    drawn = _drawn(curve, reference, standing, settings, seed)
    note = " (provisional: few reference samples)" if provisional else ""
    return _Verdict(
        call=call,
        reason=_reason(call, standing, settings, note) + _limitation(drug),
        data="",
        rank=f"{_words(standing)}, z {float(standing.z[0]):.1f}{note}",
        exposure=exposure,
        rank_status="provisional" if provisional else "established",
        probability=float(np.mean(_decide(drawn, settings) == call)),
        z=float(standing.z[0]),
        percentile=float(standing.percentile[0]),
        n_reference=n,
    )


def _stand(auc: Any, references: Values, at_peak: Any, active: bool, cut: float) -> _Standing:
    """Rank AUCs, each against its row of `references`."""
    centre, spread = centre_and_spread(references)
    distance = centre - np.asarray(auc)
    below = references > np.asarray(auc).reshape(-1, 1)
    return _Standing(
        z=distance / spread,
        percentile=100 * np.mean(below, axis=1),
        distance=distance,
        at_peak=at_peak,
        active=active,
        n=references.shape[1],
        cut=cut,
    )


def z_cut(n: int, z: float, established: int) -> float:
    """Give the z a sample must reach: with a small reference, its small-sample prediction limit.

    With n reference samples a new value lies beyond ``t(n - 1) sqrt(1 + 1/n)`` spreads as rarely as
    beyond `z` spreads of a known normal distribution. From `established` samples on, `z` itself.

    >>> z_cut(30, 1.0, 20)
    1.0
    >>> round(z_cut(10, 1.0, 20), 2)
    1.11
    """
    if n >= established:
        return z
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(n - 1, ndtr(z)) * np.sqrt(1 + 1 / n))


def centre_and_spread(values: Values) -> tuple[Values, Values]:
    """Give median and 1.4826 MAD of each row, the latter never below one point of AUC.

    >>> centre_and_spread(np.array([[80.0, 90.0, 100.0]]))
    (array([90.]), array([14.826]))
    """
    centre = np.median(values, axis=1)
    spread = _MAD_TO_SD * np.median(np.abs(values - centre[:, None]), axis=1)
    return centre, np.maximum(spread, _LEAST_SD)


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


def _decide(standing: _Standing, settings: Mapping[str, Any]) -> NDArray[np.str_]:
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


def _strong(standing: _Standing, settings: Mapping[str, Any]) -> Any:
    return standing.active & (np.asarray(standing.at_peak) <= settings["strong_at_cmax"])


def _drawn(
    curve: Mapping[str, Any],
    reference: Values,
    standing: _Standing,
    settings: Mapping[str, Any],
    seed: int,
) -> _Standing:
    """Draw the well noise of AUC and viability at Cmax, and the reference sample, together."""
    draws, n = int(settings["draws"]), len(reference)
    generator = np.random.default_rng(_seed(seed, curve["sample"], curve["drug"]))
    noise = generator.standard_normal(draws)
    auc = curve["auc"] + noise * _spread(curve, "auc")
    picked = reference[generator.integers(0, n, (draws, n))]
    at_peak = standing.at_peak + noise * _spread(curve, "viability_at_cmax")
    return _stand(auc, picked, at_peak, standing.active, standing.cut)


def _spread(curve: Mapping[str, Any], measure: str) -> float:
    """Standard error that a 95 % interval stands for; 0 where there is none."""
    width = float(curve[f"{measure}_hi"] - curve[f"{measure}_lo"])
    return 0.0 if np.isnan(width) else width / (2 * _NORMAL_95)


def _reason(call: str, standing: _Standing, settings: Mapping[str, Any], note: str) -> str:
    rank = f"{_words(standing)}{note}"
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


def _middle_reason(standing: _Standing, settings: Mapping[str, Any], rank: str) -> str:
    if standing.at_peak > settings["viability_at_cmax"]:
        return f"{rank}, but only above the reachable concentration"
    if _strong(standing, settings):
        return f"strong effect at a reachable concentration, but usual for this drug; {rank}"
    return f"{rank}: beyond the usual spread, short of the {settings['percentile']:g} % cut"


def _words(standing: _Standing) -> str:
    share = float(standing.percentile[0])
    return f"more sensitive than {share:.0f} % of {standing.n} reference samples"


def _limitation(drug: DrugFacts) -> str:
    return f"; limited ex vivo: {drug.caveat}" if drug.exvivo == "limited" else ""


def _seed(seed: int, sample: str, drug: str) -> int:
    digest = hashlib.sha256(f"{seed}\0{sample}\0{drug}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
