"""Chances: how probable each call is, given the noise of wells, controls and reference.

What is printed are the measured values. The probability asks what would stand there without noise:
the sample's AUC has a posterior under the noise-free distribution of the reference, which is itself
resampled (`drp.deconvolution`). So a value that noise has carried far away counts for as much as it
is worth, and a reference that is wide only because it is noisy is not taken for wide.

Every condition of a call is a limit on the AUC (the viability at the plasma peak moves along with
it), so the probability of a call is the mass of the posterior below a limit, averaged over the
resamples. It is summed up exactly: there are no random draws, and nothing depends on a seed but the
resamples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.deconvolution import GRID, LEAST_ERROR, STEP, Deconvolved, Values, likelihood

_BLOCK = 64
_DIGITS = 9  # beyond them probabilities differ between processors
_EDGES = GRID - STEP / 2


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of some samples for one drug, arrays (m,).

    `auc` and its standard error `error` (wells and controls) in points; `at_peak`, the viability at
    the plasma peak in % (NaN where the exposure is unknown), and its standard error; `active`:
    whether the curve falls at all.
    """

    auc: Values
    error: Values
    at_peak: Values
    at_peak_error: Values
    active: NDArray[np.bool_]

    def only(self, chosen: NDArray[Any]) -> "Measured":
        """Give some of the samples."""
        return Measured(
            self.auc[chosen],
            self.error[chosen],
            self.at_peak[chosen],
            self.at_peak_error[chosen],
            self.active[chosen],
        )


@dataclass(frozen=True, slots=True)
class Posterior:
    """Posterior distributions of the noise-free AUC, of m samples in R resamples of a reference.

    `likelihood` (m, cells), `prior` (R, cells), `total` (m, R) their product's sum, `usable` (m, R)
    the resamples that count for a sample: those without a copy of it.
    """

    likelihood: Values
    prior: Values
    total: Values
    usable: NDArray[np.bool_]

    def share(self, mass: Values) -> Values:
        """Turn mass (m, R) into a probability (m,): the mean over the usable resamples."""
        shares = np.where(self.usable, mass / self.total, 0.0)
        return np.asarray(shares.sum(axis=1) / self.usable.sum(axis=1))


def posterior(
    measured: Measured, reference: Deconvolved, n: int, usable: NDArray[np.bool_]
) -> Posterior:
    """Give the posterior of samples judged against one reference.

    Parameters
    ----------
    measured : Measured
        m samples.
    reference : Deconvolved
        The reference in R resamples.
    n : int
        Members of the reference. One in n + 1 patients counts as unlike all others, so that a
        sample far from the reference is not drawn to it.
    usable : array (m, R) of bool
        Whether a resample holds no copy of the sample; those without any member never count.

    Examples
    --------
    >>> reference = Deconvolved(np.full((1, len(GRID)), 1 / len(GRID)), np.zeros(1), np.ones(1))
    >>> nan = np.array([np.nan])
    >>> one = Measured(np.array([50.0]), np.array([2.0]), nan, nan, np.array([True]))
    >>> found = posterior(one, reference, 10, np.array([[True]]))
    >>> round(float(found.share(below(found, np.array([50.0])))[0]), 3)
    0.5
    """
    weight = 1.0 / (n + 1)
    mixed = (1 - weight) * reference.prior + weight / len(GRID)
    inside = np.clip(measured.auc, GRID[0], GRID[-1])
    chance = likelihood(inside, np.maximum(measured.error, LEAST_ERROR))
    return Posterior(chance, mixed, _product(chance, mixed), usable & ~np.isnan(reference.centre))


def below(found: Posterior, limits: Values) -> Values:
    """Give the mass below limits on the AUC (R,), one for each resample: (m, R)."""
    return _product(found.likelihood, found.prior * _share_below(limits))


def below_both(found: Posterior, limits: Values, own: Values) -> Values:
    """Give the mass below the limit of the resample (R,) and below that of the sample (m,)."""
    shares, own_shares = _share_below(limits), _share_below(own)
    mass = _product(found.likelihood * own_shares, found.prior * shares)
    # In a cell that holds both limits the smaller share counts, not the product of the two.
    cell, own_cell = _cell(limits), _cell(own)
    sample, resample = np.nonzero(own_cell[:, None] == cell[None, :])
    first, second = own_shares[sample, own_cell[sample]], shares[resample, cell[resample]]
    weight = found.likelihood[sample, own_cell[sample]] * found.prior[resample, cell[resample]]
    mass[sample, resample] += weight * (np.minimum(first, second) - first * second)
    return mass


