"""Which run holds a project folder: its id, its processes, its cluster.

The record is written when a run starts and says so when it ended, so that `drp resume` knows, after
any kind of stop, what may still be at work. A lock on a file beside it ends with the last process
that holds it, however it ends; where the file system knows no locks, the record alone decides.
"""

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from drp.problems import DataError, Place, Problem
from drp.storage import RUN_FILE, read_json, write_json

LOCK_FILE = RUN_FILE.with_name("run.lock")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Run:
    """One start of the workflow.

    Attributes
    ----------
    run : str
        The id of the run, in the names of its cluster jobs and the environment of its jobs.
    host : str
        The machine it was started on.
    processes : dict of str to str
        Process id → when that process started, so that a later process with the same number is
        not taken for it.
    cluster : str
        ``slurm``, or empty if the jobs run on this machine.
    options : dict
        What the user asked for: cores, profile, plates_folder, extra arguments.
    ended : bool
        Whether it came to its end, be it with failed jobs.
    """

    run: str
    host: str
    processes: dict[str, str] = field(default_factory=dict)
    cluster: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    ended: bool = False

    @property
    def job_prefix(self) -> str:
        """How the names of its cluster jobs begin.

        >>> Run("4f2a9c", "login1").job_prefix
        'drp-4f2a9c'
        """
        return f"drp-{self.run}"


def new_run(cluster: str = "", options: Mapping[str, Any] | None = None) -> Run:
    """Give a run of this process, with an id no other run has."""
    asked = dict(options or {})
    run = Run(uuid.uuid4().hex[:12], os.uname().nodename, cluster=cluster, options=asked)
    return with_process(run, os.getpid())


def with_process(run: Run, pid: int) -> Run:
    """Add a process to a run."""
    return replace(run, processes=run.processes | {str(pid): process_start(pid)})


def write_run(run: Run) -> None:
    """Write the record of a run."""
    write_json(RUN_FILE, asdict(run))


def read_run() -> Run | None:
    """Read the record of the last run in the current folder; None if there was none.

    Raises
    ------
    DataError
        The record cannot be understood.
    """
    if not RUN_FILE.is_file():
        return None
    try:
        return Run(**read_json(RUN_FILE))
    except (TypeError, ValueError) as fault:
        raise DataError(
            [
                Problem(
                    "project.bad-run-record",
                    "error",
                    Place(str(RUN_FILE)),
                    "the record of the last run cannot be understood",
                    "If no run is at work in this folder, delete the file and run drp resume.",
                )
            ]
        ) from fault


def process_start(pid: int) -> str:
    """Say when a process started, in a form that never repeats; empty if there is no such process.

    A zombie has ended. Without `/proc` (macOS) the time is to the second.

    >>> process_start(os.getpid()) == process_start(os.getpid()) != ""
    True
    """
    if not _PROC.joinpath("self/stat").exists():
        command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip()
    try:
        fields = _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    return "" if fields[0] == "Z" else f"{boot}:{fields[19]}"


def holder(run: Run | None, *, stopped: bool = False) -> str:
    """Say which process holds the current folder; empty if none is alive.

    Parameters
    ----------
    run : Run or None
        The record of the last run.
    stopped : bool
        The user knows that a run on another machine has stopped: that machine cannot be asked.

    Examples
    --------
    >>> holder(Run("4f2a9c", "login1", {"4711": "then"}))
    'process 4711 on login1'
    >>> holder(Run("4f2a9c", "login1", {"4711": "then"}), stopped=True)
    ''
    """
    if run is None or run.ended:
        return ""
    if run.host != os.uname().nodename:
        return "" if stopped else f"process {', '.join(run.processes) or 'unknown'} on {run.host}"
    alive = [pid for pid, start in run.processes.items() if start == process_start(int(pid)) != ""]
    return f"process {', '.join(alive)} on this machine" if alive else ""


@contextmanager
def locked() -> Iterator[int | None]:
    """Hold the folder's lock; give its file descriptor, or None where there are no locks.

    A process that inherits the descriptor holds the lock as well, so it outlives this process if
    the workflow manager does.

    Raises
    ------
    DataError
        Another process has the lock.
    """
    LOCK_FILE.parent.mkdir(parents=True, exist_ok=True)
    with LOCK_FILE.open("a") as stream:
        try:
            _lock(stream)
        except BlockingIOError:
            raise DataError([held(holder(read_run()) or "another process")]) from None
        except OSError:  # a file system without locks
            yield None
        else:
            yield stream.fileno()


def _lock(stream: IO[str]) -> None:
    import fcntl

    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def held(by: str) -> Problem:
    """Say that a run is at work in the folder."""
    elsewhere = not by.endswith("on this machine") and " on " in by
    known = " If that machine has stopped or been restarted, add --stopped to drp resume."
    return Problem(
        "project.held",
        "error",
        Place(str(RUN_FILE)),
        f"a run is still at work in this folder: {by}",
        "Wait for it, or stop it first." + (known if elsewhere else ""),
    )
