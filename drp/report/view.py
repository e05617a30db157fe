"""A record as text and drawings: what HTML and PDF both print, formatted once.

The templates only place what stands here. A figure is a dictionary with its `svg` and its `alt`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from drp.call_words import rank_words
from drp.provenance import digest
from drp.report import numerals
from drp.report.answers import QUESTIONS
from drp.report.figures import curve_svg, excess_svg, inhibition_svg, own_axis, plate_svg
from drp.report.kept_words import kept_words
from drp.report.language import Translator, translated
from drp.report.palette import CALL_MARKS, VERDICT_MARKS, mark_svg
from drp.report.phrases import catalogue
from drp.report.record import (
    Approval,
    Combination,
    Drug,
    Estimate,
    PatientRecord,
    Plate,
    Provenance,
    Risk,
    Sample,
    UsableSample,
)
from drp.report.repeat_rows import repeat_lines
from drp.report.risk_view import (
    amended_words,
    amendments,
    reading_words,
    risk_context,
)

FRONT_COMBINATIONS = 3
# The statement on the data that the heading of the table makes for all drugs but the others.
PASSES = "the curve passes, sample and plates pass"
# A maximum that chance gives more often than this is not worth a sentence.
RARE_MAXIMUM = 0.05
_STRIP = (150.0, 26.0)
_PANEL = (100.0, 62.0)


def view(record: PatientRecord, generated_at: str, language: str = "en") -> dict[str, Any]:
    """Lay out a record for the templates.

    Parameters
    ----------
    record : PatientRecord
    generated_at : str
        ISO 8601 time of the rendering.
    language : {"en", "de"}
        Of the words; numbers, names and what people wrote stay as they are.

    Returns
    -------
    dict
        Plain text, lists and dictionaries only; drawings are SVG text.

    Raises
    ------
    ValueError
        `generated_at` is not an ISO 8601 time, or there is no such language.
    """
    phrases = catalogue(language)
    shown = _shown(record, generated_at)
    if phrases.exact:
        shown = translated(shown, Translator(phrases, kept_words(record)))
    return shown | {"language": language}


def _shown(record: PatientRecord, generated_at: str) -> dict[str, Any]:
    return {
        **record.model_dump(include=_AS_THEY_ARE),
        "facts": [fact.model_dump() for fact in record.facts],
        "how_to_read": [fact.model_dump() for fact in record.how_to_read],
        "methods": [fact.model_dump() for fact in record.methods],
        "generated": printed_time(generated_at),
        "draft": record.status == "draft",
        "samples": [
            _sample(sample, newest=place == 0, several=len(record.samples) > 1)
            | {"release": _release_words(sample.approval, record.status == "released")}
            for place, sample in enumerate(record.samples)
        ],
        "risk": [_risk(item) for item in record.risk],
        "risk_context": risk_context(record.risk_context),
        "repeats": repeat_lines(record.repeats),
        "amendments": amendments(record.amendments),
        "amended": amended_words(record.amendments),
        "removed_by_hand": [item.model_dump() for item in record.removed_by_hand],
        "provenance": _input_hashes(record.samples) + _provenance(record.provenance),
    }


_AS_THEY_ARE = {
    "report_id",
    "title",
    "laboratory",
    "simulated",
    "research_use",
    "patient",
    "signatures",
    "limits",
    "schema_version",
}


def printed_time(generated_at: str) -> str:
    """Write an ISO 8601 time to the minute, with its zone.

    >>> printed_time("2026-03-01T08:05:00+00:00")
    '2026-03-01 08:05 UTC'
    """
    time = datetime.fromisoformat(generated_at)
    return time.strftime("%Y-%m-%d %H:%M") + (f" {time.tzname()}" if time.tzinfo else "")


def _sample(sample: Sample, *, newest: bool, several: bool) -> dict[str, Any]:
    days = sample.days_before_newest
    earlier = f"earlier sample, {numerals.counted(days, 'day')} before" if days else "other sample"
    shown = {
        "sample": sample.sample,
        "newest": newest,
        "place": ("newest sample" if several else "") if newest else earlier,
        "usable": sample.usable,
        "header": [fact.model_dump() for fact in sample.header],
        "answers": [
            {
                "question": answer.question,
                "mark": mark_svg(answer.mark),
                "lead": answer.lead,
                "text": answer.text,
                "risk": answer.question == QUESTIONS[3],
            }
            for answer in sample.answers
        ],
        "plates": [_plate(plate) for plate in sample.plates],
        "results": None,
    }
    if isinstance(sample, UsableSample):
        shown["results"] = _results(sample)
    return shown


def _release_words(approval: Approval | None, released: bool) -> str:
    """Say whether a sample's results are released; a report is once all of its samples are."""
    if approval is None:
        return "DRAFT: not signed"
    if not approval.valid:
        return f"DRAFT: approval of {approval.date} is void: the inputs have changed since"
    words = f"by {approval.by} on {approval.date}"
    return f"Released {words}" if released else f"DRAFT: this sample approved {words}"


