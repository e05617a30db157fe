"""Layouts: wells, roles, drugs, doses and every way to get them wrong."""

import math

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from drp.plates import read_layout, scan_layout
from drp.plates.layouts import role_mapping
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


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        *((unit, "nM") for unit in ("pM", "nM", "uM", "\u00b5M", "\u03bcM", "mM", "M")),
        *((f"{prefix}mol/L", "nM") for prefix in ("p", "n", "u", "\u00b5", "m", "")),
        *(("nmol/l", "nM"), ("log10 M", "nM"), ("IU/mL", "IU/mL"), ("ug/mL", "ug/mL")),
    ],
)
def test_known_units(unit, expected):
    assert is_unit(unit)
    assert convert_dose(1, unit).unit == expected


@pytest.mark.parametrize(
    ("unit", "near"),
    [("um", "'uM'"), ("NM", "'nM'"), ("MM", "'mM'"), ("nmol/ML", ""), ("U/mL", "'IU/mL'")],
)
def test_an_unknown_unit_is_refused_with_the_nearest(tmp_path, unit, near):
    _, (problem,) = _scan(tmp_path, f"well,drug,dose,unit\nA1,X,5,{unit}\n")
    assert problem.code == "layout.unknown-unit"
    assert near in problem.fix.partition("nearest to")[2].partition("is")[2]


def test_a_dose_beyond_all_numbers_is_refused(tmp_path):
    _, problems = _scan(
        tmp_path, "well,drug,dose,unit\nA1,X,400,log10 M\nA2,X,9e307,M\nA3,X,101,M\n"
    )
    assert _codes(problems) == ["layout.bad-dose"] * 3


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
    text = "well,role,drug,dose\nA1,killer,Benzethonium,1\n"
    assert _codes(_scan(tmp_path, text)[1]) == ["layout.unknown-role"]
    layout, _ = _scan(tmp_path, text, roles={"Killer": "positive"})
    assert layout["role"].tolist() == ["positive"]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        *(("NEGCON", "negative"), ("POS", "positive"), ("Media", "blank"), ("no cells", "blank")),
        *(("D00", "day0"), ("untreated", "untreated"), ("STS", "positive"), ("BzT", "positive")),
        *(("benzethonium chloride", "positive"), ("Bortezomib", "positive"), ("DMSO", "negative")),
    ],
)
def test_words_for_roles(tmp_path, word, role):
    layout, problems = _scan(tmp_path, f"well,role,drug\nA1,{word},\n")
    assert problems == []
    assert layout["role"].tolist() == [role]
    assert role_mapping(layout) == [(word, "", role, 1)]


def test_an_unknown_role_names_the_nearest(tmp_path):
    _, (problem,) = _scan(tmp_path, "well,role,drug\nA1,postive,\n")
    assert problem.code == "layout.unknown-role"
    assert "'positive'" in problem.fix


def test_the_roles_that_follow_from_drugs_are_shown(tmp_path):
    text = "well,drug,dose\nA1,DMSO,\nA2,X,5\nA3,Y,5\nA4,untreated,\n"
    layout, _ = _scan(tmp_path, text, dose_unit="nM")
    assert role_mapping(layout) == [
        ("", "", "sample", 2),
        ("", "DMSO", "negative", 1),
        ("", "untreated", "untreated", 1),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("G01,vehicle,0.1,0", ("sample", "G01", 100.0, "")),
        ("vehicle,G02,0,0.1", ("sample", "G02", 100.0, "")),
        ("G01,G02,0.1,0", ("sample", "G01", 100.0, "G02")),
        ("vehicle,vehicle,0,0", ("negative", "vehicle", -1.0, "")),
        ("untreated,untreated,0,0", ("untreated", "untreated", -1.0, "")),
    ],
)
def test_a_vehicle_beside_a_drug_is_no_partner(tmp_path, line, expected):
    text = f"well,Gnumber,Gnumber_2,Concentration,Concentration_2\nA1,{line}\n"
    layout, problems = _scan(tmp_path, text, dose_unit="uM")
    assert problems == []
    rows = layout[["role", "drug", "dose", "drug2"]].fillna(-1.0)
    assert tuple(rows.iloc[0]) == expected


def test_a_number_beside_a_vehicle_in_a_drug_well_is_said_once(tmp_path):
    text = "well,drug,dose,drug2,dose2\nA1,X,5,DMSO,0.3\nA2,X,6,DMSO,0.3\n"
    layout, problems = _scan(tmp_path, text, dose_unit="nM")
    assert layout["drug2"].tolist() == ["", ""]
    assert _codes(problems) == ["layout.control-dose"]
    assert problems[0].found.startswith("2 drug wells")


def test_names_of_the_user(tmp_path):
    text = "well,drug,dose\nA1,G01,5\nA2,fluid 7,0\n"
    names = {"g01": "Venetoclax", "Fluid 7": "DMSO"}
    layout, problems = _scan(tmp_path, text, dose_unit="nM", names=names)
    assert problems == []
    assert layout[["drug", "role"]].to_numpy().tolist() == [
        ["Venetoclax", "sample"],
        ["DMSO", "negative"],
    ]


