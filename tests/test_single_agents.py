"""Hostile tables: every curve has a row with a result or a reason, or the table is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.problems import DataError
from drp.sensitivity import fit_curves
from drp.tables import check

from .test_sensitivity import flags, wells

CURVE = (100, 5, 1.6, 1.4)
DOSES = 10.0 ** np.arange(5)


def fitted(response, doses=DOSES):
    table = wells("S1", "a", list(response), doses=doses, copies=1)
    return fit_curves(table.assign(viability_pct=np.array(response, dtype=float))).iloc[0]


def problem(table):
    with pytest.raises(DataError) as caught:
        fit_curves(table)
    return str(caught.value)


def test_nothing_but_missing_viability():
    curve = fitted([np.nan] * 5)
    assert (curve["shape"], curve["n_wells"], curve["n_excluded"]) == ("none", 0, 5)
    assert {"no_wells", "too_few_doses"} == flags(curve)
    assert (curve["headline"], curve["ic50_qualifier"]) == ("none", "")


def test_infinite_viability_is_no_measurement():
    curve = fitted([100, 90, np.inf, 20, 10])
    assert (curve["n_wells"], curve["n_excluded"]) == (4, 1)
    assert fitted([1e300, 90, 50, 20, 10])["n_excluded"] == 1


def test_all_wells_at_one_dose():
    curve = fitted([40, 50, 60, 50, 45], doses=[10.0] * 5)  # 49 on average
    assert (curve["n_doses"], curve["shape"]) == (1, "none")
    assert (curve["ic50"], curve["ic50_qualifier"]) == (10.0, "<")
    assert (curve["headline"], flags(curve)) == ("isotonic", {"too_few_doses"})


def test_all_wells_at_dose_zero():
    curve = fitted([98, 99, 100, 101, 102], doses=[0.0] * 5)
    assert (curve["shape"], curve["ic50_qualifier"], curve["headline"]) == ("none", "", "none")
    assert np.isnan([curve["dose_min"], curve["ic50"], curve["auc_model_free"]]).all()


def test_doses_given_many_times_and_in_any_order():
    table = wells("S1", "a", CURVE, copies=7).sample(frac=1, random_state=3)
    curve = fit_curves(table).iloc[0]
    assert (curve["n_wells"], curve["n_doses"]) == (56, 8)
    pd.testing.assert_series_equal(curve, fit_curves(wells("S1", "a", CURVE, copies=7)).iloc[0])


def test_zeros_everywhere_are_a_full_kill():
    curve = fitted([0.0] * 5)
    assert (curve["status"], curve["ic50_qualifier"], curve["ic50"]) == ("flat", "<", DOSES[0])
    assert (curve["auc"], curve["dss1"], curve["auc_model_free"]) == (0, 100, 0)


def test_negative_viability_is_kept_and_bounded():
    curve = fitted([100, 95, 40, -20, -30])
    assert curve["bottom"] == 0
    assert curve["auc_model_free"] < curve["auc"]
    assert curve["dss2"] <= 50
    every = fitted([-5, -10, -8, -12, -9])
    assert (every["top"], every["ic50_qualifier"]) == (0, "<")


def test_viability_of_a_million_per_cent():
    curve = fitted([1e6, 1e6, 9e5, 1e5, 2e4])
    assert (curve["shape"], curve["ic50_qualifier"]) == ("decreasing", ">")
    assert curve["auc"] > 1e5
    assert curve["dss2"] == curve["dss_asym"] == 0
    lone = fitted([1e6, 100, 60, 20, 10])
    assert np.isfinite([lone["auc"], lone["ic50"], lone["dss_asym"]]).all()


@pytest.mark.parametrize("unit", ["IU/mL", "ug/mL"])
def test_units_that_are_not_molar_stand_on_their_own_axis(unit):
    table = pd.concat([wells("S1", "a", CURVE).assign(dose_unit=unit), wells("S1", "b", CURVE)])
    curves = fit_curves(table).set_index("drug")
    assert curves["dose_unit"].to_dict() == {"a": unit, "b": "nM"}
    assert curves.loc["a", "ec50"] == curves.loc["b", "ec50"]


def test_a_drug_in_two_units_is_refused_as_a_curve_and_said():
    table = pd.concat([wells("S1", "a", CURVE), wells("S1", "a", CURVE).assign(dose_unit="ug/mL")])
    curve = fit_curves(table).iloc[0]
    assert flags(curve) == {"mixed_units", "no_wells", "too_few_doses"}
    assert (curve["dose_unit"], curve["shape"], curve["headline"]) == ("", "none", "none")


def test_a_drug_without_a_unit_is_no_curve():
    curve = fit_curves(wells("S1", "a", CURVE).assign(dose_unit="")).iloc[0]
    assert flags(curve) == {"no_unit", "no_wells", "too_few_doses"}


def test_the_unit_of_a_well_without_a_dose_does_not_count():
    table = wells("S1", "a", CURVE)
    table.loc[0, "dose"], table.loc[0, "dose_unit"] = np.nan, ""
    curve = fit_curves(table).iloc[0]
    assert (curve["dose_unit"], curve["shape"]) == ("nM", "decreasing")
    assert "missing_dose" in flags(curve)
    assert "mixed_units" not in flags(curve)


def test_negative_and_infinite_doses_are_missing_doses():
    table = wells("S1", "a", CURVE)
    table.loc[0, "dose"], table.loc[5, "dose"] = -1.0, np.inf
    curve = fit_curves(table).iloc[0]
    assert curve["n_wells"] == 14
    assert "missing_dose" in flags(curve)


@pytest.mark.parametrize("column", ["sample", "drug", "dose", "viability_pct"])
def test_a_missing_column_is_named(column):
    assert f"column {column} is missing" in problem(wells("S1", "a", CURVE).drop(columns=column))


def test_what_a_table_must_not_hold_is_all_said_at_once():
    table = wells("S1", "a", CURVE).astype({"viability_pct": object})
    table.loc[3, "viability_pct"] = "n.d."
    table.loc[4, "sample"] = ""
    table["dose_unit"] = "uM"
    said = problem(table)
    for part in (
        "viability_pct holds 'n.d.'",
        "1 wells name no sample",
        "dose unit 'uM' is unknown",
    ):
        assert part in said


def test_numbers_written_as_text_and_unusual_indexes_change_nothing():
    table = wells("S1", "a", CURVE, copies=3)
    plain = fit_curves(table)
    text = table.assign(
        dose=table["dose"].map(repr), viability_pct=table["viability_pct"].map(repr)
    )
    pd.testing.assert_frame_equal(fit_curves(text), plain)
    for index in ([0] * len(table), list("abcdefgh") * 3, range(500, 500 - len(table), -1)):
        pd.testing.assert_frame_equal(fit_curves(table.set_index(pd.Index(index))), plain)


def test_missing_marks_of_exclusion_and_names_mean_none():
    table = wells("S1", "a", CURVE).astype({"excluded": object})
    table.loc[2, "excluded"] = None
    extra = table.iloc[[0]].assign(drug=np.nan, viability_pct=1e5)
    both = fit_curves(pd.concat([table, extra], ignore_index=True))
    pd.testing.assert_frame_equal(both, fit_curves(wells("S1", "a", CURVE)))


NUMBERS = st.one_of(
    st.just(np.nan), st.just(0.0), st.floats(-1e6, 1e6), st.floats(-50, 150), st.just(np.inf)
)
ROWS = st.tuples(
    st.sampled_from(["S1", "S2"]),
    st.sampled_from(["a", "b", ""]),
    st.one_of(st.sampled_from([1.0, 10.0, 100.0, 1000.0, 1e4]), NUMBERS),
    NUMBERS,
    st.sampled_from(["nM", "nM", "nM", "ug/mL", ""]),
    st.booleans(),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=40))
def test_any_table_gives_one_row_per_curve(rows):
    names = ["sample", "drug", "dose", "viability_pct", "dose_unit", "excluded"]
    table = pd.DataFrame(rows, columns=names).astype(
        {"dose": float, "viability_pct": float, "sample": "str", "drug": "str", "dose_unit": "str",
         "excluded": bool}
    )  # fmt: skip
    curves = check(fit_curves(table), "curves")
    wanted = table.loc[table["drug"] != "", ["sample", "drug"]].drop_duplicates()
    assert len(curves) == len(wanted)
    result = curves["ic50_qualifier"] != ""
    reason = curves["flags"].str.contains("no_wells|too_few_doses|mixed_units|no_unit")
    assert (result | reason).all()
    assert (curves["status"] != "").all()
