"""The sheet of patients: rows into facts, and every fault named with its row and column."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drp.problems import Place, Problem, Problems
from drp.risk.patient import SHEET, UNKNOWN, Patient, read_patient
from drp.tables import PATIENT_COLUMNS as COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def scan_patients(patients: "pd.DataFrame") -> list[Problem]:
    """Find everything that is wrong with the sheet of patients.

    Parameters
    ----------
    patients : pandas.DataFrame
        Rows of ``patients.tsv``, as text; see `drp.risk.classify_risk`.

    Returns
    -------
    list of Problem
        Errors and warnings, located by patient and column, in the order of the patients; empty
        if all is well.

    Examples
    --------
    >>> import pandas as pd
    >>> for problem in scan_patients(pd.DataFrame({"patient": ["P01"], "eoi_mrd": ["0.1"]})):
    ...     print(problem)
    error risk.mrd-unit: patients.tsv, row for P01, column eoi_mrd: MRD '0.1' has no unit: ...
    """
    return read_patients(patients)[1]


def read_patients(patients: "pd.DataFrame") -> tuple[list[Patient], list[Problem]]:
    """Read the sheet of patients.

    Parameters
    ----------
    patients : pandas.DataFrame
        Rows of ``patients.tsv``, as text. A column that is absent is not known for anyone.

    Returns
    -------
    list of Patient
        The rows without an error, sorted by patient.
    list of Problem
        What is wrong with the others, and the warnings.

    Examples
    --------
    >>> import pandas as pd
    >>> found, problems = read_patients(pd.DataFrame({"patient": ["P01"], "site": ["combined"]}))
    >>> found[0].site, found[0].genetics, problems
    ('combined', None, [])
    """
    columns = [str(column) for column in patients.columns]
    cells = (_texts(patients[column]) for column in columns)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]
    return _read(rows, set(columns))


def read_rows(sheet: Sequence[Mapping[str, str]]) -> tuple[list[Patient], list[Problem]]:
    """Read the sheet of patients from plain rows; see `read_patients`."""
    return _read(sheet, {column for row in sheet for column in row} | {"patient"})


def choose_rows(
    sheet: Sequence[dict[str, str]], names: Sequence[str], found: Problems
) -> list[dict[str, str]]:
    """Give the rows of the patients named, all of them if none is named.

    Parameters
    ----------
    sheet : sequence of dict
        Rows of ``patients.tsv``.
    names : sequence of str
        Patients.
    found : Problems
        Takes an error for each name that is not in the sheet.

    Examples
    --------
    >>> problems = Problems()
    >>> choose_rows([{"patient": "P01"}], ["P1"], problems), problems.items[0].code
    ([], 'risk.unknown-patient')
    """
    known = [row["patient"] for row in sheet]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or known[:3]
            fix = f"Nearest: {', '.join(near)}."
            text = f"patient {name!r} is not in the sheet"
            found.error("risk.unknown-patient", Place(SHEET, "column patient"), text, fix)
    return [row for row in sheet if not names or row["patient"] in names]


def _read(
    sheet: Sequence[Mapping[str, str]], given: set[str]
) -> tuple[list[Patient], list[Problem]]:
    problems = Problems()
    if "patient" not in given:
        fix = "Add a column patient with one id per row."
        problems.error("risk.no-patient", Place(SHEET), "there is no column patient", fix)
        return [], problems.items
    _check_columns(problems, given)
    columns = [column for column in COLUMNS if column in given]
    rows = [{column: row.get(column, "") for column in columns} for row in sheet]
    usable = _named_once(problems, sorted(rows, key=lambda row: row["patient"]))
    found = [read_patient(row, problems) for row in usable]
    return [patient for patient in found if patient is not None], problems.items


def _texts(column: "pd.Series[Any]") -> list[str]:
    return [_text(value) for value in column.astype("object").where(column.notna(), "")]


def _text(value: Any) -> str:
    # A sheet read without dtype=str brings numbers and dates.
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.date().isoformat() if hasattr(value, "date") else str(value)


def _check_columns(problems: Problems, given: set[str]) -> None:
    for column in sorted(given - set(COLUMNS)):
        near = difflib.get_close_matches(column.casefold(), COLUMNS, n=1, cutoff=0.85)
        if near and near[0] not in given:
            place = Place(SHEET, f"column {column}")
            fix = f"Is it meant to be {near[0]}?"
            problems.warning("risk.unknown-column", place, f"column {column!r} is not read", fix)


def _named_once(problems: Problems, rows: list[dict[str, str]]) -> Iterable[dict[str, str]]:
    times = Counter(row["patient"] for row in rows)
    place = Place(SHEET, "column patient")
    for name, count in times.items():
        if name.casefold() in UNKNOWN:
            found, fix = f"{count} row(s) without a patient", "Give every row a patient id."
            problems.error("risk.no-patient", place, found, fix)
        elif count > 1:
            found, fix = f"patient {name} stands in {count} rows", "Keep one row per patient."
            problems.error("risk.patient-twice", place, found, fix)
    return (
        row
        for row in rows
        if times[row["patient"]] == 1 and row["patient"].casefold() not in UNKNOWN
    )
