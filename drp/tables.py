"""Every table that passes between stages: its columns, their units, its key.

A table is a pandas DataFrame with one row per key. `check` is called on what a stage takes and
on what it gives; a table may carry more columns than are listed here, never fewer.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from drp.problems import DataError, Place, Problem

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "count", "flag"]

STATUSES = ("ok", "saturated", "below_range", "invalid", "not_read", "missing")
ROLES = ("sample", "negative", "positive", "blank", "untreated", "day0", "reference", "empty")
CALLS = ("sensitive", "intermediate", "not sensitive", "not evaluable")
VERDICTS = ("pass", "warn", "fail")
RISK_STATUSES = ("definite", "pending", "not_classifiable")
RISK_STATEMENTS = (
    "input", "flag", "switch", "pathway", "remission", "planning", "agent", "outcome",
)  # fmt: skip
QUALIFIERS = ("=", "<", ">")
DOSE_UNITS = ("nM", "IU/mL", "ug/mL")
# The columns of a laboratory's own drug table: those of `drp/data/drugs.tsv`, and where it stands.
DRUG_COLUMNS = (
    "drug", "source", "synonyms", "drug_class", "targets", "status_in_all", "exvivo", "caveat",
    "exvivo_range", "pubchem_cid",
)  # fmt: skip
EXPOSURE_COLUMNS = (
    "drug", "schedule", "cmax_nm", "verification", "confidence", "source", "analyte", "population",
    "cmax_as_stated", "kind", "unbound_fraction", "cmax_free_nm", "remark", "source_url",
)  # fmt: skip
# The columns of patients.tsv: what the relapse risk systems ask for, and what the report prints.
PATIENT_COLUMNS = (
    "patient",
    "immunophenotype",
    "site",
    "em_sites",
    "months_dx_to_relapse",
    "months_end_of_therapy_to_relapse",
    "on_therapy",
    "diagnosis_date",
    "end_of_therapy_date",
    "relapse_date",
    "eoi_mrd",
    "mrd_time_point",
    "age_at_diagnosis_y",
    "age_at_relapse_y",
    "genetics",
    "down_syndrome",
    "prior_hsct",
    "relapse_number",
    "second_remission",
    "prior_drugs",
    "cautions",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, what it means with its unit, and the values it may take."""

    name: str
    kind: Kind
    meaning: str
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table's key and columns."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]


