"""Calls: which drugs stand out, and how sure that is.

Three statements are kept apart and printed beside each call: the *data* (did sample, plate and
curve pass?), the *rank* (where does the sample stand among reference samples of the same assay?)
and the *exposure* (is the effect at a concentration a patient reaches?). The call follows from the
three; its probability from the noise of wells, controls and reference together (`drp.chances`).
Over the panel of a sample the false discovery rate is held: of the drugs called sensitive no more
than a stated share is expected not to be so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.call_words import (
    INTERMEDIATE,
    NOT_EVALUABLE,
    NOT_SENSITIVE,
    SENSITIVE,
    DrugFacts,
    exposure_words,
    limitation_words,
    obstacles,
    rank_words,
    reason_words,
    tie_words,
)
from drp.chances import Measured
from drp.comparable import Chances, Comparison
from drp.deconvolution import Values
from drp.panel import expected_false, ties
from drp.standing import Standing, control_errors, errors_of, standard_error, z_cut
from drp.tables import check

_NEEDED = (
    "sample", "drug", "plates", "dose_unit", "dose_min", "dose_max", "shape", "flags", "auc",
    "auc_lo", "auc_hi", "viability_at_cmax", "viability_at_cmax_lo", "viability_at_cmax_hi",
    "n_excluded",
)  # fmt: skip
_AT_PEAK = ["viability_at_cmax", "dose_unit", "dose_min", "dose_max", "flags"]
_COLUMNS = {
    "sample": "str", "drug": "str", "call": "str", "probability": "float64", "z": "float64",
    "percentile": "float64", "n_reference": "int64", "exposure": "str", "reason": "str",
    "uncertain": "bool", "rank_status": "str", "data": "str", "rank": "str",
    "p_sensitive": "float64", "expected_false": "float64", "tied_with": "str",
}  # fmt: skip
_PASSING = {
    "pass": "the curve passes, sample and plates pass",
    "warn": "the curve passes, sample and plates with warnings",
}


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
        Seeds the resamples of the reference, together with the ids of its members.

    Returns
    -------
    DataFrame
        Table `calls`. Further columns: uncertain (true below `certain`), rank_status
        (``established``, ``provisional`` or ``none``), data, rank (the other two statements),
        p_sensitive (probability that the rule says sensitive), expected_false (false discovery
        rate of calling this drug and all surer ones of the sample; NaN for drugs whose values do
        not ask for the call) and tied_with (drugs called sensitive whose rank cannot be told
        apart, joined by ``;``). A drug that is not evaluable has a reason and no number.
    """
    rows = _joined(curves, samples, plates)
    known = {name: facts.get(name.casefold(), DrugFacts()) for name in rows["drug"].unique()}
    unreadable = {name: drug.caveat for name, drug in known.items() if drug.exvivo == "no"}
    failed = plates[plates["verdict"] == "fail"]
    failed_plates = dict(zip(failed["plate"], failed["reasons"], strict=True))
    held = obstacles(rows, failed_plates, unreadable, settings["widest_auc"])
    free = held == ""
    found = _compared(rows[free].reset_index(drop=True), known, members, settings, seed)
    enough = found["n_reference"] >= settings["minimum"]
    too_few = [
        f"no reference: {n} comparable samples of the {settings['minimum']} needed"
        for n in found["n_reference"][~enough]
    ]
    parts = [
        _not_evaluable(rows[~free], held[~free], data=held[~free]),
        _not_evaluable(found[~enough], too_few, data="curve passes", rank=too_few),
        found[enough],
    ]
    table = pd.concat(parts).sort_values(["sample", "drug"], ignore_index=True)
    table = _controlled(table, settings)
    table["uncertain"] = table["probability"] < settings["certain"]
    table = _with_ties(table.assign(tied_with=_texts([""] * len(table))), settings)
    return check(table[list(_COLUMNS)].astype(_COLUMNS), "calls")


