"""Scaling: by the plate's own controls, and by those of the arm where there are arms."""

import numpy as np
import pandas as pd
import pytest

from drp.config import QualityTiers
from drp.problems import Problems
from drp.quality import judge_plates
from drp.viability import normalise
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

MAP = {
    "A1": ("negative", "DMSO"),
    "A2": ("negative", "DMSO"),
    "A3": ("negative", "DMSO"),
    "A4": ("sample", "venetoclax", 10),
    "A5": ("sample", "venetoclax", 10),
    "A6": ("positive", "BzCl"),
    "A7": ("empty", ""),
}
VALUES = {"A1": 1000.0, "A2": 1200.0, "A3": 500.0, "A4": 600.0, "A5": 300.0, "A6": 100.0, "A7": 5.0}
ADDON = ["", "", "trametinib", "", "trametinib", "", ""]


def joined(addon=None, found=None, values=VALUES):
    wells = layout(MAP) if addon is None else layout(MAP).assign(addon=addon)
    return join_wells(reads("PL1", values), wells, [PLATE], found=found)


def test_each_arm_has_its_own_hundred_per_cent_and_shares_the_zero():
    viability = normalise(joined(ADDON)).set_index("well")
    assert viability["viability_pct"].to_dict() == pytest.approx(
        {"A1": 90.0, "A2": 110.0, "A3": 100.0, "A4": 50.0, "A5": 50.0, "A6": 0.0, "A7": -9.5}
    )
    assert viability.loc[["A4", "A5"], "level_100"].tolist() == [1100.0, 500.0]
    assert set(viability["level_0"]) == {100.0}


def test_without_a_partner_all_controls_are_one_group():
    for wells in (joined(), joined([""] * 7), joined().drop(columns="addon")):
        viability = normalise(wells).set_index("well")["viability_pct"]
        assert viability["A5"] == pytest.approx(100 * 200 / 900)  # median 1000


def test_the_order_of_wells_does_not_matter():
    wells = joined(ADDON)
    shuffled = wells.sample(frac=1, random_state=4)
    columns = ["well", "viability_pct", "level_100", "level_0"]
    first, second = (
        normalise(given)[columns].sort_values("well", ignore_index=True)
        for given in (wells, shuffled)
    )
    pd.testing.assert_frame_equal(first, second)


def test_an_arm_without_controls_has_no_viability():
    found = Problems()
    viability = normalise(joined(["", "", "", "", "trametinib", "", ""], found)).set_index("well")
    assert np.isnan(viability.loc["A5", "viability_pct"])
    assert viability.loc["A4", "viability_pct"] == pytest.approx(100 * 500 / 900)


def test_the_quality_of_a_plate_is_that_of_its_plain_arm():
    tiers = QualityTiers().model_dump()
    both = judge_plates(joined(ADDON), tiers).iloc[0]
    assert (both["n_negative"], both["negative_median"]) == (2, 1100.0)
    assert both["n_wells"] == 6
    all_of_one = judge_plates(joined(["trametinib"] * 5 + ["", ""]), tiers).iloc[0]
    assert all_of_one["n_negative"] == 3
