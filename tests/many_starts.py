"""A general optimiser of bounded least squares, for many curves from many starts at once.

Levenberg's and Marquardt's damped steps, cut off at the bounds; a parameter that stands at a bound
and would leave is held there. It knows nothing of curves.
"""

import numpy as np


def least_cost(model, start, low, high, steps=400):
    """Give the least sum of squares that each start leads to.

    Parameters
    ----------
    model : function
        From parameters (n, p) to residuals (n, m) and their derivatives (n, m, p).
    start : array (n, p)
    low, high : array (p,)
        Bounds.
    steps : int
        The most steps. A start is done when no step of its own makes it better.
    """
    q = np.clip(start, low, high)
    cost, gradient, curvature = _about(model, q)
    damping = np.full(len(q), 1e-2)
    largest = np.zeros_like(q)
    for _ in range(steps):
        diagonal = np.einsum("npp->np", curvature)
        largest = np.maximum(largest, diagonal)
        new = np.clip(q + _step(q, gradient, curvature, damping[:, None] * largest, low, high),
                      low, high)  # fmt: skip
        found = _about(model, new)
        better = found[0] < cost
        q = np.where(better[:, None], new, q)
        cost = np.where(better, found[0], cost)
        gradient = np.where(better[:, None], found[1], gradient)
        curvature = np.where(better[:, None, None], found[2], curvature)
        damping = np.where(better, damping / 5, damping * 3)
        if (damping > 1e14).all():
            break
        damping = np.clip(damping, 1e-12, 1e15)
    return cost


def _about(model, q):
    residual, slopes = model(q)
    return (
        (residual**2).sum(axis=1),
        np.einsum("nmp,nm->np", slopes, residual),
        np.einsum("nmp,nmo->npo", slopes, slopes),
    )


def _step(q, gradient, curvature, damping, low, high):
    held = ((q <= low) & (gradient > 0)) | ((q >= high) & (gradient < 0))
    free = ~held
    matrix = curvature * free[:, :, None] * free[:, None, :]
    places = np.arange(q.shape[1])
    matrix[:, places, places] += np.where(held, 1.0, damping + 1e-12)
    return -np.linalg.solve(matrix, (gradient * free)[:, :, None])[:, :, 0]
