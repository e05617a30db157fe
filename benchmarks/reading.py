"""Time to read a 384-well text export, to check the demo and to print the help.

Medians of CPU time; run `drp check` once before, so that Python's compiled files are there.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import drp
from drp.plates.writers import write_envision

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


def main():
    """Print one line per figure."""
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
