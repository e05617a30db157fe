"""A reissued report says what changed and why, and the earlier one stays."""

import json

import pytest

from drp.issues import as_amended, keep_issue, last_issue
from drp.job import Job
from drp.report.amendments import amended, find_changes
from drp.report.build import build_record
from drp.report.html import render_html
from drp.report.record import PatientRecord, render_json
from drp.risk import classify_rows, risk_context
from drp.stages import report
from tests import report_example
from tests.test_report_pdf import text_of

PATIENT = {
    **report_example.PATIENT,
    "immunophenotype": "B",
    "site": "isolated_marrow",
    "em_sites": "none",
    "on_therapy": "N",
    "months_dx_to_relapse": "48",
    "months_end_of_therapy_to_relapse": "20",
    "age_at_diagnosis_y": "6",
    "eoi_mrd": "",
    "genetics": "",
    "prior_hsct": "N",
    "relapse_number": "1",
    "second_remission": "N",
}


def record(switches=None, n_drugs=6, **cells) -> PatientRecord:
    patient = {**PATIENT, **cells}
    made = report_example.as_rows(report_example.tables(n_drugs=n_drugs))
    made["risk"] = classify_rows([patient], switches=switches)
    made["risk_context"] = risk_context([patient], made["risk"], switches=switches)
    return build_record(
        patient,
        [report_example.sample_row()],
        made,
        settings=report_example.SETTINGS,
        provenance=report_example.PROVENANCE,
    )


def changes(new, old):
    return {one.what: (one.before, one.after, one.why) for one in find_changes(new, old)}


def test_mrd_that_arrives_later_changes_the_classes_it_settles_and_says_so():
    found = changes(record(eoi_mrd="0.005%", genetics="none"), record())
    assert found.pop("MRD at the end of induction or block 1")[:2] == ("not reported", "0.005%")
    assert found.pop("Genetics")[:2] == ("not reported", "none")
    assert set(found) == {"COG", "InPOG-ALL-R1"}
    assert found["COG"] == (
        "pending: Intermediate or Low",
        "Low",
        "Changed: MRD at the end of induction or block 1 (not reported, now 0.005%) and genetics "
        "(not reported, now none). Rule COG-4.",
    )


def test_a_class_that_no_new_value_touches_is_not_named():
    assert set(changes(record(genetics="TP53del"), record())) == {"Genetics", "InPOG-ALL-R1"}


def test_a_changed_switch_is_a_reason():
    found = changes(
        record({"inpog_tp53_mutation": "not_high_risk"}, genetics="TP53mut", eoi_mrd="0"),
        record(genetics="TP53mut", eoi_mrd="0"),
    )
    before, after, why = found["InPOG-ALL-R1"]
    assert (before, after) == ("HR", "SR (inpog_tp53_mutation=not_high_risk)")
    assert "the reading of a contested criterion in the configuration" in why


def test_dates_that_changed_are_named_without_being_printed():
    found = changes(record(eoi_mrd="0", age_at_diagnosis_y="16"), record(eoi_mrd="0"))
    assert found["Age at diagnosis"][:2] == ("under 15 years", "15 years or more")
    assert "16" not in str(found)


def test_calls_and_samples_are_compared_too():
    old = record()
    (sample,) = old.samples
    drugs = [sample.drugs[0].model_copy(update={"call": "not evaluable"}), *sample.drugs[1:]]
    new = old.model_copy(update={"samples": [sample.model_copy(update={"drugs": drugs})]})
    (change,) = find_changes(new, old)
    name = sample.drugs[0].drug
    assert change.before == f"{name} {sample.drugs[0].call}"
    assert change.after == f"{name} not evaluable"
    assert changes(old, old.model_copy(update={"samples": []})) == {
        "Sample P01-S1": (
            "not in the report", "in the report",
            "Changed: the sheets, other plates of the run or the reference samples.",
        )
    }  # fmt: skip


def test_the_same_words_are_no_amendment_and_earlier_ones_are_carried_on():
    first, second = record(), record(eoi_mrd="0.005%")
    once = amended(second, first, issued="2026-01-01T00:00:00Z", kept="issued/001_a")
    assert [item.replaces for item in once.amendments] == [first.report_id]
    again = amended(second, once, issued="2026-01-02T00:00:00Z", kept="issued/002_b")
    assert again.amendments == once.amendments
    third = amended(record(eoi_mrd="2%"), again, issued="2026-01-03T00:00:00Z", kept="issued/002_b")
    assert [item.kept for item in third.amendments] == ["issued/001_a", "issued/002_b"]


