"""Loewe additivity: what drugs would do together if each were a dilution of the other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.hill import HillFits

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# How far from the ends of the range the root is looked for, as a share of its width.
EDGE = 1e-9
# Of the logit of the root: the last step of a bisection, and one of Newton's, whose error is about
# the square of it.
TOLERANCE, TOLERANCE_OF_STEP = 1e-10, 1e-6
# Where these have not arrived, Newton's steps creep along a bend: every other one bisects then.
NEWTON_STEPS, MOST_STEPS = 8, 100


class Loewe(NamedTuple):
    """Inhibition expected of cells, %, and where it is a root and not the fall-back.

    Attributes
    ----------
    expected : array (..., n_cells)
        NaN where a dose or a curve is missing.
    defined : array of bool (..., n_cells)
        True where the additivity equation has a root.
    """

    expected: Floats
    defined: Mask


def loewe(fits: HillFits, doses: ArrayLike) -> Loewe:
    """Solve ``sum_i x_i / D_i(Y) = 1`` for the inhibition Y expected of each cell.

    ``D_i(Y) = e_i ((Y - c_i) / (d_i - Y)) ** (1 / h_i)`` is the dose of drug i that alone gives Y,
    with the start c, plateau d, midpoint e and slope h of its fitted curve. The root is sought
    between the highest of the lower and the lowest of the upper asymptotes. Where there is none
    - beyond the reach of a drug, with an inactive drug or with opposite slopes - Loewe is not
    defined, and the best of the drugs' fitted effects stands in.

    Parameters
    ----------
    fits : HillFits
        The drugs alone, arrays of shape (..., n_drugs): two or three drugs.
    doses : array (n_cells, n_drugs)
        All above 0.

    Returns
    -------
    Loewe

    Notes
    -----
    Loewe S, Muischnek H. Über Kombinationswirkungen. Arch Exp Pathol Pharmakol 1926;114:313-326,
    doi:10.1007/BF01952257. Fall-back as in Yadav B et al., Comput Struct Biotechnol J
    2015;13:504-513, doi:10.1016/j.csbj.2015.09.001.

    Examples
    --------
    A drug with itself: 3 + 7 nM do what 10 nM do.

    >>> from drp.synergy.hill import fit_hill
    >>> dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0])
    >>> alone = np.array([100 * dose / (10 + dose)] * 2)
    >>> found = loewe(fit_hill(dose, alone), [[3.0, 7.0]])
    >>> found.expected.round(6), found.defined
    (array([50.]), array([ True]))
    """
    dose = np.asarray(doses, dtype=np.float64)
    alone = fits.at(dose.T)  # (..., n_drugs, n_cells)
    best = alone.max(axis=-2)
    c, d = fits.start[..., None], fits.plateau[..., None]
    low = np.minimum(c, d).max(axis=-2)
    width = np.maximum(c, d).min(axis=-2) - low
    usable = (width > 0) & np.isfinite(fits.midpoint).all(axis=-1, keepdims=True)
    if not usable.any():
        return Loewe(best, np.zeros(best.shape, dtype=bool))
    with np.errstate(all="ignore"):
        drugs = [_Drug.of(fits, drug, dose[:, drug], low, width) for drug in range(dose.shape[1])]
        logit, bracketed = _root(drugs, _first(fits, alone, low, width))
        root = low + width * (0.5 + 0.5 * np.tanh(0.5 * logit))
    defined = bracketed & usable & np.isfinite(best)
    return Loewe(np.where(defined, root, best), defined)


class _Drug(NamedTuple):
    """What x / D(Y) needs: below and above are the range's ends, seen from start and plateau."""

    log_dose: Floats
    below: Floats
    above: Floats
    width: Floats
    per_slope: Floats

    @classmethod
    def of(cls, fits: HillFits, drug: int, dose: Floats, low: Floats, width: Floats) -> "_Drug":
        """Take one drug, shapes (..., 1) but for the doses."""
        start, plateau = fits.start[..., drug, None], fits.plateau[..., drug, None]
        sign = np.sign(plateau - start)
        log_dose = np.log(dose) - np.log(fits.midpoint[..., drug, None])
        per_slope = 1.0 / fits.slope[..., drug, None]
        return cls(
            log_dose,
            sign * (low - start),
            sign * (plateau - low - width),
            sign * width,
            per_slope,
        )

    def share(self, upper: Floats, lower: Floats) -> tuple[Floats, Floats]:
        """Give x / D(Y) and its derivative in the logit of Y, lower + upper = 1."""
        # (Y - c) and (d - Y) are sums of parts of one sign: nothing cancels near the ends.
        reached = self.below + self.width * upper
        left = self.above + self.width * lower
        value = np.exp(self.log_dose - self.per_slope * np.log(reached / left))
        share = self.per_slope * self.width * upper * lower * (reached + left) / (reached * left)
        slope = -value * share
        return value, slope


