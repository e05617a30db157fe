"""Rows of the sheet of patients into the risk table: five systems side by side."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from drp.problems import DataError, Place, Problem
from drp.risk.facts import possible_timings, possible_values, question, values_at
from drp.risk.flags import patient_flags, system_flags
from drp.risk.inputs import read_patients, read_rows
from drp.risk.mrd import Mrd
from drp.risk.patient import Patient
from drp.risk.rules import NOT_CLASSIFIABLE, System, Value, load_systems
from drp.risk.worlds import Cube, Verdict, status_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "patient",
    "system",
    "risk_class",
    "status",
    "possible",
    "needs",
    "rule",
    "flags",
    "source",
    "tier",
    "sentence",
    "proviso",
    "timing_bfm",
    "timing_cog",
    "switches",
    "table_sha256",
)


def classify_risk(
    patients: "pd.DataFrame", *, switches: Mapping[str, str] | None = None
) -> "pd.DataFrame":
    """Classify first relapses of ALL under five published systems.

    The published criteria are restated; no treatment is decided. What is not known is taken as
    able to be anything: a class that holds in every possible world is definite, otherwise the
    possible classes are given, with the smallest set of inputs that settles the matter.

    Parameters
    ----------
    patients : pandas.DataFrame
        One row per patient, text, in the columns of ``patients.tsv`` (`drp.risk.inputs.COLUMNS`).
        An empty cell or ``NA`` is unknown, which is not "no"; so is a column that is absent.
    switches : mapping, optional
        Readings of contested criteria that differ from the default, option by name; see
        `list_switches`.

    Returns
    -------
    pandas.DataFrame
        The table ``risk``: a row per patient and system, sorted by patient and then as in
        `drp.risk.rules.load_systems`. Beyond the contract: ``tier`` (low, intermediate, high;
        empty unless every possible class has the same), ``sentence`` (for people), ``proviso``
        (what a definite class takes as absent), ``timing_bfm`` and ``timing_cog`` (possible
        words, separated by '|'; empty for a later relapse), ``switches`` (those not at their
        default) and ``table_sha256`` (hash of the decision table).

    Raises
    ------
    DataError
        A row cannot be used, or a switch is not known; every fault is listed.

    References
    ----------
    Sidhu et al., Relapsed acute lymphoblastic leukemia, Indian J Pediatr 2023; and the
    publication named in each rule of ``drp/risk/systems``.

    Examples
    --------
    >>> import pandas as pd
    >>> sheet = pd.DataFrame({"patient": ["P01"], "immunophenotype": ["T"],
    ...     "site": ["isolated_marrow"], "prior_hsct": ["N"], "relapse_number": ["1"]})
    >>> classify_risk(sheet)[["system", "risk_class", "status"]].values.tolist()
    [['COG', 'High', 'definite'], ['ALL-REZ BFM', 'S4', 'definite'], ['ALLR3', 'HR', 'definite'],
     ['IntReALL 2010', 'HR', 'definite'], ['InPOG-ALL-R1', 'HR', 'definite']]
    """
    import pandas as pd

    from drp.tables import check

    rows = _classified(read_patients(patients), switches or {})
    return check(pd.DataFrame(rows, columns=list(COLUMNS), dtype="str"), "risk")


def classify_rows(
    patients: Sequence[Mapping[str, str]], *, switches: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Classify as `classify_risk` does, from and to plain rows; loads no pandas.

    >>> classify_rows([{"patient": "P01", "relapse_number": "2"}])[0]["status"]
    'not_classifiable'
    """
    return _classified(read_rows(patients), switches or {})


def _classified(
    read: tuple[list[Patient], list[Problem]], switches: Mapping[str, str]
) -> list[dict[str, str]]:
    chosen = checked_switches(switches)
    found, problems = read
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    return [row for patient in found for row in _rows(patient, chosen)]


def list_switches() -> dict[str, tuple[str, ...]]:
    """Give the contested readings and their options, the default first.

    Returns
    -------
    dict
        Options by name of the switch.

    Examples
    --------
    >>> list_switches()["inpog_age"]
    ('at_diagnosis', 'at_relapse')
    """
    return {switch.name: switch.options for system in load_systems() for switch in system.switches}


