"""Plates with known placements: by hand, simulated, real; and the same deliberately displaced."""

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from drp.joining import WELLS, join_columns
from drp.plain_tables import make_frame
from drp.plates.from_sheets import read_plates
from drp.problems import Problems
from drp.registration.placements import PLACEMENTS
from drp.wellnames import smallest_format, well_name
from tests.conftest import ROOT

CONTENT = ["role", "drug", "dose", "drug2", "dose2", "drug3", "dose3", "dose_unit", "addon"]
READING = ["signal", "status", "excluded", "reason"]
WORDS = [placement.words for placement in PLACEMENTS]
CLL_LAYOUT = {"dose_unit": "uM", "roles": {"DMSO": "negative", "PBS": "negative"}}
ITREX_DATA = {
    "BT-40": ("iTReX-Demo_MRA_Layout.xlsx", "MRA_readouts_BT-40_V1/BT-40_V1_DS1_{}.xlsx", "123"),
    "INF-R-1632": (
        "iTReX-Demo_CRA_Layout.xlsx",
        "CRA_readouts_INF-R-1632/PDX_{}.xlsx",
        ("1A", "1B", "2A", "2B", "3A", "3B"),
    ),
}


def joined(rows, folder, layouts=None, vehicles=()):
    """The table `wells` of rows of plates.tsv, and the readings as plain columns."""
    read = read_plates(rows, str(folder), layouts or {})
    settings = {"negative_controls": list(vehicles)}
    found = Problems()
    wells = join_columns(read.reads, read.layouts, rows, (), None, settings, found)
    assert found.errors == [], found.errors
    return make_frame(wells, "wells", WELLS), read.reads


def sheet(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader((line for line in stream if line[0] != "#"), delimiter="\t"))


@cache
def demo_plates(folder: Path = ROOT):
    """The simulated run that ships with the project: 18 plates, one sample without cells."""
    return joined(sheet(folder / "config" / "plates.tsv"), folder / "plates")


@cache
def cll_plates(shared_data: Path):
    """Fifteen real plates of one layout."""
    rows = sheet(ROOT / "docs" / "examples" / "leukaemia_plates" / "config" / "plates.tsv")
    layouts = {"wellAnno.tsv": CLL_LAYOUT}
    return joined(rows, shared_data / "leukaemia_plates", layouts, ("DMSO", "PBS"))


@cache
def itrex_plates(shared_data: Path, screen: str):
    """Real plates of one screen, each with a layout of its own."""
    layout, export, names = ITREX_DATA[screen]
    rows = [
        {
            "plate": f"{screen}_{name}",
            "file": export.format(name),
            "layout": f"{layout}#{name}",
            "sample": screen,
            "run": screen,
        }
        for name in names
    ]
    return joined(rows, shared_data / "itrex")


@cache
def tecan_plates(shared_data: Path):
    """Four real 96-well plates of one layout in duplicate rows, read in B2:G11 only."""
    layout = "D300_trt_Tecan_96_well_plates.xlsx"
    rows = [
        {
            "plate": name,
            "file": "RawData_Tecan_96_well_plates.xlsx",
            "sheet": name,
            "layout": layout,
            "sample": name,
            "run": "96 wells",
        }
        for name in ("H2122-1", "H2122-2", "H358-1", "H358-2")
    ]
    return joined(rows, shared_data / "plates" / "tecan_icontrol", {layout: {"dose_unit": "uM"}})


