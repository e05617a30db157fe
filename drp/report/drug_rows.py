"""The drugs of one sample: curve numbers, call, statements and drug facts, in the order shown.

A drug whose call is "not evaluable" gets its reason and no number: neither measures nor a curve
enter the record, unless the call says that absolute numbers hold (`numbers_shown`).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import ceil, floor, log10
from typing import Any

from drp.report import numerals
from drp.report.record import (
    Curve,
    DoseAxis,
    Drug,
    Estimate,
    Measures,
    Point,
    Rank,
    UsableSample,
)
from drp.report.rows import count, estimate, flag, number, parts, records, text

Row = Mapping[str, Any]
STEPS = 32
FEATURED = 8
_ORDER = {"sensitive": 0, "intermediate": 1, "not sensitive": 2, "not evaluable": 3}


def drug_rows(sample: str, assay: str, tables: Mapping[str, list[dict[str, Any]]]) -> list[Drug]:
    """Give the drugs of a sample by call, then probability, then z, then name.

    Parameters
    ----------
    sample, assay : str
        The sample, and the assay its reference belongs to.
    tables : mapping
        ``calls``, ``curves``, ``viability``, ``reference``, ``drug_facts`` and, for a sample that
        is held to an older reference, ``locked_reference``.

    Returns
    -------
    list of Drug
        One per row of ``calls``; a drug without a call is not a result and is not listed.
    """
    curves = {text(row, "drug"): row for row in records(tables, "curves", sample=sample)}
    facts = {text(row, "drug").casefold(): row for row in records(tables, "drug_facts")}
    own = records(tables, "locked_reference", sample=sample, assay=assay)
    known = own or records(tables, "reference", assay=assay)
    references = {text(row, "drug"): row for row in known}
    wells = _wells_by_drug(records(tables, "viability", sample=sample, role="sample"))
    drugs = [
        _drug(
            call,
            curves.get(text(call, "drug"), {}),
            facts.get(text(call, "drug").casefold(), {}),
            references.get(text(call, "drug"), {}),
            wells.get(text(call, "drug"), {}),
        )
        for call in records(tables, "calls", sample=sample)
    ]
    return sorted(drugs, key=_rank_of_show)


def common_axis(drugs: Iterable[Drug]) -> DoseAxis | None:
    """Give the one dose axis of all molar curves, in whole decades; None if there is none."""
    curves = [drug.curve for drug in drugs if drug.curve and drug.curve.dose_unit == "nM"]
    if not curves:
        return None
    return DoseAxis(
        dose_unit="nM",
        dose_min=10.0 ** floor(log10(min(curve.dose_min for curve in curves)) + 1e-9),
        dose_max=10.0 ** ceil(log10(max(curve.dose_max for curve in curves)) - 1e-9),
    )


def featured(drugs: Iterable[Drug], most: int = FEATURED) -> tuple[list[str], str]:
    """Choose the drugs of page 1, and say how they were chosen.

    Sensitive drugs come first, then intermediate ones, up to `most`; the order is that of
    `drug_rows`. None of the others is ever shown as standing out.
    """
    everything = list(drugs)
    called = [drug for drug in everything if drug.call == "sensitive"]
    near = [drug for drug in everything if drug.call == "intermediate"]
    shown = [drug.drug for drug in [*called, *near]][:most]
    tally = f"{len(called)} called sensitive, {len(near)} intermediate"
    if len(called) + len(near) > len(shown):
        tally = f"first {len(shown)} of {len(called) + len(near)}: {tally}"
    return shown, f"{tally}; all {numerals.counted(len(everything), 'drug')} follow"


def drugs_called(sample: UsableSample, call: str) -> list[Drug]:
    """Give a sample's drugs with one call, in order."""
    return [drug for drug in sample.drugs if drug.call == call]


