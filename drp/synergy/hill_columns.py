"""Curves laid out for the search: those that are alike together, all draws of them."""

from typing import NamedTuple

import numpy as np

from drp.curves.collapse import total
from drp.curves.model import LN10
from drp.synergy import hill_starts
from drp.synergy.descent import FAR_BELOW, Columns, Floats, Indices
from drp.synergy.hill_plan import Mask, Plan
from drp.synergy.hill_starts import Group, Starts

MARGIN = 1.0  # decades that the midpoint may lie beyond the doses
# Log doses, relative to the lowest, that agree to this many decimals share a table.
DOSE_DECIMALS = 6
CAP = 105.0


def lowest_dose(plan: Plan) -> Floats:
    """Give log10 of the lowest dose above 0 of each curve."""
    above = np.where(np.isfinite(plan.log_dose), plan.log_dose, np.inf)
    lowest: Floats = above.min(axis=1, initial=300.0)
    return lowest


def alike(plan: Plan, wanted: Mask, lowest: Floats) -> list[Indices]:
    """Put curves together with the same relative doses and weights and the same kind of start."""
    relative = np.round(plan.log_dose - lowest[:, None], DOSE_DECIMALS)
    keys = np.concatenate([relative, plan.weight, plan.fixed[:, None]], axis=1)
    groups: dict[bytes, list[int]] = {}
    for curve in np.flatnonzero(wanted).tolist():
        groups.setdefault(keys[curve].tobytes(), []).append(curve)
    return [np.array(curves) for curves in groups.values()]


def make_group(plan: Plan, curves: Indices) -> tuple[Group, Floats, Floats]:
    """Lay out curves that are alike, all draws of them.

    Gives the group, ln of the doses relative to the lowest, (n_doses, n_curves), and the levels.
    """
    weight = plan.weight[curves[0]]
    n_doses = int((weight > 0).sum())
    weight, log_dose = weight[:n_doses], plan.log_dose[curves, :n_doses].T
    lowest = log_dose[np.isfinite(log_dose[:, 0])][0]
    x = np.maximum(LN10 * (log_dose - lowest), FAR_BELOW)
    y = plan.values[:, curves, :n_doses].reshape(-1, n_doses).T.copy()
    fixed = bool(plan.fixed[curves[0]])
    if fixed:
        level = plan.start[:, curves].ravel()
        room = np.maximum(CAP - level, 0.0)
    else:
        level = weighted_mean(y, weight)
        room = CAP - level
    y -= level
    return Group(y, weight, room, fixed), np.tile(x, len(plan.values)), level


def weighted_mean(y: Floats, weight: Floats) -> Floats:
    """Give the weighted mean of each column."""
    mean: Floats = total(y * weight[:, None]) / weight.sum()
    return mean


def make_columns(group: Group, x: Floats, level: Floats) -> Columns:
    """Set up one least-squares problem per curve and draw."""
    weight = np.broadcast_to(group.weight[:, None], x.shape)
    free = 0.0 if group.fixed else 1.0 / float(group.weight.sum())
    return Columns(
        x,
        group.y,
        weight,
        level,
        np.full(len(level), free),
        group.room,
        np.full(len(level), -MARGIN * LN10),
        x[-1] + MARGIN * LN10,
        total(weight * group.y**2),
    )


class Asked(NamedTuple):
    """Curves to be followed: their places among all, their data, and where to start."""

    cells: Indices
    columns: Columns
    starts: Starts


def joined(parts: list[Asked]) -> Asked:
    """Put groups of curves one after the other, those with fewer doses filled up with weight 0."""
    n_rows = max(len(part.columns.x) for part in parts)
    begins = np.cumsum([0, *(len(part.cells) for part in parts)])
    return Asked(
        np.concatenate([part.cells for part in parts]),
        Columns(
            *(
                np.concatenate([_filled_up(one, n_rows) for one in same], axis=-1)
                for same in zip(*(part.columns for part in parts), strict=True)
            )
        ),
        hill_starts.join(
            [
                part.starts._replace(curve=part.starts.curve + begin)
                for part, begin in zip(parts, begins[:-1], strict=True)
            ]
        ),
    )


def _filled_up(values: Floats, n_rows: int) -> Floats:
    missing = n_rows - len(values)
    return np.pad(values, ((0, missing), (0, 0))) if values.ndim == 2 and missing else values
