"""Arms of a plate that all got a partner at a dose nobody states: named, and never scored.

Without the partner's dose, and its wells alone at that dose, no expectation can be drawn up.
"""

from typing import Any

import pandas as pd

from drp.tables import TABLES

_DRUGS = ("drug", "drug2", "drug3")
_FLAG = "partner_dose_not_stated"


def split_arms(viability: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the wells of arms with a partner, controls among them, from all others.

    Parameters
    ----------
    viability : pandas.DataFrame
        With a column addon where there are such arms.

    Returns
    -------
    others, arms : pandas.DataFrame
        `others` are all wells where there is no column addon.

    Examples
    --------
    >>> wells = pd.DataFrame({"drug": ["A", "A"], "addon": ["", "B"]})
    >>> [part["addon"].tolist() for part in split_arms(wells)]
    [[''], ['B']]
    """
    if "addon" not in viability:
        return viability, viability.iloc[:0]
    inside = viability["addon"].fillna("") != ""
    return viability[~inside], viability[inside]


def add_unscored(rows: list[dict[str, Any]], arms: pd.DataFrame) -> list[dict[str, Any]]:
    """Add the combinations of arms with a partner to the rows of the synergy table.

    Parameters
    ----------
    rows : list of dict
        Rows of the combinations that were scored.
    arms : pandas.DataFrame
        The wells of the arms, from `split_arms`: sample, addon, drug and, where present, drug2,
        drug3 and role. A drug with itself as partner is no combination.

    Returns
    -------
    list of dict
        By sample and drugs. A combination that was scored elsewhere keeps its row, and its reason
        says which wells were left out; others get a row that is not assessable.

    Examples
    --------
    >>> wells = pd.DataFrame({"sample": "S1", "drug": ["A", "A"], "addon": "B"})
    >>> row = add_unscored([], wells)[0]
    >>> row["combination"], row["assessable"], row["reason"]
    ('A + B', False, 'Synergy cannot be judged: the dose of B is not stated (2 wells left out).')
    """
    scored = {(row["sample"], row["combination"]): row for row in rows}
    added = []
    for (sample, drugs), partners in sorted(_combinations(arms).items()):
        why = f"the dose of {' and '.join(sorted(set(partners)))} is not stated"
        row = scored.get((sample, " + ".join(drugs)))
        if row is None:
            added.append(_row(sample, drugs, f"{why} ({_wells(len(partners))} left out)"))
        else:
            row["reason"] += f" {_wells(len(partners))} left out: {why}."
    return sorted(rows + added, key=lambda row: (row["sample"], [row[drug] for drug in _DRUGS]))


def _wells(count: int) -> str:
    return f"{count} well" if count == 1 else f"{count} wells"


def _combinations(arms: pd.DataFrame) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Give the partner of each well with a drug, by sample and all drugs of the well."""
    if "role" in arms:
        arms = arms[arms["role"] == "sample"]
    named = [column for column in (*_DRUGS, "addon") if column in arms]
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for well in arms.fillna(dict.fromkeys(named, "")).to_dict("records"):
        # One drug may stand in both columns, and be written with other capitals there.
        drugs = {well[column].casefold(): well[column] for column in reversed(named)}
        drugs.pop("", None)
        ordered = tuple(drugs[name] for name in sorted(drugs))
        if len(ordered) > 1:
            found.setdefault((well["sample"], ordered), []).append(well["addon"])
    return found


def _row(sample: str, drugs: tuple[str, ...], why: str) -> dict[str, Any]:
    """Give a row without any number; columns that are not named here are null."""
    empty = {"text": "", "count": 0, "flag": False}
    row: dict[str, Any] = {
        column.name: empty[column.kind]
        for column in TABLES["synergy"].columns
        if column.kind in empty
    }
    return row | {
        **dict.fromkeys(("dose_unit", "doses", "best_cell", "achievable_note"), ""),
        **dict.fromkeys(("loewe_note", "zip_note", "zip_variant", "css_note"), ""),
        **dict.fromkeys(("best_region_doses", "agreement", "musyc_note"), ""),
        **dict.fromkeys(("n_cells", "n_missing", "n_achievable", "n_over_120"), 0),
        **dict(zip(_DRUGS, (*drugs, ""), strict=False)),
        "sample": sample,
        "combination": " + ".join(drugs),
        "design": "anchor",
        "flags": _FLAG,
        "limits_known": False,
        "call": "not assessable",
        "reason": f"Synergy cannot be judged: {why}.",
        "models_note": "No model was scored",
    }
