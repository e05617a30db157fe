"""PharmacoGx's example of the GDSC screen: 972 published areas above the curve."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from drp.curves import Bounds, fit
from drp.scores import pharmacogx_areas


@pytest.fixture(scope="module")
def gdsc(shared_data):
    folder = shared_data / "curves"
    raw = pd.read_csv(folder / "pgx_GDSCsmall_raw_long.csv.gz")
    golden = pd.read_csv(folder / "pgx_GDSCsmall_profiles.csv.gz").set_index("exp")
    dose, viability = (
        raw.pivot_table(index="exp", columns="dose_idx", values=name).loc[golden.index].to_numpy()
        for name in ("dose", "viability")
    )
    return dose, viability, golden, pharmacogx_areas(dose, viability)


def test_areas(gdsc):
    _, _, golden, found = gdsc
    apart = np.abs(found.aac - golden["auc_recomputed"])
    assert len(apart) == 972
    assert np.median(apart) < 1e-4
    assert np.quantile(apart, 0.95) <= 2e-3


def least_error(dose, viability):
    """The least squared error within PharmacoGx's limits, from many starts."""
    x, y = np.log10(dose), np.clip(viability / 100, 0, 1)

    def residual(q):
        return q[1] + (1 - q[1]) / (1 + 10 ** (q[0] * (x - q[2]))) - y

    limits = ([0, 0, -6], [4, 1, 6])
    starts = [(h, b, e) for h in (0.5, 3) for b in (0.2, 0.8)
              for e in np.linspace(x.min(), x.max(), 5)]  # fmt: skip
    return min(2 * optimize.least_squares(residual, s, bounds=limits).cost for s in starts)


@pytest.mark.slow
def test_where_areas_differ_ours_is_the_curve_of_least_error(gdsc):
    """Its own search is local: on a few noisy curves it ends in another valley."""
    dose, viability, golden, found = gdsc
    apart = np.abs(found.aac - golden["auc_recomputed"]).to_numpy()
    far = np.flatnonzero(apart > 0.01)
    assert len(far) <= 0.02 * len(apart)
    bounds = Bounds(top=(100.0, 100.0), bottom=(0.0, 100.0), slope=(1e-3, 4.0), ec50_margin=4.0)
    own = fit(dose[far], np.clip(viability[far], 0, 100), bounds=bounds, direction="decreasing")
    for index, curve in enumerate(far):
        best = least_error(dose[curve], viability[curve])
        assert own.sse[index] / 1e4 <= best * (1 + 1e-6)


def test_ic50_inside_the_tested_doses(gdsc):
    dose, _, golden, found = gdsc
    published = golden["ic50_recomputed"].to_numpy()
    low, high = np.nanmin(dose, axis=1), np.nanmax(dose, axis=1)
    inside = np.isfinite(published) & (published >= low) & (published <= high)
    assert inside.sum() == 440
    apart = np.abs(np.log10(found.ic50[inside]) - np.log10(published[inside]))
    assert np.quantile(apart, 0.95) <= 1e-3


def test_one_drug_by_name(gdsc):
    _, _, golden, found = gdsc
    place = golden.index.get_loc("drugid_133_5637")
    assert found.aac[place] == pytest.approx(0.665768, abs=1e-4)
    assert found.ic50[place] == pytest.approx(0.01895, rel=1e-3)


def test_the_unit_example():
    found = pharmacogx_areas([0.1, 1, 2, 3, 10], [[99, 70, 60, 50, 40]])
    assert found.slope[0] == pytest.approx(1.28651, abs=1e-3)
    assert found.bottom[0] == pytest.approx(0.362653, abs=1e-3)
    assert found.ec50[0] == pytest.approx(1.18106, abs=1e-3)
    assert found.aac[0] == pytest.approx(0.297922, abs=1e-3)
    assert found.aac_raw[0] == pytest.approx(0.313592, abs=1e-6)


def test_curves_without_effect_or_with_too_few_doses():
    dose = [0.1, 1, 2, 3, 10]
    found = pharmacogx_areas(dose, [[120, 130, 110, 140, 105], [90, 80, 70, np.nan, np.nan]])
    assert (found.aac[0], found.ic50[0]) == (0, np.inf)
    assert np.isnan([found.aac[1], found.ic50[1]]).all()
    assert found.aac_raw[1] == pytest.approx(1 - np.trapezoid([0.9, 0.8, 0.7],
                                             np.log10([0.1, 1, 2])) / np.log10(20))  # fmt: skip
