"""Pages as people use them, in a real browser: marking wells, downloading, without a mouse."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drp.report.exclusion_sheet import sheet_text
from drp.report.html import render_html
from drp.report.index import ReviewedPlate, index_row, render_index
from drp.sheets import scan_sheets
from tests import report_example
from tests.browser import (
    chromium,
    faults_of,
    requests_of,
    scrolls_sideways,
    violations,
    write_page,
)
from tests.project import ROOT
from tests.review_example import EXCLUSIONS, REMARKS, page, viability_rows, write_config
from tests.test_plate_review import evil_page

pytestmark = pytest.mark.browser

BEFORE = sheet_text(EXCLUSIONS, REMARKS)
# 20:00 UTC is the next day in India: the date in the file is that of the laboratory's clock.
NOW, ZONE, TODAY = "2026-02-07T20:00:00Z", "Asia/Kolkata", "2026-02-08"


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser, tmp_path):
    """Give a function that opens a page's text from the disk."""
    contexts = []

    def open_page(text, *, name="page.html", width=1280, script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            timezone_id=ZONE,
            java_script_enabled=script,
            accept_downloads=True,
        )
        contexts.append(context)
        tab = context.new_page()
        tab.asked, tab.faults = requests_of(tab), faults_of(tab)
        if script:
            tab.clock.set_fixed_time(NOW)
        tab.goto(write_page(tmp_path, name, text))
        return tab

    yield open_page
    for context in contexts:
        context.close()


def well(tab, name, which=0):
    return tab.locator(f'button[data-w="{name}"]').nth(which)


def pressed(tab):
    """The marked wells, in each map."""
    maps = tab.locator("table.map")
    return [
        [
            item.get_attribute("data-w")
            for item in maps.nth(place).locator("[aria-pressed=true]").all()
        ]
        for place in (0, 1)
    ]


def download(tab, folder):
    with tab.expect_download() as waiting:
        tab.click("#download")
    path = folder / "downloaded.tsv"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == "exclusions.tsv"
    return path.read_bytes()


def test_clicks_and_keys_alike_mark_wells(opened):
    tab = opened(page())
    well(tab, "B2").click()
    well(tab, "B3", which=1).click()
    assert pressed(tab) == [["B2", "B3"]] * 2
    well(tab, "B3").click()
    assert pressed(tab) == [["B2"]] * 2
    well(tab, "C2").focus()
    for key in ("Enter", "ArrowRight", "Space", "ArrowDown", "Enter"):
        tab.keyboard.press(key)
    assert pressed(tab) == [["B2", "C2", "C3", "D3"]] * 2
    assert "Marked: B2, C2, C3, D3." in tab.inner_text("#said")
    assert "no signal: saturated" in tab.inner_text("#which")
    assert tab.faults == []


def test_the_whole_way_without_a_mouse(opened, tmp_path):
    tab = opened(page())
    tab.locator("a", has_text="all reports").focus()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.dataset.w") == "A1"
    tab.keyboard.press("ArrowDown")  # row B begins at column 2: there is no well B1
    assert tab.evaluate("document.activeElement.dataset.w") == "A1"
    for key in ("ArrowRight", "ArrowDown", "Enter", "Tab", "Tab"):
        tab.keyboard.press(key)
    tab.keyboard.type("bubble")
    tab.keyboard.press("Tab")
    tab.keyboard.type("lab A")
    tab.keyboard.press("Enter")
    assert tab.locator("#listed tr").all_inner_texts() == [f"B2\tbubble\tlab A\t{TODAY}\tTake back"]
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    with tab.expect_download():
        tab.keyboard.press("Enter")
    assert tab.faults == []


def test_arrow_keys_leap_over_places_without_a_well(opened):
    tab = opened(page())
    well(tab, "A11").focus()
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.activeElement.dataset.w") == "A10"
    well(tab, "D3").focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")  # C2 is the first of its row
    assert tab.evaluate("document.activeElement.dataset.w") == "C2"
    assert tab.locator('table.map >> nth=0 >> [tabindex="0"]').count() == 1


def test_an_excluded_well_cannot_be_marked_again(opened):
    tab = opened(page())
    well(tab, "B4").click(force=True)  # else the driver waits for it to be enabled
    assert tab.inner_text("#said") == "B4 is excluded already."
    assert pressed(tab) == [[], []]


