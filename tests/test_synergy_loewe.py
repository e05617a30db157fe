"""Loewe: reference means, the root cell by cell, where it is defined, a slow twin, laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from drp.synergy.hill import HillFits, fit_hill
from drp.synergy.loewe import loewe
from tests.examples import examples
from tests.synergy_cases import NOISE_FREE, hill, load_cases

MEANS = {
    "bliss_full_4": (5.3175, 9),
    "bliss_full_6": (3.1571, 25),
    "bliss_full_8": (1.6866, 49),
    "bliss_full_10": (1.0249, 81),
    "bliss_partial_8": (3.6113, 35),
    "bliss_partial_plus8_8": (11.6113, 35),
    "sham_same_8": (0, 49),
    "sham_equiv_8": (0, 49),
    "loewe_full_8": (0, 49),
    "loewe_isoEmax80_8": (0, 49),
    "hsa_8": (-2.3526, 49),
    "drug2_inactive_8": (0, 0),
    "loewe_unreachable_8": (2.7239, 28),
    "musyc_8": (8.1626, 35),
    "braid_k2_8": (9.0646, 49),
}


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "synergy"


@pytest.fixture(scope="module")
def cases(folder):
    return load_cases(folder)


def scored(case):
    found = loewe(fit_hill(*case.alone), case.doses)
    return case.inner.ravel() - found.expected, found


@pytest.mark.parametrize("name", NOISE_FREE)
def test_mean_excess_and_defined_cells_are_the_reference(cases, name):
    excess, found = scored(cases[name])
    assert excess.mean() == pytest.approx(MEANS[name][0], abs=1e-3)
    assert int(found.defined.sum()) == MEANS[name][1]


@pytest.mark.parametrize(
    ("name", "mean", "tolerance"), [("mathews_1", 21.331, 0.01), ("mathews_2", -42.49, 0.1)]
)
def test_measured_plates(cases, name, mean, tolerance):
    assert scored(cases[name])[0].mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("name", NOISE_FREE)
def test_means_agree_with_the_python_package(cases, folder, name):
    theirs = pd.read_csv(folder / "py_cells_dev.csv").query("case == @name")
    both = theirs[(theirs["conc1"] > 0) & (theirs["conc2"] > 0)]
    excess = scored(cases[name])[0]
    assert excess.mean() == pytest.approx(both["Loewe_dhsa_synergy"].mean(), abs=1e-3)


@pytest.mark.parametrize("name", ["bliss_full_8", "sham_equiv_8", "loewe_isoEmax80_8", "hsa_8"])
def test_cells_are_within_a_step_of_synergyfinder_where_both_reach_the_same(cases, folder, name):
    theirs = pd.read_csv(folder / "sf_synthetic_cells.csv").query("case == @name")
    both = theirs[(theirs["conc1"] > 0) & (theirs["conc2"] > 0)].sort_values(["conc1", "conc2"])
    fits = fit_hill(*cases[name].alone)
    step = (np.max([fits.start, fits.plateau]) - np.min([fits.start, fits.plateau])) / 99
    np.testing.assert_allclose(
        loewe(fits, cases[name].doses).expected, both["Loewe_ref"], atol=1.05 * step
    )


def curves(parameters):
    """Take rows of start, plateau, midpoint, slope as fits."""
    columns = np.array(parameters, dtype=float).T
    nothing = np.zeros(columns.shape[1])
    return HillFits(*columns, nothing, nothing, np.full(columns.shape[1], "converged"))


def twin(parameters, doses):
    """Solve one cell by Brent's method on the equation as it is written."""
    low = max(min(p[0], p[1]) for p in parameters)
    high = min(max(p[0], p[1]) for p in parameters)
    best = max(float(hill(x, *p)) for p, x in zip(parameters, doses, strict=True))
    if high <= low:
        return best, False

    def over(y):
        parts = [
            x / (e * ((y - c) / (d - y)) ** (1 / h))
            for (c, d, e, h), x in zip(parameters, doses, strict=True)
        ]
        return sum(parts) - 1

    edge = 1e-9 * (high - low)
    if not over(low + edge) > 0 > over(high - edge):
        return best, False
    return brentq(over, low + edge, high - edge, xtol=1e-12), True


