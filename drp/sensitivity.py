"""The curves table: one row per sample and drug, with every number and what limits it.

`drp.single_agents` says which wells make a curve, `drp.scores` what each score means. What cannot
be known is NaN with a flag, never left out.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drp.asymmetric import asymmetric_scores
from drp.curves.censoring import censored_half_doses
from drp.curves.collapse import DoseMeans, collapse
from drp.curves.fitting import Fits, fit
from drp.curves.flags import LARGEST_AREA_GAP, identifiability, replicate_sd
from drp.curves.influence import largest_auc_shift
from drp.curves.metrics import breeze_score, drug_sensitivity_scores
from drp.curves.model import Bounds, Floats
from drp.curves.monotone import model_free_of
from drp.curves.noise import Noise, free_parameters, is_shared, shared_noise
from drp.growth import growth_curves, growth_of_wells
from drp.scores import outside_qualifiers, viability_of
from drp.single_agents import checked_wells, select_wells, well_matrices
from drp.tables import check

# Breeze and the R package give whole tenths; a larger gap is the cliff at the highest dose.
CLIFF = 0.1
BAND_STEPS = 9
GROUP_FLAGS = ("matrix_monotherapy", "mixed_units", "no_unit", "missing_dose")
# Columns taken over from the fit as they are.
AS_FITTED = (
    *("top", "bottom", "slope", "sse", "p_flat", "status", "auc", "auc_lo", "auc_hi"),
    *("dss2_lo", "dss2_hi", "top_se", "bottom_se", "slope_se", "log10_ec50_se", "increasing"),
)

Columns = dict[str, NDArray[Any]]


def fit_curves(
    viability: pd.DataFrame,
    *,
    cmax: Mapping[str, float] | None = None,
    divisions: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Fit every sample's response to every drug and read the sensitivity metrics off the curves.

    Parameters
    ----------
    viability : pandas.DataFrame
        Columns sample, drug, dose, viability_pct (100 = negative control, not clipped); if
        present also role (only ``sample`` wells make curves; ``day0`` wells tell the growth),
        plate, excluded, dose_unit (else nM), drug2, dose2, drug3, dose3, addon (wells with a
        partner at a dose that is not stated are left out). Rows in any order.
    cmax : mapping of str to float, optional
        Plasma peak of each drug in the drug's dose unit, nM for everything molar; total or
        unbound, as the caller has it. Names in any case.
    divisions : mapping of str to float, optional
        Sample → doublings of its untreated cells during the assay (see `drp.growth`), where no
        day-0 read tells the growth.
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
        of the fit; ``n_excluded`` wells; ``increasing``; ``top_se``, ``bottom_se`` (points),
        ``slope_se``, ``log10_ec50_se`` (decades); ``residual_sd``, ``replicate_sd`` (points);
        ``auc_model_free``, ``auc_isotonic`` (%), ``dss1_model_free`` (0–100), ``ic50_model_free``
        (dose_unit; 0 or infinite beyond the doses), ``ic50_isotonic`` and its qualifier;
        ``dss2_breeze`` (0–50); ``cmax`` (dose_unit), ``viability_at_cmax_lo``, ``_hi`` (%) and
        ``_qualifier`` (``<``: at most, ``>``: at least); ``band_lo``, ``band_hi`` (interval of the
        viability, %, at equal steps of log10 dose, see `band_doses`; joined by ``;``);
        ``control_growth`` (untreated cells over day 0), ``gr_form``, ``gr_aoc`` (0–2), ``gr_max``
        (-1 to 1), ``gr50`` and its qualifier; ``headline``: ``curve``, ``isotonic`` where the
        curve is in doubt, or ``none``. What each score means: `drp.scores`.

    Raises
    ------
    DataError
        A column is missing or holds no numbers, a well names no sample, a unit is unknown.

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
    given = checked_wells(viability)
    grown = growth_of_wells(given, divisions)
    wells, groups = select_wells(given.assign(**{str(name): grown[name].array for name in grown}))
    dose, response, gr = well_matrices(wells, len(groups), ("dose", "viability_pct", "gr"))
    means = collapse(dose, response)
    positive = np.where(dose > 0, dose, np.nan)
    low, high = np.fmin.reduce(positive, axis=1), np.fmax.reduce(positive, axis=1)
    peak = _peaks(groups["drug"], cmax)
    asked = np.column_stack([np.clip(peak, low, high), band_doses(low, high)])
    fits = fit(
        dose,
        response,
        bounds=bounds,
        intervals=True,
        level=level,
        at_dose=asked,
        noise=partial(_noise_of_sample, groups),
        seed=seed,
    )
    free = _model_free(means, low, high)
    columns: Columns = {
        **_counts(groups, means, low, high),
        **_parameters(fits, means),
        **censored_half_doses(fits, free["ic50_model_free"], low, high),
        **_scores(fits, means),
        "dss_asym": _asymmetric(dose, response, fits),
        **free,
        **_at_peak(fits, peak, low, high),
        **_band(fits),
        **_growth(groups, dose, gr, low, high),
    }
    # A replicate that moves the means' area by less than a tenth of what counts is not tried.
    least = LARGEST_AREA_GAP / 10
    shift = largest_auc_shift(dose, response, bounds=bounds, at_least=least, auc=fits.auc)
    flags = {
        **identifiability(fits, means, free["auc_model_free"], shift),
        **{name: groups[name].to_numpy(dtype=bool) for name in GROUP_FLAGS},
        "no_wells": means.n_points == 0,
        "cmax_outside_range": (peak < low) | (peak > high),
        "dss_cliff": np.abs(columns["dss2"] - columns["dss2_breeze"]) > CLIFF,
    }
    columns["shape"] = _shapes(fits, flags["flat"])
    columns["headline"] = _headlines(flags, columns["ic50_isotonic_qualifier"])
    columns["flags"] = _joined(flags)
    return check(pd.DataFrame(columns), "curves")


def _noise_of_sample(groups: pd.DataFrame, fits: Fits) -> Noise | None:
    """Noise about the curves, shared among the curves of a sample; None if all stand alone."""
    freedom = np.maximum(fits.n_points - free_parameters(fits.status), 0).astype(np.float64)
    noise = shared_noise(fits.sse, freedom, pd.factorize(groups["sample"], sort=True)[0])
    return noise if is_shared(noise, freedom) else None


def _peaks(drugs: "pd.Series[str]", cmax: Mapping[str, float] | None) -> Floats:
    by_name = {name.casefold(): value for name, value in (cmax or {}).items()}
    return np.array([by_name.get(drug.casefold(), np.nan) for drug in drugs], dtype=np.float64)


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


def _scores(fits: Fits, means: DoseMeans) -> Columns:
    """Give areas and drug sensitivity scores; 0 for curves that rise, NaN without a fit."""
    curve = fits.bottom, fits.log10_ec50, fits.slope, means.x_min, means.x_max
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (*drug_sensitivity_scores(*curve), breeze_score(*curve))
    columns: Columns = {"aac": 100.0 - fits.auc}
    for name, score in zip(("dss1", "dss2", "dss3", "dss2_breeze"), scores, strict=True):
        zeroed = np.where(fits.increasing, 0.0, score)
        columns[name] = np.where(np.isnan(fits.auc), np.nan, zeroed)
    return columns


def _asymmetric(dose: Floats, response: Floats, fits: Fits) -> Floats:
    """Give DSS_asym wherever there is a curve at all."""
    return np.where(np.isnan(fits.auc), np.nan, asymmetric_scores(dose, response).score)


def _model_free(means: DoseMeans, low: Floats, high: Floats) -> dict[str, NDArray[Any]]:
    found = model_free_of(means)
    half = 10.0**found.log10_ic50
    with np.errstate(invalid="ignore"):
        qualifier = np.where(half > high, ">", np.where(half < low, "<", "="))
    return {
        "auc_model_free": found.auc,
        "dss1_model_free": found.dss1,
        "ic50_model_free": half,
        "auc_isotonic": found.auc_isotonic,
        "ic50_isotonic": np.clip(half, low, high),
        "ic50_isotonic_qualifier": np.where(np.isnan(half), "", qualifier).astype(object),
    }


def _at_peak(fits: Fits, peak: Floats, low: Floats, high: Floats) -> Columns:
    curve = fits.top, fits.bottom, fits.log10_ec50, fits.slope, fits.increasing
    value = viability_of(np.clip(peak, low, high), *curve)
    return {
        "cmax": peak,
        "viability_at_cmax": value,
        "viability_at_cmax_lo": fits.viability_at_lo[:, 0],
        "viability_at_cmax_hi": fits.viability_at_hi[:, 0],
        "viability_at_cmax_qualifier": outside_qualifiers(peak, low, high, value, fits.increasing),
    }


def band_doses(low: ArrayLike, high: ArrayLike) -> Floats:
    """Give the doses of the band: `BAND_STEPS` equal steps of log10 dose, both ends included.

    >>> band_doses([1.0], [1e8])[0, :3]
    array([ 1., 10., 100.])
    """
    ends = np.log10(np.asarray(low, float)), np.log10(np.asarray(high, float))
    return 10.0 ** np.linspace(*ends, BAND_STEPS, axis=-1)


def _band(fits: Fits) -> Columns:
    """Write the viability's interval at the doses of the band, joined by semicolons."""
    ends = {"band_lo": fits.viability_at_lo[:, 1:], "band_hi": fits.viability_at_hi[:, 1:]}
    return {
        name: np.array(
            ["" if np.isnan(row).any() else ";".join(f"{v:.4g}" for v in row) for row in values],
            dtype=object,
        )
        for name, values in ends.items()
    }


