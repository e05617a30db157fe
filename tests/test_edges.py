"""Effects of place: measured, corrected against published factors, refused where they must be."""

import numpy as np
import pandas as pd
import pytest

from drp.config import QualityTiers
from drp.edges import correct, measure, measure_drugs, outside, plate_shape
from drp.loess import loess
from drp.quality import judge_plates
from drp.scaling import scale
from drp.viability import normalise
from drp.wellnames import well_name
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

TIERS = QualityTiers().model_dump()
EVERY = TIERS | {"edge_effect_pct": {"warn": 0, "fail": 99}}  # corrects whatever the effect
GRID = [(row, column) for row in range(1, 17) for column in range(1, 25)]
CONTROLS = [(row, column) for row in range(1, 17, 3) for column in range(1, 25, 4)]
MORE = [(row, column) for row in range(2, 17, 5) for column in range(3, 25, 5)]


def plate(surface, controls=(*CONTROLS, *MORE), noise=0.0, seed=1, vehicle="DMSO"):
    """A 384-well plate whose signal is `surface(row, column)`: controls, and drugs of no effect."""
    rng = np.random.default_rng(seed)
    wells, values = {}, {}
    for row, column in GRID:
        name = well_name(row, column)
        negative = (row, column) in controls
        dose = float(10 ** (column % 3))
        wells[name] = ("negative", vehicle) if negative else ("sample", f"drug {row}", dose)
        values[name] = surface(row, column) * (1 + noise * rng.normal())
    return join_wells(reads("PL1", values), layout(wells), [PLATE])


def edge_of(depth):
    return lambda row, column: 1000 * (1 - depth * (row in (1, 16) or column in (1, 24)))


def ramp(row, column):
    return 1000 * (1 + 0.3 * (column - 12.5) / 23)


def slow_loess(places, values, at):
    """One place after another, by the normal equations."""
    cut = int(np.ceil(0.1 * len(places)))
    spread = [np.std(np.sort(axis)[cut : len(axis) - cut], ddof=1) for axis in places.T]
    found = []
    for place in at:
        steps = (places - place) / spread
        distance = np.sqrt(steps[:, 0] ** 2 + steps[:, 1] ** 2)
        weight = (1 - (distance / distance.max()) ** 3) ** 3
        r, c = steps.T
        terms = np.array([np.ones(len(r)), r, c, r * r, r * c, c * c]).T
        matrix = terms.T @ (weight[:, None] * terms)
        found.append(np.linalg.solve(matrix, terms.T @ (weight * values))[0])
    return np.array(found)


def test_the_surface_against_its_slow_twin_and_in_any_order():
    rng = np.random.default_rng(3)
    places = np.array(CONTROLS, dtype=float)
    values, at = rng.normal(1, 0.1, len(places)), np.array(GRID, dtype=float)
    fitted = loess(places, values, at)
    np.testing.assert_allclose(fitted.value, slow_loess(places, values, at), rtol=1e-9)
    order = rng.permutation(len(places))
    again = loess(places[order], values[order], at)
    np.testing.assert_array_equal(again.value, fitted.value)


def test_the_uncertainty_is_the_sum_of_what_each_control_adds():
    places, at = np.array(CONTROLS, dtype=float), np.array([(1.0, 1.0), (8.0, 12.0)])
    shares = [loess(places, one, at).value for one in np.eye(len(places))]
    expected = np.sum(np.square(shares), axis=0)
    uncertainty = loess(places, np.zeros(len(places)), at).uncertainty
    np.testing.assert_allclose(uncertainty, expected)
    assert uncertainty[0] > 3 * uncertainty[1]  # a corner is less certain than the middle


@pytest.mark.parametrize(
    "places", [[(1, 1)] * 30, [(row, 5) for row in range(1, 17)] * 2, CONTROLS[:6]]
)
def test_places_that_carry_no_surface_give_none(places):
    assert loess(np.array(places, dtype=float), np.ones(len(places)), np.ones((1, 2))) is None


