"""Areas and scores as other programs define them, each under a name of its own.

"AUC", "AAC" and "DSS" name different numbers in different programs. The names used here:

========================  =====================================================================
``auc``, ``aac``          area under and above the four-parameter curve, % viability
``auc_model_free``        the same under the dose means joined by straight lines
``auc_isotonic``          the same under the means made monotone
``dss1 dss2 dss3``        Yadav 2014, threshold 10 %, without the cliff at the highest dose
``dss1_model_free``       DSS1's area under the dose means: no curve, no EC50
``dss2_breeze``           DSS2 with Breeze's rules: cliff, tenths, 0 above 50
``dss_asym``              iTReX: five parameters, floating threshold, half the area
========================  =====================================================================

No two of the scores can be converted into each other; `drp.selective` refuses to compare them.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drp.curves import Bounds, curve_at, fit
from drp.curves.collapse import collapse
from drp.curves.metrics import log10_dose_at, pharmacogx_aac
from drp.curves.model import Floats
from drp.curves.monotone import model_free_of
from drp.problems import DataError, Place, Problem

SCORES = ("dss1", "dss2", "dss3", "dss1_model_free", "dss2_breeze", "dss_asym")
# A dose beyond 10 to this power, which a curve that hardly falls may give, is no number.
LARGEST_LOG10_DOSE = 300.0
# PharmacoGx: top held at 1, bottom within 0 to 1, slope up to 4, midpoint wherever it fits.
PHARMACOGX = Bounds(top=(100.0, 100.0), bottom=(0.0, 100.0), slope=(1e-3, 4.0), ec50_margin=4.0)


class PharmacogxAreas(NamedTuple):
    """PharmacoGx's numbers; arrays of shape (n_curves,), fractions.

    aac: of the curve. aac_raw: of the wells ("Actual"). ic50: dose of half viability, infinite
    where the curve stays above it. bottom, ec50, slope: the curve.
    """

    aac: Floats
    aac_raw: Floats
    ic50: Floats
    bottom: Floats
    ec50: Floats
    slope: Floats


def pharmacogx_areas(dose: ArrayLike, viability: ArrayLike) -> PharmacogxAreas:
    """Fit curves as PharmacoGx does and give its area above the curve.

    Viability is cut to 0–100 before the fit and the curve starts from 100: numbers to compare
    with published ones, not to judge a patient by.

    Parameters
    ----------
    dose : array (n_points,) or (n_curves, n_points)
        Linear, above 0. NaN = missing.
    viability : array (n_curves, n_points)
        Per cent. NaN = missing.

    Returns
    -------
    PharmacogxAreas
        NaN for curves of fewer than four doses.

    Examples
    --------
    >>> found = pharmacogx_areas([0.1, 1.0, 2.0, 3.0, 10.0], [[99.0, 70.0, 60.0, 50.0, 40.0]])
    >>> float(found.aac[0].round(4)), float(found.aac_raw[0].round(6))
    (0.2979, 0.313592)
    """
    cut = np.clip(np.array(viability, dtype=np.float64, ndmin=2), 0.0, 100.0)
    fits = fit(dose, cut, bounds=PHARMACOGX, direction="decreasing")
    means = collapse(np.asarray(dose, dtype=np.float64), cut)
    flat = np.isnan(fits.log10_ec50)
    # A flat curve has no midpoint: its area is that of its level.
    e, slope = np.where(flat, 0.0, fits.log10_ec50), np.where(flat, 1.0, fits.slope)
    bottom = fits.bottom / 100.0
    curve = pharmacogx_aac(bottom, e, slope, means.x_min, means.x_max)
    aac = np.where(flat, 1.0 - bottom, curve)
    half = log10_dose_at(50.0, fits.top, fits.bottom, e, slope)
    half = np.where(half > LARGEST_LOG10_DOSE, np.inf, half)
    raw = 1.0 - model_free_of(means).auc / 100.0
    return PharmacogxAreas(
        aac,
        raw,
        10.0 ** np.where(np.isnan(aac), np.nan, half),
        bottom,
        10.0**fits.log10_ec50,
        slope,
    )


def viability_at(curves: pd.DataFrame, dose: ArrayLike) -> pd.DataFrame:
    """Read the viability at any dose off fitted curves; never extrapolated.

    Parameters
    ----------
    curves : pandas.DataFrame
        Table ``curves``, as `drp.sensitivity.fit_curves` gives it.
    dose : float or array (n_curves,)
        In the unit of each curve (`dose_unit`), 0 or more; NaN = none wanted.

    Returns
    -------
    pandas.DataFrame
        sample, drug, dose, dose_unit, viability_pct and viability_qualifier: ``=`` within the
        tested doses, else that of the nearest tested dose with ``<`` (it is at most this) or
        ``>`` (at least), as the curve's direction says; empty where there is no curve.

    Examples
    --------
    >>> curve = {"sample": "S1", "drug": "a", "dose_unit": "nM", "dose_min": 1.0, "dose_max": 1e4,
    ...          "top": 100.0, "bottom": 20.0, "ec50": 100.0, "slope": 1.0, "increasing": False}
    >>> viability_at(pd.DataFrame([curve]), 100.0)["viability_pct"].tolist()
    [60.0]
    """
    wanted = np.broadcast_to(np.asarray(dose, dtype=np.float64), len(curves))
    columns = ("dose_min", "dose_max", "top", "bottom", "ec50", "slope")
    low, high, top, bottom, ec50, slope = (curves[name].to_numpy(float) for name in columns)
    rising = curves["increasing"].to_numpy(dtype=bool)
    value = viability_of(np.clip(wanted, low, high), top, bottom, np.log10(ec50), slope, rising)
    table = curves[["sample", "drug"]].reset_index(drop=True)
    return table.assign(
        dose=wanted,
        dose_unit=curves["dose_unit"].to_numpy(),
        viability_pct=value,
        viability_qualifier=outside_qualifiers(wanted, low, high, value, rising),
    )


def viability_of(
    dose: Floats,
    top: Floats,
    bottom: Floats,
    log10_ec50: Floats,
    slope: Floats,
    increasing: NDArray[np.bool_],
) -> Floats:
    """Give the viability of each curve at its dose, per cent; NaN where the dose is."""
    left, right = np.where(increasing, bottom, top), np.where(increasing, top, bottom)
    with np.errstate(divide="ignore"):
        value = curve_at(np.log10(dose), left, right, log10_ec50, slope)
    return np.where(np.isnan(dose), np.nan, value)


def outside_qualifiers(
    dose: Floats, low: Floats, high: Floats, value: Floats, increasing: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Say how a viability at the nearest tested dose relates to the one at `dose`.

    Beyond the highest dose a falling (or flat) curve can only be lower: ``<``. Below the lowest
    it can only be higher: ``>``. A rising curve the other way round.
    """
    above, below = dose > high, dose < low
    lower = np.where(increasing, below, above)
    outside = np.where(lower, "<", np.where(above | below, ">", "="))
    return np.where(np.isnan(value), "", outside).astype(object)


