"""What each quantity read off the curve may be at given midpoints and slopes of the region."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.collapse import DoseMeans
from drp.curves.ellipse import Ellipse, ellipse, half_dose_range, linear_range
from drp.curves.metrics import HALF_VIABILITY, drug_sensitivity_scores, mean_share
from drp.curves.model import Floats, falling_share
from drp.curves.objective import Problem
from drp.curves.region import Cells, cell_sums
from drp.curves.search import RISING, Searched, seen_from

# Decades beyond the doses at which an IC50 is no longer told apart from an infinite one.
BEYOND = 0.5

Range = tuple[Floats, Floats]


class Columns(NamedTuple):
    """Some curves of a batch, a curve possibly more than once, and what their ranges need.

    level: the curve's mean; width: decades from lowest to highest dose; at: relative log10 doses
    whose viability is wanted, shape (n_doses, n_columns), NaN = none; allowed: SSE - SST up to
    which a point belongs to the region; rising: which curves rise and are seen from the highest
    dose, as is `at` then.
    """

    problem: Problem
    level: Floats
    width: Floats
    at: Floats
    allowed: Floats
    rising: NDArray[np.bool_]

    @classmethod
    def of(cls, searched: Searched, means: DoseMeans, at: Floats, allowed: Floats) -> "Columns":
        """Take all curves of a batch, each in its own direction."""
        sign, width = searched.best.sign, means.x_max - means.x_min
        seen = seen_from(sign, at, width)
        return cls(searched.problem, means.level, width, seen, allowed, sign == RISING)

    def take(self, curves: NDArray[np.intp]) -> "Columns":
        """Give the same for some curves."""
        return Columns(
            self.problem.take(curves),
            self.level[curves],
            self.width[curves],
            self.at[:, curves],
            self.allowed[curves],
            self.rising[curves],
        )


def _auc(columns: Columns, cut: Ellipse, cells: Cells, slope: Floats) -> Range:
    share = mean_share(np.zeros_like(columns.width), columns.width, cells.e, slope)
    low, high = linear_range(cut, share)
    return low + columns.level, high + columns.level


def viability_ranges(columns: Columns, cut: Ellipse, cells: Cells) -> list[Range]:
    """Give the range of the viability at each of the doses asked for."""
    found = []
    for at in columns.at:
        low, high = linear_range(cut, falling_share(at, cells.e, np.exp(cells.eta)))
        found.append((low + columns.level, high + columns.level))
    return found


def _ic50(columns: Columns, cut: Ellipse, cells: Cells, slope: Floats) -> Range:
    half, lowest = HALF_VIABILITY - columns.level, linear_range(cut, np.zeros(()))
    low, high = half_dose_range(cut, half, cells.e, slope, lowest[1])
    if columns.rising.any():
        # A rising curve has no dose at which it falls to half.
        for value, end in zip((low, high), lowest, strict=True):
            never = np.where(end >= half, np.inf, -np.inf)
            np.copyto(value, np.where(np.isnan(end), np.nan, never), where=columns.rising)
    # Beyond the doses a side is open, however far: kept near, it spoils no neighbour's peak.
    highest = columns.width + BEYOND
    return np.clip(low, -BEYOND, highest), np.clip(high, -BEYOND, highest)


def _dss2(columns: Columns, cut: Ellipse, cells: Cells, slope: Floats) -> Range:
    low, high = linear_range(cut, np.zeros(()))
    # For given midpoint and slope the score falls as the bottom rises.
    ends = np.stack([high, low]) + columns.level
    none = np.zeros_like(columns.width)
    score = drug_sensitivity_scores(ends, cells.e, slope, none, columns.width)[1]
    # A rising curve scores nothing.
    least, most = np.where(np.isnan(ends), np.nan, np.where(columns.rising, 0.0, score))
    return least, most


QUANTITIES: dict[str, Callable[[Columns, Ellipse, Cells, Floats], Range]] = {
    "auc": _auc,
    "ic50": _ic50,
    "dss2": _dss2,
}


def cut_of(columns: Columns, cells: Cells) -> Ellipse:
    """Give the ellipses of cells of shape (n_cells, n_columns)."""
    problem = columns.problem
    return ellipse(cell_sums(problem, cells), columns.allowed, problem.box)


def ranges(
    columns: Columns, cells: Cells, names: Iterable[str], cut: Ellipse | None = None
) -> dict[str, Range]:
    """Give the range of quantities over the asymptotes that each cell allows.

    Parameters
    ----------
    columns : Columns
        The curves.
    cells : Cells
        Shape (n_cells, n_columns).
    names : iterable of str
        Of `QUANTITIES`.
    cut : Ellipse, optional
        From `cut_of`, where it is known already.

    Returns
    -------
    dict of pair of array (n_cells, n_columns)
        Lowest and highest value; NaN where the cell lies outside the region.
    """
    cut = cut_of(columns, cells) if cut is None else cut
    slope = np.exp(cells.eta)
    return {name: QUANTITIES[name](columns, cut, cells, slope) for name in names}
