"""From stage tables to the record: order, what is left out, and the five answers."""

import math

import pandas as pd
import pytest

from drp.records import normalisation_words
from drp.report.build import build_record
from drp.report.html import render_html
from drp.report.plate_rows import place
from tests import report_example


@pytest.fixture(scope="module")
def sample():
    return report_example.record().samples[0]


def build(tables, samples=None, **patient):
    return build_record(
        report_example.PATIENT | patient,
        samples or [report_example.sample_row()],
        report_example.as_rows(tables),
        settings=report_example.SETTINGS,
        provenance=report_example.PROVENANCE,
    )


def test_row_order_never_matters():
    tables = report_example.tables()
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in tables.items()}
    in_order, mixed = build(tables), build(shuffled)
    # Risk systems keep the order of their table; everything else is sorted.
    drop = {"risk", "report_id", "risk_lead"}
    assert (
        in_order.model_dump(exclude=drop)["samples"][0]["drugs"]
        == (mixed.model_dump(exclude=drop)["samples"][0]["drugs"])
    )
    for part in ("combinations", "plates", "featured"):
        assert getattr(in_order.samples[0], part) == getattr(mixed.samples[0], part)


def test_drugs_stand_by_call_then_probability_then_z(sample):
    order = ["sensitive", "intermediate", "not sensitive", "not evaluable"]
    keys = [
        (order.index(drug.call), -(drug.probability or 0), -(drug.rank.z or 0))
        for drug in sample.drugs
    ]
    assert keys == sorted(keys)
    assert sample.featured == [drug.drug for drug in sample.drugs[:8]]
    assert sample.featured_note.startswith("first 8 of 14: 10 called sensitive, 4 intermediate")


def test_not_evaluable_has_a_reason_and_no_number(sample):
    lost = [drug for drug in sample.drugs if drug.call == "not evaluable"]
    assert len(lost) == 2
    for drug in lost:
        assert drug.reason
        assert (drug.measures, drug.curve, drug.probability, drug.rank.z) == (None,) * 4


def test_absolute_numbers_stay_where_the_call_says_so():
    tables = report_example.tables()
    calls = tables["calls"]
    tables["calls"] = calls.assign(numbers_shown=True)
    drugs = build(tables).samples[0].drugs
    assert all(drug.measures is not None for drug in drugs)
    assert drugs[-1].probability is None


def test_numbers_are_those_of_the_tables(sample):
    curves = report_example.tables()["curves"].set_index("drug")
    for drug in sample.drugs:
        if drug.measures is None:
            continue
        row = curves.loc[drug.drug]
        assert drug.measures.auc.value == row["auc"]
        assert drug.measures.dss2.hi == row["dss2_hi"]
        assert drug.measures.ic50_qualifier == row["ic50_qualifier"]
        assert (drug.measures.ic50.open == "high") == math.isinf(row["ic50_hi"])


def test_line_runs_through_the_fitted_curve_by_hand(sample):
    curve = next(drug for drug in sample.drugs if drug.drug == "Venetoclax").curve
    # top 99, bottom 4, slope 1.1, EC50 5 nM at 1 nM and at 10^3.5 nM
    assert curve.fitted[0] == pytest.approx(4 + 95 / (1 + (1 / 5) ** 1.1), abs=0.006)
    assert curve.fitted[-1] == pytest.approx(4 + 95 / (1 + (10**3.5 / 5) ** 1.1), abs=0.006)
    assert len(curve.points) == 8
    assert curve.reference
    assert (curve.dose_min, curve.dose_max) == (1.0, 10**3.5)


