"""Curve fits beside those of other programs, in one run: speed, misses, errors of the EC50.

    python benchmarks/curves.py [--chunks 6] [--curves 100] [--misses 100] [--searched 300]
                                [--processes 1] [--seed N] [--large]

One thread. Every chunk holds fresh curves: the batch for drp, the first of it for the programs that
fit one curve at a time. CPU time, methods in rotated order; ratios are taken chunk by chunk.
Without --seed a new seed is drawn and printed. Programs that are not installed are named.
--misses is how many curves per design all programs are given, --searched how many drp and the
search from 12 starts are given, --processes how many designs at once (nothing is timed there);
--large adds the time per curve and the memory at 10⁶ curves. --chunks 0 leaves out the timing,
--misses 0 the other programs.
"""

import argparse
import os
import platform
import resource
import secrets
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from curve_designs import (
    DESIGNS,
    Curves,
    Design,
    Floats,
    Simulated,
    simulate,
    with_missing_wells,
    with_own_doses,
)
from curve_measures import (
    Run,
    Spent,
    best_of,
    ec50_errors,
    fit_by_all,
    misses,
    ratios,
    run_chunks,
    timed_batch,
    timed_singly,
)
from curve_packages import drc, peers, version_of
from curve_peers import SEARCH, Peer
from numpy.typing import NDArray

from drp.curves import fit

BATCH = 2000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SMALL, LARGE = 10_000, 1_000_000


def as_table(title: str, header: list[str], rows: list[list[object]]) -> str:
    """Give a table in Markdown."""
    lines = [f"\n## {title}\n", " | ".join(header).join(("| ", " |")), "|" + "---|" * len(header)]
    return "\n".join(lines + [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows])


def table(title: str, header: list[str], rows: list[list[object]]) -> None:
    """Print a table in Markdown."""
    print(as_table(title, header, rows), flush=True)


def by_drp(dose: Floats, viability: Floats) -> Curves:
    """Fit by drp; left and right from top and bottom, NaN where the search gave up."""
    fits = fit(dose, viability)
    left = np.where(fits.increasing, fits.bottom, fits.top)
    right = np.where(fits.increasing, fits.top, fits.bottom)
    curves = Curves(left, right, fits.log10_ec50, fits.slope)
    given_up = np.char.startswith(fits.status, "failed") | (fits.status == "too_few_doses")
    return Curves(*(np.where(given_up, np.nan, part) for part in curves))


def with_intervals(chunk: Simulated) -> NDArray[np.bool_]:
    """Fit by drp with standard errors, all profile intervals and the flat test."""
    return np.isfinite(fit(chunk.dose, chunk.viability, intervals=True).p_flat)


def drp_methods() -> dict[str, Run]:
    """Give drp's own entries of the speed table."""

    def fitted(dose: Floats, viability: Floats) -> NDArray[np.bool_]:
        return by_drp(dose, viability).present

    def own(chunk: Simulated) -> Spent:
        dose, viability = with_own_doses(chunk, np.random.default_rng(1))
        return timed_batch(lambda _: fitted(dose, viability))(chunk)

    def missing(chunk: Simulated) -> Spent:
        dose, viability = with_missing_wells(chunk, np.random.default_rng(2))
        return timed_batch(lambda _: fitted(dose, viability))(chunk)

    return {
        "drp": timed_batch(lambda chunk: fitted(chunk.dose, chunk.viability)),
        "drp, own doses per curve": own,
        "drp, a tenth of the wells missing": missing,
    }


def drc_methods(n_curves: int) -> tuple[dict[str, Run], dict[str, Run], str]:
    """Give R's drc for the two speed tables, if it is there, and its version or why not."""
    rng = np.random.default_rng(0)
    tried = drc(DESIGNS[0].dose, simulate(DESIGNS[0], 10, rng).viability)
    if tried is None:
        return {}, {}, "R's drc: no Rscript with drc and jsonlite"

    def using(seconds: str) -> Run:
        def run(chunk: Simulated) -> Spent:
            answer = drc(chunk.dose, chunk.viability[:n_curves]) or {}
            mean = 1000.0 * float(answer[seconds]) / n_curves
            results = np.isfinite(answer["found"]).all(axis=1).sum()
            return Spent(mean, mean, n_curves, int(results))

        return run

    plain, more = {"R drc, LL.4": using("seconds")}, {"R drc, LL.4": using("seconds_more")}
    return plain, more, f"drc {tried['version']} (R {tried['r']})"


def print_speed(
    title: str, methods: dict[str, Run], chunks: list[Simulated], gives: dict[str, str]
) -> None:
    """Time the methods on the chunks after a warm-up of five curves, and print the table."""
    for run in methods.values():
        run(chunks[0]._replace(viability=chunks[0].viability[:5]))
    header = ["method", "ms per curve", "ms, median curve", "× drp", "lowest–highest"]
    header += ["× drp by median curve", "results", *(["gives"] if gives else [])]
    rows = []
    for name, one in ratios(run_chunks(methods, chunks), "drp").items():
        span = f"{one.lowest:.1f}–{one.highest:.1f}"
        row = [name, f"{one.ms:.3f}", f"{one.ms_median:.3f}", f"{one.ratio:.1f}", span]
        row += [f"{one.of_median:.1f}", f"{one.n_results} of {one.n_curves}"]
        rows.append(row + ([gives[name]] if gives else []))
    table(title, header, rows)


