import numpy as np
import pandas as pd
import pytest

from drp.call_words import DrugFacts
from drp.calls import make_calls
from drp.cohort import join_members
from drp.config import CallSettings
from drp.standing import z_cut
from tests.test_cohort import members

SETTINGS = CallSettings().model_dump() | {"minimum": 8, "established": 20}
NAN = float("nan")
RNG = np.random.default_rng(11)
USUAL = members(RNG.normal(80, 4, 40))


def curve(auc=80.0, half=2.0, **columns):
    row = {
        "sample": "S1", "drug": "Venetoclax", "plates": "PL1", "dose_unit": "nM",
        "dose_min": 1.0, "dose_max": 1000.0, "shape": "decreasing", "flags": "",
        "auc": auc, "auc_lo": auc - half, "auc_hi": auc + half,
        "viability_at_cmax": NAN, "viability_at_cmax_lo": NAN, "viability_at_cmax_hi": NAN,
    } | columns  # fmt: skip
    return pd.DataFrame([row])


def at_peak(viability):
    return {
        "viability_at_cmax": viability,
        "viability_at_cmax_lo": viability - 5,
        "viability_at_cmax_hi": viability + 5,
    }


def call(curves, *, reference=USUAL, drug=None, sample="pass", plate="pass", seed=1):
    samples = pd.DataFrame(
        [{"sample": "S1", "assay": "a", "verdict": sample, "reasons": "thaw viability 30 %"}]
    )
    plates = pd.DataFrame([{"plate": "PL1", "verdict": plate, "reasons": "robust Z′ -1"}])
    facts = {"venetoclax": drug} if drug else {}
    return make_calls(curves, samples, plates, reference, facts, SETTINGS, seed=seed).iloc[0]


def test_far_below_the_reference_is_sensitive_and_says_exposure_is_unknown():
    got = call(curve(50))
    assert got["call"] == "sensitive"
    assert got["z"] == pytest.approx((80 - 50) / 4, rel=0.3)
    assert (got["percentile"], got["n_reference"]) == (100, 40)
    assert got["probability"] > 0.99
    assert got["data"] == "the curve passes, sample and plates pass"
    assert "with warnings" in call(curve(50), sample="warn")["data"]
    assert "exposure unknown" in got["reason"]
    assert got["exposure"].startswith("exposure unknown: no verified plasma level")


def test_in_the_middle_of_the_reference_is_not_sensitive():
    got = call(curve(80))
    assert got["call"] == "not sensitive"
    assert abs(got["z"]) < 1


def test_rank_without_reachable_exposure_is_intermediate():
    drug = DrugFacts("yes", "", 2418.0, "", "at most 24 nM")
    assert call(curve(50, **at_peak(30.0)), drug=drug)["call"] == "sensitive"
    got = call(curve(50, **at_peak(95.0)), drug=drug)
    assert got["call"] == "intermediate"
    assert "only above the reachable concentration" in got["reason"]
    assert "95 % viable at the plasma peak of 2,420 nM (at most 24 nM free)" in got["exposure"]


def test_a_strong_effect_at_a_reachable_dose_is_never_not_sensitive():
    drug = DrugFacts("yes", "", 100.0, "")
    got = call(curve(80, **at_peak(20.0)), drug=drug)
    assert got["call"] == "intermediate"
    assert "usual for this drug" in got["reason"]
    assert got["probability"] > 0.95
    assert call(curve(80, **at_peak(60.0)), drug=drug)["call"] == "not sensitive"
    flat = curve(80, **at_peak(20.0), shape="flat", flags="flat")
    assert call(flat, drug=drug)["call"] == "not sensitive"


def test_an_effect_read_above_a_peak_below_the_tested_doses_proves_nothing():
    drug = DrugFacts("yes", "", 0.01, "")
    columns = at_peak(40.0) | {"flags": "cmax_outside_range"}
    got = call(curve(50, **columns), drug=drug)
    assert got["exposure"].startswith("exposure unknown")
    assert got["call"] == "sensitive"


def test_a_flat_curve_is_never_sensitive():
    got = call(curve(50, shape="flat", flags="flat"))
    assert got["call"] == "not sensitive"
    assert "no effect on these cells" in got["reason"]


