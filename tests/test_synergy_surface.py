"""Wells to dose matrices and through the whole score: designs, gaps, order and faults."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from drp.problems import DataError
from drp.synergy import score_synergy
from drp.synergy.surface import dose_matrices

LEVELS = (0.0, 1.0, 3.0, 10.0, 30.0)


def alive(dose, half):
    """Fraction alive at a dose under a drug that kills half at `half`, at most 80 %."""
    return 1 - 0.8 * dose / (dose + half)


def wells_of(pairs, excess=0.0):
    """Lay out (dose of A, dose of B) as wells of an additive pair, plus a Bliss excess."""
    rows = []
    for a, b in pairs:
        viability = 100 * alive(a, 5.0) * alive(b, 20.0)
        viability -= excess if a > 0 and b > 0 else 0
        rows.append(("S1", "A", a, "B", b, viability))
    columns = ["sample", "drug", "dose", "drug2", "dose2", "viability_pct"]
    return pd.DataFrame(rows, columns=columns)


def grid(*, excess=0.0, levels=LEVELS):
    return wells_of([(a, b) for a in levels for b in levels], excess)


def noisy_grid():
    """Give a grid with replicates, a plate of controls and everything a real table holds."""
    rng = np.random.default_rng(3)
    wells = pd.concat([grid(excess=6.0)] * 3, ignore_index=True)
    wells["role"] = "sample"
    controls = pd.DataFrame({"sample": "S1", "role": "negative", "viability_pct": [100.0] * 12})
    wells = pd.concat([wells, controls], ignore_index=True)
    wells = wells.fillna({"drug": "", "drug2": ""})
    wells["viability_pct"] += rng.normal(0, 4, len(wells))
    wells["plate"] = "P1"
    wells["well"] = [f"{'ABCDEFGH'[i // 12]}{i % 12 + 1}" for i in range(len(wells))]
    return wells.assign(dose_unit="nM", excluded=False)


@cache
def noisy_scores():
    return score_synergy(noisy_grid(), draws=60)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**16))
@pytest.mark.slow
def test_the_order_of_rows_changes_nothing(seed):
    shuffled = noisy_grid().sample(frac=1, random_state=seed)
    for ours, theirs in zip(noisy_scores(), score_synergy(shuffled, draws=60), strict=True):
        assert_frame_equal(ours, theirs, check_exact=True)


def test_the_drug_named_first_changes_nothing():
    wells = noisy_grid()
    swapped = wells.rename(
        columns={"drug": "drug2", "drug2": "drug", "dose": "dose2"} | {"dose2": "dose"}
    )
    mixed = pd.concat([wells.iloc[:20], swapped.iloc[20:]])
    expected = noisy_scores()
    for other in (swapped, mixed):
        for ours, theirs in zip(expected, score_synergy(other, draws=60), strict=True):
            assert_frame_equal(ours, theirs, check_exact=True)
    assert expected[0]["combination"].tolist() == ["A + B"]


def test_case_does_not_decide_the_order_of_drugs():
    wells = grid().assign(drug="zeta", drug2="Alpha")
    assert score_synergy(wells, draws=20)[0]["combination"].tolist() == ["Alpha + zeta"]


def test_another_sample_changes_nothing():
    wells = noisy_grid()
    other = wells.assign(sample="S0", plate="P0", viability_pct=wells["viability_pct"] + 5)
    alone = noisy_scores()[0]
    beside = score_synergy(pd.concat([other, wells]), draws=60)[0]
    assert_frame_equal(alone, beside.iloc[[1]].reset_index(drop=True), check_exact=True)


SCORES = ["bliss", "bliss_lo", "bliss_hi", "bliss_p", "hsa", "n_cells"]


@cache
def plain_scores():
    return score_synergy(grid(excess=6.0), draws=60)[0][SCORES]


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3))
@pytest.mark.slow
def test_the_size_of_the_dose_unit_changes_no_score(factor):
    wells = grid(excess=6.0)
    scaled = wells.assign(dose=wells["dose"] * factor, dose2=wells["dose2"] * factor)
    found = score_synergy(scaled, draws=60)[0][SCORES]
    assert_frame_equal(found, plain_scores(), check_exact=True)


def test_doses_equal_but_for_rounding_are_one_dose():
    wells = grid()
    wells.loc[wells["dose2"] > 0, "dose"] *= 1 + 1e-13
    synergy, surface = score_synergy(wells, draws=20)
    assert synergy["n_cells"].tolist() == [16]
    assert len(surface) == 25


def test_replicates_are_averaged_and_counted():
    once, twice = grid(excess=6.0), pd.concat([grid(excess=4.0), grid(excess=8.0)])
    (synergy, surface), (synergy2, surface2) = (
        score_synergy(wells, draws=20) for wells in (once, twice)
    )
    np.testing.assert_allclose(surface2["excess_bliss"], surface["excess_bliss"], atol=1e-9)
    assert synergy2["bliss"][0] == pytest.approx(synergy["bliss"][0], abs=1e-9)
    assert [synergy["n_wells"][0], synergy2["n_wells"][0]] == [25, 50]
    assert set(surface2["n_wells"]) == {2}


def test_copied_wells_are_no_replicates():
    copied = score_synergy(pd.concat([grid()] * 3), draws=200)[0]
    assert copied["noise_sd"].tolist() == [8.0]
    assert "well SD of 8.0 points assumed" in copied["reason"][0]
    assert copied["bliss_se"][0] > 1


def test_zero_and_single_agent_cells_stand_in_the_surface_without_excess():
    surface = score_synergy(grid(excess=6.0), draws=20)[1].set_index(["dose", "dose2"])
    assert surface.loc[(0.0, 0.0), "observed"] == pytest.approx(0)
    assert surface.loc[(3.0, 0.0), "observed"] == pytest.approx(100 - 100 * alive(3, 5))
    single = surface[(surface.index.get_level_values(0) == 0)]
    assert single["excess_bliss"].isna().all()
    combination = surface.drop(single.index).query("dose2 > 0")
    np.testing.assert_allclose(combination["excess_bliss"], 6.0, atol=1e-9)
    assert (combination["excess_bliss_lo"] < 6.0).all()
    assert (combination["excess_bliss_hi"] > 6.0).all()


def test_a_missing_combination_cell_is_counted_and_never_filled():
    wells = grid(excess=6.0)
    gap = (wells["dose"] == 3) & (wells["dose2"] == 10)
    synergy, surface = score_synergy(wells[~gap], draws=20)
    assert synergy[["design", "n_cells", "n_missing"]].iloc[0].tolist() == ["matrix", 15, 1]
    assert synergy["bliss"][0] == pytest.approx(6.0)
    row = surface.query("dose == 3 and dose2 == 10").iloc[0]
    assert row["n_wells"] == 0
    assert np.isnan(row["observed"])
    assert row["reason"] == "no usable well"


@pytest.mark.parametrize("spoil", ["excluded", "viability_pct"])
def test_an_excluded_or_unread_well_is_a_missing_cell(spoil):
    wells = grid(excess=6.0).assign(excluded=False)
    gap = (wells["dose"] == 3) & (wells["dose2"] == 10)
    wells.loc[gap, spoil] = True if spoil == "excluded" else np.nan
    synergy = score_synergy(wells, draws=20)[0]
    assert synergy[["n_wells", "n_cells", "n_missing"]].iloc[0].tolist() == [24, 15, 1]


def test_a_single_agent_missing_at_the_end_takes_its_cells_out_with_a_reason():
    wells = grid(excess=6.0)
    last = max(LEVELS)  # no curve says what the drug does there
    wells = wells[~((wells["dose"] == last) & (wells["dose2"] == 0))]
    synergy, surface = score_synergy(wells, draws=20)
    assert synergy[["n_cells", "n_missing"]].iloc[0].tolist() == [12, 4]
    assert synergy["bliss"][0] == pytest.approx(6.0)
    affected = surface[(surface["dose"] == last) & (surface["dose2"] > 0)]
    assert set(affected["reason"]) == {"A alone has no usable well at this dose"}
    assert affected["excess_bliss"].isna().all()
    assert affected["observed"].notna().all()


def test_without_single_agents_nothing_is_scored_and_it_says_why():
    wells = grid().query("dose > 0 and dose2 > 0")
    synergy, surface = score_synergy(wells, draws=20)
    row = synergy.iloc[0]
    assert row["call"] == "not assessable"
    assert not row["assessable"]
    assert np.isnan(row["bliss"])
    assert "A and B alone was not measured at every dose" in row["reason"]
    assert len(surface) == 16 + 8


def test_no_usable_well_at_all_is_a_row_with_a_reason():
    synergy, surface = score_synergy(grid().assign(viability_pct=np.nan), draws=20)
    assert synergy[["n_wells", "n_missing", "call"]].iloc[0].tolist() == [0, 16, "not assessable"]
    assert surface["observed"].isna().all()


def test_single_agents_only_are_a_row_with_a_reason():
    synergy, surface = score_synergy(grid().query("dose == 0 or dose2 == 0"), draws=20)
    assert synergy[["n_cells", "call"]].iloc[0].tolist() == [0, "not assessable"]
    assert len(surface) == 9


@pytest.mark.parametrize(
    ("pairs", "design", "n_missing"),
    [
        ([(a, b) for a in LEVELS for b in LEVELS], "matrix", 0),
        ([(a, b) for a in LEVELS for b in LEVELS if (a, b) != (30, 30)], "matrix", 1),
        ([(a, b) for a in LEVELS for b in (0.0, 20.0)], "anchor", 0),
        ([(a, b) for a in (0.0, 20.0) for b in LEVELS], "anchor", 0),
        (
            [(0, 0), *((a, a) for a in LEVELS[1:])]
            + [(a, 0) for a in LEVELS[1:]]
            + [(0, a) for a in LEVELS[1:]],
            "diagonal",
            0,
        ),
        ([(0, 1), (1, 0), (0, 3), (3, 0), (10, 0), (1, 3), (3, 1), (10, 1)], "sparse", 0),
        ([(0, 1), (1, 0), (1, 1)], "sparse", 0),
    ],
)
def test_designs(pairs, design, n_missing):
    wells = wells_of([(float(a), float(b)) for a, b in pairs], excess=6.0)
    row = score_synergy(wells, draws=20)[0].iloc[0]
    assert row[["design", "n_missing"]].tolist() == [design, n_missing]
    assert row["n_cells"] == sum(a > 0 and b > 0 for a, b in pairs)
    assert row["bliss"] == pytest.approx(6.0)


def test_three_drugs_are_scored_in_triple_cells_only():
    levels = (0.0, 1.0, 10.0)
    cells = [(a, b, c) for a in levels for b in levels for c in levels]
    wells = pd.DataFrame(cells, columns=["dose", "dose2", "dose3"]).assign(
        sample="S1", drug="C", drug2="A", drug3="B"
    )
    share = alive(wells["dose"], 5) * alive(wells["dose2"], 20) * alive(wells["dose3"], 9)
    wells["viability_pct"] = 100 * share - 5 * (wells[["dose", "dose2", "dose3"]] > 0).all(axis=1)
    synergy, surface = score_synergy(wells, draws=20)
    row = synergy.iloc[0]
    assert row[["combination", "drug3", "n_cells"]].tolist() == ["A + B + C", "C", 8]
    assert row["bliss"] == pytest.approx(5.0)
    assert surface["excess_bliss"].notna().sum() == 8
    assert len(surface) == 27


def test_wells_with_one_drug_and_other_roles_are_left_alone():
    single = grid().assign(drug2="", dose2=np.nan)
    synergy, surface = score_synergy(single, draws=20)
    assert synergy.empty
    assert surface.empty
    assert list(dose_matrices(grid().assign(role="positive"))) == []


def test_what_breaks_the_contract_is_named_all_of_it():
    with pytest.raises(DataError, match="no column dose2") as raised:
        score_synergy(grid().drop(columns=["dose2", "sample"]))
    assert len(raised.value.problems) == 2
    wells = grid().assign(plate="P1", well="C7")
    wells.loc[3, "dose2"] = np.nan
    wells.loc[4, "dose"] = -1.0
    with pytest.raises(DataError, match="plate P1, well C7: B in a combination") as raised:
        score_synergy(wells)
    assert len(raised.value.problems) == 2
    zero = wells_of([(0.0, 0.0)]).assign(dose_unit="")
    scored = score_synergy(pd.concat([zero, grid().assign(dose_unit="nM")]), draws=20)[0]
    assert scored["dose_unit"].tolist() == ["nM"]
    wells = grid().assign(dose_unit=["nM"] * 20 + ["ug/mL"] * 5)
    with pytest.raises(DataError, match="A \\+ B in S1 has doses in nM and ug/mL"):
        score_synergy(wells)


# --- arms with a partner at a dose nobody states ------------------------------------------------


def arm(drug, partner, **columns):
    rows = {"sample": "S1", "drug": drug, "dose": [1.0, 10.0], "viability_pct": [80.0, 40.0]}
    named = partner if partner.casefold() != drug.casefold() else ""
    return pd.DataFrame(rows).assign(drug2=named, dose2=np.nan, addon=partner, **columns)


def test_a_partner_without_a_dose_is_a_row_that_is_not_assessable():
    wells = pd.concat([arm("zeta", "B"), arm("Alpha", "B"), arm("B", "B"), arm("C", "c")])
    synergy, surface = score_synergy(wells, draws=20)
    assert synergy["combination"].tolist() == ["Alpha + B", "B + zeta"]
    assert not synergy["assessable"].any()
    assert set(synergy["call"]) == {"not assessable"}
    assert "the dose of B is not stated (2 wells left out)" in synergy.loc[0, "reason"]
    assert synergy.loc[0, ["drug", "drug2", "n_wells", "n_cells"]].tolist() == ["Alpha", "B", 0, 0]
    assert synergy[["bliss", "bliss_lo", "bliss_p", "p_fdr", "hsa"]].isna().all(axis=None)
    assert surface.empty


def test_a_partner_without_a_dose_changes_nothing_of_what_is_scored():
    scored = noisy_grid()
    controls = pd.DataFrame(
        {"sample": "S1", "role": "negative", "viability_pct": [60.0, 140.0], "plate": "P1"}
    )
    others = pd.concat([arm("A", "B", role="sample", plate="P1"), controls.assign(addon="B")])
    both = pd.concat([scored.assign(addon=""), others], ignore_index=True)
    both = both.fillna({"drug": "", "drug2": "", "dose_unit": "nM", "excluded": False})
    both["excluded"] = both["excluded"].astype(bool)
    (expected, cells), (synergy, surface) = (
        score_synergy(wells, draws=60) for wells in (scored, both)
    )
    assert_frame_equal(surface, cells, check_exact=True)
    added = " 2 wells left out: the dose of B is not stated."
    assert synergy.loc[0, "reason"] == expected.loc[0, "reason"] + added
    assert_frame_equal(
        synergy.drop(columns="reason"), expected.drop(columns="reason"), check_exact=True
    )


def test_a_missing_dose_that_is_no_arm_stays_an_error():
    with pytest.raises(DataError, match="dose-missing"):
        score_synergy(arm("A", "B").assign(addon=""), draws=20)
