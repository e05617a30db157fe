"""iTReX layouts: words of the format, nM by definition, partners of an arm, published screens."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest
import python_calamine

from drp.plates import read_plate, scan_layout
from drp.plates.layouts import role_mapping
from drp.problems import Problems
from drp.sensitivity import fit_curves
from drp.synergy import score_synergy
from drp.viability import normalise
from drp.wells import join_wells

HEAD = "Plate\tRow\tColumn\tSample\tWellType\tTreatment\tConcentration\tReplicate\tAddOn\tReadout"
LINES = (
    "1\tA\t1\tS1\ttherapy\tVenetoclax\t1000\t1\t\t77",
    "1\tA\t2\tS1\ttherapy\tVenetoclax\t1000\t1\tTrametinib\t55",
    "1\tA\t3\tS1\tneg\tDMSO\t0\t1\t\t99",
    "1\tA\t4\tS1\tneg\tDMSO\t0\t1\tTrametinib\t80",
    "1\tA\t5\tS1\tpos\tBzCl\t100000\t1\t\t2",
    "1\tA\t6\tS1\tTRC\tStaurosporine\t0.1\t1\t\t90",
    "1\tA\t7\tS1\tSTS\tStaurosporine\t250\t1\tTrametinib\t9",
    "1\tA\t8\tS1\tuntreated\t\t\t1\t\t98",
    "1\tA\t9\tS1\tempty\t\t\t1\t\t1",
    "1\tA\t10\tS1\tBzCl\tBzCl\t100000\t1\t\t2",
    "2\tA\t1\tS1\ttherapy\tTrametinib\t25\t1\tTrametinib\t44",
)


def scan(tmp_path, lines=LINES, head=HEAD, **options):
    path = tmp_path / "layout.txt"
    path.write_text("\n".join([head, *lines]) + "\n")
    return scan_layout(path, **options)


def codes(problems, severity=None):
    return [p.code for p in problems if severity in (None, p.severity)]


# --- the words of the format -------------------------------------------------------------------


def test_every_well_type_has_its_role(tmp_path):
    layout, problems = scan(tmp_path)
    assert codes(problems, "error") == []
    assert layout["role"].tolist() == [
        *("sample", "sample", "negative", "negative", "positive", "reference", "reference"),
        *("untreated", "empty", "positive", "sample"),
    ]
    assert layout["sample"].unique().tolist() == ["S1"]
    assert layout["layout"].tolist() == ["layout.txt#1"] * 10 + ["layout.txt#2"]


def test_the_user_s_words_go_first(tmp_path):
    layout, _ = scan(tmp_path, roles={"STS": "positive"})
    assert layout.set_index(["layout_plate", "well"]).loc[("1", "A7"), "role"] == "positive"


def test_doses_are_nm_with_a_warning_and_a_stated_unit_wins(tmp_path):
    layout, problems = scan(tmp_path)
    assert layout["dose"].tolist()[:3] == pytest.approx([1000.0, 1000.0, math.nan], nan_ok=True)
    (problem,) = [p for p in problems if p.code == "layout.unit-by-format"]
    assert problem.severity == "warning"
    assert "5 doses" in problem.found
    assert "nM" in problem.found
    layout, problems = scan(tmp_path, dose_unit="uM")
    assert layout["dose"][0] == 1_000_000.0
    assert "layout.unit-by-format" not in codes(problems)
    head = HEAD.replace("Replicate", "Unit")
    layout, problems = scan(tmp_path, [LINES[0].replace("\t1\t\t77", "\tuM\t\t77")], head)
    assert layout["dose"].tolist() == [1_000_000.0]
    assert codes(problems) == []


def test_reference_wells_keep_drug_and_dose_and_controls_do_not(tmp_path):
    layout, problems = scan(tmp_path)
    rows = layout.set_index("well").iloc[:10]
    assert rows.loc["A6", ["drug", "dose", "dose_unit"]].tolist() == ["Staurosporine", 0.1, "nM"]
    assert rows.loc["A7", "dose"] == 250.0
    assert math.isnan(rows.loc["A5", "dose"])
    assert rows.loc["A5", "dose_value"] == "100000"
    said = [p for p in problems if p.code == "layout.control-dose"]
    assert len(said) == 1  # of BzCl; a zero beside DMSO is worth no word
    assert "'BzCl'" in said[0].found


def test_an_add_on_is_a_partner_without_a_dose(tmp_path):
    layout, problems = scan(tmp_path)
    rows = layout.set_index(["layout_plate", "well"])
    pair = rows.loc[("1", "A2")]
    assert pair[["drug", "dose", "drug2", "addon"]].tolist() == [
        *("Venetoclax", 1000.0, "Trametinib", "Trametinib")
    ]
    assert math.isnan(pair["dose2"])
    control = rows.loc[("1", "A4")]
    assert control[["role", "drug", "drug2", "addon"]].tolist() == [
        *("negative", "DMSO", "", "Trametinib")
    ]
    same = rows.loc[("2", "A1")]
    assert same[["drug", "dose", "drug2", "addon"]].tolist() == [
        *("Trametinib", 25.0, "", "Trametinib")
    ]
    assert codes(problems).count("layout.same-addon") == 1


def test_a_vehicle_is_no_partner(tmp_path):
    layout, problems = scan(tmp_path, [LINES[1].replace("Trametinib", "DMSO")], dose_unit="nM")
    assert layout.loc[0, ["drug", "drug2", "addon"]].tolist() == ["Venetoclax", "", ""]
    assert codes(problems) == ["layout.vehicle-addon"]


def test_the_mapping_of_roles_is_shown(tmp_path):
    layout, _ = scan(tmp_path)
    assert role_mapping(layout) == [
        ("BzCl", "BzCl", "positive", 1),
        ("STS", "Staurosporine", "reference", 1),
        ("TRC", "Staurosporine", "reference", 1),
        ("empty", "", "empty", 1),
        ("neg", "DMSO", "negative", 2),
        ("pos", "BzCl", "positive", 1),
        ("therapy", "", "sample", 3),
        ("untreated", "", "untreated", 1),
    ]


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (LINES[0].replace("therapy", "theraby"), "layout.unknown-role", "'therapy'"),
        (LINES[0].replace("therapy", ""), "layout.no-role", "Venetoclax"),
        (LINES[0].replace("Venetoclax", ""), "layout.no-drug", ""),
        (LINES[0].replace("1000", ""), "layout.no-dose", "Venetoclax"),
        (LINES[0].replace("1000", "0"), "layout.zero-dose", "Venetoclax"),
        (LINES[0].replace("1\tA", "\tA"), "layout.no-plate", ""),
        (LINES[0].replace("A\t1", "A\t0"), "layout.bad-well", "A0"),
        (LINES[0].removesuffix("\t77"), "layout.short-row", "9 fields"),
    ],
)
def test_a_fault_names_its_line(tmp_path, line, code, said):
    layout, problems = scan(tmp_path, [LINES[1], line])
    (problem,) = [p for p in problems if p.severity == "error"]
    assert problem.code == code
    assert problem.where.locator.startswith("line 3")
    assert said in problem.found + problem.fix
    assert "A1" not in layout["well"].tolist()


def test_a_misspelt_add_on_column_does_not_pool_the_arms(tmp_path):
    _, problems = scan(tmp_path, LINES[:4], HEAD.replace("AddOn", "AdOn"), dose_unit="nM")
    assert "layout.unknown-column" in codes(problems, "error")


def test_lines_lost_doubled_or_swapped_never_move_a_well(tmp_path):
    whole, _ = scan(tmp_path)
    keys = ["layout_plate", "well"]
    contents = whole.set_index(keys)[["role", "drug", "dose", "drug2", "addon"]]
    for index in range(len(LINES)):
        lost = [*LINES[:index], *LINES[index + 1 :]]
        doubled = [*LINES[: index + 1], *LINES[index:]]
        layout, problems = scan(tmp_path, lost)
        assert codes(problems, "error") == []
        left = layout.set_index(keys)[contents.columns]
        assert left.equals(contents.loc[left.index])
        assert len(left) == len(LINES) - 1
        assert "layout.duplicate-well" in codes(scan(tmp_path, doubled)[1], "error")
    layout, _ = scan(tmp_path, LINES[::-1])
    assert layout.set_index(keys)[contents.columns].loc[contents.index].equals(contents)


# --- published screens -------------------------------------------------------------------------


def plates_of(layout, sample, prefix=""):
    return [
        {"plate": f"{prefix}{plate}", "layout": name, "sample": sample, "run": "R1"}
        for name, plate in sorted(set(zip(layout["layout"], layout["layout_plate"], strict=True)))
    ]


def raw_rows(path):
    sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name("Data")
    head, *rows = sheet.to_python(skip_empty_area=False)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_viability_of_a_workbook_with_readouts_equals_the_median_formula(shared_data):
    path = shared_data / "itrex" / "iTReX-Demo_MRA_LayoutAndReadouts_BT-40_ST04.xlsx"
    layout, problems = scan_layout(path)
    assert codes(problems, "error") == []
    assert layout["role"].value_counts().to_dict() == {
        **{"sample": 750, "untreated": 165, "empty": 96, "reference": 90},
        **{"negative": 36, "positive": 15},
    }
    wells = join_wells(read_plate(path), layout, plates_of(layout, "BT-40"))
    viability = normalise(wells).set_index(["plate", "well"])["viability_pct"]

    rows = raw_rows(path)
    compared = 0
    for plate in ("1", "2", "3"):
        own = [row for row in rows if str(row["Plate"]) == plate]
        signal = {
            kind: statistics.median(row["Readout"] for row in own if row["WellType"] == kind)
            for kind in ("neg", "pos")
        }
        for row in own:
            if row["WellType"] == "therapy":
                ours = viability[plate, f"{row['Row']}{int(row['Column'])}"]
                expected = 100 * (row["Readout"] - signal["pos"]) / (signal["neg"] - signal["pos"])
                assert abs(ours - expected) < 1e-9
                compared += 1
    assert compared == 750


def test_layout_and_separate_matrices_give_the_same_readings(shared_data):
    """The screen is shipped twice; the layout without readouts names no sample."""
    folder = shared_data / "itrex"
    both = folder / "iTReX-Demo_MRA_LayoutAndReadouts_BT-40_ST04.xlsx"
    alone, _ = scan_layout(folder / "iTReX-Demo_MRA_Layout.xlsx")
    joined, _ = scan_layout(both)
    assert set(alone["sample"]) == {""}
    same = [column for column in alone if column not in ("layout", "sample")]
    assert alone[same].equals(joined[same])
    matrix = read_plate(folder / "MRA_readouts_BT-40_V1" / "BT-40_V1_DS1_2.xlsx")
    whole = read_plate(both)
    second = whole[whole["plate"] == "2"].set_index("well")["signal"]
    assert matrix.set_index("well")["signal"].sort_index().equals(second.sort_index())


@pytest.fixture(scope="module")
def arms(shared_data):
    """The combination screen, joined: 6 plates, each with two arms."""
    folder = shared_data / "itrex"
    layout, problems = scan_layout(folder / "iTReX-Demo_CRA_Layout.xlsx")
    files = sorted((folder / "CRA_readouts_INF-R-1632").glob("PDX_*.xlsx"))
    reads = pd.concat([read_plate(file) for file in files])
    found = Problems()
    wells = join_wells(reads, layout, plates_of(layout, "INF", "PDX_"), found=found)
    assert found.items == []
    return layout, problems, wells


def test_the_add_on_design_is_read_as_shipped(arms):
    layout, problems, wells = arms
    assert codes(problems, "error") == []
    counts = layout.groupby(["role", "addon"]).size()
    assert counts.to_dict() == {
        **{("sample", ""): 820, ("sample", "Trametinib"): 820},
        **{("negative", ""): 36, ("negative", "Trametinib"): 36, ("positive", ""): 30},
        **{("reference", ""): 30, ("reference", "Trametinib"): 30},
        **{("untreated", ""): 310, ("empty", ""): 192},
    }
    assert len(wells) == 6 * 384
    per_plate = wells[wells["control"] == "negative"].groupby(["plate", "addon"]).size()
    assert len(per_plate) == 12
    assert set(per_plate) == {6}
    (same,) = [p for p in problems if p.code == "layout.same-addon"]
    assert same.found.startswith("10 wells hold Trametinib")
    pairs = layout[(layout["role"] == "sample") & (layout["addon"] != "")]
    assert set(pairs.loc[pairs["drug"] != "Trametinib", "drug2"]) == {"Trametinib"}
    assert pairs["dose2"].isna().all()
    assert pairs["dose"].notna().all()


def differences(viability, published):
    """Distance of combination minus single-agent inhibition to the published one, in points."""
    wells = viability[viability["role"] == "sample"]
    means = wells.pivot_table("viability_pct", ["drug", "dose"], "addon", aggfunc="mean")
    ours = (means[""] - means["Trametinib"]).groupby(level="drug").agg(list)
    return np.abs(
        np.concatenate([np.array(ours[drug]) - values for drug, values in published.items()])
    )


def test_each_arm_against_its_own_control_gives_the_published_differences(arms, shared_data):
    _, _, wells = arms
    path = shared_data / "itrex" / "iTReX-Demo_CRA_TherapyParameters_INF-R-1632_ST09.xlsx"
    published = {
        row["Drug.Name"]: np.array([float(row[f"dPI{number}"]) for number in range(1, 6)])
        for row in raw_rows(path)
    }
    assert len(published) == 77
    own = differences(normalise(wells), published)
    assert len(own) == 385
    assert np.median(own) == pytest.approx(1.85, abs=0.005)
    assert own.max() == pytest.approx(26.0, abs=0.1)
    # with the control of the plain arm for both, the partner's own effect is in the difference
    plain = wells[~((wells["control"] == "negative") & (wells["addon"] != ""))]
    both = normalise(plain.drop(columns="addon")).assign(addon=plain["addon"])
    assert np.median(differences(both, published)) == pytest.approx(12.4, abs=0.05)


@pytest.mark.slow
def test_wells_with_a_partner_are_neither_single_agents_nor_scored(arms):
    _, _, wells = arms
    few = wells["drug"].isin(["Trametinib", "Axitinib", "DMSO", "BzCl"])
    viability = normalise(wells[few])
    curves = fit_curves(viability)
    assert curves["drug"].tolist() == ["Axitinib", "Trametinib"]
    assert curves["n_wells"].tolist() == [10, 10]
    alone = viability[viability["addon"] == ""].drop(columns="addon")
    pd.testing.assert_frame_equal(curves, fit_curves(alone))
    synergy, surface = score_synergy(viability, draws=20)
    assert surface.empty
    (row,) = synergy.to_dict("records")
    assert (row["combination"], row["assessable"]) == ("Axitinib + Trametinib", False)
    assert (row["call"], row["design"], row["n_wells"]) == ("not assessable", "anchor", 0)
    assert row["reason"] == (
        "Synergy cannot be judged: the dose of Trametinib is not stated (10 wells left out)."
    )
    assert math.isnan(row["bliss"])
