"""What a report says otherwise than the one it replaces, and why: an amended report says so.

Compared is what a reader acts on: the inputs of the risk systems, the classes, the verdicts on
samples, the calls of drugs and combinations. A new number behind the same words is no amendment.
"""

from collections.abc import Iterable, Iterator, Mapping

from drp.report.numerals import counted, listed
from drp.report.record import (
    Amendment,
    Change,
    PatientRecord,
    Provenance,
    Risk,
    Sample,
    UsableSample,
)

_NAMED = 6


def amended(
    record: PatientRecord, earlier: PatientRecord, *, issued: str, kept: str
) -> PatientRecord:
    """Say in a record what changed since the report it replaces.

    Parameters
    ----------
    record : PatientRecord
        The new record.
    earlier : PatientRecord
        That of the last report, with its own amendments, which are carried on.
    issued : str
        When the last report was made.
    kept : str
        Where it is kept.

    Returns
    -------
    PatientRecord
        The record with its amendments, oldest first; one more than the earlier one has if
        something changed.
    """
    changes = find_changes(record, earlier)
    new = Amendment(
        replaces=earlier.report_id, issued=issued, status=earlier.status, kept=kept, changes=changes
    )
    return record.model_copy(
        update={"amendments": [*earlier.amendments, *([new] if changes else [])]}
    )


def find_changes(record: PatientRecord, earlier: PatientRecord) -> list[Change]:
    """Give what a record says otherwise than an earlier one, each with the reason.

    Parameters
    ----------
    record, earlier : PatientRecord
        Two records of one patient.

    Returns
    -------
    list of Change
        Inputs, classes, samples, drugs, combinations, in this order; empty if all is said alike.
    """
    inputs = _input_changes(record, earlier)
    cause = _cause(record.provenance, earlier.provenance)
    return [
        *inputs,
        *_class_changes(record, earlier, inputs),
        *_sample_changes(record, earlier, cause),
    ]


def _input_changes(record: PatientRecord, earlier: PatientRecord) -> list[Change]:
    before = {fact.term: fact.text for fact in earlier.facts}
    return [
        Change(
            what=fact.term, before=before[fact.term], after=fact.text, why="patients.tsv changed"
        )
        for fact in record.facts
        if fact.term in before and before[fact.term] != fact.text
    ]


def _class_changes(
    record: PatientRecord, earlier: PatientRecord, inputs: Iterable[Change]
) -> Iterator[Change]:
    before = {item.system: item for item in earlier.risk}
    for item in record.risk:
        old = before.get(item.system)
        if old is not None and (old.shown, old.switches) != (item.shown, item.switches):
            why = f"{_class_cause(item, old, inputs)} Rule {item.rule.replace('|', ' or ')}."
            yield Change(what=item.system, before=_class(old), after=_class(item), why=why)


def _class(item: Risk) -> str:
    return f"{item.shown} ({', '.join(item.switches)})" if item.switches else item.shown


def _class_cause(item: Risk, old: Risk, inputs: Iterable[Change]) -> str:
    changed = [f"{_lower(one.what)} ({one.before}, now {one.after})" for one in inputs]
    if old.switches != item.switches:
        changed.append("the reading of a contested criterion in the configuration")
    if old.table_sha256 != item.table_sha256:
        changed.append("the decision table")
    return f"Changed: {listed(changed or ['dates or ages, which are not printed'], 9)}."


def _lower(term: str) -> str:
    return term if term[1:2].isupper() else term[:1].lower() + term[1:]


def _sample_changes(record: PatientRecord, earlier: PatientRecord, cause: str) -> Iterator[Change]:
    before = {sample.sample: sample for sample in earlier.samples}
    for sample in record.samples:
        old = before.pop(sample.sample, None)
        if old is None:
            words = ("not in the report", "in the report")
            yield Change(what=f"Sample {sample.sample}", before=words[0], after=words[1], why=cause)
            continue
        for kind, was, now in (
            ("quality", {"quality": old.verdict}, {"quality": sample.verdict}),
            ("drugs", _calls(old), _calls(sample)),
            ("combinations", _pairs(old), _pairs(sample)),
        ):
            yield from _differences(f"Sample {sample.sample}, {kind}", was, now, cause)
    for name in before:
        yield Change(
            what=f"Sample {name}", before="in the report", after="not in the report", why=cause
        )


def _calls(sample: Sample) -> dict[str, str]:
    if not isinstance(sample, UsableSample):
        return {}
    return {drug.drug: drug.call for drug in sample.drugs}


def _pairs(sample: Sample) -> dict[str, str]:
    if not isinstance(sample, UsableSample):
        return {}
    return {pair.combination: pair.call for pair in sample.combinations}


def _differences(
    what: str, before: Mapping[str, str], after: Mapping[str, str], cause: str
) -> Iterator[Change]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return
    shown, more = names[:_NAMED], len(names) - _NAMED
    ending = f" and {counted(more, 'other')}" if more > 0 else ""

    def words(calls: Mapping[str, str]) -> str:
        return "; ".join(_named(name, calls.get(name, "no result")) for name in shown) + ending

    yield Change(what=what, before=words(before), after=words(after), why=cause)


def _named(name: str, call: str) -> str:
    return call if name == "quality" else f"{name} {call}"


def _cause(now: Provenance, before: Provenance) -> str:
    """Say what differs between the two in what results are made from."""
    software = now.fingerprint != before.fingerprint or now.versions != before.versions
    changed = [
        words
        for words, differ in (
            ("plate files", now.files != before.files),
            ("wells taken out, or remarks", now.edits != before.edits),
            ("the configuration", now.config_hash != before.config_hash),
            ("the software", software),
        )
        if differ
    ]
    other = ["the sheets, other plates of the run or the reference samples"]
    return f"Changed: {listed(changed or other, 9)}."
