"""The list of 2,000 patients in a real browser: searched, sorted, without a mouse, on a phone."""

import dataclasses

import pytest

from drp.report.index import index_row, render_index
from tests import report_example
from tests.browser import (
    chromium,
    faults_of,
    requests_of,
    scrolls_sideways,
    violations,
    write_page,
)

pytestmark = pytest.mark.browser

N = 2000
AGENTS = ["Venetoclax", "Bortezomib", "Dasatinib", "none"]


def rows(count):
    first = index_row(report_example.record(n_drugs=14))
    verdicts = ["pass", "warn", "fail"]
    return [
        dataclasses.replace(
            first,
            patient=f"P{number}",
            sample=f"P{number}-S1",
            verdict=verdicts[number % 3],
            elapsed=f"{number % 23} days" if number % 50 else "not given",
            agents=AGENTS[number % 4],
            approval="by lab A, 2026-03-02" if number % 2 else "",
            status="released" if number % 2 else "draft",
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture(scope="module")
def large():
    return render_index(rows(N), report_example.GENERATED)


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(text, *, width=1280, script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        pages.append(context)
        tab = context.new_page()
        tab.asked, tab.faults = requests_of(tab), faults_of(tab)
        tab.goto(write_page(tmp_path, "index.html", text))
        return tab

    yield open_page
    for page in pages:
        page.close()


def names(tab):
    return tab.locator("#patients tbody tr:not([hidden]) th > a").all_inner_texts()


def milliseconds(tab, action):
    """Time from the action to the page laid out again."""
    return tab.evaluate(
        f"() => {{ const start = performance.now(); {action};"
        " document.body.offsetHeight; return performance.now() - start }"
    )


FILTER = (
    "const w = document.getElementById('words'); w.value = 'P19 veneto';"
    "w.dispatchEvent(new Event('input'))"
)
SORT = "document.querySelectorAll('#patients thead button')[2].click()"


def test_two_thousand_patients_are_small_and_fast(opened, large):
    assert len(large.encode()) <= 1_500_000
    tab = opened(large)
    loaded = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    filtered, ordered = milliseconds(tab, FILTER), milliseconds(tab, SORT)
    # Ten times what is seen on an idle machine: the bound is against a sort in quadratic time.
    assert (loaded < 10_000, filtered < 3_000, ordered < 3_000) == (True,) * 3, (
        loaded,
        filtered,
        ordered,
    )
    assert tab.faults == [] and len(tab.asked) == 1


def test_every_word_must_be_there(opened, large):
    tab = opened(large)
    tab.fill("#words", "RELEASED dasatinib")
    assert tab.inner_text("#shown") == "0 of 2000 shown"  # every released one has an odd number
    tab.fill("#words", "draft  dasatinib P10")
    wanted = [f"P{n}" for n in range(1, N + 1) if n % 4 == 2 and f"P{n}".startswith("P10")]
    assert names(tab) == sorted(wanted)
    tab.fill("#words", "")
    assert tab.inner_text("#shown") == "2000 of 2000 shown"


@pytest.mark.parametrize("column", range(7))
def test_each_column_sorts_both_ways(opened, column):
    tab = opened(render_index(rows(60), report_example.GENERATED))
    head = tab.locator("#patients thead th").nth(column)
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    cells = [
        cell.get_attribute("data-s") or cell.inner_text()
        for cell in tab.locator(f"#patients tbody tr > :nth-child({column + 1})").all()
    ]
    if column in (1, 2):
        assert [int(text) for text in cells] == sorted(int(text) for text in cells)
    if column == 0:
        assert names(tab) == [f"P{number}" for number in range(1, 61)]
    first = names(tab)
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert sorted(names(tab)) == sorted(first)
    assert tab.locator("[aria-sort]").count() == 1


@pytest.mark.parametrize("width", [1280, 420])
def test_the_index_can_be_used_by_all(opened, width):
    tab = opened(render_index(rows(60), report_example.GENERATED), width=width)
    tab.fill("#words", "P1")
    if width > 760:
        tab.locator("#patients thead button").first.click()
    assert violations(tab) == []
    assert not scrolls_sideways(tab)


def test_without_script_all_patients_are_there_and_no_search(opened):
    tab = opened(render_index(rows(60), report_example.GENERATED), script=False)
    assert len(names(tab)) == 60
    assert not tab.locator("#find").is_visible()
