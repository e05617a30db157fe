"""Edge and gradient effects of a plate, and their correction where a laboratory asks for it.

Every decision here rests on the negative controls alone. The drug wells of a plate may be spread
over several jobs; its controls are in all of them, so that all correct a plate alike or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drp.loess import loess
from drp.plate_metrics import LEAST_CONTROLS
from drp.scaling import plain_arm
from drp.trends import Trend, rank_slope
from drp.well_arrays import Table, WellArrays, as_arrays, choose_wells
from drp.wellnames import FORMATS, smallest_format

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Method = Literal["none", "loess"]
Kinds = list[tuple[str, NDArray[np.int64], Values]]

_LEAST_FOR_GRADIENT = 8  # wells
_LEAST_FOR_SURFACE = 24  # wells, four for each coefficient of a quadratic surface
_MOST_UNCERTAIN = 1.0  # variance of the surface, in variances of one control well
_FACTORS = 0.5, 2.0  # beyond, the plate is no candidate for a correction
_UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Effects:
    """What the place of a well does to its signal.

    Attributes
    ----------
    edge : float
        Median of the negative controls in the outermost ring over that of the others, within the
        one vehicle with most wells in both. NaN with fewer than 4 wells in either.
    row, column : Trend
        Change of the negative controls from the first to the last row, or column, of the plate, %.
    """

    edge: float
    row: Trend
    column: Trend


@dataclass(frozen=True, slots=True)
class Correction:
    """Whether the viability of a plate is divided by a smooth factor of its place, and why.

    Attributes
    ----------
    applied : bool
    reason : str
        For people; empty only where no correction was asked for.
    factor : array, shape (n,)
        For each well, what to divide its viability by; 1 where nothing is corrected.
    after : Effects or None
        What is left in controls that the factor was not fitted to: each is divided by the factor
        fitted to the others. None where nothing is corrected.
    """

    applied: bool
    reason: str
    factor: Values
    after: Effects | None = None


def measure(plate: Table, column: str = "signal") -> Effects:
    """Measure the effects of place on one plate.

    Parameters
    ----------
    plate : DataFrame or dict of str to array
        Its wells, as `drp.wells.join_wells` gives them.
    column : str
        The column to measure: the signal, or a viability.
    """
    wells = as_arrays(plate)
    return _effects(_negatives(plain_arm(wells)), plate_shape(wells), column)


def measure_drugs(plate: Table) -> tuple[Trend, Trend]:
    """Measure row and column gradient over the lowest dose of every single agent, %.

    Most drugs do nothing at their lowest dose, and ranks bear with those that do. Where a plate map
    puts its lowest doses, or its strong drugs, to one side, this is no fault of the plate.
    """
    plain = plain_arm(as_arrays(plate))
    dose, *others = (plain[name].astype(float) for name in ("dose", "dose2", "dose3"))
    alone = ~((others[0] > 0) | (others[1] > 0))
    wells = np.flatnonzero(_read(plain) & _has(plain, "sample") & (dose > 0) & alone)
    named = (plain[name][wells].tolist() for name in ("sample", "drug"))
    names, doses = list(zip(*named, strict=True)), dose[wells]
    lowest: dict[tuple[str, str], float] = {}
    for name, dose in zip(names, doses, strict=True):
        lowest[name] = min(dose, lowest.get(name, dose))
    at_lowest = doses == np.array([lowest[name] for name in names], dtype=float)
    inactive = choose_wells(plain, wells[at_lowest])
    return _gradients(_kinds(inactive, "signal", "sample"), _places(inactive), plate_shape(plate))


def plate_shape(plate: Table) -> tuple[int, int]:
    """Give how many rows and columns the plate has, by `format` where the wells carry it."""
    wells = as_arrays(plate)
    if "format" in wells:
        return FORMATS[int(wells["format"][0])]
    return smallest_format(int(wells["row"].max()), int(wells["column"].max()))


def outside(effects: Effects, limits: Mapping[str, Any]) -> list[str]:
    """Say which effects lie beyond their warning limits.

    Parameters
    ----------
    effects : Effects
    limits : mapping
        ``edge_effect_pct`` and ``gradient_pct``, each with ``warn``, and ``trend_p``: a gradient
        with a larger p-value is not counted.

    Examples
    --------
    >>> limits = {"edge_effect_pct": {"warn": 10}, "gradient_pct": {"warn": 10}, "trend_p": 0.01}
    >>> outside(Effects(0.85, Trend(slope=-30.0, p=0.3), Trend()), limits)
    ['edge effect 15 %']
    """
    named = (
        ("edge effect", abs(100 * (effects.edge - 1)), limits["edge_effect_pct"]),
        ("row gradient", counted(effects.row, limits), limits["gradient_pct"]),
        ("column gradient", counted(effects.column, limits), limits["gradient_pct"]),
    )
    return [f"{name} {value:.3g} %" for name, value, tier in named if value > tier["warn"]]


def counted(trend: Trend, limits: Mapping[str, Any]) -> float:
    """Give the size of a trend; NaN if it may well be chance.

    >>> counted(Trend(slope=-12.0, p=0.001), {"trend_p": 0.01})
    12.0
    """
    return abs(trend.slope) if trend.p <= limits["trend_p"] else _UNKNOWN


def correct(plate: Table, method: Method, limits: Mapping[str, Any]) -> Correction:
    """Decide whether to correct a plate, and by what.

    Parameters
    ----------
    plate : DataFrame or dict of str to array
        Its wells with viability_pct, as `drp.scaling.scale` gives them.
    method : {"none", "loess"}
        ``loess`` fits a smooth surface (`drp.loess.loess`) to the viability of the negative
        controls of the vehicles that define 100 %, as a fraction, if an effect of place is beyond
        its warning limit. The corrected viability is ``v / factor``.
    limits : mapping
        As in `outside`.

    Returns
    -------
    Correction
        Refused, with the reason, where there are fewer than 24 controls, where the surface would be
        less certain than a single control anywhere on the plate, or where the factor would leave
        0.5 to 2.

    Notes
    -----
    The factor of DrugScreenExplorer (Lu, on GitHub), but decided by each plate's own controls, all
    four sides of the ring included, and refused where the controls do not carry it.
    """
    plate = as_arrays(plate)
    unchanged = Correction(applied=False, reason="", factor=np.ones(len(plate["signal"])))
    if method == "none":
        return unchanged
    found = outside(measure(plate), limits)
    if not found:
        return replace(unchanged, reason="edge correction not needed")
    fitted = _fit(plate)
    if isinstance(fitted, str):
        return replace(unchanged, reason=f"edge correction not applied: {fitted}")
    factor, words = fitted
    reason = f"edge correction applied: {words}, for {', '.join(found)}"
    return Correction(applied=True, reason=reason, factor=factor, after=_left_out(plate))


def _read(plate: WellArrays) -> Mask:
    read: Mask = (plate["status"] == "ok") & ~plate["excluded"].astype(bool)
    return read


def _has(plate: WellArrays, role: str) -> Mask:
    has: Mask = plate["role"] == role
    return has


def _negatives(plate: WellArrays) -> WellArrays:
    return choose_wells(plate, _read(plate) & _has(plate, "negative"))


def _surface_wells(plate: WellArrays) -> WellArrays:
    """Negative controls of the vehicles that define 100 %, those left aside at the edge as well."""
    vehicles = set(plate["drug"][plate["control"] == "negative"])
    usable = _negatives(plate)
    scaling = np.array([drug in vehicles for drug in usable["drug"]], dtype=bool)
    return choose_wells(usable, scaling & ~np.isnan(usable["viability_pct"]))


def _effects(usable: WellArrays, shape: tuple[int, int], column: str) -> Effects:
    kinds, places = _kinds(usable, column, "drug"), _places(usable)
    return Effects(_edge(kinds, places, shape), *_gradients(kinds, places, shape))


def _kinds(wells: WellArrays, column: str, by: str) -> Kinds:
    """The values of each substance, or sample, by name, and the positions of its wells."""
    names, values = wells[by], wells[column].astype(float)
    found = [(name, np.flatnonzero(names == name)) for name in sorted(set(names))]
    return [(name, own, values[own]) for name, own in found]


def _edge(kinds: Kinds, places: Values, shape: tuple[int, int]) -> float:
    outer = np.any((places == 1) | (places == np.array(shape)), axis=1)
    best, ratio = 0, _UNKNOWN
    for _, own, values in kinds:
        ring, inside = values[outer[own]], values[~outer[own]]
        least = min(len(ring), len(inside))
        if least >= LEAST_CONTROLS and least > best and np.median(inside) > 0:
            best, ratio = least, float(np.median(ring) / np.median(inside))
    return ratio


def _gradients(kinds: Kinds, places: Values, shape: tuple[int, int]) -> tuple[Trend, Trend]:
    """Slopes within each substance, in % of its median from one side of the plate to the other."""
    usable = [(name, own, values) for name, own, values in kinds if np.median(values) > 0]
    if not usable:
        return Trend(), Trend()
    values = np.concatenate([100 * values / np.median(values) for _, _, values in usable])
    groups = [name for name, own, _ in usable for _ in own]
    row, column = (
        _across([places[own, axis] for _, own, _ in usable], values, groups, shape[axis] - 1)
        for axis in (0, 1)
    )
    return row, column


def _across(places: list[Values], values: Values, groups: list[str], span: int) -> Trend:
    """The trend over the whole plate; unknown where no group reaches over half of it."""
    if len(values) < _LEAST_FOR_GRADIENT or max(np.ptp(own) for own in places) < span / 2:
        return Trend()
    step = rank_slope(np.concatenate(places), values, groups)
    return Trend(slope=span * step.slope, lo=span * step.lo, hi=span * step.hi, p=step.p)


def _fit(plate: WellArrays) -> tuple[Values, str] | str:
    """The factor of every well, or why there is none."""
    controls = _surface_wells(plate)
    n_controls = len(controls["signal"])
    if n_controls < _LEAST_FOR_SURFACE:
        return f"{n_controls} negative controls, {_LEAST_FOR_SURFACE} are needed"
    rows, columns = plate_shape(plate)
    grid = np.array([(row + 1.0, column + 1.0) for row in range(rows) for column in range(columns)])
    surface = loess(_places(controls), _fractions(controls), grid)
    if surface is None or np.max(surface.uncertainty) > _MOST_UNCERTAIN:
        return "the negative controls do not reach over the plate"
    low, high = float(np.min(surface.value)), float(np.max(surface.value))
    if not _FACTORS[0] <= low <= high <= _FACTORS[1]:
        return f"the factor would run from {low:.2f} to {high:.2f}"
    at = (_places(plate) - 1).astype(int) @ np.array([columns, 1])
    vehicles = sorted(set(controls["drug"]))
    together = f" ({', '.join(vehicles)} together)" if len(vehicles) > 1 else ""
    words = f"LOESS over {n_controls} negative controls{together}"
    return surface.value[at], f"{words}, factor {low:.2f} to {high:.2f}"


def _left_out(plate: WellArrays) -> Effects:
    """The effects in controls, each divided by the factor that the others give."""
    controls = _surface_wells(plate)
    places, fractions = _places(controls), _fractions(controls)
    factors = []
    for place in range(len(places)):
        others = np.arange(len(places)) != place
        surface = loess(places[others], fractions[others], places[[place]])
        factors.append(surface.value[0] if surface is not None else _UNKNOWN)
    values = controls["viability_pct"] / np.array(factors)
    corrected = choose_wells(controls | {"corrected": values}, ~np.isnan(values))
    usable = plain_arm(corrected)
    return _effects(usable, plate_shape(plate), "corrected")


def _places(wells: WellArrays) -> Values:
    return np.array([wells["row"], wells["column"]], dtype=float).T


def _fractions(wells: WellArrays) -> Values:
    fractions: Values = wells["viability_pct"] / 100
    return fractions
