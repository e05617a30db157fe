"""Agreement of replicates within a plate and between the plates of a sample."""

import numpy as np
import pandas as pd
import pytest

from drp.agreement import between_plates, conditions, within_plates
from drp.config import QualityTiers
from drp.quality import judge_plates
from drp.scaling import scale
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

TIERS = QualityTiers().model_dump()
DRUGS = {
    "B1": ("sample", "venetoclax", 1.0),
    "B2": ("sample", "venetoclax", 10.0),
    "B3": ("sample", "venetoclax", 100.0),
    "B4": ("sample", "bortezomib", 1.0),
    "B5": ("sample", "bortezomib", 10.0),
    "B6": ("sample", "bortezomib", 100.0),
    "C1": ("reference", "staurosporine", 10.0),
    "C2": ("reference", "staurosporine", 100.0),
    "C3": ("reference", "staurosporine", 1000.0),
}
VIABLE = {"B1": 95.0, "B2": 60.0, "B3": 20.0, "B4": 90.0, "B5": 50.0, "B6": 10.0,
          "C1": 80.0, "C2": 40.0, "C3": 5.0}  # fmt: skip


def plate(name, shift=0.0, level=1000.0, drugs=None, values=None, **columns):
    """A plate without positive controls: signal = level x viability."""
    viable = {well: value + shift for well, value in (values or VIABLE).items()}
    controls = [f"A{column}" for column in range(1, 9)]
    mapped = dict.fromkeys(controls, ("negative", "DMSO")) | (drugs or DRUGS)
    signals = dict.fromkeys(controls, level) | {w: level * v / 100 for w, v in viable.items()}
    return join_wells(reads(name, signals), layout(mapped), [PLATE | {"plate": name} | columns])


def wells_of(*plates):
    return conditions(scale(pd.concat(plates, ignore_index=True)))


def test_two_plates_of_a_sample_differ_by_their_shift_whatever_their_level():
    found = between_plates(wells_of(plate("PL1"), plate("PL2", shift=8.0, level=250.0)))
    assert found["n"].tolist() == [6, 6]
    assert found["shift"].tolist() == pytest.approx([-8.0, 8.0])
    assert found["sd"].tolist() == pytest.approx([8 / 2**0.5] * 2)


def test_the_sd_between_plates_is_that_of_a_plate_mean():
    names = [f"PL{number}" for number in range(3) for _ in range(2000)]
    wells = pd.DataFrame({"plate": names, "sample": "S1", "addon": "", "role": "sample"})
    shared = wells.assign(drug="x", condition=[f"x {number}" for number in range(2000)] * 3)
    noise = np.random.default_rng(2).normal(0, 5, len(names))
    found = between_plates(shared.assign(viability_pct=60 + noise))
    assert found["sd"].tolist() == pytest.approx([5] * 3, rel=0.05)


def test_other_samples_and_too_few_conditions_are_not_compared():
    assert between_plates(wells_of(plate("PL1"), plate("PL2", sample="S2"))).empty
    few = {well: DRUGS[well] for well in ("B1", "B2")}
    values = {well: VIABLE[well] for well in few}
    assert between_plates(wells_of(plate("PL1"), plate("PL2", drugs=few, values=values))).empty


def test_control_drugs_are_compared_apart():
    values = VIABLE | {"C1": 60.0, "C2": 20.0, "C3": 25.0}
    wells = wells_of(plate("PL1"), plate("PL2", values=values))
    assert between_plates(wells)["sd"].tolist() == [0.0, 0.0]
    control = between_plates(wells, set())
    assert control["sd"].tolist() == pytest.approx([20 / 2**0.5] * 2)
    named = between_plates(wells, {"venetoclax"})
    assert named["n"].tolist() == [6, 6]
    pair = pd.concat([plate("PL1"), plate("PL2", values=values)], ignore_index=True)
    judged = judge_plates(pair, TIERS)
    assert judged["reference_drug_sd"].tolist() == pytest.approx([20 / 2**0.5] * 2)
    judged = judge_plates(pair, TIERS | {"between_plate_sd_pct": {"warn": 14, "fail": 25}})
    assert judged["reasons"].str.contains("SD of control drugs between plates 14.1 points").all()
    assert not judged["reasons"].str.contains("SD between plates of the same sample").any()


def test_plates_that_disagree_are_warned_of_and_fail():
    for shift, verdict in ((5.0, "pass"), (25.0, "warn"), (40.0, "fail")):
        both = pd.concat([plate("PL1"), plate("PL2", shift=shift)], ignore_index=True)
        judged = judge_plates(both, TIERS)
        assert set(judged["verdict"]) == {verdict}
        said = judged["reasons"].str.contains("SD between plates of the same sample").all()
        assert said == (verdict != "pass")


def test_a_single_agent_in_a_matrix_is_the_single_agent():
    drugs = {
        "B1": ("sample", "venetoclax", 10.0),
        "B2": ("sample", "venetoclax", 10.0, "bortezomib", 0.0),
        "B3": ("sample", "bortezomib", 0.0, "venetoclax", 10.0),
        "B4": ("sample", "bortezomib", 1.0, "venetoclax", 10.0),
        "B5": ("sample", "venetoclax", 10.0, "bortezomib", 1.0),
    }
    values = dict(zip(drugs, [60.0, 62.0, 64.0, 30.0, 40.0], strict=True))
    wells = wells_of(plate("PL1", drugs=drugs, values=values))
    assert sorted(wells["condition"].value_counts()) == [2, 3]
    sd, groups = within_plates(wells)["PL1"]
    assert groups == 2
    assert sd == pytest.approx(((2 * 4.0 + 50.0) / 3) ** 0.5)


def test_wells_taken_out_or_without_a_reading_do_not_count():
    both = pd.concat([plate("PL1"), plate("PL2")], ignore_index=True)
    out = both.assign(excluded=(both["plate"] == "PL2") & both["well"].isin(["B1", "B2"]))
    assert between_plates(conditions(scale(out)))["n"].tolist() == [4, 4]
