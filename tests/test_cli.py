import json
import shutil

import pytest

from drp.cli import main
from tests.project import ROOT, copy_demo, drp


@pytest.fixture
def demo(tmp_path):
    return copy_demo(tmp_path / "demo")


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_run_has_no_error(demo, capsys):
    code = main(["check", "--json", "--directory", str(demo)])
    problems = json.loads(capsys.readouterr().out)
    assert [problem for problem in problems if problem["severity"] == "error"] == []
    assert code == 0


@pytest.fixture(autouse=True)
def back(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_three_mistakes_end_in_one_list_before_any_fit(demo):
    plate = sorted((demo / "plates").glob("*P01-S1-A.txt"))[0]
    lines = plate.read_bytes().decode().splitlines(keepends=True)
    measured = next(i for i, line in enumerate(lines) if line.startswith("Results for"))
    row = next(i for i, line in enumerate(lines) if i > measured and line.startswith("C;"))
    plate.write_text("".join(lines[:row] + lines[row + 1 :]), encoding="utf-8", newline="")
    layout = demo / "plates" / "layout_single.tsv"
    entries = layout.read_text(encoding="utf-8").splitlines()
    dosed = next(number for number, line in enumerate(entries) if line.endswith("\tnM"))
    entries.append(entries[dosed])
    layout.write_text("\n".join(entries) + "\n", encoding="utf-8")
    other = demo / "plates" / "layout_combinations.tsv"
    replace(other, "\tnM", "\t")
    done = drp("run", folder=demo)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in said
    assert not (demo / "results").exists()
    for code, place in (
        ("plate.missing-row", plate.name),
        ("layout.duplicate-well", "layout_single.tsv"),
        ("layout.no-unit", "layout_combinations.tsv"),
    ):
        assert any(code in line and place in line for line in said.splitlines()), (code, said)


@pytest.mark.slow
def test_the_workflow_alone_refuses_faulty_sheets_too(demo):
    import subprocess
    import sys

    replace(demo / "config" / "samples.tsv", "\tP01\t", "\tP99\t")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile"]
    done = subprocess.run(
        [*command, str(ROOT / "workflow" / "Snakefile")],
        cwd=demo, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "sheet.unknown-link" in said
    assert "Traceback" not in said


def test_usage_errors_and_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fly"])
    assert stop.value.code == 2
    with pytest.raises(SystemExit) as stop:
        main(["check", "--fly"])
    assert stop.value.code == 2
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "plates in, one report per patient out" in capsys.readouterr().out


def test_init_starts_a_project_that_check_understands(tmp_path, capsys):
    folder = tmp_path / "lab"
    assert main(["init", str(folder)]) == 0
    capsys.readouterr()
    assert main(["check", "--directory", str(folder)]) == 0
    assert main(["init", str(folder)]) == 1
    assert "never overwrites" in capsys.readouterr().err


def test_missing_report_and_missing_plate_are_said(demo, capsys):
    assert main(["open", "P01", "--directory", str(demo)]) == 1
    assert "no report of P01" in capsys.readouterr().err
    sorted((demo / "plates").glob("*.txt"))[0].unlink()
    assert main(["check", "--directory", str(demo)]) == 1
    assert "plates.no-file" in capsys.readouterr().err


def test_a_path_out_of_the_plates_folder_is_refused(demo, capsys):
    shutil.copy(demo / "plates" / "layout_single.tsv", demo / "outside.tsv")
    replace(demo / "config" / "plates.tsv", "\tlayout_single.tsv", "\t../outside.tsv")
    assert main(["check", "--directory", str(demo)]) == 1
    assert "plates.outside" in capsys.readouterr().err
