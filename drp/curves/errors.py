"""Standard errors from the observed Hessian of the squared error."""

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans, total
from drp.curves.model import LN10, Bounds, Floats, exponent
from drp.curves.noise import Noise
from drp.curves.search import FALLING, Best

# Nearer to a bound than this, in the parameter's own unit, it counts as held there.
AT_BOUND = 1e-7
# The Hessian, scaled to a unit diagonal, counts as positive definite above this.
SMALLEST_EIGENVALUE = 1e-12


def at_bounds(means: DoseMeans, best: Best, bounds: Bounds) -> dict[str, Floats]:
    """Say which parameters stand at a bound: top, bottom, log10_ec50, slope; 1 or 0 each."""
    top, bottom = tops_and_bottoms(best)
    low, high = -bounds.ec50_margin, means.x_max - means.x_min + bounds.ec50_margin
    limits = {
        "top": (top, *bounds.top),
        "bottom": (bottom, *bounds.bottom),
        "log10_ec50": (best.e, low, high),
        "slope": (best.eta, np.log(bounds.slope[0]), np.log(bounds.slope[1])),
    }
    held = {}
    for name, (value, least, most) in limits.items():
        with np.errstate(invalid="ignore"):
            near = (np.abs(value - least) <= AT_BOUND) | (np.abs(value - most) <= AT_BOUND)
        held[name] = np.where(best.flat, False, near).astype(np.float64)
    return held


def tops_and_bottoms(best: Best) -> tuple[Floats, Floats]:
    """Turn left and right asymptotes into top and bottom."""
    falling = best.sign == FALLING
    return np.where(falling, best.left, best.right), np.where(falling, best.right, best.left)


def standard_errors(
    means: DoseMeans, best: Best, bounds: Bounds, noise: Noise
) -> dict[str, Floats]:
    """Give the standard error of each parameter: the root of diag(2 s² H⁻¹), H of the SSE.

    Parameters
    ----------
    means : DoseMeans
        The batch.
    best : Best
        Its fits.
    bounds : Bounds
        A parameter at a bound is held there: its own error is NaN, the others' are given it.

    Returns
    -------
    dict of array (n_curves,)
        ``top``, ``bottom``, ``log10_ec50``, ``slope``; NaN for flat curves, with no more wells
        than parameters, and where the Hessian is not positive definite.
    """
    hessian = _hessian(means, best)
    held = at_bounds(means, best, bounds)
    falling = best.sign == FALLING
    fixed = np.stack(
        [
            np.where(falling, held["top"], held["bottom"]),
            np.where(falling, held["bottom"], held["top"]),
            held["log10_ec50"],
            held["slope"],
        ]
    ).astype(bool)
    usable = ~best.flat & (noise.freedom > 0) & np.isfinite(hessian).all(axis=(0, 1))
    variance = np.full(fixed.shape, np.nan)
    variance[:, usable] = _diagonal_of_inverse(hessian[:, :, usable], fixed[:, usable])
    with np.errstate(invalid="ignore"):
        left, right, e, eta = np.sqrt(variance * noise.variance)
    return {
        "top": np.where(falling, left, right),
        "bottom": np.where(falling, right, left),
        "log10_ec50": e,
        "slope": np.exp(best.eta) * eta,
    }


def _diagonal_of_inverse(hessian: Floats, fixed: NDArray[np.bool_]) -> Floats:
    """Give the diagonal of the inverse over the free parameters; NaN unless positive definite."""
    own = np.maximum(np.einsum("iic->ic", hessian), 0.0)
    scale = np.sqrt(np.where(fixed | (own == 0), 1.0, own))
    scaled = np.moveaxis(hessian / (scale[:, None] * scale[None, :]), -1, 0).copy()
    for parameter in range(len(fixed)):
        held = fixed[parameter]
        scaled[held, parameter, :] = scaled[held, :, parameter] = 0.0
        scaled[held, parameter, parameter] = 1.0
    values, vectors = np.linalg.eigh(scaled)
    values = np.where(values[:, :1] > SMALLEST_EIGENVALUE, values, np.nan)
    diagonal = (vectors**2 / values[:, None, :]).sum(axis=2).T
    diagonal[fixed] = np.nan
    result: Floats = diagonal / scale**2
    return result


def _hessian(means: DoseMeans, best: Best) -> Floats:
    """Give the Hessian of half the SSE in (left, right, e, eta), shape (4, 4, n_curves)."""
    c = LN10 * np.exp(best.eta)
    u = exponent(means.x - means.x_min, best.e, np.exp(best.eta))
    rise = np.exp(u)
    s = 1.0 / (1.0 + rise)
    bend, tilt, span = s * s * rise, rise * s - s, best.left - best.right
    residual = means.weight * (means.mean - (best.right + span * s))
    s_e, s_eta = c * bend, -u * bend
    first = [s, 1.0 - s, span * s_e, span * s_eta]
    none = np.zeros_like(s)
    second = {
        (0, 2): s_e,
        (0, 3): s_eta,
        (1, 2): -s_e,
        (1, 3): -s_eta,
        (2, 2): span * c * s_e * tilt,
        (2, 3): span * c * bend * (1.0 - u * tilt),
        (3, 3): span * u * bend * (u * tilt - 1.0),
    }
    hessian = np.empty((4, 4, s.shape[1]))
    for k in range(4):
        for m in range(k, 4):
            bent = residual * second.get((k, m), none)
            value = total(means.weight * first[k] * first[m]) - total(bent)
            hessian[k, m] = hessian[m, k] = value
    return hessian
