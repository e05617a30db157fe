"""The cube against every combination of inputs, and against a slow and obvious twin."""

from decimal import Decimal
from functools import cache
from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.risk.rules import DOMAINS, NOT_CLASSIFIABLE, load_systems, read_system
from drp.risk.timing import bfm_timing, cog_timing
from drp.risk.worlds import Cube, certain

SYSTEMS = {system.name: system for system in load_systems()}
OTHER_READINGS = {
    switch.name: switch.options[1] for system in load_systems() for switch in system.switches
}
READINGS = {"default": {}, "other": OTHER_READINGS}
LESIONS = {
    "IntReALL 2010": (frozenset(), frozenset({"BCR::ABL1"})),
    "InPOG-ALL-R1": tuple(
        frozenset(lesions)
        for lesions in ((), ("KMT2A-r",), ("TP53mut",), ("KMT2A-r", "TP53mut", "IKZF1"))
    ),
}


@cache
def cube_of(name, reading="default"):
    return Cube(SYSTEMS[name], READINGS[reading])


def values_of(name, fact):
    return LESIONS[name] if fact == "genetics" else DOMAINS[fact]


def fitting_rules(rules, world):
    """Read the rules one by one, in a world where everything is known."""
    facts = dict(world)
    facts["bfm_timing"] = bfm_timing(world["months_since_diagnosis"], world["months_off_therapy"])
    facts["cog_timing"] = cog_timing(world["site"], world["months_since_diagnosis"])
    return [rule for rule in rules if all(part.holds(facts[part.fact]) for part in rule.when)]


def worlds_of(name, known, reading="default"):
    """Every fully known world that agrees with what is known, as dictionaries."""
    needed = ("months_since_diagnosis", "months_off_therapy", "site")
    facts = dict.fromkeys((*cube_of(name, reading).facts, *needed))
    choices = [known.get(fact) or values_of(name, fact) for fact in facts]
    return [dict(zip(facts, world, strict=True)) for world in product(*choices)]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_one_rule_fires_in_every_known_world_and_each_rule_can(name, reading):
    cube = cube_of(name, reading)
    seen = set()
    for world in worlds_of(name, {}, reading):
        verdict = cube.judge({fact: (world[fact],) for fact in cube.facts})
        (fired,) = verdict.rules
        assert fired == fitting_rules(cube.rules, world)[0]
        assert verdict.possible == (fired.risk_class,)
        assert verdict.needs == ()
        seen.add(fired.id)
    assert seen == {rule.id for rule in cube.rules}


@pytest.mark.parametrize("name", ["COG", "ALL-REZ BFM", "ALLR3", "IntReALL 2010"])
def test_rules_with_a_class_do_not_overlap_but_by_their_order(name):
    """A world fits at most one rule once the exclusions, which come first, are passed."""
    allowed = {"COG": 2, "IntReALL 2010": 2}
    for world in worlds_of(name, {}):
        fits = fitting_rules(cube_of(name).rules, world)
        if fits[0].risk_class != NOT_CLASSIFIABLE:
            assert 1 <= len(fits) <= allowed.get(name, 1)


def settles(name, known, chosen):
    outcomes = {}
    for world in worlds_of(name, known):
        key = tuple(world[fact] for fact in chosen)
        outcomes.setdefault(key, set()).add(fitting_rules(cube_of(name).rules, world)[0].risk_class)
    return all(len(classes) == 1 for classes in outcomes.values())


def smallest_set(name, known):
    """Try every set of open facts, the smallest first."""
    open_facts = [fact for fact in cube_of(name).facts if fact not in known]
    sizes = range(len(open_facts) + 1)
    for chosen in chain.from_iterable(combinations(open_facts, size) for size in sizes):
        if settles(name, known, chosen):
            return chosen
    raise AssertionError("even all facts together settle nothing")


FIRST = {"relapse_number": ("first",), "prior_hsct": ("no",)}


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"immunophenotype": ("B",)},
        {"immunophenotype": ("T",), "site": ("combined",)},
        {"immunophenotype": ("B",), "site": ("isolated_em",)},
        {"site": ("isolated_em",), "months_off_therapy": (Decimal(6),)},
        {"immunophenotype": ("B",), "months_since_diagnosis": (Decimal(18),)},
        {"months_since_diagnosis": (Decimal(36),), "months_off_therapy": (Decimal(6),)},
    ],
)
@pytest.mark.parametrize("name", ["COG", "ALL-REZ BFM", "ALLR3", "InPOG-ALL-R1"])
def test_possible_classes_and_needs_against_the_slow_twin(name, known):
    known = {**FIRST, **known}
    if name == "InPOG-ALL-R1":
        known |= {"age_at_diagnosis_y": (Decimal(0),), "genetics": (frozenset(),)}
    verdict = cube_of(name).judge(known)
    rules = cube_of(name).rules
    fired = [fitting_rules(rules, world)[0] for world in worlds_of(name, known)]
    assert verdict.possible == tuple(sorted({rule.risk_class for rule in fired}))
    assert {rule.id for rule in verdict.rules} == {rule.id for rule in fired}
    assert verdict.needs == smallest_set(name, known)


