"""Wells as one array per column: choosing wells of a plate from a DataFrame would cost far more.

A run has dozens of plates, and each is measured in a dozen ways, over its controls, its plain arm,
its lowest doses. A DataFrame builds an index and a block of every kind of column for each choice.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

WellArrays = dict[str, NDArray[Any]]
Table: TypeAlias = "pd.DataFrame | WellArrays"


def as_arrays(wells: Table) -> WellArrays:
    """Give a table of wells as arrays, all of one length; text is held as Python's.

    Parameters
    ----------
    wells : DataFrame or dict of str to array
        Arrays are given back as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> as_arrays(pd.DataFrame({"drug": ["DMSO"], "dose": [10.0]}))
    {'drug': array(['DMSO'], dtype=object), 'dose': array([10.])}
    """
    if isinstance(wells, dict):
        return wells
    return {str(name): _as_array(values) for name, values in wells.items()}


def _as_array(values: "pd.Series[Any]") -> NDArray[Any]:
    numeric = values.dtype.kind in "bifu"
    return values.to_numpy() if numeric else values.to_numpy(dtype=object)


def choose_wells(wells: WellArrays, chosen: NDArray[Any]) -> WellArrays:
    """Give some wells, by their positions or by a flag for each.

    Examples
    --------
    >>> choose_wells({"row": np.array([1, 2, 3])}, np.array([True, False, True]))
    {'row': array([1, 3])}
    """
    return {name: values[chosen] for name, values in wells.items()}


def positions_by(names: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Give the positions of each name, in the order they stand in; names are sorted.

    Examples
    --------
    >>> positions_by(np.array(["PL2", "PL1", "PL2"], dtype=object))
    {'PL1': array([1]), 'PL2': array([0, 2])}
    """
    starts = np.flatnonzero(names[1:] != names[:-1]) + 1
    found: dict[str, list[NDArray[np.int64]]] = {}
    # Equal names mostly stand together.
    for run in np.split(np.arange(len(names)), starts):
        if len(run):
            found.setdefault(names[run[0]], []).append(run)
    return {name: np.concatenate(found[name]) for name in sorted(found)}
