"""Stage tables of one patient → the patient's record.

Nothing is computed here that a stage has computed already; the tables are sorted, worded and put
into the record. Dates of a sample are used and leave only as intervals in days.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from drp.report import answers, prose
from drp.report.combination_rows import combination_rows
from drp.report.drug_rows import common_axis, drug_rows, featured
from drp.report.numerals import counted, percent
from drp.report.plate_rows import plate_rows
from drp.report.record import (
    Answer,
    Approval,
    Assay,
    Fact,
    FailedSample,
    PatientRecord,
    Plate,
    Provenance,
    RemovedByHand,
    RiskStatement,
    UsableSample,
    Verdict,
)
from drp.report.repeat_rows import repeat_rows
from drp.report.risk_rows import (
    input_facts,
    risk_rows,
    risk_statements,
    with_published,
    with_remission,
)
from drp.report.rows import Tables, number, parts, records, text

Row = Mapping[str, Any]


def build_record(
    patient: Mapping[str, str],
    samples: Sequence[Mapping[str, str]],
    tables: Tables,
    *,
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> PatientRecord:
    """Build the record of one patient.

    Parameters
    ----------
    patient : mapping
        The patient's row of patients.tsv.
    samples : sequence of mappings
        The patient's rows of samples.tsv, in any order.
    tables : mapping of name to rows
        Rows as dictionaries, a missing number None or NaN, filtered to this patient:
        ``viability``, ``quality``, ``sample_quality`` (sample, verdict, reasons separated by
        '; '), ``curves``, ``synergy``, ``surface``, ``calls``, ``risk``, ``risk_context``,
        ``reference``, ``drug_facts``, ``exclusions`` (plate, well, reason, by, date),
        ``input_hashes`` (sample, input_hash), ``approvals`` (sample, by, date, input_hash),
        ``changes`` (what changed from sample to sample, `drp.patient_changes`),
        ``cohorts`` (sample, words: with which reference it was compared),
        ``locked_reference`` (rows of the older reference a sample is held to, by sample),
        ``drug_edits`` (words: what the laboratory changed in the drug table).
        A table that is absent counts as empty. A sample without a row in ``sample_quality``
        has not been judged and is treated as failed.
    settings : mapping
        title, laboratory, simulated, assay (name, readout, hours, culture, material),
        thresholds (name → value), normalisation (a sentence), certain (probability below which
        a call is uncertain; optional), risk_systems (false if they do not apply; optional),
        plate_review (whether plates have review pages; optional).
    provenance : mapping
        The fields of `Provenance`.

    Returns
    -------
    PatientRecord
        Samples newest first by the day of collection; samples without that day come last. Its
        status is "released" if each sample has an approval whose hash is that of its inputs now.
    """
    assay = Assay(**settings["assay"])
    classes = risk_rows(patient["patient"], tables)
    published = risk_statements(patient["patient"], tables)
    ordered = _newest_first(samples)
    newest = _day(ordered[0], "collected_date") if ordered else None
    applies = bool(settings.get("risk_systems", True))
    lead = answers.risk_lead(classes) if applies else answers.NO_RISK
    risk_answer = answers.risk(classes, lead) if applies else answers.risk_does_not_apply()
    risk_answer = with_remission(risk_answer, published)
    record = PatientRecord(
        report_id="",
        status="draft",  # until every sample is seen to be approved
        title=settings["title"],
        laboratory=settings["laboratory"],
        simulated=settings["simulated"],
        research_use=prose.RESEARCH_USE,
        patient=patient["patient"],
        facts=[*prose.patient_facts(patient), *input_facts(published)],
        assay=assay,
        samples=[
            _sample(row, newest, patient, tables, assay, settings, (risk_answer, published))
            for row in ordered
        ],
        risk_lead=lead,
        risk=classes,
        risk_context=published,
        repeats=repeat_rows(tables),
        signatures=list(prose.SIGNATURES),
        how_to_read=prose.how_to_read(),
        methods=[
            *prose.methods(assay, settings["normalisation"], settings["thresholds"]),
            *_cohorts(tables),
            *_drug_table(tables),
        ],
        limits=list(prose.LIMITS),
        removed_by_hand=_removed_by_hand(tables),
        provenance=Provenance(**provenance),
    )
    if record.samples and all(item.approval and item.approval.valid for item in record.samples):
        record = record.model_copy(update={"status": "released"})
    content = record.model_dump_json().encode()
    name = f"{patient['patient']}-{hashlib.sha256(content).hexdigest()[:8]}"
    return record.model_copy(update={"report_id": name})


def _sample(
    row: Row,
    newest: date | None,
    patient: Row,
    tables: Tables,
    assay: Assay,
    settings: Mapping[str, Any],
    risk: tuple[Answer, list[RiskStatement]],
) -> UsableSample | FailedSample:
    name = text(row, "sample")
    judged = next(iter(records(tables, "sample_quality", sample=name)), None)
    verdict: Verdict = text(judged, "verdict") if judged else "fail"  # type: ignore[assignment]
    reasons = parts(judged, "reasons", ";") if judged else ["the quality was not judged"]
    plates = plate_rows(name, tables, reviewed=bool(settings.get("plate_review", False)))
    common = _common(row, newest, verdict, reasons, plates) | _release(name, tables)
    called = [] if verdict == "fail" else drug_rows(name, assay.name, tables)
    drugs = with_published(called, risk[1], text(patient, "prior_drugs"))
    unable = sum(drug.call == "not evaluable" for drug in drugs)
    note = f"{unable} of {counted(len(drugs), 'drug')} not evaluable." if unable else ""
    first = answers.usable(verdict, reasons, _cells(row), plates, note)
    last = [risk[0], answers.not_to_conclude(verdict == "fail", assay.hours, assay.culture)]
    if verdict == "fail":
        return FailedSample(
            usable="no",
            answers=[first, *answers.no_result(), *last],
            header=_header(row, assay, ""),
            **common,
        )
    combinations = combination_rows(name, tables, settings.get("certain"))
    found = answers.stand_out(drugs, settings.get("certain"), text(patient, "cautions"))
    tested = f"{counted(len(drugs), 'drug')}, {counted(len(combinations), 'combination')}"
    shown, shown_note = featured(drugs)
    return UsableSample(
        usable="yes" if verdict == "pass" else "with caution",
        answers=[first, found, answers.combinations(combinations), *last],
        header=_header(row, assay, tested),
        axis=common_axis(drugs),
        drugs=drugs,
        featured=shown,
        featured_note=shown_note,
        combinations=combinations,
        **common,
    )


def _release(sample: str, tables: Tables) -> dict[str, Any]:
    """The hash of a sample's inputs, and its approval: one that fits, else the last one given."""
    found = next(iter(records(tables, "input_hashes", sample=sample)), {})
    now = text(found, "input_hash")
    given = records(tables, "approvals", sample=sample)
    fitting = [row for row in given if now and text(row, "input_hash") == now]
    last = (fitting or given)[-1:]
    approvals = [
        Approval(by=text(row, "by"), date=text(row, "date"), valid=bool(fitting)) for row in last
    ]
    return {"input_hash": now, "approval": approvals[0] if approvals else None}


