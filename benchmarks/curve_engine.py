"""What the curve engine delivers: optima, coverage of intervals, size of the flat test, speed.

    python benchmarks/curve_engine.py [--parts accuracy coverage flat outliers speed large cohort]
                                      [--curves 20000] [--seed N]

One thread. Without --seed a new seed is drawn and printed. `large` times 10⁶ curves and reports the
memory; `cohort` fits the 15,936 curves of the published cohort where its file lies beside the
project. Other programs are compared in `curves.py`.
"""

import argparse
import os
import resource
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
if any(os.environ.get(name) != "1" for name in THREADS):  # read when NumPy is imported
    os.environ.update(dict.fromkeys(THREADS, "1"))

import numpy as np  # noqa: E402
from curve_designs import (  # noqa: E402
    DESIGNS,
    Curves,
    Design,
    Floats,
    curves_at,
    simulate,
    with_missing_wells,
    with_own_doses,
)
from curve_peers import best_feasible, twelve_starts  # noqa: E402

from drp.curves import fit, grid, newton  # noqa: E402
from drp.curves.metrics import area_under_curve, drug_sensitivity_scores  # noqa: E402

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
COHORT = Path("cohort") / "bcmo2017_drpar_long.csv.gz"
MISSED = 1e-6
REPEATS = 5
QUANTITIES = ("log10_ec50", "auc", "dss2")


def densest(dose: Floats, viability: Floats) -> Floats:
    """Fit by a table twice as dense, every local optimum followed to its end; the least errors."""
    changes = {"N_STARTS": 40, "SLACK_OF_SPREAD": 9.0}
    found = []
    for slopes in (grid.N_SLOPES, 2 * grid.N_SLOPES - 1):
        with (
            mock.patch.multiple(grid, N_SLOPES=slopes, **changes),
            mock.patch.multiple(newton, HOPE=1e9, MOST_STEPS=200, STAGNATION=0.0),
        ):
            found.append(fit(dose, viability).sse)
    return np.minimum(*found)


