"""The wells of each drug alone: which wells make a curve, and on which axis they stand.

Single-agent wells are those that name no second drug and belong to no arm with a partner. Where a
drug has none, the monotherapy wells of a dose matrix stand in. Doses in different units, or in
none, are never put on one axis.
"""

import numpy as np
import pandas as pd

from drp.curves.model import Floats
from drp.problems import Place, Problems
from drp.tables import DOSE_UNITS

KEY = ["sample", "drug"]
NEEDED = ("sample", "drug", "dose", "viability_pct")
NUMBERS = ("dose", "viability_pct", "dose2", "dose3")
_TABLE = Place("table viability")
# A viability beyond this, per cent, is no measurement: its square would swamp a sum of squares.
LARGEST_VIABILITY = 1e12


def select_wells(viability: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the wells to fit, and one row per curve with what is known of it.

    Parameters
    ----------
    viability : pandas.DataFrame
        As `checked_wells` gives it; if present gr, control_growth and gr_form are carried along.

    Returns
    -------
    wells : pandas.DataFrame
        sample, drug, dose, viability_pct, gr, curve (number of its row among the curves).
    curves : pandas.DataFrame
        sample, drug, n_excluded, control_growth, gr_form, dose_unit (empty where it is mixed or
        not stated), and the flags missing_dose, matrix_monotherapy, mixed_units, no_unit.
    """
    wells = viability
    if "role" in wells:
        wells = wells[wells["role"] == "sample"]
    wells = wells[_unnamed(wells, "addon")]
    single = _as_drug(wells[_unnamed(wells, "drug2")], "", matrix=False)
    matrix = _matrix_monotherapy(wells[~_unnamed(wells, "drug2")])
    known = pd.MultiIndex.from_frame(single[KEY])
    matrix = matrix[~pd.MultiIndex.from_frame(matrix[KEY]).isin(known)]
    wells = pd.concat([single, matrix], ignore_index=True)
    wells = _marked(wells[wells["drug"] != ""])
    groups = _groups(wells)
    axis = groups.loc[~groups["mixed_units"] & ~groups["no_unit"], [*KEY, "curve"]]
    return wells[wells["used"]].merge(axis, on=KEY), groups


def _marked(wells: pd.DataFrame) -> pd.DataFrame:
    """Say of each well whether it is used, and why not."""
    bad_dose = ~(wells["dose"] >= 0) | ~np.isfinite(wells["dose"])
    usable = ~wells["excluded"] & (wells["viability_pct"].abs() <= LARGEST_VIABILITY)
    # Only wells with a dose have a unit worth comparing.
    unit = wells["dose_unit"].where(usable & ~bad_dose)
    return wells.assign(
        n_excluded=~usable, missing_dose=usable & bad_dose, used=usable & ~bad_dose, unit=unit
    )


def _groups(wells: pd.DataFrame) -> pd.DataFrame:
    grouped = wells.groupby(KEY, sort=True)
    groups = grouped.agg(
        n_excluded=("n_excluded", "sum"),
        missing_dose=("missing_dose", "any"),
        matrix_monotherapy=("matrix", "all"),
        dose_unit=("unit", "min"),
        units=("unit", "nunique"),
        control_growth=("control_growth", "median"),
        gr_form=("gr_form", "min"),
    ).reset_index()
    stated = grouped["dose_unit"].max().to_numpy()
    unused = groups["units"] == 0
    groups["dose_unit"] = np.where(unused, stated, groups["dose_unit"])
    groups["mixed_units"] = groups["units"] > 1
    groups["no_unit"] = (groups["units"] == 1) & (groups["dose_unit"] == "")
    groups.loc[groups["mixed_units"], "dose_unit"] = ""
    groups["curve"] = np.arange(len(groups))
    return groups


def _unnamed(wells: pd.DataFrame, column: str) -> "pd.Series[bool]":
    if column not in wells:
        return pd.Series(True, index=wells.index)
    return wells[column].fillna("") == ""


def _as_drug(wells: pd.DataFrame, suffix: str, *, matrix: bool) -> pd.DataFrame:
    """Take one of the drugs of each well as its drug."""
    excluded = wells["excluded"].fillna(False) if "excluded" in wells else False
    unit = wells["dose_unit"].fillna("") if "dose_unit" in wells else "nM"
    return pd.DataFrame(
        {
            "sample": wells["sample"],
            "drug": wells[f"drug{suffix}"].fillna(""),
            "dose": wells[f"dose{suffix}"],
            "viability_pct": wells["viability_pct"],
            "dose_unit": unit,
            "excluded": excluded,
            "matrix": matrix,
            "gr": wells.get("gr", np.nan),
            "control_growth": wells.get("control_growth", np.nan),
            "gr_form": wells.get("gr_form", ""),
        }
    ).astype({"excluded": bool, "gr": "float64", "control_growth": "float64"})


def _matrix_monotherapy(wells: pd.DataFrame) -> pd.DataFrame:
    """Take the wells of combinations in which just one of the drugs has a dose above 0."""
    suffixes = [s for s in ("", "2", "3") if f"drug{s}" in wells and f"dose{s}" in wells]
    for s in suffixes:
        # A drug without a dose was given, nobody knows at which dose: that is no monotherapy.
        wells = wells[_unnamed(wells, f"drug{s}") | wells[f"dose{s}"].notna()]
    doses = {s: wells[f"dose{s}"].fillna(0.0) for s in suffixes}
    n_dosed = sum((dose > 0 for dose in doses.values()), start=pd.Series(0, index=wells.index))
    parts = [_as_drug(wells[(n_dosed == 1) & (doses[s] > 0)], s, matrix=True) for s in suffixes]
    return pd.concat(parts) if parts else _as_drug(wells, "", matrix=True)


def well_matrices(
    wells: pd.DataFrame, n_curves: int, columns: tuple[str, ...] = ("dose", "viability_pct")
) -> list[Floats]:
    """Lay columns of the wells out as (n_curves, n_points), NaN = none; order does not matter."""
    curve = wells["curve"].to_numpy()
    place = wells.groupby("curve").cumcount().to_numpy()
    laid = []
    for name in columns:
        values = np.full((n_curves, int(place.max(initial=0)) + 1), np.nan)
        values[curve, place] = wells[name].to_numpy()
        laid.append(values)
    return laid


def checked_wells(viability: pd.DataFrame) -> pd.DataFrame:
    """Give the wells with numbers for doses and viability; refuse what no curve can be made of.

    Raises
    ------
    DataError
        A column is missing or holds no numbers, a well names no sample, or a unit is unknown; all
        faults at once.

    Examples
    --------
    >>> checked_wells(pd.DataFrame({"sample": ["S1"], "drug": ["a"], "dose": ["1"]}))
    Traceback (most recent call last):
    drp.problems.DataError: error curves.missing-column: ...column viability_pct is missing...
    """
    found = Problems()
    for name in NEEDED:
        if name not in viability:
            fix = f"The columns {', '.join(NEEDED)} are needed."
            found.error("curves.missing-column", _TABLE, f"column {name} is missing", fix)
    found.raise_errors()
    numbers = {name: _number(viability, name, found) for name in NUMBERS if name in viability}
    wells = viability[viability["role"] == "sample"] if "role" in viability else viability
    nameless = wells["sample"].fillna("") == ""
    if nameless.any():
        text = f"{int(nameless.sum())} wells name no sample"
        found.error("curves.no-sample", _TABLE, text, "Name the sample of every well.")
    for unit in sorted(set(wells.get("dose_unit", ())) - {"", *DOSE_UNITS} - {np.nan, None}):
        fix = f"Convert doses to one of {', '.join(DOSE_UNITS)}."
        found.error("curves.unknown-unit", _TABLE, f"the dose unit {unit!r} is unknown", fix)
    found.raise_errors()
    return viability.assign(**numbers)


def _number(viability: pd.DataFrame, name: str, found: Problems) -> "pd.Series[float]":
    if pd.api.types.is_float_dtype(viability[name].dtype):
        return viability[name].astype("float64")  # as the stages give it: there is no text to find
    values = pd.to_numeric(viability[name], errors="coerce")
    text = values.isna() & viability[name].notna() & (viability[name].astype(str) != "")
    if text.any():
        what = f"column {name} holds {viability.loc[text, name].iloc[0]!r}"
        fix = "Give numbers, empty where there is none."
        found.error("curves.not-a-number", _TABLE, what, fix)
    return values.astype("float64")
