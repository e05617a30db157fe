"""MuSyC: synergy of efficacy, of potency and of cooperativity, told apart by one surface fit."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from drp.synergy.hill import fit_hill

Floats = NDArray[np.float64]

# Bounds: effects as fraction alive, slopes, and the interaction parameters.
EFFECT, SLOPE, INTERACTION = (-0.2, 1.2), (0.1, 10.0), (1e-3, 1e3)
# Decades beyond the tested doses that a midpoint may lie.
MARGIN = 1.0
FEWEST_CELLS = 12
MOST_CALLS = 400


@dataclass(frozen=True, slots=True)
class Musyc:
    """Parameters of the two-drug surface; effects are fractions alive.

    Attributes
    ----------
    e0, e1, e2, e3 : float
        Alive without drug, and at infinite dose of drug 1, of drug 2, of both.
    h1, h2, c1, c2 : float
        Slope and midpoint of each drug alone.
    alpha12, alpha21 : float
        Potency: above 1, the presence of drug 1 makes drug 2 more potent (12), or the reverse.
    gamma12, gamma21 : float
        Cooperativity: change of the slope of drug 2 by drug 1 (12), or the reverse.
    """

    e0: float
    e1: float
    e2: float
    e3: float
    h1: float
    h2: float
    c1: float
    c2: float
    alpha12: float = 1.0
    alpha21: float = 1.0
    gamma12: float = 1.0
    gamma21: float = 1.0

    @property
    def beta(self) -> float:
        """Efficacy synergy: extra kill over the stronger drug, relative to that drug's own."""
        best = min(self.e1, self.e2)
        return float(np.divide(best - self.e3, self.e0 - best)) if self.e0 != best else float("nan")


@dataclass(frozen=True, slots=True)
class MusycFit:
    """The fitted surface: parameters (None where refused), squared error, why or how it ended."""

    parameters: Musyc | None
    rss: float
    status: str


def musyc_surface(parameters: Musyc, dose1: ArrayLike, dose2: ArrayLike) -> Floats:
    """Give the fraction alive of cells by the four-state model at its steady state.

    Parameters
    ----------
    parameters : Musyc
        Of the surface.
    dose1, dose2 : array (n_cells,)
        0 or more.

    Returns
    -------
    array (n_cells,)
        Fraction alive; 1 - inhibition / 100.

    Notes
    -----
    Wooten DJ, Meyer CT, Lubbock ALR, Quaranta V, Lopez CF. Nat Commun 2021;12:4607,
    doi:10.1038/s41467-021-24789-z. States: free, with drug 1, with drug 2, with both; every rate
    back is 1.

    Examples
    --------
    >>> one = Musyc(1.0, 0.5, 0.3, 0.05, 1.5, 0.9, 10.0, 3.0, alpha12=4.0)
    >>> musyc_surface(one, [0.0, 10.0], [0.0, 0.0])
    array([1.  , 0.75])
    """
    p = parameters
    x1, x2 = np.asarray(dose1, dtype=np.float64), np.asarray(dose2, dtype=np.float64)
    with np.errstate(over="ignore"):
        to_1, to_2 = (x1 / p.c1) ** p.h1, (x2 / p.c2) ** p.h2
        then_2 = (p.alpha12 * x2) ** (p.gamma12 * p.h2) * p.c2 ** (-p.gamma12 * p.h2)
        then_1 = (p.alpha21 * x1) ** (p.gamma21 * p.h1) * p.c1 ** (-p.gamma21 * p.h1)
    # Weights of the states are sums over the spanning trees that lead to each (Kirchhoff).
    free = 2.0 + then_1 + then_2
    with_1 = to_1 * (1.0 + then_1) + to_1 + to_2 * then_1
    with_2 = to_2 * (1.0 + then_2) + to_2 + to_1 * then_2
    with_both = to_1 * then_2 * (1.0 + then_1) + to_2 * then_1 * (1.0 + then_2)
    summed = free * p.e0 + with_1 * p.e1 + with_2 * p.e2 + with_both * p.e3
    alive: Floats = summed / (free + with_1 + with_2 + with_both)
    return alive


