"""The published statements beside the classes: pathways and agents, read from their files."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from drp.risk.rules import Condition, read_conditions


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """What a protocol or a publication says of certain classes or of any patient.

    Attributes
    ----------
    system : str
        The system it belongs to; empty where it holds whatever the system.
    subject : str
        What it is about, where there is no system.
    rules : frozenset of str
        The rules it speaks for; empty where there is no system.
    when : tuple of Condition
        What else must hold.
    condition : str
        The same in words.
    is_pathway : bool
        True for the pathway of a class, of which there is exactly one.
    """

    system: str
    subject: str
    rules: frozenset[str]
    when: tuple[Condition, ...]
    condition: str
    says: str
    source: str
    is_pathway: bool


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """What a lesion or a lineage is published to mean for agents, with its level of evidence."""

    subject: str
    lesions: tuple[str, ...]
    immunophenotype: str
    agents: tuple[str, ...]
    says: str
    evidence: str
    source: str


@cache
def load_pathways() -> tuple[Note, ...]:
    """Read the pathway notes, in the order of print.

    Returns
    -------
    tuple of Note
        By system, then those that hold whatever the system.

    Examples
    --------
    >>> load_pathways()[-1].subject
    'No second remission'
    """
    table = read_notes("pathways")
    return tuple(
        Note(
            system=entry.get("system", ""),
            subject=entry.get("subject", ""),
            rules=frozenset(entry.get("rules", ())),
            when=_when(entry.get("when", {})),
            condition=entry.get("condition", ""),
            says=entry["says"],
            source=entry["source"],
            is_pathway=kind == "pathway",
        )
        for kind in ("pathway", "note", "any")
        for entry in table[kind]
    )


@cache
def load_agents() -> tuple[Annotation, ...]:
    """Read what lesions and lineages are published to mean for agents.

    Returns
    -------
    tuple of Annotation
        Its ``evidence`` in words.

    Examples
    --------
    >>> load_agents()[0].agents, load_agents()[0].evidence
    (('Imatinib', 'Dasatinib', 'Ponatinib'), 'standard for this lesion')
    """
    table = read_notes("agents")
    levels = table["levels"]
    entries = [*table["annotation"], *table["antigen"]]
    return tuple(
        Annotation(
            subject=entry.get("subject", ""),
            lesions=tuple(entry.get("lesions", ())),
            immunophenotype=entry.get("immunophenotype", ""),
            agents=tuple(entry.get("agents", ())),
            says=entry["says"],
            evidence=levels[entry["evidence"]] if "evidence" in entry else "",
            source=entry["source"],
        )
        for entry in entries
    )


def read_notes(name: str) -> dict[str, Any]:
    """Read one of the files in ``published``.

    Examples
    --------
    >>> read_notes("agents")["levels"]["clinical"]
    'responses seen in patients'
    """
    file = resources.files("drp.risk").joinpath("published", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _when(when: Mapping[str, Any]) -> tuple[Condition, ...]:
    # A second remission is no fact of the decision tables.
    own = {"second_remission": Condition("second_remission", frozenset({"yes", "no"}))}
    return tuple(
        Condition(fact, frozenset({wanted})) if fact in own else read_conditions({fact: wanted})[0]
        for fact, wanted in when.items()
    )
