"""The sheets a laboratory fills in: plates, samples, patients, exclusions, approvals, drugs.

Sheets are tab-separated text with one header line; lines that start with ``#`` are remarks. All
sheets are read and checked together, and every problem is reported with file, line and column.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from drp.privacy import personal_id, personal_text
from drp.problems import DataError, Place, Problem, Problems
from drp.sheetfiles import Row, read_remarks, read_sheet
from drp.tables import DRUG_COLUMNS, EXPOSURE_COLUMNS, PATIENT_COLUMNS

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
WELL_PATTERN = re.compile(r"(?:[A-Z]|A[A-F])(?:[1-9]|[1-3][0-9]|4[0-8])")

# sheet: (required columns, further known columns, may the file be absent)
SHEETS: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "plates": (
        ("plate", "file", "layout", "sample"),
        ("run", "reader", "read", "plate_index", "sheet", "barcode"),
        False,
    ),
    "samples": (
        ("sample", "patient"),
        (
            "kind",
            "material",
            "preparation",
            "collected_date",
            "received_date",
            "plated_date",
            "read_date",
            "thaw_viability_pct",
            "blasts_pct",
            "survival_pct",
            "assay",
            "remark",
        ),
        False,
    ),
    "patients": (PATIENT_COLUMNS[:1], PATIENT_COLUMNS[1:], False),
    "exclusions": (("plate", "well", "reason"), ("by", "date"), True),
    "approvals": (("sample", "by", "date", "input_hash"), (), True),
    "drugs": (DRUG_COLUMNS[:2], DRUG_COLUMNS[2:], True),
    "exposure": (EXPOSURE_COLUMNS[:6], EXPOSURE_COLUMNS[6:], True),
}

_PERCENT = ("thaw_viability_pct", "blasts_pct", "survival_pct")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Sheets:
    """All sheets of a project: each a list of rows, columns by name, unknown cells empty.

    `lines` gives for each sheet the line number in the file of each row, `exclusion_remarks` the
    remark lines of exclusions.tsv, which belong to the audit trail.
    """

    plates: list[Row] = field(default_factory=list)
    samples: list[Row] = field(default_factory=list)
    patients: list[Row] = field(default_factory=list)
    exclusions: list[Row] = field(default_factory=list)
    approvals: list[Row] = field(default_factory=list)
    drugs: list[Row] = field(default_factory=list)
    exposure: list[Row] = field(default_factory=list)
    lines: dict[str, list[int]] = field(default_factory=dict)
    exclusion_remarks: list[str] = field(default_factory=list)

    def patient_of(self) -> dict[str, str]:
        """Map each sample to its patient."""
        return {row["sample"]: row["patient"] for row in self.samples}

    def exclusions_of(self, plates: Iterable[str]) -> list[Row]:
        """Give the exclusions on some plates."""
        wanted = set(plates)
        return [row for row in self.exclusions if row["plate"] in wanted]


def layout_file(row: Row) -> str:
    """Give the file of a plate's layout; ``map.xlsx#2`` means plate 2 of ``map.xlsx``.

    Examples
    --------
    >>> layout_file({"layout": "map.xlsx#2"}), layout_file({"layout": "map.tsv"})
    ('map.xlsx', 'map.tsv')
    """
    return row["layout"].partition("#")[0]


def run_of(row: Row) -> str:
    """Give the screening session of a plate; plates without one form a single run.

    >>> run_of({"plate": "PL1"})
    'run'
    """
    return row.get("run") or "run"


def samples_of_plate(row: Row) -> list[str]:
    """Give the samples on a plate; several are separated by ``;`` in plates.tsv.

    >>> samples_of_plate({"sample": "S1; S2"})
    ['S1', 'S2']
    """
    text = row["sample"]
    if ";" not in text:  # most plates, and this is asked often
        return [text.strip()] if text.strip() else []
    return [part.strip() for part in text.split(";") if part.strip()]


_State = list[tuple[int, ...] | None]
_KEPT: dict[Path, tuple[_State | None, Sheets]] = {}  # by folder, see `keep_sheets`


def read_sheets(folder: Path) -> Sheets:
    """Read and check all sheets in a config folder.

    Raises
    ------
    DataError
        With every problem of every sheet, if one of them is an error.
    """
    state, sheets = _KEPT.get(folder.resolve(), (None, Sheets()))
    if state is not None and state == _state(folder):
        return sheets
    sheets, problems = scan_sheets(folder)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise DataError(problems)
    return sheets


def keep_sheets(folder: Path) -> None:
    """Read sheets for `read_sheets` of this process and its forks, until one of the files changes.

    Each job of a run reads all sheets: with thousands of patients, hundreds of jobs would take
    minutes for it. Sheets with an error are not kept.
    """
    with suppress(DataError, OSError):
        state = _state(folder)  # before they are read: a change from now on is seen
        _KEPT[folder.resolve()] = state, read_sheets(folder)


def _state(folder: Path) -> _State:
    """What tells that a sheet was written anew: its size, its times, its place on the disk."""
    found: _State = []
    for sheet in SHEETS:
        path = folder / f"{sheet}.tsv"
        now = path.stat() if path.is_file() else None
        found.append(now and (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino))
    return found


def scan_sheets(folder: Path) -> tuple[Sheets, list[Problem]]:
    """Read and check all sheets; give what could be read and every problem found."""
    found = Problems()
    rows: dict[str, list[Row]] = {}
    lines: dict[str, list[int]] = {}
    for sheet, columns in SHEETS.items():
        rows[sheet], lines[sheet] = read_sheet(folder / f"{sheet}.tsv", *columns, found)
    remarks = read_remarks(folder / "exclusions.tsv")
    sheets = Sheets(**rows, lines=lines, exclusion_remarks=remarks)
    _check_ids(sheets, found)
    _check_privacy(sheets, found)
    _check_links(sheets, found)
    _check_values(sheets, found)
    return sheets, found.items


def _check_ids(sheets: Sheets, found: Problems) -> None:
    for sheet, column in (("plates", "plate"), ("samples", "sample"), ("patients", "patient")):
        seen: dict[str, int] = {}
        for row, line in zip(getattr(sheets, sheet), sheets.lines[sheet], strict=True):
            name = row[column]
            if not ID_PATTERN.fullmatch(name):
                found.error(
                    "sheet.bad-id",
                    Place(f"{sheet}.tsv", f"line {line}, column {column}"),
                    f"{name!r} cannot be an id",
                    "Use letters, digits, '.', '_' and '-', at most 64, first a letter or digit.",
                )
            if name in seen:
                found.error(
                    "sheet.double-id",
                    Place(f"{sheet}.tsv", f"line {line}, column {column}"),
                    f"{name} stands already in line {seen[name]}",
                    "Give each its own id.",
                )
            seen[name] = line


def _check_privacy(sheets: Sheets, found: Problems) -> None:
    """Refuse ids and remarks that look like a person's identity."""
    for sheet, column in (("samples", "sample"), ("patients", "patient")):
        for row, line in _numbered(sheets, sheet):
            what = personal_id(row[column])
            if what:
                found.error(
                    "sheet.personal",
                    Place(f"{sheet}.tsv", f"line {line}, column {column}"),
                    f"the id {row[column]!r} looks like {what}",
                    "Use a pseudonym: ids stand in file names and reports.",
                )
    for sheet in SHEETS:
        texts = {text for row in getattr(sheets, sheet) for text in row.values()}
        if not personal_text("\n".join(texts)):
            continue  # one look at a sheet of ten thousand lines instead of one at each cell
        for row, line in _numbered(sheets, sheet):
            for column, text in row.items():
                word = personal_text(text)
                if word:
                    place = Place(f"{sheet}.tsv", f"line {line}, column {column}")
                    _personal_fault(found, place, word)
    for remark in sheets.exclusion_remarks:  # they go into the review pages
        word = personal_text(remark)
        if word:
            _personal_fault(found, Place("exclusions.tsv", "a remark"), word)


