"""The dose matrices of the reference data, as levels and tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

NOISE_FREE = [
    "bliss_full_4", "bliss_full_6", "bliss_full_8", "bliss_full_10", "bliss_partial_8",
    "bliss_partial_plus8_8", "sham_same_8", "sham_equiv_8", "loewe_full_8", "loewe_isoEmax80_8",
    "hsa_8", "drug2_inactive_8", "loewe_unreachable_8", "musyc_8", "braid_k2_8",
]  # fmt: skip
MATHEWS = ["mathews_1", "mathews_2"]
NOISY = [f"bliss_noise4_8_s{draw}" for draw in range(1, 6)]


@dataclass
class Case:
    """One matrix: levels of both drugs, 0 first, and inhibition of every cell."""

    name: str
    levels: tuple[np.ndarray, np.ndarray]
    table: np.ndarray

    @property
    def inner(self):
        return self.table[1:, 1:]

    @property
    def doses(self):
        """Doses of the combination cells, one row each, drug 2 fastest."""
        mesh = np.meshgrid(self.levels[0][1:], self.levels[1][1:], indexing="ij")
        return np.column_stack([one.ravel() for one in mesh])

    @property
    def alone(self):
        """Doses and inhibitions of the drugs alone, padded with NaN to one length."""
        pairs = [(self.levels[0], self.table[:, 0]), (self.levels[1], self.table[0])]
        longest = max(len(dose) for dose, _ in pairs)
        filled = np.full((2, 2, longest), np.nan)
        for drug, pair in enumerate(pairs):
            for kind, values in enumerate(pair):
                filled[kind, drug, : len(values)] = values
        return filled[0], filled[1]


def load_cases(folder):
    """Give every case by name; inhibition in %, of the measured plates 100 - viability."""
    cases = pd.read_csv(folder / "synthetic_cases.csv")
    screen = pd.read_csv(folder / "mathews_screening_data.csv")
    measured = pd.DataFrame(
        {
            "case": "mathews_" + screen["block_id"].astype(str),
            "conc1": screen["conc_r"],
            "conc2": screen["conc_c"],
            "inhibition": 100 - screen["response"],
        }
    )
    wells = pd.concat([cases[measured.columns], measured])
    return {str(name): as_case(str(name), part) for name, part in wells.groupby("case")}


def as_case(name, part, column="inhibition"):
    wide = part.pivot_table(index="conc1", columns="conc2", values=column).astype(float)
    levels = (wide.index.to_numpy(dtype=float), wide.columns.to_numpy(dtype=float))
    return Case(name, levels, wide.to_numpy())


def hill(dose, start, plateau, midpoint, slope):
    """The curve at one dose or more, by the textbook."""
    dose = np.asarray(dose, dtype=float)
    with np.errstate(divide="ignore"):
        return start + (plateau - start) / (1 + (midpoint / dose) ** slope)
