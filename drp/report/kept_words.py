"""What no translation may touch: names, and the words of people and of the drug table."""

from collections.abc import Iterator

from drp.report.record import PatientRecord, Sample, UsableSample

# Facts of the patient that are free text, by their term.
_FREE_TEXT = ("Recorded cautions", "Earlier drugs", "Genetics")
_SHORTEST = 2


def kept_words(record: PatientRecord) -> set[str]:
    """Give the names and free texts of a record that stay as they are in every language.

    Parameters
    ----------
    record : PatientRecord

    Returns
    -------
    set of str
        Names of drugs, combinations, samples, plates, patient, laboratory and people; cautions,
        reasons of removed wells, remarks of the drug table, and statements as published.
    """
    found = {record.patient, record.laboratory, record.assay.name}
    found |= {one.text for one in record.facts if one.term in _FREE_TEXT}
    for item in record.removed_by_hand:
        found |= {item.plate, item.reason, item.by, item.date}
    for system in record.risk:
        found |= {system.system}
    for sample in record.samples:
        found |= set(_of_sample(sample))
    for repeat in record.repeats:
        found |= {repeat.earlier, repeat.later, *(drug.drug for drug in repeat.drugs)}
    return {words for words in found if len(words) >= _SHORTEST} - {"not reported", "none"}


def _of_sample(sample: Sample) -> Iterator[str]:
    yield sample.sample
    if sample.approval:
        yield from (sample.approval.by, sample.approval.date)
    for plate in sample.plates:
        yield plate.plate
        yield from (well.reason for well in plate.removed)
    if isinstance(sample, UsableSample):
        for drug in sample.drugs:
            yield from (drug.drug, drug.caveat, *drug.published)
        for item in sample.combinations:
            yield from (item.combination, *item.drugs)
