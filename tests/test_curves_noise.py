import numpy as np
import pandas as pd
import pytest

from drp.curves import fit, shared_noise
from drp.sensitivity import fit_curves

ZERO = np.zeros(60, dtype=int)


def spread(rng, freedom, prior=25.0, prior_freedom=8.0, n=4000):
    """Residual sums of squares of curves whose true variances vary as the model says."""
    variance = prior * prior_freedom / rng.chisquare(prior_freedom, n)
    return variance * rng.chisquare(freedom, n)


def test_the_prior_is_recovered_from_simulated_curves():
    rng = np.random.default_rng(1)
    sse = spread(rng, 4)
    noise = shared_noise(sse, np.full(4000, 4.0), np.zeros(4000, dtype=int))
    prior_freedom = noise.freedom[0] - 4
    assert prior_freedom == pytest.approx(8, rel=0.25)
    prior = (noise.variance[0] * noise.freedom[0] - sse[0]) / prior_freedom
    assert prior == pytest.approx(25, rel=0.1)


def test_equal_noise_is_pooled_and_few_curves_stand_alone():
    rng = np.random.default_rng(2)
    sse, freedom = 25 * rng.chisquare(2, 60), np.full(60, 2.0)
    noise = shared_noise(sse, freedom, ZERO)
    assert noise.variance.mean() == pytest.approx(25, rel=0.25)
    assert (noise.freedom > 20).all()
    alone = shared_noise(sse[:7], freedom[:7], ZERO[:7])
    np.testing.assert_allclose(alone.variance, sse[:7] / 2)
    np.testing.assert_allclose(alone.freedom, 2)


def test_samples_do_not_share_and_order_does_not_matter():
    rng = np.random.default_rng(3)
    sse, freedom = np.r_[spread(rng, 3, n=30), 100 * spread(rng, 3, n=30)], np.full(60, 3.0)
    group = np.repeat([0, 1], 30)
    both = shared_noise(sse, freedom, group)
    first = shared_noise(sse[:30], freedom[:30], group[:30])
    np.testing.assert_array_equal(both.variance[:30], first.variance)
    order = rng.permutation(60)
    shuffled = shared_noise(sse[order], freedom[order], group[order])
    np.testing.assert_allclose(shuffled.variance, both.variance[order], rtol=1e-12)


def test_curves_without_freedom_borrow_and_missing_fits_are_left_out():
    sse = np.r_[np.full(20, 50.0), 0.0, np.nan]
    freedom = np.r_[np.full(20, 2.0), 0.0, 2.0]
    noise = shared_noise(sse, freedom, ZERO[:22])
    np.testing.assert_allclose(noise.variance, 25.0)
    perfect = shared_noise(np.zeros(20), np.full(20, 2.0), ZERO[:20])
    assert (perfect.variance == 0).all()


def single_wells(n, seed, sd=5.0):
    """Five single wells per curve, identified curves, and their true area."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 4, 5)
    e, slope = rng.uniform(1.2, 2.8, n), rng.uniform(0.8, 2.0, n)
    u = slope[:, None] * (np.linspace(0, 4, 2001) - e[:, None])
    curve = 5 + 95 / (1 + 10**u)
    truth = np.trapezoid(curve, dx=4 / 2000, axis=1) / 4
    wells = 5 + 95 / (1 + 10 ** (slope[:, None] * (x - e[:, None])))
    return 10**x, wells + rng.normal(0, sd, wells.shape), truth


@pytest.mark.slow
def test_shared_noise_makes_single_wells_useful_and_keeps_coverage():
    """The interval of the area is several times shorter, and still holds the truth as often."""
    dose, viability, truth = single_wells(1000, seed=4)
    table = pd.DataFrame(
        {
            "sample": np.repeat([f"S{number // 50:02d}" for number in range(1000)], 5),
            "drug": np.repeat([f"d{number % 50:02d}" for number in range(1000)], 5),
            "dose": np.tile(dose, 1000),
            "viability_pct": viability.ravel(),
        }
    )
    shared = fit_curves(table)
    alone = fit(dose, viability, intervals=True)
    inside = (shared["auc_lo"] <= truth) & (truth <= shared["auc_hi"])
    # binomial standard error at 95 % and 1,000 curves: 0.7 points
    assert 0.92 <= inside.mean() <= 0.99
    width = np.median(shared["auc_hi"] - shared["auc_lo"])
    assert width < np.median(alone.auc_hi - alone.auc_lo) / 2
    assert width < 25


@pytest.mark.slow
def test_the_flat_test_with_shared_noise_keeps_its_size_and_gains_power():
    rng = np.random.default_rng(6)
    dose = 10.0 ** np.arange(5)
    flat = 100 + 5 * rng.standard_normal((1000, 5))
    table = pd.DataFrame(
        {
            "sample": np.repeat([f"S{number // 50:02d}" for number in range(1000)], 5),
            "drug": np.repeat([f"d{number % 50:02d}" for number in range(1000)], 5),
            "dose": np.tile(dose, 1000),
            "viability_pct": flat.ravel(),
        }
    )
    size = float((fit_curves(table)["p_flat"] < 0.05).mean())
    # binomial standard error at 5 % and 1,000 curves: 0.7 points
    assert 0.02 <= size <= 0.08
    noisy = single_wells(1000, seed=7, sd=20.0)[1]
    power = float((fit_curves(table.assign(viability_pct=noisy.ravel()))["p_flat"] < 0.05).mean())
    alone = float((fit(dose, noisy, intervals=True).p_flat < 0.05).mean())
    assert power > 0.9
    assert power > alone + 0.1
