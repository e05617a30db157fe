"""What `drp verify` finds: other inputs, other code, changed pages, other results."""

import json
import shutil
from pathlib import Path

import pytest

from drp.config import parse_config
from drp.issuing import FILES, issue_report
from drp.plan import Plan
from drp.provenance import digest, file_sha256, fingerprint, table_hashes
from drp.records import record_json
from drp.report.record import Provenance
from drp.run_provenance import run_provenance, stage_costs
from drp.sheets import Sheets
from drp.verify import verify_report
from tests import report_example

SHEETS = Sheets(
    plates=[{"plate": "PL1", "file": "1.txt", "layout": "map.tsv", "sample": "S1"}],
    samples=[{"sample": "S1", "patient": "P01"}],
    patients=[{"patient": "P01"}],
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one issued report; what is computed again is the same record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "drp.issuing.render_pdf", lambda record, time, shown: b"%PDF" + time.encode()
    )
    for folder in ("config", "plates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "config.yaml").write_text("assay: {name: a}\n")
    (tmp_path / "plates" / "1.txt").write_text("signals")
    (tmp_path / "plates" / "map.tsv").write_text("map")
    plan = Plan(parse_config({"assay": {"name": "a"}}), SHEETS)
    provenance = Provenance(
        fingerprint=fingerprint("record"),
        config_hash=digest(plan.config.computing()),
        files={name: file_sha256(tmp_path / "plates" / name) for name in ("1.txt", "map.tsv")},
        tables=table_hashes(),
    )
    record = report_example.record(n_drugs=4)
    record = record.model_copy(update={"patient": "P01", "provenance": provenance})
    write_report(tmp_path, record)
    return plan, record


def write_report(folder, record):
    (folder / "P01.json").write_text(record_json(record), encoding="utf-8")
    outputs = {kind: folder / "reports" / "P01" / name for kind, name in FILES.items()}
    issue_report(folder / "P01.json", outputs, "2025-11-07T13:00:00Z")


def check(project, again=None, code=0):
    """Verify; what is computed again is `again`."""
    plan, record = project
    asked = []

    def compute(targets, folder):
        asked.append((targets, (folder / "plates" / "1.txt").read_text()))
        place = folder / targets[0]
        place.mkdir(parents=True)
        (place / "P01.json").write_text(record_json(again or record), encoding="utf-8")
        return code

    differences, notes = verify_report(plan, Path("reports/P01"), compute)
    return differences, notes, asked


def test_an_untouched_report_is_identical(project):
    assert check(project) == ([], [], [(["results/groups/P01/records"], "signals")])


def test_another_result_is_named_with_its_place(project):
    other = project[1].model_copy(update={"title": "Another"})
    assert check(project, other)[0] == [f"title: {project[1].title!r} in the report, 'Another' now"]
    (failed,) = check(project, code=1)[0]
    assert "could not be computed again" in failed


@pytest.mark.parametrize("kind", ["html", "pdf", "fhir"])
def test_a_page_that_was_changed_by_hand_is_found(project, tmp_path, kind):
    page = tmp_path / "reports" / "P01" / FILES[kind]
    page.write_bytes(page.read_bytes() + b" ")
    assert check(project)[0] == [f"{page.name} is not as it was issued"]
    page.unlink()
    assert check(project)[0] == [f"{page.name} is gone"]


def test_other_inputs_are_named_and_nothing_is_computed(project, tmp_path):
    (tmp_path / "plates" / "1.txt").write_text("others")
    (tmp_path / "plates" / "map.tsv").unlink()
    plan = Plan(parse_config({"assay": {"name": "a"}, "seed": 7}), SHEETS)
    differences, notes, asked = check((plan, project[1]))
    assert differences == [
        "input 1.txt is another file than the one the report was made from",
        "input map.tsv is gone",
        "the configuration is another one",
    ]
    assert "Not recomputed" in notes[0]
    assert asked == []


def test_other_code_is_a_note_and_its_results_are_compared(project, tmp_path):
    record = project[1]
    old = record.provenance.model_copy(update={"fingerprint": "0" * 16})
    write_report(tmp_path, record.model_copy(update={"provenance": old, "report_id": "P01-old"}))
    differences, notes, _ = check(project)
    assert differences == []
    assert "other code" in notes[0]


def test_a_report_that_is_not_there_or_failed_is_said(project, tmp_path):
    path = tmp_path / "reports" / "P01" / "report.json"
    path.write_text(json.dumps({"generated_at": "x", "failure": {}}))
    assert "nothing to verify" in check(project)[0][0]
    shutil.rmtree(path.parent)
    assert check(project)[0] == ["there is no reports/P01/report.json"]


def test_the_provenance_of_a_run_names_everything_and_its_id_no_time(project, tmp_path):
    plan, _ = project
    (tmp_path / "logs" / "S1").mkdir(parents=True)
    for name, cpu in (("a", 2.0), ("b", 3.0)):
        text = f"odd line\ncurves S1: 1.50 s, cpu {cpu:.2f} s, peak 170 MB\n"
        (tmp_path / "logs" / "S1" / f"{name}.log").write_text(text)
    first = run_provenance(plan, started="t1", finished="t2")
    later = run_provenance(plan, started="t3", finished="t4")
    assert first["run_id"] == later["run_id"]
    assert first["timings"]["curves"] == {"jobs": 2, "wall_s": 3.0, "cpu_s": 5.0, "peak_mb": 170}
    assert {"drp", "Python", "numpy"} <= set(first["versions"])
    assert set(first["code"]) >= {"curves", "calls", "record"}
    assert "data/drugs.tsv" in first["tables"]
    assert any("risk/systems" in name for name in first["tables"])
    other = Plan(parse_config({"assay": {"name": "a"}, "seed": 7}), SHEETS)
    assert run_provenance(other, started="t1", finished="t2")["run_id"] != first["run_id"]


def test_a_message_in_a_log_cannot_pose_as_a_timing(tmp_path):
    (tmp_path / "a.log").write_text("curves x: 9.00 s, cpu 9.00 s, peak 9 MB\nKeyError\n")
    assert stage_costs(tmp_path) == {}
