"""Handing a project to the workflow manager: on this machine or a cluster, one run at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from drp.disk import check_writable, watched_disk
from drp.preloaded import preloaded
from drp.problems import DataError, Place, Problem
from drp.progress import Progress, harmless_line
from drp.project import shipped
from drp.run_record import Run, held, holder, locked, new_run, read_run, with_process, write_run
from drp.slurm import has_accounting
from drp.storage import RUN_VARIABLE

LOG_FILE = Path("logs/run.log")  # what the workflow manager said in the last run
_LAST_LINES = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked of a run.

    Attributes
    ----------
    cores : str
        How many processors; empty for all of this machine, or as many as the cluster gives.
    profile : str
        A profile's name or folder: ``slurm``, or one of the laboratory's own.
    plates_folder : str
        Where the exports lie, if not where the configuration says.
    extra : tuple of str
        Arguments for Snakemake.
    """

    cores: str = ""
    profile: str = ""
    plates_folder: str = ""
    extra: tuple[str, ...] = ()

    @property
    def overrides(self) -> dict[str, Any]:
        """Keys of the configuration that are replaced."""
        return {"plates_folder": self.plates_folder} if self.plates_folder else {}

    @property
    def cluster(self) -> str:
        """The cluster the jobs go to: ``slurm``, or empty.

        >>> Asked(extra=("--executor", "slurm")).cluster, Asked().cluster
        ('slurm', '')
        """
        named = zip(("", *self.extra), (*self.extra, ""), strict=True)
        by_hand = any(
            word in ("--executor=slurm", "-e=slurm")
            or (word == "slurm" and before in ("--executor", "-e"))
            for before, word in named
        )
        return "slurm" if by_hand or _is_for_slurm(profile_folder(self.profile)) else ""


def _is_for_slurm(folder: str) -> bool:
    import yaml

    for name in ("profile.yaml", "config.yaml"):
        path = Path(folder) / name
        if folder and path.is_file():
            settings = yaml.safe_load(path.read_text(encoding="utf-8"))
            return isinstance(settings, dict) and settings.get("executor") == "slurm"
    return False


def profile_folder(name: str) -> str:
    """Find a profile: the project's own goes before one that ships with drp.

    >>> Path(profile_folder("slurm")).name
    'slurm'
    """
    for folder in (Path(name), Path("profiles") / name, shipped("workflow") / "profiles" / name):
        if name and folder.is_dir():
            return str(folder)
    return name


def snakemake_command(asked: Asked, run: Run | None = None) -> list[str]:
    """Give the command that runs the workflow in the current folder."""
    # Both start Snakemake; on this machine without its limit on jobs per second, which spares a
    # cluster's controller.
    command = [sys.executable, "-m", "drp.cluster_manager" if asked.cluster else "drp.manager"]
    command += ["--snakefile", str(shipped("workflow") / "Snakefile")]
    if asked.cores or not asked.cluster:  # on a cluster it would be the most that all jobs may use
        command += ["--cores", asked.cores or "all"]
    if asked.profile:
        command += ["--profile", profile_folder(asked.profile)]
    if asked.overrides:
        pairs = asked.overrides.items()
        command += ["--config", *(f"{key}={json.dumps(value)}" for key, value in pairs)]
    if run is not None and asked.cluster:
        command += cluster_arguments(run, asked.extra)
    return [*command, *asked.extra]


def cluster_arguments(run: Run, extra: tuple[str, ...]) -> list[str]:
    """Give what the SLURM plugin is told: jobs named by run; without accounting, ask squeue.

    Where nothing keeps accounts the plugin would ask `sacct` all the same and wait for ever.
    """
    given = {argument.partition("=")[0] for argument in extra}
    arguments = [f"--slurm-jobname-prefix={run.job_prefix}"]
    if not given & {"--slurm-status-command", "--slurm-no-account"} and not has_accounting():
        arguments += ["--slurm-status-command=squeue", "--slurm-no-account"]
    return arguments


def unlock_command() -> list[str]:
    """Give the command that takes the workflow manager's lock off the folder."""
    return snakemake_command(Asked(cores="1", extra=("--unlock",)))


