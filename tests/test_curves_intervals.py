"""Intervals, standard errors, the test against flat and the flags."""

import numpy as np
import pytest

from drp.curves import fit, flat
from drp.curves.collapse import collapse
from drp.curves.flags import identifiability
from drp.curves.metrics import area_under_curve, drug_sensitivity_scores
from drp.curves.model import Bounds, falling_share

from . import naive

DOSE = np.repeat(10.0 ** np.arange(0, 4, 0.5), 3)
X = np.log10(DOSE)


def identified(n_curves, seed, noise=7.0):
    """Curves whose parameters the data determine, and the truth."""
    random = np.random.default_rng(seed)
    e, slope = random.uniform(1, 2.5, n_curves), random.uniform(0.8, 2, n_curves)
    top, bottom = random.normal(100, 3, n_curves), random.uniform(5, 40, n_curves)
    share = falling_share(X, e[:, None], slope[:, None])
    clean = bottom[:, None] + (top - bottom)[:, None] * share
    return clean + random.normal(0, noise, clean.shape), (top, bottom, e, slope)


@pytest.mark.parametrize("curve", range(2))
def test_profile_intervals_match_refitting_one_value_at_a_time(curve):
    response, _ = identified(2, seed=21, noise=3.0)
    one = response[[curve]]
    fits = fit(DOSE, one, intervals=True)
    estimate = [part[0] for part in (fits.top, fits.bottom, fits.log10_ec50, fits.slope)]
    for quantity in ("log10_ec50", "auc"):
        expected = naive.profile_interval(DOSE, one[0], estimate, fits.sse[0], quantity)
        found = getattr(fits, f"{quantity}_lo")[0], getattr(fits, f"{quantity}_hi")[0]
        width = expected[1] - expected[0]
        np.testing.assert_allclose(found, expected, atol=0.02 * width)


def test_intervals_cover_the_truth():
    response, (top, bottom, e, slope) = identified(300, seed=4)
    fits = fit(DOSE, response, intervals=True)
    truth = {
        "log10_ec50": e,
        "auc": area_under_curve(top, bottom, e, slope, X.min(), X.max()),
        "dss2": drug_sensitivity_scores(bottom, e, slope, X.min(), X.max())[1],
    }
    for name, value in truth.items():
        inside = (getattr(fits, f"{name}_lo") <= value) & (value <= getattr(fits, f"{name}_hi"))
        assert 0.91 <= inside.mean() <= 0.99, name  # 0.95 ± 3 standard errors


def test_an_interval_holds_its_own_estimate():
    response, _ = identified(100, seed=6)
    fits = fit(DOSE, response, intervals=True, at_dose=np.full(100, 50.0))
    for name in ("log10_ec50", "auc", "dss2"):
        value = getattr(fits, name)
        assert (getattr(fits, f"{name}_lo") <= value).all()
        assert (value <= getattr(fits, f"{name}_hi")).all()
    share = falling_share(np.log10(50.0), fits.log10_ec50, fits.slope)
    value = fits.bottom + (fits.top - fits.bottom) * share
    assert ((fits.viability_at_lo < value) & (value < fits.viability_at_hi)).all()


def test_viability_at_several_doses_is_that_at_each_and_covers_the_truth():
    response, truth = identified(600, seed=8)
    doses = np.array([2.0, 50.0, 700.0, np.nan])
    together = fit(DOSE, response, intervals=True, at_dose=np.tile(doses, (600, 1)))
    assert together.viability_at_lo.shape == (600, 4)
    assert np.isnan(together.viability_at_lo[:, 3]).all()
    for place, dose in enumerate(doses[:3]):
        alone = fit(DOSE, response, intervals=True, at_dose=np.full(600, dose))
        low, high = alone.viability_at_lo, alone.viability_at_hi
        assert np.array_equal(together.viability_at_lo[:, place], low)
        assert np.array_equal(together.viability_at_hi[:, place], high)
        true = np.array([naive.viability(dose, *one) for one in zip(*truth, strict=True)])
        assert 0.91 <= ((low <= true) & (true <= high)).mean() <= 0.99


def test_more_noise_widens_and_more_confidence_too():
    quiet = fit(DOSE, identified(40, seed=2, noise=2.0)[0], intervals=True)
    loud = fit(DOSE, identified(40, seed=2, noise=8.0)[0], intervals=True)
    response = identified(40, seed=2)[0]
    sure, less = (fit(DOSE, response, intervals=True, level=level) for level in (0.99, 0.8))
    for wide, narrow in ((loud, quiet), (sure, less)):
        assert np.median(wide.auc_hi - wide.auc_lo) > 1.5 * np.median(narrow.auc_hi - narrow.auc_lo)


