"""Fits that outliers do not pull along, and the fit without one well."""

import dataclasses

import numpy as np
import pytest
from scipy import optimize

from drp.curves import Bounds, fit, largest_auc_shift
from drp.curves.model import falling_share
from drp.curves.robust import HUBER, MAD_TO_SD

DOSE = np.repeat(10.0 ** np.arange(0, 4, 0.5), 3)
X = np.log10(DOSE)
FREE = Bounds(bottom=(-np.inf, np.inf), slope=(0.01, 100.0))


def curves(n_curves, seed, noise=4.0):
    random = np.random.default_rng(seed)
    e, slope = random.uniform(1.2, 2.3, n_curves), random.uniform(0.8, 2.0, n_curves)
    share = falling_share(X, e[:, None], slope[:, None])
    return 15 + 85 * share + random.normal(0, noise, (n_curves, len(X))), e


def huber_twin(response, start):
    """Reweight and refit one curve by a general optimiser until nothing changes."""
    q, root = np.array(start), np.ones(len(X))

    def residual(q):
        return response - q[0] - q[1] / (1 + 10 ** (np.exp(q[3]) * (X - q[2])))

    for _ in range(60):
        scales = [30, 30, 0.5, 0.5]
        q = optimize.least_squares(
            lambda q, by: by * residual(q), q, x_scale=scales, args=(root,)
        ).x
        plain = np.abs(residual(q))
        root = np.sqrt(
            np.minimum(1, HUBER * MAD_TO_SD * np.median(plain) / np.maximum(plain, 1e-300))
        )
    return q


def test_the_robust_fit_is_where_reweighting_comes_to_rest():
    response, _ = curves(3, seed=1)
    response[:, 7] += 50
    fits = fit(DOSE, response, bounds=FREE, robust=True)
    for curve in range(3):
        bottom, span, e, eta = huber_twin(response[curve], [15.0, 85.0, 1.8, 0.2])
        assert fits.log10_ec50[curve] == pytest.approx(e, abs=2e-3)
        assert fits.slope[curve] == pytest.approx(np.exp(eta), rel=5e-3)
        assert fits.bottom[curve] == pytest.approx(bottom, abs=0.1)
        assert fits.top[curve] == pytest.approx(bottom + span, abs=0.1)


@pytest.mark.slow
def test_outliers_pull_the_robust_fit_less():
    response, e = curves(100, seed=2)
    random = np.random.default_rng(3)
    off = random.random(response.shape) < 0.05
    response += np.where(off, random.choice([-50.0, 50.0], response.shape), 0.0)
    usual, robust = (fit(DOSE, response, intervals=True, robust=on) for on in (False, True))
    errors = [np.median(np.abs(fits.log10_ec50 - e)) for fits in (usual, robust)]
    assert errors[1] < 0.75 * errors[0]
    widths = [np.median(fits.auc_hi - fits.auc_lo) for fits in (usual, robust)]
    assert widths[1] < 0.75 * widths[0]
    assert (robust.sse >= usual.sse * (1 - 1e-9)).all()
    np.testing.assert_allclose(robust.sst, usual.sst)


def test_few_wells_are_fitted_as_usual():
    dose = 10.0 ** np.arange(5)
    response = np.array([[100.0, 96, 60, 20, 12], [99.0, 90, 95, 20, np.nan]])
    usual, robust = (fit(dose, response, intervals=True, robust=on) for on in (False, True))
    for field in dataclasses.fields(usual):
        a, b = getattr(usual, field.name), getattr(robust, field.name)
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), field.name


def test_neither_company_nor_order_changes_a_bit_of_a_robust_fit():
    response, _ = curves(12, seed=5)
    response[3, 5] = np.nan
    every = fit(DOSE, response, intervals=True, robust=True)
    random = np.random.default_rng(0)
    wells, some = random.permutation(len(DOSE)), np.array([9, 3])
    part = fit(DOSE[wells], response[some][:, wells], intervals=True, robust=True)
    for field in dataclasses.fields(every):
        a, b = getattr(every, field.name)[some], getattr(part, field.name)
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), field.name


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_the_largest_shift_is_that_of_leaving_out_every_well_in_turn(copies):
    dose = np.repeat(10.0 ** np.arange(6), copies)
    random = np.random.default_rng(copies)
    share = falling_share(np.log10(dose), np.array(2.2), np.array(1.1))
    response = 10 + 90 * share + random.normal(0, 6, (4, len(dose)))
    response[2, 4] = np.nan
    area = fit(dose, response).auc
    shifts = np.zeros((4, len(dose)))
    for well in range(len(dose)):
        if copies == 1 and well in (0, len(dose) - 1):
            continue  # without an outer dose the area would be another one
        fewer = response.copy()
        fewer[:, well] = np.nan
        shifts[:, well] = np.abs(fit(dose, fewer).auc - area)
    np.testing.assert_allclose(largest_auc_shift(dose, response), shifts.max(axis=1), atol=1e-6)


def test_no_well_can_be_spared_where_no_fit_is_possible():
    assert np.isnan(largest_auc_shift(10.0 ** np.arange(3), [[100.0, 50, 10]])[0])


@pytest.mark.parametrize(("n_doses", "copies"), [(5, 2), (5, 1), (8, 3)])
@pytest.mark.slow
def test_wells_not_worth_trying_are_those_that_move_little(n_doses, copies):
    random = np.random.default_rng(11)
    dose = np.repeat(10.0 ** np.linspace(0, 4, n_doses), copies)
    share = falling_share(np.log10(dose), np.array(2.0), np.array(1.0))
    response = 20 + 80 * share + random.normal(0, 25, (300, len(dose)))
    every, worth = (largest_auc_shift(dose, response, at_least=least) for least in (0.0, 0.5))
    large = every > 5.0
    assert large.any()
    assert (worth[large] > 5.0).mean() >= 0.98
    assert (worth <= every).all()
