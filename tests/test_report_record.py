"""The record: what goes in comes out exactly, and a failed sample has no place for results."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drp.report.record import (
    Estimate,
    FailedSample,
    PatientRecord,
    UsableSample,
    json_schema,
    read_record,
    render_json,
)
from drp.report.rows import estimate
from tests import report_example


@pytest.fixture(scope="module")
def record() -> PatientRecord:
    return report_example.record()


def test_json_round_trip_is_exact(record):
    assert read_record(render_json(record, report_example.GENERATED)) == record


def test_json_is_strict_and_starts_with_the_time(record):
    def refuse(word):
        raise AssertionError(f"{word} in JSON")

    text = render_json(record, report_example.GENERATED)
    content = json.loads(text, parse_constant=refuse)
    assert next(iter(content)) == "generated_at"
    assert content["schema_version"] == "drp/patient-report/1"


def test_only_the_time_differs(record):
    one = json.loads(render_json(record, "2026-01-01T00:00:00+00:00"))
    two = json.loads(render_json(record, "2026-01-02T00:00:00+00:00"))
    assert one.pop("generated_at") != two.pop("generated_at")
    assert one == two


def test_schema_names_every_field(record):
    assert {*json_schema()["properties"]} == {*PatientRecord.model_fields, "generated_at"}


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValidationError):
        Estimate(value=math.nan)
    with pytest.raises(ValidationError):
        Estimate(value=1.0, hi=math.inf)


def test_failed_sample_cannot_carry_drugs():
    failed = report_example.record(verdict="fail").samples[0]
    assert isinstance(failed, FailedSample)
    with pytest.raises(ValidationError):
        FailedSample.model_validate(failed.model_dump() | {"drugs": []})


def test_usable_follows_the_verdict():
    assert [report_example.record(verdict=v).samples[0].usable for v in ("pass", "warn")] == [
        "yes",
        "with caution",
    ]


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True))
def test_an_estimate_is_finite_or_open(low, high):
    made = estimate({"x": 1.0, "x_lo": low, "x_hi": high}, "x")
    assert made.lo is None or math.isfinite(made.lo)
    assert (made.open in ("high", "both")) == math.isinf(high)
    assert (made.open in ("low", "both")) == math.isinf(low)


def test_two_kinds_of_sample_are_told_apart_on_reading():
    for verdict, kind in (("pass", UsableSample), ("fail", FailedSample)):
        record = report_example.record(verdict=verdict)
        again = read_record(record.model_dump_json())
        assert isinstance(again.samples[0], kind)
