"""gDR's noiseless test data: 100 pairs of drug and cell line, relative viability and GR."""

import numpy as np
import pandas as pd
import pytest

from drp.growth import (
    growth_curves,
    growth_of_wells,
    growth_rate_inhibition,
    growth_rate_inhibition_endpoint,
)
from drp.sensitivity import fit_curves

from . import naive

LOWEST = {"RV": 0.0, "GR": -1.0}


@pytest.fixture(scope="module")
def gdr(shared_data):
    """For each kind of response: doses, responses, published metrics and our curves."""
    folder = shared_data / "curves"
    wells = pd.read_csv(folder / "gdr_small_no_noise_averaged.csv")
    metrics = pd.read_csv(folder / "gdr_small_no_noise_metrics.csv")
    cases = {}
    for kind, lowest in LOWEST.items():
        wide = wells[wells["normalization_type"] == kind].pivot_table(
            index=["row", "col"], columns="Concentration", values="x"
        )
        published = metrics[metrics["normalization_type"] == kind].set_index(["row", "col"])
        dose = wide.columns.to_numpy(float)
        found = growth_curves(dose, wide.to_numpy(), lowest=lowest)
        cases[kind] = dose, wide.to_numpy(), published.loc[wide.index], found
    return cases


@pytest.mark.parametrize("kind", LOWEST)
def test_areas_and_ends(gdr, kind):
    _, _, published, found = gdr[kind]
    assert np.quantile(np.abs(found.mean - published["x_mean"]), 0.95) <= 1e-3
    assert np.quantile(np.abs(found.area_over - published["x_AOC"]), 0.95) <= 1e-3
    within = 1 - found.mean_between(0.005, 5.0)
    assert np.quantile(np.abs(within - published["x_AOC_range"]), 0.95) <= 1e-3
    np.testing.assert_allclose(found.largest_effect, published["x_max"], rtol=1e-12)
    assert np.quantile(np.abs(found.end - published["x_inf"]), 0.95) <= 1e-3


@pytest.mark.parametrize("kind", LOWEST)
def test_dose_of_half_effect(gdr, kind):
    _, _, published, found = gdr[kind]
    half = np.log10(published["xc50"].to_numpy())
    np.testing.assert_array_equal(np.isinf(found.log10_half), np.isinf(half))
    finite = np.isfinite(half)
    assert np.quantile(np.abs(found.log10_half[finite] - half[finite]), 0.95) <= 1e-3


@pytest.mark.parametrize("kind", LOWEST)
def test_slope_where_its_search_came_as_far_as_ours(gdr, kind):
    _, _, published, found = gdr[kind]
    rss = published["rss"].to_numpy()
    assert (found.sse <= rss * (1 + 1e-6)).all()
    same = np.isfinite(found.slope) & (found.sse >= 0.999 * rss)
    assert same.mean() >= 0.6
    apart = np.abs(found.slope[same] - published["h"].to_numpy()[same])
    assert np.quantile(apart, 0.95) <= 0.01


def test_slopes_of_all_curves(gdr):
    apart = [np.abs(found.slope - published["h"]) for _, _, published, found in gdr.values()]
    assert np.quantile(np.concatenate(apart), 0.95) <= 0.01


@pytest.mark.parametrize("kind", LOWEST)
def test_curves_are_told_from_constants(gdr, kind):
    _, _, published, found = gdr[kind]
    assert not np.isnan(found.log10_ec50).any()
    # gDR calls one pair constant: its search missed a curve that fits a thousand times better
    constant = (published["fit_type"] == "DRCConstantFitResult").to_numpy()
    assert constant.sum() == 1
    assert found.sse[constant][0] < published["rss"][constant].iloc[0] / 1000
    theirs, ours = published["p_value"].to_numpy(), found.p_flat
    same = ~constant & (found.sse >= 0.999 * published["rss"].to_numpy())
    np.testing.assert_allclose(np.log10(ours[same]), np.log10(theirs[same]), atol=0.01)


def test_a_constant_is_its_mean():
    dose = 10.0 ** np.arange(8)
    response = np.array([0.97, 1.0, 0.96, 1.01, 0.99, 0.96, 1.02, 0.97])
    found = growth_curves(dose, response[None])
    assert found.p_flat[0] >= 0.05
    assert np.isnan([found.log10_ec50[0], found.slope[0]]).all()
    assert [found.mean[0], found.end[0]] == pytest.approx([response.mean()] * 2)
    assert found.sse[0] == pytest.approx(((response - response.mean()) ** 2).sum())
    assert found.log10_half[0] == np.inf
    assert found.largest_effect[0] == 0.97


def test_one_pair_by_name(gdr):
    _, _, published, found = gdr["RV"]
    rows = (published["drug"] == "drug_002") & (published["cell"] == "cellline_BA")
    place = int(np.flatnonzero(rows)[0])
    assert found.mean[place] == pytest.approx(0.4393781, abs=1e-4)
    assert 1 - found.mean_between(0.005, 5.0)[place] == pytest.approx(0.6363157, abs=1e-4)
    assert 10 ** found.log10_ec50[place] == pytest.approx(0.003552526, rel=1e-3)
    assert found.end[place] == pytest.approx(0.3447707, abs=1e-4)
    assert found.slope[place] == pytest.approx(2.095393, abs=0.01)
    assert 10 ** found.log10_half[place] == pytest.approx(0.006208291, rel=1e-3)
    assert found.largest_effect[place] == 0.345


