"""The HTML report: what it says, that it says the same as the JSON, and that it stays one file."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from drp.report import numerals
from drp.report.html import css_text, render_html
from drp.report.record import Estimate, render_json
from tests import report_example

EVIL = "<script>alert(1)</script>{{ 7*7 }}#\"'&"
# Elements whose end tag HTML does not have.
VOID = {"meta", "link", "br", "input"}


class Page(HTMLParser):
    """A page as nested tags, table cells and text; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.tables, self.words = [], [], [], []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "table":
            self.tables.append((values.get("class", ""), []))
        if tag == "tr":
            self.tables[-1][1].append([])
        if tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.tables and any(tag in ("td", "th") for tag in self.open):
            self.tables[-1][1][-1][-1] += data

    def table(self, name):
        return [rows for kind, rows in self.tables if kind == name]


@pytest.fixture(scope="module")
def record():
    return report_example.record()


@pytest.fixture(scope="module")
def html(record):
    return render_html(record, report_example.GENERATED)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def evil_record():
    tables = report_example.tables(n_drugs=6)
    for name in ("calls", "curves", "drug_facts", "reference", "viability"):
        tables[name]["drug"] = tables[name]["drug"].replace("Venetoclax", EVIL)
    tables["calls"]["reason"] = EVIL
    tables["risk"]["sentence"] = EVIL
    tables["synergy"]["reason"] = EVIL
    tables["exclusions"]["reason"] = EVIL
    tables["quality"]["reasons"] = EVIL
    patient = report_example.PATIENT | {"cautions": EVIL, "genetics": "x" * 5000}
    return report_example.build_record(
        patient,
        [report_example.sample_row(material=EVIL)],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS | {"laboratory": EVIL},
        provenance=report_example.PROVENANCE | {"edits": [EVIL]},
    )


def test_five_questions_in_order(page):
    words = " ".join(page.words)
    places = [words.index(question) for question in (
        "Is the sample usable?", "Which drugs stand out?", "Which combinations?",
        "Risk class, and why?", "What not to conclude",
    )]  # fmt: skip
    assert places == sorted(places)


def test_drug_table_shows_the_numbers_of_the_json(record, page):
    content = json.loads(render_json(record, report_example.GENERATED))
    drugs = {drug["drug"]: drug for drug in content["samples"][0]["drugs"]}
    (rows,) = page.table("drugs")
    shown = [row for row in rows[1:] if len(row) == 9]
    assert len(shown) == len(drugs) == 40
    for row in shown:
        drug = drugs[next(name for name in drugs if row[0].startswith(name))]
        assert drug["call"] in row[1]
        assert ("uncertain" in row[1]) == drug["uncertain"]
        measures = drug["measures"]
        if measures is None:
            assert row[2:] == [""] * 7
            continue
        assert row[2] == numerals.probability(drug["probability"])
        assert row[3] == numerals.signed(drug["rank"]["z"])
        n = drug["rank"]["n_reference"]
        assert row[4] == f"{numerals.percent(drug['rank']['percentile'])} of {n}"
        ic50 = Estimate(**measures["ic50"])
        unit = measures["dose_unit"]
        words = numerals.ic50(ic50, measures["ic50_qualifier"], unit)
        assert row[5] == f"{words} ({numerals.interval(ic50)})"
        for column, name in ((6, "auc"), (7, "dss2")):
            estimate = Estimate(**measures[name])
            value = numerals.value(estimate, "percent")
            assert row[column] == f"{value} ({numerals.interval(estimate, 'percent')})"


def test_all_five_systems_stand_side_by_side(page):
    (rows,) = page.table("risk")
    assert [row[0] for row in rows[1:]] == [
        "COG", "ALL-REZ BFM", "ALLR3", "IntReALL 2010", "InPOG-ALL-R1",
    ]  # fmt: skip
    assert "pending: HR or SR" in rows[5][1]
    assert "To settle it: the MRD at the end of induction" in rows[5][2]


