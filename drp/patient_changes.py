"""What changed from one sample of a patient to the next, or why nothing can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

Rows = list[dict[str, Any]]


def patient_changes(
    samples: Sequence[Mapping[str, str]],
    tables: Mapping[str, Rows],
    assay: str,
    settings: Mapping[str, float],
) -> Rows:
    """Compare each sample of a patient with the sample before it, drug by drug.

    Parameters
    ----------
    samples : sequence of mapping
        The patient's rows of samples.tsv, in any order.
    tables : mapping
        Rows of ``sample_quality``, ``quality``, ``curves`` (with the plates each rests on) and
        ``drug_facts`` of the patient.
    assay : str
        The assay of samples that name none.
    settings : mapping
        between_sd, least_change and false_discovery_rate, as in `drp.config.RepeatSettings`.

    Returns
    -------
    list of dict
        One per sample but the first, in order of collection: earlier and later (the latest sample
        before it of the same assay that passed; empty if there is none), days between them, reason
        why nothing is compared (empty if something is), and drugs: rows of `drp.repeats.changes`.
        Drugs a plate cannot read, curves of failed plates and curves without interval or with
        other doses are left out.

    Examples
    --------
    >>> rows = [{"sample": "S1", "collected_date": "2025-01-01"}, {"sample": "S2"}]
    >>> patient_changes(rows, {"sample_quality": []}, "a", {})[0]["reason"]
    'the day of collection of S2 is not given, so that the order of the samples is not known'
    """
    if len(samples) < 2:
        return []
    undated = sorted(row["sample"] for row in samples if _day(row) is None)
    if undated:
        names = ", ".join(undated)
        reason = f"the day of collection of {names} is not given, so that the order of the samples"
        return [_nothing("", undated[-1], f"{reason} is not known")]
    judged = {row["sample"]: row["verdict"] for row in tables.get("sample_quality", [])}
    found: Rows = []
    ordered = sorted(samples, key=lambda row: (str(_day(row)), row["sample"]))
    for place, later in enumerate(ordered[1:], start=1):
        before = [row for row in ordered[:place] if _same_assay(row, later, assay)]
        usable = [row for row in before if judged.get(row["sample"], "fail") != "fail"]
        found.append(_compared(usable, before, later, judged, tables, settings))
    return found


def _compared(
    usable: Sequence[Mapping[str, str]],
    before: Sequence[Mapping[str, str]],
    later: Mapping[str, str],
    judged: Mapping[str, str],
    tables: Mapping[str, Rows],
    settings: Mapping[str, float],
) -> dict[str, Any]:
    name = later["sample"]
    if judged.get(name, "fail") == "fail":
        return _nothing("", name, f"{name} failed quality control")
    if not before:
        return _nothing("", name, "no earlier sample was tested in the same assay")
    if not usable:
        return _nothing("", name, "every earlier sample of the same assay failed quality control")
    earlier = usable[-1]
    drugs = _changes(earlier["sample"], name, tables, settings)
    if not drugs:
        reason = "no drug has a curve over the same doses, with an interval, in both"
        return _nothing(earlier["sample"], name, reason)
    days = (_day(later) or date.min) - (_day(earlier) or date.min)
    return _nothing(earlier["sample"], name, "") | {"days": days.days, "drugs": drugs}


def _changes(
    earlier: str, later: str, tables: Mapping[str, Rows], settings: Mapping[str, float]
) -> Rows:
    import pandas as pd

    from drp.repeats import changes

    curves = [row for row in _readable(tables) if row["sample"] in (earlier, later)]
    if not curves:
        return []
    found = changes(
        pd.DataFrame(curves),
        {"": [earlier, later]},
        between_sd=settings["between_sd"],
        least=settings["least_change"],
        rate=settings["false_discovery_rate"],
    )
    rows: Rows = [
        {str(name): value for name, value in row.items()} for row in found.to_dict("records")
    ]
    return rows


def _readable(tables: Mapping[str, Rows]) -> Iterable[dict[str, Any]]:
    """Curves that say something: not of failed plates, nor of drugs that a plate cannot read."""
    failed = {row["plate"] for row in tables.get("quality", []) if row["verdict"] == "fail"}
    unread = {
        row["drug"].casefold() for row in tables.get("drug_facts", []) if row["exvivo"] == "no"
    }
    for row in tables.get("curves", []):
        known = row["shape"] != "none" and row["drug"].casefold() not in unread
        if known and not failed & set(str(row["plates"]).split(";")):
            yield row


def _same_assay(one: Mapping[str, str], other: Mapping[str, str], assay: str) -> bool:
    return (one.get("assay") or assay) == (other.get("assay") or assay)


def _nothing(earlier: str, later: str, reason: str) -> dict[str, Any]:
    return {"earlier": earlier, "later": later, "days": None, "reason": reason, "drugs": []}


def _day(row: Mapping[str, str]) -> date | None:
    try:
        return date.fromisoformat(row.get("collected_date", ""))
    except ValueError:
        return None
