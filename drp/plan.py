"""The plan of a run: batches, which files each job needs, and what must redo it.

The workflow asks here instead of computing anything itself. For each stage the plan knows the few
configuration keys the stage uses and the sheet rows it reads: their hashes stand in the rule's
parameters, so that a change redoes the jobs it touches and no others.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from drp.batches import patient_groups, sample_batches
from drp.config import Config
from drp.provenance import digest, fingerprint
from drp.sheets import SHEETS, Row, Sheets, samples_of_plate

# The keys of config.yaml that each stage uses; nothing else is handed to it.
SETTINGS: dict[str, tuple[str, ...]] = {
    "check": tuple(Config.model_fields),
    "plates": ("plates_folder", "layouts", "batches"),
    "wells": ("normalisation", "read", "batches"),
    "quality": ("quality",),
    "samples": ("quality", "assay", "batches"),
    "viability": (),
    "curves": ("calls", "exposure", "seed"),
    "synergy": ("synergy", "calls", "exposure", "seed"),
    "cohort": ("cohort",),
    "calls": ("calls", "cohort", "exposure", "seed"),
    "risk": ("batches",),
    "record": tuple(Config.model_fields),
    "report": (),
    "index": ("title", "laboratory", "simulated"),
}


class Plan:
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
        self.config = config
        self.sheets = sheets
        self.batch_of = sample_batches(sheets.patient_of(), config.batches)
        self.group_of = patient_groups([row["patient"] for row in sheets.patients], config.batches)

    @cached_property
    def batches(self) -> list[str]:
        """The batches that have plates, in order of their names."""
        return sorted(self.plates_of)

    @cached_property
    def patients(self) -> list[str]:
        """The patients with a sample on a plate: those who get a report."""
        plated = {sample for row in self.sheets.plates for sample in samples_of_plate(row)}
        patient_of = self.sheets.patient_of()
        return sorted({patient_of[sample] for sample in plated})

    @cached_property
    def groups(self) -> list[str]:
        """The groups in which records are made."""
        return sorted({self.group_of[patient] for patient in self.patients})

    @cached_property
    def plates_of(self) -> dict[str, list[Row]]:
        """Rows of plates.tsv by batch; a plate with samples of two batches stands in both."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.sheets.plates:
            for batch in sorted({self.batch_of[sample] for sample in samples_of_plate(row)}):
                rows[batch].append(row)
        return dict(rows)

    @cached_property
    def runs(self) -> dict[str, list[str]]:
        """Batches with plates of each run."""
        found: dict[str, set[str]] = defaultdict(set)
        for batch, rows in self.plates_of.items():
            for row in rows:
                found[run_of(row)].add(batch)
        return {run: sorted(batches) for run, batches in sorted(found.items())}

    def runs_of(self, batch: str) -> list[str]:
        """Runs in which a batch has plates."""
        return sorted({run_of(row) for row in self.plates_of[batch]})

    def files_of(self, batch: str) -> list[str]:
        """Exports and layouts that a batch reads."""
        names = {row[column] for row in self.plates_of[batch] for column in ("file", "layout")}
        return [self.path_of(name) for name in sorted(names)]

    @property
    def all_files(self) -> list[str]:
        """Every export and layout of the project."""
        return sorted({path for batch in self.batches for path in self.files_of(batch)})

    def path_of(self, file: str) -> str:
        """Where a file named in plates.tsv lies."""
        return f"{self.config.plates_folder}/{file}"

    @cached_property
    def samples_of(self) -> dict[str, list[Row]]:
        """Rows of samples.tsv by group."""
        return _grouped(self.sheets.samples, lambda row: self.group_of[row["patient"]])

    def batches_of_group(self, group: str) -> list[str]:
        """Batches with samples of a group's patients."""
        batches = {self.batch_of[row["sample"]] for row in self.samples_of[group]}
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
        return list(self.runs) if self.config.cohort.within_run else []

    def code(self, stage: str) -> str:
        """Fingerprint of the code that a stage runs."""
        return fingerprint(stage)

    def settings(self, stage: str) -> str:
        """The configuration keys of a stage, as JSON for its command line."""
        values = self.config.model_dump(mode="json")
        return json.dumps({key: values[key] for key in SETTINGS[stage]}, sort_keys=True)

    def rows(self, stage: str, name: str = "") -> str:
        """Hash of the sheet rows that a job reads; `name` is its batch, run or group."""
        return digest(getattr(self, f"_rows_of_{stage}")(name))

    def _rows_of_check(self, _: str) -> Any:
        return [getattr(self.sheets, sheet) for sheet in SHEETS]

    def _rows_of_plates(self, batch: str) -> Any:
        wanted = ("plate", "file", "layout", "reader", "sheet", "plate_index")
        return [[row.get(column, "") for column in wanted] for row in self.plates_of[batch]]

    def _rows_of_wells(self, batch: str) -> Any:
        rows = self.plates_of[batch]
        return [rows, [self._exclusions_of.get(row["plate"], []) for row in rows]]

    def _rows_of_samples(self, batch: str) -> Any:
        return [self._samples_of_batch[batch], self.plates_of[batch]]

    def _rows_of_risk(self, group: str) -> Any:
        return self._patients_of[group]

    def _rows_of_record(self, group: str) -> Any:
        samples = self.samples_of[group]
        wells = [self._rows_of_wells(batch) for batch in self.batches_of_group(group)]
        approvals = [self._approvals_of.get(row["sample"], []) for row in samples]
        return [self._rows_of_risk(group), samples, wells, approvals]

    @cached_property
    def _exclusions_of(self) -> dict[str, list[Row]]:
        return _grouped(self.sheets.exclusions, lambda row: row["plate"])

    @cached_property
    def _approvals_of(self) -> dict[str, list[Row]]:
        return _grouped(self.sheets.approvals, lambda row: row["sample"])

    @cached_property
    def _samples_of_batch(self) -> dict[str, list[Row]]:
        return _grouped(self.sheets.samples, lambda row: self.batch_of[row["sample"]])

    @cached_property
    def _patients_of(self) -> dict[str, list[Row]]:
        return _grouped(self.sheets.patients, lambda row: self.group_of[row["patient"]])


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def run_of(row: Row) -> str:
    """The screening session of a plate; plates without one form a single run."""
    return row.get("run") or "run"
