"""What a large cohort costs: its reference, and the calls of all its samples.

    python benchmarks/calls_scale.py [--samples 10000] [--drugs 100] [--lost 0.2] [--batch 500]

The curves are simulated as tables: true curves (`simulated_cohorts.draw_cohort`), an AUC with an
error of 2 points, and, for a share of the curves, a lost outermost dose. Every sample is compared
with all others. The calls are made in batches of samples, as in a run. Printed are CPU seconds and
the largest memory of the process.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd
from simulated_cohorts import DOSES, draw_cohort

from drp.call_words import DrugFacts
from drp.calls import make_calls
from drp.cohort import build_reference, members_of_run
from drp.config import CallSettings, CohortSettings

ERROR = 2.0
SETTINGS = CallSettings().model_dump() | CohortSettings().model_dump()


def simulated_curves(n_samples: int, n_drugs: int, lost: float, seed: int) -> pd.DataFrame:
    """Give the table of curves of a cohort; a share of them lost their highest dose."""
    cohort = draw_cohort(n_samples, n_drugs, seed)
    rng = np.random.default_rng([seed, 3])
    short = rng.random((n_samples, n_drugs)) < lost
    low, high = np.log10(DOSES[0]), np.where(short, *np.log10(DOSES[[-2, -1]]))
    auc = np.empty((n_samples, n_drugs))
    for limit in np.unique(high):
        area = cohort.viability(np.linspace(low, limit, 31)).mean(axis=2)
        auc = np.where(high == limit, area, auc)
    auc = auc + ERROR * rng.standard_normal(auc.shape)
    at_peak = np.array(
        [
            cohort.viability(np.log10(np.array([peak])))[:, drug, 0]
            for drug, peak in enumerate(cohort.cmax)
        ]
    ).T
    names = np.array([f"S{number:05d}" for number in range(n_samples)])
    drugs = np.array([f"drug{number:03d}" for number in range(n_drugs)])
    inert = cohort.bottom == 100
    return pd.DataFrame(
        {
            "sample": np.repeat(names, n_drugs),
            "drug": np.tile(drugs, n_samples),
            "plates": np.repeat(np.char.add(names, "-0"), n_drugs),
            "dose_unit": "nM",
            "dose_min": DOSES[0],
            "dose_max": (10.0**high).ravel(),
            "shape": np.where(inert, "flat", "decreasing").ravel(),
            "flags": np.where(inert, "flat", "").ravel(),
            "auc": auc.ravel(),
            "auc_lo": auc.ravel() - 1.96 * ERROR,
            "auc_hi": auc.ravel() + 1.96 * ERROR,
            "dss2": 100 - auc.ravel(),
            "top": 100.0,
            "bottom": cohort.bottom.ravel(),
            "slope": cohort.slope.ravel(),
            "ec50": (10.0**cohort.log10_ec50).ravel(),
            "viability_at_cmax": at_peak.ravel(),
            "viability_at_cmax_lo": at_peak.ravel() - 5,
            "viability_at_cmax_hi": at_peak.ravel() + 5,
            "n_excluded": short.ravel().astype(int),
        }
    )


def main() -> None:
    """Simulate, build the reference, call, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--drugs", type=int, default=100)
    parser.add_argument("--lost", type=float, default=0.0, help="share of lost top doses (0)")
    parser.add_argument("--batch", type=int, default=0, help="samples in one call (0: all)")
    options = parser.parse_args()
    curves = simulated_curves(options.samples, options.drugs, options.lost, seed=1)
    names = sorted(set(curves["sample"]))
    samples = pd.DataFrame({"sample": names, "assay": "simulated", "verdict": "pass"})
    samples = samples.assign(reasons="")
    plates = pd.DataFrame({"plate": [f"{name}-0" for name in names], "verdict": "pass"})
    plates = plates.assign(reasons="", cv_negative=8.0, n_negative=16)
    cmax = draw_cohort(2, options.drugs, 1).cmax
    facts = {f"drug{i:03d}": DrugFacts(cmax=float(peak)) for i, peak in enumerate(cmax)}
    print(f"{len(curves):,} curves; before: {_memory():.2f} GB")
    start = time.process_time()
    members = members_of_run(curves.assign(auc_se=ERROR), dict.fromkeys(names, "simulated"))
    reference = build_reference(members)
    built = time.process_time()
    print(f"reference of {len(reference)} drugs: {built - start:.1f} s CPU")
    size = options.batch or len(names)
    called = 0
    for first in range(0, len(names), size):
        chosen = set(names[first : first + size])
        part = curves[curves["sample"].isin(chosen)]
        called += len(make_calls(part, samples, plates, members, facts, SETTINGS, seed=1))
    spent = time.process_time() - built
    print(f"{called:,} calls: {spent:.1f} s CPU, {1e6 * spent / called:.0f} microseconds each")
    print(f"largest memory: {_memory():.2f} GB")


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
