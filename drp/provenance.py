"""Provenance: which code, which inputs and which settings made a result.

The workflow manager does not see changes inside an installed package. So every rule carries a
fingerprint of just the code its stage runs, and a change redoes what it touches, and only that.
"""

import ast
import hashlib
import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
# Data files a module reads, beside those in its own folder.
_DATA_OF = {"drp.drugs": ("data/drugs.tsv", "data/exposure.tsv")}

_TABLES = (".toml", ".tsv")
# An import of this package; reading whole files as code would take a second at each start.
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+drp\b(?:[^(\n]*\([^)]*\))?[^\n]*", re.MULTILINE)


def digest(value: Any) -> str:
    """Give a short hash of plain data (dicts, lists, text, numbers), whatever its key order.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def fingerprint(*stages: str) -> str:
    """Give a hash of everything in the package that some verbs of `drp.stages` run.

    That is each verb's own function, the modules it imports and those they import in turn, and the
    data files beside them.

    Examples
    --------
    >>> fingerprint("risk") == fingerprint("risk") != fingerprint("curves")
    True
    """
    source = (PACKAGE / "stages.py").read_text(encoding="utf-8")
    functions = _definitions(_parsed(source))
    own = {name for stage in stages for name in _called(stage, functions)}
    lines = source.splitlines(keepends=True)
    parts = [
        "".join(lines[f.lineno - 1 : f.end_lineno]) for f in map(functions.get, sorted(own)) if f
    ]
    modules: set[str] = set()
    for name in own:
        modules |= _imports(functions[name])
    for path in sorted(_files_of(_closure(modules))):
        parts.append(f"{path.relative_to(PACKAGE)}\0{file_sha256(path)}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """The functions, classes, constants and imports of a file, by name."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
    return found


def _called(stage: str, functions: Mapping[str, ast.stmt]) -> set[str]:
    """The stage's function and everything of the same file that it uses."""
    seen: set[str] = set()
    waiting = [stage]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        names = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
        own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in ast.walk(functions[name]) if isinstance(node, ast.arg)}
        waiting.extend(({node.id for node in names} - own) & functions.keys())
    return seen


def _imports(tree: ast.AST) -> set[str]:
    """Modules of this package that a piece of code imports, wherever in it."""
    found: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "drp"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "drp":
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if _file_of(name)}


def _statements(tree: ast.AST) -> Iterable[ast.AST]:
    """Every statement of a piece of code: imports stand in no expression, which saves the time."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for inside in ("body", "orelse", "finalbody", "handlers", "cases"):
            below = getattr(node, inside, None)
            waiting.extend(below if isinstance(below, list) else ())


@cache
def _file_of(module: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*module.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _module_imports(module: str) -> frozenset[str]:
    path = _file_of(module)
    return frozenset(_imports_of(path.read_text(encoding="utf-8"))) if path else frozenset()


def _imports_of(source: str) -> set[str]:
    """Modules of this package that a file imports, wherever in it."""
    found: set[str] = set()
    for match in _IMPORT.finditer(source):
        try:
            found |= _imports(ast.parse(textwrap.dedent(match[0])))
        except SyntaxError:  # words of a text that begin like an import, or an unusual import
            return _imports(ast.parse(source))
    return found


def _closure(modules: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    waiting = sorted(modules)
    while waiting:
        module = waiting.pop()
        if module in seen or module == "drp":
            continue
        seen.add(module)
        waiting.extend(_module_imports(module))
        waiting.append(module.rpartition(".")[0])  # a package's __init__ runs as well
    return seen - {""}


def _files_of(modules: Iterable[str]) -> set[Path]:
    files: set[Path] = set()
    for module in modules:
        path = _file_of(module)
        if path is None:
            continue
        files.add(path)
        files |= {PACKAGE / name for name in _DATA_OF.get(module, ())}
        if path.name == "__init__.py":
            files |= {
                data
                for data in path.parent.rglob("*")
                if data.is_file() and data.suffix not in (".py", ".pyc")
            }
    return files


@cache
def table_hashes() -> dict[str, str]:
    """Give the SHA-256 of each table of knowledge: drugs, plasma levels, risk systems.

    >>> sorted(table_hashes())[:2]
    ['data/drugs.tsv', 'data/exposure.tsv']
    """
    drugs = [PACKAGE / "data" / name for name in ("drugs.tsv", "exposure.tsv")]
    risk = [path for path in sorted((PACKAGE / "risk").rglob("*")) if path.suffix in _TABLES]
    return {str(path.relative_to(PACKAGE)): file_sha256(path) for path in [*drugs, *risk]}


def now() -> str:
    """Give the time of issue, UTC, to the second; `SOURCE_DATE_EPOCH` sets it where given."""
    import os
    from datetime import UTC, datetime

    given = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(given), UTC) if given else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, str]:
    """Give the versions of drp, Python and the libraries that make numbers or pages."""
    import platform

    import drp

    names = ("numpy", "pandas", "scipy", "snakemake", "typst", "jinja2")
    return {"drp": drp.__version__, "Python": platform.python_version()} | {
        name: _version(name) for name in names
    }


@cache
def _version(name: str) -> str:
    """Look up an installed version once: each look reads the library's whole description."""
    from importlib.metadata import version

    return version(name)