def run_workflow(asked: Asked, say: Callable[[str], None] | None = None) -> int:
    """Run the workflow in the current folder and give its exit code.

    While it runs, `results/run.json` says which run holds the folder; afterwards, that it ended.

    Parameters
    ----------
    asked : Asked
        What the user asked for.
    say : function, optional
        Gets a line of progress at a time, and the manager's own output goes to `LOG_FILE`; by
        default that output goes where ours does.

    Returns
    -------
    int
        Below 0 if Snakemake itself was killed: the run did not end, and `drp resume` goes on.

    Raises
    ------
    DataError
        A run is alive or was stopped here, the cluster does not answer, or the disk is full or
        read-only. Then nothing was started.
    """
    check_writable()
    with locked() as lock:
        check_free()
        run = new_run(asked.cluster, asdict(asked))
        command = snakemake_command(asked, run)
        write_run(run)
        helper: AbstractContextManager[dict[str, str]] = preloaded()
        if asked.cluster:  # its nodes do not reach a process of this machine
            helper = nullcontext({})
        with (
            _marked(run),
            helper as given,
            _started(command, os.environ | given, lock, quiet=say is not None) as process,
        ):
            write_run(with_process(run, process.pid))
            with _patient(process), watched_disk(process):
                code = process.wait() if say is None else _followed(process, say)
        if code >= 0:
            write_run(replace(run, ended=True))
    return code


def _started(
    command: list[str], environment: dict[str, str], lock: int | None, *, quiet: bool
) -> "subprocess.Popen[str]":
    streams: dict[str, Any] = {}
    if quiet:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    kept = [] if lock is None else [lock]
    return subprocess.Popen(command, env=environment, pass_fds=kept, text=True, **streams)  # noqa: S603 (our own command, no shell)


def _followed(process: "subprocess.Popen[str]", say: Callable[[str], None]) -> int:
    """Put the output of the workflow manager into a file, and say what it means."""
    progress = Progress(clock=time.monotonic)
    kept: deque[str] = deque(maxlen=_LAST_LINES)
    LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
    log = LOG_FILE.open("w", encoding="utf-8")
    try:
        for line in process.stdout or ():
            kept.append(line)
            words = [harmless_line(part) for part in progress.read(line)]
            for part in words:
                say(part)
            _note(log, [line, *(f"drp: {part}\n" for part in words)])
    finally:
        with suppress(OSError):  # what could not be written before cannot be written now
            log.close()
    code = process.wait()
    if code and not progress.failed:  # it failed by itself: its own words
        for line in kept:
            say(harmless_line(line.rstrip("\n")))
    return code


def _note(log: IO[str], lines: list[str]) -> None:
    """Write lines into the log; a disk that is full is said at the end of the run."""
    with suppress(OSError):
        log.writelines(lines)
        log.flush()


@contextmanager
def _marked(run: Run) -> Iterator[None]:
    """Let every process that is started here carry the run's id, by which it is found again."""
    os.environ[RUN_VARIABLE] = run.run
    try:
        yield
    finally:
        del os.environ[RUN_VARIABLE]


def as_before(asked: Asked, run: Run | None) -> Asked:
    """Take over what the last run was asked, wherever nothing else is asked now.

    >>> before = Run("4f2a9c", "login1", options={"profile": "slurm", "extra": ["--jobs", "9"]})
    >>> as_before(Asked(cores="2"), before)
    Asked(cores='2', profile='slurm', plates_folder='', extra=('--jobs', '9'))
    """
    before = {} if run is None else run.options
    return Asked(
        asked.cores or before.get("cores", ""),
        asked.profile or before.get("profile", ""),
        asked.plates_folder or before.get("plates_folder", ""),
        asked.extra or tuple(before.get("extra", ())),
    )


def check_free() -> None:
    """Raise a `DataError` if a run is alive in the current folder, or was stopped in it."""
    run = read_run()
    by = holder(run)
    if by:
        raise DataError([held(by)])
    if run is not None and not run.ended:
        raise DataError(
            [
                Problem(
                    "project.stopped",
                    "error",
                    Place("results/run.json"),
                    f"run {run.run} was stopped before its end",
                    "Run drp resume: it ends what is left of that run, then goes on.",
                )
            ]
        )


@contextmanager
def _patient(process: subprocess.Popen[Any]) -> Iterator[None]:
    """While Snakemake ends, leave it the time: killed, it would leave locks and jobs behind.

    Ctrl-C at a terminal reaches it by itself; a request to end is passed on.
    """
    kept = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(
            signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM)
        ),
    }
    try:
        yield
    finally:
        for word, action in kept.items():
            signal.signal(word, action)
