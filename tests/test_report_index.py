"""The index: one row per patient, sorted, escaped, linked."""

import dataclasses

from drp.report.index import (
    ReviewedPlate,
    index_row,
    plate_verdicts,
    render_index,
    reviewed_plates,
)
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
    assert html.count("<script") == 1  # the one of the search
    assert EVIL in "".join(page.words)
    links = [values["href"] for tag, values in page.tags if tag == "a"]
    assert links and not set("".join(links)) & set("<>\"' {}#")


def test_plates_are_listed_by_run_with_their_verdict():
    verdicts = plate_verdicts(report_example.record(n_drugs=6))
    assert verdicts == {"P01-S1-pairs": "pass", "P01-S1-single": "pass"}
    run_of = {"P01-S1-single": "R2", "P01-S1-pairs": "R1", "on-no-report": "R1"}
    plates = reviewed_plates(run_of, verdicts)
    assert [plate.link for plate in plates] == [
        "plates/R1/P01-S1-pairs.html",
        "plates/R2/P01-S1-single.html",
    ]
    html = render_index([ROW], report_example.GENERATED, plates)
    assert html.index("R1") < html.index(plates[0].link) < html.index(plates[1].link)
    assert "Plates to review" not in render_index([ROW], report_example.GENERATED)


def test_a_plate_id_cannot_leave_its_place():
    plates = reviewed_plates({EVIL: EVIL}, {EVIL: "fail"})
    html = render_index([ROW], report_example.GENERATED, plates)
    assert html.count("<script") == 1  # the one of the search
    assert "".join(Page(html).words).count(EVIL) == 2
    (plate,) = plates
    assert isinstance(plate, ReviewedPlate)
    assert not set(plate.link) & set("<>\"' {}#")
