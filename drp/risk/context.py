"""What is published beside the classes of a patient: pathways, agents, outcomes of groups.

Everything here restates a publication, with its source, for one patient; nothing is recommended.
The statements are in ``published``, made to be read and corrected by a clinician.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from drp.problems import DataError
from drp.risk.classify import Judgement, checked_switches, judge
from drp.risk.flags import flag_meanings
from drp.risk.inputs import read_rows
from drp.risk.notes import Annotation, Note, load_agents, load_pathways
from drp.risk.outcomes import outcome_figures
from drp.risk.patient import UNKNOWN, Patient
from drp.risk.rules import Condition, Rule, Value
from drp.risk.worlds import certain, inputs_of

COLUMNS = (
    "patient",
    "place",
    "kind",
    "subject",
    "condition",
    "text",
    "agents",
    "evidence",
    "source",
)

_PLANNING = "Asparaginase hypersensitivity, cumulative anthracycline dose, earlier radiation and "
_REPORTED = (("prior_drugs", "Drugs given before"), ("cautions", "Recorded cautions"))
_TIMINGS = (("bfm", "Timing, BFM terms"), ("cog", "Timing, COG terms"))

Row = dict[str, Any]


def risk_context(
    patients: Sequence[Mapping[str, str]],
    risk: Sequence[Mapping[str, str]],
    *,
    switches: Mapping[str, str] | None = None,
) -> list[Row]:
    """Give what is published beside each patient's classes.

    Parameters
    ----------
    patients : sequence of mappings
        Rows of ``patients.tsv``, as for `drp.risk.classify_rows`.
    risk : sequence of mappings
        What `drp.risk.classify_rows` gave for them under the same switches.
    switches : mapping, optional
        Readings that differ from the default.

    Returns
    -------
    list of dict
        The table ``risk_context``: a row per patient and statement, `COLUMNS`, in the order of
        print; ``place`` counts from 1. ``condition`` is not empty where it is not known whether
        the statement applies; ``agents`` are separated by ';'.

    Raises
    ------
    DataError
        A row cannot be used, or a switch is not known.

    Examples
    --------
    >>> from drp.risk import classify_rows
    >>> sheet = [{"patient": "P01", "genetics": "KMT2A-r", "second_remission": "N"}]
    >>> rows = risk_context(sheet, classify_rows(sheet))
    >>> [(row["subject"], row["evidence"]) for row in rows if row["kind"] == "agent"][0]
    ('KMT2A-r', 'cells in the laboratory only')
    """
    chosen = checked_switches(switches or {})
    found, problems = read_rows(patients)
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    cells = {row["patient"]: row for row in patients}
    rows = {row["patient"]: row for row in risk}
    return [
        _row(patient.patient, place, **statement)
        for patient in found
        for place, statement in enumerate(
            _statements(patient, cells[patient.patient], rows[patient.patient], chosen), start=1
        )
    ]


def _row(patient: str, place: int, kind: str, subject: str, text: str, **more: str) -> Row:
    empty = {"condition": "", "agents": "", "evidence": "", "source": ""}
    said = {"kind": kind, "subject": subject, "text": text, **empty, **more}
    return {"patient": patient, "place": place} | {name: said[name] for name in COLUMNS[2:]}


def _statements(
    patient: Patient,
    cells: Mapping[str, str],
    row: Mapping[str, str],
    switches: tuple[tuple[str, str], ...],
) -> Iterator[dict[str, str]]:
    judged = judge(patient, switches)
    values = judged[0].values
    yield from _inputs(patient, row, values)
    for flag in sorted(set().union(*(one.flags for one in judged))):
        yield {"kind": "flag", "subject": flag, "text": flag_meanings()[flag]}
    yield from _switches(judged, switches)
    yield from _pathways(judged)
    yield from _whatever_the_system(patient, values)
    yield from _planning(cells)
    yield from _agents(values)
    for figure in outcome_figures(patient, judged):
        yield {"kind": "outcome", **figure}


def _inputs(
    patient: Patient, row: Mapping[str, str], values: Mapping[str, tuple[Value, ...]]
) -> Iterator[dict[str, str]]:
    """What the classes were found from, in groups: neither dates nor ages are printed."""
    for name, subject in _TIMINGS:
        words = row[f"timing_{name}"].replace("_", " ").split("|")
        text = " or ".join(words) if row[f"timing_{name}"] else "not a first relapse"
        yield {"kind": "input", "subject": subject, "text": text}
    ages = values["age_at_diagnosis_y"]
    text = "not known" if len(ages) > 1 else ("15 years or more" if ages[0] else "under 15 years")
    yield {"kind": "input", "subject": "Age at diagnosis", "text": text}
    if patient.mrd_time_point:
        yield {"kind": "input", "subject": "MRD measured at", "text": patient.mrd_time_point}


def _switches(
    judged: Iterable[Judgement], switches: tuple[tuple[str, str], ...]
) -> Iterator[dict[str, str]]:
    known = {switch.name: switch for one in judged for switch in one.system.switches}
    for name, option in switches:
        default = known[name].options[0]
        text = f"{known[name].question} Set to {option}; the default is {default}."
        yield {"kind": "switch", "subject": f"{name} = {option}", "text": text}


def _pathways(judged: Iterable[Judgement]) -> Iterator[dict[str, str]]:
    for one in judged:
        notes = [note for note in load_pathways() if note.system == one.system.name]
        for note in notes:
            applies, condition = _applies(note, one)
            if applies:
                yield {
                    "kind": "pathway",
                    "subject": note.system,
                    "condition": condition,
                    "text": note.says,
                    "source": note.source,
                }


def _applies(note: Note, one: Judgement) -> tuple[bool, str]:
    """Say whether a note may apply, and on what that depends; nothing if it is certain."""
    fired = [rule for rule in one.verdict.rules if rule.id in note.rules]
    if not fired or not may_hold(note.when, one.values):
        return False, ""
    others = [rule for rule in one.verdict.rules if rule not in fired]
    depends = [_named(fired, others)] if others else []
    if not certain(note.when, one.values):
        depends.append(note.condition)
    return True, " and ".join(depends)


def _named(fired: Sequence[Rule], others: Sequence[Rule]) -> str:
    """Name rules by their class, or by what they say if others give the same class."""
    classes = dict.fromkeys(rule.risk_class for rule in fired)
    if classes.keys().isdisjoint(rule.risk_class for rule in others):
        return " or ".join(classes)
    return " or ".join(rule.sentence[:1].lower() + rule.sentence[1:-1] for rule in fired)


def may_hold(conditions: Iterable[Condition], values: Mapping[str, tuple[Value, ...]]) -> bool:
    """Say whether each condition holds in some world that is still possible.

    Examples
    --------
    >>> from drp.risk.rules import Condition
    >>> may_hold([Condition("site", frozenset({"combined"}))], {"site": ("isolated_em",)})
    False
    """
    for condition in conditions:
        (fact,) = inputs_of(condition)
        if values[fact] and not any(condition.holds(value) for value in values[fact]):
            return False
    return True


def _whatever_the_system(
    patient: Patient, values: Mapping[str, tuple[Value, ...]]
) -> Iterator[dict[str, str]]:
    answers = {True: ("yes",), False: ("no",), None: ("yes", "no")}
    known = {**values, "second_remission": answers[patient.second_remission]}
    for note in load_pathways():
        if not note.system and certain(note.when, known):
            yield {
                "kind": "remission",
                "subject": note.subject,
                "text": note.says,
                "source": note.source,
            }


def _planning(cells: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for column, subject in _REPORTED:
        text = cells.get(column, "").strip()
        known = text.casefold() not in UNKNOWN
        yield {"kind": "planning", "subject": subject, "text": text if known else "not reported"}
    yield {
        "kind": "planning",
        "subject": "To be read beside any drug",
        "text": f"{_PLANNING}drugs given before. What is not recorded above is not known here.",
        "source": "Sidhu 2023",
    }


def _agents(values: Mapping[str, tuple[Value, ...]]) -> Iterator[dict[str, str]]:
    for entry in load_agents():
        for subject in _subjects(entry, values):
            yield {
                "kind": "agent",
                "subject": subject,
                "text": entry.says,
                "agents": ";".join(entry.agents),
                "evidence": entry.evidence,
                "source": entry.source,
            }


def _subjects(entry: Annotation, values: Mapping[str, tuple[Value, ...]]) -> list[str]:
    if entry.subject:
        return [entry.subject]
    if entry.immunophenotype:
        same = values["immunophenotype"] == (entry.immunophenotype,)
        return [f"{entry.immunophenotype}-ALL"] if same else []
    found = {str(lesion) for value in values["genetics"] for lesion in _lesions(value)}
    return [", ".join(lesion for lesion in entry.lesions if lesion in found)] * bool(
        found & set(entry.lesions)
    )


def _lesions(value: Value) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()