def _personal_fault(found: Problems, place: Place, word: str) -> None:
    found.error(
        "sheet.personal",
        place,
        f"{word!r} announces a person's identity",
        "Remove it: drp works with pseudonyms only.",
    )


def _check_links(sheets: Sheets, found: Problems) -> None:
    samples = {row["sample"] for row in sheets.samples}
    patients = {row["patient"] for row in sheets.patients}
    plates = {row["plate"] for row in sheets.plates}
    plated = {sample for row in sheets.plates for sample in samples_of_plate(row)}
    for row, line in _numbered(sheets, "plates"):
        if not samples_of_plate(row):
            _link_fault(found, "plates", line, "sample", "", samples)
        for sample in samples_of_plate(row):
            if sample not in samples:
                _link_fault(found, "plates", line, "sample", sample, samples)
    for row, line in _numbered(sheets, "samples"):
        if row["patient"] not in patients:
            _link_fault(found, "samples", line, "patient", row["patient"], patients)
        if row["sample"] not in plated:
            found.warning(
                "sheet.no-plate",
                Place("samples.tsv", f"line {line}"),
                f"sample {row['sample']} is on no plate",
                "It gets no curves; remove it or add its plates.",
            )
    for row, line in _numbered(sheets, "exclusions"):
        if row["plate"] not in plates:
            _link_fault(found, "exclusions", line, "plate", row["plate"], plates)
    for row, line in _numbered(sheets, "approvals"):
        if row["sample"] not in samples:
            _link_fault(found, "approvals", line, "sample", row["sample"], samples)


