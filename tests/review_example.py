"""A plate made by hand, taken through the stages, and its review page."""

from functools import cache
from pathlib import Path

from drp.config import QualityTiers
from drp.quality import judge_plates
from drp.report.review import render_review
from drp.viability import normalise
from drp.wells import join_wells
from tests.plates_by_hand import PLATE, layout, reads

GENERATED = "2026-03-01T08:05:00+00:00"
SETTINGS = {"title": "Ex vivo drug response", "laboratory": "Example", "simulated": True}
EXCLUSIONS = [
    {"plate": "PL1", "well": "B4", "reason": "well dry", "by": "lab A", "date": "2026-02-06"},
    {"plate": "PL9", "well": "A1", "reason": "bubble", "by": "", "date": ""},
]
REMARKS = ["# Simulated data: no real patient, no real measurement."]
NAN = float("nan")
# Row A: negative and positive controls; rows B and C: three doses, each twice; D3 saturated.
MAP = {
    **{f"A{column}": ("negative", "DMSO") for column in range(1, 6)},
    **{f"A{column}": ("positive", "BzCl") for column in range(6, 11)},
    "A11": ("blank", ""),
    **{
        f"{row}{column}": ("sample", "Venetoclax", dose)
        for row in "BC"
        for column, dose in ((2, 10.0), (3, 100.0), (4, 1000.0))
    },
    "D2": ("sample", "Bortezomib", 3.0, "Venetoclax", 10.0),
    "D3": ("sample", "Bortezomib", 3.0, "Venetoclax", 0.0),
}
VALUES = {
    "A1": 980.0, "A2": 1000.0, "A3": 1000.0, "A4": 1000.0, "A5": 1020.0,
    "A6": 98.0, "A7": 100.0, "A8": 100.0, "A9": 100.0, "A10": 102.0, "A11": 90.0,
    "B2": 910.0, "B3": 604.0, "B4": 7.0, "C2": 820.0, "C3": 190.0, "C4": 145.0,
    "D2": 1234.0, "D3": NAN, "H12": 3.0,
}  # fmt: skip


def viability_rows(mapped=None, values=None, exclusions=EXCLUSIONS, plate=PLATE):
    """Rows of table `viability` of one plate, and its row of table `quality`."""
    read = reads(plate["plate"], values or VALUES)
    read.loc[read["well"] == "D3", "status"] = "saturated"
    own = [row for row in exclusions if row["plate"] == plate["plate"]]
    wells = join_wells(read, layout(mapped or MAP), [plate], own)
    (quality,) = judge_plates(wells, QualityTiers().model_dump()).to_dict("records")
    return normalise(wells).to_dict("records"), quality


@cache
def page() -> str:
    """The review page of the plate."""
    wells, quality = viability_rows()
    return render_review(
        PLATE, wells, quality, EXCLUSIONS, REMARKS, settings=SETTINGS, generated_at=GENERATED
    )


def write_config(folder: Path, exclusions: str) -> Path:
    """Write the sheets of a project with this plate, and exclusions.tsv as given."""
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {
        "plates": "plate\tfile\tlayout\tsample\trun\nPL1\t1.csv\tmap.tsv\tS1\tR1\n"
        "PL9\t9.csv\tmap.tsv\tS1\tR1\n",
        "samples": "sample\tpatient\nS1\tP1\n",
        "patients": "patient\nP1\n",
        "exclusions": exclusions,
    }
    for name, text in sheets.items():
        (folder / f"{name}.tsv").write_bytes(text.encode())
    return folder
