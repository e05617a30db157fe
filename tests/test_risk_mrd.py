from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.risk.mrd import read_mrd
from drp.risk.refusal import RefusedError

CUTS = (Decimal("1e-4"), Decimal("1e-3"))


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("0", "0"),
        ("0%", "0"),
        ("0.1%", "1e-3"),
        ("0.1 %", "1e-3"),
        ("1e-3", "1e-3"),
        ("1E-3", "1e-3"),
        ("10^-3", "1e-3"),
        ("10⁻³", "1e-3"),
        ("5x10^-4", "5e-4"),
        ("5 × 10⁻⁴", "5e-4"),
        ("0.0099%", "9.9e-5"),
        ("100%", "1"),
    ],
)
def test_a_measured_value_is_exact(text, fraction):
    mrd = read_mrd(text)
    assert mrd.lower == mrd.upper == Decimal(fraction)
    assert not (mrd.lower_open or mrd.upper_open)


@pytest.mark.parametrize(("text", "fraction"), [("0.1%", "1e-3"), ("0.01%", "1e-4")])
def test_a_value_at_the_cut_reaches_it(text, fraction):
    mrd = read_mrd(text)
    assert mrd.may_reach(Decimal(fraction))
    assert not mrd.may_be_below(Decimal(fraction))
    assert mrd.is_exactly(Decimal(fraction))


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("<0.1%", [(True, True), (False, True)]),
        ("<=0.1%", [(True, True), (True, True)]),
        ("<0.01%", [(False, True), (False, True)]),
        ("<1%", [(True, True), (True, True)]),
        (">0.05%", [(True, False), (True, True)]),
        ("≥0.1%", [(True, False), (True, False)]),
        (">1e-4", [(True, False), (True, True)]),
    ],
)
def test_a_limit_settles_what_it_settles(text, sides):
    mrd = read_mrd(text)
    assert [(mrd.may_reach(cut), mrd.may_be_below(cut)) for cut in CUTS] == sides


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.1", "mrd-unit"),
        ("0.001", "mrd-unit"),
        ("1", "mrd-unit"),
        ("<0.1", "mrd-unit"),
        ("101%", "mrd-range"),
        ("1e1", "mrd-range"),
        ("<0%", "mrd-range"),
        (">100%", "mrd-range"),
        ("0,05%", "bad-mrd"),
        ("-1e-3", "bad-mrd"),
        ("negative", "bad-mrd"),
        ("1e-3 to 1e-4", "bad-mrd"),
        ("%", "bad-mrd"),
    ],
)
def test_what_is_no_result_is_refused(text, code):
    with pytest.raises(RefusedError) as refused:
        read_mrd(text)
    assert refused.value.code == code
    assert repr(text) in refused.value.found


def test_only_a_fraction_is_marked_as_one():
    marked = {text: read_mrd(text).as_fraction for text in ("0", "0%", "0.1%", "1e-3", "<1e-4")}
    assert marked == {"0": False, "0%": False, "0.1%": False, "1e-3": True, "<1e-4": True}


@given(st.decimals(min_value=0, max_value=100, places=6))
def test_per_cent_and_fraction_are_the_same(per_cent):
    as_per_cent = read_mrd(f"{per_cent}%")
    as_fraction = read_mrd(f"{per_cent}e-2")
    assert (as_per_cent.lower, as_per_cent.upper) == (as_fraction.lower, as_fraction.upper)
