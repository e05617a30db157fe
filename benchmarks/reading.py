"""Time to read a 384-well text export, to check the demo and to print the help.

    python benchmarks/reading.py
    python benchmarks/reading.py --patients 1000     # the check of two plates for each

Medians of CPU time; run `drp check` once before, so that Python's compiled files are there.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from simulated_project import write_project

import drp
from drp.checks import check_project
from drp.config import read_config
from drp.plates.writers import write_envision
from drp.sheets import read_sheets

REPEATS = 15


def median_ms(work, repeats=REPEATS):
    """Median CPU time of a call, ms, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def command_ms(*arguments, repeats=5):
    """Median CPU and wall time of a command, ms."""
    cpu, wall = [], []
    for _ in range(repeats + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-m", "drp", *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.monotonic() - start)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1000 * statistics.median(cpu[1:]), 1000 * statistics.median(wall[1:])


def check_many(patients):
    """Print CPU and wall time per plate of a check with one process and with two."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder) / "project", patients, batches=None)
        os.chdir(Path(folder) / "project")
        sheets, config = read_sheets(Path("config")), read_config(Path("config/config.yaml"))
        for processes in (1, 2):
            start, own, helpers = time.monotonic(), used_s(), used_s(resource.RUSAGE_CHILDREN)
            check_project(config, sheets, processes)
            wall, each = time.monotonic() - start, 1000 / len(sheets.plates)
            own, helpers = used_s() - own, used_s(resource.RUSAGE_CHILDREN) - helpers
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{len(sheets.plates)} plates, {processes} processes: {own * each:.1f} ms of CPU "
                f"here and {helpers * each:.1f} in helpers, {wall * each:.1f} ms wall a plate, "
                f"peak {peak_mb:.0f} MB"
            )
        os.chdir("/")


def used_s(who=resource.RUSAGE_SELF):
    """CPU seconds of this process, or of those it started."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main():
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, help="check a project of so many instead")
    options = parser.parse_args()
    if options.patients:
        check_many(options.patients)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plate.csv"
        write_envision(path, np.random.default_rng(1).integers(100, 1_000_000, (16, 24)))
        read = median_ms(lambda: drp.read_plate(path), 40)
    print(f"384-well EnVision export, read_plate: {read:.1f} ms CPU (asked: 10)")
    for name, arguments, asked in (("check", ["check"], 1000), ("--help", ["--help"], 300)):
        cpu, wall = command_ms(*arguments)
        print(f"drp {name}: {cpu:.0f} ms CPU, {wall:.0f} ms wall (asked: {asked})")


if __name__ == "__main__":
    main()
