"""Workbooks with a sheet for each attribute: the cell is the well, wherever the sheet begins."""

import io

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.plates import scan_layout
from drp.wellnames import well_name
from tests.plates_workbooks import make_workbook

DRUGS = {"C2": "G01", "D2": "G01", "C3": "vehicle", "D3": "G02"}
DOSES = {"C2": 0.1, "D2": "1", "C3": 0.0, "D3": "0.0316"}


def scan(tmp_path, sheets, **options):
    path = tmp_path / "template.xlsx"
    path.write_bytes(sheets if isinstance(sheets, bytes) else make_workbook(sheets))
    return scan_layout(path, **options)


def codes(problems):
    return [problem.code for problem in problems]


# --- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("Gnumber", "Concentration"), ("gnumber", "concentration")])
def test_a_cell_is_the_well_of_its_place(tmp_path, names):
    layout, problems = scan(tmp_path, dict(zip(names, (DRUGS, DOSES), strict=True)), dose_unit="uM")
    assert problems == []
    assert layout["well"].tolist() == ["B3", "B4", "C3", "C4"]
    assert layout["role"].tolist() == ["sample", "sample", "negative", "sample"]
    assert layout["dose"].dropna().tolist() == [100.0, 1000.0, 31.6]
    assert layout["locator"][0] == f"{names[0]}!C2"


def test_a_second_drug_has_sheets_of_its_own(tmp_path):
    sheets = {"Gnumber": DRUGS, "Concentration": DOSES}
    sheets["Gnumber_2"] = {"C2": "G03", "D2": "vehicle", "C3": "vehicle", "D3": "G03"}
    sheets["Concentration_2"] = {"C2": 0.5, "D2": 0.0, "C3": 0.0, "D3": 0.0}
    layout, problems = scan(tmp_path, sheets, dose_unit="uM")
    assert problems == []
    assert layout["drug2"].tolist() == ["G03", "", "", "G03"]
    assert layout["dose2"].fillna(-1).tolist() == [500.0, -1.0, -1.0, 0.0]


def test_names_and_roles_of_the_user(tmp_path):
    sheets = {"Gnumber": DRUGS, "Concentration (uM)": DOSES}
    layout, problems = scan(
        tmp_path, sheets, names={"G01": "Venetoclax"}, roles={"G02": "positive"}
    )
    assert codes(problems) == ["layout.control-dose"]
    assert layout["drug"].tolist() == ["Venetoclax", "Venetoclax", "vehicle", "G02"]
    assert layout["role"].tolist() == ["sample", "sample", "negative", "positive"]


@pytest.mark.parametrize(("word", "role"), [("vehicle", "negative"), ("untreated", "untreated")])
def test_a_template_of_untreated_plates(tmp_path, word, role):
    layout, problems = scan(tmp_path, {"Sheet1": {"B2": word, "D9": word}})
    assert problems == []
    assert layout[["well", "role"]].to_numpy().tolist() == [["B2", role], ["I4", role]]


@settings(max_examples=3, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(1, 16), st.integers(1, 24)),
        st.tuples(st.sampled_from(["G01", "G02", "G03"]), st.floats(1e-3, 1e4)),
        min_size=1,
        max_size=60,
    )
)
def test_a_written_workbook_comes_back(tmp_path_factory, wells):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        for position, name in enumerate(("Gnumber", "Concentration")):
            sheet = workbook.add_worksheet(name)
            for (row, column), contents in wells.items():
                sheet.write(row - 1, column - 1, contents[position])
    layout, problems = scan(tmp_path_factory.mktemp("sheets"), stream.getvalue(), dose_unit="nM")
    assert problems == []
    read = {
        row["well"]: (row["drug"], row["dose"])
        for row in layout[["well", "drug", "dose"]].to_dict("records")
    }
    assert read == {
        well_name(*well): (drug, float(f"{dose:.12g}")) for well, (drug, dose) in wells.items()
    }


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Concentration": DOSES | {"E2": 5.0}}, "layout.no-drug"),
        ({"Concentration": {"C2": 5.0}}, "layout.no-dose"),
        ({"Gnumber": {"B2": "A", "B3": "B", "B4": "C"} | DRUGS}, "layout.labelled-sheet"),
        ({"Gnumber": {"C1": 1.0, "D1": 2.0} | DRUGS}, "layout.labelled-sheet"),
        ({"Gnumber": DRUGS | {"C40": "note"}}, "layout.bad-well"),
        ({"drug": DRUGS}, "layout.duplicate-block"),
        ({"Concentration": DOSES | {"C2": "210,530"}}, "layout.ambiguous-number"),
    ],
)
def test_sheets_that_cannot_be_trusted(tmp_path, change, code):
    sheets = {"Gnumber": DRUGS, "Concentration": DOSES} | change
    _, problems = scan(tmp_path, sheets, dose_unit="uM")
    assert code in codes(problems)
    problem = next(problem for problem in problems if problem.code == code)
    assert problem.severity == "error"


