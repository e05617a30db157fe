"""RI and CSS: the other program's numbers, a slow twin by quadrature, refusals, laws."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from drp.synergy.css import css, relative_inhibition, single_ri
from drp.synergy.hill import fit_hill
from tests.synergy_cases import NOISE_FREE, hill, load_cases

DOSE = np.array([0.0, 1, 3, 9, 27, 81])
FROM_6 = [name for name in NOISE_FREE if name != "bliss_full_4"]


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "synergy"


@pytest.fixture(scope="module")
def cases(folder):
    return load_cases(folder)


@pytest.mark.parametrize("name", FROM_6)
def test_numbers_are_those_of_synergyfinder(cases, folder, name):
    theirs = pd.read_csv(folder / "sf_synthetic_summary.csv").set_index("case").loc[name]
    case = cases[name]
    assert single_ri(case.levels[0], case.table[:, 0]) == pytest.approx(theirs["ri_1"], abs=0.01)
    assert single_ri(case.levels[1], case.table[0]) == pytest.approx(theirs["ri_2"], abs=0.01)
    tolerance = 0.1 if name == "bliss_partial_plus8_8" else 0.01
    assert css(case.levels, case.table).css == pytest.approx(theirs["css"], abs=tolerance)


def test_four_doses_with_0_are_refused(cases):
    case = cases["bliss_full_4"]
    found = css(case.levels, case.table)
    assert np.isnan(found.css)
    assert found.reason == "too few doses for CSS along drug 1 and 2"
    assert np.isnan(single_ri(case.levels[0], case.table[:, 0]))


def test_an_anchor_is_taken_at_its_one_dose(cases):
    case = cases["anchor_8x2"]
    found = css(case.levels, case.table)
    assert found.css == found.css1 == single_ri(case.levels[0], case.table[:, 1])
    assert np.isnan(found.css2)
    swapped = css(case.levels[::-1], case.table.T)
    assert swapped.css == found.css


@pytest.mark.parametrize(
    "parameters",
    [(0, 100, 5, 1.2), (-10, 60, 80, 0.4), (20, -30, 0.2, 8), (3, 90, 300, 2), (0, 50, 2, 3)],
)
def test_ri_is_the_integral_of_the_curve(parameters):
    values = hill(DOSE[1:], *parameters)
    fits = fit_hill(DOSE[1:], values[None])
    found = relative_inhibition(fits, 1.0, 81.0)[0]
    area, _ = quad(lambda u: float(hill(np.exp(u), *parameters)), 0, np.log(81), limit=200)
    assert found == pytest.approx(area / np.log(81), abs=0.02)


def test_a_flat_curve_has_its_level_as_ri():
    assert single_ri(DOSE, np.full(6, 12.0)) == pytest.approx(12)


def test_drugs_swap_and_order_of_doses_do_not_matter():
    rng = np.random.default_rng(1)
    table = 100 * DOSE / (9 + DOSE)
    table = np.maximum(table[:, None], table[None]) + rng.normal(0, 3, (6, 6))
    found, swapped = css((DOSE, DOSE * 5), table), css((DOSE * 5, DOSE), table.T)
    assert swapped.css == pytest.approx(found.css, abs=1e-3)
    assert swapped.css1 == pytest.approx(found.css2, abs=1e-3)
    order = rng.permutation(6)
    assert single_ri(DOSE[order], table[order, 0]) == single_ri(DOSE, table[:, 0])


def test_missing_wells_are_left_out():
    values = hill(DOSE, 0, 100, 9, 1.0)
    values[2] = np.nan
    assert single_ri(DOSE, values) == pytest.approx(50, abs=1e-3)
    values[3] = np.nan
    assert np.isnan(single_ri(DOSE, values))
