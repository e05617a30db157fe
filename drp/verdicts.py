"""Verdicts in three tiers: values held against limits, and the worst of many notes."""

from collections.abc import Mapping
from math import isnan

from drp.tables import VERDICTS


def judge(value: float, name: str, unit: str, limits: Mapping[str, float]) -> list[tuple[str, str]]:
    """Hold a value against its two limits; a metric that is high when good has warn above fail.

    Parameters
    ----------
    value : float
        In the unit of the limits; NaN (not measured) says nothing.
    name, unit : str
        For the note.
    limits : mapping
        ``warn`` and ``fail``.

    Returns
    -------
    list of (verdict, note)
        Empty if the value passes, else the worse tier it falls into.

    Examples
    --------
    >>> judge(12.0, "edge effect", " %", {"warn": 10, "fail": 20})
    [('warn', 'edge effect 12 % is above 10')]
    """
    if isnan(value):
        return []
    good_is_high = limits["warn"] > limits["fail"]
    for tier in ("fail", "warn"):
        limit = limits[tier]
        if value < limit if good_is_high else value > limit:
            side = "below" if good_is_high else "above"
            return [(tier, f"{name} {value:.3g}{unit} is {side} {limit:g}")]
    return []


def worst(notes: list[tuple[str, str]]) -> tuple[str, str]:
    """Give the worst verdict among notes, and all notes in one line, the worst first.

    >>> worst([("pass", "no positive control"), ("warn", "few wells")])
    ('warn', 'few wells; no positive control')
    """
    verdict = max((tier for tier, _ in notes), key=VERDICTS.index, default="pass")
    ordered = sorted(notes, key=lambda note: -VERDICTS.index(note[0]))
    return verdict, "; ".join(text for _, text in ordered)
