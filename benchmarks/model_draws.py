"""What fewer and looser draws do to the intervals of Loewe and ZIP.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/model_draws.py --patients 12

Simulated patients with three matrices each. The yardstick is 1,000 draws, each fitted as closely as
an observed curve; another seed of it shows how much is chance.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pandas as pd
from simulated_project import write_project

from drp.joining import WELLS
from drp.plain_tables import make_frame
from drp.problems import Problems
from drp.readable import join_good_plates, read_good_plates
from drp.sheets import read_sheets
from drp.synergy import hill_search, score_synergy
from drp.viability import normalise

CLOSE = hill_search.OBSERVED._replace(tolerance=1e-5, most_steps=20)


def viability_of(patients: int) -> pd.DataFrame:
    with TemporaryDirectory() as top:
        folder = Path(top) / "project"
        write_project(folder, patients, batches=None)
        sheets = read_sheets(folder / "config")
        read = read_good_plates(sheets.plates, str(folder / "plates"), {})
        settings = {"read": None, "normalisation": {}}
        wells = join_good_plates(read.reads, read.layouts, sheets.plates, [], settings, Problems())
    return normalise(make_frame(wells, "wells", WELLS))


def scored(
    viability: pd.DataFrame, seed: int, draws: int, *, close: bool
) -> tuple[pd.DataFrame, float]:
    """The synergy table, and CPU seconds per matrix."""
    how = (CLOSE, 1) if close else (hill_search.DRAWN, hill_search.DRAWN_EVERY)
    start = time.process_time()
    with (
        patch.object(hill_search, "DRAWN", how[0]),
        patch.object(hill_search, "DRAWN_EVERY", how[1]),
    ):
        table = score_synergy(viability, seed=seed, model_draws=draws)[0]
    return table, (time.process_time() - start) / len(table)


def compared(table: pd.DataFrame, yardstick: pd.DataFrame, model: str) -> str:
    width = yardstick[f"{model}_hi"] - yardstick[f"{model}_lo"]
    ratio = (table[f"{model}_hi"] - table[f"{model}_lo"]) / width
    moved = (table[f"{model}_lo"] - yardstick[f"{model}_lo"]).abs() / width

    def side(one: pd.DataFrame) -> "pd.Series[int]":
        return (one[f"{model}_lo"] > 0).astype(int) - (one[f"{model}_hi"] < 0).astype(int)

    changed = int((side(table) != side(yardstick)).sum())
    return (
        f"width {ratio.median():.3f} ({ratio.min():.2f}-{ratio.max():.2f}), lower end moved by"
        f" {100 * moved.median():.1f} % (at most {100 * moved.max():.0f} %), side changed {changed}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=12)
    viability = viability_of(parser.parse_args().patients)
    yardstick, cpu = scored(viability, 1, 1000, close=True)
    print(f"{len(yardstick)} matrices; yardstick: {cpu:.3f} CPU s per matrix")
    cases = (("another seed", 2, 1000, True), ("looser fits", 1, 1000, False))
    fewer = tuple((f"looser, {draws} draws", 1, draws, False) for draws in (400, 200, 100))
    for name, seed, draws, close in (*cases, *fewer):
        table, cpu = scored(viability, seed, draws, close=close)
        print(f"{name}: {cpu:.3f} CPU s per matrix")
        for model in ("zip", "loewe"):
            print(f"  {model}: {compared(table, yardstick, model)}")


if __name__ == "__main__":
    main()
