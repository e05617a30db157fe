"""Risk classes for a terminal: a block per patient, a line per patient, TSV or JSON."""

import csv
import io
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

WIDTH = 96
_INDENT = 18

Row = Mapping[str, Any]


def as_text(classes: Sequence[Row], published: Sequence[Row] = ()) -> str:
    r"""Write a block per patient, to be read by people.

    Parameters
    ----------
    classes : sequence of mappings
        From `drp.risk.classify_rows`.
    published : sequence of mappings
        From `drp.risk.risk_context`, to be printed below the classes; optional.

    Returns
    -------
    str
        Lines of at most `WIDTH` characters where words allow it.

    Examples
    --------
    >>> from drp.risk import classify_rows
    >>> print(as_text(classify_rows([{"patient": "P01", "relapse_number": "2"}])).split("\n")[2])
      COG               not classifiable
    """
    blocks = []
    for patient, rows in groupby(classes, key=lambda row: row["patient"]):
        own = [one for one in published if one["patient"] == patient]
        blocks.append("\n".join(_block(patient, list(rows), own)))
    return "\n".join(blocks)


def as_table(classes: Sequence[Row]) -> str:
    r"""Write a line per patient with the five classes side by side.

    Examples
    --------
    >>> from drp.risk import classify_rows
    >>> print(as_table(classify_rows([{"patient": "P01", "relapse_number": "2"}])).split("\n")[0])
    patient  BFM timing  COG timing  COG               ALL-REZ BFM       ALLR3  ...
    """
    lines = [_line(list(rows)) for _, rows in groupby(classes, key=lambda row: row["patient"])]
    if not lines:
        return "no patients"
    table = [list(lines[0]), *([line[name] for name in lines[0]] for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def as_tsv(classes: Sequence[Row]) -> str:
    r"""Write the risk table as tab-separated text, every column.

    Examples
    --------
    >>> as_tsv([{"patient": "P01", "system": "COG"}])
    'patient\tsystem\nP01\tCOG'
    """
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerow(classes[0] if classes else ())
    writer.writerows(row.values() for row in classes)
    return stream.getvalue().rstrip("\n")


def as_json(classes: Sequence[Row], published: Sequence[Row] = ()) -> str:
    """Write a list with one object per patient, lists as lists.

    Examples
    --------
    >>> json.loads(as_json([{"patient": "P01", "system": "COG", "flags": "DATES;UNITS"}]))
    [{'patient': 'P01', 'systems': [{'system': 'COG', 'flags': ['DATES', 'UNITS']}]}]
    """
    statements: dict[str, list[Row]] = {}
    for one in published:
        rest = {key: value for key, value in one.items() if key not in ("patient", "place")}
        rest["agents"] = _split(one["agents"], ";")
        statements.setdefault(one["patient"], []).append(rest)
    found = []
    for patient, rows in groupby(classes, key=lambda row: row["patient"]):
        entry: dict[str, Any] = {"patient": patient, "systems": [_plain(row) for row in rows]}
        found.append(entry | ({"published": statements[patient]} if published else {}))
    return json.dumps(found, ensure_ascii=False, indent=1)


_LISTS = {"possible": "|", "needs": ",", "rule": "|", "flags": ";", "switches": ";"}


def _plain(row: Row) -> dict[str, Any]:
    return {
        name: _split(value, _LISTS[name]) if name in _LISTS else value
        for name, value in row.items()
        if name != "patient"
    }


def _split(text: str, separator: str) -> list[str]:
    return [part for part in text.split(separator) if part]


def _class(row: Row) -> str:
    possible = row["possible"].replace("_", " ").split("|")
    shown = {"definite": row["risk_class"], "pending": f"pending: {' or '.join(possible)}"}
    return str(shown.get(row["status"], "not classifiable"))


def _timing(row: Row, name: str) -> str:
    return str(row[f"timing_{name}"]).replace("_", " ").replace("|", " or ") or "-"


def _line(rows: list[Row]) -> dict[str, str]:
    gathered = {
        column: list(dict.fromkeys(part for row in rows for part in _split(row[column], separator)))
        for column, separator in (("needs", ","), ("flags", ";"))
    }
    return {
        "patient": rows[0]["patient"],
        "BFM timing": _timing(rows[0], "bfm"),
        "COG timing": _timing(rows[0], "cog"),
        **{row["system"]: _class(row) for row in rows},
        "needs": ",".join(gathered["needs"]) or "-",
        "flags": ";".join(gathered["flags"]) or "-",
    }


def _block(patient: str, rows: list[Row], published: list[Row]) -> Iterator[str]:
    yield f"{patient}"
    yield f"  Timing: {_timing(rows[0], 'bfm')} (BFM terms), {_timing(rows[0], 'cog')} (COG terms)"
    common = set.intersection(*(set(_split(row["flags"], ";")) for row in rows))
    for row in rows:
        yield f"  {row['system'].ljust(_INDENT - 2)}{_class(row)}"
        yield from _wrapped(row["sentence"].removeprefix(f"{row['risk_class']}. "))
        yield from _wrapped(f"Rule {row['rule'].replace('|', ' or ')}. Source: {row['source']}.")
        own = [flag for flag in _split(row["flags"], ";") if flag not in common]
        if own:
            yield from _wrapped(f"Flags: {', '.join(own)}.")
        if row["switches"]:
            yield from _wrapped(f"Not the default reading: {row['switches']}.")
    if common:
        yield f"  {'Flags'.ljust(_INDENT - 2)}{', '.join(sorted(common))}"
    for kind, statements in groupby(published, key=lambda one: one["kind"]):
        yield f"  {_TITLES[kind]}"
        for one in statements:
            yield from _wrapped(_statement(one), indent=4)
    yield ""


_TITLES = {
    "input": "Inputs",
    "flag": "What the flags mean",
    "switch": "Readings that are not the default",
    "pathway": "Pathways as published (no recommendation)",
    "remission": "Whatever the system",
    "planning": "Planning inputs",
    "agent": "Agents as published (no recommendation)",
    "outcome": "Outcome of published groups (not this patient's prognosis)",
}


def _statement(one: Row) -> str:
    condition = f"If {one['condition']}: " if one["condition"] else ""
    agents = f"{one['agents'].replace(';', ', ')}. " if one["agents"] else ""
    evidence = f" [{one['evidence']}]" if one["evidence"] else ""
    source = f" Source: {one['source']}." if one["source"] else ""
    return f"{one['subject']}: {condition}{agents}{one['text']}{evidence}{source}"


def _wrapped(text: str, indent: int = _INDENT) -> list[str]:
    hanging = indent if indent == _INDENT else indent + 2
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
