"""Real leukaemia samples: areas of three plates, and a cohort of 249 samples by 64 drugs."""

import numpy as np
import pandas as pd
import pytest

from drp.profiles import compare_groups, profiles, sample_map, separation
from drp.selective import selective_scores
from drp.sensitivity import fit_curves


@pytest.fixture(scope="module")
def plates(shared_data):
    """The areas of three plates as published: wells of drugs, doses in µM."""
    wells = pd.read_csv(shared_data / "curves" / "dse_expected_summary_AUC.csv")
    return wells[wells["wellType"] == "sample"]


def as_viability(sample, drug, dose_um, fraction):
    return pd.DataFrame(
        {"sample": sample, "drug": drug, "dose": 1000 * dose_um, "viability_pct": 100 * fraction}
    )


@pytest.mark.parametrize(
    ("value", "area"),
    [("normVal", "AUC"), pytest.param("normVal.cor", "AUC.cor", marks=pytest.mark.slow)],
)
@pytest.mark.slow
def test_areas_of_the_dose_means(plates, value, area):
    table = fit_curves(
        as_viability(plates["sampleID"], plates["name"], plates["concentration"], plates[value])
    )
    expected = plates.groupby(["sampleID", "name"])[area].first()
    found = table.set_index(["sample", "drug"])["auc_model_free"] / 100
    assert len(found) == len(expected) >= 60
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-12)
    if value == "normVal":
        assert found["11PB0010", "A-1210477"] == pytest.approx(1.204920, abs=1e-6)
        assert found["11PB0010", "Afatinib"] == pytest.approx(0.835810, abs=1e-6)


def test_curves_of_another_program_on_the_same_wells_fit_no_better(shared_data):
    """dr4pl, robust and free of bounds; compared where its curve falls within ours."""
    wells = pd.read_csv(shared_data / "curves" / "dse_expected_summary_IC50.csv")
    wells = wells[wells["wellType"] == "sample"].assign(sst=0.0)
    table = fit_curves(
        as_viability(wells["sampleID"], wells["name"], wells["concentration"], wells["normVal"])
    ).set_index("drug")
    compared = 0
    for drug, own in wells.groupby("name"):
        upper, middle, slope, lower = own.iloc[0][["UpperLimit", "IC50", "Slope", "LowerLimit"]]
        x, y = np.log10(own["concentration"].to_numpy()), own["normVal"].to_numpy()
        # it writes a falling slope with a minus
        within = -10 <= slope <= -0.1 and upper >= lower >= 0
        if not within or not x.min() - 1 <= np.log10(middle) <= x.max() + 1:
            continue
        curve = lower + (upper - lower) / (1 + 10 ** (-slope * (x - np.log10(middle))))
        theirs = 1e4 * ((y - curve) ** 2).sum()
        assert table.loc[drug, "sse"] <= theirs * (1 + 1e-9) + 1e-9, drug
        compared += 1
    assert compared >= 20


@pytest.fixture(scope="module")
def cohort(shared_data):
    return pd.read_csv(shared_data / "cohort" / "bcmo2017_drpar_long.csv.gz")


def test_median_viability_of_venetoclax(cohort):
    """Dose by dose, as the table takes it: units and order are right."""
    drug = cohort[cohort["drug"].str.contains("venetoclax", case=False)]
    assert drug["sample"].nunique() == 249
    medians = drug.groupby("conc_uM")["viability"].median().to_numpy()
    np.testing.assert_allclose(medians, [0.737, 0.305, 0.121, 0.0833, 0.0673], atol=5e-4)


@pytest.fixture(scope="module")
def curves(cohort):
    """The 15,936 curves: half a minute's work, done once."""
    return fit_curves(
        as_viability(cohort["sample"], cohort["drug_id"], cohort["conc_uM"], cohort["viability"])
    )


@pytest.mark.slow
def test_every_curve_of_the_cohort_has_a_result_or_a_reason(cohort, curves):
    table = curves
    assert len(table) == 249 * 64 == 15_936
    assert not table["status"].str.startswith(("failed", "too_few")).any()
    assert table["p_flat"].notna().all()
    assert (table["auc_lo"] <= table["auc"]).all()
    assert (table["auc"] <= table["auc_hi"]).all()
    assert (table["status"] != "").all()
    assert table["shape"].isin(["decreasing", "increasing", "flat"]).all()
    assert table["headline"].isin(["curve", "isotonic"]).all()
    for name in ("auc", "auc_lo", "auc_hi", "ic50", "dss1", "dss2", "dss3", "dss_asym",
                 "dss2_breeze", "dss1_model_free", "auc_isotonic", "ic50_isotonic"):  # fmt: skip
        assert table[name].notna().all(), name
    assert table["dss2"].between(0, 50).all()
    assert table["dss2_breeze"].between(0, 50).all()
    assert table["dss1_model_free"].between(0, 100 * 100 / 90).all()
    # venetoclax kills CLL cells: every score ranks it high among 64 drugs
    drug = cohort.loc[cohort["drug"].str.contains("venetoclax", case=False), "drug_id"].iloc[0]
    for score in ("dss2", "dss_asym", "dss1_model_free", "aac"):
        ranks = table.groupby("drug")[score].median().rank(ascending=False)
        assert ranks[drug] <= 10, score


@pytest.mark.slow
def test_known_biology_of_the_cohort_by_selective_scores(cohort):
    """Against three healthy samples, CLL cells are selectively sensitive to BTK and BCL2 drugs."""
    wanted = cohort["drug"].str.lower().str.contains("ibrutinib|venetoclax|idelalisib")
    healthy = sorted(cohort.loc[cohort["diagnosis"].str.startswith("h"), "sample"].unique())
    cll = sorted(cohort.loc[cohort["diagnosis"] == "CLL", "sample"].unique())[:40]
    some = cohort[wanted & cohort["sample"].isin([*healthy, *cll])]
    table = fit_curves(
        as_viability(some["sample"], some["drug"], some["conc_uM"], some["viability"])
    )
    reference = table[table["sample"].isin(healthy)]
    found = selective_scores(table[table["sample"].isin(cll)], reference)
    assert (found["n_reference"] == 3).all()
    assert (found["flags"] == "").all()
    assert (found.groupby("drug")["sdss"].median() > 0).all()


@pytest.mark.slow
def test_profiles_of_the_cohort_tell_two_leukaemias_apart(cohort, curves):
    """CLL against T-PLL: Dietrich et al., J Clin Invest 2018; a map keeps them apart."""
    names = cohort.drop_duplicates("drug_id").set_index("drug_id")["drug"]
    assert names.is_unique
    table = profiles(curves.assign(drug=curves["drug"].map(names)))
    diagnosis = cohort.drop_duplicates("sample").set_index("sample")["diagnosis"]
    groups = [sorted(diagnosis.index[diagnosis == name]) for name in ("CLL", "T-PLL")]
    found = compare_groups(table, *groups, rate=0.01).set_index("drug")
    for drug in ("venetoclax", "ibrutinib", "idelalisib"):
        assert found.loc[drug, "significant"]
        assert found.loc[drug, "difference"] > 1
    both = [*groups[0], *groups[1]]
    assert separation(sample_map(table).loc[both], diagnosis[both].to_numpy()) > 0.3
