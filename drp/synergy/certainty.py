"""How sure the call of a combination is: the share of draws whose true values agree with it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from drp.synergy.verdict import Limits


def call_probability(
    call: str,
    excess: npt.NDArray[Any],
    gain: npt.NDArray[Any],
    inhibition: npt.NDArray[Any],
    limits: Limits,
) -> float:
    """Give the probability of what a call says.

    Parameters
    ----------
    call : str
        One of `drp.synergy.verdict.CALLS`.
    excess, gain, inhibition : numpy.ndarray
        What the true mean Bliss excess, gain over the best single agent (points) and inhibition
        (%) may be, shape (draws,); draw by draw from the same wells.
    limits : Limits
        Where the calls change.

    Returns
    -------
    float
        Share of draws, 0 to 1, in which the excess lies where the call says (at or beyond
        `synergistic_excess`, within `additive_within`) and the combination is effective, or is
        not, as the call says. NaN for ``inconclusive`` and ``not assessable``, which claim nothing.

    Examples
    --------
    >>> excess = np.array([4.0, 6.0, 8.0, 9.0])
    >>> call_probability("effective and synergistic", excess, excess, excess + 60, Limits())
    0.75
    """
    effective = (inhibition >= limits.effective_inhibition) & (gain > 0)
    synergistic = excess >= limits.synergistic_excess
    additive = np.abs(excess) <= limits.additive_within
    antagonistic = excess <= -limits.synergistic_excess
    claims = {
        "effective and synergistic": synergistic & effective,
        "synergistic but weak": synergistic & ~effective,
        "effective and additive": additive & effective,
        "weak": additive & ~effective,
        "effective, antagonistic": antagonistic & effective,
        "antagonistic": antagonistic & ~effective,
    }
    return float(np.mean(claims[call])) if call in claims else float("nan")
