from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.risk.timing import Dates, Months, add_months, bfm_timing, cog_timing

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "reached"),
    [
        (date(2019, 8, 31), 18, date(2021, 2, 28)),
        (date(2018, 8, 31), 18, date(2020, 2, 29)),
        (date(2020, 2, 29), 36, date(2023, 2, 28)),
        (date(2020, 2, 29), 48, date(2024, 2, 29)),
        (date(2020, 3, 31), 6, date(2020, 9, 30)),
        (date(2020, 12, 15), 0, date(2020, 12, 15)),
        (date(2020, 7, 1), 6, date(2021, 1, 1)),
    ],
)
def test_calendar_months_stop_at_the_end_of_the_month(day, months, reached):
    assert add_months(day, months) == reached


@given(DAYS, st.integers(0, 120))
def test_the_very_day_counts_and_the_day_before_does_not(start, months):
    day = add_months(start, months)
    assert Dates(start, day).reached(months)
    assert not Dates(start, day - timedelta(days=1)).reached(months)


@given(DAYS, st.integers(0, 120))
def test_months_never_move_a_day_backwards_or_out_of_its_month(start, months):
    day = add_months(start, months)
    assert (day.year * 12 + day.month) - (start.year * 12 + start.month) == months
    assert day.day == start.day or (day + timedelta(days=1)).day == 1


@pytest.mark.parametrize(("offset", "near"), [(-8, False), (-7, True), (7, True), (8, False)])
def test_near_is_seven_days(offset, near):
    start = date(2019, 3, 10)
    assert Dates(start, date(2020, 9, 10) + timedelta(days=offset)).near(18) is near


@pytest.mark.parametrize(
    ("months", "near"), [("17.74", False), ("17.75", True), ("18.25", True), ("18.26", False)]
)
def test_near_is_a_quarter_of_a_month(months, near):
    assert Months(Decimal(months)).near(18) is near


@pytest.mark.parametrize(
    ("since_diagnosis", "off_therapy", "timing"),
    [
        ("17.99", "0", "very_early"),
        ("17.99", "9", "very_early"),
        ("18", "0", "early"),
        ("18", "5.99", "early"),
        ("18", "6", "late"),
        ("60", "5.99", "early"),
    ],
)
def test_bfm_timing(since_diagnosis, off_therapy, timing):
    assert bfm_timing(Decimal(since_diagnosis), Decimal(off_therapy)) == timing


@pytest.mark.parametrize(
    ("site", "months", "timing"),
    [
        ("isolated_marrow", "35.99", "early"),
        ("isolated_marrow", "36", "late"),
        ("combined", "35.99", "early"),
        ("combined", "36", "late"),
        ("isolated_em", "17.99", "early"),
        ("isolated_em", "18", "late"),
    ],
)
def test_cog_timing(site, months, timing):
    assert cog_timing(site, Decimal(months)) == timing
