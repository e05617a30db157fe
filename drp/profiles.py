"""Profiles of samples over the panel: a map, an order for drawing, the nearest earlier samples."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
FEWEST_SHARED = 8  # drugs two samples must share for a distance to mean anything
_MAD_TO_SD = 1.4826
_LEAST_SD = 1.0  # points of AUC
_LARGEST_Z = 4.0  # beyond, one drug would decide alone


def profiles(curves: pd.DataFrame) -> pd.DataFrame:
    """Give each sample's robust z per drug, positive where it is more sensitive.

    Parameters
    ----------
    curves : DataFrame
        Columns sample, drug, auc, as in `curves` or in the members of a reference; one assay.

    Returns
    -------
    DataFrame
        Samples in rows, drugs in columns, both sorted; NaN where a drug was not tested. The z of a
        drug is (median - AUC) / (1.4826 MAD, one point at least), cut at ± 4.

    Examples
    --------
    >>> curves = pd.DataFrame({"sample": ["S1", "S2", "S3"], "drug": "a", "auc": [60.0, 70, 80]})
    >>> profiles(curves)["a"].round(2).tolist()
    [0.67, 0.0, -0.67]
    """
    auc = curves.pivot_table(index="sample", columns="drug", values="auc", aggfunc="first")
    centre = auc.median()
    spread = (_MAD_TO_SD * (auc - centre).abs().median()).clip(lower=_LEAST_SD)
    return ((centre - auc) / spread).clip(-_LARGEST_Z, _LARGEST_Z)


def distances(table: pd.DataFrame) -> pd.DataFrame:
    """Give the root mean square difference of z between samples, over the drugs they share.

    NaN where they share fewer than `FEWEST_SHARED`.

    Examples
    --------
    >>> table = pd.DataFrame(np.arange(16.0).reshape(2, 8), index=["S1", "S2"])
    >>> float(distances(table).loc["S1", "S2"])
    8.0
    """
    values = table.to_numpy(float)
    known = ~np.isnan(values)
    filled, mask = np.where(known, values, 0.0), known.astype(np.float64)
    shared = mask @ mask.T
    squares = (filled**2) @ mask.T
    sums = squares + squares.T - 2 * filled @ filled.T
    mean = np.maximum(sums, 0.0) / np.where(shared >= FEWEST_SHARED, shared, np.nan)
    return pd.DataFrame(np.sqrt(mean), index=table.index, columns=table.index)


def nearest(table: pd.DataFrame, sample: str, count: int = 5) -> "pd.Series[float]":
    """Give the samples whose profiles are nearest to one, and how far they are; nearest first.

    Examples
    --------
    >>> rows = np.repeat([[0.0], [1.0], [3.0]], 8, axis=1)
    >>> nearest(pd.DataFrame(rows, index=["S1", "S2", "S3"]), "S1").to_dict()
    {'S2': 1.0, 'S3': 3.0}
    """
    return closest(distances(table), sample, count)


def closest(found: pd.DataFrame, sample: str, count: int = 5) -> "pd.Series[float]":
    """Give the nearest samples out of a table of `distances`, for when many are asked for."""
    own: pd.Series[float] = found[sample].drop(sample).dropna().sort_index()
    return own.sort_values(kind="stable").head(count)


def clustered(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Give samples and drugs in the order of an average-linkage tree, for a heat map.

    Missing values count as the median (z 0). The order of rows and columns does not matter.

    Examples
    --------
    >>> rows = np.repeat([[0.0], [3.0], [0.1]], 8, axis=1)
    >>> clustered(pd.DataFrame(rows, index=["S1", "S2", "S3"], columns=list("abcdefgh")))[0]
    ['S2', 'S1', 'S3']
    """
    ordered = table.fillna(0.0).sort_index().sort_index(axis=1)
    return _leaves(ordered), _leaves(ordered.T)


def _leaves(table: pd.DataFrame) -> list[str]:
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(table) < 2:
        return [str(name) for name in table.index]
    order = leaves_list(linkage(table.to_numpy(float), method="average"))
    return [str(table.index[int(place)]) for place in order]


def sample_map(table: pd.DataFrame) -> pd.DataFrame:
    """Give each sample's place on a map: its first two principal components.

    Returns
    -------
    DataFrame
        One row per sample: x, y (z units). Missing values count as the median. The sign of an
        axis is set so that the drug that weighs most weighs positively.
    """
    from sklearn.decomposition import PCA

    ordered = table.fillna(0.0).sort_index().sort_index(axis=1)
    fitted = PCA(n_components=2, svd_solver="full").fit(ordered.to_numpy(float))
    placed = fitted.transform(ordered.to_numpy(float))
    weights = fitted.components_
    placed *= np.sign(weights[np.arange(2), np.abs(weights).argmax(axis=1)])
    return pd.DataFrame(placed, index=ordered.index, columns=["x", "y"])


def separation(table: pd.DataFrame, groups: ArrayLike) -> float:
    """Give the mean silhouette of groups of samples by their profiles, -1 to 1.

    Above 0, samples lie on average nearer to their own group than to the next one.
    """
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(table.fillna(0.0).to_numpy(float), np.asarray(groups)))


def compare_groups(
    table: pd.DataFrame, first: list[str], second: list[str], rate: float = 0.01
) -> pd.DataFrame:
    """Test every drug for a difference between two groups of samples.

    Parameters
    ----------
    table : DataFrame
        As `profiles` gives it.
    first, second : list of str
        Samples.
    rate : float
        False discovery rate (Benjamini and Hochberg 1995).

    Returns
    -------
    DataFrame
        drug, difference (median z of the first less that of the second), p (Mann–Whitney, two
        sides), q, significant; by q and drug.
    """
    from scipy.stats import false_discovery_control, mannwhitneyu

    rows = []
    for drug in sorted(table.columns):
        one, two = (table.loc[names, drug].dropna() for names in (first, second))
        if len(one) and len(two):
            p = float(mannwhitneyu(one, two).pvalue)
            rows.append({"drug": drug, "difference": one.median() - two.median(), "p": p})
    found = pd.DataFrame(rows, columns=["drug", "difference", "p"])
    q = np.asarray(false_discovery_control(found["p"])) if len(found) else np.empty(0)
    found = found.assign(q=q, significant=q <= rate)
    return found.sort_values(["q", "drug"], ignore_index=True)
