"""The curves of a dose matrix: each drug alone, and along each drug with the others held."""

from functools import lru_cache
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

    long: the drugs with more than one dose above 0; drug, held: along which drug each curve runs,
    and at which levels of the others; values: (n_draws, n_curves, n_doses) or, observed, without
    draws.
    """

    levels: tuple[Floats, ...]
    table: Floats
    counts: Floats
    long: tuple[int, ...]
    drug: Indices
    held: tuple[tuple[int, ...], ...]
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
        drug, cells, held = _lay_out(shape)
        padding = cells < 0
        place = np.array(np.unravel_index(np.maximum(cells, 0), shape))[drug, np.arange(len(drug))]
        dose = np.full(cells.shape, np.nan)
        for one in long:
            dose[drug == one] = levels[one][place[drug == one]]
        flat = table.reshape(*table.shape[: table.ndim - len(shape)], -1)
        return cls(
            levels,
            table,
            counts,
            long,
            drug,
            held,
            np.where(padding, np.nan, dose),
            np.where(padding, np.nan, flat[..., cells]),
            np.where(padding, 0.0, counts.ravel()[cells]),
        )


def conditionals(matrix: Matrix) -> tuple[Conditional, ...]:
    """Name the curves of a matrix by drug and doses held."""
    return tuple(
        Conditional(
            drug, tuple(float(one[at]) for one, at in zip(matrix.levels, held, strict=True))
        )
        for drug, held in zip(matrix.drug.tolist(), matrix.held, strict=True)
    )


@lru_cache(maxsize=64)  # most matrices of a run have the same size
def _lay_out(shape: tuple[int, ...]) -> tuple[Indices, Indices, tuple[tuple[int, ...], ...]]:
    """Give drug, cells (-1 as padding) and held levels of every curve of a matrix."""
    drugs, rows, held = [], [], []
    index = np.arange(int(np.prod(shape))).reshape(shape)
    long = [drug for drug, size in enumerate(shape) if size > 2]
    widest = max((shape[drug] for drug in long), default=1)
    for alone in (True, False):
        for drug in long:
            others = [
                range(1) if alone or one == drug else range(1, size)
                for one, size in enumerate(shape)
            ]
            for levels in product(*others):
                row = np.full(widest, -1)
                place = tuple(slice(None) if one == drug else at for one, at in enumerate(levels))
                row[: shape[drug]] = index[place]
                drugs.append(drug)
                rows.append(row)
                held.append(levels)
    cells = np.array(rows, dtype=np.intp).reshape(-1, widest)
    return np.array(drugs, dtype=np.intp), cells, tuple(held)