def test_reference_wells_keep_their_dose_if_they_have_one(tmp_path):
    text = "well,role,drug,dose,unit\nA1,reference,X,5,nM\nA2,reference,X,,\nA3,reference,,,\n"
    layout, problems = _scan(tmp_path, text)
    assert problems == []
    assert layout["dose"].fillna(-1).tolist() == [5.0, -1.0, -1.0]
    assert _codes(_scan(tmp_path, "well,role,drug,dose\nA1,reference,X,5\n")[1]) == [
        "layout.no-unit"
    ]


def test_a_partner_of_an_arm_in_a_table_of_one_s_own(tmp_path):
    text = "well,role,drug,dose,unit,addon\nA1,,X,5,nM,Y\nA2,neg,DMSO,,,Y\nA3,,X,5,nM,\n"
    layout, problems = _scan(tmp_path, text)
    assert problems == []
    assert layout["addon"].tolist() == ["Y", "Y", ""]
    assert layout["drug2"].tolist() == ["Y", "", ""]


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


def test_a_workbook_with_doses_as_text_and_blank_rows(tmp_path):
    cells = {"B3": "Well ID", "C3": "Compound", "D3": "Conc", "E3": "Unit"}
    cells |= {"B4": "A01", "C4": "X", "D4": "9.4868E-05", "E4": "uM", "B6": "A02", "C6": "DMSO"}
    layout, problems = _scan(tmp_path, make_workbook({"Map": cells}))
    assert problems == []
    assert layout["well"].tolist() == ["A1", "A2"]
    assert layout["dose"].iloc[0] == 0.094868
    assert layout["locator"].tolist() == ["Map row 4", "Map row 6"]


def test_two_tables_in_a_workbook_are_one_too_many(tmp_path):
    cells = {"A1": "well", "B1": "drug", "A2": "A1", "B2": "DMSO"}
    _, problems = _scan(tmp_path, make_workbook({"First": cells, "Second": cells}))
    assert _codes(problems) == ["layout.unrecognised"]
    assert problems[0].found.startswith("2 tables")


def test_merged_cells_in_a_table_are_refused(tmp_path):
    path = tmp_path / "layout.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Data")
        sheet.write_row("A1", ["well", "drug", "dose", "unit"])
        sheet.write_column("A2", ["A1", "A2"])
        sheet.merge_range("B2:B3", "Venetoclax")
    _, problems = scan_layout(path, dose_unit="nM")
    assert "layout.merged-cells" in _codes(problems)


def test_a_lost_line_is_a_gap_and_a_design_with_holes_is_none(tmp_path):
    head = "well,drug\n"
    lines = [f"{row}{column},DMSO\n" for row in "ABCDEFGH" for column in range(1, 13)]
    _, (problem,) = _scan(tmp_path, head + "".join(lines[:30] + lines[31:]))
    assert problem.code == "layout.missing-well"
    assert problem.where.well == "C7"
    assert _scan(tmp_path, head + "".join(lines[::2]))[1] == []
    assert _scan(tmp_path, head + "".join(lines))[1] == []


def test_row_order_does_not_matter(tmp_path):
    lines = [f"{chr(65 + i % 8)}{i // 8 + 1}\tD{i % 5}\t{i + 1}\tuM" for i in range(96)]
    head = "well\tdrug\tdose\tdose_unit\n"
    layout, problems = _scan(tmp_path, head + "\n".join(lines) + "\n")
    assert len(layout) == 96
    assert problems == []
    order = np.random.default_rng(2).permutation(96)
    shuffled, _ = _scan(tmp_path, head + "\n".join(lines[i] for i in order) + "\n")
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
        ("A1,,X,5,nM,", "layout.short-row"),
        ("A1,,control,,,,", "layout.unclear-role"),
        ("A1,,X,5,nM,blank,", "layout.unclear-role"),
        ("A1,sample,DMSO,5,nM,,", "layout.no-drug"),
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
        ("well,drug,dose,unit\nA1,X,5,nM", "layout.truncated"),
        ("well,drug,unit,dose,addon\nA1,X,nM,5,", "layout.no-line-end"),
        ("plate,well,drug,dose,unit\n1,A1,X,5,nM\n,A1,X,5,nM\n", "layout.no-plate"),
        ("well,drug,dose,unit,dosse2\nA1,X,5,nM,\n", "layout.unknown-column"),
        ("well,drug,dose,unit,Treatment type\nA1,X,5,nM,\n", "layout.unused-column"),
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


def test_a_long_template_of_combinations(shared_data):
    path = shared_data / "plates" / "layouts" / "gdr5_Template_trt.tsv"
    layout, problems = scan_layout(path, dose_unit="uM")
    assert problems == []
    assert layout["role"].value_counts().to_dict() == {"sample": 234, "negative": 6}
    drugs = layout[layout["role"] == "sample"]
    pairs = drugs[drugs["drug2"] != ""].groupby(["drug", "drug2"]).size()
    assert len(pairs) == 6
    assert set(pairs) == {28}
    single = drugs[drugs["drug2"] == ""].groupby("drug").size()
    assert single.to_dict() == {"G01": 21, "G02": 21, "G03": 8, "G04": 8, "G05": 8}
    wells = layout.set_index("well")
    assert wells.loc["C11", ["drug", "dose", "drug2"]].tolist() == ["G04", 100.0, ""]
    pair = wells.loc["D3", ["drug", "dose", "drug2", "dose2"]].tolist()
    assert pair == ["G01", 100.0, "G04", 316.227766017]
    assert "vehicle" not in set(drugs[["drug", "drug2"]].stack())
