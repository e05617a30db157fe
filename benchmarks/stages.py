"""CPU time of each stage's own work (without imports) on one sample of the simulated run."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from drp.config import read_config
from drp.plan import Plan
from drp.plates.from_sheets import read_plates
from drp.sensitivity import fit_curves
from drp.sheets import read_sheets
from drp.simulate import simulate_run
from drp.synergy import score_synergy
from drp.viability import normalise
from drp.wells import join_wells

REPEATS = 5


def median_ms(work) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * sorted(times)[REPEATS // 2]


def main() -> None:
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
            "synergy": lambda: score_synergy(viability, seed=1),
        }
        print("median CPU ms, one sample: 2 plates of 384 wells, 40 drugs, 3 matrices")
        for name, work in stages.items():
            print(f"{name:10} {median_ms(work):8.1f}")


if __name__ == "__main__":
    main()
