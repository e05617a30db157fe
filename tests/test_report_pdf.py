"""The PDF: pages, tags, text, equal bytes; nothing in a record is read as typst."""

import io
import json
import re
import subprocess
import sys
from functools import lru_cache

import pypdf
import pytest

from drp.report import numerals
from drp.report.figures import FIGURE_STYLE
from drp.report.pdf import render_pdf
from drp.report.pdf_content import SHOWN, as_source, of_the_view, printable, standalone
from drp.report.record import PatientRecord, read_record
from drp.report.view import view
from tests import report_example
from tests.project import ROOT

TYPST = '#panic("read") $x^2$ *bold* <label> @ref \\ "quote" // gone /* gone */ [#text]'


def open_pdf(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content))


@lru_cache(maxsize=32)
def page_texts(content: bytes) -> tuple[str, ...]:
    """Reading a PDF takes three times as long as writing it: once for all tests of a file."""
    return tuple(page.extract_text() for page in open_pdf(content).pages)


def text_of(content: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page_texts(content)))


@pytest.fixture(scope="module")
def record() -> PatientRecord:
    return report_example.record()


@pytest.fixture(scope="module")
def content(record) -> bytes:
    return render_pdf(record, report_example.GENERATED)


@pytest.mark.slow
def test_forty_drugs_fill_four_a4_pages_and_page_one_fits(content):
    pages = open_pdf(content).pages
    assert len(pages) == 4
    assert [round(float(side)) for side in pages[0].mediabox[2:]] == [595, 842]
    first, second = page_texts(content)[:2]
    assert "Board decision and date" in first
    assert "Every curve" in second and "Every curve" not in first


def test_a_report_with_the_texts_of_a_real_run_fills_four_pages():
    text = (ROOT / "docs" / "example" / "report.json").read_text(encoding="utf-8")
    record = read_record(text)
    assert (len(record.samples[0].drugs), len(record.samples[0].combinations)) == (40, 3)
    pages = open_pdf(render_pdf(record, report_example.GENERATED)).pages
    assert len(pages) == 4
    assert "Board decision and date" in pages[0].extract_text()


def test_every_page_has_identity_research_use_and_number(content, record):
    for number, page in enumerate(page_texts(content), start=1):
        text = re.sub(r"\s+", " ", page)
        assert record.report_id in text
        assert "Research use only" in text
        assert "SIMULATED DATA" in text
        assert f"Page {number} of 4" in text


def test_text_has_every_call_and_interval(content, record):
    text = text_of(content)
    for drug in record.samples[0].drugs:
        assert f"{drug.drug} " in text
        if drug.measures is None:
            continue
        for name in ("ic50", "auc", "dss2"):
            style = "number" if name == "ic50" else "percent"
            words = numerals.interval(getattr(drug.measures, name), style)
            assert f"({words})" in text, (drug.drug, name)
    for call in ("sensitive", "intermediate", "not sensitive", "not evaluable"):
        expected = sum(drug.call == call for drug in record.samples[0].drugs)
        assert len(re.findall(rf"(?<!not ){call}\b", text)) >= expected
    for item in record.samples[0].combinations:
        assert f"({numerals.interval(item.bliss, 'signed')})" in text


def test_tagged_pdf_a_with_a_title(content):
    reader = open_pdf(content)
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root and root["/Lang"] == "en"
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "P01" in reader.metadata.title


def structure(reader: pypdf.PdfReader):
    """Every element of the tag tree, as role and dictionary."""
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if not isinstance(element, dict):
            continue
        if "/S" in element:
            yield element["/S"], element
        children = element.get("/K", [])
        children = children if isinstance(children, list) else [children]
        waiting += [child for child in children if not isinstance(child, int)]


def test_structure_names_headings_tables_and_figures(content, record):
    reader = open_pdf(content)
    found = list(structure(reader))
    roles = [role for role, _ in found]
    assert roles.count("/H1") == 1 and roles.count("/H2") >= 10
    assert roles.count("/Table") >= 3 and roles.count("/TH") == 4 + 7 + 9
    figures = [element for role, element in found if role == "/Figure"]
    sample = record.samples[0]
    drawn = [drug for drug in sample.drugs if drug.curve]
    assert len(figures) >= len(drawn) + 2 * len(sample.combinations) + len(sample.plates)
    assert all(str(element.get("/Alt", "")).strip() for element in figures)


def test_nothing_runs_and_every_font_is_inside(content):
    reader = open_pdf(content)
    root = reader.trailer["/Root"]
    (intent,) = root["/OutputIntents"]
    assert intent["/S"] == "/GTS_PDFA1" and "/DestOutputProfile" in intent
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root)
    assert "/JavaScript" not in root.get("/Names", {})
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            (inner,) = font["/DescendantFonts"]
            assert {"/FontFile3", "/FontFile2"} & set(inner["/FontDescriptor"])


def test_same_bytes_for_the_same_time(content, record):
    assert render_pdf(record, report_example.GENERATED) == content
    assert render_pdf(record, "2026-03-02T08:05:00+00:00") != content