def test_wells_of_an_arm_with_a_partner_are_no_points_of_the_single_agent():
    """They belong to no single agent's curve, so they may not be drawn on it."""
    tables = report_example.tables()
    plain = tables["viability"].assign(addon="")
    given = (plain["drug"] == "Venetoclax") & (plain["plate"].str.endswith("single"))
    assert given.any()
    arm = plain[given].assign(addon="Bortezomib", viability_pct=1.5)
    more = pd.concat([plain, arm.assign(well="P" + arm["well"].str[1:])])
    alone, beside = (
        next(drug for drug in built.samples[0].drugs if drug.drug == "Venetoclax").curve
        for built in (build(tables | {"viability": wells}) for wells in (plain, more))
    )
    assert beside.points == alone.points
    unmarked = build(tables | {"viability": more.assign(addon="")}).samples[0].drugs
    with_them = next(drug for drug in unmarked if drug.drug == "Venetoclax").curve
    assert len(with_them.points) > len(alone.points)


def test_without_reference_curve_there_is_no_dashed_line():
    tables = report_example.tables()
    tables["reference"] = tables["reference"].drop(columns=["median_top", "median_ec50"])
    assert not any(drug.curve.reference for drug in build(tables).samples[0].drugs if drug.curve)


def test_shared_axis_covers_molar_drugs_only(sample):
    assert (sample.axis.dose_min, sample.axis.dose_max) == (1.0, 10_000.0)
    tables = report_example.tables(n_drugs=39)
    tables["calls"].loc[tables["calls"]["drug"] == "Asparaginase", "call"] = "sensitive"
    asparaginase = next(d for d in build(tables).samples[0].drugs if d.drug == "Asparaginase")
    assert asparaginase.curve.dose_unit == "IU/mL"
    assert asparaginase.curve.plasma_peak is None


def test_plate_keeps_every_well_in_its_place(sample):
    plate = next(plate for plate in sample.plates if plate.plate.endswith("single"))
    assert (len(plate.viability_pct), len(plate.viability_pct[0])) == (16, 24)
    wells = report_example.tables()["viability"]
    for well in wells[wells["plate"] == plate.plate].itertuples():
        row, column = place(well.well)
        shown = plate.viability_pct[row][column]
        if math.isnan(well.viability_pct):
            assert shown is None
        else:
            assert shown == round(well.viability_pct, 1)
    assert [removed.well for removed in plate.removed] == ["C5"]
    assert plate.unread == ["D7"]
    assert len(plate.negative) == len(plate.positive) == 16


def test_a_corrected_plate_says_so_in_the_record_and_on_the_page(sample):
    assert {plate.correction for plate in sample.plates} == {"none"}
    tables = report_example.tables(n_drugs=6)
    words = "edge correction applied: LOESS over 40 negative controls, factor 0.84 to 1.16"
    tables["quality"] = tables["quality"].assign(
        correction="loess", reasons=words, gradient_row_pct=-24.1, gradient_column_pct=float("nan")
    )
    record = build(tables)
    plate = record.samples[0].plates[0]
    assert (plate.correction, plate.reasons) == ("loess", [words])
    assert (plate.gradient_row_pct, plate.gradient_column_pct) == (-24.1, None)
    page = render_html(record, report_example.GENERATED)
    assert words in page
    assert "row gradient −24 %; edge correction loess" in page


@pytest.mark.parametrize(("method", "said"), [("none", "No correction"), ("loess", "LOESS")])
def test_the_methods_say_whether_plates_are_corrected(method, said):
    options = {"negative_controls": [], "ignore_outer_layers": 0, "use_positive": True}
    words = normalisation_words(options | {"edge_correction": method})
    assert said in words


def test_matrix_holds_the_surface(sample):
    first = sample.combinations[0]
    assert first.combination == "Bortezomib + Venetoclax"
    matrix = first.matrices[0]
    surface = report_example.tables()["surface"]
    own = surface[surface["combination"] == first.combination]
    for cell in own.itertuples():
        row, column = matrix.dose2.index(cell.dose2), matrix.dose.index(cell.dose)
        assert matrix.observed[row][column] == cell.observed
        excess = matrix.excess[row][column]
        assert excess is None if math.isnan(cell.excess_bliss) else excess == cell.excess_bliss
    # The plasma peak of both drugs is 291.5 nM: the highest dose of 300 is out of reach.
    assert matrix.achievable[1][1] and not matrix.achievable[1][-1]
    assert not matrix.achievable[0][1]


