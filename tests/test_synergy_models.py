"""Loewe, ZIP, CSS, RI and the best region through `score_synergy`, for every design."""

import numpy as np
import pandas as pd
import pytest

from drp.synergy import score_synergy

from . import synergy_cases
from .test_synergy_reference import folder, scored  # noqa: F401  # fixtures

DOSES = [0.0, 1.0, 3.0, 10.0, 30.0, 100.0]
NUMBERS = ("loewe", "zip")
# Mean excess: Loewe by root, share of cells with a root, ZIP; part 14 of the reference numbers.
MEANS = {
    "bliss_full_4": (5.3175, 1.0, 0.0),
    "bliss_full_6": (3.1571, 1.0, 0.0),
    "bliss_full_8": (1.6866, 1.0, 0.0),
    "bliss_full_10": (1.0249, 1.0, 0.0),
    "bliss_partial_8": (3.6113, 35 / 49, 0.0),
    "bliss_partial_plus8_8": (11.6113, 35 / 49, 7.55),
    "sham_same_8": (0.0, 1.0, 0.2412),
    "sham_equiv_8": (0.0, 1.0, 0.2412),
    "loewe_full_8": (0.0, 1.0, -1.7006),
    "loewe_isoEmax80_8": (0.0, 1.0, -3.4653),
    "hsa_8": (-2.3526, 1.0, -3.8740),
    "drug2_inactive_8": (0.0, 0.0, 0.0),
    "loewe_unreachable_8": (2.7239, 28 / 49, 0.0),
    "musyc_8": (8.1626, 35 / 49, 4.2698),
    "braid_k2_8": (9.0646, 1.0, 6.2536),
}


def inhibition(dose, half=10.0, top=90.0):
    return top * dose / (half + dose)


def bliss_of(doses):
    alive = [
        1 - inhibition(dose, half) / 100 for dose, half in zip(doses, (10, 20, 5), strict=False)
    ]
    return 100 * (1 - np.prod(alive))


def wells(cells, excess=0.0, sd=0.0, seed=0, **columns):
    """One well per tuple of doses, the drugs independent but for an excess, and controls."""
    rng, rows = np.random.default_rng(seed), []
    for doses in cells:
        both = sum(dose > 0 for dose in doses) == len(doses)
        pairs = {}
        for name, suffix, dose in zip("ABC", ("", "2", "3"), doses, strict=False):
            pairs |= {f"drug{suffix}": name, f"dose{suffix}": dose}
        rows.append(
            pairs | {"viability_pct": 100 - bliss_of(doses) - excess * both, "role": "sample"}
        )
    rows += [{"drug": "", "drug2": "", "viability_pct": 100.0, "role": "negative"}] * 16
    table = pd.DataFrame(rows).assign(sample="S1", plate="P1", dose_unit="nM", **columns)
    table["viability_pct"] += rng.normal(0, sd, len(table)) if sd else 0.0
    return table.fillna(
        {"drug": "", "drug2": "", "drug3": ""} if "drug3" in table else {"drug": ""}
    )


def grid(*levels):
    return [tuple(one) for one in np.stack(np.meshgrid(*levels), -1).reshape(-1, len(levels))]


def row_of(table, **options):
    return score_synergy(table, draws=200, **options)[0].iloc[0]


@pytest.mark.parametrize("case", MEANS)
def test_means_are_those_of_the_reference_numbers(scored, case):  # noqa: F811
    row = scored[0].set_index("sample").loc[case]
    loewe, share, zip_mean = MEANS[case]
    assert row["loewe"] == pytest.approx(loewe, abs=1e-3)
    assert row["loewe_defined"] == pytest.approx(share)
    assert row["zip"] == pytest.approx(zip_mean, abs=0.05)


