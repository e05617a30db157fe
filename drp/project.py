"""A laboratory's project folder: starting one, and handing it to the workflow manager."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from drp.preloaded import preloaded
from drp.problems import DataError, Place, Problem
from drp.progress import Progress, harmless_line
from drp.sheets import SHEETS
from drp.storage import read_json, write_json, write_text

PACKAGE = Path(__file__).resolve().parent
RUN_FILE = Path("results/run.json")
LOG_FILE = Path("logs/run.log")  # what the workflow manager said in the last run
_LAST_LINES = 30

_STARTING_CONFIG = """\
# The configuration of this project. Every key is explained in README.md beside this file.
title: Ex vivo drug response
laboratory: not stated
assay:
  name: my-assay-72h     # samples are compared only within one assay
  readout: not stated    # for example CellTiter-Glo luminescence
  hours: 72
  culture: not stated    # for example monoculture
"""


def shipped(folder: str) -> Path:
    """Find a folder that ships with drp (`workflow`, `config`), installed or in a checkout."""
    for root in (PACKAGE / "_project", PACKAGE.parent):
        if (root / folder).is_dir():
            return root / folder
    raise FileNotFoundError(f"the folder {folder} of drp is missing: install drp again")


def start_project(folder: Path) -> list[Path]:
    """Write an empty project: configuration, sheets with their headers, folders for plates.

    Raises
    ------
    DataError
        The folder already holds a configuration; nothing is overwritten.
    """
    config = folder / "config"
    if config.exists():
        raise DataError(
            [
                Problem(
                    "project.exists",
                    "error",
                    Place(folder.name),
                    "the folder already holds a project",
                    "Choose an empty folder; drp never overwrites a project.",
                )
            ]
        )
    for name in ("config", "plates", "reports"):
        (folder / name).mkdir(parents=True)
    write_text(config / "config.yaml", _STARTING_CONFIG)
    for sheet, (required, further, _) in SHEETS.items():
        write_text(config / f"{sheet}.tsv", "\t".join(required + further) + "\n")
    shutil.copyfile(shipped("config") / "README.md", config / "README.md")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def snakemake_command(cores: str, overrides: Mapping[str, Any], extra: Iterable[str]) -> list[str]:
    """Give the command that runs the workflow in the current folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", cores]
    command += ["--snakefile", str(shipped("workflow") / "Snakefile")]
    if overrides:
        command += ["--config", *(f"{key}={json.dumps(value)}" for key, value in overrides.items())]
    return [*command, *extra]


def run_workflow(
    cores: str,
    overrides: Mapping[str, Any],
    extra: Sequence[str] = (),
    say: Callable[[str], None] | None = None,
) -> int:
    """Run the workflow in the current folder and give its exit code.

    While it runs, `results/run.json` says which process on which machine holds the folder.

    Parameters
    ----------
    cores : str
        How many processors to use.
    overrides : mapping
        Top-level keys of the configuration to replace.
    extra : sequence of str
        Further arguments of the workflow manager.
    say : function, optional
        Gets a line of progress at a time, and the manager's own output goes to `LOG_FILE`; by
        default that output goes where ours does.
    """
    write_json(RUN_FILE, {"pid": os.getpid(), "host": os.uname().nodename})
    command = snakemake_command(cores, overrides, extra)
    elsewhere = {"--executor", "-e", "--profile", "--unlock"} & set(command)
    helper: AbstractContextManager[dict[str, str]] = nullcontext({}) if elsewhere else preloaded()
    try:
        with helper as given:
            if say is None:
                return subprocess.run(command, env=os.environ | given, check=False).returncode  # noqa: S603 (our own command, no shell)
            return _watched(command, os.environ | given, say)
    finally:
        RUN_FILE.unlink(missing_ok=True)


def _watched(command: list[str], environment: dict[str, str], say: Callable[[str], None]) -> int:
    """Run the workflow manager; its output goes to a file, what it means is said."""
    progress = Progress(clock=time.monotonic)
    LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with (
        LOG_FILE.open("w", encoding="utf-8") as log,
        subprocess.Popen(command, env=environment, text=True, errors="replace", **pipes) as manager,  # noqa: S603 (our own command, no shell)
    ):
        kept: deque[str] = deque(maxlen=_LAST_LINES)
        for line in manager.stdout or ():
            log.write(line)
            kept.append(line)
            for words in progress.read(line):
                say(harmless_line(words))
                log.write(f"drp: {harmless_line(words)}\n")
            log.flush()
    if manager.returncode and not progress.failed:  # it failed by itself: its own words
        for line in kept:
            say(harmless_line(line.rstrip("\n")))
    return manager.returncode


def holder() -> str:
    """Say which process holds the current folder; empty if none is known to be alive.

    A process of another machine cannot be asked, so it counts as alive.
    """
    if not RUN_FILE.is_file():
        return ""
    run = read_json(RUN_FILE)
    if run["host"] != os.uname().nodename:
        return f"process {run['pid']} on {run['host']}"
    try:
        os.kill(run["pid"], 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return f"process {run['pid']} on this machine"
