"""The curves of a dose matrix: each drug alone, and along each drug with the others held.

Here they are laid out, and put together again once fitted; `drp.synergy.zip` scores them.
"""

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.hill import HillFits
from drp.synergy.nulls import bliss

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]


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


def without(matrix: Matrix, drug: int) -> tuple[tuple[Floats, ...], Floats, Floats]:
    """Give levels, table and weights of the matrix without one drug."""
    axis = matrix.table.ndim - len(matrix.levels) + drug
    doses = tuple(one for at, one in enumerate(matrix.levels) if at != drug)
    table: Floats = np.take(matrix.table, 0, axis=axis)
    counts: Floats = np.take(matrix.counts, 0, axis=drug)
    return doses, table, counts


def single_values(matrix: Matrix, alone: HillFits) -> list[Floats]:
    """Give the inhibition of each drug alone at its doses above 0.

    From its curve, within the doses that were measured; of a drug with one dose, as observed.
    """
    n_drugs, values = len(matrix.levels), []
    lead = matrix.table.ndim - n_drugs
    for drug, levels in enumerate(matrix.levels):
        own: list[int | slice] = [0] * n_drugs
        own[drug] = slice(1, None)
        if drug not in matrix.long:
            values.append(matrix.table[(slice(None),) * lead + tuple(own)])
            continue
        curve = matrix.long.index(drug)
        used = (matrix.weight[curve] > 0) & np.isfinite(matrix.values[..., curve, :]).reshape(
            -1, matrix.dose.shape[1]
        ).all(axis=0)
        measured = matrix.dose[curve][used & (matrix.dose[curve] > 0)]
        ends = (measured.min(), measured.max()) if measured.size else (np.inf, -np.inf)
        inside = (levels[1:] >= ends[0]) & (levels[1:] <= ends[1])
        fitted = alone.take(slice(curve, curve + 1)).at(levels[1:])[..., 0, :]
        values.append(np.where(inside, fitted, np.nan))
    return values


def surfaces(matrix: Matrix, alone: HillFits, conditional: HillFits) -> tuple[Floats, Floats]:
    """Give expected and fitted inhibition of the combination cells."""
    n_drugs = len(matrix.levels)
    lead = matrix.table.ndim - n_drugs
    shape = tuple(len(one) - 1 for one in matrix.levels)
    singles = []
    for drug, values in enumerate(single_values(matrix, alone)):
        own = [1] * n_drugs
        own[drug] = shape[drug]
        wide = values.reshape(*values.shape[:lead], *own)
        singles.append(np.broadcast_to(wide, (*wide.shape[:lead], *shape)))
    inner = (slice(None),) * lead + (slice(1, None),) * n_drugs
    absent = np.where(np.isnan(matrix.table[inner]) | (matrix.counts[inner[lead:]] == 0), np.nan, 0)
    expected = bliss(np.stack(singles, axis=-1)) + absent
    begin, fits = 0, []
    for drug in matrix.long:
        held = [size for other, size in enumerate(shape) if other != drug]
        count = int(np.prod(held))
        some = conditional.take(slice(begin, begin + count)).at(matrix.levels[drug][1:])
        some = some.reshape(*some.shape[:lead], *held, shape[drug])
        fits.append(np.moveaxis(some, -1, lead + drug))
        begin += count
    fitted = sum(fits[1:], fits[0]) / len(fits) if fits else np.full_like(expected, np.nan)
    return expected, fitted + absent


def why_not(
    matrix: Matrix,
    curves: tuple[Conditional, ...],
    alone: HillFits,
    excess: Floats,
    failed: Mask,
    drugs: tuple[str, ...] | None,
) -> str:
    """Say why ZIP cannot be reported, naming every failed curve; empty if it can."""
    names = drugs or tuple(f"drug {one + 1}" for one in range(len(matrix.levels)))
    short = [names[drug] for drug, has in zip(matrix.long, alone.fitted, strict=True) if not has]
    if not matrix.long or short:
        lacking = " and ".join(short or names)
        return f"ZIP not reportable: too few doses for the curve of {lacking} alone"
    if not np.isfinite(excess).any():
        return "ZIP not reportable: no row and column of the matrix has enough doses for its curve"
    if not failed.any():
        return ""
    which = "; ".join(
        _curve_name(curve, names) for curve, bad in zip(curves, failed, strict=True) if bad
    )
    return f"ZIP not reportable: {failed.sum()} of {len(failed)} curves failed ({which})"


def _curve_name(curve: Conditional, names: tuple[str, ...]) -> str:
    others = [f"{name} {dose:g}" for name, dose in zip(names, curve.held, strict=True) if dose > 0]
    return f"{names[curve.drug]} {'with ' + ' and '.join(others) if others else 'alone'}"