def speed(found: list[Peer], n_chunks: int, n_curves: int, rng: np.random.Generator) -> None:
    """Print the two speed tables: the fit alone, and with all that is said about it."""
    first, *chunks = (simulate(DESIGNS[0], BATCH, rng) for _ in range(n_chunks + 1))
    cold, warm = (timed_batch(with_intervals)(chunk).mean for chunk in (first, chunks[0]))
    plain, more, _ = drc_methods(n_curves)
    methods = drp_methods() | plain
    methods |= {peer.name: timed_singly(peer.fit, n_curves) for peer in found}
    print_speed("Speed: fit alone, 8×3", methods, chunks, {})
    methods = {"drp": timed_batch(with_intervals)} | more
    gives = {
        "drp": "profile intervals of EC50, IC50, AUC, DSS2; standard errors; flat test",
        "R drc, LL.4": "ED 50 with delta interval, noEffect",
    }
    for peer in found:
        if peer.more is not None:
            methods[peer.name] = timed_singly(peer.more, max(int(n_curves * peer.share), 5))
            gives[peer.name] = peer.gives
    print_speed("Speed: fit, intervals, flat test, 8×3", methods, chunks, gives)
    print(f"\nFirst batch of drp with intervals: {cold:.3f} ms per curve, the next {warm:.3f}.")


def quality_of(design: Design, n_peers: int, n_searched: int, seed: int) -> str:
    """Give one design's table of misses and errors, as text."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    data = simulate(design, max(n_searched, n_peers), rng)
    batch = {"drp": by_drp(data.dose, data.viability)}
    found = peers()[0] if n_peers else []
    results = fit_by_all(data, found, n_peers, batch, SEARCH)
    best = best_of(results, data)
    n_full, n_common, errors = ec50_errors(results, data)
    header = ["method", "curves", "no result", "outside bounds", "missed by > 1e-6", "by > 1e-3"]
    header += [f"EC50 given (of {n_full} full)", "median error", "95 %"]
    rows = []
    for name, curves in results.items():
        one, error = misses(curves, data, best), errors[name]
        shares = (f"{share:.2%}" for share in (one.none, one.outside, one.missed, one.badly))
        off = (f"{error.median:.4f}", f"{error.ninety_five:.4f}")
        rows.append([name, one.n_curves, *shares, error.with_ec50, *off])
    text = as_table(f"Misses and errors of log10 EC50, {design.name}", header, rows)
    return f"{text}\n\nErrors: the {n_common} full curves for which every method gives an EC50."


def quality(n_peers: int, n_searched: int, seed: int, processes: int) -> None:
    """Print misses and EC50 errors, design by design."""
    with ProcessPoolExecutor(processes) as pool:
        started = [pool.submit(quality_of, design, n_peers, n_searched, seed) for design in DESIGNS]
        for one in started:
            print(one.result(), flush=True)


def child(n_curves: int) -> None:
    """Fit so many curves and print µs per curve and the process's peak memory in MB."""
    rng = np.random.default_rng(n_curves)
    dose = DESIGNS[0].dose
    viability = np.empty((n_curves, len(dose)))
    for begin in range(0, n_curves, SMALL):
        viability[begin : begin + SMALL] = simulate(DESIGNS[0], SMALL, rng).viability
    fit(dose, viability[:BATCH])
    start = time.process_time()
    fits = fit(dose, viability)
    spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(1e6 * spent / n_curves, peak, int(np.isfinite(fits.sse).sum()))


def large() -> None:
    """Print time per curve and memory at 10⁴ curves, before and after, and at 10⁶."""
    rows, small, big = [], [], 0.0
    for n_curves in (SMALL, SMALL, LARGE, SMALL, SMALL):
        command = [sys.executable, __file__, "--child", str(n_curves)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        each, peak, results = (float(word) for word in done.stdout.split())
        rows.append([n_curves, f"{each:.1f}", f"{peak:.0f}", int(results)])
        small += [each] if n_curves == SMALL else []
        big = each if n_curves == LARGE else big
    table("Many curves, fit alone, 8×3", ["curves", "µs per curve", "peak MB", "results"], rows)
    print(f"\nTime per curve at 10⁶: {big / np.median(small):.2f} × the median of those at 10⁴.")
    print("Memory: the whole process; the wells of 10⁶ curves alone are 192 MB.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=6)
    parser.add_argument("--curves", type=int, default=100)
    parser.add_argument("--misses", type=int, default=100)
    parser.add_argument("--searched", type=int, default=300)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    if any(os.environ.get(name) != "1" for name in THREADS):
        # Threads are counted when NumPy is loaded: start again with one.
        one = os.environ | dict.fromkeys(THREADS, "1")
        os.execve(sys.executable, [sys.executable, str(Path(__file__)), *sys.argv[1:]], one)
    warnings.simplefilter("ignore")
    asked = arguments()
    if asked.child:
        child(asked.child)
        return
    seed = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    rng = np.random.default_rng(seed)
    found, skipped = peers()
    drc_version = drc_methods(asked.curves)[2]
    if drc_version.startswith("R's"):
        skipped.append(drc_version)
    packages = dict.fromkeys(["drp", "numpy", "scipy", *(peer.package for peer in found)])
    versions = ", ".join(f"{package} {version_of(package)}" for package in packages)
    print(f"Python {platform.python_version()}, {versions}. Seed {seed}.")
    print(f"{asked.chunks} chunks: {BATCH} curves each for drp, {asked.curves} for the others.")
    for line in skipped:
        print(f"Skipped: {line}.")
    if asked.chunks:
        speed(found, asked.chunks, asked.curves, rng)
    quality(asked.misses, asked.searched, seed, asked.processes)
    if asked.large:
        large()


if __name__ == "__main__":
    main()
