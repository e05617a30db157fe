"""Comparable: which reference samples a curve is compared with, and what follows from them.

Only members of the same assay, tested with the same drug over the same doses, are comparable. A
curve that lost wells, and with them perhaps its outermost dose, is also compared with members that
were tested beyond its range, over its range. A sample is never compared with itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.chances import Measured, call_chances, posterior, z_moments
from drp.deconvolution import Deconvolved, Values, copies_of, deconvolve
from drp.standing import SAME_DOSE, Standing, auc_over, stand, z_cut

_CURVE = ("dose_min", "dose_max", "auc", "top", "bottom", "slope", "ec50")
Rows = NDArray[np.intp]
Copies = NDArray[np.int8]


class Chances(NamedTuple):
    """Probabilities of two calls, and mean and standard deviation of z where asked; arrays (m,)."""

    sensitive: Values
    intermediate: Values
    z_mean: Values
    z_sd: Values


@dataclass(frozen=True)
class Members:
    """The comparable members of some curves: their ids and AUCs, ascending."""

    names: NDArray[Any]
    values: Values
    error: float  # usual standard error of such a value, points
    copies: Copies  # how often each resample holds each member

    @cached_property
    def noise_free(self) -> Deconvolved:
        """Their distribution without noise."""
        return deconvolve(self.values, self.error, self.copies)


class _Cohort:
    """All members as arrays, and where those of an assay, drug and unit stand."""

    def __init__(self, members: pd.DataFrame, seed: int) -> None:
        known = members[members["auc"].notna()]
        keys = [known["assay"], _casefolded(known["drug"]), known["dose_unit"]]
        self.rows_of = known.groupby(keys, sort=False).indices
        person, names = pd.factorize(known["sample"])
        self.person, self.names = person, names.to_numpy(object)
        self.copies = copies_of(self.names.tolist(), seed)
        unknown = np.full(len(known), np.nan)
        self.columns = {
            name: known[name].to_numpy(float) if name in known else unknown
            for name in (*_CURVE, "auc_se")
        }

    def comparable(self, key: tuple[str, str, str], low: float, high: float, lost: bool) -> Members:
        """Members of an assay, drug (lower case) and unit, tested from `low` to `high`.

        With `lost` wells also those tested beyond that range, read off over it.
        """
        rows = np.asarray(self.rows_of.get(key, []), dtype=np.intp)
        columns = {name: column[rows] for name, column in self.columns.items()}
        same = np.isclose(columns["dose_min"], low, rtol=SAME_DOSE, atol=0)
        same &= np.isclose(columns["dose_max"], high, rtol=SAME_DOSE, atol=0)
        values = np.where(same, columns["auc"], np.nan)
        if lost:
            wider = ~same & (columns["dose_min"] <= low * (1 + SAME_DOSE))
            wider &= columns["dose_max"] >= high * (1 - SAME_DOSE)
            values = np.where(wider, auc_over(columns, low, high), values)
        kept = np.flatnonzero(~np.isnan(values))
        kept = kept[np.argsort(values[kept], kind="stable")]
        errors = columns["auc_se"][kept]
        errors = errors[~np.isnan(errors)]
        # The usual error: a few curves that hang on hardly any wells must not set it for all.
        error = float(np.median(errors)) if len(errors) else 0.0
        person = self.person[rows[kept]]
        return Members(self.names[person], values[kept], error, self.copies[person])


class Comparison:
    """Curves beside the members that each is compared with.

    Parameters
    ----------
    curves : DataFrame
        Rows of table `curves` with an AUC, and the columns assay and error (standard error of the
        AUC, points). The index does not matter.
    members : DataFrame
        Table of reference samples (`drp.cohort`); no sample has a drug twice.
    seed : int
        Seeds the resamples, together with the ids of the members.
    """

    def __init__(self, curves: pd.DataFrame, members: pd.DataFrame, seed: int) -> None:
        self._curves, self._seed = curves, seed
        self._blocks = list(self._matched(_Cohort(members, seed)))

    def _matched(self, cohort: _Cohort) -> Iterator[tuple[Rows, Rows, Members]]:
        """Rows of curves that share their members, each one's own place among these, and them."""
        curves = self._curves
        names = curves["sample"].to_numpy(object)
        lost = curves["n_excluded"].to_numpy() > 0 if "n_excluded" in curves else False
        keys = pd.DataFrame(
            {
                "assay": curves["assay"].to_numpy(),
                "drug": _casefolded(curves["drug"]).to_numpy(),
                "unit": curves["dose_unit"].to_numpy(),
                "low": _six_digits(curves["dose_min"]),
                "high": _six_digits(curves["dose_max"]),
                "lost": lost,
            }
        )
        for indices in keys.groupby(list(keys.columns), sort=True).indices.values():
            rows = np.asarray(indices)
            first = keys.iloc[rows[0]]
            low, high = (float(curves[name].iloc[rows[0]]) for name in ("dose_min", "dose_max"))
            key = (first["assay"], first["drug"], first["unit"])
            found = cohort.comparable(key, low, high, bool(first["lost"]))
            yield rows, pd.Index(found.names).get_indexer(names[rows]), found

    def standing(self) -> Standing:
        """Where each curve stands among its members; n is 0 and the others NaN without any."""
        auc = self._curves["auc"].to_numpy(float)
        table = {field.name: np.full(len(auc), np.nan) for field in fields(Standing)}
        for rows, own, members in self._blocks:
            found = stand(auc[rows], members.values, own)
            for name, column in table.items():
                column[rows] = getattr(found, name)
        return Standing(**table | {"n": table["n"].astype(np.int64)})

    def chances(
        self, measured: Measured, asked: NDArray[np.bool_], settings: Mapping[str, Any]
    ) -> Chances:
        """Give how probable the calls of each curve are.

        Parameters
        ----------
        measured : Measured
            One entry per curve.
        asked : array of bool
            The curves whose z is asked for as well.
        settings : mapping
            `drp.config.CallSettings` with `minimum` and `established` of
            `drp.config.CohortSettings`.

        Returns
        -------
        Chances
            NaN where there are too few members, and z also where it was not asked for.
        """
        found = Chances(*np.full((4, len(self._curves)), np.nan))
        for rows, own, members in self._blocks:
            for inside in (True, False):
                n = len(members.values) - inside
                part = np.flatnonzero((own >= 0) == inside)
                if len(part) and n >= settings["minimum"]:
                    self._fill(found, measured, rows[part], own[part], members, asked, settings)
        return found

    def _fill(
        self,
        found: Chances,
        measured: Measured,
        rows: Rows,
        own: Rows,
        members: Members,
        asked: NDArray[np.bool_],
        settings: Mapping[str, Any],
    ) -> None:
        inside = bool(own[0] >= 0)
        n, here, reference = len(members.values) - inside, measured.only(rows), members.noise_free
        usable = members.copies[own] == 0 if inside else self._without(rows)
        posteriors = posterior(here, reference, n, usable)
        cut = z_cut(n, settings["z"], settings["established"])
        chances = call_chances(here, reference, posteriors, cut, settings)
        found.sensitive[rows], found.intermediate[rows] = chances
        also = asked[rows]
        if also.any():
            part = posterior(here.only(also), reference, n, usable[also])
            found.z_mean[rows[also]], found.z_sd[rows[also]] = z_moments(reference, part)

    def _without(self, rows: Rows) -> NDArray[np.bool_]:
        """The resamples for samples that are no members: those that would not have held them."""
        names = self._curves["sample"].iloc[rows].tolist()
        return np.asarray(copies_of(names, self._seed) == 0)


def _casefolded(names: "pd.Series[str]") -> "pd.Series[str]":
    return names.map({name: name.casefold() for name in names.unique()})


def _six_digits(doses: "pd.Series[float]") -> "pd.Series[str]":
    return doses.map({dose: f"{dose:.6g}" for dose in doses.unique()})
