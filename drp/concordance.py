"""Concordance: whether the calls of a laboratory meant anything for its patients.

Each recorded therapy is compared with the calls of its drugs. A therapy counts as called sensitive
if one of its drugs was; as not, if none was and at least one could be evaluated. Others cannot be
compared, and are counted. The cohorts are small and not randomised: every share has its exact
interval, and none of them shows that a call was the reason for a response.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Row = Mapping[str, Any]
# Response in words → whether it is one. Partial responses count, stable disease does not.
RESPONSES = {"CR": True, "CRi": True, "PR": True, "SD": False, "NR": False, "PD": False}
PFS_RATIO = 1.3  # EXALT-1: Kornauth et al., Cancer Discov 2022, doi:10.1158/2159-8290.CD-21-0538
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `n` with its exact 95 % interval; NaN, 0 and 1 if `n` is 0."""

    count: int
    n: int
    value: float
    low: float
    high: float


def share(count: int, n: int, level: float = 0.95) -> Share:
    """Give a share with its Clopper–Pearson interval.

    Parameters
    ----------
    count, n : int
        How many of how many.
    level : float
        Coverage, at least.

    Notes
    -----
    Clopper and Pearson, Biometrika 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> found = share(30, 56)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.536, 0.397, 0.67)
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return Share(count, n, count / n if n else float("nan"), low, high)


def roc_area(responders: ArrayLike, others: ArrayLike) -> tuple[float, float, float]:
    """Give the area under the ROC curve with its 95 % interval.

    Parameters
    ----------
    responders, others : array
        Score of each; larger means more sensitive. Ties count half.

    Returns
    -------
    area, low, high : float
        NaN if either group is empty; the interval is 0 to 1 with fewer than two in a group, or
        where the groups do not overlap and nothing tells the variance.

    Notes
    -----
    Variance: DeLong et al., Biometrics 1988, doi:10.2307/2531595; interval on the logit scale.

    Examples
    --------
    >>> area, low, high = roc_area([3.0, 2.0, 1.5, 0.9], [1.0, 0.5, 1.8])
    >>> round(area, 3), round(low, 2), round(high, 2)
    (0.75, 0.24, 0.97)
    """
    one, two = np.asarray(responders, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if not len(one) or not len(two):
        return float("nan"), float("nan"), float("nan")
    wins = (one[:, None] > two) + 0.5 * (one[:, None] == two)
    area = float(wins.mean())
    if min(len(one), len(two)) < 2 or area in (0.0, 1.0):
        return area, 0.0, 1.0
    variance = wins.mean(axis=1).var(ddof=1) / len(one) + wins.mean(axis=0).var(ddof=1) / len(two)
    half = _NORMAL_95 * float(np.sqrt(variance)) / (area * (1 - area))
    middle = float(np.log(area / (1 - area)))
    low, high = (1 / (1 + float(np.exp(-(middle + sign * half)))) for sign in (-1, 1))
    return area, low, high


def compare(outcomes: Sequence[Row], calls: Sequence[Row]) -> list[dict[str, Any]]:
    """Put each recorded therapy beside the calls of its drugs.

    Parameters
    ----------
    outcomes : sequence of mappings
        Rows of outcomes.tsv: sample, therapy (drugs, separated by ``;``), response, pfs_months,
        previous_pfs_months.
    calls : sequence of mappings
        Rows of table `calls`.

    Returns
    -------
    list of dict
        sample, therapy, called (``sensitive``, ``not sensitive`` or empty), score (largest z of
        its drugs; NaN if none), responded (or None), pfs_ratio (NaN if unknown) and why (why it
        cannot be compared), in the order of sample and therapy.

    Examples
    --------
    >>> calls = [{"sample": "S1", "drug": "Venetoclax", "call": "sensitive", "z": 2.1}]
    >>> outcome = {"sample": "S1", "therapy": "venetoclax; azacitidine", "response": "CR"}
    >>> row = compare([outcome], calls)[0]
    >>> row["called"], row["score"], row["responded"]
    ('sensitive', 2.1, True)
    """
    by_drug = {(row["sample"], row["drug"].casefold()): row for row in calls}
    rows = [_compared(outcome, by_drug) for outcome in outcomes]
    return sorted(rows, key=lambda row: (row["sample"], row["therapy"]))


def _compared(outcome: Row, calls: Mapping[tuple[str, str], Row]) -> dict[str, Any]:
    drugs = [part.strip().casefold() for part in outcome["therapy"].split(";")]
    own = [calls[outcome["sample"], drug] for drug in drugs if (outcome["sample"], drug) in calls]
    evaluable = [row for row in own if row["call"] != "not evaluable"]
    sensitive = any(row["call"] == "sensitive" for row in evaluable)
    responded = RESPONSES.get(outcome.get("response", ""))
    why = "" if responded is not None else "no response recorded"
    if not evaluable:
        why = "none of its drugs could be evaluated" if own else "none of its drugs was tested"
    return {
        "sample": outcome["sample"],
        "therapy": outcome["therapy"],
        "called": ("sensitive" if sensitive else "not sensitive") if evaluable else "",
        "score": max((float(row["z"]) for row in evaluable), default=float("nan")),
        "responded": responded,
        "pfs_ratio": _ratio(outcome),
        "why": why,
    }


def _ratio(outcome: Row) -> float:
    this, previous = (outcome.get(name, "") for name in ("pfs_months", "previous_pfs_months"))
    known = this not in ("", "NA") and previous not in ("", "NA") and float(previous) > 0
    return float(this) / float(previous) if known else float("nan")


def concordance(rows: Sequence[Row]) -> dict[str, Any]:
    """Sum up therapies and calls.

    Parameters
    ----------
    rows : sequence of mappings
        As `compare` gives them.

    Returns
    -------
    dict
        table (called, responded → count), sensitivity, specificity, ppv, npv, pfs_sensitive,
        pfs_not (PFS ratio of 1.3 and more after therapies called sensitive, and not), each a
        `Share`; roc (area, low, high); n_compared, n_left_out.

    Examples
    --------
    >>> rows = [{"called": called, "responded": responded, "score": 1.0, "pfs_ratio": 1.5}
    ...     for called in ("sensitive", "not sensitive") for responded in (True, False)]
    >>> found = concordance(rows)
    >>> found["ppv"].value, found["roc"][0], found["pfs_sensitive"].count
    (0.5, 0.5, 2)
    """
    used = [row for row in rows if row["called"] and row["responded"] is not None]
    table = {
        (called, responded): sum(
            row["called"] == called and row["responded"] is responded for row in used
        )
        for called in ("sensitive", "not sensitive")
        for responded in (True, False)
    }
    hit, false_alarm = table["sensitive", True], table["sensitive", False]
    miss, quiet = table["not sensitive", True], table["not sensitive", False]
    scores = {
        responded: [row["score"] for row in used if row["responded"] is responded]
        for responded in (True, False)
    }
    return {
        "table": table,
        "sensitivity": share(hit, hit + miss),
        "specificity": share(quiet, quiet + false_alarm),
        "ppv": share(hit, hit + false_alarm),
        "npv": share(quiet, quiet + miss),
        "roc": roc_area(scores[True], scores[False]),
        "pfs_sensitive": _longer(rows, "sensitive"),
        "pfs_not": _longer(rows, "not sensitive"),
        "n_compared": len(used),
        "n_left_out": len(rows) - len(used),
    }


def _longer(rows: Sequence[Row], called: str) -> Share:
    known = [row["pfs_ratio"] for row in rows if row["called"] == called]
    known = [ratio for ratio in known if not np.isnan(ratio)]
    return share(sum(ratio >= PFS_RATIO for ratio in known), len(known))
