"""Dose means brought into order for the fit of Hill curves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Doses a curve needs, 0 or a given start counted.
FEWEST_FREE, FEWEST_FIXED = 4, 3


class Plan(NamedTuple):
    """Curves laid out for the search, doses ascending, what is missing last with weight 0.

    log_dose, weight: (n_curves, n_doses), log10; values: (n_draws, n_curves, n_doses); start:
    (n_draws, n_curves); fixed, enough: (n_curves,).
    """

    log_dose: Floats
    weight: Floats
    values: Floats
    start: Floats
    fixed: Mask
    enough: Mask

    @property
    def n_curves(self) -> int:
        """Number of curves."""
        return len(self.weight)

    @classmethod
    def of(
        cls,
        dose: ArrayLike,
        values: Floats,
        weight: ArrayLike | None,
        start: ArrayLike | None,
        n_draws: int | None,
    ) -> "Plan":
        """Bring what a caller gave into order."""
        values = values if n_draws is not None else values[None]
        shape = values.shape[1:]
        doses = np.array(np.broadcast_to(np.asarray(dose, dtype=np.float64), shape))
        given = 1.0 if weight is None else np.asarray(weight, dtype=np.float64)
        weights = np.array(np.broadcast_to(given, shape))
        if (doses < 0).any() or (weights < 0).any():
            raise ValueError("doses and weights must not be negative")
        weights[~(np.isfinite(values[0]) & np.isfinite(doses) & (weights > 0))] = 0.0
        doses[weights == 0] = np.nan
        order = np.argsort(doses, axis=1, kind="stable")
        with np.errstate(divide="ignore"):
            log_dose = np.log10(np.take_along_axis(doses, order, axis=1))
        with np.errstate(invalid="ignore"):
            if (log_dose[:, 1:] == log_dose[:, :-1]).any():
                raise ValueError("a dose stands twice in one curve")
        starts = np.full(values.shape[:2], np.nan)
        if start is not None:
            starts[:] = start
        fixed = np.isfinite(starts[0])
        weights = np.take_along_axis(weights, order, axis=1)
        return cls(
            log_dose,
            weights,
            np.where(weights > 0, np.take_along_axis(values, order[None], axis=2), 0.0),
            starts,
            fixed,
            _enough(log_dose, fixed),
        )


def _enough(log_dose: Floats, fixed: Mask) -> Mask:
    """Say which curves have doses enough: a given start counts as dose 0."""
    above = np.isfinite(log_dose).sum(axis=1)
    zero = fixed | np.isneginf(log_dose).any(axis=1)
    enough: Mask = above + zero >= np.where(fixed, FEWEST_FIXED, FEWEST_FREE)
    return enough
