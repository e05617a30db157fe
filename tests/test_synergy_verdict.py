"""Calls and their reasons: every limit from both sides, ceilings, reach and flags."""

import numpy as np
import pandas as pd
import pytest

from drp.synergy import CALLS, Limits, score_synergy
from drp.synergy.draws import Estimate
from drp.synergy.verdict import Evidence, classify_excess, make_call

LEVELS = (0.0, 1.0, 3.0, 10.0, 30.0)
SYNERGISTIC, ADDITIVE = Estimate(8, 1, 6, 10, 0.001), Estimate(1, 2, -3, 5, 0.6)
ANTAGONISTIC, UNSURE = Estimate(-8, 1, -10, -6, 0.001), Estimate(4, 5, -6, 14, 0.4)


def measured(*, top=90.0, excess=0.0, sd=1.0, half=(5.0, 20.0), seed=1):
    """Measure a pair in triplicate on one plate: 5 × 5 doses and 24 controls."""
    rng = np.random.default_rng(seed)
    cells = [(a, b) for a in LEVELS for b in LEVELS for _ in range(3)]
    wells = pd.DataFrame(cells, columns=["dose", "dose2"])
    alone_a = 1 - top / 100 * wells["dose"] / (wells["dose"] + half[0])
    alone_b = 1 - top / 100 * wells["dose2"] / (wells["dose2"] + half[1])
    both = (wells["dose"] > 0) & (wells["dose2"] > 0)
    wells["viability_pct"] = 100 * alone_a * alone_b - excess * both
    wells = wells.assign(sample="S1", drug="A", drug2="B", role="sample")
    controls = pd.DataFrame({"viability_pct": [100.0] * 24}).assign(
        sample="S1", drug="", drug2="", role="negative"
    )
    wells = pd.concat([wells, controls], ignore_index=True).assign(plate="P1", dose_unit="nM")
    wells["viability_pct"] += rng.normal(0, sd, len(wells))
    return wells


def called(wells, **settings):
    return score_synergy(wells, draws=300, **settings)[0].iloc[0]


@pytest.mark.parametrize(
    ("bliss", "name"),
    [
        (SYNERGISTIC, "synergistic"),
        (Estimate(4.9, 1, 3, 7, 0.001), "additive"),
        (Estimate(8, 4, -0.1, 16, 0.06), "inconclusive"),
        (ADDITIVE, "additive"),
        (Estimate(1, 6, -10.1, 9, 0.8), "inconclusive"),
        (UNSURE, "inconclusive"),
        (ANTAGONISTIC, "antagonistic"),
    ],
)
def test_size_and_interval_together_name_the_excess(bliss, name):
    assert classify_excess(bliss, Limits()) == name


@pytest.mark.parametrize(
    ("bliss", "strong", "gains", "call"),
    [
        (SYNERGISTIC, True, True, "effective and synergistic"),
        (ADDITIVE, True, True, "effective and additive"),
        (ANTAGONISTIC, True, True, "effective, antagonistic"),
        (SYNERGISTIC, False, True, "synergistic but weak"),
        (SYNERGISTIC, True, False, "synergistic but weak"),
        (ADDITIVE, False, True, "weak"),
        (ANTAGONISTIC, False, True, "antagonistic"),
        (UNSURE, True, True, "inconclusive"),
        (UNSURE, False, False, "inconclusive"),
    ],
)
def test_effect_and_synergy_are_called_together(bliss, strong, gains, call):
    inhibition = Estimate(70.0 if strong else 30.0, 2, 26, 74, 0.001)
    gain = Estimate(12, 2, 8, 16, 0.001) if gains else Estimate(1, 2, -3, 5, 0.6)
    evidence = Evidence(bliss, gain, inhibition, 16, 0, "", "all 16 dose pairs", "")
    assessable, found, reason = make_call(evidence, Limits())
    assert assessable
    assert found == call
    assert found in CALLS
    assert "over all 16 dose pairs" in reason


def test_planted_synergy_additivity_and_antagonism_come_back():
    calls = [called(measured(excess=excess))["call"] for excess in (12.0, 0.0, -12.0)]
    assert calls == ["effective and synergistic", "effective and additive", "antagonistic"]
    weak = [called(measured(top=25.0, excess=excess))["call"] for excess in (12.0, 0.0)]
    assert weak == ["synergistic but weak", "weak"]


def test_the_reason_carries_the_numbers_and_a_true_minus():
    row = called(measured(excess=-12.0))
    assert row["bliss_hi"] < 0
    number = f"−{abs(row['bliss']):.1f}"
    assert f"Bliss excess {number} points (95 % interval −" in row["reason"]
    assert "-" not in row["reason"]
    assert row["models_note"] == ""


