"""Whether the numbers of a dose matrix make sense before anything is read from them.

A flag never changes a number. Those in `BLOCKING` point to a plate map or a scale that is wrong,
and forbid a call.
"""

import numpy as np

from drp.synergy.noise import Noise
from drp.synergy.surface import DoseMatrix

BLOCKING = {
    "orientation_suspect": "inhibition falls with dose, as if viability had been taken for it",
    "scale_suspect": "the viabilities do not look like per cent",
    "combo_weaker_than_both": "together the drugs do far less than each alone: wrong plate map?",
}

# Inhibition lost from the lower to the upper half of the doses, in every drug, points.
_FALL = 20.0
# Inhibition without any drug that no plate noise explains, %.
_UNTREATED = 50.0
# No viability above this means fractions; an inhibition beyond the other is off any scale.
_FRACTION = 1.5
_OFF_SCALE = 300.0
_WEAKER_BY = 30.0
_HIGH_VIABILITY = 120.0
_HIGH_SHARE = 0.1
# A drug alone here and elsewhere: apart by more than noise, and by more than plates usually are.
_APART_ERRORS, _APART_POINTS = 3.0, 10.0


def find_flags(matrix: DoseMatrix) -> list[str]:
    """Look for a matrix that is upside down, on the wrong scale or otherwise odd.

    Parameters
    ----------
    matrix : DoseMatrix
        With at least one usable well; without, there is nothing to flag.

    Returns
    -------
    list of str
        Any of ``orientation_suspect`` (inhibition falls by 20 points with dose in every drug, or
        is above 50 % without any drug), ``scale_suspect`` (no viability above 1.5, or an
        inhibition beyond ±300 %), ``combo_weaker_than_both`` (every combination cell 30 points
        below each of its single agents) and ``viability_over_120`` (more than a tenth of wells).

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [0.0, 1, 0, 1], "drug2": "B",
    ...                       "dose2": [0.0, 0, 5, 5], "viability_pct": [1.0, 0.8, 0.5, 0.3]})
    >>> find_flags(next(dose_matrices(wells)))
    ['orientation_suspect', 'scale_suspect']
    """
    if not matrix.viability.size:
        return []
    found = {
        "orientation_suspect": _upside_down(matrix),
        "scale_suspect": _off_scale(matrix),
        "combo_weaker_than_both": _weaker_than_both(matrix),
        "viability_over_120": n_over_120(matrix) > _HIGH_SHARE * matrix.viability.size,
    }
    return [flag for flag, present in found.items() if present]


def disagreeing(matrix: DoseMatrix, noise: Noise) -> list[str]:
    """Name the drugs that do something else alone here than in the sample's other wells.

    Parameters
    ----------
    matrix : DoseMatrix
        With what the other wells show at the same doses.
    noise : Noise
        Of its wells.

    Returns
    -------
    list of str
        Drugs whose mean inhibition over the doses measured in both places differs by more than
        three standard errors and by more than 10 points.

    Examples
    --------
    See `drp.synergy.score_synergy`, whose reason names them.
    """
    found, inhibition, n_wells = [], matrix.inhibition, matrix.n_wells
    for drug, name in enumerate(matrix.drugs):
        others = np.delete(matrix.doses, drug, axis=1)
        both = (others == 0).all(axis=1) & (matrix.doses[:, drug] > 0)
        both &= np.isfinite(inhibition) & np.isfinite(matrix.elsewhere)
        if name in matrix.borrowed or not both.any():
            continue
        apart = abs(float((inhibition - matrix.elsewhere)[both].mean()))
        variance = (1.0 / n_wells[both] + 1.0 / matrix.n_elsewhere[both]).sum()
        error = noise.well * np.sqrt(variance) / both.sum()
        if apart > max(_APART_ERRORS * error, _APART_POINTS):
            found.append(name)
    return found


def n_over_120(matrix: DoseMatrix) -> int:
    """Count the wells with a viability above 120 %.

    Parameters
    ----------
    matrix : DoseMatrix

    Returns
    -------
    int

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [0.0, 1], "drug2": "B",
    ...                       "dose2": [5.0, 5], "viability_pct": [130.0, 120.0]})
    >>> n_over_120(next(dose_matrices(wells)))
    1
    """
    return int(np.count_nonzero(matrix.viability > _HIGH_VIABILITY))


def _upside_down(matrix: DoseMatrix) -> bool:
    inhibition = matrix.inhibition
    untreated = inhibition[(matrix.doses == 0).all(axis=1)]
    if (untreated > _UNTREATED).any():
        return True
    changes = []
    for drug in range(len(matrix.drugs)):
        others = np.delete(matrix.doses, drug, axis=1)
        curve = inhibition[(others == 0).all(axis=1) & np.isfinite(inhibition)]
        if len(curve) < 2:
            return False
        half = len(curve) // 2
        changes.append(curve[-half:].mean() - curve[:half].mean())
    return bool(max(changes) < -_FALL)


def _off_scale(matrix: DoseMatrix) -> bool:
    beyond = np.abs(100.0 - matrix.viability).max() > _OFF_SCALE
    return bool(np.abs(matrix.viability).max() <= _FRACTION or beyond)


def _weaker_than_both(matrix: DoseMatrix) -> bool:
    inhibition = matrix.inhibition
    together = inhibition[matrix.is_combination]
    weakest = inhibition[matrix.singles].min(axis=1, initial=np.inf)
    known = np.isfinite(together) & np.isfinite(weakest)
    return bool(known.any() and (together[known] < weakest[known] - _WEAKER_BY).all())
