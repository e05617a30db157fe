"""The curves table: which wells go in, what comes out, and what is said where nothing can be."""

import numpy as np
import pandas as pd
import pytest

from drp.scores import SCORES, score_table, viability_at
from drp.sensitivity import band_doses, fit_curves
from drp.tables import check

from . import naive

DOSES = 10.0 ** np.arange(0, 4, 0.5)


def wells(sample, drug, response, doses=DOSES, copies=2, **columns):
    """Wells of one curve, alternately a little above and below `response` where it is a tuple."""
    if isinstance(response, tuple):
        response = [naive.viability(dose, *response) for dose in doses]
    rows = [
        {"sample": sample, "drug": drug, "dose": dose, "viability_pct": value + (-1) ** copy}
        for dose, value in zip(doses, response, strict=True)
        for copy in range(copies)
    ]
    table = pd.DataFrame(rows)
    return table.assign(dose_unit="nM", role="sample", excluded=False, **columns)


def row(table, drug, sample="S1"):
    return table[(table["sample"] == sample) & (table["drug"] == drug)].iloc[0]


def flags(curve):
    return set(curve["flags"].split(";"))


@pytest.fixture(scope="module")
def table():
    return fit_curves(
        pd.concat(
            [
                wells("S1", "active", (100, 5, 1.6, 1.4)),
                wells("S1", "inert", (100, 100, 1.0, 1.0)),
                wells("S1", "late", (100, 0, 3.9, 1.0)),
                wells("S1", "early", (100, 2, -0.6, 1.5)),
                wells("S1", "plateau", (100, 62, 1.5, 1.5)),
                wells("S1", "rising", (140, 60, 1.7, -1.5)),
                wells("S1", "asparaginase", (100, 20, 1.5, 1.2)).assign(dose_unit="IU/mL"),
                wells("S2", "active", (100, 5, 2.6, 1.4)),
            ]
        ),
        cmax={"ACTIVE": 100.0, "late": 1e6, "inert": np.nan},
    )


def test_one_row_per_sample_and_drug_in_order(table):
    assert table[["sample", "drug"]].apply(tuple, axis=1).is_monotonic_increasing
    assert len(table) == 8
    check(table, "curves")


def test_an_active_drug(table):
    curve = row(table, "active")
    assert (curve["shape"], curve["status"], curve["ic50_qualifier"]) == (
        "decreasing",
        "converged",
        "=",
    )
    assert curve["ec50"] == pytest.approx(10**1.6, rel=0.01)
    level = 10 ** (1.6 + np.log10(50 / 45) / 1.4)
    assert curve["ic50"] == pytest.approx(level, rel=0.01)
    assert curve["ic50_lo"] < level < curve["ic50_hi"]
    assert curve["auc"] == pytest.approx(naive.area(100, 5, 1.6, 1.4, 0, 3.5), abs=0.2)
    assert curve["aac"] == 100 - curve["auc"]
    assert curve["dss2"] == pytest.approx(naive.dss(5, 1.6, 1.4, 0, 3.5)[1], abs=0.2)
    assert curve["dss2_breeze"] == round(curve["dss2"], 1)
    assert curve["auc_model_free"] == pytest.approx(curve["auc"], abs=1.0)
    assert curve["replicate_sd"] == pytest.approx(np.sqrt(2))
    assert (curve["n_wells"], curve["n_doses"], curve["n_excluded"]) == (16, 8, 0)
    assert (curve["dose_min"], curve["dose_max"]) == (DOSES[0], DOSES[-1])


def test_a_drug_ten_times_weaker_shifts_and_scores_lower(table):
    strong, weak = row(table, "active"), row(table, "active", "S2")
    assert weak["ec50"] / strong["ec50"] == pytest.approx(10, rel=0.02)
    assert weak["dss2"] < strong["dss2"]
    assert weak["auc"] > strong["auc"]


def test_a_drug_without_effect_is_flat(table):
    curve = row(table, "inert")
    assert (curve["shape"], curve["ic50_qualifier"], curve["ic50"]) == ("flat", ">", DOSES[-1])
    assert curve["p_flat"] > 0.05
    assert curve["dss2"] == 0
    assert (curve["ic50_lo"], curve["ic50_hi"]) == (DOSES[-1], np.inf)


