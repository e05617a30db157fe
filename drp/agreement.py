"""Agreement: how far wells that should be equal differ, within a plate and between plates.

All in points of viability. Wells should be equal if they hold the same drugs in the same doses, of
the same sample, in the same arm; a dose of 0 in a matrix is no drug.
"""

from collections.abc import Collection
from math import sqrt

import pandas as pd

from drp.well_arrays import positions_by

_LEAST_SHARED = 3  # conditions that two plates share; fewer do not tell how plates agree
_KEY = ["sample", "addon", "condition"]


def conditions(viability: pd.DataFrame) -> pd.DataFrame:
    """Give the usable wells with a drug, with the column `condition` that names drugs and doses.

    Parameters
    ----------
    viability : DataFrame
        Wells as `drp.scaling.scale` gives them. Wells with a sample or a reference substance take
        part, if they were read and not taken out.

    Returns
    -------
    DataFrame
        plate, sample, addon, condition, drug, role, viability_pct.
    """
    usable = viability[
        viability["role"].isin(["sample", "reference"])
        & (viability["status"] == "ok")
        & ~viability["excluded"]
        & viability["viability_pct"].notna()
    ]
    pairs = [("drug", "dose"), ("drug2", "dose2"), ("drug3", "dose3")]
    columns = [usable[name].tolist() for pair in pairs for name in pair]
    named = [_condition(cells) for cells in zip(*columns, strict=True)]
    addon = usable.get("addon", "")
    kept = usable[["plate", "sample", "drug", "role", "viability_pct"]]
    return kept.assign(addon=addon, condition=pd.Series(named, index=usable.index, dtype="str"))


def within_plates(wells: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Give the pooled standard deviation of replicate wells of each plate, and how many groups.

    Wells of a reference substance are left aside; a plate without replicates is not there.

    >>> wells = pd.DataFrame({"plate": "PL1", "sample": "S1", "addon": "", "role": "sample",
    ...     "condition": ["A 1", "A 1", "A 2"], "viability_pct": [80.0, 90.0, 40.0]})
    >>> sd, groups = within_plates(wells)["PL1"]
    >>> round(sd, 2), groups
    (7.07, 1)
    """
    of_sample = wells[wells["role"] == "sample"]
    # Most plates hold no replicates, or few: only those are worth sorting into groups.
    repeated = of_sample[of_sample.duplicated(["plate", *_KEY], keep=False).to_numpy()]
    groups = repeated.groupby(["plate", *_KEY])["viability_pct"].agg(["var", "count"])
    plates = groups.index.get_level_values("plate").to_numpy(dtype=object)
    variance, freedom = groups["var"].to_numpy(), groups["count"].to_numpy() - 1
    found = {}
    for plate, own in positions_by(plates).items():
        pooled = float((variance[own] * freedom[own]).sum() / freedom[own].sum())
        found[plate] = (sqrt(pooled), len(own))
    return found


def between_plates(wells: pd.DataFrame, drugs: Collection[str] | None = None) -> pd.DataFrame:
    """Compare each plate's mean per condition with that of the other plates.

    Parameters
    ----------
    wells : DataFrame
        As `conditions` gives them, of several plates.
    drugs : collection of str, optional
        Only these drugs, in small letters, and the wells of a reference substance. Without it,
        all drugs and no such wells.

    Returns
    -------
    DataFrame
        By plate: `sd`, the standard deviation of a plate mean, from the differences ``d`` to the
        mean of the other ``k - 1`` plates, ``sqrt(mean(d^2 (k - 1) / k))``; `shift`, the median
        difference, positive if the plate reads higher; `n`, the conditions it shares. Plates that
        share fewer than 3 are left out.

    Examples
    --------
    >>> wells = pd.DataFrame({"plate": ["PL1"] * 3 + ["PL2"] * 3, "sample": "S1", "addon": "",
    ...     "drug": "A", "role": "sample", "condition": ["A 1", "A 2", "A 3"] * 2,
    ...     "viability_pct": [90.0, 70.0, 50.0, 80.0, 60.0, 40.0]})
    >>> between_plates(wells).loc["PL1"].round(2).to_dict()
    {'sd': 7.07, 'shift': 10.0, 'n': 3.0}
    """
    control = wells["role"] == "reference"
    if drugs is None:
        wells = wells[~control]
    else:
        wells = wells[control | wells["drug"].str.casefold().isin(drugs)]
    means = wells.groupby(["plate", *_KEY])["viability_pct"].mean().reset_index()
    of_condition = means.groupby(_KEY)["viability_pct"]
    k, total = of_condition.transform("count"), of_condition.transform("sum")
    own = means["viability_pct"]
    difference = own - (total - own) / (k - 1)
    shared = means.assign(shift=difference, square=difference**2 * (k - 1) / k)[k > 1]
    by_plate = shared.groupby("plate")
    found = pd.DataFrame(
        {
            "sd": by_plate["square"].mean() ** 0.5,
            "shift": by_plate["shift"].median(),
            "n": by_plate.size(),
        }
    )
    return found[found["n"] >= _LEAST_SHARED]


def _condition(cells: tuple[object, ...]) -> str:
    if not cells[2] and not cells[4]:  # most wells
        return f"{cells[0]} {cells[1]!r}" if cells[0] and cells[1] != 0 else ""
    named = zip(cells[::2], cells[1::2], strict=True)
    kept = sorted(f"{drug} {dose!r}" for drug, dose in named if drug and dose != 0)
    return " + ".join(kept)
