"""The combinations of one sample: verdict, excess with interval, and the dose matrices."""

from collections.abc import Mapping
from typing import Any

from drp.report import numerals
from drp.report.record import Combination, Mark, Matrix
from drp.report.rows import count, estimate, flag, number, records, text

Row = Mapping[str, Any]
Cells = dict[tuple[float, float], Row]

# The order of show, with the mark each verdict is drawn with.
_CALLS: dict[str, Mark] = {
    "effective and synergistic": "plus",
    "synergistic but weak": "plus",
    "effective and additive": "equals",
    "effective, antagonistic": "minus",
    "antagonistic": "minus",
    "inconclusive": "diamond",
    "weak": "ring",
    "not assessable": "dash",
}


def combination_rows(sample: str, tables: Mapping[str, list[dict[str, Any]]]) -> list[Combination]:
    """Give the combinations of a sample by verdict, then excess (largest first), then name.

    Parameters
    ----------
    sample : str
    tables : mapping
        ``synergy`` and ``surface``; ``drug_facts`` names the plasma peaks.
    """
    surface = records(tables, "surface", sample=sample)
    facts = records(tables, "drug_facts")
    peaks = {text(row, "drug").casefold(): number(row, "cmax_nm") for row in facts}
    found = [_combination(row, surface, peaks) for row in records(tables, "synergy", sample=sample)]
    order = list(_CALLS)

    def key(item: Combination) -> tuple[int, float, str]:
        place = order.index(item.call) if item.call in order else len(order)
        return place, -(item.bliss.value or 0.0), item.combination

    return sorted(found, key=key)


def _combination(
    row: Row, surface: list[dict[str, Any]], peaks: Mapping[str, float | None]
) -> Combination:
    drugs = [text(row, name) for name in ("drug", "drug2", "drug3") if text(row, name)]
    cells = [cell for cell in surface if text(cell, "combination") == text(row, "combination")]
    return Combination(
        combination=text(row, "combination"),
        drugs=drugs,
        design=text(row, "design"),
        n_wells=count(row, "n_wells"),
        call=text(row, "call"),
        mark=_CALLS.get(text(row, "call"), "diamond"),
        assessable=flag(row, "assessable", False),
        reason=text(row, "reason"),
        bliss=estimate(row, "bliss"),
        bliss_p=number(row, "bliss_p"),
        hsa=estimate(row, "hsa"),
        hsa_p=number(row, "hsa_p"),
        achievable_bliss=estimate(row, "achievable_bliss"),
        loewe=estimate(row, "loewe"),
        zip=estimate(row, "zip"),
        models=". ".join(filter(None, [text(row, "agreement"), text(row, "models_note")])),
        css=number(row, "css"),
        ri=number(row, "ri"),
        p_fdr=number(row, "p_fdr"),
        probability_synergistic=number(row, "probability_synergistic"),
        detectable_excess=number(row, "detectable_excess"),
        best_region=number(row, "best_region"),
        best_region_p=number(row, "best_region_p"),
        best_region_doses=text(row, "best_region_doses"),
        matrices=_matrices(drugs, cells, peaks),
    )


def _matrices(
    drugs: list[str], cells: list[dict[str, Any]], peaks: Mapping[str, float | None]
) -> list[Matrix]:
    if len(drugs) < 2:
        return []
    levels = sorted({number(cell, "dose3") for cell in cells}, key=lambda dose: dose or 0.0)
    return [
        _matrix(drugs, level, [cell for cell in cells if number(cell, "dose3") == level], peaks)
        for level in levels
    ]


def _matrix(
    drugs: list[str],
    level: float | None,
    rows: list[dict[str, Any]],
    peaks: Mapping[str, float | None],
) -> Matrix:
    cells: Cells = {(number(row, "dose") or 0.0, number(row, "dose2") or 0.0): row for row in rows}
    doses = sorted({dose for dose, _ in cells})
    doses2 = sorted({dose2 for _, dose2 in cells})

    def grid(name: str) -> list[list[float | None]]:
        return [[number(cells.get((x, y), {}), name) for x in doses] for y in doses2]

    limits = [peaks.get(drug.casefold()) for drug in drugs[:2]]
    excess = grid("excess_bliss")
    return Matrix(
        drug=drugs[0],
        drug2=drugs[1],
        dose_unit=next((text(row, "dose_unit") for row in rows if text(row, "dose_unit")), "nM"),
        dose=doses,
        dose2=doses2,
        dose3=level,
        observed=grid("observed"),
        excess=excess,
        achievable=[[_reachable((x, y), limits) for x in doses] for y in doses2],
        summary=_summary(drugs, level, excess, doses, doses2),
    )


def _reachable(doses: tuple[float, float], limits: list[float | None]) -> bool:
    """Say whether both doses are given and lie at or below a known plasma peak."""
    return all(
        limit is not None and 0 < dose <= limit for dose, limit in zip(doses, limits, strict=True)
    )


def _summary(
    drugs: list[str],
    level: float | None,
    excess: list[list[float | None]],
    doses: list[float],
    doses2: list[float],
) -> str:
    values = [
        (value, x, y)
        for y, line in zip(doses2, excess, strict=True)
        for x, value in zip(doses, line, strict=True)
        if value is not None
    ]
    third = f", {drugs[2]} at {numerals.significant(level)}" if level and len(drugs) > 2 else ""
    name = f"{drugs[0]} with {drugs[1]}{third}"
    if not values:
        return f"{name}: no dose pair could be compared with Bliss independence"
    low, high = min(values), max(values)
    return (
        f"{name}: excess over Bliss independence from {numerals.signed(low[0])} to "
        f"{numerals.signed(high[0])} points over {numerals.counted(len(values), 'dose pair')}, "
        f"largest at {numerals.significant(high[1])} and {numerals.significant(high[2])}"
    )
