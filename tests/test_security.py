"""Whatever a sheet, a file name or an export carries is text, wherever it comes out."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from drp.cli import main
from drp.export import export_tables
from drp.simulate import simulate_run
from drp.storage import replacing_folder, write_json, write_table
from tests.project import ROOT, drp
from tools import audit

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
FORMULAS = ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", '=HYPERLINK("x")']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_exported_cell_starts_a_formula(tmp_path, text):
    frame = pd.DataFrame({"drug": [text, "Venetoclax"], "auc": [-1.5, 2.0]})
    write_table(tmp_path / "results" / "curves.parquet", frame)
    (file,) = export_tables(tmp_path / "results", tmp_path / "export")
    back = pd.read_csv(file, sep="\t", dtype=str)
    assert back["drug"][0][0] == "'"
    shown = re.sub(r"[\t\r\n]", " ", text)
    assert back["drug"].tolist() == ["'" + shown, "Venetoclax"]
    assert back["auc"].tolist() == ["-1.5", "2.0"], "a number is no formula"


@cache
def plates_of_one_patient():
    """Simulated once; each test changes a copy."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    simulate_run(folder, seed=1, patients=1, reference=0)
    return folder


def simulated(folder):
    return shutil.copytree(plates_of_one_patient(), folder)


def rename(folder, old, new):
    """Give an export another name, in the sheet as well."""
    (folder / "plates" / old).rename(folder / "plates" / new)
    sheet = folder / "config" / "plates.tsv"
    sheet.write_text(sheet.read_text("utf-8").replace(old, new), encoding="utf-8")


def planned_with_names(folder):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    command += ["--snakefile", str(ROOT / "workflow" / "Snakefile"), "--until", "plates"]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_file_name_is_never_run(tmp_path):
    """A name a shell, a template or a path would read is read as a name."""
    folder = simulated(tmp_path / "lab")
    for old, new in zip(
        sorted(path.name for path in (folder / "plates").glob("*.txt")),
        ("a $(touch stolen) ;touch stolen;.txt", "b`touch stolen` & '\".txt"),
        strict=True,
    ):
        rename(folder, old, new)
    done = planned_with_names(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "results" / "batches" / "P01-S1" / "reads.parquet").is_file()
    assert not list(folder.rglob("stolen"))


@pytest.mark.parametrize("name", ["{wildcards}.txt", "}.txt", "a\x1b[31m.txt"])
def test_a_name_that_is_a_pattern_is_refused(tmp_path, name, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = simulated(tmp_path / "lab")
    rename(folder, next((folder / "plates").glob("*P01-S1-A.txt")).name, name)
    assert main(["check", "--directory", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "plates.bad-name" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/etc/passwd", "sub/../../outside.txt", "..\\outside.txt"]
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = simulated(tmp_path / "lab")
    (tmp_path / "outside.txt").write_text("secret")
    sheet = folder / "config" / "plates.tsv"
    first = next((folder / "plates").glob("*P01-S1-A.txt")).name
    sheet.write_text(sheet.read_text("utf-8").replace(first, name), encoding="utf-8")
    assert main(["check", "--directory", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "plates.outside" in said or "plates.no-file" in said
    assert "secret" not in said


@pytest.mark.parametrize("odd", ["../P01", "P01/x", "P01;rm", "$(id)", "-rf", ".hidden", "P 01"])
def test_an_id_is_never_a_path_or_an_option(tmp_path, odd, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = simulated(tmp_path / "lab")
    for name in ("samples", "patients"):
        sheet = folder / "config" / f"{name}.tsv"
        text = sheet.read_text("utf-8")
        sheet.write_text(text.replace("P01\t", f"{odd}\t"), encoding="utf-8")
    assert main(["check", "--directory", str(folder)]) == 1
    assert "sheet.bad-id" in capsys.readouterr().err


def test_no_control_character_of_a_sheet_reaches_the_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = simulated(tmp_path / "lab")
    sheet = folder / "config" / "plates.tsv"
    first = next((folder / "plates").glob("*P01-S1-A.txt")).name
    odd = "gone\x1b[31mERROR\x07.txt"
    sheet.write_text(sheet.read_text("utf-8").replace(first, odd), encoding="utf-8")
    assert main(["check", "--directory", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "gone" in said
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize(("mask", "file_mode"), [(0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_outputs_keep_to_the_mask_of_the_user(tmp_path, mask, file_mode):
    before = os.umask(mask)
    try:
        write_json(tmp_path / "a" / "one.json", {})
        with replacing_folder(tmp_path / "b") as folder:
            write_json(folder / "two.json", {})
    finally:
        os.umask(before)
    for path in (tmp_path / "a" / "one.json", tmp_path / "b" / "two.json"):
        assert path.stat().st_mode & 0o777 == file_mode
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o777 & ~mask


@pytest.mark.slow
def test_a_run_and_its_verification_need_no_network(tmp_path):
    """In a name space without any network device; then one signal is changed."""
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    try:
        tried = subprocess.run([*alone, "true"], check=False, capture_output=True)
    except OSError as fault:
        pytest.skip(f"no name spaces here: {fault}")
    if tried.returncode:
        pytest.skip(f"name spaces are not allowed here: {tried.stderr.decode().strip()}")
    folder = simulated(tmp_path / "lab")
    command = [*alone, sys.executable, "-m", "drp"]

    def run(*arguments):
        return subprocess.run(
            [*command, *arguments],
            cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("run", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "jobs done" in done.stdout
    assert "Patients: " in done.stdout
    assert (folder / "results" / "provenance.json").is_file()
    done = run("verify", "reports/P01")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "Identical"), done.stdout
    plate = next((folder / "plates").glob("*P01-S1-A.txt"))
    plate.write_bytes(plate.read_bytes() + b"\r\n")
    done = run("verify", "reports/P01")
    assert done.returncode == 1
    assert f"Differs: input {plate.name} is another file" in done.stdout


@pytest.mark.slow
def test_lint_finds_nothing_but_that_jobs_run_the_installed_drp(tmp_path):
    """Rules name no container: they run the package that runs the workflow."""
    drp("init", "lab", folder=tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint", "--snakefile", ROOT / "workflow/Snakefile"],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {line.strip() for line in done.stderr.splitlines() if line.startswith("    * ")}
    assert found == {"* Specify a conda environment or container for each rule.:"}, done.stderr


def auditor(folder, code, out="", err=""):
    path = folder / "pip-audit"
    path.write_text(f"#!/bin/sh\necho '{err}' >&2\nprintf '{out}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("code", "out", "err", "expected", "words"),
    [
        (0, "", "", 0, "no known vulnerability"),
        (1, "Name Version ID\\nx 1 CVE-1\\n", "", 1, "KNOWN VULNERABILITIES"),
        (1, "", "ConnectionError: no route", 0, "NOT CHECKED (ConnectionError: no route)"),
    ],
)
def test_an_audit_that_could_not_be_made_is_said(tmp_path, code, out, err, expected, words):
    found, said = audit.audit(auditor(tmp_path, code, out, err), Path("dev.lock"))
    assert found == expected
    assert words in said
