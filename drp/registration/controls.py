"""Whether the controls span a scale: negative ones above positive ones, and apart."""

import numpy as np

from drp.problems import Place, Problem, Problems
from drp.registration.columns import Table, Values, listed, numbered, numbers, rows_of, texts

# Below this share of the negative controls' median the positive ones leave a window to measure in.
_NARROW = 0.8
# Share of each kind that must lie on its side of the other's median; one odd well in four may not.
_APART = 0.75
_FEWEST = 4  # fewer wells of a kind do not show an overlap
_FIX_REVERSED = (
    "Check the roles in the layout, and whether the plate lay turned or carries another layout."
)
_FIX_WINDOW = "Check the controls: were cells and killing agent there? Viability has no scale here."


def check_controls(wells: Table) -> list[Problem]:
    """Compare the negative and the positive controls of each plate.

    Parameters
    ----------
    wells : DataFrame or dict of str to list
        Table `wells`, in any order. Where it has `control`, the wells chosen to scale the plate
        count, else those with the role. Without readings of both kinds there is nothing to say.

    Returns
    -------
    list of Problem
        By plate: ``wells.controls-reversed`` (error) if the median of the negative controls is
        below that of the positive ones; ``wells.no-window`` (warning) if the two cannot be told
        apart: the medians are nearly equal, or the wells of one kind lie among the other's. One
        deviating well in four is none of these.

    Examples
    --------
    >>> plate = {"plate": ["P1", "P1"], "control": ["negative", "positive"],
    ...          "signal": [10.0, 900.0], "status": ["ok", "ok"], "excluded": [False, False]}
    >>> [problem.code for problem in check_controls(plate)]
    ['wells.controls-reversed']
    """
    plate, names = numbered(texts(wells, "plate"))
    kind = np.array(texts(wells, "control" if "control" in wells else "role"), dtype=object)
    excluded = np.array(listed(wells, "excluded"), dtype=bool)
    usable = (np.array(texts(wells, "status"), dtype=object) == "ok") & ~excluded
    signal = np.where(usable, numbers(wells, "signal"), np.nan)
    file = texts(wells, "file")
    found = Problems()
    for name, rows in zip(names, rows_of(plate, len(names)), strict=False):
        here = rows[np.isfinite(signal[rows])]
        negative, positive = (signal[here[kind[here] == of]] for of in ("negative", "positive"))
        if len(negative) and len(positive):
            where = Place(max(file[row] for row in rows), plate=name)
            _compare(negative, positive, where, found)
    return found.items


def _compare(negative: Values, positive: Values, where: Place, found: Problems) -> None:
    high, low = float(np.median(negative)), float(np.median(positive))
    medians = (
        f"the median of the {len(negative)} negative controls is {high:g}, "
        f"of the {len(positive)} positive controls {low:g}"
    )
    overlap = _overlap(negative, positive)
    if high < low:
        found.error("wells.controls-reversed", where, medians, _FIX_REVERSED)
    elif low >= _NARROW * high:
        found.warning("wells.no-window", where, f"{medians}: nearly the same", _FIX_WINDOW)
    elif overlap:
        found.warning("wells.no-window", where, f"{medians}, but {overlap}", _FIX_WINDOW)


def _overlap(negative: Values, positive: Values) -> str:
    """Say which controls lie among the others; empty if they lie apart, or are too few."""
    if min(len(negative), len(positive)) < _FEWEST:
        return ""
    dark = int((negative <= np.median(positive)).sum())
    bright = int((positive >= np.median(negative)).sum())
    parts = []
    if dark > (1 - _APART) * len(negative):
        parts.append(f"{dark} negative controls are no brighter than it")
    if bright > (1 - _APART) * len(positive):
        parts.append(f"{bright} positive controls are as bright as the negative ones")
    return " and ".join(parts)
