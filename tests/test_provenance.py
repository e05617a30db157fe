import ast

import pytest

from drp import provenance, tables
from drp.plan import SETTINGS
from drp.storage import (
    read_rows,
    read_table,
    replacing_folder,
    write_json,
    write_rows,
    write_table,
    write_text,
)
from drp.tables import TABLES

FILES = sorted(provenance.PACKAGE.rglob("*.py"))


def modules_of(stage):
    source = (provenance.PACKAGE / "stages.py").read_text(encoding="utf-8")
    definitions = provenance._definitions(ast.parse(source))
    own = provenance._called(stage, definitions)
    modules = set()
    for name in own:
        modules |= provenance._imports(definitions[name])
    return provenance._closure(modules)


@pytest.mark.parametrize(
    ("stage", "touched", "untouched"),
    [
        ("curves", {"drp.sensitivity", "drp.curves", "drp.drugs"}, {"drp.risk", "drp.calls"}),
        ("risk", {"drp.risk"}, {"drp.curves", "drp.plates", "drp.report"}),
        ("plates", {"drp.plates", "drp.plates.readers"}, {"drp.curves", "drp.report"}),
        ("viability", {"drp.viability"}, {"drp.curves", "drp.quality"}),
        ("calls", {"drp.calls", "drp.drugs"}, {"drp.curves", "drp.synergy"}),
        ("report", {"drp.report"}, {"drp.curves", "drp.risk"}),
    ],
)
def test_a_fingerprint_covers_what_a_stage_runs_and_no_more(stage, touched, untouched):
    modules = modules_of(stage)
    assert touched <= modules
    assert not untouched & modules


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(provenance.PACKAGE)))
def test_imports_found_by_their_lines_are_those_of_the_code(path):
    source = path.read_text(encoding="utf-8")
    assert provenance._imports_of(source) == provenance._imports(ast.parse(source))


def test_words_that_begin_like_an_import_hide_no_import():
    source = '"""Data go\nfrom drp to you.\n"""\nfrom drp.curves import (\n    fit,\n)\n'
    assert provenance._imports_of(source) == provenance._imports(ast.parse(source))
    assert "drp.curves" in provenance._imports_of(source)


def test_every_module_of_science_is_in_some_fingerprint():
    covered = set().union(*(modules_of(stage) for stage in SETTINGS))
    named = {
        ".".join(path.relative_to(provenance.PACKAGE.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        )
        for path in FILES
    }
    outside = {
        "drp",
        "drp.__main__",
        "drp.checks",
        "drp.plate_checks",
        "drp.asking",
        "drp.preloaded",
        "drp.progress",
        "drp.run_provenance",
        "drp.verify",
        "drp.summary",
        "drp.arguments",
        "drp.cli",
        "drp.export",
        "drp.project",
        "drp.stages",
    }
    outside |= {"drp.relevance", "drp.selective", "drp.wells"}  # functions for users, in no stage
    # What `drp concordance` runs, on demand and apart from the workflow.
    outside |= {"drp.concordance", "drp.outcomes", "drp.report.concordance_page"}
    outside |= {"drp.risk_text", "drp.risk.markdown"}  # how `drp risk` prints
    # Starting runs, and going on after one was stopped.
    outside |= {
        "drp.cluster_manager",
        "drp.disk",
        "drp.launch",
        "drp.leftovers",
        "drp.manager",
        "drp.mishaps",
        "drp.resume",
        "drp.run_record",
        "drp.slurm",
    }
    outside |= {name for name in named if name.startswith("drp.simulate")}
    outside |= {name for name in named if name.startswith("drp.plates.writers")}
    assert named - covered - outside == set()


def test_every_data_file_is_in_some_fingerprint():
    covered = set()
    for stage in SETTINGS:
        covered |= provenance._files_of(modules_of(stage))
    data = {
        path
        for path in provenance.PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md") and "demo" not in path.parts
    }
    assert data - covered == set()


def test_a_changed_line_changes_the_fingerprints_it_touches(tmp_path, monkeypatch):
    import shutil

    copy = tmp_path / "drp"
    shutil.copytree(provenance.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)

    def forget():
        for cached in (provenance.fingerprint, provenance._module_imports, provenance._file_of):
            cached.cache_clear()

    def prints():
        forget()
        return {stage: provenance.fingerprint(stage) for stage in SETTINGS}

    before = prints()
    with (copy / "viability.py").open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    after = prints()
    assert {stage for stage in SETTINGS if before[stage] != after[stage]} == {
        "viability",
        "quality",
    }
    (copy / "data" / "exposure.tsv").write_text("", encoding="utf-8")
    again = prints()
    touched = {stage for stage in SETTINGS if again[stage] != after[stage]}
    assert {"curves", "calls", "synergy"} <= touched
    assert not {"plates", "wells", "quality", "viability", "risk", "cohort"} & touched
    monkeypatch.undo()
    forget()


def test_writing_is_whole_or_not_at_all(tmp_path):
    target = tmp_path / "a.json"
    write_text(target, "old")
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(target, {"x": float("nan")})
    assert target.read_text() == "old"
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "records") as folder:
        (folder / "P1.json").write_text("half")
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]


def test_a_table_comes_back_as_it_was(tmp_path):
    frame = tables.empty("wells")
    write_table(tmp_path / "wells.parquet", frame)
    back = tables.check(read_table(tmp_path / "wells.parquet"), "wells")
    assert back.dtypes.equals(frame.dtypes)
    assert list(TABLES["wells"].names) == list(back.columns)


def test_rows_come_back_as_they_were_without_pandas(tmp_path):
    import subprocess
    import sys

    rows = [
        {"sample": "2025-01-01", "reasons": 'quote " and \\ and Z′\nline', "n": 3},
        {"sample": "007", "reasons": "", "n": 0},
    ]
    write_rows(tmp_path / "rows.parquet", rows)
    assert read_rows(tmp_path / "rows.parquet") == rows
    assert read_table(tmp_path / "rows.parquet").to_dict("records") == rows
    code = (
        "import sys; from pathlib import Path; from drp.storage import read_rows, write_rows;"
        f"rows = read_rows(Path({str(tmp_path / 'rows.parquet')!r}));"
        f"write_rows(Path({str(tmp_path / 'again.parquet')!r}), rows);"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
