"""A patient as the decision tables see one: for each fact, the values it can still take."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import product

from drp.risk.mrd import Mrd
from drp.risk.patient import Patient
from drp.risk.rules import DERIVED, DOMAINS, Value
from drp.risk.timing import DIAGNOSIS_CUTS, THERAPY_CUT, Elapsed

# What to ask the clinic for, by fact: as in the column `needs`, and in words.
QUESTIONS = {
    "relapse_number": ("relapse_number", "whether this is the first relapse"),
    "prior_hsct": ("prior_hsct", "whether there was a stem cell transplant before"),
    "immunophenotype": ("immunophenotype", "the immunophenotype"),
    "site": ("site", "the site of relapse"),
    "em_sites": ("em_sites", "the extramedullary sites"),
    "months_since_diagnosis": ("months_dx_to_relapse", "the time from diagnosis to relapse"),
    "months_off_therapy": ("eot_date", "the date of the end of therapy"),
    "age_at_diagnosis_y": ("age_at_diagnosis_y", "the age at diagnosis"),
    "age_at_relapse_y": ("age_at_relapse_y", "the age at relapse"),
    "genetics": ("genetics", "the genetics"),
}


def possible_values(patient: Patient) -> dict[str, tuple[Value, ...]]:
    """Give the values that each fact of a patient can still take.

    Parameters
    ----------
    patient : Patient
        What is known. What is known of one fact narrows another: a relapse 20 months after the
        end of therapy is at least 20 months after diagnosis.

    Returns
    -------
    dict
        For every fact in `rules.DOMAINS` a tuple of its values, all of them if nothing is known;
        for genetics one set of lesions, or an empty tuple if they were not reported.

    Examples
    --------
    >>> from drp.problems import Problems
    >>> from drp.risk.patient import read_patient
    >>> cells = {"patient": "P01", "months_end_of_therapy_to_relapse": "20", "eoi_mrd": "<0.1%"}
    >>> values = possible_values(read_patient(cells, Problems()))
    >>> values["months_since_diagnosis"], values["eoi_mrd"]
    ((Decimal('18'), Decimal('36')), (Decimal('0'), Decimal('0.0001')))
    """
    known = {
        "relapse_number": _order(patient.relapse_number),
        "prior_hsct": _answer(patient.prior_hsct),
        "immunophenotype": _word(patient.immunophenotype),
        "site": _site(patient),
        "em_sites": _em_sites(patient),
        "months_since_diagnosis": _since_diagnosis(patient),
        "months_off_therapy": _off_therapy(patient),
        "eoi_mrd": _mrd(patient.eoi_mrd),
        "down_syndrome": _answer(patient.down_syndrome),
        **_ages(patient),
    }
    values = {fact: known.get(fact) or domain for fact, domain in DOMAINS.items()}
    return values | {"genetics": () if patient.genetics is None else (patient.genetics,)}


def values_at(
    time_point: str, patient: Patient, values: dict[str, tuple[Value, ...]]
) -> tuple[dict[str, tuple[Value, ...]], Mrd | None]:
    """Give the values as a system may use them: an MRD of another time point is not known to it.

    Parameters
    ----------
    time_point : str
        When the system has the MRD measured.
    patient : Patient
        An MRD without a time point counts as the end of the first block, whatever it is called.
    values : dict
        As from `possible_values`.

    Returns
    -------
    dict
        The values, those of ``eoi_mrd`` all open if it is of another time point.
    Mrd or None
        The MRD that the system may use.

    Examples
    --------
    >>> from drp.problems import Problems
    >>> from drp.risk.patient import read_patient
    >>> cells = {"patient": "P01", "eoi_mrd": "0", "mrd_time_point": "end_of_induction"}
    >>> patient = read_patient(cells, Problems())
    >>> values, mrd = values_at("end of block 1", patient, possible_values(patient))
    >>> len(values["eoi_mrd"]), mrd
    (3, None)
    """
    if patient.mrd_time_point in (None, time_point):
        return values, patient.eoi_mrd
    return values | {"eoi_mrd": DOMAINS["eoi_mrd"]}, None


def possible_timings(values: Mapping[str, tuple[Value, ...]], timing: str) -> tuple[str, ...]:
    """Give the timings that are still possible, sorted.

    Parameters
    ----------
    values : mapping
        As from `possible_values`.
    timing : {"bfm_timing", "cog_timing"}
        Which vocabulary.

    Returns
    -------
    tuple of str
        One or more of its words.

    Examples
    --------
    >>> possible_timings({"months_since_diagnosis": (Decimal(18),),
    ...                   "months_off_therapy": (Decimal(0), Decimal(6))}, "bfm_timing")
    ('early', 'late')
    """
    first, second = DERIVED[timing][0]
    return _timings(timing, values[first], values[second])


@cache
def _timings(timing: str, first: tuple[Value, ...], second: tuple[Value, ...]) -> tuple[str, ...]:
    timing_of = DERIVED[timing][1]
    return tuple(sorted({timing_of(*world) for world in product(first, second)}))


def question(
    fact: str, mrd: Mrd | None, cuts: tuple[Decimal, ...], mrd_time_point: str
) -> tuple[str, str]:
    """Name what must be known to settle a class, for the table and in words.

    Parameters
    ----------
    fact : str
        The fact that is open.
    mrd : Mrd, optional
        The MRD as far as it is known.
    cuts : tuple of decimal.Decimal
        The cuts of the system on this fact.
    mrd_time_point : str
        When the system has the MRD measured.

    Returns
    -------
    tuple of str
        The entry of the column `needs`, and the words. Where an MRD was reported as below a limit
        that is too high, what is missing is sensitivity.

    Examples
    --------
    >>> from drp.risk.mrd import read_mrd
    >>> question("eoi_mrd", read_mrd("<0.1%"), (Decimal("1e-4"),), "end of induction")
    ('eoi_mrd_sensitivity_1e-4', 'the MRD at the end of induction to a sensitivity of 1e-4')
    """
    if fact != "eoi_mrd":
        return QUESTIONS[fact]
    words = f"the MRD at the {mrd_time_point}"
    if mrd is None or mrd.lower > 0:
        return fact, words
    open_cuts = [cut for cut in cuts if mrd.may_reach(cut) and mrd.may_be_below(cut)]
    limit = f"1e{min(open_cuts).adjusted()}"
    return f"eoi_mrd_sensitivity_{limit}", f"{words} to a sensitivity of {limit}"


def _order(relapse_number: int | None) -> tuple[Value, ...]:
    if relapse_number is None:
        return ()
    return ("first" if relapse_number == 1 else "later",)


def _answer(answer: bool | None) -> tuple[Value, ...]:
    return () if answer is None else ("yes" if answer else "no",)


def _word(word: str | None) -> tuple[Value, ...]:
    return () if word is None else (word,)


def _site(patient: Patient) -> tuple[Value, ...]:
    if patient.site is None and patient.em_sites is not None:
        return ("combined", "isolated_em") if patient.em_sites else ("isolated_marrow",)
    return _word(patient.site)


def _em_sites(patient: Patient) -> tuple[Value, ...]:
    if patient.em_sites is None:
        return ()
    return ("testes only" if patient.em_sites == {"testes"} else "other",)


def _since_diagnosis(patient: Patient) -> tuple[Value, ...]:
    starts = (0, *DIAGNOSIS_CUTS)
    if patient.since_diagnosis is not None:
        return (_region(patient.since_diagnosis, starts),)
    if patient.off_therapy is not None:
        least = _region(patient.off_therapy, starts)
        return tuple(Decimal(start) for start in starts if start >= least)
    return ()


def _off_therapy(patient: Patient) -> tuple[Value, ...]:
    if patient.on_therapy:
        return (Decimal(0),)
    if patient.off_therapy is None:
        return ()
    return (_region(patient.off_therapy, (0, THERAPY_CUT)),)


def _region(elapsed: Elapsed, starts: tuple[int, ...]) -> Decimal:
    return Decimal(max(start for start in starts if elapsed.reached(start)))


def _mrd(mrd: Mrd | None) -> tuple[Value, ...]:
    if mrd is None:
        return ()
    starts = [value for value in DOMAINS["eoi_mrd"] if isinstance(value, Decimal)]
    ends = [*starts[1:], Decimal("Infinity")]
    return tuple(
        start
        for start, end in zip(starts, ends, strict=True)
        if mrd.may_reach(start) and mrd.may_be_below(end)
    )


def _ages(patient: Patient) -> dict[str, tuple[Value, ...]]:
    at_diagnosis, at_relapse = patient.age_at_diagnosis_y, patient.age_at_relapse_y
    highest = at_diagnosis if at_diagnosis is not None else at_relapse
    lowest = at_relapse if at_relapse is not None else at_diagnosis
    return {
        "age_at_diagnosis_y": _ages_between("age_at_diagnosis_y", at_diagnosis, highest),
        "age_at_relapse_y": _ages_between("age_at_relapse_y", lowest, at_relapse),
    }


def _ages_between(fact: str, lowest: Decimal | None, highest: Decimal | None) -> tuple[Value, ...]:
    starts = [value for value in DOMAINS[fact] if isinstance(value, Decimal)]
    ends = [*starts[1:], Decimal("Infinity")]
    return tuple(
        start
        for start, end in zip(starts, ends, strict=True)
        if (highest is None or highest >= start) and (lowest is None or lowest < end)
    )
