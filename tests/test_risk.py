"""The risk table: the worked cases, flags, switches, order, speed."""

import random
import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.problems import DataError
from drp.risk import classify_risk, list_switches, scan_patients
from drp.tables import check
from tests.examples import examples

CLASS_COLUMNS = {
    "COG": ("COG", "expected_cog"),
    "ALL-REZ BFM": ("BFM", "expected_bfm_s_group"),
    "ALLR3": ("ALLR3", "expected_allr3_uk"),
    "IntReALL 2010": ("IntReALL", "expected_intreall2010"),
    "InPOG-ALL-R1": ("InPOG", "expected_inpog_all_r1"),
}
BFM_TIERS = {"S1": "Low", "S2": "Intermediate", "S3": "High", "S4": "High"}

LATE_MARROW = {
    "patient": "P01",
    "immunophenotype": "B",
    "site": "isolated_marrow",
    "em_sites": "none",
    "months_dx_to_relapse": "48",
    "months_end_of_therapy_to_relapse": "20",
    "on_therapy": "N",
    "eoi_mrd": "0.005%",
    "age_at_diagnosis_y": "6",
    "genetics": "none",
    "down_syndrome": "N",
    "prior_hsct": "N",
    "relapse_number": "1",
}


def classify(switches=None, **cells):
    sheet = pd.DataFrame([{**LATE_MARROW, **cells}], dtype="str")
    return classify_risk(sheet, switches=switches).set_index("system")


def as_written(row):
    pending = f"PENDING{{{row.possible}}}"
    return {"definite": row.risk_class, "pending": pending, "not_classifiable": "NC"}[row.status]


def flags_of(table):
    return {flag for flags in table["flags"] for flag in flags.split(";") if flag}


@pytest.fixture(scope="module")
def cases(shared_data):
    sheet = pd.read_csv(shared_data / "risk" / "risk_cases.csv", dtype="str", keep_default_na=False)
    return sheet.rename(columns={"case_id": "patient", "site_category": "site"})


@pytest.fixture(scope="module")
def classified(cases):
    table = classify_risk(cases)
    assert len(table) == 5 * len(cases) == 210
    return {patient: rows.set_index("system") for patient, rows in table.groupby("patient")}


def test_worked_cases_have_the_expected_classes(cases, classified):
    columns = ["patient", *(column for _, column in CLASS_COLUMNS.values())]
    found = [
        (patient, *(as_written(rows.loc[system]) for system in CLASS_COLUMNS))
        for patient, rows in classified.items()
    ]
    assert found == list(cases[columns].itertuples(index=False, name=None))


def test_worked_cases_have_the_expected_bfm_tier(cases, classified):
    for case in cases.itertuples():
        row = classified[case.patient].loc["ALL-REZ BFM"]
        tiers = sorted({BFM_TIERS[group] for group in row.possible.split("|") if group})
        expected = case.expected_bfm_risk
        if len(tiers) == 1:
            assert (tiers[0], row.tier) == (expected, expected.lower())
        else:
            assert row.tier == ""
            assert expected == ("NC" if not tiers else f"PENDING{{{'|'.join(tiers)}}}")


def test_worked_cases_have_the_expected_timing(cases, classified):
    expected = cases[["patient", "expected_bfm_timing", "expected_cog_timing"]]
    found = [
        (patient, rows["timing_bfm"].iloc[0] or "NA", rows["timing_cog"].iloc[0] or "NA")
        for patient, rows in classified.items()
    ]
    assert found == list(expected.itertuples(index=False, name=None))


def test_worked_cases_have_the_expected_needs(cases, classified):
    for case in cases.itertuples():
        rows = classified[case.patient]
        needs = {
            f"{short}:{rows.loc[system].needs}"
            for system, (short, _) in CLASS_COLUMNS.items()
            if rows.loc[system].needs
        }
        assert (case.patient, needs) == (case.patient, set(case.needs.split(";")) - {"none"})


def test_worked_cases_have_the_expected_flags(cases, classified):
    expected = {case.patient: set(case.flags.split(";")) - {"none"} for case in cases.itertuples()}
    assert {patient: flags_of(rows) for patient, rows in classified.items()} == expected


