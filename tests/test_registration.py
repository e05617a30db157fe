"""Whether layout, plate and export belong together: shown where the answer is known."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.plain_tables import plain
from drp.plates import read_plate
from drp.registration import (
    check_controls,
    check_copies,
    check_registration,
    check_swaps,
    score_placements,
)
from drp.registration.agreement import _falling, agree_with_layout
from drp.registration.columns import read_wells
from drp.registration.designs import make_design, number_contents
from drp.registration.placements import PLACEMENTS
from drp.wellnames import parse_well, well_name
from tests.displaced_plates import (
    READING,
    WORDS,
    cll_plates,
    demo_plates,
    displace,
    itrex_plates,
    plate_by_hand,
    tecan_plates,
    words_expected,
)
from tests.examples import examples
from tests.plates_by_hand import reads

MOVES = range(1, len(WORDS))


def codes(problems):
    return [problem.code for problem in problems]


def named(problems, plate):
    """The better placement that is named for a plate."""
    found = [p for p in problems if p.code == "wells.registration" and p.where.plate == plate]
    return found[0].found.partition("better ")[2].partition(" (score")[0] if found else ""


def shuffled(frame, seed=5):
    return frame.sample(frac=1, random_state=seed)


# -- the score --


def design_of(wells):
    coded = read_wells(wells)
    return make_design(coded, np.arange(len(wells)), number_contents(coded))


def wells_in_a_row(*entries):
    """Wells (role, drug, dose, signal) side by side in row A."""
    rows = [
        {"plate": "P1", "run": "R1", "row": 1, "column": column, "sample": "S1", "role": role,
         "drug": drug, "dose": dose, "signal": signal}
        for column, (role, drug, dose, signal) in enumerate(entries, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(
        drug2="", dose2=math.nan, drug3="", dose3=math.nan, status="ok", excluded=False
    )


def score_of(wells):
    design, level = design_of(wells), dict(zip(wells["column"], wells["signal"], strict=True))
    levels = np.array([[level[column] for column in design.column]])
    return agree_with_layout(design, levels, np.zeros(levels.shape, dtype=bool))


def test_the_score_of_controls_worked_out_by_hand():
    """Deviations ±1 in two groups of two: 4 over 2 degrees of freedom, so 1 - 2."""
    nan = math.nan
    wells = wells_in_a_row(
        ("negative", "DMSO", nan, 11.0), ("negative", "DMSO", nan, 9.0),
        ("positive", "BzCl", nan, 1.0), ("positive", "BzCl", nan, -1.0),
    )  # fmt: skip
    found = score_of(wells)
    assert found.freedom.tolist() == [2.0]
    assert found.score.tolist() == [1 - 4 / 2]


def test_positive_controls_above_negative_ones_are_a_misfit():
    nan = math.nan
    alike = wells_in_a_row(
        ("negative", "DMSO", nan, 1.0), ("negative", "DMSO", nan, 1.0),
        ("positive", "BzCl", nan, 3.0), ("positive", "BzCl", nan, 3.0),
    )  # fmt: skip
    assert score_of(alike).score.tolist() == [1 - (4 + 4) / 2]


def test_the_score_of_a_dose_series_worked_out_by_hand():
    """Signals 4, 1, 3 by rising dose become 4, 2, 2: 2 over 3 - (1 + 1/2 + 1/3)."""
    series = [("sample", "X", dose, signal) for dose, signal in ((1, 4.0), (10, 1.0), (100, 3.0))]
    found = score_of(wells_in_a_row(*series))
    freedom = 3 - (1 + 1 / 2 + 1 / 3)
    assert found.freedom.tolist() == [freedom]
    assert found.score.tolist() == [1 - 2 / freedom]


def test_random_wells_score_nought_on_average():
    """Also holds the degrees of freedom: an error of one level would show."""
    wells = plate_by_hand()
    design = design_of(wells)
    design.low[:] = False  # that part is one-sided, and rightly below nought at random
    levels = np.random.default_rng(2).standard_normal((4000, len(wells)))
    found = agree_with_layout(design, levels, np.zeros(levels.shape, dtype=bool))
    assert abs(found.score.mean()) < 0.01


def pool_adjacent(means, weights):
    """The falling isotonic regression, by merging neighbours that rise: slow and obvious."""
    blocks = []
    for mean, weight in zip(means, weights, strict=True):
        blocks.append([mean, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            weight = last[1] + before[1]
            mean = (last[0] * last[1] + before[0] * before[1]) / weight
            blocks.append([mean, weight, last[2] + before[2]])
    return [mean for mean, _, size in blocks for _ in range(size)]


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 4)), min_size=1, max_size=9))
@settings(max_examples=examples(60), deadline=None)
def test_the_regression_is_that_of_pooled_neighbours(levels):
    means, weights = (np.array(side, dtype=float) for side in zip(*levels, strict=True))
    found = _falling((means * weights)[None], weights[None])[0]
    np.testing.assert_allclose(found, pool_adjacent(means, weights), atol=1e-9)


def test_series_of_combinations_are_told_apart():
    """In a matrix each dose of the partner is a series; a diagonal is one series."""
    doses = [1.0, 10.0, 100.0]
    matrix = [("sample", "X", dose, 1.0) for dose in doses for _ in doses]
    wells = wells_in_a_row(*matrix).assign(drug2="Y")
    wells["dose2"] = doses * 3
    assert len(design_of(wells).group_starts) == 3
    diagonal = wells_in_a_row(*[("sample", "X", dose, 1.0) for dose in doses]).assign(drug2="Y")
    diagonal["dose2"] = doses
    design = design_of(diagonal)
    assert (len(design.group_starts), len(design.level_starts)) == (1, 3)


# -- placements --


def test_a_plate_as_stated_gives_no_warning():
    assert check_registration(plate_by_hand()) == []


@pytest.mark.parametrize("placement", MOVES, ids=WORDS[1:])
def test_every_displacement_is_found_and_named(placement):
    for moved, vacated in (("signals", "unread"), ("signals", "dark"), ("layout", "")):
        plate = displace(plate_by_hand(), placement, moved, vacated)
        assert named(check_registration(plate), "P1") == words_expected(placement, moved)


def test_the_warning_says_both_scores_and_moves_nothing():
    plate = displace(plate_by_hand(), WORDS.index("one row down"))
    before = plate.copy()
    (problem,) = check_registration(plate.assign(file="a.csv"))
    assert str(problem).startswith("warning wells.registration: a.csv, plate P1: ")
    scores = score_placements(plate).set_index("placement")["score"]
    assert f"({scores['one row down']:.2f} against" not in problem.found
    better, stated = scores["one row down"], scores["as stated"]
    assert f"(score {better:.2f} against {stated:.2f} as stated)" in problem.found
    pd.testing.assert_frame_equal(plate, before)


def test_the_order_of_rows_and_the_kind_of_table_do_not_matter():
    plates = [plate_by_hand(f"P{n}", seed=n) for n in range(1, 5)]
    plates[1] = displace(plates[1], 3)
    wells = pd.concat(plates, ignore_index=True)
    expected = check_registration(wells)
    assert codes(expected) == ["wells.registration"]
    assert check_registration(shuffled(wells)) == expected
    assert check_registration(plain(shuffled(wells))) == expected
    pd.testing.assert_frame_equal(score_placements(shuffled(wells)), score_placements(wells))


def test_a_table_without_wells_has_no_problem():
    none = plate_by_hand().iloc[:0]
    assert check_registration(none) + check_swaps(none) + check_controls(none) == []
    assert check_copies(reads("P1", {"A1": 1.0}).iloc[:0]) == []


def test_wells_that_differ_by_noise_alone_say_nothing():
    rng = np.random.default_rng(4)
    for drift in (0.0, 0.3):
        plate = plate_by_hand()
        plate["signal"] = (1 + drift * plate["column"] / 12) * rng.normal(1, 0.08, len(plate))
        assert check_registration(plate) == []


def test_a_few_dead_wells_move_no_layout():
    for seed in range(20):
        plate = plate_by_hand(seed=seed)
        plate.loc[np.random.default_rng(seed).choice(len(plate), 3), "signal"] = 5e3
        assert check_registration(plate) == [], seed


def test_excluded_wells_are_no_evidence():
    plate = plate_by_hand()
    odd = plate["row"] == 4
    plate.loc[odd, "signal"] = 1e6
    plate.loc[odd, "excluded"] = True
    kept = score_placements(plate)["score"][0]
    assert kept > 0.99
    plate.loc[odd, "excluded"] = False
    assert score_placements(plate)["score"][0] < kept


def test_other_plates_tell_where_a_plate_alone_does_not():
    """Each row one drug, no controls: a shift by a row only exchanges the drugs."""
    plates = []
    for number in range(5):
        plate = plate_by_hand(f"P{number}", seed=3)
        ec50 = np.random.default_rng(9).permutation(12)[plate["row"] - 1]
        alive = 1 / (1 + 10.0 ** (plate["column"] - ec50))
        noise = np.random.default_rng(number).normal(1, 0.05, len(plate))
        drug = "drug " + plate["row"].astype(str)
        dose = 10.0 ** plate["column"]
        plates.append(
            plate.assign(role="sample", drug=drug, dose=dose, signal=1e6 * (0.02 + alive) * noise)
        )
    down = WORDS.index("one row down")
    moved = displace(plates[2], down, vacated="kept")
    assert check_registration(moved) == []
    (problem,) = check_registration(pd.concat([*plates[:2], moved, *plates[3:]]))
    assert named([problem], "P2") == "one row down"
    assert problem.found.startswith("compared with the other plates, ")
    assert check_registration(pd.concat(plates)) == []


def test_without_labels_what_cannot_be_told_is_said():
    plate = plate_by_hand().assign(registration="positional")
    assert check_registration(plate) == []
    even = plate.assign(signal=np.random.default_rng(1).normal(1e6, 3e4, len(plate)))
    (problem,) = check_registration(even)
    assert problem.code == "wells.registration-unknown"
    assert "lies as stated or one row up and one column left" in problem.found
    assert check_registration(even.assign(registration="labelled")) == []


# -- sizes --


def test_a_layout_larger_than_the_plate_is_an_error():
    plate = plate_by_hand(rows=16, columns=24)
    small = (plate["row"] <= 8) & (plate["column"] <= 12)
    plate.loc[~small, ["signal", "status"]] = [math.nan, "not_read"]
    (problem,) = check_registration(plate)
    assert (problem.code, problem.severity) == ("wells.size-mismatch", "error")
    assert problem.where.well == "A13"
    assert "of a plate with 96 wells" in problem.found
    # A reader that prints the rest as blank cells has read a large plate in part.
    printed = plate.assign(locator="line 1")
    assert "wells.size-mismatch" not in codes(check_registration(printed))


def test_a_small_layout_on_a_large_plate_is_an_error_if_the_rest_shines():
    plate = plate_by_hand(rows=16, columns=24)
    beside = (plate["row"] > 8) | (plate["column"] > 12)
    plate.loc[beside, "role"] = "empty"
    plate.loc[beside, "signal"] = 9e5
    (problem,) = check_registration(plate)
    assert (problem.code, problem.severity) == ("wells.size-mismatch", "error")
    assert "of a plate with 384 wells, the layout of one with 96" in problem.found
    dark = plate.assign(signal=plate["signal"].where(~beside, 200.0))
    assert "wells.size-mismatch" not in codes(check_registration(dark))
    named_empty = plate.assign(layout_locator="line 2")
    assert "wells.size-mismatch" not in codes(check_registration(named_empty))


# -- controls --


def controls(negative, positive):
    signal = [*negative, *positive]
    kind = ["negative"] * len(negative) + ["positive"] * len(positive)
    same = {"plate": "P1", "status": "ok", "excluded": False}
    return pd.DataFrame({"control": kind, "signal": signal}).assign(**same)


def test_reversed_controls_are_an_error():
    (problem,) = check_controls(controls([10.0, 11.0, 9.0], [900.0, 950.0]))
    assert (problem.code, problem.severity) == ("wells.controls-reversed", "error")
    assert "the 3 negative controls is 10, of the 2 positive controls 925" in problem.found


def test_controls_that_span_a_window_are_no_problem_even_with_one_odd_well():
    assert check_controls(controls([900.0, 950, 910, 930], [10.0, 12, 11, 13])) == []
    assert check_controls(controls([5.0, 950, 910, 930], [10.0, 12, 11, 13])) == []
    assert check_controls(controls([900.0, 950, 910, 930], [])) == []


@pytest.mark.parametrize(
    ("negative", "positive"),
    [([100.0, 101, 99], [95.0, 96, 94]), ([900.0, 5, 6, 950, 910], [10.0, 12, 11, 13])],
    ids=["nearly the same", "two dead negative controls"],
)
def test_controls_without_a_window_are_warned_of(negative, positive):
    (problem,) = check_controls(controls(negative, positive))
    assert (problem.code, problem.severity) == ("wells.no-window", "warning")


def test_controls_left_out_or_unusable_do_not_count():
    table = controls([900.0, 950, 910, 930], [10.0, 12, 2000])
    table.loc[6, "excluded"] = True
    assert check_controls(table) == []
    table = controls([900.0, 5.0], [10.0])
    table.loc[0, "status"] = "saturated"
    assert codes(check_controls(table)) == ["wells.controls-reversed"]


# -- copies --


def readings(plate, seed=1, **columns):
    values = np.random.default_rng(seed).integers(1000, 10**6, 96).astype(float)
    wells = [well_name(row, column) for row in range(1, 9) for column in range(1, 13)]
    same = {"barcode": "", "file_sha256": f"hash {plate}", "plate_index": 1} | columns
    return reads(plate, dict(zip(wells, values, strict=True)), **same)


def test_different_plates_are_no_copies():
    assert check_copies(pd.concat([readings("A", 1), readings("B", 2)])) == []


def test_identical_values_are_an_error_also_with_a_well_corrected_by_hand():
    copy = readings("B", 1)
    copy.loc[7, "signal"] += 1
    (problem,) = check_copies(pd.concat([copy, readings("A", 1)]))
    assert (problem.code, problem.severity) == ("wells.identical-plates", "error")
    assert problem.where.plate == "B"
    assert problem.found == "the values equal those of plate A: 95 of 96 wells"


@pytest.mark.parametrize("placement", MOVES, ids=WORDS[1:])
def test_displaced_copies_are_found(placement):
    copy = readings("B", 1)
    places = np.array([parse_well(well) for well in copy["well"]])
    row, column = PLACEMENTS[placement].move(places[:, 0], places[:, 1], 8, 12)
    inside = (row > 0) & (row < 9) & (column > 0) & (column < 13)
    copy = copy[inside].assign(
        well=[well_name(*place) for place in zip(row[inside], column[inside], strict=True)]
    )
    (problem,) = check_copies(pd.concat([readings("A", 1), copy]))
    assert problem.found.startswith(f"the values equal those of plate A, {WORDS[placement]}: ")


def test_equal_digits_and_saturation_are_no_copy():
    coarse = [readings(name, seed).assign(signal=lambda r: r["signal"] // 500_000) for name, seed in
              (("A", 1), ("B", 2))]  # fmt: skip
    assert check_copies(pd.concat(coarse)) == []
    full = [readings(name, seed) for name, seed in (("A", 1), ("B", 2))]
    for plate in full:
        plate.loc[:80, ["signal", "status"]] = [math.nan, "saturated"]
    assert check_copies(pd.concat(full)) == []


def test_one_export_for_two_plates_is_one_error():
    twice = pd.concat([readings("A", 1, file_sha256="x"), readings("B", 1, file_sha256="x")])
    assert codes(check_copies(twice)) == ["wells.same-export"]
    assert codes(check_copies(plain(shuffled(twice)))) == ["wells.same-export"]
    other = pd.concat(
        [readings("A", 1, file_sha256="x"), readings("B", 2, file_sha256="x", plate_index=2)]
    )
    assert check_copies(other) == []


def test_two_plates_with_one_barcode_are_an_error():
    table = pd.concat([readings("A", 1, barcode="X1"), readings("B", 2, barcode="X1")])
    (problem,) = check_copies(table)
    assert (problem.code, problem.severity) == ("wells.same-barcode", "error")
    assert "plates B and A carry the same barcode, 'X1'" in problem.found


# -- swaps --


def swapped(one, other):
    one, other = (p.sort_values(["row", "column"], ignore_index=True) for p in (one, other))
    first, second = one.copy(), other.copy()
    first[READING], second[READING] = other[READING], one[READING]
    return first, second


def test_exchanged_exports_are_found_and_both_named():
    wells, _ = demo_plates()
    by_plate = dict(iter(wells.groupby("plate")))
    assert check_swaps(wells) == []
    for one, other in (("P01-S1-A", "P01-S1-B"), ("P02-S1-A", "P03-S1-B")):
        exchanged = dict(zip((one, other), swapped(by_plate[one], by_plate[other]), strict=True))
        table = pd.concat((by_plate | exchanged).values())
        (problem,) = check_swaps(shuffled(table))
        assert (problem.code, problem.severity) == ("wells.swapped-plates", "warning")
        assert f"plates {one} and {other} fit each other's layout" in problem.found


def test_plates_of_different_runs_are_not_compared():
    wells, _ = demo_plates()
    by_plate = dict(iter(wells.groupby("plate")))
    one, other = swapped(by_plate["P01-S1-A"], by_plate["P05-S1-B"])
    assert one["run"].iloc[0] != other["run"].iloc[0]
    assert check_swaps(pd.concat([one, other])) == []


# -- the simulated run and real plates --


def test_the_simulated_run_has_no_problem():
    wells, readings_ = demo_plates()
    assert check_registration(wells) + check_swaps(wells) + check_controls(wells) == []
    assert check_copies(readings_) == []


@pytest.mark.slow
def test_real_plates_have_no_problem(shared_data):
    sets = [
        cll_plates(shared_data),
        *(itrex_plates(shared_data, s) for s in ("BT-40", "INF-R-1632")),
    ]
    sets.append(tecan_plates(shared_data))
    assert [wells["plate"].nunique() for wells, _ in sets] == [15, 3, 6, 4]
    for wells, readings_ in sets:
        assert check_registration(wells) + check_swaps(wells) + check_controls(wells) == []
        assert check_copies(readings_) == []


def test_a_displaced_plate_read_in_part_is_found_by_what_was_not_read(shared_data):
    wells, _ = tecan_plates(shared_data)
    plate = wells[wells["plate"] == "H358-1"]
    assert len(plate) == 60
    for placement in list(MOVES)[:-2]:  # its duplicate rows are the same in the mirror
        found = check_registration(displace(plate, placement, vacated="unread"))
        assert named(found, "H358-1") == WORDS[placement]


@pytest.mark.slow
@pytest.mark.parametrize("moved", ["signals", "layout"])
def test_a_displaced_real_plate_is_found_and_named(shared_data, moved):
    """All other plates stay where they are, and are not blamed."""
    cll, _ = cll_plates(shared_data)
    bt40, _ = itrex_plates(shared_data, "BT-40")
    for wells, name in ((cll, "13PB0658"), (bt40, "BT-40_2")):
        own = wells["plate"] == name
        for placement in list(MOVES)[:: 1 if moved == "signals" else 3]:
            table = pd.concat([displace(wells[own], placement, moved), wells[~own]])
            problems = check_registration(table)
            assert named(problems, name) == words_expected(placement, moved)
            assert len(problems) == 1


def test_an_export_without_labels_whose_template_is_one_off(shared_data):
    """The shipped template covers D4:O22, the export has values in C2:N22; registration is open."""
    from python_calamine import CalamineWorkbook

    folder = shared_data / "plates" / "envision_bare"
    readings_ = read_plate(folder / "H0109269D01.csv")
    book = CalamineWorkbook.from_path(folder / "Project40.treated.template.xlsx")
    drug, dose = (
        book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in ("gnumber", "concentration")
    )
    filled = {
        (i + 1, j + 1): ("sample", drug[i][j], float(dose[i][j]))
        for i, j in itertools.product(range(len(drug)), range(len(drug[0])))
        if drug[i][j]
    }
    nothing = ("empty", "", math.nan)
    places = zip(readings_["row"], readings_["column"], strict=True)
    content = pd.DataFrame([filled.get(place, nothing) for place in places])
    wells = readings_.assign(
        run="R1", sample="S1", role=content[0], drug=content[1], dose=content[2]
    )
    same = {"drug2": "", "dose2": math.nan, "drug3": "", "dose3": math.nan, "excluded": False}
    (problem,) = check_registration(wells.assign(**same))
    assert problem.found == (
        "the layout fits better one row up and one column left (score 0.98 against 0.05 as stated)"
    )
