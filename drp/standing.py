"""Standing: where a sample stands among reference samples for one drug, and draws of it.

What is printed are the measured values. The draws ask what would stand there without noise: the
sample's AUC is drawn from its posterior under the noise-free distribution of the reference, which
is itself resampled (`drp.deconvolution`). So a value that noise has carried far away counts for as
much as it is worth, and a reference that is wide only because it is noisy is not taken for wide.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.deconvolution import (
    GRID,
    LEAST_SD,
    MAD_TO_SD,
    Deconvolved,
    Values,
    posterior,
)

SAME_DOSE = 0.01  # relative difference up to which two dose limits are the same
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
    spread = MAD_TO_SD * np.median(np.abs(values - centre[:, None]), axis=1)
    return centre, np.maximum(spread, LEAST_SD)


def draw(
    curve: Mapping[str, Any],
    error: float,
    reference: Deconvolved,
    resamples: NDArray[np.intp],
    standing: Standing,
    *,
    draws: int,
    seed: int,
) -> Standing:
    """Draw noise-free AUC, viability at Cmax and reference together.

    Parameters
    ----------
    curve : mapping
        Row of table `curves`; its intervals give the noise of its wells.
    error : float
        Standard error of the AUC, wells and controls, points.
    reference : Deconvolved
        The reference.
    resamples : array of int
        Those of its resamples that hold no copy of the sample.
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
    usable = resamples[~np.isnan(reference.centre[resamples])]
    generator = np.random.default_rng(_seed(seed, curve["sample"], curve["drug"]))
    prior = reference.prior[usable]
    chance = np.cumsum(posterior(prior, standing.n, curve["auc"], error), axis=1)
    picked = np.arange(draws) % len(usable)
    # Rows one above the other make a single ascending array, searched in one go.
    ladder = (chance + np.arange(len(usable))[:, None]).ravel()
    cell = np.searchsorted(ladder, picked + generator.random(draws) * (1 - 1e-9)) % len(GRID)
    auc = GRID[cell] + generator.random(draws) - 0.5
    lower = np.cumsum(prior, axis=1)[picked, cell] - prior[picked, cell] / 2
    moved = (auc - curve["auc"]) / max(error, 1e-9)
    centre, spread = reference.centre[usable][picked], reference.spread[usable][picked]
    return Standing(
        z=(centre - auc) / spread,
        percentile=100 * (1 - lower),
        distance=centre - auc,
        at_peak=standing.at_peak + moved * _spread(curve, "viability_at_cmax"),
        active=standing.active,
        n=standing.n,
        cut=standing.cut,
    )


def auc_error(curve: Mapping[Any, Any], control_error: float) -> float:
    """Give the standard error of an AUC, points: of its wells, and of what makes 100 %.

    Parameters
    ----------
    curve : mapping
        Row of table `curves`.
    control_error : float
        Relative standard error of the negative controls (`control_errors`).

    Examples
    --------
    >>> round(auc_error({"auc": 50.0, "auc_lo": 46.08, "auc_hi": 53.92}, 0.04), 2)
    2.83
    """
    return float(np.hypot(_spread(curve, "auc"), control_error * curve["auc"]))


def control_errors(plates: Iterable[Mapping[Any, Any]]) -> dict[str, float]:
    """Give each plate's relative standard error of the median of its negative controls.

    Of n normal values a median is 1.2533 times as uncertain as the mean. 0 where unknown.

    Examples
    --------
    >>> control_errors([{"plate": "PL1", "cv_negative": 8.0, "n_negative": 16}])
    {'PL1': 0.025066}
    """
    found = {}
    for plate in plates:
        n, cv = plate.get("n_negative", 0), plate.get("cv_negative", float("nan"))
        known = n > 0 and cv == cv
        found[plate["plate"]] = round(1.2533 * cv / 100 / float(np.sqrt(n)), 12) if known else 0.0
    return found


def errors_of(curves: Iterable[Mapping[Any, Any]], plates: Mapping[str, float]) -> list[float]:
    """Give the standard error of each curve's AUC, points; NaN where its interval is unknown.

    Parameters
    ----------
    curves : iterable of mappings
        Rows of table `curves`, with the column plates.
    plates : mapping
        As `control_errors` gives it. Of several plates the errors average out.
    """
    found = []
    for curve in curves:
        own = [plates.get(plate, 0.0) for plate in str(curve["plates"]).split(";")]
        shared = float(np.sqrt(np.sum(np.square(own)))) / len(own)
        known = not np.isnan(curve["auc_hi"] - curve["auc_lo"])
        found.append(auc_error(curve, shared) if known else float("nan"))
    return found


def auc_over(members: Mapping[str, Values], low: float, high: float) -> Values:
    """Give the area under members' curves over another range of doses, %.

    Parameters
    ----------
    members : mapping of str to array (n,)
        dose_min, dose_max, auc, top, bottom, slope, ec50, as in the table of reference samples.
        Whether a curve falls or rises is told by its AUC; where neither gives it, or the curve is
        not known, the result is NaN.
    low, high : float
        Range, in the members' dose unit; to lie inside the tested one.

    Examples
    --------
    >>> curve = {"dose_min": 1.0, "dose_max": 1e4, "auc": 50.0, "top": 100.0, "bottom": 0.0,
    ...          "slope": 1.0, "ec50": 100.0}
    >>> auc_over({name: np.array([value]) for name, value in curve.items()}, 1.0, 100.0).round(0)
    array([85.])
    """
    drop = members["top"] - members["bottom"]
    flat = drop == 0
    log_ec50 = np.log10(np.where(flat, 1.0, members["ec50"]))
    slope = np.where(flat, 1.0, members["slope"])

    def gone(start: Values, end: Values) -> Values:
        """Mean share of the way down, from the integral of a logistic curve."""
        scale = slope * np.log(10.0)
        upper, lower = (np.logaddexp(0.0, scale * (edge - log_ec50)) for edge in (end, start))
        width = np.where(end > start, end - start, np.nan)  # a single dose has no area
        return np.asarray((upper - lower) / scale / width)

    own = gone(np.log10(members["dose_min"]), np.log10(members["dose_max"]))
    falling = members["top"] - drop * own
    rising = members["bottom"] + drop * own
    errors = [np.abs(area - members["auc"]) for area in (falling, rising)]
    share = gone(np.full_like(drop, np.log10(low)), np.full_like(drop, np.log10(high)))
    falls = errors[0] <= errors[1]
    area = np.where(falls, members["top"] - drop * share, members["bottom"] + drop * share)
    return np.where(np.minimum(*errors) <= LEAST_SD, area, np.nan)


def _spread(curve: Mapping[Any, Any], measure: str) -> float:
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
