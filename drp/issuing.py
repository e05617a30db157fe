"""Reports on disk: from a patient's record to the files in `reports/`, one patient or a group.

A fault in one report leaves a page that says so in its place and touches no other report. A report
that would be the same but for its time of issue stays as it is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drp.apart import NOT_OF_ONE
from drp.issues import as_amended, keep_issue, last_issue
from drp.manifests import missing
from drp.problems import DataError
from drp.provenance import file_sha256
from drp.report.failure import (
    Failure,
    failure_fhir,
    failure_html,
    failure_json,
    failure_of,
    failure_pdf,
    read_failure,
)
from drp.report.fhir import render_fhir
from drp.report.html import render_html
from drp.report.pdf import render_pdf
from drp.report.record import PatientRecord, record_of, render_json
from drp.report.view import view
from drp.storage import read_json, write_json, write_together

FILES = {"json": "report.json", "html": "report.html", "pdf": "report.pdf"}
FILES |= {"fhir": "report.fhir.json"}


def issue_report(
    record: Path, outputs: Mapping[str, Path], time: str, language: str = "en"
) -> Failure | None:
    """Write the report of one patient: HTML, JSON, FHIR and PDF, all with the same time.

    Parameters
    ----------
    record : Path
        The patient's record, or what stands in its place if it could not be made.
    outputs : mapping
        Where html, json, fhir and pdf go; kept reports go to the folder ``issued`` beside them.
    time : str
        ISO 8601 time of issue.
    language : {"en", "de"}
        Of HTML and PDF.

    Returns
    -------
    Failure or None
        What went wrong, if a page about that was written instead.
    """
    content = json.loads(record.read_bytes())
    failure = read_failure(content)
    if failure is None:
        try:
            _issue(record_of(content), outputs, time, language)
        except (*NOT_OF_ONE, DataError):
            raise  # neither is this patient's fault alone
        except Exception as fault:  # noqa: BLE001 (the others' reports must not wait for this one)
            failure = failure_of(record.stem, "report", fault)
    if failure is not None:
        _write(outputs, _failed(failure, time))
    return failure


def _issue(record: PatientRecord, outputs: Mapping[str, Path], time: str, language: str) -> None:
    folder = outputs["json"].parent
    last = last_issue(folder)
    content = as_amended(record, last)
    _write(outputs, rendered(content, time, language))
    keep_issue(folder, content, last, [outputs[kind] for kind in FILES])


def rendered(record: PatientRecord, time: str, language: str = "en") -> dict[str, bytes]:
    """Render a record in every form, by kind, without writing anything."""
    shown = view(record, time, language)
    return {
        "json": render_json(record, time).encode(),
        "html": render_html(record, time, shown).encode(),
        "pdf": render_pdf(record, time, shown),
        "fhir": render_fhir(record, time).encode(),
    }


def _failed(failure: Failure, time: str) -> dict[str, bytes]:
    return {
        "json": failure_json(failure, time).encode(),
        "html": failure_html(failure, time).encode(),
        "pdf": failure_pdf(failure, time),
        "fhir": failure_fhir(failure).encode(),
    }


def _write(outputs: Mapping[str, Path], contents: Mapping[str, bytes]) -> None:
    write_together({outputs[kind]: contents[kind] for kind in FILES})


def issue_group(
    records: Path, reports: Path, manifest: Path, *, code: str, time: str, language: str = "en"
) -> None:
    """Write the reports of a group of patients, and a manifest of their files.

    Parameters
    ----------
    records : Path
        Folder with one record per patient.
    reports : Path
        Folder of all reports; each patient has a folder in it.
    manifest : Path
        Gets, for each patient, what the report was made from, and size and hash of each file. A
        copy named ``rendered.json`` beside it remembers this for the next time, as the workflow
        removes the manifest before it asks for a new one.
    code : str
        Fingerprint of the code that renders.
    time : str
        ISO 8601 time of issue.
    language : {"en", "de"}
        Of HTML and PDF.
    """
    memory = manifest.with_name("rendered.json")
    known = read_json(memory)["patients"] if memory.is_file() else {}
    patients = {}
    for record in sorted(records.glob("*.json")):
        source = {"record": file_sha256(record), "code": code, "language": language}
        last = known.get(record.stem)
        if not last or last["source"] != source or missing(reports / record.stem, last):
            last = _issue_one(record, reports, time, language) | {"source": source}
        patients[record.stem] = last
    content = {"reports": str(reports), "patients": patients}
    write_json(memory, content)
    write_json(manifest, content)


def _issue_one(record: Path, reports: Path, time: str, language: str) -> dict[str, Any]:
    folder = reports / record.stem
    outputs = {kind: folder / name for kind, name in FILES.items()}
    failure = issue_report(record, outputs, time, language)
    files = {path.name: [path.stat().st_size, file_sha256(path)] for path in outputs.values()}
    return {"files": files, "failure": failure.words if failure else ""}
