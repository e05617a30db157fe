import numpy as np
import pandas as pd
import pytest

from drp.cohort import build_reference, join_members, members_of_run, read_members, source_hash
from drp.problems import DataError


def members(aucs, assay="a", drug="venetoclax", prefix="R"):
    return pd.DataFrame(
        {
            "assay": assay,
            "sample": [f"{prefix}{number:02d}" for number in range(len(aucs))],
            "drug": drug,
            "dose_unit": "nM",
            "dose_min": 1.0,
            "dose_max": 1000.0,
            "auc": np.asarray(aucs, float),
            "dss2": 100 - np.asarray(aucs, float),
            "top": 100.0,
            "bottom": 5.0,
            "slope": 1.0,
            "ec50": 30.0,
        }
    )


def test_the_reference_sums_up_by_assay_and_drug():
    reference = build_reference(pd.concat([members([70, 80, 90]), members([10], assay="b")]))
    first = reference.iloc[0]
    assert (first["assay"], first["drug"], first["n"]) == ("a", "venetoclax", 3)
    assert (first["auc_median"], first["auc_mad"], first["auc_q25"]) == (80, 10, 75)
    assert first["median_ec50"] == 30
    assert reference["n"].tolist() == [3, 1]


def test_the_hash_tells_the_cohort_whatever_its_order():
    cohort = members([70, 80, 90])
    assert source_hash(cohort) == source_hash(cohort.iloc[::-1])
    assert source_hash(cohort) != source_hash(members([70, 80, 91]))


def test_a_sample_in_both_parts_counts_once_with_its_newer_value():
    joined = join_members([members([70, 80]), members([60], prefix="R")])
    assert dict(zip(joined["sample"], joined["auc"], strict=True)) == {"R00": 60, "R01": 80}
    assert join_members([]).empty
    assert build_reference(join_members([])).empty


def test_failed_samples_and_missing_curves_are_no_reference():
    curves = members([70, 80, np.nan]).drop(columns="assay")
    kept = members_of_run(curves, {"R00": "a", "R02": "a"})
    assert kept["sample"].tolist() == ["R00"]


def test_a_reference_table_with_faults_lists_them_all():
    table = members([70, 80]).astype(str)
    table.loc[0, "auc"] = "many"
    with pytest.raises(DataError) as fault:
        read_members(pd.concat([table, table.iloc[1:].assign(drug="Venetoclax")]), "reference.tsv")
    assert [problem.found for problem in fault.value.problems] == [
        "auc is 'many'",
        "R01, venetoclax occurs twice",
    ]
    with pytest.raises(DataError, match="column dss2 is missing"):
        read_members(table.drop(columns="dss2"), "reference.tsv")
