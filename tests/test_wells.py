import math

import numpy as np
import pytest

from drp.problems import DataError, Problems
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

MAP = {
    "A1": ("negative", "DMSO"),
    "A2": ("sample", "venetoclax", 10),
    "A3": ("sample", "venetoclax", 100),
    "A4": ("positive", "staurosporine"),
}
VALUES = {"A1": 100.0, "A2": 50.0, "A3": 20.0, "A4": 2.0, "B1": 7.0}


def codes(found):
    return [problem.code for problem in found.items]


def test_each_value_meets_its_own_well_whatever_the_order():
    straight = join_wells(reads("PL1", VALUES), layout(MAP), [PLATE])
    shuffled = join_wells(
        reads("PL1", VALUES).sample(frac=1, random_state=1),
        layout(MAP).sample(frac=1, random_state=2),
        [PLATE],
    )
    assert straight.equals(shuffled)
    assert dict(zip(straight["well"], straight["signal"], strict=True)) == VALUES
    assert straight.set_index("well").loc["A2", "drug"] == "venetoclax"


def test_a_well_outside_the_layout_is_kept_as_empty():
    wells = join_wells(reads("PL1", VALUES), layout(MAP), [PLATE]).set_index("well")
    assert (wells.loc["B1", "role"], wells.loc["B1", "signal"]) == ("empty", 7.0)


def test_a_mapped_well_without_a_value_is_an_error_that_names_it():
    with pytest.raises(DataError) as fault:
        join_wells(reads("PL1", {"A1": 1.0, "A4": 1.0}), layout(MAP), [PLATE])
    (problem,) = fault.value.problems
    assert problem.code == "wells.no-value"
    assert "A2, A3" in problem.found


def test_a_failed_reading_keeps_its_status_and_has_no_signal():
    found = Problems()
    wells = join_wells(
        reads("PL1", VALUES | {"A2": math.nan}), layout(MAP), [PLATE], found=found
    ).set_index("well")
    assert codes(found) == []  # the reader has said it, with the text of the cell
    assert wells.loc["A2", "status"] == "missing"
    assert np.isnan(wells.loc["A2", "signal"])


def test_a_saturated_negative_control_is_an_error():
    values = reads("PL1", VALUES)
    values.loc[values["well"] == "A1", ["signal", "status"]] = [np.nan, "saturated"]
    found = Problems()
    join_wells(values, layout(MAP), [PLATE], found=found)
    assert "wells.saturated-control" in [problem.code for problem in found.errors]


def test_a_well_taken_out_by_hand_needs_no_reading():
    exclusions = [
        {"plate": "PL1", "well": "A1", "reason": "saturated"},
        {"plate": "PL1", "well": "A2", "reason": "not read"},
    ]
    values = reads("PL1", VALUES)
    values.loc[values["well"] == "A1", ["signal", "status"]] = [np.nan, "saturated"]
    found = Problems()
    wells = join_wells(
        values[values["well"] != "A2"], layout(MAP), [PLATE], exclusions, found=found
    )
    assert found.errors == []
    assert wells.loc[wells["excluded"], "well"].tolist() == ["A1", "A2"]


def test_exclusions_mark_and_keep_the_well_and_take_it_out_of_the_controls():
    exclusions = [{"plate": "PL1", "well": "A1", "reason": "bubble"}]
    found = Problems()
    wells = join_wells(reads("PL1", VALUES), layout(MAP), [PLATE], exclusions, found=found)
    row = wells.set_index("well").loc["A1"]
    assert (bool(row["excluded"]), row["reason"], row["control"]) == (True, "bubble", "")
    assert codes(found) == ["wells.no-control"]


def test_an_exclusion_of_a_well_that_is_not_there_is_an_error():
    exclusions = [{"plate": "PL1", "well": "H12", "reason": "bubble"}]
    with pytest.raises(DataError, match="unknown-exclusion"):
        join_wells(reads("PL1", VALUES), layout(MAP), [PLATE], exclusions)


def test_several_measurements_need_a_choice():
    both = [reads("PL1", VALUES), reads("PL1", VALUES, read="ABS")]
    import pandas as pd

    with pytest.raises(DataError, match=r"wells.which-read.*ABS, LUM"):
        join_wells(pd.concat(both), layout(MAP), [PLATE])
    chosen = join_wells(pd.concat(both), layout(MAP), [PLATE | {"read": "ABS"}])
    assert len(chosen) == len(VALUES)
    with pytest.raises(DataError, match="'FLUO' is not among them"):
        join_wells(pd.concat(both), layout(MAP), [PLATE], read="FLUO")


