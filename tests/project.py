"""Running drp on a project folder as a user would, and asking what a run would do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EPOCH = "1762520400"


def copy_demo(folder: Path) -> Path:
    """Copy the simulated run that ships with drp, without any result."""
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "plates", folder / "plates")
    return folder


def copy_part_of_demo(folder: Path, *patients: str) -> Path:
    """Copy the simulated run with some of its patients only, without the plates' review pages."""
    copy_demo(folder)
    for sheet in ("plates", "samples", "patients"):
        path = folder / "config" / f"{sheet}.tsv"
        remark, header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if any(patient in line for patient in patients)]
        path.write_text("".join([remark, header, *kept]), encoding="utf-8")
    exclusions = folder / "config" / "exclusions.tsv"
    exclusions.unlink()
    with (folder / "config" / "config.yaml").open("a", encoding="utf-8") as stream:
        stream.write("plate_review: false\nbatches: 1\n")
    return folder


def drp(*arguments: str, folder: Path, code: Path = ROOT, **environment: str):
    """Run `drp` in a folder, with the package and workflow of `code`."""
    return _run([sys.executable, "-m", "drp", *arguments], folder, code, environment)


def planned(folder: Path, code: Path = ROOT) -> dict[str, int]:
    """Jobs that a run would do now, by rule; empty if there is nothing to do."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = _run([*command, "--snakefile", str(code / "workflow" / "Snakefile")], folder, code, {})
    assert done.returncode == 0, done.stdout + done.stderr
    table = re.search(r"^Job stats:\n(.*?)^total ", done.stdout + done.stderr, re.M | re.S)
    if table is None:
        return {}
    rows = re.findall(r"^(\w+) +(\d+)$", table[1], re.M)
    return {rule: int(count) for rule, count in rows if rule != "all"}


def _run(command: list[str], folder: Path, code: Path, environment: dict[str, str]):
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(code)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
