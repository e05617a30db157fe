import numpy as np
import pandas as pd
import pytest

from drp import cli
from drp.profiles import (
    clustered,
    compare_groups,
    distances,
    nearest,
    profiles,
    sample_map,
    separation,
)
from drp.report.cohort_page import render_cohort_page
from drp.storage import write_table

SETTINGS = {"title": "T", "laboratory": "L", "simulated": True}


@pytest.fixture(scope="module")
def two_kinds():
    """Twenty samples of two kinds that differ in the first five of twelve drugs."""
    rng = np.random.default_rng(3)
    auc = 80 + 5 * rng.standard_normal((20, 12))
    auc[:10, :5] -= 20
    samples = [f"S{place:02d}" for place in range(20)]
    table = pd.DataFrame(auc, index=samples, columns=[f"d{place:02d}" for place in range(12)])
    long = table.rename_axis("sample").reset_index().melt("sample", var_name="drug")
    return long.rename(columns={"value": "auc"})


def test_drugs_and_samples_of_two_kinds_are_told_apart(two_kinds):
    table = profiles(two_kinds)
    first, second = list(table.index[:10]), list(table.index[10:])
    found = compare_groups(table, first, second).set_index("drug")
    assert found["significant"].sum() == 5
    assert (found.loc[found["significant"], "difference"] > 0).all()
    labels = ["a"] * 10 + ["b"] * 10
    assert separation(table, labels) > separation(table, ["a", "b"] * 10) + 0.1
    assert separation(sample_map(table), labels) > 0.4
    near = nearest(table, "S00")
    assert set(near.index) <= set(first)
    assert near.is_monotonic_increasing
    samples, drugs = clustered(table)
    assert sorted(samples) == sorted(table.index)
    assert sorted(drugs) == sorted(table.columns)
    side = [sample in first for sample in clustered(table.iloc[:, :5])[0]]
    assert side in ([True] * 10 + [False] * 10, [False] * 10 + [True] * 10)


def test_the_order_of_rows_changes_nothing(two_kinds):
    mixed = two_kinds.sample(frac=1, random_state=2)
    one, other = profiles(two_kinds), profiles(mixed)
    pd.testing.assert_frame_equal(one, other)
    assert clustered(one) == clustered(other.iloc[::-1, ::-1])
    pd.testing.assert_frame_equal(sample_map(one), sample_map(other.iloc[::-1]))


def test_missing_drugs_shorten_the_comparison_and_never_count_as_alike(two_kinds):
    table = profiles(two_kinds)
    table.loc["S00", table.columns[:2]] = np.nan
    by_hand = np.sqrt(((table.loc["S00"] - table.loc["S01"]).dropna() ** 2).mean())
    assert distances(table).loc["S00", "S01"] == pytest.approx(by_hand)
    table.loc["S00", table.columns[:6]] = np.nan
    assert distances(table).loc["S00"].isna().all()
    assert nearest(table, "S00").empty


def members(two_kinds):
    return two_kinds.assign(assay="a", dose_unit="nM", dose_min=1.0, dose_max=1e3)


def test_the_page_draws_map_and_heat_map_and_names_the_nearest(two_kinds):
    page = render_cohort_page(
        members(two_kinds), {"S00": "relapse<b>"}, settings=SETTINGS,
        generated_at="2026-03-01T08:05:00+00:00",
    )  # fmt: skip
    assert page.count("<svg") == 2
    assert page.count("aria-label=") >= 3
    assert "nothing recorded" in page
    assert "relapse<b>" not in page
    few = render_cohort_page(
        members(two_kinds[two_kinds["sample"] < "S02"]), {}, settings=SETTINGS,
        generated_at="2026-03-01T08:05:00+00:00",
    )  # fmt: skip
    assert "Too few samples" in few


def test_the_command_says_what_is_missing_and_writes_the_page(two_kinds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["profiles"]) == cli.PROBLEMS
    sheets = {"config.yaml": "assay: {name: a}\n", "samples.tsv": "sample\tpatient\nS00\tP1\n",
              "patients.tsv": "patient\nP1\n",
              "plates.tsv": "plate\tfile\tlayout\tsample\nPL1\tf\tl\tS00\n"}  # fmt: skip
    (tmp_path / "config").mkdir()
    for name, text in sheets.items():
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    write_table(tmp_path / "results" / "cohort" / "members.parquet", members(two_kinds))
    assert cli.main(["profiles"]) == cli.DONE
    assert "Nearest profiles" in (tmp_path / "reports" / "cohort.html").read_text("utf-8")
