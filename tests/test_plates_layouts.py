"""Layouts: wells, roles, drugs, doses and every way to get them wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp.plates import read_layout, scan_layout
from drp.plates.layouts.units import convert_dose, is_unit
from drp.problems import DataError
from tests.plates_workbooks import make_workbook


def _scan(tmp_path, text, **options):
    path = tmp_path / "layout.tsv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return scan_layout(path, **options)


def _codes(problems):
    return [problem.code for problem in problems]


# --- units -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0032, "uM", (3.2, "nM")),
        (0.0032, "\u00b5M", (3.2, "nM")),
        (0.0032, "\u03bcM", (3.2, "nM")),
        (0.00064, "uM", (0.64, "nM")),
        (1.1, "mM", (1_100_000.0, "nM")),
        (1e-6, "M", (1000.0, "nM")),
        (3.33e-7, "M", (333.0, "nM")),
        (250, "pM", (0.25, "nM")),
        (-7, "log10 M", (100.0, "nM")),
        (-6.5, "log10(M)", (316.227766017, "nM")),
        (5, "IU/ml", (5.0, "IU/mL")),
        (0.2, "\u00b5g/mL", (0.2, "ug/mL")),
        (0, "uM", (0.0, "nM")),
    ],
)
def test_conversion(value, unit, expected):
    assert convert_dose(value, unit) == expected


@given(st.decimals("0.0001", "9999", places=4), st.sampled_from(["pM", "uM", "mM", "M"]))
def test_conversion_is_exact_to_twelve_digits(value, unit):
    power = {"pM": -3, "uM": 3, "mM": 6, "M": 9}[unit]
    assert convert_dose(float(value), unit).value == float(f"{value.scaleb(power):.12g}")


@pytest.mark.parametrize("unit", ["", "um", "MM", "nm", "%", "mg/mL", "U/mL", "molar"])
def test_unknown_units(unit):
    assert not is_unit(unit)


# --- what is read ------------------------------------------------------------------------------


def test_the_columns_of_a_layout(tmp_path):
    text = (
        "Well\tRole\tDrug\tDose\tDose unit\tDrug2\tDose2\tSample\n"
        "A01\tnegative\tDMSO\t0.3\t\t\t\tS1\n"
        "A02\tsample\tVenetoclax\t10\tnM\t\t\tS1\n"
        "a3\t\tBortezomib\t0\tuM\tVenetoclax\t0.1\tS2\n"
        "A004\tpositive\tStaurosporine\t1\tuM\t\t\t\n"
        "A5\tempty\t\t\t\t\t\t\n"
    )
    layout, problems = _scan(tmp_path, text)
    assert _codes(problems) == ["layout.control-dose", "layout.control-dose"]
    rows = layout.set_index("well").to_dict("index")
    assert list(rows) == ["A1", "A2", "A3", "A4", "A5"]
    assert [row["role"] for row in rows.values()] == [
        "negative",
        "sample",
        "sample",
        "positive",
        "empty",
    ]
    assert (rows["A3"]["dose"], rows["A3"]["dose2"], rows["A3"]["dose_unit"]) == (0.0, 100.0, "nM")
    assert (rows["A4"]["drug"], rows["A4"]["dose_value"]) == ("Staurosporine", "1")
    assert math.isnan(rows["A4"]["dose"])
    assert math.isnan(rows["A2"]["dose2"])
    assert rows["A2"]["drug2"] == ""
    assert rows["A3"]["locator"] == "line 4"
    assert rows["A3"]["sample"] == "S2"
    assert set(layout["layout"]) == {"layout.tsv"}


@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_other_names_of_columns(tmp_path, separator):
    text = "wellID\tWellType\tTreatment\tconcentration\tunit\nA001\ttherapy\tX\t5\tnM\n"
    layout, problems = _scan(tmp_path, text.replace("\t", separator))
    assert problems == []
    assert layout[["well", "role", "raw_role", "drug", "dose"]].iloc[0].tolist() == [
        "A1",
        "sample",
        "therapy",
        "X",
        5.0,
    ]


def test_roles_come_from_names_only_where_that_is_certain(tmp_path):
    text = "well,drug,dose\nA1,dmso,\nA2,PBS,\nA3,Bortezomib,5\nA4,Staurosporine,5\nA5,untreated,\n"
    layout, _ = _scan(tmp_path, text, dose_unit="nM")
    assert layout["role"].tolist() == ["negative", "negative", "sample", "sample", "untreated"]
    layout, _ = _scan(tmp_path, text, dose_unit="nM", roles={"staurosporine": "positive"})
    assert layout["role"].tolist()[3] == "positive"
    assert _codes(_scan(tmp_path, "well,drug\nA1,medium\n")[1]) == ["layout.unclear-role"]


def test_roles_of_the_user_also_explain_the_column_of_roles(tmp_path):
    text = "well,role,drug,dose\nA1,BzCl,Benzethonium,1\n"
    assert _codes(_scan(tmp_path, text)[1]) == ["layout.unknown-role"]
    layout, _ = _scan(tmp_path, text, roles={"BzCl": "positive"})
    assert layout["role"].tolist() == ["positive"]


def test_decimal_commas(tmp_path):
    layout, problems = _scan(tmp_path, "well;drug;dose;unit\nA1;X;0,0032;uM\nA2;X;210,530;uM\n")
    assert problems == []
    assert layout["dose"].tolist() == [3.2, 210_530.0]


def test_a_workbook_in_rows_and_columns(tmp_path):
    cells = {"A1": "Row", "B1": "Column", "C1": "Drug", "D1": "Dose", "E1": "Unit"}
    cells |= {"A2": "B", "B2": 2.0, "C2": "X", "D2": 0.5, "E2": "µM"}
    content = make_workbook({"Read me": {"A1": "hello"}, "Data": cells})
    layout, problems = _scan(tmp_path, content)
    assert problems == []
    assert layout[["well", "dose", "locator"]].iloc[0].tolist() == ["B2", 500.0, "Data row 2"]


def test_row_order_does_not_matter(tmp_path):
    lines = [f"{chr(65 + i % 8)}{i // 8 + 1}\tD{i % 5}\t{i + 1}\tuM" for i in range(96)]
    head = "well\tdrug\tdose\tdose_unit\n"
    layout, _ = _scan(tmp_path, head + "\n".join(lines))
    order = np.random.default_rng(2).permutation(96)
    shuffled, _ = _scan(tmp_path, head + "\n".join(lines[i] for i in order))
    drop = {"columns": ["locator"]}
    assert (
        shuffled.sort_values("well", ignore_index=True)
        .drop(**drop)
        .equals(layout.sort_values("well", ignore_index=True).drop(**drop))
    )


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("A1,,X,5,,,", "layout.no-unit"),
        ("A1,,X,5,furlong,,", "layout.unknown-unit"),
        ("A1,,X,-5,nM,,", "layout.negative-dose"),
        ("A1,,X,five,nM,,", "layout.bad-dose"),
        ("A1,,X,,nM,,", "layout.no-dose"),
        ("A1,,,5,nM,,", "layout.no-drug"),
        ("A1,sample,,5,nM,,", "layout.no-drug"),
        ("A1,,X,5,nM,,7", "layout.no-drug"),
        ("A1,,X,5,nM,Y,", "layout.no-dose"),
        ("A1,,X,5,nM,x,5", "layout.same-drug"),
        ("A1,,X,0,nM,,", "layout.zero-dose"),
        ("A1,thing,X,5,nM,,", "layout.unknown-role"),
        ("A1,,,,,,", "layout.no-role"),
        ("AG1,,X,5,nM,,", "layout.bad-well"),
        ('A1,,X,"210,530",nM,,', "layout.ambiguous-number"),
    ],
)
def test_every_fault_has_its_code_and_place(tmp_path, line, code):
    text = f"well,role,drug,dose,dose_unit,drug2,dose2\nB2,,Y,5,nM,,\n{line}\n"
    layout, problems = _scan(tmp_path, text)
    assert code in _codes(problems)
    assert "A1" not in layout["well"].tolist()
    problem = next(problem for problem in problems if problem.code == code)
    assert problem.where.file == "layout.tsv"
    assert "line 3" in problem.where.locator
    assert problem.fix


def test_a_well_given_twice_names_both_lines(tmp_path):
    _, problems = _scan(tmp_path, "well,drug,dose,unit\nA1,X,5,nM\nB1,X,5,nM\nA01,Y,5,nM\n")
    (problem,) = problems
    assert problem.code == "layout.duplicate-well"
    assert (problem.where.locator, problem.where.well) == ("line 4", "A1")
    assert "line 2" in problem.found


def test_every_line_without_a_unit_is_listed(tmp_path):
    text = "well,drug,dose\n" + "".join(f"A{i},X,{i}\n" for i in range(1, 13))
    with pytest.raises(DataError) as caught:
        read_layout(_write(tmp_path, text))
    assert _codes(caught.value.problems) == ["layout.no-unit"] * 12
    assert len({problem.where.locator for problem in caught.value.problems}) == 12


def _write(tmp_path, text):
    path = tmp_path / "layout.csv"
    path.write_text(text)
    return path


def test_a_layout_of_several_plates_names_each(tmp_path):
    text = "plate,well,drug,dose,unit\n1,A1,X,5,nM\n2,A1,Y,6,nM\n"
    layout, problems = _scan(tmp_path, text)
    assert problems == []
    assert [name.rpartition("#")[2] for name in layout["layout"]] == ["1", "2"]
    assert layout["drug"].tolist() == ["X", "Y"]
    assert layout["layout_plate"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("well,drug,dose,unit\nA1,X,5,nM\nA2,X,5,ug/mL\n", "layout.mixed-units"),
        ("well,drug,dose,unit\nA1,X,5,M\n", "layout.odd-dose"),
        ("well,drug,dose,unit\nA1,X,0.0001,pM\n", "layout.odd-dose"),
        ("well,drug,name\nA1,X,Y\n", "layout.duplicate-column"),
        ("plate,well,drug,dose,unit\n1,A1,X,5,nM\n1,A1,X,5,nM\n", "layout.duplicate-well"),
        ("well,dose\nA1,5\n", "layout.unrecognised"),
        ("well,drug\n", "layout.empty"),
        ("", "layout.empty"),
    ],
)
def test_faults_of_the_whole(tmp_path, text, code):
    assert code in _codes(_scan(tmp_path, text)[1])


def test_negative_logarithms_are_doses(tmp_path):
    layout, problems = _scan(tmp_path, "well,drug,dose,unit\nA1,X,-6,log10 M\n")
    assert problems == []
    assert layout["dose"].tolist() == [1000.0]


def test_wrong_arguments_are_problems_too(tmp_path):
    text = "well,drug,dose\nA1,X,5\n"
    assert _codes(_scan(tmp_path, text, dose_unit="um")[1]) == ["layout.unknown-unit"]
    assert _codes(_scan(tmp_path, text, roles={"X": "boss"})[1]) == ["layout.unknown-role"]


# --- the real one ------------------------------------------------------------------------------


def test_the_map_of_the_leukaemia_plates(shared_data):
    path = shared_data / "leukaemia_plates" / "wellAnno.tsv"
    layout, problems = scan_layout(path, dose_unit="uM")
    assert _codes(problems) == ["layout.control-dose"]
    assert len(layout) == 384
    drugs = layout[layout["role"] == "sample"]
    assert drugs["drug"].nunique() == 63
    assert drugs.groupby("drug")["dose"].nunique().unique().tolist() == [5]
    assert (drugs["dose_unit"] == "nM").all()
    controls = layout[layout["role"] == "negative"]
    assert controls["drug"].value_counts().to_dict() == {"DMSO": 37, "PBS": 32}
    assert controls["dose"].isna().all()
    assert set(controls.loc[controls["drug"] == "DMSO", "dose_value"]) == {"0.3"}
    ranges = drugs.groupby("drug")["dose"].agg(["min", "max"]).value_counts().to_dict()
    assert ranges == {(3.2, 2000.0): 36, (16.0, 10_000.0): 24, (0.64, 400.0): 3}


def test_the_map_without_a_unit_is_refused_well_by_well(shared_data):
    _, problems = scan_layout(shared_data / "leukaemia_plates" / "wellAnno.tsv")
    errors = [problem for problem in problems if problem.severity == "error"]
    assert len(errors) == 63 * 5
    assert set(_codes(errors)) == {"layout.no-unit"}