def displace(plate, placement, moved="signals", vacated="dark", seed=0):
    """Move one plate's signals, or its layout, to where a placement says.

    Wells that move off the plate are lost. Wells that nothing moves to are without a reading
    (``unread``), as dark as the darkest (``dark``) or as they were (``kept``); of a layout, empty.
    """
    rows, columns = smallest_format(int(plate["row"].max()), int(plate["column"].max()))
    plate = whole(plate, rows, columns)
    row, column = PLACEMENTS[placement].move(
        plate["row"].to_numpy(), plate["column"].to_numpy(), rows, columns
    )
    at = {place: i for i, place in enumerate(zip(plate["row"], plate["column"], strict=True))}
    pairs = [
        (i, at[r, c]) for i, (r, c) in enumerate(zip(row, column, strict=True)) if (r, c) in at
    ]
    target = {there for _, there in pairs}
    names = READING if moved == "signals" else CONTENT
    result = plate.copy()
    for name in names:
        values = plate[name].tolist()
        new = list(values)
        for i, j in pairs:
            new[j] = values[i]
        result[name] = pd.Series(new, dtype=plate[name].dtype)
    left = sorted(set(range(len(plate))) - target)
    if moved == "layout":
        result.loc[left, ["role"]] = "empty"
        result.loc[left, ["drug", "drug2", "drug3", "dose_unit", "addon"]] = ""
        result.loc[left, ["dose", "dose2", "dose3"]] = math.nan
    elif vacated == "unread":
        result.loc[left, "signal"], result.loc[left, "status"] = math.nan, "not_read"
    elif vacated == "dark":
        noise = np.random.default_rng(seed).standard_normal(len(left))
        result.loc[left, "signal"] = plate["signal"].min() * np.exp(0.2 * noise)
        result.loc[left, "status"], result.loc[left, "excluded"] = "ok", False
    return result


def whole(plate, rows, columns):
    """A plate with a row for every well; those that were not there are empty and unread."""
    there = set(zip(plate["row"], plate["column"], strict=True))
    added = [place for place in np.ndindex(rows + 1, columns + 1) if all(place)]
    added = [place for place in added if place not in there]
    new = plate.iloc[[0] * len(added)].assign(
        row=[row for row, _ in added],
        column=[column for _, column in added],
        well=[well_name(*place) for place in added],
        excluded=False,
        role="empty",
        status="not_read",
        locator="",
    )
    new[["drug", "drug2", "drug3", "dose_unit", "addon", "reason"]] = ""
    new[["dose", "dose2", "dose3", "signal"]] = math.nan
    both = pd.concat([plate, new]) if added else plate
    return both.sort_values(["row", "column"], ignore_index=True)


def words_expected(placement, moved):
    """What must be said: a layout that was moved fits better where it came from."""
    if moved == "signals" or PLACEMENTS[placement].words.startswith(("turned", "mirrored")):
        return WORDS[placement]
    other = {"up": "down", "down": "up", "left": "right", "right": "left"}
    return " ".join(other.get(word, word) for word in WORDS[placement].split())


def plate_by_hand(name="P1", run="R1", rows=8, columns=12, seed=1, cv=0.05):
    """A plate with scattered controls; every row a drug, its dose rising from left to right."""
    rng = np.random.default_rng(seed)
    wells = []
    for row in range(1, rows + 1):
        ec50 = rng.uniform(columns / 4, columns)
        for column in range(1, columns + 1):
            role = {0: "negative", 1: "positive"}.get((row * row + 3 * column) % 11, "sample")
            alive = {"negative": 1.0, "positive": 0.01}.get(role, 1 / (1 + 10 ** (column - ec50)))
            wells.append(
                {
                    "run": run,
                    "plate": name,
                    "well": well_name(row, column),
                    "row": row,
                    "column": column,
                    "sample": f"S-{name}",
                    "role": role,
                    "drug": f"drug {row}" if role == "sample" else "control",
                    "dose": 10.0**column if role == "sample" else math.nan,
                    "signal": 1e6 * (0.01 + alive) * (1 + cv * rng.standard_normal()),
                    "control": "" if role == "sample" else role,
                }
            )
    same = {"drug2": "", "dose2": math.nan, "drug3": "", "dose3": math.nan, "addon": ""}
    same |= {"dose_unit": "nM", "status": "ok", "excluded": False, "reason": ""}
    return pd.DataFrame(wells).assign(**same)
