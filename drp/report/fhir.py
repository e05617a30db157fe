"""A record as a FHIR R4 bundle: the same calls and numbers for the systems of a hospital.

Codes are the project's own (`SYSTEM`), since no standard code means these scores. No name, birth
date or hospital number is in a record, so none is in the bundle. A drug without a call has the
reason why, as `dataAbsentReason` and in words. HL7 FHIR R4: https://hl7.org/fhir/R4/.
"""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic_core import to_json

from drp.report.record import (
    Combination,
    Drug,
    Estimate,
    Measures,
    PatientRecord,
    Risk,
    Sample,
    UsableSample,
)

SYSTEM = "urn:drp:code"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
UCUM = "http://unitsofmeasure.org"
# Units of the record in UCUM, where they differ from it.
UNITS = {"nM": "nmol/L", "IU/mL": "[iU]/mL", "µg/mL": "ug/mL"}

Resource = dict[str, Any]


def fhir_bundle(record: PatientRecord, issued: str) -> Resource:
    """Give the bundle of a patient's report.

    Parameters
    ----------
    record : PatientRecord
        All that is said.
    issued : str
        Time of issue, UTC, as in the other renderings.

    Returns
    -------
    dict
        A Bundle of type ``collection``: DiagnosticReport first, then Patient, Device, Specimen and
        Observations of each sample, a RiskAssessment per system, and Provenance. Identifiers
        depend on the report alone, so the same report gives the same bundle.

    Examples
    --------
    See `render_fhir`.
    """
    return _Bundle(record, issued).whole()


def render_fhir(record: PatientRecord, issued: str) -> str:
    """Give the bundle as JSON text.

    Parameters
    ----------
    record, issued
        As for `fhir_bundle`.

    Returns
    -------
    str
        One line, ending in a line break.

    Examples
    --------
    Used by the report stage: ``render_fhir(record, "2025-11-07T13:00:00Z")``.
    """
    # The model refuses NaN; if one came in all the same, it should show, not turn into null.
    return to_json(fhir_bundle(record, issued), inf_nan_mode="constants").decode() + "\n"


