"""The plan of a run: batches, which files each job needs, and what must redo it.

The workflow asks here instead of computing anything itself. For each stage the plan knows the few
configuration keys the stage uses and the sheet rows it reads: their hashes stand in the rule's
parameters, so that a change redoes the jobs it touches and no others.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from drp.batches import Grouping
from drp.config import Config
from drp.locks import locked_versions, newest_version
from drp.provenance import digest, fingerprint
from drp.sheetfiles import Row
from drp.sheets import Sheets, layout_file, run_of

# The keys of config.yaml that each stage uses; nothing else is handed to it. A dot leads to a key
# within a key: a changed gate for blasts must not redo the viability of every plate.
SETTINGS: dict[str, tuple[str, ...]] = {
    "plates": ("plates_folder", "layouts", "batches"),
    "wells": ("normalisation", "read", "batches"),
    "quality": ("quality", "normalisation", "read", "plates_folder", "layouts"),
    "samples": ("quality", "assay", "batches"),
    "viability": (
        "normalisation.edge_correction",
        "quality.edge_effect_pct",
        "quality.gradient_pct",
        "quality.trend_p",
    ),
    "curves": ("calls", "exposure", "seed"),
    "synergy": ("synergy", "calls", "exposure", "seed"),
    "cohort": ("cohort",),
    "calls": ("calls", "cohort", "exposure", "seed"),
    "risk": ("batches", "risk_systems", "risk_switches"),
    # A record is the same in every language.
    "record": tuple(name for name in Config.model_fields if name != "language"),
    "report": ("language",),
    "reports": ("language",),
    "charts": ("title", "laboratory", "simulated", "quality"),
    "index": ("title", "laboratory", "simulated", "plate_review", "cohort_page"),
    "cohort_page": ("title", "laboratory", "simulated"),
    "review": ("title", "laboratory", "simulated"),
}


class Plan(Grouping):
    """What has to be computed for a configuration and its sheets.

    Parameters
    ----------
    config : Config
        The configuration.
    sheets : Sheets
        The checked sheets.

    Examples
    --------
    >>> from drp.config import parse_config
    >>> plan = Plan(parse_config({"assay": {"name": "a"}}), Sheets(
    ...     plates=[{"plate": "PL1", "file": "1.txt", "layout": "l.tsv", "sample": "S1"}],
    ...     samples=[{"sample": "S1", "patient": "P1"}], patients=[{"patient": "P1"}]))
    >>> plan.batches, plan.patients, plan.files_of("S1")
    (['S1'], ['P1'], ['plates/1.txt', 'plates/l.tsv'])
    """

    def __init__(self, config: Config, sheets: Sheets) -> None:
        super().__init__(sheets, config.batches)
        self.config = config

    @cached_property
    def runs(self) -> list[str]:
        """The screening sessions, in order of their names."""
        return sorted(self._plates_of_run)

    @property
    def reviewed_runs(self) -> list[str]:
        """Runs whose plates get a review page: all of them, or none."""
        return self.runs if self.config.plate_review else []

    def runs_of(self, batch: str) -> list[str]:
        """Runs in which a batch has plates."""
        return sorted({run_of(row) for row in self.plates_of[batch]})

    def files_of(self, batch: str) -> list[str]:
        """Exports and layouts that a batch reads."""
        return self._files_of(self.plates_of[batch])

    def files_of_run(self, run: str) -> list[str]:
        """Exports and layouts of the plates of a run."""
        return self._files_of(self._plates_of_run[run])

    def _files_of(self, rows: Iterable[Row]) -> list[str]:
        layouts = {layout_file(row) for row in rows}
        options = [self.config.layouts[name] for name in layouts & self.config.layouts.keys()]
        tables = {option.names_file for option in options} - {""}
        exports = {row["file"] for row in rows}
        return [self.path_of(name) for name in sorted(exports | layouts | tables)]

    @property
    def all_files(self) -> list[str]:
        """Every export and layout of the project."""
        return self._files_of(self.sheets.plates)

    def path_of(self, file: str) -> str:
        """Where a file named in plates.tsv lies."""
        return f"{self.config.plates_folder}/{file}"

    @property
    def manifests(self) -> list[str]:
        """With batches: the manifest of each group's reports. Without: none."""
        named = self.groups if self.config.batches is not None else []
        return [f"results/groups/{group}/reports.json" for group in named]

    @property
    def report_files(self) -> list[str]:
        """What the workflow has to make for all reports to be there."""
        if self.config.batches is not None:
            return self.manifests
        kinds = ("html", "pdf", "json", "fhir.json")
        return [f"reports/{patient}/report.{kind}" for patient in self.patients for kind in kinds]

    def batches_of_group(self, group: str) -> list[str]:
        """Batches with samples of a group's patients."""
        batches = {self.batch_of[row["sample"]] for row in self.samples_of_group[group]}
        return sorted(batches & self.plates_of.keys())

    def runs_of_group(self, group: str) -> list[str]:
        """Runs in which a group's patients have plates."""
        return sorted(
            {run for batch in self.batches_of_group(group) for run in self.runs_of(batch)}
        )

    @property
    def reference_files(self) -> list[str]:
        """The table of earlier samples, if one is configured."""
        return [self.config.cohort.reference] if self.config.cohort.reference else []

    @property
    def reference_batches(self) -> list[str]:
        """Batches whose samples may serve as reference: all of them, or none."""
        return self.batches if self.config.cohort.within_run else []

    @property
    def reference_runs(self) -> list[str]:
        """Runs with plates of such batches."""
        return self.runs if self.config.cohort.within_run else []

    @property
    def cohort_pages(self) -> list[str]:
        """The page of the cohort, or none."""
        return ["reports/cohort.html"] if self.config.cohort_page else []

    @property
    def charted_batches(self) -> list[str]:
        """Batches whose curves are charted across runs: all of them, or none."""
        return self.batches if self.config.quality.reference_drugs else []

    def code(self, stage: str) -> str:
        """Fingerprint of the code that a stage runs."""
        return fingerprint(stage)

    def settings(self, stage: str) -> str:
        """The configuration keys of a stage, as JSON for its command line."""
        values = self.config.model_dump(mode="json")
        return json.dumps({key: _value(values, key) for key in SETTINGS[stage]}, sort_keys=True)

    def rows(self, stage: str, name: str = "") -> str:
        """Hash of the sheet rows that a job reads; `name` is its batch, run or group."""
        return digest(getattr(self, f"_rows_of_{stage}")(name))

    def _rows_of_plates(self, batch: str) -> Any:
        wanted = ("plate", "file", "layout", "reader", "plate_index", "sheet", "barcode")
        return [[row.get(column, "") for column in wanted] for row in self.plates_of[batch]]

    def _rows_of_quality(self, run: str) -> Any:
        rows = self._plates_of_run[run]
        return [rows, [self.exclusions_on.get(row["plate"], []) for row in rows]]

    def _rows_of_wells(self, batch: str) -> Any:
        rows = self.plates_of[batch]
        return [rows, [self.exclusions_on.get(row["plate"], []) for row in rows]]

    def _rows_of_samples(self, batch: str) -> Any:
        return [self.samples_of_batch[batch], self.plates_of[batch]]

    @cached_property
    def _held(self) -> dict[str, int]:
        """Samples that their approval holds to an older version of the reference."""
        cohort, approvals = self.config.cohort, self.sheets.approvals
        if cohort.within_run or not cohort.reference or not approvals:
            return {}
        return locked_versions(approvals, newest_version(Path(cohort.reference)))

    def _rows_of_cohort(self, _: str) -> Any:
        healthy = [row["sample"] for row in self.sheets.samples if row.get("kind") == "healthy"]
        return [sorted(set(self._held.values())), sorted(healthy)]

    def _rows_of_calls(self, batch: str) -> Any:
        samples = [row["sample"] for row in self.samples_of_batch[batch]]
        return sorted((name, self._held[name]) for name in samples if name in self._held)

    def _rows_of_drugs(self, _: str = "") -> Any:
        """The laboratory's own drug table: what it changes is redone."""
        return [self.sheets.drugs, self.sheets.exposure]

    def _rows_of_risk(self, group: str) -> Any:
        return self.patients_of[group]

    def _rows_of_record(self, group: str) -> Any:
        samples = self.samples_of_group[group]
        wells = [self._rows_of_wells(batch) for batch in self.batches_of_group(group)]
        approvals = [self.approvals_of.get(row["sample"], []) for row in samples]
        return [self._rows_of_risk(group), samples, wells, approvals, self._rows_of_drugs()]

    def _rows_of_review(self, run: str) -> Any:
        return [self._plates_of_run[run], self._exclusions]

    def _rows_of_cohort_page(self, _: str) -> Any:
        columns = ("sample", "kind", "material")
        return [[row.get(column, "") for column in columns] for row in self.sheets.samples]

    def _rows_of_charts(self, _: str) -> Any:
        return [[row["plate"], run_of(row)] for row in self.sheets.plates]

    def _rows_of_index(self, _: str) -> Any:
        return [[row["plate"], run_of(row)] for row in self.sheets.plates]

    @cached_property
    def _plates_of_run(self) -> dict[str, list[Row]]:
        """Rows of plates.tsv by run: looked up once, as there may be hundreds of runs."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.sheets.plates:
            rows[run_of(row)].append(row)
        return dict(rows)

    @cached_property
    def _exclusions(self) -> str:
        return digest([self.sheets.exclusions, self.sheets.exclusion_remarks])


def _value(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values
