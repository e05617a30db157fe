import numpy as np
import pandas as pd
import pytest

from drp.config import QualityTiers
from drp.plate_metrics import (
    cv_pct,
    robust_cv_pct,
    robust_z_prime,
    signal_to_background,
    ssmd,
    z_prime,
)
from drp.quality import judge_plates
from drp.samples import judge_samples
from drp.viability import levels, normalise
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

TIERS = QualityTiers().model_dump()
RNG = np.random.default_rng(7)


def plate(negative, positive=(), drugs=(), name="PL1", run="R1"):
    """A 384-well plate: controls in inner columns, then drug wells in duplicate."""
    wells, values = {}, {}
    columns = {"negative": 5, "positive": 6}
    for role, signals in (("negative", negative), ("positive", positive)):
        for index, signal in enumerate(signals):
            well = f"{'BCDEFGHIJKLMNO'[index % 14]}{columns[role] + 2 * (index // 14)}"
            wells[well] = (role, "DMSO" if role == "negative" else "BzCl")
            values[well] = float(signal)
    for index, signal in enumerate(drugs):
        well = f"{'BCDEFGHIJKLMNO'[index % 14]}{12 + index // 14}"
        wells[well] = ("sample", "x", float(10 ** (1 + index // 2)))
        values[well] = float(signal)
    row = PLATE | {"plate": name, "run": run}
    return join_wells(reads(name, values), layout(wells), [row])


def test_formulas_by_hand():
    negative, positive = np.array([90.0, 100, 110, 100]), np.array([8.0, 10, 12, 10])
    sd_n, sd_p = np.sqrt(200 / 3), np.sqrt(8 / 3)
    assert z_prime(negative, positive) == pytest.approx(1 - 3 * (sd_n + sd_p) / 90)
    assert robust_z_prime(negative, positive) == pytest.approx(1 - 3 * 1.4826 * (5 + 1) / 90)
    assert ssmd(negative, positive) == pytest.approx(90 / np.sqrt(200 / 3 + 8 / 3))
    assert cv_pct(negative) == pytest.approx(sd_n)


def test_signal_to_background_is_less_the_blank():
    negative, positive, blank = np.full(4, 100.0), np.full(4, 10.0), np.array([4.0, 6.0])
    assert signal_to_background(negative, positive, blank[:0]) == pytest.approx(10)
    assert signal_to_background(negative, positive, blank) == pytest.approx(95 / 5)
    assert np.isnan(signal_to_background(negative, positive, blank + 20))
    assert np.isnan(signal_to_background(negative, positive[:3], blank))


def test_three_wells_give_no_metric():
    three, four = np.array([1.0, 2, 3]), np.array([90.0, 100, 110, 100])
    for metric in (z_prime, robust_z_prime, ssmd):
        assert np.isnan([metric(four, three), metric(three, four)]).all()
    assert np.isnan([cv_pct(three), robust_cv_pct(three)]).all()


def test_blanks_of_a_plate_lower_its_background():
    wells = {f"B{column}": ("negative", "DMSO") for column in range(1, 5)}
    wells |= {f"C{column}": ("positive", "BzCl") for column in range(1, 5)}
    wells |= {"D1": ("blank", "")}
    levels_of = {"negative": 100.0, "positive": 12.0, "blank": 10.0}
    values = {well: levels_of[role] for well, (role, _) in wells.items()}
    row = judge_plates(join_wells(reads("PL1", values), layout(wells), [PLATE]), TIERS).iloc[0]
    assert row["signal_to_background"] == pytest.approx(45)


@pytest.fixture(scope="module")
def paediatric(shared_data):
    """Controls of nine 384-well plates of one paediatric screen: 12 negative, 5 positive each."""
    parts = [
        pd.read_csv(shared_data / "curves" / f"itrex_{name}_plates_long.csv", dtype={"Plate": str})
        for name in ("BT40", "INFR1632_combo")
    ]
    found = {}
    for (sample, name), group in pd.concat(parts).groupby(["Sample", "Plate"]):
        kinds = (group.loc[group["WellType"] == kind, "Readout"] for kind in ("neg", "pos"))
        found[f"{sample} {name}"] = tuple(kind.to_numpy(float) for kind in kinds)
    return found


def test_three_plates_give_their_published_quality(paediatric):
    got = [
        [metric(*paediatric[f"BT-40 {name}"]) for metric in (z_prime, robust_z_prime, ssmd)]
        for name in "123"
    ]
    expected = [[0.4589, 0.4124, 7.265], [0.6114, 0.6495, 10.599], [0.6041, 0.6648, 10.321]]
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_nine_plates_of_a_screen_lie_in_its_published_ranges(paediatric):
    assert len(paediatric) == 9
    none = np.array([])
    ranges = {  # with the decimals they are printed to
        z_prime: (0.459, 0.723, 3),
        robust_z_prime: (0.273, 0.778, 3),
        ssmd: (5.7, 11, 0),
        lambda negative, _: cv_pct(negative): (7.0, 17.6, 1),
        lambda _, positive: cv_pct(positive): (5, 35, 0),
        lambda negative, positive: signal_to_background(negative, positive, none): (7, 306, 0),
    }
    for metric, (low, high, decimals) in ranges.items():
        values = [metric(negative, positive) for negative, positive in paediatric.values()]
        assert low <= round(min(values), decimals) <= round(max(values), decimals) <= high, values
    # these ends of the ranges are among the nine
    assert min(z_prime(*each) for each in paediatric.values()) == pytest.approx(0.459, abs=1e-3)
    assert max(robust_z_prime(*each) for each in paediatric.values()) == pytest.approx(0.778, 1e-3)


def test_plates_without_positive_controls_give_their_published_spread(shared_data):
    wells = pd.read_csv(shared_data / "curves" / "dse_plates_norm_edge_expected.csv.gz")
    got = []
    for _, group in wells[wells["wellType"] == "neg"].groupby("fileName"):
        signals = group["value"].to_numpy(float)
        got.append([cv_pct(signals), robust_cv_pct(signals)])
    np.testing.assert_allclose(got, [[18.5, 20.1], [8.0, 7.8], [12.4, 12.0]], atol=0.051)


def test_a_good_plate_passes():
    row = judge_plates(plate(RNG.normal(1000, 40, 20), RNG.normal(20, 3, 14)), TIERS).iloc[0]
    assert (row["verdict"], row["reasons"], row["correction"]) == ("pass", "", "none")
    assert row["z_prime"] > 0.8


def test_without_positive_controls_the_metrics_that_need_them_are_null_and_said():
    row = judge_plates(plate(RNG.normal(1000, 40, 20)), TIERS).iloc[0]
    assert row["verdict"] == "pass"
    assert np.isnan([row[name] for name in ("z_prime", "robust_z_prime", "ssmd")]).all()
    assert "Z′, SSMD and signal to background unavailable" in row["reasons"]


@pytest.mark.parametrize(
    ("negative", "positive", "verdict", "words"),
    [
        (RNG.normal(1000, 40, 5), RNG.normal(20, 3, 14), "warn", "only 5 negative"),
        (RNG.normal(1000, 190, 28), RNG.normal(20, 3, 14), "warn", "robust CV"),
        (RNG.normal(1000, 600, 28), RNG.normal(20, 3, 14), "fail", "robust Z′"),
        (RNG.normal(20, 3, 20), RNG.normal(1000, 40, 14), "fail", "not above the positive"),
        ((), RNG.normal(20, 3, 14), "fail", "no usable negative control"),
    ],
)
def test_each_gate_has_its_reason(negative, positive, verdict, words):
    row = judge_plates(plate(negative, positive, drugs=(500.0,)), TIERS).iloc[0]
    assert row["verdict"] == verdict
    assert words in row["reasons"]


def test_replicates_that_disagree_are_found():
    spread = [900, 300, 800, 250, 700, 200]
    row = judge_plates(plate(RNG.normal(1000, 40, 20), RNG.normal(20, 3, 14), spread), TIERS).iloc[
        0
    ]
    assert row["n_replicated"] == 3
    sd = 100 * np.sqrt(np.mean([600**2 / 2, 550**2 / 2, 500**2 / 2]))
    span = row["negative_median"] - row["positive_median"]
    assert row["replicate_sd"] == pytest.approx(sd / span)
    assert "replicate SD" in row["reasons"]
    assert row["verdict"] == "fail"


def test_an_edge_effect_is_measured_within_one_vehicle():
    outer = {f"A{column}": ("negative", "DMSO") for column in range(5, 11)}
    inner = {f"E{column}": ("negative", "DMSO") for column in range(5, 11)}
    other = {f"P{column}": ("negative", "PBS") for column in range(5, 8)}
    values = dict.fromkeys(outer, 85.0) | dict.fromkeys(inner, 100.0) | dict.fromkeys(other, 1.0)
    wells = join_wells(
        reads("PL1", values),
        layout(outer | inner | other),
        [PLATE],
        normalisation={"negative_controls": ["DMSO"]},
    )
    row = judge_plates(wells, TIERS).iloc[0]
    assert row["edge_effect"] == pytest.approx(0.85)
    assert "edge effect 15 %" in row["reasons"]


def test_a_weak_plate_stands_out_from_its_run():
    parts = [
        plate(RNG.normal(level, 30, 20), name=name)
        for name, level in (("PL1", 1000), ("PL2", 1100), ("PL3", 950), ("PL4", 70))
    ]
    quality = judge_plates(pd.concat(parts, ignore_index=True), TIERS).set_index("plate")
    assert quality.loc["PL4", "signal_of_run"] == pytest.approx(7, abs=1)
    assert quality.loc["PL4", "verdict"] != "pass"
    assert "% of the run's usual" in quality.loc["PL4", "reasons"]
    alone = judge_plates(parts[3], TIERS).iloc[0]
    assert np.isnan(alone["signal_of_run"])


def test_a_sample_fails_by_its_cells_or_by_all_its_plates():
    quality = [
        {"plate": "PL1", "verdict": "pass", "reasons": ""},
        {"plate": "PL2", "verdict": "fail", "reasons": "robust Z′ -1; x"},
    ]
    plates = {"S1": ["PL1", "PL2"], "S2": ["PL2"], "S3": ["PL1"], "S4": ["PL1"], "S5": []}
    good = {"thaw_viability_pct": "90", "blasts_pct": "95", "survival_pct": "80"}
    samples = [
        {"sample": "S1"} | good,
        {"sample": "S2"} | good,
        {"sample": "S3"} | good | {"thaw_viability_pct": "40"},
        {"sample": "S4"},
        {"sample": "S5"} | good,
    ]
    judged = pd.DataFrame(judge_samples(samples, plates, quality, TIERS)).set_index("sample")
    assert judged["verdict"].to_dict() == {
        "S1": "warn", "S2": "fail", "S3": "fail", "S4": "pass", "S5": "fail"
    }  # fmt: skip
    assert "plate PL2 failed: robust Z′ -1, x" in judged.loc["S1", "reasons"]
    assert "not recorded" in judged.loc["S4", "reasons"]


def test_viability_with_and_without_positive_controls():
    with_positive = plate([100.0] * 4, [20.0] * 4, [60.0, 120.0, 10.0])
    assert levels(with_positive) == (100.0, 20.0)
    viability = normalise(with_positive)
    drug = viability[viability["role"] == "sample"]
    assert sorted(drug["viability_pct"]) == [-12.5, 50.0, 125.0]
    without = normalise(plate([100.0] * 4, (), [60.0]))
    assert without.loc[without["role"] == "sample", "viability_pct"].tolist() == [60.0]


def test_a_plate_that_cannot_be_scaled_has_no_viability():
    upside_down = normalise(plate([20.0] * 4, [100.0] * 4, [60.0]))
    assert upside_down["viability_pct"].isna().all()


def test_order_and_scale_of_signals_change_nothing():
    wells = plate(RNG.normal(1000, 40, 20), RNG.normal(20, 3, 14), RNG.normal(500, 30, 6))
    shuffled = wells.sample(frac=1, random_state=3)
    doubled = wells.assign(signal=wells["signal"] * 2)
    first = normalise(wells).set_index("well")["viability_pct"]
    for other in (shuffled, doubled):
        second = normalise(other).set_index("well")["viability_pct"].loc[first.index]
        np.testing.assert_allclose(second, first, rtol=1e-12)
        quality = judge_plates(other, TIERS).iloc[0]
        assert quality["robust_z_prime"] == pytest.approx(
            judge_plates(wells, TIERS).iloc[0]["robust_z_prime"]
        )
