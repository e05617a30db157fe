"""Numbers read off a curve, against published values and quadrature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.curves import metrics
from drp.curves.collapse import collapse
from drp.curves.monotone import model_free_of, non_increasing
from tests.examples import examples

from . import naive

CURVES = st.tuples(
    st.floats(0, 120),  # bottom
    st.floats(-1.5, 5.5),  # log10 EC50
    st.floats(0.1, 10),  # slope
)


def one(*values):
    return tuple(np.array([value]) for value in values)


@pytest.mark.parametrize(
    ("bottom", "slope", "ic50", "expected"),
    [
        (10.0, 1.2, 100.0, (41.324229, 21.145906, 29.102847)),
        (60.0, 2.0, 1000.0, (7.000568, 4.369729, 2.706087)),
    ],
)
def test_drug_sensitivity_scores_match_the_published_formula(bottom, slope, ic50, expected):
    scores = metrics.drug_sensitivity_scores(*one(bottom, np.log10(ic50), slope, 0.0, 4.0))
    np.testing.assert_allclose(np.concatenate(scores), expected, atol=1e-6)


@settings(max_examples=examples(30), deadline=None)
@given(CURVES)
def test_drug_sensitivity_scores_match_quadrature(curve):
    bottom, e, slope = curve
    scores = metrics.drug_sensitivity_scores(*one(bottom, e, slope, 0.0, 4.0))
    np.testing.assert_allclose(np.concatenate(scores), naive.dss(*curve, 0.0, 4.0), atol=2e-3)


@settings(max_examples=examples(30), deadline=None)
@given(CURVES, st.floats(0, 150))
def test_area_matches_quadrature(curve, top):
    bottom, e, slope = curve
    area = metrics.area_under_curve(*one(top, bottom, e, slope, 0.0, 4.0))
    assert area[0] == pytest.approx(naive.area(top, bottom, e, slope, 0.0, 4.0), abs=1e-6)


def test_area_above_curve_matches_the_pharmacogx_example():
    # Doses 0.1 to 10; AAC as a fraction of the area for top 1.
    area = metrics.area_under_curve(
        *one(100.0, 36.2653, np.log10(1.18106), 1.28651, np.log10(0.1), np.log10(10.0))
    )
    assert 1 - area[0] / 100 == pytest.approx(0.297922, abs=1e-4)


def test_scores_rise_with_the_largest_inhibition():
    # The intervals of DSS2 rely on it.
    bottom = np.linspace(0, 89.9, 500)
    for e in (-1.0, 0.5, 2.0, 4.5):
        for slope in (0.1, 1.0, 10.0):
            scores = metrics.drug_sensitivity_scores(bottom, *one(e, slope, 0.0, 4.0))
            assert (np.diff(scores[1]) <= 1e-9).all()


def test_a_flat_curve_scores_its_own_inhibition():
    scores = metrics.drug_sensitivity_scores(*one(70.0, np.nan, np.nan, 0.0, 4.0))
    assert scores[0][0] == pytest.approx(100 * 20 / 90)
    assert metrics.drug_sensitivity_scores(*one(95.0, np.nan, np.nan, 0.0, 4.0))[1][0] == 0


def test_dose_of_half_viability_by_hand():
    # 0.03 · (0.5 / 0.4) ** (1 / 1.9) = 0.0337
    dose = 10 ** metrics.log10_dose_at(50.0, *one(100.0, 10.0, np.log10(0.03), 1.9))
    assert dose[0] == pytest.approx(0.0337, abs=1e-4)
    dose = 10 ** metrics.log10_dose_at(20.0, *one(100.0, 10.0, np.log10(0.03), 1.9))
    assert dose[0] == pytest.approx(0.0896, abs=1e-4)
    assert metrics.log10_dose_at(50.0, *one(100.0, 50.0, 2.0, 1.0))[0] == np.inf
    assert metrics.log10_dose_at(50.0, *one(45.0, 10.0, 2.0, 1.0))[0] == -np.inf


@settings(max_examples=examples(30), deadline=None)
@given(CURVES)
def test_the_score_with_a_cliff_matches_its_list_of_rules(curve):
    bottom, e, slope = curve
    score = metrics.breeze_score(*one(bottom, e, slope, 0.0, 4.0))[0]
    expected = naive.breeze(bottom, e, slope, 0.0, 4.0)
    assert score == pytest.approx(expected, abs=0.1001)  # a tenth where rounding turns over


def test_the_score_with_a_cliff_by_hand():
    # the two check curves above: 21.145906 and 4.369729 without the cliff
    assert metrics.breeze_score(*one(10.0, 2.0, 1.2, 0.0, 4.0))[0] == 21.1
    assert metrics.breeze_score(*one(60.0, 3.0, -2.0, 0.0, 4.0))[0] == 4.4  # slope without sign
    assert metrics.breeze_score(*one(60.0, 4.0, 2.0, 0.0, 4.0))[0] == 0  # EC50 at the top dose
    assert metrics.breeze_score(*one(91.0, 2.0, 2.0, 0.0, 4.0))[0] == 0  # below 10 %
    assert metrics.breeze_score(*one(10.0, 2.0, 0.0, 0.0, 4.0))[0] == 0  # no slope
    assert metrics.breeze_score(*one(50.0, np.nan, np.nan, 0.0, 4.0))[0] == 0  # no EC50
    assert np.isnan(metrics.breeze_score(*one(np.nan, np.nan, np.nan, 0.0, 4.0))[0])
    # inhibition of 120 % counts as 100 %
    beyond, full = (metrics.breeze_score(*one(b, 2.0, 1.0, 0.0, 4.0))[0] for b in (-20.0, 0.0))
    assert beyond == full


@settings(max_examples=examples(30), deadline=None)
@given(st.floats(0, 1), st.floats(-1.5, 5.5), st.floats(0.01, 4))
def test_pharmacogx_area_matches_quadrature(bottom, e, slope):
    area = metrics.pharmacogx_aac(*one(bottom, e, slope, 0.0, 4.0))[0]
    assert area == pytest.approx(naive.pharmacogx_aac(bottom, e, slope, 0.0, 4.0), abs=1e-6)


def test_pharmacogx_area_of_curves_without_slope_or_effect():
    assert metrics.pharmacogx_aac(*one(0.4, 2.0, 0.0, 0.0, 4.0))[0] == pytest.approx(0.3)
    assert metrics.pharmacogx_aac(*one(1.0, 2.0, 1.0, 0.0, 4.0))[0] == 0


def test_effective_doses_by_hand():
    # a share p is gone where 10 ** (h (x - e)) = p / (1 - p)
    for share, factor in ((0.1, 1 / 9), (0.5, 1.0), (0.9, 9.0)):
        dose = 10 ** metrics.log10_effective_dose(share, *one(np.log10(3.0), 2.0))[0]
        assert dose == pytest.approx(3.0 * factor**0.5)


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 150), st.integers(1, 4)), min_size=1, max_size=9))
def test_monotone_means_match_the_slow_formula(doses):
    mean, weight = (np.array(part, dtype=float) for part in zip(*doses, strict=True))
    np.testing.assert_allclose(
        non_increasing(mean, weight), naive.non_increasing(mean, weight), atol=1e-9
    )


def test_model_free_numbers_by_hand():
    dose = np.array([1.0, 10.0, 100.0])
    found = model_free_of(collapse(dose, np.array([[100, 90, 0], [100, 95, 92], [40, 30, 20]])))
    # Inhibition above 10 %: a triangle of base 1 decade and height 90, over 2 decades times 90.
    assert found.dss1[0] == pytest.approx(100 * 45 / (90 * 2))
    assert found.log10_ic50[0] == pytest.approx(1 + 40 / 90)
    np.testing.assert_array_equal(found.log10_ic50[1:], [np.inf, -np.inf])
    assert found.auc[2] == pytest.approx(30.0)
    np.testing.assert_allclose(found.auc_isotonic, found.auc)  # they fall already


def test_model_free_numbers_are_those_of_the_curve_alone():
    random = np.random.default_rng(0)
    dose = 10.0 ** random.integers(0, 6, (40, 9))
    dose[::5, 0] = 0.0
    viability = random.normal(60, 40, dose.shape)
    viability[random.random(dose.shape) < 0.3] = np.nan
    together = model_free_of(collapse(dose, viability))
    for curve in range(len(dose)):
        alone = model_free_of(collapse(dose[curve], viability[[curve]]))
        for name, values in together._asdict().items():
            np.testing.assert_array_equal(values[curve], getattr(alone, name)[0])


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.floats(-20, 150), min_size=2, max_size=8))
def test_model_free_areas_match_the_slow_formula(means):
    found = model_free_of(collapse(10.0 ** np.arange(len(means)), np.array([means])))
    x, falling = np.arange(float(len(means))), naive.non_increasing(means, np.ones(len(means)))
    expected = naive.model_free_area(x, 100 - np.array(means))
    assert found.dss1[0] == pytest.approx(expected, abs=1e-3)
    assert found.auc_isotonic[0] == pytest.approx(np.trapezoid(falling, x) / x[-1], abs=1e-9)


def test_doses_without_wells_leave_no_trace():
    with_gap = collapse(np.array([1.0, 10, 100, 1000]), np.array([[90.0, np.nan, 60, 20]]))
    without = collapse(np.array([1.0, 100, 1000]), np.array([[90.0, 60, 20]]))
    for one_value, other in zip(model_free_of(with_gap), model_free_of(without), strict=True):
        np.testing.assert_array_equal(one_value, other)
