"""Risk and amendments as text for the templates: what is published beside a class, what changed."""

from collections.abc import Sequence
from typing import Any

from drp.report.record import Amendment, Change, RiskStatement

# What a group of statements is printed under, in this order; "input" stands among the inputs.
_GROUPS = (
    ("Remarks on the classes", ("switch", "flag")),
    ("What the protocols of these systems are published to do", ("pathway", "remission")),
    ("Planning inputs", ("planning",)),
    ("Lesions, lineage and antigens: what is published on agents", ("agent",)),
    ("Outcome of published groups this patient belongs to", ("outcome",)),
)
OUTCOME_NOTE = (
    "Figures of groups of earlier patients, each as published: not this patient's prognosis, and "
    "not to be multiplied or combined."
)
_NAMED = 3


def risk_context(statements: Sequence[RiskStatement]) -> list[dict[str, Any]]:
    """Group what is published beside the classes.

    Parameters
    ----------
    statements : sequence of RiskStatement
        In the order of print.

    Returns
    -------
    list of dict
        ``title``, ``note`` and ``lines`` (``term``, ``text``, ``source``) of each group that has
        something to say.
    """
    groups = []
    for title, kinds in _GROUPS:
        lines = _merged([_line(one) for one in statements if one.kind in kinds and _is_new(one)])
        note = OUTCOME_NOTE if kinds == ("outcome",) else ""
        if lines:
            groups.append({"title": title, "note": note, "lines": lines})
    return groups


def _is_new(one: RiskStatement) -> bool:
    # What was recorded of the patient stands among the inputs already.
    return one.kind != "planning" or bool(one.source)


def _merged(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Put statements on one subject into one line, and name a shared source once."""
    found: list[dict[str, str]] = []
    for line in lines:
        last = found[-1] if found else {"term": ""}
        if last["term"] != line["term"]:
            found.append(dict(line))
        elif last["source"] == line["source"]:
            last["text"] += f" {line['text']}"
        else:
            last["text"] += f" {last['source']} {line['text']}"
            last["source"] = line["source"]
    return found


def _line(one: RiskStatement) -> dict[str, str]:
    condition = f"If {one.condition}: " if one.condition else ""
    agents = f"{', '.join(one.agents)}. " if one.agents else ""
    evidence = f" Evidence: {one.evidence}." if one.evidence and one.kind == "agent" else ""
    cohort = f" ({one.evidence})" if one.evidence and one.kind == "outcome" else ""
    ending = "" if one.text.endswith((".", "?")) or one.kind != "outcome" else "."
    return {
        "term": one.subject,
        "text": f"{condition}{agents}{one.text}{cohort}{ending}{evidence}",
        "source": f"Source: {one.source}." if one.source else "",
    }


def reading_words(switches: Sequence[str]) -> str:
    """Say that a contested criterion is not read as by default.

    >>> reading_words(["inpog_age=at_relapse"])
    ' Not the default reading: inpog_age = at_relapse.'
    """
    read = ", ".join(switch.replace("=", " = ") for switch in switches)
    return f" Not the default reading: {read}." if read else ""


def amendments(items: Sequence[Amendment]) -> list[dict[str, Any]]:
    """Give the amendments, newest first, with a line per change."""
    return [
        {
            "title": f"Replaces {item.replaces} ({item.status}, {item.issued}), kept in "
            f"{item.kept}",
            "note": "",
            "lines": [
                {"term": one.what, "text": f"{_words(one)} {one.why}", "source": ""}
                for one in item.changes
            ],
        }
        for item in reversed(items)
    ]


def amended_words(items: Sequence[Amendment]) -> str:
    """Say on the first page what the last amendment changed; empty if there is none.

    >>> change = Change(what="COG", before="pending", after="Low", why="MRD.")
    >>> amended_words([Amendment(replaces="P1-a", issued="", status="draft", kept="issued/1",
    ...                          changes=[change])])
    'Replaces report P1-a, which is kept. COG: pending, now Low.'
    """
    if not items:
        return ""
    changes = items[-1].changes
    shown = " ".join(f"{one.what}: {_words(one)}" for one in changes[:_NAMED])
    more = len(changes) - _NAMED
    rest = f" {more} more under Amendments." if more > 0 else ""
    return f"Replaces report {items[-1].replaces}, which is kept. {shown}{rest}"


def _words(change: Change) -> str:
    return f"{change.before}, now {change.after}."
