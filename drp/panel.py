"""The panel of one sample: how many of its calls may be false, and which drugs rank alike."""

from collections.abc import Mapping, Sequence
from math import erf, sqrt
from typing import TypeVar

Name = TypeVar("Name")


def expected_false(probabilities: Mapping[Name, float]) -> dict[Name, float]:
    """Give the false discovery rate of each drug: that of calling it and all surer ones.

    Parameters
    ----------
    probabilities : mapping
        Drug → probability that it is sensitive.

    Returns
    -------
    dict
        Drug → mean of 1 - probability over the drugs at least as sure, 0 to 1. Calling every drug
        at or below a rate holds the expected share of false ones at that rate, if the
        probabilities are right (Newton et al., Biostatistics 2004,
        doi:10.1093/biostatistics/5.2.155).

    Examples
    --------
    >>> rates = expected_false({"a": 1.0, "b": 0.9, "c": 0.5})
    >>> {drug: round(rate, 3) for drug, rate in rates.items()}
    {'a': 0.0, 'b': 0.05, 'c': 0.2}
    """
    rates = {}
    for drug, probability in probabilities.items():
        surer = [1 - other for other in probabilities.values() if other >= probability]
        rates[drug] = sum(surer) / len(surer)
    return rates


def ties(z: Mapping[str, tuple[float, float]], certain: float) -> dict[str, Sequence[str]]:
    """Give, for each drug, those whose rank cannot be told apart from its own, in order of name.

    Parameters
    ----------
    z : mapping
        Drug → mean and standard deviation of its z, given all noise.
    certain : float
        Two drugs are told apart if one has the larger z with at least this probability.

    Examples
    --------
    >>> ties({"a": (3.0, 0.2), "b": (2.9, 0.2), "c": (1.2, 0.2)}, 0.8)
    {'a': ['b'], 'b': ['a'], 'c': []}
    """
    found: dict[str, Sequence[str]] = {}
    for drug in sorted(z):
        found[drug] = [
            other
            for other in sorted(z)
            if other != drug and 1 - certain < _above(z[drug], z[other]) < certain
        ]
    return found


def _above(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Probability that the first of two normal values is the larger."""
    spread = sqrt(one[1] ** 2 + other[1] ** 2)
    if spread == 0:
        return 0.5 if one[0] == other[0] else float(one[0] > other[0])
    return (1 + erf((one[0] - other[0]) / spread / sqrt(2))) / 2