@pytest.mark.parametrize("reason", ["", "   ", "\t"])
def test_a_reason_is_demanded(opened, reason):
    tab = opened(page())
    got = []
    tab.on("download", lambda download: got.append(download))
    tab.click("#download")
    assert "No well is marked" in tab.inner_text("#said")
    well(tab, "B2").click()
    tab.fill("#by", "lab A")
    tab.fill("#reason", reason)
    tab.click("#download")
    assert "A reason, and initials or a role, are needed." in tab.inner_text("#said")
    assert tab.evaluate("document.activeElement.id") == "reason"
    tab.fill("#reason", "bubble")
    tab.fill("#by", "")
    tab.click("#download")
    assert tab.evaluate("document.activeElement.id") == "by"
    assert got == []
    assert tab.locator("#listed tr").count() == 0


def test_the_file_is_the_old_sheet_and_the_new_rows_to_the_byte(opened, tmp_path):
    tab = opened(page())
    well(tab, "B2").click()
    well(tab, "C4").click()
    tab.fill("#reason", "bubble")
    tab.fill("#by", "lab A")
    tab.click("text=List the marked wells")
    well(tab, "A1").click()
    tab.fill("#reason", "no cells")
    content = download(tab, tmp_path)
    assert (
        content
        == (
            f"{BEFORE}PL1\tB2\tbubble\tlab A\t{TODAY}\nPL1\tC4\tbubble\tlab A\t{TODAY}\n"
            f"PL1\tA1\tno cells\tlab A\t{TODAY}\n"
        ).encode()
    )
    assert tab.asked[1:] == [url for url in tab.asked[1:] if url.startswith("blob:")]
    assert tab.asked[0].startswith("file:")

    sheets, problems = scan_sheets(write_config(tmp_path / "config", content.decode()))
    assert problems == []
    assert sheets.exclusions[:2] == EXCLUSIONS
    wells, quality = viability_rows(exclusions=sheets.exclusions)
    out = {row["well"]: row["reason"] for row in wells if row["excluded"]}
    assert out == {"B4": "well dry", "B2": "bubble", "C4": "bubble", "A1": "no cells"}
    assert quality["n_negative"] == 4


def test_a_well_can_be_taken_back(opened, tmp_path):
    tab = opened(page())
    for name in ("B2", "B3"):
        well(tab, name).click()
    tab.fill("#reason", "bubble")
    tab.fill("#by", "lab A")
    tab.keyboard.press("Enter")
    well(tab, "B2").click()
    assert "listed already" in tab.inner_text("#said")
    tab.click('[aria-label="Take back B2"]')
    assert pressed(tab) == [["B3"], ["B3"]]
    assert download(tab, tmp_path) == f"{BEFORE}PL1\tB3\tbubble\tlab A\t{TODAY}\n".encode()


EVIL = [
    '=cmd()|"/C calc"!A0', "a\tb", "</script><script>alert(1)</script>", '"dry" well',
    "-3 @ the rim", "x\u2028y\x85z", "'quoted'", "äöü 细胞",
]  # fmt: skip


def test_what_is_typed_is_written_as_the_sheet_module_would(opened, tmp_path):
    tab = opened(page())
    wells = ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]
    for name, text in zip(wells, EVIL, strict=True):
        well(tab, name).click()
        tab.fill("#reason", text)
        tab.fill("#by", text)
        tab.click("text=List the marked wells")
    rows = [
        {"plate": "PL1", "well": name, "reason": text, "by": text, "date": TODAY}
        for name, text in zip(wells, EVIL, strict=True)
    ]
    content = download(tab, tmp_path)
    assert content.decode() == sheet_text([*EXCLUSIONS, *rows], REMARKS)
    sheets, problems = scan_sheets(write_config(tmp_path / "config", content.decode()))
    assert problems == []
    assert [row["well"] for row in sheets.exclusions[2:]] == wells
    assert tab.faults == []