def _link_fault(
    found: Problems, sheet: str, line: int, column: str, name: str, known: Iterable[str]
) -> None:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=3)
    found.error(
        "sheet.unknown-link",
        Place(f"{sheet}.tsv", f"line {line}, column {column}"),
        f"{name!r} is not in {column}s.tsv",
        f"Did you mean {', '.join(near)}?" if near else f"Add it to {column}s.tsv.",
    )


def _check_values(sheets: Sheets, found: Problems) -> None:
    for row, line in _numbered(sheets, "plates"):
        run = row.get("run", "")
        if run and not ID_PATTERN.fullmatch(run):
            place = Place("plates.tsv", f"line {line}, column run")
            found.error(
                "sheet.bad-id", place, f"{run!r} cannot be an id", "Write it like a plate id."
            )
    for row, line in _numbered(sheets, "samples"):
        for column, text in row.items():
            if text in ("", "NA"):
                continue
            if column in _PERCENT:
                _check_percent(text, Place("samples.tsv", f"line {line}, {column}"), found)
            elif column.endswith("_date"):
                _check_date(text, Place("samples.tsv", f"line {line}, column {column}"), found)
    for row, line in _numbered(sheets, "exclusions"):
        place = Place("exclusions.tsv", f"line {line}", row["plate"], row["well"])
        if not WELL_PATTERN.fullmatch(row["well"]):
            found.error("sheet.bad-well", place, f"{row['well']!r} is no well", "Write A1 to AF48.")
        if not row["reason"]:
            found.error("sheet.no-reason", place, "the reason is empty", "Say why it is excluded.")
    for row, line in _numbered(sheets, "approvals"):
        empty = [column for column in SHEETS["approvals"][0] if not row[column]]
        if empty:
            found.error(
                "sheet.incomplete-approval",
                Place("approvals.tsv", f"line {line}"),
                f"nothing stands under {', '.join(empty)}",
                "Say who released which sample, when, and the input hash that its report prints.",
            )
        _check_date(row["date"], Place("approvals.tsv", f"line {line}, column date"), found)


def _check_percent(text: str, place: Place, found: Problems) -> None:
    try:
        fits = 0 <= float(text) <= 300
    except ValueError:
        fits = False
    if not fits:
        found.error(
            "sheet.bad-number", place, f"found {text!r}", "Give a percentage, for example 85."
        )


def _check_date(text: str, place: Place, found: Problems) -> None:
    import datetime

    if text in ("", "NA"):
        return
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        datetime.date.fromisoformat(text)
    except ValueError:
        found.error("sheet.bad-date", place, f"found {text!r}", "Write dates as 2025-11-03.")


def _numbered(sheets: Sheets, sheet: str) -> Iterable[tuple[Row, int]]:
    return zip(getattr(sheets, sheet), sheets.lines.get(sheet, []), strict=True)