def test_an_ic50_beyond_the_doses_is_the_limit_and_never_extrapolated(table):
    late, early, plateau = (row(table, drug) for drug in ("late", "early", "plateau"))
    assert (late["ic50_qualifier"], late["ic50"], late["ic50_hi"]) == (">", DOSES[-1], np.inf)
    assert (early["ic50_qualifier"], early["ic50"], early["ic50_lo"]) == ("<", DOSES[0], 0)
    assert (plateau["ic50_qualifier"], plateau["ic50"]) == (">", DOSES[-1])
    assert plateau["ec50"] == pytest.approx(10**1.5, rel=0.05)
    assert "ec50_above_range" in flags(late)
    assert "ec50_below_range" in flags(early)


def test_the_cliff_of_other_scores_is_flagged(table):
    curve = row(table, "late")
    assert curve["dss2"] > 0.1
    assert curve["dss2_breeze"] == 0
    assert "dss_cliff" in flags(curve)
    assert "dss_cliff" not in flags(row(table, "active"))


def test_a_rising_curve_scores_nothing(table):
    curve = row(table, "rising")
    assert curve["shape"] == "increasing"
    assert (curve["dss1"], curve["dss2"], curve["dss3"], curve["dss_asym"]) == (0, 0, 0, 0)
    assert (curve["ic50_qualifier"], curve["ic50"]) == (">", DOSES[-1])
    assert curve["dss2_breeze"] == 0
    assert curve["slope"] > 0
    assert curve["top"] > curve["bottom"]
    assert curve["increasing"]


def test_viability_at_the_plasma_peak(table):
    active, late, inert = (row(table, drug) for drug in ("active", "late", "inert"))
    expected = naive.viability(100.0, 100, 5, 1.6, 1.4)
    assert active["viability_at_cmax"] == pytest.approx(expected, abs=0.5)
    assert active["viability_at_cmax_lo"] < expected < active["viability_at_cmax_hi"]
    expected = naive.viability(DOSES[-1], 100, 0, 3.9, 1.0)
    assert late["viability_at_cmax"] == pytest.approx(expected, abs=1)
    assert "cmax_outside_range" in flags(late)
    assert "cmax_outside_range" not in flags(active)
    assert np.isnan(inert["viability_at_cmax"])
    qualifiers = [one["viability_at_cmax_qualifier"] for one in (active, late, inert)]
    assert qualifiers == ["=", "<", ""]
    assert (active["cmax"], late["cmax"]) == (100.0, 1e6)
    assert np.isnan(inert["cmax"])


def test_the_band_holds_the_curve_at_equal_steps_of_log_dose(table):
    active = row(table, "active")
    low, high = (
        np.array([float(v) for v in active[end].split(";")]) for end in ("band_lo", "band_hi")
    )
    doses = band_doses(active["dose_min"], active["dose_max"])
    assert len(low) == len(high) == len(doses) and (np.diff(np.log10(doses)) > 0).all()
    curve = active["top"], active["bottom"], np.log10(active["ec50"]), active["slope"]
    fitted = np.array([naive.viability(dose, *curve) for dose in doses])
    assert ((low < fitted) & (fitted < high)).all()


def test_viability_at_any_dose(table):
    """Inside the doses the curve's, beyond them the nearest one's with what is known of it."""
    dose = np.array([100.0, 1e6, 0.01, 100.0, np.nan, 100.0, 0.0, 1e9])
    found = viability_at(table, dose).set_index(["sample", "drug"])
    for place, (_, curve) in enumerate(table.iterrows()):
        near = np.clip(dose[place], curve["dose_min"], curve["dose_max"])
        slope = -curve["slope"] if curve["increasing"] else curve["slope"]
        if np.isfinite(near) and np.isfinite(curve["ec50"]):
            ends = (curve["bottom"], curve["top"]) if curve["increasing"] else None
            top, bottom = (curve["top"], curve["bottom"])
            expected = naive.viability(near, top, bottom, np.log10(curve["ec50"]), slope)
            assert ends is None or ends[0] < ends[1]
            assert found["viability_pct"].iloc[place] == pytest.approx(expected)
    by_name = found["viability_qualifier"].to_dict()
    names = [tuple(pair) for pair in table[["sample", "drug"]].to_numpy()]
    assert [by_name[name] for name in names[:3]] == ["=", "<", ">"]
    assert by_name[names[4]] == ""
    assert found["viability_pct"].isna().sum() == 1


def test_beyond_the_doses_a_rising_curve_is_known_from_the_other_side(table):
    rising = table[table["drug"] == "rising"]
    assert viability_at(rising, 1e9)["viability_qualifier"].tolist() == [">"]
    assert viability_at(rising, 1e-9)["viability_qualifier"].tolist() == ["<"]


