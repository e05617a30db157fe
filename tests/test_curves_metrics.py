"""Numbers read off a curve, against published values and quadrature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.curves import metrics
from drp.curves.collapse import collapse
from drp.curves.monotone import model_free_of, non_increasing

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


@settings(max_examples=30, deadline=None)
@given(CURVES)
def test_drug_sensitivity_scores_match_quadrature(curve):
    bottom, e, slope = curve
    scores = metrics.drug_sensitivity_scores(*one(bottom, e, slope, 0.0, 4.0))
    np.testing.assert_allclose(np.concatenate(scores), naive.dss(*curve, 0.0, 4.0), atol=2e-3)


@settings(max_examples=30, deadline=None)
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


def test_asymmetric_score_is_half_the_area_above_its_threshold():
    top, bottom, e, slope = 95.0, 0.0, 1.7, 1.3
    score = metrics.asymmetric_drug_sensitivity_score(*one(top, bottom, e, slope, 0.0, 4.0))
    expected = naive.dss(bottom, e, slope, 0.0, 4.0, lowest=100 - top)[0] / 2
    assert score[0] == pytest.approx(expected, abs=1e-3)


@settings(max_examples=50, deadline=None)
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
