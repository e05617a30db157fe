import dataclasses

from drp.batches import batch_name, sample_batches
from drp.config import parse_config
from drp.plan import SETTINGS, Plan
from drp.sheets import Sheets
from drp.stages import STAGES

SHEETS = Sheets(
    plates=[
        {"plate": "PL1", "file": "1.txt", "layout": "m.tsv", "sample": "S1", "run": "R1"},
        {"plate": "PL2", "file": "2.txt", "layout": "m.tsv", "sample": "S2", "run": "R1"},
        {"plate": "PL3", "file": "3.txt", "layout": "m.tsv", "sample": "S1;S3", "run": "R2"},
    ],
    samples=[
        {"sample": "S1", "patient": "P1"},
        {"sample": "S2", "patient": "P2"},
        {"sample": "S3", "patient": "P2"},
    ],
    patients=[{"patient": "P1"}, {"patient": "P2"}],
)


def plan(sheets=SHEETS, **config):
    return Plan(parse_config({"assay": {"name": "a"}} | config), sheets)


def test_one_sample_is_one_batch_and_knows_its_plates_runs_and_patient():
    single = plan()
    assert single.batches == ["S1", "S2", "S3"]
    assert single.groups == single.patients == ["P1", "P2"]
    assert single.files_of("S1") == ["plates/1.txt", "plates/3.txt", "plates/m.tsv"]
    assert single.runs == ["R1", "R2"]
    assert single.files_of_run("R2") == ["plates/3.txt", "plates/m.tsv"]
    assert single.runs_of("S3") == ["R2"]
    assert single.batches_of_group("P2") == ["S2", "S3"]
    assert single.runs_of_group("P2") == ["R1", "R2"]


def test_batches_keep_a_patient_together_and_do_not_depend_on_the_others():
    patient_of = {f"S{number}-{part}": f"P{number}" for number in range(500) for part in "ab"}
    spread = sample_batches(patient_of, 20)
    assert all(spread[f"S{n}-a"] == spread[f"S{n}-b"] for n in range(500))
    assert len(set(spread.values())) == 20
    fewer = {sample: patient for sample, patient in patient_of.items() if sample != "S7-a"}
    smaller = sample_batches(fewer, 20)
    assert all(spread[sample] == batch for sample, batch in smaller.items())
    assert batch_name("P01", 20) == "batch-00004"  # must never change: it names results on disk


def changed(sheet, index, **cells):
    rows = [dict(row) for row in getattr(SHEETS, sheet)]
    rows[index] |= cells
    return dataclasses.replace(SHEETS, **{sheet: rows})


def test_a_changed_row_touches_its_own_jobs_only():
    before, after = plan(), plan(changed("plates", 1, read="LUM"))
    assert before.rows("wells", "S2") != after.rows("wells", "S2")
    assert before.rows("wells", "S1") == after.rows("wells", "S1")
    assert before.rows("plates", "S2") == after.rows("plates", "S2")
    patients = plan(changed("patients", 0, site="combined"))
    assert before.rows("risk", "P1") != patients.rows("risk", "P1")
    assert before.rows("risk", "P2") == patients.rows("risk", "P2")
    approved = plan(dataclasses.replace(SHEETS, approvals=[{"sample": "S2", "by": "lab"}]))
    assert before.rows("record", "P2") != approved.rows("record", "P2")
    assert before.rows("record", "P1") == approved.rows("record", "P1")


def test_every_review_of_a_project_rests_on_every_exclusion():
    row = {"plate": "PL3", "well": "A1", "reason": "dry"}
    before, after = plan(), plan(dataclasses.replace(SHEETS, exclusions=[row]))
    remark = plan(dataclasses.replace(SHEETS, exclusion_remarks=["# by hand"]))
    for run in ("R1", "R2"):
        hashes = {some.rows("review", run) for some in (before, after, remark)}
        assert len(hashes) == 3
    moved = plan(changed("plates", 2, sample="S1"))
    assert before.rows("review", "R1") == moved.rows("review", "R1")
    assert before.rows("review", "R2") != moved.rows("review", "R2")
    assert before.reviewed_runs == ["R1", "R2"]
    assert plan(plate_review=False).reviewed_runs == []


def test_each_stage_gets_the_settings_it_uses_and_no_others():
    assert SETTINGS.keys() == STAGES.keys()
    before, after = plan(), plan(calls={"z": 2.0})
    for stage in STAGES:
        touched = before.settings(stage) != after.settings(stage)
        assert touched == ("calls" in SETTINGS[stage])


def test_a_gate_that_a_stage_does_not_use_redoes_nothing_of_it():
    before = plan()
    cells, place = (
        plan(quality={"blasts_pct": {"warn": 70, "fail": 50}}),
        plan(quality={"gradient_pct": {"warn": 15, "fail": 30}}),
    )
    corrected = plan(normalisation={"edge_correction": "loess"})
    assert before.settings("viability") == cells.settings("viability")
    assert before.settings("quality") != cells.settings("quality")
    for other in (place, corrected):
        assert before.settings("viability") != other.settings("viability")
    assert before.settings("wells") == place.settings("wells")


def test_curves_are_charted_only_where_control_drugs_are_named():
    assert plan().charted_batches == []
    assert plan(quality={"reference_drugs": ["x"]}).charted_batches == ["S1", "S2", "S3"]


def test_the_order_of_a_runs_plates_is_part_of_its_quality():
    turned = dataclasses.replace(SHEETS, plates=[SHEETS.plates[place] for place in (1, 0, 2)])
    assert plan().rows("quality", "R1") != plan(turned).rows("quality", "R1")
    assert plan().rows("quality", "R2") == plan(turned).rows("quality", "R2")
