"""Simulated cohorts with known truth: true curves, and wells as a plate reader gives them.

Every sample lies on two plates of 30 drugs in 8 doses, in one well or several, with 16 negative
and 16 positive control wells on each. Samples are screened in runs of ten; the signal drifts from
run to run, and so do, unseen by the controls, the level of the treated wells and the potency of the
drugs. A share of the wells fails and is missing.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Values = NDArray[np.float64]
DOSES = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0])  # nM
RUN_SIZE, N_PLATES, N_CONTROLS = 10, 2, 16


class Noise(NamedTuple):
    """SD of a well (share of its signal, and of the control's), run drifts, share of lost wells.

    `replicates` is the number of wells per dose.
    """

    replicates: int = 1
    multiplicative: float = 0.06
    additive: float = 0.015
    signal_drift: float = 0.3
    level_drift: float = 0.02
    potency_drift: float = 0.05
    failed: float = 0.2


class Cohort(NamedTuple):
    """True curves, arrays (samples, drugs): log10 EC50 (nM), slope, bottom (%); peaks (drugs,)."""

    log10_ec50: Values
    slope: Values
    bottom: Values
    cmax: Values

    def viability(self, log10_dose: Values, shift: float | Values = 0.0) -> Values:
        """Give the true viability at each dose, %: (samples, drugs, doses)."""
        exponent = self.slope[..., None] * (log10_dose - (self.log10_ec50 + shift)[..., None])
        return self.bottom[..., None] + (100 - self.bottom[..., None]) / (1 + 10.0**exponent)


def draw_cohort(n_samples: int, n_drugs: int, seed: int, *, null: bool = False) -> Cohort:
    """Draw true curves: every sixth drug does nothing, every fifth has a sensitive subgroup.

    In a `null` cohort all samples respond to each drug alike.
    """
    rng = np.random.default_rng([seed, 1])
    shape = (n_samples, n_drugs)
    median = rng.uniform(0.3, 3.7, n_drugs)
    between = 0.0 if null else rng.uniform(0.2, 0.7, n_drugs)
    log10_ec50 = median + between * rng.standard_normal(shape)
    subgroup = (np.arange(n_drugs) % 5 == 0) & (rng.random(shape) < 0.15)
    log10_ec50 -= 0.0 if null else 1.2 * subgroup
    bottom = rng.uniform(0, 50, n_drugs) + (0.0 if null else 6.0) * rng.standard_normal(shape)
    bottom = np.clip(bottom, 0, 95)
    bottom[:, np.arange(n_drugs) % 6 == 0] = 100.0
    slope = rng.uniform(0.7, 2.0, n_drugs) * np.exp((0 if null else 0.15) * rng.normal(size=shape))
    cmax = np.where(rng.random(n_drugs) < 0.5, 10.0 ** rng.uniform(1, 3.4, n_drugs), np.nan)
    return Cohort(log10_ec50, slope, bottom, cmax)


def read_plates(cohort: Cohort, noise: Noise, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the wells of the cohort as table `viability`, and what `quality` says of its plates."""
    rng = np.random.default_rng([seed, 2])
    n_samples, n_drugs = cohort.bottom.shape
    run = np.arange(n_samples) // RUN_SIZE
    drift, level, potency = rng.standard_normal((3, run.max() + 1))
    truth = cohort.viability(np.log10(DOSES), (noise.potency_drift * potency)[run][:, None])
    truth = truth * (1 + noise.level_drift * level)[run][:, None, None]
    truth = np.repeat(truth, noise.replicates, axis=2)
    brightness = np.exp(noise.signal_drift * drift)[run]
    plate = np.arange(n_drugs) * N_PLATES // n_drugs

    def signal(viability: Values) -> Values:
        spread = rng.standard_normal((2, *viability.shape))
        seen = viability / 100 * (1 + noise.multiplicative * spread[0])
        return seen + noise.additive * spread[1] + 0.02

    negative = signal(np.full((n_samples, N_PLATES, N_CONTROLS), 100.0))
    positive = signal(np.zeros((n_samples, N_PLATES, N_CONTROLS)))
    scale = brightness[:, None]
    high, low = np.median(negative, axis=2) * scale, np.median(positive, axis=2) * scale
    wells = signal(truth) * brightness[:, None, None]
    viability = 100 * (wells - low[:, plate, None]) / (high - low)[:, plate, None]
    kept = rng.random(viability.shape) >= noise.failed
    sample, drug, dose = (axis.ravel()[kept.ravel()] for axis in np.indices(viability.shape))
    names = np.array([f"S{number:05d}" for number in range(n_samples)])
    table = pd.DataFrame(
        {
            "sample": names[sample],
            "drug": np.array([f"drug{number:02d}" for number in range(n_drugs)])[drug],
            "dose": DOSES[dose // noise.replicates],
            "dose_unit": "nM",
            "viability_pct": viability[kept],
        }
    )
    return table, _quality(names, negative)


def plates_of(curves: pd.DataFrame, n_drugs: int) -> list[str]:
    """Give the plate each curve rests on."""
    number = curves["drug"].str.removeprefix("drug").astype(int) * N_PLATES // n_drugs
    return (curves["sample"] + "-" + number.astype(str)).tolist()


def _quality(names: NDArray[np.str_], negative: Values) -> pd.DataFrame:
    centre = np.median(negative, axis=2)
    mad = np.median(np.abs(negative - centre[..., None]), axis=2)
    return pd.DataFrame(
        {
            "plate": [f"{name}-{number}" for name in names for number in range(N_PLATES)],
            "verdict": "pass",
            "reasons": "",
            "cv_negative": (100 * 1.4826 * mad / centre).ravel(),
            "n_negative": N_CONTROLS,
        }
    )
