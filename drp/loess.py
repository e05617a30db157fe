"""A smooth surface through few wells of a plate: local quadratic regression on row and column."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_TERMS = 6  # 1, row, column, their squares and product
_TRIMMED = 0.1  # share of the places at either end that does not count for the common scale
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True)
class Surface:
    """A fitted surface.

    Attributes
    ----------
    value : array, shape (m,)
        In the unit of the values it was fitted to.
    uncertainty : array, shape (m,)
        Its variance over the variance of one value: 1 is as uncertain as a single well.
    """

    value: Values
    uncertainty: Values


def loess(places: Values, values: Values, at: Values) -> Surface | None:
    """Fit a quadratic around each place, with near values counting more, and read it there.

    Parameters
    ----------
    places : array, shape (n, 2)
        Row and column of each value. Both are brought to one scale by their standard deviation
        without the tenth at either end.
    values : array, shape (n,)
    at : array, shape (m, 2)
        Where to read the surface.

    Returns
    -------
    Surface or None
        Span 1: all values take part, weighted by ``(1 - (d / d_max)^3)^3``. None where the places
        do not determine a quadratic: fewer than 7, or all in one or two rows or columns.

    References
    ----------
    Cleveland and Devlin, J Am Stat Assoc 1988;83:596, doi 10.1080/01621459.1988.10478639.

    Examples
    --------
    >>> places = np.array([(row, column) for row in range(4) for column in range(4)], dtype=float)
    >>> fitted = loess(places, 1 + 0.1 * places[:, 0] ** 2, np.array([[2.0, 1.5]]))
    >>> round(float(fitted.value[0]), 6)
    1.4
    """
    order = np.lexsort((values, places[:, 1], places[:, 0]))
    places, values = places[order], values[order]
    spread = _trimmed_sd(places)
    if len(places) <= _TERMS or not np.all(spread > 0):
        return None
    steps = (places[None, :, :] - at[:, None, :]) / spread
    distance = np.hypot(steps[..., 0], steps[..., 1])
    farthest = distance.max(axis=1, keepdims=True)
    root = np.clip(1 - (distance / farthest) ** 3, 0, None) ** 1.5
    rows, columns = steps[..., 0], steps[..., 1]
    terms = [np.ones_like(rows), rows, columns, rows**2, rows * columns, columns**2]
    design = np.stack(terms, axis=-1) * root[..., None]
    if np.any(np.linalg.matrix_rank(design, rtol=_SINGULAR) < _TERMS):
        return None
    shares = np.linalg.pinv(design, rcond=_SINGULAR)[:, 0, :] * root
    return Surface(value=shares @ values, uncertainty=np.sum(shares**2, axis=1))


def _trimmed_sd(places: Values) -> Values:
    cut = int(np.ceil(_TRIMMED * len(places)))
    kept = np.sort(places, axis=0)[cut : len(places) - cut]
    if len(kept) < 2:
        return np.zeros(places.shape[1])
    return np.asarray(np.std(kept, axis=0, ddof=1))
