"""The scale of a plate: which signals stand for 100 % and 0 % viability."""

import numpy as np
import pandas as pd


def scale(wells: pd.DataFrame) -> pd.DataFrame:
    """Scale every well by the controls of its plate; see `drp.viability.normalise`.

    Parameters
    ----------
    wells : DataFrame
        Table `wells` with the column `control` and, if there are arms with a partner, `addon`.

    Returns
    -------
    DataFrame
        The wells, in the order given, with viability_pct, level_100 and level_0.
    """
    parts = [
        _scaled(arm, plate)
        for _, plate in wells.groupby("plate", sort=True)
        for arm in _arms(plate)
    ]
    if not parts:
        return wells.assign(viability_pct=np.nan, level_100=np.nan, level_0=np.nan)
    return pd.concat(parts).sort_index()


def levels(plate: pd.DataFrame) -> tuple[float, float]:
    """Give the signals that stand for 100 % and 0 % viability; NaN if unknown.

    `plate` is one plate, or one arm of it.

    >>> plate = pd.DataFrame({"control": ["negative", "negative", "positive", ""],
    ...                       "signal": [90.0, 110.0, 20.0, 60.0]})
    >>> levels(plate)
    (100.0, 20.0)
    """
    controls, signals = plate["control"].to_numpy(), plate["signal"].to_numpy(dtype=float)

    def median(control: str) -> float:
        values = signals[controls == control]
        values = values[~np.isnan(values)]
        return float(np.median(values)) if len(values) else float("nan")

    low = median("positive")
    if np.isnan(low):
        low = median("blank")
    return median("negative"), 0.0 if np.isnan(low) else low


def plain_arm(plate: pd.DataFrame) -> pd.DataFrame:
    """Leave aside arms with a partner: their controls have a level of their own, lower by it.

    A plate whose negative controls all have a partner is given back whole.
    """
    if "addon" not in plate:
        return plate
    alone = plate["addon"].to_numpy() == ""
    if alone.all():
        return plate
    plain = plate[alone]
    return plain if (plain["control"] == "negative").any() else plate


def _arms(plate: pd.DataFrame) -> list[pd.DataFrame]:
    if "addon" not in plate or (plate["addon"].to_numpy() == "").all():
        return [plate]
    return [arm for _, arm in plate.groupby("addon", sort=True)]


def _scaled(arm: pd.DataFrame, plate: pd.DataFrame) -> pd.DataFrame:
    """Scale the wells of an arm: 100 % by its own controls, 0 % by those of the whole plate."""
    (top, _), (_, low) = levels(arm), levels(plate)
    read = arm["status"].to_numpy() == "ok"
    signal = np.where(read, arm["signal"].to_numpy(dtype=float), np.nan)
    if top > low:
        # written as signal / top where nothing is subtracted, so that published values of that
        # form come back to the last digit
        scaled = 100 * (signal / top if low == 0 else (signal - low) / (top - low))
    else:
        scaled = signal * np.nan
    return arm.assign(viability_pct=scaled, level_100=top, level_0=low)
