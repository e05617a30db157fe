"""Outcome figures of published groups, for a patient who certainly belongs to the group.

A group figure is not the patient's prognosis. Figures are chosen here, never computed with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from drp.risk.notes import read_notes
from drp.risk.patient import Patient
from drp.risk.rules import Value

if TYPE_CHECKING:
    from drp.risk.classify import Judgement

# The words a figure's group may be described by, for each region of the decision tables' facts.
_MONTHS = {"0": "under 18", "18": "18 to 36", "36": "36 or more"}
_MRD = {
    "0": frozenset({"below 1e-4", "below 1e-3"}),
    "0.0001": frozenset({"below 1e-3"}),
    "0.001": frozenset({"1e-3 or more"}),
}
_NOT_CHECKED = {"review only": "; quoted from a review, not compared with its source"}

# For each fact, what may be true of the patient: every set is one possible world.
Groups = Mapping[str, Sequence[frozenset[str]]]


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One outcome figure of a published group; see ``published/outcomes.toml``."""

    id: str
    cohort: str
    group: str
    when: Mapping[str, frozenset[str]]
    endpoint: str
    value: str
    show: str
    why: str
    instead_of: frozenset[str]
    checked: str
    source: str


@cache
def load_figures() -> tuple[Figure, ...]:
    """Read every outcome figure, shown or not.

    Returns
    -------
    tuple of Figure
        ``cohort`` in words: name, years and number.

    Examples
    --------
    >>> load_figures()[0].value, load_figures()[0].cohort
    ('48.9 ± 1.2 %', 'COG, 12 trials of first-line therapy, 1996-2014, n = 2053 relapses of 16115
    enrolled; number of the group not stated')
    """
    table = read_notes("outcomes")
    return tuple(
        Figure(
            id=entry["id"],
            cohort="{name}, {years}, {n}".format(**table["cohort"][entry["cohort"]]),
            group=entry["group"],
            when={fact: _words(wanted) for fact, wanted in entry.get("when", {}).items()},
            endpoint=entry["endpoint"],
            value=entry["value"],
            show=entry["show"],
            why=entry.get("why", ""),
            instead_of=frozenset(entry.get("instead_of", ())),
            checked=entry["checked"],
            source=table["cohort"][entry["cohort"]]["source"],
        )
        for entry in table["figure"]
    )


def outcome_figures(patient: Patient, judged: Sequence["Judgement"]) -> list[dict[str, str]]:
    """Give the figures of the groups to which a patient certainly belongs.

    Parameters
    ----------
    patient : Patient
        What is known.
    judged : sequence of Judgement
        What the systems say, from `drp.risk.classify.judge`.

    Returns
    -------
    list of dict
        ``subject``, ``text``, ``evidence`` and ``source`` of each figure; none for a patient who
        may be beyond the systems: a later relapse, a transplant before, mixed phenotype.

    Examples
    --------
    >>> from drp.problems import Problems
    >>> from drp.risk.classify import judge
    >>> from drp.risk.patient import read_patient
    >>> cells = {"patient": "P01", "immunophenotype": "T", "relapse_number": "1",
    ...          "prior_hsct": "N", "months_dx_to_relapse": "12", "age_at_diagnosis_y": "6"}
    >>> patient = read_patient(cells, Problems())
    >>> outcome_figures(patient, judge(patient))[0]["text"]
    '5-year OS 29.8 ± 3.9 %'
    """
    if not _is_of_the_systems(judged[0].values):
        return []
    groups = _groups(patient, judged)
    fitting = [
        figure
        for figure in load_figures()
        if figure.show == "patient" and _belongs(figure.when, groups)
    ]
    wider = frozenset().union(*(figure.instead_of for figure in fitting))
    return [_statement(figure) for figure in fitting if figure.id not in wider]


def _is_of_the_systems(values: Mapping[str, tuple[Value, ...]]) -> bool:
    return (
        values["relapse_number"] == ("first",)
        and values["prior_hsct"] == ("no",)
        and "MPAL" not in values["immunophenotype"]
    )


def _belongs(when: Mapping[str, frozenset[str]], groups: Groups) -> bool:
    return all(all(world & wanted for world in groups[fact]) for fact, wanted in when.items())


def _groups(patient: Patient, judged: Sequence["Judgement"]) -> Groups:
    values = judged[0].values
    classes = {one.system.name: one.verdict.possible for one in judged}
    return {
        "lineage": _worlds(values["immunophenotype"]),
        "site": _worlds(values["site"]),
        "only_site": [_only_site(patient)],
        "months": _worlds(_MONTHS[str(value)] for value in values["months_since_diagnosis"]),
        "infant": _worlds(_infant(patient)),
        "mrd": [_MRD[str(value)] for value in values["eoi_mrd"]],
        "lesions": [patient.genetics or frozenset()],
        "ph": _worlds(_philadelphia(patient)),
        "down_syndrome": _worlds(values["down_syndrome"]),
        "cog": _worlds(classes["COG"]),
        "bfm": _worlds(classes["ALL-REZ BFM"]),
    }


def _worlds(words: Iterable[Value]) -> list[frozenset[str]]:
    return [frozenset({str(word)}) for word in words]


def _only_site(patient: Patient) -> frozenset[str]:
    sites = patient.em_sites or frozenset()
    return sites if len(sites) == 1 else frozenset()


def _philadelphia(patient: Patient) -> tuple[str, ...]:
    if patient.genetics is None:
        return ("yes", "no")
    return ("yes",) if "BCR::ABL1" in patient.genetics else ("no",)


def _infant(patient: Patient) -> tuple[str, ...]:
    """Under one year at diagnosis."""
    if patient.age_at_diagnosis_y is not None:
        return ("yes",) if patient.age_at_diagnosis_y < 1 else ("no",)
    young = patient.age_at_relapse_y is not None and patient.age_at_relapse_y < 1
    return ("yes",) if young else ("yes", "no")


def _words(wanted: str | list[str]) -> frozenset[str]:
    return frozenset([wanted] if isinstance(wanted, str) else wanted)


def _statement(figure: Figure) -> dict[str, str]:
    return {
        "subject": figure.group,
        "text": f"{figure.endpoint} {figure.value}",
        "evidence": f"{figure.cohort}{_NOT_CHECKED.get(figure.checked, '')}",
        "source": figure.source,
    }