def call_chances(
    measured: Measured,
    reference: Deconvolved,
    found: Posterior,
    cut: float,
    settings: Mapping[str, Any],
) -> tuple[Values, Values]:
    """Give the probability of sensitive, and of intermediate, of each sample.

    Parameters
    ----------
    measured : Measured
        m samples.
    reference, found : Deconvolved, Posterior
        Their reference, and their posterior under it.
    cut : float
        The z to be reached.
    settings : mapping
        `drp.config.CallSettings`.

    Returns
    -------
    tuple of array (m,)
        By the same rule as `drp.calls.decide`.
    """
    distance = np.maximum(cut * reference.spread, settings["auc_difference"])
    beyond = reference.centre - distance
    ranked = np.minimum(beyond, _quantile(reference.prior, 1 - settings["percentile"] / 100))
    reachable = _auc_at(measured, settings["viability_at_cmax"], unknown=np.inf)
    strong = _auc_at(measured, settings["strong_at_cmax"], unknown=-np.inf)
    sensitive = found.share(below_both(found, ranked, reachable))
    some = strong > -np.inf
    part = Posterior(found.likelihood[some], found.prior, found.total[some], found.usable[some])
    middle = found.share(below(found, beyond))
    everywhere = np.full(len(beyond), np.inf)
    middle[some] += part.share(
        below_both(part, everywhere, strong[some]) - below_both(part, beyond, strong[some])
    )
    sensitive, middle = (np.where(measured.active, share, 0.0) for share in (sensitive, middle))
    return _rounded(sensitive), _rounded(middle - sensitive)


def z_moments(reference: Deconvolved, found: Posterior) -> tuple[Values, Values]:
    """Give mean and standard deviation of each sample's z, (m,)."""
    centre, spread = np.nan_to_num(reference.centre), np.nan_to_num(reference.spread, nan=1.0)
    mean = _product(found.likelihood * GRID, found.prior) / found.total
    middles = GRID**2 + STEP**2 / 12  # the mean square in a cell
    square = _product(found.likelihood * middles, found.prior) / found.total
    first = found.share(found.total * (centre - mean) / spread)
    moved = square - 2 * centre * mean + centre**2
    second = found.share(found.total * moved / spread**2)
    return _rounded(first), _rounded(np.sqrt(np.maximum(second - first**2, 0.0)))


def _auc_at(measured: Measured, viability: float, unknown: float) -> Values:
    """AUC up to which the viability at the plasma peak is at most `viability`, (m,)."""
    spread = measured.at_peak_error
    room = viability - measured.at_peak
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = measured.auc + room * measured.error / spread
    fixed = np.where(room >= 0, np.inf, -np.inf)
    return np.where(np.isnan(room), unknown, np.where(spread > 0, limit, fixed))


def _quantile(prior: Values, share: float) -> Values:
    """The AUC with a share of each row's patients below it, linear inside its cell."""
    upper = np.cumsum(prior, axis=1)
    cell = np.argmax(upper > share + 1e-12, axis=1)
    row = np.arange(len(prior))
    own = np.where(prior[row, cell] > 0, prior[row, cell], 1.0)
    return np.asarray(_EDGES[cell] + STEP * (share - upper[row, cell] + own) / own)


def _share_below(limits: Values) -> Values:
    return np.clip((np.nan_to_num(limits, nan=-np.inf)[:, None] - _EDGES) / STEP, 0.0, 1.0)


def _cell(limits: Values) -> NDArray[np.intp]:
    place = np.nan_to_num((limits - _EDGES[0]) / STEP, nan=0.0)
    return np.asarray(np.clip(place, 0, len(GRID) - 1), dtype=np.intp)


def _product(rows: Values, matrix: Values) -> Values:
    """Multiply rows by matrix.T in blocks of one size: no row hangs on the others."""
    blocks = -(-len(rows) // _BLOCK)
    padded = np.zeros((blocks * _BLOCK, rows.shape[1]))
    padded[: len(rows)] = rows
    product = padded.reshape(blocks, _BLOCK, rows.shape[1]) @ np.ascontiguousarray(matrix.T)
    return np.asarray(product.reshape(blocks * _BLOCK, len(matrix))[: len(rows)])


def _rounded(values: Values) -> Values:
    return np.asarray(np.round(values, _DIGITS) + 0.0)
