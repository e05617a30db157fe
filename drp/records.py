"""The record stage: a group's tables, cut by patient, with settings and provenance in words."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from drp.apart import NOT_OF_ONE, Fault
from drp.config import Config
from drp.drug_sheets import laboratory_table
from drp.drugs import DrugTable, applicable_exposure, find
from drp.locks import locked_versions, with_version
from drp.patient_changes import patient_changes
from drp.plan import SETTINGS, Plan
from drp.problems import DataError, Problem, problem_of
from drp.provenance import digest, fingerprint, table_hashes, versions
from drp.refusals import plates_at_fault
from drp.report.build import build_record
from drp.report.failure import Failure, failure_json, failure_of, fault_of, refusal_of
from drp.report.record import PatientRecord
from drp.sheetfiles import Row
from drp.sheets import layout_file, read_sheets
from drp.storage import read_groups, read_json, read_rows

if TYPE_CHECKING:
    from drp.job import Job

Rows = list[dict[str, Any]]
RowsOf = Mapping[str, Callable[[], Rows]]

# The stages whose code makes a sample's results.
_BEFORE_THE_REPORT = tuple(
    stage
    for stage in SETTINGS
    if stage not in ("report", "reports", "index", "review", "charts", "cohort_page")
)
_DRUGS = ("drug", "drug2", "drug3")
_OF_SAMPLES = ("samples", "curves", "synergy", "surface", "calls")
# By which column each table is cut.
_KEYS = dict.fromkeys(_OF_SAMPLES, "sample") | {
    "viability": "plate",
    "quality": "plate",
    "risk": "patient",
    "risk_context": "patient",
}


# Of the wells, some thirty columns for each of hundreds, only what a report shows.
_COLUMNS = {
    "viability": [
        *("run", "plate", "well", "sample", "role", "status", "excluded", "reason"),
        *("drug", "dose", "drug2", "dose2", "drug3", "dose3", "addon", "viability_pct"),
    ]
}


def patient_records(job: "Job") -> Iterator[tuple[str, PatientRecord | Failure]]:
    """Give the record of each patient of a group; one that cannot be made stops no other.

    Parameters
    ----------
    job : Job
        Its inputs are the tables of every batch that holds samples of the group; its settings the
        whole configuration.
    """
    plan = Plan(Config.model_validate(dict(job.settings)), read_sheets(job.sheets))
    tables = _GroupTables.read(job)
    refused = _plates_at_fault(plan, job.name, tables.whole("errors"))
    # Of several faults of a sample the first stage's brought the others about.
    faults = {fault["sample"]: fault for fault in reversed(tables.whole("faults"))}
    for row in plan.patients_of[job.name]:
        if row["patient"] in plan.patients:
            yield row["patient"], _record_or_failure(plan, row, tables, refused, faults)


def _record_or_failure(
    plan: Plan,
    patient: Row,
    tables: "_GroupTables",
    refused: Mapping[str, list[Problem]],
    faults: Mapping[str, Fault],
) -> PatientRecord | Failure:
    name = patient["patient"]
    samples = [row["sample"] for row in plan.samples_of_patient.get(name, [])]
    problems = [
        problem
        for sample in samples
        for plate in plan.plates_of_sample[sample]
        for problem in refused.get(plate["plate"], [])
    ]
    if problems:
        return refusal_of(name, problems)
    for sample in samples:
        if sample in faults:
            return fault_of(name, faults[sample])
    try:
        return _record(plan, patient, tables)
    except NOT_OF_ONE:
        raise
    except Exception as fault:  # noqa: BLE001 (the others' records must not wait for it)
        return failure_of(name, "record", fault)


def _plates_at_fault(plan: Plan, group: str, errors: Rows) -> dict[str, list[Problem]]:
    """Errors by plate, of the plates that a group's batches read."""
    rows = [row for batch in plan.batches_of_group(group) for row in plan.plates_of[batch]]
    problems = [problem_of(error) for error in errors]
    found = plates_at_fault(problems, _unique(rows))
    if found is None:  # the stages that found them would have stopped
        raise DataError(problems)
    return found