def _joined(curves: pd.DataFrame, samples: pd.DataFrame, plates: pd.DataFrame) -> pd.DataFrame:
    """The curves in order, with assay and verdict of their sample and the error of their AUC."""
    rows = curves[[name for name in _NEEDED if name in curves]]
    texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
    # As Python's own texts: they are read one by one below.
    rows = rows.astype(dict.fromkeys(texts, object))
    rows = rows.sort_values(["sample", "drug"], ignore_index=True)
    quality = samples.astype(object).set_index("sample")
    for column in ("assay", "verdict", "reasons"):
        rows[column] = rows["sample"].map(quality[column]).astype(object)
    return rows.assign(error=errors_of(rows, control_errors(plates.to_dict("records"))))


def _not_evaluable(rows: pd.DataFrame, reasons: Any, *, data: Any, rank: Any = "") -> pd.DataFrame:
    """Reasons, and no number."""
    nothing = {"str": "", "float64": np.nan, "int64": 0, "bool": False}
    values: dict[str, Any] = {name: nothing[kind] for name, kind in _COLUMNS.items()}
    values |= {"call": NOT_EVALUABLE, "rank_status": "none"}
    values |= {"sample": rows["sample"], "drug": rows["drug"], "reason": reasons}
    values |= {"data": data, "rank": rank}
    return pd.DataFrame(values, index=rows.index)


