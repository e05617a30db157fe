"""Wells to dose matrices: which wells belong together, and which cell each of them is.

A *dose matrix* holds the wells of one sample that name the same two or three drugs. A *cell* is
one tuple of doses; a *combination cell* has every dose above zero, a *single-agent cell* exactly
one. Drugs stand in alphabetical order (case ignored), cells by rising dose, so that neither the
order of rows nor which drug a layout names first changes anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from drp.problems import Place, Problems
from drp.synergy.borrowed import (
    SAME_DOSE,
    Lone,
    Wells,
    borrow,
    elsewhere,
    lone_wells,
    places_of,
    units_of,
)
from drp.synergy.nulls import FloatArray

IndexArray = npt.NDArray[np.intp]

# A design with this share of its dose grid planned is a matrix with gaps, not a sparse design.
_MATRIX_SHARE = 0.75

_SLOTS = (("drug", "dose"), ("drug2", "dose2"), ("drug3", "dose3"))
_DEFAULTS: dict[str, Any] = {
    **{"drug3": "", "dose3": np.nan, "dose_unit": "nM"},
    **{"plate": "", "well": "", "role": "sample", "excluded": False},
}
Key = tuple[str, tuple[str, ...]]  # sample and drugs
_NEEDED = ("sample", "drug", "dose", "drug2", "dose2", "viability_pct")


@dataclass(frozen=True, slots=True)
class DoseMatrix:
    """The wells of one combination in one sample.

    Attributes
    ----------
    sample : str
        Sample id.
    drugs : tuple of str
        Two or three drug names in alphabetical order.
    dose_unit : str
        Unit of every dose.
    design : str
        ``matrix``, ``anchor`` (one drug at one dose), ``diagonal`` or ``sparse``.
    doses : numpy.ndarray
        Dose of each drug in each cell, shape (n_cells, n_drugs). Besides the planned cells: the
        single-agent cells every combination cell needs, and the gaps of a matrix.
    singles : numpy.ndarray
        For each combination cell, in order, the indices of its single-agent cells, shape
        (n_combination_cells, n_drugs).
    plates : tuple of str
        Plates that hold usable wells, in alphabetical order.
    cell, plate : numpy.ndarray
        Index of the cell and of the plate of each usable well, shape (n_wells,).
    viability : numpy.ndarray
        Viability of each usable well in %, shape (n_wells,).
    borrowed : tuple of str
        Drugs whose wells alone come from elsewhere in the sample, as this combination lacks them.
    elsewhere, n_elsewhere : numpy.ndarray
        Mean inhibition in % of the sample's wells with one drug alone at the dose of each
        single-agent cell, and their number, shape (n_cells,); NaN and 0 where there are none.
    """

    sample: str
    drugs: tuple[str, ...]
    dose_unit: str
    design: str
    doses: FloatArray
    singles: IndexArray
    plates: tuple[str, ...]
    cell: IndexArray
    plate: IndexArray
    viability: FloatArray
    borrowed: tuple[str, ...] = ()
    elsewhere: FloatArray = field(default_factory=lambda: np.empty(0))
    n_elsewhere: FloatArray = field(default_factory=lambda: np.empty(0))

    @property
    def combination(self) -> str:
        """The drugs joined by ``' + '``."""
        return " + ".join(self.drugs)

    @property
    def is_combination(self) -> npt.NDArray[np.bool_]:
        """True for cells with every dose above zero, shape (n_cells,)."""
        return np.asarray((self.doses > 0).all(axis=1))

    @property
    def n_wells(self) -> IndexArray:
        """Usable wells in each cell, shape (n_cells,)."""
        return np.bincount(self.cell, minlength=len(self.doses))

    @property
    def inhibition(self) -> FloatArray:
        """Mean inhibition of each cell in %, shape (n_cells,); NaN without a usable well."""
        total = np.bincount(self.cell, self.viability, minlength=len(self.doses))
        n_wells = self.n_wells
        mean = np.full(len(self.doses), np.nan)
        np.divide(total, n_wells, out=mean, where=n_wells > 0)
        return 100.0 - mean


def dose_matrices(viability: pd.DataFrame) -> Iterator[DoseMatrix]:
    """Give the dose matrices of a viability table, by sample and combination.

    Wells whose role is not ``sample`` belong to no matrix. Wells that name one drug only stand in
    for single agents that a combination lacks (`drp.synergy.borrowed`).
    Excluded wells and wells without a value keep their cell in the plan but add no measurement.

    Parameters
    ----------
    viability : pandas.DataFrame
        Columns sample, drug, dose, drug2, dose2 and viability_pct (%); drug3, dose3, dose_unit,
        plate, well, role and excluded where there are any.

    Yields
    ------
    DoseMatrix
        One per sample and set of drugs, in alphabetical order.

    Raises
    ------
    DataError
        A column is missing, a named drug has no dose or a negative one, or the wells of one
        combination have different dose units. Every fault is listed.

    Examples
    --------
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "B", "dose": [0.0, 1, 0, 1], "drug2": "A",
    ...                       "dose2": [0.0, 0, 5, 5], "viability_pct": [100.0, 80, 50, 30]})
    >>> matrix = next(dose_matrices(wells))
    >>> matrix.combination, matrix.doses.tolist()
    ('A + B', [[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 1.0]])
    >>> matrix.inhibition.tolist()
    [0.0, 20.0, 50.0, 70.0]
    """
    wells, lone = _combination_wells(viability)
    joined = _by_combination(wells)
    units = _dose_units(joined)
    for (sample, drugs), part in joined.items():
        every, borrowed = borrow(sample, drugs, part, lone)
        matrix = _matrix(sample, drugs, every, units[sample, drugs])
        other = elsewhere(sample, drugs, matrix.doses, matrix.dose_unit, lone)
        yield replace(matrix, borrowed=borrowed, elsewhere=other[0], n_elsewhere=other[1])


def _by_combination(wells: pd.DataFrame) -> dict[Key, Wells]:
    """Sort the wells by sample and drugs, the doses of each in the order of its drugs."""
    wells = wells[wells["sample"].notna()]
    every = Wells.of(wells, [dose for _, dose in _SLOTS])
    keys = zip(*(wells[one].tolist() for one in ("sample", *dict(_SLOTS))), strict=True)
    groups: dict[Key, list[Wells]] = {}
    for (sample, *named), places in places_of(keys).items():
        slots = [slot for slot, drug in enumerate(named) if drug]
        slots.sort(key=lambda slot: (str(named[slot]).casefold(), str(named[slot])))
        part = every.take(places)
        drugs = tuple(str(named[slot]) for slot in slots)
        groups.setdefault((str(sample), drugs), []).append(
            part._replace(doses=part.doses[:, slots])
        )
    return {key: Wells.joined(groups[key]) for key in sorted(groups)}


def _combination_wells(viability: pd.DataFrame) -> tuple[pd.DataFrame, Lone]:
    """Take the wells with two or more drugs, and those with one, with every column filled in."""
    found = Problems()
    for column in [column for column in _NEEDED if column not in viability]:
        found.error("synergy.missing-column", Place(), f"there is no column {column}", "Add it.")
    found.raise_errors()
    absent = {column: value for column, value in _DEFAULTS.items() if column not in viability}
    # Of some thirty columns of a well; every selection of wells would carry all of them.
    wells = viability.assign(**absent)[[*_NEEDED, *_DEFAULTS]].reset_index(drop=True)
    wells = wells.fillna({drug: "" for drug, _ in _SLOTS})
    named = sum((wells[drug] != "").astype(int) for drug, _ in _SLOTS)
    finite = np.isfinite(wells["viability_pct"].to_numpy(dtype=np.float64))
    wells = wells.assign(used=finite & ~wells["excluded"].to_numpy(dtype=bool))
    treated = wells["role"] == "sample"
    together, alone = wells[(named >= 2) & treated], wells[(named == 1) & treated]
    _check_doses(together, found)
    found.raise_errors()
    return together, lone_wells(alone[alone["drug"] != ""])


def _check_doses(wells: pd.DataFrame, found: Problems) -> None:
    for drug, dose in _SLOTS:
        values = wells[dose].to_numpy(dtype=np.float64)
        wrong = wells[(wells[drug] != "") & ~(np.isfinite(values) & (values >= 0))]
        for row in wrong.to_dict("records"):
            found.error(
                "synergy.dose-missing",
                Place(plate=row["plate"], well=row["well"]),
                f"{row[drug]} in a combination has the dose {row[dose]}",
                "Give every drug of a combination its dose; no drug is the dose 0.",
            )


def _dose_units(joined: dict[Key, Wells]) -> dict[Key, str]:
    """Find the one unit of each combination; wells without any drug may leave it out."""
    found, units = Problems(), {}
    for (sample, drugs), wells in joined.items():
        present = sorted(units_of(wells))
        units[sample, drugs] = present[0] if present else ""
        if len(present) > 1:
            found.error(
                "synergy.mixed-units",
                Place(),
                f"{' + '.join(drugs)} in {sample} has doses in {' and '.join(present)}",
                "Give the doses of one combination in one unit.",
            )
    found.raise_errors()
    return units


def _matrix(sample: str, drugs: tuple[str, ...], wells: Wells, dose_unit: str) -> DoseMatrix:
    """Number the cells of one combination and sort its wells into them."""
    # Sorted wells make every sum, and so every result, the same to the last bit.
    _, plate = np.unique(wells.plate.astype(str), return_inverse=True)
    by_dose = tuple(wells.doses.T[::-1])
    wells = wells.take(np.lexsort((wells.viability, plate, *by_dose)))
    order = np.arange(len(drugs))
    coded = [_levels(wells.doses[:, i]) for i in order]
    shape = tuple(len(levels) for levels, _ in coded)
    codes = np.column_stack([code for _, code in coded])
    planned = np.unique(codes[(codes > 0).all(axis=1)], axis=0)
    design = _design(planned)
    wanted = _grid(planned) if design in ("matrix", "anchor") else planned
    alone = [wanted * (order == i) for i in order]
    every = np.vstack([codes, wanted, *alone])
    keys = np.unique(np.ravel_multi_index(tuple(every.T), shape))
    cells = np.column_stack(np.unravel_index(keys, shape))
    both = cells[(cells > 0).all(axis=1)]
    singles = [_locate(both * (order == i), keys, shape) for i in order]
    used = wells.used
    plates, plate = np.unique(wells.plate[used].astype(str), return_inverse=True)
    return DoseMatrix(
        sample=sample,
        drugs=drugs,
        dose_unit=dose_unit,
        design=design,
        doses=np.column_stack([coded[i][0][cells[:, i]] for i in order]),
        singles=np.column_stack(singles),
        plates=tuple(str(name) for name in plates),
        cell=_locate(codes[used], keys, shape),
        plate=plate,
        viability=wells.viability[used],
    )


def _levels(doses: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Give the distinct doses, 0 always the first of them, and which one each well has."""
    levels = [0.0]
    for dose in np.unique(doses):
        if dose > levels[-1] * (1 + SAME_DOSE):
            levels.append(float(dose))
    distinct = np.array(levels)
    return distinct, np.searchsorted(distinct, doses, side="right") - 1


def _locate(codes: IndexArray, keys: IndexArray, shape: tuple[int, ...]) -> IndexArray:
    """Find each row of dose codes, all of which occur, among the sorted keys of the cells."""
    return np.asarray(np.searchsorted(keys, np.ravel_multi_index(tuple(codes.T), shape)))


def _grid(planned: IndexArray) -> IndexArray:
    """Give every combination of the levels that occur in the planned combination cells."""
    levels = [np.unique(column) for column in planned.T]
    mesh = np.meshgrid(*levels, indexing="ij")
    return np.column_stack([axis.ravel() for axis in mesh])


def _design(planned: IndexArray) -> str:
    """Name the design from the planned combination cells, as codes of their doses."""
    sizes = [len(np.unique(column)) for column in planned.T]
    if len(planned) < 2:
        return "sparse"
    if len(planned) >= _MATRIX_SHARE * np.prod(sizes):
        return "anchor" if min(sizes) == 1 else "matrix"
    rising = all((after > before).all() for before, after in pairwise(planned))
    return "diagonal" if rising else "sparse"
