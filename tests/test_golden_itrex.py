"""iTReX's BT-40 example: three plates, 75 drugs at five doses in duplicate, and its scores."""

import numpy as np
import pandas as pd
import pytest

from drp.asymmetric import asymmetric_scores
from drp.selective import selective_scores
from drp.sensitivity import fit_curves
from drp.viability import normalise

from . import naive

ROLES = {"therapy": "sample", "neg": "negative", "pos": "positive"}


@pytest.fixture(scope="module")
def plates(shared_data):
    return pd.read_csv(shared_data / "curves" / "itrex_BT40_plates_long.csv", dtype={"Plate": str})


@pytest.fixture(scope="module")
def published(shared_data):
    table = pd.read_csv(shared_data / "curves" / "itrex_BT40_published_params.csv")
    return table.set_index("Drug.Name").sort_index()


@pytest.fixture(scope="module")
def wells(plates):
    """The plates as the table `wells`, with the control each well is."""
    role = plates["WellType"].map(ROLES).fillna("reference")
    numbered = plates["Row"] + plates["Column"].astype(str)
    return pd.DataFrame(
        {
            **dict.fromkeys(("drug2", "drug3", "reason"), ""),
            **dict.fromkeys(("dose2", "dose3"), np.nan),
            "run": "R1",
            "plate": plates["Plate"],
            "well": numbered,
            "sample": "BT-40",
            "role": role,
            "drug": plates["Treatment"].where(role == "sample").fillna(""),
            "dose": plates["Concentration"].where(role == "sample"),
            "dose_unit": np.where(role == "sample", "nM", ""),
            "signal": plates["Readout"].astype(float),
            "status": "ok",
            "excluded": False,
            "control": role.where(role.isin(["negative", "positive"]), ""),
            "nv": plates["nv"],
        }
    )


@pytest.fixture(scope="module")
def scores(wells):
    """DSS_asym from the published viability, by drug."""
    drug = wells[wells["role"] == "sample"].sort_values(["drug", "dose"])
    dose, viability = (
        drug[name].to_numpy().reshape(-1, 10) * scale for name, scale in (("dose", 1), ("nv", 100))
    )
    return asymmetric_scores(dose, viability)


def test_normalised_viability_is_exact(wells):
    scaled = normalise(wells)
    np.testing.assert_allclose(scaled["viability_pct"], 100 * wells["nv"], rtol=0, atol=1e-10)
    levels = scaled.groupby("plate")[["level_100", "level_0"]].first().to_numpy().tolist()
    assert levels == [[1411, 215], [1391, 211], [1314.5, 180]]


def test_the_score_by_its_quantiles(scores, published):
    apart = np.abs(scores.score - published["DSS_asym"])
    assert np.median(apart) <= 0.05
    assert np.quantile(apart, 0.9) <= 0.7
    assert np.corrcoef(scores.score, published["DSS_asym"])[0, 1] >= 0.995
    ranks = pd.Series(scores.score).rank(), published["DSS_asym"].rank()
    assert np.corrcoef(*ranks)[0, 1] >= 0.995


def test_goodness_threshold_and_adjusted_score(scores, published):
    assert np.median(np.abs(scores.goodness - published["GOF"])) <= 1e-3
    assert (scores.goodness < 0.7).sum() == 30
    assert np.quantile(np.abs(scores.threshold - published["Amin"]), 0.8) <= 1e-2
    np.testing.assert_allclose(
        published["DSS_asym"] * published["GOF"], published["DSS_asym_adj"], atol=1e-6
    )
    np.testing.assert_array_equal(scores.adjusted, scores.score * scores.goodness)


def test_two_drugs_by_name(scores, published):
    place = {name: index for index, name in enumerate(published.index)}
    one, other = place["A-1155463"], place["A-1331852"]
    assert scores.score[one] == pytest.approx(33.566012, abs=0.05)
    assert scores.goodness[one] == pytest.approx(0.995629, abs=1e-3)
    assert scores.threshold[one] == 10
    assert scores.score[other] == pytest.approx(23.241099, abs=0.05)
    assert scores.threshold[other] == pytest.approx(
        10.397238, abs=0.1
    )  # an asymptote, loosely known


def test_the_curves_table_carries_the_score(wells, scores, published):
    drug = wells[wells["role"] == "sample"].assign(viability_pct=100 * wells["nv"])
    table = fit_curves(drug).set_index("drug").loc[published.index]
    np.testing.assert_array_equal(table["dss_asym"], scores.score)
    # the threshold's 10 % and the logarithm make Yadav's scores another scale altogether
    assert np.median(np.abs(table["dss1"] - table["dss_asym"])) > 1


def test_the_score_is_that_of_its_curve_by_quadrature(wells, scores):
    drug = wells[wells["role"] == "sample"].sort_values(["drug", "dose"])
    x = np.log10(drug["dose"].to_numpy()).reshape(-1, 10)
    for curve in range(len(x)):
        expected = naive.dss_asym(
            scores.low_end[curve] / 100, scores.high_end[curve] / 100, scores.log10_middle[curve],
            scores.slope[curve], scores.asymmetry[curve], x[curve, 0], x[curve, -1],
        )  # fmt: skip
        assert scores.score[curve] == pytest.approx(expected, abs=0.05)  # 200 doses there


def test_no_descent_ends_above_its_start(wells, scores):
    drug = wells[wells["role"] == "sample"].sort_values(["drug", "dose"])
    x = np.log10(drug["dose"].to_numpy()).reshape(-1, 10)
    y = 1 - drug["nv"].to_numpy().reshape(-1, 10)
    for curve in range(0, 75, 7):
        own = naive.asymmetric_criterion(
            x[curve], y[curve],
            (scores.low_end[curve] / 100, scores.high_end[curve] / 100,
             scores.log10_middle[curve], scores.slope[curve], scores.asymmetry[curve]),
        )  # fmt: skip
        assert own == pytest.approx(scores.objective[curve], rel=1e-9)
        flat = min((np.abs(y[curve] - level) ** 1.5).sum() for level in np.linspace(-0.5, 1.5, 401))
        assert own <= flat + 1e-9


def test_selective_scores_are_the_published_differences(shared_data, published):
    healthy = pd.read_csv(shared_data / "curves" / "itrex_healthy_controls_DSSasym.csv")

    def long(sample, drugs, values):
        return pd.DataFrame(
            {"sample": sample, "drug": drugs, "dose_unit": "nM", "dose_min": 1.0,
             "dose_max": 1e4, "variant": "dss_asym", "score": values}
        )  # fmt: skip

    patient = long("BT-40", published.index, published["DSS_asym"].to_numpy())
    reference = long("healthy mean", healthy["Drug.Name"], healthy["mean_DSS"])
    found = selective_scores(patient, reference, variant="dss_asym").set_index("drug")
    expected = published["sDSS_asym"].loc[found.index]
    np.testing.assert_allclose(found["sdss"], expected, atol=1e-6)
    assert (found["flags"] == "few_reference").all()  # a mean stands for one sample
