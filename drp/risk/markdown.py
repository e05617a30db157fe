"""The decision tables as Markdown, for a haematologist to read, sign or correct."""

from collections.abc import Iterator
from decimal import Decimal

from drp.risk.notes import load_agents, load_pathways
from drp.risk.outcomes import load_figures
from drp.risk.rules import DOMAINS, Condition, Rule, System, load_systems

_WORDS = {
    "relapse_number": "relapse",
    "prior_hsct": "earlier transplant",
    "em_sites": "extramedullary sites",
    "bfm_timing": "BFM timing",
    "cog_timing": "COG timing",
    "eoi_mrd": "MRD",
    "age_at_diagnosis_y": "age at diagnosis",
    "age_at_relapse_y": "age at relapse",
    "down_syndrome": "Down syndrome",
    "second_remission": "second remission",
}


def tables_markdown() -> str:
    """Write every decision table, pathway, agent and outcome figure as Markdown.

    Returns
    -------
    str
        The content of ``docs/risk_tables.md``; made from the files the classes come from, so that
        what is signed is what is run.

    Examples
    --------
    >>> tables_markdown().splitlines()[0]
    '# The decision tables, as they are run'
    """
    parts = [_HEAD]
    for system in load_systems():
        parts += ["\n".join(_system(system))]
    parts += ["\n".join(part) for part in (_pathways(), _agents(), _figures(), _SIGNATURES)]
    return "\n\n".join(parts) + "\n"


_HEAD = """# The decision tables, as they are run

Written by `drp risk --tables` from the files in `drp/risk/systems` and `drp/risk/published`; a
test compares the two. Rules stand in order, and the first that fits decides. What is unclear in
them, and how it was resolved, stands in [risk.md](risk.md)."""
_SIGNATURES = (
    "## Sign-off", "",
    "None of the tables has been signed yet.", "",
    "| part | read and found right, or corrected | name, role | date |",
    "|---|---|---|---|",
    *(f"| {part} | | | |" for part in (
        "COG", "ALL-REZ BFM", "ALLR3", "IntReALL 2010", "InPOG-ALL-R1", "Pathways", "Agents",
        "Outcome figures",
    )),
)  # fmt: skip


def _system(system: System) -> Iterator[str]:
    yield f"## {system.name}"
    yield ""
    yield f"{system.title}. MRD: {system.mrd_time_point}."
    yield f"SHA-256 of the file: `{system.table_sha256}`"
    yield ""
    yield "| rule | if | class (tier) | as the report says it | source |"
    yield "|---|---|---|---|---|"
    for rule in system.rules:
        tier = f" ({rule.tier})" if rule.tier else ""
        name = rule.risk_class.replace("_", " ")
        yield f"| {rule.id} | {_when(rule)} | {name}{tier} | {rule.sentence} | {rule.source} |"
    for switch in system.switches:
        yield ""
        options = ", ".join(f"`{option}`" for option in switch.options)
        yield f"Switch `{switch.name}` ({options}; the first is the default): {switch.question}"
    for flag in system.flags:
        yield ""
        yield f"Flag `{flag.flag}`: {flag.meaning}"


def _when(rule: Rule) -> str:
    words = [_condition(condition) for condition in rule.when] or ["anything else"]
    switches = [f"with `{name} = {option}`" for name, option in rule.switch]
    return "; ".join([*words, *switches])


def _condition(condition: Condition) -> str:
    """Say a condition in words.

    >>> _condition(Condition("eoi_mrd", frozenset({Decimal("0"), Decimal("1e-4")})))
    'MRD below 0.001'
    """
    name = _WORDS.get(condition.fact, condition.fact)
    values = [value for value in DOMAINS.get(condition.fact, ()) if value in condition.allowed]
    if values and isinstance(values[0], Decimal):
        domain = [value for value in DOMAINS[condition.fact] if isinstance(value, Decimal)]
        if values[0] == 0:
            return f"{name} below {domain[len(values)]}"
        return f"{name} {values[0]} or more"
    words = values or sorted(condition.allowed, key=str)
    return f"{name} {' or '.join(str(word).replace('_', ' ') for word in words)}"


def _pathways() -> Iterator[str]:
    yield "## Pathways, as published"
    yield ""
    yield "| system or finding | rules | if | what is published | source |"
    yield "|---|---|---|---|---|"
    for note in load_pathways():
        condition = note.condition or "; ".join(_condition(part) for part in note.when)
        rules = ", ".join(sorted(note.rules))
        subject = note.system or note.subject
        yield f"| {subject} | {rules} | {condition} | {note.says} | {note.source} |"


def _agents() -> Iterator[str]:
    yield "## Agents, as published"
    yield ""
    yield "| finding | agents | what is published | evidence | source |"
    yield "|---|---|---|---|---|"
    for one in load_agents():
        lineage = f"{one.immunophenotype}-ALL" if one.immunophenotype else ""
        subject = one.subject or lineage or ", ".join(one.lesions)
        cells = (subject, ", ".join(one.agents), one.says, one.evidence, one.source)
        yield f"| {' | '.join(cells)} |"


def _figures() -> Iterator[str]:
    yield "## Outcome figures"
    yield ""
    yield "| id | cohort | group | figure | shown | compared with | source |"
    yield "|---|---|---|---|---|---|---|"
    for one in load_figures():
        shown = "for patients of the group" if one.show == "patient" else f"{one.show}: {one.why}"
        figure = f"{one.endpoint} {one.value}"
        cells = (one.id, one.cohort, one.group, figure, shown, one.checked, one.source)
        yield f"| {' | '.join(cells)} |"
