"""One plate as its review page shows it: every well in words, controls, replicates, exclusions.

Numbers that a stage has computed are taken from its table; medians and spreads of wells that no
table holds are computed here, never in the template.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from drp.report import numerals
from drp.report.rows import count, number, text

Row = Mapping[str, Any]

ROLE_WORDS = {
    "sample": "sample",
    "negative": "negative control",
    "positive": "positive control",
    "blank": "blank",
    "untreated": "untreated",
    "day0": "day 0",
    "reference": "reference",
    "empty": "empty",
}
STATUS_WORDS = {
    "saturated": "saturated",
    "below_range": "below the range",
    "invalid": "not a number",
    "not_read": "not read",
    "missing": "missing",
}
_DOSED = (("drug", "dose"), ("drug2", "dose2"), ("drug3", "dose3"))
_SCALE_WORDS = {"negative": ": sets 100 %", "positive": ": sets 0 %", "blank": ": blank value"}
_SHOWN_REPLICATES = 12
_LEAST_WELLS = 4  # fewer do not give a spread, as in drp.quality
_MAD_TO_SD = 1.4826


def signal_words(value: float) -> str:
    """Write a signal in full, as it was measured.

    >>> signal_words(1302119.0), signal_words(0.12345), signal_words(221.0)
    ('1302119', '0.1235', '221')
    """
    whole = value == round(value) or abs(value) >= 1000
    return f"{value:.0f}" if whole else numerals.significant(value, 4)


def content_words(well: Row) -> str:
    """Say what is in a well: each drug with its dose, or the substance of a control.

    >>> content_words({"drug": "Venetoclax", "dose": 100.0, "dose_unit": "nM"})
    'Venetoclax 100 nM'
    """
    words = []
    for name, dosed in _DOSED:
        if drug := text(well, name):
            dose = number(well, dosed)
            amount = "" if dose is None else f" {dose:.10g} {text(well, 'dose_unit')}"
            words.append(f"{drug}{amount}".strip())
    partner = text(well, "addon")
    return " + ".join(words) + (f", arm with {partner}" if partner else "")


def well_words(well: Row, *, several: bool) -> str:
    """Say everything of a well in one line; the name of its button.

    Parameters
    ----------
    well : mapping
        A row of table `viability`.
    several : bool
        Whether the plate holds several samples, so that the well's must be named.

    Examples
    --------
    >>> well_words({"well": "A1", "role": "sample", "drug": "Venetoclax", "dose": 100.0,
    ...     "dose_unit": "nM", "signal": 1234.0, "status": "ok", "viability_pct": 55.9,
    ...     "excluded": False}, several=False)
    'A1, sample, Venetoclax 100 nM, signal 1234, 56 % viable'
    """
    signal, viability = number(well, "signal"), number(well, "viability_pct")
    role = ROLE_WORDS[text(well, "role")]
    parts = [
        text(well, "well"),
        f"{role} {text(well, 'sample')}".strip() if several and role == "sample" else role,
        content_words(well),
        f"signal {signal_words(signal)}"
        if signal is not None
        else f"no signal: {status_words(well)}",
    ]
    if viability is not None and role != "empty":
        parts.append(f"{numerals.percent(viability)} % viable")
    if well.get("excluded"):
        parts.append(f"excluded: {text(well, 'reason')}")
    return ", ".join(filter(None, parts))


def status_words(well: Row) -> str:
    """Say the state of a reading; empty where it is ok."""
    status = text(well, "status")
    return "" if status == "ok" else STATUS_WORDS.get(status, status)


def usable(well: Row) -> bool:
    """Whether a well was read and not taken out."""
    return (
        text(well, "status") == "ok"
        and not well.get("excluded")
        and number(well, "signal") is not None
    )


def control_rows(wells: Iterable[Row]) -> list[dict[str, str]]:
    """Sum up the wells without a drug under test, those that set the scale apart from the others.

    Returns
    -------
    list of dict
        kind, substance, n, median, cv (robust, from the MAD; empty with fewer than 4 wells), low
        and high, as text. Wells not read or taken out are counted, not measured.
    """
    groups: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for well in wells:
        role, control, arm = (text(well, name) for name in ("role", "control", "addon"))
        if role not in ("sample", "empty"):
            groups[role, control, arm, "" if control else text(well, "drug")].append(well)
    order = list(ROLE_WORDS)
    ranked = sorted(groups, key=lambda key: (order.index(key[0]), not key[1], *key[2:]))
    return [_control_row(*key[:3], groups[key]) for key in ranked]


def _control_row(role: str, control: str, arm: str, wells: Sequence[Row]) -> dict[str, str]:
    values = [number(well, "signal") or 0.0 for well in wells if usable(well)]
    scaled = _SCALE_WORDS.get(control, ": not used for the scale")
    row = {
        "kind": ROLE_WORDS[role]
        + (f", arm with {arm}" if arm else "")
        + (scaled if role in _SCALE_WORDS else ""),
        "substance": numerals.listed(sorted({text(well, "drug") for well in wells} - {""})),
        "n": str(len(values)) + (f" of {len(wells)}" if len(values) < len(wells) else ""),
    }
    if not values:
        return row | dict.fromkeys(("median", "cv", "low", "high"), "")
    centre = median(values)
    spread = _MAD_TO_SD * median(abs(value - centre) for value in values)
    known = len(values) >= _LEAST_WELLS and centre > 0
    return row | {
        "median": signal_words(centre),
        "cv": f"{numerals.percent(100 * spread / centre)} %" if known else "",
        "low": signal_words(min(values)),
        "high": signal_words(max(values)),
    }


def replicate_rows(wells: Iterable[Row]) -> tuple[list[dict[str, Any]], int]:
    """Find the replicate wells that disagree most.

    Replicates are usable drug wells of one sample, one set of drugs and one set of doses. They
    disagree by the distance between the most and the least viable of them.

    Returns
    -------
    rows : list of dict
        The first 12, the worst first: content, sample, difference (points, text) and wells, each
        with its name, viability as text and as number.
    found : int
        Groups of replicates on the plate.
    """
    groups: dict[tuple[Any, ...], list[tuple[float, Row]]] = defaultdict(list)
    for well in wells:
        viability = number(well, "viability_pct")
        if text(well, "role") == "sample" and usable(well) and viability is not None:
            key = (
                text(well, "sample"),
                text(well, "addon"),
                *(text(well, name) for name, _ in _DOSED),
                *(number(well, dose) for _, dose in _DOSED),
            )
            groups[key].append((viability, well))
    rows = []
    for group in groups.values():
        if len(group) > 1:
            values = [viability for viability, _ in group]
            rows.append((max(values) - min(values), group))
    rows.sort(key=lambda row: (-row[0], text(row[1][0][1], "well")))
    shown = rows[:_SHOWN_REPLICATES]
    return [_replicate_row(difference, group) for difference, group in shown], len(rows)


def _replicate_row(difference: float, group: list[tuple[float, Row]]) -> dict[str, Any]:
    first = group[0][1]
    return {
        "content": content_words(first),
        "sample": text(first, "sample"),
        "difference": numerals.percent(difference),
        "values": [viability for viability, _ in group],
        "wells": [
            {"well": text(well, "well"), "viable": f"{numerals.percent(viability)} %"}
            for viability, well in group
        ],
    }


def excluded_rows(wells: Iterable[Row], exclusions: Iterable[Row]) -> list[dict[str, str]]:
    """List the wells that are taken out: what was in them, why, by whom and when.

    Parameters
    ----------
    wells : iterable of mappings
        The plate's rows of table `viability`.
    exclusions : iterable of mappings
        The plate's rows of exclusions.tsv. A well that is taken out without such a row was taken
        out by its plate map, which is said.
    """
    by_hand: dict[str, list[Row]] = defaultdict(list)
    for row in exclusions:
        by_hand[text(row, "well")].append(row)
    rows = []
    for well in wells:
        if not well.get("excluded"):
            continue
        name = text(well, "well")
        entries = by_hand.get(name, [])
        if len(entries) < 2:  # with the reason of the plate map, if it has one too
            entry = entries[0] if entries else {"by": "the plate map"}
            entries = [{**entry, "reason": well["reason"]}]
        for entry in entries:
            rows.append(
                {
                    "well": name,
                    "content": content_words(well) or ROLE_WORDS[text(well, "role")],
                    "reason": text(entry, "reason"),
                    "by": text(entry, "by") or "not stated",
                    "date": text(entry, "date") or "not stated",
                }
            )
    return rows


def odd_rows(wells: Iterable[Row]) -> list[dict[str, str]]:
    """List the wells whose reading is not ok, unless nothing was in them and nothing was read."""
    return [
        {
            "well": text(well, "well"),
            "role": ROLE_WORDS[text(well, "role")],
            "content": content_words(well),
            "status": status_words(well),
        }
        for well in wells
        if status_words(well)
        and (text(well, "role") != "empty" or text(well, "status") not in ("not_read", "missing"))
    ]


def listed_wells(wells: Iterable[Row]) -> list[dict[str, str]]:
    """Give every well as a row of text."""
    rows = []
    for well in wells:
        signal, viability = number(well, "signal"), number(well, "viability_pct")
        notes = [status_words(well)]
        if well.get("excluded"):
            notes.append(f"excluded: {text(well, 'reason')}")
        rows.append(
            {
                "well": text(well, "well"),
                "role": ROLE_WORDS[text(well, "role")],
                "sample": text(well, "sample"),
                "content": content_words(well),
                "signal": "" if signal is None else signal_words(signal),
                "viable": "" if viability is None else f"{numerals.percent(viability)} %",
                "notes": "; ".join(filter(None, notes)),
            }
        )
    return rows


def quality_facts(quality: Row) -> list[dict[str, str]]:
    """Give the plate's figures of quality, each with its name; unknown ones are left out."""
    facts = [
        {"term": term, "text": f"{numerals.significant(value, finest=0.01)}{unit}"}
        for term, column, unit in _FIGURES
        if (value := number(quality, column)) is not None
    ]
    wells = f"{count(quality, 'n_wells')} in use, {count(quality, 'n_excluded')} excluded, "
    return [*facts, {"term": "Wells", "text": f"{wells}{count(quality, 'n_flagged')} not ok"}]


_FIGURES = (
    ("Robust Z′", "robust_z_prime", ""),
    ("Z′", "z_prime", ""),
    ("Signal to background", "signal_to_background", ""),
    ("Robust CV of negative controls", "robust_cv_negative", " %"),
    ("Outer over inner controls", "edge_effect", ""),
    ("The same, after edge correction", "edge_effect_corrected", ""),
    ("Row gradient of negative controls", "gradient_row_pct", " %"),
    ("Column gradient of negative controls", "gradient_column_pct", " %"),
    ("Row gradient of lowest doses", "drug_gradient_row_pct", " %"),
    ("Column gradient of lowest doses", "drug_gradient_column_pct", " %"),
    ("Signal over the order of wells, Spearman's ρ", "drift_rho", ""),
    ("Replicate SD", "replicate_sd", " points"),
    ("SD between plates of the sample", "between_plate_sd", " points"),
    ("Shift against them", "between_plate_shift", " points"),
    ("SD of control drugs between plates", "reference_drug_sd", " points"),
    ("Signal, share of the run's usual", "signal_of_run", " %"),
)
