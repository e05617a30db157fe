"""The search for Hill curves of per cent inhibition: starts, descent, and the best end of each."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import total
from drp.curves.model import LN10
from drp.synergy import hill_starts
from drp.synergy.descent import (
    ETA,
    LOSS,
    MIDPOINT,
    PLATEAU,
    START,
    Columns,
    Floats,
    Indices,
    Search,
    descend,
)
from drp.synergy.hill_columns import (
    CAP,
    DOSE_DECIMALS,
    MARGIN,
    Asked,
    alike,
    joined,
    lowest_dose,
    make_columns,
    make_group,
    weighted_mean,
)
from drp.synergy.hill_draws import descend_given
from drp.synergy.hill_plan import Plan
from drp.synergy.hill_starts import Group, Starts, Table, make_table

Mask = NDArray[np.bool_]

SLOPES = (0.1, 10.0)
AT_BOUND = 1e-9
OBSERVED = Search(float(np.log(SLOPES[0])), float(np.log(SLOPES[1])), 1e-10, 60)
# A draw need not be fitted more closely than its noise tells: half the nodes either way, few steps.
DRAWN = OBSERVED._replace(tolerance=1e-3, most_steps=4)
DRAWN_EVERY = 2
# Curves followed at once: few enough for the arrays to stay in the cache.
CURVES_AT_ONCE = 2048

# Names of the sixteen ways to stand at bounds, then of what else a curve may come to.
NAMES = ("start", "plateau", "midpoint", "slope")
STATES = np.array(
    [
        "at_bound:" + ",".join(name for place, name in enumerate(NAMES) if held >> place & 1)
        for held in range(1 << len(NAMES))
    ]
    + ["failed:steps_ran_out", "flat", "inactive", "too_few_doses"]
)
STATES[0] = "converged"
FAILED, FLAT, INACTIVE, TOO_FEW = range(16, 20)


class Found(NamedTuple):
    """Parameters by name, squared errors and places in `STATES`, each (n_draws, n_curves)."""

    parameters: dict[str, Floats]
    rss: Floats
    codes: Indices


def search(plan: Plan, constant: Mask, warm: tuple[Floats, Floats] | None) -> Found:
    """Fit every curve of every draw.

    Parameters
    ----------
    plan : Plan
        The curves.
    constant : array of bool (n_curves,)
        Curves that are not to be fitted, but to be given their mean.
    warm : tuple of arrays (n_curves,), optional
        Midpoints and slopes of the observed curves, NaN where these are constant: what the plan
        holds are then draws of them, which are searched faster.

    Returns
    -------
    Found

    Examples
    --------
    See `drp.synergy.hill.fit_hill`, which calls it.
    """
    shape = plan.values.shape[:2]
    found = {name: np.full(shape, np.nan) for name in (*NAMES, "rss")}
    codes = np.full(shape, TOO_FEW)
    _constants(plan, plan.enough & constant, found, codes)
    how = OBSERVED if warm is None else DRAWN
    lowest = lowest_dose(plan)
    asked: dict[bool, list[Asked]] = {}
    for curves in alike(plan, plan.enough & ~constant, lowest):
        group, x, level = make_group(plan, curves)
        relative = tuple(np.round(x[:, 0] / LN10, DOSE_DECIMALS).tolist())
        table = make_table(relative, SLOPES, MARGIN, 1 if warm is None else DRAWN_EVERY)
        own = None if warm is None else (warm[0][curves], warm[1][curves])
        starts = _starts(table, group, x, lowest[curves], own)
        cells = (np.arange(shape[0])[:, None] * shape[1] + curves).ravel()
        kind = group.fixed and warm is not None
        asked.setdefault(kind, []).append(Asked(cells, make_columns(group, x, level), starts))
    for given, parts in asked.items():
        cells, columns, starts = joined(parts)
        best, codes.ravel()[cells] = _follow(columns, starts, how, given)
        for name, row in zip((*NAMES, "rss"), best, strict=True):
            found[name].ravel()[cells] = row
    found["midpoint"] *= 10.0**lowest
    return Found({name: found[name] for name in NAMES}, found["rss"], codes)


def _starts(
    table: Table,
    group: Group,
    x: Floats,
    lowest: Floats,
    warm: tuple[Floats, Floats] | None,
) -> Starts:
    """Find where to start: several places for observed curves, one or two for draws of them.

    A draw is followed from the best node or from the observed optimum, whichever explains more;
    free draws from both: they are few, and Loewe rests on them alone. `lowest`: log10 of the lowest
    dose of each curve; `warm`: midpoint and slope of each as observed.
    """
    if warm is None:
        return hill_starts.several_starts(table, group)
    node, gain = hill_starts.best_nodes(table, group)
    every = np.arange(len(node))
    nodes = Starts(every, table.midpoint[node], table.eta[node])
    own = np.log10(warm[0]) - lowest, np.log(warm[1])
    midpoint, eta = (np.tile(one, len(node) // len(lowest)) for one in own)
    if group.fixed:
        better = hill_starts.explained_at(midpoint * LN10, eta, x, group) > gain
        return Starts(
            every, np.where(better, midpoint, nodes.midpoint), np.where(better, eta, nodes.eta)
        )
    known = np.flatnonzero(np.isfinite(midpoint))
    return hill_starts.join([nodes, Starts(known, midpoint[known], eta[known])])


def _follow(columns: Columns, starts: Starts, how: Search, given: bool) -> tuple[Floats, Indices]:
    """Follow all starts and keep the best of each column; a constant where none betters that.

    `given` asks for the search of draws whose start is given.

    Returns
    -------
    best : array (5, n_columns)
        Start, plateau, midpoint relative to the lowest dose, slope, squared error.
    codes : array of int (n_columns,)
        Places in `STATES`.
    """
    n_columns = len(columns.level)
    constant = np.minimum(columns.cap, 0.0)  # a free curve whose mean is above the cap
    whole = total(columns.weight)
    best = np.array(
        [
            *(columns.level + constant,) * 2,
            *np.full((2, n_columns), np.nan),
            columns.spread + whole * constant**2,
        ]
    )
    codes = np.full(n_columns, FLAT)
    order = np.argsort(starts.curve, kind="stable")
    curve, midpoint, eta = starts.curve[order], starts.midpoint[order] * LN10, starts.eta[order]
    cuts = np.searchsorted(curve, np.arange(0, n_columns + CURVES_AT_ONCE, CURVES_AT_ONCE))
    for begin, end in pairwise(cuts.tolist()):
        if end > begin:
            part = slice(begin, end)
            own = curve[part] - curve[begin]
            some = columns.take(curve[part])
            where = midpoint[part], eta[part]
            state, converged = (
                descend_given(some, *where, how) if given else descend(some, *where, own, how)
            )
            _keep_best(columns, curve[part], state, converged, best, codes)
    return best, codes


def _keep_best(
    columns: Columns, curve: Indices, state: Floats, converged: Mask, best: Floats, codes: Indices
) -> None:
    """Write the best end of each curve's starts where it betters a constant; ties: the first."""
    chosen = np.arange(len(curve))
    if not (curve[1:] > curve[:-1]).all():  # several starts of a curve
        order = np.lexsort((state[LOSS], curve))
        first = np.ones(len(order), dtype=bool)
        first[1:] = curve[order[1:]] != curve[order[:-1]]
        chosen = order[first]
    owner = curve[chosen]
    better = 2.0 * state[LOSS, chosen] < best[4, owner]
    chosen, owner = chosen[better], owner[better]
    end, level = state[:, chosen], columns.level[owner]
    best[:, owner] = (
        level + end[START],
        level + end[PLATEAU],
        np.exp(end[MIDPOINT]),
        np.exp(end[ETA]),
        2.0 * end[LOSS],
    )
    cap, free = columns.cap[owner] - AT_BOUND, columns.per_weight[owner] > 0
    low, high = columns.low[owner] + AT_BOUND, columns.high[owner] - AT_BOUND
    held = (
        free & (end[START] >= cap),
        end[PLATEAU] >= cap,
        (end[MIDPOINT] <= low) | (end[MIDPOINT] >= high),
        (end[ETA] <= OBSERVED.eta_low + AT_BOUND) | (end[ETA] >= OBSERVED.eta_high - AT_BOUND),
    )
    which = sum(one.astype(np.intp) << place for place, one in enumerate(held))
    codes[owner] = np.where(converged[chosen], which, FAILED)


def _constants(plan: Plan, wanted: Mask, found: dict[str, Any], state: NDArray[np.intp]) -> None:
    """Give inactive curves their mean: with a given start, that of the doses above 0."""
    for curve in np.flatnonzero(wanted).tolist():
        weight, values = plan.weight[curve], plan.values[:, curve].T
        fixed = plan.fixed[curve]
        used = weight * np.isfinite(plan.log_dose[curve]) if fixed else weight
        used = np.where(np.isnan(used), 0.0, used)
        level = np.minimum(weighted_mean(values, used), CAP)
        start = plan.start[:, curve] if fixed else level
        at_zero = np.isneginf(plan.log_dose[curve])[:, None]
        error = values - np.where(at_zero, start, level)
        found["start"][:, curve], found["plateau"][:, curve] = start, level
        found["rss"][:, curve] = total(weight[:, None] * error**2)
        state[:, curve] = INACTIVE
