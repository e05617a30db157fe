"""Names of wells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.wellnames import (
    MOST_COLUMNS,
    MOST_ROWS,
    parse_well,
    plate_format,
    row_letters,
    row_number,
    smallest_format,
    well_name,
)

PLACES = st.tuples(st.integers(1, MOST_ROWS), st.integers(1, MOST_COLUMNS))


@given(PLACES)
def test_a_name_leads_back_to_its_well(place):
    assert parse_well(well_name(*place)) == place


@given(PLACES, st.sampled_from(["{}{}", "{}{:02d}", "{}{:03d}", " {}{} "]), st.booleans())
def test_every_usual_way_of_writing_is_the_same_well(place, form, lower):
    text = form.format(row_letters(place[0]), place[1])
    assert parse_well(text.lower() if lower else text) == place


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "A49", "AG1", "A1B", "A-1", "A1.0", "Ä1", "A١"]
)
def test_what_is_no_well(text):
    assert parse_well(text) is None


def test_rows_beyond_the_plate():
    assert row_number("AG") is None
    for row in (0, 33):
        with pytest.raises(ValueError, match="row must be"):
            row_letters(row)
    with pytest.raises(ValueError, match="column must be"):
        well_name(1, 49)


def test_formats():
    assert [plate_format(*shape) for shape in ((8, 12), (16, 24), (32, 48), (12, 8))] == [
        96,
        384,
        1536,
        None,
    ]
    assert smallest_format(9, 1) == (16, 24)
    assert smallest_format(32, 48) == (32, 48)
