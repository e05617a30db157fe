"""The cohort: the reference samples every sample is compared with.

Two tables. `members` has one row per reference sample and drug, so that a sample can be left out
of its own reference; `reference` sums it up per assay and drug. Only samples of the same assay and
drugs tested over the same doses are comparable, and a failed sample is no reference.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.members import (
    MEMBER_KIND,
    MEMBER_NUMBERS,
    MEMBER_OPTIONAL,
    MEMBER_TEXT,
    member_problems,
)
from drp.plain_tables import plain
from drp.problems import DataError
from drp.tables import check, empty

Values = NDArray[Any]

_QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def members_of_run(curves: pd.DataFrame, assay_of: dict[str, str]) -> pd.DataFrame:
    """Give the reference rows that this run's samples contribute.

    Parameters
    ----------
    curves : DataFrame
        Table `curves`.
    assay_of : dict
        Each sample that may serve as reference → its assay; samples not named here (failed ones,
        say) contribute nothing.

    Returns
    -------
    DataFrame
        Columns assay, sample, drug, dose_unit, dose_min, dose_max, auc, dss2, top, bottom, slope,
        ec50, auc_se (standard error of the AUC, points; NaN where `curves` has none), version (NaN:
        of no version) and kind; rows without an AUC are left out.
    """
    usable = curves[curves["sample"].isin(list(assay_of)) & curves["auc"].notna()]
    members = usable.assign(assay=usable["sample"].map(assay_of))
    return _ordered(members)


def read_members(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Check a table of earlier samples, as a laboratory keeps it, and give it as members.

    Raises
    ------
    DataError
        A column is missing, a number is none, or a sample has a drug twice.
    """
    faults = member_problems(plain(frame), file)
    if faults:
        raise DataError(faults)
    numbers = [name for name in (*MEMBER_NUMBERS, *MEMBER_OPTIONAL) if name in frame]
    columns = {column: pd.to_numeric(frame[column], errors="coerce") for column in numbers}
    return _ordered(frame.assign(**columns))


def _ordered(members: pd.DataFrame) -> pd.DataFrame:
    missing: dict[str, Any] = {
        name: float("nan") for name in MEMBER_OPTIONAL if name not in members
    }
    missing |= {} if MEMBER_KIND in members else {MEMBER_KIND: ""}
    columns = [*MEMBER_TEXT, *MEMBER_NUMBERS, *MEMBER_OPTIONAL, MEMBER_KIND]
    kept = members.assign(**missing)[columns]
    kept = kept.sort_values(["assay", "drug", "sample"], ignore_index=True)
    return kept.astype(dict.fromkeys((*MEMBER_NUMBERS, *MEMBER_OPTIONAL), "float64"))


def join_members(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join earlier samples and this run's; a sample that stands in both counts once, the newer.

    Drugs are the same however their names are capitalised, as they are when samples are compared.

    Parameters
    ----------
    parts : iterable of DataFrame
        Members, earlier ones first.
    """
    numbers = dict.fromkeys((*MEMBER_NUMBERS, *MEMBER_OPTIONAL), "float64")
    columns = dict.fromkeys((*MEMBER_TEXT, MEMBER_KIND), "str") | numbers
    nobody = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    joined = pd.concat(list(parts) or [nobody], ignore_index=True)
    folded = joined.assign(drug=joined["drug"].str.casefold())
    older = folded.duplicated(["assay", "sample", "drug"], keep="last")
    return _ordered(joined[~older])


def build_reference(members: pd.DataFrame) -> pd.DataFrame:
    """Sum up the reference per assay and drug.

    Returns
    -------
    DataFrame
        Table `reference`. Further columns: median_top, median_bottom (% viability),
        median_slope and median_ec50 (dose unit), medians of the members' curves, which draw the
        dashed line of a figure. `mad` is the plain median absolute deviation, in the unit of the
        metric.
    """
    rows = []
    columns = _columns(_ordered(members))
    for part in _drugs(columns):
        group = {name: values[part] for name, values in columns.items()}
        row: dict[str, object] = {name: group[name][0] for name in ("assay", "drug")}
        row["n"] = part.stop - part.start
        for metric in ("auc", "dss2"):
            values = group[metric][~np.isnan(group[metric])]
            row |= {f"{metric}_{name}": at for name, at in _spread(values).items()}
        for name in ("top", "bottom", "slope", "ec50"):
            row[f"median_{name}"] = _spread(group[name][~np.isnan(group[name])])["median"]
        row["source_hash"] = _hash(group)
        rows.append(row)
    if not rows:
        medians: list[str] = [f"median_{name}" for name in ("top", "bottom", "slope", "ec50")]
        return empty("reference", dict.fromkeys(medians, "number"))
    return check(pd.DataFrame(rows), "reference")


def members_at(members: pd.DataFrame, version: int) -> pd.DataFrame:
    """Give the members that a version of the table holds: all that came with it or before.

    Rows that name no version have always been there.

    Examples
    --------
    >>> members_at(pd.DataFrame({"sample": ["R1", "R2"], "version": [float("nan"), 2]}), 1)
      sample  version
    0     R1      NaN
    """
    return members[~(members["version"] > version)].reset_index(drop=True)


def source_hash(members: pd.DataFrame) -> str:
    """Give the SHA-256 of members, whatever their order: the name of a cohort in a report.

    With which version a member came is not in it: the same cohort has the same name.
    """
    return _hash(_columns(_ordered(members)))


def _columns(ordered: pd.DataFrame) -> dict[str, Values]:
    numbers = (*MEMBER_NUMBERS, *MEMBER_OPTIONAL)
    return {
        str(name): ordered[name].to_numpy("<f8" if name in numbers else object) for name in ordered
    }


def _drugs(columns: Mapping[str, Values]) -> Iterator[slice]:
    """Give the rows of each drug in each assay; they follow each other."""
    n_rows = len(columns["drug"])
    new = [
        at
        for at in range(n_rows)
        if at == 0 or any(columns[name][at] != columns[name][at - 1] for name in ("assay", "drug"))
    ]
    for begin, end in pairwise([*new, n_rows]):
        yield slice(begin, end)


def _spread(values: Values) -> dict[str, float]:
    """Give the quantiles and the median absolute deviation of some numbers; NaN of none."""
    if not len(values):
        return dict.fromkeys((*_QUANTILES, "mad"), float("nan"))
    found = np.quantile(values, list(_QUANTILES.values()))
    mad = np.median(np.abs(values - np.median(values)))
    return dict(zip((*_QUANTILES, "mad"), map(float, (*found, mad)), strict=True))


def _hash(columns: Mapping[str, Values]) -> str:
    named = {name: values for name, values in columns.items() if name != "version"}
    found = hashlib.sha256("\t".join(named).encode())
    for values in named.values():
        if values.dtype == object:
            found.update("\n".join(values).encode())
        else:
            found.update(np.where(np.isnan(values), np.nan, values + 0.0).tobytes())
    return found.hexdigest()
