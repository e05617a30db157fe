"""Repeat samples of a patient: what changed from one to the next, beyond noise."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from drp.standing import SAME_DOSE

_NORMAL_95 = 1.959963984540054
_COLUMNS = ["patient", "drug", "earlier", "later", "change", "change_lo", "change_hi", "p", "q",
            "verdict"]  # fmt: skip


def changes(
    curves: pd.DataFrame,
    order: Mapping[str, Sequence[str]],
    *,
    between_sd: float = 3.0,
    least: float = 5.0,
    rate: float = 0.05,
) -> pd.DataFrame:
    """Compare each sample of a patient with the one before it, drug by drug.

    Parameters
    ----------
    curves : DataFrame
        Table `curves`: sample, drug, dose_unit, dose_min, dose_max, auc, auc_lo and auc_hi are
        used; only curves over the same doses are compared.
    order : mapping
        Patient → its samples, earliest first; only samples of one assay belong here.
    between_sd : float
        SD of the AUC between two platings of the same cells, beyond the wells' noise, points: what
        a laboratory sees when it repeats a sample.
    least : float
        Changes of the AUC smaller than this do not matter, points.
    rate : float
        False discovery rate over the drugs of one comparison (Benjamini and Hochberg, J R Stat Soc
        B 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).

    Returns
    -------
    DataFrame
        patient, drug, earlier, later (samples), change (points of AUC; negative is more
        sensitive) with its interval, p (of no change), q (adjusted), verdict: ``more sensitive``,
        ``less sensitive`` or ``no change beyond noise``.

    Examples
    --------
    >>> curves = pd.DataFrame({
    ...     "sample": ["S1", "S2"], "drug": "a", "dose_unit": "nM", "dose_min": 1.0,
    ...     "dose_max": 1e3, "auc": [60.0, 90.0], "auc_lo": [57.0, 87.0], "auc_hi": [63.0, 93.0]})
    >>> changes(curves, {"P1": ["S1", "S2"]})[["change", "verdict"]].values.tolist()
    [[30.0, 'less sensitive']]
    """
    parts = []
    for patient in sorted(order):
        samples = order[patient]
        for earlier, later in pairwise(samples):
            found = _pair(curves, earlier, later, between_sd)
            parts.append(_judged(found, least, rate).assign(patient=patient))
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def _pair(curves: pd.DataFrame, earlier: str, later: str, between_sd: float) -> pd.DataFrame:
    sides = [curves[curves["sample"] == sample] for sample in (earlier, later)]
    both = sides[0].merge(sides[1], on=["drug", "dose_unit"], suffixes=("", "_later"))
    for limit in ("dose_min", "dose_max"):
        both = both[np.isclose(both[limit], both[f"{limit}_later"], rtol=SAME_DOSE, atol=0)]
    change = (both["auc_later"] - both["auc"]).to_numpy(float)
    errors = [
        (both[f"auc_hi{side}"] - both[f"auc_lo{side}"]).to_numpy(float) / (2 * _NORMAL_95)
        for side in ("", "_later")
    ]
    spread = np.sqrt(errors[0] ** 2 + errors[1] ** 2 + 2 * between_sd**2)
    table = {
        "drug": both["drug"].to_numpy(),
        "earlier": earlier,
        "later": later,
        "change": change,
        "change_lo": change - _NORMAL_95 * spread,
        "change_hi": change + _NORMAL_95 * spread,
        "spread": spread,
    }
    found = pd.DataFrame(table)
    return found[found["spread"].notna()].sort_values("drug", ignore_index=True)


def _judged(found: pd.DataFrame, least: float, rate: float) -> pd.DataFrame:
    from scipy.special import ndtr
    from scipy.stats import false_discovery_control

    change: Any = found["change"].to_numpy(float)
    p = 2 * ndtr(-np.abs(change) / found["spread"].to_numpy(float))
    q = false_discovery_control(p) if len(p) else p
    changed = (q <= rate) & (np.abs(change) >= least)
    words = np.where(change < 0, "more sensitive", "less sensitive")
    return found.assign(p=p, q=q, verdict=np.where(changed, words, "no change beyond noise"))
