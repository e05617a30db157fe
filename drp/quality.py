"""Quality: whether a plate can be relied on.

Each plate gets a verdict in three tiers, pass, warn and fail, with every reason.
A hard cut would throw away usable plates (a third of a published paediatric platform's own plates
have a Z′ below 0.5); a failed plate blocks every call that rests on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.agreement import between_plates, conditions, within_plates
from drp.drift import plate_drift, reading_order, run_drift
from drp.edges import Correction, Effects, Method, correct, counted, measure, measure_drugs
from drp.plate_metrics import (
    cv_pct,
    median,
    robust_cv_pct,
    robust_z_prime,
    signal_to_background,
    ssmd,
    z_prime,
)
from drp.scaling import plain_arm, scaled
from drp.tables import check, empty
from drp.trends import Trend
from drp.verdicts import judge, worst
from drp.well_arrays import WellArrays, as_arrays, choose_wells, positions_by

Row = dict[str, Any]
Notes = list[tuple[str, str]]

# Of some thirty columns of a well; every choice of wells would carry all of them.
_USED = (
    *("run", "plate", "sample", "addon", "role", "control", "status", "excluded", "signal"),
    *("drug", "dose", "drug2", "dose2", "drug3", "dose3", "row", "column", "format"),
    "measured_at",
)
_LEAST_PLATES = 3  # fewer other plates do not say what is usual in a run
_UNKNOWN = float("nan")
_ORDERS = {"measured_at": "in the order of reading", "plates.tsv": "in the order of plates.tsv"}


def judge_plates(
    wells: pd.DataFrame,
    tiers: Mapping[str, Any],
    remarks: Mapping[str, Notes] | None = None,
    *,
    correction: Method = "none",
    order: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure and judge every plate of one or more runs.

    Parameters
    ----------
    wells : DataFrame
        Table `wells` with `control`, `row` and `column` as `drp.wells.join_wells` gives them. A
        plate is compared with the other plates of its run, so hand over whole runs. Arms with a
        partner (`addon`) are left aside where the plate has negative controls without.
    tiers : mapping
        The gates, as in `drp.config.QualityTiers`: ``{"cv_negative_pct": {"warn": 15, ...}, ...}``.
    remarks : mapping, optional
        What else speaks against a plate, by its id: verdict and text, as of `drp.registration`.
    correction : {"none", "loess"}
        The edge correction that `drp.viability.normalise` gets; the verdict is then on what it
        leaves, and its reasons say that there was one.
    order : sequence of str
        Plates as plates.tsv lists them, for exports that carry no time.

    Returns
    -------
    DataFrame
        Table `quality`, by plate, with further columns; the numbers of replicates are in points of
        viability. A metric without its controls is NaN, never 0, and the reason says so.

        run, negative_median, positive_median, robust_cv_negative, robust_cv_positive (%), n_wells,
        n_excluded and n_flagged (wells with a drug but no usable reading);
        gradient_row_pct, gradient_column_pct (change of the negative controls from one side of the
        plate to the other, with _lo, _hi and _p; see `drp.edges.measure`), the same over drugs at
        their lowest dose (drug_gradient_…), drift_rho and drift_p (`drp.drift.plate_drift`),
        correction and edge_effect_corrected;
        replicate_sd and n_replicated (pooled SD, groups of replicate wells); between_plate_sd,
        between_plate_shift and between_plate_n (`drp.agreement.between_plates`), and the same of
        the control drugs (reference_drug_…);
        signal_of_run (negative median as % of the median over the run's other plates; NaN with
        fewer than 3 of them), measured_at, read_order and read_order_source, and run_drift_… (see
        `drp.drift.run_drift`), equal for all plates of a run.
    """
    if wells.empty:
        return empty("quality")
    arrays = as_arrays(wells[[name for name in _USED if name in wells]])
    arrays |= scaled(arrays)
    places = positions_by(arrays["plate"])
    plates = {name: choose_wells(arrays, own) for name, own in places.items()}
    corrections = {name: correct(plate, correction, tiers) for name, plate in plates.items()}
    for name, own in places.items():
        arrays["viability_pct"][own] /= corrections[name].factor
    usable = conditions(pd.DataFrame(arrays))
    replicates = within_plates(usable)
    rows = [_metrics(name, plate) for name, plate in plates.items()]
    for row in rows:
        replicate = replicates.get(row["plate"], (_UNKNOWN, 0))
        row["replicate_sd"], row["n_replicated"] = replicate
        row |= _correction_columns(corrections[row["plate"]], correction)
    _compare_plates(rows, usable, tiers)
    _compare_run(rows, plates, order)
    others = remarks or {}
    verdicts = [
        _verdict(row, corrections[row["plate"]], tiers, others.get(row["plate"], []))
        for row in rows
    ]
    quality = pd.DataFrame(rows)
    quality["verdict"] = [verdict for verdict, _ in verdicts]
    quality["reasons"] = [reasons for _, reasons in verdicts]
    return check(quality, "quality")


