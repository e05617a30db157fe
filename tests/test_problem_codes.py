"""docs/problems.md lists every code that drp can give, each with an example, and no other."""

import ast
import re
from functools import cache
from pathlib import Path

import drp

PACKAGE = Path(drp.__file__).parent
PAGE = PACKAGE.parent / "docs" / "problems.md"
AREAS = (
    "sheet", "config", "plates", "plate", "layout", "wells", "drugs", "risk", "cohort", "curves",
    "scores", "synergy", "project", "simulate", "table",
)  # fmt: skip
_CODE = re.compile(rf"(?:{'|'.join(AREAS)})\.[a-z0-9]+(?:-[a-z0-9]+)*")
_FILE = re.compile(r"\.(?:tsv|toml|yaml|html)$")
# Codes of plate and layout that are put together from area and fault, where they are written.
_BOTH = ("empty", "encoding", "fault", "too-large", "unreadable", "unusable-file")
_OF_GRIDS = "layout."  # faults of grids, found in layouts as in exports


@cache
def _written():
    """Every code that stands in the source as a text."""
    found = {f"{area}.{fault}" for area in ("plate", "layout") for fault in _BOTH}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if _CODE.fullmatch(text) and not _FILE.search(text):
                    found.add(text)
    return found


def _documented():
    return re.findall(r"^### `([^`]+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_code_is_documented_once():
    documented = _documented()
    assert len(documented) == len(set(documented))
    assert sorted(_written() - set(documented)) == []


def test_no_code_is_documented_that_cannot_occur():
    written = _written()
    for code in _documented():
        composed = code.startswith("risk.") or code.startswith("table.")
        of_grid = code.startswith(_OF_GRIDS) and f"plate.{code.removeprefix(_OF_GRIDS)}" in written
        assert code in written or composed or of_grid, code


def test_every_code_has_an_example_of_its_own():
    text = PAGE.read_text(encoding="utf-8")
    for code in _documented():
        block = text.partition(f"### `{code}`\n\n")[2].partition("\n\n")[0]
        assert re.match(rf"> (error|warning) {re.escape(code)}: \S", block), code


def test_the_page_is_in_the_order_of_areas_and_codes():
    documented = _documented()
    assert documented == sorted(documented, key=lambda c: (AREAS.index(c.split(".")[0]), c))
