import itertools

import numpy as np
import pandas as pd
import pytest

from drp.config import QualityTiers
from drp.drift import plate_drift, reading_order, run_drift
from drp.quality import judge_plates
from drp.wellnames import well_name
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

TIERS = QualityTiers().model_dump()


def plate(name, level, time="", run="R1"):
    rng = np.random.default_rng(level)
    values = {well_name(row, 2 * row): rng.normal(level, level / 50) for row in range(1, 11)}
    wells = layout(dict.fromkeys(values, ("negative", "DMSO")))
    return join_wells(
        reads(name, values, measured_at=time), wells, [PLATE | {"plate": name, "run": run}]
    )


def judged(levels, times=None, order=()):
    times = times or [""] * len(levels)
    names = [f"PL{number}" for number in range(len(levels))]
    parts = [plate(*each) for each in zip(names, levels, times, strict=True)]
    return judge_plates(pd.concat(parts, ignore_index=True), TIERS, order=order)


def test_a_run_that_grows_dark_is_warned_of_and_not_failed():
    quality = judged([1000, 930, 860, 800, 720, 650, 590])
    assert set(quality["verdict"]) == {"warn"}
    assert quality["run_drift_rho"].tolist() == [-1.0] * 7
    assert quality["run_drift_p"].iloc[0] == pytest.approx(2 / 5040)
    assert quality["run_drift_pct"].iloc[0] == pytest.approx(-100 * 410 / 800, abs=4)
    assert "in the order of plates.tsv" in quality["reasons"].iloc[0]
    assert "the controls of the run's plates change by -" in quality["reasons"].iloc[0]


def test_few_plates_and_small_changes_are_no_drift():
    for levels in ([1000, 800, 600, 400, 300], [1000, 990, 980, 970, 960, 950, 940]):
        assert not judged(levels)["reasons"].str.contains("change by").any()


def test_the_time_of_reading_goes_before_the_sheet():
    levels = [1000, 930, 860, 800, 720, 650, 590]
    mixed = [3, 0, 6, 2, 5, 1, 4]
    times = [f"2025-11-03T10:{place:02}:00" for place in range(7)]
    shuffled = judged([levels[i] for i in mixed], [times[i] for i in mixed])
    assert shuffled["read_order"].tolist() == [i + 1 for i in mixed]
    assert set(shuffled["read_order_source"]) == {"measured_at"}
    assert "in the order of reading" in shuffled["reasons"].iloc[0]
    names = [f"PL{mixed.index(place)}" for place in range(7)]
    by_sheet = judged([levels[i] for i in mixed], order=names)
    assert by_sheet["read_order"].tolist() == [i + 1 for i in mixed]
    alphabetical = judged([levels[i] for i in mixed])
    assert not alphabetical["reasons"].str.contains("change by").any()


def test_times_that_are_missing_or_equal_are_not_trusted():
    for moments in ({"A": "2025-11-03", "B": "2025-11-03"}, {"A": "", "B": "2025-11-03"}):
        assert reading_order(moments, ["B", "A"]) == (["B", "A"], "plates.tsv")
    assert reading_order({"C": "", "A": ""}, ["B"])[0] == ["A", "C"]


def test_plates_without_a_signal_keep_their_place():
    found = run_drift([100.0, np.nan, 300.0, 400.0])
    assert found["run_drift_n"] == 3
    assert found["run_drift_pct"] == pytest.approx(100.0)
    assert np.isnan(run_drift([100.0, 200.0])["run_drift_pct"])


def test_chance_alone_warns_of_one_run_in_a_hundred_at_most():
    """Of all orders of six plates, those that count as a drift."""
    counted = [
        run_drift([float(value) for value in order])["run_drift_p"] <= TIERS["trend_p"]
        for order in itertools.permutations(range(100, 160, 10))
    ]
    assert 0 < np.mean(counted) <= TIERS["trend_p"]


def test_a_plate_read_while_it_fades():
    rows = np.arange(1, 11)
    values = {well_name(int(row), int(2 * row)): 1000.0 - 9 * row for row in rows}
    values |= {"A1": 5000.0}  # of another vehicle
    mapped = dict.fromkeys(values, ("negative", "DMSO")) | {"A1": ("negative", "PBS")}
    own = {"negative_controls": ["DMSO"]}
    wells = join_wells(reads("PL1", values), layout(mapped), [PLATE], normalisation=own)
    assert plate_drift(wells) == (-1.0, 0.0)
    assert plate_drift(wells.sample(frac=1, random_state=2)) == (-1.0, 0.0)
    assert np.isnan(plate_drift(wells.assign(role="sample"))).all()
