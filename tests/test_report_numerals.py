"""Numbers in words: two figures, true minus, no negative zero, nothing lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.report import numerals
from drp.report.record import Estimate

FINITE = st.floats(min_value=-1e9, max_value=1e9)


def back(text: str) -> float:
    return float(text.replace(",", "").replace(numerals.MINUS, "-"))


@given(FINITE)
def test_two_significant_figures_are_within_half_a_step(value):
    text = numerals.significant(value)
    assert abs(back(text) - value) <= 0.0501 * abs(value)
    assert "-" not in text
    assert text not in (f"{numerals.MINUS}0", f"{numerals.MINUS}0.0")


@given(FINITE)
def test_signed_always_shows_its_sign(value):
    text = numerals.signed(value)
    assert text == "0" or text[0] in ("+", numerals.MINUS)
    assert text == "0" or (text[0] == "+") == (value > 0)


@given(st.floats(min_value=-200, max_value=200))
def test_percent_and_whole_have_no_negative_zero(value):
    for text in (numerals.percent(value), numerals.whole(value)):
        assert back(text) != 0 or text == "0"
        assert abs(back(text) - value) <= 0.501


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(value=18, lo=12, hi=26), "12 to 26"),
        (Estimate(value=18, hi=26, open="low"), "up to 26"),
        (Estimate(value=18, lo=12, open="high"), "12 or more"),
        (Estimate(value=18, open="both"), "interval open at both ends"),
        (Estimate(value=18, lo=12), "no interval"),
    ],
)
def test_intervals_in_words(estimate, words):
    assert numerals.interval(estimate) == words


def test_rounding_that_gains_a_digit():
    assert [numerals.significant(x) for x in (9.96, 99.6, 0.996)] == ["10", "100", "1.0"]


def test_ic50_beyond_the_tested_doses_is_named_as_a_limit():
    assert numerals.ic50(Estimate(value=1.0), "<", "nM") == "below 1.0 nM"
    assert numerals.ic50(Estimate(), "", "nM") == numerals.UNKNOWN
