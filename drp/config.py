"""The configuration of a project: `config/config.yaml` as typed values with defaults.

Every threshold a verdict or call depends on stands here, so that it can be changed by the
laboratory and printed in the report. Unknown keys are refused: a misspelt threshold must not be
ignored.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drp.problems import DataError, Place, Problem

CONFIG_FILE = "config/config.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assay(_Strict):
    """What was done to the cells. Samples are compared only within one assay."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    readout: str = "not stated"
    hours: float | None = Field(default=None, gt=0, description="incubation, hours")
    culture: str = "not stated"


class LayoutOptions(_Strict):
    """What a layout file leaves unsaid: units, roles, names, stocks, the volume of a well."""

    dose_unit: str | None = None
    roles: dict[str, str] = {}
    names: dict[str, str] = Field(default={}, description="name in the file -> drug")
    names_file: str = Field(default="", description="table of such names, in the plates folder")
    stocks: dict[str, str] = Field(default={}, description="drug -> its stock, as 10 mM")
    well_volume_ul: float | None = Field(default=None, gt=0, description="before dispensing, µL")


class Normalisation(_Strict):
    """Which control wells define 100 % and 0 % viability on each plate."""

    negative_controls: list[str] = Field(
        default=[], description="substances to use; empty = all, if there is only one"
    )
    ignore_outer_layers: int = Field(
        default=0, ge=0, le=4, description="rings of wells at the edge not used as controls"
    )
    use_positive: bool = Field(default=True, description="anchor 0 % at the positive controls")
    edge_correction: Literal["none", "loess"] = Field(
        default="none",
        description="divide by a smooth factor where the place of wells matters too much",
    )


class Tier(_Strict):
    """Two limits: beyond `warn` a warning, beyond `fail` a failure."""

    warn: float
    fail: float


class QualityTiers(_Strict):
    """Quality gates; each in the unit its name says."""

    robust_z_prime: Tier = Tier(warn=0.4, fail=0.0)
    cv_negative_pct: Tier = Tier(warn=15, fail=25)
    edge_effect_pct: Tier = Tier(warn=10, fail=20)
    gradient_pct: Tier = Tier(warn=20, fail=40)
    trend_p: float = Field(
        default=0.01, gt=0, le=1, description="gradients and drifts with a larger p do not count"
    )
    replicate_sd_pct: Tier = Tier(warn=15, fail=25)
    between_plate_sd_pct: Tier = Tier(warn=15, fail=25)
    signal_of_run_pct: Tier = Tier(warn=25, fail=2)
    drift_of_run_pct: float = Field(default=30, gt=0, description="warns only, never fails")
    thaw_viability_pct: Tier = Tier(warn=70, fail=50)
    blasts_pct: Tier = Tier(warn=80, fail=60)
    survival_pct: Tier = Tier(warn=50, fail=30)
    few_negative_controls: int = Field(default=8, ge=1)
    reference_drugs: list[str] = Field(
        default=[], description="control drugs: charted across runs, compared between plates"
    )
    reference_measure: Literal["auc", "dss2"] = "auc"
    reference_samples: list[str] = Field(
        default=[], description="control samples to chart; empty = all samples"
    )
    reference_drug_sd: Tier = Tier(warn=2, fail=3)


class SynergySettings(_Strict):
    """How combinations are scored, and where their calls change."""

    draws: int = Field(default=1000, ge=200, le=100_000)
    prior_sd: float = Field(
        default=8, gt=0, description="SD of a well where replicates do not tell it, points"
    )
    models: bool = Field(default=True, description="Loewe, ZIP, CSS and RI beside Bliss and HSA")
    model_draws: int | None = Field(
        default=400, ge=100, le=100_000, description="draws of Loewe and ZIP; empty = all draws"
    )
    zip_variant: Literal["observed", "fitted"] = "observed"
    musyc: bool = Field(default=False, description="also fit the MuSyC surface, without interval")
    effective_inhibition: float = Field(default=50, ge=0, le=100)
    synergistic_excess: float = Field(default=5, ge=0)
    additive_within: float = Field(default=10, gt=0)
    ceiling_inhibition: float = Field(default=90, gt=0, le=100)
    ceiling_share: float = Field(default=0.5, gt=0, le=1)
    min_cells: int = Field(default=3, ge=1)


class CohortSettings(_Strict):
    """With whom a sample is compared."""

    reference: str = Field(default="", description="table of earlier samples; empty = none")
    within_run: bool = Field(default=True, description="the other samples of this project count")
    minimum: int = Field(default=8, ge=3, description="fewer reference samples: no rank")
    established: int = Field(default=20, ge=3, description="fewer: the rank is provisional")