def test_three_drugs_give_one_matrix_per_third_dose():
    tables = report_example.tables()
    surface, synergy = tables["surface"], tables["synergy"]
    chosen = surface["combination"] == "Bortezomib + Venetoclax"
    layers = [surface[chosen].assign(dose3=level) for level in (0.0, 30.0)]
    tables["surface"] = pd.concat(layers)
    tables["synergy"] = synergy[synergy["drug"] == "Bortezomib"].assign(drug3="Dexamethasone")
    matrices = build(tables).samples[0].combinations[0].matrices
    assert [matrix.dose3 for matrix in matrices] == [0.0, 30.0]
    assert "Dexamethasone at 30" in matrices[1].summary


def test_five_answers_in_fixed_order(sample):
    assert [answer.question for answer in sample.answers] == [
        "Is the sample usable?",
        "Which drugs stand out?",
        "Which combinations?",
        "Risk class, and why?",
        "What not to conclude",
    ]
    usable, drugs, pairs, risk, _ = sample.answers
    assert usable.lead == "Yes."
    assert "1 of 492 wells removed" in usable.text
    assert (
        drugs.lead == "Venetoclax, Bortezomib, Dasatinib, Dexamethasone, Prednisolone and 5 more."
    )
    assert "Exposure unknown" in drugs.text and "Dexamethasone" in drugs.text
    assert pairs.lead == "Bortezomib + Venetoclax: effective and synergistic"
    assert risk.lead == (
        "The systems disagree: COG High, ALL-REZ BFM S2, ALLR3 IR, IntReALL 2010 SR; "
        "pending: InPOG-ALL-R1."
    )
    assert "MRD at the end of induction or block 1 to 1e-4" in risk.text


def test_failed_sample_answers_without_any_drug():
    sample = report_example.record(verdict="fail").samples[0]
    assert [answer.lead for answer in sample.answers[:3]] == ["No result."] * 3
    words = " ".join(answer.lead + answer.text for answer in sample.answers)
    assert "Viability at plating 31 % is below 50" in words
    assert not any(name in words for name in report_example.DRUGS)


def test_a_sample_nobody_judged_is_no_result():
    tables = report_example.tables()
    del tables["sample_quality"]
    assert build(tables).samples[0].usable == "no"


def test_samples_come_newest_first_and_dates_leave_as_days():
    rows = [
        report_example.sample_row("P01-S1", "2025-03-02"),
        report_example.sample_row("P01-S2", "2026-03-02"),
    ]
    tables = report_example.tables(("P01-S1", "P01-S2"))
    record = build(tables, rows)
    assert [sample.sample for sample in record.samples] == ["P01-S2", "P01-S1"]
    assert [sample.days_before_newest for sample in record.samples] == [0, 365]
    assert record.samples[0].days_collection_to_reading == 4
    text = record.model_dump_json()
    assert "2026-03-02" not in text and report_example.PATIENT["diagnosis_date"] not in text


def test_no_reference_and_no_sensitive_drug_are_said():
    tables = report_example.tables()
    lost = tables["calls"].assign(call="not evaluable", rank_status="none", n_reference=0)
    tables["calls"] = lost
    answer = build(tables).samples[0].answers[1]
    assert answer.lead == "None."
    assert "No reference samples" in answer.text


def test_without_risk_data_the_class_is_not_known():
    tables = report_example.tables()
    del tables["risk"]
    record = build(tables)
    assert record.risk_lead == "Not known."
    assert "Unknown is not low" in record.samples[0].answers[3].text


def test_report_id_follows_the_content():
    tables = report_example.tables()
    first = build(tables).report_id
    assert build(tables).report_id == first
    tables["curves"].loc[0, "auc"] += 1e-6
    assert build(tables).report_id != first
