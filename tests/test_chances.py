"""Probabilities of calls against a slow twin that draws, and ranks against one that loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.call_words import INTERMEDIATE, SENSITIVE
from drp.calls import decide, make_calls
from drp.chances import Measured, call_chances, posterior, z_moments
from drp.config import CallSettings
from drp.deconvolution import GRID, copies_of, deconvolve
from drp.standing import Standing, stand
from tests.examples import examples
from tests.test_calls import SETTINGS, curve
from tests.test_cohort import members

NAMES = [f"R{number:02d}" for number in range(60)]
DRAWS = 400_000


@pytest.fixture(scope="module")
def reference():
    values = np.random.default_rng(3).normal(75, 8, len(NAMES))
    return deconvolve(np.sort(values), 3.0, copies_of(NAMES, 1))


def drawn(measured, reference, cut, rng):
    """Draw noise-free AUCs and resamples, and apply the rule to each draw."""
    rules = CallSettings().model_dump()
    n = len(NAMES)
    picked = rng.integers(len(reference.prior), size=DRAWS)
    weight = 1 / (n + 1)
    prior = (1 - weight) * reference.prior + weight / len(GRID)
    chance = prior * np.exp(-0.5 * ((measured.auc - GRID) / measured.error) ** 2)
    ladder = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    # Row k of the ladder stands at k to k + 1, so that one search finds the place in each row.
    rungs = (ladder + np.arange(len(ladder))[:, None]).ravel()
    cell = np.searchsorted(rungs, picked + rng.random(DRAWS)) - picked * len(GRID)
    auc = GRID[cell] + rng.random(DRAWS) - 0.5
    inside = auc - GRID[cell] + 0.5
    own = reference.prior[picked, cell]
    below = np.cumsum(reference.prior, axis=1)[picked, cell] - own * (1 - inside)
    moved = (auc - measured.auc) / measured.error * measured.at_peak_error
    centre, spread = reference.centre[picked], reference.spread[picked]
    standing = Standing((centre - auc) / spread, 100 * (1 - below), centre - auc, np.full(DRAWS, n))
    active = np.full(DRAWS, measured.active[0])
    each = Measured(auc, auc, measured.at_peak + moved, auc, active)
    return decide(standing, each, cut, rules), standing.z


@pytest.mark.parametrize(
    ("auc", "error", "at_peak", "at_peak_error", "active"),
    [
        (63.0, 3.0, np.nan, 0.0, True),  # exposure unknown
        (63.0, 3.0, 68.0, 4.0, True),  # both limits lie where the posterior is
        (76.0, 4.0, 49.0, 5.0, True),  # strong, but usual
        (60.0, 2.0, 90.0, 0.0, True),  # above the reachable concentration, and no interval
        (66.0, 5.0, 20.0, 3.0, True),
        (50.0, 0.5, 55.0, 9.0, True),
        (50.0, 3.0, 20.0, 3.0, False),
    ],
)
def test_probabilities_are_those_of_many_draws(
    reference, auc, error, at_peak, at_peak_error, active
):
    columns = (auc, error, at_peak, at_peak_error)
    one = Measured(*(np.array([value]) for value in columns), np.array([active]))
    usable = np.ones((1, len(reference.prior)), dtype=bool)
    found = posterior(one, reference, len(NAMES), usable)
    chances = call_chances(one, reference, found, 1.0, CallSettings().model_dump())
    calls, z = drawn(one, reference, 1.0, np.random.default_rng(7))
    for call, share in zip((SENSITIVE, INTERMEDIATE), chances, strict=True):
        assert share[0] == pytest.approx(np.mean(calls == call), abs=4 * 0.5 / DRAWS**0.5)
    mean, sd = z_moments(reference, found)
    assert mean[0] == pytest.approx(z.mean(), abs=5 * z.std() / DRAWS**0.5)
    assert sd[0] == pytest.approx(z.std(), rel=0.01)


def test_resamples_that_hold_the_sample_do_not_count(reference):
    one = Measured(*(np.array([v]) for v in (63.0, 3.0, np.nan, 0.0)), np.array([True]))
    for chosen in (3, 17):
        usable = np.zeros((1, len(reference.prior)), dtype=bool)
        usable[0, chosen] = True
        alone = type(reference)(*(part[[chosen]] for part in (
            reference.prior, reference.centre, reference.spread)))  # fmt: skip
        rules = CallSettings().model_dump()
        among = call_chances(one, reference, posterior(one, reference, 60, usable), 1.0, rules)
        only = posterior(one, alone, 60, np.ones((1, 1), dtype=bool))
        assert among == call_chances(one, alone, only, 1.0, rules)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=3, max_size=12),
    st.integers(0, 12),
)
def test_ranks_are_those_of_a_loop(values, other):
    ascending = np.sort(np.array(values, dtype=float))
    auc = np.append(ascending, other)
    own = np.append(np.arange(len(ascending)), -1)
    found = stand(auc, ascending, own)
    for place, left_out in enumerate(own):
        rest = np.delete(ascending, left_out) if left_out >= 0 else ascending
        middle = np.median(rest)
        spread = max(1.4826 * np.median(np.abs(rest - middle)), 1.0)
        assert found.n[place] == len(rest)
        assert found.distance[place] == middle - auc[place]
        assert found.z[place] == pytest.approx((middle - auc[place]) / spread, abs=1e-12)
        assert found.percentile[place] == pytest.approx(100 * np.mean(rest > auc[place]))


def test_the_company_of_a_sample_changes_not_a_digit():
    """Called alone, in a crowd, or in another order: the same bytes."""
    rng = np.random.default_rng(5)
    cohort = members(rng.normal(75, 8, 150), prefix="S").assign(auc_se=3.0)
    rows = [
        curve(auc, half=rng.uniform(1, 8), sample=sample, viability_at_cmax=rng.uniform(30, 90))
        for sample, auc in zip(cohort["sample"], cohort["auc"], strict=True)
    ]
    curves = pd.concat(rows, ignore_index=True)
    samples = pd.DataFrame({"sample": cohort["sample"], "assay": "a", "verdict": "pass"})
    samples = samples.assign(reasons="")
    plates = pd.DataFrame([{"plate": "PL1", "verdict": "pass", "reasons": ""}])

    def called(chosen, reference):
        return make_calls(chosen, samples, plates, reference, {}, SETTINGS, seed=1)

    together = called(curves, cohort)
    mixed = called(curves.sample(frac=1, random_state=2), cohort.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(together, mixed, check_exact=True)
    for size in (1, 7, 64, 65):
        part = called(curves.tail(size), cohort)
        expected = together[together["sample"].isin(part["sample"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, expected, check_exact=True)