def _growth(groups: pd.DataFrame, dose: Floats, gr: Floats, low: Floats, high: Floats) -> Columns:
    """Give the numbers of the GR curve, NaN where growth is unknown or too little."""
    none = np.full(len(groups), np.nan)
    columns: Columns = {
        "control_growth": groups["control_growth"].to_numpy(dtype=np.float64),
        "gr_form": groups["gr_form"].to_numpy(dtype=object),
        **dict.fromkeys(("gr_aoc", "gr_max", "gr50"), none),
        "gr50_qualifier": np.full(len(groups), "", dtype=object),
    }
    if np.isnan(gr).all():
        return columns
    curves = growth_curves(np.where(dose > 0, dose, np.nan), gr)
    half = 10.0 ** np.where(np.isnan(curves.mean), np.nan, curves.log10_half)
    with np.errstate(invalid="ignore"):
        qualifier = np.where(half > high, ">", np.where(half < low, "<", "="))
    return columns | {
        "gr_aoc": curves.area_over,
        "gr_max": curves.largest_effect,
        "gr50": np.clip(half, low, high),
        "gr50_qualifier": np.where(np.isnan(half), "", qualifier).astype(object),
    }


def _headlines(
    flags: Mapping[str, NDArray[np.bool_]], isotonic: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Say which numbers to lead with: the curve's, or those of the means made monotone."""
    doubtful = flags["non_monotone"] | flags["steps_ran_out"] | flags["too_few_doses"]
    fallback = np.where(isotonic == "", "none", "isotonic")
    return np.where(doubtful, fallback, "curve").astype(object)


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
