"""Check everything that can be wrong before any fit, and say all of it at once.

Sheets, configuration, layouts, exports and their fit together are read and checked as the stages
would read them, but nothing is computed and nothing is written.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from drp.config import Config
from drp.problems import DataError, Place, Problem, Problems, problem_of
from drp.provenance import digest, file_sha256, fingerprint
from drp.sheetfiles import Row
from drp.sheets import SHEETS, layout_file
from drp.storage import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

    from drp.plan import Plan


def check_once(plan: "Plan", stamp: Path) -> list[Problem]:
    """Check a project, or give what the last check found if nothing it read has changed since.

    Parameters
    ----------
    plan : Plan
        The project.
    stamp : Path
        Where the outcome is kept, with the state of every file that was read.

    Returns
    -------
    list of Problem
        Warnings.

    Raises
    ------
    DataError
        With every problem, if one of them is an error. Then nothing is written.
    """
    state = _state(plan)
    if stamp.is_file():
        last = read_json(stamp)
        if last["state"] == state:
            return [problem_of(values) for values in last["problems"]]
    problems = check_project(plan)
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    kept = [problem.as_dict() for problem in problems]
    write_json(stamp, {"state": state, "problems": kept})
    return problems


def _state(plan: "Plan") -> str:
    """A hash of the code, the settings, the sheets, and size and time of every file."""
    files = []
    for name in [*plan.all_files, *plan.reference_files]:
        path = Path(name)
        found = path.stat() if path.is_file() else None
        files.append([name, found.st_size if found else -1, found.st_mtime_ns if found else -1])
    sheets = [getattr(plan.sheets, sheet) for sheet in SHEETS]
    return digest([_code(), plan.config.model_dump(mode="json"), sheets, files])


@cache
def _code() -> str:
    stages = [fingerprint(stage) for stage in ("plates", "wells", "cohort", "risk", "curves")]
    return "".join([*stages, file_sha256(Path(__file__))])


def check_project(plan: "Plan") -> list[Problem]:
    """Check a whole project: exports, layouts, wells, patients, drug names, reference.

    Parameters
    ----------
    plan : Plan
        With sheets and configuration that were checked when they were read.

    Returns
    -------
    list of Problem
        Errors first, otherwise in the order of the sheets.
    """
    from drp.plates.from_sheets import read_plates
    from drp.wells import join_wells

    config, sheets = plan.config, plan.sheets
    layouts = {name: options.model_dump() for name, options in config.layouts.items()}
    read = read_plates(sheets.plates, config.plates_folder, layouts)
    found = read.problems
    found.extend(read.unused)
    broken = {problem.where.file for problem in found.errors}
    sound = [row for row in sheets.plates if not _names(broken, row)]
    join_wells(
        read.reads,
        read.layouts,
        sound,
        sheets.exclusions,
        read=config.read,
        normalisation=config.normalisation.model_dump(),
        found=found,
    )
    found.extend(_patient_problems(plan))
    found.extend(_drug_problems(read.layouts, config))
    found.extend(_reference_problems(config))
    return sorted(found.items, key=lambda problem: problem.severity == "warning")


def _names(broken: set[str], row: Row) -> set[str]:
    """Of the files a row names, those with an error (problems give names without folders)."""
    names = (row["file"], layout_file(row))
    return {name for name in names if Path(name).name in broken}


def _patient_problems(plan: "Plan") -> list[Problem]:
    import pandas as pd

    from drp.risk import scan_patients

    rows = plan.sheets.patients if plan.config.risk_systems else []
    return scan_patients(pd.DataFrame(rows, dtype=str)) if rows else []


def _drug_problems(layouts: "pd.DataFrame", config: Config) -> list[Problem]:
    """Names the drug table does not know are allowed, but said; schedules must exist."""
    from drp.drugs import cmax_nm, find, nearest

    found = Problems()
    names = _drug_names(layouts)
    unknown = [name for name in names if find(name) is None]
    for name in unknown:
        near = nearest(name)
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
        cmax_nm(names, config.exposure)
    except DataError as fault:
        found.extend(fault.problems)
    return found.items


def _drug_names(layouts: "pd.DataFrame") -> dict[str, Place]:
    """Each drug's name and the first place it stands in."""
    drugs = layouts[layouts["role"] == "sample"]
    found: dict[str, Place] = {}
    for column in ("drug", "drug2", "drug3"):
        for row in drugs[drugs[column] != ""].drop_duplicates(column).to_dict("records"):
            place = Place(str(row["layout"]), str(row["locator"]))
            found.setdefault(str(row[column]), place)
    return dict(sorted(found.items()))


def _reference_problems(config: Config) -> list[Problem]:
    import pandas as pd

    from drp.cohort import read_members

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
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
        read_members(frame, path.name)
    except DataError as fault:
        return fault.problems
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        reason = " ".join(str(fault).split())
        where = Place(path.name)
        fix = "Save it as tab-separated UTF-8 text."
        return [Problem("cohort.bad-reference", "error", where, reason, fix)]
    return []
