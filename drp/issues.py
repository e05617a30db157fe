"""Reports as they were issued: a reissued report says what changed, and the earlier one stays.

Beside a patient's report stands the folder ``issued`` with every report that said something else.
A kept file is the same file under a second name where the disk allows it, and takes no room. The
files of a released report can no longer be written.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from drp.report.amendments import amended
from drp.report.record import Amendment, Change, PatientRecord, read_record
from drp.storage import replacing_folder

FOLDER = "issued"
_RECORD = "report.json"


@dataclass(frozen=True, slots=True)
class Issue:
    """A report that was issued: its folder, its record if it can be read, and its time."""

    folder: Path
    record: PatientRecord | None
    issued: str


def last_issue(folder: Path) -> Issue | None:
    """Give the last report that was kept of a patient.

    Parameters
    ----------
    folder : Path
        The patient's folder of reports.

    Returns
    -------
    Issue or None
        None if there is none yet. Its record is None if another version of drp wrote it in a
        form that this one cannot read.
    """
    kept = sorted((folder / FOLDER).glob(f"[0-9]*/{_RECORD}"))
    if not kept:
        return None
    text = kept[-1].read_text(encoding="utf-8")
    try:
        record = read_record(text)
    except ValidationError:
        record = None
    return Issue(kept[-1].parent, record, str(json.loads(text).get("generated_at", "")))


def as_amended(record: PatientRecord, last: Issue | None) -> PatientRecord:
    """Say in a record what changed since the last report, if there was one."""
    if last is None:
        return record
    kept = f"{FOLDER}/{last.folder.name}"
    if last.record is not None:
        return amended(record, last.record, issued=last.issued, kept=kept)
    unknown = Change(
        what="The whole report",
        before="written in another form, by another version of drp",
        after="as printed here",
        why="The earlier report cannot be compared by the software.",
    )
    change = Amendment(
        replaces=last.folder.name.partition("_")[2],
        issued=last.issued,
        status="draft",
        kept=kept,
        changes=[unknown],
    )
    return record.model_copy(update={"amendments": [change]})


def keep_issue(
    folder: Path, record: PatientRecord, last: Issue | None, files: list[Path]
) -> Path | None:
    """Keep a report under a name of its own, if it says something else than the last one kept.

    Parameters
    ----------
    folder : Path
        The patient's folder of reports.
    record : PatientRecord
        The record of the new report, with its amendments.
    last : Issue or None
        From `last_issue`, before the new report was written.
    files : list of Path
        The new report.

    Returns
    -------
    Path or None
        The folder it is kept in; None if the last one says the same.
    """
    if last and last.record and _says_the_same(record, last.record):
        return None
    number = int(last.folder.name.partition("_")[0]) + 1 if last else 1
    place = folder / FOLDER / f"{number:03d}_{record.report_id}"
    with replacing_folder(place) as temporary:
        for file in files:
            _link(file, temporary / file.name)
            if record.status == "released":  # locked: a new report takes its place, never its file
                (temporary / file.name).chmod(0o444)
    return place


def _says_the_same(record: PatientRecord, earlier: PatientRecord) -> bool:
    released = [sample.approval for sample in record.samples]
    before = [sample.approval for sample in earlier.samples]
    same = (record.status, released) == (earlier.status, before)
    if record.status == "released":  # what was signed stays, down to the last digit
        same = same and record.report_id == earlier.report_id
    return same and record.amendments == earlier.amendments


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # a disk without second names
        shutil.copy2(file, target)
