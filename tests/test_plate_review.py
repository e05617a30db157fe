"""The review page of a plate: what it says, what it gives, and that text of users stays text."""

import json
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.report.exclusion_sheet import COLUMNS, cell_text, sheet_text
from drp.report.heat_maps import LEVELS, heat_maps, level_style, signal_range
from drp.report.html import script_hash
from drp.report.palette import contrast
from drp.report.review import render_review, script
from drp.report.review_rows import control_rows, replicate_rows, well_words
from drp.sheets import scan_sheets
from drp.storage import read_groups, write_table
from drp.wells import join_wells
from tests.examples import examples
from tests.plates_by_hand import PLATE, layout, reads
from tests.review_example import (
    EXCLUSIONS,
    GENERATED,
    MAP,
    REMARKS,
    SETTINGS,
    VALUES,
    page,
    viability_rows,
    write_config,
)
from tests.test_report_html import Page

EVIL = "</script><script>alert(1)</script>=cmd()\t\"\u2028&'{{ 7*7 }}"
HEADER = "plate\twell\treason\tby\tdate\n"


@pytest.fixture(scope="module")
def shown():
    return Page(page())


def buttons(shown, well):
    return [values for tag, values in shown.tags if values.get("data-w") == well]


def rows_of(shown):
    return [row for _, rows in shown.tables for row in rows]


def known(text):
    found = re.search(r'<script type="application/json" id="known">(.*?)</script>', text, re.S)
    return json.loads(found[1])


def test_every_well_is_a_button_that_says_all_in_both_maps(shown):
    for well in VALUES:
        assert len(buttons(shown, well)) == 2
        assert len({values["aria-label"] for values in buttons(shown, well)}) == 1
    labels = {well: buttons(shown, well)[0]["aria-label"] for well in VALUES}
    # 100 (604 - 100) / (1000 - 100) = 56 % viable; the medians are 1000 and 100.
    assert labels["B3"] == "B3, sample, Venetoclax 100 nM, signal 604, 56 % viable"
    assert labels["A7"] == "A7, positive control, BzCl, signal 100, 0 % viable"
    assert labels["A11"] == "A11, blank, signal 90, −1.1 % viable"
    assert labels["D2"] == (
        "D2, sample, Bortezomib 3 nM + Venetoclax 10 nM, signal 1234, 126 % viable"
    )
    assert labels["D3"] == ("D3, sample, Bortezomib 3 nM + Venetoclax 0 nM, no signal: saturated")
    assert labels["B4"].endswith("signal 7, −10 % viable, excluded: well dry")
    assert labels["H12"] == "H12, empty, signal 3"


def test_one_stop_of_the_tab_key_per_map_and_excluded_wells_cannot_be_marked(shown):
    stops = [values for tag, values in shown.tags if tag == "button" and values.get("data-w")]
    assert [values["data-w"] for values in stops if values["tabindex"] == "0"] == ["A1", "A1"]
    for values in stops:
        excluded = values["data-w"] == "B4"
        assert ("aria-disabled" in values) == excluded
        assert ("aria-pressed" in values) != excluded


def test_a_role_is_a_letter_and_a_frame_beside_the_shade():
    wells, _ = viability_rows()
    signal, viability = heat_maps(wells)
    assert [len(shown["rows"]) for shown in (signal, viability)] == [8, 8]
    assert signal["columns"] == list(range(1, 13))
    cells = {cell["well"]: cell for row in signal["rows"] for cell in row["cells"] if cell}
    assert cells.keys() == VALUES.keys()
    assert (cells["A1"]["letter"], cells["A6"]["letter"]) == ("N", "P")
    assert (cells["A11"]["letter"], cells["B2"]["letter"]) == ("B", "")
    assert "control" in cells["A1"]["classes"] and "control" not in cells["B2"]["classes"]
    assert "unused" not in cells["A1"]["classes"]
    assert cells["B4"]["classes"] == "sample out"
    assert (cells["D3"]["text"], cells["H12"]["text"]) == ("sat", "3")
    assert not re.search(r"\bv\d", cells["D3"]["classes"] + cells["H12"]["classes"])
    viable = {cell["well"]: cell for row in viability["rows"] for cell in row["cells"] if cell}
    assert (viable["A6"]["classes"], viable["A1"]["classes"]) == ("control v0", "control v11")
    assert (viable["B3"]["text"], viable["B3"]["classes"]) == ("56", "sample v6")