class _Bundle:
    """Builds the resources of one report, with references between them."""

    def __init__(self, record: PatientRecord, issued: str) -> None:
        self.record, self.issued = record, issued
        self.names: dict[tuple[str, str], str] = {}
        self.final = record.status == "released"
        self.subject = self.reference("Patient", record.patient)
        self.device = self.reference("Device", "drp")

    def name(self, kind: str, key: str) -> str:
        """Give the address of a resource within the bundle."""
        if (kind, key) not in self.names:
            path = f"{self.record.report_id}/{kind}/{key}"
            self.names[kind, key] = f"urn:uuid:{uuid5(NAMESPACE_URL, path)}"
        return self.names[kind, key]

    def reference(self, kind: str, key: str) -> Resource:
        return {"reference": self.name(kind, key)}

    def whole(self) -> Resource:
        observed = [one for sample in self.record.samples for one in self.observations(sample)]
        resources = [
            ("report", self.report([key for key, _ in observed])),
            (self.record.patient, self.patient()),
            ("drp", self.software()),
            *((sample.sample, self.specimen(sample)) for sample in self.record.samples),
            *observed,
            *((risk.system, self.risk(risk)) for risk in self.record.risk),
            ("provenance", self.provenance()),
        ]
        return {
            "resourceType": "Bundle",
            "identifier": {"system": "urn:drp:report", "value": self.record.report_id},
            "type": "collection",
            "timestamp": self.issued,
            "entry": [
                {"fullUrl": self.name(one["resourceType"], key), "resource": one}
                for key, one in resources
            ],
        }

    def report(self, keys: list[str]) -> Resource:
        status = "final" if self.final else "preliminary"
        if self.final and self.record.amendments:
            status = "amended"
        answers = [answer for sample in self.record.samples[:1] for answer in sample.answers]
        return {
            "resourceType": "DiagnosticReport",
            "identifier": [{"system": "urn:drp:report", "value": self.record.report_id}],
            "status": status,
            "category": [_concept("laboratory", "Laboratory")],
            "code": _concept("ex-vivo-drug-response", self.record.title),
            "subject": self.subject,
            "issued": self.issued,
            "performer": [{"display": self.record.laboratory}],
            "specimen": [self.reference("Specimen", one.sample) for one in self.record.samples],
            "result": [self.reference("Observation", key) for key in keys],
            "conclusion": " ".join(
                [self.record.research_use, *(f"{one.lead} {one.text}" for one in answers)]
            ),
        }

    def patient(self) -> Resource:
        tags = [{"system": SYSTEM, "code": "simulated"}] if self.record.simulated else []
        return {
            "resourceType": "Patient",
            **({"meta": {"tag": tags}} if tags else {}),
            "identifier": [{"system": "urn:drp:patient", "value": self.record.patient}],
        }

    def software(self) -> Resource:
        version = self.record.provenance.versions.get("drp", "")
        return {
            "resourceType": "Device",
            "deviceName": [{"name": "drp", "type": "user-friendly-name"}],
            **({"version": [{"value": version}]} if version else {}),
        }

    def specimen(self, sample: Sample) -> Resource:
        return {
            "resourceType": "Specimen",
            "identifier": [{"system": "urn:drp:sample", "value": sample.sample}],
            "type": {"text": sample.material},
            "subject": self.subject,
            "note": [{"text": f"{fact.term}: {fact.text}"} for fact in sample.header],
        }

    def observations(self, sample: Sample) -> Iterable[tuple[str, Resource]]:
        """Give key and resource of the quality of a sample, its drugs and its combinations."""
        yield f"{sample.sample}/quality", self.quality(sample)
        if isinstance(sample, UsableSample):
            for drug in sample.drugs:
                yield f"{sample.sample}/drug/{drug.drug}", self.drug(sample, drug)
            for pair in sample.combinations:
                yield f"{sample.sample}/pair/{pair.combination}", self.combination(sample, pair)

    def observation(self, sample: Sample, code: Resource, note: str) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final" if self.final else "preliminary",
            "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
            "code": code,
            "subject": self.subject,
            "specimen": self.reference("Specimen", sample.sample),
            "device": self.device,
            **({"note": [{"text": note}]} if note else {}),
        }

    def quality(self, sample: Sample) -> Resource:
        code = _concept("sample-quality", "Is the sample usable?")
        named = (
            ("viability-at-plating", sample.thaw_viability_pct),
            ("blasts-at-plating", sample.blasts_pct),
            ("untreated-survival", sample.survival_pct),
        )
        parts = [_part(name, value, "%") for name, value in named if value is not None]
        return {
            **self.observation(sample, code, "; ".join(sample.reasons)),
            "valueCodeableConcept": _concept(f"usable-{sample.usable}", sample.usable),
            **_with(parts),
        }

    def drug(self, sample: Sample, drug: Drug) -> Resource:
        told = self.observation(sample, _concept(f"drug:{drug.drug}", drug.drug), drug.reason)
        if drug.call == "not evaluable":
            told["dataAbsentReason"] = _absent(drug.reason)
        else:
            told["valueCodeableConcept"] = _concept(f"call:{drug.call}", drug.call)
        parts = [] if drug.measures is None else _measures(drug.measures)
        if drug.call != "not evaluable":
            for name, value in (
                ("probability-of-call", drug.probability),
                ("robust-z", drug.rank.z),
                ("percentile", drug.rank.percentile),
            ):
                parts += [] if value is None else [_part(name, value, "1")]
        return told | _with(parts)

    def combination(self, sample: Sample, pair: Combination) -> Resource:
        code = _concept(f"combination:{pair.combination}", pair.combination)
        told = self.observation(sample, code, pair.reason)
        if not pair.assessable:
            return told | {"dataAbsentReason": _absent(pair.reason)}
        told["valueCodeableConcept"] = _concept(f"call:{pair.call}", pair.call)
        scores = {
            "bliss-excess": pair.bliss,
            "bliss-excess-reachable": pair.achievable_bliss,
            "hsa-excess": pair.hsa,
            "loewe-excess": pair.loewe,
            "zip-excess": pair.zip,
        }
        return told | _with(
            [one for name, score in scores.items() for one in _estimate(name, score, "1")]
        )

    def risk(self, risk: Risk) -> Resource:
        settled = self.final and risk.status != "pending"
        outcome = risk.risk_class or " or ".join(risk.possible) or risk.shown
        return {
            "resourceType": "RiskAssessment",
            "status": "final" if settled else "preliminary",
            "method": _concept(f"risk-system:{risk.system}", risk.shown),
            "code": _concept("relapse-risk-class", "Relapse risk class"),
            "subject": self.subject,
            "prediction": [{"outcome": {"text": outcome}, "rationale": risk.sentence}],
            "note": [{"text": f"Rule {risk.rule}. {risk.source}"}],
        }

    def provenance(self) -> Resource:
        files = sorted(self.record.provenance.files.items())
        return {
            "resourceType": "Provenance",
            "target": [self.reference("DiagnosticReport", "report")],
            "recorded": self.issued,
            "agent": [{"who": self.device}],
            **(
                {
                    "entity": [
                        {"role": "source", "what": {"identifier": {"value": sha}, "display": name}}
                        for name, sha in files
                    ]
                }
                if files
                else {}
            ),
        }


def _concept(code: str, words: str) -> Resource:
    return {"coding": [{"system": SYSTEM, "code": "-".join(code.split())}], "text": words}


def _absent(reason: str) -> Resource:
    return {"coding": [{"system": ABSENT, "code": "unknown"}], "text": reason or "not stated"}


def _with(parts: list[Resource]) -> Resource:
    return {"component": parts} if parts else {}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": UNITS.get(unit, unit)}


def _part(name: str, value: float, unit: str, comparator: str = "") -> Resource:
    quantity = _quantity(value, unit) | ({"comparator": comparator} if comparator else {})
    return {"code": _concept(name, name.replace("-", " ")), "valueQuantity": quantity}


def _estimate(name: str, one: Estimate, unit: str, comparator: str = "") -> list[Resource]:
    """Give a number and its interval; an open end is left out of the range."""
    if one.value is None:
        return []
    parts = [_part(name, one.value, unit, comparator)]
    ends = {"low": one.lo, "high": one.hi}
    known = {end: _quantity(value, unit) for end, value in ends.items() if value is not None}
    if known:
        words = f"{name.replace('-', ' ')}, 95 % interval"
        parts.append({"code": _concept(f"{name}-interval", words), "valueRange": known})
    return parts


def _measures(measures: Measures) -> list[Resource]:
    beyond = measures.ic50_qualifier if measures.ic50_qualifier in ("<", ">") else ""
    return [
        *_estimate("ic50", measures.ic50, measures.dose_unit, beyond),
        *_estimate("ec50", measures.ec50, measures.dose_unit),
        *_estimate("auc", measures.auc, "%"),
        *_estimate("dss2", measures.dss2, "1"),
        *_estimate("viability-at-plasma-peak", measures.viability_at_peak, "%"),
    ]