@pytest.fixture(scope="module")
def explorer(shared_data):
    """Three published plates with their edge factors, and the wells as drp would join them."""
    file = shared_data / "curves" / "dse_plates_norm_edge_expected.csv.gz"
    if not file.is_file():
        pytest.skip("the published edge factors are absent")
    published = pd.read_csv(file)
    published["well"] = [f"{well[0]}{int(well[1:])}" for well in published["wellID"]]
    plates = []
    for name, rows in published.groupby("fileName", sort=True):
        mapped = {
            row.well: ("negative", row.name_)
            if row.wellType == "neg"
            else ("sample", row.name_, 1000 * row.concentration)
            for row in rows.rename(columns={"name": "name_"}).itertuples()
        }
        read = reads(name, dict(zip(rows["well"], rows["value"].astype(float), strict=True)))
        both = {"negative_controls": ["DMSO", "PBS"]}
        own = PLATE | {"plate": name}
        plates.append(join_wells(read, layout(mapped), [own], normalisation=both))
    return published, pd.concat(plates, ignore_index=True)


def test_the_factors_and_values_of_drugscreenexplorer_come_back(explorer):
    published, wells = explorer
    viability = normalise(wells, "loess", EVERY)
    both = published.merge(viability, left_on=["fileName", "well"], right_on=["plate", "well"])
    assert len(both) == 3 * 384
    assert set(both["correction"]) == {"loess"}
    factor = both["viability_raw_pct"] / both["viability_pct"]
    np.testing.assert_allclose(both["viability_raw_pct"], 100 * both["normVal"], rtol=1e-12)
    np.testing.assert_allclose(factor, both["edgeFactor"], atol=1e-9)
    np.testing.assert_allclose(both["viability_pct"], 100 * both["normVal.cor"], atol=1e-6)
    corner = factor[both["well"] == "A1"].tolist()
    assert corner == pytest.approx([1.06511544, 0.87461605, 0.83678305], abs=1e-8)


def test_the_effects_of_these_plates_are_within_one_vehicle(explorer):
    _, wells = explorer
    found = {name: measure(group) for name, group in scale(wells).groupby("plate", sort=True)}
    edges = [effects.edge for effects in found.values()]
    assert edges == pytest.approx([0.957, 0.991, 0.955], abs=5e-4)  # DMSO alone
    shown = [outside(effects, TIERS) for effects in found.values()]
    assert shown == [["row gradient 24.1 %"], [], ["column gradient 30.1 %"]]
    # doses rise along the columns of this map: the lowest lie to one side
    assert all(np.isnan(measure_drugs(g)[1].slope) for _, g in wells.groupby("plate"))


def test_a_gradient_is_found_on_its_own_axis_only():
    effects = measure(plate(ramp, noise=0.03))
    assert effects.column.slope == pytest.approx(30, abs=3)
    assert effects.column.lo < 30 < effects.column.hi
    assert effects.column.p < 1e-6
    assert abs(effects.row.slope) < 3
    row, column = measure_drugs(plate(ramp, noise=0.03))
    assert column.slope == pytest.approx(30, abs=3)
    assert abs(row.slope) < 3
    judged = judge_plates(plate(ramp, noise=0.03), TIERS).iloc[0]
    assert judged["gradient_column_pct"] == effects.column.slope
    assert "column gradient" in judged["reasons"]
    assert "row gradient" not in judged["reasons"]


def test_a_gradient_that_may_be_chance_does_not_count():
    few = plate(ramp, controls=CONTROLS[:9], noise=0.4, seed=5)
    effects = measure(few)
    assert effects.row.p > TIERS["trend_p"] or np.isnan(effects.row.p)
    assert not any("gradient" in words for words in outside(effects, TIERS))


def test_controls_on_one_side_tell_nothing_of_the_other():
    beside = [(row, column) for row in range(1, 17) for column in (5, 6)]
    effects = measure(plate(ramp, controls=beside))
    assert np.isnan(effects.column.slope)
    assert effects.row.slope == 0.0
    refused = correct(scale(plate(edge_of(0.3), controls=beside)), "loess", EVERY)
    assert not refused.applied
    assert "do not reach over the plate" in refused.reason


