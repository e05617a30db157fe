"""A project of many patients for the benchmark of the whole pipeline: 60 drugs, 2 plates each.

Plate A holds 40 drugs at 8 doses, plate B 20 more and three 6 x 6 matrices, one well each. The
responses are drawn at random; here only their number counts.
"""

from pathlib import Path

import numpy as np

from drp.plates.writers import write_envision
from drp.sheets import SHEETS
from drp.simulate.panel import load_pairs, load_panel
from drp.simulate.plate_maps import COLUMNS, ROWS, plate_map
from drp.simulate.sheets import demo_patients

ASSAY = "bench-ctg-72h"
# Drugs beyond the panel of the demonstration; their curves are taken from the panel in turn.
FURTHER = (
    *("Teniposide", "Azacitidine", "Decitabine", "Melphalan", "Thiotepa", "Bendamustine"),
    *("Ixazomib", "ABT-737", "A-1331852", "Birinapant", "Nilotinib", "Bosutinib", "Midostaurin"),
    *("Sorafenib", "Crizotinib", "Cobimetinib", "Copanlisib", "Palbociclib", "Volasertib", "JQ1"),
)
PATIENTS_PER_RUN = 16
_NEGATIVE, _POSITIVE = 1_200_000.0, 15_000.0


def write_project(folder: Path, patients: int, *, batches: int | None, seed: int = 1) -> None:
    """Write plates, layouts, sheets and configuration; patient n is the same in every size."""
    (folder / "plates").mkdir(parents=True)
    (folder / "config").mkdir()
    layouts = {"A": _first(), "B": _second()}
    for letter, rows in layouts.items():
        _write_table(folder / "plates" / f"layout_{letter}.tsv", rows)
    names = [f"P{number:05d}" for number in range(1, patients + 1)]
    _write_sheets(folder / "config", names)
    for number, name in enumerate(names):
        _write_plates(folder / "plates", name, layouts, np.random.default_rng([seed, number]))
    text = f"assay:\n  name: {ASSAY}\nsimulated: true\nseed: 1\n"
    text += f"batches: {batches}\n" if batches else ""
    (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")


def _frame() -> list[dict[str, str]]:
    """The control and empty wells of the demonstration's plate; the others are free."""
    blank = {"dose": "", "dose_unit": "", "drug2": "", "dose2": ""}
    return [row | (blank if row["role"] != "sample" else {}) for row in plate_map("single").rows]


def _fill(contents: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put contents into the free wells, shuffled; wells that are left stay empty."""
    rows = _frame()
    free = [row for row in rows if row["role"] == "sample"]
    order = np.random.default_rng(384).permutation(len(free))
    for place, row in zip(order, free, strict=True):
        well = {"well": row["well"]}
        empty = {"role": "empty", "drug": "", "dose": "", "dose_unit": "", "drug2": "", "dose2": ""}
        row.clear()
        row |= well | (contents[place] if place < len(contents) else empty)
    return rows


def _single(name: str, doses: tuple[float, ...], unit: str) -> list[dict[str, str]]:
    shared = {"role": "sample", "drug": name, "dose_unit": unit, "drug2": "", "dose2": ""}
    return [shared | {"dose": f"{dose:g}"} for dose in doses]


def _first() -> list[dict[str, str]]:
    wells = [_single(agent.name, agent.doses, agent.dose_unit) for agent in load_panel()]
    return _fill([well for drug in wells for well in drug])


def _second() -> list[dict[str, str]]:
    molar = [agent for agent in load_panel() if agent.dose_unit == "nM"]
    contents = [
        well
        for name, agent in zip(FURTHER, molar, strict=False)
        for well in _single(name, agent.doses, "nM")
    ]
    for pair in load_pairs():
        shared = {"role": "sample", "drug": pair.drug, "drug2": pair.drug2, "dose_unit": "nM"}
        contents += [
            shared | {"dose": f"{dose:g}", "dose2": f"{dose2:g}"}
            for dose in (0.0, *pair.doses)
            for dose2 in (0.0, *pair.doses2)
        ]
    return _fill(contents)


def _write_plates(
    folder: Path,
    patient: str,
    layouts: dict[str, list[dict[str, str]]],
    rng: np.random.Generator,
) -> None:
    curves = _curves(rng)
    for letter, rows in layouts.items():
        alive = np.array([_alive(row, curves) for row in rows])
        noise = 1 + 0.06 * rng.standard_normal(alive.size)
        signal = np.rint((_POSITIVE + _NEGATIVE * np.nan_to_num(alive)) * noise)
        signal[np.isnan(alive)] = 250
        path = folder / f"{patient}-{letter}.txt"
        write_envision(path, signal.reshape(ROWS, COLUMNS), comment="SIMULATED DATA")


def _curves(rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """EC50, slope and remaining share of each drug for one patient."""
    agents = list(load_panel())
    molar = [agent for agent in agents if agent.dose_unit == "nM"]
    named = [(agent.name, agent) for agent in agents]
    named += list(zip(FURTHER, molar, strict=False))
    return {
        name: (
            agent.ec50 * 10 ** (agent.ec50_sd_log10 * rng.standard_normal()),
            agent.slope,
            agent.bottom_pct / 100,
        )
        for name, agent in named
    }


def _alive(row: dict[str, str], curves: dict[str, tuple[float, float, float]]) -> float:
    """Share of living cells; combinations are additive by Bliss."""
    if row["role"] != "sample":
        return {"negative": 1.0, "positive": 0.0}.get(row["role"], float("nan"))
    share = 1.0
    for drug, dose in ((row["drug"], row["dose"]), (row["drug2"], row["dose2"])):
        if drug and float(dose or 0) > 0:
            ec50, slope, bottom = curves[drug]
            share *= bottom + (1 - bottom) / (1 + (float(dose) / ec50) ** slope)
    return share


def _write_sheets(config: Path, patients: list[str]) -> None:
    facts = demo_patients(8)
    _write_table(
        config / "patients.tsv",
        [facts[number % 8] | {"patient": name} for number, name in enumerate(patients)],
    )
    sample = {"kind": "relapse", "thaw_viability_pct": "90", "blasts_pct": "92"}
    _write_table(
        config / "samples.tsv",
        [{"sample": f"{name}-S1", "patient": name} | sample for name in patients],
    )
    plates = [
        {
            "plate": f"{name}-{letter}",
            "file": f"{name}-{letter}.txt",
            "layout": f"layout_{letter}.tsv",
            "sample": f"{name}-S1",
            "run": f"run-{number // PATIENTS_PER_RUN + 1:04d}",
        }
        for number, name in enumerate(patients)
        for letter in "AB"
    ]
    _write_table(config / "plates.tsv", plates)
    for sheet in ("exclusions", "approvals"):
        required, further, _ = SHEETS[sheet]
        (config / f"{sheet}.tsv").write_text("\t".join(required + further) + "\n")


def _write_table(path: Path, rows: list[dict[str, str]]) -> None:
    columns = list(rows[0])
    lines = ["\t".join(columns)]
    lines += ["\t".join(row[column] for column in columns) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
