"""MuSyC: the forward formula, a slow twin by linear algebra, parameters, bounds, refusals."""

import numpy as np
import pytest

from drp.synergy.musyc import Musyc, fit_musyc, musyc_surface
from tests.synergy_cases import NOISY, load_cases

TRUTH = Musyc(1, 0.5, 0.3, 0.05, 1.5, 0.9, 10, 3, alpha12=4)


@pytest.fixture(scope="module")
def cases(shared_data):
    return load_cases(shared_data / "synergy")


def cells(case):
    first, second = (one.ravel() for one in np.meshgrid(*case.levels, indexing="ij"))
    return first, second, case.table.ravel()


def steady_state(p, x1, x2):
    """Solve the balance of the four states of one cell."""
    r1, r2 = p.c1**-p.h1, p.c2**-p.h2
    to_1, to_2 = r1 * x1**p.h1, r2 * x2**p.h2
    then_2 = r2**p.gamma12 * (p.alpha12 * x2) ** (p.gamma12 * p.h2)
    then_1 = r1**p.gamma21 * (p.alpha21 * x1) ** (p.gamma21 * p.h1)
    balance = np.array(
        [
            [-(to_1 + to_2), 1, 1, 0],
            [to_1, -(1 + then_2), 0, 1],
            [to_2, 0, -(1 + then_1), 1],
            [1, 1, 1, 1],
        ]
    )
    return np.linalg.solve(balance, [0, 0, 0, 1]) @ [p.e0, p.e1, p.e2, p.e3]


def test_the_surface_is_the_reference(cases):
    x1, x2, inhibition = cells(cases["musyc_8"])
    np.testing.assert_allclose(100 - 100 * musyc_surface(TRUTH, x1, x2), inhibition, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_surface_is_the_steady_state(seed):
    rng = np.random.default_rng(seed)
    p = Musyc(1, *rng.uniform(0, 1, 3), *rng.uniform(0.5, 3, 2), *rng.uniform(1, 30, 2),
              *np.exp(rng.normal(0, 1, 4)))  # fmt: skip
    x1, x2 = np.append(0, rng.uniform(0, 50, 20)), np.append(0, rng.uniform(0, 50, 20))
    slow = [steady_state(p, *pair) for pair in zip(x1, x2, strict=True)]
    np.testing.assert_allclose(musyc_surface(p, x1, x2), slow, atol=1e-9)


def test_parameters_of_a_noise_free_surface_come_back(cases):
    found = fit_musyc(*cells(cases["musyc_8"]))
    assert found.status == "converged"
    for name in Musyc.__slots__:
        assert getattr(found.parameters, name) == pytest.approx(getattr(TRUTH, name), abs=1e-3)
    assert found.parameters.beta == pytest.approx(0.357, abs=1e-3)


@pytest.mark.parametrize("name", NOISY[:2])
def test_noisy_surfaces_stay_in_bounds_and_fit_as_well_as_the_truth(cases, name):
    x1, x2, inhibition = cells(cases[name])
    found = fit_musyc(x1, x2, inhibition)
    p = found.parameters
    assert all(-0.2 <= effect <= 1.2 for effect in (p.e0, p.e1, p.e2, p.e3))
    assert all(1e-3 <= one <= 1e3 for one in (p.alpha12, p.alpha21, p.gamma12, p.gamma21))
    # Independent drugs: both effects are complete, alpha and gamma are 1.
    truth = Musyc(1, 0, 0, 0, 1.2, 0.9, 10, 3)
    error = 100 - 100 * musyc_surface(truth, x1, x2) - inhibition
    assert found.rss < (error**2).sum()


def test_order_of_cells_changes_no_bit_and_missing_ones_are_left_out(cases):
    x1, x2, inhibition = cells(cases["musyc_8"])
    order = np.random.default_rng(1).permutation(len(x1))
    assert fit_musyc(x1[order], x2[order], inhibition[order]) == fit_musyc(x1, x2, inhibition)
    gaps = inhibition.copy()
    gaps[20:24] = np.nan
    found = fit_musyc(x1, x2, gaps)
    assert found.parameters.alpha12 == pytest.approx(4, abs=1e-3)


def test_swapping_drugs_swaps_the_parameters(cases):
    x1, x2, inhibition = cells(cases["musyc_8"])
    found = fit_musyc(x2, x1, inhibition).parameters
    assert (found.alpha21, found.c2) == pytest.approx((4, 10), abs=1e-3)


def test_small_designs_are_refused_in_words():
    dose = np.array([0.0, 1, 10])
    x1, x2 = (one.ravel() for one in np.meshgrid(dose, dose))
    small = fit_musyc(x1, x2, x1 + x2)
    assert small.parameters is None
    assert small.status == "too_few_cells: 9 of 12 needed"
    x1, x2 = (one.ravel() for one in np.meshgrid(dose, np.arange(6.0)))
    assert fit_musyc(x1, x2, x1 + x2).status == "too_few_doses: drug 1 alone"


def test_beta_needs_an_effect():
    assert np.isnan(Musyc(1, 1, 1, 0.5, 1, 1, 1, 1).beta)
