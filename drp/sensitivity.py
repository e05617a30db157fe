"""The curves table: one row per sample and drug, with every number and what limits it.

Single-agent wells are those that name no second drug and belong to no arm with a partner. Where a
drug has none, the monotherapy wells of a dose matrix stand in (flag ``matrix_monotherapy``). Doses
in different units are never put on one axis (flag ``mixed_units``). What cannot be known is NaN
with a flag, never left out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.curves.censoring import censored_half_doses
from drp.curves.collapse import DoseMeans, collapse
from drp.curves.fitting import Fits, fit
from drp.curves.flags import identifiability, replicate_sd
from drp.curves.metrics import (
    asymmetric_drug_sensitivity_score,
    drug_sensitivity_scores,
)
from drp.curves.model import Bounds, Floats, curve_at
from drp.curves.monotone import model_free_of
from drp.curves.noise import Noise, free_parameters, is_shared, shared_noise
from drp.tables import check

KEY = ["sample", "drug"]
# Breeze and the R package give whole tenths; a larger gap is the cliff at the highest dose.
CLIFF = 0.1
GROUP_FLAGS = ("matrix_monotherapy", "mixed_units", "missing_dose")
# Columns taken over from the fit as they are.
AS_FITTED = (
    *("top", "bottom", "slope", "sse", "p_flat", "status", "auc", "auc_lo", "auc_hi"),
    *("dss2_lo", "dss2_hi", "top_se", "bottom_se", "slope_se", "log10_ec50_se"),
)

Columns = dict[str, NDArray[Any]]


def fit_curves(
    viability: pd.DataFrame,
    *,
    cmax: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Fit every sample's response to every drug and read the sensitivity metrics off the curves.

    Parameters
    ----------
    viability : pandas.DataFrame
        Columns sample, drug, dose, viability_pct (100 = negative control, not clipped); if
        present also role (only ``sample`` wells count), excluded, dose_unit (else nM), drug2,
        dose2, drug3, dose3, addon (wells with a partner at a dose that is not stated are left
        out). Rows in any order.
    cmax : mapping of str to float, optional
        Plasma peak of each drug in the drug's dose unit, nM for everything molar. Names in any
        case.
    bounds : Bounds, optional
        Limits of the fit, per cent viability.
    seed : int
        Seed of the simulated null distributions behind ``p_flat``.
    level : float
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        The ``curves`` table (see `drp.tables`), by sample and drug. Further columns: ``status``
        of the fit; ``n_excluded`` wells; ``top_se``, ``bottom_se`` (points), ``slope_se``,
        ``log10_ec50_se`` (decades); ``auc_model_free`` (%), ``dss1_model_free`` (0–100),
        ``ic50_model_free`` (dose_unit; 0 or infinite beyond the doses); ``dss2_breeze`` (0–50,
        one decimal, 0 if the EC50 is not below the highest dose); ``residual_sd``,
        ``replicate_sd`` (points); ``viability_at_cmax_lo``, ``_hi`` (%).

    Notes
    -----
    An IC50 beyond the tested doses is the nearest tested dose with ``<`` or ``>``; nothing is
    extrapolated, and a side of its interval beyond them is 0 or infinite. Intervals and standard
    errors rest on the noise of the curve moderated by that of the sample's other curves
    (`drp.curves.noise`), so a design of single wells has useful ones. A curve that rises with
    dose has no sensitivity scores (0) and an IC50 beyond the doses. With fewer than four doses
    only model-free numbers are given.

    Examples
    --------
    >>> wells = pd.DataFrame({
    ...     "sample": "S1", "drug": "venetoclax", "dose": [1.0, 10.0, 100.0, 1000.0, 10000.0],
    ...     "viability_pct": [99.0, 92.0, 52.0, 11.0, 4.0]})
    >>> curve = fit_curves(wells).iloc[0]
    >>> curve["shape"], curve["ic50_qualifier"], round(float(np.log10(curve["ic50"])), 1)
    ('decreasing', '=', 2.0)
    """
    wells, groups = _select(viability)
    dose, response = _matrices(wells, groups)
    means = collapse(dose, response)
    positive = np.where(dose > 0, dose, np.nan)
    low, high = np.fmin.reduce(positive, axis=1), np.fmax.reduce(positive, axis=1)
    at_dose, outside = _doses_at_peak(groups["drug"], cmax, low, high)
    fits = fit(
        dose,
        response,
        bounds=bounds,
        intervals=True,
        level=level,
        at_dose=at_dose,
        noise=_noise_of_sample(dose, response, groups, means, bounds),
        seed=seed,
    )
    free = _model_free(means)
    columns: Columns = {
        **_counts(groups, means, low, high),
        **_parameters(fits, means),
        **censored_half_doses(fits, free["ic50_model_free"], low, high),
        **_scores(fits, means, high),
        **free,
        **_at_peak(fits, at_dose),
    }
    flags = {
        **identifiability(fits, means, free["auc_model_free"]),
        **{name: groups[name].to_numpy(dtype=bool) for name in GROUP_FLAGS},
        "no_wells": means.n_points == 0,
        "cmax_outside_range": outside,
        "dss_cliff": np.abs(columns["dss2"] - columns["dss2_breeze"]) > CLIFF,
    }
    columns["shape"] = _shapes(fits, flags["flat"])
    columns["flags"] = _joined(flags)
    return check(pd.DataFrame(columns), "curves")


