"""Single agents that a combination's own plates lack, taken from the same sample's other wells."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from drp.synergy.nulls import FloatArray

# Doses that differ by less than this, as a share, are one dose: 0.03 µM × 1000 is not exactly 30.
SAME_DOSE = 1e-9

Lone = Mapping[tuple[str, str], pd.DataFrame]


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
    >>> {key: len(part) for key, part in lone_wells(wells).items()}
    {('S1', 'a'): 1}
    """
    counted = wells[wells["used"] & (wells["dose"] > 0)]
    keys = [counted["sample"], counted["drug"].str.casefold()]
    return {(str(s), str(d)): part for (s, d), part in counted.groupby(keys)}


def borrow(
    sample: str, drugs: tuple[str, ...], wells: pd.DataFrame, lone: Lone
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add single-agent wells where a combination lacks them.

    A drug of which any dose of a combination was not measured alone on the combination's plates
    gets the sample's other wells with it alone, at every dose that was not measured here. Wells in
    another unit are no help.

    Parameters
    ----------
    sample, drugs
        The combination.
    wells : pandas.DataFrame
        Its wells: one column of doses per drug, named 0, 1 and so on, plate, dose_unit, used and
        viability_pct.
    lone : mapping
        From `lone_wells`.

    Returns
    -------
    wells : pandas.DataFrame
        With the wells added.
    borrowed : tuple of str
        The drugs that were helped.

    Examples
    --------
    >>> one = pd.DataFrame({"sample": "S1", "drug": "B", "dose": [5.0], "dose_unit": "nM",
    ...                     "plate": "P2", "viability_pct": [50.0], "used": True})
    >>> wells = pd.DataFrame({0: [1.0, 1.0], 1: [0.0, 5.0], "plate": "P1", "dose_unit": "nM",
    ...                       "used": True, "viability_pct": [80.0, 30.0]})
    >>> more, borrowed = borrow("S1", ("A", "B"), wells, lone_wells(one))
    >>> borrowed, more[[0, 1]].to_numpy().tolist()
    (('B',), [[1.0, 0.0], [1.0, 5.0], [0.0, 5.0]])
    """
    order = list(range(len(drugs)))
    doses = wells[order].to_numpy(dtype=float)
    used = wells["used"].to_numpy(dtype=bool)
    units = set(wells["dose_unit"].to_numpy()[(doses > 0).any(axis=1)])
    together = doses[(doses > 0).all(axis=1)]
    parts, helped = [wells], []
    for place, drug in enumerate(drugs):
        others = np.delete(doses, place, axis=1)
        alone = doses[(others == 0).all(axis=1) & used, place]
        if not len(_missing(together[:, place], alone)):
            continue
        found = lone.get((sample, drug.casefold()))
        if found is None or set(found["dose_unit"]) != units:
            continue
        dose = found["dose"].to_numpy(dtype=float)
        new = found[np.isin(dose, _missing(dose, alone))]
        if len(new):
            added = new[["plate", "dose_unit", "used", "viability_pct"]].copy()
            for one in order:
                added[one] = new["dose"] if one == place else 0.0
            parts.append(added)
            helped.append(drug)
    if not helped:
        return wells.reset_index(drop=True), ()
    return pd.concat(parts, ignore_index=True)[list(wells.columns)], tuple(helped)


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
        if found is None or set(found["dose_unit"]) != {dose_unit}:
            continue
        alone = (np.delete(doses, place, axis=1) == 0).all(axis=1) & (doses[:, place] > 0)
        known = found["dose"].to_numpy(dtype=float)
        viability = found["viability_pct"].to_numpy(dtype=float)
        for cell in np.flatnonzero(alone):
            dose = doses[cell, place]
            same = viability[np.abs(known - dose) <= SAME_DOSE * dose]
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