PAIRS = [
    [(0, 100, 10, 1.2), (0, 100, 3, 0.9)],
    [(0, 95, 10, 1.2), (2, 40, 3, 0.9)],
    [(-5, 80, 10, 3), (4, 80.5, 3, 0.5)],
    [(0, 100, 10, 1.2), (10, -30, 3, 0.9)],
    [(0, 20, 10, 1.2), (30, 60, 3, 0.9)],
    [(0, 100, 10, 1.2), (0, 90, 3, 0.9), (1, 70, 0.5, 2)],
]


@pytest.mark.parametrize("parameters", PAIRS)
def test_every_cell_is_that_of_the_slow_twin(parameters):
    rng = np.random.default_rng(1)
    doses = 10 ** rng.uniform(-2, 2.5, (40, len(parameters)))
    found = loewe(curves(parameters), doses)
    slow = [twin(parameters, row) for row in doses]
    np.testing.assert_array_equal(found.defined, [one[1] for one in slow])
    np.testing.assert_allclose(found.expected, [one[0] for one in slow], atol=1e-6)


def test_inactive_drugs_and_opposite_slopes_leave_it_undefined():
    flat = fit_hill([0, 1, 3, 10, 30], [[0, 10, 30, 60, 80.0], [5.0, 5, 5, 5, 5]])
    found = loewe(flat, [[3, 3], [10, 30]])
    assert not found.defined.any()
    np.testing.assert_allclose(found.expected, flat.at([3, 10])[0], atol=1e-9)
    assert not loewe(curves(PAIRS[3]), [[3, 3]]).defined.any()


def test_a_missing_curve_gives_no_expectation():
    short = fit_hill([0, 1, 3, 10, 30], [[0, 10, 30, 60, 80.0], [0, 5, np.nan, np.nan, 10]])
    found = loewe(short, [[3, 3]])
    assert np.isnan(found.expected).all()
    assert not found.defined.any()


def test_draws_are_solved_each_as_if_alone():
    rng = np.random.default_rng(2)
    draws = np.array(PAIRS[0], dtype=float) + rng.normal(0, 0.05, (30, 2, 4))
    draws = np.abs(draws)
    doses = 10 ** rng.uniform(-1, 2, (49, 2))
    columns = np.moveaxis(draws, -1, 0)
    nothing = np.zeros(columns.shape[1:])
    whole = loewe(HillFits(*columns, nothing, nothing, np.full(nothing.shape, "converged")), doses)
    for draw in (0, 29):
        one = loewe(curves(draws[draw]), doses)
        assert one.expected.tobytes() == whole.expected[draw].tobytes()


@settings(max_examples=examples(40), deadline=None)
@given(
    st.floats(20, 100), st.floats(0.3, 5), st.floats(0.1, 50),
    st.floats(0.01, 0.99), st.floats(0.1, 100), st.floats(1e-3, 1e3),
)  # fmt: skip
def test_a_drug_split_in_two_doses_adds_up(plateau, slope, midpoint, share, dose, unit):
    one = (0, plateau, midpoint, slope)
    other = (0, plateau, midpoint * unit, slope)
    split = [[dose * share, dose * (1 - share) * unit]]
    found = loewe(curves([one, other]), split)
    alone = float(hill(dose, *one))
    if found.defined[0]:
        assert found.expected[0] == pytest.approx(alone, abs=1e-6)
    else:  # closer to an asymptote than the search goes
        assert min(alone, plateau - alone) < 1e-6 * plateau
    back = loewe(curves([other, one]), [split[0][::-1]])
    assert back.expected[0] == pytest.approx(found.expected[0], abs=1e-9)
