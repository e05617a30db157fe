"""Slow, obvious twins of the vectorised formulas: one curve at a time, by the textbook."""

from itertools import product

import numpy as np
from scipy import integrate, optimize, stats

from tests.many_starts import least_cost


def viability(dose, top, bottom, log10_ec50, slope):
    """The four-parameter logistic at one dose."""
    if dose == 0:
        return top
    return bottom + (top - bottom) / (1 + 10 ** (slope * (np.log10(dose) - log10_ec50)))


def least_error(dose, response, *, starts=12, bottom_low=0.0, slope=(0.1, 10.0), rising=True):
    """The least squared error of the bounded curve, from many starts of a general optimiser."""
    x = np.log10(dose)
    limits = (
        [bottom_low, 0, x.min() - 1, np.log(slope[0])],
        [np.inf, np.inf, x.max() + 1, np.log(slope[1])],
    )
    best = ((response - response.mean()) ** 2).sum()
    for e in np.linspace(x.min() - 0.5, x.max() + 0.5, starts // 2):
        for eta in (0.0, 1.5):
            for sign in (1, -1) if rising else (1,):

                def residual(q, sign=sign):
                    share = 1 / (
                        1
                        + np.exp(np.clip(sign * np.exp(q[3]) * (x - q[2]) * np.log(10), -600, 600))
                    )
                    return q[0] + q[1] * share - response

                span = max(np.ptp(response), 1.0)
                start = [max(response.min(), bottom_low + 0.1), span, e, eta]
                fit = optimize.least_squares(
                    residual,
                    start,
                    bounds=limits,
                    x_scale=[30, 30, 0.5, 0.5],
                    xtol=1e-9,
                    ftol=1e-10,
                    max_nfev=200,
                )
                best = min(best, 2 * fit.cost)
    return best


def least_errors(dose, responses, *, starts=12):
    """What `least_error` gives for each of many curves, from the same starts, all at once."""
    x = np.log10(dose)
    low = np.array([0.0, 0.0, x.min() - 1, np.log(0.1)])
    high = np.array([np.inf, np.inf, x.max() + 1, np.log(10.0)])
    middles = np.linspace(x.min() - 0.5, x.max() + 0.5, starts // 2)
    trials = np.array(list(product(middles, (0.0, 1.5), (1, -1))))
    e, eta, sign = np.tile(trials, (len(responses), 1)).T
    wells = np.repeat(responses, len(trials), axis=0)

    def model(q):
        b, span, e, eta = (q[:, [place]] for place in range(4))
        rate = sign[:, None] * np.exp(eta) * np.log(10)
        share = 1 / (1 + np.exp(np.clip(rate * (x - e), -600, 600)))
        turn = -span * share * (1 - share) * rate
        slopes = (np.ones_like(share), share, -turn, turn * (x - e))
        return b + span * share - wells, np.stack(slopes, axis=-1)

    spans = np.maximum(np.ptp(wells, axis=1), 1.0)
    first = np.column_stack([np.maximum(wells.min(axis=1), 0.1), spans, e, eta])
    found = least_cost(model, first, low, high).reshape(len(responses), -1).min(axis=1)
    return np.minimum(found, ((responses.T - responses.mean(axis=1)) ** 2).sum(axis=0))


def area(top, bottom, log10_ec50, slope, low, high):
    """Mean viability over log dose, by quadrature."""
    value, _ = integrate.quad(
        lambda x: viability(10**x, top, bottom, log10_ec50, slope), low, high, epsabs=1e-10
    )
    return value / (high - low)


def dss(bottom, log10_ec50, slope, low, high, threshold=10.0, lowest=0.0):
    """DSS1, DSS2, DSS3 by quadrature of the inhibition above the threshold."""
    highest = 100 - bottom
    if highest <= threshold:
        return 0.0, 0.0, 0.0

    def over(x):
        inhibition = lowest + (highest - lowest) / (1 + 10 ** (slope * (log10_ec50 - x)))
        return inhibition - threshold

    grid = np.linspace(low, high, 200_001)
    values = over(grid)
    positive = np.trapezoid(np.maximum(values, 0), grid)
    width = (values > 0).mean() * (high - low)
    dss1 = 100 * positive / ((100 - threshold) * (high - low))
    scale = np.log10(highest)
    return dss1, dss1 / scale, dss1 * 2 / scale * width / (high - low)


def profile_interval(dose, response, estimate, best, quantity, level=0.95):
    """Profile-likelihood interval of EC50 or of the AUC: re-fit with the quantity held.

    `estimate` holds top, bottom, log10_ec50 and slope at the optimum, `best` its squared error.
    """
    x = np.log10(dose)
    freedom = len(x) - 4
    limit = best * (1 + stats.f.ppf(level, 1, freedom) / freedom)
    top, bottom, e, h = estimate
    low, high = x.min(), x.max()

    def share_mean(e, h):
        return area(1.0, 0.0, e, h, low, high)

    def error(held):
        def residual(q):
            if quantity == "log10_ec50":
                t, b, eta = q
                middle = held
            else:
                t, middle, eta = q
                mean = share_mean(middle, np.exp(eta))
                b = (held - t * mean) / (1 - mean)
            share = 1 / (1 + np.exp(np.clip(np.exp(eta) * (x - middle) * np.log(10), -600, 600)))
            return b + (t - b) * share - response

        third = bottom if quantity == "log10_ec50" else e
        found = [
            optimize.least_squares(residual, [top, third, np.log(h) + shift], x_scale=[10, 1, 0.3])
            for shift in (-0.4, 0.0, 0.4)
        ]
        return min(2 * one.cost for one in found) - limit

    centre = e if quantity == "log10_ec50" else area(top, bottom, e, h, low, high)
    step = 0.05 if quantity == "log10_ec50" else 1.0
    ends = []
    for sign in (-1, 1):
        far = step
        while error(centre + sign * far) < 0:
            far *= 1.5
        ends.append(optimize.brentq(lambda d, s=sign: error(centre + s * d), 0, far, xtol=1e-4))
    return centre - ends[0], centre + ends[1]


def non_increasing(mean, weight):
    """The monotone regression by its max–min formula."""
    n = len(mean)

    def average(i, j):
        return np.average(mean[i : j + 1], weights=weight[i : j + 1])

    return np.array(
        [min(max(average(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    )


def breeze(bottom, log10_ec50, slope, low, high):
    """DSS2 by Breeze's list of rules, read off the quadrature."""
    if np.isnan(log10_ec50):
        return 0.0
    highest, slope = min(100 - bottom, 100), abs(slope)
    if highest < 10:
        log10_ec50 = high
    if log10_ec50 >= high or slope == 0:
        return 0.0
    score = dss(100 - highest, log10_ec50, slope, low, high)[1]
    return round(round(score, 4), 1) if 0 <= score <= 50 else 0.0


def dss_asym(bottom, top, middle, slope, asymmetry, low, high):
    """iTReX's score of a five-parameter curve of inhibition (fractions), by quadrature."""

    def inhibition(x):
        return 100 * (bottom + (top - bottom) / (1 + 10 ** ((middle - x) * slope)) ** asymmetry)

    threshold = 0.1 * max(100, min(110, 100 * max(top, bottom)))
    x = np.linspace(low, high, 200_001)
    y = np.full(len(x), inhibition(high)) if slope < 0 else inhibition(x)
    area = np.trapezoid(np.maximum(y - threshold, 0), x)
    return 0.5 * 100 * area / ((100 - threshold) * (high - low))


def asymmetric_criterion(x, y, parameters):
    """Sum of |residual| ** 1.5 about a five-parameter curve of inhibition."""
    bottom, top, middle, slope, asymmetry = parameters
    curve = bottom + (top - bottom) / (1 + 10 ** ((middle - x) * slope)) ** asymmetry
    return (np.abs(y - curve) ** 1.5).sum()


def model_free_area(x, inhibition, threshold=10.0):
    """Area of a polygon of inhibition above a threshold on DSS1's scale, on a fine grid."""
    grid = np.linspace(x[0], x[-1], 400_001)
    over = np.maximum(np.interp(grid, x, inhibition) - threshold, 0)
    return 100 * np.trapezoid(over, grid) / ((100 - threshold) * (x[-1] - x[0]))


def pharmacogx_aac(bottom, log10_ec50, slope, low, high):
    """PharmacoGx's area above a curve from 1 down to `bottom`, by quadrature."""
    return 1 - area(1.0, bottom, log10_ec50, slope, low, high)


def gr_time(treated, control, day0):
    """GR with a read at time zero, one well."""
    if not (day0 > 0 and control > day0):
        return np.nan
    if treated <= 0:
        return -1.0
    return 2 ** (np.log2(treated / day0) / np.log2(control / day0)) - 1


def gr_endpoint(relative, divisions):
    """GR from a stated rate of growth, one well."""
    if not divisions >= 2 / 3:
        return np.nan
    if relative <= 0:
        return -1.0
    return 2 ** (1 + np.log2(min(1.25, relative)) / divisions) - 1


def selective(score, healthy):
    """sDSS, zDSS and rDSS of one score; the latter two need three healthy samples."""
    healthy = np.asarray(healthy, dtype=float)
    difference = score - healthy.mean()
    if len(healthy) < 3:
        return difference, np.nan, np.nan
    spread = np.sqrt(((healthy - healthy.mean()) ** 2).sum() / (len(healthy) - 1))
    middle = np.median(healthy)
    mad = 1.4826 * np.median(np.abs(healthy - middle))
    return difference, difference / (spread + 1), (score - middle) / (mad + 1)
