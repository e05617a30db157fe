"""The scores of one dose matrix, with their draws."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

import numpy as np
import numpy.typing as npt

from drp.synergy import nulls
from drp.synergy.draws import (
    Centre,
    Estimate,
    draw_inhibition,
    estimate,
    mirrored_part,
    probability_above,
    widening,
)
from drp.synergy.models import Models, no_models, score_models
from drp.synergy.noise import Controls, Noise
from drp.synergy.nulls import FloatArray
from drp.synergy.observed import Seen, fit_observed
from drp.synergy.regions import BestRegion, best_region
from drp.synergy.surface import DoseMatrix
from drp.synergy.table import Table, read_off_curves
from drp.synergy.zip import Variant

Mask = npt.NDArray[np.bool_]
Measured = tuple[DoseMatrix, Controls, Noise]
# Matrices whose curves are fitted together: more gain little, and have to be kept in memory.
_AT_ONCE = 64
NO_REGION = BestRegion(np.nan, (), (), np.nan)


@dataclass(frozen=True, slots=True)
class Scores:
    """Observed, expected and drawn inhibition of the combination cells of a matrix.

    Attributes
    ----------
    observed, bliss, hsa : numpy.ndarray
        Observed and expected inhibition in %, shape (n_combination_cells,); NaN where a well
        or a single agent is missing.
    drawn, drawn_bliss, drawn_hsa : numpy.ndarray
        The same for each draw, shape (draws, n_combination_cells).
    df : float
        Degrees of freedom of the well SD.
    models : Models
        Loewe, ZIP, CSS and RI.
    region : BestRegion
        The 3 × 3 window with the largest mean Bliss excess, by its own null; only of a matrix.
    fitted : numpy.ndarray of bool
        Single-agent cells that were not measured and are read off a curve, shape (n_cells,).
    """

    observed: FloatArray
    bliss: FloatArray
    hsa: FloatArray
    drawn: FloatArray
    drawn_bliss: FloatArray
    drawn_hsa: FloatArray
    df: float
    models: Models
    region: BestRegion
    fitted: Mask
    _known: dict[tuple[str, bytes], Estimate] = field(default_factory=dict, repr=False)

    @property
    def scored(self) -> Mask:
        """True where observed and expected inhibition are known."""
        return np.isfinite(self.observed) & np.isfinite(self.bliss)

    def inhibition(self, cells: Mask) -> Estimate:
        """Estimate the mean inhibition of some scored cells, %."""
        return self._mean("inhibition", cells)

    def bliss_excess(self, cells: Mask) -> Estimate:
        """Estimate the mean Bliss excess of some scored cells, points."""
        return self._mean("bliss", cells)

    def hsa_excess(self, cells: Mask) -> Estimate:
        """Estimate the mean gain of some scored cells over the best single agent, points."""
        return self._mean("hsa", cells)

    def probability_over(self, cells: Mask, threshold: float) -> float:
        """Give the probability that the mean Bliss excess of some scored cells is above this."""
        if not cells.any():
            return float("nan")
        return probability_above(*self._means("bliss", cells), self.df, threshold)

    def may_be(self, cells: Mask) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give what the true mean excess, gain and inhibition of some cells may be, by draw."""
        errors = widening(self.df)
        found = []
        for name in ("bliss", "hsa", "inhibition"):
            value, means = self._means(name, cells)
            found.append(value + (means - np.median(means)) * errors)
        return found[0], found[1], found[2]

    def _means(self, name: str, cells: Mask) -> tuple[float, FloatArray]:
        """Average the inhibition of some cells, or what it is beyond a model, and its draws."""
        value, drawn = self.observed[cells], self.drawn[:, cells]
        if name != "inhibition":
            hsa = name == "hsa"
            value = value - (self.hsa if hsa else self.bliss)[cells]
            drawn = drawn - (self.drawn_hsa if hsa else self.drawn_bliss)[:, cells]
        return float(value.mean()), np.asarray(drawn.mean(axis=1))

    def _mean(self, name: str, cells: Mask) -> Estimate:
        """Estimate a mean; a row of the table asks for the same one several times."""
        if not cells.any():
            return Estimate()
        key = name, cells.tobytes()
        if key not in self._known:
            self._known[key] = estimate(*self._means(name, cells), self.df)
        return self._known[key]


