"""The FHIR bundle: valid, complete, the numbers of the record, and a reason where there is none."""

import json

import pytest

from drp.report.fhir import fhir_bundle, render_fhir
from tests import report_example

ISSUED = "2025-11-07T13:00:00Z"


@pytest.fixture(scope="module")
def record():
    return report_example.record()


@pytest.fixture(scope="module")
def bundle(record):
    return fhir_bundle(record, ISSUED)


def resources(bundle, kind):
    found = [entry["resource"] for entry in bundle["entry"]]
    return [one for one in found if one["resourceType"] == kind]


def by_text(bundle, words):
    (found,) = [one for one in resources(bundle, "Observation") if one["code"]["text"] == words]
    return found


def test_the_bundle_validates(bundle):
    models = pytest.importorskip("fhir.resources.R4B.bundle")
    models.Bundle.model_validate_json(json.dumps(bundle))


def test_every_reference_leads_to_a_resource_of_the_bundle(bundle):
    names = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(names)) == len(names)

    def references(part):
        if isinstance(part, dict):
            yield from ([part["reference"]] if "reference" in part else [])
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                yield from references(one)

    assert set(references(bundle)) <= set(names)
    (report,) = resources(bundle, "DiagnosticReport")
    assert len(report["result"]) == len(resources(bundle, "Observation"))


def test_each_drug_has_its_call_and_numbers_or_a_reason(record, bundle):
    sample = record.samples[0]
    for drug in sample.drugs:
        told = by_text(bundle, drug.drug)
        if drug.call == "not evaluable":
            assert told["dataAbsentReason"]["text"] == drug.reason
            assert "valueCodeableConcept" not in told
            continue
        assert told["valueCodeableConcept"]["text"] == drug.call
        parts = {one["code"]["text"]: one for one in told["component"]}
        assert parts["probability of call"]["valueQuantity"]["value"] == drug.probability
        auc, interval = drug.measures.auc, parts["auc, 95 % interval"]["valueRange"]
        assert parts["auc"]["valueQuantity"]["value"] == auc.value
        assert (interval["low"]["value"], interval["high"]["value"]) == (auc.lo, auc.hi)
    assert any(drug.call == "not evaluable" for drug in sample.drugs)


def test_an_ic50_beyond_the_doses_is_a_comparison(record, bundle):
    beyond = [d for d in record.samples[0].drugs if d.measures and d.measures.ic50_qualifier == ">"]
    for drug in beyond:
        parts = {one["code"]["text"]: one for one in by_text(bundle, drug.drug)["component"]}
        assert parts["ic50"]["valueQuantity"]["comparator"] == ">"
    assert beyond


def test_combinations_and_risk_classes_are_told(record, bundle):
    for pair in record.samples[0].combinations:
        told = by_text(bundle, pair.combination)
        assert told.get("valueCodeableConcept", {}).get("text") == (
            pair.call if pair.assessable else None
        )
        assert pair.assessable or told["dataAbsentReason"]["text"] == pair.reason
    risks = {one["method"]["text"]: one for one in resources(bundle, "RiskAssessment")}
    assert set(risks) == {risk.shown for risk in record.risk}
    pending = [risk.shown for risk in record.risk if risk.status == "pending"]
    assert all(risks[shown]["status"] == "preliminary" for shown in pending)


def test_a_draft_is_preliminary_and_a_released_report_final(record, bundle):
    (report,) = resources(bundle, "DiagnosticReport")
    assert report["status"] == "preliminary"
    released = fhir_bundle(record.model_copy(update={"status": "released"}), ISSUED)
    assert resources(released, "DiagnosticReport")[0]["status"] == "final"
    assert {one["status"] for one in resources(released, "Observation")} == {"final"}


def test_the_same_report_gives_the_same_text(record):
    assert render_fhir(record, ISSUED) == render_fhir(record, ISSUED)
    assert json.loads(render_fhir(record, ISSUED))["timestamp"] == ISSUED