def checked_switches(switches: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give the readings that are not at their default, sorted; unknown ones are refused.

    Raises
    ------
    DataError
        A switch or an option is not known; every fault is listed.

    Examples
    --------
    >>> checked_switches({"inpog_age": "at_relapse", "intreall_t_marrow": "HR"})
    (('inpog_age', 'at_relapse'),)
    """
    known, problems = list_switches(), []
    for name, option in sorted(switches.items()):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or sorted(known)
            problems.append(_switch_problem(name, "is not known", f"Known: {', '.join(near)}."))
        elif option not in known[name]:
            fix = f"Write one of {', '.join(known[name])}."
            problems.append(_switch_problem(name, f"cannot be {option!r}", fix))
    if problems:
        raise DataError(problems)
    return tuple(
        (name, option) for name, option in sorted(switches.items()) if option != known[name][0]
    )


def _switch_problem(name: str, found: str, fix: str) -> Problem:
    place = Place("config", "risk switches")
    return Problem("risk.unknown-switch", "error", place, f"switch {name!r} {found}", fix)


@lru_cache(maxsize=64)
def _cubes(switches: tuple[tuple[str, str], ...]) -> tuple[tuple[System, Cube], ...]:
    return tuple((system, Cube(system, dict(switches))) for system in load_systems())


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What one system says of one patient, and from what.

    Attributes
    ----------
    values : mapping
        What each fact can still be, as this system may use it; see `facts.values_at`.
    mrd : Mrd, optional
        The MRD, if it is of the system's time point.
    flags : set of str
        Those of the patient and those of the system.
    """

    system: System
    cube: Cube
    verdict: Verdict
    values: Mapping[str, tuple[Value, ...]]
    mrd: Mrd | None
    flags: set[str]


def judge(patient: Patient, switches: tuple[tuple[str, str], ...] = ()) -> list[Judgement]:
    """Put one patient before every system.

    Parameters
    ----------
    patient : Patient
        What is known.
    switches : tuple of (name, option)
        Readings that are not at their default, as from `checked_switches`.

    Returns
    -------
    list of Judgement
        In the order of `drp.risk.rules.load_systems`.

    Examples
    --------
    >>> from drp.problems import Problems
    >>> from drp.risk.patient import read_patient
    >>> patient = read_patient({"patient": "P01", "relapse_number": "2"}, Problems())
    >>> {judgement.verdict.possible for judgement in judge(patient)}
    {('not_classifiable',)}
    """
    values = possible_values(patient)
    found = []
    for system, cube in _cubes(switches):
        own, mrd = values_at(system.mrd_time_point, patient, values)
        found.append(Judgement(system, cube, cube.judge(own), own, mrd, set()))
    common = patient_flags(patient, values, [one.verdict for one in found])
    for one in found:
        one.flags.update(common, _own_flags(patient, one))
    return found


def _own_flags(patient: Patient, one: Judgement) -> set[str]:
    flags = system_flags(one.system, one.verdict, one.values)
    if one.mrd is not patient.eoi_mrd and "eoi_mrd" in one.verdict.needs:
        flags.add("MRD_TIME_POINT")
    return flags


def _rows(patient: Patient, switches: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    judged = judge(patient, switches)
    values = judged[0].values
    first = values["relapse_number"] != ("later",)
    timings = {
        f"timing_{name}": "|".join(possible_timings(values, f"{name}_timing")) if first else ""
        for name in ("bfm", "cog")
    }
    return [
        {
            "patient": patient.patient,
            "system": one.system.name,
            **_verdict_cells(one.system, one.cube, one.verdict, one.mrd),
            "flags": ";".join(sorted(one.flags)),
            **timings,
            "switches": _switches_of(one.system, switches),
            "table_sha256": one.system.table_sha256,
        }
        for one in judged
    ]


@cache
def _switches_of(system: System, switches: tuple[tuple[str, str], ...]) -> str:
    names = {switch.name for switch in system.switches}
    return ";".join(f"{name}={option}" for name, option in switches if name in names)


@lru_cache(maxsize=65536)
def _verdict_cells(system: System, cube: Cube, verdict: Verdict, mrd: Mrd | None) -> dict[str, str]:
    status = status_of(verdict)
    asked = [question(fact, mrd, cube.cuts(fact), system.mrd_time_point) for fact in verdict.needs]
    tiers = {rule.tier for rule in verdict.rules}
    return {
        "risk_class": verdict.possible[0] if status == "definite" else "",
        "status": status,
        "possible": "" if status == NOT_CLASSIFIABLE else "|".join(verdict.possible),
        "needs": ",".join(token for token, _ in asked),
        "rule": "|".join(rule.id for rule in verdict.rules),
        "source": "; ".join(dict.fromkeys(rule.source for rule in verdict.rules)),
        "tier": tiers.pop() if len(tiers) == 1 else "",
        "sentence": _sentence(verdict, [words for _, words in asked]),
        "proviso": "; ".join(verdict.provisos),
    }


def _sentence(verdict: Verdict, asked: Iterable[str]) -> str:
    names = [name.replace("_", " ") for name in verdict.possible]
    if len(names) > 1:
        text = f"Provisional: {_listed(names, 'or')}. To settle it: {_listed(list(asked), 'and')}."
    else:
        reasons = list(dict.fromkeys(rule.sentence for rule in verdict.rules))
        if len(reasons) > 1:
            reason = f"The same in every case still possible. {' Or: '.join(reasons)}"
        else:
            reason = reasons[0]
        text = f"{names[0][0].upper()}{names[0][1:]}. {reason}"
    return " ".join([text, *(f"Provided that {proviso}." for proviso in verdict.provisos)])


def _listed(words: list[str], conjunction: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
