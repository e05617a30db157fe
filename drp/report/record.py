"""The record: everything a patient's report says, as one typed model.

HTML, PDF and JSON are renderings of it; none of them computes a number. A number is finite or
null, never NaN; the open end of an interval is null and named in `open`. A failed sample is a
type of its own that has no place for drugs or combinations.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Literal["drp/patient-report/1"] = "drp/patient-report/1"

Verdict = Literal["pass", "warn", "fail"]
Call = Literal["sensitive", "intermediate", "not sensitive", "not evaluable"]
Mark = Literal[
    "check", "caution", "cross", "disc", "half", "ring", "dash", "plus", "minus", "equals",
    "diamond", "triangle",
]  # fmt: skip


class _Part(BaseModel):
    # Built on first use: a report job needs one validator, not one per part (a fifth of its time).
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Estimate(_Part):
    """A number with its 95 % interval.

    Attributes
    ----------
    value, lo, hi : float or None
        The estimate and the ends of its interval; None where unknown.
    open : {"", "low", "high", "both"}
        The ends the data do not bound; such an end is None.
    """

    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    open: Literal["", "low", "high", "both"] = ""


class Fact(_Part):
    """A term with its text: a threshold, a definition, a line of provenance."""

    term: str
    text: str


class Answer(_Part):
    """One of the five questions of page 1: the first words answer it, the text explains."""

    question: str
    mark: Mark
    lead: str
    text: str


class Point(_Part):
    """One well of a dose-response curve: dose in the curve's unit, viability in %."""

    dose: float
    viability_pct: float
    excluded: bool = False


class Curve(_Part):
    """What is drawn of one drug.

    `fitted` and `reference` are % viability at equal steps of log10 dose from `dose_min` to
    `dose_max`, both ends included; empty where there is no such line. `band_low` and `band_high`
    are the interval of `fitted`, at wider steps. `plasma_peak` is in nM; `ic50_qualifier` says
    whether the IC50 lies beyond the tested doses.
    """

    dose_unit: str
    dose_min: float
    dose_max: float
    points: list[Point]
    fitted: list[float]
    band_low: list[float]
    band_high: list[float]
    reference: list[float]
    ic50_qualifier: Literal["=", "<", ">", ""]
    plasma_peak: float | None
    summary: str


class Measures(_Part):
    """The numbers of one curve. Doses are in `dose_unit`, viability and AUC in %."""

    dose_unit: str
    n_wells: int
    n_doses: int
    ic50: Estimate
    ic50_qualifier: Literal["=", "<", ">", ""]
    ec50: Estimate
    auc: Estimate
    dss2: Estimate
    viability_at_peak: Estimate
    shape: str
    flags: list[str]


class Rank(_Part):
    """Where the sample stands among the reference samples of the same assay."""

    status: Literal["established", "provisional", "none"]
    z: float | None
    percentile: float | None
    n_reference: int


class Drug(_Part):
    """One drug: the call, its probability and the statements it rests on.

    `measures` and `curve` are None where the data support no number. `published` says what the
    patient's lesions or lineage are published to mean for the drug; no call rests on it.
    `selective` is the AUC less the median of healthy controls, points, and `healthy` says it in
    words; neither decides anything.
    `expected_false` is the share of false calls to expect among this and the surer sensitive ones;
    `tied_with` names drugs whose rank cannot be told apart from this one's.
    """

    drug: str
    drug_class: str
    targets: str
    status: str
    call: Call
    probability: float | None
    uncertain: bool
    rank: Rank
    data: str
    ranking: str
    exposure: str
    exposure_known: bool
    reason: str
    caveat: str
    plasma_peak_source: str
    measures: Measures | None
    curve: Curve | None
    published: list[str] = []
    healthy: str = ""
    selective: Estimate | None = None
    expected_false: float | None = None
    tied_with: list[str] = []


class Matrix(_Part):
    """One dose matrix of a combination: rows are `dose2`, columns `dose`, both rising.

    `observed` is % inhibition, `excess` points over Bliss independence (None in the single-agent
    row and column). `dose3` is set where a third drug is held at one dose.
    """

    drug: str
    drug2: str
    dose_unit: str
    dose: list[float]
    dose2: list[float]
    dose3: float | None
    observed: list[list[float | None]]
    excess: list[list[float | None]]
    achievable: list[list[bool]]
    summary: str


