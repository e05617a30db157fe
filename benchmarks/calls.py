"""What the calls are worth on simulated cohorts whose truth is known.

    python benchmarks/calls.py [--samples 200] [--drugs 60] [--seed N] [--replicates 1] [--cv 6]
                               [--null] [--curves FILE]

The truth of a call is the same rule at the default thresholds, applied to the noise-free AUC and
viability at Cmax of the sample and of all others. Printed are the share of sensitive calls that are
right, the share of truly sensitive drugs (of 2 robust SD or more) that are found, and by decile of
the stated probability the share of calls that are right. With --null all samples are alike: every
sensitive call is false. --curves keeps the fitted curves, so that only the calls are made again.
"""

import argparse
import secrets
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from simulated_cohorts import DOSES, Cohort, Noise, draw_cohort, plates_of, read_plates

from drp.call_words import NOT_EVALUABLE, SENSITIVE, DrugFacts
from drp.calls import decide, make_calls
from drp.chances import Measured
from drp.cohort import members_of_run
from drp.config import CallSettings, CohortSettings
from drp.sensitivity import fit_curves
from drp.standing import control_errors, errors_of, stand, z_cut

SETTINGS = CallSettings().model_dump() | CohortSettings().model_dump()


def fitted(
    cohort: Cohort, noise: Noise, seed: int, keep: Path | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the curves of a noisy screen of the cohort, and the quality of its plates."""
    viability, quality = read_plates(cohort, noise, seed)
    if keep and keep.exists():
        return _with_losses(pd.read_parquet(keep), noise), quality
    peaks = {f"drug{i:02d}": float(peak) for i, peak in enumerate(cohort.cmax) if peak == peak}
    curves = fit_curves(viability, cmax=peaks, seed=1)
    curves = curves.assign(plates=plates_of(curves, cohort.bottom.shape[1]))
    if keep:
        curves.to_parquet(keep)
    return _with_losses(curves, noise), quality


def _with_losses(curves: pd.DataFrame, noise: Noise) -> pd.DataFrame:
    """Say how many wells of each curve failed, as exclusions would."""
    return curves.assign(n_excluded=len(DOSES) * noise.replicates - curves["n_wells"])


def called(cohort: Cohort, curves: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Call the curves, all samples being the reference of each other."""
    errors = errors_of(curves, control_errors(quality.to_dict("records")))
    names = sorted(set(curves["sample"]))
    members = members_of_run(curves.assign(auc_se=errors), dict.fromkeys(names, "simulated"))
    samples = pd.DataFrame({"sample": names, "assay": "simulated", "verdict": "pass"})
    facts = {f"drug{i:02d}": DrugFacts(cmax=float(peak)) for i, peak in enumerate(cohort.cmax)}
    return make_calls(curves, samples.assign(reasons=""), quality, members, facts, SETTINGS, seed=1)


def truth(cohort: Cohort) -> pd.DataFrame:
    """Apply the rule to the noise-free values: sample, drug, truth, true_z."""
    low, high = np.log10(DOSES[[0, -1]])
    auc = cohort.viability(np.linspace(low, high, 241)).mean(axis=2)
    rows: list[pd.DataFrame] = []
    for drug, cmax in enumerate(cohort.cmax):
        n = len(auc)
        order = np.argsort(auc[:, drug], kind="stable")
        own = np.argsort(order, kind="stable")
        peak = np.log10(np.clip(cmax, DOSES[0], DOSES[-1]))
        at_peak = cohort.viability(np.array([peak]))[:, drug, 0]
        cut = z_cut(n - 1, SETTINGS["z"], SETTINGS["established"])
        standing = stand(auc[:, drug], auc[order, drug], own)
        exact = Measured(auc[:, drug], np.zeros(n), at_peak, np.zeros(n), np.ones(n, dtype=bool))
        table = {
            "sample": [f"S{sample:05d}" for sample in range(n)],
            "drug": f"drug{drug:02d}",
            "truth": decide(standing, exact, cut, SETTINGS),
            "true_z": standing.z,
        }
        rows.append(pd.DataFrame(table))
    return pd.concat(rows, ignore_index=True)


def summary(calls: pd.DataFrame, known: pd.DataFrame) -> dict[str, Any]:
    """Give PPV, sensitivity, and calibration by decile: calls, stated and right share."""
    table = calls.merge(known, on=["sample", "drug"])
    evaluable = table[table["call"] != NOT_EVALUABLE]
    said, true = evaluable["call"] == SENSITIVE, evaluable["truth"] == SENSITIVE
    strong = true & (evaluable["true_z"] >= 2)
    right = evaluable["call"] == evaluable["truth"]
    decile = np.minimum((evaluable["probability"] * 10).astype(int), 9)
    grouped = evaluable.assign(right=right, decile=decile).groupby("decile")
    false = (said & ~true).groupby(evaluable["sample"]).sum()
    asked = said.groupby(evaluable["sample"]).sum()
    return {
        "calls": len(table),
        "not evaluable": len(table) - len(evaluable),
        "truly sensitive": int(true.sum()),
        "called sensitive": int(said.sum()),
        "PPV": float((said & true).sum() / max(said.sum(), 1)),
        "sensitivity, z of 2 and more": float((said & strong).sum() / max(strong.sum(), 1)),
        "sensitivity, all": float((said & true).sum() / max(true.sum(), 1)),
        "false discovery rate, mean of samples": float((false / asked.clip(lower=1)).mean()),
        "samples with a false sensitive call": float((false > 0).mean()),
        "false sensitive calls among all": float((said & ~true).sum() / len(evaluable)),
        "deciles": grouped.agg(
            n=("right", "size"), stated=("probability", "mean"), right=("right", "mean")
        ),
    }


def main() -> None:
    """Simulate, call and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--drugs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--replicates", type=int, default=1, help="wells per dose (1)")
    parser.add_argument("--cv", type=float, default=6.0, help="of the wells, per cent (6)")
    parser.add_argument("--null", action="store_true")
    parser.add_argument("--curves", type=Path, default=None)
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"seed {seed}")
    cohort = draw_cohort(options.samples, options.drugs, seed, null=options.null)
    noise = Noise(replicates=options.replicates, multiplicative=options.cv / 100)
    curves, quality = fitted(cohort, noise, seed, options.curves)
    start = time.perf_counter()
    calls = called(cohort, curves, quality)
    if options.curves:
        calls.to_parquet(options.curves.with_suffix(".calls"))
    print(f"calls made in {time.perf_counter() - start:.1f} s")
    for name, value in summary(calls, truth(cohort)).items():
        number = f"{value:.3f}" if isinstance(value, float) else value
        print(f"\n{value.round(3)}" if isinstance(value, pd.DataFrame) else f"{name}: {number}")


if __name__ == "__main__":
    main()
