"""What is printed is what the JSON says: every number of the tables, in HTML and PDF."""

import json
import re

import pytest

from drp.report import numerals
from drp.report.html import render_html
from drp.report.pdf import render_pdf
from drp.report.record import Estimate, render_json
from tests import report_example
from tests.test_report_html import Page
from tests.test_report_pdf import text_of


@pytest.fixture(scope="module")
def record():
    tables = report_example.tables()
    tables["calls"]["tied_with"] = ["Bortezomib;Dasatinib"] + [""] * 39
    tables["calls"]["expected_false"] = [0.034] * 10 + [float("nan")] * 30
    return report_example.build_record(
        report_example.PATIENT,
        [report_example.sample_row()],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS,
        provenance=report_example.PROVENANCE,
    )


@pytest.fixture(scope="module")
def sample(record):
    return json.loads(render_json(record, report_example.GENERATED))["samples"][0]


@pytest.fixture(scope="module")
def page(record):
    return Page(render_html(record, report_example.GENERATED))


@pytest.fixture(scope="module")
def words(page):
    return re.sub(r"\s+", " ", "".join(page.words))


@pytest.fixture(scope="module")
def paper(record):
    return text_of(render_pdf(record, report_example.GENERATED))


def shown(given, style, unit=""):
    estimate = Estimate(**given)
    value = numerals.value(estimate, style)
    return f"{value}{unit} ({numerals.interval(estimate, style)})"


def test_the_column_of_the_plasma_peak(sample, page):
    (rows,) = page.table("drugs")
    drugs = {drug["drug"]: drug for drug in sample["drugs"]}
    found = [row for row in rows[1:] if len(row) == 9]
    seen = 0
    for row in found:
        drug = drugs[next(name for name in drugs if row[0].startswith(name))]
        measures = drug["measures"]
        if measures is None or measures["viability_at_peak"]["value"] is None:
            assert row[8] == ""
            continue
        assert row[8] == shown(measures["viability_at_peak"], "percent", " %")
        seen += 1
    assert seen > 20


def test_the_drugs_of_page_one(sample, page):
    (rows,) = page.table("front")
    drugs = {drug["drug"]: drug for drug in sample["drugs"]}
    for name, row in zip(sample["featured"], rows[1:], strict=True):
        drug, measures = drugs[name], drugs[name]["measures"]
        assert drug["call"] in row[0]
        assert row[1].startswith(name)
        ic50 = Estimate(**measures["ic50"])
        limit = numerals.ic50(ic50, measures["ic50_qualifier"], measures["dose_unit"])
        assert row[3] == f"{limit} ({numerals.interval(ic50)})"
        known = measures["viability_at_peak"]["value"] is not None
        peak = shown(measures["viability_at_peak"], "percent", " %") if known else ""
        assert row[4] == (peak or "exposure unknown")
        assert row[5:] == [
            numerals.signed(drug["rank"]["z"]),
            numerals.probability(drug["probability"]),
        ]


@pytest.mark.parametrize("medium", ["words", "paper"])
@pytest.mark.slow
def test_every_number_of_a_combination(sample, medium, request):
    text = request.getfixturevalue(medium)
    for pair in sample["combinations"]:
        assert f"{numerals.value(Estimate(**pair['bliss']), 'signed')}" in text
        for model, name in (
            ("hsa", "Over the better single agent (HSA): "),
            ("achievable_bliss", "At reachable doses: "),
            ("loewe", "Loewe "),
            ("zip", "ZIP "),
        ):
            assert name + shown(pair[model], "signed") in text, model
        p = [numerals.p_value(pair[name]) for name in ("bliss_p", "p_fdr")]
        sure = numerals.probability(pair["probability_synergistic"])
        assert f"Bliss p {p[0]}, {p[1]} adjusted for all combinations" in text
        assert f"probability of synergy {sure}." in text
        largest = numerals.signed(pair["best_region"])
        assert f"Largest excess of nine dose pairs {largest} at" in text
        both, alone = numerals.whole(pair["css"]), numerals.whole(pair["ri"])
        assert f"(CSS) {both}, by the better drug alone (RI) {alone}" in text
        assert f"A true excess of {numerals.significant(pair['detectable_excess'])} points" in text


def test_every_cell_of_a_matrix(sample, page, record):
    html = render_html(record, report_example.GENERATED)
    drawn = re.findall(r'<text class="n"[^>]*>([^<]*)</text>', html)
    for pair in sample["combinations"]:
        for matrix in pair["matrices"]:
            for value in (v for line in matrix["observed"] for v in line if v is not None):
                assert numerals.whole(value) in drawn
            for value in (v for line in matrix["excess"] for v in line if v is not None):
                assert ("+" if round(value) > 0 else "") + numerals.whole(value) in drawn


@pytest.mark.parametrize("medium", ["words", "paper"])
def test_the_metrics_of_every_plate(sample, medium, request):
    text = request.getfixturevalue(medium)
    for plate in sample["plates"]:
        for name, label in (
            ("robust_z_prime", "robust Z′ "),
            ("ssmd", "SSMD "),
            ("signal_to_background", "signal to background "),
            ("cv_negative", "CV of negative controls "),
            ("edge_effect", "outer over inner controls "),
        ):
            assert label + numerals.significant(plate[name], finest=0.01) in text
        assert f"controls {plate['n_negative']} negative, {plate['n_positive']} positive" in text


@pytest.mark.parametrize("medium", ["words", "paper"])
def test_how_sure_a_call_is_among_the_others(sample, medium, request):
    first = next(drug for drug in sample["drugs"] if drug["tied_with"])
    assert first["tied_with"] == ["Bortezomib", "Dasatinib"]
    text = request.getfixturevalue(medium)
    assert text.count("Rank not told apart from Bortezomib and Dasatinib.") == 1
    assert text.count("Of the calls down to here, 3.4 % may be false.") == 10


def test_data_that_do_not_pass_are_said(record):
    tables = report_example.tables(n_drugs=6)
    tables["calls"]["data"] = ["the curve passes, sample and plates pass"] * 5 + ["one plate warns"]
    made = report_example.build_record(
        report_example.PATIENT,
        [report_example.sample_row()],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS,
        provenance=report_example.PROVENANCE,
    )
    text = render_html(made, report_example.GENERATED)
    assert "pass where nothing else is said" in text
    assert text.count("Data: one plate warns.") == 1
    assert "Data: the curve passes" not in text
