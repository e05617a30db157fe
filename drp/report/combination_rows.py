"""The combinations of one sample: verdict, excess with interval, and the dose matrices."""

from collections.abc import Callable, Mapping
from typing import Any

from drp.report import numerals
from drp.report.record import Combination, Mark, Matrix
from drp.report.rows import count, estimate, flag, number, parts, records, text

Row = Mapping[str, Any]
Cells = dict[tuple[float, float], Row]

NOT_ASSESSABLE = "not assessable"
# The order of show, with the mark each verdict is drawn with.
_CALLS: dict[str, Mark] = {
    "effective and synergistic": "plus",
    "synergistic but weak": "plus",
    "effective and additive": "equals",
    "effective, antagonistic": "minus",
    "antagonistic": "minus",
    "inconclusive": "diamond",
    "weak": "ring",
    NOT_ASSESSABLE: "dash",
}


def combination_rows(
    sample: str, tables: Mapping[str, list[dict[str, Any]]], certain: float | None = None
) -> list[Combination]:
    """Give the combinations of a sample by verdict, then excess (largest first), then name.

    A combination that rests on a failed plate is not assessable and has no number.

    Parameters
    ----------
    sample : str
    tables : mapping
        ``synergy`` and ``surface``; ``drug_facts`` names the plasma peaks, ``quality`` and
        ``viability`` the plates that failed and the combinations on them.
    certain : float, optional
        Probability below which a call is uncertain; without it none is said to be.
    """
    failed = _failed_plates(sample, tables)
    surface = records(tables, "surface", sample=sample)
    facts = records(tables, "drug_facts")
    peaks = {text(row, "drug").casefold(): number(row, "cmax_nm") for row in facts}
    found = [
        _blocked(row, why) if (why := failed(row)) else _combination(row, surface, peaks, certain)
        for row in records(tables, "synergy", sample=sample)
    ]
    order = list(_CALLS)

    def key(item: Combination) -> tuple[int, float, str]:
        place = order.index(item.call) if item.call in order else len(order)
        return place, -(item.bliss.value or 0.0), item.combination

    return sorted(found, key=key)


def _drugs(row: Row) -> list[str]:
    return [text(row, name) for name in ("drug", "drug2", "drug3") if text(row, name)]


def _failed_plates(sample: str, tables: Mapping[str, list[dict[str, Any]]]) -> Callable[[Row], str]:
    """Give what says, of a row of `synergy`, which failed plate it rests on; empty if none."""
    failed = {
        text(row, "plate"): text(row, "reasons")
        for row in records(tables, "quality")
        if text(row, "verdict") == "fail"
    }
    # Of most samples no plate failed, and there is nothing to look up.
    wells = records(tables, "viability", sample=sample, role="sample") if failed else []
    found = {
        (text(row, "plate"), frozenset(_drugs(row)))
        for row in wells
        if text(row, "plate") in failed and not text(row, "addon")
    }

    def why(row: Row) -> str:
        together = frozenset(_drugs(row))
        needed = {together}
        if {"single_agents_elsewhere"} & set(parts(row, "flags", ";")):
            needed |= {frozenset([drug]) for drug in together}
        plates = sorted({plate for plate, drugs in found if drugs in needed})
        words = [f"plate {plate} failed quality control: {failed[plate]}" for plate in plates]
        return "; ".join(words)

    return why


def _blocked(row: Row, why: str) -> Combination:
    """A combination whose plate failed: named, with the reason and without any number."""
    kept = ("sample", "combination", "drug", "drug2", "drug3", "design", "n_wells")
    bare = {name: row.get(name) for name in kept}
    bare |= {"call": NOT_ASSESSABLE, "reason": numerals.sentence(why)}
    return _combination(bare, [], {}, None).model_copy(update={"data": why, "matrices": []})


def _statements(row: Row) -> dict[str, str]:
    """The three statements a call rests on, in words: data, efficacy, synergy."""
    scored, missing = count(row, "n_cells"), count(row, "n_missing")
    near = flag(row, "limits_known", False)
    doses = "at doses a patient can reach" if near else "over all doses (reachable ones not known)"
    data = f"plates pass; {scored} of {numerals.counted(scored + missing, 'combined dose')} scored"
    if not flag(row, "assessable", False):
        return {"data": data}
    kill, gain = estimate(row, "mean_inhibition"), estimate(row, "gain")
    if kill.value is None or gain.value is None:
        return {"data": data}
    efficacy = (
        f"mean inhibition {numerals.percent(kill.value)} % ({numerals.interval(kill, 'percent')}) "
        f"{doses}, {numerals.signed(gain.value)} points "
        f"({numerals.interval(gain, 'signed')}) over the best single agent"
    )
    call = text(row, "call")
    kinds = ("synergistic", "antagonistic", "inconclusive")
    kind = next((word for word in kinds if word in call), "additive")
    chance = number(row, "probability_synergistic")
    if chance is not None:
        kind += f"; over all doses, probability of synergy {numerals.probability(chance)}"
    return {"data": data, "efficacy": efficacy, "synergy": kind}


def _combination(
    row: Row,
    surface: list[dict[str, Any]],
    peaks: Mapping[str, float | None],
    certain: float | None,
) -> Combination:
    drugs = _drugs(row)
    probability = number(row, "probability")
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
        probability=probability,
        uncertain=None not in (certain, probability) and (probability or 0.0) < (certain or 0.0),
        **_statements(row),
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