class _GroupTables:
    """The tables of a group, cut by sample, plate or patient; rows are made when asked for."""

    def __init__(self, cut: Mapping[str, RowsOf], whole: Mapping[str, Rows]) -> None:
        self._cut, self._whole = cut, whole

    @classmethod
    def read(cls, job: "Job") -> "_GroupTables":
        cut = {
            name: read_groups(job.inputs[name], key, _COLUMNS.get(name))
            for name, key in _KEYS.items()
        }
        whole = {
            name: [row for path in job.inputs[name] for row in read_rows(path)]
            for name in ("reference", "other_references", "files")
        }
        whole["faults"] = [fault for path in job.inputs["faults"] for fault in read_json(path)]
        found = [
            problem
            for kind in ("plate_problems", "well_problems")
            for path in job.inputs[kind]
            for problem in read_json(path)
        ]
        whole["warnings"] = [one for one in found if one["severity"] == "warning"]
        whole["errors"] = [one for one in found if one["severity"] == "error"]
        return cls(cut, whole)

    def of(self, name: str, keys: Iterable[str]) -> Rows:
        """Rows of a table for some samples, plates or patients."""
        table = self._cut[name]
        return [row for key in sorted(set(keys)) if key in table for row in table[key]()]

    def whole(self, name: str) -> Rows:
        """A table that belongs to nobody in particular."""
        return self._whole[name]


def _record(plan: Plan, patient: Row, tables: _GroupTables) -> PatientRecord:
    group = plan.samples_of_patient.get(patient["patient"], [])
    plates = _unique(row for sample in group for row in plan.plates_of_sample[sample["sample"]])
    rows = [row for row in group if plan.plates_of_sample[row["sample"]]]
    own = _cut(plan, patient["patient"], {row["sample"] for row in group}, plates, tables)
    files = _files(tables.whole("files"), plates)
    own["changes"] = patient_changes(
        rows, own, plan.config.assay.name, plan.config.repeats.model_dump()
    )
    own["cohorts"] = [_cohort_words(plan, row, own) for row in rows]
    own["input_hashes"] = [
        {"sample": row["sample"], "input_hash": input_hash(plan, patient, row, own, files)}
        for row in rows
    ]
    return build_record(
        patient,
        rows,
        own,
        settings=_settings(plan),
        provenance={
            "run_id": digest([files, _rows_hash(plan, plan.group_of[patient["patient"]])]),
            "fingerprint": fingerprint("record"),
            "config_hash": digest(_computing(plan)),
            "seed": plan.config.seed,
            "versions": versions(),
            "files": files | _sheet_hashes(own),
            "sheets": {
                "patients": digest(patient),
                "samples": digest(rows),
                "plates": digest(plates),
                "exclusions": digest(own["exclusions"]),
                "approvals": digest(own["approvals"]),
            },
            "reference": {row["sample"]: _cohort_hash(plan, row, own) for row in rows},
            "tables": table_hashes(),
            "edits": _edits(
                own["exclusions"], tables.whole("warnings"), {row["plate"] for row in plates}
            ),
        },
    )


def _cohort_hash(plan: Plan, sample: Row, tables: Mapping[str, Rows]) -> str:
    """The cohort a sample is compared with, patients and healthy controls."""
    assay = sample.get("assay") or plan.config.assay.name
    return digest(_cohort_of(plan, sample["sample"], assay, tables)[1:])


