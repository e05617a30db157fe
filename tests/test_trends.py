import itertools

import numpy as np
import pytest
from scipy import stats

from drp.trends import midranks, rank_slope, spearman

RNG = np.random.default_rng(11)


def dispersion(slope, places, values, groups):
    """What the estimate minimises, the slow way: all pairs of one group."""
    pairs = itertools.combinations(range(len(values)), 2)
    residuals = values - slope * places
    return sum(abs(residuals[i] - residuals[j]) for i, j in pairs if groups[i] == groups[j])


def statistic(places, values, groups):
    pairs = itertools.combinations(range(len(values)), 2)
    return sum(
        (places[j] - places[i]) * np.sign(values[j] - values[i])
        for i, j in pairs
        if groups[i] == groups[j]
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_other_slope_has_a_smaller_dispersion(seed):
    rng = np.random.default_rng(seed)
    places, groups = rng.integers(1, 17, 20).astype(float), ["A", "B"] * 10
    values = 0.7 * places + rng.normal(0, 3, 20) + np.array([0.0, 50.0] * 10)
    found = rank_slope(places, values, groups)
    least = dispersion(found.slope, places, values, groups)
    around = found.slope + np.linspace(-2, 2, 401)
    assert least <= min(dispersion(b, places, values, groups) for b in around) + 1e-9


def test_the_variance_is_that_of_all_orders():
    places, values = np.array([1.0, 2, 2, 5, 9]), np.array([3.0, 1, 4, 4, 8])
    all_orders = [
        statistic(places, np.array(order), "aaaaa") for order in itertools.permutations(values)
    ]
    z = statistic(places, values, "aaaaa") / np.std(all_orders)
    assert rank_slope(places, values, ["a"] * 5).p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_the_interval_holds_the_slopes_that_the_test_allows():
    places = np.repeat(np.arange(1.0, 17.0), 2)
    values = 100 + 0.5 * places + RNG.normal(0, 6, 32)
    found = rank_slope(places, values, ["a"] * 32)

    def p_at(slope):
        return rank_slope(places, values - slope * places, ["a"] * 32).p

    assert found.lo < found.slope < found.hi
    for end, sign in ((found.lo, 1), (found.hi, -1)):
        assert p_at(end - sign * 0.01) < 0.05 < p_at(end + sign * 0.05)


def test_size_and_coverage_over_many_plates():
    places = np.array([*range(1, 17), 4, 9, 13, 8], dtype=float)
    covered = rejected = 0
    for seed in range(400):
        values = np.random.default_rng(seed).normal(100, 8, 20)
        found = rank_slope(places, values, ["a"] * 20)
        covered += found.lo <= 0 <= found.hi
        rejected += found.p <= 0.05
    assert 0.92 <= covered / 400 <= 0.98
    assert 0.02 <= rejected / 400 <= 0.08


def test_stray_wells_and_levels_of_groups_make_no_trend():
    places = np.arange(1.0, 17.0)
    values = 100 + np.tile([0.0, 1.0, -1.0, 0.0], 4)
    values[-2:] = 5.0  # two dead wells at one end
    assert abs(rank_slope(places, values, ["a"] * 16).slope) < 0.3
    two = rank_slope(places, np.where(places > 8, 40.0, 90.0), ["l"] * 8 + ["r"] * 8)
    assert (two.slope, two.p) == (0.0, 1.0)


def test_order_and_direction():
    places, values = RNG.integers(1, 9, 15).astype(float), RNG.normal(0, 1, 15)
    found, order = rank_slope(places, values, ["a"] * 15), RNG.permutation(15)
    assert rank_slope(places[order], values[order], ["a"] * 15) == found
    turned = rank_slope(-places, values, ["a"] * 15)
    assert (turned.slope, turned.p) == (pytest.approx(-found.slope), pytest.approx(found.p))


def test_what_cannot_be_told_is_nan():
    assert np.isnan(rank_slope(np.array([]), np.array([]), []).slope)
    assert np.isnan(rank_slope(np.ones(5), np.arange(5.0), ["a"] * 5).p)
    assert np.isnan(spearman(np.arange(2.0), np.arange(2.0))).all()
    assert np.isnan(spearman(np.arange(5.0), np.ones(5))).all()


def test_spearman_against_scipy():
    for n in (9, 14, 40):
        x, y = RNG.normal(size=n), RNG.integers(0, 6, n).astype(float)
        expected = stats.spearmanr(x, y)
        assert spearman(x, y) == pytest.approx((expected.statistic, expected.pvalue))
    np.testing.assert_array_equal(midranks(y), stats.rankdata(y))


@pytest.mark.parametrize("values", [[3.0, 1, 2], [1.0, 2, 2, 5], [4.0, 1, 3, 2, 6, 5]])
def test_a_short_series_has_its_exact_p(values):
    x, y = np.arange(len(values), dtype=float), np.array(values)
    rho, p = spearman(x, y)
    orders = [abs(stats.spearmanr(x, order).statistic) for order in itertools.permutations(y)]
    assert p == pytest.approx(np.mean(np.array(orders) >= abs(rho) - 1e-9))