def test_measured_plates_without_replicates(scored):  # noqa: F811
    rows = scored[0].set_index("sample")
    assert rows.loc["mathews_1", "zip"] == pytest.approx(11.50, abs=0.05)
    assert rows.loc["mathews_1", "loewe"] == pytest.approx(21.331, abs=0.01)
    assert rows.loc["mathews_2", "loewe"] == pytest.approx(-42.49, abs=0.1)
    # Four of its curves are far from their wells: the score is withheld, and they are named.
    assert np.isnan(rows.loc["mathews_2", "zip"])
    assert rows.loc["mathews_2", "zip_withheld"] == pytest.approx(-16.75, abs=0.5)
    assert "4 of 12 curves failed" in rows.loc["mathews_2", "zip_note"]
    assert "not scored: ZIP" in rows.loc["mathews_2", "agreement"]
    assert "Bliss on the data stands" in rows.loc["mathews_2", "models_note"]


def test_css_and_ri_equal_synergyfinder(scored, folder):  # noqa: F811
    theirs = pd.read_csv(folder / "sf_synthetic_summary.csv").set_index("case")
    ours = scored[0].set_index("sample")
    for case in [name for name in synergy_cases.NOISE_FREE if name != "bliss_full_4"]:
        tolerance = 0.1 if case == "bliss_partial_plus8_8" else 0.01
        assert ours.loc[case, "css"] == pytest.approx(theirs.loc[case, "css"], abs=tolerance)
        for drug, suffix in ((1, ""), (2, "2")):
            expected = theirs.loc[case, f"ri_{drug}"]
            assert ours.loc[case, f"ri_drug{suffix}"] == pytest.approx(expected, abs=0.01)


DESIGNS = {
    "3 × 3": grid(DOSES[:3], DOSES[:3]),
    "4 × 4": grid(DOSES[:4], DOSES[:4]),
    "6 × 6": grid(DOSES, DOSES),
    "10 × 10": grid([0, *np.geomspace(0.1, 100, 9)], [0, *np.geomspace(0.1, 100, 9)]),
    "anchor": grid(DOSES, [0.0, 10.0]),
    "diagonal": [(0.0, 0.0), *((d, d) for d in DOSES[1:]), *((d, 0.0) for d in DOSES[1:]),
                 *((0.0, d) for d in DOSES[1:])],
    "sparse": [*((d, 0.0) for d in DOSES), *((0.0, d) for d in DOSES[1:]),
               *((a, b) for i, a in enumerate(DOSES[1:]) for j, b in enumerate(DOSES[1:])
                 if (i + j) % 2 == 0)],
    "no untreated well": grid(DOSES, DOSES)[1:],
    "missing cells": [cell for k, cell in enumerate(grid(DOSES, DOSES)) if k not in (8, 15, 22)],
    "a single agent missing": [cell for cell in grid(DOSES, DOSES) if cell != (10.0, 0.0)],
    "three drugs": grid(DOSES[:5], DOSES[:5], DOSES[:5]),
}  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_has_a_score_or_a_reason(design):
    table = wells(DESIGNS[design], excess=12.0, sd=2.0)
    synergy, surface = score_synergy(table, draws=200)
    row = synergy.iloc[0]
    assert row["bliss"] == pytest.approx(12.0, abs=4.0)
    for model in NUMBERS:
        values = row[[model, f"{model}_lo", f"{model}_hi", f"{model}_p"]]
        assert values.notna().all() or (values.isna().all() and row[f"{model}_note"])
    assert np.isfinite(row["css"]) or row["css_note"]
    named = ["dose", "dose2", "dose3"][: 3 if row["drug3"] else 2]
    both = (surface[named] > 0).all(axis=1)
    assert (surface.loc[both, "excess_bliss"].notna() | (surface.loc[both, "reason"] != "")).all()
    assert row["agreement"]


def test_what_each_design_cannot_give_is_said():
    rows = {name: row_of(wells(DESIGNS[name], sd=2.0)) for name in ("3 × 3", "anchor", "diagonal")}
    assert "too few doses for the curve of A and B alone" in rows["3 × 3"]["zip_note"]
    assert rows["anchor"]["zip_variant"] == "zip_1d, observed"
    assert "too few doses for the curve of B alone" in rows["anchor"]["loewe_note"]
    assert "diagonal design" in rows["diagonal"]["zip_note"]
    assert np.isfinite(rows["diagonal"]["loewe"])


