"""The whole way on the simulated run: plates in, one report per patient out."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator

from drp.report.kept_words import kept_words
from drp.report.language import Translator, untranslated
from drp.report.phrases import catalogue
from drp.report.record import read_record
from drp.report.view import view
from tests.project import EPOCH, ROOT, copy_demo, drp, planned

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo run, computed once from scratch."""
    folder = copy_demo(tmp_path_factory.mktemp("demo"))
    done = drp("run", "--cores", "2", folder=folder, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reports/index.html" in done.stdout
    return folder


@pytest.fixture(scope="module")
def records(demo):
    """Each patient's report as read from its JSON file."""
    files = sorted((demo / "reports").glob("*/report.json"))
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in files}


def test_no_phrase_of_any_report_stays_english_in_german(records):
    for record in records.values():
        made = read_record(json.dumps(record))
        german = Translator(catalogue("de"), kept_words(made))
        assert untranslated(view(made, record["generated_at"]), german) == []


def test_every_report_is_valid_under_the_published_schema(records):
    text = (ROOT / "docs" / "schema" / "report.schema.json").read_text(encoding="utf-8")
    check = Draft202012Validator(json.loads(text))
    for record in records.values():
        check.validate(record)


def test_the_example_in_the_documents_is_such_a_report(records):
    text = (ROOT / "docs" / "schema" / "report.schema.json").read_text(encoding="utf-8")
    given = json.loads((ROOT / "docs" / "example" / "report.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(text)).validate(given)
    assert given["simulated"]
    made = {drug["drug"] for drug in newest(records[given["patient"]])["drugs"]}
    assert {drug["drug"] for drug in newest(given)["drugs"]} == made


def test_the_report_of_snakemake_holds_all_reports_with_captions(demo, records):
    pytest.importorskip("pygments")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--report", "workflow.html"]
    snakefile = str(ROOT / "workflow" / "Snakefile")
    done = subprocess.run(
        [*command, "--snakefile", snakefile],
        cwd=demo,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (demo / "workflow.html").read_text(encoding="utf-8")
    (demo / "workflow.html").unlink()
    for patient in records:
        assert f"The report of patient {patient}: is the sample usable" in page
        assert page.count(f'"labels": {{"patient": "{patient}"') == 2
    assert "All patients, one row each" in page
    assert "Controls across runs" in page


def newest(record):
    return record["samples"][0]


def truth(demo, kind):
    with (demo / "plates" / "simulated_truth.tsv").open(encoding="utf-8") as stream:
        rows = csv.DictReader((line for line in stream if not line.startswith("#")), delimiter="\t")
        return [row for row in rows if row["kind"] == kind]


def test_every_patient_has_every_report(demo, records):
    assert len(records) >= 8
    for patient in records:
        folder = demo / "reports" / patient
        assert sorted(path.name for path in folder.iterdir()) == [
            "issued",  # what was reported, kept when a report is made again
            "report.fhir.json",
            "report.html",
            "report.json",
            "report.pdf",
        ]
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert "SIMULATED" in page
        assert len(page) < 500_000
        assert f'href="{patient}/report.html"' in (demo / "reports/index.html").read_text("utf-8")


def test_the_planted_drugs_come_back(demo, records):
    """Every drug planted as sensitive is called, in every patient; the resistant one has none."""
    wanted = [row for row in truth(demo, "drug") if row["call_expected"] == "sensitive"]
    assert {row["patient"] for row in wanted} >= {"P01"}
    for row in wanted:
        sample = next(
            sample
            for sample in records[row["patient"]]["samples"]
            if sample["sample"] == row["sample"]
        )
        calls = {drug["drug"]: drug["call"] for drug in sample["drugs"]}
        assert calls[row["name"]] == "sensitive", (row["sample"], row["name"])
    resistant = newest(records["P02"])["drugs"]
    assert [drug["drug"] for drug in resistant if drug["call"] == "sensitive"] == []


def test_the_failed_sample_has_no_drug_table(demo, records):
    sample = newest(records["P04"])
    assert sample["usable"] == "no"
    assert "drugs" not in sample
    assert "combinations" not in sample
    page = (demo / "reports/P04/report.html").read_text(encoding="utf-8")
    assert "Venetoclax" not in page
    assert "No result" in page


def test_the_planted_combinations_come_back(demo, records):
    found = {"synergistic": 0, "additive": 0, "antagonistic": 0}
    for row in truth(demo, "combination"):
        sample = next(
            sample
            for sample in records[row["patient"]]["samples"]
            if sample["sample"] == row["sample"]
        )
        if sample["usable"] == "no" or row["call_expected"] not in found:
            continue
        scores = {pair["combination"].casefold(): pair["bliss"] for pair in sample["combinations"]}
        bliss = scores[" + ".join(sorted(row["name"].split(" + "), key=str.casefold)).casefold()]
        found[row["call_expected"]] += 1
        if row["call_expected"] == "synergistic":
            assert bliss["lo"] > 0, row
        elif row["call_expected"] == "antagonistic":
            assert bliss["hi"] < 0, row
        else:
            assert bliss["lo"] < 0 < bliss["hi"], row
    assert found == {"synergistic": 2, "additive": 1, "antagonistic": 1}


def test_the_additive_pair_is_not_called_otherwise(records):
    pairs = {pair["combination"]: pair for pair in newest(records["P03"])["combinations"]}
    assert "synerg" not in pairs["Bortezomib + Venetoclax"]["call"]
    assert "antag" not in pairs["Bortezomib + Venetoclax"]["call"]


def test_pending_risk_and_t_cell_leukaemia_are_there(records):
    assert any(row["status"] == "pending" for row in records["P05"]["risk"])
    assert all(row["status"] == "definite" for row in records["P06"]["risk"])


def test_a_prodrug_is_not_evaluable_and_has_no_number(records):
    (drug,) = [d for d in newest(records["P01"])["drugs"] if d["drug"] == "Cyclophosphamide"]
    assert "cannot be read in this assay" in drug["reason"]
    assert drug["call"] == "not evaluable"
    assert drug["probability"] is None
    assert drug["measures"] is None


def test_every_plate_has_a_review_that_the_reports_lead_to(demo, records):
    index = (demo / "reports" / "index.html").read_text(encoding="utf-8")
    pages = sorted((demo / "reports" / "plates").glob("*/*.html"))
    assert len(pages) == 18
    for page in pages:
        assert f'href="plates/{page.parent.name}/{page.name}"' in index
        assert len(page.read_bytes()) < 500_000
    for patient in records:
        report = (demo / "reports" / patient / "report.html").read_text(encoding="utf-8")
        links = re.findall(r'href="(\.\./plates/[^"]+)"', report)
        assert len(links) == sum(len(sample["plates"]) for sample in records[patient]["samples"])
        assert all((demo / "reports" / patient / link).is_file() for link in links)


def test_the_index_leads_to_the_charts_across_runs(demo):
    index = (demo / "reports" / "index.html").read_text(encoding="utf-8")
    assert 'href="quality.html"' in index
    page = (demo / "reports" / "quality.html").read_text(encoding="utf-8")
    assert "Not drawn: 2 runs with a value: limits need 3." in page
    assert (demo / "results" / "charts.parquet").is_file()


def test_an_exclusion_redoes_its_own_batch_and_every_review(demo, tmp_path):
    """Each review page gives the whole sheet, so each must know the new row."""
    folder = shutil.copytree(demo, tmp_path / "copy", symlinks=True)
    with (folder / "config" / "exclusions.tsv").open("a", encoding="utf-8") as stream:
        stream.write("P02-S1-A\tC5\tbubble\tlab A\t2025-11-07\n")
    jobs = planned(folder)
    assert (jobs["wells"], jobs["viability"], jobs["curves"], jobs["review"]) == (1, 1, 1, 2)
    assert "plates" not in jobs


def test_an_approval_releases_its_report_and_redoes_nothing_else(demo, records, tmp_path):
    folder = shutil.copytree(demo, tmp_path / "copy", symlinks=True)
    found = newest(records["P02"])
    with (folder / "config" / "approvals.tsv").open("a", encoding="utf-8") as stream:
        stream.write(f"{found['sample']}\tlab director\t2025-11-08\t{found['input_hash']}\n")
    assert planned(folder) == {"record": 1, "report": 1, "index": 1}
    done = drp("run", "--cores", "2", folder=folder, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    issued = json.loads((folder / "reports/P02/report.json").read_text(encoding="utf-8"))
    assert issued["status"] == "released"
    page = (folder / "reports/P02/report.html").read_text(encoding="utf-8")
    assert "Released by lab director on 2025-11-08" in page
    assert "DRAFT" not in page


def test_a_second_run_does_nothing(demo):
    assert planned(demo) == {}
    before = {path: path.stat().st_mtime_ns for path in (demo / "reports").rglob("*.*")}
    done = drp("run", "--cores", "2", folder=demo)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in (demo / "reports").rglob("*.*")}


def test_a_changed_plate_redoes_its_own_sample(demo, tmp_path):
    folder = shutil.copytree(demo, tmp_path / "copy", symlinks=True)
    (plate,) = (folder / "plates").glob("*P02-S1-A.txt")
    lines = plate.read_bytes().decode().split("\r\n")
    measured = next(i for i, line in enumerate(lines) if line.startswith("Results for"))
    row = next(i for i, line in enumerate(lines) if i > measured and line.startswith("B;"))
    cells = lines[row].split(";")
    cells[5] = str(int(cells[5]) + 1)
    lines[row] = ";".join(cells)
    plate.write_bytes("\r\n".join(lines).encode())
    jobs = planned(folder)
    own = ("plates", "wells", "viability", "curves", "synergy")
    assert {stage: jobs[stage] for stage in own} == dict.fromkeys(own, 1)
    # The plate is one of those by which the others of its run are judged (decision 3).
    in_run = ("samples", "calls", "risk", "record", "report")
    assert {stage: jobs.get(stage, 0) for stage in in_run} == {
        "samples": 4, "calls": 4, "risk": 0, "record": 4, "report": 4
    }  # fmt: skip
    assert "cohort" not in jobs  # the reference of the demo is the earlier samples only


def test_a_changed_sheet_row_redoes_its_own_patient(demo, tmp_path):
    folder = shutil.copytree(demo, tmp_path / "copy", symlinks=True)
    sheet = folder / "config" / "patients.tsv"
    lines = sheet.read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith("P05\t"))
    lines[number] = lines[number].replace("P05\tB", "P05\tT")
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    jobs = planned(folder)
    assert (jobs["risk"], jobs["record"], jobs["report"]) == (1, 1, 1)
    assert "plates" not in jobs
    assert "curves" not in jobs


def test_a_changed_line_of_code_redoes_what_it_touches(demo, tmp_path):
    code = tmp_path / "code"
    shutil.copytree(ROOT / "drp", code / "drp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "workflow", code / "workflow")
    assert planned(demo, code) == {}
    with (code / "drp" / "calls.py").open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    jobs = planned(demo, code)
    assert jobs["calls"] == len(list((demo / "results/batches").iterdir()))
    assert jobs["record"] == jobs["report"] == len(list((demo / "reports").glob("*/report.json")))
    assert not {"plates", "wells", "viability", "curves", "synergy", "risk"} & jobs.keys()


def test_two_runs_from_scratch_give_the_same_bytes(demo, tmp_path):
    """All but the time: the second run is issued an hour later."""
    again = copy_demo(tmp_path / "again")
    later = str(int(EPOCH) + 3600)
    done = drp("run", "--cores", "2", folder=again, SOURCE_DATE_EPOCH=later)
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(path.relative_to(demo) for path in (demo / "reports").rglob("[!.]*.*"))
    for path in files:
        if path.suffix == ".pdf":
            continue
        first, second = (root.joinpath(path).read_text("utf-8") for root in (demo, again))
        assert timeless(first) == timeless(second), path
        assert first != second, "the time of issue is printed"
    drp(
        "run",
        "--cores",
        "1",
        "--forcerun",
        "report",
        "review",
        "charts",
        "cohort_page",
        folder=again,
        SOURCE_DATE_EPOCH=EPOCH,
    )
    for path in files:
        # A kept report stays as it was issued first, with that time.
        if path.name != "index.html" and "issued" not in path.parts:
            assert (demo / path).read_bytes() == (again / path).read_bytes(), path


def timeless(text):
    """A text without the time of issue, however it is written."""
    return re.sub(r"2025-11-07[T ]1[0-9]:[0-9]{2}(:[0-9]{2})?( ?UTC|Z)?", "TIME", text)
