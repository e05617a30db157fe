"""Which samples are computed together.

A sample's batch never depends on its position in a sheet: adding a sample must not move the
others. Without `batches` in the configuration each sample is a batch of its own; with it, samples
are spread by a stable hash of their patient's id, so that all samples of a patient, and the record
made from them, meet in one batch.
"""

import hashlib
from collections.abc import Mapping


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
