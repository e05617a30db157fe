"""The report in German: complete, with the same numbers, and nobody's own words touched."""

import re
from html import unescape

import pytest

from drp import issuing
from drp.config import parse_config
from drp.issuing import issue_group, rendered
from drp.plan import Plan
from drp.records import record_json
from drp.report import phrases
from drp.report.html import TEMPLATES, render_html
from drp.report.kept_words import kept_words
from drp.report.language import Translator, texts, untranslated
from drp.report.pdf import render_pdf
from drp.report.phrases import catalogue
from drp.report.view import view
from drp.sheets import Sheets
from tests import report_example
from tests.test_report_html import Page
from tests.test_report_pdf import page_texts, text_of

TIME = report_example.GENERATED
EARLIER = report_example.sample_row("P01-S0", "2025-11-02", material="blood")
NUMBER = re.compile(r"\d+(?:[.,\N{NO-BREAK SPACE}]\d+)*")
# Words that an English sentence can hardly do without, and that no name or unit contains.
ENGLISH = re.compile(r"\b(the|of|is|are|and|with|not|no|to|for|by|over|than|from|at|below|above)\b")


KINDS = ["pass", "warn", "fail", "two samples"]


def record_of(kind, n_drugs=40):
    """Usable, with a warning, failed, and with an earlier sample."""
    if kind == "two samples":
        return report_example.record(
            samples=[report_example.sample_row(), EARLIER], n_drugs=n_drugs
        )
    return report_example.record(verdict=kind, n_drugs=n_drugs)


@pytest.fixture(scope="module", params=KINDS)
def record(request):
    return record_of(request.param)


def missing_of(record):
    return untranslated(view(record, TIME), Translator(catalogue("de"), kept_words(record)))


def numbers(words):
    return sorted(re.sub(r"[,\N{NO-BREAK SPACE}]", "", number) for number in NUMBER.findall(words))


def test_no_phrase_of_the_example_stays_english(record):
    assert missing_of(record) == []


def test_a_phrase_that_the_catalogue_lacks_is_listed_and_stays_whole(record):
    changed = record.model_copy(update={"limits": ["Nobody translated this, or that."]})
    assert missing_of(changed) == ["Nobody translated this, or that."]
    assert view(changed, TIME, "de")["limits"] == ["Nobody translated this, or that."]


def test_every_text_has_the_numbers_of_the_english_one(record):
    english = view(record, TIME)
    german = view(record, TIME, "de")
    assert german["methods"].pop()["term"] == "Sprache"
    pairs = list(zip(texts(english), texts(german), strict=True))
    assert len(pairs) > 100
    for before, after in pairs:
        assert numbers(before) == numbers(after), (before, after)


def test_thousands_do_not_read_as_decimals():
    german = Translator(catalogue("de"))
    assert german.say("above 10,000 nM") == "über 10\N{NO-BREAK SPACE}000 nM"
    assert german.say("0.031 to 2,420 nM") == "0.031 bis 2\N{NO-BREAK SPACE}420 nM"


