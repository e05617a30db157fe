"""How often the Bliss interval holds the truth, and how often no synergy is called some.

    python benchmarks/synergy_calibration.py [--simulations 1000] [--draws 1000] [--models]
                                             [--seed N]

Every simulated matrix stands on a plate of its own with 16 negative and 8 positive control wells of
the same well SD, and goes the whole way: raw signals, normalisation to the medians of the noisy
controls, `drp.score_synergy`. Truth: both drugs fall from 100 to 15 and 30 % viability, and the
combination is independent, or does 10 points more. With --models the intervals of Loewe and ZIP are
tried as well, against their scores without noise. Without --seed a new seed is drawn and printed.
"""

import argparse
import secrets
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd

from drp.synergy import score_synergy

N_NEGATIVE, N_POSITIVE = 16, 8
EXCESS = 10.0
CHUNK = 50  # matrices scored in one call


class Setting(NamedTuple):
    """Size of the matrix (dose 0 included), wells per single-agent and combination cell, SD."""

    size: int
    alone: int
    together: int
    sd: float


SETTINGS = [
    Setting(size, alone, together, sd)
    for size in (4, 6, 8)
    for alone, together in ((1, 1), (1, 3), (3, 3))
    for sd in (5.0, 10.0)
]


def viability_of_drug(size: int, midpoint: float, bottom: float, slope: float) -> np.ndarray:
    """Give the viability in per cent at dose 0 and at `size - 1` half-log doses."""
    step = np.arange(size - 1) / (size - 2)
    fall = 1.0 / (1.0 + 10.0 ** (slope * (midpoint - step) * 2.5))
    return np.append(100.0, 100.0 - (100.0 - bottom) * fall)


def matrix(setting: Setting, excess: float) -> pd.DataFrame:
    """Lay out one matrix: one row per well with its true viability."""
    first = viability_of_drug(setting.size, 0.5, 15.0, 1.2)
    second = viability_of_drug(setting.size, 0.6, 30.0, 0.9)
    rows = []
    for i, one in enumerate(first):
        for j, two in enumerate(second):
            both = i > 0 and j > 0
            wells = setting.together if both else setting.alone
            true = one * two / 100.0 - (excess if both else 0.0)
            rows += [("sample", "A", float(i), "B", float(j), true)] * wells
    rows += [("negative", "", np.nan, "", np.nan, 100.0)] * N_NEGATIVE
    rows += [("positive", "", np.nan, "", np.nan, 0.0)] * N_POSITIVE
    return pd.DataFrame(rows, columns=["role", "drug", "dose", "drug2", "dose2", "true"])


def measured(
    plan: pd.DataFrame, sd: float, n_matrices: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Measure a plan many times: each a sample on a plate, normalised to its controls."""
    raw = plan["true"].to_numpy() + sd * rng.standard_normal((n_matrices, len(plan)))
    role = plan["role"].to_numpy()
    full = np.median(raw[:, role == "negative"], axis=1, keepdims=True)
    zero = np.median(raw[:, role == "positive"], axis=1, keepdims=True)
    wells = pd.concat([plan.drop(columns="true")] * n_matrices, ignore_index=True)
    names = np.repeat([f"S{number:04d}" for number in range(n_matrices)], len(plan))
    viability = (100.0 * (raw - zero) / (full - zero)).ravel()
    return wells.assign(sample=names, plate=names, viability_pct=viability)


def scores_of(
    setting: Setting,
    excess: float,
    n_matrices: int,
    draws: int,
    rng: np.random.Generator,
    *,
    models: bool = False,
) -> pd.DataFrame:
    """Score so many matrices of a setting."""
    plan, parts = matrix(setting, excess), []
    for begin in range(0, n_matrices, CHUNK):
        wells = measured(plan, setting.sd, min(CHUNK, n_matrices - begin), rng)
        parts.append(score_synergy(wells, draws=draws, seed=begin, models=models)[0])
    return pd.concat(parts, ignore_index=True)


def held(found: pd.DataFrame, name: str, truth: float) -> float:
    """Give the share of intervals that hold the truth, of those there are."""
    known = found.dropna(subset=[f"{name}_lo"])
    return float(((known[f"{name}_lo"] <= truth) & (truth <= known[f"{name}_hi"])).mean())


def show_models(simulations: int, draws: int, rng: np.random.Generator) -> None:
    """Try the intervals of Loewe and ZIP."""
    print("| size | wells alone, together | SD | ZIP: coverage, withheld | Loewe: coverage |")
    print("|---|---|---|---|---|")
    for setting in SETTINGS:
        exact = scores_of(setting._replace(sd=0.0), 0.0, 1, 200, rng, models=True).iloc[0]
        found = scores_of(setting, 0.0, simulations, draws, rng, models=True)
        withheld = found["zip"].isna().mean()
        shares = held(found, "zip", exact["zip"]), held(found, "loewe", exact["loewe"])
        print(
            f"| {setting.size}×{setting.size} | {setting.alone}, {setting.together} |"
            f" {setting.sd:g} | {shares[0]:.1%}, {withheld:.0%} | {shares[1]:.1%} |",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(
        f"seed {asked.seed}; {asked.simulations} matrices per setting, {asked.draws} draws each\n"
    )
    if asked.models:
        show_models(asked.simulations, asked.draws, rng)
        return 0
    titles = ["size", "wells alone, together", "SD", "coverage", "type I", "SE, SD of scores"]
    print(f"| {' | '.join([*titles, f'power at +{EXCESS:g}'])} |")
    print("|---|---|---|---|---|---|---|")
    for setting in SETTINGS:
        null = scores_of(setting, 0.0, asked.simulations, asked.draws, rng)
        covered = ((null["bliss_lo"] <= 0) & (null["bliss_hi"] >= 0)).mean()
        wrong = (null["bliss_p"] < 0.05).mean()
        true = scores_of(setting, EXCESS, max(asked.simulations // 5, 50), asked.draws, rng)
        power = ((true["bliss_p"] < 0.05) & (true["bliss"] > 0)).mean()
        spread = f"{null['bliss_se'].median():.2f}, {null['bliss'].std():.2f}"
        print(
            f"| {setting.size}×{setting.size} | {setting.alone}, {setting.together} |"
            f" {setting.sd:g} | {covered:.1%} | {wrong:.1%} | {spread} | {power:.0%} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