def _cut(
    plan: Plan, patient: str, samples: set[str], rows: list[Row], tables: _GroupTables
) -> dict[str, Rows]:
    """The tables of one patient only: no report carries another patient's data."""
    plates = {row["plate"] for row in rows}
    own = {name: tables.of(name, samples) for name in _OF_SAMPLES}
    own["viability"] = [
        row for row in tables.of("viability", plates) if row["sample"] in samples | {""}
    ]
    own["sample_quality"] = own.pop("samples")
    own["quality"] = _once(tables.of("quality", plates), "plate")
    for name in ("risk", "risk_context"):
        own[name] = tables.of(name, [patient])
    own["reference"] = tables.whole("reference")
    own["other_references"] = tables.whole("other_references")
    held = locked_versions(plan.sheets.approvals, _newest_version(own))
    own["locked_reference"] = [
        row | {"sample": name}
        for name in sorted(samples & held.keys())
        for row in own["other_references"]
        if row["of"] == "patients" and row["version"] == held[name]
    ]
    names = {row["drug"] for row in own["curves"]}
    own["drug_facts"] = _drug_facts(sorted(names), plan.config.exposure, drug_table(plan))
    own["drug_edits"] = [
        {"drug": edit.drug, "words": edit.words, "row": edit.row}
        for edit in drug_table(plan).edits_of(_drugs_of(own))
    ]
    own["exclusions"] = _exclusions(plan, plates)
    own["approvals"] = [
        dict(row) for sample in sorted(samples) for row in plan.approvals_of.get(sample, [])
    ]
    return own


def _unique(rows: Iterable[Row]) -> list[Row]:
    return list({row["plate"]: row for row in rows}.values())


def _once(rows: Rows, key: str) -> Rows:
    return list({row[key]: row for row in rows}.values())


def input_hash(
    plan: Plan,
    patient: Row,
    sample: Row,
    tables: Mapping[str, Rows],
    files: Mapping[str, str],
) -> str:
    """Give the hash of everything a sample's results are made from; an approval names it.

    Parameters
    ----------
    plan : Plan
        The whole configuration and the sheets.
    patient, sample : mapping
        Their rows of the sheets.
    tables : mapping
        Rows of ``quality`` and ``reference``: what the other plates of a run and the other samples
        of a cohort do to a sample reaches it through these two alone.
    files : mapping
        SHA-256 of exports and layouts, by name.

    Returns
    -------
    str
        16 hexadecimal digits, and the version of the reference, if it has versions. Neither the
        time nor approvals.tsv is in it, but for the version that an approval holds the sample to.
    """
    plates = plan.plates_of_sample[sample["sample"]]
    names = {row["plate"] for row in plates}
    assay = sample.get("assay") or plan.config.assay.name
    version, *cohort = _cohort_of(plan, sample["sample"], assay, tables)
    found = digest(
        {
            "rows": [patient, sample, plates, _exclusions(plan, names)],
            "files": {
                name: files[name] for row in plates for name in (row["file"], layout_file(row))
            },
            "quality": sorted(
                [row["plate"], row["verdict"], row["reasons"]]
                for row in tables["quality"]
                if row["plate"] in names
            ),
            "reference": cohort,
            "drugs": _drug_edits(plan, sample["sample"], tables),
            "config": _computing(plan),
            "code": fingerprint(*_BEFORE_THE_REPORT),
        }
    )
    return with_version(found, version)


def _newest_version(tables: Mapping[str, Rows]) -> int:
    rows = [*tables["reference"], *tables.get("other_references", [])]
    return max((row.get("version", 0) for row in rows), default=0)


def _cohort_of(
    plan: Plan, sample: str, assay: str, tables: Mapping[str, Rows]
) -> tuple[int, list[str], list[str]]:
    """The version of the reference a sample is compared with, and the hashes of its members."""
    newest = _newest_version(tables)
    version = locked_versions(plan.sheets.approvals, newest).get(sample, newest)
    others = [row for row in tables.get("other_references", []) if row["version"] == version]
    patients = [row for row in others if row["of"] == "patients"]
    if version == newest:
        patients = tables["reference"]
    healthy = [row for row in others if row["of"] == "healthy"]
    first, second = (
        sorted(row["source_hash"] for row in rows if row["assay"] == assay)
        for rows in (patients, healthy)
    )
    return version, first, second


def _drug_edits(plan: Plan, sample: str, tables: Mapping[str, Rows]) -> list[Any]:
    """The laboratory's own rows on the drugs of a sample: other drugs do not concern it."""
    own = {
        name: [row for row in tables.get(name, []) if row["sample"] == sample]
        for name in ("curves", "synergy")
    }
    return sorted(edit.row for edit in drug_table(plan).edits_of(_drugs_of(own)))


