"""Check everything that can be wrong before any fit, and say all of it at once.

Sheets, configuration, layouts, exports and their fit together are read and checked as the stages
would read them, but nothing is computed and nothing is written. Nothing heavy is imported, so that
the answer is there in a second.
"""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.config import CONFIG_FILE, Config, read_config
from drp.members import member_problems
from drp.plain_tables import Columns
from drp.problems import DataError, Place, Problem, Problems, problem_of
from drp.provenance import digest, file_sha256, fingerprint
from drp.refusals import stops_run
from drp.sheetfiles import Row
from drp.sheets import SHEETS, Sheets, scan_sheets
from drp.storage import read_json, write_json

if TYPE_CHECKING:
    from drp.plan import Plan

RoleRow = tuple[str, str, str, str, int]


def processors(asked: str = "") -> int:
    """Give how many processes may work at once.

    Parameters
    ----------
    asked : str
        What the user asked for: a number, or ``all`` or nothing for what this process may use.

    Examples
    --------
    >>> processors("3"), processors() >= 1
    (3, True)
    """
    if asked.isdigit():
        return max(int(asked), 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class Checked:
    """What a check found.

    `problems` holds errors first; `roles` says what the words of each layout were taken for: file,
    word, substance, role, number of wells.
    """

    problems: list[Problem] = field(default_factory=list)
    roles: list[RoleRow] = field(default_factory=list)


def check_once(plan: "Plan", stamp: Path, processes: int = 1) -> list[Problem]:
    """Check a project, or give what the last check found if nothing it read has changed since.

    Parameters
    ----------
    plan : Plan
        The project.
    stamp : Path
        Where the outcome is kept, with the state of every file that was read.
    processes : int
        As in `check_project`.

    Returns
    -------
    list of Problem
        Warnings, and errors that keep some samples only from being computed: see `drp.refusals`.

    Raises
    ------
    DataError
        With every problem, if an error stops the run. Then nothing is written.
    """
    state = _state(plan)
    if stamp.is_file():
        last = read_json(stamp)
        if last["state"] == state:
            return [problem_of(values) for values in last["problems"]]
    problems = check_project(plan.config, plan.sheets, processes).problems
    if stops_run(problems, plan.sheets.plates):
        raise DataError(problems)
    kept = [problem.as_dict() for problem in problems]
    write_json(stamp, {"state": state, "problems": kept})
    return problems


def _state(plan: "Plan") -> str:
    """A hash of the code, the settings, the sheets, and size and time of every file."""
    files = []
    for name in [*plan.all_files, *plan.reference_files]:
        try:
            found = os.stat(name)  # noqa: PTH116 (a Path for each of 20,000 files takes three times as long)
            files.append([name, found.st_size, found.st_mtime_ns])
        except OSError:
            files.append([name, -1, -1])
    sheets = [getattr(plan.sheets, sheet) for sheet in SHEETS]
    return digest([_code(), plan.config.model_dump(mode="json"), sheets, files])


@cache
def _code() -> str:
    stages = [
        fingerprint(stage) for stage in ("plates", "wells", "quality", "cohort", "risk", "curves")
    ]
    here = Path(__file__)
    own = [file_sha256(path) for path in (here, here.with_name("plate_checks.py"))]
    return "".join([*stages, *own])


def check_folder(overrides: Mapping[str, Any], processes: int = 1) -> Checked:
    """Check the project in the current folder: sheets, configuration and all they name.

    A mistake in one sheet does not hide those in the others or in the exports.

    Parameters
    ----------
    overrides : mapping
        Top-level keys of the configuration to replace.
    processes : int
        As in `check_project`.
    """
    sheets, problems = scan_sheets(Path("config"))
    try:
        config = read_config(Path(CONFIG_FILE), dict(overrides))
    except DataError as fault:
        return Checked(_in_order([*fault.problems, *problems]))
    checked = check_project(config, sheets, processes)
    return Checked(_in_order([*problems, *checked.problems]), checked.roles)


def check_project(config: Config, sheets: Sheets, processes: int = 1) -> Checked:
    """Check what the sheets name: exports, layouts, wells, patients, drug names, reference.

    Parameters
    ----------
    config : Config
        The configuration.
    sheets : Sheets
        The sheets, which may have problems of their own.
    processes : int
        How many may work at once where there are many plates.
    """
    from drp.plate_checks import check_plates

    options = {name: options.model_dump() for name, options in config.layouts.items()}
    settings = {"read": config.read, "normalisation": config.normalisation.model_dump()}
    problems, layouts = check_plates(
        _rows_once(sheets.plates),
        sheets.exclusions,
        config.plates_folder,
        options,
        settings,
        processes,
    )
    problems += _patient_problems(config, sheets)
    problems += _drug_problems(layouts, config, sheets)
    problems += _reference_problems(config)
    problems += _version_problems(config, sheets)
    return Checked(_in_order(problems), _roles(layouts))


def _in_order(problems: list[Problem]) -> list[Problem]:
    once = list(dict.fromkeys(problems))
    return sorted(once, key=lambda problem: problem.severity == "warning")


def _rows_once(rows: list[Row]) -> list[Row]:
    """The first row of each plate; that an id stands twice is a problem of the sheet."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["plate"], row)
    return list(first.values())


def _roles(layouts: Columns) -> list[RoleRow]:
    from drp.plates.layouts import role_mapping

    files = [name.partition("#")[0] for name in layouts["layout"]]
    found: list[RoleRow] = []
    for file in dict.fromkeys(files):
        rows = [row for row, own in enumerate(files) if own == file]
        own = {name: [layouts[name][row] for row in rows] for name in ("raw_role", "drug", "role")}
        found += [(file, *entry) for entry in role_mapping(own)]
    return found


def _patient_problems(config: Config, sheets: Sheets) -> list[Problem]:
    from drp.risk.inputs import read_rows

    wanted = config.risk_systems and sheets.patients
    return read_rows(sheets.patients)[1] if wanted else []


def _drug_problems(layouts: Columns, config: Config, sheets: Sheets) -> list[Problem]:
    """Names the drug table does not know are allowed, but said; schedules must exist."""
    from drp.drug_sheets import drug_problems, laboratory_table
    from drp.drugs import cmax_nm, find, nearest

    found = Problems()
    found.extend(drug_problems(sheets.drugs, sheets.exposure, sheets.lines))
    if found.errors:
        return found.items  # what the table knows is not known
    table = laboratory_table(sheets.drugs, sheets.exposure)
    names = _drug_names(layouts)
    unknown = [name for name in names if find(name, table) is None]
    for name in unknown:
        near = nearest(name, table)
        if near is not None:
            found.warning(
                "drugs.misspelt",
                names[name],
                f"the drug table does not know {name!r}",
                f"If {near} is meant, write so; {name} is taken as a drug of its own.",
            )
    if unknown:
        found.warning(
            "drugs.unknown",
            Place(names[unknown[0]].file),
            f"the drug table does not know {len(unknown)} of {len(names)} drugs: "
            f"{', '.join(unknown)}",
            "Their class, targets and plasma level stay unknown.",
        )
    try:
        cmax_nm(names, config.exposure, table)
    except DataError as fault:
        found.extend(fault.problems)
    return found.items


def _drug_names(layouts: Columns) -> dict[str, Place]:
    """Each drug's name and the first place it stands in."""
    found: dict[str, Place] = {}
    for column in ("drug", "drug2", "drug3"):
        cells = zip(
            layouts[column], layouts["role"], layouts["layout"], layouts["locator"], strict=True
        )
        for name, role, layout, locator in cells:
            if role == "sample" and name:
                found.setdefault(name, Place(layout, locator))
    return dict(sorted(found.items()))


def _reference_problems(config: Config) -> list[Problem]:
    if not config.cohort.reference:
        return []
    path = Path(config.cohort.reference)
    if not path.is_file():
        return [
            Problem(
                "cohort.no-file",
                "error",
                Place("config.yaml", "key cohort.reference"),
                f"the file {path.name} is not there",
                "Correct its path, or leave it empty to compare within the project only.",
            )
        ]
    try:
        return member_problems(_tab_separated(path), path.name)
    except (ValueError, csv.Error) as fault:
        where, fix = Place(path.name), "Save it as tab-separated UTF-8 text."
        return [Problem("cohort.bad-reference", "error", where, str(fault), fix)]


def _version_problems(config: Config, sheets: Sheets) -> list[Problem]:
    """An approval can hold a sample only to a version of the reference that there is."""
    from drp.locks import newest_version, version_of

    found = Problems()
    named = [version_of(row["input_hash"]) for row in sheets.approvals]
    if not any(named) or not config.cohort.reference or config.cohort.within_run:
        return []
    newest = newest_version(Path(config.cohort.reference))
    lines = sheets.lines.get("approvals") or range(2, len(named) + 2)
    for line, version in zip(lines, named, strict=True):
        if version > newest:
            found.error(
                "cohort.unknown-version",
                Place("approvals.tsv", f"line {line}, column input_hash"),
                f"version {version} of the reference is named; the newest is {newest}",
                "Copy the input hash from the report, or put back the table it was made with.",
            )
    return found.items


def _tab_separated(path: Path) -> dict[str, list[str]]:
    """The columns of a table as text; lines that start with # are remarks."""
    with path.open(encoding="utf-8", newline="") as stream:
        lines = (line for line in stream if not line.startswith("#"))
        header, *rows = list(csv.reader(lines, delimiter="\t")) or [[]]
    widths = {len(row) for row in rows} - {len(header)}
    if not header or widths:
        raise ValueError("the table is empty, or its lines differ in the number of cells")
    return {name: [row[cell] for row in rows] for cell, name in enumerate(header)}
