"""Repeat samples of a patient: what the report says changed, and why it may say nothing."""

import json
from pathlib import Path

import pytest

from drp.config import RepeatSettings
from drp.patient_changes import patient_changes
from tests.small_project import DRUGS, SmallProject
from tests.test_combination_calls import printed

SETTINGS = RepeatSettings().model_dump()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = SmallProject()
    made.reference()
    made.add("S1", "P1", level=50, day="02")
    made.add("S2", "P1", level=75, day="20")
    return made


@pytest.mark.slow
def test_a_change_beyond_noise_is_in_the_record_and_on_both_pages(project):
    project.curves["S2"].loc[0, ["auc", "auc_lo", "auc_hi"]] = [51.0, 47.0, 55.0]
    record = project.run(reports=())["P1"]
    (repeat,) = record["repeats"]
    assert (repeat["earlier"], repeat["later"], repeat["days"]) == ("S1", "S2", 18)
    verdicts = {drug["drug"]: drug["verdict"] for drug in repeat["drugs"]}
    assert verdicts == dict.fromkeys(DRUGS, "less sensitive") | {DRUGS[0]: "no change beyond noise"}
    changed = repeat["drugs"][0]
    assert changed["change"]["value"] == 25
    assert changed["change"]["lo"] < 25 < changed["change"]["hi"]
    assert changed["q"] < 0.05
    assert record == json.loads(Path("results/groups/P1/records/P1.json").read_text())
    for text in printed(reread(record)):
        assert "What changed since the earlier sample" in text
        assert "S2 compared with S1" in text
        assert "less sensitive: AUC +25 points (95 % interval +15 to +35)" in text
        assert f"1 of 4 drugs: {DRUGS[0]}." in text


def reread(record):
    from drp.report.record import PatientRecord

    return PatientRecord.model_validate(record)


def test_the_sd_between_platings_is_the_laboratorys_own(project):
    project.config = project.config | {"repeats": {"between_sd": 12.0}}
    (repeat,) = project.run(reports=())["P1"]["repeats"]
    assert {drug["verdict"] for drug in repeat["drugs"]} == {"no change beyond noise"}


@pytest.mark.slow
def test_a_single_sample_has_no_such_section(project):
    project.remove("S2")
    record = project.run(reports=())["P1"]
    assert record["repeats"] == []
    assert "What changed since" not in printed(reread(record))[0]


@pytest.mark.parametrize("failed", ["S1", "S2"])
def test_a_failed_sample_is_not_compared_and_it_says_so(project, failed):
    project.remove(failed)
    days = {"S1": "02", "S2": "20"}
    project.add(failed, "P1", verdict="fail", day=days[failed])
    (repeat,) = project.run(reports=())["P1"]["repeats"]
    assert repeat["drugs"] == []
    assert "failed quality control" in repeat["reason"]


def tables(**curves):
    rows = [
        {"sample": sample, "drug": "a", "dose_unit": "nM", "dose_min": 1.0, "dose_max": 1e3,
         "auc": auc, "auc_lo": auc - 3, "auc_hi": auc + 3, "shape": "decreasing",
         "plates": f"{sample}-A"}
        for sample, auc in (("S1", 60.0), ("S2", 90.0))
    ]  # fmt: skip
    rows[1] |= curves
    judged = [{"sample": sample, "verdict": "pass"} for sample in ("S1", "S2")]
    return {"curves": rows, "sample_quality": judged}


SAMPLES = [
    {"sample": "S2", "collected_date": "2025-06-01"},
    {"sample": "S1", "collected_date": "2025-01-01"},
]


def test_the_order_is_that_of_collection_not_of_the_sheet():
    for rows in (SAMPLES, SAMPLES[::-1]):
        (pair,) = patient_changes(rows, tables(), "x", SETTINGS)
        assert (pair["earlier"], pair["later"], pair["days"]) == ("S1", "S2", 151)
        assert pair["drugs"][0]["verdict"] == "less sensitive"


@pytest.mark.parametrize(
    ("samples", "found", "reason"),
    [
        ([SAMPLES[0] | {"assay": "y"}, SAMPLES[1]], tables(), "same assay"),
        ([SAMPLES[0] | {"collected_date": ""}, SAMPLES[1]], tables(), "day of collection of S2"),
        (SAMPLES, tables(dose_max=1e4), "same doses"),
        (SAMPLES, tables(shape="none"), "same doses"),
        (SAMPLES, tables(auc_lo=float("nan")), "same doses"),
        (SAMPLES, tables() | {"quality": [{"plate": "S2-A", "verdict": "fail"}]}, "same doses"),
        (SAMPLES, tables() | {"drug_facts": [{"drug": "A", "exvivo": "no"}]}, "same doses"),
    ],
)
def test_where_nothing_can_be_compared_the_reason_stands_there(samples, found, reason):
    (pair,) = patient_changes(samples, found, "x", SETTINGS)
    assert pair["drugs"] == []
    assert reason in pair["reason"]