def _drugs_of(tables: Mapping[str, Rows]) -> list[str]:
    rows = [row for name in ("curves", "synergy") for row in tables.get(name, [])]
    return sorted({row[column] for row in rows for column in _DRUGS if row.get(column)})


# What is the same for all patients of a group is worked out once. Plans are told apart as objects.
@lru_cache(maxsize=1)
def _computing(plan: Plan) -> dict[str, Any]:
    return plan.config.computing()


@lru_cache(maxsize=1)
def _rows_hash(plan: Plan, group: str) -> str:
    return plan.rows("record", group)


@lru_cache(maxsize=1)
def drug_table(plan: Plan) -> DrugTable:
    """Give the shipped drug table with the project's own rows over it."""
    return laboratory_table(plan.sheets.drugs, plan.sheets.exposure)


def _cohort_words(plan: Plan, sample: Row, tables: Mapping[str, Rows]) -> dict[str, Any]:
    """Name the reference of a sample: version, size and hash, as the report prints them."""
    assay = sample.get("assay") or plan.config.assay.name
    version, patients, healthy = _cohort_of(plan, sample["sample"], assay, tables)
    number = f"version {version}, " if version else ""
    controls = f"; healthy controls, hash {digest(healthy)}" if healthy else ""
    words = f"{assay}: {number}hash {digest(patients)}{controls}" if patients else f"{assay}: none"
    return {"sample": sample["sample"], "words": words}


def _exclusions(plan: Plan, plates: set[str]) -> Rows:
    columns = ("plate", "well", "reason", "by", "date")
    rows = plan.sheets.exclusions_of(plates)
    return [{column: row.get(column, "") for column in columns} for row in rows]


def _drug_facts(names: list[str], schedules: Mapping[str, str], table: DrugTable) -> Rows:
    rows: Rows = []
    for name in names:
        known = find(name, table)
        peak, _ = applicable_exposure(name, schedules, table)
        source = f"{peak.schedule}; {peak.population}; {peak.source}" if peak else ""
        rows.append(
            {
                "drug": name,
                "drug_class": known.drug_class if known else "",
                "targets": known.targets if known else "",
                "status": known.status_in_all if known else "not in the drug table",
                "exvivo": known.exvivo if known else "",
                "caveat": known.caveat if known else "",
                "cmax_nm": peak.cmax_nm if peak else None,
                "cmax_source": source,
            }
        )
    return rows


def _files(files: Rows, plates: list[Row]) -> dict[str, str]:
    names = {name for row in plates for name in (row["file"], layout_file(row))}
    kept = [row for row in files if row["file"] in names or row["kind"] == "names"]
    return {row["file"]: row["sha256"] for row in sorted(kept, key=lambda row: str(row["file"]))}


def _sheet_hashes(tables: Mapping[str, Rows]) -> dict[str, str]:
    """The laboratory's rows on the drugs of a patient; other drugs leave the report as it is."""
    rows = sorted(row["row"] for row in tables["drug_edits"])
    return {"rows of drugs.tsv and exposure.tsv": digest(rows)} if rows else {}


def _edits(exclusions: Rows, warnings: Rows, plates: set[str]) -> list[str]:
    """What people changed and what was odd about this patient's plates, one line each."""
    lines = [f"{row['plate']} {row['well']} taken out: {row['reason']}" for row in exclusions]
    for warning in warnings:
        if warning["where"]["plate"] in plates | {""}:
            place = " ".join(filter(None, (warning["where"]["plate"], warning["where"]["well"])))
            lines.append(f"{place}: {warning['found']}" if place else warning["found"])
    return list(dict.fromkeys(lines))


@lru_cache(maxsize=1)
def _settings(plan: Plan) -> dict[str, Any]:
    config = plan.config
    return {
        "title": config.title,
        "laboratory": config.laboratory,
        "simulated": config.simulated,
        "assay": config.assay.model_dump(),
        "thresholds": thresholds(config.model_dump()),
        "normalisation": normalisation_words(config.normalisation.model_dump()),
        "certain": config.calls.certain,
        "risk_systems": config.risk_systems,
        "plate_review": config.plate_review,
    }