def test_noise_makes_the_call_inconclusive_not_additive():
    row = called(measured(sd=25.0, excess=4.0))
    assert row["call"] == "inconclusive"
    assert row["assessable"]


def test_a_ceiling_is_not_additivity():
    row = called(measured(top=99.0, half=(0.2, 2.0)))
    assert row["call"] == "not assessable"
    assert not row["assessable"]
    assert "no room for synergy (ceiling)" in row["reason"]
    surface = score_synergy(measured(top=99.0, half=(0.2, 2.0)), draws=20)[1]
    assert not surface.query("dose == 30 and dose2 == 30")["room"].item()


def test_one_agent_that_kills_all_at_its_lowest_dose_is_a_ceiling():
    wells = measured(top=99.0, half=(0.05, 1e9))
    row = called(wells, limits=Limits(ceiling_share=1.0))
    assert row["call"] == "not assessable"
    assert "A alone inhibits 9" in row["reason"]
    assert "at its lowest dose (1 nM) already" in row["reason"]


def test_reachable_doses_decide_when_they_are_known():
    wells = measured(excess=0.0)
    high = (wells["dose"] == 30) & (wells["dose2"] > 0)
    wells.loc[high, "viability_pct"] -= 30
    everywhere = called(wells)
    assert everywhere["call"] == "effective and synergistic"
    assert not everywhere["limits_known"]
    assert np.isnan(everywhere["achievable_bliss"])
    assert everywhere["achievable_note"] == "no plasma peak known for A and B"
    row = called(wells, cmax={"a": 10.0, "b": 100.0})
    assert row["n_achievable"] == 12
    assert abs(row["achievable_bliss"]) < 2
    assert "synergistic" not in row["call"]
    assert "Synergy only above reachable doses: Bliss excess over all doses +" in row["reason"]
    assert "the 12 dose pairs a patient can reach" in row["reason"]


def test_the_surface_marks_reachable_cells_including_the_limit_itself():
    surface = score_synergy(measured(), draws=20, cmax={"a": 10.0, "b": 3.0})[1]
    reached = surface[surface["achievable"]]
    assert sorted(zip(reached["dose"], reached["dose2"], strict=True)) == [
        (a, b) for a in (1.0, 3.0, 10.0) for b in (1.0, 3.0)
    ]


def test_too_few_reachable_cells_are_not_averaged():
    row = called(measured(excess=12.0), cmax={"a": 1.0, "b": 3.0})
    assert row["call"] == "not assessable"
    assert row["n_achievable"] == 2
    assert np.isnan(row["achievable_bliss"])
    assert row["achievable_note"] == "2 of 16 dose pairs within reach: too few to average"
    assert "2 of the 16 dose pairs are at doses a patient can reach" in row["reason"]
    assert row["bliss_lo"] > 0


@pytest.mark.parametrize("unknown", [{}, {"b": np.nan}, {"b": 0.0}])
def test_one_unknown_limit_is_unknown_reach(unknown):
    row = called(measured(), cmax={"a": 10.0} | unknown)
    assert row["achievable_note"] == "no plasma peak known for B"
    assert row["n_achievable"] == 0
    assert row["call"] == "effective and additive"


def test_doses_that_are_not_molar_have_no_known_reach():
    row = called(measured().assign(dose_unit="ug/mL"), cmax={"a": 10.0, "b": 10.0})
    assert row["achievable_note"] == "doses in ug/mL cannot be compared with plasma levels in nM"


@pytest.mark.parametrize(
    ("spoil", "flag"),
    [
        (lambda v: 100 - v, "orientation_suspect"),
        (lambda v: v / 100, "scale_suspect"),
        (lambda v: v * 100, "scale_suspect"),
    ],
)
def test_a_wrong_scale_blocks_the_call(spoil, flag):
    wells = measured()
    row = called(wells.assign(viability_pct=spoil(wells["viability_pct"])))
    assert flag in row["flags"].split(";")
    assert row["call"] == "not assessable"


def test_combinations_far_weaker_than_both_drugs_block_the_call():
    row = called(measured(top=95.0, half=(1.0, 1.0), excess=-90.0))
    assert row["flags"] == "combo_weaker_than_both"
    assert row["call"] == "not assessable"
    assert "far less than each alone" in row["reason"]


def test_sensible_data_carry_no_flag():
    for top in (0.0, 70.0, 95.0):
        assert called(measured(top=top, sd=4.0))["flags"] == ""


def test_high_viability_is_reviewed_but_still_called():
    wells = measured()
    high = wells.index[wells["role"] == "sample"][:9]
    wells.loc[high, "viability_pct"] = 130.0
    row = called(wells)
    assert row["n_over_120"] == 9
    assert row["flags"] == "viability_over_120"
    assert "9 of 75 wells are above 120 % viability: review the plate." in row["reason"]
    assert row["assessable"]
