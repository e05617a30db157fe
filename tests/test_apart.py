"""A sample that brings out a fault of drp costs no other patient of its batch the report."""

import json
from operator import attrgetter

import pandas as pd
import pytest

import drp
import drp.calls
from drp.apart import compute_apart
from drp.config import parse_config
from drp.job import Job
from drp.plan import Plan
from drp.sheets import Sheets
from drp.simulate.tables import simulate_viability
from drp.stages import curves, synergy
from drp.storage import read_json, read_table, write_table
from tests.small_project import SmallProject

BAD = "S2"


def failing_for(name, compute):
    """What computes a table, but with a fault that one sample brings out."""

    def computed(table, *rest, **more):
        if name in set(table["sample"]):
            raise ZeroDivisionError("a slope of 0")
        return compute(table, *rest, **more)

    return computed


def top(part):
    return {"top": part.assign(dose=part["dose"] * 2)}


WELLS = pd.DataFrame({"sample": ["S1", "S2", "S3", ""], "dose": [1.0, 2.0, 3.0, 0.0]})


def test_a_sample_that_fails_by_itself_is_named_and_the_others_are_as_ever(capsys):
    whole, none = compute_apart(WELLS, top, "curves")
    found, faults = compute_apart(WELLS, failing_for(BAD, top), "curves")
    assert none == []
    (fault,) = faults
    assert fault == {
        "sample": BAD,
        "stage": "curves",
        "error": "ZeroDivisionError: a slope of 0",
    }
    others = whole["top"][whole["top"]["sample"].isin(["S1", "S3"])]
    made = found["top"][found["top"]["sample"] != ""]
    pd.testing.assert_frame_equal(made.reset_index(drop=True), others.reset_index(drop=True))
    assert "a slope of 0" in capsys.readouterr().err


def test_controls_go_with_every_sample():
    seen = []

    def count(part):
        seen.append(sorted(part["sample"]))
        if len(part) > 2:
            raise ValueError("too many")
        return {"none": part}

    assert compute_apart(WELLS, count, "curves")[1] == []
    assert seen[1:] == [[], ["", "S1"], ["", "S2"], ["", "S3"]]


@pytest.mark.parametrize("fault", [MemoryError(), OSError("disk full")])
def test_memory_and_disk_are_no_fault_of_a_sample(fault):
    def broken(part):
        raise fault

    with pytest.raises(type(fault)):
        compute_apart(WELLS, broken, "curves")


def test_what_fails_without_a_sample_fails():
    def broken(part):
        raise KeyError("auc")

    with pytest.raises(KeyError):
        compute_apart(WELLS, broken, "curves")


@pytest.mark.parametrize(
    ("stage", "design", "compute"),
    [
        (curves, "single", "drp.sensitivity.fit_curves"),
        (synergy, "combinations", "drp.synergy.score_synergy"),
    ],
)
@pytest.mark.slow
def test_a_stage_gives_the_other_samples_what_it_gives_them_in_company(
    tmp_path, monkeypatch, stage, design, compute
):
    """Controls name no sample here: each sample is computed with those of all plates."""
    viability, _ = simulate_viability(3, seed=4, design=design)
    viability = viability.assign(addon="")
    viability.loc[viability["role"] != "sample", "sample"] = ""
    write_table(tmp_path / "viability.parquet", viability)
    whole = run(stage, tmp_path / "whole", tmp_path)
    monkeypatch.setattr(compute, failing_for(BAD, attrgetter(compute.partition(".")[2])(drp)))
    found = run(stage, tmp_path / "apart", tmp_path)
    assert read_json(whole.pop("faults")) == []
    assert [fault["sample"] for fault in read_json(found.pop("faults"))] == [BAD]
    for name, path in whole.items():
        wanted = read_table(path)
        wanted = wanted[wanted["sample"] != BAD].reset_index(drop=True)
        pd.testing.assert_frame_equal(read_table(found[name]), wanted, check_exact=True)


def run(stage, folder, given):
    """Run a stage on the viability table in the folder `given`; give what it wrote."""
    folder.mkdir()
    config = parse_config({"assay": {"name": "a"}, "synergy": {"models": False}})
    settings = json.loads(Plan(config, Sheets()).settings(stage.__name__))
    names = {"curves": ("curves",), "synergy": ("synergy", "surface")}[stage.__name__]
    outputs = {name: folder / f"{name}.parquet" for name in names}
    outputs["faults"] = folder / "faults.json"
    stage(Job({"viability": [given / "viability.parquet"]}, outputs, settings, given))
    return outputs


@pytest.mark.slow
def test_the_page_of_the_patient_names_the_stage_and_the_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = SmallProject()
    project.reference()
    for sample in ("S1", BAD, "S3"):
        project.add(sample)
    whole = project.run(reports=())
    monkeypatch.setattr("drp.calls.make_calls", failing_for(BAD, drp.calls.make_calls))
    found = project.run(reports=())
    assert found.pop(f"P-{BAD}")["failure"] == {
        "patient": f"P-{BAD}",
        "stage": "calls",
        "error": f"sample {BAD}: ZeroDivisionError: a slope of 0",
    }
    assert found == {name: whole[name] for name in ("P-S1", "P-S3")}