def test_negative_controls_of_two_kinds_are_never_pooled_without_a_word():
    two = MAP | {"B1": ("negative", "PBS")}
    with pytest.raises(DataError, match="wells.which-control"):
        join_wells(reads("PL1", VALUES), layout(two), [PLATE])
    for kinds, expected in ((["DMSO"], ["A1"]), (["pbs", "DMSO"], ["A1", "B1"])):
        wells = join_wells(
            reads("PL1", VALUES), layout(two), [PLATE], normalisation={"negative_controls": kinds}
        )
        assert wells.loc[wells["control"] == "negative", "well"].tolist() == expected


def test_outer_layers_are_those_of_the_whole_plate():
    names = {"A1": 1.0, "B2": 2.0, "C3": 3.0, "H12": 4.0, "F10": 5.0, "G11": 6.0}
    wells = join_wells(
        reads("PL1", names),
        layout(dict.fromkeys(names, ("negative", "DMSO"))),
        [PLATE],
        normalisation={"ignore_outer_layers": 2},
    )
    assert wells.loc[wells["control"] == "negative", "well"].tolist() == ["C3", "F10"]


def test_two_patients_on_one_plate_come_from_the_layout():
    by_well = layout(MAP).assign(sample=["", "S1", "S2", ""])
    shared = PLATE | {"sample": "S1;S2"}
    wells = join_wells(reads("PL1", VALUES), by_well, [shared]).set_index("well")
    assert wells["sample"].to_dict() == {"A1": "", "A2": "S1", "A3": "S2", "A4": "", "B1": ""}
    with pytest.raises(DataError, match="wells.unknown-sample"):
        join_wells(reads("PL1", VALUES), by_well, [PLATE])
    with pytest.raises(DataError, match="wells.no-sample"):
        join_wells(reads("PL1", VALUES), layout(MAP), [shared])


# --- failed dispensing, arms with a partner -----------------------------------------------------


def test_a_well_that_was_not_filled_is_excluded_with_the_reason():
    failed = layout(MAP).assign(failed=["", "transfer failed", "", ""])
    wells = join_wells(reads("PL1", VALUES), failed, [PLATE]).set_index("well")
    assert wells.index[wells["excluded"]].tolist() == ["A2"]
    assert wells.loc["A2", ["reason", "signal"]].tolist() == ["transfer failed", 50.0]
    exclusions = [{"plate": "PL1", "well": "A2", "reason": "bubble"}]
    wells = join_wells(reads("PL1", VALUES), failed, [PLATE], exclusions).set_index("well")
    assert wells.loc["A2", "reason"] == "bubble; transfer failed"


def test_a_well_that_was_not_filled_needs_no_reading_and_is_no_control():
    failed = layout(MAP).assign(failed=["no liquid", "no liquid", "", ""])
    found = Problems()
    wells = join_wells(
        reads("PL1", {"A1": 100.0, "A3": 20.0, "A4": 2.0}), failed, [PLATE], found=found
    )
    assert codes(found) == ["wells.no-control"]
    assert wells.set_index("well").loc["A1", "control"] == ""


def test_the_partner_of_an_arm_is_passed_on_and_empty_elsewhere():
    arms = layout(MAP).assign(addon=["", "trametinib", "", ""])
    wells = join_wells(reads("PL1", VALUES), arms, [PLATE], found=Problems()).set_index("well")
    assert wells["addon"].to_dict() == {
        "A1": "", "A2": "trametinib", "A3": "", "A4": "", "B1": ""
    }  # fmt: skip
    assert set(join_wells(reads("PL1", VALUES), layout(MAP), [PLATE])["addon"]) == {""}


@pytest.mark.parametrize(
    ("addon", "arm"),
    [
        (["", "trametinib", "", ""], "with trametinib"),
        (["trametinib", "trametinib", "", ""], "without a partner"),
    ],
)
def test_an_arm_without_a_control_of_its_own_is_said(addon, arm):
    found = Problems()
    join_wells(reads("PL1", VALUES), layout(MAP).assign(addon=addon), [PLATE], found=found)
    assert codes(found) == ["wells.no-arm-control"]
    assert arm in found.items[0].found
