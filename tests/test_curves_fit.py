"""The fit: published fits, the global optimum, and what must change no bit."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.curves import Bounds, fit
from drp.curves.collapse import collapse
from drp.curves.model import falling_share

from . import naive

UNBOUNDED = Bounds(
    top=(-np.inf, np.inf), bottom=(-np.inf, np.inf), slope=(0.01, 100.0), ec50_margin=1.0
)
DESIGNS = {
    "8x3": np.repeat(10.0 ** np.arange(0, 4, 0.5), 3),
    "5x2": np.repeat(10.0 ** np.linspace(0, 3, 5), 2),
    "10x1": 10.0 ** np.linspace(0, 4, 10),
}


def simulate(n_curves, dose, seed, noise=7.0):
    """Half full, a fifth partial, the rest flat; normal noise."""
    random = np.random.default_rng(seed)
    x = np.log10(dose)
    kind = random.choice(3, n_curves, p=[0.5, 0.2, 0.3])
    e = np.where(
        kind == 1, random.uniform(x.max(), x.max() + 1, n_curves),
        random.uniform(x.min() + 0.5, x.max() - 0.5, n_curves),
    )  # fmt: skip
    slope, top = random.uniform(0.6, 3, n_curves), random.normal(100, 3, n_curves)
    bottom = np.where(kind == 2, top, random.uniform(0, 50, n_curves))
    share = falling_share(x, e[:, None], slope[:, None])
    return (
        bottom[:, None]
        + (top - bottom)[:, None] * share
        + random.normal(0, noise, (n_curves, len(dose)))
    )


def differences(one, other, curves=slice(None)):
    """Names of the arrays that differ in any bit."""
    found = []
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name)[curves], getattr(other, field.name)
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            found.append(field.name)
    return found


@pytest.mark.parametrize(
    ("file", "dose", "response", "select", "golden"),
    [
        ("drc_ryegrass.csv", "conc", "rootl", None, "ryegrass"),
        ("drc_S.alba.csv", "Dose", "DryMatter", ("Herbicide", "Glyphosate"), "S.alba_Glyphosate"),
        ("drc_S.alba.csv", "Dose", "DryMatter", ("Herbicide", "Bentazone"), "S.alba_Bentazone"),
        ("drc_secalonic.csv", "dose", "rootl", None, "secalonic"),
        ("drc_heartrate.csv", "pressure", "rate", None, "heartrate"),
    ],
)
@pytest.mark.slow
def test_unbounded_fits_match_drc(shared_data, file, dose, response, select, golden):
    wells = pd.read_csv(shared_data / "curves" / file)
    if select:
        wells = wells[wells[select[0]] == select[1]]
    table = pd.read_csv(shared_data / "curves" / "drc_golden_coefs.csv")
    table = table[(table["dataset"] == golden) & (table["model"] == "LL.4")]
    expected = table.set_index(table["param"].str[0])
    fits = fit(wells[dose], wells[[response]].T, bounds=UNBOUNDED, intervals=True)
    found = {"b": fits.slope, "c": fits.bottom, "d": fits.top, "e": 10**fits.log10_ec50}
    errors = {
        "b": fits.slope_se,
        "c": fits.bottom_se,
        "d": fits.top_se,
        "e": fits.log10_ec50_se * np.log(10) * 10**fits.log10_ec50,
    }
    # The least determined data set is iterated less far by drc itself.
    rtol = 1e-3 if golden in ("heartrate", "S.alba_Bentazone") else 1e-4
    for name, values in found.items():
        assert values[0] == pytest.approx(expected.loc[name, "estimate"], rel=rtol), name
        assert errors[name][0] == pytest.approx(expected.loc[name, "se"], rel=10 * rtol), name


def test_neutcurve_example_with_both_asymptotes_held(shared_data):
    wells = pd.read_csv(shared_data / "curves" / "neutcurve_Doud_et_al_2018-neutdata.csv")
    held = Bounds(top=(1.0, 1.0), bottom=(0.0, 0.0))
    for virus, ic50, slope in (("WT", 0.017029, 2.279314), ("V135T", 0.022924, None)):
        rows = wells[(wells["serum"] == "FI6v3") & (wells["virus"] == virus)]
        means = rows.groupby("concentration")["fraction infectivity"].mean()
        fits = fit(means.index.to_numpy(), means.to_numpy()[None], bounds=held)
        assert 10 ** fits.log10_ec50[0] == pytest.approx(ic50, rel=1e-3)
        assert slope is None or fits.slope[0] == pytest.approx(slope, rel=1e-3)


def test_parameters_of_a_curve_without_noise_come_back():
    dose = 0.002 * 2.0 ** np.arange(9)
    response = [naive.viability(d, 1.0, 0.1, np.log10(0.03), 1.9) for d in dose]
    fits = fit(dose, [response])
    assert fits.status[0] == "converged"
    found = [fits.top[0], fits.bottom[0], 10 ** fits.log10_ec50[0], fits.slope[0]]
    np.testing.assert_allclose(found, [1.0, 0.1, 0.03, 1.9], rtol=1e-5)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.slow
def test_no_general_optimiser_finds_a_better_fit(design):
    dose = DESIGNS[design]
    response = simulate(3, dose, seed=17)
    fits = fit(dose, response)
    at_once = naive.least_errors(dose, response, starts=4)
    for curve in range(len(response)):
        best = naive.least_error(dose, response[curve], starts=4)
        assert (fits.sse[curve] - best) / fits.sst[curve] <= 1e-6
        # The twin that takes all curves at once, below, finds no less than SciPy's optimiser.
        assert (at_once[curve] - best) / fits.sst[curve] <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_global_optimum_on_many_curves(design):
    dose = DESIGNS[design]
    response = simulate(50, dose, seed=91)
    fits = fit(dose, response)
    best = naive.least_errors(dose, response, starts=6)
    assert ((fits.sse - best) / fits.sst > 1e-6).sum() <= 1


@pytest.mark.parametrize("design", DESIGNS)
def test_one_search_of_the_table_is_enough(design, monkeypatch):
    from drp.curves import grid, newton

    dose = DESIGNS[design]
    response = simulate(200, dose, seed=5)
    fits = fit(dose, response)
    for module, name, value in (
        (grid, "N_SLOPES", 31), (grid, "N_STARTS", 30), (grid, "SLACK_OF_SPREAD", 9.0),
        (newton, "MOST_STEPS", 100), (newton, "HOPE", 1e9),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    dense = fit(dose, response)
    missed = (fits.sse - dense.sse) / fits.sst > 1e-6
    assert missed.sum() <= 1
    assert not np.char.startswith(fits.status, "failed").any()


@pytest.mark.slow
def test_neither_company_nor_order_changes_a_bit():
    dose = DESIGNS["8x3"]
    random = np.random.default_rng(0)
    response = simulate(40, dose, seed=3)
    response[random.random(response.shape) < 0.03] = np.nan
    response[:5, :6] = np.nan  # whole doses missing
    every = fit(dose, response, intervals=True)
    for curves in (np.array([7]), np.array([2]), random.permutation(40)[:13]):
        wells = random.permutation(len(dose))
        some = fit(dose[wells], response[curves][:, wells], intervals=True)
        assert differences(every, some, curves) == []


def test_curves_on_different_doses_share_a_call():
    doses = [10.0 ** np.arange(0, 4, 0.5), 10.0 ** np.linspace(0, 3, 8), np.geomspace(5, 3e4, 8)]
    response = np.vstack([simulate(1, dose, seed=index) for index, dose in enumerate(doses)])
    together = fit(np.array(doses), response, intervals=True)
    for index, dose in enumerate(doses):
        alone = fit(dose, response[[index]], intervals=True)
        assert differences(together, alone, [index]) == []


@settings(max_examples=4, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_the_unit_of_the_dose_only_shifts_the_curve(factor, seed):
    dose = DESIGNS["5x2"]
    response = simulate(3, dose, seed)
    one, other = fit(dose, response), fit(dose * factor, response)
    np.testing.assert_allclose(one.sse, other.sse, rtol=1e-6)
    np.testing.assert_allclose(one.auc, other.auc, rtol=1e-4)


def test_replicates_weigh_as_their_mean():
    dose = DESIGNS["8x3"]
    response = simulate(10, dose, seed=8)
    wells = fit(dose, response)
    means = response.reshape(10, 8, 3).mean(axis=2)
    collapsed = fit(dose[::3], means, np.full(8, 3.0))
    scatter = ((response.reshape(10, 8, 3) - means[:, :, None]) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(wells.sse, collapsed.sse + scatter, rtol=1e-9)
    np.testing.assert_allclose(wells.slope, collapsed.slope, rtol=1e-6)


def test_collapse_by_hand():
    means = collapse(
        np.array([10.0, 1.0, 10.0, 10.0000001, 0.0]),
        np.array([[30.0, 90.0, 50.0, np.nan, 101.0]]),
        np.array([1.0, 1.0, 3.0, 1.0, 2.0]),
    )
    np.testing.assert_array_equal(means.x[:, 0], [-np.inf, 0.0, 1.0])
    np.testing.assert_array_equal(means.mean[:, 0], [101.0, 90.0, 45.0])
    np.testing.assert_array_equal(means.weight[:, 0], [2.0, 1.0, 4.0])
    assert means.scatter[0] == 15.0**2 + 3 * 5.0**2
    assert (means.n_points[0], means.n_doses[0]) == (4, 3)


def test_shared_doses_take_a_shorter_way_to_the_same_bits():
    dose = np.append(DESIGNS["8x3"], 0.0)
    random = np.random.default_rng(6)
    response = random.normal(60, 20, (30, len(dose)))
    response[random.random(response.shape) < 0.2] = np.nan
    response[0, 3:6] = response[1, :3] = response[2] = np.nan  # an inner dose, the lowest, all
    shared = collapse(dose, response)
    own = collapse(np.tile(dose, (30, 1)), response, np.ones(len(dose)))
    assert differences(shared, own) == []


@pytest.mark.slow
def test_how_many_starts_are_followed_together_changes_no_bit(monkeypatch):
    from drp.curves import search

    response = simulate(60, DESIGNS["5x2"], seed=10)
    response[::3, :2] = np.nan  # a second batch, of fewer doses
    response[1::3, -2:] = np.nan  # and a third, as many but others
    whole = fit(DESIGNS["5x2"], response, intervals=True)
    for at_once in (1, 7, 50):
        monkeypatch.setattr(search, "STARTS_AT_ONCE", at_once)
        assert differences(whole, fit(DESIGNS["5x2"], response, intervals=True)) == []


def test_noise_may_follow_from_the_fits_themselves(monkeypatch):
    from drp.curves import fitting
    from drp.curves.noise import Noise

    response = simulate(19, DESIGNS["5x2"], seed=9)

    def noise_of(fits):
        return Noise(np.full(19, np.median(fits.sse) / 6), np.full(19, 30.0))

    first = fit(DESIGNS["5x2"], response)
    known = fit(DESIGNS["5x2"], response, intervals=True, noise=noise_of(first))
    assert differences(known, fit(DESIGNS["5x2"], response, intervals=True, noise=noise_of)) == []
    monkeypatch.setattr(fitting, "BLOCK_SIZE", 8)
    assert differences(known, fit(DESIGNS["5x2"], response, intervals=True, noise=noise_of)) == []


def test_blocks_and_batches_change_no_bit(monkeypatch):
    from drp.curves import fitting

    n_curves = 19
    response = simulate(n_curves, DESIGNS["5x2"], seed=9)
    weights = np.random.default_rng(1).uniform(0.5, 2, response.shape)
    whole = fit(DESIGNS["5x2"], response, weights, intervals=True, at_dose=np.full(n_curves, 30.0))
    monkeypatch.setattr(fitting, "BLOCK_SIZE", 8)
    monkeypatch.setattr(fitting, "BATCH_SIZE", 5)
    parts = fit(DESIGNS["5x2"], response, weights, intervals=True, at_dose=np.full(n_curves, 30.0))
    assert differences(whole, parts) == []


def test_doses_that_differ_by_rounding_are_one():
    assert collapse(np.array([100.0, 100.00000000000001]), np.ones((1, 2))).n_doses[0] == 1


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ([100, 100, 100, 100, 100], "flat"),
        ([100, 90, np.nan, 20, np.nan], "too_few_doses"),
        ([np.nan] * 5, "too_few_doses"),
        ([98, 99, 100, 45, 4], "at_bound:slope"),
        ([100, 95, 60, 20, 12], "converged"),
        ([1, 1, 1, 1, 1], "flat"),
    ],
)
def test_every_curve_has_a_status(response, status):
    fits = fit(10.0 ** np.arange(5), [response], intervals=True)
    assert fits.status[0] == status


def test_a_rising_curve_is_called_increasing_and_not_swapped():
    dose = DESIGNS["5x2"]
    rising = [naive.viability(d, 120.0, 60.0, 1.5, -1.2) for d in dose]
    fits = fit(dose, [rising])
    assert fits.increasing[0]
    assert (fits.bottom[0], fits.top[0]) == (pytest.approx(60, 1e-4), pytest.approx(120, 1e-4))
    assert fit(dose, [rising], direction="decreasing").status[0] == "flat"


def test_a_control_well_stands_at_dose_zero():
    dose = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
    response = [naive.viability(d, 100.0, 20.0, 1.5, 1.2) for d in dose]
    fits = fit(dose, [response])
    assert fits.log10_ec50[0] == pytest.approx(1.5, abs=1e-4)
    assert fits.auc[0] == pytest.approx(naive.area(100, 20, 1.5, 1.2, 0, 3), abs=1e-3)


@pytest.mark.parametrize(
    ("dose", "response", "weights"),
    [([-1.0, 1, 2, 3], [1.0, 2, 3, 4], None), ([1.0, 2, 3, 4], [np.inf, 2, 3, 4], None),
     ([1.0, 2, 3, 4], [1.0, 2, 3, 4], [1.0, -1, 1, 1])],
)  # fmt: skip
def test_impossible_input_is_refused(dose, response, weights):
    with pytest.raises(ValueError, match="must"):
        fit(dose, [response], weights)


def test_no_curves_give_no_fits():
    assert len(fit(np.arange(1.0, 6), np.empty((0, 5)), intervals=True).top) == 0
