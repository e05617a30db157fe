"""Viability: each well's signal as a percentage of its plate's negative controls.

The scale of a plate is set by the medians of its own controls (medians resist stray wells). Values
are never clipped: a well above 120 % or below 0 % tells something about the plate.
"""

import numpy as np
import pandas as pd

from drp.tables import check


def normalise(wells: pd.DataFrame) -> pd.DataFrame:
    """Give every well's viability in per cent.

    Parameters
    ----------
    wells : DataFrame
        Table `wells` with the column `control` (``negative``, ``positive``, ``blank`` or empty)
        and, if there are arms with a partner, `addon`.

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

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.viability import levels
    >>> plate = pd.DataFrame({"control": ["negative", "negative", "positive", ""],
    ...                       "signal": [90.0, 110.0, 20.0, 60.0]})
    >>> levels(plate)
    (100.0, 20.0)
    """
    parts = [
        _scaled(arm, plate)
        for _, plate in wells.groupby("plate", sort=True)
        for arm in _arms(plate)
    ]
    viability = pd.concat(parts) if parts else wells.assign(viability_pct=np.nan)
    return check(viability.sort_index(), "viability")


def _arms(plate: pd.DataFrame) -> list[pd.DataFrame]:
    if "addon" not in plate:
        return [plate]
    return [arm for _, arm in plate.groupby("addon", sort=True)]


def _scaled(arm: pd.DataFrame, plate: pd.DataFrame) -> pd.DataFrame:
    """Scale the wells of an arm: 100 % by its own controls, 0 % by those of the whole plate."""
    (top, _), (_, low) = levels(arm), levels(plate)
    signal = arm["signal"].where(arm["status"] == "ok").astype(float)
    if top > low:
        # written as signal / top where nothing is subtracted, so that published values of that
        # form come back to the last digit
        scaled = 100 * (signal / top if low == 0 else (signal - low) / (top - low))
    else:
        scaled = signal * np.nan
    return arm.assign(viability_pct=scaled, level_100=top, level_0=low)


def levels(plate: pd.DataFrame) -> tuple[float, float]:
    """Give the signals that stand for 100 % and 0 % viability; NaN if unknown.

    `plate` is one plate, or one arm of it.
    """

    def median(control: str) -> float:
        values = plate.loc[plate["control"] == control, "signal"]
        return float(values.median()) if len(values) else float("nan")

    low = median("positive")
    if np.isnan(low):
        low = median("blank")
    return median("negative"), 0.0 if np.isnan(low) else low
