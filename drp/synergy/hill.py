"""Hill curves of per cent inhibition: bounded, global least squares, many curves at once.

``y = start + (plateau - start) / (1 + (midpoint / dose) ** slope)``, where dose 0 gives the start.
Slope 0.1 to 10; midpoint from a tenth of the lowest to ten times the highest dose; start and
plateau up to 105 %, without a lower limit, since growth is real; the plateau may lie below the
start. A start that is given stays as given.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drp.synergy.descent import Floats, Indices
from drp.synergy.hill_plan import Plan
from drp.synergy.hill_search import INACTIVE, STATES, Found, search

Mask = NDArray[np.bool_]

# A curve whose dose means differ by less than this many well SDs is inactive.
INACTIVE_SDS = 2.0


@dataclass(frozen=True, slots=True)
class HillFits:
    """Fitted curves; arrays of shape (n_curves,), or (n_draws, n_curves) for draws.

    Attributes
    ----------
    start, plateau : array
        Inhibition at dose 0 and at infinite dose, %; NaN where no curve was fitted.
    midpoint, slope : array
        In the unit of the doses, and without one; NaN where the curve is a constant.
    rss, rmse : array
        Weighted squared error of the dose means, and the root of its mean per weight, points.
    status : array of str
        ``converged``, ``at_bound:`` with the parameters that stand at a bound, ``flat`` (no curve
        fits better than a constant), ``inactive`` (no more than noise), ``too_few_doses``,
        ``failed:steps_ran_out``.
    """

    start: Floats
    plateau: Floats
    midpoint: Floats
    slope: Floats
    rss: Floats
    rmse: Floats
    status: NDArray[np.str_]

    @property
    def fitted(self) -> Mask:
        """True where there is a curve, a constant one included."""
        return np.isfinite(self.start)

    def at(self, dose: ArrayLike) -> Floats:
        """Give the inhibition of every curve at some doses, %.

        Parameters
        ----------
        dose : array (n_points,) or (n_curves, n_points)
            0 or more.

        Returns
        -------
        array (..., n_curves, n_points)
            NaN where no curve was fitted or the dose is NaN.

        Examples
        --------
        >>> fits = fit_hill([0, 1, 10, 100], [[0.0, 0.0, 50.0, 100.0]])
        >>> fits.at([0, 10, 100]).round(3) + 0.0
        array([[  0.,  50., 100.]])
        """
        dose = np.asarray(dose, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.slope[..., None] * (np.log(dose) - np.log(self.midpoint)[..., None])
            share = 0.5 + 0.5 * np.tanh(0.5 * z)
        constant = np.where(np.isnan(dose), np.nan, dose > 0)
        share = np.where(np.isnan(z), constant, share)
        start = self.start[..., None]
        value: Floats = start + (self.plateau[..., None] - start) * share
        return value

    def take(self, curves: slice | Indices) -> "HillFits":
        """Give the same for some curves."""
        return HillFits(**{one.name: getattr(self, one.name)[..., curves] for one in fields(self)})


def fit_hill(
    dose: ArrayLike,
    inhibition: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
    well_sd: float | Floats | None = None,
) -> HillFits:
    """Fit a Hill curve to each row of inhibitions by weighted least squares, globally.

    Parameters
    ----------
    dose : array (n_doses,) or (n_curves, n_doses)
        Doses, 0 or more, no two of a row the same; NaN = none.
    inhibition : array (n_curves, n_doses)
        Mean of each dose in %, not clipped; NaN = missing.
    weight : array, optional
        Wells behind each mean; broadcasts with `inhibition`; 0 = missing. By default 1.
    start : array (n_curves,), optional
        Inhibition at dose 0 where it is given, NaN where it is to be fitted.
    well_sd : float or array (n_curves,), optional
        SD of one well, points. A curve whose means differ by less than twice that is a constant,
        and ``inactive``: the mean of its wells, or of those at doses above 0 if its start is given.

    Returns
    -------
    HillFits
        A free curve needs four doses, 0 counted; one with a given start three, its start counted.
        No curve depends on the others; the order of the doses changes nothing.

    Examples
    --------
    >>> dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0, 100.0])
    >>> fits = fit_hill(dose, 80 / (1 + (5 / np.maximum(dose, 1e-9)) ** 1.5)[None])
    >>> [round(float(one[0]), 4) + 0 for one in (fits.start, fits.plateau, fits.midpoint)]
    [0.0, 80.0, 5.0]
    >>> fit_hill(dose[:3], [[0.0, 10.0, 20.0]]).status[0]
    np.str_('too_few_doses')
    """
    values = np.array(inhibition, dtype=np.float64, ndmin=2)
    plan = Plan.of(dose, values, weight, start, None)
    constant = np.zeros(plan.n_curves, dtype=bool)
    if well_sd is not None:
        known = np.where(plan.weight > 0, plan.values[0], np.nan)
        with np.errstate(invalid="ignore"):
            span = np.fmax.reduce(known, axis=-1) - np.fmin.reduce(known, axis=-1)
            constant = span < INACTIVE_SDS * well_sd
    found = _fits(plan, search(plan, constant, None))
    return HillFits(**{one.name: getattr(found, one.name)[0] for one in fields(found)})


def refit_hill(
    observed: HillFits,
    dose: ArrayLike,
    drawn: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> HillFits:
    """Fit the same curves to every draw of a bootstrap.

    Each draw is searched from the best node of the table and from the observed optimum, and stops
    a little earlier than an observed curve does. Curves observed as inactive stay constant.

    Parameters
    ----------
    observed : HillFits
        The fits of the observed values, (n_curves,).
    dose, weight
        As in `fit_hill`.
    drawn : array (n_draws, n_curves, n_doses)
        Drawn dose means, NaN in the same places in every draw.
    start : array (n_draws, n_curves), optional
        Starts that are given, NaN where they are to be fitted: for all draws or for none.

    Returns
    -------
    HillFits
        Arrays of shape (n_draws, n_curves).

    Examples
    --------
    >>> dose, seen = np.array([0.0, 1.0, 10.0, 100.0]), np.array([[0.0, 10.0, 50.0, 90.0]])
    >>> refit_hill(fit_hill(dose, seen), dose, np.stack([seen, seen + 1])).start.shape
    (2, 1)
    """
    values = np.asarray(drawn, dtype=np.float64)
    plan = Plan.of(dose, values, weight, start, values.shape[0])
    constant = observed.status == STATES[INACTIVE]
    return _fits(plan, search(plan, constant, (observed.midpoint, observed.slope)))


def _fits(plan: Plan, found: Found) -> HillFits:
    whole = plan.weight.sum(axis=1)
    rmse = np.sqrt(found.rss / np.where(whole > 0, whole, 1.0))
    return HillFits(**found.parameters, rss=found.rss, rmse=rmse, status=STATES[found.codes])
