"""Selective scores: a patient's score against that of healthy or other reference samples."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from drp.problems import DataError, Place, Problem, Problems
from drp.scores import check_variant, score_table

# With fewer reference samples neither a standard deviation nor a median means anything.
FEWEST_FOR_SPREAD = 3
# Drugs inactive in every reference sample have no spread at all; one point keeps them finite.
SPREAD_OFFSET = 1.0
# Makes the median absolute deviation of normal values their standard deviation.
MAD_TO_SD = 1.4826
# Doses that agree to this share are the same dose.
SAME_DOSE = 1e-6


def selective_scores(
    curves: pd.DataFrame, reference: pd.DataFrame, *, variant: str = "dss2"
) -> pd.DataFrame:
    """Compare each curve's score with the same score of reference samples.

    Parameters
    ----------
    curves : pandas.DataFrame
        Table ``curves`` (one column per variant), or a long table with columns ``variant`` and
        ``score`` (see `drp.scores.score_table`).
    reference : pandas.DataFrame
        The same of healthy controls or of a cohort, of the same assay. A sample is left out of
        its own reference.
    variant : str
        One of `drp.scores.SCORES`.

    Returns
    -------
    pandas.DataFrame
        One row per curve: sample, drug, variant, score, n_reference, reference_mean,
        reference_median, sdss = score - mean; zdss = (score - mean) / (SD + 1); rdss = (score -
        median) / (MAD + 1), MAD × 1.4826; flags: ``no_reference``, ``few_reference`` (fewer than
        three: sdss only), ``other_doses`` (reference curves tested over other doses or in another
        unit were left out), ``no_score``. Because of the + 1, z is no normal deviate.

    Raises
    ------
    DataError
        The variant is unknown, a table lacks it, or a long table holds another one: scores of
        different variants are never merged.

    Notes
    -----
    sDSS: Yadav et al., Sci Rep 2014, doi:10.1038/srep05193. zDSS, rDSS: Chen et al., Nat Protoc
    2024, doi:10.1038/s41596-023-00903-x.

    Examples
    --------
    >>> def table(samples, scores):
    ...     return pd.DataFrame({"sample": samples, "drug": "a", "dose_unit": "nM",
    ...                          "dose_min": 1.0, "dose_max": 1e4, "dss2": scores})
    >>> healthy = table(["H1", "H2", "H3"], [4.0, 5.0, 6.0])
    >>> row = selective_scores(table(["S1"], [15.0]), healthy).iloc[0]
    >>> float(row["sdss"]), float(row["zdss"]), row["flags"]
    (10.0, 5.0, '')
    """
    check_variant(variant)
    own, others = _long(curves, variant, "curves"), _long(reference, variant, "reference")
    by_drug = dict(list(others.groupby("drug", sort=True)))
    rows = [
        _row(curve, by_drug.get(curve["drug"], others.iloc[:0])) for curve in own.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = [
    *("sample", "drug", "variant", "score", "n_reference", "reference_mean"),
    *("reference_median", "sdss", "zdss", "rdss", "flags"),
]


def _long(table: pd.DataFrame, variant: str, name: str) -> pd.DataFrame:
    """Give the scores in long form, whichever form they came in."""
    if "variant" not in table:
        return score_table(table, variant)
    other = sorted(set(table["variant"]) - {variant})
    if other:
        found = f"table {name} holds {', '.join(other)} where {variant} is to be compared"
        fix = "Scores of one kind do not stand in for another: compare each with its own."
        place = Place(locator=f"table {name}, column variant")
        raise DataError([Problem("scores.mixed-variants", "error", place, found, fix)])
    return table


def join_scores(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put long tables of scores under one another; they must be of one variant.

    Parameters
    ----------
    tables : list of pandas.DataFrame
        As `drp.scores.score_table` gives them.

    Raises
    ------
    DataError
        The tables hold more than one variant, or none says which.

    Examples
    --------
    >>> parts = [pd.DataFrame({"variant": [name], "score": 5.0}) for name in ("dss2", "dss_asym")]
    >>> join_scores(parts)
    Traceback (most recent call last):
    drp.problems.DataError: error scores.mixed-variants: column variant: the tables hold dss2...
    """
    found, place = Problems(), Place(locator="column variant")
    if any("variant" not in table for table in tables):
        found.error("scores.missing-variant", place, "a table does not say its variant", "Add it.")
    names = sorted({name for table in tables for name in table.get("variant", [])})
    if len(names) > 1:
        text = f"the tables hold {', '.join(names)}"
        found.error("scores.mixed-variants", place, text, "They cannot be converted or merged.")
    found.raise_errors()
    return pd.concat(tables, ignore_index=True)


def _row(curve: Mapping[Hashable, object], others: pd.DataFrame) -> dict[str, object]:
    usable = others[(others["sample"] != curve["sample"]) & others["score"].notna()]
    same = usable[_same_doses(curve, usable)]
    score, values = float(str(curve["score"])), np.sort(same["score"].to_numpy(dtype=np.float64))
    flags = {
        "few_reference": 0 < len(values) < FEWEST_FOR_SPREAD,
        "no_reference": len(values) == 0,
        "no_score": bool(np.isnan(score)),
        "other_doses": len(same) < len(usable),
    }
    mean = float(values.mean()) if len(values) else np.nan
    row = {key: curve[key] for key in ("sample", "drug", "variant", "score")}
    row |= {"n_reference": len(values), "reference_mean": mean, "sdss": score - mean}
    row |= {"reference_median": np.nan, "zdss": np.nan, "rdss": np.nan}
    if len(values) >= FEWEST_FOR_SPREAD:
        median = float(np.median(values))
        mad = MAD_TO_SD * float(np.median(np.abs(values - median)))
        row["reference_median"] = median
        row["zdss"] = (score - mean) / (float(values.std(ddof=1)) + SPREAD_OFFSET)
        row["rdss"] = (score - median) / (mad + SPREAD_OFFSET)
    return row | {"flags": ";".join(name for name, holds in flags.items() if holds)}


def _same_doses(curve: Mapping[Hashable, object], others: pd.DataFrame) -> "pd.Series[bool]":
    same = others["dose_unit"] == curve["dose_unit"]
    for name in ("dose_min", "dose_max"):
        one = float(str(curve[name]))
        same &= (others[name] - one).abs() <= SAME_DOSE * abs(one)
    return same