def test_a_corrected_plate_is_even_again_and_says_so():
    wells = plate(ramp, noise=0.02)
    raw, even = normalise(wells), normalise(wells, "loess", TIERS)
    drugs = even["role"] == "sample"
    assert raw.loc[drugs, "viability_pct"].std() > 8
    assert even.loc[drugs, "viability_pct"].std() < 4
    np.testing.assert_array_equal(even["viability_raw_pct"], raw["viability_pct"])
    assert set(raw["correction"]) == {"none"}
    assert set(even["correction"]) == {"loess"}
    before, after = (
        judge_plates(wells, TIERS, correction=method).iloc[0] for method in ("none", "loess")
    )
    assert before["verdict"] == after["verdict"] == "warn"
    words = f"column gradient {before['gradient_column_pct']:.3g} %"
    assert f"{words} is above 20" in before["reasons"]
    assert "edge correction applied: LOESS over" in after["reasons"]
    assert f"for {words}" in after["reasons"]
    assert "is above" not in after["reasons"]
    assert after["correction"] == "loess"
    assert after["edge_effect_corrected"] == pytest.approx(1, abs=0.03)


def test_what_is_left_is_judged_in_controls_left_out_of_the_fit():
    """A ring one well wide is no smooth surface: the plate is corrected and still warned of."""
    row = judge_plates(plate(edge_of(0.25), noise=0.01), TIERS, correction="loess").iloc[0]
    assert row["correction"] == "loess"
    left = abs(100 * (row["edge_effect_corrected"] - 1))
    assert 10 < left < 25
    assert f"edge effect after correction {left:.3g} % is above" in row["reasons"]


@pytest.mark.parametrize(
    ("wells", "words"),
    [
        (plate(edge_of(0.02)), "edge correction not needed"),
        (plate(edge_of(0.3), controls=CONTROLS[::2]), "18 negative controls, 24 are needed"),
        (
            plate(lambda row, column: 1000 * (0.2 + 0.16 * column)),
            "not applied: the factor would run from",
        ),
    ],
)
def test_a_correction_that_is_not_made_is_said_too(wells, words):
    found = correct(scale(wells), "loess", TIERS)
    assert not found.applied
    assert words in found.reason
    assert words in judge_plates(wells, TIERS, correction="loess").iloc[0]["reasons"]
    viability = normalise(wells, "loess", TIERS)
    np.testing.assert_array_equal(viability["viability_pct"], viability["viability_raw_pct"])
    assert set(viability["correction"]) == {"none"}


def test_by_default_nothing_is_corrected_and_nothing_said():
    found = correct(scale(plate(edge_of(0.3))), "none", TIERS)
    assert (found.applied, found.reason) == (False, "")


def test_each_part_of_a_shared_plate_is_corrected_like_the_whole():
    wells = plate(ramp, noise=0.03)
    whole = normalise(wells, "loess", TIERS).set_index("well")["viability_pct"]
    part = wells[(wells["role"] != "sample") | ((wells["row"] < 7) & (wells["column"] < 12))]
    assert plate_shape(part.head(3)) == (16, 24)
    own = normalise(part, "loess", TIERS).set_index("well")["viability_pct"]
    np.testing.assert_array_equal(own, whole.loc[own.index])


def test_vehicles_are_named_where_they_are_taken_together(explorer):
    _, wells = explorer
    (first, *_) = [group for _, group in scale(wells).groupby("plate", sort=True)]
    assert "69 negative controls (DMSO, PBS together)" in correct(first, "loess", EVERY).reason


def test_an_arm_with_a_partner_is_corrected_with_its_plate():
    wells = plate(ramp)
    partner = wells["row"] % 2 == 0
    signal = wells["signal"].where(~partner, 0.6 * wells["signal"])
    arms = wells.assign(addon=np.where(partner, "trametinib", ""), signal=signal)
    even = normalise(arms, "loess", TIERS)
    assert set(even["correction"]) == {"loess"}
    assert even["viability_pct"].std() < 4 < even["viability_raw_pct"].std()