def test_the_rows_of_another_review_are_kept(opened, tmp_path):
    """Two plates reviewed after one run: the second starts from the file of the first."""
    first = tmp_path / "first.tsv"
    first.write_bytes(b"\xef\xbb\xbf" + BEFORE.encode() + b"PL9\tA2\tdry\tlab B\t2026-02-07")
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("plate\twell\nPL9\tA2\n")
    tab = opened(page())
    tab.click("summary >> nth=0")
    tab.set_input_files("#present", wrong)
    # The page's policy forbids the evaluation of texts that a wait for a function needs.
    tab.get_by_text("Not taken").wait_for()
    tab.set_input_files("#present", first)
    tab.get_by_text(re.compile("^Taken")).wait_for()
    well(tab, "B2").click()
    tab.fill("#reason", "bubble")
    tab.fill("#by", "lab A")
    assert download(tab, tmp_path).decode() == (
        f"{BEFORE}PL9\tA2\tdry\tlab B\t2026-02-07\nPL1\tB2\tbubble\tlab A\t{TODAY}\n"
    )


def test_text_of_users_runs_nowhere(opened, tmp_path):
    tab = opened(evil_page())
    assert tab.locator("script").count() == 2
    well(tab, "B2").click()
    tab.fill("#reason", "<img src=x onerror=alert(1)>")
    tab.fill("#by", "lab A")
    tab.click("text=List the marked wells")
    assert tab.locator("#listed img").count() == 0
    download(tab, tmp_path)
    assert tab.faults == []
    assert all(url.startswith(("file:", "blob:")) for url in tab.asked)
    assert sum(url.startswith("file:") for url in tab.asked) == 1


def test_a_foreign_script_is_stopped_by_the_policy(opened):
    text = page().replace("<footer>", "<script>document.title='changed'</script><footer>")
    tab = opened(text)
    assert tab.title() == "Review of plate PL1"
    assert any("Content Security Policy" in fault for fault in tab.faults)


def test_without_script_everything_is_shown(opened):
    tab = opened(page(), script=False)
    assert "runs no script" in tab.inner_text("noscript")
    assert not tab.locator("#panel").is_visible()
    assert well(tab, "B3", which=1).inner_text() == "56"
    tab.click("summary >> nth=1")
    assert tab.locator("tr", has_text="Venetoclax 100 nM").last.is_visible()


def index_page():
    rows = [index_row(report_example.record(n_drugs=6))]
    plates = [
        ReviewedPlate(f"P01-S1-{part}", "R1", "warn", f"plates/R1/{part}.html") for part in "AB"
    ]
    return render_index(rows, report_example.GENERATED, plates)


PAGES = {
    "plates/R1/PL1.html": page,
    "index.html": index_page,
    "P01/report.html": lambda: render_html(report_example.record(), report_example.GENERATED),
    "P04/report.html": lambda: render_html(
        report_example.record(verdict="fail"), report_example.GENERATED
    ),
}


@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_and_can_be_used_by_all(opened, name, width):
    tab = opened(PAGES[name](), name=name, width=width)
    assert violations(tab) == []
    assert not scrolls_sideways(tab)
    assert len(tab.asked) == 1
    assert tab.faults == []


@pytest.mark.parametrize("width", [1280, 420])
def test_the_review_in_use_can_be_used_by_all(opened, width):
    tab = opened(page(), width=width)
    well(tab, "B2").click()
    tab.fill("#reason", "bubble")
    tab.fill("#by", "lab A")
    tab.keyboard.press("Enter")
    well(tab, "A1").click()
    for summary in tab.locator("summary").all():
        summary.click()
    assert violations(tab) == []
    assert not scrolls_sideways(tab)


def test_the_index_leads_to_the_review_and_back(opened, tmp_path):
    write_page(tmp_path, "plates/R1/A.html", page())
    tab = opened(index_page(), name="index.html")
    tab.click("text=P01-S1-A")
    assert tab.title() == "Review of plate PL1"
    tab.click("text=all reports")
    assert tab.url.endswith("/index.html")


@pytest.mark.parametrize(("strict", "code"), [("1", 1), ("", 0)])
def test_an_absent_browser_is_said_and_fails_where_nothing_may_be_skipped(strict, code, tmp_path):
    """Run from a folder of programs without Chromium, as on a machine that lacks it."""
    one = f"{Path(__file__)}::test_an_excluded_well_cannot_be_marked_again"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", one],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path), "DRP_CI": strict},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert "Chromium is absent: apt-get install chromium" in done.stdout