class Combination(_Part):
    """One combination: its verdict, the excess with interval, and its matrices.

    `loewe` and `zip` are mean excesses like `bliss`; `models` says how far the models agree and
    what they could not do. `css` and `ri` (of the better drug alone) are efficacy, 0 to 100.
    `p_fdr` is adjusted for the sample's combinations; `detectable_excess` is the true excess this
    design finds in 8 of 10 cases; `best_region` is the largest mean excess of 3 × 3 dose pairs.
    `data`, `efficacy` and `synergy` are the three statements the call rests on, kept apart;
    `probability` is that of the call, None where it claims nothing.
    """

    combination: str
    drugs: list[str]
    design: str
    n_wells: int
    call: str
    mark: Mark
    assessable: bool
    reason: str
    bliss: Estimate
    bliss_p: float | None
    hsa: Estimate
    hsa_p: float | None
    achievable_bliss: Estimate
    loewe: Estimate
    zip: Estimate
    models: str
    css: float | None
    ri: float | None
    p_fdr: float | None
    probability_synergistic: float | None
    detectable_excess: float | None
    best_region: float | None
    best_region_p: float | None
    best_region_doses: str
    matrices: list[Matrix]
    probability: float | None = None
    uncertain: bool = False
    data: str = ""
    efficacy: str = ""
    synergy: str = ""


class RemovedWell(_Part):
    """A well taken out, and why."""

    well: str
    reason: str


class Plate(_Part):
    """One plate: its metrics, and % viability by row and column (None where not read).

    `review` is the path of its review page under `reports/`; empty if there is none. `correction`
    names the edge correction that viability went through; `reasons` say why.
    """

    plate: str
    verdict: Verdict
    reasons: list[str]
    z_prime: float | None
    robust_z_prime: float | None
    ssmd: float | None
    signal_to_background: float | None
    cv_negative: float | None
    cv_positive: float | None
    edge_effect: float | None
    gradient_row_pct: float | None = None
    gradient_column_pct: float | None = None
    negative_median: float | None
    n_negative: int
    n_positive: int
    n_wells: int
    viability_pct: list[list[float | None]]
    negative: list[str]
    positive: list[str]
    removed: list[RemovedWell]
    unread: list[str]
    summary: str
    review: str = ""
    correction: str = "none"


class Assay(_Part):
    """What was done to the cells."""

    name: str
    readout: str = ""
    hours: float | None = None
    culture: str = ""
    material: str = ""


class Approval(_Part):
    """Who released a sample's results, and when; void once the inputs are not those released."""

    by: str
    date: str
    valid: bool


class _SampleParts(_Part):
    sample: str
    input_hash: str = ""
    approval: Approval | None = None
    kind: str
    material: str
    preparation: str
    assay: str
    thaw_viability_pct: float | None
    blasts_pct: float | None
    survival_pct: float | None
    days_before_newest: int | None
    days_collection_to_receipt: int | None
    days_receipt_to_plating: int | None
    days_plating_to_reading: int | None
    days_collection_to_reading: int | None
    header: list[Fact]
    verdict: Verdict
    reasons: list[str]
    answers: list[Answer]
    plates: list[Plate]


class DoseAxis(_Part):
    """The dose axis all molar curves of a sample share."""

    dose_unit: str
    dose_min: float
    dose_max: float


class UsableSample(_SampleParts):
    """A sample whose quality allows results, perhaps with caution.

    `featured` names the drugs shown on page 1, in order; `featured_note` says how they were
    taken. Drugs and combinations stand in the order in which they are shown.
    """

    usable: Literal["yes", "with caution"]
    axis: DoseAxis | None
    drugs: list[Drug]
    featured: list[str]
    featured_note: str
    combinations: list[Combination]


class FailedSample(_SampleParts):
    """A sample that gives no result. It has no drugs and no combinations."""

    usable: Literal["no"]


Sample = Annotated[UsableSample | FailedSample, Field(discriminator="usable")]


class Risk(_Part):
    """The relapse risk class under one published system."""

    system: str
    shown: str
    risk_class: str
    tier: str
    status: Literal["definite", "pending", "not_classifiable"]
    mark: Mark
    possible: list[str]
    needs: list[str]
    rule: str
    sentence: str
    flags: list[str]
    source: str
    switches: list[str] = []
    table_sha256: str = ""