def _common(
    row: Row, newest: date | None, verdict: Verdict, reasons: list[str], plates: list[Plate]
) -> dict[str, Any]:
    collected = _day(row, "collected_date")
    received, plated = _day(row, "received_date"), _day(row, "plated_date")
    read = _day(row, "read_date")
    return {
        "sample": text(row, "sample"),
        "kind": text(row, "kind"),
        "material": text(row, "material"),
        "preparation": text(row, "preparation"),
        "assay": text(row, "assay"),
        "thaw_viability_pct": number(row, "thaw_viability_pct"),
        "blasts_pct": number(row, "blasts_pct"),
        "survival_pct": number(row, "survival_pct"),
        "days_before_newest": _days(collected, newest),
        "days_collection_to_receipt": _days(collected, received),
        "days_receipt_to_plating": _days(received, plated),
        "days_plating_to_reading": _days(plated, read),
        "days_collection_to_reading": _days(collected, read),
        "verdict": verdict,
        "reasons": reasons,
        "plates": plates,
    }


def _cells(row: Row) -> list[str]:
    words = (
        ("thaw_viability_pct", "% of the cells viable at plating"),
        ("blasts_pct", "% blasts at plating"),
        ("survival_pct", "% of the untreated cells alive at the end"),
    )
    found = ((number(row, column), text_) for column, text_ in words)
    return [f"{percent(value)} {text_}" for value, text_ in found if value is not None]


def _header(row: Row, assay: Assay, tested: str) -> list[Fact]:
    material = [text(row, "material") or assay.material, text(row, "preparation")]
    collected = _day(row, "collected_date")
    read = _days(collected, _day(row, "read_date"))
    plated = _days(collected, _day(row, "plated_date"))
    if read is not None:
        elapsed = f"{counted(read, 'day')} from collection to reading"
    elif plated is not None:
        elapsed = f"{counted(plated, 'day')} from collection to plating"
    else:
        elapsed = "days since collection not given"
    hours = f"{assay.hours:g} h" if assay.hours else ""
    return [
        Fact(term="Sample", text=text(row, "kind") or "kind not given"),
        Fact(term="Material", text=", ".join(filter(None, material)) or "not given"),
        Fact(term="Elapsed", text=elapsed),
        Fact(term="Tested", text=", ".join(filter(None, [tested, hours])) or "not given"),
    ]


def _cohorts(tables: Tables) -> list[Fact]:
    words = [f"{text(row, 'sample')}: {text(row, 'words')}" for row in records(tables, "cohorts")]
    return [Fact(term="Reference samples", text=f"{'; '.join(words)}.")] if words else []


def _drug_table(tables: Tables) -> list[Fact]:
    """What the laboratory itself says of drugs of this report; nothing if it changed nothing."""
    words = [text(row, "words") for row in records(tables, "drug_edits")]
    changed = f"Changed or added by the laboratory: {'; '.join(words)}."
    return [Fact(term="Drug table", text=changed)] if words else []


def _removed_by_hand(tables: Tables) -> list[RemovedByHand]:
    columns = ("plate", "well", "reason", "by", "date")
    rows = [
        RemovedByHand(**{name: text(row, name) for name in columns})
        for row in records(tables, "exclusions")
    ]
    return sorted(rows, key=lambda row: (row.plate, row.well))


def _newest_first(samples: Sequence[Row]) -> list[Row]:
    by_name = sorted(samples, key=lambda row: text(row, "sample"))
    return sorted(by_name, key=lambda row: _day(row, "collected_date") or date.min, reverse=True)


def _day(row: Row, name: str) -> date | None:
    try:
        return date.fromisoformat(text(row, name))
    except ValueError:
        return None


def _days(start: date | None, end: date | None) -> int | None:
    return None if start is None or end is None else (end - start).days
