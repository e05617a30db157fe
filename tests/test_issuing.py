"""Reports of a group: the unchanged stay, the lost come back, a fault stays with its own."""

import json

import pytest

from drp import issuing
from drp.issuing import FILES, issue_group, issue_report
from drp.manifests import drop_stale_manifests
from drp.records import record_json
from drp.report.failure import Failure
from drp.report.index import entry_of, read_entries, render_index
from drp.storage import read_json
from tests import report_example

TIME, LATER = "2025-11-07T13:00:00Z", "2025-11-07T14:00:00Z"
PATIENTS = ("P01", "P02", "P03")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What a PDF looks like is tested elsewhere; here it only has to be there."""
    monkeypatch.setattr(issuing, "render_pdf", lambda record, time, shown: b"%PDF " + time.encode())


@pytest.fixture
def group(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    made = report_example.record(n_drugs=4)
    for patient in PATIENTS:
        record = made.model_copy(update={"patient": patient})
        (records / f"{patient}.json").write_text(record_json(record), encoding="utf-8")
    return tmp_path


def issue(group, time=TIME, code="c1"):
    manifest = group / "reports.json"
    manifest.unlink(missing_ok=True)  # as the workflow does before a job
    issue_group(group / "records", group / "reports", manifest, code=code, time=time)
    return read_json(manifest)["patients"]


def issued(group, patient):
    report = group / "reports" / patient / "report.json"
    return json.loads(report.read_text(encoding="utf-8"))["generated_at"]


def test_reports_that_would_be_the_same_are_left_alone(group):
    entries = issue(group)
    assert set(entries) == set(PATIENTS)
    assert all(set(entry["files"]) == set(FILES.values()) for entry in entries.values())
    assert issue(group, LATER) == entries
    assert [issued(group, patient) for patient in PATIENTS] == [TIME] * 3


def test_a_changed_record_redoes_its_own_report_and_new_code_all(group):
    issue(group)
    record = report_example.record(n_drugs=4)
    record = record.model_copy(update={"patient": "P02", "title": "Another"})
    (group / "records" / "P02.json").write_text(record_json(record), encoding="utf-8")
    issue(group, LATER)
    assert [issued(group, patient) for patient in PATIENTS] == [TIME, LATER, TIME]
    issue(group, LATER, code="c2")
    assert [issued(group, patient) for patient in PATIENTS] == [LATER] * 3


@pytest.mark.parametrize("harm", ["deleted", "cut short", "folder gone"])
def test_a_lost_report_is_noticed_and_only_that_patient_is_redone(group, harm):
    issue(group)
    manifest, page = group / "reports.json", group / "reports" / "P02" / "report.html"
    assert drop_stale_manifests([manifest, group / "none.json"]) == []
    if harm == "deleted":
        page.unlink()
    elif harm == "cut short":
        page.write_bytes(page.read_bytes()[:-1])
    else:
        page.parent.rename(group / "elsewhere")
    assert drop_stale_manifests([manifest]) == ["P02"]
    assert not manifest.exists()
    issue(group, LATER)
    assert [issued(group, patient) for patient in PATIENTS] == [TIME, LATER, TIME]
    assert drop_stale_manifests([manifest]) == []


def test_one_fault_leaves_a_page_that_says_so_and_the_others_their_reports(group, monkeypatch):
    def broken(record, time, shown):
        if record.patient == "P02":
            raise KeyError("<script>auc</script>")
        return "<p>fine</p>"

    monkeypatch.setattr(issuing, "render_html", broken)
    entries = issue(group)
    assert [bool(entries[patient]["failure"]) for patient in PATIENTS] == [False, True, False]
    folder = group / "reports" / "P02"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "No report of P02" in page
    assert "&lt;script&gt;auc" in page
    assert "<script" not in page
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert read_json(folder / "report.json")["failure"]["stage"] == "report"
    assert read_json(folder / "report.fhir.json")["resourceType"] == "OperationOutcome"
    assert (group / "reports" / "P03" / "report.html").read_text() == "<p>fine</p>"


def test_a_record_that_could_not_be_made_is_a_page_and_a_row_of_the_index(tmp_path):
    failure = Failure("P09", "record", "ValueError: odd")
    (tmp_path / "P09.json").write_text(record_json(failure), encoding="utf-8")
    outputs = {kind: tmp_path / "out" / name for kind, name in FILES.items()}
    assert issue_report(tmp_path / "P09.json", outputs, TIME) == failure
    assert not (tmp_path / "out" / "issued").exists(), "a fault is no issued report"
    entries = json.loads(json.dumps([entry_of(failure), entry_of(report_example.record())]))
    rows, verdicts = read_entries(entries)
    page = render_index(rows, TIME)
    assert "NO REPORT: THE STAGE RECORD FAILED" in page
    assert verdicts


def test_a_full_disk_is_no_fault_of_a_patient(group, monkeypatch):
    def full(contents):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(issuing, "write_together", full)
    with pytest.raises(OSError, match="No space"):
        issue(group)


def test_a_fault_in_one_record_leaves_the_others(tmp_path, monkeypatch):
    from drp import records
    from drp.config import parse_config
    from drp.job import Job

    names = ("P01", "P02", "P03")
    for sheet, lines in {
        "plates": ["plate\tfile\tlayout\tsample", *(f"PL{n}\ta\tb\tS{n}" for n in names)],
        "samples": ["sample\tpatient", *(f"S{n}\t{n}" for n in names)],
        "patients": ["patient", *names],
    }.items():
        (tmp_path / f"{sheet}.tsv").write_text("\n".join([*lines, ""]), encoding="utf-8")

    made = report_example.record(n_drugs=4)

    def put_together(plan, patient, tables):
        if patient["patient"] == "P02":
            raise ZeroDivisionError("no wells")
        return made.model_copy(update={"patient": patient["patient"]})

    monkeypatch.setattr(records, "_record", put_together)
    nothing = records._GroupTables({}, {"errors": [], "faults": []})
    monkeypatch.setattr(records._GroupTables, "read", classmethod(lambda cls, job: nothing))
    config = parse_config({"assay": {"name": "a"}, "batches": 1})
    job = Job(settings=config.model_dump(), sheets=tmp_path, name="batch-00001")
    made = dict(records.patient_records(job))
    assert made["P02"] == Failure("P02", "record", "ZeroDivisionError: no wells")
    assert [made[name].patient for name in names] == list(names)
    assert made["P03"].samples
