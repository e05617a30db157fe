import pandas as pd

from drp.config import QualityTiers
from drp.job import Job
from drp.stages import quality, wells
from drp.storage import read_table, write_table
from tests.plates_by_hand import layout, reads

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
            settings={"quality": QualityTiers().model_dump()},
            name="run",
        )
    )
    judged: pd.DataFrame = read_table(tmp_path / "quality")
    assert judged["n_wells"].tolist() == [3]
