"""The four-parameter logistic curve, and the box its parameters must stay in.

The curve is ``viability = bottom + (top - bottom) * s`` with
``s = 1 / (1 + 10 ** (slope * (x - log10_ec50)))`` and ``x = log10(dose)``. Dose 0 is x = -inf,
where s is exactly 1. A rising curve is the same formula read from the other side: what stands at
low dose is then the bottom. Inside the engine the two asymptotes are therefore *left* (dose → 0)
and *right* (dose → ∞), and `sign` is +1 for a falling and -1 for a rising curve.
"""

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LN10 = float(np.log(10.0))
# Beyond this exponent s and 1 - s are 0 and 1 to the last bit, and nothing overflows.
LARGEST_EXPONENT = 600.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of the fit, in the unit of the viability given.

    Attributes
    ----------
    top, bottom : tuple of float
        Lowest and highest value of each asymptote; infinite = no limit; equal = held fixed.
        Bottom never exceeds top, whatever the limits.
    slope : tuple of float
        Lowest and highest Hill slope, both above 0.
    ec50_margin : float
        How far beyond the tested doses the EC50 may lie, in decades.

    Examples
    --------
    >>> Bounds().slope
    (0.1, 10.0)
    >>> Bounds(slope=(0.0, 4.0))
    Traceback (most recent call last):
    ValueError: slope must be an increasing pair above 0, found (0.0, 4.0)
    """

    top: tuple[float, float] = field(default=(-inf, inf))
    bottom: tuple[float, float] = field(default=(0.0, inf))
    slope: tuple[float, float] = field(default=(0.1, 10.0))
    ec50_margin: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.slope[0] < self.slope[1] < inf:
            raise ValueError(f"slope must be an increasing pair above 0, found {self.slope}")
        for name in ("top", "bottom"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must be a pair low <= high, found {(low, high)}")
        if self.bottom[0] > self.top[1]:
            raise ValueError(f"bottom starts at {self.bottom[0]}, above the top's {self.top[1]}")
        if not 0 <= self.ec50_margin < inf:
            raise ValueError(f"ec50_margin must be 0 or more decades, found {self.ec50_margin}")


class Box(NamedTuple):
    """Limits of the left and right asymptote as deviations from each curve's mean."""

    left_low: Floats
    left_high: Floats
    right_low: Floats
    right_high: Floats


def box_around(bounds: Bounds, level: Floats) -> Box:
    """Give the limits of a falling curve's asymptotes as deviations from `level`."""
    left, right = bounds.top, bounds.bottom
    return Box(left[0] - level, left[1] - level, right[0] - level, right[1] - level)


def flat_level(bounds: Bounds, level: Floats) -> Floats:
    """Give the level nearest to `level` that a flat curve may have; NaN if none may be flat."""
    low, high = max(bounds.top[0], bounds.bottom[0]), min(bounds.top[1], bounds.bottom[1])
    if low > high:
        return np.full_like(level, np.nan)
    return np.clip(level, low, high)


def exponent(x: Floats, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give ``ln 10 * slope * (x - log10_ec50)``, kept where exp() neither over- nor underflows."""
    clipped: Floats = np.clip(LN10 * slope * (x - log10_ec50), -LARGEST_EXPONENT, LARGEST_EXPONENT)
    return clipped


def falling_share(x: Floats, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give s, the share of the span between the asymptotes that is left at x.

    Parameters
    ----------
    x : array
        log10 of the dose; -inf for dose 0.
    log10_ec50, slope : array
        Shapes that broadcast with `x`; slope above 0.

    Returns
    -------
    array
        1 at dose 0, 1/2 at the EC50, towards 0 beyond.

    Examples
    --------
    >>> falling_share(np.array([-np.inf, 2.0]), np.array(2.0), np.array(1.3))
    array([1. , 0.5])
    """
    share: Floats = 1.0 / (1.0 + np.exp(exponent(x, log10_ec50, slope)))
    return share


def curve_at(x: Floats, left: Floats, right: Floats, log10_ec50: Floats, slope: Floats) -> Floats:
    """Give the viability at x of a curve; a flat one (NaN midpoint or slope) gives `left`.

    Examples
    --------
    >>> half = curve_at(np.array(1.0), *map(np.array, (100.0, 20.0, 1.0, 2.0)))
    >>> float(half)
    60.0
    """
    share = falling_share(x, log10_ec50, slope)
    flat = np.isnan(log10_ec50) | np.isnan(slope)
    value: Floats = np.where(flat, left, right + (left - right) * share)
    return value
