"""How well a layout agrees with a plate: the share of the scatter of its signals it explains."""

from dataclasses import dataclass

import numpy as np

from drp.registration.columns import Flags, Values
from drp.registration.designs import Design

# Share of the scatter that is never resolved: it keeps two nearly perfect fits comparable.
_NOISE_SHARE = 0.005
_SET_ASIDE = 3  # wells


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of one design with m sets of readings.

    Attributes
    ----------
    score : array, shape (m,)
        Share of the scatter that the design explains: 1 for all of it, about 0 for wells laid out
        at random, below 0 for worse; NaN where nothing is to be compared.
    misfit : array, shape (m, n)
        Squared deviation of each of the design's wells; NaN where nothing is compared.
    missed : array of bool, shape (m, n)
        Filled wells that were not read.
    freedom : array, shape (m,)
        How many deviations the score rests on.
    """

    score: Values
    misfit: Values
    missed: Flags
    freedom: Values


def agree_with_layout(design: Design, levels: Values, unread: Flags) -> Agreement:
    """Score a design against sets of readings.

    Parameters
    ----------
    design : Design
        Of n wells.
    levels : array, shape (m, n)
        Logarithm of the signal in each of the design's wells, in units of the plate's standard
        deviation; NaN where there is none. Wells that a placement moves off the plate count for
        nothing.
    unread : array of bool, shape (m, n)
        Wells on the plate that the reader did not read. A filled one counts as one deviation as
        large as the plate's own: it should have been read.

    Notes
    -----
    Each well is compared with the mean of its kind of control, or with its drug's falling curve:
    the isotonic regression on dose. Deviations are divided by what they would be if the wells were
    laid out at random: n - 1 for n wells of a control; for a series of m doses n minus the sum of
    1/k for k = 1 ... m, the number of levels an isotonic regression keeps of independent values
    (Barlow, Bartholomew, Bremner and Brunk, Statistical Inference under Order Restrictions, 1972).
    """
    read = np.isfinite(levels)
    values = np.where(read, levels, 0.0)
    count = np.add.reduceat(read.astype(float), design.level_starts, axis=1)
    total = np.add.reduceat(values, design.level_starts, axis=1)
    fitted = _lower(design, _isotonic(design, total, count), total, count)
    squares = np.where(read, (values - fitted[:, design.level_of]) ** 2, 0.0)
    missed = unread & design.filled
    misfit = np.where(read | missed, squares + missed, np.nan)
    freedom = _freedom(design, count) + missed.sum(axis=1)
    return Agreement(_explained(misfit, freedom), misfit, missed, freedom)


def agree_with_others(design: Design, levels: Values, expected: Values) -> Agreement:
    """Score sets of readings against what other plates show where the same things lie.

    Parameters
    ----------
    design : Design
        Of n wells.
    levels : array, shape (m, n)
        As for `agree_with_layout`.
    expected : array, shape (n,)
        The level in each well by the other plates; NaN where they say nothing.

    Notes
    -----
    The share explained by a rising straight line on the expected levels, as samples differ in how
    strongly they respond.
    """
    known = np.isfinite(levels) & np.isfinite(expected)
    count = np.maximum(known.sum(axis=1), 1)
    x = _centred(np.broadcast_to(expected, levels.shape), known, count)
    y = _centred(levels, known, count)
    xx, yy = (x * x).sum(axis=1), (y * y).sum(axis=1)
    slope = np.divide(np.maximum((x * y).sum(axis=1), 0), xx, out=np.zeros(len(xx)), where=xx > 0)
    squares = (y - slope[:, None] * x) ** 2
    scale = np.divide(count, yy, out=np.zeros(len(yy)), where=yy > 0)
    misfit = np.where(known, squares * scale[:, None], np.nan)
    freedom = np.where(yy > 0, count - 2.0, 0.0)
    missed = np.zeros(known.shape, dtype=bool)
    return Agreement(_explained(misfit, freedom), misfit, missed, freedom)


def _centred(values: Values, known: Flags, count: Values) -> Values:
    kept = np.where(known, values, 0.0)
    centred: Values = np.where(known, kept - (kept.sum(axis=1) / count)[:, None], 0.0)
    return centred


def _explained(misfit: Values, freedom: Values) -> Values:
    share = np.full(len(freedom), np.nan)
    np.divide(np.nansum(misfit, axis=1), freedom, out=share, where=freedom > 0)
    return 1 - share


def advantage(found: Agreement, better: int, worse: int) -> float:
    """Give how surely one set of readings agrees better than another, in standard errors.

    The logarithm of the ratio of what is left unexplained, over its standard error from the
    scatter between wells. Only wells compared in both count, and of those that were read the few
    that speak most for the better one are set aside: odd wells decide nothing.
    """
    both = found.misfit[[worse, better]]
    compared = np.isfinite(both).all(axis=0)
    both, missed = both[:, compared], found.missed[[worse, better]][:, compared].any(axis=0)
    order = np.argsort(np.where(missed, -np.inf, both[0] - both[1]), kind="stable")
    used = both[:, order[: max(len(order) - _SET_ASIDE, 0)]]
    whole = used.sum(axis=1) + _NOISE_SHARE * max(used.shape[1], 1)
    shares = used / whole[:, None]
    error = float(np.sqrt(np.sum((shares[0] - shares[1]) ** 2)))
    return float(np.log(whole[0] / whole[1])) / error if error else 0.0


def _freedom(design: Design, count: Values) -> Values:
    wells = np.add.reduceat(count, design.group_starts, axis=1)
    doses = np.add.reduceat((count > 0).astype(np.int64), design.group_starts, axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, count.shape[1] + 1))])
    freedom: Values = (wells - harmonic[doses]).sum(axis=1)
    return freedom


def _isotonic(design: Design, total: Values, count: Values) -> Values:
    """Fit each group's means from dose to dose: equal or falling; one level stays as it is."""
    fitted = np.zeros_like(total)
    sizes = np.diff(design.group_starts, append=total.shape[1])
    for size in sorted(set(sizes.tolist())):
        places = design.group_starts[sizes == size][:, None] + np.arange(size)
        fitted[:, places] = _falling(total[:, places], count[:, places])
    return fitted


def _falling(total: Values, count: Values) -> Values:
    """Give the falling isotonic regression along the last axis, from sums and counts.

    By the min-max formula: at each dose the smallest, over starts before it, of the largest mean,
    over ends after it. Doses without a value get some number; no well asks for it.
    """
    doses = total.shape[-1]
    fitted = np.full(total.shape, np.inf)
    for start in range(doses):
        sums = np.cumsum(total[..., start:], axis=-1)
        counts = np.cumsum(count[..., start:], axis=-1)
        means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
        largest = np.maximum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        fitted[..., start:] = np.minimum(fitted[..., start:], largest)
    return fitted


def _lower(design: Design, fitted: Values, total: Values, count: Values) -> Values:
    """Expect positive controls and blanks at most at the level of the negative controls."""
    wells = count[:, design.negative].sum(axis=1)
    sums = total[:, design.negative].sum(axis=1)
    top = np.divide(sums, wells, out=np.full(len(wells), np.inf), where=wells > 0)
    return np.where(design.low, np.minimum(fitted, top[:, None]), fitted)