def test_a_sheet_of_another_name_is_said(tmp_path):
    sheets = {"Gnumber": DRUGS, "Concentration": DOSES, "Notes": {"A1": "by hand"}}
    _, problems = scan(tmp_path, sheets, dose_unit="uM")
    assert codes(problems) == ["layout.unused-sheet"]
    assert "'Notes'" in problems[0].found


def test_a_misspelt_sheet_of_doses_leaves_no_dose_unsaid(tmp_path):
    _, problems = scan(tmp_path, {"Gnumber": DRUGS, "Concentrations": DOSES}, dose_unit="uM")
    assert codes(problems).count("layout.no-dose") == 3


@pytest.mark.parametrize("labelled", [False, True])
def test_merged_cells_are_refused(tmp_path, labelled):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("Drug")
        sheet.merge_range("B2:D2", "vehicle")
        if labelled:
            sheet.write_row("A1", ["drug", 1, 2, 3])
            sheet.write("A2", "A")
    _, problems = scan(tmp_path, stream.getvalue())
    (problem,) = [p for p in problems if p.code == "layout.merged-cells"]
    assert "B2:D2" in problem.found
    assert problem.where.locator == "Drug!B2"


# --- real templates ----------------------------------------------------------------------------


def test_the_template_that_begins_at_d4(shared_data):
    path = shared_data / "plates" / "envision_bare" / "Project40.treated.template.xlsx"
    layout, problems = scan_layout(path, dose_unit="uM")
    assert problems == []
    assert len(layout) == 198
    wells = layout.set_index("well")
    assert wells.index[0] == "D4"
    assert wells.index[-1] == "O22"
    assert wells.loc["D4", ["drug", "dose"]].tolist() == ["G02948255", 30_000.0]
    assert wells.loc["O22", "drug"] == "G03409187"
    assert codes(scan_layout(path)[1]) == ["layout.no-unit"] * 198


def test_the_untreated_template(shared_data):
    path = shared_data / "plates" / "envision_bare" / "Project40.untreated.template.xlsx"
    layout, problems = scan_layout(path)
    assert problems == []
    assert set(layout["role"]) == {"negative"}
    treated = scan_layout(path.with_name("Project40.treated.template.xlsx"), dose_unit="uM")[0]
    assert layout["well"].tolist() == treated["well"].tolist()


@pytest.mark.parametrize(
    "name",
    [
        "tecan_icontrol/D300_trt_Tecan_96_well_plates.xlsx",
        "d300/output_files_96w__reference__trt_P1.xlsx",
    ],
)
def test_doses_stored_as_text(shared_data, name):
    layout, problems = scan_layout(shared_data / "plates" / name, dose_unit="uM")
    assert problems == []
    wells = layout.set_index("well")
    assert len(wells) == 60
    assert wells["role"].value_counts().to_dict() == {"sample": 54, "negative": 6}
    assert wells.loc["B2", "dose"] == 300.0
    # 9.486832980505E-05 uM as text
    assert wells.loc["B9", "dose"] == pytest.approx(0.09486832980505, rel=1e-11)
    assert wells.loc["G11", ["role", "drug"]].tolist() == ["negative", "vehicle"]