def _results(sample: UsableSample) -> dict[str, Any]:
    by_name = {drug.drug: drug for drug in sample.drugs}
    combinations = [_combination(item) for item in sample.combinations]
    front = combinations[:FRONT_COMBINATIONS]
    more = len(combinations) - len(front)
    return {
        "featured": [
            _row(by_name[name]) | _strip(by_name[name], sample) for name in sample.featured
        ],
        "featured_note": sample.featured_note,
        "axis": _axis_words(sample),
        "drugs": [_row(drug) for drug in sample.drugs],
        "panels": [_panel(drug, sample) for drug in sample.drugs],
        "front_combinations": front,
        "more_combinations": f"first {len(front)} of {len(combinations)}" if more else "",
        "combinations": combinations,
    }


def _axis_words(sample: UsableSample) -> str:
    if sample.axis is None:
        return ""
    low, high = (numerals.significant(d) for d in (sample.axis.dose_min, sample.axis.dose_max))
    return f"{low} to {high} {sample.axis.dose_unit}"


def _figure(svg: str, alt: str) -> dict[str, str]:
    return {"svg": svg, "alt": alt}


def _drawn(drug: Drug, sample: UsableSample, size: tuple[float, float], labels: bool) -> Any:
    curve = drug.curve
    if curve is None:
        return None
    shared = sample.axis if curve.dose_unit == "nM" else None
    axis = shared or own_axis(curve)
    return _figure(curve_svg(curve, axis, *size, labels=labels), curve.summary)


def _call(drug: Drug) -> dict[str, Any]:
    notes = ["uncertain"] if drug.uncertain else []
    if drug.rank.status == "provisional" and drug.call != "not evaluable":
        notes.append("provisional")
    return {
        "call": drug.call,
        "kind": drug.call,
        "mark": mark_svg(CALL_MARKS[drug.call]),
        "notes": ", ".join(notes),
    }


def _strip(drug: Drug, sample: UsableSample) -> dict[str, Any]:
    return {
        "strip": _drawn(drug, sample, _STRIP, False),
        "own_axis": drug.curve is not None and drug.curve.dose_unit != "nM",
    }


def _row(drug: Drug) -> dict[str, Any]:
    ranked = drug.rank.status != "none"
    return {
        **_call(drug),
        "drug": drug.drug,
        "drug_class": drug.drug_class,
        "targets": drug.targets,
        "status": drug.status,
        "probability": _optional(drug.probability, numerals.probability),
        "z": _optional(drug.rank.z, numerals.signed),
        "percentile": _optional(drug.rank.percentile, numerals.percent),
        "n_reference": str(drug.rank.n_reference) if ranked else "",
        "exposure_known": drug.exposure_known,
        "why": _why(drug),
        **_measures(drug),
    }


def _why(drug: Drug) -> str:
    """Join the reason and the statements that it does not contain already."""
    parts = [numerals.sentence(_reason(drug))]
    if drug.exposure:
        named = drug.exposure.lower().startswith("exposure")
        parts.append(numerals.sentence(drug.exposure if named else f"Exposure: {drug.exposure}"))
    # With a z the rank stands in the columns beside it.
    rank = drug.ranking if drug.rank.z is None else ""
    data = "" if drug.data == PASSES else drug.data
    beside = (("Data", data), ("Rank", rank), ("Caveat", drug.caveat))
    for name, words in (*beside, ("Healthy cells", drug.healthy)):
        if words and words not in drug.reason:
            parts.append(numerals.sentence(f"{name}: {words}"))
    if drug.tied_with:
        parts.append(f"Rank not told apart from {numerals.listed(drug.tied_with, 4)}.")
    if drug.call == "sensitive" and drug.expected_false is not None:
        share = numerals.percent(100 * drug.expected_false)
        if share != "0":
            parts.append(f"Of the calls down to here, {share} % may be false.")
    return " ".join(filter(None, [*parts, *drug.published]))


