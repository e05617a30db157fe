"""What is charted across the runs of a project: its control drugs and its negative controls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from statistics import median
from typing import Any

from drp.control_charts import chart_points
from drp.drift import reading_order

Row = Mapping[str, Any]
Rows = Sequence[Row]

_MEASURES = {"auc": ("AUC", "%"), "dss2": ("DSS2", "")}


def chart_table(
    quality: Rows, curves: Rows, plates: Mapping[str, str], tiers: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Give the control charts of a project, one row per chart and run.

    Parameters
    ----------
    quality : sequence of mappings
        Rows of table `quality`, of every run.
    curves : sequence of mappings
        Rows of table `curves` with `plates`; needed only for control drugs.
    plates : mapping
        Each plate's run, in the order of plates.tsv.
    tiers : mapping
        ``reference_drugs``, ``reference_measure`` (auc or dss2), ``reference_samples`` (empty: all)
        and ``reference_drug_sd`` (warn and fail, standard deviations).

    Returns
    -------
    list of dict
        chart, unit and the fields of `drp.control_charts.ChartPoint`. Runs stand in the order of
        their first plate's time, or of plates.tsv where an export carries no time. A run's value is
        the median over its plates, for a control drug over its samples; failed plates, and curves
        that rest on one, are left out.
    """
    judged = [row for row in quality if row["verdict"] != "fail"]
    runs = run_order(quality, plates)
    failed = {row["plate"] for row in quality if row["verdict"] == "fail"}
    usable = [row for row in curves if not failed & set(row["plates"].split(";"))]
    wanted = set(tiers["reference_samples"])
    own = [row for row in usable if not wanted or row["sample"] in wanted]
    measure = tiers["reference_measure"]
    word, unit = _MEASURES[measure]
    charts = [
        ("CV of negative controls", "%", _by_run(judged, "robust_cv_negative", _run), True),
        ("Signal of negative controls", "", _by_run(judged, "negative_median", _run), False),
    ]
    for drug in tiers["reference_drugs"]:
        rows = [row for row in own if row["drug"].casefold() == drug.casefold()]
        values = _by_run(rows, measure, lambda row: plates.get(row["plates"].split(";")[0], ""))
        charts.append((f"{word} of {drug}", unit, values, False))
    limits = tiers["reference_drug_sd"]
    return [
        {"chart": name, "unit": unit} | asdict(point)
        for name, unit, values, low_is_good in charts
        for point in chart_points(
            runs,
            [median(values[run]) if values.get(run) else float("nan") for run in runs],
            [len(values.get(run, ())) for run in runs],
            limits["warn"],
            limits["fail"],
            low_is_good=low_is_good,
        )
    ]


def run_order(quality: Rows, plates: Mapping[str, str]) -> list[str]:
    """Put runs in the order of time, by their first plate; see `drp.drift.reading_order`.

    >>> rows = [{"run": "B", "measured_at": "2025-11-03T10:00"},
    ...         {"run": "A", "measured_at": "2025-11-10T10:00"}]
    >>> run_order(rows, {"PL1": "A", "PL2": "B"})
    ['B', 'A']
    """
    moments: dict[str, list[str]] = {}
    for row in quality:
        moments.setdefault(_run(row), []).append(str(row.get("measured_at") or ""))
    first = {run: min(known) if all(known) else "" for run, known in moments.items()}
    return reading_order(first, list(plates.values()))[0]


def drift_table(quality: Rows) -> list[dict[str, Any]]:
    """Give each run's plates, verdicts and drift, from the rows of table `quality`.

    Returns
    -------
    list of dict
        run, n_plates, n_warn, n_fail, order (measured_at or plates.tsv) and the run_drift_ columns.
    """
    runs: dict[str, list[Row]] = {}
    for row in quality:
        runs.setdefault(_run(row), []).append(row)
    return [
        {
            "run": run,
            "n_plates": len(rows),
            **{f"n_{tier}": sum(row["verdict"] == tier for row in rows) for tier in _BAD},
            "order": rows[0]["read_order_source"],
            **{name: rows[0][name] for name in rows[0] if name.startswith("run_drift_")},
        }
        for run, rows in sorted(runs.items())
    ]


_BAD = ("warn", "fail")


def _run(row: Row) -> str:
    return row["run"] or "run"


def _by_run(rows: Iterable[Row], column: str, run_of: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        value = row[column]
        if value is not None and isfinite(value):
            found.setdefault(run_of(row), []).append(float(value))
    return found
