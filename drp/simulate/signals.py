"""From true viability to what a luminescence reader prints, and back to noisy viability."""

import numpy as np
from numpy.typing import NDArray

from drp.simulate.plate_maps import Design, is_edge, plate_map

Values = NDArray[np.float64]

NEGATIVE_CPS = 1_200_000.0  # living cells of an untouched well, counts per second
BACKGROUND_CPS = 15_000.0  # reagent without living cells, about 1.3 % of the negative controls
EMPTY_CPS = 250.0  # well without reagent
WELL_CV_PCT = 6.0
_ADDED_SD_CPS = 1_500.0
_EMPTY_SD_CPS = 60.0
_EDGE_FACTOR = 0.97
_PLATE_SD = 0.15  # of the natural logarithm of a plate's brightness


def read_out(
    viability: Values,
    design: Design,
    *,
    seed: int,
    stream: int = 0,
    brightness: Values | float = 1.0,
    cv_pct: Values | float = WELL_CV_PCT,
) -> Values:
    """Simulate the reader: one plate per sample.

    Parameters
    ----------
    viability : array, shape (n, kinds of wells)
        True viability as `drp.simulate.plate_maps.true_viability` gives it, per cent.
    design : {"single", "combinations"}
        Which plate.
    seed, stream : int
        The same pair gives the same noise; a sample's does not depend on those after it.
    brightness : float or array, shape (n,)
        Living cells relative to the usual number; 0 is a dead sample.
    cv_pct : float or array, shape (n,)
        Well noise, per cent of the signal.

    Returns
    -------
    array, shape (n, 384)
        Counts per second, whole numbers, 0 or more, wells in the order A1, A2 … P24.
    """
    layout = plate_map(design)
    wells = viability[:, layout.place]
    count, width = wells.shape
    drawn = np.random.default_rng([seed, stream]).standard_normal((count, 1 + 2 * width))
    of_plate, of_well, added = drawn[:, :1], drawn[:, 1 : width + 1], drawn[:, width + 1 :]
    level = (
        NEGATIVE_CPS * np.broadcast_to(brightness, count)[:, None] * np.exp(_PLATE_SD * of_plate)
    )
    noise = np.broadcast_to(cv_pct, count)[:, None] / 100 * of_well
    edge = np.where(is_edge(), _EDGE_FACTOR, 1.0)
    lit = (BACKGROUND_CPS + level * wells / 100) * edge * (1 + noise) + _ADDED_SD_CPS * added
    dark = EMPTY_CPS + _EMPTY_SD_CPS * added
    return np.maximum(np.rint(np.where(np.isnan(wells), dark, lit)), 0.0)


def scale_to_controls(signal: Values, design: Design) -> Values:
    """Give viability from signals, by the medians of each plate's own controls.

    Parameters
    ----------
    signal : array, shape (n, 384)
        Counts per second.
    design : {"single", "combinations"}
        Which plate.

    Returns
    -------
    array, shape (n, 384)
        ``100 (x - positive) / (negative - positive)``, per cent, not clipped.
    """
    roles = np.array([row["role"] for row in plate_map(design).rows])
    high = np.median(signal[:, roles == "negative"], axis=1, keepdims=True)
    low = np.median(signal[:, roles == "positive"], axis=1, keepdims=True)
    return 100 * (signal - low) / (high - low)