def _reason(drug: Drug) -> str:
    """Give the reason without what stands beside it: rank (in its columns) and exposure.

    A sensitive drug keeps its rank, and a provisional rank its word.
    """
    beside = {"exposure unknown"} if drug.exposure.startswith("exposure unknown: ") else set()
    if drug.call != "sensitive" and drug.rank.percentile is not None:
        beside.add(rank_words(drug.rank.percentile, drug.rank.n_reference))
    said = [part for part in drug.reason.split("; ") if part not in beside]
    return "; ".join(said) or drug.reason


def _optional(value: float | None, write: Any) -> str:
    return "" if value is None else str(write(value))


def _measures(drug: Drug) -> dict[str, str]:
    measures = drug.measures
    if measures is None:
        return dict.fromkeys(_COLUMNS, "")
    ic50 = numerals.ic50(measures.ic50, measures.ic50_qualifier, measures.dose_unit)
    at_peak = measures.viability_at_peak
    return {
        "ic50": ic50,
        "ic50_interval": "" if measures.ic50.value is None else numerals.interval(measures.ic50),
        **_pair("auc", measures.auc, "percent"),
        **_pair("dss2", measures.dss2, "percent"),
        "at_peak": "" if at_peak.value is None else f"{numerals.value(at_peak, 'percent')} %",
        "at_peak_interval": _known_interval(at_peak, "percent"),
    }


_COLUMNS = (
    "ic50", "ic50_interval", "auc", "auc_interval", "dss2", "dss2_interval", "at_peak",
    "at_peak_interval",
)  # fmt: skip


def _pair(name: str, estimate: Estimate, style: str) -> dict[str, str]:
    known = estimate.value is not None
    return {
        name: numerals.value(estimate, style),
        f"{name}_interval": numerals.interval(estimate, style) if known else "",
    }


def _known_interval(estimate: Estimate, style: str) -> str:
    known = estimate.value is not None and (estimate.lo is not None or estimate.open)
    return numerals.interval(estimate, style) if known else ""


def _panel(drug: Drug, sample: UsableSample) -> dict[str, Any]:
    return {
        "drug": drug.drug,
        **_call(drug),
        "figure": _drawn(drug, sample, _PANEL, True),
        "own_axis": drug.curve is not None and drug.curve.dose_unit != "nM",
    }


def _combination(item: Combination) -> dict[str, Any]:
    shown = [
        {
            "excess": _figure(excess_svg(matrix), matrix.summary),
            "inhibition": _figure(inhibition_svg(matrix), f"observed inhibition, {matrix.summary}"),
            "third": f"{item.drugs[2]} {numerals.significant(matrix.dose3)} {matrix.dose_unit}"
            if matrix.dose3 is not None and len(item.drugs) > 2
            else "",
        }
        for matrix in item.matrices
    ]
    numbers = item.assessable and item.bliss.value is not None
    return {
        "combination": item.combination,
        "call": f"{item.call}, uncertain" if item.uncertain else item.call,
        "mark": mark_svg(item.mark),
        "bliss": numerals.value(item.bliss, "signed") if numbers else "",
        "bliss_interval": numerals.interval(item.bliss, "signed") if numbers else "",
        "bliss_p": _p_words(item) if numbers else "",
        "hsa": numerals.value(item.hsa, "signed") if numbers else "",
        "hsa_interval": numerals.interval(item.hsa, "signed") if numbers else "",
        "reachable": numerals.value(item.achievable_bliss, "signed"),
        "reachable_interval": _known_interval(item.achievable_bliss, "signed"),
        "models": _models(item) if numbers else item.models,
        "design": item.design,
        "n_wells": f"{item.n_wells:,}",
        "reason": " ".join(filter(None, [item.reason, _statements(item)])),
        "matrices": shown,
    }


def _statements(item: Combination) -> str:
    """The three statements of a combination, each by its name, and how sure the call is."""
    sure = _optional(item.probability, numerals.probability)
    named = {
        "Data": item.data if item.data not in item.reason else "",
        "Efficacy": item.efficacy,
        "Synergy": item.synergy,
        "Probability of this call": sure + (", uncertain" if item.uncertain else ""),
    }
    return " ".join(numerals.sentence(f"{name}: {text}") for name, text in named.items() if text)


def _p_words(item: Combination) -> str:
    """Give p of the Bliss excess, also adjusted for the sample's combinations, and its odds."""
    parts = [_optional(item.bliss_p, numerals.p_value)]
    if item.p_fdr is not None:
        parts.append(f"{numerals.p_value(item.p_fdr)} adjusted for all combinations")
    if item.probability_synergistic is not None and "probability of synergy" not in item.synergy:
        parts.append(f"probability of synergy {numerals.probability(item.probability_synergistic)}")
    return ", ".join(filter(None, parts))


