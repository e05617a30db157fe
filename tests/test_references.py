"""The reference grows by approved samples, and a released report stays what it was."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from drp.checks import check_project
from drp.cli import main
from drp.cohort import members_at, read_members, source_hash
from drp.config import parse_config
from drp.locks import locked_versions, newest_version, version_of
from drp.references import grow
from drp.report.record import read_record
from tests.small_project import CONFIG, DRUGS, SmallProject


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1762520400")
    made = SmallProject()
    made.reference()
    made.add("S1")
    return made


def issued(patient):
    return {path.name: path.read_bytes() for path in Path(f"reports/{patient}").glob("report.*")}


def released(project):
    """The project with S1 approved, and the bytes of its report."""
    (sample,) = project.run(reports=())["P-S1"]["samples"]
    project.approve("S1", sample["input_hash"])
    assert project.run(reports=("P-S1",))["P-S1"]["status"] == "released"
    return issued("P-S1")


def add_to_reference():
    kinds = {"S1": "relapse"}
    return grow(Path("config/reference.tsv"), Path("results"), kinds)


def test_a_hash_names_the_version_of_the_reference(project):
    record = project.run(reports=())["P-S1"]
    (sample,) = record["samples"]
    assert version_of(sample["input_hash"]) == 1
    methods = {fact["term"]: fact["text"] for fact in record["methods"]}
    assert "version 1, hash" in methods["Reference samples"]


@pytest.mark.slow
def test_a_locked_report_never_changes_whatever_other_samples_do(project):
    before = released(project)
    assert add_to_reference() == (2, ["S1"])
    project.add("S2", level=70)
    project.add("S0", level=20)
    second = project.run(reports=("P-S1",))
    assert issued("P-S1") == before
    assert second["P-S2"]["samples"][0]["drugs"][0]["rank"]["n_reference"] == 13
    assert version_of(second["P-S2"]["samples"][0]["input_hash"]) == 2
    assert second["P-S1"]["samples"][0]["drugs"][0]["rank"]["n_reference"] == 12
    project.samples = dict(reversed(project.samples.items()))
    table = pd.read_csv("config/reference.tsv", sep="\t", dtype=str)
    table.iloc[::-1].to_csv("config/reference.tsv", sep="\t", index=False)
    project.run(reports=("P-S1",))
    assert issued("P-S1") == before
    project.remove("S2")
    project.remove("S0")
    project.run(reports=("P-S1",))
    assert issued("P-S1") == before


@pytest.mark.slow
def test_computing_again_with_the_named_cohort_gives_the_same_bytes(project):
    before = released(project)
    add_to_reference()
    table = read_members(
        pd.read_csv("config/reference.tsv", sep="\t", dtype=str, keep_default_na=False), "r"
    )
    shutil.rmtree("results")
    shutil.rmtree("reports")
    members_at(table, 1).drop(columns="version").to_csv(
        "config/reference.tsv", sep="\t", index=False
    )
    project.run(reports=("P-S1",))
    assert issued("P-S1") == before


@pytest.mark.slow
def test_a_changed_member_of_the_named_version_voids_the_approval(project):
    released(project)
    table = pd.read_csv("config/reference.tsv", sep="\t")
    table.loc[0, "auc"] += 1
    table.to_csv("config/reference.tsv", sep="\t", index=False)
    record = project.run(reports=())["P-S1"]
    assert record["status"] == "draft"
    assert not record["samples"][0]["approval"]["valid"]


@pytest.mark.slow
def test_without_an_approval_a_sample_follows_the_newest_version(project):
    project.add("S2", level=70)
    (sample,) = project.run(reports=())["P-S2"]["samples"]
    project.approve("S2", sample["input_hash"])
    project.run(reports=())
    add_to_reference()
    after = project.run(reports=())
    assert version_of(after["P-S1"]["samples"][0]["input_hash"]) == 2
    assert after["P-S1"]["samples"][0]["drugs"][0]["rank"]["n_reference"] == 13
    assert after["P-S2"]["samples"][0]["approval"]["valid"]


@pytest.mark.slow
def test_the_table_grows_by_approved_samples_only_and_keeps_its_lines(project):
    project.add("S2")
    released(project)
    before = Path("config/reference.tsv").read_text().splitlines()
    assert add_to_reference() == (2, ["S1"])
    table = pd.read_csv("config/reference.tsv", sep="\t")
    assert len(table) == len(before) - 1 + len(DRUGS)
    assert set(table.loc[table["version"] == 2, "sample"]) == {"S1"}
    old = table[table["version"] == 1].drop(columns=["version", "auc_se", "kind"])
    assert [line.split("\t") for line in old.to_csv(sep="\t", index=False).splitlines()] == [
        line.split("\t") for line in before
    ]
    project.run(reports=())
    assert add_to_reference() == (2, [])
    assert newest_version(Path("config/reference.tsv")) == 2


def test_the_version_is_no_part_of_a_cohorts_name(project):
    table = read_members(project.reference().astype(str), "reference.tsv")
    assert source_hash(table.assign(version=3)) == source_hash(table)
    assert len(members_at(table.assign(version=3), 2)) == 0


def test_the_command_adds_and_says_what_it_did(project, capsys):
    released(project)
    Path("config/config.yaml").write_text(
        "assay: {name: demo-ctg-72h}\n"
        "cohort: {reference: config/reference.tsv, within_run: false}\n"
    )
    assert main(["reference", "add"]) == 0
    assert capsys.readouterr().out == "config/reference.tsv: version 2, added: S1\n"
    Path("config/config.yaml").write_text("assay: {name: demo-ctg-72h}\n")
    assert main(["reference", "add"]) == 1
    assert "cohort.reference" in capsys.readouterr().err


def test_a_version_that_is_not_there_is_refused_in_its_place(project):
    project.approve("S1", "0123456789abcdef-r7")
    plan = project.plan()
    found = [problem for problem in check_project(parse_config(CONFIG), plan.sheets).problems
             if problem.code == "cohort.unknown-version"]  # fmt: skip
    assert [str(problem.where) for problem in found] == ["approvals.tsv, line 2, column input_hash"]


def test_the_last_approval_of_a_sample_counts():
    rows = [{"sample": "S1", "input_hash": f"ab-r{version}"} for version in (1, 2)]
    assert locked_versions(rows, 3) == {"S1": 2}
    assert locked_versions([*rows, {"sample": "S1", "input_hash": "ab"}], 3) == {}


def test_a_version_is_a_whole_number():
    table = pd.DataFrame({"version": ["1", "0", "2.5"]})
    with pytest.raises(Exception, match=r"version is '0', no whole number"):
        read_members(table, "reference.tsv")


def test_the_record_on_disk_is_the_record_that_was_made(project):
    released(project)
    (path,) = Path("results/groups/P-S1/records").glob("*.json")
    assert read_record(path.read_text()).status == "released"