def test_gr_of_one_well_against_the_plain_formula():
    random = np.random.default_rng(3)
    x, c, x0 = random.uniform(-1000, 30000, (3, 200))
    found = growth_rate_inhibition(x, c, x0)
    expected = [naive.gr_time(*one) for one in zip(x, c, x0, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert 20 < np.isfinite(found).sum() < 180  # both the formula and its guard are tried
    share, divisions = random.uniform(-0.1, 2, 200), random.uniform(0, 3, 200)
    found = growth_rate_inhibition_endpoint(share, divisions)
    expected = [naive.gr_endpoint(*one) for one in zip(share, divisions, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert 20 < np.isnan(found).sum() < 180


def test_gr_by_hand():
    assert growth_rate_inhibition(10000, 20000, 13200) == pytest.approx(-0.370692, abs=1e-6)
    assert growth_rate_inhibition_endpoint(0.5, 2.0) == pytest.approx(0.414214, abs=1e-6)
    assert growth_rate_inhibition(20000, 20000, 10000) == 1  # as the control
    assert growth_rate_inhibition(10000, 20000, 10000) == 0  # as at the start
    assert growth_rate_inhibition_endpoint(9.0, 1.0) == growth_rate_inhibition_endpoint(1.25, 1.0)
    assert np.isnan(growth_rate_inhibition_endpoint(0.5, 0.66))  # doubling time above 1.5 T
    assert np.isnan(growth_rate_inhibition_endpoint(0.5, np.nan))


DOSES = np.repeat(10.0 ** np.arange(0, 4, 0.5), 2)


def project(day0=(), **columns):
    """Wells of one drug, 100 % without effect down to 20 %, and any day-0 wells, in per cent."""
    viability = [naive.viability(dose, 100, 20, 1.6, 1.4) for dose in DOSES]
    wells = pd.DataFrame({"sample": "S1", "drug": "a", "dose": DOSES, "role": "sample",
                          "viability_pct": viability})  # fmt: skip
    start = pd.DataFrame({"sample": "S1", "drug": "", "role": "day0", "viability_pct": day0})
    return pd.concat([wells, start]).assign(dose_unit="nM", **columns)


def test_a_day_0_read_gives_gr_in_the_curves_table():
    curve = fit_curves(project(day0=[45.0, 50.0, 55.0])).iloc[0]
    assert (curve["gr_form"], curve["control_growth"]) == ("time_dependent", 2.0)
    # x / x0 = 2 at 100 % and 0.4 at 20 %: with one doubling GR = x / x0 - 1, from 1 to -0.6
    assert curve["gr_max"] == pytest.approx(2 * naive.viability(10**3.5, 1, 0.2, 1.6, 1.4) - 1)
    level = 10 ** (1.6 + np.log10((100 - 75) / (75 - 20)) / 1.4)  # GR 0.5 is 75 %
    assert curve["gr50"] == pytest.approx(level, rel=1e-3)
    assert curve["gr50_qualifier"] == "="
    assert 0 < curve["gr_aoc"] < 2


def test_plates_are_scaled_by_their_own_day_0_read():
    table = pd.concat([project(day0=[50.0], plate="P1"), project(day0=[25.0], plate="P2")])
    grown = growth_of_wells(table.reset_index(drop=True))
    assert set(grown["control_growth"]) == {2.0, 4.0}


def test_a_stated_rate_gives_the_endpoint_form():
    curve = fit_curves(project(), divisions={"S1": 1.0}).iloc[0]
    assert curve["gr_form"] == "endpoint"
    assert np.isnan(curve["control_growth"])
    both = fit_curves(project(day0=[50.0]), divisions={"S1": 1.0}).iloc[0]
    assert both["gr_form"] == "time_dependent"
    assert both["gr_aoc"] == pytest.approx(curve["gr_aoc"], abs=1e-9)  # one doubling either way


@pytest.mark.parametrize(
    ("arguments", "growth"),
    [({"day0": [125.0]}, 0.8), ({"day0": [-5.0]}, np.nan), ({}, np.nan), ({"slow": 0.5}, np.nan)],
)
def test_without_growth_there_is_no_gr_but_the_survival_is_said(arguments, growth):
    divisions = {"S1": arguments.pop("slow")} if "slow" in arguments else None
    curve = fit_curves(project(**arguments), divisions=divisions).iloc[0]
    assert np.isnan([curve["gr_aoc"], curve["gr_max"], curve["gr50"]]).all()
    assert curve["gr50_qualifier"] == ""
    assert curve["control_growth"] == pytest.approx(growth, nan_ok=True)
    assert curve["auc"] > 0  # everything else is there