def test_every_score_has_its_own_name_and_number(table):
    """On one active curve no two variants agree: nobody can take one for another."""
    curve = row(table, "active")
    values = [curve[name] for name in SCORES if name not in ("dss2_breeze", "dss1_model_free")]
    assert len({round(value, 1) for value in values}) == len(values)
    long = score_table(table, "dss_asym")
    assert set(long["variant"]) == {"dss_asym"}
    np.testing.assert_array_equal(long["score"], table["dss_asym"])


def test_model_free_and_isotonic_numbers_stand_beside_the_curve(table):
    curve = row(table, "active")
    mean = np.array([naive.viability(dose, 100, 5, 1.6, 1.4) for dose in DOSES])
    x = np.log10(DOSES)
    assert curve["dss1_model_free"] == pytest.approx(naive.model_free_area(x, 100 - mean), abs=1e-3)
    assert curve["dss1_model_free"] == pytest.approx(curve["dss1"], abs=1.5)
    assert curve["auc_isotonic"] == pytest.approx(np.trapezoid(mean, x) / 3.5)
    assert (curve["headline"], curve["ic50_isotonic_qualifier"]) == ("curve", "=")
    assert np.log10(curve["ic50_isotonic"]) == pytest.approx(np.log10(curve["ic50"]), abs=0.1)
    late = row(table, "late")
    assert (late["ic50_isotonic"], late["ic50_isotonic_qualifier"]) == (DOSES[-1], ">")


def test_a_curve_that_turns_up_again_leads_with_the_isotonic_numbers():
    hump = [100, 95, 60, 20, 90, 92, 10, 5]
    curve = fit_curves(wells("S1", "a", hump, copies=3)).iloc[0]
    assert "non_monotone" in flags(curve)
    assert curve["headline"] == "isotonic"
    few = fit_curves(wells("S1", "a", [100, 70, 30], doses=[1.0, 10.0, 100.0])).iloc[0]
    assert few["headline"] == "isotonic"
    none = fit_curves(wells("S1", "a", (100, 5, 1.6, 1.4)).assign(excluded=True)).iloc[0]
    assert none["headline"] == "none"


def test_other_units_keep_their_axis(table):
    curve = row(table, "asparaginase")
    assert (curve["dose_unit"], curve["shape"]) == ("IU/mL", "decreasing")


def test_doses_in_two_units_are_never_one_curve():
    mixed = wells("S1", "a", (100, 5, 1.6, 1.4))
    mixed.loc[mixed["dose"] > 100, "dose_unit"] = "ug/mL"
    curve = fit_curves(pd.concat([mixed, wells("S1", "b", (100, 5, 1.6, 1.4))])).iloc[0]
    assert (curve["shape"], curve["flags"].split(";")) == (
        "none",
        ["mixed_units", "no_wells", "too_few_doses"],
    )
    assert (curve["dose_unit"], curve["ic50_qualifier"]) == ("", "")
    assert np.isnan(curve["ic50"])


def test_three_doses_give_model_free_numbers_only():
    few = wells("S1", "a", [100, 70, 30], doses=[1.0, 10.0, 100.0], copies=2)
    curve = fit_curves(few).iloc[0]
    assert (curve["shape"], flags(curve)) == ("none", {"too_few_doses"})
    assert np.isnan(
        [curve["auc"], curve["dss2"], curve["dss1"], curve["ec50"], curve["p_flat"]]
    ).all()
    assert curve["auc_model_free"] == pytest.approx(67.5)
    assert (curve["ic50"], curve["ic50_qualifier"]) == (pytest.approx(10**1.5), "=")


def test_one_dose_is_a_censored_ic50():
    curve = fit_curves(wells("S1", "a", [80], doses=[10.0])).iloc[0]
    assert (curve["ic50"], curve["ic50_qualifier"]) == (10.0, ">")


def test_four_wells_are_fitted_but_not_trusted():
    curve = fit_curves(wells("S1", "a", [98, 80, 30, 12], doses=DOSES[::2], copies=1)).iloc[0]
    assert curve["shape"] == "decreasing"
    assert {"no_interval", "flat_untested"} <= flags(curve)
    assert np.isnan([curve["auc_lo"], curve["ic50_lo"], curve["dss2_hi"]]).all()


def test_excluded_wells_are_counted_and_leave_no_trace():
    clean = wells("S1", "a", (100, 5, 1.6, 1.4))
    bad = clean.iloc[[0, 5]].assign(viability_pct=400.0, excluded=True)
    missing = clean.iloc[[3]].assign(viability_pct=np.nan)
    one = fit_curves(clean).iloc[0]
    other = fit_curves(pd.concat([clean, bad, missing])).iloc[0]
    assert other["n_excluded"] == 3
    pd.testing.assert_series_equal(
        one.drop("n_excluded"), other.drop("n_excluded"), check_names=False
    )


