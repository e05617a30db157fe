import json

import pandas as pd

from drp.config import QualityTiers, parse_config
from drp.job import Job
from drp.plan import Plan
from drp.sheets import Sheets
from drp.stages import charts, quality, viability, wells
from drp.storage import read_table, write_table
from drp.viability import normalise
from tests.plates_by_hand import layout, reads
from tests.test_edges import plate, ramp

MAP = {
    "A1": ("negative", "DMSO"),
    "A2": ("sample", "venetoclax", 10),
    "A3": ("sample", "venetoclax", 10),
}


def test_patients_who_share_a_plate_share_its_controls_and_nothing_else(tmp_path):
    """Each batch gets its own drug wells; the run's verdict still rests on the whole plate."""
    (tmp_path / "plates.tsv").write_text("plate\tfile\tlayout\tsample\nPL1\ta\tmap.tsv\tS1;S2\n")
    (tmp_path / "samples.tsv").write_text("sample\tpatient\nS1\tP1\nS2\tP2\n")
    (tmp_path / "patients.tsv").write_text("patient\nP1\nP2\n")
    write_table(tmp_path / "reads", reads("PL1", {"A1": 100.0, "A2": 50.0, "A3": 20.0}))
    write_table(tmp_path / "layout", layout(MAP).assign(sample=["", "S1", "S2"]))
    found = {}
    for sample in ("S1", "S2"):
        wells(
            Job(
                inputs={"reads": [tmp_path / "reads"], "layout": [tmp_path / "layout"]},
                outputs={"wells": tmp_path / sample, "warnings": tmp_path / f"{sample}.json"},
                settings={"read": None, "normalisation": {}, "batches": None},
                sheets=tmp_path,
                name=sample,
            )
        )
        found[sample] = read_table(tmp_path / sample)["well"].tolist()
    assert found == {"S1": ["A1", "A2"], "S2": ["A1", "A3"]}
    quality(
        Job(
            inputs={"wells": [tmp_path / "S1", tmp_path / "S2"]},
            outputs={"quality": tmp_path / "quality"},
            settings={
                "quality": QualityTiers().model_dump(),
                "normalisation.edge_correction": "none",
            },
            sheets=tmp_path,
            name="run",
        )
    )
    judged: pd.DataFrame = read_table(tmp_path / "quality")
    assert judged["n_wells"].tolist() == [3]


def test_the_configured_correction_reaches_viability_and_quality(tmp_path):
    """With the settings as the workflow hands them over; the gates are the laboratory's."""
    (tmp_path / "plates.tsv").write_text("plate\tfile\tlayout\tsample\nPL1\ta\tb\tS1\n")
    (tmp_path / "samples.tsv").write_text("sample\tpatient\nS1\tP1\n")
    (tmp_path / "patients.tsv").write_text("patient\nP1\n")
    uneven = plate(ramp, noise=0.02)
    write_table(tmp_path / "wells", uneven)
    for warn, expected in ((20, "loess"), (35, "none")):
        config = parse_config(
            {
                "assay": {"name": "a"},
                "normalisation": {"edge_correction": "loess"},
                "quality": {"gradient_pct": {"warn": warn, "fail": 60}},
            }
        )
        plan = Plan(config, Sheets())
        for stage in (viability, quality):
            name = stage.__name__
            settings = json.loads(plan.settings(name))
            inputs, outputs = {"wells": [tmp_path / "wells"]}, {name: tmp_path / name}
            stage(Job(inputs, outputs, settings, sheets=tmp_path, name="R1"))
            assert set(read_table(tmp_path / name)["correction"]) == {expected}
    raw = normalise(uneven)["viability_pct"]
    assert read_table(tmp_path / "viability")["viability_pct"].tolist() == raw.tolist()


def test_charts_are_a_table_and_a_page(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1762520400")
    (tmp_path / "plates.tsv").write_text(
        "plate\tfile\tlayout\tsample\trun\n" + "".join(f"PL{n}\ta\tb\tS1\tR{n}\n" for n in range(3))
    )
    (tmp_path / "samples.tsv").write_text("sample\tpatient\nS1\tP1\n")
    (tmp_path / "patients.tsv").write_text("patient\nP1\n")
    for run in range(3):
        rows = pd.DataFrame(
            {
                "plate": [f"PL{run}"],
                "run": [f"R{run}"],
                "verdict": ["pass"],
                "robust_cv_negative": [8.0 + run],
                "negative_median": [1000.0 - run],
                "measured_at": [""],
                "read_order_source": ["plates.tsv"],
                **{f"run_drift_{name}": [float("nan")] for name in ("rho", "p", "pct")},
            }
        )
        write_table(tmp_path / f"q{run}", rows)
    charts(
        Job(
            inputs={"quality": [tmp_path / f"q{run}" for run in range(3)]},
            outputs={"charts": tmp_path / "charts", "page": tmp_path / "page"},
            settings={
                "title": "T",
                "laboratory": "L",
                "simulated": False,
                "quality": QualityTiers().model_dump(),
            },
            sheets=tmp_path,
        )
    )
    table = read_table(tmp_path / "charts")
    assert table["run"].tolist() == ["R0", "R1", "R2"] * 2
    assert set(table["verdict"]) == {"pass"}
    page = (tmp_path / "page").read_text(encoding="utf-8")
    assert page.count("<svg role") == 2
    assert page.count("too few plates to tell") == 3
