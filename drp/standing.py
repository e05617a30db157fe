"""Standing: where a sample stands among reference samples for one drug, and draws of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_MAD_TO_SD = 1.4826
_LEAST_SD = 1.0  # points of AUC; a reference is never taken to be narrower than this
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sample stands for one drug; arrays where each draw has its own."""

    z: Any
    percentile: Any
    distance: Any  # reference median minus AUC, points
    at_peak: Any  # viability at the plasma peak, %; NaN where the exposure is unknown
    active: bool
    n: int
    cut: float


def stand(auc: Any, references: Values, at_peak: Any, active: bool, cut: float) -> Standing:
    """Rank AUCs, each against its row of `references`.

    Parameters
    ----------
    auc : float or array (m,)
        AUC, %.
    references : array (1 or m, n)
        AUCs of reference samples.
    at_peak : float or array (m,)
        Viability at the plasma peak, %; NaN where unknown.
    active : bool
        Whether the curve falls at all.
    cut : float
        The z to be reached.

    Examples
    --------
    >>> one = stand(60.0, np.array([[70.0, 80.0, 90.0]]), float("nan"), True, 1.0)
    >>> float(one.percentile[0]), float(one.distance[0])
    (100.0, 20.0)
    """
    centre, spread = centre_and_spread(references)
    distance = centre - np.asarray(auc)
    below = references > np.asarray(auc).reshape(-1, 1)
    return Standing(
        z=distance / spread,
        percentile=100 * np.mean(below, axis=1),
        distance=distance,
        at_peak=at_peak,
        active=active,
        n=references.shape[1],
        cut=cut,
    )


def z_cut(n: int, z: float, established: int) -> float:
    """Give the z a sample must reach: with a small reference, its small-sample prediction limit.

    With n reference samples a new value lies beyond ``t(n - 1) sqrt(1 + 1/n)`` spreads as rarely as
    beyond `z` spreads of a known normal distribution. From `established` samples on, `z` itself.

    >>> z_cut(30, 1.0, 20)
    1.0
    >>> round(z_cut(10, 1.0, 20), 2)
    1.11
    """
    if n >= established:
        return z
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(n - 1, ndtr(z)) * np.sqrt(1 + 1 / n))


def centre_and_spread(values: Values) -> tuple[Values, Values]:
    """Give median and 1.4826 MAD of each row, the latter never below one point of AUC.

    >>> centre_and_spread(np.array([[80.0, 90.0, 100.0]]))
    (array([90.]), array([14.826]))
    """
    centre = np.median(values, axis=1)
    spread = _MAD_TO_SD * np.median(np.abs(values - centre[:, None]), axis=1)
    return centre, np.maximum(spread, _LEAST_SD)


def draw(
    curve: Mapping[str, Any],
    reference: Values,
    standing: Standing,
    *,
    draws: int,
    seed: int,
) -> Standing:
    """Draw the well noise of AUC and viability at Cmax, and the reference sample, together.

    Parameters
    ----------
    curve : mapping
        Row of table `curves`; its intervals give the noise.
    reference : array (n,)
        AUCs of the reference samples, ascending.
    standing : Standing
        The observed one.
    draws : int
        Number of draws.
    seed : int
        Seeds them, together with the ids of sample and drug.

    Returns
    -------
    Standing
        With one entry per draw.
    """
    n = len(reference)
    generator = np.random.default_rng(_seed(seed, curve["sample"], curve["drug"]))
    noise = generator.standard_normal(draws)
    auc = curve["auc"] + noise * _spread(curve, "auc")
    picked = reference[generator.integers(0, n, (draws, n))]
    at_peak = standing.at_peak + noise * _spread(curve, "viability_at_cmax")
    return stand(auc, picked, at_peak, standing.active, standing.cut)


def _spread(curve: Mapping[str, Any], measure: str) -> float:
    """Standard error that a 95 % interval stands for; 0 where there is none."""
    width = float(curve[f"{measure}_hi"] - curve[f"{measure}_lo"])
    return 0.0 if np.isnan(width) else width / (2 * _NORMAL_95)


def rank_words(standing: Standing) -> str:
    """Say the rank in words."""
    share = float(standing.percentile[0])
    return f"more sensitive than {share:.0f} % of {standing.n} reference samples"


def _seed(seed: int, sample: str, drug: str) -> int:
    digest = hashlib.sha256(f"{seed}\0{sample}\0{drug}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