def _compared(
    rows: pd.DataFrame,
    known: Mapping[str, DrugFacts],
    members: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Rank, exposure, call and probability of curves that pass, whatever their reference."""
    comparison = Comparison(rows, members, seed)
    standing = comparison.standing()
    drugs = [known[name] for name in rows["drug"]]
    pairs = zip(rows[_AT_PEAK].itertuples(), drugs, strict=True)
    exposures = [exposure_words(row, drug, settings["viability_at_cmax"]) for row, drug in pairs]
    measured = _measured(rows, [at_peak for _, at_peak in exposures])
    cut = _cuts(standing, settings)
    call = decide(standing, measured, cut, settings)
    chances = comparison.chances(measured, call == SENSITIVE, settings)
    decided = pd.DataFrame(
        {
            "call": _texts(call),
            "z": standing.z,
            "percentile": standing.percentile,
            "n_reference": standing.n,
            "active": measured.active,
            "at_peak": measured.at_peak,
            "cut": cut,
        }
    )
    words = [_words(*pair, settings) for pair in zip(decided.itertuples(), drugs, strict=True)]
    return decided.assign(
        sample=rows["sample"],
        drug=rows["drug"],
        **_probabilities(call, chances),
        exposure=_texts([words for words, _ in exposures]),
        data=rows["verdict"].map(_PASSING),
        rank_status=_texts([status for status, _, _ in words]),
        rank=_texts([rank for _, rank, _ in words]),
        reason=_texts([reason for _, _, reason in words]),
    )


def _texts(values: Any) -> "pd.Series[Any]":
    """Python's own texts: they are read and written one by one, and turned into a column last."""
    return pd.Series(values, dtype=object)


def _measured(rows: pd.DataFrame, at_peak: list[float]) -> Measured:
    flat = rows["flags"].map({text: "flat" in text.split(";") for text in rows["flags"].unique()})
    return Measured(
        auc=rows["auc"].to_numpy(float),
        error=rows["error"].to_numpy(float),
        at_peak=np.array(at_peak, dtype=np.float64),
        at_peak_error=np.nan_to_num(standard_error(rows, "viability_at_cmax")),
        active=((rows["shape"] == "decreasing") & ~flat.astype(bool)).to_numpy(bool),
    )


def _cuts(standing: Standing, settings: Mapping[str, Any]) -> Values:
    """The z that each sample must reach; there is none with hardly any reference."""
    sizes, place = np.unique(standing.n, return_inverse=True)
    asked = [
        z_cut(int(n), settings["z"], settings["established"]) if n > 1 else np.inf for n in sizes
    ]
    return np.array(asked, dtype=np.float64)[place]


def _probabilities(call: NDArray[np.str_], chances: Chances) -> dict[str, Values]:
    rest = np.round(1 - chances.sensitive - chances.intermediate, 9) + 0.0
    own = np.where(call == SENSITIVE, chances.sensitive, rest)
    return {
        "probability": np.where(call == INTERMEDIATE, chances.intermediate, own),
        "p_sensitive": chances.sensitive,
        "p_intermediate": chances.intermediate,
        "z_mean": chances.z_mean,
        "z_sd": chances.z_sd,
    }


def _words(row: Any, drug: DrugFacts, settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """Status of the rank, the rank, and the reason."""
    provisional = row.n_reference < settings["established"]
    note = " (provisional: few reference samples)" if provisional else ""
    rank = rank_words(row.percentile, row.n_reference)
    reason = reason_words(
        row.call, rank + note, active=row.active, z=row.z, cut=row.cut, at_peak=row.at_peak,
        settings=settings,
    )  # fmt: skip
    status = "provisional" if provisional else "established"
    return status, f"{rank}, z {row.z:.1f}{note}", reason + limitation_words(drug)


def decide(
    standing: Standing, measured: Measured, cut: Any, settings: Mapping[str, Any]
) -> NDArray[np.str_]:
    """Give the call of each sample by its values.

    A rank beyond the cuts is sensitive unless the effect lies above the reachable concentration. A
    strong effect at a reachable concentration is never "not sensitive", however usual it is.

    Parameters
    ----------
    standing, measured : Standing, Measured
        m samples.
    cut : float or array (m,)
        The z to be reached.
    settings : mapping
        `drp.config.CallSettings`.
    """
    far = (standing.z >= cut) & (standing.distance >= settings["auc_difference"])
    beyond = far & measured.active
    ranks = standing.percentile >= settings["percentile"]
    contradicted = measured.at_peak > settings["viability_at_cmax"]
    strong = measured.active & (measured.at_peak <= settings["strong_at_cmax"])
    sensitive = beyond & ranks & ~contradicted
    calls = np.where(sensitive, SENSITIVE, np.where(beyond | strong, INTERMEDIATE, NOT_SENSITIVE))
    return np.asarray(calls, dtype=np.str_)


def _controlled(table: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Take back what is hardly probable, and the least sure until the false share is held."""
    asked = table[table["call"] == SENSITIVE]
    rates: dict[Any, float] = {}
    for _, panel in asked.groupby("sample", sort=False)["p_sensitive"]:
        rates |= expected_false(panel.to_dict())
    table["expected_false"] = pd.Series(rates, dtype="float64").reindex(table.index)
    unsure = asked["p_sensitive"] < settings["least_probability"]
    beyond = table.loc[asked.index, "expected_false"] > settings["false_discovery_rate"]
    back = table.loc[asked.index[unsure | beyond]]
    words = [
        f"{reason}; not sure enough to be called sensitive (probability {p:.2f})"
        for reason, p in zip(back["reason"], back["p_sensitive"], strict=True)
    ]
    table.loc[back.index, "call"] = INTERMEDIATE
    table.loc[back.index, "reason"] = words
    table.loc[back.index, "probability"] = back["p_intermediate"]
    return table


def _with_ties(table: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Say of each drug called sensitive which others rank alike."""
    called = table[table["call"] == SENSITIVE]
    tied, ranks = {}, {}
    for _, panel in called.groupby("sample", sort=False):
        drawn = zip(panel["z_mean"], panel["z_sd"], strict=True)
        alike = ties(dict(zip(panel["drug"], drawn, strict=True)), settings["certain"])
        for row, drug, rank in zip(panel.index, panel["drug"], panel["rank"], strict=True):
            if alike[drug]:
                tied[row], ranks[row] = ";".join(alike[drug]), tie_words(rank, alike[drug])
    table.loc[list(tied), "tied_with"] = list(tied.values())
    table.loc[list(ranks), "rank"] = list(ranks.values())
    return table