def test_a_drug_whose_wells_are_all_excluded_keeps_its_row():
    curve = fit_curves(wells("S1", "a", (100, 5, 1.6, 1.4)).assign(excluded=True)).iloc[0]
    assert (curve["shape"], curve["n_wells"], curve["n_excluded"]) == ("none", 0, 16)
    assert flags(curve) == {"no_wells", "too_few_doses"}


def test_a_well_without_its_dose_is_said():
    table = wells("S1", "a", (100, 5, 1.6, 1.4))
    table.loc[0, "dose"] = np.nan
    curve = fit_curves(table).iloc[0]
    assert curve["n_wells"] == 15
    assert "missing_dose" in flags(curve)


def test_controls_are_no_sample_wells():
    table = wells("S1", "a", (100, 5, 1.6, 1.4))
    controls = table.assign(role="positive", viability_pct=0.0)
    pd.testing.assert_frame_equal(fit_curves(table), fit_curves(pd.concat([table, controls])))


def matrix():
    """A 5 × 5 matrix of drugs a and b, its dose-0 edges and control wells."""
    doses = [0.0, *DOSES[:8:2]]
    rows = []
    for dose in doses:
        for dose2 in doses:
            value = naive.viability(dose, 1, 0.1, 1.2, 1.5) * naive.viability(dose2, 1, 0.2, 1.8, 1)
            rows.append({"sample": "S1", "drug": "a", "dose": dose, "drug2": "b", "dose2": dose2,
                         "viability_pct": 100 * value})  # fmt: skip
    return pd.DataFrame(rows).assign(dose_unit="nM", role="sample", excluded=False)


def test_the_edges_of_a_matrix_stand_in_for_missing_single_agents():
    table = fit_curves(matrix())
    assert list(table["drug"]) == ["a", "b"]
    assert (table["n_wells"] == 4).all()
    assert all("matrix_monotherapy" in names for names in table["flags"])
    assert row(table, "a")["ec50"] == pytest.approx(10**1.2, rel=0.05)


def test_single_agent_wells_come_before_a_matrix():
    single = wells("S1", "a", (100, 5, 2.4, 1.4)).assign(drug2="", dose2=np.nan)
    table = fit_curves(pd.concat([matrix(), single]))
    assert row(table, "a")["n_wells"] == 16
    assert "matrix_monotherapy" not in row(table, "a")["flags"]
    assert "matrix_monotherapy" in row(table, "b")["flags"]


def test_wells_with_a_partner_at_an_unknown_dose_are_no_single_agents():
    alone = wells("S1", "a", (100, 5, 2.4, 1.4)).assign(drug2="", dose2=np.nan, addon="")
    lower = wells("S1", "a", (100, 5, 1.4, 1.4)).assign(drug2="b", dose2=np.nan, addon="b")
    itself = lower.assign(drug2="", addon="A")
    other = wells("S1", "c", (100, 5, 1.4, 1.4)).assign(drug2="b", dose2=np.nan, addon="b")
    table = fit_curves(pd.concat([alone, lower, itself, other]))
    pd.testing.assert_frame_equal(table, fit_curves(alone.drop(columns="addon")))


def test_a_combination_without_the_dose_of_one_drug_is_no_monotherapy():
    given = wells("S1", "a", (100, 5, 2.4, 1.4)).assign(drug2="b", dose2=np.nan)
    assert fit_curves(given).empty
    assert list(fit_curves(given.assign(dose2=0.0))["drug"]) == ["a"]


def test_row_order_and_other_samples_change_nothing():
    random = np.random.default_rng(4)
    parts = [
        wells(sample, drug, tuple(random.uniform([90, 0, 0.5, 0.7], [110, 60, 3, 2])))
        for sample in ("S1", "S2") for drug in "abc"
    ]  # fmt: skip
    whole = pd.concat(parts, ignore_index=True)
    table = fit_curves(whole)
    pd.testing.assert_frame_equal(table, fit_curves(whole.sample(frac=1, random_state=1)))
    alone = fit_curves(whole[whole["sample"] == "S2"])
    pd.testing.assert_frame_equal(
        table[table["sample"] == "S2"].reset_index(drop=True), alone, check_exact=True
    )


def test_no_wells_give_an_empty_table():
    empty = wells("S1", "a", (100, 5, 1.6, 1.4)).iloc[:0]
    assert len(check(fit_curves(empty), "curves")) == 0
