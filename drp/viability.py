"""Viability: each well's signal as a percentage of its plate's negative controls.

The scale of a plate is set by the medians of its own controls (medians resist stray wells). Values
are never clipped: a well above 120 % or below 0 % tells something about the plate.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from drp.edges import Method, correct
from drp.scaling import levels, scale
from drp.tables import check
from drp.well_arrays import as_arrays, choose_wells, positions_by

__all__ = ["levels", "normalise"]


def normalise(
    wells: pd.DataFrame, correction: Method = "none", limits: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Give every well's viability in per cent.

    Parameters
    ----------
    wells : DataFrame
        Table `wells` with the column `control` (``negative``, ``positive``, ``blank`` or empty)
        and, if there are arms with a partner, `addon`; for a correction also `row` and `column`.
    correction : {"none", "loess"}
        What to do about an effect of a well's place, see `drp.edges.correct`. By default nothing.
    limits : mapping, optional
        For a correction: ``edge_effect_pct``, ``gradient_pct`` and ``trend_p``, the limits beyond
        which a plate is corrected.

    Returns
    -------
    DataFrame
        Table `viability`: the wells, with viability_pct and the levels that set its scale,
        `level_100` (median negative) and `level_0` (median positive, else median blank, else 0),
        in the unit of the signal. With positive controls the scale is
        ``100 (x - positive) / (negative - positive)``, without them
        ``100 (x - blank) / (negative - blank)``. Wells of an arm with a partner (`addon`) are
        scaled to the negative controls with the same partner, so that 100 % is the partner alone;
        the lower level is that of the plate. Wells without a reading, and all wells of a plate or
        an arm that cannot be scaled (no negative controls, or not above the lower level), are NaN.
        `viability_raw_pct` is the same before any correction; `correction` names the one that was
        applied to the plate, or is ``none``.

    Examples
    --------
    >>> from drp.viability import levels
    >>> plate = pd.DataFrame({"control": ["negative", "negative", "positive", ""],
    ...                       "signal": [90.0, 110.0, 20.0, 60.0]})
    >>> levels(plate)
    (100.0, 20.0)
    """
    raw = scale(wells)
    viability = raw.assign(viability_raw_pct=raw["viability_pct"], correction="none")
    if correction != "none":
        arrays = as_arrays(raw)
        values, applied = arrays["viability_pct"].copy(), viability["correction"].to_list()
        for own in positions_by(arrays["plate"]).values():
            found = correct(choose_wells(arrays, own), correction, limits or {})
            if found.applied:
                values[own] /= found.factor
                for place in own:
                    applied[place] = correction
        viability = viability.assign(viability_pct=values, correction=applied)
    return check(viability, "viability")
