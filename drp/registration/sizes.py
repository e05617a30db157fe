"""Whether the layout is made for a plate of this size."""

import numpy as np

from drp.problems import Place, Problem, Problems
from drp.registration.columns import (
    Flags,
    Indices,
    Table,
    Values,
    numbered,
    numbers,
    rows_of,
    texts,
)
from drp.wellnames import smallest_format, well_name

# Wells beside the layout that shine at least this much, against those in it, hold something.
_LIT = 0.2
_FIX = "Check that layout and export belong together: both must be for the same number of wells."


def check_sizes(wells: Table) -> list[Problem]:
    """Check that the wells a layout fills and the wells that were read are of one plate format.

    Parameters
    ----------
    wells : DataFrame or dict of str to list
        Table `wells` with row and column. `locator` (empty where the export has no such well) and
        `layout_locator` (empty where the layout has none) may be there; without them, what was
        read and what the layout fills count.

    Returns
    -------
    list of Problem
        By plate, ``wells.size-mismatch`` (error). A small layout on a large plate is one only if
        the wells beside it shine like those in it: a plate may be used in part.
    """
    plate, names = numbered(texts(wells, "plate"))
    status = np.array(texts(wells, "status"), dtype=object)
    filled = np.array(texts(wells, "role"), dtype=object) != "empty"
    read, mapped = status != "not_read", filled
    if "locator" in wells:
        read = np.array(texts(wells, "locator"), dtype=object) != ""
    if "layout_locator" in wells:
        mapped = filled | (np.array(texts(wells, "layout_locator"), dtype=object) != "")
    signal = np.where(status == "ok", numbers(wells, "signal"), np.nan)
    places = np.column_stack([numbers(wells, name) for name in ("row", "column")])
    file = texts(wells, "file")
    found = Problems()
    for name, rows in zip(names, rows_of(plate, len(names)), strict=False):
        if filled[rows].any() and read[rows].any():
            parts = filled[rows], read[rows], mapped[rows], signal[rows]
            well, text = _mismatch(places[rows].astype(np.int64), *parts)
            if text:
                where = Place(max(file[row] for row in rows), plate=name, well=well)
                found.error("wells.size-mismatch", where, text, _FIX)
    return found.items


def _mismatch(
    places: Indices,
    filled: Flags,
    read: Flags,
    mapped: Flags,
    signal: Values,
) -> tuple[str, str]:
    """Say what is wrong with one plate, and the first well it concerns; empty if nothing is."""
    export = smallest_format(*(int(most) for most in places[read].max(axis=0)))
    layout = smallest_format(*(int(most) for most in places[mapped].max(axis=0)))
    beyond = filled & (places > export).any(axis=1)
    sized = f"the export is of a plate with {export[0] * export[1]} wells, the layout "
    if beyond.any():
        well = well_name(*min((int(row), int(column)) for row, column in places[beyond]))
        return well, f"{sized}fills {beyond.sum()} wells outside it, {well} the first"
    beside = (places > layout).any(axis=1) & np.isfinite(signal)
    inside = filled & np.isfinite(signal)
    if layout[0] < export[0] and beside.any() and inside.any():
        lit = float(np.median(signal[beside])) >= _LIT * float(np.median(signal[inside]))
        if lit:
            of = layout[0] * layout[1]
            return "", f"{sized}of one with {of}, and the wells beside it are not empty"
    return "", ""
