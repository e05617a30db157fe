"""Every combination of cells of the sheet, empty ones included: nothing learnt contradicts.

`test_risk_worlds` goes through the facts that the tables ask for; here the cells themselves are
filled in, one after the other, in every order: what one says of another is part of the test.
"""

from itertools import product

import pytest

from drp.problems import Problems
from drp.risk.classify import judge
from drp.risk.patient import read_patient
from drp.risk.rules import NOT_CLASSIFIABLE, load_systems

SYSTEMS = tuple(system.name for system in load_systems())
# A value on either side of every cut, and the cut itself where it is a boundary; empty is unknown.
TIMES = {
    "immunophenotype": ("", "B", "T", "MPAL"),
    "site": ("", "isolated_marrow", "combined", "isolated_em"),
    "em_sites": ("", "none", "testes", "CNS"),
    "months_dx_to_relapse": ("", "17.9", "18", "36"),
    "months_end_of_therapy_to_relapse": ("", "5.9", "6"),
    "on_therapy": ("", "Y", "N"),
    "eoi_mrd": ("", "<0.1%", "0.005%", "1e-4", "1e-3"),
    "age_at_diagnosis_y": ("", "14.9", "15.0"),
    "genetics": ("", "none", "KMT2A-r", "BCR::ABL1"),
}
PERSON = {
    "immunophenotype": ("", "B", "T"),
    "site": ("", "isolated_marrow", "isolated_em"),
    "months_dx_to_relapse": ("", "12", "48"),
    "age_at_diagnosis_y": ("", "6", "14.9", "15.0"),
    "age_at_relapse_y": ("", "8", "18.9"),
    "genetics": ("", "none", "modal=39", "modal=40", "TP53mut", "BCR::ABL1"),
    "prior_hsct": ("", "N", "Y"),
    "relapse_number": ("", "1", "2"),
}
FIXED = {
    "times": {"prior_hsct": "N", "relapse_number": "1"},
    "person": {"months_end_of_therapy_to_relapse": "", "eoi_mrd": "0", "em_sites": ""},
}  # fmt: skip


def every_state(cells, fixed):
    """Classify every combination of cells; those that contradict themselves are left out."""
    states = {}
    for values in product(*cells.values()):
        row = {"patient": "P01", **fixed, **dict(zip(cells, values, strict=True))}
        patient = read_patient(row, Problems())
        if patient is not None:
            states[values] = [one.verdict for one in judge(patient)]
    return states


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cells"), [("times", TIMES), ("person", PERSON)])
def test_filling_in_a_cell_never_leaves_what_was_possible(name, cells):
    states = every_state(cells, FIXED[name])
    learnt = definite = fully_known = 0
    fired = {system: set() for system in SYSTEMS}
    for values, verdicts in states.items():
        for system, verdict in zip(SYSTEMS, verdicts, strict=True):
            assert bool(verdict.needs) == (len(verdict.possible) > 1)
            if "" not in values:
                fully_known += 1
                fired[system] |= {rule.id for rule in verdict.rules}
        for place, options in enumerate(cells.values()):
            if values[place]:
                continue
            for option in options[1:]:
                after = states.get((*values[:place], option, *values[place + 1 :]))
                if after is None:  # not consistent with the other cells
                    continue
                for before, now in zip(verdicts, after, strict=True):
                    allowed = set(before.possible)
                    if before.provisos:  # it says which finding would take the class away
                        allowed.add(NOT_CLASSIFIABLE)
                    assert allowed >= set(now.possible), (values, option)
                    learnt += 1
                    if len(before.possible) == 1 and not before.provisos:
                        assert now.possible == before.possible
                        definite += 1
    assert min(learnt, definite, fully_known) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["InPOG-ALL-R1", "IntReALL 2010"])
def test_every_combination_of_facts_with_no_fact_held_fixed(name):
    """All of the table's facts at once, known or not, under both readings, against a slow twin."""
    import numpy as np

    from drp.risk.worlds import Cube

    (system,) = (system for system in load_systems() if system.name == name)
    for switches in ({}, {switch.name: switch.options[1] for switch in system.switches}):
        cube = Cube(system, switches)
        names = sorted({rule.risk_class for rule in cube.rules})
        shape = [len(cube.values[fact]) for fact in cube.facts]
        known = np.empty(shape, dtype=np.int64)  # the class of each known world, as one bit
        for place in np.ndindex(*shape):
            world = {f: (cube.values[f][i],) for f, i in zip(cube.facts, place, strict=True)}
            (risk_class,) = cube.judge(world).possible
            known[place] = 1 << names.index(risk_class)
        union = known
        for axis in range(known.ndim):  # one more place per axis: not known
            joined = np.bitwise_or.reduce(union, axis=axis, keepdims=True)
            union = np.concatenate([union, joined], axis=axis)
        checked = 0
        for place in np.ndindex(*union.shape):
            state = {
                fact: (cube.values[fact][index],) if index < size else ()
                for fact, index, size in zip(cube.facts, place, shape, strict=True)
            }
            verdict = cube.judge(state)
            found = sum(1 << names.index(one) for one in verdict.possible)
            if verdict.provisos:
                found |= 1 << names.index(NOT_CLASSIFIABLE)
            assert found == union[place], state
            checked += 1
        assert checked == np.prod([size + 1 for size in shape])
