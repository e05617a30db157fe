"""The rules of the house, held over the syntax trees: who may import whom, and who may print."""

import ast
from functools import cache
from pathlib import Path

import pytest

import drp

PACKAGE = Path(drp.__file__).parent
# Imports go from a higher number to a lower one, or stay within one package.
LAYERS = {
    "problems": -1, "members": 0, "tables": 0, "plain_tables": 1,
    "wellnames": 0, "well_arrays": 0, "privacy": 0, "verdicts": 1,
    "joining": 2, "wells": 3, "quality": 4, "samples": 2, "viability": 3,
    "plate_metrics": 1, "trends": 1, "loess": 1, "scaling": 1, "edges": 2, "agreement": 1,
    "drift": 3, "control_charts": 2, "run_charts": 4,
    "curves": 1, "sensitivity": 3, "synergy": 2,
    "asymmetric": 2, "growth": 2, "relevance": 2, "scores": 2, "selective": 3, "single_agents": 2,
    "cohort": 2, "deconvolution": 0, "panel": 0, "standing": 1, "chances": 1, "comparable": 2,
    "call_words": 1,
    "concordance": 1, "outcomes": 2, "profiles": 1, "repeats": 2,
    "calls": 3, "registration": 1, "risk": 1, "risk_text": 2,
    "drugs": 0, "drug_sheets": 2,
    "apart": 2, "config": 1, "sheetfiles": 1, "sheets": 2, "batches": 3, "refusals": 3,
    "readable": 5,
    "provenance": 1, "storage": 1, "export": 2,
    "plates": 4, "report": 4, "plan": 4, "simulate": 5,
    "locks": 0, "references": 3, "healthy": 2, "patient_changes": 3,
    "issues": 5, "issuing": 6, "manifests": 2,
    "progress": 0, "summary": 5, "run_provenance": 5, "verify": 7, "asking": 0, "preloaded": 5,
    "run_record": 2, "slurm": 1, "leftovers": 3, "resume": 4, "launch": 7, "disk": 2, "mishaps": 8,
    "plate_checks": 5, "checks": 6, "job": 6, "project": 6, "records": 7, "stages": 8,
    "arguments": 8, "cli": 9,
    "manager": 0, "cluster_manager": 1, "__main__": 10, "__init__": 10,
}  # fmt: skip
PURE = [
    "wells", "quality", "samples", "viability", "curves", "sensitivity", "synergy",
    "cohort", "deconvolution", "panel", "standing", "chances", "comparable",
    "call_words", "calls", "registration", "risk",
    "concordance", "profiles", "repeats", "healthy",
    "well_arrays", "plate_metrics", "trends", "loess", "scaling", "edges", "agreement", "drift",
    "control_charts", "run_charts",
    "asymmetric", "growth", "relevance", "scores", "selective", "single_agents",
]  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def part(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """Modules of drp that a file imports when it is loaded or run."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "drp":
                yield from (f"drp.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    own = part(path)
    for module in imports(path):
        if not module.startswith("drp."):
            continue
        other = module.split(".")[1]
        if other not in LAYERS:
            assert hasattr(drp, other), f"{other} is in no layer"
            continue
        assert other == own or LAYERS[other] < LAYERS[own], f"{own} imports {other}"


@pytest.mark.parametrize("name", PURE)
def test_pure_stages_know_no_path_clock_or_environment(name):
    forbidden = {"pathlib", "os", "time", "datetime.now", "subprocess", "drp.config", "drp.sheets"}
    allowed_for_data = {"risk"}  # its decision tables are files of the package
    for path in FILES:
        if part(path) == name:
            found = forbidden & set(imports(path))
            if name in allowed_for_data:
                found -= {"pathlib"}
            assert not found, f"{path.name} imports {found}"


def test_only_the_command_line_prints_or_exits():
    for path in FILES:
        if path.name in ("cli.py", "__main__.py"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "sys.exit", "exit"), f"{path.name}: {called}"


def test_public_functions_say_what_they_do():
    silent = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Module | ast.ClassDef):
                silent += [
                    f"{path.name}:{child.name}"
                    for child in node.body
                    if isinstance(child, ast.FunctionDef)
                    and not child.name.startswith("_")
                    and not getattr(node, "name", "").startswith("_")
                    and not ast.get_docstring(child)
                ]
    assert silent == []


def test_import_drp_is_light():
    import subprocess
    import sys

    code = "import sys, drp; print([m for m in ('numpy','pandas','scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
