"""Risk tables → the record: classes, what is published beside them, what it says of a drug."""

from collections.abc import Sequence
from typing import Any

from drp.report import prose
from drp.report.record import Answer, Drug, Fact, Mark, Risk, RiskStatement
from drp.report.rows import Tables, parts, records, text

NO_REMISSION = "No second remission"
_MARKS: dict[str, Mark] = {
    "definite": "triangle",
    "pending": "caution",
    "not_classifiable": "dash",
}


def risk_rows(patient: str, tables: Tables) -> list[Risk]:
    """Give the class of a patient under each system, in the order of the table."""
    return [_risk(row) for row in records(tables, "risk", patient=patient)]


def risk_statements(patient: str, tables: Tables) -> list[RiskStatement]:
    """Give what is published beside the classes of a patient, in the order of the table."""
    return [
        RiskStatement(
            kind=text(row, "kind"),  # type: ignore[arg-type]  # the model checks the word
            subject=text(row, "subject"),
            condition=text(row, "condition"),
            text=text(row, "text"),
            agents=parts(row, "agents", ";"),
            evidence=text(row, "evidence"),
            source=text(row, "source"),
        )
        for row in records(tables, "risk_context", patient=patient)
    ]


def input_facts(statements: Sequence[RiskStatement]) -> list[Fact]:
    """Give what the classes were found from, in groups: neither dates nor ages.

    Examples
    --------
    >>> timing = RiskStatement(kind="input", subject="Timing, BFM terms", text="late")
    >>> input_facts([timing])[0].text
    'late'
    """
    return [Fact(term=one.subject, text=one.text) for one in statements if one.kind == "input"]


def with_remission(answer: Answer, statements: Sequence[RiskStatement]) -> Answer:
    """Say on the first page that there is no second remission, where that is recorded.

    Examples
    --------
    >>> answer = Answer(question="Risk class, and why?", mark="dash", lead="High.", text="Why.")
    >>> none = RiskStatement(kind="remission", subject="No second remission", text="Hard to cure.")
    >>> with_remission(answer, [none]).text
    'No second remission is recorded; see “Beside the risk class”. Why.'
    """
    if not any(one.subject == NO_REMISSION for one in statements):
        return answer
    words = f"{NO_REMISSION} is recorded; see “Beside the risk class”. {answer.text}"
    return answer.model_copy(update={"text": words})


def with_published(
    drugs: Sequence[Drug], statements: Sequence[RiskStatement], prior_drugs: str
) -> list[Drug]:
    """Put beside each drug what the patient's findings are published to mean for it.

    Parameters
    ----------
    drugs : sequence of Drug
        The drugs of a sample, as called; no call changes.
    statements : sequence of RiskStatement
        Those of kind ``agent`` name drugs.
    prior_drugs : str
        Drugs given before, separated by ';'.

    Returns
    -------
    list of Drug
        In the same order.
    """
    given = {name.strip().casefold() for name in prior_drugs.split(";")}
    return [drug.model_copy(update={"published": _said(drug, statements, given)}) for drug in drugs]


def _said(drug: Drug, statements: Sequence[RiskStatement], given: set[str]) -> list[str]:
    name = drug.drug.casefold()
    found = [
        f"{one.subject}: {one.text} Evidence: {one.evidence}; source: {one.source}."
        for one in statements
        if one.kind == "agent" and name in {agent.casefold() for agent in one.agents}
    ]
    return [*found, *(["Given to the patient before."] if name in given else [])]


def _risk(row: dict[str, Any]) -> Risk:
    status = text(row, "status")
    possible = parts(row, "possible", "|")
    shown = {
        "definite": text(row, "risk_class"),
        "pending": f"pending: {' or '.join(possible)}" if possible else "pending",
    }.get(status, "not classifiable")
    return Risk(
        system=text(row, "system"),
        shown=shown.replace("_", " "),
        risk_class=text(row, "risk_class"),
        tier=text(row, "tier"),
        status=status,  # type: ignore[arg-type]  # the model checks the word
        mark=_MARKS.get(status, "dash"),
        possible=possible,
        needs=[prose.field_words(need) for need in parts(row, "needs", ",")],
        rule=text(row, "rule"),
        sentence=text(row, "sentence"),
        flags=parts(row, "flags", ";"),
        source=text(row, "source"),
        switches=parts(row, "switches", ";"),
        table_sha256=text(row, "table_sha256"),
    )
