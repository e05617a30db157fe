"""The noise of one well: measured where replicates and controls allow it, assumed otherwise.

The variance is pooled over all replicate groups, because the few replicates of a single cell say
next to nothing about it, and a cell measured once is not noise-free.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from drp.synergy.borrowed import places_of
from drp.synergy.nulls import FloatArray
from drp.synergy.surface import DoseMatrix

# From here on a variance estimate is taken as it is; below, a prior SD is mixed in.
ENOUGH_DF = 8
# The prior SD counts as much as this many degrees of freedom.
PRIOR_DF = 8
# Positive controls are compared among themselves from here on: they lie at the signal's floor.
_ENOUGH_DF_POSITIVE = 3
# Replicates as equal as this (points²) were copied, not measured.
_COPIED = 1e-9
# Positive controls normalised to must lie at 0 % viability, within this many points.
_ANCHORED = 1.0


@dataclass(frozen=True, slots=True)
class Controls:
    """Viability (%) of the usable control wells of each plate of a dose matrix, in its order.

    `positive` is empty for a plate that was not normalised to positive controls.
    """

    negative: tuple[FloatArray, ...]
    positive: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """SD of one well in points of viability, for each kind of well, and how well it is known.

    Attributes
    ----------
    well, negative, positive : float
        SD of a treated well, a negative and a positive control well.
    df : float
        Degrees of freedom behind `well`.
    note : str
        What had to be assumed; empty if nothing.
    """

    well: float
    negative: float
    positive: float
    df: float
    note: str


class ControlWells(NamedTuple):
    """The usable control wells of one plate and role: sample (str) and viability (%) of each."""

    sample: npt.NDArray[Any]
    viability: FloatArray


def controls_of(viability: pd.DataFrame) -> dict[tuple[str, str], ControlWells]:
    """Sort the usable control wells of a viability table by plate and role.

    Parameters
    ----------
    viability : pandas.DataFrame
        Columns plate, role, sample, viability_pct (%) and, optionally, excluded. Without plate
        or role there are no controls.

    Returns
    -------
    dict
        The wells by (plate, role); the role is ``negative`` or ``positive``.

    Examples
    --------
    >>> wells = pd.DataFrame({"plate": "P1", "role": ["negative", "sample"], "sample": "S1",
    ...                       "viability_pct": [101.0, 40.0]})
    >>> {key: len(part.viability) for key, part in controls_of(wells).items()}
    {('P1', 'negative'): 1}
    """
    if not {"plate", "role"} <= set(viability.columns):
        return {}
    values = viability["viability_pct"].to_numpy(dtype=np.float64)
    usable = np.isfinite(values) & viability["plate"].notna().to_numpy()
    if "excluded" in viability:
        usable &= ~viability["excluded"].to_numpy(dtype=bool)
    usable &= viability["role"].isin(["negative", "positive"]).to_numpy()
    wells, values = viability[["plate", "role", "sample"]][usable], values[usable]
    keys = zip(wells["plate"].astype(str), wells["role"].astype(str), strict=True)
    samples = wells["sample"].to_numpy(dtype=object)
    return {
        (key[0], key[1]): ControlWells(samples[places], values[places])
        for key, places in places_of(keys).items()
    }


def find_controls(by_plate: dict[tuple[str, str], ControlWells], matrix: DoseMatrix) -> Controls:
    """Take the control wells that the wells of a matrix were normalised to.

    Control wells of the same plate that carry the same sample, or else all of that plate.
    Positive controls count only where they lie at 0 % viability, that is, were normalised to.

    Parameters
    ----------
    by_plate : dict
        The controls of all plates, from `controls_of`.
    matrix : DoseMatrix
        Whose plates to look at.

    Returns
    -------
    Controls

    Examples
    --------
    See `drp.synergy.score_synergy`, which calls it.
    """
    found: dict[str, list[FloatArray]] = {"negative": [], "positive": []}
    for plate in matrix.plates:
        for role, groups in found.items():
            values = np.empty(0)
            if (plate, role) in by_plate:
                part = by_plate[plate, role]
                own = part.viability[part.sample == matrix.sample]
                values = own if len(own) else part.viability
            groups.append(np.sort(values))
    positive = (v if v.size and abs(np.median(v)) < _ANCHORED else v[:0] for v in found["positive"])
    return Controls(tuple(found["negative"]), tuple(positive))


def measure_noise(matrix: DoseMatrix, controls: Controls, prior_sd: float) -> Noise:
    """Pool the variance of wells over replicate groups and controls.

    Treated wells and controls are kept apart where each has 8 degrees of freedom of its own,
    and pooled otherwise. With fewer than 8 altogether the variance is shrunk towards
    `prior_sd`, which then counts as 8 degrees of freedom.

    Parameters
    ----------
    matrix : DoseMatrix
        Replicates are the wells of one cell, also across plates.
    controls : Controls
        Replicates are the controls of one plate.
    prior_sd : float
        SD of a well assumed where it cannot be measured, points; above 0.

    Returns
    -------
    Noise

    Examples
    --------
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [1.0], "drug2": "B",
    ...                       "dose2": [1.0], "viability_pct": [40.0]})
    >>> noise = measure_noise(next(dose_matrices(wells)), Controls((), ()), prior_sd=8.0)
    >>> noise.well, noise.df
    (8.0, 8.0)
    >>> noise.note
    'no replicates: well SD of 8.0 points assumed; error of the plate controls not included'
    """
    treated = _squares_of(matrix)
    negative = _squares(controls.negative)
    positive = _squares(controls.positive)
    pooled = treated[0] + negative[0], treated[1] + negative[1]
    squares, df = treated if treated[1] >= ENOUGH_DF else pooled
    notes = []
    if df < ENOUGH_DF:
        squares, df = squares + PRIOR_DF * prior_sd**2, df + PRIOR_DF
        notes.append(_shrunk(df - PRIOR_DF, prior_sd))
    if not any(values.size for values in controls.negative):
        notes.append("error of the plate controls not included")
    well = float(np.sqrt(squares / df))
    own = _own_sd(negative, ENOUGH_DF, well), _own_sd(positive, _ENOUGH_DF_POSITIVE, well)
    return Noise(well, *own, float(df), "; ".join(notes))


def _own_sd(measured: tuple[float, float], enough: float, well: float) -> float:
    squares, df = measured
    return float(np.sqrt(squares / df)) if df >= enough else well


def _shrunk(df: float, prior_sd: float) -> str:
    if df == 0:
        return f"no replicates: well SD of {prior_sd:.1f} points assumed"
    return f"few replicates: well SD drawn towards an assumed {prior_sd:.1f} points"


def _squares_of(matrix: DoseMatrix) -> tuple[float, float]:
    """Give what `_squares` would of the wells of each cell."""
    n_wells = matrix.n_wells
    apart = 100.0 - matrix.inhibition[matrix.cell] - matrix.viability
    squares, df = float((apart**2).sum()), float((n_wells[n_wells > 0] - 1).sum())
    return (squares, df) if df and squares / df > _COPIED else (0.0, 0.0)


def _squares(groups: Any) -> tuple[float, float]:
    """Sum the squared deviations from the group means, and the degrees of freedom."""
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if group.size)
    df = sum(group.size - 1 for group in groups if group.size)
    return (squares, float(df)) if df and squares / df > _COPIED else (0.0, 0.0)