def test_every_row_keeps_the_contract_and_says_why():
    table = classify(eoi_mrd="").reset_index()
    check(table, "risk")
    assert table["source"].ne("").all()
    assert table["table_sha256"].str.fullmatch("[0-9a-f]{64}").all()
    cog = table.set_index("system").loc["COG"]
    assert cog.sentence == (
        "Provisional: Intermediate or Low. To settle it: the MRD at the end of block 1."
    )
    assert cog.rule == "COG-4|COG-5"
    assert (cog.tier, cog.risk_class) == ("", "")


def test_an_empty_sheet_gives_an_empty_table():
    table = classify_risk(pd.DataFrame({"patient": []}, dtype="str"))
    assert len(table) == 0
    check(table, "risk")


@pytest.mark.parametrize(
    ("mrd", "cog", "inpog"),
    [
        ("0.00999%", "Low", "SR"),
        ("0.01%", "Low", "HR"),
        ("0.0999%", "Low", "HR"),
        ("0.1%", "Intermediate", "HR"),
        ("1e-3", "Intermediate", "HR"),
        ("10^-4", "Low", "HR"),
    ],
)
def test_mrd_at_the_cuts(mrd, cog, inpog):
    table = classify(eoi_mrd=mrd)
    assert (table.loc["COG"].risk_class, table.loc["InPOG-ALL-R1"].risk_class) == (cog, inpog)


@pytest.mark.parametrize(
    ("cells", "inpog"),
    [
        ({"age_at_diagnosis_y": "14.99"}, "SR"),
        ({"age_at_diagnosis_y": "15.0"}, "HR"),
        ({"genetics": "modal=40"}, "SR"),
        ({"genetics": "modal=39"}, "HR"),
        ({"genetics": "ETV6::RUNX1"}, "SR"),
        ({"genetics": "KMT2A::AFF1; IKZF1del"}, "HR"),
    ],
)
def test_age_and_genetics_at_the_cuts(cells, inpog):
    assert classify(**cells).loc["InPOG-ALL-R1"].risk_class == inpog


@pytest.mark.parametrize(
    ("relapse", "class_by_cog", "raised"),
    [
        ("2022-02-27", "High", {"DATES", "BOUNDARY"}),
        ("2022-02-28", "Low", {"DATES", "BOUNDARY"}),
        ("2022-03-07", "Low", {"DATES", "BOUNDARY"}),
        ("2022-03-08", "Low", {"DATES"}),
        ("2022-02-20", "High", {"DATES"}),
    ],
)
def test_thirty_six_calendar_months_from_a_leap_day(relapse, class_by_cog, raised):
    dates = {
        "diagnosis_date": "2019-02-28",
        "end_of_therapy_date": "2021-02-28",
        "relapse_date": relapse,
        "months_dx_to_relapse": "",
        "months_end_of_therapy_to_relapse": "",
    }
    table = classify(**dates)
    assert table.loc["COG"].risk_class == class_by_cog
    assert flags_of(table) - {"DISCORDANT"} == raised


@pytest.mark.parametrize(
    ("diagnosis", "end", "relapse", "timing"),
    [
        ("2019-08-31", "2020-01-31", "2021-02-27", "very_early"),  # 18 months end on 28 February
        ("2019-08-31", "2021-01-31", "2021-02-28", "early"),
        ("2018-08-31", "2020-01-31", "2020-02-28", "very_early"),  # on the 29th in a leap year
        ("2018-08-31", "2020-01-31", "2020-02-29", "early"),
        ("2016-02-29", "2018-08-31", "2019-02-27", "early"),  # 6 months end on 28 February
        ("2016-02-29", "2018-08-31", "2019-02-28", "late"),
        ("2016-02-29", "2019-08-31", "2020-02-28", "early"),
        ("2016-02-29", "2019-08-31", "2020-02-29", "late"),
        ("2016-02-29", "2019-12-31", "2020-06-29", "early"),
        ("2016-02-29", "2019-12-31", "2020-06-30", "late"),
        ("2020-02-29", "2020-12-31", "2021-08-28", "very_early"),
        ("2020-02-29", "2020-12-31", "2021-08-29", "late"),
    ],
)
def test_eighteen_and_six_calendar_months_at_the_ends_of_months(diagnosis, end, relapse, timing):
    dates = {
        "diagnosis_date": diagnosis,
        "end_of_therapy_date": end,
        "relapse_date": relapse,
        "months_dx_to_relapse": "",
        "months_end_of_therapy_to_relapse": "",
        "on_therapy": "",
    }
    table = classify(**dates)
    assert set(table["timing_bfm"]) == {timing}
    group = {"very_early": "S4", "early": "S3", "late": "S2"}[timing]
    assert table.loc["ALL-REZ BFM"].risk_class == group
    assert all("BOUNDARY" in flags for flags in table["flags"])


