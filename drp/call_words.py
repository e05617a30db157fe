"""The words of a call: its rank, its exposure, and the reason in one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from drp.tables import CALLS

if TYPE_CHECKING:
    import pandas as pd

# An area known no better than this (95 % interval, points) is not known: no curve is identified.
WIDEST_AREA = 60.0
SENSITIVE, INTERMEDIATE, NOT_SENSITIVE, NOT_EVALUABLE = CALLS


@dataclass(frozen=True, slots=True)
class DrugFacts:
    """What is known of a drug apart from the plate.

    `exvivo` is ``yes``, ``limited``, ``no`` or empty (not in the drug table); `caveat` says why;
    `cmax` is the verified total peak plasma level in the dose unit, NaN if there is none, then
    `cmax_reason` says why; `free` gives the unbound part of it in words, if known.
    """

    exvivo: str = ""
    caveat: str = ""
    cmax: float = float("nan")
    cmax_reason: str = "no verified plasma level"
    free: str = ""


def obstacles(
    curves: "pd.DataFrame", failed_plates: Mapping[str, str], unreadable: Mapping[str, str]
) -> "pd.Series":
    """Say of each curve why nothing can be said of its drug; empty where something can.

    Parameters
    ----------
    curves : DataFrame
        Rows of table `curves`, with plates, and with verdict and reasons of the sample.
    failed_plates : mapping
        Failed plate → reasons.
    unreadable : mapping
        Drug that cannot be read in this assay → why not.

    Examples
    --------
    >>> import pandas as pd
    >>> curves = pd.DataFrame({"drug": ["a", "b"], "plates": "PL1", "verdict": "pass",
    ...     "reasons": "", "shape": "decreasing", "flags": "", "auc": 50.0, "auc_lo": 45.0,
    ...     "auc_hi": [55.0, float("nan")]})
    >>> obstacles(curves, {}, {"a": "prodrug"}).tolist()
    ['cannot be read in this assay: prodrug', 'too few wells to say how sure the curve is']
    """
    nothing = curves["drug"].map(dict.fromkeys(curves["drug"].unique(), "")).astype(object)
    unsure = curves["auc_lo"].isna() | curves["auc_hi"].isna()
    wide = curves["auc_hi"] - curves["auc_lo"] > WIDEST_AREA
    found = nothing.mask(wide, "the wells disagree too much to identify a curve")
    found = found.mask(unsure, "too few wells to say how sure the curve is")
    none = (curves["shape"] == "none") | curves["auc"].isna()
    flags = curves["flags"].str.replace("_", " ").replace("", "too few readings")
    found = found.mask(none, "no curve: " + flags)
    held = {drug: f"cannot be read in this assay: {why}" for drug, why in unreadable.items()}
    found = found.mask(curves["drug"].isin(list(held)), curves["drug"].map(held))
    blocked = {names: _failed(names, failed_plates) for names in curves["plates"].unique()}
    plates = curves["plates"].map(blocked)
    found = found.mask(plates != "", plates)
    return found.mask(
        curves["verdict"] == "fail", "the sample failed quality control: " + curves["reasons"]
    )


def _failed(plates: str, failed_plates: Mapping[str, str]) -> str:
    for plate in plates.split(";"):
        if plate in failed_plates:
            return f"plate {plate} failed quality control: {failed_plates[plate]}"
    return ""


def exposure_words(curve: Any, drug: DrugFacts, limit: float) -> tuple[str, float]:
    """Say what is known of the effect at the plasma peak: in words, and as viability or NaN.

    Parameters
    ----------
    curve : object
        Row of table `curves`, its columns as attributes.
    drug : DrugFacts
        With the plasma peak.
    limit : float
        Viability at or below which an effect counts, %.
    """
    at_peak = curve.viability_at_cmax
    if _unknown(drug.cmax) or _unknown(at_peak):
        return f"exposure unknown: {drug.cmax_reason}", float("nan")
    unit = curve.dose_unit
    total = f"{_dose(drug.cmax)} {unit}" + (f" ({drug.free} free)" if drug.free else "")
    words = f"{at_peak:.0f} % viable at the plasma peak of {total}"
    if "cmax_outside_range" in curve.flags.split(";"):
        nearest = curve.dose_max if drug.cmax > curve.dose_max else curve.dose_min
        words += f", read at {_dose(nearest)} {unit}, the nearest dose tested"
        if drug.cmax < curve.dose_min and at_peak <= limit:
            # an effect at a dose above the peak says nothing about the peak itself
            return f"exposure unknown: {words}", float("nan")
    return words, at_peak


@lru_cache(maxsize=4096)
def _dose(value: float) -> str:
    """Three significant digits, thousands marked: 2,420."""
    return f"{float(f'{value:.3g}'):,.15g}"


def rank_words(percentile: float, n: int) -> str:
    """Say the rank in words.

    >>> rank_words(87.6, 40)
    'more sensitive than 88 % of 40 reference samples'
    """
    return f"more sensitive than {percentile:.0f} % of {n} reference samples"


def reason_words(
    call: str,
    rank: str,
    *,
    active: bool,
    z: float,
    cut: float,
    at_peak: float,
    settings: Mapping[str, Any],
) -> str:
    """Give the reason of a call in one sentence.

    Parameters
    ----------
    call : str
        As the rule has it.
    rank : str
        The rank in words.
    active : bool
        Whether the curve falls at all.
    z, cut : float
        Its robust z, and the one to be reached.
    at_peak : float
        Viability at the plasma peak, %; NaN where the exposure is unknown.
    settings : mapping
        `drp.config.CallSettings`.
    """
    if call == SENSITIVE and _unknown(at_peak):
        return f"{rank}; exposure unknown"
    if call == SENSITIVE:
        return f"{rank}; the effect lies at a reachable concentration"
    if call == INTERMEDIATE:
        return _middle_words(rank, active, at_peak, settings)
    if not active:
        return f"no effect on these cells over the tested doses; {rank}"
    if z >= cut:
        return f"too close to the reference to matter; {rank}"
    return f"within the usual spread; {rank}" if z > 0 else f"not more than usual; {rank}"


def _middle_words(rank: str, active: bool, at_peak: float, settings: Mapping[str, Any]) -> str:
    if at_peak > settings["viability_at_cmax"]:
        return f"{rank}, but only above the reachable concentration"
    if active and at_peak <= settings["strong_at_cmax"]:
        return f"strong effect at a reachable concentration, but usual for this drug; {rank}"
    return f"{rank}: beyond the usual spread, short of the {settings['percentile']:g} % cut"


def limitation_words(drug: DrugFacts) -> str:
    """Say what limits a drug in this kind of assay, or nothing.

    >>> limitation_words(DrugFacts("limited", "needs 96 h"))
    '; limited ex vivo: needs 96 h'
    """
    return f"; limited ex vivo: {drug.caveat}" if drug.exvivo == "limited" else ""


def tie_words(rank: str, others: Sequence[str]) -> str:
    """Add to a rank the drugs that it cannot be told apart from, three at most by name."""
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f"{rank}; rank not told apart from {', '.join(others[:3])}{more}"


def _unknown(value: float) -> bool:
    return bool(value != value)