def fit_musyc(
    dose1: ArrayLike, dose2: ArrayLike, inhibition: ArrayLike, weight: ArrayLike | None = None
) -> MusycFit:
    """Fit the surface by bounded least squares from a few fixed starts.

    Parameters
    ----------
    dose1, dose2 : array (n_cells,)
        0 or more; single-agent cells included.
    inhibition : array (n_cells,)
        %, not clipped; NaN = missing.
    weight : array (n_cells,), optional
        Wells behind each cell.

    Returns
    -------
    MusycFit
        Effects lie in -0.2 to 1.2, slopes in 0.1 to 10, potencies and cooperativities in 1e-3 to
        1e3, midpoints within a decade of the doses. rss is in points. Refused, with the reason as
        `status`, below twelve cells or where a drug alone has fewer than four doses, 0 counted.

    Examples
    --------
    >>> truth = Musyc(1.0, 0.5, 0.3, 0.05, 1.5, 0.9, 10.0, 3.0, alpha12=4.0)
    >>> dose = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
    >>> x1, x2 = (one.ravel() for one in np.meshgrid(dose, dose))
    >>> found = fit_musyc(x1, x2, 100 - 100 * musyc_surface(truth, x1, x2))
    >>> round(found.parameters.alpha12, 3), round(found.parameters.beta, 3)
    (4.0, 0.357)
    """
    x1, x2 = np.asarray(dose1, dtype=np.float64), np.asarray(dose2, dtype=np.float64)
    alive = 1.0 - np.asarray(inhibition, dtype=np.float64) / 100.0
    weights = np.broadcast_to(1.0 if weight is None else np.asarray(weight, np.float64), x1.shape)
    used = np.isfinite(alive) & (weights > 0)
    # Cells in one order, whatever order they came in.
    order = np.lexsort((weights, alive, x2, x1))
    order = order[used[order]]
    x1, x2, alive, root = x1[order], x2[order], alive[order], np.sqrt(weights[order])
    if len(alive) < FEWEST_CELLS:
        return MusycFit(None, float("nan"), f"too_few_cells: {len(alive)} of {FEWEST_CELLS} needed")
    alone = [_alone(x1[x2 == 0], alive[x2 == 0]), _alone(x2[x1 == 0], alive[x1 == 0])]
    for drug, one in enumerate(alone):
        if one is None:
            return MusycFit(None, float("nan"), f"too_few_doses: drug {drug + 1} alone")

    def residual(vector: Floats) -> Floats:
        error: Floats = 100.0 * root * (musyc_surface(_parameters(vector), x1, x2) - alive)
        return error

    limits = _limits(x1, x2)
    ends = []
    for start in _starts(alone, alive, limits):
        found = least_squares(
            residual, start, bounds=limits, x_scale=_SCALE, max_nfev=MOST_CALLS,
            xtol=1e-12, ftol=1e-12, gtol=1e-12,
        )  # fmt: skip
        ends.append((2.0 * float(found.cost), found))
    rss, best = min(ends, key=lambda end: end[0])
    held = [name for name, at in zip(_NAMES, best.active_mask.tolist(), strict=True) if at]
    status = "failed:steps_ran_out" if best.status == 0 else "converged"
    if held and best.status:
        status = "at_bound:" + ",".join(held)
    return MusycFit(_parameters(best.x), rss, status)


_NAMES = tuple(one.name for one in fields(Musyc))
_SCALE = np.array([0.3] * 4 + [0.5] * 2 + [1.0] * 6)


def _parameters(vector: Floats) -> Musyc:
    """Read a vector: effects as they are, all else as ln."""
    return Musyc(*vector[:4].tolist(), *np.exp(vector[4:]).tolist())


def _limits(x1: Floats, x2: Floats) -> tuple[Floats, Floats]:
    ends = [(one[one > 0].min(), one.max()) for one in (x1, x2)]
    factor = 10.0**MARGIN
    around = [(low / factor, high * factor) for low, high in ends]
    pairs = np.log([SLOPE] * 2 + around + [INTERACTION] * 4)
    low, high = np.vstack([np.array([EFFECT] * 4), pairs]).T
    return low, high


def _alone(dose: Floats, alive: Floats) -> tuple[float, float, float, float] | None:
    """Fit one drug alone: alive without it and at infinite dose, slope and midpoint."""
    levels, place = np.unique(dose, return_inverse=True)
    if len(levels) < 4:
        return None
    count = np.bincount(place)
    mean = 100.0 - 100.0 * np.bincount(place, alive) / count
    fits = fit_hill(levels, mean[None], count)
    middle = np.exp(np.log(levels[levels > 0]).mean())
    slope = 1.0 if np.isnan(fits.slope[0]) else float(fits.slope[0])
    midpoint = float(middle if np.isnan(fits.midpoint[0]) else fits.midpoint[0])
    return 1 - float(fits.start[0]) / 100, 1 - float(fits.plateau[0]) / 100, slope, midpoint


def _starts(
    alone: list[tuple[float, float, float, float] | None],
    alive: Floats,
    limits: tuple[Floats, Floats],
) -> list[Floats]:
    """Start from the single curves, with neither, more and less potency of both together."""
    one, other = (part for part in alone if part is not None)
    effects = [(one[0] + other[0]) / 2, one[1], other[1], float(alive.min())]
    curves = np.log([one[2], other[2], one[3], other[3]])
    starts = []
    for potency in (0.0, 1.5, -1.5):
        vector = np.concatenate([effects, curves, [potency, potency, 0.0, 0.0]])
        width = limits[1] - limits[0]
        inside = np.clip(vector, limits[0] + 1e-3 * width, limits[1] - 1e-3 * width)
        starts.append(inside)
    return starts
