"""Combinations in the report: three statements, a probability, and nothing from failed plates."""

import math

import numpy as np
import pandas as pd
import pytest

from drp.report.answers import combinations
from drp.report.build import build_record
from drp.report.combination_rows import combination_rows
from drp.report.html import render_html
from drp.report.pdf import render_pdf
from drp.synergy import CALLS, Limits, score_synergy
from drp.synergy.certainty import call_probability
from tests import report_example
from tests.test_report_html import Page
from tests.test_report_pdf import text_of

NAME = "Bortezomib + Venetoclax"


def wells(excess, noise=0.0, seed=1):
    """A 6 × 6 matrix of two drugs that kill apart, and `excess` points more together."""
    generator = np.random.default_rng(seed)
    doses = [0.0, 1.0, 3.0, 10.0, 30.0, 100.0]
    alive = dict(zip(doses, (1.0, 0.9, 0.8, 0.65, 0.5, 0.4), strict=True))
    rows = []
    for a in doses:
        for b in doses:
            more = excess if a and b else 0.0
            value = 100 * alive[a] * alive[b] - more + generator.normal(0, noise)
            rows.append(("S1", "A", a, "B", b, value))
    columns = ["sample", "drug", "dose", "drug2", "dose2", "viability_pct"]
    return pd.DataFrame(rows, columns=columns)


def scored(excess, **options):
    more = {"prior_sd": 4.0, "models": False, "seed": 1} | options
    return score_synergy(wells(excess), **more)[0].iloc[0]


def test_a_clear_excess_is_sure_and_one_at_the_limit_is_not():
    assert scored(15)["call"] == "effective and synergistic"
    assert scored(15)["probability"] > 0.95
    edge = scored(5.2)
    assert edge["call"] == "effective and synergistic"
    assert 0.4 < edge["probability"] < 0.8


def test_what_claims_nothing_has_no_probability():
    unsure = scored(5, prior_sd=40.0)
    assert unsure["call"] == "inconclusive"
    assert math.isnan(unsure["probability"])


def test_probabilities_of_calls_that_exclude_one_another_do_not_exceed_one():
    generator = np.random.default_rng(2)
    draws = [generator.normal(mean, 8, 1000) for mean in (0, 5, 50)]
    limits = Limits(additive_within=5.0)
    shares = {call: call_probability(call, *draws, limits) for call in CALLS}
    known = [share for share in shares.values() if share == share]
    assert len(known) == 6
    assert sum(known) == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [1, 7])
def test_the_usual_probability_lies_on_the_side_of_the_truth(shift):
    """Over repeated noise its median is above a half where the true excess is beyond the limit."""
    truth = 5.0 + shift - 4
    plates = [wells(truth, noise=6.0, seed=seed).assign(sample=f"S{seed}") for seed in range(30)]
    scores = score_synergy(pd.concat(plates), prior_sd=6.0, models=False, seed=1, draws=200)[0]
    assert len(scores) == 30
    middle = float(scores["probability_synergistic"].median())
    assert (middle > 0.5) == (truth > 5.0)


def built(tables, certain=0.8):
    return build_record(
        report_example.PATIENT, [report_example.sample_row()], tables,
        settings=report_example.SETTINGS | {"certain": certain},
        provenance=report_example.PROVENANCE,
    )  # fmt: skip


def example(**columns):
    tables = report_example.tables(n_drugs=6)
    more = {"n_cells": 25, "n_missing": 0, "limits_known": True, "probability": 0.93}
    more |= {"mean_inhibition": 71.0, "mean_inhibition_lo": 67.0, "mean_inhibition_hi": 75.0}
    more |= {"gain": 20.0, "gain_lo": 16.0, "gain_hi": 24.0, "flags": ""}
    tables["synergy"] = tables["synergy"].assign(**(more | columns))
    return report_example.as_rows(tables)


def printed(record):
    page = " ".join(Page(render_html(record, report_example.GENERATED)).words)
    return page, text_of(render_pdf(record, report_example.GENERATED))


def test_the_three_statements_stand_apart_and_are_printed():
    record = built(example())
    first = record.samples[0].combinations[0]
    assert first.data == "plates pass; 25 of 25 combined doses scored"
    assert first.efficacy.startswith("mean inhibition 71 % (67 to 75) at doses a patient can reach")
    assert first.synergy == "synergistic; over all doses, probability of synergy 0.97"
    assert not first.uncertain
    for text in printed(record):
        for part in ("Efficacy: mean inhibition 71 %", "Probability of this call: 0.93."):
            assert part in text


def test_below_the_limit_a_call_is_uncertain_on_page_1_too():
    record = built(example(probability=0.7))
    assert record.samples[0].combinations[0].uncertain
    assert combinations(record.samples[0].combinations).lead.endswith("synergistic, uncertain")
    for text in printed(record):
        assert f"{NAME}: effective and synergistic, uncertain" in text
        assert "Probability of this call: 0.70, uncertain." in text
    assert not built(example(probability=0.7), certain=0.6).samples[0].combinations[0].uncertain


def fail(tables, plate, **synergy):
    for row in tables["quality"]:
        if row["plate"] == plate:
            row |= {"verdict": "fail", "reasons": "robust Z′ -0.4 is below 0"}
    for row in tables["synergy"]:
        row |= synergy
    return tables


def test_a_failed_plate_leaves_a_combination_without_any_number():
    record = built(fail(example(), "P01-S1-pairs"))
    for item in record.samples[0].combinations:
        assert (item.call, item.mark, item.assessable) == ("not assessable", "dash", False)
        assert (
            item.reason == "Plate P01-S1-pairs failed quality control: robust Z′ -0.4 is below 0."
        )
        assert item.matrices == []
        numbers = item.model_dump(exclude={"n_wells"})
        flat = [value for part in numbers.values()
                for value in (part.values() if isinstance(part, dict) else [part])]  # fmt: skip
        assert not [value for value in flat if isinstance(value, int | float) and value]
    for text in printed(record):
        assert "Plate P01-S1-pairs failed quality control" in text
        assert "Bliss p" not in text


def test_a_failed_plate_of_other_wells_matters_only_where_single_agents_are_taken_from_it():
    other = combination_rows("P01-S1", fail(example(), "P01-S1-single"))
    assert {item.assessable for item in other} == {True}
    flags = {"flags": "single_agents_elsewhere"}
    taken = combination_rows("P01-S1", fail(example(), "P01-S1-single", **flags))
    assert {item.call for item in taken} == {"not assessable"}