def test_a_difference_too_small_to_matter_is_not_sensitive():
    tight = members(80 + RNG.normal(0, 0.2, 40))
    got = call(curve(77, half=0.5), reference=tight)
    assert got["z"] > 1
    assert got["call"] == "not sensitive"
    assert "too close to the reference" in got["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sample": "fail"}, "the sample failed quality control: thaw viability 30 %"),
        ({"plate": "fail"}, "plate PL1 failed quality control: robust Z′ -1"),
        ({"drug": DrugFacts("no", "prodrug")}, "cannot be read in this assay: prodrug"),
        ({"reference": USUAL.head(7)}, "no reference: 7 comparable samples of the 8 needed"),
        ({"reference": USUAL.assign(assay="other")}, "no reference: 0"),
        ({"reference": USUAL.assign(dose_max=2000.0)}, "no reference: 0"),
        ({"reference": USUAL.assign(dose_unit="ug/mL")}, "no reference: 0"),
    ],
)
def test_what_cannot_be_evaluated_has_a_reason_and_no_number(arguments, words):
    got = call(curve(50), **arguments)
    assert got["call"] == "not evaluable"
    assert words in got["reason"]
    assert np.isnan([got["probability"], got["z"], got["percentile"]]).all()
    assert got["n_reference"] == 0


def test_a_curve_without_result_or_without_interval_is_not_evaluable():
    assert (
        "no curve: too few doses" in call(curve(NAN, shape="none", flags="too_few_doses"))["reason"]
    )
    assert "how sure" in call(curve(50, half=NAN))["reason"]


def test_a_small_reference_is_provisional_and_asks_for_more():
    small = members(USUAL["auc"].to_numpy()[:14])
    got = call(curve(50), reference=small)
    assert (got["call"], got["rank_status"], got["n_reference"]) == ("sensitive", "provisional", 14)
    assert "provisional" in got["reason"]
    assert "provisional" in got["rank"]
    assert z_cut(14, 1.0, 20) > 1.05
    assert z_cut(20, 1.0, 20) == 1.0


def test_the_sample_itself_is_left_out():
    with_itself = pd.concat([USUAL, members([50]).assign(sample="S1")], ignore_index=True)
    assert call(curve(50), reference=with_itself).equals(call(curve(50)))


def test_neither_order_nor_other_samples_change_a_call():
    alone = call(curve(73))
    assert call(curve(73), reference=USUAL.sample(frac=1, random_state=5)).equals(alone)
    two = pd.concat([curve(73).assign(drug="Zzz"), curve(73)], ignore_index=True)
    samples = pd.DataFrame([{"sample": "S1", "assay": "a", "verdict": "pass", "reasons": ""}])
    plates = pd.DataFrame([{"plate": "PL1", "verdict": "pass", "reasons": ""}])
    calls = make_calls(two, samples, plates, USUAL, {}, SETTINGS, seed=1).set_index("drug")
    assert calls.loc["Venetoclax", "probability"] == alone["probability"]


def test_a_borderline_call_is_uncertain_and_not_called_sensitive():
    cut = float(np.median(USUAL["auc"])) - 5.5
    got = call(curve(cut, half=4))
    assert 0.05 < got["p_sensitive"] < 0.9
    assert got["expected_false"] == pytest.approx(1 - got["p_sensitive"])
    assert got["call"] == "intermediate"
    assert "not sure enough to be called sensitive" in got["reason"]
    assert bool(got["uncertain"])
    assert not call(curve(40))["uncertain"]


def test_the_same_distance_counts_less_where_it_may_be_noise():
    reference = members(RNG.normal(80, 4, 200)).assign(auc_se=3.5)
    sure, unsure = (call(curve(70, half=half), reference=reference) for half in (1, 10))
    assert sure["p_sensitive"] > 0.9 > 0.6 > unsure["p_sensitive"]


def test_controls_make_calls_less_sure():
    plates = pd.DataFrame(
        [{"plate": "PL1", "verdict": "pass", "reasons": "", "cv_negative": 20.0, "n_negative": 4}]
    )
    samples = pd.DataFrame([{"sample": "S1", "assay": "a", "verdict": "pass", "reasons": ""}])
    noisy = make_calls(curve(72), samples, plates, USUAL, {}, SETTINGS, seed=1).iloc[0]
    assert noisy["p_sensitive"] < call(curve(72))["p_sensitive"]


def panel_calls(aucs, half=2.0):
    curves = pd.concat(
        [curve(auc, half=half).assign(drug=drug) for drug, auc in aucs.items()], ignore_index=True
    )
    samples = pd.DataFrame([{"sample": "S1", "assay": "a", "verdict": "pass", "reasons": ""}])
    plates = pd.DataFrame([{"plate": "PL1", "verdict": "pass", "reasons": ""}])
    reference = pd.concat([USUAL.assign(drug=drug) for drug in aucs], ignore_index=True)
    return make_calls(curves, samples, plates, reference, {}, SETTINGS, seed=1).set_index("drug")


