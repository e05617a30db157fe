import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drp import drugs
from drp.config import read_config
from drp.plates import read_layout, read_plate
from drp.problems import DataError
from drp.risk.inputs import scan_patients
from drp.sheets import read_sheets
from drp.simulate import DEMO_SEED, simulate_run, simulate_viability
from drp.simulate.panel import demo_rows, dose_series, load_pairs, load_panel
from drp.simulate.plate_maps import is_edge, place_of_well, plate_map, true_viability
from drp.simulate.responses import Responses, curve_viability, draw_responses, matrix_viability
from drp.simulate.run import REMARK
from drp.simulate.signals import read_out
from drp.synergy import score_synergy
from drp.tables import check

ROOT = Path(__file__).resolve().parent.parent
DRUGS = [agent.name for agent in load_panel()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    simulate_run(folder, seed=DEMO_SEED)
    return folder


def read_tsv(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def uniform(excess=0.0, ec50=10.0, bottom=0.0):
    shape = (1, len(DRUGS))
    return Responses(
        ("S1",),
        np.full(shape, np.log10(ec50)),
        np.ones(shape),
        np.full(shape, bottom),
        np.full((1, len(load_pairs())), excess),
    )


# the panel


def test_the_panel_is_forty_known_drugs_of_which_one_cannot_be_read():
    known = [drugs.find(name) for name in DRUGS]
    assert len(set(DRUGS)) == 40
    assert [drug.name for drug in known] == DRUGS
    assert [drug.name for drug in known if drug.exvivo == "no"] == ["Cyclophosphamide"]
    assert [agent.name for agent in load_panel() if agent.dose_unit != "nM"] == [
        "Asparaginase (E. coli)"
    ]


def test_doses_step_by_1_3_10_around_where_cells_respond():
    for agent in load_panel():
        steps = np.diff(np.log10(agent.doses))
        assert len(agent.doses) == 8
        assert set(np.round(steps, 2)) == {0.48, 0.52}
        assert agent.bottom_pct == 100 or agent.doses[1] < agent.ec50 < agent.doses[-1]


def test_dose_series_is_exact_in_decimals():
    assert dose_series("0.003", 8) == (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    assert dose_series("100", 3) == (100.0, 300.0, 1000.0)


def test_pairs_are_of_the_panel_and_named_in_alphabetical_order():
    for pair in load_pairs():
        assert [pair.drug, pair.drug2] == sorted([pair.drug, pair.drug2])
        assert {pair.drug, pair.drug2} <= set(DRUGS)
        assert len(pair.doses) == len(pair.doses2) == 5


def test_what_is_planted_names_samples_drugs_and_pairs_that_exist():
    samples = {row["sample"] for row in demo_rows("samples")} | {"*"}
    names = {"drug": {*DRUGS, "*"}, "combination": {pair.name for pair in load_pairs()} | {"*"}}
    for row in demo_rows("planted"):
        assert row["sample"] in samples
        assert row["name"] in names[row["kind"]]


# the plates


@pytest.mark.parametrize(
    ("design", "wells", "repeats"), [("single", 320, 1), ("combinations", 324, 3)]
)
def test_every_dose_is_plated_as_often_as_it_should(design, wells, repeats):
    rows = plate_map(design).rows
    roles = Counter(row["role"] for row in rows)
    assert roles == {"sample": wells, "negative": 24, "positive": 16, "empty": 384 - wells - 40}
    assert len({row["well"] for row in rows}) == 384
    drugged = Counter(
        tuple(row[name] for name in ("drug", "dose", "drug2", "dose2"))
        for row in rows
        if row["role"] == "sample"
    )
    assert set(drugged.values()) == {repeats}


@pytest.mark.parametrize("design", ["single", "combinations"])
def test_controls_lie_on_the_edge_and_inside(design):
    for role, least in (("negative", 8), ("positive", 4)):
        held = np.array([row["role"] == role for row in plate_map(design).rows])
        assert (held & is_edge()).sum() >= least
        assert (held & ~is_edge()).sum() >= 12


def test_wells_lead_to_their_own_truth():
    responses = draw_responses(("S1",), seed=1)
    truth = true_viability(responses, "single")[0]
    layout = plate_map("single")
    for well, row in enumerate(layout.rows):
        value = truth[layout.place[well]]
        if row["role"] == "sample":
            drug = DRUGS.index(row["drug"])
            assert value == curve_viability(responses, drug, (float(row["dose"]),))[0, 0]
        elif row["role"] == "empty":
            assert np.isnan(value)
        else:
            assert value == {"negative": 100, "positive": 0}[row["role"]]


def test_a_well_off_the_plate_is_refused():
    assert place_of_well("P24") == 383
    with pytest.raises(ValueError, match="Q1"):
        place_of_well("Q1")


# the truth


def test_a_curve_by_hand():
    values = curve_viability(uniform(bottom=20.0), 0, (0.0, 10.0, 90.0))
    np.testing.assert_allclose(values, [[100, 60, 28]], rtol=1e-12)


@given(excess=st.floats(0, 8), ec50=st.floats(5, 30))
def test_a_planted_synergy_is_the_mean_bliss_excess(excess, ec50):
    viability, true = matrix_viability(uniform(excess, ec50, 20.0), 1)
    bliss = viability[:, 1:, :1] * viability[:, :1, 1:] / 100
    np.testing.assert_allclose((bliss - viability[:, 1:, 1:]).mean(), excess, atol=1e-9)
    np.testing.assert_allclose(true, excess, atol=1e-9)


@given(excess=st.floats(-60, 60), ec50=st.floats(0.01, 1e4), bottom=st.floats(0, 100))
def test_a_surface_stays_possible_and_keeps_its_single_agents(excess, ec50, bottom):
    viability, true = matrix_viability(uniform(excess, ec50, bottom), 0)
    plain, _ = matrix_viability(uniform(0.0, ec50, bottom), 0)
    assert np.all((viability >= 0) & (viability <= 100))
    np.testing.assert_allclose(viability[:, 0, :], plain[:, 0, :], atol=1e-9)
    np.testing.assert_allclose(viability[:, :, 0], plain[:, :, 0], atol=1e-9)
    assert abs(true[0]) <= abs(excess) + 1e-9


def test_antagonism_takes_back_what_the_second_drug_adds():
    viability, true = matrix_viability(uniform(-8.0), 1)
    better = np.minimum(viability[:, :, :1], viability[:, :1, :])
    assert -8 < true[0] < -5
    assert np.all(viability <= better + 1e-9)
    assert matrix_viability(uniform(-3.0), 1)[1][0] == pytest.approx(-3)


def test_a_small_run_is_the_beginning_of_a_large_one():
    few, many = (draw_responses(tuple(map(str, range(n))), seed=5) for n in (2, 50))
    np.testing.assert_array_equal(few.log10_ec50, many.log10_ec50[:2])
    np.testing.assert_array_equal(few.excess, many.excess[:2])
    first = simulate_viability(9, seed=5)[0]
    again = simulate_viability(5, seed=5)[0]
    pd.testing.assert_frame_equal(first[first["sample"] <= "S5"], again)


def test_drugs_of_one_class_go_together_and_spread_as_stated():
    drawn = draw_responses(tuple(map(str, range(4000))), seed=2)
    ec50 = pd.DataFrame(drawn.log10_ec50, columns=DRUGS)
    assert ec50["Bortezomib"].std() == pytest.approx(0.25, rel=0.05)
    assert ec50["Venetoclax"].median() == pytest.approx(np.log10(150), abs=0.03)
    assert ec50["Bortezomib"].corr(ec50["Carfilzomib"]) == pytest.approx(0.5, abs=0.05)
    assert abs(ec50["Bortezomib"].corr(ec50["Venetoclax"])) < 0.06


# the reader


def test_signals_look_like_a_luminescence_plate():
    drawn = draw_responses(tuple(map(str, range(300))), seed=3)
    signal = read_out(true_viability(drawn, "single"), "single", seed=3)
    roles = np.array([row["role"] for row in plate_map("single").rows])
    negative, positive = signal[:, roles == "negative"], signal[:, roles == "positive"]
    edge = is_edge()[roles == "negative"]
    assert np.all(signal == np.rint(signal))
    assert signal.min() >= 0
    assert np.median(negative) == pytest.approx(1.2e6, rel=0.05)
    assert 0.01 < np.median(positive) / np.median(negative) < 0.02
    inner = negative[:, ~edge]
    assert (inner.std(axis=1, ddof=1) / inner.mean(axis=1)).mean() == pytest.approx(0.06, abs=0.004)
    ratio = negative[:, edge].mean() / inner.mean()
    assert ratio == pytest.approx(0.97, abs=0.01)
    assert signal[:, roles == "empty"].max() < 1000


def test_viability_comes_back_around_its_truth():
    viability, truth = simulate_viability(60, seed=4)
    check(viability, "viability")
    drugged = viability[viability["role"] == "sample"]
    error = drugged["viability_pct"] - drugged["viability_true_pct"]
    assert abs(error.mean()) < 1
    assert 2 < error.std() < 8
    assert len(truth) == 60 * 43


def test_the_truth_of_a_drug_is_its_area():
    viability, truth = simulate_viability(3, seed=6)
    responses = draw_responses(("S1", "S2", "S3"), seed=6)
    for name in ("Bortezomib", "Everolimus", "Cyclophosphamide"):
        agent = load_panel()[DRUGS.index(name)]
        doses = np.logspace(*np.log10([agent.doses[0], agent.doses[-1]]), 4001)
        values = curve_viability(responses, DRUGS.index(name), tuple(doses))
        stated = truth[truth["name"] == name]["effect"]
        np.testing.assert_allclose(stated, values.mean(axis=1), atol=0.05)
    assert set(viability["drug"]) == {*DRUGS, "DMSO", "Benzethonium chloride"}


# the run on disk


def test_the_shipped_demonstration_is_what_the_simulation_writes(demo):
    made = sorted(path.relative_to(demo) for path in demo.rglob("*") if path.is_file())
    assert len(made) == 18 + 2 + 1 + 7
    hint = "run `drp simulate .` after a change to the simulation or the curve fit"
    fitted = Path("config/reference.tsv")
    exact = [path for path in made if path != fitted]
    assert [str(p) for p in exact if (ROOT / p).read_bytes() != (demo / p).read_bytes()] == [], hint
    # the reference is fitted, so another machine's arithmetic may turn a last digit
    shipped, fresh = (
        pd.read_csv(folder / fitted, sep="\t", comment="#") for folder in (ROOT, demo)
    )
    pd.testing.assert_frame_equal(shipped, fresh, rtol=2e-3, obj=hint)


def test_exports_hold_whole_numbers_say_they_are_simulated_and_read_back(demo):
    exports = sorted((demo / "plates").glob("*.txt"))
    assert len(exports) == 18
    assert sum(path.stat().st_size for path in (demo / "plates").iterdir()) < 600_000
    for path in exports:
        assert "SIMULATED DATA" in path.read_text()
    reads = read_plate(exports[0], plate="P01-S1-A")
    assert len(reads) == 384
    assert (reads["status"] == "ok").all()
    assert (reads["signal"] == reads["signal"].round()).all()


def test_layouts_read_back_with_their_units(demo):
    single = read_layout(demo / "plates" / "layout_single.tsv")
    assert Counter(single["role"]) == {"sample": 320, "negative": 24, "positive": 16, "empty": 24}
    units = single[single["role"] == "sample"].groupby("drug")["dose_unit"].unique()
    assert units.pop("Asparaginase (E. coli)").tolist() == ["IU/mL"]
    assert {tuple(unit) for unit in units} == {("nM",)}
    pairs = read_layout(demo / "plates" / "layout_combinations.tsv")
    drugged = pairs[pairs["role"] == "sample"]
    assert (drugged["drug2"] != "").all()
    assert ((drugged["dose"] == 0) & (drugged["dose2"] == 0)).sum() == 9


def test_sheets_pass_every_check_and_say_they_are_simulated(demo):
    sheets = read_sheets(demo / "config")
    assert len(sheets.patients) == 8
    assert len(sheets.samples) == 9
    assert len(sheets.exclusions) == 3
    assert sheets.approvals == []
    for path in (demo / "config").glob("*.tsv"):
        assert path.read_text().startswith(REMARK)
    assert read_config(demo / "config" / "config.yaml").simulated
    problems = scan_patients(pd.DataFrame(sheets.patients))
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_the_truth_says_what_each_planted_patient_should_show(demo):
    truth = read_tsv(demo / "plates" / "simulated_truth.tsv")
    expected = {(row["sample"], row["name"]): row["call_expected"] for row in truth}
    assert [row["name"] for row in truth if row["sample"] == "P01-S1" and row["call_expected"]] == [
        "Cyclophosphamide",
        "Bortezomib",
        "Venetoclax",
        "Dasatinib",
        "Bortezomib + Venetoclax",
    ]
    of_p02 = Counter(row["call_expected"] for row in truth if row["sample"] == "P02-S1")
    assert of_p02 == {"not sensitive": 39, "not evaluable": 1, "": 3}
    assert {row["call_expected"] for row in truth if row["sample"] == "P04-S1"} == {
        "not evaluable",
        "not assessable",
    }
    assert expected["P06-S1", "Ara-G"] == "sensitive"
    assert expected["P03-S1", "Bortezomib + Venetoclax"] == "additive"
    assert expected["P07-S1", "Dexamethasone + Venetoclax"] == "antagonistic"


def combination_viability(demo, sample):
    """Viability of a combination plate from its export, the slow and obvious way."""
    reads = read_plate(next((demo / "plates").glob(f"*{sample}-B.txt")), plate="B")
    layout = read_layout(demo / "plates" / "layout_combinations.tsv")
    wells = layout.drop(columns="sample").merge(reads[["well", "signal", "plate"]], on="well")
    low, high = (wells[wells["role"] == r]["signal"].median() for r in ("positive", "negative"))
    return wells.assign(sample=sample, viability_pct=100 * (wells["signal"] - low) / (high - low))


def test_planted_combinations_come_back_from_the_exports(demo):
    for sample, pair, lowest, highest in (
        ("P01-S1", "Bortezomib + Venetoclax", 10, 20),
        ("P03-S1", "Bortezomib + Venetoclax", -4, 4),
        ("P07-S1", "Dexamethasone + Venetoclax", -11, -4),
    ):
        scores, _ = score_synergy(combination_viability(demo, sample), seed=1, models=False)
        score = scores.set_index("combination").loc[pair]
        assert lowest < score["bliss"] < highest, sample
        assert (score["bliss_lo"] <= 0 <= score["bliss_hi"]) == (sample == "P03-S1")


def test_the_failed_sample_has_dead_and_scattered_controls(demo):
    wells = {}
    for sample in ("P01-S1", "P04-S1"):
        plate = combination_viability(demo, sample)
        wells[sample] = plate[plate["role"] == "negative"]["signal"]
    assert wells["P04-S1"].median() < 0.1 * wells["P01-S1"].median()
    assert wells["P04-S1"].std() / wells["P04-S1"].mean() > 0.25
    assert wells["P01-S1"].std() / wells["P01-S1"].mean() < 0.12


def test_the_reference_has_every_readable_drug_of_32_earlier_samples(demo):
    rows = read_tsv(demo / "config" / "reference.tsv")
    assert len(rows) == 32 * 39
    assert len({row["sample"] for row in rows}) == 32
    assert {row["drug"] for row in rows} == set(DRUGS) - {"Cyclophosphamide"}
    run = {row["sample"] for row in read_tsv(demo / "config" / "samples.tsv")}
    assert not run & {row["sample"] for row in rows}
    for column in ("auc", "auc_sd", "dss2", "top", "bottom", "slope", "ec50"):
        assert all(np.isfinite(float(row[column])) for row in rows), column


def test_a_laboratorys_own_sheets_are_never_replaced(tmp_path):
    simulate_run(tmp_path, seed=1, patients=1, reference=0)
    simulate_run(tmp_path, seed=2, patients=1, reference=0)
    sheet = tmp_path / "config" / "samples.tsv"
    sheet.write_text("sample\tpatient\nA\tB\n")
    with pytest.raises(DataError, match=r"samples\.tsv"):
        simulate_run(tmp_path, seed=1, patients=1, reference=0)
    assert sheet.read_text() == "sample\tpatient\nA\tB\n"


def test_other_seeds_other_plates_and_more_patients_than_eight(tmp_path, demo):
    simulate_run(tmp_path, seed=DEMO_SEED + 1, patients=10, reference=0)
    rows = read_tsv(tmp_path / "config" / "samples.tsv")
    assert [row["patient"] for row in rows][-2:] == ["P09", "P10"]
    name = "CTG_20251106_001_P01-S1-A.txt"
    assert (tmp_path / "plates" / name).read_bytes() != (demo / "plates" / name).read_bytes()
    assert not (tmp_path / "config" / "reference.tsv").exists()
