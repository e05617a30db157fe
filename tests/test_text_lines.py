"""Lines of text counted before they are set, against those that typst sets."""

import json

import pytest
import typst

from drp.report.pdf_content import of_the_view, printable
from drp.report.text_lines import FONTS, lines
from drp.report.view import view
from tests import report_example

SETS = """
#let (texts, widths) = json(bytes(sys.inputs.given))
#set text(font: "Inter", size: 10pt)
#set par(leading: 5pt)
#context for words in texts {
  for bold in (400, 600) {
    let set-in(width) = block(width: width * 10pt, text(weight: bold, words))
    let found = widths.map(width => measure(set-in(width)).height - 80pt / 11)
    [#metadata(found.map(height => calc.round(height / (5pt + 80pt / 11)) + 1)) <lines>]
  }
}
"""
WIDTHS = [4.0, 6.2, 9.7, 12.1, 25.0, 73.0]


def texts() -> list[str]:
    found = {"Alisertib", "AVA Ty. To, LTV", "RAF/VEGFR/FLT3-inhibitor, 1-2 x", "W" * 30}
    for language in ("en", "de"):
        shown = view(report_example.record(), report_example.GENERATED, language)
        for row in shown["samples"][0]["results"]["drugs"]:
            found |= {row[name] for name in ("drug", "drug_class", "call", "ic50", "auc", "why")}
        found |= {row["why"] for row in shown["risk"]}
    return sorted(printable(words) for words in found if words)


@pytest.fixture(scope="module")
def counted():
    given = {"texts": texts(), "widths": WIDTHS}
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]
    )
    inputs = {"given": json.dumps(given)}
    found = json.loads(typst.query(SETS.encode(), "<lines>", sys_inputs=inputs, font_paths=fonts))
    pairs = [(words, bold) for words in texts() for bold in (False, True)]
    return [
        (words, bold, width, count)
        for (words, bold), item in zip(pairs, found, strict=True)
        for width, count in zip(WIDTHS, item["value"], strict=True)
    ]


def test_lines_are_those_of_typst_or_unknown(counted):
    known = 0
    for words, bold, width, count in counted:
        told = lines(words, width, bold=bold)
        assert told in (None, count), (words, bold, width)
        known += told is not None
    assert known > 0.7 * len(counted) > 500


def test_what_stands_before_the_text_takes_room():
    assert lines("sensitive", 6.0) == 1
    assert lines("not sensitive", 6.5) == 1 and lines("not sensitive", 6.5, indent_em=2.0) == 2


def test_rows_of_every_drug_table_are_counted_but_for_a_few():
    shown = view(report_example.record(n_drugs=40), report_example.GENERATED)
    rows = of_the_view(shown)["samples"][0]["results"]["drugs"]
    assert len(rows) == 40
    assert sum(row["lines"] is None for row in rows) < 8