def _metrics(name: str, plate: WellArrays) -> Row:
    negative = _signals(plain_arm(plate), "negative")
    positive, blank = _signals(plate, "positive"), _signals(plate, "blank")
    with_drug = np.isin(plate["role"], ["sample", "negative", "positive"])
    return {
        "plate": name,
        "run": plate["run"][0],
        "z_prime": z_prime(negative, positive),
        "robust_z_prime": robust_z_prime(negative, positive),
        "ssmd": ssmd(negative, positive),
        "signal_to_background": signal_to_background(negative, positive, blank),
        "cv_negative": cv_pct(negative),
        "cv_positive": cv_pct(positive),
        "n_negative": len(negative),
        "n_positive": len(positive),
        "negative_median": median(negative),
        "positive_median": median(positive),
        "robust_cv_negative": robust_cv_pct(negative),
        "robust_cv_positive": robust_cv_pct(positive),
        "replicate_sd": _UNKNOWN,
        "n_replicated": 0,
        "n_wells": int(with_drug.sum()),
        "n_excluded": int((plate["excluded"] & with_drug).sum()),
        "n_flagged": int(((plate["status"] != "ok") & with_drug).sum()),
        **_place_columns(plate),
    }


def _signals(plate: WellArrays, control: str) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = plate["signal"][plate["control"] == control].astype(float)
    return chosen


def _place_columns(plate: WellArrays) -> Row:
    effects, (drug_row, drug_column) = measure(plate), measure_drugs(plate)
    rho, p = plate_drift(plate)
    found: Row = {"edge_effect": effects.edge, "drift_rho": rho, "drift_p": p}
    for name, trend in (("row", effects.row), ("column", effects.column)):
        found[f"gradient_{name}_pct"] = trend.slope
        found |= {f"gradient_{name}_{end}": getattr(trend, end) for end in ("lo", "hi", "p")}
    for name, trend in (("row", drug_row), ("column", drug_column)):
        found |= {f"drug_gradient_{name}_pct": trend.slope, f"drug_gradient_{name}_p": trend.p}
    return found


def _correction_columns(correction: Correction, method: Method) -> Row:
    return {
        "correction": method if correction.applied else "none",
        "edge_effect_corrected": correction.after.edge if correction.after else _UNKNOWN,
    }


def _compare_plates(rows: list[Row], usable: pd.DataFrame, tiers: Mapping[str, Any]) -> None:
    control_drugs = {name.casefold() for name in tiers.get("reference_drugs", ())}
    for prefix, table in (
        ("between_plate", between_plates(usable)),
        ("reference_drug", between_plates(usable, control_drugs)),
    ):
        found = table.to_dict("index")
        for row in rows:
            own = found.get(row["plate"], {"sd": _UNKNOWN, "shift": _UNKNOWN, "n": 0})
            row[f"{prefix}_sd"], row[f"{prefix}_shift"] = own["sd"], own["shift"]
            row[f"{prefix}_n"] = int(own["n"])


def _compare_run(rows: list[Row], plates: Mapping[str, WellArrays], order: Sequence[str]) -> None:
    for run in sorted({row["run"] for row in rows}):
        own = {row["plate"]: row for row in rows if row["run"] == run}
        moments = {name: _moment(plates[name]) for name in own}
        ordered, source = reading_order(moments, order)
        drift = run_drift([own[name]["negative_median"] for name in ordered])
        for place, name in enumerate(ordered, start=1):
            read = {"read_order": place, "read_order_source": source, "measured_at": moments[name]}
            own[name] |= read | drift
            own[name]["signal_of_run"] = _signal_of_run(name, own)