_NO_EDGES = "No correction for the place of wells."
_EDGES = (
    "Edge correction: where the edge effect or a gradient of the negative controls is beyond its "
    "warning limit, viability is divided by a smooth factor of row and column fitted to these "
    "controls (LOESS, degree 2, span 1); the plates say where this was done."
)


def normalisation_words(normalisation: Mapping[str, Any]) -> str:
    """Say in a sentence which wells define 100 % and 0 % viability.

    >>> normalisation_words({"negative_controls": ["DMSO"], "ignore_outer_layers": 2,
    ...                      "use_positive": True})
    'Per plate, 100 % is the median of the negative controls (DMSO), those in the outer 2 rings of
    wells left aside; 0 % is the median of the positive controls, or the blank, or no signal where
    a plate has neither. No correction for the place of wells.'
    """
    kinds = ", ".join(normalisation["negative_controls"]) or "all, of one kind"
    layers = normalisation["ignore_outer_layers"]
    rings = f", those in the outer {layers} rings of wells left aside" if layers else ""
    positive = (
        "the positive controls, or the blank" if normalisation["use_positive"] else "the blank"
    )
    ending = (
        ", or no signal where a plate has neither."
        if normalisation["use_positive"]
        else (", or no signal where a plate has none.")
    )
    corrected = normalisation.get("edge_correction", "none") != "none"
    return (
        f"Per plate, 100 % is the median of the negative controls ({kinds}){rings}; "
        f"0 % is the median of {positive}{ending} {_EDGES if corrected else _NO_EDGES}"
    )


def thresholds(config: Mapping[str, Any]) -> dict[str, str]:
    """Give every threshold that a verdict or call depended on, named and worded for print."""
    calls, cohort = config["calls"], config["cohort"]
    named = {
        "sensitive from robust z": f"{calls['z']:g}",
        "and percentile": f"{calls['percentile']:g}",
        "and distance from the reference median": f"{calls['auc_difference']:g} points of AUC",
        "reachable if viable at the plasma peak": f"{calls['viability_at_cmax']:g} % or less",
        "strong if viable at the plasma peak": f"{calls['strong_at_cmax']:g} % or less",
        "and probability of being sensitive": f"{calls['least_probability']:g}",
        "false sensitive calls of a sample, expected at most": (
            f"{100 * calls['false_discovery_rate']:g} %"
        ),
        "no curve where the interval of the AUC is wider than": f"{calls['widest_auc']:g} points",
        "uncertain below probability": f"{calls['certain']:g}",
        "rank from": f"{cohort['minimum']} reference samples, provisional below "
        f"{cohort['established']}",
    }
    repeats, synergy = config["repeats"], config["synergy"]
    named |= {
        "repeat samples differ from": f"{repeats['least_change']:g} points of AUC, at a false "
        f"discovery rate of {100 * repeats['false_discovery_rate']:g} % and an SD between platings "
        f"of {repeats['between_sd']:g} points",
    }
    named |= {
        "combination effective from mean inhibition": f"{synergy['effective_inhibition']:g} %",
        "synergistic from Bliss excess": f"{synergy['synergistic_excess']:g} points",
        "additive within": f"± {synergy['additive_within']:g} points",
        "no room for synergy above expected inhibition": f"{synergy['ceiling_inhibition']:g} %",
    }
    for gate, limits in config["quality"].items():
        words = gate.removesuffix("_pct").replace("_", " ")
        if isinstance(limits, Mapping):
            named[words] = f"warning at {limits['warn']:g}, failure at {limits['fail']:g}"
        elif isinstance(limits, int | float):
            named[words] = f"{limits:g}"
    return named


def record_json(record: PatientRecord | Failure) -> str:
    """Give a record as JSON text, without a time; or the failure in its place."""
    if isinstance(record, Failure):
        return failure_json(record)
    return json.dumps(record.model_dump(), ensure_ascii=False, allow_nan=False) + "\n"
