"""Hill fits: known curves, two slow twins, the other program's fits, bounds, draws, laws."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from drp.curves import Bounds, fit
from drp.synergy.hill import fit_hill, refit_hill
from drp.synergy.hill_starts import Group, best_nodes, make_table, node_gains, node_sums
from tests.examples import examples
from tests.many_starts import least_cost
from tests.synergy_cases import hill, load_cases

DOSE = np.array([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])


def noisy(n_curves, sd, seed):
    rng = np.random.default_rng(seed)
    truth = np.column_stack(
        [
            rng.normal(0, 4, n_curves),
            rng.uniform(-20, 104, n_curves),
            10 ** rng.uniform(-1, 2, n_curves),
            np.exp(rng.normal(0.2, 0.6, n_curves)),
        ]
    )
    clean = np.array([hill(DOSE, *one) for one in truth])
    return clean + rng.normal(0, sd, clean.shape)


def twin(dose, values, weight=None, start=None):
    """The least squared error of one curve, from many starts of a general optimiser."""
    weight = np.ones_like(values) if weight is None else weight
    above = dose[dose > 0]
    low = [-np.inf, np.log(above.min() / 10), np.log(0.1)]
    high = [105, np.log(above.max() * 10), np.log(10)]
    if start is None:
        low, high = [-np.inf, *low], [105, *high]
    best = np.inf
    for midpoint in np.geomspace(above.min() / 3, above.max() * 3, 5):
        for slope in (0.4, 1.5, 6.0):
            for plateau in (values.max(), values.min()):
                first = [min(plateau, 104.9), np.log(midpoint), np.log(slope)]
                if start is None:
                    first = [min(values[0], 104.9), *first]

                def residual(p):
                    c, rest = (start, p) if start is not None else (p[0], p[1:])
                    share = 1 / (1 + np.exp(-np.exp(rest[2]) * (np.log(dose + 1e-300) - rest[1])))
                    return np.sqrt(weight) * (c + (rest[0] - c) * share - values)

                with np.errstate(over="ignore"):
                    found = least_squares(residual, first, bounds=(low, high), max_nfev=300)
                best = min(best, 2 * found.cost)
    return best


def twins(dose, values, weight, start=None):
    """What `twin` gives for each of many curves, from the same starts, all at once."""
    above = dose[dose > 0]
    low = np.array([-np.inf, -np.inf, np.log(above.min() / 10), np.log(0.1)])
    high = np.array([105, 105, np.log(above.max() * 10), np.log(10)])
    midpoints = np.log(np.geomspace(above.min() / 3, above.max() * 3, 5))
    trials = np.array(list(product(midpoints, np.log([0.4, 1.5, 6.0]), (True, False))))
    middle, slope, from_most = np.tile(trials, (len(values), 1)).T
    wells, weight = (np.repeat(each, len(trials), axis=0) for each in (values, weight))
    held = None if start is None else np.repeat(start, len(trials))[:, None]
    root, x = np.sqrt(weight), np.log(dose + 1e-300)

    def model(q):
        c, d, e, eta = (q[:, [place]] for place in range(4))
        c = c if held is None else held
        rate = np.exp(eta)
        share = 1 / (1 + np.exp(np.clip(-rate * (x - e), -600, 600)))
        turn = (d - c) * share * (1 - share) * rate
        own = (1 - share) * (held is None)
        slopes = np.stack([own, share, -turn, turn * (x - e)], axis=-1)
        return root * (c + (d - c) * share - wells), root[:, :, None] * slopes

    plateaus = np.where(from_most, wells.max(axis=1), wells.min(axis=1))
    first = np.column_stack([np.minimum(wells[:, 0], 104.9), np.minimum(plateaus, 104.9)])
    found = least_cost(model, np.column_stack([first, middle, slope]), low, high)
    return found.reshape(len(values), -1).min(axis=1)


def test_known_curves_come_back():
    truth = [[0, 100, 5, 1.2], [10, 60, 20, 2.5], [30, -40, 1, 0.7], [-5, 104, 0.5, 9]]
    fits = fit_hill(DOSE, [hill(DOSE, *one) for one in truth])
    found = np.column_stack([fits.start, fits.plateau, fits.midpoint, fits.slope])
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-5)
    assert (fits.status == "converged").all()
    np.testing.assert_allclose(fits.at(DOSE), [hill(DOSE, *one) for one in truth], atol=1e-6)


def test_a_given_start_stays_and_the_rest_is_found():
    truth = [[0, 100, 5, 1.2], [108, 60, 20, 2.5], [30, 90, 1, 0.7]]
    fits = fit_hill(DOSE, [hill(DOSE, *one) for one in truth], start=[0, 108, 30])
    found = np.column_stack([fits.start, fits.plateau, fits.midpoint, fits.slope])
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sd", [3, 10, 30])
def test_free_fits_are_those_of_the_curve_engine(sd):
    values = np.concatenate([noisy(150, sd, seed=sd), 104 + noisy(50, sd, seed=sd + 1) / 10])
    fits = fit_hill(DOSE, values)
    theirs = fit(DOSE, 100 - values, bounds=Bounds(bottom=(-5, np.inf)))
    np.testing.assert_array_less(fits.rss, theirs.sse + 1e-6 * theirs.sst)
    # Where it is the engine that stopped short, the curves are still all but the same.
    np.testing.assert_array_less(theirs.sse, fits.rss + 1e-4 * theirs.sst)


@pytest.mark.parametrize(
    "n_curves", [1, pytest.param(60, marks=pytest.mark.slow)], ids=["one", "many"]
)
@pytest.mark.parametrize("fixed", [False, True])
def test_no_curve_is_worse_than_many_starts_of_a_general_optimiser(n_curves, fixed):
    rng = np.random.default_rng(5)
    values, weight = noisy(n_curves, 6, seed=7), rng.integers(1, 4, (n_curves, len(DOSE)))
    start = values[:, 0] if fixed else None
    fits = fit_hill(DOSE, values, weight, start=start)
    least = twins(DOSE, values, weight.astype(float), start)
    assert (fits.rss <= least * (1 + 1e-6) + 1e-9).all()
    # The twin that takes all curves at once finds no less than SciPy's optimiser.
    slow = twin(DOSE, values[0], weight[0].astype(float), None if start is None else start[0])
    assert least[0] <= slow * (1 + 1e-6) + 1e-9


def test_squared_errors_are_at_most_those_of_synergyfinder(shared_data):
    cases = load_cases(shared_data / "synergy")
    theirs = pd.read_csv(shared_data / "synergy" / "sf_synthetic_fits.csv")
    compared = 0
    for row in theirs.query("type == 'LL.4'").to_dict("records"):
        doses, values = cases[row["case"]].alone
        drug = int(row["drug"][-1]) - 1
        dose, value = doses[drug], values[drug]
        dose, value = dose[np.isfinite(dose)], value[np.isfinite(dose)]
        inside = row["b"] < 0 and 0.1 <= -row["b"] <= 10 and max(row["c"], row["d"]) <= 105
        if len(dose) < 4 or not inside:
            continue
        if not dose[1] / 10 <= row["e"] <= dose[-1] * 10:
            continue
        rss = ((hill(dose, row["c"], row["d"], row["e"], -row["b"]) - value) ** 2).sum()
        assert fit_hill(dose, value[None]).rss[0] <= 1.001 * rss
        compared += 1
    assert compared >= 30


def test_the_optimum_another_program_missed(shared_data):
    doses, values = load_cases(shared_data / "synergy")["mathews_1"].alone
    assert fit_hill(doses, values).rss[0] == pytest.approx(30.3, abs=0.05)


def test_parameters_stay_in_their_bounds_and_say_when_they_stand_there():
    fits = fit_hill(DOSE, np.concatenate([noisy(200, 15, seed=3), 20 + noisy(100, 5, seed=4)]))
    curved = np.isfinite(fits.midpoint)
    assert ((fits.start <= 105) & (fits.plateau <= 105)).all()
    assert ((fits.slope[curved] >= 0.1 - 1e-12) & (fits.slope[curved] <= 10 + 1e-9)).all()
    assert ((fits.midpoint[curved] >= 0.01 - 1e-12) & (fits.midpoint[curved] <= 1000 + 1e-6)).all()
    steep = curved & (np.abs(fits.slope - 10) < 1e-9)
    assert steep.any()
    assert all("slope" in one for one in fits.status[steep])
    assert all("plateau" in one for one in fits.status[curved & (fits.plateau == 105)])


def test_errors_are_those_of_the_curve_given():
    values, weight = noisy(20, 8, seed=9), np.arange(1, 9)
    fits = fit_hill(DOSE, values, weight)
    rss = (weight * (values - fits.at(DOSE)) ** 2).sum(axis=1)
    np.testing.assert_allclose(fits.rss, rss, rtol=1e-9)
    np.testing.assert_allclose(fits.rmse, np.sqrt(rss / weight.sum()), rtol=1e-9)


@pytest.mark.parametrize(
    ("n_doses", "start", "status"),
    [(3, None, "too_few_doses"), (2, 5.0, "too_few_doses"), (4, None, ""), (3, 5.0, "")],
)
def test_too_few_doses_are_refused(n_doses, start, status):
    value = [[5.0, 20.0, 40.0, 60.0][:n_doses]]
    fits = fit_hill(DOSE[:n_doses], value, start=None if start is None else [start])
    assert (fits.status[0] == "too_few_doses") == bool(status)
    assert fits.fitted[0] != bool(status)
    if status:
        assert np.isnan(fits.at(DOSE)).all()


def test_a_curve_within_noise_is_inactive_and_constant():
    values = 3 + noisy(1, 0, seed=1) * 0 + np.array([[0, 4, -4, 2, -2, 3, 1, 0.0]])
    free = fit_hill(DOSE, values, well_sd=5)
    assert free.status[0] == "inactive"
    np.testing.assert_allclose(free.at(DOSE), values.mean())
    given = fit_hill(DOSE, values, start=[values[0, 0]], well_sd=5)
    np.testing.assert_allclose(given.at(DOSE)[0, 1:], values[0, 1:].mean())
    assert given.at([0.0])[0, 0] == values[0, 0]
    assert fit_hill(DOSE, values, well_sd=3).status[0] != "inactive"


def test_no_response_at_all_is_flat():
    fits = fit_hill(DOSE, np.full((2, 8), 7.0), start=[np.nan, 7.0])
    assert fits.status.tolist() == ["flat", "flat"]
    np.testing.assert_array_equal(fits.at(DOSE), 7.0)


def test_missing_wells_are_left_out_and_counted():
    values = noisy(4, 5, seed=2)
    gaps = values.copy()
    gaps[:, 3] = np.nan
    kept = np.delete(np.arange(8), 3)
    one, other = fit_hill(DOSE, gaps), fit_hill(DOSE[kept], values[:, kept])
    np.testing.assert_array_equal(one.rss, other.rss)
    weight = np.ones(8)
    weight[3] = 0
    np.testing.assert_array_equal(fit_hill(DOSE, values, weight).rss, other.rss)


def test_bad_doses_are_named():
    with pytest.raises(ValueError, match="negative"):
        fit_hill([-1, 1, 2, 3], [[1.0, 2, 3, 4]])
    with pytest.raises(ValueError, match="twice"):
        fit_hill([0, 1, 1, 3, 4], [[1.0, 2, 3, 4, 5]])


NAMES = ("start", "plateau", "midpoint", "slope")


def bits(fits):
    return [getattr(fits, name).tobytes() for name in NAMES]


def test_neither_neighbours_nor_the_order_of_doses_change_a_bit():
    values, weight = noisy(40, 8, seed=11), np.array([4.0, 1, 2, 1, 3, 1, 1, 2])
    whole = fit_hill(DOSE, values, weight)
    order = np.random.default_rng(0).permutation(40)
    assert bits(fit_hill(DOSE, values[order], weight)) == bits(whole.take(order))
    shuffled = np.random.default_rng(1).permutation(8)
    again = fit_hill(DOSE[shuffled], values[:, shuffled], weight[shuffled])
    assert bits(again) == bits(whole)
    for row in (0, 17, 39):
        assert bits(fit_hill(DOSE, values[[row]], weight)) == bits(whole.take(slice(row, row + 1)))


@settings(max_examples=examples(30), deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_the_unit_of_the_doses_changes_only_the_midpoint(factor, seed):
    values = noisy(2, 4, seed=seed)
    one, other = fit_hill(DOSE, values), fit_hill(DOSE * factor, values)
    np.testing.assert_allclose(other.rss, one.rss, rtol=1e-6)
    np.testing.assert_allclose(other.at(DOSE * factor), one.at(DOSE), atol=0.05)


def draws_of(values, n_draws, sd, seed):
    return values + np.random.default_rng(seed).normal(0, sd, (n_draws, *values.shape))


def test_draws_are_fitted_as_well_as_observed_values():
    values = noisy(12, 4, seed=21)
    start = np.where(np.arange(12) < 6, np.nan, values[:, 0])
    drawn = draws_of(values, 200, 3, seed=22)
    starts = np.where(np.isnan(start), np.nan, drawn[:, :, 0])
    fits = refit_hill(fit_hill(DOSE, values, start=start), DOSE, drawn, start=starts)
    full = fit_hill(DOSE, drawn.reshape(-1, 8), start=starts.ravel())
    ours, theirs = fits.at(DOSE).reshape(-1, 8), full.at(DOSE)
    worse = fits.rss.ravel() - full.rss
    assert (worse > 3e-2 * full.rss + 3e-2).mean() < 0.005
    # The looser stop moves nothing to one side: a hundredth of a point at most on the mean, and
    # what a fitted value is off by is a twentieth of the noise that is drawn.
    assert np.abs((ours - theirs).mean(axis=0)).max() < 0.01
    assert np.sqrt(((ours - theirs) ** 2).mean()) < 0.15


@pytest.mark.parametrize("fixed", [False, True])
def test_a_draw_depends_neither_on_other_draws_nor_on_other_curves(fixed):
    values = noisy(5, 4, seed=31)
    start = values[:, 0] if fixed else np.full(5, np.nan)
    observed = fit_hill(DOSE, values, start=start)
    drawn = draws_of(values, 300, 3, seed=32)
    starts = drawn[:, :, 0] if fixed else np.full((300, 5), np.nan)
    whole = refit_hill(observed, DOSE, drawn, start=starts)
    for draw in (0, 137, 299):
        one = refit_hill(observed, DOSE, drawn[[draw]], start=starts[[draw]])
        assert bits(one) == [getattr(whole, name)[[draw]].tobytes() for name in NAMES]
    for curve in (0, 4):
        some = [curve]
        alone = refit_hill(observed.take(some), DOSE, drawn[:, some], start=starts[:, some])
        assert bits(alone) == bits(whole.take(some))


@pytest.mark.parametrize("fixed", [False, True])
def test_the_best_node_is_the_one_that_explains_most_under_the_cap(fixed):
    values = np.concatenate([noisy(200, 10, seed=41), 60 + noisy(200, 10, seed=42)]).T
    level = values[0] if fixed else values.mean(axis=0)
    room = np.maximum(105 - level, 0.0) if fixed else 105 - level
    group = Group(values - level, np.arange(1.0, 9.0) if fixed else np.ones(8), room, fixed)
    table = make_table((-1e4, *np.log10(DOSE[1:] / 0.1).tolist()), (0.1, 10.0), 1.0, 2)
    node, gain = best_nodes(table, group)
    sums = node_sums(table, group)
    gains = np.concatenate(
        [
            np.abs(node_gains(table, group, slice(begin, begin + 32), sums))
            for begin in range(0, 400, 32)
        ],
        axis=1,
    )
    most = gains.max(axis=0)
    np.testing.assert_allclose(gain, most, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gains[node, np.arange(400)], most, rtol=1e-6, atol=1e-6)
    # The cap has to matter for some curves and not for others.
    free = best_nodes(table, group._replace(room=np.full(400, np.inf)))[1]
    assert 20 < (free > most * (1 + 1e-6)).sum() < 380


def test_draws_of_an_inactive_curve_stay_constant():
    values = np.full((1, 8), 2.0) + np.array([0, 1, -1, 0, 1, 0, -1, 0])
    observed = fit_hill(DOSE, values, well_sd=5)
    fits = refit_hill(observed, DOSE, draws_of(values, 10, 5, seed=1))
    assert (fits.status == "inactive").all()
    assert np.isfinite(fits.rss).all()
