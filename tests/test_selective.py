"""Selective scores: the formulas one curve at a time, and the scores that must never meet."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.problems import DataError
from drp.scores import SCORES, score_table
from drp.selective import join_scores, selective_scores

from . import naive


def scores(values, sample="S", drug="a", variant="dss2", **columns):
    """Curves with one score each, of samples S0, S1, …"""
    values = np.atleast_1d(np.array(values, dtype=float))
    table = pd.DataFrame(
        {
            "sample": [f"{sample}{n}" for n in range(len(values))],
            "drug": drug,
            "dose_unit": "nM",
            "dose_min": 1.0,
            "dose_max": 1e4,
            variant: values,
        }
    )
    return table.assign(**columns)


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 50), st.lists(st.floats(0, 50), min_size=1, max_size=12))
def test_the_scores_match_the_plain_formulas(score, healthy):
    found = selective_scores(scores(score), scores(healthy, sample="H")).iloc[0]
    expected = naive.selective(score, healthy)
    np.testing.assert_allclose([found["sdss"], found["zdss"], found["rdss"]], expected, atol=1e-9)
    assert found["n_reference"] == len(healthy)
    assert ("few_reference" in found["flags"]) == (len(healthy) < 3)


def test_by_hand():
    found = selective_scores(scores(20), scores([4, 5, 9], sample="H")).iloc[0]
    assert (found["reference_mean"], found["reference_median"]) == (6, 5)
    assert found["sdss"] == 14
    assert found["zdss"] == pytest.approx(14 / (np.sqrt(7) + 1))
    assert found["rdss"] == pytest.approx(15 / (1.4826 + 1))


def test_a_drug_inactive_in_every_healthy_sample_has_a_finite_score():
    found = selective_scores(scores(8), scores([0, 0, 0, 0], sample="H")).iloc[0]
    assert (found["sdss"], found["zdss"], found["rdss"]) == (8, 8, 8)


def test_two_healthy_samples_allow_the_difference_only():
    found = selective_scores(scores(8), scores([1, 3], sample="H")).iloc[0]
    assert (found["sdss"], found["flags"]) == (6, "few_reference")
    assert np.isnan([found["zdss"], found["rdss"]]).all()


def test_no_reference_and_no_score_are_said():
    table = pd.concat([scores(8), scores(8, drug="b"), scores(np.nan, sample="T")])
    found = selective_scores(table, scores([1, 2, 3], sample="H")).set_index(["sample", "drug"])
    assert found.loc[("S0", "b"), "flags"] == "no_reference"
    assert np.isnan(found.loc[("S0", "b"), "sdss"])
    assert found.loc[("T0", "a"), "flags"] == "no_score"
    assert len(found) == 3


def test_a_sample_is_no_reference_for_itself():
    cohort = scores([10, 20, 30, 40])
    found = selective_scores(cohort, cohort).set_index("sample")
    assert (found["n_reference"] == 3).all()
    assert found.loc["S0", "sdss"] == 10 - 30


@pytest.mark.parametrize("change", [{"dose_unit": "ug/mL"}, {"dose_max": 1e3}, {"dose_min": 10.0}])
def test_other_doses_or_units_are_no_reference(change):
    others = pd.concat([scores([1, 2, 3], sample="H"), scores(99, sample="X", **change)])
    found = selective_scores(scores(8), others).iloc[0]
    assert (found["n_reference"], found["sdss"], found["flags"]) == (3, 6, "other_doses")


def test_row_order_changes_no_bit():
    healthy = scores(np.random.default_rng(1).uniform(0, 20, 9), sample="H")
    one = selective_scores(scores(8), healthy)
    other = selective_scores(scores(8), healthy.iloc[::-1])
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("variant", ["dss", "DSS", "auc", "dss2 ", ""])
def test_a_name_that_names_no_one_score_is_refused(variant):
    with pytest.raises(DataError, match="names no one score"):
        selective_scores(scores(8), scores(8), variant=variant)


def test_variants_never_meet():
    yadav, itrex = scores(20), scores([4, 5, 6], sample="H", variant="dss_asym")
    with pytest.raises(DataError, match="no dss2, but dss_asym"):
        selective_scores(yadav, itrex)
    long = score_table(itrex, "dss_asym")
    with pytest.raises(DataError, match="reference holds dss_asym where dss2"):
        selective_scores(yadav, long)
    with pytest.raises(DataError, match="cannot be converted"):
        join_scores([score_table(yadav, "dss2"), long])
    with pytest.raises(DataError, match="does not say its variant"):
        join_scores([yadav, long])


def test_scores_of_one_variant_join_and_compare():
    healthy = [score_table(scores([value], sample=f"H{value}"), "dss2") for value in (4, 5, 9)]
    found = selective_scores(scores(20), join_scores(healthy))
    pd.testing.assert_frame_equal(
        found, selective_scores(scores(20), scores([4, 5, 9], sample="H"))
    )
    assert set(SCORES) >= {"dss1", "dss2", "dss3", "dss2_breeze", "dss_asym"}
