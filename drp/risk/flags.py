"""Flags: remarks on a class that a reader must see beside it."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib import resources

from drp.risk.patient import Patient
from drp.risk.rules import DOMAINS, NOT_CLASSIFIABLE, System, Value, load_systems
from drp.risk.timing import DIAGNOSIS_CUTS, THERAPY_CUT, Dates
from drp.risk.worlds import Verdict, certain, status_of

_TIERS = ("low", "intermediate", "high")


@cache
def flag_meanings() -> dict[str, str]:
    """Give what each flag means, those of the systems and those of a patient.

    Returns
    -------
    dict
        A sentence by flag; several where a system raises one flag for several reasons.

    Examples
    --------
    >>> flag_meanings()["NOT_FIRST_RELAPSE"]
    'The systems are made for the first relapse only.'
    """
    file = resources.files("drp.risk").joinpath("published", "flags.toml")
    found: dict[str, str] = dict(tomllib.loads(file.read_text(encoding="utf-8")))
    for system in load_systems():
        for flag in system.flags:
            before = [found[flag.flag]] if flag.flag in found else []
            found[flag.flag] = " Or: ".join([*before, flag.meaning])
    return found


def system_flags(
    system: System, verdict: Verdict, values: Mapping[str, tuple[Value, ...]]
) -> set[str]:
    """Give the flags that a system's own file raises, for what is certain of a patient.

    Examples
    --------
    >>> from drp.risk.worlds import Cube
    >>> cog = load_systems()[0]
    >>> known = {"down_syndrome": ("yes",), "relapse_number": ("first",), "prior_hsct": ("no",)}
    >>> system_flags(cog, Cube(cog).judge(known), known)
    {'COG_DS_EXCLUDED_AALL1331'}
    """
    if status_of(verdict) == NOT_CLASSIFIABLE:
        return set()
    fired = {rule.id for rule in verdict.rules}
    return {
        flag.flag
        for flag in system.flags
        if (not flag.rules or fired <= flag.rules) and certain(flag.when, values)
    }


def patient_flags(
    patient: Patient, values: Mapping[str, tuple[Value, ...]], verdicts: Iterable[Verdict]
) -> set[str]:
    """Give the flags that hold for a patient whatever the system.

    Examples
    --------
    >>> from drp.problems import Problems
    >>> from drp.risk.facts import possible_values
    >>> from drp.risk.patient import read_patient
    >>> patient = read_patient({"patient": "P01", "eoi_mrd": "1e-3"}, Problems())
    >>> sorted(patient_flags(patient, possible_values(patient), []))
    ['BOUNDARY', 'UNITS']
    """
    if values["relapse_number"] == ("later",):
        return {"NOT_FIRST_RELAPSE"}
    elapsed = [patient.since_diagnosis, patient.off_therapy]
    abandoned = values["months_since_diagnosis"] == (Decimal(0),) and values[
        "months_off_therapy"
    ] == (Decimal(THERAPY_CUT),)
    raised = {
        "BOUNDARY": _near_a_cut(patient),
        "ABANDONED": abandoned,
        "DISCORDANT": _discordant(verdicts),
        "DATES": any(isinstance(time, Dates) for time in elapsed),
        "UNITS": patient.eoi_mrd is not None and patient.eoi_mrd.as_fraction,
    }
    return {flag for flag, is_raised in raised.items() if is_raised}


def _near_a_cut(patient: Patient) -> bool:
    since, off, mrd = patient.since_diagnosis, patient.off_therapy, patient.eoi_mrd
    mrd_cuts = [cut for cut in DOMAINS["eoi_mrd"] if isinstance(cut, Decimal) and cut > 0]
    return (
        (since is not None and any(since.near(cut) for cut in DIAGNOSIS_CUTS))
        or (off is not None and off.near(THERAPY_CUT))
        or (mrd is not None and any(mrd.is_exactly(cut) for cut in mrd_cuts))
    )


def _discordant(verdicts: Iterable[Verdict]) -> bool:
    tiers = {
        rule.tier
        for verdict in verdicts
        if status_of(verdict) == "definite"
        for rule in verdict.rules
    }
    return {_TIERS[0], _TIERS[-1]} <= tiers
