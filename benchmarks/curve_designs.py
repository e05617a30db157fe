"""Simulated curves of known truth, and the squared error of anybody's curve within common bounds.

A curve is left + (right's share of the way): ``right + (left - right) / (1 + 10 ** (h (x - e)))``,
x = log10 dose, h > 0. Left stands at low dose, so a rising curve has left < right; a flat one has
left = right and neither e nor h.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Bounds that all share: asymptotes 0 or more, slope, and decades beyond the doses for the EC50.
SLOPES = (0.1, 10.0)
MARGIN = 1.0
# A parameter further out than this (points, or decades, or of a slope) is outside the bounds.
OUTSIDE = 1e-6
# Ten curves in a row hold five full ones, two partial and three flat.
MIXTURE = np.array(["full"] * 5 + ["partial"] * 2 + ["flat"] * 3)
SMALLEST_SD, LARGEST_SD = 3.0, 8.0


class Design(NamedTuple):
    """Doses, wells at each, and the step between doses in decades."""

    n_doses: int
    n_wells: int
    step: float

    @property
    def name(self) -> str:
        """For example 8×3."""
        return f"{self.n_doses}×{self.n_wells}"

    @property
    def dose(self) -> Floats:
        """Dose of each well, the wells of one dose together."""
        return np.repeat(10.0 ** (self.step * np.arange(self.n_doses)), self.n_wells)


DESIGNS = (
    Design(8, 3, 0.5),
    Design(7, 2, 0.5),
    Design(5, 2, 1.0),
    Design(5, 1, 1.0),
    Design(10, 1, 0.5),
)


class Curves(NamedTuple):
    """Parameters of curves, arrays of shape (n_curves,); all NaN where there is no result."""

    left: Floats
    right: Floats
    log10_ec50: Floats
    slope: Floats

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which curves are a result: finite asymptotes, and a finite curve unless flat."""
        found = np.isfinite(self.left) & np.isfinite(self.right)
        bent = np.isfinite(self.log10_ec50) & np.isfinite(self.slope)
        return found & (bent | (self.left == self.right))


class Simulated(NamedTuple):
    """Viability in per cent, (n_curves, n_points), at the doses; the truth and its kind."""

    dose: Floats
    viability: Floats
    truth: Curves
    kind: NDArray[np.str_]


def simulate(design: Design, n_curves: int, rng: np.random.Generator) -> Simulated:
    """Draw curves in the mixture above, with normal noise of 3 to 8 points SD by curve."""
    kind = MIXTURE[np.arange(n_curves) % len(MIXTURE)]
    truth = _truth(design, kind, rng)
    sd = rng.uniform(SMALLEST_SD, LARGEST_SD, n_curves)
    noise = rng.standard_normal((n_curves, len(design.dose))) * sd[:, None]
    return Simulated(design.dose, curves_at(truth, design.dose) + noise, truth, kind)


def _truth(design: Design, kind: NDArray[np.str_], rng: np.random.Generator) -> Curves:
    n_curves, last = len(kind), design.step * (design.n_doses - 1)
    top, bottom = rng.normal(100.0, 4.0, n_curves), rng.uniform(0.0, 30.0, n_curves)
    inside = rng.uniform(0.2 * last, 0.8 * last, n_curves)
    late = rng.uniform(last - 0.3, last + 0.7, n_curves)
    slope = np.clip(rng.lognormal(np.log(1.2), 0.4, n_curves), 0.5, 4.0)
    flat = kind == "flat"
    return Curves(
        top,
        np.where(flat, top, bottom),
        np.where(flat, np.nan, np.where(kind == "full", inside, late)),
        np.where(flat, np.nan, slope),
    )


def with_own_doses(data: Simulated, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Give every curve doses of its own: the step by up to a tenth, the start by up to a decade."""
    n_curves = len(data.viability)
    stretch, shift = rng.uniform(0.9, 1.1, n_curves), rng.uniform(0.0, 1.0, n_curves)
    x = np.log10(data.dose) * stretch[:, None] + shift[:, None]
    return 10.0**x, data.viability


def with_missing_wells(
    data: Simulated, rng: np.random.Generator, share: float = 0.1
) -> tuple[Floats, Floats]:
    """Take a tenth of the wells away, each curve losing others."""
    gone = rng.random(data.viability.shape) < share
    return data.dose, np.where(gone, np.nan, data.viability)


def oriented(left: float, right: float, log10_ec50: float, slope: float) -> tuple[float, ...]:
    """Write a curve with a negative slope as the same curve with a positive one."""
    return (right, left, log10_ec50, -slope) if slope < 0 else (left, right, log10_ec50, slope)


def curves_at(curves: Curves, dose: Floats) -> Floats:
    """Give the viability of each curve at each dose, shape (n_curves, n_points)."""
    left, right = curves.left[:, None], curves.right[:, None]
    with np.errstate(all="ignore"):
        power = curves.slope[:, None] * (np.log10(dose) - curves.log10_ec50[:, None])
        share = 1.0 / (1.0 + 10.0 ** np.clip(power, -300.0, 300.0))
    flat = left == right
    return np.where(flat, left, right + (left - right) * share)


def squared_error(curves: Curves, dose: Floats, viability: Floats) -> Floats:
    """Sum over wells of the squared distance to the curve; infinite where there is no result."""
    error = np.nansum((viability - curves_at(curves, dose)) ** 2, axis=1)
    return np.where(curves.present, error, np.inf)


def within_bounds(curves: Curves, dose: Floats) -> NDArray[np.bool_]:
    """Say which results keep the common bounds; a flat curve has only its level to keep."""
    box = clipped(curves, dose)
    moved = [np.abs(one - other) for one, other in zip(curves, box, strict=True)]
    flat = curves.left == curves.right
    inside = (moved[0] <= OUTSIDE) & (moved[1] <= OUTSIDE)
    return curves.present & inside & (flat | ((moved[2] <= OUTSIDE) & (moved[3] <= OUTSIDE)))


def clipped(curves: Curves, dose: Floats) -> Curves:
    """Move each parameter to the nearest value within the common bounds."""
    x = np.log10(dose)
    return Curves(
        np.maximum(curves.left, 0.0),
        np.maximum(curves.right, 0.0),
        np.clip(curves.log10_ec50, x.min() - MARGIN, x.max() + MARGIN),
        np.clip(curves.slope, *SLOPES),
    )
