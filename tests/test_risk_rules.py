import re
from collections import Counter
from decimal import Decimal

import pytest

from drp.risk.rules import DOMAINS, NOT_CLASSIFIABLE, load_systems, read_system

SYSTEMS = load_systems()
TABLE = """
name = "X"
title = "X"
mrd_time_point = ""
[[rule]]
id = "X-1"
when = {{ {} }}
class = "A"
tier = "low"
source = "nowhere"
sentence = "Always."
"""


def test_five_systems_and_their_classes():
    classes = {system.name: {rule.risk_class for rule in system.rules} for system in SYSTEMS}
    assert classes == {
        "COG": {"Low", "Intermediate", "High", NOT_CLASSIFIABLE},
        "ALL-REZ BFM": {"S1", "S2", "S3", "S4", NOT_CLASSIFIABLE},
        "ALLR3": {"SR", "IR", "HR", NOT_CLASSIFIABLE},
        "IntReALL 2010": {"SR", "HR", NOT_CLASSIFIABLE},
        "InPOG-ALL-R1": {"SR", "HR", NOT_CLASSIFIABLE},
    }


def test_a_class_has_one_tier():
    tiers = {
        system.name: {(rule.risk_class, rule.tier) for rule in system.rules} for system in SYSTEMS
    }
    bfm = {("S1", "low"), ("S2", "intermediate"), ("S3", "high"), ("S4", "high")}
    assert tiers["ALL-REZ BFM"] == bfm | {(NOT_CLASSIFIABLE, "")}
    for pairs in tiers.values():
        assert max(Counter(risk_class for risk_class, _ in pairs).values()) == 1
        assert {tier for _, tier in pairs} <= {"low", "intermediate", "high", ""}


def test_every_rule_is_named_once_and_says_where_it_comes_from():
    ids = [rule.id for system in SYSTEMS for rule in system.rules]
    assert len(ids) == len(set(ids))
    for system in SYSTEMS:
        assert re.fullmatch(r"[0-9a-f]{64}", system.table_sha256)
        for rule in system.rules:
            assert rule.source
            assert rule.sentence.endswith(".")


def test_flags_and_switches_name_what_exists():
    for system in SYSTEMS:
        ids = {rule.id for rule in system.rules}
        options = {switch.name: switch.options for switch in system.switches}
        assert all(flag.rules <= ids and flag.meaning for flag in system.flags)
        used = {pair for rule in system.rules for pair in rule.switch}
        assert all(option in options[name] for name, option in used)
        assert {name for name, _ in used} == set(options)


def test_a_number_is_cut_where_the_table_says():
    table = TABLE.format('eoi_mrd = ">= 1e-4"')
    (condition,) = read_system(table.encode()).rules[0].when
    assert condition.allowed == {Decimal("1e-4"), Decimal("1e-3")}
    assert condition.allowed < set(DOMAINS["eoi_mrd"])


@pytest.mark.parametrize(
    "condition",
    [
        'eoi_mrd = ">= 1e-2"',
        'site = "marrow"',
        'weather = "fine"',
        'genetics = ["BCR-ABL"]',
        'bfm_timing = ["early", "soon"]',
    ],
)
def test_a_fault_in_a_table_is_not_overlooked(condition):
    with pytest.raises(ValueError, match=condition.split()[0]):
        read_system(TABLE.format(condition).encode())
