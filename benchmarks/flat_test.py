"""Size and power of the test against a flat curve, with noise shared within a sample."""

import numpy as np
import pandas as pd

from drp.sensitivity import fit_curves

CURVES, PER_SAMPLE, WELL_SD = 1500, 50, 5.0
DESIGNS = {
    "5 x 1": (10.0 ** np.arange(5), 1),
    "8 x 1": (10.0 ** (np.arange(8) / 2), 1),
    "5 x 2": (10.0 ** np.arange(5), 2),
    "8 x 3": (10.0 ** (np.arange(8) / 2), 3),
}


def table(viability: np.ndarray, dose: np.ndarray) -> pd.DataFrame:
    numbers = np.repeat(np.arange(len(viability)), len(dose))
    return pd.DataFrame(
        {
            "sample": [f"S{number // PER_SAMPLE:03d}" for number in numbers],
            "drug": [f"d{number % PER_SAMPLE:02d}" for number in numbers],
            "dose": np.tile(dose, len(viability)),
            "viability_pct": viability.ravel(),
        }
    )


def main() -> None:
    rng = np.random.default_rng(6)
    print("share called not flat at 5 %: all flat | flat ones in a mixture | falling ones in it")
    for name, (doses, wells) in DESIGNS.items():
        dose = np.tile(doses, wells)
        shape = (CURVES, len(dose))
        flat = 100 + WELL_SD * rng.standard_normal(shape)
        e = rng.uniform(1, 2.5, CURVES)[:, None]
        falling = 5 + 95 / (1 + 10 ** (1.2 * (np.log10(dose) - e)))
        falling += WELL_SD * rng.standard_normal(shape)
        is_flat = np.arange(CURVES) % 2 == 0
        alone = fit_curves(table(flat, dose))["p_flat"] < 0.05
        half = np.where(is_flat[:, None], flat, falling)
        mixed = fit_curves(table(half, dose))["p_flat"] < 0.05
        shares = alone.mean(), mixed[is_flat].mean(), mixed[~is_flat].mean()
        print(f"{name}: " + " | ".join(f"{share:.1%}" for share in shares))


if __name__ == "__main__":
    main()
