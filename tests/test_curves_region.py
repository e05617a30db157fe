"""The likelihood region: closed forms against sampling, intervals against a slow random walk."""

import numpy as np
import pytest

from drp.curves import fit
from drp.curves.asymptotes import Sums
from drp.curves.ellipse import ellipse, half_dose_range, linear_range
from drp.curves.grid import N_SLOPES
from drp.curves.metrics import area_under_curve, drug_sensitivity_scores
from drp.curves.model import Box, falling_share
from drp.curves.region import N_RAYS, SHARES, nodes_to_try, peak

X = np.arange(0, 4, 0.5)
WEIGHT = 3.0


def one_cell(level, room, low=0.0, e=1.7, slope=1.3):
    """The ellipse of one cell of a curve falling from 95 to `level`, and brute-force points."""
    random = np.random.default_rng(1)
    s = falling_share(X, np.array(e), np.array(slope))
    mean = level + (95.0 - level) * s + random.normal(0, 3, len(X))
    centre = mean.mean()
    y = mean - centre
    whole, mean_s = WEIGHT * len(X), s.mean()
    spread = WEIGHT * ((s - mean_s) ** 2).sum()
    sy = WEIGHT * (s * y).sum()
    parts = whole, WEIGHT * s.sum(), WEIGHT * (s * s).sum(), spread, sy
    sums = Sums(*(np.array([[part]]) for part in parts))
    none = np.array([np.inf])
    box = Box(-none, none, np.array([low - centre]), none)
    limit = np.array([-sy * sy / spread + room])
    left, right = np.meshgrid(np.linspace(-60, 160, 1201), np.linspace(-60, 160, 1201))
    inner = sum(WEIGHT * (m - right - (left - right) * share) ** 2 for m, share in
                zip(mean, s, strict=True))  # fmt: skip
    inside = (inner - WEIGHT * (y**2).sum() <= limit) & (right >= low) & (left >= right)
    return ellipse(sums, limit, box), centre, left[inside], right[inside]


@pytest.mark.parametrize(("level", "room"), [(30.0, 500.0), (2.0, 500.0), (2.0, 4000.0)])
@pytest.mark.parametrize("share", [0.0, 0.35, 1.0])
def test_linear_ranges_match_sampling(level, room, share):
    cut, centre, left, right = one_cell(level, room)
    values = right + (left - right) * share
    low, high = linear_range(cut, np.array(share))
    assert low[0, 0] + centre == pytest.approx(values.min(), abs=0.4)
    assert high[0, 0] + centre == pytest.approx(values.max(), abs=0.4)


@pytest.mark.parametrize(("level", "room"), [(30.0, 500.0), (2.0, 500.0), (2.0, 4000.0)])
def test_half_dose_ranges_match_sampling(level, room):
    cut, centre, left, right = one_cell(level, room)
    crossing = (left > 50) & (right < 50)
    dose = 1.7 + np.log10((left - 50)[crossing] / (50 - right)[crossing]) / 1.3
    highest = linear_range(cut, np.zeros(()))[1]
    e, slope, half = np.array([[1.7]]), np.array([[1.3]]), np.array([50.0 - centre])
    low, high = half_dose_range(cut, half, e, slope, highest)
    assert low[0, 0] == pytest.approx(dose.min(), abs=0.02)
    assert high[0, 0] == pytest.approx(dose.max(), abs=0.02)


def test_a_plateau_near_half_leaves_the_half_dose_open():
    cut, centre, _, right = one_cell(48.0, 500.0)
    assert right.max() > 50
    highest = linear_range(cut, np.zeros(()))[1]
    half = np.array([50.0 - centre])
    low, high = half_dose_range(cut, half, np.array([[1.7]]), np.array([[1.3]]), highest)
    assert high[0, 0] == np.inf
    assert np.isfinite(low[0, 0])


def test_the_peak_of_a_sinusoid_is_found_between_cells():
    angles = np.arcsin(SHARES)[:, None], 2 * np.pi / N_RAYS * np.arange(N_RAYS)
    for tilt, turn in ((0.9, 0.13), (0.3, 2.1), (1.4, 4.0)):
        rest = np.sin(angles[0]) * np.sin(tilt) * np.cos(angles[1] - turn)
        values = (rest + np.cos(angles[0]) * np.cos(tilt)).reshape(-1, 1)
        top = peak(np.vstack([[[np.cos(tilt)]], values]))
        assert top[0] == pytest.approx(1.0, abs=0.01)


def test_nodes_to_try_hold_the_outermost():
    inside = np.zeros((20 * N_SLOPES, 2), dtype=bool)
    inside[[37, 40, 205], 0] = True
    tried = nodes_to_try(inside)
    assert tried[[37, 205], 0].all()
    assert not tried[:, 1].any()
    assert not (tried & ~inside).any()


def walk(x, response, fits, seed, n_walkers=2000, n_steps=50):
    """Points of the likelihood region of one curve, by a random walk that never leaves it."""
    random = np.random.default_rng(seed)
    freedom = len(x) - 4
    from scipy import stats

    limit = fits.sse[0] * (1 + stats.f.ppf(0.95, 1, freedom) / freedom)
    start = fits.top[0], fits.bottom[0], fits.log10_ec50[0], np.log(fits.slope[0])
    here = np.tile(np.array(start)[:, None], n_walkers)
    size = np.array([4.0, 4.0, 0.15, 0.2])[:, None] * 10 ** random.uniform(-2, 0.3, n_walkers)
    for _ in range(n_steps):
        there = here + size * random.standard_normal(here.shape)
        top, bottom, e, eta = there
        share = falling_share(x, e[:, None], np.exp(eta)[:, None])
        curve = bottom[:, None] + (top - bottom)[:, None] * share
        fine = ((response - curve) ** 2).sum(axis=1) <= limit
        fine &= (bottom >= 0) & (top >= bottom) & (np.abs(eta) <= np.log(10))
        fine &= (e >= x.min() - 1) & (e <= x.max() + 1)
        here[:, fine] = there[:, fine]
    return here


@pytest.mark.parametrize(
    ("n_doses", "copies", "bottom", "e", "slope"),
    [(8, 3, 20.0, 1.6, 1.2), (8, 3, 1.0, 3.0, 1.0), (5, 2, 10.0, 1.9, 1.5), (5, 2, 40.0, 3.0, 3.0)],
    ids=["full", "bottom at its limit", "few doses", "late and steep"],
)
def test_no_point_of_the_region_lies_outside_the_intervals(n_doses, copies, bottom, e, slope):
    x = np.repeat(np.linspace(0, 3.5, n_doses), copies)
    share = falling_share(x, np.array(e), np.array(slope))
    noise = np.random.default_rng(7).normal(0, 5, len(x))
    response = bottom + (98 - bottom) * share + noise
    fits = fit(10.0**x, response, intervals=True)
    top, bottom, e, eta = walk(x, response, fits, seed=2)
    low, high = np.zeros_like(e), np.full_like(e, x.max())
    seen = {
        "log10_ec50": e,
        "auc": area_under_curve(top, bottom, e, np.exp(eta), low, high),
        "dss2": drug_sensitivity_scores(bottom, e, np.exp(eta), low, high)[1],
    }
    for name, values in seen.items():
        ends = getattr(fits, f"{name}_lo")[0], getattr(fits, f"{name}_hi")[0]
        width = ends[1] - ends[0] if np.isfinite(ends[1] - ends[0]) else 1.0
        assert values.min() >= ends[0] - 0.03 * width, name
        assert values.max() <= ends[1] + 0.03 * width, name
