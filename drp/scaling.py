"""The scale of a plate: which signals stand for 100 % and 0 % viability."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drp.well_arrays import Table, WellArrays, as_arrays, choose_wells, positions_by

if TYPE_CHECKING:
    import pandas as pd

_USED = ("plate", "addon", "control", "status", "signal")

Positions = NDArray[np.int64]
Values = NDArray[np.float64]


def scale(wells: "pd.DataFrame") -> "pd.DataFrame":
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
    used = [name for name in _USED if name in wells]
    return wells.assign(**scaled(as_arrays(wells[used])))


def scaled(wells: WellArrays) -> WellArrays:
    """Give viability_pct, level_100 and level_0 of every well, as `scale` does.

    >>> plate = {"plate": np.array(["PL1", "PL1"], dtype=object),
    ...          "control": np.array(["negative", ""], dtype=object),
    ...          "status": np.array(["ok", "ok"], dtype=object), "signal": np.array([80.0, 20.0])}
    >>> scaled(plate)["viability_pct"]
    array([100.,  25.])
    """
    names = ("viability_pct", "level_100", "level_0")
    found = {name: np.full(len(wells["plate"]), np.nan) for name in names}
    for rows in positions_by(wells["plate"]).values():
        plate = choose_wells(wells, rows)
        _, low = levels(plate)
        for own in _arms(plate):
            of_arm = _scaled(choose_wells(plate, own), low)
            for name, values in zip(names, of_arm, strict=True):
                found[name][rows[own]] = values
    return found


def levels(plate: Table) -> tuple[float, float]:
    """Give the signals that stand for 100 % and 0 % viability; NaN if unknown.

    `plate` is one plate, or one arm of it.

    >>> import pandas as pd
    >>> plate = pd.DataFrame({"control": ["negative", "negative", "positive", ""],
    ...                       "signal": [90.0, 110.0, 20.0, 60.0]})
    >>> levels(plate)
    (100.0, 20.0)
    """
    wells = as_arrays(plate)
    controls, signals = wells["control"], wells["signal"].astype(float)

    def median(control: str) -> float:
        values = signals[controls == control]
        values = values[~np.isnan(values)]
        return float(np.median(values)) if len(values) else float("nan")

    low = median("positive")
    if np.isnan(low):
        low = median("blank")
    return median("negative"), 0.0 if np.isnan(low) else low


def plain_arm(plate: WellArrays) -> WellArrays:
    """Leave aside arms with a partner: their controls have a level of their own, lower by it.

    A plate whose negative controls all have a partner is given back whole.
    """
    if "addon" not in plate:
        return plate
    alone = plate["addon"] == ""
    if alone.all():
        return plate
    plain = choose_wells(plate, alone)
    return plain if (plain["control"] == "negative").any() else plate


def _arms(plate: WellArrays) -> list[Positions]:
    """Where the wells of each arm stand."""
    if "addon" not in plate:
        return [np.arange(len(plate["plate"]))]
    return list(positions_by(plate["addon"]).values())


def _scaled(arm: WellArrays, low: float) -> tuple[Values, float, float]:
    """Scale the wells of an arm: 100 % by its own controls, 0 % by those of the whole plate."""
    top, _ = levels(arm)
    signal = np.where(arm["status"] == "ok", arm["signal"].astype(float), np.nan)
    if top > low:
        # written as signal / top where nothing is subtracted, so that published values of that
        # form come back to the last digit
        return 100 * (signal / top if low == 0 else (signal - low) / (top - low)), top, low
    return signal * np.nan, top, low
