"""What drp asks of SLURM: which jobs of a run there are, what became of them, and to cancel them.

Only SLURM's own commands are used. Whatever cannot be learned from them is an error, never taken
for "no jobs": a job that is overlooked might write into the folder later.
"""

import shutil
import subprocess
import time
from dataclasses import dataclass

from drp.problems import DataError, Place, Problem

_PATIENCE_S = 90  # SLURM's commands themselves try for a minute
_COLUMNS = "%i|%T|%N|%j|%k"
_CANCELLED_AT_ONCE = 500  # job ids on one command line


@dataclass(frozen=True, slots=True)
class ClusterJob:
    """A job as the cluster knows it: its number, state, node, name, and what it computes."""

    number: str
    state: str
    node: str
    name: str
    task: str

    def __str__(self) -> str:
        node = f" on {self.node}" if self.node else ""
        return f"{self.number} ({self.task or self.name}, {self.state}{node})"


def live_jobs(prefix: str) -> list[ClusterJob]:
    """Jobs of a run that wait, run, or are being ended.

    Parameters
    ----------
    prefix : str
        How the names of the run's jobs begin.

    Raises
    ------
    DataError
        The cluster cannot be asked.
    """
    return _jobs(prefix, _ask("squeue", "--noheader", f"--format={_COLUMNS}"))


def ended_badly(prefix: str) -> list[ClusterJob]:
    """Jobs of a run that did not end well and were not made good by a later attempt.

    Only those that the controller still remembers.
    """
    listed = _ask("squeue", "--noheader", "--states=all", f"--format={_COLUMNS}")
    jobs = _jobs(prefix, listed)
    done = {job.task for job in jobs if job.state == "COMPLETED" and job.task}
    fine = {"COMPLETED", "PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED"}
    return [job for job in jobs if job.state not in fine and job.task not in done]


def _jobs(prefix: str, listed: str) -> list[ClusterJob]:
    rows = [line.split("|", 4) for line in listed.splitlines() if line.count("|") >= 4]
    jobs = [ClusterJob(*(part.strip() for part in row)) for row in rows]
    return [job for job in jobs if job.name.startswith(f"{prefix}_")]


def cancel_jobs(prefix: str, *, patience_s: float = 120, pause_s: float = 1) -> list[ClusterJob]:
    """Cancel every job of a run and wait until none is left.

    Parameters
    ----------
    prefix : str
        How the names of the run's jobs begin.
    patience_s : float
        Seconds to wait until the last one is gone.
    pause_s : float
        Seconds between two looks.

    Returns
    -------
    list of ClusterJob
        The jobs that were there.

    Raises
    ------
    DataError
        The cluster cannot be asked, or jobs are still there at the end.
    """
    found = {job.number: job for job in live_jobs(prefix)}
    left, end = list(found.values()), time.monotonic() + patience_s
    asked: set[str] = set()
    while left:
        new = [job.number for job in left if job.number not in asked]
        for first in range(0, len(new), _CANCELLED_AT_ONCE):
            _ask("scancel", *new[first : first + _CANCELLED_AT_ONCE])
        asked.update(new)
        if time.monotonic() > end:
            raise DataError([_not_gone(left)])
        time.sleep(pause_s)
        left = live_jobs(prefix)
        found |= {job.number: job for job in left}
    return list(found.values())


def has_accounting() -> bool:
    """Whether finished jobs can be looked up in an accounting database."""
    settings = _ask("scontrol", "show", "config").splitlines()
    kinds = [line.partition("=")[2].strip() for line in settings if "AccountingStorageType" in line]
    return bool(kinds) and kinds[0] not in ("", "(null)", "accounting_storage/none")


def _not_gone(jobs: list[ClusterJob]) -> Problem:
    return Problem(
        "project.jobs-not-gone",
        "error",
        Place(),
        f"{len(jobs)} cancelled cluster jobs of the last run are still there: "
        f"{', '.join(map(str, jobs))}",
        "Ask whoever runs the cluster about their nodes; when the jobs are gone, run drp resume "
        "again. Nothing was unlocked.",
    )


def _ask(command: str, *arguments: str) -> str:
    """Run one of SLURM's commands and give its answer."""
    path = shutil.which(command)
    if path is None:
        raise DataError([_unreachable(f"the command {command} is not on this machine")])
    try:
        done = subprocess.run(  # noqa: S603 (no shell; a fixed command)
            [path, *arguments], capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise DataError([_unreachable(f"{command} gave no answer in {_PATIENCE_S} s")]) from None
    if done.returncode and "Invalid job id" not in done.stderr:  # ended in the meantime
        words = " ".join(done.stderr.split())
        raise DataError([_unreachable(f"{command} failed: {words}")])
    return done.stdout


def _unreachable(found: str) -> Problem:
    return Problem(
        "project.no-cluster",
        "error",
        Place(),
        f"SLURM cannot be asked: {found}",
        "Go to a machine of the cluster, or wait until it answers. Nothing was changed.",
    )
