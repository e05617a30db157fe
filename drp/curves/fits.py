"""What a fit gives: one array per quantity, one entry per curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drp.curves.model import Floats


@dataclass(frozen=True, slots=True)
class Fits:
    """Fitted curves; every array has shape (n_curves,), in the order given.

    Attributes
    ----------
    top, bottom : array
        Upper and lower asymptote, in the unit of the viability. Equal where flat.
    slope, log10_ec50 : array
        Hill slope (above 0 also for a rising curve) and log10 of the midpoint; NaN where flat.
    sse, sst : array
        Weighted squared error of all wells about the curve and about their mean.
    n_points, n_doses : array of int
        Wells and distinct doses used.
    increasing, second_optimum : array of bool
        The curve rises with dose. Another optimum fits nearly as well at another midpoint.
    status : array of str
        ``converged``, ``at_bound:<parameters>``, ``flat``, ``too_few_doses`` or
        ``failed:steps_ran_out`` (the values are then the best ones seen).
    auc, dss2 : array
        Of the curve over the tested doses; DSS2 only means something for per cent viability.
    top_se, bottom_se, slope_se, log10_ec50_se : array
        Standard errors; NaN at a bound, where flat, without intervals asked for.
    log10_ec50_lo, log10_ec50_hi, log10_ic50_lo, log10_ic50_hi : array
        Profile-likelihood intervals; infinite = open on that side. IC50 is the dose of 50.
    auc_lo, auc_hi, dss2_lo, dss2_hi, viability_at_lo, viability_at_hi : array
        Likewise; `viability_at` at the doses asked for, in the shape they were given.
    p_flat : array
        p-value against a flat curve.

    Notes
    -----
    Intervals and p-values are NaN if not asked for, or with four wells or fewer.
    """

    top: Floats
    bottom: Floats
    slope: Floats
    log10_ec50: Floats
    sse: Floats
    sst: Floats
    n_points: NDArray[np.int64]
    n_doses: NDArray[np.int64]
    increasing: NDArray[np.bool_]
    second_optimum: NDArray[np.bool_]
    status: NDArray[np.str_]
    auc: Floats
    dss2: Floats
    top_se: Floats
    bottom_se: Floats
    slope_se: Floats
    log10_ec50_se: Floats
    log10_ec50_lo: Floats
    log10_ec50_hi: Floats
    log10_ic50_lo: Floats
    log10_ic50_hi: Floats
    auc_lo: Floats
    auc_hi: Floats
    dss2_lo: Floats
    dss2_hi: Floats
    viability_at_lo: Floats
    viability_at_hi: Floats
    p_flat: Floats
