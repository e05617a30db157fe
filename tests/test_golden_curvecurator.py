"""CurveCurator's aggregated sarcoma example: 2,448 published curves of ratios."""

import numpy as np
import pandas as pd
import pytest

from drp.curves import Bounds, curve_at, fit
from drp.curves.metrics import area_under_curve
from drp.relevance import recalibrated_f, regulation, relevance_score

# Doses farther apart than this, in decades, get a point half-way before CurveCurator fits.
WIDEST_STEP = 0.2614
ITS_BOUNDS = Bounds(top=(1e-4, 1e6), bottom=(1e-4, 1e6), slope=(0.01, 10.0), ec50_margin=2.0)
TINY = 1e-10


@pytest.fixture(scope="module")
def sarcoma(shared_data):
    folder = shared_data / "curves"
    fits = pd.read_parquet(folder / "cc_sarcoma_aggregated_fits.parquet").set_index("Name")
    wells = pd.read_parquet(folder / "cc_sarcoma_aggregated_long.parquet")
    wide = wells.set_index(["Name", "dose_M"])["response"].unstack().loc[fits.index]  # noqa: PD010
    return wide.columns.to_numpy(float), wide.to_numpy(), fits


def curves_of(fits):
    columns = ("Curve Front", "Curve Back", "pEC50", "Curve Slope")
    front, back, pec50, slope = (fits[name].to_numpy() for name in columns)
    return front, back, -pec50, slope


def errors_of(dose, response, fits):
    """Squared error about the published curves and null models, and the number of points."""
    with np.errstate(divide="ignore"):
        value = curve_at(np.log10(dose), *(part[:, None] for part in curves_of(fits)))
    null = fits["Null Model"].to_numpy()[:, None]
    sse, sse_null = (np.nansum((response - one) ** 2, axis=1) for one in (value, null))
    return sse, sse_null, np.isfinite(response).sum(axis=1)


def highest(dose, response):
    return np.log10(np.nanmax(np.where(np.isfinite(response), dose, np.nan), axis=1))


def fold_changes(dose, response, fits):
    return np.log2(curve_at(highest(dose, response), *curves_of(fits)))


def test_error_and_explained_variance_of_the_published_curves(sarcoma):
    dose, response, fits = sarcoma
    sse, sse_null, n = errors_of(dose, response, fits)
    sst = np.nansum((response - np.nanmean(response, axis=1, keepdims=True)) ** 2, axis=1)
    r2 = np.maximum(0, 1 - (sse + TINY) / (sst + TINY))
    np.testing.assert_allclose(np.sqrt(sse / n), fits["Curve RMSE"], rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(sse_null / n), fits["Null RMSE"], rtol=1e-12)
    np.testing.assert_allclose(r2, fits["Curve R2"], rtol=0, atol=1e-12)


def test_f_and_p_of_the_published_curves(sarcoma):
    dose, response, fits = sarcoma
    sse, sse_null, n = errors_of(dose, response, fits)
    f, p = recalibrated_f(sse_null, sse, n)
    np.testing.assert_allclose(f, fits["Curve F_Value"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(p, fits["Curve P_Value"], rtol=1e-12)


def test_area_of_the_published_curves(sarcoma):
    dose, response, fits = sarcoma
    tested = np.isfinite(response[:, 1:])
    low = np.log10(np.nanmin(np.where(tested, dose[1:], np.nan), axis=1))
    area = area_under_curve(*curves_of(fits), low, highest(dose, response))
    np.testing.assert_allclose(area, fits["Curve AUC"], rtol=1e-12)


def test_relevance_and_regulation_of_the_published_curves(sarcoma):
    dose, response, fits = sarcoma
    sse, sse_null, n = errors_of(dose, response, fits)
    f, _ = recalibrated_f(sse_null, sse, n)
    change = fold_changes(dose, response, fits)
    score = relevance_score(f, n, change)
    np.testing.assert_allclose(change, fits["Curve Fold Change"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(score, fits["Curve Relevance Score"], rtol=1e-9, atol=1e-12)
    found = regulation(score, change, np.sqrt(sse_null / n), fits["Null Model"])
    np.testing.assert_array_equal(found, fits["Curve Regulation"].fillna("").to_numpy())
    names, counts = np.unique(found, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"": 192, "down": 1489, "not": 766, "up": 1}


def with_midpoints(x):
    """Add points half-way until no two lie farther apart than the widest step."""
    while np.diff(x).max() > WIDEST_STEP:
        wide = np.flatnonzero(np.diff(x) > WIDEST_STEP)
        x = np.sort(np.append(x, (x[wide] + x[wide + 1]) / 2))
    return x


def complete(sarcoma):
    dose, response, fits = sarcoma
    whole = np.isfinite(response).all(axis=1)
    return dose, response[whole], fits[whole]


def with_helpers(dose, response):
    """Give the points it fits: the real ones, and all doses and midpoints again, interpolated."""
    x = np.log10(dose[1:])
    dense = with_midpoints(x)
    helpers = np.array([np.interp(dense, x, one[1:]) for one in response])
    return np.append(dose, 10.0**dense), np.hstack([response, helpers])


def test_the_null_model_is_the_mean_of_all_fitted_points(sarcoma):
    dose, response, fits = complete(sarcoma)
    _, points = with_helpers(dose, response)
    np.testing.assert_allclose(points.mean(axis=1), fits["Null Model"], rtol=1e-12)


@pytest.mark.slow
def test_own_fits_to_the_same_points(sarcoma):
    dose, response, fits = complete(sarcoma)
    down = (fits["Curve Regulation"] == "down").to_numpy()
    own = fit(*with_helpers(dose, response[down]), bounds=ITS_BOUNDS)
    apart = np.abs(-own.log10_ec50 - fits["pEC50"][down].to_numpy())
    assert np.quantile(apart, 0.95) <= 1e-3


@pytest.mark.slow
def test_own_fits_to_the_wells_alone(sarcoma):
    dose, response, fits = complete(sarcoma)
    down = (fits["Curve Regulation"] == "down").to_numpy()
    own = fit(dose, response[down], bounds=ITS_BOUNDS)
    apart = np.abs(-own.log10_ec50 - fits["pEC50"][down].to_numpy())
    assert np.median(apart) <= 0.03
    assert np.quantile(apart, 0.95) <= 0.25
    area = np.abs(own.auc - fits["Curve AUC"][down].to_numpy())
    assert np.quantile(area, 0.95) <= 0.02


def test_a_sample_of_own_fits(sarcoma):
    """Every twentieth curve, for the quick tests."""
    dose, response, fits = (
        part if index == 0 else part[::20] for index, part in enumerate(complete(sarcoma))
    )
    down = (fits["Curve Regulation"] == "down").to_numpy()
    own = fit(*with_helpers(dose, response[down]), bounds=ITS_BOUNDS)
    apart = np.abs(-own.log10_ec50 - fits["pEC50"][down].to_numpy())
    assert np.quantile(apart, 0.95) <= 1e-3