def test_mrd_of_another_time_point_is_not_used():
    """Without a time point the MRD serves every system; with one, those that ask for it."""
    assert classify().loc["COG"].risk_class == "Low"
    at_induction = classify(mrd_time_point="end_of_induction")
    assert at_induction.loc["COG"].possible == "Intermediate|Low"
    assert at_induction.loc["COG"].needs == "eoi_mrd"
    assert "MRD_TIME_POINT" in at_induction.loc["COG"]["flags"]
    assert at_induction.loc["InPOG-ALL-R1"].risk_class == "SR"
    after_block_1 = classify(mrd_time_point="end_of_block_1")
    assert after_block_1.loc["COG"].risk_class == "Low"
    assert after_block_1.loc["InPOG-ALL-R1"].possible == "HR|SR"
    with pytest.raises(DataError, match="end_of_block_1"):
        classify(mrd_time_point="day 29")


def test_unknown_is_not_no():
    table = classify(prior_hsct="", relapse_number="NA")
    assert table["status"].eq("pending").all()
    assert table["needs"].eq("relapse_number,prior_hsct").all()
    assert table.loc["COG"].possible == "Low|not_classifiable"


def test_a_transplant_before_is_not_classifiable_anywhere():
    table = classify(prior_hsct="Y", eoi_mrd="", genetics="")
    assert table["status"].eq("not_classifiable").all()
    assert table[["risk_class", "possible", "needs", "tier"]].eq("").all(axis=None)


def test_a_flag_stands_in_the_row_of_its_system():
    table = classify(genetics="BCR::ABL1; IKZF1", down_syndrome="Y")
    cog = {"COG_DS_EXCLUDED_AALL1331", "COG_PH_EXCLUDED_AALL1331", "DISCORDANT"}
    assert set(table.loc["COG"]["flags"].split(";")) == cog
    assert set(table.loc["InPOG-ALL-R1"]["flags"].split(";")) == {
        "ADVERSE_CNA_REVIEW",
        "DISCORDANT",
    }
    assert table.loc["IntReALL 2010"]["flags"] == "DISCORDANT"


@pytest.mark.parametrize(
    ("switch", "cells", "system", "default", "other"),
    [
        ({"inpog_tp53_mutation": "not_high_risk"}, {"genetics": "TP53mut"}, 4, "HR", "SR"),
        ({"inpog_age": "at_relapse"}, {"age_at_relapse_y": "15"}, 4, "SR", "HR"),
        (
            {"inpog_late_isolated_em_t": "HR"},
            {"immunophenotype": "T", "site": "isolated_em", "em_sites": "CNS"},
            4,
            "SR",
            "HR",
        ),
        (
            {"allr3_very_early_isolated_em": "IR"},
            {
                "site": "isolated_em",
                "em_sites": "CNS",
                "months_dx_to_relapse": "10",
                "months_end_of_therapy_to_relapse": "",
            },
            2,
            "HR",
            "IR",
        ),
        ({"intreall_t_marrow": "not_classifiable"}, {"immunophenotype": "T"}, 3, "HR", ""),
    ],
)
def test_a_switch_changes_its_class_and_is_printed(switch, cells, system, default, other):
    name = list(CLASS_COLUMNS)[system]
    as_default, changed = classify(**cells), classify(switch, **cells)
    assert as_default.loc[name].risk_class == default
    assert changed.loc[name].risk_class == other
    ((setting, option),) = switch.items()
    assert changed.loc[name].switches == f"{setting}={option}"
    assert changed.drop(index=name)["switches"].eq("").all()
    assert as_default["switches"].eq("").all()
    spelt_out = classify({setting: list_switches()[setting][0]}, **cells)
    pd.testing.assert_frame_equal(spelt_out, as_default)


