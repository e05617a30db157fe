"""Calls: which drugs stand out, and how sure that is.

Three statements are kept apart and printed beside each call: the *data* (did sample, plate and
curve pass?), the *rank* (where does the sample stand among reference samples of the same assay?)
and the *exposure* (is the effect at a concentration a patient reaches?). The call follows from the
three, and its probability from draws of the noise of wells and controls and of the reference. Over
the panel of a sample the false discovery rate is held: of the drugs called sensitive no more than a
stated share is expected not to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.deconvolution import (
    Deconvolved,
    Values,
    copies_of,
    deconvolve,
    resamples_without,
)
from drp.panel import expected_false, ties
from drp.standing import (
    SAME_DOSE,
    Standing,
    auc_over,
    control_errors,
    draw,
    errors_of,
    rank_words,
    stand,
    z_cut,
)
from drp.tables import CALLS, check

SENSITIVE, INTERMEDIATE, NOT_SENSITIVE, NOT_EVALUABLE = CALLS
# An area known no better than this (95 % interval, points) is not known: no curve is identified.
WIDEST_AREA = 60.0
_CURVE = ("dose_min", "dose_max", "auc", "top", "bottom", "slope", "ec50")


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
    p_sensitive: float = float("nan")
    p_intermediate: float = float("nan")
    z_drawn: tuple[float, float] = (float("nan"), float("nan"))
    expected_false: float = float("nan")
    tied_with: str = ""


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
        (``established``, ``provisional`` or ``none``), data, rank (the other two statements),
        p_sensitive (share of draws in which the rule says sensitive), expected_false (false
        discovery rate of calling this drug and all surer ones of the sample; NaN for drugs whose
        values do not ask for the call) and tied_with (drugs called sensitive whose rank cannot be
        told apart, joined by ``;``). A drug that is not evaluable has a reason and no number.
    """
    quality_of = {
        row["sample"]: {str(column): value for column, value in row.items()}
        for row in samples.to_dict("records")
    }
    failed = plates[plates["verdict"] == "fail"]
    failed_plates = dict(zip(failed["plate"], failed["reasons"], strict=True))
    references = _References(members, seed)
    records = [
        {str(column): value for column, value in record.items()}
        for record in curves.sort_values(["sample", "drug"]).to_dict("records")
    ]
    controls = control_errors(
        {str(column): value for column, value in row.items()} for row in plates.to_dict("records")
    )
    panels: dict[str, dict[str, _Verdict]] = {}
    for curve, error in zip(records, errors_of(records, controls), strict=True):
        sample = quality_of[curve["sample"]]
        drug = facts.get(curve["drug"].casefold(), DrugFacts())
        obstacle = _obstacle(curve, sample, failed_plates, drug)
        reference = references.comparable(curve, str(sample["assay"]))
        verdict = _call(curve | {"error": error}, obstacle, sample, drug, reference, settings, seed)
        panels.setdefault(curve["sample"], {})[curve["drug"]] = verdict
    rows = [
        {"sample": sample, "drug": drug} | _row(verdict, settings)
        for sample, panel in panels.items()
        for drug, verdict in _with_ties(_controlled(panel, settings), settings).items()
    ]
    columns = None if rows else [*_row(_Verdict("", "", ""), settings), "sample", "drug"]
    return check(_typed(pd.DataFrame(rows, columns=columns)), "calls")


def _controlled(panel: Mapping[str, _Verdict], settings: Mapping[str, Any]) -> dict[str, _Verdict]:
    """Take back the least sure calls of a panel until the false discovery rate is held."""
    asked = {drug: v.p_sensitive for drug, v in panel.items() if v.call == SENSITIVE}
    rates = expected_false(asked)
    return {
        drug: _taken_back(verdict, rates[drug], settings) if drug in rates else verdict
        for drug, verdict in panel.items()
    }


def _taken_back(verdict: _Verdict, rate: float, settings: Mapping[str, Any]) -> _Verdict:
    if rate <= settings["false_discovery_rate"]:
        return replace(verdict, expected_false=rate)
    share = f"{100 * verdict.p_sensitive:.0f} %"
    return replace(
        verdict,
        call=INTERMEDIATE,
        probability=verdict.p_intermediate,
        expected_false=rate,
        reason=f"{verdict.reason}; not sure enough to be called sensitive ({share} of draws)",
    )


def _with_ties(panel: Mapping[str, _Verdict], settings: Mapping[str, Any]) -> dict[str, _Verdict]:
    """Say of each drug called sensitive which others rank alike."""
    called = {drug: v.z_drawn for drug, v in panel.items() if v.call == SENSITIVE}
    alike = ties(called, settings["certain"])
    return {
        drug: replace(
            verdict,
            tied_with=";".join(alike[drug]),
            rank=f"{verdict.rank}; rank not told apart from {_listed(alike[drug])}",
        )
        if alike.get(drug)
        else verdict
        for drug, verdict in panel.items()
    }


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _typed(calls: pd.DataFrame) -> pd.DataFrame:
    if len(calls):
        return calls
    numbers = ("probability", "z", "percentile", "p_sensitive", "expected_false")
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
        "p_sensitive": verdict.p_sensitive,
        "expected_false": verdict.expected_false,
        "tied_with": verdict.tied_with,
    }


