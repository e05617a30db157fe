"""Drift: what changes along a plate as it is read, and along a run from plate to plate."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.edges import plate_shape
from drp.scaling import plain_arm
from drp.trends import Trend, rank_slope, spearman
from drp.well_arrays import Table, as_arrays, choose_wells

Values = NDArray[np.float64]


def plate_drift(plate: Table) -> tuple[float, float]:
    """Correlate the signal of the negative controls with the order of reading, row by row.

    Parameters
    ----------
    plate : DataFrame or dict of str to array
        Its wells, as `drp.wells.join_wells` gives them.

    Returns
    -------
    rho, p : float
        Spearman's rank correlation and its two-sided p-value, within the one vehicle with most
        wells; NaN with fewer than 3.
    """
    wells = as_arrays(plate)
    plain = plain_arm(wells)
    read = (plain["status"] == "ok") & ~plain["excluded"].astype(bool)
    usable = choose_wells(plain, (plain["role"] == "negative") & read)
    vehicles = usable["drug"].tolist()
    if not vehicles:
        return float("nan"), float("nan")
    most = max(sorted(set(vehicles)), key=vehicles.count)
    own = np.array([vehicle == most for vehicle in vehicles])
    rows, columns, signal = (
        usable[name].astype(float)[own] for name in ("row", "column", "signal")
    )
    return spearman(rows * plate_shape(wells)[1] + columns, signal)


def reading_order(moments: Mapping[str, str], listed: Sequence[str]) -> tuple[list[str], str]:
    """Put the plates of a run into the order in which they were read.

    Parameters
    ----------
    moments : mapping
        Each plate's time of measurement (ISO 8601), empty where the export does not say.
    listed : sequence of str
        Plates as plates.tsv lists them; those that are not in it follow by name.

    Returns
    -------
    plates : list of str
    source : str
        ``measured_at`` if every plate has a time of its own, else ``plates.tsv``.

    Examples
    --------
    >>> reading_order({"PL1": "2025-11-03T10:20", "PL2": "2025-11-03T10:15"}, ["PL1", "PL2"])
    (['PL2', 'PL1'], 'measured_at')
    >>> reading_order({"PL1": "2025-11-03", "PL2": ""}, ["PL2", "PL1"])
    (['PL2', 'PL1'], 'plates.tsv')
    """
    if all(moments.values()) and len(set(moments.values())) == len(moments):
        return sorted(moments, key=lambda plate: moments[plate]), "measured_at"
    place = {plate: index for index, plate in reversed(list(enumerate(listed)))}
    return sorted(moments, key=lambda plate: (place.get(plate, len(place)), plate)), "plates.tsv"


def run_drift(medians: Sequence[float]) -> dict[str, Any]:
    """Say whether the plates of a run grow brighter or darker from the first to the last.

    Parameters
    ----------
    medians : sequence of float
        The median negative signal of each plate, in the order of reading. Plates without one
        (NaN, or not above 0) are left aside; their place in the order stays.

    Returns
    -------
    dict
        run_drift_rho, run_drift_p (Spearman, exact over all orders up to 8 plates), run_drift_pct
        (change from the first to the last plate by the slope of `drp.trends.rank_slope`, in % of
        the median) and run_drift_n. NaN with fewer than 3 plates.

    Examples
    --------
    >>> found = run_drift([100.0, 110.0, 120.0, 130.0, 140.0])
    >>> round(found["run_drift_pct"], 1), round(found["run_drift_p"], 3)
    (33.3, 0.017)
    """
    values = np.asarray(medians, dtype=float)
    known = values > 0
    places, signals = np.flatnonzero(known).astype(float), values[known]
    trend = Trend()
    rho, p = spearman(places, signals)
    if len(signals) >= 3:
        relative = 100 * signals / np.median(signals)
        trend = rank_slope(places, relative, ["run"] * len(signals))
    return {
        "run_drift_rho": rho,
        "run_drift_p": p,
        "run_drift_pct": trend.slope * (len(values) - 1),
        "run_drift_n": len(signals),
    }
