"""The curves of a dose matrix: each drug alone, and along each drug with the others held."""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Conditional(NamedTuple):
    """A curve of a matrix: along which drug, and at which doses of the others (that drug: 0)."""

    drug: int
    held: tuple[float, ...]


class Matrix(NamedTuple):
    """A matrix and its curves: doses, cells and weights of each, padded with NaN.

    long: the drugs with more than one dose above 0; first: (n_draws, n_curves) inhibition at the
    start of each curve; values: (n_draws, n_curves, n_doses) or, observed, without draws.
    """

    levels: tuple[Floats, ...]
    table: Floats
    counts: Floats
    long: tuple[int, ...]
    curves: tuple[Conditional, ...]
    dose: Floats
    values: Floats
    weight: Floats

    @classmethod
    def of(cls, doses: tuple[ArrayLike, ...], table: Floats, weight: ArrayLike | None) -> "Matrix":
        """Lay out the curves of a table whose last axes are the levels of the drugs."""
        levels = tuple(np.asarray(one, dtype=np.float64) for one in doses)
        shape = tuple(len(one) for one in levels)
        if table.shape[table.ndim - len(shape) :] != shape:
            raise ValueError(f"inhibition must end in the shape {shape}, found {table.shape}")
        if any(one[0] != 0 or (np.diff(one) <= 0).any() for one in levels):
            raise ValueError("the levels of each drug must start at 0 and ascend")
        counts = np.broadcast_to(np.asarray(1.0 if weight is None else weight), shape)
        long = tuple(drug for drug, size in enumerate(shape) if size > 2)
        cells, curves = _lay_out(levels, shape, long)
        padding = cells < 0
        drug = np.array([one.drug for one in curves], dtype=np.intp)
        place = np.array(np.unravel_index(np.maximum(cells, 0), shape))[drug, np.arange(len(drug))]
        dose = np.array([levels[one][at] for one, at in zip(drug, place, strict=True)])
        flat = table.reshape(*table.shape[: table.ndim - len(shape)], -1)
        return cls(
            levels,
            table,
            counts,
            long,
            curves,
            np.where(padding, np.nan, dose),
            np.where(padding, np.nan, flat[..., cells]),
            np.where(padding, 0.0, counts.ravel()[cells]),
        )


def _lay_out(
    levels: tuple[Floats, ...], shape: tuple[int, ...], long: tuple[int, ...]
) -> tuple[Indices, tuple[Conditional, ...]]:
    """Give the cells of every curve, -1 as padding, and what each curve is."""
    rows, curves = [], []
    index = np.arange(int(np.prod(shape))).reshape(shape)
    widest = max((shape[drug] for drug in long), default=1)
    for alone in (True, False):
        for drug in long:
            others = [
                range(1) if alone or one == drug else range(1, n) for one, n in enumerate(shape)
            ]
            for held in product(*others):
                place = tuple(slice(None) if one == drug else at for one, at in enumerate(held))
                rows.append(np.pad(index[place], (0, widest - shape[drug]), constant_values=-1))
                at_doses = tuple(float(levels[one][at]) for one, at in enumerate(held))
                curves.append(Conditional(drug, at_doses))
    return np.array(rows, dtype=np.intp).reshape(-1, widest), tuple(curves)
