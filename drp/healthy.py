"""Healthy controls beside a call: how far a sample lies from them. They decide nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from drp.deconvolution import LEAST_SD, MAD_TO_SD, Values
from drp.standing import SAME_DOSE

HEALTHY_COLUMNS = (
    "n_healthy", "healthy_median", "selective_difference", "selective_difference_lo",
    "selective_difference_hi",
)  # fmt: skip
# A median of n normal values is this much less certain than their mean.
_MEDIAN_TO_MEAN = 1.2533


def beside_healthy(
    calls: pd.DataFrame,
    curves: pd.DataFrame,
    healthy: pd.DataFrame,
    assay_of: Mapping[str, str],
    minimum: int,
) -> pd.DataFrame:
    """Put the healthy controls of the same assay, drug and doses beside each call.

    Parameters
    ----------
    calls : DataFrame
        Table `calls`.
    curves : DataFrame
        Table `curves` with `auc_se`, the standard error of the AUC (wells and controls), points.
    healthy : DataFrame
        Members (`drp.cohort`) that are healthy controls; a sample is left out of its own.
    assay_of : mapping
        Each sample's assay.
    minimum : int
        With fewer controls nothing is compared.

    Returns
    -------
    DataFrame
        `calls` with n_healthy (controls to compare with), healthy_median (AUC, %), and
        selective_difference (AUC of the sample less that median, points; negative is more
        sensitive than healthy cells) with its 95 % interval, from the error of the curve and of
        the median (Student's t). NaN where a drug is not evaluable or the controls are too few.

    Examples
    --------
    >>> doses = {"drug": "a", "dose_unit": "nM", "dose_min": 1.0, "dose_max": 1e3}
    >>> curves = pd.DataFrame({"sample": ["S1"], "auc": 50.0, "auc_se": 2.0, **doses})
    >>> healthy = pd.DataFrame({"sample": ["H1", "H2", "H3"], "assay": "x", **doses,
    ...                         "auc": [78.0, 80.0, 82.0]})
    >>> calls = pd.DataFrame({"sample": ["S1"], "drug": "a", "call": "sensitive"})
    >>> row = beside_healthy(calls, curves, healthy, {"S1": "x"}, 3).iloc[0]
    >>> int(row["n_healthy"]), float(row["selective_difference"])
    (3, -30.0)
    """
    if healthy.empty:
        nothing = dict.fromkeys(HEALTHY_COLUMNS, np.nan) | {"n_healthy": 0}
        return calls.assign(**nothing)
    groups = _groups(healthy)
    by_drug = {(row["sample"], row["drug"]): row for row in curves.to_dict("records")}
    rows = []
    for call in calls[["sample", "drug", "call"]].to_dict("records"):
        curve = by_drug[call["sample"], call["drug"]]
        key = (assay_of[call["sample"]], call["drug"].casefold(), curve["dose_unit"])
        controls = _comparable(groups.get(key), curve)
        evaluable = call["call"] != "not evaluable" and len(controls) >= minimum
        rows.append([len(controls), *(_difference(curve, controls) if evaluable else [np.nan] * 4)])
    found = pd.DataFrame(rows, columns=list(HEALTHY_COLUMNS), index=calls.index, dtype="float64")
    return calls.assign(**found.astype({"n_healthy": "int64"}))


def _groups(healthy: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    known = healthy[healthy["auc"].notna()]
    return dict(
        list(known.groupby([known["assay"], known["drug"].str.casefold(), known["dose_unit"]]))
    )


def _comparable(group: pd.DataFrame | None, curve: Mapping[Any, Any]) -> Values:
    """AUCs of controls that were tested over the same doses, the sample itself left out."""
    if group is None:
        return np.array([])
    same = group["sample"] != curve["sample"]
    for limit in ("dose_min", "dose_max"):
        same &= np.isclose(group[limit], curve[limit], rtol=SAME_DOSE, atol=0)
    return np.sort(group.loc[same, "auc"].to_numpy(float))


def _difference(curve: Mapping[Any, Any], controls: Values) -> list[float]:
    from scipy.special import stdtrit

    centre, n, error = float(np.median(controls)), len(controls), float(curve["auc_se"])
    spread = max(MAD_TO_SD * float(np.median(np.abs(controls - centre))), LEAST_SD)
    both = np.hypot(error, _MEDIAN_TO_MEAN * spread / np.sqrt(n))
    width = float(both * stdtrit(n - 1, 0.975))
    difference = float(curve["auc"]) - centre
    return [centre, difference, difference - width, difference + width]
