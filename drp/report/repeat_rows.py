"""Repeat samples of a patient: what changed since the earlier sample, for record and page."""

from typing import Any

from drp.report import numerals
from drp.report.record import Estimate, Repeat, RepeatDrug
from drp.report.rows import Tables, estimate, number, records, text

UNCHANGED = "no change beyond noise"


def repeat_rows(tables: Tables) -> list[Repeat]:
    """Give the comparisons of table ``changes``, newest sample first; changed drugs come first.

    Parameters
    ----------
    tables : mapping
        ``changes`` as `drp.patient_changes.patient_changes` gives it.
    """
    return [
        Repeat(
            earlier=text(row, "earlier"),
            later=text(row, "later"),
            days=row["days"],
            reason=text(row, "reason"),
            drugs=sorted((_drug(drug) for drug in row["drugs"]), key=_changed_first),
        )
        for row in reversed(records(tables, "changes"))
    ]


def _drug(row: dict[str, Any]) -> RepeatDrug:
    return RepeatDrug(
        drug=text(row, "drug"),
        change=estimate(row, "change"),
        q=number(row, "q"),
        verdict=text(row, "verdict"),  # type: ignore[arg-type]  # the model checks the words
    )


def _changed_first(drug: RepeatDrug) -> tuple[bool, float, str]:
    return drug.verdict == UNCHANGED, drug.change.value or 0.0, drug.drug.casefold()


def repeat_lines(repeats: list[Repeat]) -> list[dict[str, Any]]:
    """Lay the comparisons out as titled lines: every change, and how many drugs did not change."""
    return [
        {
            "title": f"{item.later} compared with {item.earlier}" if item.earlier else item.later,
            "note": f"{numerals.counted(item.days, 'day')} apart" if item.days is not None else "",
            "lines": _lines(item),
        }
        for item in repeats
    ]


def _lines(item: Repeat) -> list[dict[str, str]]:
    if item.reason:
        return [_line("Not compared", numerals.sentence(item.reason))]
    same = [drug.drug for drug in item.drugs if drug.verdict == UNCHANGED]
    lines = [
        _line(drug.drug, f"{drug.verdict}: AUC {_points(drug.change)}; q {_q(drug.q)}.")
        for drug in item.drugs
        if drug.verdict != UNCHANGED
    ]
    if same:
        count = f"{len(same)} of {numerals.counted(len(item.drugs), 'drug')}"
        lines.append(_line(UNCHANGED.capitalize(), f"{count}: {', '.join(same)}."))
    return lines


def _points(change: Estimate) -> str:
    return (
        f"{numerals.value(change, 'signed')} points (95 % interval "
        f"{numerals.interval(change, 'signed')})"
    )


def _q(q: float | None) -> str:
    return numerals.UNKNOWN if q is None else numerals.p_value(q)


def _line(term: str, words: str) -> dict[str, str]:
    return {"term": term, "text": words, "source": ""}
