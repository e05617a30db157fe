"""The demo on a real SLURM of two nodes: the same records, whatever happens to jobs and nodes."""

import os
import re
import time

import pytest

from tests.faults import (
    TWO_PATIENTS,
    outcome,
    said,
    snakemake_of,
    start,
    stop,
    unfinished,
)
from tests.project import copy_part_of_demo
from tests.slurm_cluster import NODES, cluster, missing

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
QUICK = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks=2", "--latency-wait=5")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    lacking = missing()
    if lacking:
        pytest.skip(f"no SLURM can be started here: {lacking}")
    with cluster(tmp_path_factory.mktemp("slurm") / "local") as running:
        yield running


@pytest.fixture
def slurm_with_accounts(tmp_path):
    lacking = missing(accounts=True)
    if lacking:
        pytest.skip(f"no SLURM with accounts can be started here: {lacking}")
    with cluster(tmp_path / "slurm", accounts=True) as running:
        yield running


def history(slurm):
    """Every job so far: number, state, node, what it computed."""
    listed = slurm.ask("squeue", "-h", "--states=all", "--format=%i|%T|%N|%k")
    return [line.split("|") for line in listed.splitlines()]


def wait_for_job(slurm, process, folder, rule, seconds=300):
    """Wait until a job of a rule runs, and give its number and node."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for number, state, node, task in history(slurm):
            if state == "RUNNING" and f"rule_{rule}" in task:
                return number, node
        assert process.poll() is None, said(folder)
        time.sleep(0.1)
    raise AssertionError(f"no job of {rule} ran in {seconds} s: {said(folder)}")


def test_two_nodes_give_the_same_records_through_cancelled_and_killed_jobs(
    slurm, undisturbed, tmp_path
):
    folder = copy_part_of_demo(tmp_path / "mishaps", *TWO_PATIENTS)
    memory = ("--retries=4", "--set-resources", "viability:mem_mb=120 * attempt")
    process = start(folder, "run", *QUICK, *memory, **slurm.environment)
    number, node = wait_for_job(slurm, process, folder, "plates")
    slurm.ask("scancel", number)
    slurm.ask("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    wait_for_job(slurm, process, folder, "wells")
    slurm.ask("scontrol", "update", f"nodename={node}", "state=resume")
    assert process.wait(1500) == 0, said(folder)
    jobs = history(slurm)
    assert [number, "CANCELLED"] in [job[:2] for job in jobs]
    viability = [state for _, state, _, task in jobs if "rule_viability" in task]
    assert viability[-1] != "COMPLETED" or viability[0] != "COMPLETED", "no job ran out of memory"
    assert {node for *_, node, _ in jobs if node} == set(NODES)
    assert outcome(folder) == undisturbed
    assert unfinished(folder) == []


def test_a_killed_node_and_then_a_killed_head_give_the_same_records(slurm, undisturbed, tmp_path):
    folder = copy_part_of_demo(tmp_path / "killed", *TWO_PATIENTS)
    process = start(folder, "run", *QUICK, **slurm.environment)
    lost, node = wait_for_job(slurm, process, folder, "plates")
    slurm.kill_node(node)
    slurm.wait_for(lambda: lost not in slurm.jobs("RUNNING", "COMPLETING"), 120)
    wait_for_job(slurm, process, folder, "wells")  # so plates was done again elsewhere
    slurm.start_node(node)
    orphan, _ = wait_for_job(slurm, process, folder, "curves")
    assert snakemake_of(process, folder)
    stop(process, folder, "both heads")
    assert orphan in slurm.jobs("RUNNING")
    resumed = start(folder, "resume", **slurm.environment)
    assert resumed.wait(1500) == 0, said(folder)
    words = said(folder)
    assert f"{orphan} (rule_curves" in words.partition("Cancelled ")[2]
    jobs = history(slurm)
    assert [orphan, "CANCELLED"] in [job[:2] for job in jobs]
    assert outcome(folder) == undisturbed
    assert unfinished(folder) == []


def test_where_slurm_keeps_accounts_they_say_what_became_of_a_job(
    slurm_with_accounts, undisturbed, tmp_path
):
    """The controller forgets ended jobs within seconds here: asking it would not do."""
    slurm = slurm_with_accounts
    folder = copy_part_of_demo(tmp_path / "accounts", *TWO_PATIENTS)
    target = "results/batches/batch-00001/viability.parquet"
    process = start(folder, "run", target, *QUICK, **slurm.environment)
    number, _ = wait_for_job(slurm, process, folder, "plates")
    slurm.ask("scancel", number)
    assert process.wait(600) == 0, said(folder)
    slurm.wait_for(lambda: history(slurm) == [], 120)
    listed = slurm.ask("sacct", "-X", "-n", "-P", "-o", "JobID,State,Comment")
    jobs = [line.split("|") for line in listed.splitlines()]
    assert [job[1].split()[0] for job in jobs if job[0] == number] == ["CANCELLED"]
    done = [task for _, state, task in jobs if state == "COMPLETED"]
    assert all(any(f"rule_{rule}" in task for task in done) for rule in ("plates", "viability"))
    assert outcome(folder)[target] == undisturbed[target]


def test_a_job_that_never_gets_enough_memory_is_named_with_what_to_do(slurm, tmp_path):
    folder = copy_part_of_demo(tmp_path / "memory", *TWO_PATIENTS)
    little = (
        "--retries=0",
        "--default-resources",
        "mem_mb=90",
        "--set-resources",
        "risk:mem_mb=90",
    )
    target = "results/groups/batch-00001/risk.parquet"
    process = start(folder, "run", target, *QUICK, *little, **slurm.environment)
    assert process.wait(300) == 1
    words = said(folder)
    assert "error project.job-out-of-memory" in words
    assert "rule_risk" in words.partition("project.job-out-of-memory")[2]
    assert outcome(folder) == {}


def test_resume_changes_nothing_where_slurm_cannot_be_asked(tmp_path, slurm):
    folder = copy_part_of_demo(tmp_path / "unreachable", *TWO_PATIENTS)
    process = start(folder, "run", *QUICK, **slurm.environment)
    wait_for_job(slurm, process, folder, "cohort")
    stop(process, folder, "both heads")
    record = (folder / "results" / "run.json").read_bytes()
    conf = (slurm.folder / "slurm.conf").read_text()
    silent = tmp_path / "slurm.conf"  # a controller that does not answer
    silent.write_text(re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", conf))
    nowhere = {"PATH": os.environ["PATH"], "SLURM_CONF": str(silent)}
    assert start(folder, "resume", **nowhere).wait(300) == 1
    assert "error project.no-cluster" in said(folder)
    assert (folder / "results" / "run.json").read_bytes() == record
    assert any((folder / ".snakemake" / "locks").iterdir())
    left = slurm.jobs("RUNNING", "PENDING")
    if left:  # the killed run's job may have ended by now
        slurm.ask("scancel", *left)