def issue(folder, content, monkeypatch, epoch):
    """Run the stage as the workflow does, which removes the old report first."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
    path = folder.parent / "record.json"
    path.write_text(content.model_dump_json(), encoding="utf-8")
    outputs = {kind: folder / f"report.{kind}" for kind in ("html", "pdf", "json", "fhir")}
    for output in outputs.values():
        output.unlink(missing_ok=True)
    report(Job(inputs={"record": [path]}, outputs=outputs, settings={}, sheets=folder, name=""))
    return json.loads(outputs["json"].read_text(encoding="utf-8"))


def kept(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("issued/*/report.*"))
    }


def test_the_earlier_report_stays_and_the_new_one_names_it(tmp_path, monkeypatch):
    folder = tmp_path / "P01"
    first = issue(folder, record(), monkeypatch, 1_762_520_400)
    assert first["amendments"] == []
    before = kept(folder)
    assert len(before) == 4
    same = issue(folder, record(), monkeypatch, 1_762_524_000)
    assert same["amendments"] == [] and kept(folder) == before
    new = issue(folder, record(eoi_mrd="0.005%", genetics="none"), monkeypatch, 1_762_527_600)
    (amendment,) = new["amendments"]
    assert amendment["replaces"] == first["report_id"]
    assert amendment["issued"] == first["generated_at"]
    assert (folder / amendment["kept"] / "report.pdf").is_file()
    assert kept(folder).items() > before.items()
    assert len(kept(folder)) == 8
    repeated = issue(folder, record(eoi_mrd="0.005%", genetics="none"), monkeypatch, 1_762_531_200)
    assert repeated["amendments"] == new["amendments"]
    assert len(kept(folder)) == 8


def test_a_released_report_is_kept_beside_its_draft(tmp_path):
    content = record()
    folder = tmp_path / "P01"
    folder.mkdir()
    file = folder / "report.json"
    for status, name in (("draft", "P01-a"), ("released", "P01-b"), ("released", "P01-c")):
        one = content.model_copy(update={"status": status, "report_id": name})
        file.unlink(missing_ok=True)
        file.write_text(render_json(one, "2026-01-01T00:00:00Z"), encoding="utf-8")
        assert keep_issue(folder, one, last_issue(folder), [file]) is not None
    assert keep_issue(folder, one, last_issue(folder), [file]) is None
    names = ["001_P01-a", "002_P01-b", "003_P01-c"]
    assert [path.name for path in sorted((folder / "issued").iterdir())] == names
    assert last_issue(folder).record.status == "released"
    modes = [(folder / "issued" / name / "report.json").stat().st_mode & 0o222 for name in names]
    assert modes[0] != 0, "a draft is not locked"
    assert modes[1:] == [0, 0], "what was signed cannot be written"


def test_a_report_of_an_unknown_form_is_kept_and_said_to_be_incomparable(tmp_path):
    old = tmp_path / "issued" / "001_P01-0000"
    old.mkdir(parents=True)
    (old / "report.json").write_text('{"generated_at": "2020", "patient": "P01"}', encoding="utf-8")
    content = as_amended(record(), last_issue(tmp_path))
    assert content.amendments[0].replaces == "P01-0000"
    assert "cannot be compared" in content.amendments[0].changes[0].why


@pytest.fixture(scope="module")
def reissued():
    first = record()
    new = record(eoi_mrd="0.005%", genetics="none")
    return amended(new, first, issued="2026-01-01T00:00:00Z", kept="issued/001_P01-a")


def test_page_one_and_the_amendments_say_what_changed(reissued):
    html = render_html(reissued, report_example.GENERATED)
    lead = html.partition('<p class="amended">')[2].partition("</p>")[0]
    assert f"Replaces report {reissued.amendments[0].replaces}, which is kept." in lead
    assert "MRD at the end of induction or block 1: not reported, now 0.005%." in lead
    assert "COG: pending: Intermediate or Low, now Low." in html
    assert "issued/001_P01-a" in html
    plain = render_html(record(), report_example.GENERATED)
    assert "Amended report" not in plain and "<h2>Amendments" not in plain


def test_the_pdf_says_the_same(reissued):
    from drp.report.pdf import render_pdf

    text = text_of(render_pdf(reissued, report_example.GENERATED))
    assert "Amended report. Replaces report" in text
    assert "pending: Intermediate or Low, now Low." in text
