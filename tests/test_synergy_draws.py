"""The noise of a well, the joint bootstrap, and whether its intervals and p-values hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drp.synergy import score_synergy
from drp.synergy.draws import (
    draw_inhibition,
    estimate,
    false_discovery_rate,
    intervals,
    probability_above,
)
from drp.synergy.noise import Controls, Noise, controls_of, measure_noise
from drp.synergy.noise import find_controls as controls_for
from drp.synergy.score import score_cells
from drp.synergy.surface import dose_matrices

NO_DF_PENALTY = 1e9


def screens(n_samples, *, size, single, combined, sd, excess, n_controls, seed):
    """Measure an additive pair (plus an excess) anew on a plate per sample."""
    rng = np.random.default_rng(seed)
    doses = np.concatenate([[0.0], 100 / np.sqrt(10) ** np.arange(size - 1)[::-1]])
    a, b = (axis.ravel() for axis in np.meshgrid(doses, doses, indexing="ij"))
    alone_a, alone_b = 75 * a / (a + 10), 60 * b / (b + 20)
    both = (a > 0) & (b > 0)
    truth = 100 - (alone_a + alone_b - alone_a * alone_b / 100) - excess * both
    copies = np.where(both, combined, single)
    a, b, truth = (np.repeat(values, copies) for values in (a, b, truth))
    plates = []
    for sample in range(n_samples):
        controls = 100 + sd * rng.standard_normal(n_controls)
        signal = np.concatenate([truth + sd * rng.standard_normal(len(truth)), controls])
        plates.append(
            pd.DataFrame(
                {
                    "plate": f"P{sample}",
                    "sample": f"S{sample}",
                    "role": ["sample"] * len(truth) + ["negative"] * n_controls,
                    "drug": ["A"] * len(truth) + [""] * n_controls,
                    "dose": np.concatenate([a, np.full(n_controls, np.nan)]),
                    "drug2": ["B"] * len(truth) + [""] * n_controls,
                    "dose2": np.concatenate([b, np.full(n_controls, np.nan)]),
                    "viability_pct": 100 * signal / np.median(controls),
                }
            )
        )
    return pd.concat(plates, ignore_index=True)


def find_controls(wells, matrix):
    return controls_for(controls_of(wells), matrix)


def one_matrix(**changes):
    settings = {"size": 6, "single": 1, "combined": 1, "sd": 5, "excess": 0, "n_controls": 16}
    wells = screens(1, seed=1, **(settings | changes))
    matrix = next(dose_matrices(wells))
    return wells, matrix, find_controls(wells, matrix)


@pytest.mark.parametrize(("single", "combined"), [(1, 1), (1, 3), (2, 2)])
def test_the_spread_of_mean_bliss_is_the_closed_form(single, combined):
    _, matrix, _ = one_matrix(single=single, combined=combined, sd=1e-6)
    nothing = Controls((np.empty(0),), (np.empty(0),))
    noise = Noise(5.0, 5.0, 5.0, NO_DF_PENALTY, "")
    scores = score_cells(matrix, nothing, noise, seed=1, draws=40_000, models=False)
    inhibition, doses = matrix.inhibition, matrix.doses
    alone_a = inhibition[(doses[:, 1] == 0) & (doses[:, 0] > 0)]
    alone_b = inhibition[(doses[:, 0] == 0) & (doses[:, 1] > 0)]
    variance = 5.0**2
    cells = 25 * variance / combined
    from_a = 5 * variance / single * np.sum(1 - alone_b / 100) ** 2
    from_b = 5 * variance / single * np.sum(1 - alone_a / 100) ** 2
    closed_form = np.sqrt(cells + from_a + from_b) / 25
    # 20,000 mirrored pairs know an SD to 0.5 %; three times that is allowed.
    assert scores.bliss_excess(scores.scored).se == pytest.approx(closed_form, rel=0.015)


def test_the_error_of_the_controls_is_shared_by_all_wells():
    _, matrix, controls = one_matrix()
    noise = Noise(1e-9, 5.0, 5.0, NO_DF_PENALTY, "")
    rng = np.random.default_rng(1)
    drawn = draw_inhibition(matrix, controls, noise, rng=rng, draws=4000, centre="mean")
    alive = 100 - drawn
    factor = alive / (100 - matrix.inhibition)
    assert np.ptp(factor, axis=1).max() < 1e-6
    assert factor[:, 0].std() == pytest.approx(0.05 / np.sqrt(16), rel=0.04)


def test_the_median_of_controls_is_less_certain_than_their_mean():
    _, matrix, controls = one_matrix(n_controls=61)
    noise = Noise(1e-9, 5.0, 5.0, NO_DF_PENALTY, "")
    spread = {}
    for centre in ("mean", "median"):
        rng = np.random.default_rng(1)
        drawn = draw_inhibition(matrix, controls, noise, rng=rng, draws=4000, centre=centre)
        spread[centre] = drawn[:, 0].std()
    # For many wells the ratio is sqrt(π / 2).
    assert spread["median"] / spread["mean"] == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)


def test_positive_controls_count_where_they_are_the_zero():
    wells, matrix, _ = one_matrix()
    for level, expected in ((0.0, 6), (20.0, 0)):
        values = level + np.array([-2.0, -1, -0.5, 0.5, 1, 2])
        rows = pd.DataFrame({"viability_pct": values, "role": "positive", "plate": "P0"})
        rows = rows.assign(sample="S0", drug="", drug2="")
        found = find_controls(pd.concat([wells, rows], ignore_index=True), matrix)
        assert found.positive[0].size == expected
        assert found.negative[0].size == 16


def test_controls_of_another_sample_on_the_plate_are_not_taken():
    wells, matrix, own = one_matrix()
    other = wells[wells["role"] == "negative"].assign(sample="S9", viability_pct=500.0)
    found = find_controls(pd.concat([wells, other]), matrix)
    np.testing.assert_array_equal(found.negative[0], own.negative[0])
    shared = wells.assign(sample=wells["sample"].where(wells["role"] == "sample", ""))
    np.testing.assert_array_equal(find_controls(shared, matrix).negative[0], own.negative[0])


def test_noise_comes_from_replicates_else_controls_else_the_prior():
    _, matrix, controls = one_matrix(single=3, combined=3)
    measured = measure_noise(matrix, controls, 8.0)
    by_cell = pd.Series(matrix.viability).groupby(matrix.cell)
    squares = ((matrix.viability - by_cell.transform("mean")) ** 2).sum()
    assert (measured.df, measured.note) == (72, "")
    assert measured.well == pytest.approx(np.sqrt(squares / 72))
    assert measured.negative == pytest.approx(controls.negative[0].std(ddof=1))

    _, matrix, controls = one_matrix()
    measured = measure_noise(matrix, controls, 8.0)
    assert (measured.df, measured.note) == (15, "")
    assert measured.well == pytest.approx(controls.negative[0].std(ddof=1))

    _, matrix, controls = one_matrix(n_controls=4)
    measured = measure_noise(matrix, controls, 8.0)
    squares = 3 * controls.negative[0].var(ddof=1)
    assert measured.df == 11
    assert measured.well == pytest.approx(np.sqrt((squares + 8 * 64) / 11))
    assert measured.note == "few replicates: well SD drawn towards an assumed 8.0 points"


@pytest.mark.slow
@pytest.mark.parametrize(("single", "combined"), [(1, 1), (1, 3)])
def test_intervals_hold_under_a_true_bliss_null(single, combined):
    n_samples = 100
    wells = screens(
        n_samples, size=6, single=single, combined=combined, sd=5, excess=0, n_controls=16, seed=11
    )
    synergy = score_synergy(wells, seed=2, draws=300, models=False)[0]
    # Of 100 true nulls 5 are expected at 5 %; 1 to 12 hold in 99 % of such simulations.
    rejected = int((synergy["bliss_p"] < 0.05).sum())
    missed = int(((synergy["bliss_lo"] > 0) | (synergy["bliss_hi"] < 0)).sum())
    assert stats.binom(n_samples, 0.05).cdf(12) - stats.binom(n_samples, 0.05).cdf(0) > 0.99
    assert 1 <= rejected <= 12
    assert 1 <= missed <= 12
    assert synergy["bliss_se"].mean() == pytest.approx(synergy["bliss"].std(), rel=0.25)


def test_a_true_excess_is_found_and_covered():
    wells = screens(40, size=6, single=1, combined=3, sd=5, excess=10, n_controls=16, seed=12)
    synergy = score_synergy(wells, seed=2, draws=400, models=False)[0]
    covered = ((synergy["bliss_lo"] <= 10) & (synergy["bliss_hi"] >= 10)).sum()
    # 95 % of 40 is 38; fewer than 33 has a chance below 1 in 100.
    assert covered >= 33
    # The excess is four standard errors.
    assert (synergy["bliss_p"] < 0.05).sum() >= 36


def test_more_noise_is_a_wider_interval_and_power_is_stated():
    calm, rough = (
        score_synergy(one_matrix(single=3, combined=3, sd=sd)[0], draws=400)[0].iloc[0]
        for sd in (3, 9)
    )
    assert rough["bliss_hi"] - rough["bliss_lo"] > 2 * (calm["bliss_hi"] - calm["bliss_lo"])
    assert calm["detectable_excess"] == pytest.approx(2.8 * calm["bliss_se"])


def test_few_degrees_of_freedom_widen_the_interval():
    drawn = np.random.default_rng(1).normal(size=2000)
    widths = {}
    for df in (8, NO_DF_PENALTY):
        lo, hi = intervals(np.array(3.0), drawn, df)
        widths[df] = hi - lo
    assert widths[8] / widths[NO_DF_PENALTY] == pytest.approx(stats.t.ppf(0.975, 8) / 1.96, 1e-4)


@given(st.floats(-6, 6), st.integers(0, 50))
def test_p_agrees_with_the_interval(value, seed):
    drawn = value + np.random.default_rng(seed).normal(size=999)
    found = estimate(value, drawn, 20)
    assert 0 < found.p <= 1
    assert found.lo <= value <= found.hi
    if found.p < 0.045:
        assert found.lo > 0 or found.hi < 0
    if found.p > 0.055:
        assert found.lo < 0 < found.hi


def test_the_same_seed_gives_the_same_and_another_seed_another():
    wells, _, _ = one_matrix()
    first, again, other = (score_synergy(wells, seed=s, draws=200)[0] for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first["bliss"][0] == other["bliss"][0]
    assert first["bliss_lo"][0] != other["bliss_lo"][0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_false_discovery_rate_equals_scipy(p_values):
    expected = stats.false_discovery_control(p_values)
    np.testing.assert_allclose(false_discovery_rate(np.array(p_values)), expected, atol=1e-12)


def test_false_discovery_is_counted_within_a_sample():
    two = [one_matrix()[0], one_matrix(excess=12)[0].assign(drug="C", plate="P1")]
    two[1] = two[1].assign(drug=two[1]["drug"].where(two[1]["role"] == "sample", ""))
    synergy = score_synergy(pd.concat(two, ignore_index=True), draws=400)[0]
    np.testing.assert_allclose(synergy["p_fdr"], false_discovery_rate(synergy["bliss_p"].array))
    assert (synergy["p_fdr"] >= synergy["bliss_p"]).all()


def test_the_probability_agrees_with_the_interval_and_never_claims_certainty():
    drawn = np.random.default_rng(5).normal(0.0, 3.0, 2001)
    lo, _ = intervals(np.asarray(9.0), drawn, 1e9)
    assert probability_above(9.0, drawn, 1e9, float(lo)) == pytest.approx(0.975, abs=0.002)
    assert probability_above(9.0, drawn, 1e9, 9.0) == pytest.approx(0.5, abs=0.001)
    assert probability_above(900.0, drawn, 1e9, 0.0) == pytest.approx(1 - 0.5 / 2002)
    assert probability_above(9.0, drawn, 4, float(lo)) < 0.975


def test_fewer_draws_for_the_models_leave_what_the_call_rests_on():
    """Bliss and HSA keep every draw; Loewe's interval is the same but for chance."""
    from drp.simulate import simulate_viability
    from drp.synergy import score_synergy

    wells, _ = simulate_viability(1, seed=3, design="combinations")
    every, _ = score_synergy(wells, seed=1, draws=600)
    fewer, _ = score_synergy(wells, seed=1, draws=600, model_draws=200)
    same = [name for name in every if name.startswith(("bliss", "hsa", "call", "achievable"))]
    assert len(same) > 8
    assert every[same].equals(fewer[same])
    assert (every["loewe"] == fewer["loewe"]).all()
    widths = [scores["loewe_hi"] - scores["loewe_lo"] for scores in (every, fewer)]
    assert (widths[0] != widths[1]).all()
    assert ((widths[1] / widths[0]).between(0.75, 1.25)).all()
