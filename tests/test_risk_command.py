"""`drp risk`: one patient or many, as text, table, TSV or JSON; faults located, and no class."""

import csv
import io
import json
import time

import pytest

from drp.cli import main
from drp.risk import classify_rows, list_switches
from drp.risk.markdown import tables_markdown
from drp.risk_text import WIDTH
from tests.project import ROOT

COLUMNS = ("patient", "immunophenotype", "site", "em_sites", "months_dx_to_relapse", "on_therapy",
           "months_end_of_therapy_to_relapse", "diagnosis_date", "end_of_therapy_date",
           "relapse_date", "eoi_mrd", "age_at_diagnosis_y", "age_at_relapse_y", "genetics",
           "prior_hsct", "relapse_number")  # fmt: skip
GOOD = {"patient": "P01", "immunophenotype": "B", "site": "isolated_marrow",
        "months_dx_to_relapse": "48", "months_end_of_therapy_to_relapse": "20",
        "eoi_mrd": "0.05%", "age_at_diagnosis_y": "6", "genetics": "none", "prior_hsct": "N",
        "relapse_number": "1"}  # fmt: skip
BY_DATE = {"months_dx_to_relapse": "", "months_end_of_therapy_to_relapse": "",
           "diagnosis_date": "2018-05-10", "relapse_date": "2021-05-10"}  # fmt: skip