def _moment(plate: WellArrays) -> str:
    return str(plate["measured_at"].max()) if "measured_at" in plate else ""


def _signal_of_run(name: str, run: Mapping[str, Row]) -> float:
    medians = np.array([row["negative_median"] for other, row in run.items() if other != name])
    others = medians[np.isfinite(medians)]
    usual = float(np.median(others)) if len(others) >= _LEAST_PLATES else _UNKNOWN
    return 100 * float(run[name]["negative_median"]) / usual if usual > 0 else _UNKNOWN


def _verdict(
    plate: Row, correction: Correction, tiers: Mapping[str, Any], remarks: Notes
) -> tuple[str, str]:
    notes = [*remarks, *_control_notes(plate, tiers)]
    notes += judge(plate["robust_z_prime"], "robust Z′", "", tiers["robust_z_prime"])
    cv, limits = plate["robust_cv_negative"], tiers["cv_negative_pct"]
    notes += judge(cv, "robust CV of negative controls", " %", limits)
    notes += _place_notes(plate, correction, tiers)
    notes += judge(plate["replicate_sd"], "replicate SD", " points", tiers["replicate_sd_pct"])
    for column, words in (
        ("between_plate_sd", "SD between plates of the same sample"),
        ("reference_drug_sd", "SD of control drugs between plates"),
    ):
        notes += judge(plate[column], words, " points", tiers["between_plate_sd_pct"])
    share, limits = plate["signal_of_run"], tiers["signal_of_run_pct"]
    notes += judge(share, "signal", " % of the run's usual", limits)
    return worst([*notes, *_drift_notes(plate, tiers)])


def _control_notes(plate: Row, tiers: Mapping[str, Any]) -> Notes:
    notes = []
    if not plate["n_negative"] or not plate["negative_median"] > 0:
        notes.append(("fail", "no usable negative control, the plate cannot be scaled"))
    elif plate["n_positive"] and not plate["negative_median"] > plate["positive_median"]:
        notes.append(("fail", "negative controls are not above the positive controls"))
    elif plate["n_negative"] < tiers["few_negative_controls"]:
        notes.append(("warn", f"only {plate['n_negative']} negative control wells"))
    if not plate["n_positive"]:
        notes.append(("pass", "no positive control: Z′, SSMD and signal to background unavailable"))
    return notes


def _place_notes(plate: Row, correction: Correction, tiers: Mapping[str, Any]) -> Notes:
    """Effects of place: those measured or, where the plate is corrected, those that remain."""
    notes: Notes = []
    if correction.reason:
        asked = correction.reason != "edge correction not needed"
        notes.append(("warn" if asked else "pass", correction.reason))
    if correction.after:
        return notes + _effect_notes(correction.after, tiers, " after correction")
    return notes + _effect_notes(_measured(plate), tiers, "")


def _measured(plate: Row) -> Effects:
    row, column = (
        Trend(slope=plate[f"gradient_{name}_pct"], p=plate[f"gradient_{name}_p"])
        for name in ("row", "column")
    )
    return Effects(plate["edge_effect"], row, column)


def _effect_notes(effects: Effects, tiers: Mapping[str, Any], suffix: str) -> Notes:
    edge = abs(100 * (effects.edge - 1))
    notes = judge(edge, f"edge effect{suffix}", " %", tiers["edge_effect_pct"])
    for name, trend in (("row", effects.row), ("column", effects.column)):
        size = counted(trend, tiers)
        notes += judge(size, f"{name} gradient{suffix}", " %", tiers["gradient_pct"])
    return notes


def _drift_notes(plate: Row, tiers: Mapping[str, Any]) -> Notes:
    """A drift is no fault of one plate: it warns and never fails."""
    size = plate["run_drift_pct"]
    if not (plate["run_drift_p"] <= tiers["trend_p"] and abs(size) > tiers["drift_of_run_pct"]):
        return []
    order = _ORDERS[plate["read_order_source"]]
    return [("warn", f"the controls of the run's plates change by {size:+.3g} % {order}")]
