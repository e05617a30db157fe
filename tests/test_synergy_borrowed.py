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


MANY = [1.0, 3.0, 10.0, 30.0, 100.0]


def curved(dose):
    return 100 - 80 * dose / (10 + dose)


def matrix_without(missing, sd=0.0):
    rng = np.random.default_rng(4)
    rows = [("S1", "M1", "A", a, "B", b, curved(a) * curved(b) / 100)
            for a in [0.0, *MANY] for b in [0.0, *MANY] if (a, b) not in missing]  # fmt: skip
    found = table(rows)
    return found.assign(viability_pct=found["viability_pct"] + rng.normal(0, sd, len(found)))


def test_a_single_agent_between_measured_doses_is_read_off_its_curve_and_said_so():
    synergy, surface = score_synergy(matrix_without([(10.0, 0.0)]), draws=200, prior_sd=2.0)
    row = synergy.iloc[0]
    assert row["n_cells"] == 25
    assert row["bliss"] == pytest.approx(0.0, abs=1e-3)
    assert "single_agents_fitted" in row["flags"]
    assert "A alone at one dose: read off the fitted curve." in row["reason"]
    cell = surface[(surface["dose"] == 10.0) & (surface["dose2"] == 0.0)].iloc[0]
    assert "read off the drug's fitted curve" in cell["reason"]


def test_nothing_is_read_off_beyond_the_measured_doses():
    synergy, surface = score_synergy(matrix_without([(100.0, 0.0)]), draws=200)
    assert synergy.iloc[0]["n_cells"] == 20
    lost = surface[(surface["dose"] == 100.0) & (surface["dose2"] > 0)]
    assert set(lost["reason"]) == {"A alone has no usable well at this dose"}


def test_what_is_read_off_carries_the_curves_uncertainty():
    whole, read = (
        score_synergy(matrix_without(missing), draws=400, prior_sd=6.0)[1]
        for missing in ([], [(10.0, 0.0)])
    )
    widths = []
    for surface in (whole, read):
        row = surface[(surface["dose"] == 10.0) & (surface["dose2"] == 30.0)].iloc[0]
        widths.append(row["excess_bliss_hi"] - row["excess_bliss_lo"])
    assert 0.5 * widths[0] < widths[1] < 2.0 * widths[0]