def write(path, *rows):
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join({**GOOD, **row}.get(column, "") for column in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def sheet(tmp_path):
    return write(tmp_path / "patients.tsv", {}, {"patient": "P02", "eoi_mrd": ""})


def run(capsys, *arguments):
    code = main(["risk", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_one_patient_is_a_block_that_says_why(capsys, sheet):
    code, out, err = run(capsys, "P01", "--patients", sheet)
    assert (code, err) == (0, "")
    assert out.startswith(
        "P01\n  Timing: late (BFM terms), late (COG terms)\n  COG             Low"
    )
    assert "Rule InPOG-7. Source: CTRI/2019/10/021758; Sidhu 2023, Table 1." in out
    assert "DISCORDANT" in out
    assert "P02" not in out
    assert max(map(len, out.splitlines())) <= WIDTH


def test_what_is_published_is_printed_when_asked_for(capsys, sheet):
    _, out, _ = run(capsys, "P02", "--patients", sheet, "--published")
    words = " ".join(out.split())
    assert "If HR: InPOG-ALL-R1 plans transplantation for every HR patient." in words
    assert "Outcome of published groups (not this patient's prognosis)" in words
    assert max(map(len, out.splitlines())) <= WIDTH


def test_a_table_has_a_line_per_patient(capsys, sheet):
    _, out, _ = run(capsys, "--patients", sheet, "--format", "table")
    head, first, second = out.splitlines()
    assert head.split("  ")[0] == "patient"
    assert first.startswith("P01") and first.split()[-1] == "DISCORDANT"
    assert "pending: Intermediate or Low" in second and "eoi_mrd" in second
    assert head.index("InPOG-ALL-R1") == second.index("pending: HR or SR")


def test_tsv_and_json_hold_the_whole_table(capsys, sheet):
    _, out, _ = run(capsys, "--patients", sheet, "--format", "tsv")
    rows = list(csv.DictReader(io.StringIO(out), delimiter="\t"))
    assert rows == classify_rows([GOOD, {**GOOD, "patient": "P02", "eoi_mrd": ""}])
    _, out, _ = run(capsys, "--patients", sheet, "--format", "json", "--published")
    first, second = json.loads(out)
    assert [system["risk_class"] for system in first["systems"]] == ["Low", "S2", "IR", "SR", "HR"]
    assert second["systems"][4]["possible"] == ["HR", "SR"]
    assert second["systems"][4]["needs"] == ["eoi_mrd"]
    assert {one["kind"] for one in first["published"]} >= {"pathway", "outcome", "agent"}


def test_more_than_three_patients_are_a_table(capsys, tmp_path):
    rows = [{"patient": f"P0{number}"} for number in range(4)]
    _, out, _ = run(capsys, "--patients", write(tmp_path / "patients.tsv", *rows))
    assert len(out.splitlines()) == 5


def test_the_project_is_read_with_its_switches(capsys, tmp_path):
    (tmp_path / "config").mkdir()
    write(tmp_path / "config" / "patients.tsv", {"genetics": "TP53mut", "eoi_mrd": "0"})
    folder = ("--directory", str(tmp_path))
    config = tmp_path / "config" / "config.yaml"
    config.write_text("assay: {name: a}\n", encoding="utf-8")
    inpog = json.loads(run(capsys, *folder, "--format", "json")[1])[0]["systems"][4]
    assert (inpog["risk_class"], inpog["switches"]) == ("HR", [])
    text = "assay: {name: a}\nrisk_switches: {inpog_tp53_mutation: not_high_risk}\n"
    config.write_text(text, encoding="utf-8")
    inpog = json.loads(run(capsys, *folder, "--format", "json")[1])[0]["systems"][4]
    assert inpog["risk_class"] == "SR"
    assert inpog["switches"] == ["inpog_tp53_mutation=not_high_risk"]
    _, out, _ = run(capsys, *folder)
    assert "Not the default reading: inpog_tp53_mutation=not_high_risk." in out
    _, out, _ = run(capsys, *folder, "--switch", "inpog_tp53_mutation=high_risk")
    assert "Not the default" not in out
    config.write_text("assay: {name: a}\nrisk_switches: {inpog_agee: x}\n", encoding="utf-8")
    code, out, err = run(capsys, *folder)
    assert (code, out) == (1, "")
    assert "config.bad-value" in err and "inpog_agee" in err


def test_the_configuration_knows_every_switch_and_its_default():
    from drp.config import RiskSwitches

    assert RiskSwitches().model_dump() == {name: all_[0] for name, all_ in list_switches().items()}
    options = {
        name: tuple(part["enum"])
        for name, part in RiskSwitches.model_json_schema()["properties"].items()
    }
    assert options == list_switches()


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({**BY_DATE, "relapse_date": "2018-05-09"}, "relapse-before-diagnosis", "relapse_date"),
        ({"eoi_mrd": "0.1"}, "mrd-unit", "eoi_mrd"),
        ({"em_sites": "CNS"}, "site-contradiction", "em_sites"),
        ({"age_at_diagnosis_y": "150"}, "out-of-range", "age_at_diagnosis_y"),
        ({**BY_DATE, "end_of_therapy_date": "2021-05-11"}, "end-after-relapse",
         "end_of_therapy_date"),
    ],
)  # fmt: skip
def test_bad_input_gives_a_located_problem_and_no_class(capsys, tmp_path, cells, code, column):
    path = write(tmp_path / "patients.tsv", {}, {"patient": "P02", **cells})
    status, out, err = run(capsys, "--patients", path)
    assert (status, out) == (1, "")
    assert f"error risk.{code}: patients.tsv, row for P02, column {column}: " in err
    assert run(capsys, "P01", "--patients", path)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("P1",), "risk.unknown-patient"),
        (("--switch", "inpog_age=sometime"), "risk.unknown-switch"),
        (("--patients", "absent.tsv"), "sheet.absent"),
    ],
)
def test_what_cannot_be_done_is_said(capsys, sheet, arguments, said):
    given = arguments if "--patients" in arguments else (*arguments, "--patients", sheet)
    code, out, err = run(capsys, *given)
    assert (code, out) == (1, "")
    assert said in err


def test_the_signed_tables_are_the_ones_that_run(capsys):
    _, out, _ = run(capsys, "--tables")
    assert out == tables_markdown()
    assert (ROOT / "docs" / "risk_tables.md").read_text(encoding="utf-8") == out


@pytest.mark.slow
def test_ten_thousand_patients_on_the_command_line(capsys, tmp_path):
    """Half of them with nothing known; reading, classifying and printing together."""
    blank = dict.fromkeys(GOOD, "")
    rows = [{"patient": f"A{number}"} for number in range(5_000)]
    rows += [{**blank, "patient": f"B{number}"} for number in range(5_000)]
    path = write(tmp_path / "patients.tsv", *rows)
    start = time.process_time()
    code, out, _ = run(capsys, "--patients", path)
    assert time.process_time() - start < 5
    assert code == 0
    assert len(out.splitlines()) == 10_001
