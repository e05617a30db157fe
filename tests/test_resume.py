"""Going on after a run was stopped: what is refused, what is ended first, what is never touched."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from drp.cli import main
from drp.leftovers import processes_of, stop_processes
from drp.problems import DataError
from drp.resume import make_ready
from drp.run_record import (
    Run,
    holder,
    locked,
    new_run,
    process_start,
    read_run,
    with_process,
    write_run,
)
from drp.storage import RUN_FILE, RUN_VARIABLE
from tests.project import ROOT, copy_demo

UNLOCK = [sys.executable, "-c", "import shutil; shutil.rmtree('.snakemake/locks')"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.chdir(ROOT)


@pytest.fixture
def sleeper():
    """A process of the run "r1", as a job that outlived its run."""
    process = subprocess.Popen(["sleep", "60"], env=os.environ | {RUN_VARIABLE: "r1"})
    yield process
    process.kill()
    process.wait()


def stopped_run(run="r1", **values):
    """The record of a run whose process has ended."""
    record = Run(run, os.uname().nodename, {"999999999": "long ago"}, **values)
    write_run(record)
    return record


def lock():
    path = RUN_FILE.parent.parent / ".snakemake" / "locks"
    path.mkdir(parents=True)
    (path / "0.output.lock").write_text("results/a.parquet\n")


def codes(fault):
    return [problem.code for problem in fault.value.problems]


def test_a_live_run_is_refused_by_run_and_resume(tmp_path, capsys):
    demo = copy_demo(tmp_path / "demo")
    (demo / "results").mkdir()
    os.chdir(demo)
    write_run(new_run())
    os.chdir(ROOT)
    for command in ("run", "resume"):
        assert main([command, "--directory", str(demo)]) == 1
        assert "project.held" in capsys.readouterr().err
    os.chdir(ROOT)


def test_a_stopped_run_is_refused_by_run_which_names_resume(tmp_path, capsys):
    demo = copy_demo(tmp_path / "demo")
    os.chdir(demo)
    stopped_run()
    os.chdir(ROOT)
    assert main(["run", "--directory", str(demo)]) == 1
    said = capsys.readouterr().err
    assert "project.stopped" in said
    assert "drp resume" in said
    os.chdir(ROOT)


def test_a_reused_process_number_is_not_taken_for_the_run(folder):
    run = replace(new_run(), processes={str(os.getpid()): "another boot:17"})
    assert holder(run) == ""
    assert holder(with_process(run, os.getpid())) == f"process {os.getpid()} on this machine"


def test_a_zombie_has_ended(folder):
    child = subprocess.Popen(["true"])
    end = time.monotonic() + 10
    while process_start(child.pid) and time.monotonic() < end:
        time.sleep(0.01)  # it has ended, and we have not yet asked how
    assert process_start(child.pid) == ""
    child.wait()


def test_another_machine_cannot_be_asked_unless_the_user_knows(folder):
    write_run(Run("r1", "elsewhere", {"1": "then"}))
    lock()
    with pytest.raises(DataError) as fault:
        make_ready(UNLOCK, print)
    assert codes(fault) == ["project.held"]
    assert "--stopped" in str(fault.value)
    assert (folder / ".snakemake" / "locks").is_dir()
    make_ready(UNLOCK, print, stopped=True)
    assert not (folder / ".snakemake" / "locks").exists()


def test_only_one_process_can_have_the_lock(folder):
    with locked() as descriptor:
        assert descriptor is not None
        with pytest.raises(DataError) as fault, locked():
            pass
        assert codes(fault) == ["project.held"]
    with locked():
        pass


def test_whoever_has_the_lock_is_named_if_the_record_names_him(folder):
    write_run(new_run())
    with locked(), pytest.raises(DataError) as fault, locked():
        pass
    assert f"process {os.getpid()} on this machine" in str(fault.value)


def test_a_lock_outlives_its_first_holder_in_a_process_that_inherited_it(folder):
    with locked() as descriptor:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
    try:
        with pytest.raises(DataError), locked():
            pass
    finally:
        child.kill()
        child.wait()
    with locked():
        pass


def test_resume_is_refused_while_any_process_holds_the_lock(folder):
    stopped_run()
    with locked(), pytest.raises(DataError) as fault:
        make_ready(UNLOCK, print)
    assert codes(fault) == ["project.held"]
    assert not read_run().ended


def test_processes_of_the_run_are_ended_before_unlocking(folder, sleeper):
    stopped_run()
    lock()
    (folder / "results" / ".curves.parquet.0a1b2c.drp-tmp").write_text("half")
    said = []
    run = make_ready(UNLOCK, said.append)
    assert run is not None
    assert sleeper.poll() is not None
    assert not (folder / ".snakemake" / "locks").exists()
    assert sorted(path.name for path in (folder / "results").iterdir()) == ["run.json", "run.lock"]
    assert read_run() == replace(run, ended=True)
    steps = "\n".join(said)
    assert steps.index(str(sleeper.pid)) < steps.index("Unlocking")
    assert "1 unfinished" in steps


def test_processes_of_other_runs_and_of_the_cluster_are_left_alone(sleeper):
    variables = {RUN_VARIABLE: "r1", "SLURM_JOB_ID": "7"}
    of_cluster = subprocess.Popen(["sleep", "60"], env=os.environ | variables)
    try:
        assert processes_of("r1") == [sleeper.pid]
        assert processes_of("r") == []
        assert stop_processes("r1") == [sleeper.pid]
        assert of_cluster.poll() is None
    finally:
        of_cluster.kill()
        of_cluster.wait()


def test_a_process_that_does_not_listen_is_made_to_end(monkeypatch):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{deaf}; time.sleep(60)"],
        env=os.environ | {RUN_VARIABLE: "r2"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert stop_processes("r2", patience_s=0.5) == [process.pid]
    assert process.wait() == -9
    process.stdout.close()


def test_a_lock_that_drp_did_not_set_is_left_unless_the_user_knows(folder):
    lock()
    with pytest.raises(DataError) as fault:
        make_ready(UNLOCK, print)
    assert codes(fault) == ["project.locked"]
    make_ready(UNLOCK, print, stopped=True)
    assert not (folder / ".snakemake" / "locks").exists()


def test_a_failing_unlock_is_said_with_its_words(folder):
    stopped_run()
    lock()
    command = [sys.executable, "-c", "raise SystemExit('no such profile')"]
    with pytest.raises(DataError) as fault:
        make_ready(command, print)
    assert codes(fault) == ["project.not-unlocked"]
    assert "no such profile" in str(fault.value)


def test_a_record_that_is_not_understood_is_no_record_of_nothing(folder):
    RUN_FILE.parent.mkdir()
    RUN_FILE.write_text(json.dumps({"pid": 7}))
    with pytest.raises(DataError) as fault:
        read_run()
    assert codes(fault) == ["project.bad-run-record"]


def test_where_nothing_was_stopped_it_says_so(folder):
    said = []
    assert make_ready(UNLOCK, said.append) is None
    assert "No run was stopped here" in said[-1]
