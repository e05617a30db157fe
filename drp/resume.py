"""Making a folder ready after a run was stopped, however it was stopped.

In this order, because a job that is still at work must never meet its successor: see that no run is
alive; end processes and cluster jobs of the stopped run and wait until they are gone; remove files
under temporary names; unlock. Each step is said. What cannot be made sure of stops the whole.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from drp.leftovers import stop_processes
from drp.problems import DataError, Place, Problem
from drp.run_record import Run, held, holder, locked, read_run, write_run
from drp.slurm import cancel_jobs
from drp.storage import clear_temporaries

LOCKS = Path(".snakemake/locks")
WRITTEN = ("results", "reports", "logs")


def make_ready(
    unlock: Sequence[str], say: Callable[[str], None], *, stopped: bool = False
) -> Run | None:
    """Make the current folder ready to go on.

    Parameters
    ----------
    unlock : sequence of str
        The command that unlocks the folder for the workflow manager.
    say : callable
        Gets a sentence for each step.
    stopped : bool
        The user knows that no run is at work here any more, where drp cannot know.

    Returns
    -------
    Run or None
        The stopped run, if drp started it.

    Raises
    ------
    DataError
        A run is alive, or what is left of one cannot be ended. Then nothing was unlocked.
    """
    with locked():
        return _make_ready(unlock, say, stopped)


def _make_ready(unlock: Sequence[str], say: Callable[[str], None], stopped: bool) -> Run | None:
    run = read_run()
    by = holder(run, stopped=stopped)
    if by:
        raise DataError([held(by)])
    was_stopped = run is not None and not run.ended
    if run is not None and was_stopped:
        say(f"Run {run.run}, started on {run.host}, was stopped before its end.")
        _end_what_is_left(run, say)
    elif is_locked() and not stopped:
        raise DataError([_locked_by_another()])
    left = clear_temporaries(*(Path(name) for name in WRITTEN))
    if left:
        say(f"Removed {len(left)} unfinished files of stopped jobs.")
    if is_locked():
        say("Unlocking the folder.")
        _unlock(unlock)
    if run is not None and was_stopped:
        write_run(replace(run, ended=True))
    else:
        say("No run was stopped here: going on as drp run does.")
    return run


def is_locked() -> bool:
    """Whether the workflow manager's lock lies on the folder."""
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def _end_what_is_left(run: Run, say: Callable[[str], None]) -> None:
    if run.host == os.uname().nodename:
        # First, because one of them may be about to hand a job to the cluster.
        processes = stop_processes(run.run)
        if processes:
            say(f"Ended {len(processes)} of its processes: {', '.join(map(str, processes))}.")
    if not run.cluster:
        return
    say(f"Looking for its jobs on the cluster, named {run.job_prefix} ...")
    jobs = cancel_jobs(run.job_prefix)
    if jobs:
        say(f"Cancelled {len(jobs)} jobs, and they are gone: {', '.join(map(str, jobs))}.")
    else:
        say("There are none.")


def _unlock(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        words = " ".join((done.stdout + done.stderr).split())[-500:]
        problem = Problem(
            "project.not-unlocked",
            "error",
            Place(str(LOCKS)),
            f"the workflow manager could not unlock the folder: {words}",
            "Mend what it says, then run drp resume again.",
        )
        raise DataError([problem])


def _locked_by_another() -> Problem:
    return Problem(
        "project.locked",
        "error",
        Place(str(LOCKS)),
        "the folder is locked, and not by a run that drp started",
        "If snakemake is at work here, wait for it. If it was stopped, run drp resume --stopped.",
    )
