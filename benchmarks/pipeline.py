"""The whole pipeline on simulated patients: CPU per stage and per patient, wall time, memory.

    python benchmarks/pipeline.py              # 1 and 100 patients, 60 drugs and 3 matrices each
    python benchmarks/pipeline.py 1000 --model-draws 200
    python benchmarks/pipeline.py 10000 --dry-run

For each number of patients: a first run, a second run with nothing to do, and one patient added.
CPU time counts more than wall time where the machine is shared.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulated_project import write_project

from drp.checks import _state
from drp.config import read_config
from drp.plan import Plan
from drp.run_provenance import stage_costs
from drp.sheets import read_sheets
from drp.storage import write_json

ROOT = Path(__file__).resolve().parent.parent


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command with all of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def reports_after(folder: Path, start: float) -> float:
    """Seconds from a moment to the last report."""
    last = max(path.stat().st_mtime for path in folder.glob("reports/*/report.*"))
    return last - start


def print_stages(folder: Path, patients: int) -> None:
    costs = stage_costs(folder / "logs")
    print(f"{'stage':10} {'jobs':>5} {'CPU s':>8} {'ms/patient':>11} {'peak MB':>8}")
    for stage, cost in sorted(costs.items(), key=lambda item: -item[1]["cpu_s"]):
        each = 1000 * cost["cpu_s"] / patients
        print(
            f"{stage:10} {cost['jobs']:5.0f} {cost['cpu_s']:8.1f} {each:11.1f}"
            f" {cost['peak_mb']:8.0f}"
        )


def add_patient(folder: Path, patients: int) -> None:
    """Write the project with one patient more beside it, and take over what is new."""
    with tempfile.TemporaryDirectory() as larger:
        project = Path(larger) / "project"
        write_project(project, patients + 1, batches=None)
        for sheet in ("plates", "samples", "patients"):
            shutil.copyfile(project / f"config/{sheet}.tsv", folder / f"config/{sheet}.tsv")
        for path in (project / "plates").glob(f"P{patients + 1:05d}-*"):
            shutil.copyfile(path, folder / "plates" / path.name)


def benchmark(patients: int, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        write_project(folder, patients, batches=options.batches if patients > 1 else None)
        if options.model_draws:
            with (folder / "config" / "config.yaml").open("a") as stream:
                stream.write(f"synergy:\n  model_draws: {options.model_draws}\n")
        print(f"\n{patients} patients, 60 drugs, 3 matrices, 2 plates of 384 wells each")
        if options.dry_run:
            dry_run(folder)
            return
        run = [sys.executable, "-m", "drp", "run", "--cores", str(options.cores)]
        start = time.time()
        wall, cpu = measured(run, folder)
        print(f"first run: {wall:.1f} s, CPU {cpu:.1f} s, {cpu / patients:.2f} s per patient")
        print(f"last report after {reports_after(folder, start):.1f} s")
        print_stages(folder, patients)
        print("second run: {:.1f} s, CPU {:.1f} s".format(*measured(run, folder)))
        add_patient(folder, patients)
        print("one patient more: {:.1f} s, CPU {:.1f} s".format(*measured(run, folder)))


def dry_run(folder: Path) -> None:
    """Time the planning alone; the plates count as checked, which takes 10 ms each."""
    os.chdir(folder)
    plan = Plan(read_config(Path("config/config.yaml")), read_sheets(Path("config")))
    write_json(Path("results/check.json"), {"state": _state(plan), "problems": []})
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "all"]
    wall, cpu = measured([*command, "--snakefile", str(ROOT / "workflow" / "Snakefile")], folder)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"dry run: {wall:.1f} s, CPU {cpu:.1f} s, peak {peak_mb:.0f} MB")
    os.chdir(ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patients", type=int, nargs="*", default=[1, 100])
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--model-draws", type=int, help="synergy.model_draws (all)")
    parser.add_argument("--dry-run", action="store_true", help="plan only")
    options = parser.parse_args()
    for patients in options.patients:
        benchmark(patients, options)


if __name__ == "__main__":
    main()
