import json

import pandas as pd
import pytest

from drp.config import QualityTiers, parse_config
from drp.job import Job
from drp.plan import Plan
from drp.sheets import Sheets
from drp.stages import charts, plates, quality, samples, viability, wells
from drp.storage import read_json, read_rows, read_table, write_table
from drp.viability import normalise
from tests.test_edges import plate, ramp


def write_project(folder, plates, samples):
    """Write the sheets; a plate is (name, samples), or with a layout other than map.tsv."""
    rows = [(name, f"{name}.csv", *(rest or ["map.tsv"]), of) for name, of, *rest in plates]
    lines = ["\t".join(("plate", "file", "layout", "sample"))]
    (folder / "plates.tsv").write_text("\n".join([*lines, *("\t".join(row) for row in rows), ""]))
    pairs = "".join(f"{sample}\tP{sample[1:]}\n" for sample in samples)
    (folder / "samples.tsv").write_text(f"sample\tpatient\n{pairs}")
    names = "".join(f"P{sample[1:]}\n" for sample in samples)
    (folder / "patients.tsv").write_text(f"patient\n{names}")


def run_stage(stage, folder, name="", inputs=(), config=None):
    """Run a stage with the settings that the workflow would hand over."""
    given = {"assay": {"name": "a"}, "plates_folder": str(folder)} | (config or {})
    settings = json.loads(Plan(parse_config(given), Sheets()).settings(stage.__name__))
    place = folder / name
    place.mkdir(exist_ok=True)
    outputs = (
        "reads",
        "layout",
        "files",
        "problems",
        "wells",
        "quality",
        "viability",
        "scaled",
        "samples",
    )
    written = {one: place / f"{stage.__name__}.{one}" for one in outputs}
    stage(Job({key: [path] for key, path in inputs}, written, settings, folder, name))
    return written


def wells_of(folder, batch):
    """The wells of a batch, from its files; and its problems."""
    read = run_stage(plates, folder, batch)
    inputs = [(name, read[name]) for name in ("reads", "layout")]
    joined = run_stage(wells, folder, batch, inputs)
    found = [*read_json(read["problems"]), *read_json(joined["problems"])]
    return read_table(joined["wells"]), found


def test_patients_who_share_a_plate_share_its_controls_and_nothing_else(tmp_path):
    """Each batch gets its own drug wells; the run's verdict still rests on the whole plate."""
    write_project(tmp_path, [("PL1", "S1;S2")], ["S1", "S2"])
    (tmp_path / "PL1.csv").write_text(",1,2,3\nA,100,50,20\n")
    (tmp_path / "map.tsv").write_text(
        "well\trole\tdrug\tdose\tdose_unit\tsample\n"
        "A1\tnegative\tDMSO\t\t\t\nA2\tsample\tX\t10\tnM\tS1\nA3\tsample\tX\t10\tnM\tS2\n"
    )
    found = {sample: wells_of(tmp_path, sample)[0]["well"].tolist() for sample in ("S1", "S2")}
    assert found == {"S1": ["A1", "A2"], "S2": ["A1", "A3"]}
    judged = read_table(run_stage(quality, tmp_path, "run")["quality"])
    assert judged["n_wells"].tolist() == [3]


MAP = "well\trole\tdrug\tdose\tdose_unit\nA1\tnegative\tDMSO\t\t\nA2\tsample\tX\t10\tnM\n"


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("PL1.csv", "A,1\n", "plate.unrecognised"),
        ("PL1.csv", None, "plates.no-file"),
        ("PL1.csv", ",1\nA,100\n", "wells.no-value"),
        ("other.tsv", None, "plates.no-file"),
        ("other.tsv", MAP.replace("10", "ten"), "layout.bad-dose"),
    ],
)
def test_a_plate_in_error_takes_its_samples_with_it_and_no_others(tmp_path, file, text, code):
    """S1 is on PL1 and PL2; S2 on PL2 and PL3; S3 on PL3 alone. PL1 is wrong."""
    on = [("PL1", "S1", "other.tsv"), ("PL2", "S1;S2"), ("PL3", "S2;S3")]
    write_project(tmp_path, on, ["S1", "S2", "S3"])
    shared = (
        "well\trole\tdrug\tdose\tdose_unit\tsample\n"
        "A1\tnegative\tDMSO\t\t\t\nA2\tsample\tX\t10\tnM\tS2\n"
    )
    (tmp_path / "map.tsv").write_text(shared)
    (tmp_path / "other.tsv").write_text(MAP)
    for name in ("PL1", "PL2", "PL3"):
        (tmp_path / f"{name}.csv").write_text(",1,2\nA,100,50\n")
    before, _ = wells_of(tmp_path, "S2")
    (tmp_path / file).unlink()
    if text is not None:
        (tmp_path / file).write_text(text)
    lost, problems = wells_of(tmp_path, "S1")
    kept, none = wells_of(tmp_path, "S2")
    assert lost.empty
    assert [problem["code"] for problem in problems] == [code]
    assert none == []
    pd.testing.assert_frame_equal(kept, before)
    assert set(kept["plate"]) == {"PL2", "PL3"}
    judged = run_stage(quality, tmp_path, "run")["quality"]
    assert set(read_table(judged)["plate"]) == {"PL2", "PL3"}
    verdicts = run_stage(samples, tmp_path, "S1", [("quality", judged)])["samples"]
    (row,) = read_rows(verdicts)
    assert (row["verdict"], row["n_plates"], row["n_plates_failed"]) == ("fail", 2, 1)
    assert "plate PL1 cannot be used" in row["reasons"]


def test_a_run_without_a_readable_plate_has_tables_without_rows(tmp_path):
    write_project(tmp_path, [("PL1", "S1")], ["S1"])
    (tmp_path / "map.tsv").write_text(MAP)
    made = run_stage(quality, tmp_path, "run")
    for name in ("quality", "scaled"):
        table = read_table(made[name])
        assert table.empty
        assert "plate" in table
    verdicts = run_stage(samples, tmp_path, "S1", [("quality", made["quality"])])["samples"]
    assert [row["verdict"] for row in read_rows(verdicts)] == ["fail"]


def test_the_configured_correction_reaches_viability_and_quality(tmp_path):
    """With the settings as the workflow hands them over; the gates are the laboratory's."""
    uneven = plate(ramp, noise=0.02)
    write_project(tmp_path, [("PL1", "S1")], ["S1"])
    write_table(tmp_path / "wells", uneven)
    lines = [",".join(["", *(str(column) for column in range(1, 25))])]
    for row, own in uneven.groupby("row"):
        lines.append(",".join([chr(64 + int(row)), *(f"{value:.9g}" for value in own["signal"])]))
    (tmp_path / "PL1.csv").write_text("\n".join([*lines, ""]))
    names = ["well", "role", "drug", "dose", "dose_unit"]
    uneven[names].to_csv(tmp_path / "map.tsv", sep="\t", index=False)
    for warn, expected in ((20, "loess"), (35, "none")):
        config = {
            "normalisation": {"edge_correction": "loess"},
            "quality": {"gradient_pct": {"warn": warn, "fail": 60}},
        }
        scaled = run_stage(viability, tmp_path, "S1", [("wells", tmp_path / "wells")], config)
        judged = run_stage(quality, tmp_path, "run", config=config)
        for table in (scaled["viability"], judged["scaled"], judged["quality"]):
            assert set(read_table(table)["correction"]) == {expected}
    raw = normalise(uneven)["viability_pct"]
    assert read_table(scaled["viability"])["viability_pct"].tolist() == raw.tolist()


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
