"""Risk in the report: classes with flags and readings, and what is published beside them."""

import io
import re
from html import unescape

import pypdf
import pytest

from drp.report.html import render_html
from drp.report.pdf import render_pdf
from drp.report.record import read_record, render_json
from drp.report.risk_rows import NO_REMISSION
from drp.risk.notes import load_pathways
from tests import report_example
from tests.test_report_amendments import record
from tests.test_report_pdf import text_of

T_ALL = {"immunophenotype": "T", "genetics": "KMT2A-r", "prior_drugs": "Venetoclax; cytarabine"}


@pytest.fixture(scope="module")
def made():
    return record({"inpog_age": "at_relapse"}, n_drugs=40, **T_ALL)


@pytest.fixture(scope="module")
def html(made):
    page = unescape(re.sub(r"<[^>]+>", " ", render_html(made, report_example.GENERATED)))
    return re.sub(r"\s+", " ", page)


def test_a_reading_that_is_not_the_default_is_printed_with_its_question(made, html):
    assert html.count("Not the default reading: inpog_age = at_relapse.") == 1
    assert "the default is at_diagnosis" in html
    plain = render_html(record(), report_example.GENERATED)
    assert "Not the default" not in plain and "the default is" not in plain


def test_flags_stand_with_the_class_and_their_meaning_behind(html):
    assert html.count("INTREALL_T_BY_EXCLUSION") == 2
    assert "HR follows because SR is limited to B-cell precursor marrow relapse." in html


@pytest.mark.slow
def test_what_is_published_stands_in_html_pdf_and_json(made, html):
    pdf = text_of(render_pdf(made, report_example.GENERATED))
    for words in (
        "InPOG-ALL-R1 plans transplantation for every HR patient.",
        "this is the setting in which drug profiling is used.",
        "5-year OS 58 ± 9.8 %",
        "not this patient's prognosis",
        "Evidence: responses seen in patients.",
        "nothing here is a recommendation",
    ):
        assert words in html, words
        assert words in pdf, words
    assert (
        read_record(render_json(made, report_example.GENERATED)).risk_context == made.risk_context
    )


def test_a_drug_carries_what_the_patients_findings_are_published_to_mean(made):
    drugs = {drug.drug: drug for drug in made.samples[0].drugs}
    venetoclax = " ".join(drugs["Venetoclax"].published)
    assert "KMT2A-r: BCL2 inhibition. Evidence: cells in the laboratory only" in venetoclax
    assert "T-ALL: Venetoclax with or without navitoclax: 10 of 18 in remission." in venetoclax
    assert venetoclax.endswith("Given to the patient before.")
    without = {d.drug: d for d in record(n_drugs=40, genetics="none").samples[0].drugs}
    assert without["Venetoclax"].published == []
    assert {name: d.call for name, d in drugs.items()} == {n: d.call for n, d in without.items()}


@pytest.mark.parametrize(("answer", "said"), [("N", True), ("Y", False), ("", False)])
def test_page_one_says_that_there_is_no_second_remission(answer, said):
    words = record(second_remission=answer).samples[0].answers[3].text
    assert words.startswith("No second remission is recorded;") == said


def test_the_subject_on_page_one_is_that_of_the_published_note():
    assert NO_REMISSION in {note.subject for note in load_pathways()}


def test_the_inputs_of_the_classes_are_printed_in_groups(made):
    facts = {fact.term: fact.text for fact in made.facts}
    assert facts["Timing, BFM terms"] == facts["Timing, COG terms"] == "late"
    assert facts["Age at diagnosis"] == "under 15 years"


def test_no_word_of_a_report_recommends(html):
    claims = re.findall(r"[^.]*\b(?:recommended|will respond|should be given)\b[^.]*\.", html)
    assert claims == []


def test_forty_drugs_with_all_that_is_published_fill_five_pages_and_page_one_fits(made):
    pages = pypdf.PdfReader(io.BytesIO(render_pdf(made, report_example.GENERATED))).pages
    assert len(pages) <= 5
    assert "Board decision and date" in pages[0].extract_text()