def states(name, fixed):
    """Every combination of inputs, each known or not, as tuples of the cube's facts."""
    facts = cube_of(name).facts
    choices = []
    for fact in facts:
        single = [(value,) for value in values_of(name, fact)]
        spans = [DOMAINS[fact][:2]] if fact == "eoi_mrd" else []  # below a limit of 1e-3
        choices.append([fixed[fact]] if fact in fixed else [*single, *spans, ()])
    return facts, product(*choices)


def refinements(name, fact, value):
    """What can be learnt of a fact that is open."""
    if len(value) == 1:
        return []
    return [(one,) for one in (value or values_of(name, fact))]


LARGE = "InPOG-ALL-R1"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == LARGE)) for name in SYSTEMS]
)
def test_learning_never_leaves_what_was_possible(name):
    cube = cube_of(name)
    facts, every = states(name, FIRST if name == "InPOG-ALL-R1" else {})
    verdicts = {state: cube.judge(dict(zip(facts, state, strict=True))) for state in every}
    definite = 0
    for state, verdict in verdicts.items():
        before = set(verdict.possible) | ({NOT_CLASSIFIABLE} if verdict.provisos else set())
        assert verdict.possible
        assert bool(verdict.needs) == (len(verdict.possible) > 1)
        definite += len(verdict.possible) == 1 and () in state
        for place, fact in enumerate(facts):
            for learnt in refinements(name, fact, state[place]):
                after = verdicts[(*state[:place], learnt, *state[place + 1 :])]
                assert before >= set(after.possible)
                if fact not in verdict.needs and not verdict.provisos:
                    assert verdict.possible == after.possible
    assert definite > 0


@given(st.data())
def test_what_is_needed_settles_it(data):
    name = data.draw(st.sampled_from(sorted(SYSTEMS)))
    cube = cube_of(name)
    known = {}
    for fact in cube.facts:
        if data.draw(st.booleans()):
            known[fact] = (data.draw(st.sampled_from(values_of(name, fact))),)
    verdict = cube.judge(known)
    for fact in verdict.needs:
        known[fact] = (data.draw(st.sampled_from(values_of(name, fact))),)
    settled = cube.judge(known)
    assert len(settled.possible) == 1
    assert set(settled.possible) <= set(verdict.possible) | {NOT_CLASSIFIABLE}


def test_genetics_not_reported_leave_a_proviso_in_intreall_only():
    late = {
        **FIRST,
        "immunophenotype": ("B",),
        "site": ("isolated_marrow",),
        "months_since_diagnosis": (Decimal(36),),
        "months_off_therapy": (Decimal(6),),
        "eoi_mrd": (Decimal(0),),
        "age_at_diagnosis_y": (Decimal(0),),
    }
    intreall = cube_of("IntReALL 2010")
    verdict = intreall.judge(late)
    assert (verdict.possible, verdict.needs) == (("SR",), ())
    assert verdict.provisos == ("BCR::ABL1 is absent (genetics not reported)",)
    tested = intreall.judge({**late, "genetics": (frozenset(),)})
    assert (tested.possible, tested.provisos) == (("SR",), ())
    positive = intreall.judge({**late, "genetics": (frozenset({"BCR::ABL1"}),)})
    assert positive.possible == (NOT_CLASSIFIABLE,)
    inpog = cube_of("InPOG-ALL-R1").judge(late)
    assert (inpog.possible, inpog.needs) == (("HR", "SR"), ("genetics",))


def test_a_flag_waits_until_it_is_certain():
    (flag,) = (flag for flag in SYSTEMS["COG"].flags if flag.flag.startswith("COG_PH"))
    assert certain(flag.when, {"genetics": (frozenset({"BCR::ABL1", "IKZF1"}),)})
    assert not certain(flag.when, {"genetics": (frozenset({"IKZF1"}),)})
    assert not certain(flag.when, {"genetics": ()})


def test_a_table_with_a_gap_is_refused():
    table = """
    name = "X"
    title = "X"
    mrd_time_point = ""
    [[rule]]
    id = "X-1"
    when = { immunophenotype = ["B", "T"] }
    class = "A"
    tier = "low"
    source = "nowhere"
    sentence = "Not MPAL."
    """
    with pytest.raises(ValueError, match="no rule fires"):
        Cube(read_system(table.encode()))