def _text(name: str, meaning: str, allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", meaning, allowed)


def _number(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning)


def _interval(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        _number(name, meaning),
        _number(f"{name}_lo", f"lower end of the 95 % interval of {name}"),
        _number(f"{name}_hi", f"upper end of the 95 % interval of {name}"),
    )


def _doses() -> tuple[Column, ...]:
    columns = []
    for suffix in ("", "2", "3"):
        columns.append(_text(f"drug{suffix}", "drug, empty where there is none"))
        columns.append(_number(f"dose{suffix}", "its dose, in dose_unit; null where no drug"))
    return tuple(columns)


_PLATE = _text("plate", "plate id, as in plates.tsv")
_WELL = _text("well", "well, A1 to AF48")
_SAMPLE = _text("sample", "sample id (a tube, not a person)")
_DRUG = _text("drug", "drug name")
_UNIT = _text("dose_unit", "unit of every dose in the row; empty without a dose", ("", *DOSE_UNITS))

_WELLS = (
    _text("run", "screening session"),
    _PLATE,
    _WELL,
    _SAMPLE,
    _text("role", "what the well is for", ROLES),
    *_doses(),
    _UNIT,
    _number("signal", "measured signal, in the reader's unit; null unless status is ok"),
    _text("status", "state of the reading", STATUSES),
    Column("excluded", "flag", "true if a person or a failed dispense took the well out"),
    _text("reason", "why it was excluded; empty otherwise"),
)


def _score(name: str) -> tuple[Column, ...]:
    return (
        *_interval(name, f"mean {name} excess, points of % inhibition, positive is synergy"),
        _number(f"{name}_p", f"p-value of {name} against no excess, two-sided"),
    )


TABLES = {
    table.name: table
    for table in (
        Table(
            "reads",
            ("plate", "well", "read"),
            (
                _PLATE,
                _WELL,
                _text("read", "label of the measurement in the export"),
                _text("mode", "lum, fluo, abs, count or empty if the export does not say"),
                _number("signal", "value as printed; null unless status is ok"),
                _text("status", "state of the reading", STATUSES),
                _text("raw_text", "the cell as printed"),
                _text("file", "name of the export"),
                _text("locator", "line and field, or sheet and cell, of the value"),
            ),
        ),
        Table(
            "layout",
            ("layout", "well"),
            (
                _text("layout", "layout id (its file name)"),
                _WELL,
                _text("role", "what the well is for", ROLES),
                *_doses(),
                _UNIT,
                _text("locator", "line, or sheet and cell, of the entry"),
            ),
        ),
        Table("wells", ("plate", "well"), _WELLS),
        Table(
            "quality",
            ("plate",),
            (
                _PLATE,
                _number("z_prime", "Z′ from means and standard deviations"),
                _number("robust_z_prime", "Z′ from medians and MAD × 1.4826"),
                _number("ssmd", "strictly standardised mean difference"),
                _number(
                    "signal_to_background", "mean negative over mean positive, less the mean blank"
                ),
                _number("cv_negative", "CV of the negative controls, %"),
                _number("cv_positive", "CV of the positive controls, %"),
                _number("edge_effect", "median of outer over inner negatives, one vehicle"),
                Column("n_negative", "count", "usable negative control wells"),
                Column("n_positive", "count", "usable positive control wells"),
                _text("verdict", "tier", VERDICTS),
                _text("reasons", "why, separated by '; '"),
            ),
        ),
        Table(
            "viability",
            ("plate", "well"),
            (*_WELLS, _number("viability_pct", "% of the negative control, not clipped")),
        ),
        Table(
            "curves",
            ("sample", "drug"),
            (
                _SAMPLE,
                _DRUG,
                Column("n_wells", "count", "wells fitted"),
                Column("n_doses", "count", "distinct doses"),
                _number("dose_min", "lowest dose, dose_unit"),
                _number("dose_max", "highest dose, dose_unit"),
                _UNIT,
                _number("top", "upper asymptote, % viability"),
                _number("bottom", "lower asymptote, % viability"),
                _number("slope", "Hill slope, positive for a falling curve"),
                *_interval("ec50", "midpoint of the curve (relative IC50), dose_unit"),
                _number("ic50", "dose at 50 % viability, or the tested limit it lies beyond"),
                _text(
                    "ic50_qualifier",
                    "= inside the tested range, < or > beyond it, empty without an ic50",
                    ("", *QUALIFIERS),
                ),
                _number("ic50_lo", "lower end of the 95 % interval; 0 if open"),
                _number("ic50_hi", "upper end of the 95 % interval; infinite if open"),
                *_interval("auc", "area under the curve over log10 dose, % viability"),
                _number("aac", "100 - auc"),
                _number("dss1", "DSS1 (Yadav 2014, t = 10 %, no cliff), 0 to 100"),
                *_interval("dss2", "DSS2 (Yadav 2014, t = 10 %, no cliff), 0 to 50"),
                _number("dss3", "DSS3 (Yadav 2014, t = 10 %, no cliff), 0 to 100"),
                _number("dss_asym", "asymmetric DSS, 0 to 50"),
                _number("viability_at_cmax", "% viability at the plasma peak; null if unknown"),
                _number("sse", "residual sum of squares, points²"),
                _number("rmse", "root mean squared residual, points"),
                _number("r2", "1 - sse / total sum of squares"),
                _number("p_flat", "p-value of the test against a flat curve"),
                _text("shape", "decreasing, increasing, flat or none"),
                _text("flags", "what the data do not determine, separated by ';'"),
            ),
        ),
        Table(
            "synergy",
            ("sample", "combination"),
            (
                _SAMPLE,
                _text("combination", "the drugs in alphabetical order, joined by ' + '"),
                *(_text(f"drug{i}", "drug of the combination") for i in ("", "2", "3")),
                _text("design", "matrix, anchor, diagonal or sparse"),
                Column("n_wells", "count", "wells used"),
                *_score("bliss"),
                *_score("hsa"),
                *_score("loewe"),
                *_score("zip"),
                _number("css", "combination sensitivity score"),
                _number("ri", "relative inhibition"),
                *_interval("achievable_bliss", "mean Bliss excess at doses up to Cmax, points"),
                Column("assessable", "flag", "false where a ceiling or gaps forbid a verdict"),
                _text("call", "verdict in words"),
                _text("reason", "why"),
            ),
        ),
        Table(
            "surface",
            ("sample", "combination", "dose", "dose2", "dose3"),
            (
                _SAMPLE,
                _text("combination", "the drugs in alphabetical order, joined by ' + '"),
                _number("dose", "dose of the first drug"),
                _number("dose2", "dose of the second drug"),
                _number("dose3", "dose of the third drug; null for pairs"),
                Column("n_wells", "count", "wells in the cell"),
                _number("observed", "mean % inhibition"),
                _number("expected_bliss", "% inhibition under Bliss independence"),
                _number("expected_hsa", "% inhibition of the best single agent"),
                _number("excess_bliss", "observed - expected_bliss, points"),
                _number("excess_hsa", "observed - expected_hsa, points"),
            ),
        ),
        Table(
            "reference",
            ("assay", "drug"),
            (
                _text("assay", "assay the reference belongs to"),
                _DRUG,
                Column("n", "count", "reference samples"),
                *(
                    _number(f"{metric}_{what}", f"{what} of {metric} over the reference")
                    for metric in ("auc", "dss2")
                    for what in ("median", "mad", "q05", "q25", "q75", "q95")
                ),
                _text("source_hash", "SHA-256 of the samples it was made from"),
            ),
        ),
        Table(
            "calls",
            ("sample", "drug"),
            (
                _SAMPLE,
                _DRUG,
                _text("call", "the verdict", CALLS),
                _number("probability", "that the same call would stand without noise, 0 to 1"),
                _number("z", "robust z of the AUC, positive is more sensitive"),
                _number("percentile", "% of reference samples that are less sensitive"),
                Column("n_reference", "count", "reference samples, this one left out"),
                _text("exposure", "what is known of the dose a patient can reach"),
                _text("reason", "why, in one sentence"),
            ),
        ),
        Table(
            "risk",
            ("patient", "system"),
            (
                _text("patient", "patient id"),
                _text("system", "risk system"),
                _text("risk_class", "class; empty unless definite"),
                _text("status", "how sure", RISK_STATUSES),
                _text("possible", "classes still possible, separated by '|'"),
                _text("needs", "inputs that would settle it, separated by ','"),
                _text("rule", "the rule that fired"),
                _text("flags", "separated by ';'"),
                _text("source", "where the rule was published"),
            ),
        ),
        Table(
            "risk_context",
            ("patient", "place"),
            (
                _text("patient", "patient id"),
                Column("place", "count", "order of print, from 1"),
                _text("kind", "what it is", RISK_STATEMENTS),
                _text("subject", "what it is about"),
                _text("condition", "on what it depends whether it applies; empty if it does"),
                _text("text", "the statement"),
                _text("agents", "drugs it names, separated by ';'"),
                _text("evidence", "level of evidence, or the cohort of a figure"),
                _text("source", "where it was published"),
            ),
        ),
    )
}


def check(frame: "pd.DataFrame", name: str) -> "pd.DataFrame":
    """Check that a DataFrame keeps the contract of the table `name`, and give it back.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table; its columns may stand in any order and there may be more of them.
    name : str
        One of `TABLES`.

    Returns
    -------
    pandas.DataFrame
        The contract's columns first and in order, then the others; the rows as they were.

    Raises
    ------
    DataError
        A column is missing, has the wrong kind or a value that is not allowed, or a key is
        empty or occurs twice. Every fault is listed.

    Examples
    --------
    >>> import pandas as pd
    >>> check(pd.DataFrame({"plate": ["P1"]}), "wells")
    Traceback (most recent call last):
    drp.problems.DataError: error table.missing-column: table wells: column run is missing...
    """
    table = TABLES[name]
    faults = [f"column {column} is missing" for column in table.names if column not in frame]
    if faults:
        raise DataError(_problem("missing-column", name, fault) for fault in faults)
    faults = [fault for column in table.columns for fault in _kind_faults(frame, column)]
    faults += _key_faults(frame, table.key)
    if faults:
        raise DataError(_problem("bad-content", name, fault) for fault in faults)
    names = [*table.names, *(column for column in frame.columns if column not in table.names)]
    return frame if names == list(frame.columns) else frame[names]


def _key_faults(frame: "pd.DataFrame", key: tuple[str, ...]) -> list[str]:
    # Tuples in a set take a fifth of the time of DataFrame.duplicated.
    columns = [frame[column] for column in key]
    texts = [c if str(c.dtype) in ("str", "object") else c.astype(str) for c in columns]
    keys = list(zip(*(column.tolist() for column in texts), strict=True))
    if len(set(keys)) == len(keys):
        return []
    twice = Counter(keys).most_common(1)[0][0]
    return [f"the key {', '.join(key)} occurs twice, first for {list(twice)}"]


def empty(name: str, extra: dict[str, Kind] | None = None) -> "pd.DataFrame":
    """Give the table `name` without rows, with any `extra` columns.

    >>> empty("reads").shape
    (0, 9)
    """
    import pandas as pd

    dtypes = {"text": "str", "number": "float64", "count": "int64", "flag": "bool"}
    kinds = {column.name: column.kind for column in TABLES[name].columns} | (extra or {})
    return pd.DataFrame({column: pd.Series(dtype=dtypes[kind]) for column, kind in kinds.items()})


def _kind_faults(frame: "pd.DataFrame", column: Column) -> list[str]:
    from pandas.api import types

    values = frame[column.name]
    if column.kind == "text":
        return _text_faults(values, column)
    fits = {
        "number": types.is_float_dtype,
        "count": types.is_integer_dtype,
        "flag": types.is_bool_dtype,
    }
    if not fits[column.kind](values):
        return [f"column {column.name} must be a {column.kind}, found {values.dtype}"]
    return []


def _text_faults(values: "pd.Series[Any]", column: Column) -> list[str]:
    if str(values.dtype) == "str":  # text and gaps only, which need no look at every value
        is_text = not values.hasnans
    else:
        is_text = all(isinstance(value, str) for value in values.tolist())
    if not is_text:
        return [f"column {column.name} must hold text, empty where there is none"]
    odd = sorted(set(values.unique()) - set(column.allowed)) if column.allowed else []
    return [f"column {column.name}: {value!r} is not allowed" for value in odd]


def _problem(code: str, table: str, fault: str) -> Problem:
    return Problem(
        f"table.{code}",
        "error",
        Place(f"table {table}"),
        fault,
        "This is a fault of drp, or of a script that made the table.",
    )
