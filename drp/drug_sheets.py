"""A laboratory's own drug table: `config/drugs.tsv` and `config/exposure.tsv` over the shipped one.

A row of drugs.tsv that names a known drug, by name or synonym, replaces the cells it fills; any
other row adds a drug. A row of exposure.tsv replaces the shipped value of the same drug and
schedule, or adds one. Every row names its source, and every change stands in the reports.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drp.drugs import (
    Drug,
    DrugTable,
    Edit,
    Exposure,
    drug_of,
    exposure_of,
    find,
    nearest,
    shipped_table,
)  # fmt: skip
from drp.problems import Place, Problem, Problems
from drp.sheetfiles import Row, read_sheet
from drp.tables import DRUG_COLUMNS, EXPOSURE_COLUMNS

EXVIVO = ("yes", "limited", "no")
CONFIDENCE = ("usable", "doubtful", "binding only")
VERIFICATION = (
    "verified-label", "verified-paper", "verified-review", "verified-laboratory", "not-found",
)  # fmt: skip
_BOUNDS = re.compile(r"[<>]?\d+(\.\d+)?|\d+(\.\d+)?-\d+(\.\d+)?")
_UNKNOWN = ("", "NA")
# Columns of drugs.tsv that are attributes of a drug by the same name.
_CELLS = tuple(name for name in DRUG_COLUMNS if name not in ("drug", "source", "synonyms"))


def laboratory_table(drugs: Iterable[Row], exposures: Iterable[Row]) -> DrugTable:
    """Put a laboratory's rows over the shipped table.

    Parameters
    ----------
    drugs, exposures : iterable of dict
        Checked rows of drugs.tsv and exposure.tsv (`drug_problems`), unknown cells empty.

    Returns
    -------
    DrugTable
        `edits` says in words what each row changed. The order of the rows does not matter.

    Examples
    --------
    >>> row = {"drug": "ABT-199", "source": "SOP 12", "exvivo": "limited", "caveat": "72 h only"}
    >>> table = laboratory_table([row], [])
    >>> find("venetoclax", table).exvivo
    'limited'
    >>> table.edits[0].words
    "Venetoclax: caveat '72 h only', exvivo 'limited' in place of 'yes' (source: SOP 12)"
    """
    shipped = shipped_table()
    known = {drug.name: drug for drug in shipped.drugs}
    edits = []
    for row in _in_order(drugs, DRUG_COLUMNS):
        old = find(row["drug"])
        new = _changed(old, row) if old else drug_of(row)
        known[new.name] = new
        edits.append(_edit(new.name, _drug_words(old, new), row))
    table = DrugTable(tuple(known.values()), shipped.exposures)
    levels = {(row.drug, _key(row.schedule)): row for row in shipped.exposures}
    for row in _in_order(exposures, EXPOSURE_COLUMNS):
        drug = find(row["drug"], table)
        name = drug.name if drug else row["drug"]
        place = (name, _key(row["schedule"]))
        before = f" in place of {_level(levels[place])}" if place in levels else ""
        levels[place] = exposure_of(row | {"drug": name})
        words = f"plasma level under {row['schedule']!r} {_level(levels[place])}{before}"
        edits.append(_edit(name, words, row))
    return DrugTable(tuple(known.values()), tuple(levels.values()), tuple(edits))


def read_drug_table(folder: Path) -> DrugTable:
    """Read the drug table of a project, whose sheets were checked before.

    Parameters
    ----------
    folder : Path
        The folder with the sheets; either file may be absent.
    """
    found = Problems()
    drugs, _ = read_sheet(folder / "drugs.tsv", DRUG_COLUMNS[:2], DRUG_COLUMNS[2:], True, found)
    levels, _ = read_sheet(
        folder / "exposure.tsv", EXPOSURE_COLUMNS[:6], EXPOSURE_COLUMNS[6:], True, found
    )
    found.raise_errors()
    return laboratory_table(drugs, levels) if drugs or levels else shipped_table()


def drug_problems(
    drugs: Sequence[Row], exposures: Sequence[Row], lines: Mapping[str, Sequence[int]]
) -> list[Problem]:
    """Check a laboratory's rows: nothing unsourced, unverified or ambiguous gets in.

    Parameters
    ----------
    drugs, exposures : sequence of dict
        Rows of drugs.tsv and exposure.tsv.
    lines : mapping
        Line in the file of each row, under ``drugs`` and ``exposure``.

    Returns
    -------
    list of Problem
        Each with file, line and column.

    Examples
    --------
    >>> row = {"drug": "Venetoclax", "source": "SOP 12", "exvivo": "maybe"}
    >>> print(drug_problems([row], [], {"drugs": [2]})[0])
    error drugs.bad-value: drugs.tsv, line 2, column exvivo: found 'maybe'. Write one of yes,
    limited, no.
    """
    found = Problems()
    own = _numbered(drugs, DRUG_COLUMNS, lines.get("drugs", ()))
    for row, line in own:
        _check_drug(row, line, found)
    _check_names(own, found)
    if found.errors:
        return found.items  # without sure names nothing can be said of the plasma levels
    table = laboratory_table(drugs, [])
    seen: dict[tuple[str, str], int] = {}
    for row, line in _numbered(exposures, EXPOSURE_COLUMNS, lines.get("exposure", ())):
        _check_exposure(row, line, table, found)
        drug = find(row["drug"], table)
        key = (drug.name if drug else row["drug"], _key(row["schedule"]))
        _check_once("exposure", "schedule", key, line, seen, found)
    return found.items


def _check_drug(row: Row, line: int, found: Problems) -> None:
    for column in ("drug", "source"):
        if not row[column]:
            _bad("drugs", line, column, row, "Every row names its drug and its source.", found)
    exvivo = row["exvivo"]
    if exvivo not in EXVIVO and (exvivo or find(row["drug"]) is None):
        _bad("drugs", line, "exvivo", row, f"Write one of {', '.join(EXVIVO)}.", found)


def _check_names(rows: list[tuple[Row, int]], found: Problems) -> None:
    """A name means one drug: neither two rows nor a synonym of another drug may claim it."""
    seen: dict[tuple[str, str], int] = {}
    owner = {name: drug.name for name, drug in shipped_table().by_name.items()}
    for row, line in rows:
        known = find(row["drug"])
        name = known.name if known else row["drug"]
        _check_once("drugs", "drug", (_key(name), ""), line, seen, found)
        for synonym in [row["drug"], *_parts(row["synonyms"])]:
            other = owner.setdefault(_key(synonym), name)
            if _key(other) != _key(name):
                place = Place("drugs.tsv", f"line {line}, column synonyms")
                text = f"{synonym!r} is a name of {other} already"
                found.error("drugs.double", place, text, "A name stands for one drug only.")


def _check_once(
    sheet: str, column: str, key: tuple[str, str], line: int, seen: dict[tuple[str, str], int],
    found: Problems,
) -> None:  # fmt: skip
    if key in seen:
        place = Place(f"{sheet}.tsv", f"line {line}, column {column}")
        text = f"{' '.join(filter(None, key))!r} stands already in line {seen[key]}"
        found.error("drugs.double", place, text, "Keep one of the two rows.")
    seen.setdefault(key, line)


def _check_exposure(row: Row, line: int, table: DrugTable, found: Problems) -> None:
    for column in ("drug", "schedule", "source"):
        if not row[column]:
            fix = "Every row names its drug, schedule and source."
            _bad("exposure", line, column, row, fix, found)
    if row["drug"] and find(row["drug"], table) is None:
        near = nearest(row["drug"], table)
        fix = f"Did you mean {near}?" if near else "Add the drug to drugs.tsv first."
        _bad("exposure", line, "drug", row, fix, found)
    for column, words in (("verification", VERIFICATION), ("confidence", CONFIDENCE)):
        if row[column] not in words:
            _bad("exposure", line, column, row, f"Write one of {', '.join(words)}.", found)
    if row["cmax_nm"] and not _is_level(row["cmax_nm"]):
        _bad("exposure", line, "cmax_nm", row, "Write a concentration in nM above 0.", found)
    for column in ("unbound_fraction", "cmax_free_nm"):
        if row[column] and not _BOUNDS.fullmatch(row[column]):
            fix = "Write a number, <0.05, >0.9 or 0.7-0.8."
            _bad("exposure", line, column, row, fix, found)
    if row["confidence"] == "doubtful" and not row["remark"]:
        _bad("exposure", line, "remark", row, "Say what is doubtful.", found)
    verified = row["verification"].startswith("verified-") and row["cmax_nm"]
    if row["confidence"] == "usable" and not verified:
        found.error(
            "drugs.unverified",
            Place("exposure.tsv", f"line {line}, column confidence"),
            "a value is called usable without a concentration that was verified in its source",
            "Verify it and say where, or write doubtful: then it is shown and not used.",
        )


def _bad(sheet: str, line: int, column: str, row: Row, fix: str, found: Problems) -> None:
    place = Place(f"{sheet}.tsv", f"line {line}, column {column}")
    found.error("drugs.bad-value", place, f"found {row[column]!r}", fix)


def _numbered(
    rows: Sequence[Row], columns: Sequence[str], lines: Sequence[int]
) -> list[tuple[Row, int]]:
    numbers = lines or range(2, len(rows) + 2)
    return list(zip((_filled(row, columns) for row in rows), numbers, strict=True))


def _filled(row: Row, columns: Sequence[str]) -> Row:
    cells = {column: row.get(column, "") for column in columns}
    return {column: "" if text in _UNKNOWN else text for column, text in cells.items()}


def _in_order(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[Row]:
    yield from sorted((_filled(row, columns) for row in rows), key=lambda row: list(row.values()))


def _changed(old: Drug, row: Row) -> Drug:
    cells = {name: row[name] for name in _CELLS if row[name]}
    synonyms = tuple(dict.fromkeys([*old.synonyms, *_parts(row["synonyms"])]))
    return replace(old, synonyms=synonyms, **cells)  # type: ignore[arg-type]  # checked words


def _drug_words(old: Drug | None, new: Drug) -> str:
    if old is None:
        return "added by the laboratory"
    changes = []
    for name in sorted(["synonyms", *_CELLS]):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            shown = ", ".join(after) if name == "synonyms" else after
            instead = f" in place of {before!r}" if name == "exvivo" else ""
            changes.append(f"{name.replace('_', ' ')} {shown!r}{instead}")
    return ", ".join(changes) or "as it ships"


def _edit(drug: str, words: str, row: Row) -> Edit:
    return Edit(drug, f"{drug}: {words} (source: {row['source']})", tuple(sorted(row.items())))


def _level(level: Exposure) -> str:
    value = "none" if level.cmax_nm is None else f"{level.cmax_nm:g} nM"
    return f"{value}, {level.confidence}"


def _is_level(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()