def test_a_control_that_does_not_set_the_scale_has_a_broken_frame():
    wells, _ = viability_rows()
    for well in wells:
        if well["well"] == "A1":
            well["control"] = ""
    cells = [cell for row in heat_maps(wells)[0]["rows"] for cell in row["cells"] if cell]
    assert [cell["well"] for cell in cells if "unused" in cell["classes"]] == ["A1"]


def test_text_on_every_shade_can_be_read():
    pairs = re.findall(r"background-color:(#\w+);color:(#\w+)", level_style())
    assert len(pairs) == LEVELS
    assert all(contrast(ground, words) >= 4.5 for ground, words in pairs)


def test_one_bright_well_does_not_darken_all_others():
    wells, _ = viability_rows()
    wells += [wells[11] | {"well": f"E{n}", "signal": 500.0 + n} for n in range(1, 100)]
    wells += [wells[11] | {"well": "F1", "signal": 1e9}]
    assert signal_range(wells)[1] < 2000


def test_controls_are_summed_up_as_the_quality_stage_does():
    wells, quality = viability_rows()
    negative, positive, blank = control_rows(wells)
    assert (negative["median"], positive["median"], blank["median"]) == ("1000", "100", "90")
    assert negative["kind"] == "negative control: sets 100 %"
    assert (negative["substance"], negative["n"]) == ("DMSO", "5")
    assert (negative["low"], negative["high"]) == ("980", "1020")
    # More than half of the wells stand at the median, so the MAD is 0, as in table quality.
    assert (negative["cv"], quality["robust_cv_negative"]) == ("0 %", 0.0)
    assert blank["cv"] == ""  # one well has no spread
    spread = VALUES | {"A2": 970.0, "A4": 1030.0}
    wells, quality = viability_rows(values=spread)
    assert control_rows(wells)[0]["cv"] == f"{quality['robust_cv_negative']:.1f} %"


def test_arms_with_a_partner_are_summed_up_apart():
    wells, _ = viability_rows()
    for well in wells:
        well["addon"] = "Asparaginase" if well["well"] in ("A4", "A5") else ""
    kinds = [(row["kind"], row["n"]) for row in control_rows(wells)][:2]
    assert kinds == [
        ("negative control: sets 100 %", "3"),
        ("negative control, arm with Asparaginase: sets 100 %", "2"),
    ]
    assert "DMSO, arm with Asparaginase" in well_words(wells[4], several=False)


def test_replicates_that_disagree_most_come_first_and_excluded_wells_do_not_count():
    wells, _ = viability_rows()
    rows, found = replicate_rows(wells)
    # 10 nM: 90 and 80 %; 100 nM: 56 and 10 %; of 1000 nM one well is excluded.
    assert [(row["content"], row["difference"]) for row in rows] == [
        ("Venetoclax 100 nM", "46"),
        ("Venetoclax 10 nM", "10"),
    ]
    assert found == 2
    assert [f"{well['well']} {well['viable']}" for well in rows[0]["wells"]] == [
        "B3 56 %",
        "C3 10 %",
    ]


def test_the_page_says_verdict_exclusions_and_odd_readings(shown):
    _, quality = viability_rows()
    words = " ".join(shown.words)
    assert quality["verdict"] in words
    for reason in quality["reasons"].split("; "):
        assert reason in words
    rows = rows_of(shown)
    assert ["B4", "Venetoclax 1000 nM", "well dry", "lab A", "2026-02-06"] in rows
    assert ["D3", "sample", "Bortezomib 3 nM + Venetoclax 0 nM", "saturated"] in rows
    assert not any("bubble" in row for row in rows)  # another plate's exclusion is none of its own
    every = max((rows for _, rows in shown.tables), key=len)
    assert len(every) == len(VALUES) + 1
    assert ["C2", "sample", "Venetoclax 10 nM", "820", "80 %", ""] in every
    assert "SIMULATED DATA" in words and "Research use only" in words


def test_a_well_the_plate_map_took_out_is_told_from_one_taken_out_by_hand():
    wells, quality = viability_rows()
    for well in wells:
        if well["well"] == "C4":
            well |= {"excluded": True, "reason": "transfer failed"}
    text = render_review(
        PLATE, wells, quality, EXCLUSIONS, settings=SETTINGS, generated_at=GENERATED
    )
    row = ["C4", "Venetoclax 1000 nM", "transfer failed", "the plate map", "not stated"]
    assert row in rows_of(Page(text))