@pytest.mark.slow
def test_what_was_set_for_others_before_changes_nothing(content, record, tmp_path):
    # typst keeps cells from report to report; a process of its own has kept nothing.
    other = record.model_copy(update={"patient": "P77", "report_id": "P77-0123abcd"})
    text = text_of(render_pdf(other, report_example.GENERATED))
    assert "P77-0123abcd" in text and record.report_id not in text
    assert open_pdf(render_pdf(other, report_example.GENERATED)).metadata.title.endswith("P77")
    (tmp_path / "record.json").write_text(record.model_dump_json(), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from drp.report.pdf import render_pdf;"
        "from drp.report.record import read_record; path = Path(sys.argv[1]);"
        "one = read_record((path / 'record.json').read_text(encoding='utf-8'));"
        f"(path / 'alone.pdf').write_bytes(render_pdf(one, {report_example.GENERATED!r}))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert (tmp_path / "alone.pdf").read_bytes() == content


def test_the_curves_of_one_axis_share_its_drawing(record):
    shown = view(record, report_example.GENERATED)
    before = shown["samples"][0]["results"]["panels"]
    results = of_the_view(shown)["samples"][0]["results"]
    drawn = [
        (one["figure"], two["figure"]) for one, two in zip(before, results["panels"], strict=True)
    ]
    drawn = [(one, two) for one, two in drawn if one]
    assert len(drawn) > 30
    assert len(results["axes"]) < 4
    for one, two in drawn:
        axes = results["axes"][two["axes"]]
        assert words_of(axes) == words_of(one["svg"]) and not words_of(two["svg"])
        assert shapes_of(axes) + shapes_of(two["svg"]) == shapes_of(one["svg"])


def words_of(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</", svg)


def shapes_of(svg: str) -> list[str]:
    return re.findall(r"""<path[^>]* d=["']([^"']*)""", svg)


def test_a_drawing_for_the_pdf_says_and_draws_the_same(record):
    shown = view(record, report_example.GENERATED)["samples"][0]
    drawings = [one["figure"]["svg"] for one in shown["plates"]]
    for item in shown["results"]["combinations"]:
        drawings += [
            one[kind]["svg"] for one in item["matrices"] for kind in ("excess", "inhibition")
        ]
    assert len(drawings) > 4
    for svg in drawings:
        made = standalone(svg)
        assert sorted(words_of(made)) == sorted(words_of(svg))
        assert shapes_of(made) == shapes_of(svg)
        assert '"' not in made and made.count("<text") <= 2  # one of them may be turned


def test_what_the_template_is_given_can_hold_no_markup():
    odd = "`#panic()` \\u0007 \\ \" ' \n \t \u0085 \u2028 漢 ]"
    source = as_source({"odd": odd}).decode()
    assert source.count("`") == 2 and len(source.splitlines()) == 2
    given = json.loads(source[source.index("`") + 1 : source.rindex("`")])
    assert given == {"odd": printable(odd)}
    assert "[U+0009]" in given["odd"] and "[U+2028]" in given["odd"]


def test_every_style_of_a_figure_becomes_attributes():
    names = re.findall(r"\.(\w+)\{", FIGURE_STYLE)
    for name in names:
        svg = standalone(f'<svg viewBox="0 0 1 1"><path class="{name}" d="M0 0"/></svg>')
        (rule,) = re.findall(rf"\.{name}\{{(.*?)\}}", FIGURE_STYLE)
        for style in rule.split(";"):
            key, value = style.split(":")
            assert f"{key}='{value}'" in svg
        assert "class=" not in svg


def test_failed_sample_has_no_drug():
    text = text_of(render_pdf(report_example.record(verdict="fail"), report_example.GENERATED))
    assert "No result." in text
    assert not any(re.search(rf"\b{name}\b", text) for name in report_example.DRUGS)
    assert "Every drug" not in text and "Every curve" not in text


@pytest.mark.slow
def test_text_of_users_stays_text():
    tables = report_example.tables(n_drugs=4)
    tables["calls"]["reason"] = TYPST
    tables["calls"]["drug"] = tables["calls"]["drug"].replace("Venetoclax", "A <b>&\x07 漢")
    record = report_example.build_record(
        report_example.PATIENT | {"cautions": "x" * 5000},
        [report_example.sample_row(material=TYPST)],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS | {"laboratory": TYPST},
        provenance=report_example.PROVENANCE | {"edits": ["<svg ><script>"]},
    )
    text = text_of(render_pdf(record, report_example.GENERATED))
    assert '#panic("read") $x^2$ *bold*' in text
    assert "A <b>&[U+0007] [U+6F22]" in text


def test_every_character_taken_as_shown_has_a_glyph(record):
    # PDF/A refuses a file with a missing glyph, so that this would raise.
    every = [chr(code) for code in range(32, 0x2300) if re.match(f"[{SHOWN}]", chr(code))]
    assert len(every) > 400
    words = " ".join(every)
    assert printable("".join(every)).count("[U+") == 1  # the soft hyphen
    changed = record.model_copy(update={"limits": [words], "samples": []})
    assert render_pdf(changed, report_example.GENERATED).startswith(b"%PDF")


def test_rendering_needs_no_heavy_library():
    code = (
        "import sys; import drp.report.html, drp.report.pdf, drp.report.index;"
        "print([name for name in ('numpy', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
