"""Samples: whether the cells of a tube, and the plates they lie on, can be relied on."""

from collections.abc import Iterable, Mapping
from typing import Any

from drp.verdicts import judge, worst


def judge_samples(
    samples: Iterable[Mapping[str, str]],
    plates: Mapping[str, Iterable[str]],
    quality: Iterable[Mapping[str, Any]],
    tiers: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Judge every sample by what was recorded of its cells and by its plates.

    Parameters
    ----------
    samples : iterable of mappings
        Rows of samples.tsv; thaw_viability_pct, blasts_pct and survival_pct are used where given.
    plates : mapping
        Each sample's plates.
    quality : iterable of mappings
        Rows of table `quality`; plate, verdict and reasons are used. A plate that is not there has
        an error (see `drp.refusals`), and the sample fails.
    tiers : mapping
        The gates, as in `drp.config.QualityTiers`.

    Returns
    -------
    list of dict
        One row per sample: sample, verdict, reasons, n_plates, n_plates_failed. A sample fails if
        its cells fail or all of its plates do; one failed plate of several is a warning. What was
        not recorded is said in the reasons, not assumed.

    Examples
    --------
    >>> tiers = {"thaw_viability_pct": {"warn": 70, "fail": 50}}
    >>> judge_samples([{"sample": "S1", "thaw_viability_pct": "40"}], {"S1": ["PL1"]},
    ...     [{"plate": "PL1", "verdict": "pass", "reasons": ""}], tiers)[0]["verdict"]
    'fail'
    """
    judged = {row["plate"]: (row["verdict"], row["reasons"]) for row in quality}
    rows = []
    for sample in samples:
        names = sorted(plates.get(sample["sample"], ()))
        own = {plate: judged[plate] for plate in names if plate in judged}
        missing = [("fail", f"plate {plate} cannot be used") for plate in names if plate not in own]
        notes = [] if missing and not own else _plate_notes(own)
        verdict, reasons = worst(_cell_notes(sample, tiers) + missing + notes)
        rows.append(
            {
                "sample": sample["sample"],
                "verdict": verdict,
                "reasons": reasons,
                "n_plates": len(names),
                "n_plates_failed": len(missing) + sum(tier == "fail" for tier, _ in own.values()),
            }
        )
    return rows


def _cell_notes(sample: Mapping[str, str], tiers: Mapping[str, Any]) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    unknown = []
    for key, name in (
        ("thaw_viability_pct", "viability at plating"),
        ("blasts_pct", "blasts at plating"),
        ("survival_pct", "survival of untreated cells"),
    ):
        text = sample.get(key, "")
        if text in ("", "NA"):
            unknown.append(name)
        else:
            notes += judge(float(text), name, " %", tiers[key])
    if unknown:
        notes.append(("pass", f"not recorded: {', '.join(unknown)}"))
    return notes


def _plate_notes(plates: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What the plates say of the sample; a sample fails by its plates only if all of them do."""
    if not plates:
        return [("fail", "no plate was read")]
    failed = sum(verdict == "fail" for verdict, _ in plates.values())
    tier = "fail" if failed == len(plates) else "warn"
    notes = []
    for plate, (verdict, reasons) in plates.items():
        words = reasons.replace("; ", ", ")
        if verdict == "fail":
            ending = "" if tier == "fail" else "; its drugs are not evaluable"
            notes.append((tier, f"plate {plate} failed: {words}{ending}"))
        elif verdict == "warn":
            notes.append(("warn", f"plate {plate}: {words}"))
    return notes