def score_cells(
    matrix: DoseMatrix,
    controls: Controls,
    noise: Noise,
    *,
    seed: int,
    draws: int,
    centre: Centre = "median",
    models: bool = True,
    model_draws: int | None = None,
    zip_variant: Variant = "observed",
    seen: Seen | None = None,
) -> Scores:
    """Score the combination cells of a matrix, once as observed and once per draw.

    The generator is seeded by `seed` and by what is scored, so that no other sample or
    combination changes the draws.

    Parameters
    ----------
    matrix : DoseMatrix
        The wells.
    controls, noise
        What the wells were normalised to, and the SD of one well.
    seed, draws, centre, models, model_draws, zip_variant
        As in `drp.synergy.score_synergy`.
    seen : Seen, optional
        The curves of the models as observed, where `observe` fitted those of many matrices
        together; by default fitted here.

    Returns
    -------
    Scores

    Examples
    --------
    >>> import pandas as pd
    >>> from drp.synergy.surface import dose_matrices
    >>> wells = pd.DataFrame({"sample": "S1", "drug": "A", "dose": [0.0, 1, 0, 1], "drug2": "B",
    ...                       "dose2": [0.0, 0, 5, 5], "viability_pct": [100.0, 80, 50, 30]})
    >>> matrix = next(dose_matrices(wells))
    >>> controls = Controls(negative=(np.empty(0),), positive=(np.empty(0),))
    >>> scores = score_cells(matrix, controls, Noise(5, 5, 5, 8, ""), seed=1, draws=500)
    >>> scores.observed, scores.bliss, scores.hsa
    (array([70.]), array([60.]), array([50.]))
    """
    name = "\0".join((str(seed), matrix.sample, *matrix.drugs))
    rng = np.random.default_rng(int.from_bytes(sha256(name.encode()).digest()))
    redrawn = draw_inhibition(matrix, controls, noise, rng=rng, draws=draws, centre=centre)
    inhibition, filled, fitted = read_off_curves(matrix, redrawn, controls, noise)
    single, drawn_single = inhibition[matrix.singles], filled[:, matrix.singles]
    both = matrix.is_combination
    expected, drawn_expected = nulls.bliss(single), nulls.bliss(drawn_single)
    if models and seen is None:
        (seen,) = _curves([(matrix, controls, noise)], zip_variant)
    return Scores(
        observed=inhibition[both],
        bliss=expected,
        hsa=nulls.hsa(single),
        drawn=redrawn[:, both],
        drawn_bliss=drawn_expected,
        drawn_hsa=nulls.hsa(drawn_single),
        df=noise.df,
        models=score_models(
            matrix,
            seen,
            redrawn if model_draws is None else mirrored_part(redrawn, model_draws),
            df=noise.df,
            variant=zip_variant,
        )
        if seen is not None
        else no_models(matrix, draws),
        region=_region(
            matrix, inhibition[both] - expected, redrawn[:, both] - drawn_expected, noise
        ),
        fitted=fitted,
    )


def observe(
    matrices: Iterable[Measured], *, models: bool = True, variant: Variant = "observed"
) -> Iterator[tuple[DoseMatrix, Controls, Noise, Seen | None]]:
    """Fit the curves that the models need, as observed, of many matrices together.

    Parameters
    ----------
    matrices : iterable of (DoseMatrix, Controls, Noise)
        The wells, what they were normalised to, and the SD of one well.
    models : bool
        False: no curves are needed, and none are fitted.
    variant : {"observed", "fitted"}
        Of ZIP: see `drp.synergy.zip`.

    Yields
    ------
    matrix, controls, noise
        As given, in the same order.
    seen : Seen or None
        The curves; the same to the last bit whatever stands beside a matrix.

    Examples
    --------
    See `drp.synergy.score_synergy`, which calls it.
    """
    remaining = iter(matrices)
    while part := list(islice(remaining, _AT_ONCE)):
        seen = _curves(part, variant) if models else [None] * len(part)
        for one, curves in zip(part, seen, strict=True):
            yield *one, curves


def _curves(part: Sequence[Measured], variant: Variant) -> list[Seen]:
    known = [
        (matrix, noise.well, sum(values.size for values in controls.negative))
        for matrix, controls, noise in part
    ]
    return fit_observed(known, variant)


def _region(matrix: DoseMatrix, excess: FloatArray, drawn: FloatArray, noise: Noise) -> BestRegion:
    """Find the best region; without interaction the draws would err just as they do here."""
    if matrix.design != "matrix":
        return NO_REGION
    table = Table.of(matrix, 0)
    error = (drawn - excess) * widening(noise.df)
    return best_region(table.surface(excess, matrix), table.surface(error, matrix))