def test_a_midpoint_beyond_the_doses_leaves_its_interval_open():
    random = np.random.default_rng(2)
    response = 100 * falling_share(X, np.array(3.9), np.array(1.0)) + random.normal(0, 6, 24)
    fits = fit(DOSE, [response], intervals=True)
    assert fits.log10_ec50_hi[0] == np.inf
    assert fits.log10_ic50_hi[0] == np.inf
    assert 2.5 < fits.log10_ic50_lo[0] < 3.9


def test_no_interval_without_spare_wells():
    fits = fit(10.0 ** np.arange(4), [[100.0, 80, 30, 10]], intervals=True)
    assert np.isnan(fits.auc_lo[0])
    assert np.isnan(fits.p_flat[0])
    assert np.isnan(fits.top_se[0])


def test_a_parameter_at_its_bound_has_no_standard_error():
    response = [99.0, 101, 98, 100, 97, 99, 4, 5, 6, 3, 5, 4]
    fits = fit(np.repeat(10.0 ** (0.25 * np.arange(6)), 2), [response], intervals=True)
    assert fits.status[0] == "at_bound:slope"
    assert np.isnan(fits.slope_se[0])
    assert fits.top_se[0] > 0


@pytest.mark.parametrize(("n_doses", "wells"), [(8, 3), (5, 2)])
def test_size_of_the_test_against_flat(n_doses, wells):
    dose = np.repeat(10.0 ** np.linspace(0, 3.5, n_doses), wells)
    response = 90 + 6 * np.random.default_rng(n_doses).standard_normal((400, len(dose)))
    p = fit(dose, response, intervals=True, seed=3).p_flat
    assert 0.02 <= (p < 0.05).mean() <= 0.085  # 0.05 ± 3 standard errors


def test_the_test_against_flat_sees_a_response():
    response, _ = identified(50, seed=9)
    assert (fit(DOSE, response, intervals=True).p_flat < 1e-3).all()


def test_the_simulated_null_depends_on_seed_and_design_only():
    arguments = flat.Design(4, 0.6, with_zero=False), Bounds(), (1,)
    one = flat.explained_shares(*arguments, 1).copy()
    flat.explained_shares.cache_clear()
    np.testing.assert_array_equal(one, flat.explained_shares(*arguments, 1))
    assert (one != flat.explained_shares(*arguments, 2)).any()


def test_tail_of_the_null_goes_on_where_draws_run_out():
    null = 1 - np.random.default_rng(0).beta(10, 1.5, 8000)
    p = flat.tail_probability(np.array([0.0, 0.2, 0.5, 0.8, 0.95]), null, 24)
    assert (np.diff(p) < 0).all()
    assert 0 < p[-1] < 1e-6


def flags_of(response, dose=DOSE):
    means = collapse(dose, np.array([response], dtype=float))
    fits = fit(dose, [response], intervals=True)
    area = np.trapezoid(means.mean[:, 0], means.x[:, 0]) / (means.x_max - means.x_min)
    return {name for name, holds in identifiability(fits, means, area).items() if holds[0]}


def shaped(top, bottom, e, slope):
    wobble = np.tile([1.5, -1.0, -0.5], 8)
    return [
        naive.viability(d, top, bottom, e, slope) + w for d, w in zip(DOSE, wobble, strict=True)
    ]


@pytest.mark.parametrize(
    ("response", "present", "absent"),
    [
        (shaped(100, 10, 1.7, 1.5), set(), {"flat", "bottom_unseen", "top_unseen", "open_ci"}),
        (shaped(100, 0, 4.0, 1.0), {"ec50_above_range", "bottom_unseen"}, {"flat", "top_unseen"}),
        (shaped(100, 5, -0.5, 1.0), {"ec50_below_range", "top_unseen"}, {"flat", "bottom_unseen"}),
        (shaped(100, 10, 1.75, 9.0), {"steep_between_doses"}, {"flat", "non_monotone"}),
        (shaped(100, 100, 1.0, 1.0), {"flat"}, {"non_monotone"}),
    ],
    ids=["full", "late", "early", "steep", "flat"],
)
def test_flags_say_what_the_data_do_not_determine(response, present, absent):
    found = flags_of(response)
    assert present <= found
    assert not absent & found


def test_a_hump_is_not_monotone():
    response = np.array(shaped(100, 10, 1.7, 1.5))
    response[12:15] += 60
    assert "non_monotone" in flags_of(list(response))


def test_a_well_that_moves_the_area_is_flagged():
    response = np.array(shaped(100, 10, 1.7, 1.5))
    means, fits = collapse(DOSE, response[None]), fit(DOSE, [response], intervals=True)
    for shift, expected in ((None, False), ([4.9], False), ([5.1], True), ([np.nan], False)):
        given = None if shift is None else np.array(shift)
        flags = identifiability(fits, means, fits.auc, given)
        assert flags["influential_well"][0] == expected
