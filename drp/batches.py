"""Which samples are computed together.

A sample's batch never depends on its position in a sheet: adding a sample must not move the
others. Without `batches` in the configuration each sample is a batch of its own; with it, samples
are spread by a stable hash of their patient's id, so that all samples of a patient, and the record
made from them, meet in one batch.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from drp.sheetfiles import Row
from drp.sheets import Sheets, samples_of_plate


def batch_name(key: str, batches: int) -> str:
    """Give the batch of a key among `batches`, by a hash that never changes.

    >>> batch_name("P01", 20) == batch_name("P01", 20)
    True
    >>> batch_name("P01", 1)
    'batch-00001'
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"batch-{int(digest[:8], 16) % batches + 1:05d}"


def sample_batches(patient_of: Mapping[str, str], batches: int | None) -> dict[str, str]:
    """Map each sample to the batch its plates are computed in.

    >>> sample_batches({"P01-S1": "P01"}, None)
    {'P01-S1': 'P01-S1'}
    """
    if batches is None:
        return {sample: sample for sample in patient_of}
    return {sample: batch_name(patient, batches) for sample, patient in patient_of.items()}


def patient_groups(patients: list[str], batches: int | None) -> dict[str, str]:
    """Map each patient to the group its record is made in."""
    if batches is None:
        return {patient: patient for patient in patients}
    return {patient: batch_name(patient, batches) for patient in patients}


class Grouping:
    """Which rows of the sheets belong to which batch of samples and which group of patients.

    Parameters
    ----------
    sheets : Sheets
        The checked sheets.
    batches : int, optional
        Number of batches; without it each sample is one.

    Examples
    --------
    >>> grouping = Grouping(Sheets(
    ...     plates=[{"plate": "PL1", "file": "1.txt", "layout": "l.tsv", "sample": "S1"}],
    ...     samples=[{"sample": "S1", "patient": "P1"}], patients=[{"patient": "P1"}]))
    >>> grouping.batches, grouping.patients
    (['S1'], ['P1'])
    """

    def __init__(self, sheets: Sheets, batches: int | None = None) -> None:
        self.sheets = sheets
        self.batch_of = sample_batches(sheets.patient_of(), batches)
        self.group_of = patient_groups([row["patient"] for row in sheets.patients], batches)

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
    def samples_of_batch(self) -> dict[str, list[Row]]:
        """Rows of samples.tsv by batch."""
        return _grouped(self.sheets.samples, lambda row: self.batch_of[row["sample"]])

    @cached_property
    def samples_of_group(self) -> dict[str, list[Row]]:
        """Rows of samples.tsv by group."""
        return _grouped(self.sheets.samples, lambda row: self.group_of[row["patient"]])

    @cached_property
    def samples_of_patient(self) -> dict[str, list[Row]]:
        """Rows of samples.tsv by patient."""
        return _grouped(self.sheets.samples, lambda row: row["patient"])

    @cached_property
    def plates_of_sample(self) -> dict[str, list[Row]]:
        """Rows of plates.tsv by sample; every sample of samples.tsv is there."""
        rows: dict[str, list[Row]] = {row["sample"]: [] for row in self.sheets.samples}
        for row in self.sheets.plates:
            for sample in samples_of_plate(row):
                rows[sample].append(row)
        return rows

    @cached_property
    def patients_of(self) -> dict[str, list[Row]]:
        """Rows of patients.tsv by group."""
        return _grouped(self.sheets.patients, lambda row: self.group_of[row["patient"]])

    @cached_property
    def exclusions_on(self) -> dict[str, list[Row]]:
        """Rows of exclusions.tsv by plate."""
        return _grouped(self.sheets.exclusions, lambda row: row["plate"])

    @cached_property
    def approvals_of(self) -> dict[str, list[Row]]:
        """Rows of approvals.tsv by sample."""
        return _grouped(self.sheets.approvals, lambda row: row["sample"])


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)
