"""The index: one row per patient, sorted, escaped, linked."""

import dataclasses

from drp.report.index import index_row, render_index
from tests import report_example
from tests.test_report_html import EVIL, Page

ROW = index_row(report_example.record(n_drugs=14))


def test_row_of_a_usable_sample():
    assert ROW.agents == "Venetoclax, Bortezomib, Dasatinib, Dexamethasone and 6 more"
    assert ROW.pair == "Bortezomib + Venetoclax: effective and synergistic"
    assert (ROW.usable, ROW.elapsed, ROW.status) == ("yes", "4 days", "draft")
    assert ROW.risk.startswith("The systems disagree: COG High")


def test_row_of_a_failed_sample_has_no_result():
    row = index_row(report_example.record(verdict="fail"))
    assert (row.verdict, row.agents, row.pair) == ("fail", "no result", "no result")


def test_one_sorted_row_per_patient():
    rows = [dataclasses.replace(ROW, patient=name) for name in ("P10", "P02", "P01")]
    html = render_index(rows, report_example.GENERATED)
    assert html == render_index(reversed(rows), report_example.GENERATED)
    (table,) = Page(html).table("index")
    assert [row[0][:3] for row in table[1:]] == ["P01", "P02", "P10"]
    assert all("DRAFT" in row[6] for row in table[1:])
    assert 'href="P02/report.html"' in html
    assert "SIMULATED DATA" in html


def test_an_id_cannot_leave_its_place():
    html = render_index([dataclasses.replace(ROW, patient=EVIL)], report_example.GENERATED)
    page = Page(html)
    assert "<script" not in html
    assert EVIL in "".join(page.words)
    links = [values["href"] for tag, values in page.tags if tag == "a"]
    assert links and not set("".join(links)) & set("<>\"' {}#")
