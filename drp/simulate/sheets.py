"""The sheets of the simulated run, as rows: patients, samples, plates and what goes with them."""

from datetime import date

from drp.simulate.panel import demo_rows
from drp.simulate.plate_maps import Design

Row = dict[str, str]

LAYOUTS: dict[Design, str] = {
    "single": "layout_single.tsv",
    "combinations": "layout_combinations.tsv",
}
PLATE_LETTERS: dict[Design, str] = {"single": "A", "combinations": "B"}
PLATES_COLUMNS = ("plate", "file", "layout", "sample", "run")
APPROVALS_COLUMNS = ("sample", "by", "date", "input_hash")
# Columns of the demonstration's samples that say how to simulate them, and stand in no sheet.
_NOT_IN_SHEET = ("run", "brightness", "cv_pct")


def demo_patients(count: int) -> list[Row]:
    """Give `count` rows of patients.tsv.

    The first eight differ on purpose, so that the risk systems disagree; further patients repeat
    their facts under new pseudonyms.

    Examples
    --------
    >>> [row["patient"] for row in demo_patients(9)][-2:]
    ['P08', 'P09']
    """
    known = demo_rows("patients")
    return [
        known[i] if i < len(known) else known[i % len(known)] | {"patient": f"P{i + 1:02d}"}
        for i in range(count)
    ]


def demo_samples(count: int) -> list[Row]:
    """Give the samples of `count` patients, with run, brightness and cv_pct of their plates.

    Examples
    --------
    >>> [row["sample"] for row in demo_samples(8)][-2:]
    ['P08-S1', 'P08-S2']
    """
    known = demo_rows("samples")
    rows = []
    for patient in (row["patient"] for row in demo_patients(count)):
        own = [row for row in known if row["patient"] == patient]
        ordinary = known[0] | {"patient": patient, "sample": f"{patient}-S1"}
        rows += own or [ordinary]
    return rows


def samples_sheet(samples: list[Row]) -> list[Row]:
    """Give the rows of samples.tsv: what a laboratory writes down of each sample."""
    return [{k: v for k, v in row.items() if k not in _NOT_IN_SHEET} for row in samples]


def plates_sheet(samples: list[Row], suffix: str = "txt") -> list[Row]:
    """Give the rows of plates.tsv: two plates per sample, numbered within their run.

    Examples
    --------
    >>> plates_sheet(demo_samples(1))[1]["file"]
    'CTG_20251106_002_P01-S1-B.txt'
    """
    rows = []
    orders: dict[str, int] = {}
    for sample in samples:
        day = date.fromisoformat(sample["read_date"])
        for design, letter in PLATE_LETTERS.items():
            order = orders[sample["run"]] = orders.get(sample["run"], 0) + 1
            plate = f"{sample['sample']}-{letter}"
            file = f"CTG_{day:%Y%m%d}_{order:03d}_{plate}.{suffix}"
            cells = (plate, file, LAYOUTS[design], sample["sample"], sample["run"])
            rows.append(dict(zip(PLATES_COLUMNS, cells, strict=True)))
    return rows


def exclusions_sheet(plates: list[Row]) -> tuple[list[Row], list[Row]]:
    """Give the rows of exclusions.tsv for these plates, and the same with the signal's factor."""
    names = {row["plate"] for row in plates}
    faulty = [row for row in demo_rows("exclusions") if row["plate"] in names]
    return [{k: v for k, v in row.items() if k != "factor"} for row in faulty], faulty