def _rank_of_show(drug: Drug) -> tuple[int, float, float, str]:
    z = drug.rank.z if drug.rank.z is not None else float("-inf")
    return (_ORDER[drug.call], -(drug.probability or 0.0), -z, drug.drug.casefold())


def _drug(call: Row, curve: Row, facts: Row, reference: Row, wells: Mapping[str, Any]) -> Drug:
    evaluable = text(call, "call") != "not evaluable"
    shown = bool(curve) and flag(call, "numbers_shown", evaluable)
    exposure = text(call, "exposure")
    return Drug(
        drug=text(call, "drug"),
        drug_class=text(facts, "drug_class"),
        targets=text(facts, "targets"),
        status=text(facts, "status"),
        call=text(call, "call"),  # type: ignore[arg-type]  # the model checks the word
        probability=number(call, "probability") if evaluable else None,
        uncertain=flag(call, "uncertain", False) and evaluable,
        rank=_rank(call, evaluable),
        data=text(call, "data"),
        ranking=text(call, "rank"),
        exposure=exposure,
        exposure_known=number(facts, "cmax_nm") is not None,
        reason=text(call, "reason"),
        caveat=text(facts, "caveat"),
        plasma_peak_source=text(facts, "cmax_source"),
        measures=_measures(curve) if shown else None,
        curve=_curve(curve, facts, reference, wells) if shown else None,
        **_beside_healthy(call, evaluable),
        expected_false=number(call, "expected_false") if evaluable else None,
        tied_with=parts(call, "tied_with", ";") if evaluable else [],
    )


def _beside_healthy(call: Row, evaluable: bool) -> dict[str, Any]:
    """How far the sample lies from healthy controls; nothing where there are too few of them."""
    found, median = estimate(call, "selective_difference"), number(call, "healthy_median")
    if not evaluable or found.value is None or median is None:
        return {}
    controls = numerals.counted(count(call, "n_healthy"), "healthy control")
    if found.lo is not None and found.hi is not None and found.lo <= 0 <= found.hi:
        words = "no difference shown"
    else:
        words = "more sensitive than these" if found.value < 0 else "less sensitive than these"
    text_ = (
        f"median AUC of {controls} {numerals.percent(median)} %; here "
        f"{numerals.signed(found.value)} points ({numerals.interval(found, 'signed')}): {words}; "
        "no part of the call"
    )
    return {"healthy": text_, "selective": found}


def _rank(call: Row, evaluable: bool) -> Rank:
    return Rank(
        status=text(call, "rank_status") or "none",  # type: ignore[arg-type]  # likewise
        z=number(call, "z") if evaluable else None,
        percentile=number(call, "percentile") if evaluable else None,
        n_reference=count(call, "n_reference"),
    )


def _measures(curve: Row) -> Measures:
    ic50 = number(curve, "ic50")
    return Measures(
        dose_unit=text(curve, "dose_unit"),
        n_wells=count(curve, "n_wells"),
        n_doses=count(curve, "n_doses"),
        ic50=estimate(curve, "ic50", open_low=0.0) if ic50 is not None else Estimate(),
        ic50_qualifier=text(curve, "ic50_qualifier") if ic50 is not None else "",  # type: ignore[arg-type]
        ec50=estimate(curve, "ec50", open_low=0.0),
        auc=estimate(curve, "auc"),
        dss2=estimate(curve, "dss2"),
        viability_at_peak=estimate(curve, "viability_at_cmax"),
        shape=text(curve, "shape"),
        flags=parts(curve, "flags", ";"),
    )


