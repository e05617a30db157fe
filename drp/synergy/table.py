"""A dose matrix as an array, and the curves of its drugs alone."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drp.synergy.hill import HillFits, refit_hill
from drp.synergy.noise import Controls, Noise
from drp.synergy.nulls import FloatArray
from drp.synergy.surface import DoseMatrix
from drp.synergy.zip import GATE_POINTS, GATE_SDS
from drp.synergy.zip_steps import Steps, fit_asked, request, run

Mask = npt.NDArray[np.bool_]


class Table(NamedTuple):
    """The cells of a matrix as an array with one axis per drug.

    levels: the doses of each drug, 0 the first; place: index of each cell along each axis, shape
    (n_cells, n_drugs); wells: wells behind each cell of the array.
    """

    levels: tuple[FloatArray, ...]
    place: npt.NDArray[np.intp]
    wells: FloatArray

    @classmethod
    def of(cls, matrix: DoseMatrix, n_negative: int) -> "Table":
        """Lay out a matrix; untreated cells without wells rest on the negative controls."""
        levels = tuple(np.unique(np.append(0.0, column)) for column in matrix.doses.T)
        pairs = zip(levels, matrix.doses.T, strict=True)
        place = np.column_stack([np.searchsorted(level, column) for level, column in pairs])
        wells = np.zeros(tuple(len(level) for level in levels))
        wells[tuple(place.T)] = matrix.n_wells
        origin = (0,) * len(levels)
        wells[origin] = wells[origin] or max(n_negative, 1)
        return cls(levels, place, wells)

    def fill(self, inhibition: FloatArray) -> FloatArray:
        """Put cells, shape (..., n_cells), into the array; 0 % where nothing was added."""
        table = np.full((*inhibition.shape[:-1], *self.wells.shape), np.nan)
        table.reshape(*inhibition.shape[:-1], -1)[..., 0] = 0.0
        measured = ~np.isnan(inhibition.reshape(-1, inhibition.shape[-1])).all(axis=0)
        where = self.place[measured]
        table[(..., *where.T)] = inhibition[..., measured]
        return table

    def surface(self, cells: FloatArray, matrix: DoseMatrix) -> FloatArray:
        """Put combination cells, shape (..., n_cells), into an array of doses above 0."""
        shape = tuple(len(level) - 1 for level in self.levels)
        surface = np.full((*cells.shape[:-1], *shape), np.nan)
        surface[(..., *(self.place[matrix.is_combination] - 1).T)] = cells
        return surface

    def cells(self, surface: FloatArray, both: Mask) -> FloatArray:
        """Take the combination cells out of an array of doses above 0."""
        return np.asarray(surface[(..., *(self.place[both] - 1).T)])


def single_values(table: Table, values: FloatArray) -> list[FloatArray]:
    """Give what each drug does alone, shape (..., n_levels)."""
    n_drugs = len(table.levels)
    singles = []
    for drug in range(n_drugs):
        at: list[int | slice] = [0] * n_drugs
        at[drug] = slice(None)
        singles.append(values[(..., *at)])
    return singles


def single_curves(table: Table, single: list[FloatArray], well_sd: float) -> list[HillFits]:
    """Fit each drug alone, dose 0 included."""
    return run(ask_single_curves(table, single, well_sd), fit_asked)


def ask_single_curves(
    table: Table, single: list[FloatArray], well_sd: float
) -> Steps[list[HillFits]]:
    """Fit each drug alone as `single_curves` does, asking for fits as it goes."""
    fits = []
    wells = single_values(table, table.wells)
    for level, values, weight in zip(table.levels, single, wells, strict=True):
        one = yield request(level, values[None], weight, well_sd)
        fits.append(one)
    return fits


def joined(fits: list[HillFits]) -> HillFits:
    """Put the curves of all drugs side by side, along the last axis."""
    names = HillFits.__slots__
    return HillFits(*(np.concatenate([getattr(one, n) for one in fits], axis=-1) for n in names))


def redrawn_curves(table: Table, curves: list[HillFits], drawn: FloatArray) -> HillFits:
    """Fit each drug alone in every draw, (n_draws, n_drugs)."""
    alone = zip(
        curves,
        table.levels,
        single_values(table, drawn),
        single_values(table, table.wells),
        strict=True,
    )
    return joined(
        [refit_hill(fit, level, values[:, None], wells) for fit, level, values, wells in alone]
    )


def measured_range(table: Table, matrix: DoseMatrix, cells: Mask) -> Mask:
    """Say which of some cells lie within the doses at which each of their drugs was measured alone.

    A dose of 0 is no matter of the curve.
    """
    inside = np.ones(int(cells.sum()), dtype=bool)
    for drug, wells in enumerate(single_values(table, table.wells)):
        known = table.levels[drug][(wells > 0) & (table.levels[drug] > 0)]
        doses = matrix.doses[cells, drug]
        within = (doses >= known.min()) & (doses <= known.max()) if known.size else doses < 0
        inside &= within | (doses == 0)
    return inside


def read_off_curves(
    matrix: DoseMatrix, redrawn: FloatArray, controls: Controls, noise: Noise
) -> tuple[FloatArray, FloatArray, Mask]:
    """Read single agents that were not measured at a dose off the curve of their drug.

    Only within the doses at which the drug was measured alone, and only off a curve that lies near
    its wells.

    Parameters
    ----------
    matrix : DoseMatrix
        The wells.
    redrawn : numpy.ndarray
        Inhibition of every cell in each draw, shape (draws, n_cells).
    controls, noise
        Of its plates and wells.

    Returns
    -------
    inhibition, redrawn : numpy.ndarray
        Observed and drawn inhibition, %, of all cells, with what was read off.
    fitted : numpy.ndarray of bool
        Which cells were, shape (n_cells,).

    Examples
    --------
    See `drp.synergy.score_synergy`, whose reason names such drugs.
    """
    inhibition = matrix.inhibition
    lacking = np.isnan(inhibition) & ((matrix.doses > 0).sum(axis=1) == 1)
    if not lacking.any():
        return inhibition, redrawn, lacking
    table = Table.of(matrix, sum(values.size for values in controls.negative))
    curves = single_curves(table, single_values(table, table.fill(inhibition)), noise.well)
    again = redrawn_curves(table, curves, table.fill(redrawn))
    redrawn, fitted = redrawn.copy(), np.zeros_like(lacking)
    inside = measured_range(table, matrix, lacking)
    for drug, curve in enumerate(curves):
        near = curve.rmse[0] <= max(GATE_SDS * noise.well, GATE_POINTS)
        own = np.flatnonzero(lacking & (matrix.doses[:, drug] > 0))
        own = own[inside[np.searchsorted(np.flatnonzero(lacking), own)]]
        if not (near and len(own)):
            continue
        doses = matrix.doses[own, drug]
        inhibition[own] = curve.at(doses)[0]
        redrawn[:, own] = again.take(slice(drug, drug + 1)).at(doses)[:, 0]
        fitted[own] = True
    return inhibition, redrawn, fitted
