"""Snakemake as `drp run` starts it: without its limit on jobs per second, all else as given."""

import subprocess
import sys

import pytest
import snakemake.cli

from drp import manager


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
