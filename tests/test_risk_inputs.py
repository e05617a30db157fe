from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from drp.problems import Problems
from drp.risk.facts import possible_timings, possible_values
from drp.risk.inputs import COLUMNS, read_patients, scan_patients
from drp.risk.patient import read_patient

GOOD = {
    "patient": "P01",
    "immunophenotype": "B",
    "site": "isolated_marrow",
    "em_sites": "none",
    "months_dx_to_relapse": "48",
    "months_end_of_therapy_to_relapse": "20",
    "on_therapy": "N",
    "eoi_mrd": "0.005%",
    "age_at_diagnosis_y": "6",
    "age_at_relapse_y": "10",
    "genetics": "none",
    "down_syndrome": "N",
    "prior_hsct": "N",
    "relapse_number": "1",
    "second_remission": "Y",
}
BY_DATE = {
    "months_dx_to_relapse": "",
    "months_end_of_therapy_to_relapse": "",
    "on_therapy": "",
    "age_at_relapse_y": "",
    "diagnosis_date": "2018-05-10",
    "end_of_therapy_date": "2020-07-10",
    "relapse_date": "2021-05-10",
}


def sheet(*rows):
    return pd.DataFrame([{**GOOD, **row} for row in rows], dtype="str")


def patient(**cells):
    problems = Problems()
    found = read_patient({"patient": "P01", **cells}, problems)
    assert found is not None, problems.items
    return found


def test_a_good_row_has_no_problem():
    (found,), problems = read_patients(sheet({}))
    assert problems == []
    assert found.genetics == frozenset()
    assert found.age_at_diagnosis_y == Decimal(6)
    assert scan_patients(sheet(BY_DATE)) == []


@pytest.mark.parametrize("nothing", ["", "NA", "na", " NA "])
def test_empty_is_unknown_and_not_no(nothing):
    blank = pd.DataFrame([dict.fromkeys(COLUMNS, nothing) | {"patient": "P01"}])
    (found,), problems = read_patients(blank)
    assert problems == []
    facts = {name: getattr(found, name) for name in found.__dataclass_fields__}
    assert facts == {**dict.fromkeys(facts), "patient": "P01"}


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"immunophenotype": "B-ALL"}, "unknown-value", "immunophenotype"),
        ({"site": "marrow"}, "unknown-value", "site"),
        ({"em_sites": "CSF"}, "unknown-value", "em_sites"),
        ({"on_therapy": "maybe"}, "unknown-value", "on_therapy"),
        ({"second_remission": "?"}, "unknown-value", "second_remission"),
        ({"eoi_mrd": "0.1"}, "mrd-unit", "eoi_mrd"),
        ({"genetics": "BCR-ALB1"}, "unknown-lesion", "genetics"),
        ({"age_at_relapse_y": "150"}, "out-of-range", "age_at_relapse_y"),
        ({"age_at_diagnosis_y": "six"}, "bad-number", "age_at_diagnosis_y"),
        ({"months_dx_to_relapse": "-3"}, "bad-number", "months_dx_to_relapse"),
        ({"months_dx_to_relapse": "4800"}, "out-of-range", "months_dx_to_relapse"),
        ({"relapse_number": "0"}, "bad-number", "relapse_number"),
        ({"relapse_number": "1.5"}, "bad-number", "relapse_number"),
        ({"em_sites": "CNS"}, "site-contradiction", "em_sites"),
        ({"site": "combined"}, "site-contradiction", "em_sites"),
        ({"site": "isolated_em"}, "site-contradiction", "em_sites"),
        ({"age_at_relapse_y": "5"}, "age-order", "age_at_relapse_y"),
        ({"on_therapy": "Y"}, "on-therapy-ended", "on_therapy"),
        (
            {"months_end_of_therapy_to_relapse": "49"},
            "end-before-diagnosis",
            "months_end_of_therapy_to_relapse",
        ),
        ({**BY_DATE, "relapse_date": "10.5.2021"}, "bad-date", "relapse_date"),
        ({**BY_DATE, "relapse_date": "2021-02-30"}, "bad-date", "relapse_date"),
        ({**BY_DATE, "relapse_date": "0021-02-03"}, "bad-date", "relapse_date"),
        ({**BY_DATE, "diagnosis_date": "2021-06-01"}, "relapse-before-diagnosis", "relapse_date"),
        (
            {**BY_DATE, "end_of_therapy_date": "2017-01-01"},
            "end-before-diagnosis",
            "end_of_therapy_date",
        ),
        (
            {**BY_DATE, "end_of_therapy_date": "2021-06-01"},
            "end-after-relapse",
            "end_of_therapy_date",
        ),
        ({**BY_DATE, "months_dx_to_relapse": "30"}, "times-disagree", "months_dx_to_relapse"),
    ],
)
def test_bad_input_is_located_and_gives_no_patient(cells, code, column):
    found, problems = read_patients(sheet(cells, {"patient": "P02"}))
    assert [one.patient for one in found] == ["P02"]
    errors = {problem.code: problem for problem in problems}
    problem = errors[f"risk.{code}"]
    assert problem.severity == "error"
    assert problem.where.file == "patients.tsv"
    assert problem.where.locator == f"row for P01, column {column}"
    assert problem.fix


