"""Bliss and HSA cell by cell against the numbers of two other programs and known surfaces."""

import numpy as np
import pandas as pd
import pytest

from drp.synergy import score_synergy

TOLERANCE = 1e-9

# Mean excess over the combination cells: Bliss, HSA. The surfaces are closed forms.
MEANS = {
    "mathews_1": (10.85647, 20.19510),
    "mathews_2": (-13.07270, -41.41756),
    "bliss_full_4": (0, 10.0109),
    "bliss_full_6": (0, 6.9855),
    "bliss_full_8": (0, 4.0391),
    "bliss_full_10": (0, 2.4933),
    "bliss_partial_8": (0, 5.0105),
    "bliss_partial_plus8_8": (8, 13.0105),
    "sham_same_8": (0.3138, 2.6416),
    "sham_equiv_8": (0.3138, 2.6416),
    "loewe_full_8": (-1.6866, 2.3526),
    "loewe_isoEmax80_8": (-3.4541, 1.8820),
    "hsa_8": (-4.0391, 0),
    "drug2_inactive_8": (0, 0),
    "loewe_unreachable_8": (0, 3.6341),
    "musyc_8": (4.2691, 9.3211),
    "braid_k2_8": (6.3606, 10.9873),
}


def block_name(block):
    return "mathews_" + block.astype(str)


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "synergy"


@pytest.fixture(scope="module")
def scored(folder):
    screen = pd.read_csv(folder / "mathews_screening_data.csv")
    measured = pd.DataFrame(
        {
            "sample": block_name(screen["block_id"]),
            # Drugs named so that their alphabetical order is that of the columns.
            "drug": "A " + screen["drug_row"],
            "dose": screen["conc_r"].astype(float),
            "drug2": "B " + screen["drug_col"],
            "dose2": screen["conc_c"].astype(float),
            "viability_pct": screen["response"],
        }
    )
    cases = pd.read_csv(folder / "synthetic_cases.csv")
    made = pd.DataFrame(
        {
            "sample": cases["case"],
            "drug": "A",
            "dose": cases["conc1"].astype(float),
            "drug2": "B",
            "dose2": cases["conc2"].astype(float),
            "viability_pct": 100 - cases["inhibition"],
        }
    )
    return score_synergy(pd.concat([measured, made], ignore_index=True), draws=50)


def matched(surface, theirs):
    keys = ["sample", "dose", "dose2"]
    joined = theirs.astype({"dose": float, "dose2": float}).merge(surface, on=keys, how="left")
    return joined[(joined["dose"] > 0) & (joined["dose2"] > 0)]


def test_every_case_is_scored_over_every_cell(scored):
    synergy, surface = scored
    assert len(synergy) == 23
    assert len(surface) == 72 + 1256
    assert (synergy["n_missing"] == 0).all()


def test_cells_equal_synergyfinder(scored, folder):
    measured = pd.read_csv(folder / "sf_mathews_cells.csv").query("correct_baseline == 'non'")
    measured = measured.assign(sample=block_name(measured["block_id"]))
    cases = pd.read_csv(folder / "sf_synthetic_cells.csv").rename(columns={"case": "sample"})
    theirs = pd.concat([measured, cases]).rename(columns={"conc1": "dose", "conc2": "dose2"})
    cells = matched(scored[1], theirs)
    assert len(cells) == 50 + 955
    for ours, column in (
        ("expected_bliss", "Bliss_ref"),
        ("excess_bliss", "Bliss_synergy"),
        ("expected_hsa", "HSA_ref"),
        ("excess_hsa", "HSA_synergy"),
    ):
        # Their printed references carry 15 digits, their scores are differences of these.
        np.testing.assert_allclose(cells[ours], cells[column], rtol=0, atol=TOLERANCE)


def test_cells_equal_the_python_package(scored, folder):
    theirs = pd.read_csv(folder / "py_cells_dev.csv")
    theirs = theirs.rename(columns={"case": "sample", "conc1": "dose", "conc2": "dose2"})
    cells = matched(scored[1], theirs)
    assert len(cells) == 1005
    np.testing.assert_allclose(cells["excess_bliss"], cells["Bliss_synergy"], atol=TOLERANCE)
    np.testing.assert_allclose(cells["excess_hsa"], cells["HSA_synergy"], atol=TOLERANCE)


@pytest.mark.parametrize("case", MEANS)
def test_means_are_those_of_the_closed_forms(scored, case):
    row = scored[0].set_index("sample").loc[case]
    assert row["bliss"] == pytest.approx(MEANS[case][0], abs=1e-4)
    assert row["hsa"] == pytest.approx(MEANS[case][1], abs=1e-4)


def test_an_anchor_dose_is_an_anchor_and_additive(scored):
    row = scored[0].set_index("sample").loc["anchor_8x2"]
    assert row["design"] == "anchor"
    assert row["n_cells"] == 7
    assert row["bliss"] == pytest.approx(0, abs=1e-9)
    # Both drugs are near full kill at the anchor dose, so additivity is not claimed.
    assert row["call"] == "not assessable"


def test_high_viability_is_flagged_where_it_is_widespread(scored):
    rows = scored[0].set_index("sample")
    assert rows.loc["mathews_1", ["n_over_120", "flags"]].tolist() == [1, ""]
    assert rows.loc["mathews_2", ["n_over_120", "flags"]].tolist() == [15, "viability_over_120"]
    assert "15 of 36 wells are above 120 % viability" in rows.loc["mathews_2", "reason"]