class RiskStatement(_Part):
    """What is published beside the classes: restated with its source, nothing recommended.

    `condition` is not empty where it is open whether the statement applies; `evidence` is a level
    of evidence or the cohort of an outcome figure.
    """

    kind: Literal["input", "flag", "switch", "pathway", "remission", "planning", "agent", "outcome"]
    subject: str
    text: str
    condition: str = ""
    agents: list[str] = []
    evidence: str = ""
    source: str = ""


class RepeatDrug(_Part):
    """One drug in two samples of a patient: the change of its AUC, points.

    Negative is more sensitive. `q` is the p-value of no change, adjusted over the drugs compared.
    """

    drug: str
    change: Estimate
    q: float | None
    verdict: Literal["more sensitive", "less sensitive", "no change beyond noise"]


class Repeat(_Part):
    """A sample beside the one before it; where nothing can be compared, `reason` says why."""

    earlier: str
    later: str
    days: int | None
    reason: str
    drugs: list[RepeatDrug]


class Change(_Part):
    """One thing an amended report says otherwise than the one it replaces, and why."""

    what: str
    before: str
    after: str
    why: str


class Amendment(_Part):
    """What changed from an earlier report, which stays under its name.

    `issued` is the time of the earlier report, `status` what it was.
    """

    replaces: str
    issued: str
    status: Literal["draft", "released"]
    kept: str
    changes: list[Change]


class RemovedByHand(_Part):
    """A change a person made to the data."""

    plate: str
    well: str
    reason: str
    by: str
    date: str


class Provenance(_Part):
    """From what, and by what, the report was made.

    `files` maps the name of each input to its SHA-256, `versions` each program to its version,
    `tables` each table of knowledge (drugs, plasma levels, risk systems) and `reference` the
    cohort that each sample is compared with to a hash; `sheets` the patient's own rows of each
    sheet.
    """

    run_id: str = ""
    fingerprint: str = ""
    config_hash: str = ""
    seed: int | None = None
    versions: dict[str, str] = {}
    files: dict[str, str] = {}
    sheets: dict[str, str] = {}
    reference: dict[str, str] = {}
    tables: dict[str, str] = {}
    edits: list[str] = []


class PatientRecord(_Part):
    """One patient, all samples, newest first.

    Examples
    --------
    >>> PatientRecord.model_fields["schema_version"].default
    'drp/patient-report/1'
    """

    schema_version: Literal["drp/patient-report/1"] = SCHEMA_VERSION
    report_id: str
    status: Literal["draft", "released"]
    title: str
    laboratory: str
    simulated: bool
    research_use: str
    patient: str
    facts: list[Fact]
    assay: Assay
    samples: list[Sample]
    risk_lead: str
    risk: list[Risk]
    risk_context: list[RiskStatement] = []
    repeats: list[Repeat] = []
    amendments: list[Amendment] = []
    signatures: list[str]
    how_to_read: list[Fact]
    methods: list[Fact]
    limits: list[str]
    removed_by_hand: list[RemovedByHand]
    provenance: Provenance


class PatientReport(PatientRecord):
    """A record as it was issued: with the one time field."""

    generated_at: str


def render_json(record: PatientRecord, generated_at: str) -> str:
    """Write the record as JSON, numbers at full precision, `generated_at` first.

    Parameters
    ----------
    record : PatientRecord
    generated_at : str
        ISO 8601 time, the only field that differs between two runs on the same inputs.
    """
    # pydantic writes ten times faster than json does with line breaks; a model holds no NaN.
    rest = record.model_dump_json(indent=1).removeprefix("{")
    return f'{{\n "generated_at": {json.dumps(generated_at)},{rest}\n'


def read_record(text: str) -> PatientRecord:
    """Read a record back from what `render_json` or `model_dump_json` wrote.

    The time field, if there is one, is left aside.
    """
    return record_of(json.loads(text))


def record_of(content: dict[str, Any]) -> PatientRecord:
    """Make a record of what its JSON holds; the time field, if there is one, is left aside."""
    return PatientRecord.model_validate(
        {name: value for name, value in content.items() if name != "generated_at"}
    )


def json_schema() -> dict[str, Any]:
    """Give the JSON schema of the issued report, as published in docs/schema/report.schema.json.

    >>> json_schema()["$id"]
    'urn:drp:schema:patient-report:1'
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:" + SCHEMA_VERSION.replace("drp/", "drp:schema:").replace("/", ":"),
        **PatientReport.model_json_schema(),
    }
