"""How a run ended: who has a report, who has one with caution, who has no result, what failed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drp.plan import Plan
from drp.storage import read_json

_SHOWN = 10


@dataclass(slots=True)
class Summary:
    """Patients of a project by what came out of the last run; `failures` in words, one each.

    Those `not_made` have no report because the run was asked for a part only, or because it failed.
    """

    reported: list[str] = field(default_factory=list)
    with_caution: list[str] = field(default_factory=list)
    without_result: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    not_made: list[str] = field(default_factory=list)

    def count_as_failed(self) -> None:
        """The run failed: so did every report that it did not make."""
        for patient in self.not_made:
            self.failures[patient] = f"No report of {patient}: it was not computed, see logs/."
        self.not_made.clear()

    def lines(self) -> list[str]:
        """Say it.

        >>> Summary(reported=["P01"], failures={"P02": "No report of P02: odd."}).lines()
        ['Patients: 1 reported, 0 with caution, 0 without result, 1 failed.',
         '  No report of P02: odd.']
        """
        counts = (
            f"{len(self.reported)} reported",
            f"{len(self.with_caution)} with caution",
            f"{len(self.without_result)} without result",
            f"{len(self.failures)} failed",
            *([f"{len(self.not_made)} not made"] * bool(self.not_made)),
        )
        words = [f"  {text}" for text in list(self.failures.values())[:_SHOWN]]
        more = len(self.failures) - len(words)
        return [f"Patients: {', '.join(counts)}.", *words, *([f"  and {more} more"] * bool(more))]


def summarise(plan: Plan) -> Summary:
    """Read what became of each patient, from the small files beside the records.

    Parameters
    ----------
    plan : Plan
        The project in the current folder.

    Returns
    -------
    Summary
        By the newest sample of each patient.
    """
    summary = Summary()
    rows = {name: entry for group in plan.groups for name, entry in _entries(group)}
    broken = dict(_broken_reports(plan))
    kinds = {
        "yes": summary.reported,
        "with caution": summary.with_caution,
        "no": summary.without_result,
    }
    for patient in plan.patients:
        entry = rows.get(patient)
        if entry is None or (patient in broken and not broken[patient]):
            summary.not_made.append(patient)
        elif entry["failure"] or broken.get(patient):
            summary.failures[patient] = entry["failure"] or broken[patient]
        else:
            kinds[entry["row"]["usable"]].append(patient)
    return summary


def _entries(group: str) -> Iterable[tuple[str, dict[str, Any]]]:
    path = Path(f"results/groups/{group}/index.json")
    entries = read_json(path) if path.is_file() else []
    return ((entry["row"]["patient"], entry) for entry in entries)


def _broken_reports(plan: Plan) -> Iterable[tuple[str, str]]:
    """Patients whose report failed when it was rendered, and why; "" if there is none at all."""
    if plan.config.batches is None:
        for patient in plan.patients:
            path = Path(f"reports/{patient}/report.json")
            text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
            if not path.is_file() or '"failure": {' in text[:200]:
                yield patient, _words(path) if path.is_file() else ""
        return
    made: dict[str, Any] = {}
    for manifest in map(Path, plan.manifests):
        made |= read_json(manifest)["patients"] if manifest.is_file() else {}
    for patient in plan.patients:
        failure = made[patient]["failure"] if patient in made else ""
        if failure or patient not in made:
            yield patient, failure


def _words(path: Path) -> str:
    from drp.report.failure import read_failure

    failure = read_failure(read_json(path))
    return failure.words if failure else ""
