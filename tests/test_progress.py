"""What a person sees of a run: counts, time left, the first problem, and how it ended."""

import json

import pytest

from drp.cli import _close_run
from drp.config import parse_config
from drp.plan import Plan
from drp.progress import Progress, harmless_line
from drp.sheets import Sheets
from drp.storage import write_json
from drp.summary import summarise

STATS = ["Job stats:", "job  count", "-----  ---", "curves      2", "report      2", "all  1",
         "total       5"]  # fmt: skip


def said(progress, *lines):
    return [words for line in lines for words in progress.read(line + "\n")]


def finished(stage):
    return f"Finished jobid: 7 (Rule: {stage})"


@pytest.fixture
def seconds():
    return [0.0]


@pytest.fixture
def progress(seconds):
    made = Progress(clock=lambda: seconds[0], every_s=5.0)
    assert said(made, *STATS) == ["4 jobs: curves 2, report 2"]
    return made


def test_counts_and_time_left(progress, seconds):
    seconds[0] = 30.0
    assert said(progress, finished("curves")) == [
        "1 of 4 jobs done, about 1 min 30 s left: curves 1/2"
    ]


def test_it_speaks_seldom_and_at_the_end(progress, seconds):
    seconds[0] = 1.0
    assert said(progress, finished("curves"), finished("curves"), finished("report")) == []
    assert said(progress, finished("report"), finished("all")) == [
        "4 of 4 jobs done, about 0 s left"
    ]


def test_the_first_problem_is_said_at_once_with_the_end_of_its_log(progress, tmp_path):
    log = tmp_path / "curves.log"
    log.write_text("".join(f"line {number}\n" for number in range(20)), encoding="utf-8")
    words = said(progress, "Error in rule curves:", "    message: None", f"    log: {log} (check)")
    assert words[0] == f"First problem: stage curves, see {log}"
    assert words[-1] == "  line 19"
    assert len(words) == 7
    again = said(progress, "Error in rule curves:", f"    log: {log}")
    assert again == [], "the same job is not said twice"
    other = said(progress, "Error in rule report:", "    log: logs/none.log")
    assert other == ["Problem: stage report, see logs/none.log"]


def test_nothing_to_do_is_said():
    progress = Progress(clock=lambda: 0.0)
    assert said(progress, "Nothing to be done (all requested files are present).") == [
        "Nothing to be done: all reports are up to date."
    ]


@pytest.mark.parametrize("odd", ["\x1b[2J", "\r", "\n", "\x00", "\u202e", "\x9b31m"])
def test_no_control_character_reaches_a_terminal(odd):
    shown = harmless_line(f"P01{odd}P02 µ ≥ é")
    assert odd not in shown
    assert shown.startswith("P01\\")
    assert shown.endswith("P02 µ ≥ é")


SHEETS = Sheets(
    plates=[{"plate": f"PL{n}", "file": "1", "layout": "m", "sample": f"S{n}"} for n in range(5)],
    samples=[{"sample": f"S{n}", "patient": f"P{n}"} for n in range(5)],
    patients=[{"patient": f"P{n}"} for n in range(5)],
)


def entry(patient, usable="yes", failure=""):
    return {"row": {"patient": patient, "usable": usable}, "plates": {}, "failure": failure}


@pytest.mark.parametrize("batches", [None, 1])
def test_a_run_ends_with_what_became_of_each_patient(batches, tmp_path, monkeypatch, capsys):
    """One is fine, one with caution, one without result, one failed early, one when rendered."""
    monkeypatch.chdir(tmp_path)
    plan = Plan(parse_config({"assay": {"name": "a"}, "batches": batches}), SHEETS)
    entries = [
        entry("P0"),
        entry("P1", "with caution"),
        entry("P2", "no"),
        entry("P3", "no", "No report of P3: the stage record failed (KeyError)."),
        entry("P4"),
    ]
    broken = {"patient": "P4", "stage": "report", "error": "ValueError"}
    words = "No report of P4: the stage report failed (ValueError)."
    made = {f"P{n}": {"failure": words if n == 4 else ""} for n in range(5)}
    if batches:
        (group,) = plan.groups
        write_json(tmp_path / f"results/groups/{group}/index.json", entries)
        write_json(tmp_path / plan.manifests[0], {"patients": made, "reports": "reports"})
    else:
        for number, one in enumerate(entries):
            write_json(tmp_path / f"results/groups/P{number}/index.json", [one])
            content = {"failure": broken} if number == 4 else {"samples": []}
            path = tmp_path / f"reports/P{number}/report.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"generated_at": "now"} | content, indent=1))
    found = summarise(plan)
    assert (found.reported, found.with_caution, found.without_result) == (["P0"], ["P1"], ["P2"])
    assert set(found.failures) == {"P3", "P4"}
    assert found.failures["P4"] == words
    assert _close_run(0, plan) == 1
    printed = capsys.readouterr().out
    assert "Patients: 1 reported, 1 with caution, 1 without result, 2 failed." in printed
    assert words in printed


def test_a_patient_that_was_not_computed_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = Plan(parse_config({"assay": {"name": "a"}}), SHEETS)
    found = summarise(plan)
    assert found.lines() == [
        "Patients: 0 reported, 0 with caution, 0 without result, 0 failed, 5 not made."
    ]
    assert _close_run(0, plan) == 0  # the run was asked for something else
    assert _close_run(1, plan) == 1
    found.count_as_failed()
    assert set(found.failures) == {f"P{n}" for n in range(5)}
    assert "it was not computed" in found.lines()[1]
