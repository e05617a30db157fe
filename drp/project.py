"""A laboratory's project folder: what ships with drp, and starting an empty project."""

import shutil
from pathlib import Path

from drp.problems import DataError, Place, Problem
from drp.sheets import SHEETS
from drp.storage import write_text

PACKAGE = Path(__file__).resolve().parent

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