@dataclass(frozen=True, slots=True)
class _Reference:
    """The members a curve is compared with: AUCs, ascending, without the sample's own."""

    values: Values
    noise_free: Deconvolved | None = None


class _References:
    """The members by assay, drug, unit and dose range; each set is freed of its noise once."""

    def __init__(self, members: pd.DataFrame, seed: int) -> None:
        ordered = members[members["auc"].notna()].sort_values("sample", ignore_index=True)
        keys = [ordered["assay"], ordered["drug"].str.casefold(), ordered["dose_unit"]]
        self._groups = dict(list(ordered.groupby(keys, sort=False)))
        self._seed = seed
        self._known: dict[tuple[object, ...], tuple[NDArray[Any], Values, Deconvolved]] = {}

    def comparable(self, curve: Mapping[str, Any], assay: str) -> _Reference:
        """Give the reference of a curve; the spread of its noise is that of all its members.

        Members are tested over the same doses. A curve that lost wells, and with them perhaps its
        outermost dose, is also compared with members tested beyond its range, over its range.
        """
        key = (assay, curve["drug"].casefold(), curve["dose_unit"])
        low, high = curve["dose_min"], curve["dose_max"]
        if key not in self._groups or np.isnan([low, high]).any():
            return _Reference(np.empty(0))
        lost = curve.get("n_excluded", 0) > 0
        place = (*key, f"{low:.6g}", f"{high:.6g}", lost)
        if place not in self._known:
            self._known[place] = self._freed(self._groups[key], low, high, lost)
        names, values, noise_free = self._known[place]
        return _Reference(values[names != curve["sample"]], noise_free)

    def _freed(
        self, group: pd.DataFrame, low: float, high: float, lost: bool
    ) -> tuple[NDArray[Any], Values, Deconvolved]:
        columns = {name: group[name].to_numpy(float) for name in _CURVE}
        same = np.isclose(columns["dose_min"], low, rtol=SAME_DOSE, atol=0)
        same &= np.isclose(columns["dose_max"], high, rtol=SAME_DOSE, atol=0)
        values = columns["auc"]
        if lost:
            covers = columns["dose_min"] <= low * (1 + SAME_DOSE)
            covers &= columns["dose_max"] >= high * (1 - SAME_DOSE)
            values = np.where(same, values, np.where(covers, auc_over(columns, low, high), np.nan))
        else:
            values = np.where(same, values, np.nan)
        kept = ~np.isnan(values)
        members, values = group[kept], values[kept]
        errors = members.get("auc_se", pd.Series(dtype=float)).dropna().to_numpy(float)
        # The usual error: a few curves that hang on hardly any wells must not set it for all.
        error = float(np.median(errors)) if len(errors) else 0.0
        copies = copies_of(members["sample"].tolist(), self._seed)
        freed = deconvolve(values, error, copies)
        ascending = np.argsort(values, kind="stable")
        return members["sample"].to_numpy(object)[ascending], values[ascending], freed


def _call(
    curve: Mapping[str, Any],
    obstacle: str,
    sample: Mapping[str, Any],
    drug: DrugFacts,
    reference: _Reference,
    settings: Mapping[str, Any],
    seed: int,
) -> _Verdict:
    if obstacle:
        return _Verdict(NOT_EVALUABLE, obstacle, data=obstacle)
    n = len(reference.values)
    if n < settings["minimum"]:
        reason = f"no reference: {n} comparable samples of the {settings['minimum']} needed"
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
    if curve["auc_hi"] - curve["auc_lo"] > WIDEST_AREA:
        return "the wells disagree too much to identify a curve"
    return ""


def _ranked(
    curve: Mapping[str, Any],
    drug: DrugFacts,
    reference: _Reference,
    settings: Mapping[str, Any],
    seed: int,
) -> _Verdict:
    n = len(reference.values)
    provisional = n < settings["established"]
    cut = z_cut(n, settings["z"], settings["established"])
    exposure, at_peak = _exposure(curve, drug, settings["viability_at_cmax"])
    standing = stand(curve["auc"], reference.values[None, :], at_peak, _active(curve), cut)
    note = " (provisional: few reference samples)" if provisional else ""
    verdict = _Verdict(
        call=str(decide(standing, settings)[0]),
        reason="",
        data="",
        rank=f"{rank_words(standing)}, z {float(standing.z[0]):.1f}{note}",
        exposure=exposure,
        rank_status="provisional" if provisional else "established",
        z=float(standing.z[0]),
        percentile=float(standing.percentile[0]),
        n_reference=n,
    )
    verdict = replace(
        verdict, reason=_reason(verdict.call, standing, settings, note) + _limitation(drug)
    )
    if reference.noise_free is None:
        return verdict
    drawn = draw(
        curve,
        curve["error"],
        reference.noise_free,
        resamples_without(curve["sample"], seed),
        standing,
        draws=int(settings["draws"]),
        seed=seed,
    )
    calls = decide(drawn, settings)
    return replace(
        verdict,
        probability=float(np.mean(calls == verdict.call)),
        p_sensitive=float(np.mean(calls == SENSITIVE)),
        p_intermediate=float(np.mean(calls == INTERMEDIATE)),
        z_drawn=(float(np.mean(drawn.z)), float(np.std(drawn.z))),
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


def decide(standing: Standing, settings: Mapping[str, Any]) -> NDArray[np.str_]:
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
