"""Null models: known answers, a slow twin, and laws they must obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.synergy.nulls import bliss, hsa

inhibition = st.floats(-50, 110)


@pytest.mark.parametrize(
    ("single", "expected"),
    [
        ([50, 50], 75),
        ([0, 30], 30),
        ([100, -40], 100),
        ([-20, -20], -44),
        ([50, 50, 50], 87.5),
        ([10, 20, 30], 100 * (1 - 0.9 * 0.8 * 0.7)),
    ],
)
def test_bliss_by_hand(single, expected):
    assert bliss(np.array(single)) == pytest.approx(expected, abs=1e-12)


def test_hsa_is_the_larger_one_and_growth_stays_growth():
    np.testing.assert_array_equal(hsa(np.array([[10, 30], [-20, -5]])), [30, -5])


def test_a_missing_single_agent_is_not_replaced():
    assert np.isnan(bliss(np.array([50, np.nan])))
    assert np.isnan(hsa(np.array([50, np.nan])))


@given(inhibition, inhibition)
def test_bliss_of_two_is_the_sum_less_the_product(first, second):
    twin = first + second - first * second / 100
    assert bliss(np.array([first, second])) == pytest.approx(twin, abs=1e-9)


@given(inhibition, inhibition, inhibition)
def test_bliss_of_three_is_bliss_of_a_pair_and_the_third(first, second, third):
    pair = bliss(np.array([first, second]))
    together = bliss(np.array([first, second, third]))
    assert together == pytest.approx(bliss(np.array([pair, third])), abs=1e-9)


@given(st.floats(0, 100), st.floats(0, 100))
def test_bliss_never_expects_less_than_the_best_single_agent(first, second):
    single = np.array([first, second])
    assert bliss(single) >= hsa(single) - 1e-9