def _models(item: Combination) -> str:
    """Put the models beside Bliss, and what the design could have found, into sentences."""
    parts = [
        f"{name} {numerals.value(one, 'signed')} ({numerals.interval(one, 'signed')})"
        for name, one in (("Loewe", item.loewe), ("ZIP", item.zip))
        if one.value is not None
    ]
    parts.append(item.models)
    if item.best_region is not None and (item.best_region_p or 0.0) < RARE_MAXIMUM:
        chance = f"p {numerals.p_value(item.best_region_p or 0.0)} for such a maximum"
        largest = numerals.signed(item.best_region)
        parts.append(
            f"Largest excess of nine dose pairs {largest} at {item.best_region_doses} ({chance})"
        )
    if item.css is not None and item.ri is not None:
        both, alone = numerals.whole(item.css), numerals.whole(item.ri)
        parts.append(f"Kill over all doses (CSS) {both}, by the better drug alone (RI) {alone}")
    if item.detectable_excess is not None:
        least = numerals.significant(item.detectable_excess)
        parts.append(f"A true excess of {least} points would be found in 8 of 10 such matrices")
    return ". ".join(filter(None, parts)) + "."


def _plate(plate: Plate) -> dict[str, Any]:
    def two(value: float | None, unit: str = "") -> str:
        return "" if value is None else numerals.significant(value, finest=0.01) + unit

    metrics = {
        "robust Z′": two(plate.robust_z_prime),
        "Z′": two(plate.z_prime),
        "SSMD": two(plate.ssmd),
        "signal to background": two(plate.signal_to_background),
        "CV of negative controls": two(plate.cv_negative, " %"),
        "CV of positive controls": two(plate.cv_positive, " %"),
        "outer over inner controls": two(plate.edge_effect),
        "row gradient": two(plate.gradient_row_pct, " %"),
        "column gradient": two(plate.gradient_column_pct, " %"),
        "edge correction": plate.correction if plate.correction != "none" else "",
        "median negative signal": two(plate.negative_median),
        "controls": f"{plate.n_negative} negative, {plate.n_positive} positive",
    }
    return {
        "plate": plate.plate,
        "verdict": plate.verdict,
        "mark": mark_svg(VERDICT_MARKS[plate.verdict]),
        "reasons": "; ".join(plate.reasons),
        "metrics": "; ".join(f"{name} {text}" for name, text in metrics.items() if text),
        "unread": numerals.counted(len(plate.unread), "well") if plate.unread else "",
        "removed": [item.model_dump() for item in plate.removed],
        "review": plate.review,
        "figure": _figure(plate_svg(plate), plate.summary),
    }


def _risk(item: Risk) -> dict[str, str]:
    return {
        "system": item.system,
        "shown": item.shown,
        "mark": mark_svg(item.mark),
        "tier": item.tier,
        # The class stands in a column of its own; a sentence also says what is needed.
        "why": item.sentence.removeprefix(f"{item.risk_class}. ") + reading_words(item.switches),
        "rule": item.rule.replace("|", " or "),
        "needs": "" if item.sentence else numerals.listed(item.needs),
        "flags": ", ".join(item.flags),
        "source": item.source,
    }


def _input_hashes(samples: Sequence[Sample]) -> list[dict[str, str]]:
    """What a row of approvals.tsv must name to release the sample."""
    known = [f"{sample.sample} {sample.input_hash}" for sample in samples if sample.input_hash]
    return [{"term": "Input hash, for approvals.tsv", "text": " · ".join(known)}] if known else []


def _provenance(provenance: Provenance) -> list[dict[str, str]]:
    def joined(pairs: Mapping[str, str]) -> str:
        return " · ".join(f"{name} {text}" for name, text in pairs.items())

    hashed = {
        "tables": provenance.tables,
        "reference": provenance.reference,
        "sheets": provenance.sheets,
    }
    lines = {
        "Run": provenance.run_id,
        "Software": joined(provenance.versions),
        "Fingerprint of the code": provenance.fingerprint,
        "Hash of the configuration": provenance.config_hash,
        "Seed": "" if provenance.seed is None else str(provenance.seed),
        "Input files, SHA-256": joined({k: v[:16] for k, v in provenance.files.items()}),
        "Tables and rows": joined({name: digest(pairs) for name, pairs in hashed.items() if pairs}),
        # Wells taken out stand under "Changes by people".
        "Remarks": "; ".join(edit for edit in provenance.edits if " taken out: " not in edit),
    }
    return [{"term": term, "text": text} for term, text in lines.items() if text]
