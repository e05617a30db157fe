"""CPU time of each stage's own work, without imports.

    python benchmarks/stages.py                               # one sample of the simulated run
    python benchmarks/stages.py results/batches --batches 10  # curves, synergy of a finished run

The second form puts the viability tables of some batches together and gives milliseconds per
sample, as measured and in units of a fixed piece of work done just before and after: on a machine
whose speed changes from one minute to the next, only these can be compared.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from drp.config import read_config
from drp.drugs import cmax_nm
from drp.plan import Plan
from drp.plates.from_sheets import read_plates
from drp.sensitivity import fit_curves
from drp.sheets import read_sheets
from drp.simulate import simulate_run
from drp.synergy import score_synergy
from drp.viability import normalise
from drp.wells import join_wells

REPEATS = 5
MODEL_DRAWS = 400


def cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def median_ms(work: Callable[[], Any]) -> float:
    work()
    return 1000 * sorted(cpu_seconds(work) for _ in range(REPEATS))[REPEATS // 2]


def yardstick() -> float:
    """CPU seconds of arrays that stay in the cache, of small tables and of plain loops."""
    values = np.random.default_rng(0).random((6, 2000))
    table = pd.DataFrame({"key": ["x", "y"] * 500, "value": np.arange(1000.0)})

    def work() -> None:
        for _ in range(400):
            (np.exp(np.tanh(values) * values) + values).sum(axis=0)
        for _ in range(40):
            for _, part in table.groupby("key"):
                part["value"].to_numpy().sum()
        sum(number * number for number in range(200_000))

    return cpu_seconds(work)


def finished_run(batches: Path, count: int) -> None:
    files = sorted(batches.glob("*/viability.parquet"))[:count]
    wells = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    named = {name for column in ("drug", "drug2", "drug3") for name in wells[column]} - {""}
    peaks, n_samples = cmax_nm(sorted(named)), wells["sample"].nunique()
    stages = {
        "curves": lambda: fit_curves(wells, cmax=peaks, seed=1),
        "synergy": lambda: score_synergy(wells, cmax=peaks, seed=1, model_draws=MODEL_DRAWS),
    }
    print(f"{n_samples} samples of {len(files)} batches, CPU ms per sample (and in yardsticks)")
    for name, work in stages.items():
        taken = []
        for _ in range(REPEATS + 1):  # the first fills what a process keeps, and is shown apart
            before, spent, after = yardstick(), cpu_seconds(work), yardstick()
            taken.append((spent / n_samples, 2 * spent / n_samples / (before + after)))
        ms, units = (sorted(one) for one in zip(*taken[1:], strict=True))
        print(
            f"{name:10} first {1000 * taken[0][0]:6.1f} ({taken[0][1]:.2f}), then median"
            f" {1000 * ms[REPEATS // 2]:6.1f} ({units[REPEATS // 2]:.2f}),"
            f" least {1000 * ms[0]:6.1f} ({units[0]:.2f})"
        )


def one_sample() -> None:
    root = Path(__file__).resolve().parent.parent
    with TemporaryDirectory() as folder:
        simulate_run(Path(folder), seed=1)
        config = read_config(root / "config" / "config.yaml", {"plates_folder": f"{folder}/plates"})
        plan = Plan(config, read_sheets(Path(folder) / "config"))
        rows = plan.plates_of["P01-S1"]
        read = read_plates(rows, config.plates_folder, {})
        wells = join_wells(read.reads, read.layouts, rows)
        viability = normalise(wells)
        stages = {
            "plates": lambda: read_plates(rows, config.plates_folder, {}),
            "wells": lambda: join_wells(read.reads, read.layouts, rows),
            "viability": lambda: normalise(wells),
            "curves": lambda: fit_curves(viability, seed=1),
            "synergy": lambda: score_synergy(viability, seed=1, model_draws=MODEL_DRAWS),
        }
        print("median CPU ms, one sample: 2 plates of 384 wells, 40 drugs, 3 matrices")
        for name, work in stages.items():
            print(f"{name:10} {median_ms(work):8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="?", help="folder of a run's batches")
    parser.add_argument("--batches", type=int, default=10)
    options = parser.parse_args()
    if options.results:
        finished_run(options.results, options.batches)
    else:
        one_sample()


if __name__ == "__main__":
    main()