def test_a_shared_plate_names_the_sample_of_each_well():
    samples = ["S2" if well in ("C2", "C3", "C4") else "S1" for well in MAP]
    shared = PLATE | {"sample": "S1;S2"}
    wells = join_wells(
        reads("PL1", dict.fromkeys(MAP, 500.0)),
        layout(MAP).assign(sample=samples),
        [shared],
    ).assign(viability_pct=50.0)
    rows = wells.to_dict("records")
    cells = [cell for row in heat_maps(rows)[0]["rows"] for cell in row["cells"] if cell]
    labels = {cell["well"]: cell["label"] for cell in cells}
    assert labels["C2"].startswith("C2, sample S2, Venetoclax 10 nM,")
    assert labels["A1"].startswith("A1, negative control, DMSO")
    # Wells of one dose that belong to two people are no replicates.
    assert replicate_rows(rows) == ([], 0)


def test_the_page_holds_the_whole_sheet_and_one_script_that_its_policy_names():
    text = page()
    content = known(text)
    assert content["plate"] == "PL1"
    assert content["sheet"] == (
        f"{REMARKS[0]}\n{HEADER}PL1\tB4\twell dry\tlab A\t2026-02-06\nPL9\tA1\tbubble\t\t\n"
    )
    assert text.count("<script") == 2
    assert f"script-src '{script_hash(script())}'" in text
    assert f"<script>{script()}</script>" in text
    assert len(script().splitlines()) < 100


def test_nothing_is_fetched(shown):
    for tag, values in shown.tags:
        assert tag not in ("iframe", "object", "embed", "img", "base")
        assert "src" not in values
        assert not values.get("href", "").startswith(("http", "//"))
        assert not any(name.startswith("on") for name in values)
    assert "default-src 'none'" in page()
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|import|sendBeacon|innerHTML", script())


def evil_page():
    exclusions = [EXCLUSIONS[0] | {"reason": EVIL, "by": EVIL}]
    mapped = MAP | {"B2": ("sample", EVIL, 10.0), "A11": ("blank", EVIL)}
    wells, quality = viability_rows(mapped=mapped, exclusions=exclusions)
    quality["reasons"] = EVIL
    return render_review(
        PLATE | {"sample": EVIL, "run": EVIL},
        wells,
        quality,
        exclusions,
        [f"# {EVIL}"],
        settings=SETTINGS | {"laboratory": EVIL},
        generated_at=GENERATED,
    )


def test_text_of_users_stays_text():
    text = evil_page()
    shown = Page(text)
    assert [tag for tag, _ in shown.tags].count("script") == 2
    assert "".join(shown.words).count("alert(1)") >= 6
    assert "".join(shown.words).count("{{ 7*7 }}") >= 6
    labels = [values.get("aria-label", "") for _, values in shown.tags]
    assert any(EVIL in label for label in labels)


def test_the_sheet_keeps_evil_text_in_its_cell_and_harmless(tmp_path):
    sheet = known(evil_page())["sheet"]
    assert len(sheet.splitlines()) == 3  # U+2028 would have made more
    sheets, problems = scan_sheets(write_config(tmp_path, sheet))
    assert [problem for problem in problems if problem.severity == "error"] == []
    (row,) = sheets.exclusions
    assert row["reason"] == row["by"] == EVIL.replace("\t", " ").replace("\u2028", " ")
    assert sheets.exclusion_remarks == ["# " + EVIL.replace("\t", " ").replace("\u2028", " ")]


