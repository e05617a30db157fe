"""Quality: whether a plate can be relied on.

Each plate gets a verdict in three tiers, pass, warn and fail, with every reason.
A hard cut would throw away usable plates (a third of a published paediatric platform's own plates
have a Z′ below 0.5); a failed plate blocks every call that rests on it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.tables import check
from drp.verdicts import judge, worst
from drp.wellnames import smallest_format

Values = NDArray[np.float64]
_MAD_TO_SD = 1.4826  # makes the MAD of normal data estimate their standard deviation
_LEAST_CONTROLS = 4  # fewer wells do not give a spread
_LEAST_PLATES = 3  # fewer other plates do not say what is usual in a run


def robust_sd(values: Values) -> float:
    """Give 1.4826 times the median absolute deviation from the median.

    >>> float(robust_sd(np.array([1.0, 2.0, 3.0, 4.0, 100.0])))
    1.4826
    """
    return float(_MAD_TO_SD * np.median(np.abs(values - np.median(values))))


def z_prime(negative: Values, positive: Values) -> float:
    """Give Z′ = 1 - 3 (sd_n + sd_p) / |mean_n - mean_p|; NaN with fewer than 4 wells of a kind.

    Source: Zhang, Chung and Oldenburg, J Biomol Screen 1999;4:67, doi 10.1177/108705719900400206.

    >>> round(z_prime(np.array([99.0, 100, 101, 100]), np.array([1.0, 0, 1, 0])), 3)
    0.958
    """
    return _separation(negative, positive, np.mean, lambda x: float(np.std(x, ddof=1)))


def robust_z_prime(negative: Values, positive: Values) -> float:
    """Give Z′ from medians and 1.4826 MAD; NaN with fewer than 4 wells of a kind."""
    return _separation(negative, positive, np.median, robust_sd)


def _separation(
    negative: Values,
    positive: Values,
    centre: Callable[[Values], Any],
    spread: Callable[[Values], float],
) -> float:
    if min(len(negative), len(positive)) < _LEAST_CONTROLS:
        return float("nan")
    distance = abs(float(centre(negative)) - float(centre(positive)))
    return 1 - 3 * (spread(negative) + spread(positive)) / distance if distance else float("-inf")


def ssmd(negative: Values, positive: Values) -> float:
    """Give the strictly standardised mean difference, (mean_n - mean_p) / sqrt(var_n + var_p).

    Source: Zhang, Genomics 2007;89:552, doi 10.1016/j.ygeno.2006.12.014. NaN with fewer than 4
    wells of a kind.
    """
    if min(len(negative), len(positive)) < _LEAST_CONTROLS:
        return float("nan")
    spread = float(np.sqrt(np.var(negative, ddof=1) + np.var(positive, ddof=1)))
    return float(np.mean(negative) - np.mean(positive)) / spread if spread else float("inf")


def cv_pct(values: Values) -> float:
    """Give the coefficient of variation in per cent; NaN with fewer than 4 wells."""
    if len(values) < _LEAST_CONTROLS or not np.mean(values):
        return float("nan")
    return float(100 * np.std(values, ddof=1) / np.mean(values))


def judge_plates(
    wells: pd.DataFrame,
    tiers: Mapping[str, Any],
    remarks: Mapping[str, list[tuple[str, str]]] | None = None,
) -> pd.DataFrame:
    """Measure and judge every plate of one or more runs.

    Parameters
    ----------
    wells : DataFrame
        Table `wells` with `control`, `row` and `column` as `drp.wells.join_wells` gives them. A
        plate's signal is compared with the other plates of its run, so hand over whole runs.
        Arms with a partner (`addon`) are left aside where the plate has negative controls without.
    tiers : mapping
        The gates, as in `drp.config.QualityTiers`: ``{"cv_negative_pct": {"warn": 15, ...}, ...}``.
    remarks : mapping, optional
        What else speaks against a plate, by its id: verdict and text, as of `drp.registration`.

    Returns
    -------
    DataFrame
        Table `quality`, by plate, with further columns run, negative_median, positive_median,
        robust_cv_negative (%), robust_cv_positive (%), replicate_sd (points of viability),
        n_replicated (groups of replicate wells), signal_of_run (negative median as % of the median
        over the run's other plates; NaN with fewer than 3 of them), n_wells, n_excluded and
        n_flagged (wells with a drug but no usable reading). A metric without its controls is NaN,
        never 0, and the reason says so.
    """
    rows = []
    for plate, group in wells.groupby("plate", sort=True):
        rows.append({"plate": plate, "run": group["run"].iloc[0]} | _metrics(group))
    for row, share in zip(rows, _signal_of_run(pd.DataFrame(rows)), strict=True):
        row["signal_of_run"] = share
    quality = pd.DataFrame(rows)
    others = remarks or {}
    verdicts = [_plate_verdict(row, tiers, others.get(str(row["plate"]), [])) for row in rows]
    quality["verdict"] = [verdict for verdict, _ in verdicts]
    quality["reasons"] = [reasons for _, reasons in verdicts]
    return check(quality, "quality")


def _metrics(wells: pd.DataFrame) -> dict[str, Any]:
    plain = _plain_arm(wells)
    negative = plain.loc[plain["control"] == "negative", "signal"].to_numpy(float)
    positive = wells.loc[wells["control"] == "positive", "signal"].to_numpy(float)
    with_drug = wells["role"].isin(["sample", "negative", "positive"])
    replicate_sd, n_replicated = _replicate_sd(plain, negative, positive)
    return {
        "z_prime": z_prime(negative, positive),
        "robust_z_prime": robust_z_prime(negative, positive),
        "ssmd": ssmd(negative, positive),
        "signal_to_background": _ratio(negative, positive, np.mean),
        "cv_negative": cv_pct(negative),
        "cv_positive": cv_pct(positive),
        "edge_effect": _edge_effect(plain),
        "n_negative": len(negative),
        "n_positive": len(positive),
        "negative_median": _median(negative),
        "positive_median": _median(positive),
        "robust_cv_negative": _robust_cv(negative),
        "robust_cv_positive": _robust_cv(positive),
        "replicate_sd": replicate_sd,
        "n_replicated": n_replicated,
        "n_wells": int(with_drug.sum()),
        "n_excluded": int((wells["excluded"] & with_drug).sum()),
        "n_flagged": int(((wells["status"] != "ok") & with_drug).sum()),
    }


def _plain_arm(wells: pd.DataFrame) -> pd.DataFrame:
    """Leave aside arms with a partner: their controls have a level of their own, lower by it."""
    if "addon" not in wells:
        return wells
    plain = wells[wells["addon"] == ""]
    return plain if (plain["control"] == "negative").any() else wells


def _median(values: Values) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _robust_cv(values: Values) -> float:
    centre = _median(values)
    if len(values) < _LEAST_CONTROLS or not centre:
        return float("nan")
    return 100 * robust_sd(values) / centre


def _ratio(negative: Values, positive: Values, centre: Callable[[Values], Any]) -> float:
    if not len(negative) or not len(positive) or not centre(positive):
        return float("nan")
    return float(centre(negative) / centre(positive))


def _edge_effect(wells: pd.DataFrame) -> float:
    """Outermost ring over the rest, medians, within the one vehicle with most wells in both."""
    usable = wells[(wells["role"] == "negative") & (wells["status"] == "ok") & ~wells["excluded"]]
    if usable.empty:
        return float("nan")
    rows, columns = smallest_format(int(wells["row"].max()), int(wells["column"].max()))
    outer = usable["row"].isin([1, rows]) | usable["column"].isin([1, columns])
    best, ratio = 0, float("nan")
    for _, vehicle in usable.groupby("drug", sort=True):
        ring = vehicle.loc[outer[vehicle.index], "signal"]
        inside = vehicle.loc[~outer[vehicle.index], "signal"]
        least = min(len(ring), len(inside))
        if least >= _LEAST_CONTROLS and least > best and inside.median() > 0:
            best, ratio = least, float(ring.median() / inside.median())
    return ratio


def _replicate_sd(wells: pd.DataFrame, negative: Values, positive: Values) -> tuple[float, int]:
    """Pooled SD of replicate drug wells in points of viability, and how many groups there are."""
    span = _median(negative) - (_median(positive) if len(positive) else 0.0)
    drug = wells[(wells["role"] == "sample") & (wells["status"] == "ok") & ~wells["excluded"]]
    keys = ["sample", "drug", "dose", "drug2", "dose2", "drug3", "dose3"]
    groups = drug.groupby(keys, dropna=False)["signal"].agg(["var", "count"])
    groups = groups[groups["count"] > 1]
    if groups.empty or not span > 0:
        return float("nan"), len(groups)
    freedom = groups["count"] - 1
    pooled = float((groups["var"] * freedom).sum() / freedom.sum())
    return 100 * pooled**0.5 / span, len(groups)


def _signal_of_run(quality: pd.DataFrame) -> list[float]:
    shares = []
    for row in quality.itertuples():
        others = quality.loc[
            (quality["run"] == row.run) & (quality["plate"] != row.plate), "negative_median"
        ].dropna()
        usual = float(others.median()) if len(others) >= _LEAST_PLATES else float("nan")
        shares.append(100 * float(str(row.negative_median)) / usual if usual > 0 else float("nan"))
    return shares


def _plate_verdict(
    plate: Mapping[str, Any], tiers: Mapping[str, Any], remarks: list[tuple[str, str]]
) -> tuple[str, str]:
    notes = list(remarks)
    if not plate["n_negative"] or not plate["negative_median"] > 0:
        notes.append(("fail", "no usable negative control, the plate cannot be scaled"))
    elif plate["n_positive"] and not plate["negative_median"] > plate["positive_median"]:
        notes.append(("fail", "negative controls are not above the positive controls"))
    elif plate["n_negative"] < tiers["few_negative_controls"]:
        notes.append(("warn", f"only {plate['n_negative']} negative control wells"))
    if not plate["n_positive"]:
        notes.append(("pass", "no positive control: Z′, SSMD and signal to background unavailable"))
    notes += judge(plate["robust_z_prime"], "robust Z′", "", tiers["robust_z_prime"])
    cv, limits = plate["robust_cv_negative"], tiers["cv_negative_pct"]
    notes += judge(cv, "robust CV of negative controls", " %", limits)
    edge = abs(100 * (plate["edge_effect"] - 1))
    notes += judge(edge, "edge effect", " %", tiers["edge_effect_pct"])
    notes += judge(plate["replicate_sd"], "replicate SD", " points", tiers["replicate_sd_pct"])
    share, limits = plate["signal_of_run"], tiers["signal_of_run_pct"]
    notes += judge(share, "signal", " % of the run's usual", limits)
    return worst(notes)
