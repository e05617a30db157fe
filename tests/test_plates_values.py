"""What a printed cell says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.plates.values import find_decimal, looks_like_number, parse_number, read_status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("OVRFLW", "saturated"),
        ("Over", "saturated"),
        (">Max", "saturated"),
        ("#SAT", "saturated"),
        (">4.0", "saturated"),
        ("#Low", "below_range"),
        ("<Min", "below_range"),
        ("< 0.01", "below_range"),
        ("Invalid", "invalid"),
        ("*****", "invalid"),
        ("?????", "invalid"),
        ("Range?", "invalid"),
        ("Path?", "invalid"),
        ("NaN", "missing"),
        ("NA", "missing"),
        ("MISSED", "missing"),
        ("", "missing"),
        ("  ", "missing"),
        ("12", None),
        ("RNA", None),
        ("*", None),
    ],
)
def test_states(text, status):
    assert read_status(text) == status


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back(number):
    assert parse_number(repr(number)) == number


@pytest.mark.parametrize(
    "text", ["inf", "nan", "1e999", "1_000", "0x10", "١٢", "1 2", "1,5", "--1"]
)
def test_what_is_no_number(text):
    assert parse_number(text) is None


def test_decimal_comma():
    assert parse_number("1,5", ",") == 1.5
    assert parse_number("-0,25E-3", ",") == -0.25e-3
    assert parse_number("12", ",") == 12


@pytest.mark.parametrize(
    ("texts", "decimal"),
    [
        (["1", "2", ""], "."),
        (["1.5", "OVRFLW", "210.530"], "."),
        (["0,5", "210,530", "7"], ","),
        (["1234,567"], ","),
        (["0,123"], ","),
    ],
)
def test_numbers_that_agree(texts, decimal):
    assert find_decimal(texts) == (decimal, [])


@pytest.mark.parametrize(
    ("texts", "position"),
    [
        (["17", "210,530"], 1),
        (["1.234.567"], 0),
        (["1,234,567"], 0),
        (["1,234.5"], 0),
        (["1.234,5"], 0),
        (["5", "1'234"], 1),
        (["5", "12 345"], 1),
        (["1.5", "2,5"], 1),
        (["0,5", "1.234.567"], 1),
    ],
)
def test_numbers_that_cannot_be_read_safely(texts, position):
    _, faults = find_decimal(texts)
    assert [fault.position for fault in faults] == [position]


def test_looks_like_number_takes_even_what_is_unclear():
    assert all(map(looks_like_number, ["1", "0.5", "1,5", "210,530", "1.234.567", "-3", "2E5"]))
    assert not any(map(looks_like_number, ["", "A", "OVRFLW", "1 A"]))
