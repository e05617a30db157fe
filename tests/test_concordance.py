import math

import numpy as np
import pandas as pd
import pytest

from drp import cli
from drp.concordance import compare, concordance, roc_area, share
from drp.outcomes import read_outcomes
from drp.problems import DataError
from drp.report.concordance_page import render_concordance
from drp.storage import write_table

SETTINGS = {"title": "T", "laboratory": "L", "simulated": True}


def calls(**drugs):
    return [
        {"sample": "S1", "drug": drug, "call": call.replace("_", " "), "z": z}
        for drug, (call, z) in drugs.items()
    ]


def outcome(therapy, response="CR", **columns):
    return {"patient": "P1", "sample": "S1", "therapy": therapy, "response": response} | columns


@pytest.mark.parametrize(("count", "n"), [(0, 10), (10, 10), (3, 10), (30, 56)])
def test_exact_intervals_agree_with_scipy(count, n):
    from scipy.stats import binomtest

    expected = binomtest(count, n).proportion_ci(method="exact")
    found = share(count, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_share_of_nothing_says_nothing():
    found = share(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_roc_area_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    scores, truth = np.round(rng.normal(size=60), 1), rng.random(60) < 0.4
    area, low, high = roc_area(scores[truth], scores[~truth])
    assert area == pytest.approx(roc_auc_score(truth, scores))
    assert low < area < high
    assert roc_area([2.0, 3.0], [1.0, 0.0]) == (1.0, 0.0, 1.0)
    assert math.isnan(roc_area([], [1.0])[0])


def test_the_roc_interval_holds_the_truth_about_as_often_as_stated():
    rng = np.random.default_rng(5)
    truth = 0.7602  # P(N(1, 1) > N(0, 1))
    held = 0
    for _ in range(400):
        _, low, high = roc_area(rng.normal(1, 1, 25), rng.normal(0, 1, 25))
        held += low <= truth <= high
    assert held / 400 >= 0.92


def test_a_therapy_is_called_by_its_drugs():
    known = calls(A=("sensitive", 2.0), B=("not_sensitive", 0.1), C=("not_evaluable", math.nan))
    rows = {row["therapy"]: row for row in compare(
        [outcome("a; B"), outcome("b"), outcome("C"), outcome("D"), outcome("A", "")], known
    )}  # fmt: skip
    assert (rows["a; B"]["called"], rows["a; B"]["score"]) == ("sensitive", 2.0)
    assert rows["b"]["called"] == "not sensitive"
    assert rows["C"]["why"] == "none of its drugs could be evaluated"
    assert rows["D"]["why"] == "none of its drugs was tested"
    assert rows["A"]["why"] == "no response recorded"
    found = concordance(list(rows.values()))
    assert (found["n_compared"], found["n_left_out"]) == (2, 3)


def test_the_table_and_its_shares_by_hand():
    known = calls(A=("sensitive", 2.0), B=("intermediate", 0.9))
    therapies = [outcome("A"), outcome("A; x", "PR"), outcome("A; y", "PD"), outcome("B", "SD")]
    therapies[0] |= {"pfs_months": "6.5", "previous_pfs_months": "5"}
    therapies[2] |= {"pfs_months": "1", "previous_pfs_months": "5"}
    found = concordance(compare(therapies, known))
    assert [found[name].value for name in ("ppv", "npv", "sensitivity", "specificity")] == [
        pytest.approx(2 / 3), 1.0, 1.0, 0.5,
    ]  # fmt: skip
    assert (found["pfs_sensitive"].count, found["pfs_sensitive"].n) == (1, 2)


def test_the_page_says_numbers_intervals_and_limits():
    rows = compare([outcome("A<b>"), outcome("A", "PD")], calls(A=("sensitive", 2.0)))
    page = render_concordance(rows, settings=SETTINGS, generated_at="2026-03-01T08:05:00+00:00")
    for words in ("Clopper", "0 of 1", "What not to conclude", "SIMULATED", "none yet"):
        assert words in page
    assert "A<b>" not in page


def test_a_sheet_with_faults_lists_them_all(tmp_path):
    path = tmp_path / "outcomes.tsv"
    path.write_text(
        "patient\tsample\ttherapy\tresponse\tpfs_months\n"
        "P1\tS1\tA\tcured\tmany\nP1\tS1\tA\tCR\t4\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as fault:
        read_outcomes(path)
    assert [problem.code for problem in fault.value.problems] == [
        "sheet.bad-response", "sheet.bad-number", "sheet.double-id",
    ]  # fmt: skip


def test_the_command_writes_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("assay: {name: a}\n", encoding="utf-8")
    (tmp_path / "config" / "outcomes.tsv").write_text(
        "patient\tsample\ttherapy\tresponse\nP1\tS1\tA\tCR\n", encoding="utf-8"
    )
    assert cli.main(["concordance"]) == cli.PROBLEMS
    (tmp_path / "results").mkdir()
    table = pd.DataFrame(calls(A=("sensitive", 2.0)))
    write_table(tmp_path / "results" / "calls.parquet", table)
    assert cli.main(["concordance"]) == cli.DONE
    assert "1 of 1" in (tmp_path / "reports" / "concordance.html").read_text(encoding="utf-8")
    assert "concordance.html" in capsys.readouterr().out


def test_repeat_samples_change_only_beyond_noise():
    from drp.repeats import changes

    rng = np.random.default_rng(8)
    drugs = [f"d{place:02d}" for place in range(60)]
    auc = rng.uniform(40, 95, 60)

    def table(sample, values):
        return pd.DataFrame({"sample": sample, "drug": drugs, "dose_unit": "nM", "dose_min": 1.0,
                             "dose_max": 1e3, "auc": values, "auc_lo": values - 4,
                             "auc_hi": values + 4})  # fmt: skip

    noisy = auc + rng.normal(0, math.sqrt(2 * (4 / 1.96) ** 2 + 2 * 9), 60)
    noisy[3], noisy[7] = auc[3] + 40, auc[7] - 40
    curves = pd.concat([table("S1", auc), table("S2", noisy)])
    found = changes(curves.sample(frac=1, random_state=1), {"P1": ["S1", "S2"]})
    verdicts = found.set_index("drug")["verdict"]
    assert (verdicts["d03"], verdicts["d07"]) == ("less sensitive", "more sensitive")
    assert (verdicts == "no change beyond noise").sum() >= 57
    assert changes(curves, {"P1": ["S1"]}).empty
    other = curves.assign(dose_max=np.where(curves["sample"] == "S2", 5e3, 1e3))
    assert changes(other, {"P1": ["S1", "S2"]}).empty
