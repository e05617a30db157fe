"""Kill runs at random moments, resume them, and compare what they end with.

    python benchmarks/faults.py --moments 25            # on this machine
    python benchmarks/faults.py --moments 5 --slurm     # on a SLURM of two nodes, started here

Two patients of the simulated run. An undisturbed run says what must stand there in the end, to the
byte: stage tables, records, reports in every form. Each seed draws a moment of the run and takes
one of four ways to die; on SLURM jobs are then still on the cluster.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.faults import outcome, stopped_and_resumed, timed_run, unfinished
from tests.project import copy_part_of_demo
from tests.slurm_cluster import cluster, missing

PATIENTS = ("P01", "P04")
LOCAL = ("--cores", "1")
SLURM = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks=2", "--latency-wait=5")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moments", type=int, default=4, help="how many (4)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--slurm", action="store_true")
    options = parser.parse_args()
    if options.slurm and missing():
        print(f"no SLURM can be started here: {missing()}", file=sys.stderr)
        return 2
    seeds = range(options.first, options.first + options.moments)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top,
        _place(Path(top), slurm=options.slurm) as (arguments, environment),
    ):
        reference = copy_part_of_demo(Path(top) / "undisturbed", *PATIENTS)
        seconds = timed_run(reference, *LOCAL)
        wanted = outcome(reference)
        print(f"undisturbed, on this machine: {seconds:.0f} s, {len(wanted)} files", flush=True)
        same = sum(_one(Path(top), seed, wanted, arguments, environment) for seed in seeds)
    print(f"{same} of {options.moments} ended with the same bytes")
    return int(same < options.moments)


@contextmanager
def _place(top: Path, *, slurm: bool) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    if not slurm:
        yield LOCAL, {}
        return
    with cluster(top / "slurm") as running:
        yield SLURM, running.environment


def _one(top: Path, seed: int, wanted: dict, arguments: tuple, environment: dict) -> bool:
    """Kill one run at a moment drawn from the seed, resume it, and say how it ended."""
    folder = copy_part_of_demo(top / f"seed{seed}", *PATIENTS)
    told = stopped_and_resumed(folder, seed, len(wanted), *arguments, **environment)
    same = outcome(folder) == wanted and told["code"] == 0 and not unfinished(folder)
    when = "after its end" if told["finished"] else f"with {told['files']} of {len(wanted)} files"
    print(f"seed {seed:2d}: {told['kind']} killed {when}; {'same' if same else 'DIFFERENT'}")
    sys.stdout.flush()
    if same:
        shutil.rmtree(folder)
    else:
        print(folder.with_suffix(".said").read_text(encoding="utf-8")[-3000:])
    return same


if __name__ == "__main__":
    raise SystemExit(main())
