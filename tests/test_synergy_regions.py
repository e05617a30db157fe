"""The best region: by hand, a slow twin, its null, gaps, three drugs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.synergy.regions import best_region, window_means


def twin(excess):
    """Average every 3 × 3 window in plain loops."""
    rows, columns = excess.shape
    side = (min(3, rows), min(3, columns))
    return [
        [excess[i : i + side[0], j : j + side[1]].mean() for j in range(columns - side[1] + 1)]
        for i in range(rows - side[0] + 1)
    ]


@pytest.mark.parametrize("shape", [(3, 3), (5, 5), (9, 9), (7, 1), (2, 6), (1, 1)])
def test_window_means_are_those_of_plain_loops(shape):
    excess = np.random.default_rng(1).normal(0, 5, shape)
    np.testing.assert_allclose(window_means(excess), twin(excess), atol=1e-12)


def test_a_planted_region_is_found_and_significant():
    rng = np.random.default_rng(2)
    excess = rng.normal(0, 3, (7, 7))
    excess[2:5, 3:6] += 20
    found = best_region(excess, rng.normal(0, 3, (1000, 7, 7)))
    assert (found.first, found.last) == ((2, 3), (4, 5))
    assert found.value == pytest.approx(excess[2:5, 3:6].mean())
    assert found.p == 1 / 1001


def test_without_interaction_its_p_values_are_even():
    rng = np.random.default_rng(3)
    null = rng.normal(0, 10, (500, 7, 7))
    p = [best_region(one, null).p for one in rng.normal(0, 10, (400, 7, 7))]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09
    assert 0.4 < np.mean(np.array(p) <= 0.5) < 0.6
    # A fixed cut-off would pass many of them.
    assert np.mean([best_region(one).value > 5 for one in null]) > 0.5


def test_windows_with_gaps_do_not_count():
    excess = np.zeros((5, 5))
    excess[0, 0], excess[4, 4] = 90, np.nan
    found = best_region(excess, np.full((9, 5, 5), 20.0))
    assert (found.value, found.first) == (10, (0, 0))
    assert found.p == 1.0
    lost = best_region(np.full((3, 3), np.nan), np.zeros((9, 3, 3)))
    assert np.isnan(lost.value)
    assert np.isnan(lost.p)
    assert lost.first == ()


def test_ties_go_to_the_lowest_doses_and_no_null_gives_no_p():
    found = best_region(np.ones((4, 4)))
    assert (found.first, found.last) == ((0, 0), (2, 2))
    assert np.isnan(found.p)


def test_three_drugs_have_cubes():
    excess = np.zeros((4, 3, 5))
    excess[1:, :, 2:] = 8
    found = best_region(excess, np.zeros((99, 4, 3, 5)))
    assert (found.value, found.first, found.last) == (8, (1, 0, 2), (3, 2, 4))
    assert found.p == 0.01


@given(st.integers(0, 10**6))
def test_swapping_drugs_swaps_the_region(seed):
    excess = np.random.default_rng(seed).normal(0, 5, (5, 6))
    found, swapped = best_region(excess), best_region(excess.T)
    assert swapped.value == pytest.approx(found.value, abs=1e-12)
    assert swapped.first == found.first[::-1]
