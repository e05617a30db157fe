"""Whether the disk takes the results of a run: before it starts, and while it goes on."""

import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from drp.problems import DataError, Place, Problem
from drp.storage import TEMPORARY, disk_problem

WRITTEN = ("results", "reports", "logs", ".snakemake")
LEAST_FREE_MB = 32
_LOOK_S = 0.5  # between two looks at the disk


def check_writable() -> None:
    """Raise a `DataError` if the current folder cannot take results: full or read-only."""
    problems = [problem for name in WRITTEN if (problem := _trial(Path(name)))]
    if not problems and _is_short_of_room():
        problems.append(_short_of_room())
    if problems:
        raise DataError(problems)


def _trial(folder: Path) -> Problem | None:
    """Write a file into a folder and remove it; say what is wrong if that does not work."""
    trial = folder / f".trial.{secrets.token_hex(6)}{TEMPORARY}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(bytes(4096))
        trial.unlink()
    except OSError as fault:
        problem = disk_problem(fault, folder)
        if problem is None:
            raise
        with suppress(OSError):
            trial.unlink()
        return problem
    return None


def _is_short_of_room() -> bool:
    usage = shutil.disk_usage(".")
    return usage.total > 0 and usage.free < LEAST_FREE_MB * 1e6  # some file systems do not say


def _short_of_room() -> Problem:
    free = shutil.disk_usage(".").free / 1e6
    return Problem(
        "project.disk-full",
        "error",
        Place(),
        f"{free:.0f} MB are free on the disk; a run starts and goes on with {LEAST_FREE_MB} MB",
        "Make room, then run drp resume; what was finished is kept.",
    )


@contextmanager
def watched_disk(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End the run in good order while there is still room to say so and to note what is done.

    Parameters
    ----------
    process : subprocess.Popen
        The workflow manager.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_S):
            if _is_short_of_room():
                process.terminate()  # Snakemake then waits for the jobs that are at work
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