def test_the_page_has_no_english_sentence(record):
    text = render_html(record, TIME, view(record, TIME, "de"))
    page = Page(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
    assert next(values for tag, values in page.tags if tag == "html")["lang"] == "de"
    # A reason that quotes the drug table.
    kept = {*kept_words(record), "a prodrug that needs the liver"}
    names = re.compile("|".join(map(re.escape, sorted(kept, key=len, reverse=True))))
    for words in page.words:
        assert not ENGLISH.search(names.sub("", words)), words[:200]


def test_text_alternatives_are_german(record):
    page = render_html(record, TIME, view(record, TIME, "de"))
    labels = [unescape(label) for label in re.findall(r'aria-label="([^"]*)"', page)]
    assert any("Wells in Gebrauch" in label for label in labels)
    assert [label for label in labels if ENGLISH.search(label)] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_the_pdf_says_the_same_in_german(kind):
    record = record_of(kind, n_drugs=12)
    words = text_of(render_pdf(record, TIME, view(record, TIME, "de")))
    for phrase in (
        "ENTWURF",
        "Nur für die Forschung.",
        "SIMULIERTE DATEN",
        "Grenzen",
        "Seite 1 von",
    ):
        assert phrase in words
    answers = view(record, TIME, "de")["samples"][0]["answers"]
    for answer in answers:
        assert answer["question"] in words
        assert " ".join(answer["lead"].split()) in words


def test_data_are_the_same_in_every_language(record):
    english, german = (rendered(record, TIME, one) for one in ("en", "de"))
    assert english["json"] == german["json"]
    assert english["fhir"] == german["fhir"]
    assert english["html"] != german["html"]


@pytest.mark.slow
def test_the_front_page_of_forty_drugs_still_fits():
    made = report_example.record()
    pages = page_texts(render_pdf(made, TIME, view(made, TIME, "de")))
    assert len(pages) == 4
    assert "Ausgewertet von, Datum" in pages[0]


def test_words_of_people_and_names_are_never_translated():
    made = report_example.record()
    sample = made.samples[0]
    drugs = [sample.drugs[0].model_copy(update={"drug": "Weak and uncertain"}), *sample.drugs[1:]]
    plates = [
        plate.model_copy(
            update={"removed": [one.model_copy(update={"reason": "not sensitive"})
                                for one in plate.removed]}
        )
        for plate in sample.plates
    ]  # fmt: skip
    facts = [
        fact.model_copy(update={"text": "given to the patient before"})
        if fact.term == "Recorded cautions"
        else fact
        for fact in made.facts
    ]
    by_hand = [
        one.model_copy(update={"reason": "late", "by": "early"}) for one in made.removed_by_hand
    ]
    changes = {"drugs": drugs, "plates": plates, "featured": [drugs[0].drug]}
    sample = sample.model_copy(update=changes)
    changed = made.model_copy(
        update={"samples": [sample], "facts": facts, "removed_by_hand": by_hand, "patient": "none"}
    )
    shown = view(changed, TIME, "de")
    assert shown["patient"] == "none"
    assert shown["samples"][0]["results"]["drugs"][0]["drug"] == "Weak and uncertain"
    assert {
        one["reason"] for plate in shown["samples"][0]["plates"] for one in plate["removed"]
    } == {"not sensitive"}
    assert shown["removed_by_hand"][0]["reason"] == "late"
    assert "given to the patient before" in [fact["text"] for fact in shown["facts"]]


def test_text_with_the_marks_that_stand_for_names_passes_unharmed():
    german = Translator(catalogue("de"), ["Venetoclax"])
    odd = f"Uncertain: {chr(0xF0000)}{chr(0xF0001)}."
    assert german.say(odd) == odd


def test_every_fixed_phrase_of_the_templates_is_in_the_catalogue():
    said = set()
    for name in ("report.html.j2", "parts.html.j2", "report.typ"):
        template = (TEMPLATES / name).read_text(encoding="utf-8")
        said |= set(re.findall(r'say\("([^"]+)"\)', template))
        for columns in re.findall(r"\bhead\((\"[^)]*)\)", template):
            said |= set(re.findall(r'"([^"]+)"', columns))
    same = {"IC50", "z", "AUC, %", "DSS2"}
    assert len(said) > 60
    assert said - same <= set(catalogue("de").exact)


def test_a_phrase_without_its_places_is_refused(tmp_path, monkeypatch):
    (tmp_path / "de.toml").write_text('[a]\n"{n} of {n2} drugs" = "{n} Wirkstoffe"\n')
    monkeypatch.setattr(phrases, "CATALOGUES", tmp_path)
    catalogue.cache_clear()
    try:
        with pytest.raises(ValueError, match="not the same places"):
            catalogue("de")
    finally:
        catalogue.cache_clear()


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="use one of en, de"):
        view(report_example.record(), TIME, "xx")


def test_the_language_touches_reports_only():
    english, german = (
        Plan(parse_config({"assay": {"name": "a"}, "language": one}), Sheets([], [], []))
        for one in ("en", "de")
    )
    assert english.settings("record") == german.settings("record")
    assert english.settings("report") != german.settings("report")
    assert english.settings("reports") != german.settings("reports")


def test_another_language_prints_the_reports_of_a_group_again(tmp_path, monkeypatch):
    monkeypatch.setattr(issuing, "render_pdf", lambda *_: b"%PDF")
    (tmp_path / "records").mkdir()
    record = report_example.record()
    (tmp_path / "records" / "P01.json").write_text(record_json(record), encoding="utf-8")
    for one in ("en", "de", "en"):
        folders = (tmp_path / "records", tmp_path / "reports", tmp_path / "reports.json")
        issue_group(*folders, code="c1", time=TIME, language=one)
        page = (tmp_path / "reports" / "P01" / "report.html").read_text(encoding="utf-8")
        assert f'<html lang="{one}">' in page