class CallSettings(_Strict):
    """When a drug is called sensitive."""

    z: float = Field(default=1.0, gt=0, description="robust z of the AUC, sensitive direction")
    percentile: float = Field(default=80.0, ge=50, le=100)
    auc_difference: float = Field(default=5.0, ge=0, description="least distance, points of AUC")
    viability_at_cmax: float = Field(
        default=70.0, gt=0, lt=100, description="viability at Cmax above this: not reachable, %"
    )
    strong_at_cmax: float = Field(
        default=50.0, gt=0, lt=100, description="viability at Cmax at or below this: strong, %"
    )
    widest_auc: float = Field(
        default=60.0, gt=0, description="an AUC with a wider interval is not known, points"
    )
    certain: float = Field(default=0.8, gt=0.5, lt=1, description="probability below: uncertain")
    least_probability: float = Field(
        default=0.5, ge=0, lt=1, description="a drug less probably sensitive is not called so"
    )
    false_discovery_rate: float = Field(
        default=0.1, gt=0, lt=0.5, description="expected share of false sensitive calls, at most"
    )


class RepeatSettings(_Strict):
    """When repeat samples of a patient differ."""

    between_sd: float = Field(
        default=3.0, ge=0, description="SD of the AUC between platings of the same cells, points"
    )
    least_change: float = Field(default=5.0, ge=0, description="least change, points of AUC")
    false_discovery_rate: float = Field(default=0.05, gt=0, lt=0.5)


class RiskSwitches(_Strict):
    """How contested criteria of the relapse risk systems are read; see docs/risk.md."""

    allr3_very_early_isolated_em: Literal["HR", "IR"] = "HR"
    intreall_t_marrow: Literal["HR", "not_classifiable"] = "HR"
    inpog_tp53_mutation: Literal["high_risk", "not_high_risk"] = "high_risk"
    inpog_age: Literal["at_diagnosis", "at_relapse"] = "at_diagnosis"
    inpog_late_isolated_em_t: Literal["SR", "HR"] = "SR"


class Config(_Strict):
    """Everything in `config/config.yaml`."""

    title: str = "Ex vivo drug response"
    language: Literal["en", "de"] = Field(
        default="en", description="of the report's words, in report.html and report.pdf"
    )
    laboratory: str = "not stated"
    simulated: bool = False
    plates_folder: str = "plates"
    assay: Assay
    batches: int | None = Field(default=None, ge=1, le=100_000)
    read: str | None = None
    layouts: dict[str, LayoutOptions] = {}
    normalisation: Normalisation = Normalisation()
    quality: QualityTiers = QualityTiers()
    synergy: SynergySettings = SynergySettings()
    cohort: CohortSettings = CohortSettings()
    calls: CallSettings = CallSettings()
    repeats: RepeatSettings = RepeatSettings()
    risk_systems: bool = Field(
        default=True, description="false where the patients have no relapse of childhood ALL"
    )
    risk_switches: RiskSwitches = RiskSwitches()
    exposure: dict[str, str] = Field(
        default={}, description="drug -> schedule whose plasma level applies"
    )
    plate_review: bool = Field(
        default=True, description="false leaves out the review pages of the plates"
    )
    cohort_page: bool = Field(default=True, description="false leaves out the page of the cohort")
    seed: int = Field(default=1, ge=0)

    def computing(self) -> dict[str, Any]:
        """Give all that a record depends on: not the language, which is a matter of print.

        >>> asked = {"assay": {"name": "a"}}
        >>> german = parse_config(asked | {"language": "de"})
        >>> german.computing() == parse_config(asked).computing()
        True
        """
        return self.model_dump(mode="json", exclude={"language"})


def parse_config(values: dict[str, Any], file: str = CONFIG_FILE) -> Config:
    """Turn the raw values of a configuration file into a `Config`.

    Raises
    ------
    DataError
        With one problem per key that is unknown, missing or out of range.

    Examples
    --------
    >>> parse_config({"assay": {"name": "ctg-72h"}}).calls.percentile
    80.0
    >>> parse_config({"assay": {"name": "ctg-72h"}, "sead": 1})
    Traceback (most recent call last):
    drp.problems.DataError: error config.bad-value: config/config.yaml, key sead: found 1: ...
    """
    try:
        return Config.model_validate(values)
    except ValidationError as fault:
        raise DataError(
            Problem(
                "config.bad-value",
                "error",
                Place(file, f"key {'.'.join(str(part) for part in error['loc'])}"),
                f"found {error['input']!r}: {error['msg'].lower()}",
                "See config/README.md for the keys and their ranges.",
            )
            for error in fault.errors()
        ) from None


def read_config(path: Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a configuration file; `overrides` replace its top-level keys."""
    import yaml

    file = f"{path.parent.name}/{path.name}"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        reason = " ".join(str(fault).split()) if isinstance(fault, yaml.YAMLError) else "unreadable"
        raise DataError(
            [
                Problem(
                    "config.unreadable",
                    "error",
                    Place(file),
                    f"the configuration cannot be read ({reason})",
                    "Start from the example that `drp init` writes.",
                )
            ]
        ) from None
    if not isinstance(values, dict):
        values = {}
    return parse_config(values | (overrides or {}), file)