def test_page_one_shows_at_most_eight_drugs_and_says_so(page):
    (rows,) = page.table("front")
    assert len(rows) == 1 + 8
    assert "first 8 of 14" in " ".join(page.words)
    unknown = [row for row in rows[1:] if "exposure unknown" in row[4]]
    assert len(unknown) == 2


def test_failed_sample_has_no_drug_anywhere():
    record = report_example.record(verdict="fail")
    html = render_html(record, report_example.GENERATED)
    page = Page(html)
    assert not page.table("drugs") and not page.table("front")
    for text in (html, render_json(record, report_example.GENERATED)):
        assert not any(re.search(rf"\b{name}\b", text) for name in report_example.DRUGS)
    assert "No result." in html
    assert '"drugs"' not in render_json(record, report_example.GENERATED)


def test_simulated_identity_research_use_and_draft_are_on_every_page(html, record):
    style = html[html.index("@page{") : html.index("</style>")]
    for words in ("SIMULATED DATA: no patient, no specimen", record.research_use, record.report_id):
        assert css_text(words) in style
    assert "counter(page)" in style and "counter(pages)" in style
    assert "DRAFT: not signed" in html


def test_nothing_is_fetched(page, html):
    for tag, values in page.tags:
        assert tag not in ("script", "iframe", "object", "embed", "img", "base", "form")
        assert "src" not in values
        assert not values.get("href", "").startswith(("http", "//"))
        assert not any(name.startswith("on") for name in values)
    assert "@import" not in html and "url(" not in html
    assert "default-src 'none'" in html


def test_every_figure_has_a_text_and_the_rest_is_hidden(page):
    figures = [values for tag, values in page.tags if tag == "svg"]
    assert len(figures) > 40
    for values in figures:
        assert values.get("aria-hidden") == "true" or values.get("aria-label")
    assert page.tags[0] == ("html", {"lang": "en"})


@pytest.mark.parametrize("n_drugs", [40, 63])
def test_size_budget(n_drugs):
    record = report_example.record(n_drugs=n_drugs)
    assert len(render_html(record, report_example.GENERATED).encode()) <= 250_000


def test_text_of_users_stays_text():
    html = render_html(evil_record(), report_example.GENERATED)
    page = Page(html)
    assert "<script" not in html
    assert not any(tag == "script" for tag, _ in page.tags)
    words = "".join(page.words)
    assert words.count(EVIL) >= 6
    labels = [values.get("aria-label", "") for tag, values in page.tags if tag == "svg"]
    assert any(EVIL in label for label in labels)


def test_a_style_cannot_be_left_through_an_id():
    text = css_text('"}</style><b>\\')
    assert not set(text) & set('"<>}{/')
    codes = re.findall(r"\\([0-9a-f]+) ", text)
    assert "".join(chr(int(code, 16)) for code in codes) == '"}</><>\\'


def test_same_bytes_twice_and_only_the_time_differs(record, html):
    assert render_html(report_example.record(), report_example.GENERATED) == html
    other = render_html(record, "2027-12-31T23:59:00+00:00")
    assert other != html
    assert other.replace("2027-12-31 23:59", "2026-03-01 08:05") == html


def test_no_word_promises_or_advises(html):
    words = unescape(html).lower()
    assert "recommended" not in words and "will respond" not in words
    assert not re.search(r"[−-]0(?![.\d])", re.sub(r"<style>.*?</style>|<[^>]+>", " ", words))


def test_earlier_sample_follows_the_newest():
    rows = [report_example.sample_row(), report_example.sample_row("P01-S0", "2025-02-02")]
    html = render_html(report_example.record(samples=rows, n_drugs=4), report_example.GENERATED)
    assert html.index("newest sample") < html.index("earlier sample, 365 days before")
    assert len(Page(html).table("drugs")) == 2
    assert len(Page(html).table("risk")) == 1
