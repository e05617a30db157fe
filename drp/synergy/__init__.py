"""How much more, or less, two or three drugs do together than alone, and how sure that is.

`score_synergy` takes the viability table and gives the synergy and surface tables. Scores are
points of % inhibition (100 - viability); positive is synergy.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from drp.synergy.agreement import NO_MUSYC, musyc_columns
from drp.synergy.arms import add_unscored, split_arms
from drp.synergy.cells import cell_table
from drp.synergy.draws import Centre, false_discovery_rate
from drp.synergy.noise import (
    Controls,
    ControlWells,
    Noise,
    controls_of,
    find_controls,
    measure_noise,
)
from drp.synergy.score import observe, score_cells
from drp.synergy.summary import find_reach, summarise
from drp.synergy.surface import DoseMatrix, dose_matrices
from drp.synergy.verdict import CALLS, Limits
from drp.synergy.zip import Variant
from drp.tables import TABLES, check

__all__ = ["CALLS", "Limits", "score_synergy"]

# What the two tables hold beyond the contract; the order is that of the tables.
_EXTRA = {
    "synergy": {
        "text": (
            *("dose_unit", "doses", "flags", "best_cell", "achievable_note", "models_note"),
            *("loewe_note", "zip_note", "zip_variant", "css_note", "best_region_doses"),
            *("agreement", "musyc_note"),
        ),
        "count": ("n_cells", "n_missing", "n_achievable", "n_over_120"),
        "flag": ("limits_known",),
        "number": (
            *("probability", "probability_positive", "probability_synergistic"),
            *("bliss_se", "detectable_excess", "p_fdr", "achievable_bliss_p", "noise_sd"),
            *("noise_df", "mean_inhibition", "mean_inhibition_lo", "mean_inhibition_hi"),
            *("gain", "gain_lo", "gain_hi", "loewe_defined", "loewe_at_roots"),
            *("zip_withheld", "gain_over_pair", "gain_over_pair_lo", "gain_over_pair_hi"),
            *("musyc_beta", "musyc_alpha12", "musyc_alpha21"),
            *("ri_drug", "ri_drug2", "ri_drug3", "best_region", "best_region_p"),
        ),
    },
    "surface": {
        "text": ("drug", "drug2", "drug3", "dose_unit", "reason"),
        "flag": ("achievable", "room", "loewe_defined"),
        "number": (
            *("excess_bliss_lo", "excess_bliss_hi", "expected_loewe", "excess_loewe"),
            *("expected_zip", "excess_zip"),
        ),
    },
}
_DTYPES: dict[str, Any] = {"text": "str", "number": "float64", "count": "int64", "flag": "bool"}


def score_synergy(
    viability: pd.DataFrame,
    *,
    seed: int = 0,
    draws: int = 1000,
    cmax: Mapping[str, float] | None = None,
    limits: Limits | None = None,
    prior_sd: float = 8.0,
    control_centre: Centre = "median",
    models: bool = True,
    model_draws: int | None = None,
    zip_variant: Variant = "observed",
    musyc: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every combination of every sample by four models, with intervals and a call.

    Replicate wells of a cell are averaged; scores are means over the cells in which every drug
    has a dose above zero. Single agents are taken as observed at the same dose, if need be from
    the sample's other wells, or read off the drug's curve between measured doses, and it says so;
    else the cell is not scored. The call
    rests on Bliss, which fits no curve; Loewe and ZIP stand beside it. Every interval comes from a
    joint bootstrap of wells and plate controls, the same draws for all models. The order of rows
    and of the drugs in a row changes nothing, and no sample or combination changes the draws of
    another.

    Parameters
    ----------
    viability : pandas.DataFrame
        The viability table; used are sample, drug, dose, drug2, dose2, viability_pct (%, 100 is
        the negative control) and, where present, drug3, dose3, dose_unit (else nM), plate,
        role, excluded, addon. Negative and positive control wells give the error of the controls.
        Wells that name an addon, a partner at a dose that is not stated, are not scored: their
        combination is not assessable, and says so.
    seed : int
        Seed of the draws.
    draws : int
        Draws of the bootstrap; at least 1,000 for results that are reported.
    cmax : mapping of str to float, optional
        Highest plasma level in nM by drug name in lower case; a drug that is not there is
        unknown.
    limits : Limits, optional
        Where the calls change; by default `Limits()`.
    prior_sd : float
        SD of one well in points of viability, assumed where replicates and controls together
        give fewer than 8 degrees of freedom.
    control_centre : {"median", "mean"}
        How the normalisation summarised the control wells of a plate.
    models : bool
        Also Loewe, ZIP, CSS and RI, which take most of the time.
    model_draws : int, optional
        Of the draws, how many also go through Loewe and ZIP; by default all. Bliss and HSA, on
        which the call rests, always have all of them.
    zip_variant : {"observed", "fitted"}
        Where ZIP's curves along one drug start: at what was measured of the other drug alone, or
        at what its curve gives.
    musyc : bool
        Also fit the MuSyC surface to pairs: its parameters come without an interval.

    Returns
    -------
    synergy : pandas.DataFrame
        One row per sample and combination: the contract's columns and

        - dose_unit, doses (ranges in words), n_cells (scored), n_missing (planned, or gaps of a
          matrix, but not scored), n_over_120 (wells above 120 % viability), flags (separated
          by ``;``), best_cell (largest excess; descriptive only);
        - bliss_se, detectable_excess (true mean excess found with 80 % power, 2.8 SE), noise_sd
          (one well, points), noise_df, probability_positive and probability_synergistic (that the
          true mean excess lies above 0, and above what counts as synergistic), p_fdr
          (Benjamini-Hochberg over the combinations of the sample);
        - limits_known (Cmax of every drug known), n_achievable, achievable_bliss_p,
          achievable_note (why achievable_bliss is null, or how many cells it averages);
        - mean_inhibition and gain (over the best single agent) with intervals, over the cells
          the call rests on: the achievable ones if Cmax is known, else all; probability (share
          of draws in which the true means are where the call says; null if it claims nothing);
        - loewe_defined (share of the cells scored in which Loewe's equation has a root; elsewhere
          the better of the fitted drugs stands in) and loewe_at_roots (mean there), loewe_note;
          zip_variant, zip_note (which curves failed; the score is null then, and zip_withheld is
          the mean that is not to be reported, for comparison with programs that would);
        - gain_over_pair with interval (of three drugs: what the triple does beyond its best pair);
        - css (efficacy of the pair, 0-100), css_note, ri (of the more effective drug alone, with
          which CSS is to be compared) and ri_drug, ri_drug2, ri_drug3;
        - best_region (largest mean Bliss excess of a 3 × 3 window of doses), best_region_doses and
          best_region_p, by the null of such maxima: only of a full matrix;
        - musyc_beta (above 0: more efficacy together), musyc_alpha12 and musyc_alpha21 (above 1:
          the first drug makes the second more potent, and the reverse), musyc_note;
        - agreement (how many models see more or less than they expect, in words), models_note.
    surface : pandas.DataFrame
        One row per cell: the contract's columns, the drugs, dose_unit, excess_bliss_lo and _hi,
        expected and excess by Loewe and ZIP, loewe_defined,
        achievable (every dose up to a known Cmax), room (expected inhibition leaves room for
        synergy), reason (what is missing). Where a dose is 0, expectation and excess are null.

    Raises
    ------
    DataError
        A column is missing, a combination's drug has no dose, or units are mixed.

    Notes
    -----
    Method of the joint bootstrap and its calibration: `drp.synergy.draws`.

    Examples
    --------
    >>> doses = [0.0, 1.0, 10.0]
    >>> alive = {0.0: 1.0, 1.0: 0.8, 10.0: 0.5}
    >>> wells = pd.DataFrame([("S1", "A", a, "B", b, 100 * alive[a] * alive[b])
    ...                       for a in doses for b in doses],
    ...                      columns=["sample", "drug", "dose", "drug2", "dose2", "viability_pct"])
    >>> synergy, surface = score_synergy(wells, seed=1)
    >>> print(*synergy[["combination", "design", "n_cells"]].iloc[0], sep=", ")
    A + B, matrix, 4
    >>> bool(abs(synergy["bliss"].iloc[0]) < 1e-9), round(float(synergy["hsa"].iloc[0]), 6)
    (True, 15.25)
    """
    limits = limits or Limits()
    viability, arms = split_arms(viability)
    matrices = _with_noise(dose_matrices(viability), controls_of(viability), prior_sd)
    rows, surfaces = [], []
    for matrix, controls, noise, seen in observe(matrices, models=models, variant=zip_variant):
        scores = score_cells(
            matrix,
            controls,
            noise,
            seed=seed,
            draws=draws,
            centre=control_centre,
            models=models,
            model_draws=model_draws,
            zip_variant=zip_variant,
            seen=seen,
        )
        surface_fit = musyc_columns(matrix) if musyc else NO_MUSYC
        reach = find_reach(matrix, cmax or {})
        rows.append(summarise(matrix, scores, reach, noise, limits) | surface_fit)
        surfaces.append(cell_table(matrix, scores, reach.cells, limits.ceiling_inhibition))
    rows = add_unscored(rows, arms)
    synergy = _table("synergy", pd.DataFrame(rows))
    adjusted = synergy.groupby("sample")["bliss_p"].transform(
        lambda p: false_discovery_rate(p.to_numpy())
    )
    synergy["p_fdr"] = adjusted.astype("float64")
    return check(synergy, "synergy"), check(_table("surface", _stacked(surfaces)), "surface")


def _with_noise(
    matrices: Iterable[DoseMatrix],
    by_plate: dict[tuple[str, str], ControlWells],
    prior_sd: float,
) -> Iterator[tuple[DoseMatrix, Controls, Noise]]:
    for matrix in matrices:
        controls = find_controls(by_plate, matrix)
        yield matrix, controls, measure_noise(matrix, controls, prior_sd)


def _stacked(parts: list[dict[str, npt.NDArray[Any]]]) -> pd.DataFrame:
    """Put columns that all parts have one after the other."""
    names = parts[0] if parts else ()
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})


def _table(name: str, computed: pd.DataFrame) -> pd.DataFrame:
    """Give every column of a table its kind; columns not computed are null."""
    kinds = {column.name: column.kind for column in TABLES[name].columns}
    extra = {column: kind for kind, columns in _EXTRA[name].items() for column in columns}
    columns: dict[str, Any] = {}
    for column, kind in (kinds | extra).items():
        none = pd.Series(np.nan, index=computed.index)
        columns[column] = computed.get(column, none).astype(_DTYPES[kind])
    return pd.DataFrame(columns, index=computed.index)
