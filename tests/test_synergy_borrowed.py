"""Single agents that a combination lacks, and single agents that disagree between plates."""

import numpy as np
import pandas as pd
import pytest

from drp.synergy import score_synergy

DOSES_A, DOSES_B = [1.0, 10.0, 100.0], [2.0, 20.0, 200.0]
ALIVE_A = {1.0: 0.9, 10.0: 0.7, 100.0: 0.4}
ALIVE_B = {2.0: 0.8, 20.0: 0.6, 200.0: 0.5}


def together(plate="M1", singles=True):
    rows = [("S1", plate, "A", a, "B", b, 100 * ALIVE_A[a] * ALIVE_B[b] - 8)
            for a in DOSES_A for b in DOSES_B]  # fmt: skip
    if singles:
        rows += [("S1", plate, "A", a, "B", 0.0, 100 * ALIVE_A[a]) for a in DOSES_A]
        rows += [("S1", plate, "A", 0.0, "B", b, 100 * ALIVE_B[b]) for b in DOSES_B]
    return rows


def alone(shift=0.0, unit="nM"):
    rows = [("S1", "P1", "A", a, "", np.nan, 100 * ALIVE_A[a] + shift) for a in DOSES_A]
    rows += [("S1", "P1", "b", b, "", np.nan, 100 * ALIVE_B[b] + shift) for b in DOSES_B]
    return rows


def table(*parts, **columns):
    names = ["sample", "plate", "drug", "dose", "drug2", "dose2", "viability_pct"]
    return pd.DataFrame([row for part in parts for row in part], columns=names).assign(**columns)


def scored(wells):
    return score_synergy(wells, draws=200, prior_sd=2.0)[0].iloc[0]


def test_single_agents_are_taken_from_the_samples_other_wells_and_said_so():
    lacking = scored(table(together(singles=False), alone()))
    complete = scored(table(together()))
    assert lacking["bliss"] == pytest.approx(complete["bliss"], abs=1e-9) == pytest.approx(8.0)
    assert lacking["n_cells"] == 9
    assert "single_agents_elsewhere" in lacking["flags"]
    assert "A and B alone: from the sample's other wells" in lacking["reason"]
    assert complete["flags"] == ""


def test_without_them_nothing_is_scored():
    row = scored(table(together(singles=False)))
    assert (row["n_cells"], row["call"]) == (0, "not assessable")


def test_another_samples_wells_and_another_unit_are_no_help():
    other = table(alone()).assign(sample="S2")
    wells = pd.concat([table(together(singles=False)), other])
    assert scored(wells)["n_cells"] == 0
    mixed = table(together(singles=False), dose_unit="nM")
    molar = pd.concat([mixed, table(alone(), dose_unit="ng/mL")])
    assert scored(molar)["n_cells"] == 0


def test_wells_of_its_own_come_first():
    wells = table(together(), alone(shift=-3.0))
    assert scored(wells)["bliss"] == pytest.approx(8.0)
    assert "single_agents_elsewhere" not in scored(wells)["flags"]


def test_a_drug_that_disagrees_between_plates_is_named():
    row = scored(table(together(), alone(shift=-30.0)))
    assert "single_agents_disagree" in row["flags"]
    assert "A and B alone does something else here" in row["reason"]
    assert "single_agents_disagree" not in scored(table(together(), alone(shift=-3.0)))["flags"]


def test_the_order_of_rows_changes_nothing():
    wells = table(together(singles=False), alone())
    shuffled = wells.sample(frac=1.0, random_state=3)
    pd.testing.assert_series_equal(scored(wells), scored(shuffled))
