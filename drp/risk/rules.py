"""The decision tables: one TOML file per system, read into rules that can be asked.

A rule holds where every one of its conditions holds. A condition names a fact and the values it
may take; facts that are numbers are cut into regions, each known by its lowest value.
"""

import hashlib
import operator
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from drp.risk.timing import bfm_timing, cog_timing

Value = str | Decimal | frozenset[str]
NOT_CLASSIFIABLE = "not_classifiable"
SYSTEM_FILES = ("cog", "all_rez_bfm", "allr3", "intreall_2010", "inpog_all_r1")


def _regions(*cuts: str) -> tuple[Decimal, ...]:
    return (Decimal(0), *(Decimal(cut) for cut in cuts))


# Every fact a condition may name and every value it can take, in the order in which missing ones
# are asked for. A number stands for the region from itself up to the next.
DOMAINS: dict[str, tuple[Value, ...]] = {
    "relapse_number": ("first", "later"),
    "prior_hsct": ("no", "yes"),
    "immunophenotype": ("B", "T", "MPAL"),
    "site": ("isolated_marrow", "combined", "isolated_em"),
    "em_sites": ("testes only", "other"),
    "months_since_diagnosis": _regions("18", "36"),
    "months_off_therapy": _regions("6"),
    "age_at_diagnosis_y": _regions("15"),
    "age_at_relapse_y": _regions("15", "18"),
    "genetics": (),
    "eoi_mrd": _regions("1e-4", "1e-3"),
    "down_syndrome": ("no", "yes"),
}
DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "bfm_timing": (("months_since_diagnosis", "months_off_therapy"), bfm_timing),
    "cog_timing": (("site", "months_since_diagnosis"), cog_timing),
}
_TIMINGS = {"bfm_timing": ("very_early", "early", "late"), "cog_timing": ("early", "late")}
_COMPARISONS = {"<": operator.lt, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact and the values for which the condition holds (for genetics: any one lesion)."""

    fact: str
    allowed: frozenset[str | Decimal]

    def holds(self, value: Value) -> bool:
        """Say whether the condition holds for a known value of its fact.

        Examples
        --------
        >>> Condition("genetics", frozenset({"iAMP21"})).holds(frozenset({"iAMP21", "IKZF1"}))
        True
        """
        if isinstance(value, frozenset):
            return not self.allowed.isdisjoint(value)
        return value in self.allowed


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row of a decision table.

    A rule with a `proviso` applies only when its fact was reported. Until then the class that the
    other rules give stands, and the proviso is stated with it.
    """

    id: str
    when: tuple[Condition, ...]
    risk_class: str
    tier: str
    source: str
    sentence: str
    switch: tuple[tuple[str, str], ...] = ()
    proviso: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """A remark: raised when its conditions are certain and only the named rules can fire."""

    flag: str
    when: tuple[Condition, ...]
    rules: frozenset[str]
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class Switch:
    """A contested reading: its options, the default first."""

    name: str
    options: tuple[str, ...]
    question: str


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """A risk system: its rules in order, flags and switches, and the hash of its file."""

    name: str
    title: str
    mrd_time_point: str
    rules: tuple[Rule, ...]
    flags: tuple[Flag, ...]
    switches: tuple[Switch, ...]
    table_sha256: str

    def rules_under(self, switches: Mapping[str, str]) -> tuple[Rule, ...]:
        """Give the rules that are in force, in order.

        Parameters
        ----------
        switches : mapping
            Option by name of the switch; a switch that is not named stands at its default.

        Returns
        -------
        tuple of Rule
            The rules without a switch and those whose option is set.

        Examples
        --------
        >>> allr3 = load_systems()[2]
        >>> rules = allr3.rules_under({"allr3_very_early_isolated_em": "IR"})
        >>> [rule.id for rule in rules if rule.switch]
        ['ALLR3-2-review']
        """
        options = {switch.name: switch.options[0] for switch in self.switches}
        options |= {name: option for name, option in switches.items() if name in options}
        return tuple(
            rule
            for rule in self.rules
            if all(options[name] == option for name, option in rule.switch)
        )


@cache
def load_systems() -> tuple[System, ...]:
    """Read the five decision tables that come with the package.

    Returns
    -------
    tuple of System
        COG, ALL-REZ BFM, ALLR3, IntReALL 2010, InPOG-ALL-R1.

    Examples
    --------
    >>> [system.name for system in load_systems()]
    ['COG', 'ALL-REZ BFM', 'ALLR3', 'IntReALL 2010', 'InPOG-ALL-R1']
    """
    folder = resources.files("drp.risk").joinpath("systems")
    return tuple(read_system(folder.joinpath(f"{name}.toml").read_bytes()) for name in SYSTEM_FILES)


def read_system(content: bytes) -> System:
    r"""Read a decision table from the bytes of its TOML file.

    Parameters
    ----------
    content : bytes
        The file, UTF-8.

    Returns
    -------
    System
        The table.

    Raises
    ------
    ValueError
        A condition names an unknown fact, value or cut: a fault of the table, not of a patient.

    Examples
    --------
    >>> read_system(b'name = "X"\ntitle = "X"\nmrd_time_point = ""\nrule = []').rules
    ()
    """
    table = tomllib.loads(content.decode("utf-8"))
    return System(
        table["name"],
        table["title"],
        table["mrd_time_point"],
        tuple(_rule(entry) for entry in table["rule"]),
        tuple(_flag(entry) for entry in table.get("flag", ())),
        tuple(
            Switch(entry["name"], tuple(entry["options"]), entry["question"])
            for entry in table.get("switch", ())
        ),
        hashlib.sha256(content).hexdigest(),
    )


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        id=entry["id"],
        when=read_conditions(entry["when"]),
        risk_class=entry["class"],
        tier=entry["tier"],
        source=entry["source"],
        sentence=entry["sentence"],
        switch=tuple(sorted(entry.get("switch", {}).items())),
        proviso=entry.get("proviso", ""),
    )


