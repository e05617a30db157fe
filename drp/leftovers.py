"""Processes of a run that outlived it on this machine.

When the workflow manager is killed, the jobs it had started go on. They carry their run's id in
their environment, which is how they are found; where there is no `/proc` they cannot be, and the id
still keeps them from replacing a file once another run has begun.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from drp.problems import DataError, Place, Problem
from drp.run_record import process_start
from drp.storage import RUN_VARIABLE

_PROC = Path("/proc")


def processes_of(run: str) -> list[int]:
    """Give the living processes of a run on this machine, but for those a cluster looks after.

    >>> processes_of("no-such-run")
    []
    """
    marker = f"{RUN_VARIABLE}={run}".encode()
    found = []
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # ended in the meantime, or another user's
            variables = (folder / "environ").read_bytes().split(b"\0")
            of_cluster = any(part.startswith(b"SLURM_JOB_ID=") for part in variables)
            pid = int(folder.name)
            if marker in variables and not of_cluster and process_start(pid):
                found.append(pid)
    return sorted(set(found) - {os.getpid()})


def stop_processes(run: str, *, patience_s: float = 10) -> list[int]:
    """End the processes of a run: ask them first, then make them.

    They write nothing that counts before it is whole, so that ending them loses only time.

    Parameters
    ----------
    run : str
        The run's id.
    patience_s : float
        Seconds between asking and making, and again until they must be gone.

    Returns
    -------
    list of int
        The processes that were there.

    Raises
    ------
    DataError
        Some are still there.
    """
    stopped: set[int] = set()
    for word in (signal.SIGTERM, signal.SIGKILL):
        left = processes_of(run)
        stopped.update(left)
        _send(left, word)
        end = time.monotonic() + patience_s
        while left and time.monotonic() < end:
            time.sleep(0.1)
            left = processes_of(run)
        if not left:
            return sorted(stopped)
    raise DataError([_not_ended(left)])


def _send(pids: Iterable[int], word: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, word)


def _not_ended(pids: list[int]) -> Problem:
    return Problem(
        "project.processes-not-gone",
        "error",
        Place(),
        f"processes of the last run do not end: {', '.join(map(str, pids))}",
        "They wait for a disk that does not answer, or belong to another user. When they are gone, "
        "run drp resume again. Nothing was unlocked.",
    )