def _curve(curve: Row, facts: Row, reference: Row, wells: Mapping[str, Any]) -> Curve | None:
    low, high = number(curve, "dose_min"), number(curve, "dose_max")
    if low is None or high is None or low <= 0 or high <= low:
        return None
    molar = text(curve, "dose_unit") == "nM"
    kind = "matrix" if "matrix_monotherapy" in parts(curve, "flags", ";") else "single"
    fitted = list(_line(low, high, *(number(curve, name) for name in _PARAMETERS)))
    medians = (number(reference, f"median_{name}") for name in _PARAMETERS)
    peak = number(facts, "cmax_nm") if molar else None
    return Curve(
        dose_unit=text(curve, "dose_unit"),
        dose_min=low,
        dose_max=high,
        points=wells.get(kind, []),  # the model makes each a `Point`
        fitted=fitted,
        band_low=_heights(curve, "band_lo"),
        band_high=_heights(curve, "band_hi"),
        ic50_qualifier=text(curve, "ic50_qualifier"),  # type: ignore[arg-type]  # the table holds no other
        reference=list(_line(low, high, *medians)),
        plasma_peak=peak,
        summary=_summary(curve, fitted, low, high, peak),
    )


def _heights(curve: Row, column: str) -> list[float]:
    return [round(float(value), 2) for value in parts(curve, column, ";")]


_PARAMETERS = ("top", "bottom", "slope", "ec50")


@lru_cache(maxsize=4096)  # the line of a reference is the same for every patient
def _line(
    low: float,
    high: float,
    top: float | None,
    bottom: float | None,
    slope: float | None,
    ec50: float | None,
) -> tuple[float, ...]:
    """Evaluate a four-parameter curve inside the tested doses; rounded, as it is only drawn."""
    if top is None or bottom is None:
        return ()
    if slope is None or ec50 is None or ec50 <= 0:
        return (round(top, 2),) * STEPS if top == bottom else ()
    first, middle = log10(low), log10(ec50)
    span, drop = log10(high) - first, top - bottom
    log_doses = [first + span * step / (STEPS - 1) for step in range(STEPS)]
    decades = [slope * (log_dose - middle) for log_dose in log_doses]
    if max(map(abs, decades)) > 300.0:  # then the power is 0 or infinite for any purpose
        decades = [max(-300.0, min(300.0, value)) for value in decades]
    return tuple([round(bottom + drop / (1.0 + 10.0**value), 2) for value in decades])


def _summary(curve: Row, fitted: list[float], low: float, high: float, peak: float | None) -> str:
    unit = text(curve, "dose_unit")
    ends = f"{numerals.significant(low)} to {numerals.significant(high)} {unit}"
    if not fitted:
        return f"{text(curve, 'drug')}: no curve could be fitted, {ends}"
    words = (
        f"{text(curve, 'drug')}: {numerals.percent(fitted[0])} % viable at the lowest and "
        f"{numerals.percent(fitted[-1])} % at the highest dose, {ends}"
    )
    beyond = {">": "; IC50 above the highest dose", "<": "; IC50 below the lowest dose"}
    words += beyond.get(text(curve, "ic50_qualifier"), "")
    return words + (f"; plasma peak {numerals.significant(peak)} nM" if peak else "")


_DOSED = (("drug", "dose"), ("drug2", "dose2"), ("drug3", "dose3"))


def _wells_by_drug(wells: Iterable[Row]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Sort wells into the points of single-agent curves and of a matrix's single agents."""
    found: dict[str, dict[str, list[tuple[float, float, bool]]]] = {}
    for well in wells:
        viability = number(well, "viability_pct")
        if viability is None or text(well, "addon"):
            continue  # an arm with a partner has no part in the single agent's curve
        doses = {drug: number(well, dose) for name, dose in _DOSED if (drug := text(well, name))}
        dosed = [(drug, dose) for drug, dose in doses.items() if dose]
        if len(dosed) != 1:
            continue
        kind = "single" if len(doses) == 1 else "matrix"
        drug, dose = dosed[0]
        point = (dose, viability, flag(well, "excluded", False))
        found.setdefault(drug, {}).setdefault(kind, []).append(point)
    names = tuple(Point.model_fields)
    return {
        drug: {
            kind: [dict(zip(names, point, strict=True)) for point in sorted(points)]
            for kind, points in kinds.items()
        }
        for drug, kinds in found.items()
    }