@pytest.mark.parametrize("text", ["=1+1", "+49", "-3", "@SUM(A1)", " \t=cmd()"])
def test_no_cell_starts_a_formula(text):
    assert cell_text(text) == f"'{text.strip()}"
    assert cell_text(cell_text(text)) == cell_text(
        text
    )  # a file that is given again stays the same


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@settings(max_examples=examples(60), deadline=None)
@given(reasons=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_any_text_comes_back_in_its_own_cell(tmp_path_factory, reasons):
    rows = [
        {
            "plate": "PL1",
            "well": f"A{n}",
            "reason": f"r{reason}",
            "by": f"b{by}",
            "date": "2026-01-02",
        }
        for n, (reason, by) in enumerate(reasons, start=1)
    ]
    folder = write_config(tmp_path_factory.getbasetemp() / "sheet", sheet_text(rows))
    sheets, _ = scan_sheets(folder)
    flat = [
        {
            key: re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", value)
            for key, value in row.items()
        }
        for row in rows
    ]
    assert [tuple(row[c] for c in COLUMNS) for row in sheets.exclusions] == [
        tuple(row[c].strip() for c in COLUMNS) for row in flat
    ]


def test_the_script_cleans_cells_by_the_same_rules_as_the_sheet():
    """The two sets of characters are written alike in both languages."""
    in_script = re.search(r"text\.replace\(/(\[.*?\])\+/g", script())[1]
    from drp.report import exclusion_sheet

    pattern = exclusion_sheet._BREAKS.pattern.removesuffix("+")
    for code in [*range(0x250), *range(0x2000, 0x2100)]:
        character = chr(code)
        assert bool(re.match(in_script, character)) == bool(re.match(pattern, character)), code
    starts = re.search(r"/\^\[(.*?)\]/\.test", script())[1]
    assert set(starts) == set(exclusion_sheet._FORMULA)
    assert not set(starts) & set(string.ascii_letters + string.digits + " '")


def test_same_bytes_twice_in_any_order_and_only_the_time_differs():
    wells, quality = viability_rows()
    again = render_review(
        PLATE, wells[::-1] + wells[:3], quality, EXCLUSIONS, REMARKS,
        settings=SETTINGS, generated_at=GENERATED,
    )  # fmt: skip
    assert again == page()
    later = render_review(
        PLATE, wells, quality, EXCLUSIONS, REMARKS,
        settings=SETTINGS, generated_at="2027-12-31T23:59:00+00:00",
    )  # fmt: skip
    assert later != page()
    assert later.replace("2027-12-31 23:59", "2026-03-01 08:05") == page()


def test_a_plate_without_controls_is_shown_without_viability():
    wells, quality = viability_rows(exclusions=[])
    for well in wells:
        well |= {"control": "", "viability_pct": None}
    text = render_review(
        PLATE, wells, quality | {"verdict": "fail", "reasons": "no usable negative control"}, [],
        settings=SETTINGS, generated_at=GENERATED,
    )  # fmt: skip
    assert "no usable negative control" in text
    assert "No drug stands at one dose in more than one usable well" in text


@pytest.mark.parametrize(("rows", "columns", "most"), [(16, 24, 400_000), (32, 48, 1_500_000)])
def test_size_of_large_plates(rows, columns, most):
    from drp.wellnames import well_name

    names = [well_name(r, c) for r in range(1, rows + 1) for c in range(1, columns + 1)]
    controls = dict.fromkeys(names[:16], ("negative", "DMSO"))
    mapped = dict.fromkeys(names, ("sample", "Venetoclax", 100.0)) | controls
    wells, quality = viability_rows(
        mapped=mapped, values=dict.fromkeys(names, 1234567.0), exclusions=[]
    )
    text = render_review(PLATE, wells, quality, [], settings=SETTINGS, generated_at=GENERATED)
    assert text.count("data-w=") - script().count("data-w=") == 2 * rows * columns
    assert len(text.encode()) < most


@pytest.mark.slow
def test_plates_are_read_back_from_several_files_without_pandas(tmp_path):
    import subprocess
    import sys

    import pandas as pd

    frames = {
        "a": pd.DataFrame({"plate": ["PL1", "PL1", "PL2"], "well": ["A1", "A2", "A1"]}),
        "b": pd.DataFrame({"plate": ["PL2", "PL3"], "well": ["B1", "A1"]}),
    }
    paths = []
    for name, frame in frames.items():
        paths.append(tmp_path / f"{name}.parquet")
        write_table(paths[-1], frame)
    groups = read_groups(paths, "plate")
    assert {name: [row["well"] for row in rows()] for name, rows in groups.items()} == {
        "PL1": ["A1", "A2"], "PL2": ["A1", "B1"], "PL3": ["A1"],
    }  # fmt: skip
    code = (
        "import sys; from pathlib import Path; from drp.storage import read_groups;"
        "import drp.report.review;"
        f"rows = read_groups([Path({str(paths[0])!r})], 'plate')['PL1']();"
        "sys.exit('pandas' in sys.modules or len(rows) != 2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