def _first(fits: HillFits, alone: Floats, low: Floats, width: Floats) -> Floats:
    """Give the logit of the largest effect of a drug alone, (..., n_cells), as a place to begin.

    Together the drugs do more, so the root lies beyond it. The sum falls from there on, and its ln
    bends upwards wherever both drugs have the same range: Newton's steps then never go too far.
    """
    falling = (fits.plateau < fits.start).all(axis=-1, keepdims=True)
    reached = (np.where(falling, alone.min(axis=-2), alone.max(axis=-2)) - low) / width
    inside = np.clip(reached, EDGE, 1.0 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _root(drugs: list[_Drug], first: Floats) -> tuple[Floats, Mask]:
    """Find the logit of the root within the range: Newton on ln of the sum, kept in a bracket."""
    shape = first.shape
    end = np.log((1.0 - EDGE) / EDGE)
    bracketed = (_sum(drugs, np.array(-end))[0] > 0) & (_sum(drugs, np.array(end))[0] < 0)
    at = np.flatnonzero(bracketed)
    logit = np.zeros(shape)
    part = [_picked(drug, at, shape) for drug in drugs]
    here, low, high = first.ravel()[at], np.full(len(at), -end), np.full(len(at), end)
    for count in range(MOST_STEPS):
        value, slope = _sum(part, here)
        low, high = np.where(value > 0, here, low), np.where(value > 0, high, here)
        step = here - value / slope
        sound = (step > low) & (step < high)
        if count >= NEWTON_STEPS and count % 2:
            sound[:] = False
        moved = np.where(sound, step, 0.5 * (low + high))
        near = np.abs(moved - here) <= np.where(sound, TOLERANCE_OF_STEP, TOLERANCE)
        logit.ravel()[at] = here = moved
        # A cell that has arrived stays, whatever others still need.
        kept = np.flatnonzero(~near)
        if not len(kept):
            break
        if len(kept) < len(near):
            part = [_Drug(*(one[kept] for one in drug)) for drug in part]
            at, here, low, high = at[kept], here[kept], low[kept], high[kept]
    return logit, bracketed


def _picked(drug: _Drug, at: NDArray[np.intp], shape: tuple[int, ...]) -> _Drug:
    return _Drug(*(np.broadcast_to(one, shape).ravel()[at] for one in drug))


def _sum(drugs: list[_Drug], logit: Floats) -> tuple[Floats, Floats]:
    """Give ln of the sum of x / D(Y), and its derivative in the logit."""
    # 1 / (1 + exp) keeps its digits at either end, where 0.5 - tanh / 2 would cancel.
    upper, lower = 1.0 / (1.0 + np.exp(-logit)), 1.0 / (1.0 + np.exp(logit))
    parts = [drug.share(upper, lower) for drug in drugs]
    whole = sum((part[0] for part in parts[1:]), parts[0][0])
    slope = sum((part[1] for part in parts[1:]), parts[0][1])
    return np.log(whole), slope / whole
