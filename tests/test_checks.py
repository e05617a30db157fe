"""A check finds at once what is wrong with sheets, files, their fit and the plates themselves."""

import csv
import io

import pytest

from drp.checks import check_folder
from drp.simulate.run import simulate_run
from drp.wellnames import parse_well, well_name


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    simulate_run(folder, seed=5, patients=2, reference=0)
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def project(tmp_path, monkeypatch, simulated):
    for name, content in simulated.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _codes():
    return [problem.code for problem in check_folder({}).problems]


def _exports(project):
    return sorted((project / "plates").glob("CTG_*"))


def test_a_sound_project_has_no_problem_and_shows_its_roles(project):
    checked = check_folder({})
    assert checked.problems == []
    assert ("layout_single.tsv", "negative", "DMSO", "negative", 24) in checked.roles
    assert ("layout_single.tsv", "sample", "", "sample", 320) in checked.roles


def test_a_mistake_in_a_sheet_does_not_hide_one_in_an_export(project):
    samples = project / "config" / "samples.tsv"
    samples.write_text(samples.read_text().replace("P02\t", "P99\t"))
    export = _exports(project)[0]
    export.write_text(export.read_text().replace("\nC;", "\nQ;"))
    codes = _codes()
    assert "sheet.unknown-link" in codes
    assert "plate.missing-row" in codes


def test_a_layout_one_row_off_is_said_with_the_better_place(project):
    layout = project / "plates" / "layout_single.tsv"
    rows = list(csv.DictReader(io.StringIO(layout.read_text()), delimiter="\t"))
    for row in rows:
        place = parse_well(row["well"])
        row["well"] = well_name(place[0] % 16 + 1, place[1])
    lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
    layout.write_text("\n".join(lines) + "\n")
    found = [p for p in check_folder({}).problems if p.code == "wells.registration"]
    assert {problem.where.plate for problem in found} == {"P01-S1-A", "P02-S1-A"}
    assert all("one row up" in problem.found for problem in found)
    assert {problem.severity for problem in found} == {"warning"}


def test_exchanged_exports_of_two_layouts_are_said(project):
    first, second = _exports(project)[:2]
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    found = [p for p in check_folder({}).problems if p.code == "wells.swapped-plates"]
    assert len(found) == 1
    assert "P01-S1-A" in str(found[0]) and "P01-S1-B" in str(found[0])


def test_a_plate_that_is_a_copy_of_another_is_an_error(project):
    exports = _exports(project)
    text = exports[0].read_text()
    exports[2].write_text(text.replace("09:09:00", "09:30:00"))
    found = [p for p in check_folder({}).problems if p.severity == "error"]
    assert [problem.code for problem in found] in (
        ["wells.identical-plates"],
        ["wells.same-export"],
    )
    assert "P01-S1-A" in str(found[0]) and "P02-S1-A" in str(found[0])


def test_negative_controls_below_positive_ones_are_an_error(project):
    layout = project / "plates" / "layout_single.tsv"
    text = (
        layout.read_text().replace("\tnegative\t", "\tX\t").replace("\tpositive\t", "\tnegative\t")
    )
    layout.write_text(text.replace("\tX\t", "\tpositive\t"))
    assert "wells.controls-reversed" in _codes()


def test_the_check_needs_no_heavy_library(project):
    import subprocess
    import sys

    code = (
        "import sys; from drp.checks import check_folder; check_folder({});"
        "print([m for m in ('pandas', 'scipy', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_layout_beyond_the_wells_that_were_read_names_the_better_place(project):
    """Wells without a value are an error; that the layout is a row off stands beside it."""
    export = _exports(project)[0]
    lines = export.read_text().split("\n")
    start = max(n for n, line in enumerate(lines) if line.startswith("Results for")) + 2
    first, last = start, start + 15
    lines[last] = "P;" + ";" * 24  # the last row was not read, all others lie one row down
    for row in range(last, first, -1):
        lines[row] = lines[row][:1] + lines[row - 1][1:]
    lines[first] = "A" + ";" * 25
    export.write_text("\n".join(lines))
    codes = _codes()
    assert "wells.registration" in codes
