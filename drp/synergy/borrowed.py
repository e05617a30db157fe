"""Single agents that a combination's own plates lack, taken from the same sample's other wells."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from drp.synergy.nulls import FloatArray

# Doses that differ by less than this, as a share, are one dose: 0.03 µM × 1000 is not exactly 30.
SAME_DOSE = 1e-9


class Wells(NamedTuple):
    """Wells as arrays: a run has thousands of small groups of them, and a table each costs more.

    doses: (n_wells, n_drugs); plate, dose_unit, used, viability: (n_wells,), viability in %.
    """

    doses: FloatArray
    plate: npt.NDArray[Any]
    dose_unit: npt.NDArray[Any]
    used: npt.NDArray[np.bool_]
    viability: FloatArray

    def take(self, wells: npt.NDArray[Any]) -> "Wells":
        """Give the same for some wells."""
        return Wells(*(part[wells] for part in self))

    @classmethod
    def joined(cls, parts: "list[Wells]") -> "Wells":
        """Put wells of the same drugs one after the other."""
        return cls(*(np.concatenate(one) for one in zip(*parts, strict=True)))

    @classmethod
    def of(cls, wells: pd.DataFrame, doses: list[str]) -> "Wells":
        """Take these columns of doses, plate, dose_unit, used and viability_pct of a table."""
        return cls(
            np.column_stack([wells[dose].to_numpy(dtype=np.float64) for dose in doses]),
            wells["plate"].to_numpy(dtype=object),
            wells["dose_unit"].to_numpy(dtype=object),
            wells["used"].to_numpy(dtype=bool),
            wells["viability_pct"].to_numpy(dtype=np.float64),
        )


Lone = Mapping[tuple[str, str], Wells]


def places_of(keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], npt.NDArray[np.intp]]:
    """Give the places at which each key stands, by key in the order in which they appear.

    >>> places_of([("a",), ("b",), ("a",)])[("a",)]
    array([0, 2])
    """
    found: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return {key: np.array(places) for key, places in found.items()}


def lone_wells(wells: pd.DataFrame) -> Lone:
    """Sort the wells with one drug alone by sample and drug.

    Parameters
    ----------
    wells : pandas.DataFrame
        Wells with exactly one drug: columns sample, drug, dose, dose_unit, plate, viability_pct
        and used, which says whether a well counts.

    Returns
    -------
    dict
        The wells that count and have a dose above 0, by (sample, drug in lower case).

    Examples
    --------
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [0.0, 1.0], "dose_unit": "nM",
    ...                       "plate": "P1", "viability_pct": [99.0, 70.0], "used": True})
    >>> {key: len(part.doses) for key, part in lone_wells(wells).items()}
    {('S1', 'a'): 1}
    """
    counted = wells[wells["used"] & (wells["dose"] > 0) & wells["sample"].notna()]
    every = Wells.of(counted, ["dose"])
    keys = (
        (str(sample), str(drug).casefold())
        for sample, drug in zip(counted["sample"].tolist(), counted["drug"].tolist(), strict=True)
    )
    return {(key[0], key[1]): every.take(places) for key, places in places_of(keys).items()}


def borrow(
    sample: str, drugs: tuple[str, ...], wells: Wells, lone: Lone
) -> tuple[Wells, tuple[str, ...]]:
    """Add single-agent wells where a combination lacks them.

    A drug of which any dose of a combination was not measured alone on the combination's plates
    gets the sample's other wells with it alone, at every dose that was not measured here. Wells in
    another unit are no help.

    Parameters
    ----------
    sample, drugs
        The combination.
    wells : Wells
        Its wells.
    lone : mapping
        From `lone_wells`.

    Returns
    -------
    wells : Wells
        With the wells added.
    borrowed : tuple of str
        The drugs that were helped.

    Examples
    --------
    >>> one = pd.DataFrame({"sample": "S1", "drug": "B", "dose": [5.0], "dose_unit": "nM",
    ...                     "plate": "P2", "viability_pct": [50.0], "used": True})
    >>> wells = pd.DataFrame({"a": [1.0, 1.0], "b": [0.0, 5.0], "plate": "P1", "dose_unit": "nM",
    ...                       "used": True, "viability_pct": [80.0, 30.0]})
    >>> more, borrowed = borrow("S1", ("A", "B"), Wells.of(wells, ["a", "b"]), lone_wells(one))
    >>> borrowed, more.doses.tolist()
    (('B',), [[1.0, 0.0], [1.0, 5.0], [0.0, 5.0]])
    """
    doses, units = wells.doses, units_of(wells)
    together = doses[(doses > 0).all(axis=1)]
    parts, helped = [wells], []
    for place, drug in enumerate(drugs):
        others = np.delete(doses, place, axis=1)
        alone = doses[(others == 0).all(axis=1) & wells.used, place]
        if not len(_missing(together[:, place], alone)):
            continue
        found = lone.get((sample, drug.casefold()))
        if found is None or set(found.dose_unit) != units:
            continue
        dose = found.doses[:, 0]
        new = found.take(np.isin(dose, _missing(dose, alone)))
        if len(new.doses):
            added = np.zeros((len(new.doses), len(drugs)))
            added[:, place] = new.doses[:, 0]
            parts.append(new._replace(doses=added))
            helped.append(drug)
    return Wells.joined(parts), tuple(helped)


def units_of(wells: Wells) -> set[Any]:
    """Give the units of the wells with any drug."""
    return set(wells.dose_unit[(wells.doses > 0).any(axis=1)])


def elsewhere(
    sample: str, drugs: tuple[str, ...], doses: FloatArray, dose_unit: str, lone: Lone
) -> tuple[FloatArray, FloatArray]:
    """Give what the sample's other wells show at the single-agent cells of a combination.

    Parameters
    ----------
    sample, drugs, dose_unit
        The combination.
    doses : numpy.ndarray
        Of its cells, shape (n_cells, n_drugs).
    lone : mapping
        From `lone_wells`.

    Returns
    -------
    inhibition, n_wells : numpy.ndarray
        Mean inhibition in % and wells behind it, shape (n_cells,); NaN and 0 where there are none.

    Examples
    --------
    >>> one = pd.DataFrame({"sample": "S1", "drug": "B", "dose": [5.0], "dose_unit": "nM",
    ...                     "plate": "P2", "viability_pct": [60.0], "used": True})
    >>> elsewhere("S1", ("A", "B"), np.array([[1.0, 5.0], [0.0, 5.0]]), "nM", lone_wells(one))
    (array([nan, 40.]), array([0., 1.]))
    """
    mean, n_wells = np.full(len(doses), np.nan), np.zeros(len(doses))
    for place, drug in enumerate(drugs):
        found = lone.get((sample, drug.casefold()))
        if found is None or set(found.dose_unit) != {dose_unit}:
            continue
        alone = (np.delete(doses, place, axis=1) == 0).all(axis=1) & (doses[:, place] > 0)
        known = found.doses[:, 0]
        for cell in np.flatnonzero(alone):
            dose = doses[cell, place]
            same = found.viability[np.abs(known - dose) <= SAME_DOSE * dose]
            if len(same):
                mean[cell] = 100.0 - float(np.sort(same).mean())
                n_wells[cell] = len(same)
    return mean, n_wells


def _missing(wanted: FloatArray, known: FloatArray) -> FloatArray:
    """Give the doses wanted, above 0, that are not among those known."""
    wanted = np.unique(wanted[wanted > 0])
    apart = np.abs(wanted[:, None] - known[None]) > SAME_DOSE * wanted[:, None]
    missing: FloatArray = wanted[apart.all(axis=1)]
    return missing