def score_table(curves: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Give one score of every curve in long form, its variant written beside it.

    Parameters
    ----------
    curves : pandas.DataFrame
        Table ``curves``.
    variant : str
        One of `SCORES`.

    Returns
    -------
    pandas.DataFrame
        sample, drug, dose_unit, dose_min, dose_max, variant, score.

    Raises
    ------
    DataError
        The variant is unknown ("DSS" alone names nothing), or the table does not carry it.
    """
    check_variant(variant)
    if variant not in curves:
        others = [name for name in SCORES if name in curves]
        found = f"the table has no {variant}, but {', '.join(others) or 'no score'}"
        raise _refusal(
            "scores.missing-variant", found, "Scores of one kind do not stand in for another."
        )
    columns = ["sample", "drug", "dose_unit", "dose_min", "dose_max"]
    return curves[columns].assign(variant=variant, score=curves[variant])


def check_variant(variant: str) -> None:
    """Refuse a name of a score that is not in `SCORES`, such as "DSS".

    >>> check_variant("dss2")
    >>> check_variant("DSS")
    Traceback (most recent call last):
    drp.problems.DataError: error scores.unknown-variant: score: 'DSS' names no one score...
    """
    if variant not in SCORES:
        raise _refusal(
            "scores.unknown-variant",
            f"{variant!r} names no one score",
            f"Name one of: {', '.join(SCORES)}.",
        )


def _refusal(code: str, found: str, fix: str) -> DataError:
    return DataError([Problem(code, "error", Place(locator="score"), found, fix)])
