"""Healthy controls: beside a call, never in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drp.healthy import beside_healthy
from tests.small_project import DRUGS, SmallProject
from tests.test_combination_calls import printed
from tests.test_patient_changes import reread

DOSES = {"drug": "a", "dose_unit": "nM", "dose_min": 1.0, "dose_max": 1e3}
CURVES = pd.DataFrame({"sample": ["S1"], "auc": 50.0, "auc_se": 2.0, **DOSES})
CALLS = pd.DataFrame({"sample": ["S1"], "drug": "a", "call": "sensitive"})


def controls(values, **more):
    names = [f"H{number}" for number in range(len(values))]
    return pd.DataFrame({"sample": names, "assay": "x", **(DOSES | more), "auc": values})


def difference(healthy, calls=CALLS, minimum=8):
    return beside_healthy(calls, CURVES, healthy, {"S1": "x"}, minimum).iloc[0]


@pytest.mark.slow
def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    generator = np.random.default_rng(5)
    healthy, curves = [], []
    for number in range(400):  # each drug is a draw of its own
        healthy.append(controls(generator.normal(80, 6, 12), drug=f"d{number}"))
        curves.append(CURVES.assign(auc=50 + generator.normal(0, 2), drug=f"d{number}"))
    measured = pd.concat(curves, ignore_index=True)
    calls = measured[["sample", "drug"]].assign(call="sensitive")
    found = beside_healthy(calls, measured, pd.concat(healthy), {"S1": "x"}, 8)
    low, high = found["selective_difference_lo"], found["selective_difference_hi"]
    assert len(found) == 400
    assert 0.92 <= ((low <= -30) & (high >= -30)).mean() <= 0.99


@pytest.mark.parametrize(
    "healthy",
    [
        controls([80.0] * 7),
        controls([80.0] * 9, dose_max=1e4),
        controls([80.0] * 9, dose_unit="ug/mL"),
        controls([80.0] * 9).assign(assay="y"),
        controls([80.0] * 8).assign(sample=["S1", *(f"H{n}" for n in range(7))]),
        controls([]),
    ],
)
def test_without_enough_comparable_controls_there_is_no_number(healthy):
    row = difference(healthy)
    assert np.isnan([row["healthy_median"], row["selective_difference"]]).all()


def test_a_drug_that_is_not_evaluable_gets_no_number():
    row = difference(controls([80.0] * 9), CALLS.assign(call="not evaluable"))
    assert np.isnan(row["selective_difference"])


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = SmallProject()
    made.add("S1", level=60)
    return made


def with_healthy(project, size=9):
    table = project.reference()
    healthy = table[table["sample"].isin(sorted(set(table["sample"]))[:size])]
    healthy = healthy.assign(sample="H" + healthy["sample"], auc=healthy["auc"] + 10)
    both = pd.concat([table.assign(kind=""), healthy.assign(kind="healthy")])
    both.to_csv("config/reference.tsv", sep="\t", index=False)
    return project.run(reports=())["P-S1"]


@pytest.mark.slow
def test_controls_stand_beside_the_call_and_leave_it_as_it_is(project):
    project.reference()
    alone = project.run(reports=())["P-S1"]["samples"][0]["drugs"]
    record = with_healthy(project)
    drugs = record["samples"][0]["drugs"]
    new = {"healthy", "selective"}
    assert [{k: v for k, v in drug.items() if k not in new} for drug in drugs] == [
        {k: v for k, v in drug.items() if k not in new} for drug in alone
    ]
    for drug in drugs:
        assert drug["selective"]["value"] < 0
        assert drug["healthy"].startswith("median AUC of 9 healthy controls")
        assert drug["healthy"].endswith("more sensitive than these; no part of the call")
    assert {drug["healthy"] for drug in alone} == {""}
    for text in printed(reread(record)):
        assert "Healthy cells: median AUC of 9 healthy controls" in text


def test_few_controls_are_not_mentioned(project):
    assert {drug["healthy"] for drug in with_healthy(project, 7)["samples"][0]["drugs"]} == {""}


@pytest.mark.slow
def test_healthy_samples_of_the_project_are_no_reference(project):
    project.config = project.config | {"cohort": {"within_run": True}}
    for number in range(8):
        project.add(f"H{number}", kind="healthy", level=85)
        project.add(f"R{number}", level=75)
    drug = project.run(reports=(), page=True)["P-S1"]["samples"][0]["drugs"][0]
    assert drug["rank"]["n_reference"] == 8
    assert "8 healthy controls" in drug["healthy"]
    page = Path("reports/cohort.html").read_text()
    assert "17 samples, 4 drugs" in page
    assert "8 healthy" in page


@pytest.mark.slow
def test_the_page_of_the_cohort_shows_the_projects_samples_beside_the_reference(project):
    project.reference()
    project.run(reports=(), page=True)
    page = Path("reports/cohort.html").read_text()
    assert f"13 samples, {len(DRUGS)} drugs" in page
    assert "1 relapse" in page
