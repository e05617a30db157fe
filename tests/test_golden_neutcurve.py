"""neutcurve's examples: neutralisation curves as fractions, asymptotes held or free."""

import numpy as np
import pandas as pd
import pytest

from drp.curves import Bounds, fit
from drp.curves.metrics import log10_dose_at
from drp.sensitivity import fit_curves

from . import naive

HELD = Bounds(top=(1.0, 1.0), bottom=(0.0, 0.0))
DOSES = 0.002 * 2.0 ** np.arange(9)


def doses_at(level, fits):
    parts = fits.top, fits.bottom, fits.log10_ec50, fits.slope
    return 10 ** log10_dose_at(level, *parts)


@pytest.fixture(scope="module")
def doud(shared_data):
    """Means of the three replicates: serum, virus, concentration, fraction."""
    wells = pd.read_csv(shared_data / "curves" / "neutcurve_Doud_et_al_2018-neutdata.csv")
    keys = ["serum", "virus", "concentration"]
    return wells.groupby(keys, as_index=False)["fraction infectivity"].mean()


def rows_of(doud, serum, virus):
    rows = doud[(doud["serum"] == serum) & (doud["virus"] == virus)]
    return rows["concentration"].to_numpy(), rows["fraction infectivity"].to_numpy()


@pytest.mark.parametrize(
    ("virus", "ic50", "slope"), [("WT", 0.017029, 2.279314), ("V135T", 0.022924, None)]
)
def test_curves_with_both_asymptotes_held(doud, virus, ic50, slope):
    dose, fraction = rows_of(doud, "FI6v3", virus)
    fits = fit(dose, fraction[None], bounds=HELD)
    assert doses_at(0.5, fits)[0] == pytest.approx(ic50, rel=1e-3)
    assert slope is None or fits.slope[0] == pytest.approx(slope, rel=1e-3)


def escaped(doud):
    dose, fraction = rows_of(doud, "H17-L19", "V135T")
    wells = pd.DataFrame({"sample": "V135T", "drug": "H17-L19", "dose": dose, "dose_unit": "ug/mL",
                          "viability_pct": 100 * fraction})  # fmt: skip
    held = Bounds(top=(100.0, 100.0), bottom=(0.0, 0.0))
    return fit_curves(wells, bounds=held).iloc[0]


def test_a_virus_that_escapes_has_an_ic50_beyond_the_doses(doud):
    dose, fraction = rows_of(doud, "H17-L19", "V135T")
    half = doses_at(0.5, fit(dose, fraction[None], bounds=HELD))[0]
    assert half > dose.max() == pytest.approx(11.4, abs=0.05)


@pytest.mark.slow
def test_the_table_gives_it_as_the_highest_dose(doud):
    curve = escaped(doud)
    assert (curve["ic50_qualifier"], curve["ic50"]) == (">", curve["dose_max"])


@pytest.mark.slow
def test_its_interval_is_open_above(doud):
    assert escaped(doud)["ic50_hi"] == np.inf


def synthetic(bottom, doses):
    fraction = [naive.viability(dose, 1.0, bottom, np.log10(0.03), 1.9) for dose in doses]
    return pd.DataFrame({"sample": "S1", "drug": "serum", "dose": doses, "dose_unit": "ug/mL",
                         "viability_pct": 100 * np.array(fraction)})  # fmt: skip


def test_doses_of_several_effects_on_a_curve_with_a_plateau():
    response = synthetic(0.1, DOSES)["viability_pct"].to_numpy() / 100
    fits = fit(DOSES, response[None])
    assert doses_at(0.5, fits)[0] == pytest.approx(0.0337, abs=1e-4)
    assert doses_at(0.2, fits)[0] == pytest.approx(0.0896, abs=1e-4)
    assert doses_at(0.05, fits)[0] == np.inf  # the plateau is 10 %


@pytest.mark.slow
def test_the_table_knows_an_ic50_inside_and_above_the_doses():
    curve = fit_curves(synthetic(0.1, DOSES)).iloc[0]
    assert (curve["ic50_qualifier"], curve["ic50"]) == ("=", pytest.approx(0.0337, abs=1e-4))
    curve = fit_curves(synthetic(0.0, DOSES[DOSES <= 0.0064])).iloc[0]
    assert (curve["ic50_qualifier"], curve["ic50"]) == (">", DOSES[1])  # two doses: no curve
    six = fit_curves(synthetic(0.0, 0.0064 / 2.0 ** np.arange(6))).iloc[0]
    assert (six["ic50_qualifier"], six["ic50"]) == (">", 0.0064)
    assert six["ic50_hi"] == np.inf


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", ["neutcurve_constrain_params_range_data.csv", "neutcurve_test_curves_data.csv"]
)
def test_every_real_curve_has_a_result(shared_data, file):
    wells = pd.read_csv(shared_data / "curves" / file)
    names = {"strain": "virus", "barcode": "replicate", "frac_infectivity": "fraction infectivity"}
    wells = wells.rename(columns=names)
    table = fit_curves(
        pd.DataFrame(
            {
                "sample": wells["virus"] + " " + wells["replicate"],
                "drug": wells["serum"],
                "dose": wells["concentration"],
                "dose_unit": "ug/mL",
                "viability_pct": 100 * wells["fraction infectivity"],
            }
        )
    )
    assert len(table) == len(wells.groupby(["serum", "virus", "replicate"]))
    assert not table["status"].str.startswith("failed").any()
    assert table["ic50_qualifier"].isin(["=", "<", ">"]).all()
    assert table[["auc", "ic50", "dss2"]].notna().all(axis=None)
