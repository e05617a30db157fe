"""Text of users stays text: in HTML, PDF, JSON and FHIR, whatever it holds and however long."""

import io
import json
import re
from functools import cache

import pypdf
import pytest

from drp.report.fhir import render_fhir
from drp.report.html import render_html
from drp.report.index import index_row, render_index
from drp.report.pdf import render_pdf
from drp.report.pdf_content import printable
from drp.report.record import read_record, render_json
from tests import report_example
from tests.test_report_html import Page

LONG = "A" * 5000
TEXTS = {
    "script": "<script>alert(1)</script>",
    "closing": "</style></svg></title>-->",
    "braces": "{{ 7 * 7 }} {% raw %} {# gone #}",
    "typst": '#panic("x") $x$ *b* @r <l> // gone /* gone */ \\n',
    "quotes": "\"double\" 'single' `back` &quot; &amp;",
    "right to left": "abc \u202eevil\u202c \u2067xyz\u2069 \u200f",
    "control": "bell\x07 null-like \x1b[31m red",
    "other scripts": "漢字 עברית 😀",
    "long": LONG,
}


def record_with(text):
    """A record with `text` at every place that users or files fill."""
    tables = report_example.tables(n_drugs=3)
    for name in ("calls", "curves", "drug_facts", "reference", "viability"):
        tables[name]["drug"] = tables[name]["drug"].replace("Venetoclax", f"drug {text}")
    tables["drug_facts"][["drug_class", "caveat"]] = f"class {text}"
    tables["calls"]["reason"] = f"Reason {text}"
    tables["synergy"]["reason"] = f"pair {text}"
    tables["exclusions"][["reason", "by"]] = f"note {text}"
    tables["quality"]["reasons"] = f"plate {text}".replace(";", ",")
    tables["risk"]["sentence"] = f"risk {text}"
    return report_example.build_record(
        report_example.PATIENT | {"patient": f"patient {text}", "cautions": f"caution {text}"},
        [report_example.sample_row(material=f"material {text}")],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS | {"laboratory": f"laboratory {text}"},
        provenance=report_example.PROVENANCE | {"edits": [f"edit {text}"]},
    )


@cache
def plain_record():
    return record_with("plain")


@pytest.fixture(params=TEXTS, scope="module")
def text(request):
    return TEXTS[request.param]


@pytest.fixture(scope="module")
def record(text):
    return record_with(text)


def strings(content):
    if isinstance(content, str):
        yield content
    for part in content.values() if isinstance(content, dict) else content:
        if not isinstance(content, str) and isinstance(part, str | dict | list):
            yield from strings(part)


BEFORE = ("drug", "class", "Reason", "note", "caution", "material", "laboratory", "edit", "patient")


def test_html(record, text):
    html = render_html(record, report_example.GENERATED)
    page = Page(html)
    plain = Page(render_html(plain_record(), report_example.GENERATED))
    # Not one element, and not one attribute name, more than with harmless text.
    assert [(tag, sorted(values)) for tag, values in page.tags] == [
        (tag, sorted(values)) for tag, values in plain.tags
    ]
    words = "".join(page.words)
    for place in BEFORE:
        assert f"{place} {text}" in words, place


@pytest.mark.slow
def test_pdf(record, text):
    content = render_pdf(record, report_example.GENERATED)
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    found = re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))
    # A long word is divided with a hyphen or not; spaces and lines are lost in extraction.
    found = found.replace("-", "") if text == LONG else found
    if text == LONG:
        assert found.count("A") > 5000 * len(BEFORE)
        return
    wanted = re.sub(r"\s+", "", printable(text))
    for place in ("Reason", "laboratory", "material", "edit"):
        assert place + wanted in found, place
    assert found.count(wanted) >= 10


def test_json(record, text):
    issued = render_json(record, report_example.GENERATED)
    everything = list(strings(json.loads(issued)))
    for place in BEFORE:
        assert any(f"{place} {text}" in words for words in everything), place
    assert read_record(issued) == record


def test_fhir(record, text):
    everything = list(strings(json.loads(render_fhir(record, report_example.GENERATED))))
    for place in ("drug", "Reason", "material", "laboratory", "patient"):
        assert any(f"{place} {text}" in words for words in everything), place


def test_index(record, text):
    page = Page(render_index([index_row(record)], report_example.GENERATED))
    plain = Page(render_index([index_row(plain_record())], report_example.GENERATED))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert f"patient {text}" in "".join(page.words)