def test_every_fault_of_a_row_is_named_at_once():
    problems = scan_patients(sheet({"site": "marrow", "eoi_mrd": "0.1", "age_at_relapse_y": "150"}))
    assert {problem.code for problem in problems} == {
        "risk.unknown-value",
        "risk.mrd-unit",
        "risk.out-of-range",
    }


def test_a_planned_end_of_therapy_after_a_relapse_on_therapy_is_fine():
    cells = {**BY_DATE, "on_therapy": "Y", "end_of_therapy_date": "2021-06-01"}
    (found,), problems = read_patients(sheet(cells))
    assert problems == []
    assert found.off_therapy is None
    assert possible_values(found)["months_off_therapy"] == (0,)


def test_patients_are_named_once():
    problems = scan_patients(sheet({}, {}, {"patient": ""}, {"patient": "NA"}))
    assert sorted(problem.code for problem in problems) == [
        "risk.no-patient",
        "risk.no-patient",
        "risk.patient-twice",
    ]
    assert [problem.code for problem in scan_patients(pd.DataFrame({"case": ["1"]}))] == [
        "risk.no-patient"
    ]


def test_a_misspelt_column_and_ages_that_do_not_fit_are_warnings():
    odd = sheet({"age_at_relapse_y": "14"}).rename(columns={"prior_hsct": "prior_hcst"})
    (found,), problems = read_patients(odd)
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("risk.unknown-column", "warning"),
        ("risk.age-time-disagree", "warning"),
    ]
    assert "prior_hsct" in problems[0].fix
    assert found.prior_hsct is None


def test_a_sheet_read_without_care_for_types_reads_the_same():
    typed = pd.DataFrame(
        {
            "patient": ["P01", "P02"],
            "relapse_number": [1.0, None],
            "months_dx_to_relapse": [48.5, None],
            "diagnosis_date": [pd.Timestamp("2018-05-10"), pd.NaT],
            "relapse_date": [date(2022, 5, 20), None],
            "age_at_diagnosis_y": pd.array([6, None], dtype="Int64"),
        }
    )
    (known, unknown), problems = read_patients(typed)
    assert problems == []
    assert (known.relapse_number, known.age_at_diagnosis_y) == (1, Decimal(6))
    assert known.since_diagnosis.start == date(2018, 5, 10)
    assert unknown.since_diagnosis is unknown.relapse_number is None


@pytest.mark.parametrize(
    ("cells", "fact", "values"),
    [
        ({"age_at_diagnosis_y": "14.99"}, "age_at_diagnosis_y", ["0"]),
        ({"age_at_diagnosis_y": "15.0"}, "age_at_diagnosis_y", ["15"]),
        ({"age_at_relapse_y": "14"}, "age_at_diagnosis_y", ["0"]),
        ({"age_at_relapse_y": "15"}, "age_at_diagnosis_y", ["0", "15"]),
        ({"age_at_diagnosis_y": "16"}, "age_at_relapse_y", ["15", "18"]),
        ({"months_dx_to_relapse": "18"}, "months_since_diagnosis", ["18"]),
        ({"months_dx_to_relapse": "17.9"}, "months_since_diagnosis", ["0"]),
        (
            {"months_end_of_therapy_to_relapse": "20"},
            "months_since_diagnosis",
            ["18", "36"],
        ),
        ({"on_therapy": "N"}, "months_off_therapy", ["0", "6"]),
        ({"on_therapy": "Y"}, "months_off_therapy", ["0"]),
        ({"eoi_mrd": "0.1%"}, "eoi_mrd", ["1e-3"]),
        ({"eoi_mrd": "0.01%"}, "eoi_mrd", ["1e-4"]),
        ({"eoi_mrd": "<0.1%"}, "eoi_mrd", ["0", "1e-4"]),
        ({"eoi_mrd": ">0.05%"}, "eoi_mrd", ["1e-4", "1e-3"]),
    ],
)
def test_what_is_known_of_one_fact_and_what_follows(cells, fact, values):
    assert possible_values(patient(**cells))[fact] == tuple(Decimal(value) for value in values)


@pytest.mark.parametrize(
    ("cells", "sites"),
    [
        ({}, ("isolated_marrow", "combined", "isolated_em")),
        ({"em_sites": "CNS"}, ("combined", "isolated_em")),
        ({"em_sites": "none"}, ("isolated_marrow",)),
        ({"site": "combined"}, ("combined",)),
    ],
)
def test_extramedullary_disease_narrows_the_site(cells, sites):
    assert possible_values(patient(**cells))["site"] == sites


@pytest.mark.parametrize(
    ("relapse", "timing"), [("2021-02-27", "very_early"), ("2021-02-28", "early")]
)
def test_the_month_end_decides_by_the_day(relapse, timing):
    found = patient(diagnosis_date="2019-08-31", relapse_date=relapse, on_therapy="Y")
    assert possible_timings(possible_values(found), "bfm_timing") == (timing,)
