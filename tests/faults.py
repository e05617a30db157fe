"""Stopping a run in the middle, and comparing what stands there in the end."""

import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from drp.storage import TEMPORARY
from tests.project import EPOCH, ROOT

# What a power cut, a tired administrator, and a shortage of memory each leave alive.
KINDS = ("both heads", "only snakemake", "only drp", "everything")

# A usable sample and a failed one, of the demonstration.
TWO_PATIENTS = ("P01", "P04")


def outcome(folder: Path) -> dict[str, str]:
    """SHA-256 of every result and report; what a run says about itself is not among them."""
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in outcome_names(folder)
    }


def outcome_names(folder: Path) -> list[str]:
    """Every result and report under its final name."""
    patterns = ("results/**/*.parquet", "results/groups/**/*.json", "reports/**/*")
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    hidden = {path for path in paths if any(part.startswith(".") for part in path.parts)}
    return sorted(str(path.relative_to(folder)) for path in paths - hidden if path.is_file())


def unfinished(folder: Path) -> list[Path]:
    """Files under temporary names."""
    return sorted(folder.rglob(f".*{TEMPORARY}"))


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start `drp` in a folder, in a process group of its own; what it says goes beside it."""
    own = {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": EPOCH}
    with folder.with_suffix(".said").open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "drp", *arguments],
            cwd=folder,
            env=os.environ | own | environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def said(folder: Path) -> str:
    """Everything that was said in a folder so far."""
    return folder.with_suffix(".said").read_text(encoding="utf-8", errors="replace")


def snakemake_of(process: subprocess.Popen, folder: Path) -> list[int]:
    """The workflow manager that a `drp` has started, if it has by now."""
    path = folder / "results" / "run.json"
    if not path.is_file():
        return []
    run = json.loads(path.read_text(encoding="utf-8"))
    if run["ended"] or str(process.pid) not in run["processes"]:
        return []
    return [int(pid) for pid in run["processes"] if int(pid) != process.pid]


def stop(process: subprocess.Popen, folder: Path, kind: str) -> None:
    """Kill what `kind` says with signal 9, and wait until `drp` is gone."""
    workflow = snakemake_of(process, folder)
    with suppress(ProcessLookupError):
        if kind == "everything":
            os.killpg(process.pid, signal.SIGKILL)
        if kind in ("both heads", "only drp"):
            process.kill()
        if kind in ("both heads", "only snakemake"):
            for pid in workflow:
                os.kill(pid, signal.SIGKILL)
    if kind == "only drp":  # its Snakemake lives: resume is refused until that is stopped too
        process.wait()
        if workflow:
            refused = start(folder, "resume")
            assert refused.wait(120) == 1, said(folder)
            assert "project.held" in said(folder)
        for pid in workflow:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait(120)


def stopped_and_resumed(
    folder: Path, seed: int, files: int, *arguments: str, **environment: str
) -> dict[str, object]:
    """Run, kill at a random moment, resume; say when, how, and how it ended.

    `files` is how many an undisturbed run writes. The moment is when a random number of them is
    there, and up to two seconds later, but no later than the last of them: moments spread over the
    run on a fast and a slow machine. `finished` says that the run was quicker all the same.
    """
    draw = random.Random(seed)
    kind, count, delay = KINDS[seed % len(KINDS)], draw.randrange(files), draw.uniform(0, 2)
    process = start(folder, "run", *arguments, **environment)
    _wait_for_files(process, folder, count)
    _wait_for_files(process, folder, files, delay)
    finished = process.poll() is not None
    stop(process, folder, kind)
    done = len(outcome_names(folder))
    resumed = start(folder, "resume", *(() if snakemake_ran(folder) else arguments), **environment)
    code = resumed.wait(1800)
    return {"seed": seed, "kind": kind, "finished": finished, "files": done, "code": code}


def _wait_for_files(
    process: subprocess.Popen, folder: Path, count: int, seconds: float = math.inf
) -> None:
    """Wait until so many results are there, the time is up, or the run has ended."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end and len(outcome_names(folder)) < count:
        time.sleep(0.02)


def snakemake_ran(folder: Path) -> bool:
    """Whether the run came as far as having a record, in which its arguments stand."""
    return (folder / "results" / "run.json").is_file()


def timed_run(folder: Path, *arguments: str, **environment: str) -> float:
    """Run undisturbed and give the seconds it took."""
    begin = time.monotonic()
    assert start(folder, "run", *arguments, **environment).wait(1800) == 0, said(folder)
    return time.monotonic() - begin
