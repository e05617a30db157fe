"""What a combination would do if its drugs did not interact.

Every null model takes the inhibition of the single agents along the last axis and gives the
inhibition expected of them together. Nothing is clipped: growth (negative inhibition) and
readings above 100 % pass through.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def bliss(single: npt.NDArray[Any]) -> FloatArray:
    """Expect the fractions alive to multiply: Bliss independence.

    ``100 (1 - Π (1 - y_i / 100))``, which for two drugs is ``y1 + y2 - y1 y2 / 100``.

    Parameters
    ----------
    single : numpy.ndarray
        Inhibition of each drug alone in %, shape (..., n_drugs); any real number.

    Returns
    -------
    numpy.ndarray
        Expected inhibition in %, shape (...); NaN where a single agent is NaN.

    Notes
    -----
    Bliss CI. The toxicity of poisons applied jointly. Annals of Applied Biology 1939.
    doi:10.1111/j.1744-7348.1939.tb06990.x

    Examples
    --------
    >>> bliss(np.array([[50.0, 50.0], [-20.0, 10.0]]))
    array([75., -8.])
    """
    alive = 1.0 - np.asarray(single, dtype=np.float64) / 100.0
    return np.asarray(100.0 * (1.0 - np.prod(alive, axis=-1)), dtype=np.float64)


def hsa(single: npt.NDArray[Any]) -> FloatArray:
    """Expect no more than the best of the drugs alone: highest single agent.

    Parameters
    ----------
    single : numpy.ndarray
        Inhibition of each drug alone in %, shape (..., n_drugs); any real number.

    Returns
    -------
    numpy.ndarray
        Expected inhibition in %, shape (...); NaN where a single agent is NaN.

    Notes
    -----
    Berenbaum MC. What is synergy? Pharmacological Reviews 1989;41:93-141.

    Examples
    --------
    >>> hsa(np.array([[50.0, 60.0], [-20.0, np.nan]]))
    array([60., nan])
    """
    return np.asarray(np.max(np.asarray(single, dtype=np.float64), axis=-1), dtype=np.float64)