def test_the_order_of_rows_changes_no_bit():
    table = wells(DESIGNS["6 × 6"], excess=8.0, sd=3.0)
    shuffled = table.sample(frac=1.0, random_state=1)
    pd.testing.assert_series_equal(row_of(table), row_of(shuffled), check_exact=True)


def test_what_is_fitted_together_changes_no_bit(monkeypatch):
    dose = [0.0, 1.0, 3.0, 10.0, 30.0]
    grids = [grid(dose, dose[:size]) for size in (2, 4, 5)]
    grids.append(grid(dose[:4], dose[:4], dose[:3]))
    parts = [wells(cells, sd=4, seed=at).assign(sample=f"S{at}") for at, cells in enumerate(grids)]
    table = pd.concat(parts, ignore_index=True).fillna({"drug3": ""})
    together = score_synergy(table, seed=1, draws=100)
    monkeypatch.setattr("drp.synergy.score._AT_ONCE", 1)
    for one, other in zip(together, score_synergy(table, seed=1, draws=100), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_region_is_found_where_it_was_planted_and_only_there():
    cells = grid(DOSES, DOSES)
    table = wells(cells, sd=2.0)
    inside = table["dose"].between(3, 30) & table["dose2"].between(1, 10)
    planted = table.assign(viability_pct=table["viability_pct"] - 20.0 * inside)
    row = row_of(planted)
    assert row["best_region_doses"] == "A 3–30 + B 1–10 nM"
    assert row["best_region"] == pytest.approx(20.0, abs=4.0)
    assert row["best_region_p"] < 0.01
    assert row_of(table)["best_region_p"] > 0.05


@pytest.mark.slow
def test_intervals_of_loewe_and_zip_hold_the_truth():
    """Independent drugs that reach full kill: ZIP's truth is 0; Loewe's is that without noise."""
    cells = grid(DOSES, DOSES)
    tables = [
        wells(cells, sd=4.0, seed=seed).assign(sample=f"S{seed:03d}", plate=f"P{seed:03d}")
        for seed in range(150)
    ]
    found = score_synergy(pd.concat(tables), draws=300)[0]
    truth = {"zip": 0.0, "loewe": row_of(wells(cells))["loewe"]}
    for model, value in truth.items():
        held = (found[f"{model}_lo"] <= value) & (value <= found[f"{model}_hi"])
        assert 0.90 <= held.mean() <= 0.99, model


def test_a_triple_is_compared_with_its_best_pair():
    row = row_of(wells(DESIGNS["three drugs"], excess=12.0))
    doses = [cell for cell in DESIGNS["three drugs"] if min(cell) > 0]
    pairs = [[(a, b, 0.0), (a, 0.0, c), (0.0, b, c)] for a, b, c in doses]
    best = np.mean([max(bliss_of(pair) for pair in three) for three in pairs])
    expected = np.mean([bliss_of(cell) + 12.0 for cell in doses]) - best
    assert row["gain_over_pair"] == pytest.approx(expected, abs=1e-9)
    assert row["gain_over_pair_lo"] < expected < row["gain_over_pair_hi"]
    assert np.isnan(row_of(wells(DESIGNS["6 × 6"]))["gain_over_pair"])


def test_without_models_bliss_is_the_same_and_the_rest_is_null():
    table = wells(grid(DOSES, DOSES), excess=5.0, sd=2.0)
    whole, bare = row_of(table), row_of(table, models=False)
    columns = ["bliss", "bliss_lo", "bliss_p", "hsa", "best_region_p", "call"]
    assert whole[columns].tolist() == bare[columns].tolist()
    assert bare[["loewe", "zip", "css", "ri"]].isna().all()
    assert bare["zip_note"] == bare["loewe_note"] == bare["css_note"] == "not asked for"


def test_musyc_is_an_option():
    table = wells(grid(DOSES, DOSES))
    assert row_of(table)["musyc_note"] == "not asked for"
    row = row_of(table, musyc=True)
    assert np.isfinite(row["musyc_beta"]) and row["musyc_note"]
