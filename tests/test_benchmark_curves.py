"""The arithmetic of the benchmark of curve fits: what it simulates, counts and compares."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import curve_designs
import curve_measures
import curve_packages
import curve_peers
from curve_designs import DESIGNS, Curves, Simulated
from curve_measures import Spent

from tests import naive

SHARES = {"full": 0.5, "partial": 0.2, "flat": 0.3}


def one_curve(left, right, e, slope):
    return Curves(*(np.array([value], dtype=float) for value in (left, right, e, slope)))


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_every_chunk_of_a_hundred_holds_the_stated_mixture(design):
    data = curve_designs.simulate(design, 200, np.random.default_rng(3))
    assert data.viability.shape == (200, design.n_doses * design.n_wells)
    assert len(np.unique(data.dose)) == design.n_doses
    for chunk in (data.kind[:100], data.kind[100:]):
        assert {kind: np.mean(chunk == kind) for kind in SHARES} == SHARES
    x, e = np.log10(data.dose), data.truth.log10_ec50
    assert np.isnan(e[data.kind == "flat"]).all()
    full, partial = e[data.kind == "full"], e[data.kind == "partial"]
    assert x.min() < full.min() and full.max() < x.max()
    assert partial.min() > x.max() - 0.31 and partial.max() < x.max() + 0.71
    assert curve_designs.within_bounds(data.truth, data.dose).all()


def test_noise_has_the_stated_spread():
    data = curve_designs.simulate(DESIGNS[0], 4000, np.random.default_rng(8))
    noise = data.viability - curve_designs.curves_at(data.truth, data.dose)
    low, high = curve_designs.SMALLEST_SD, curve_designs.LARGEST_SD
    expected = np.sqrt((low**2 + low * high + high**2) / 3)
    assert noise.std() == pytest.approx(expected, rel=0.03)
    assert abs(noise.mean()) < 0.1


def test_seeds_decide_the_curves():
    once, again, other = (
        curve_designs.simulate(DESIGNS[1], 20, np.random.default_rng(seed)).viability
        for seed in (5, 5, 6)
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_own_doses_and_missing_wells():
    data = curve_designs.simulate(DESIGNS[0], 500, np.random.default_rng(2))
    dose, viability = curve_designs.with_own_doses(data, np.random.default_rng(1))
    assert viability is data.viability
    assert len(np.unique(dose[:, 0])) == 500
    assert (np.diff(np.log10(dose[:, ::3]), axis=1) > 0.44).all()
    _, holes = curve_designs.with_missing_wells(data, np.random.default_rng(1))
    assert np.isnan(holes).mean() == pytest.approx(0.1, abs=0.01)
    assert len(np.unique(np.isnan(holes), axis=0)) > 300


@given(
    left=st.floats(0, 150), right=st.floats(0, 150), e=st.floats(-1, 4.5), slope=st.floats(0.1, 10)
)
def test_squared_error_is_the_textbooks(left, right, e, slope):
    dose = DESIGNS[1].dose
    wells = np.linspace(110, -5, len(dose))
    wells[3] = np.nan
    expected = sum(
        (well - naive.viability(at, left, right, e, slope)) ** 2
        for at, well in zip(dose, wells, strict=True)
        if not np.isnan(well)
    )
    found = curve_designs.squared_error(one_curve(left, right, e, slope), dose, wells[None])
    assert found[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_negative_slope_is_the_same_curve_read_from_the_other_side():
    dose = DESIGNS[1].dose
    mirrored = one_curve(*curve_designs.oriented(20.0, 90.0, 1.2, -1.5))
    assert mirrored.slope[0] == 1.5
    expected = [naive.viability(at, 20.0, 90.0, 1.2, -1.5) for at in dose]
    assert curve_designs.curves_at(mirrored, dose)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("parameters", "inside"),
    [
        ((100, 0, 1.0, 1.0), True),
        ((0, 80, 1.0, 1.0), True),
        ((100, -1e-3, 1.0, 1.0), False),
        ((100, 0, 4.49, 1.0), True),
        ((100, 0, 4.51, 1.0), False),
        ((100, 0, -1.01, 1.0), False),
        ((100, 0, 1.0, 10.01), False),
        ((100, 0, 1.0, 0.09), False),
        ((100, 100, np.nan, np.nan), True),
        ((-1, -1, np.nan, np.nan), False),
        ((np.nan, np.nan, np.nan, np.nan), False),
        ((100, 0, np.nan, np.nan), False),
    ],
)
def test_bounds(parameters, inside):
    dose = DESIGNS[0].dose
    curves = one_curve(*parameters)
    assert curve_designs.within_bounds(curves, dose)[0] == inside
    if curves.present[0]:
        assert curve_designs.within_bounds(curve_designs.clipped(curves, dose), dose)[0]


def test_no_result_has_infinite_error():
    none = one_curve(np.nan, np.nan, np.nan, np.nan)
    assert curve_designs.squared_error(none, DESIGNS[0].dose, np.ones((1, 24)))[0] == np.inf


@given(share=st.lists(st.floats(0.01, 0.99), min_size=4, max_size=8), seed=st.integers(0, 99))
def test_best_levels_are_the_non_negative_least_squares(share, seed):
    from scipy.optimize import nnls

    share = np.sort(np.array(share))[::-1]
    wells = np.random.default_rng(seed).normal(20, 40, len(share))
    columns = np.column_stack([share, 1 - share])
    expected = nnls(columns, wells)[1] ** 2
    left, right = curve_peers.best_levels(share, wells)
    assert left >= 0 and right >= 0
    error = ((columns @ [left, right] - wells) ** 2).sum()
    # Where all shares are one, the two columns cannot be told apart and a level stands for both.
    room = 1e-6 if np.ptp(share) > 1e-3 else 1e-2
    assert error <= expected + room * (wells**2).sum()


@pytest.mark.slow
def test_the_search_is_as_good_as_a_plain_search():
    data = curve_designs.simulate(DESIGNS[2], 2, np.random.default_rng(4))
    found = curve_peers.fit_all(curve_peers.twelve_starts, data.dose, data.viability)
    own = curve_designs.squared_error(found, data.dose, data.viability)
    assert curve_designs.within_bounds(found, data.dose).all()
    for wells, error in zip(data.viability, own, strict=True):
        least = naive.least_error(data.dose, wells, starts=8)
        assert error <= least * (1 + 1e-6)


def test_best_is_never_outside_the_bounds_nor_above_flat():
    data = curve_designs.simulate(DESIGNS[3], 30, np.random.default_rng(9))
    none = Curves(*np.full((4, 30), np.nan))
    cheat = Curves(*(np.tile(part, 30) for part in one_curve(100.0, -500.0, 4.0, 1.0)))
    best = curve_peers.best_feasible([none, cheat], data.dose, data.viability)
    flat = ((data.viability - data.viability.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    assert (best <= flat * (1 + 1e-12)).all()
    clipped = curve_designs.clipped(cheat, data.dose)
    error = curve_designs.squared_error(clipped, data.dose, data.viability)
    assert best == pytest.approx(np.minimum(flat, error))


def test_misses_count_each_kind():
    dose = DESIGNS[3].dose
    wells = np.tile(naive_wells(dose), (4, 1)) + np.array([0, 1, -1, 1, -1]) * 2.0
    good, off, outside = (100.0, 10.0, 2.0, 1.0), (100.0, 10.0, 3.0, 1.0), (100.0, -5.0, 2.0, 1.0)
    rows = np.array([good, off, outside, (np.nan,) * 4])
    data = Simulated(dose, wells, Curves(*np.full((4, 4), np.nan)), np.full(4, "full"))
    best = curve_designs.squared_error(Curves(*np.tile(good, (4, 1)).T), dose, wells)
    counted = curve_measures.misses(Curves(*rows.T), data, best)
    assert counted == (4, 0.25, 0.25, 0.5, 0.5)


def naive_wells(dose):
    return np.array([naive.viability(at, 100.0, 10.0, 2.0, 1.0) for at in dose])


def test_a_miss_is_a_share_of_the_spread_of_the_wells():
    dose = DESIGNS[3].dose
    wells = naive_wells(dose)[None]
    data = Simulated(dose, wells, Curves(*np.full((4, 1), np.nan)), np.array(["full"]))
    total = ((wells - wells.mean()) ** 2).sum()
    level = curve_designs.squared_error(one_curve(99.0, 10.0, 2.0, 1.0), dose, wells)
    for share, missed, badly in ((2e-3, 1, 1), (1e-5, 1, 0), (1e-7, 0, 0)):
        counted = curve_measures.misses(
            one_curve(99.0, 10.0, 2.0, 1.0), data, level - share * total
        )
        assert (counted.missed, counted.badly) == (missed, badly)


def test_errors_are_taken_where_every_method_has_an_ec50():
    truth = Curves(*np.array([[100.0, 10.0, 2.0, 1.0]] * 4).T)
    kind = np.array(["full", "full", "full", "partial"])
    data = Simulated(DESIGNS[0].dose, np.zeros((4, 24)), truth, kind)

    def given_at(*e):
        return Curves(*(part[: len(e)] for part in truth))._replace(log10_ec50=np.array(e))

    found = {"one": given_at(2.1, 2.3, np.nan, 9.0), "two": given_at(1.5, 2.0, 2.0)}
    n_full, n_common, errors = curve_measures.ec50_errors(found, data)
    assert (n_full, n_common) == (3, 2)
    assert errors["one"].with_ec50 == 2 and errors["two"].with_ec50 == 3
    assert errors["one"].median == pytest.approx(0.2)
    assert errors["two"].ninety_five == pytest.approx(0.475)


def test_ratios_are_taken_chunk_by_chunk():
    # A machine twice as slow in the second chunk changes no ratio.
    spent = {
        "drp": [Spent(1.0, 1.0, 2000, 2000), Spent(2.0, 2.0, 2000, 2000)],
        "peer": [Spent(50.0, 20.0, 100, 99), Spent(100.0, 40.0, 100, 98)],
    }
    one = curve_measures.ratios(spent, "drp")["peer"]
    assert (one.ratio, one.lowest, one.highest, one.of_median) == (50.0, 50.0, 50.0, 20.0)
    assert (one.ms, one.ms_median, one.n_curves, one.n_results) == (75.0, 30.0, 200, 197)
    uneven = spent | {"peer": [Spent(10.0, 10.0, 1, 1), Spent(80.0, 80.0, 1, 1)]}
    one = curve_measures.ratios(uneven, "drp")["peer"]
    assert (one.ratio, one.lowest, one.highest) == (25.0, 10.0, 40.0)


def test_every_method_is_first_once():
    names, order = ["a", "b", "c"], []

    def run_of(name):
        def run(chunk):
            order.append(name)
            return Spent(1.0, 1.0, 1, 1)

        return run

    data = curve_designs.simulate(DESIGNS[3], 10, np.random.default_rng(0))
    spent = curve_measures.run_chunks({name: run_of(name) for name in names}, [data] * 3)
    assert "".join(order) == "abcbcacab"
    assert {name: len(one) for name, one in spent.items()} == dict.fromkeys(names, 3)


def test_a_program_that_fails_is_timed_and_counted():
    data = curve_designs.simulate(DESIGNS[3], 10, np.random.default_rng(0))
    calls = []

    def sometimes(dose, wells):
        calls.append(len(wells))
        if len(calls) == 2:
            raise RuntimeError("no convergence")
        return None if len(calls) == 3 else (100.0, 10.0, 2.0, -1.0)

    spent = curve_measures.timed_singly(sometimes, 4)(data)
    assert (spent.n_curves, spent.n_results) == (4, 2)
    calls.clear()
    found = curve_peers.fit_all(sometimes, data.dose, data.viability[:4])
    assert found.present.tolist() == [True, False, False, True]
    assert found.left[0] == 10.0 and found.slope[0] == 1.0


def test_scipy_peers_find_the_curve_without_noise():
    dose = DESIGNS[0].dose
    wells = np.array([naive.viability(at, 95.0, 15.0, 1.7, 1.3) for at in dose])
    for peer in (*curve_peers.SCIPY_PEERS, curve_peers.SEARCH):
        assert peer.fit(dose, wells) == pytest.approx((95.0, 15.0, 1.7, 1.3), rel=1e-3), peer.name


def test_absent_programs_are_named(monkeypatch):
    monkeypatch.setattr(curve_packages, "find_spec", lambda module: None)
    found, skipped = curve_packages.peers()
    assert found == list(curve_peers.SCIPY_PEERS)
    assert len(skipped) == len(curve_packages.PACKAGES)
    assert "neutcurve: not installed" in skipped
    monkeypatch.setattr(curve_packages.shutil, "which", lambda program: None)
    assert curve_packages.drc(DESIGNS[0].dose, np.ones((1, 24))) is None


def test_answer_of_r_is_read():
    answer = {
        "found": [[95.0, 15.0, 1.7, 1.3], [None] * 4],
        **{"seconds": [0.5], "seconds_more": [0.6], "version": ["3.0.1"], "r": ["4.4.0"]},
    }
    read = curve_packages.read_drc(json.dumps(answer))
    assert read["seconds"] == 0.5 and read["version"] == "3.0.1"
    assert np.isnan(read["found"][1]).all() and read["found"][0, 2] == 1.7