def test_the_false_discovery_rate_is_held_over_the_panel():
    found = panel_calls({f"d{place}": 50.0 + 2.0 * place for place in range(14)}, half=5.0)
    called = found[found["call"] == "sensitive"]
    assert 0 < len(called) < len(found)
    assert (1 - called["p_sensitive"]).mean() <= SETTINGS["false_discovery_rate"]


def test_a_drug_that_is_hardly_probable_is_not_called_among_sure_ones():
    """Nine sure drugs leave room for a tenth that may be false; it must still be probable."""
    sure = {f"d{place}": 30.0 for place in range(9)}
    found = panel_calls(sure | {"hardly": 74.0}, half=4.0)
    assert (found.loc[list(sure), "call"] == "sensitive").all()
    hardly = found.loc["hardly"]
    assert hardly["p_sensitive"] < 0.5 and hardly["expected_false"] < 0.1
    assert hardly["call"] == "intermediate"


def test_a_spread_that_is_all_noise_makes_no_sensitive_call():
    """Every sample is alike and measured with an SD of 5: a fifth lies beyond both cuts."""
    rng = np.random.default_rng(21)
    reference = members(rng.normal(80, 5, 100)).assign(auc_se=5.0)
    curves = pd.concat(
        [curve(auc, half=1.96 * 5, sample=f"S{place}") for place, auc in
         enumerate(rng.normal(80, 5, 200))], ignore_index=True
    )  # fmt: skip
    samples = pd.DataFrame({"sample": curves["sample"], "assay": "a", "verdict": "pass"})
    plates = pd.DataFrame([{"plate": "PL1", "verdict": "pass", "reasons": ""}])
    found = make_calls(curves, samples.assign(reasons=""), plates, reference, {}, SETTINGS, seed=1)
    assert ((found["z"] >= 1) & (found["percentile"] >= 80)).mean() > 0.1
    assert (found["call"] != "sensitive").all()


def test_ranks_that_cannot_be_told_apart_say_so():
    found = panel_calls({"alike": 50.0, "also": 50.5, "far": 20.0})
    assert found.loc["alike", "tied_with"] == "also"
    assert "rank not told apart from also" in found.loc["alike", "rank"]
    assert found.loc["far", "tied_with"] == ""


def test_a_curve_that_lost_its_top_dose_is_compared_over_its_own_range():
    short = {"dose_max": 300.0}
    assert "no reference: 0" in call(curve(50, **short))["reason"]
    # From 100 to 5 % with an EC50 of 30: 52 % over 1 to 1,000 nM, 61 % over 1 to 300 nM.
    reference = USUAL.assign(auc=51.8)
    got = call(curve(51.8, n_excluded=1, **short), reference=reference)
    assert (got["call"], got["n_reference"]) == ("sensitive", len(USUAL))
    assert call(curve(60.6, n_excluded=1, **short), reference=reference)["z"] == pytest.approx(
        0, abs=1
    )
    assert call(curve(51.8), reference=reference)["z"] == 0


def test_members_joined_without_new_row_numbers_are_kept_apart():
    other = USUAL.assign(drug="other", auc=20.0)
    assert call(curve(50), reference=pd.concat([other, USUAL])).equals(call(curve(50)))


def test_a_sample_whose_drug_is_capitalised_otherwise_is_left_out_once():
    own = members([50], drug="VENETOCLAX").assign(sample="S1")
    earlier = members([48], drug="venetoclax").assign(sample="S1")
    joined = join_members([USUAL, earlier, own])
    assert len(joined) == len(USUAL) + 1
    assert call(curve(50), reference=joined).equals(call(curve(50)))


def test_limited_drugs_keep_their_caveat():
    got = call(curve(50), drug=DrugFacts("limited", "needs 96 h"))
    assert got["reason"].endswith("limited ex vivo: needs 96 h")


def test_no_curves_give_an_empty_table():
    samples = pd.DataFrame({"sample": [], "assay": [], "verdict": [], "reasons": []})
    plates = pd.DataFrame({"plate": [], "verdict": [], "reasons": []})
    assert make_calls(curve().head(0), samples, plates, USUAL, {}, SETTINGS, seed=1).empty