def accuracy(n_curves: int, rng: np.random.Generator) -> None:
    """Compare with the densest search, and with 12 starts of SciPy's on a few of the curves."""
    few = max(n_curves // 33, 10)  # 3,030 in all at 20,000 curves for each of five designs
    print(
        f"\nmissed of {n_curves:,} by more than 1e-6 of SST; {few} of them also against 12 starts"
    )
    print("design | missed | better than 12 starts | worse | no result | largest miss")
    for design in DESIGNS:
        data = simulate(design, n_curves, rng)
        fits = fit(data.dose, data.viability)
        best = densest(data.dose, data.viability)
        searched = [twelve_starts(data.dose, one)[:4] for one in data.viability[:few]]
        theirs = Curves(*np.array(searched, dtype=float).T)
        least = best_feasible([theirs], data.dose, data.viability[:few])
        ahead = (fits.sse[:few] - least) / fits.sst[:few]
        miss = (fits.sse - np.minimum(best, np.append(least, best[few:]))) / fits.sst
        failed = np.char.startswith(fits.status, "failed").sum()
        print(
            f"{design.name} | {(miss > MISSED).mean():.3%} | {(ahead < -MISSED).sum()} |"
            f" {(ahead > MISSED).sum()} | {failed} | {miss.max():.1e}",
            flush=True,
        )


def identified(design: Design, n_curves: int, rng: np.random.Generator) -> tuple[Curves, Floats]:
    """Draw curves whose plateaus and midpoint the doses show, with their noise-free viability."""
    last = design.step * (design.n_doses - 1)
    truth = Curves(
        rng.normal(100.0, 4.0, n_curves),
        rng.uniform(5.0, 35.0, n_curves),
        rng.uniform(0.35 * last, 0.65 * last, n_curves),
        np.clip(rng.lognormal(np.log(1.2), 0.3, n_curves), 0.8, 2.5),
    )
    return truth, curves_at(truth, design.dose)


def covered(
    truth: Curves, design: Design, viability: Floats, **options: object
) -> dict[str, float]:
    """Give the share of intervals that hold the truth, and the median width of the area's."""
    low, high = 0.0, design.step * (design.n_doses - 1)
    fits = fit(design.dose, viability, intervals=True, **options)
    true = {
        "log10_ec50": truth.log10_ec50,
        "auc": area_under_curve(*truth, np.array(low), np.array(high)),
        "dss2": drug_sensitivity_scores(*truth[1:], np.array(low), np.array(high))[1],
    }
    shares = {}
    for name in QUANTITIES:
        ends = getattr(fits, f"{name}_lo"), getattr(fits, f"{name}_hi")
        shares[name] = float(((ends[0] <= true[name]) & (true[name] <= ends[1])).mean())
    width = np.median(fits.auc_hi - fits.auc_lo)
    error = np.median(np.abs(fits.log10_ec50 - truth.log10_ec50))
    return {**shares, "width": float(width), "error": float(error)}


def show_coverage(title: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    print(f"\n{title}\ndesign | log EC50 | AUC | DSS2 | width of AUC | error of log EC50")
    for name, row in rows:
        shares = " | ".join(f"{row[quantity]:.1%}" for quantity in QUANTITIES)
        print(f"{name} | {shares} | {row['width']:.1f} | {row['error']:.3f}", flush=True)


def coverage(n_curves: int, rng: np.random.Generator) -> None:
    """Clean curves with normal noise of 3 to 8 points, and the same with noise that grows."""
    n_curves = max(n_curves // 5, 2000)
    clean, growing = [], []
    for design in DESIGNS:
        truth, curve = identified(design, n_curves, rng)
        sd, draw = rng.uniform(3.0, 8.0, (n_curves, 1)), rng.standard_normal(curve.shape)
        clean.append((design.name, covered(truth, design, curve + sd * draw)))
        uneven = sd * (0.3 + 0.9 * curve / 100.0)
        growing.append((design.name, covered(truth, design, curve + uneven * draw)))
    show_coverage(f"coverage on {n_curves:,} clean identified curves", clean)
    show_coverage("the same, noise growing with viability from 0.3 to 1.2 SD", growing)


def outliers(n_curves: int, rng: np.random.Generator) -> None:
    """One well in twenty off by 30 to 60 points: usual and robust fit."""
    n_curves = max(n_curves // 5, 2000)
    usual, robust = [], []
    for design in DESIGNS:
        truth, curve = identified(design, n_curves, rng)
        wells = curve + rng.uniform(3.0, 8.0, (n_curves, 1)) * rng.standard_normal(curve.shape)
        off = rng.uniform(30.0, 60.0, curve.shape) * rng.choice([-1.0, 1.0], curve.shape)
        wells += np.where(rng.random(curve.shape) < 0.05, off, 0.0)
        usual.append((design.name, covered(truth, design, wells)))
        robust.append((design.name, covered(truth, design, wells, robust=True)))
    show_coverage("coverage with outliers, least squares", usual)
    show_coverage("coverage with outliers, robust=True", robust)


def flat(n_curves: int, rng: np.random.Generator) -> None:
    """Share of flat curves called not flat."""
    n_curves = max(n_curves // 2, 2000)
    print(f"\nflat test on {n_curves:,} flat curves: share below 0.05 | below 0.01")
    for design in DESIGNS:
        wells = 95.0 + 6.0 * rng.standard_normal((n_curves, len(design.dose)))
        p = fit(design.dose, wells, intervals=True).p_flat
        print(f"{design.name} | {(p < 0.05).mean():.1%} | {(p < 0.01).mean():.2%}", flush=True)


def cpu(call: Callable[[], object], n_curves: int) -> list[float]:
    """Give CPU milliseconds per curve of several runs."""
    spent = []
    for _ in range(REPEATS):
        begin = time.process_time()
        call()
        spent.append(1e3 * (time.process_time() - begin) / n_curves)
    return spent


def speed(n_curves: int, rng: np.random.Generator) -> None:
    """Time per curve by design and by what is asked."""
    n_curves = min(max(n_curves // 5, 2000), 4000)
    print(f"\nCPU ms per curve, batches of {n_curves:,}: median (least) of {REPEATS}")
    for design in DESIGNS:
        data = simulate(design, n_curves, rng)
        own, missing = with_own_doses(data, rng), with_missing_wells(data, rng)
        fit(data.dose, data.viability, intervals=True)  # the simulated null is kept
        calls = {
            "fit": lambda data=data: fit(data.dose, data.viability),
            "own doses": lambda own=own: fit(*own),
            "wells missing": lambda missing=missing: fit(*missing),
            "fit, intervals, flat test": lambda data=data: fit(
                data.dose, data.viability, intervals=True
            ),
        }
        found = {name: cpu(call, n_curves) for name, call in calls.items()}
        shown = (f"{k} {np.median(v):.3f} ({min(v):.3f})" for k, v in found.items())
        print(f"{design.name} | {' | '.join(shown)}", flush=True)


def large(n_curves: int, rng: np.random.Generator) -> None:
    """Time per curve at 10⁴ and 10⁶ curves, and the memory at 10⁶."""
    design, spent = DESIGNS[0], {}
    for size in (10_000, 1_000_000):
        viability = np.concatenate(
            [simulate(design, 10_000, rng).viability for _ in range(size // 10_000)]
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        begin = time.process_time()
        fit(design.dose, viability)
        spent[size] = 1e3 * (time.process_time() - begin) / size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    shown = ", ".join(f"{size:,}: {each:.3f}" for size, each in spent.items())
    print(f"\nCPU ms per 8×3 curve at {shown}; largest memory {peak:.2f} GB ({before:.2f} before)")


def cohort(n_curves: int, rng: np.random.Generator) -> None:
    """All curves of the published cohort in one call."""
    if not (SHARED / COHORT).is_file():
        print("\ncohort: its file is not beside the project; skipped")
        return
    import pandas as pd

    wells = pd.read_csv(SHARED / COHORT).sort_values(["sample", "drug_id", "conc_uM"])
    dose = 1000.0 * wells["conc_uM"].to_numpy().reshape(-1, 5)
    viability = 100.0 * wells["viability"].to_numpy().reshape(-1, 5)
    begin = time.process_time()
    fits = fit(dose, viability, intervals=True)
    spent = time.process_time() - begin
    failed = np.char.startswith(fits.status, "failed").sum()
    print(f"\ncohort: {len(dose):,} curves with intervals in {spent:.1f} s CPU; {failed} failed")


PARTS = {
    "accuracy": accuracy,
    "coverage": coverage,
    "flat": flat,
    "outliers": outliers,
    "speed": speed,
    "large": large,
    "cohort": cohort,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--curves", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}, NumPy {np.__version__}")
    for part in asked.parts:
        PARTS[part](asked.curves, np.random.default_rng([asked.seed, len(part)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