def test_a_switch_that_is_not_known_is_refused():
    with pytest.raises(DataError) as refused:
        classify({"inpog_agee": "at_relapse", "inpog_age": "sometime"})
    assert [problem.code for problem in refused.value.problems] == ["risk.unknown-switch"] * 2
    assert "inpog_age" in refused.value.problems[1].fix


def test_one_bad_row_gives_no_table_but_every_problem():
    sheet = pd.DataFrame([LATE_MARROW, {**LATE_MARROW, "patient": "P02", "eoi_mrd": "0.1"}])
    with pytest.raises(DataError, match="row for P02, column eoi_mrd") as refused:
        classify_risk(sheet)
    assert refused.value.problems == scan_patients(sheet)
    assert set(classify_risk(sheet[sheet["patient"] == "P01"])["patient"]) == {"P01"}


KNOWN = {
    "immunophenotype": ["B", "T", "MPAL"],
    "site_and_em": [
        "isolated_marrow:none",
        "combined:CNS",
        "isolated_em:testes",
        "isolated_em:CNS",
    ],
    "months_dx_to_relapse": ["10", "18", "30", "48"],
    "months_end_of_therapy_to_relapse": ["1", "6", "8"],
    "eoi_mrd": ["0", "<0.01%", "<0.1%", "0.05%", "1e-3"],
    "age_at_diagnosis_y": ["6", "15"],
    "genetics": ["none", "TP53mut", "BCR::ABL1", "IKZF1del;modal=39"],
    "prior_hsct": ["N", "Y"],
    "relapse_number": ["1", "2"],
}


def row_of(cells):
    row = dict(cells)
    row["site"], row["em_sites"] = row.pop("site_and_em").split(":")
    return row


@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_filling_in_a_cell_never_leaves_what_was_possible(data):
    row = row_of({name: data.draw(st.sampled_from(values)) for name, values in KNOWN.items()})
    hidden = data.draw(st.lists(st.sampled_from(sorted(row)), unique=True))
    shown = data.draw(st.lists(st.sampled_from(hidden), unique=True)) if hidden else []
    before = {**row, **dict.fromkeys(hidden, "")}
    after = {**before, **{name: row[name] for name in shown}}
    sheet = pd.DataFrame([{"patient": "1", **before}, {"patient": "2", **after}], dtype="str")
    table = classify_risk(sheet)
    for _, (old, new) in (
        table.groupby("system").apply(lambda rows: list(rows.itertuples())).items()
    ):
        possible = set(old.possible.split("|")) if old.possible else {"not_classifiable"}
        excluded = {"not_classifiable"} if old.proviso else set()
        assert set((new.possible or "not_classifiable").split("|")) <= possible | excluded
        if old.status == "definite" and new.status == "definite":
            assert old.risk_class == new.risk_class


def some_patients(number, share_unknown, seed=7):
    chance = random.Random(seed)
    rows = []
    for index in range(number):
        row = row_of({name: chance.choice(values) for name, values in KNOWN.items()})
        blanks = {name: "" for name in row if chance.random() < share_unknown}
        rows.append({"patient": f"P{index:05d}", **row, **blanks})
    return pd.DataFrame(rows, dtype="str")


def test_row_order_does_not_matter():
    sheet = some_patients(60, 0.4)
    shuffled = sheet.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(classify_risk(sheet), classify_risk(shuffled))


@pytest.mark.slow
def test_ten_thousand_patients_in_five_seconds():
    """Other patients each time; the best of three, as other work on the machine costs CPU time."""
    seconds = []
    for seed in range(3):
        half_known = some_patients(5_000, 0.5, seed)
        unknown = some_patients(5_000, 1.0, seed)
        sheet = pd.concat([half_known, unknown.assign(patient="U" + unknown["patient"])])
        start = time.process_time()
        table = classify_risk(sheet)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 5
    assert len(table) == 50_000
    assert table["status"].eq("pending").sum() > 25_000
