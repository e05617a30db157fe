"""Snakemake as `drp run` starts it: without its limit on jobs per second, all else as given."""

import subprocess
import sys
import threading

import pytest
import snakemake.cli
from snakemake.scheduling.job_scheduler import JobScheduler

from drp import manager

SNAKEMAKES_OWN = JobScheduler.exit_gracefully  # before anything here starts Snakemake


@pytest.fixture
def started(monkeypatch):
    """What Snakemake is handed; it ends well."""
    given = []
    monkeypatch.setattr(
        snakemake.cli, "args_to_api", lambda args, parser: given.append(args) or True
    )
    return given


def test_the_usual_limit_is_out_and_the_rest_as_given(started):
    assert manager.main(["--cores", "2", "--keep-going", "index"]) == 0
    (args,) = started
    assert args.max_jobs_per_timespan is None
    assert (args.cores, args.keep_going, list(args.targets)) == (2, True, ["index"])


def test_a_limit_that_was_asked_for_holds(started):
    assert manager.main(["--cores", "2", "--max-jobs-per-timespan", "5/1m"]) == 0
    limit = started[0].max_jobs_per_timespan
    assert (limit.max_jobs, limit.timespan) == (5, 60)


@pytest.mark.slow
def test_a_failure_is_said_and_ends_with_1(tmp_path):
    command = [sys.executable, "-m", "drp.manager", "--cores", "1", "--snakefile", "nowhere"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere" in done.stderr


@pytest.fixture
def scheduler(monkeypatch):
    """A scheduler that holds its own lock, as it does while it puts an ended job away."""
    monkeypatch.setattr(JobScheduler, "exit_gracefully", SNAKEMAKES_OWN)
    busy = JobScheduler.__new__(JobScheduler)
    busy._user_kill, busy._lock, busy._open_jobs = None, threading.Lock(), threading.Semaphore(0)
    busy._lock.acquire()
    yield busy
    busy._lock.release()


def asked_to_end(scheduler):
    """Ask it, and give what it does in the handler; alive if it waits."""
    handler = threading.Thread(target=scheduler.exit_gracefully, args=(15, None), daemon=True)
    handler.start()
    handler.join(1)
    return handler


def test_a_busy_scheduler_that_is_asked_to_end_does_not_wait_for_itself(scheduler):
    manager.end_when_asked()
    assert not asked_to_end(scheduler).is_alive()
    assert scheduler._user_kill == "graceful"
    assert scheduler._open_jobs.acquire(timeout=5)  # it wakes up


def test_without_that_it_would(scheduler):
    assert asked_to_end(scheduler).is_alive()
