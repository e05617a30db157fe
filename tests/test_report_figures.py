"""Drawings: valid XML, marks where the numbers say, contrasts that can be read."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.report import palette
from drp.report.figures import curve_svg, excess_svg, inhibition_svg, own_axis, plate_svg
from drp.report.record import Curve, DoseAxis, Point
from tests import report_example

AXIS = DoseAxis(dose_unit="nM", dose_min=1.0, dose_max=1000.0)


def curve(**changes):
    given = {
        "dose_unit": "nM",
        "dose_min": 1.0,
        "dose_max": 1000.0,
        "points": [
            Point(dose=1.0, viability_pct=100.0),
            Point(dose=1000.0, viability_pct=0.0),
            Point(dose=10.0, viability_pct=400.0),
        ],
        "fitted": [100.0, 50.0, 0.0],
        "band_low": [],
        "band_high": [],
        "reference": [],
        "ic50_qualifier": "=",
        "plasma_peak": 31.6227766,
        "summary": 'a "curve" & <more>',
    }
    return Curve(**(given | changes))


@pytest.fixture(scope="module")
def sample():
    return report_example.record().samples[0]


def paths(svg, kind):
    found = fromstring(svg).iter("path")
    return [path.get("d") for path in found if path.get("class") == kind]


def test_places_by_hand():
    # A strip runs from x = 1 to width - 2; 130 % lies at y = 1, -10 % at height - 1.
    svg = curve_svg(curve(), AXIS, 103, 142, labels=False)
    (dots,) = paths(svg, "d")
    assert dots == "M1.0 31.0h0M101.0 131.0h0M34.3 1.0h0"
    (peak,) = paths(svg, "p")
    assert peak.startswith("M51.0 1V")
    (line,) = paths(svg, "l")
    assert line == "M1.0 31.0L51.0 81.0L101.0 131.0"
    assert not paths(svg, "r")


def test_the_band_runs_along_its_lower_and_back_along_its_upper_side():
    svg = curve_svg(
        curve(band_low=[90.0, -10.0], band_high=[110.0, 10.0]), AXIS, 103, 142, labels=False
    )
    assert paths(svg, "b") == ["M1.0 41.0L101.0 141.0L101.0 121.0L1.0 21.0z"]


@pytest.mark.parametrize(
    ("qualifier", "starts"), [(">", ["M94.0 81.0h7"]), ("<", ["M9.0 81.0h-7"]), ("=", [])]
)
def test_an_ic50_beyond_the_doses_is_an_arrow_inside_the_drawing(qualifier, starts):
    svg = curve_svg(curve(ic50_qualifier=qualifier), AXIS, 103, 142, labels=False)
    assert [path.split("m")[0] for path in paths(svg, "a")] == starts


def test_alternative_text_is_escaped_and_kept():
    svg = curve_svg(curve(), AXIS, 100, 60, labels=True)
    assert fromstring(svg).get("aria-label") == 'a "curve" & <more>'


def test_excluded_wells_are_crosses_and_a_peak_off_the_axis_is_not_drawn():
    points = [Point(dose=10.0, viability_pct=50.0, excluded=True)]
    svg = curve_svg(curve(points=points, plasma_peak=5000.0), AXIS, 100, 60, labels=True)
    assert paths(svg, "x") and not paths(svg, "d") and not paths(svg, "p")


def test_own_axis_spans_the_tested_doses():
    axis = own_axis(curve(dose_min=0.01, dose_max=3.0, dose_unit="IU/mL"))
    assert (axis.dose_min, axis.dose_max, axis.dose_unit) == (0.01, 3.0, "IU/mL")


def test_all_dots_are_one_path(sample):
    for drug in sample.drugs:
        if drug.curve:
            svg = curve_svg(drug.curve, sample.axis, 100, 60, labels=True)
            assert len(paths(svg, "d")) == 1


def test_matrix_prints_each_cell_with_its_sign(sample):
    for item in sample.combinations:
        (matrix,) = item.matrices
        shown = [
            e.text for e in fromstring(excess_svg(matrix)).iter("text") if e.get("class") == "n"
        ]
        expected = [
            round(value) for line in reversed(matrix.excess) for value in line if value is not None
        ]
        assert [int(text.replace("−", "-")) for text in shown] == expected
        assert all(text[0] == "+" for text, value in zip(shown, expected, strict=True) if value > 0)
        whole = fromstring(inhibition_svg(matrix)).iter("text")
        assert len([text for text in whole if text.get("class") == "n"]) == 36


def test_reachable_doses_are_framed(sample):
    svg = excess_svg(sample.combinations[0].matrices[0])
    # 4 of 5 doses of each drug lie below the peak; the frame starts at the low doses.
    assert paths(svg, "o") == ["M39.5 21.5h88v88h-88z"]


def test_the_frame_leaves_out_single_agents(sample):
    # In the matrix with dose 0 the same cells stand one place to the right, above the row of 0.
    svg = inhibition_svg(sample.combinations[0].matrices[0])
    assert paths(svg, "o") == ["M61.5 21.5h88v88h-88z"]


def test_plate_draws_each_well_once(sample):
    for plate in sample.plates:
        svg = plate_svg(plate)
        squares = sum(
            path.get("d").count("M") for path in fromstring(svg).iter("path") if path.get("fill")
        )
        assert squares == sum(value is not None for row in plate.viability_pct for value in row)
        assert len(paths(svg, "x")) == bool(plate.removed)
        assert paths(svg, "i")[0].count("M") == 16


def test_every_mark_is_drawn():
    for mark in palette._MARKS:
        root = fromstring(palette.mark_svg(mark))
        assert len(root) and root.get("aria-hidden") == "true"


def test_text_colours_read_on_white():
    for colour in (palette.INK, palette.GREY, palette.BLUE, palette.ORANGE, palette.PURPLE):
        assert palette.contrast(colour, palette.WHITE) >= 4.5


@given(st.sampled_from([palette.BLUE, palette.ORANGE, palette.PURPLE]), st.floats(0, 1))
def test_numbers_read_on_every_shade(colour, strength):
    background = palette.shade(colour, strength)
    assert palette.contrast(palette.text_on(background), background) >= 4.5


def test_no_red_and_no_green():
    for colour in (palette.BLUE, palette.ORANGE, palette.PURPLE):
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        assert not (green > red and green > blue)
        assert not (red > 150 and green < red / 4 and blue < red / 4)