def _noise_of_sample(
    dose: Floats,
    response: Floats,
    groups: pd.DataFrame,
    means: DoseMeans,
    bounds: Bounds | None,
) -> Noise | None:
    """Noise about the curves, shared among the curves of a sample; None if all stand alone."""
    fits = fit(dose, response, bounds=bounds)
    freedom = np.maximum(means.n_points - free_parameters(fits.status), 0).astype(np.float64)
    noise = shared_noise(fits.sse, freedom, pd.factorize(groups["sample"], sort=True)[0])
    return noise if is_shared(noise, freedom) else None


def _select(viability: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the wells to fit (sample, drug, dose, viability_pct), and one row per curve."""
    wells = viability
    if "role" in wells:
        wells = wells[wells["role"] == "sample"]
    wells = wells[_unnamed(wells, "addon")]
    single = _as_drug(wells[_unnamed(wells, "drug2")], "drug", "dose", matrix=False)
    matrix = _matrix_monotherapy(wells[~_unnamed(wells, "drug2")])
    known = pd.MultiIndex.from_frame(single[KEY])
    matrix = matrix[~pd.MultiIndex.from_frame(matrix[KEY]).isin(known)]
    wells = pd.concat([single, matrix], ignore_index=True)
    wells = wells[wells["drug"] != ""]
    bad_dose = ~(wells["dose"] >= 0) | ~np.isfinite(wells["dose"])
    usable = ~wells["excluded"] & np.isfinite(wells["viability_pct"])
    marked = wells.assign(
        n_excluded=~usable, missing_dose=usable & bad_dose, used=usable & ~bad_dose
    )
    grouped = marked.groupby(KEY, sort=True)
    groups = grouped.agg(
        n_excluded=("n_excluded", "sum"),
        missing_dose=("missing_dose", "any"),
        matrix_monotherapy=("matrix", "all"),
        dose_unit=("dose_unit", "min"),
        mixed_units=("dose_unit", "nunique"),
    ).reset_index()
    groups["mixed_units"] = groups["mixed_units"] > 1
    groups.loc[groups["mixed_units"], "dose_unit"] = ""
    groups["curve"] = np.arange(len(groups))
    fitted = groups.loc[~groups["mixed_units"], [*KEY, "curve"]]
    return marked[marked["used"]].merge(fitted, on=KEY), groups


def _unnamed(wells: pd.DataFrame, column: str) -> "pd.Series[bool]":
    if column not in wells:
        return pd.Series(True, index=wells.index)
    return wells[column].fillna("") == ""


def _as_drug(wells: pd.DataFrame, drug: str, dose: str, *, matrix: bool) -> pd.DataFrame:
    """Take one of the drugs of each well as its drug."""
    unit = wells.get("dose_unit", "nM")
    excluded = wells.get("excluded", False)
    return pd.DataFrame(
        {
            "sample": wells["sample"],
            "drug": wells[drug],
            "dose": wells[dose].astype("float64"),
            "viability_pct": wells["viability_pct"].astype("float64"),
            "dose_unit": unit,
            "excluded": excluded,
            "matrix": matrix,
        }
    )


def _matrix_monotherapy(wells: pd.DataFrame) -> pd.DataFrame:
    """Take the wells of combinations in which just one of the drugs has a dose above 0."""
    suffixes = [s for s in ("", "2", "3") if f"drug{s}" in wells and f"dose{s}" in wells]
    for s in suffixes:
        # A drug without a dose was given, nobody knows at which dose: that is no monotherapy.
        wells = wells[_unnamed(wells, f"drug{s}") | wells[f"dose{s}"].notna()]
    doses = {s: wells[f"dose{s}"].fillna(0.0) for s in suffixes}
    n_dosed = sum((dose > 0 for dose in doses.values()), start=pd.Series(0, index=wells.index))
    parts = [
        _as_drug(wells[(n_dosed == 1) & (doses[s] > 0)], f"drug{s}", f"dose{s}", matrix=True)
        for s in suffixes
    ]
    return pd.concat(parts) if parts else _as_drug(wells, "drug", "dose", matrix=True)


def _matrices(wells: pd.DataFrame, groups: pd.DataFrame) -> tuple[Floats, Floats]:
    """Lay the wells out as (n_curves, n_points), NaN = none; their order does not matter."""
    curve = wells["curve"].to_numpy()
    place = wells.groupby("curve").cumcount().to_numpy()
    shape = len(groups), int(place.max(initial=0)) + 1
    dose, response = np.full(shape, np.nan), np.full(shape, np.nan)
    dose[curve, place] = wells["dose"].to_numpy()
    response[curve, place] = wells["viability_pct"].to_numpy()
    return dose, response


def _doses_at_peak(
    drugs: "pd.Series[str]", cmax: Mapping[str, float] | None, low: Floats, high: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Give the plasma peak of each curve's drug moved into the tested doses, and where it was."""
    by_name = {name.casefold(): value for name, value in (cmax or {}).items()}
    peak = np.array([by_name.get(drug.casefold(), np.nan) for drug in drugs], dtype=np.float64)
    return np.clip(peak, low, high), (peak < low) | (peak > high)


def _counts(groups: pd.DataFrame, means: DoseMeans, low: Floats, high: Floats) -> Columns:
    return {
        "sample": groups["sample"].to_numpy(),
        "drug": groups["drug"].to_numpy(),
        "n_wells": means.n_points,
        "n_doses": means.n_doses.astype(np.int64),
        "dose_min": low,
        "dose_max": high,
        "dose_unit": groups["dose_unit"].to_numpy(),
        "n_excluded": groups["n_excluded"].to_numpy(dtype=np.int64),
    }


def _parameters(fits: Fits, means: DoseMeans) -> Columns:
    freedom = fits.n_points - 4
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(fits.sst > 0, 1.0 - fits.sse / fits.sst, np.nan)
        residual_sd = np.sqrt(np.where(freedom > 0, fits.sse / freedom, np.nan))
        rmse = np.sqrt(fits.sse / fits.n_points)
    return {
        **{name: getattr(fits, name) for name in AS_FITTED},
        "ec50": 10.0**fits.log10_ec50,
        "ec50_lo": 10.0**fits.log10_ec50_lo,
        "ec50_hi": 10.0**fits.log10_ec50_hi,
        "rmse": rmse,
        "r2": r2,
        "residual_sd": residual_sd,
        "replicate_sd": replicate_sd(means),
    }


def _scores(fits: Fits, means: DoseMeans, high: Floats) -> Columns:
    """Give areas and drug sensitivity scores; 0 for curves that rise, NaN without a fit."""
    curve = fits.log10_ec50, fits.slope, means.x_min, means.x_max
    unknown = np.isnan(fits.auc)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (
            *drug_sensitivity_scores(fits.bottom, *curve),
            asymmetric_drug_sensitivity_score(fits.top, fits.bottom, *curve),
        )
        zeroed = (np.where(fits.increasing, 0.0, score) for score in scores)
        dss1, dss2, dss3, asymmetric = (np.where(unknown, np.nan, score) for score in zeroed)
        counts = (10.0**fits.log10_ec50 < high) & (100.0 - fits.bottom >= 10.0) & (dss2 <= 50.0)
    breeze = np.where(counts, np.round(dss2, 1), 0.0)
    return {
        "aac": 100.0 - fits.auc,
        "dss1": dss1,
        "dss2": dss2,
        "dss3": dss3,
        "dss_asym": asymmetric,
        "dss2_breeze": np.where(unknown, np.nan, breeze),
    }


def _model_free(means: DoseMeans) -> dict[str, Floats]:
    found = model_free_of(means)
    return {
        "auc_model_free": found.auc,
        "dss1_model_free": found.dss1,
        "ic50_model_free": 10.0**found.log10_ic50,
    }


def _at_peak(fits: Fits, at_dose: Floats) -> Columns:
    left, right = fits.top, fits.bottom
    left, right = np.where(fits.increasing, right, left), np.where(fits.increasing, left, right)
    value = curve_at(np.log10(at_dose), left, right, fits.log10_ec50, fits.slope)
    return {
        "viability_at_cmax": np.where(np.isnan(at_dose), np.nan, value),
        "viability_at_cmax_lo": fits.viability_at_lo,
        "viability_at_cmax_hi": fits.viability_at_hi,
    }


def _shapes(fits: Fits, flat: NDArray[np.bool_]) -> NDArray[np.object_]:
    direction = np.where(fits.increasing, "increasing", "decreasing")
    shape = np.where(flat, "flat", direction)
    return np.where(fits.status == "too_few_doses", "none", shape).astype(object)


def _joined(flags: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.object_]:
    """Join the names of the flags that hold, in alphabetical order."""
    joined = np.full(len(flags["flat"]), "", dtype=object)
    for name in sorted(flags):
        separator = np.where(joined != "", ";", "").astype(object)
        joined = np.where(flags[name], joined + separator + name, joined)
    return joined