def _flag(entry: Mapping[str, Any]) -> Flag:
    when = read_conditions(entry.get("when", {}))
    return Flag(entry["flag"], when, frozenset(entry.get("rules", ())), entry["meaning"])


def read_conditions(when: Mapping[str, str | list[str]]) -> tuple[Condition, ...]:
    """Read the conditions of a rule, flag or note.

    Raises
    ------
    ValueError
        A fact, value or cut is not known.

    Examples
    --------
    >>> sorted(read_conditions({"eoi_mrd": "< 1e-3"})[0].allowed)
    [Decimal('0'), Decimal('0.0001')]
    """
    return tuple(_condition(fact, wanted) for fact, wanted in when.items())


def _condition(fact: str, wanted: str | list[str]) -> Condition:
    values = [wanted] if isinstance(wanted, str) else wanted
    if fact == "genetics":
        from drp.risk.genetics import known_lesions

        possible: tuple[Value, ...] = known_lesions()
    else:
        possible = _TIMINGS.get(fact) or DOMAINS.get(fact, ())
    if possible and isinstance(possible[0], Decimal):
        return Condition(fact, _compared(fact, values[0]))
    if not possible or not set(values) <= set(possible):
        raise ValueError(f"{fact} = {values!r}: no such fact, or not one of {possible}")
    return Condition(fact, frozenset(values))


def _compared(fact: str, wanted: str) -> frozenset[str | Decimal]:
    sign, cut = wanted.split()
    if Decimal(cut) not in DOMAINS[fact]:
        raise ValueError(f"{fact} {wanted}: {cut} is not one of its cuts")
    compare = _COMPARISONS[sign]
    return frozenset(
        value
        for value in DOMAINS[fact]
        if isinstance(value, Decimal) and compare(value, Decimal(cut))
    )
