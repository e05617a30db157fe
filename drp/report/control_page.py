"""`reports/quality.html`: control charts across the runs of a project, and drift within them."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from drp.control_charts import LEAST_RUNS
from drp.report import numerals
from drp.report.figures import FIGURE_STYLE
from drp.report.html import SIMULATED, environment
from drp.report.palette import BLUE, GREY, INK, ORANGE, VERDICT_MARKS, mark_svg, shade
from drp.report.prose import RESEARCH_USE
from drp.report.rows import count, number, text
from drp.report.view import printed_time

Row = Mapping[str, Any]

_HEIGHT, _STEP, _LEFT, _TOP = 120.0, 34.0, 44.0, 6.0
_NAMES = 8  # runs whose names fit below a chart; beyond, first and last are named
_ORDERS = {"measured_at": "time of reading", "plates.tsv": "order of plates.tsv"}
_RULES = {
    "1-2s": "beyond the warning limit",
    "1-3s": "beyond the outer limit",
    "2-2s": "second run in a row beyond the warning limit, on the same side",
}


def render_control_page(
    charts: Sequence[Row],
    drifts: Sequence[Row],
    *,
    settings: Mapping[str, Any],
    generated_at: str,
) -> str:
    """Render the control charts as one self-contained HTML page.

    Parameters
    ----------
    charts : sequence of mappings
        Rows of `drp.run_charts.chart_table`, a chart's rows together, runs in the order of time.
    drifts : sequence of mappings
        Rows of `drp.run_charts.drift_table`.
    settings : mapping
        title, laboratory, simulated and quality (the gates).
    generated_at : str
        ISO 8601 time; the only thing that differs between two runs.

    Returns
    -------
    str
        The page. A chart with fewer than 3 runs is not drawn, and that is said.
    """
    return (
        environment()
        .get_template("quality.html.j2")
        .render(
            **{key: settings[key] for key in ("title", "laboratory", "simulated")},
            simulated_words=SIMULATED,
            research_use=RESEARCH_USE,
            figure_style=FIGURE_STYLE,
            generated=printed_time(generated_at),
            limits=settings["quality"]["reference_drug_sd"],
            samples=numerals.listed(settings["quality"]["reference_samples"]),
            has_drugs=bool(settings["quality"]["reference_drugs"]),
            charts=[
                _chart(name, list(rows))
                for name, rows in groupby(charts, key=lambda row: row["chart"])
            ],
            runs=[_drift(row, settings["quality"]) for row in drifts],
        )
    )


def chart_svg(name: str, points: Sequence[Row]) -> str:
    """Draw a Levey-Jennings chart.

    Parameters
    ----------
    name : str
        What is charted.
    points : sequence of mappings
        Rows of one chart, in the order of time.

    Returns
    -------
    str
        One ``<svg>``: for each run its value as a dot (a cross if it fails, a ring if it warns) on
        the limits that the other runs set: a line for their mean, a band to the warning limits, a
        paler one to the outer limits.
    """
    values = [value for row in points if (value := number(row, "value")) is not None]
    low, high = _range(points, values)

    def y(value: float) -> float:
        inside = min(high, max(low, value))
        return _TOP + _HEIGHT * (high - inside) / (high - low)

    parts = [
        f'<text class="t e" x="{_LEFT - 4:g}" y="{y(value) + 2.5:.1f}">{_written(value)}</text>'
        for value in (low, (low + high) / 2, high)
    ]
    for place, row in enumerate(points):
        parts += _column(row, _LEFT + place * _STEP, y)
        if len(points) <= _NAMES or place in (0, len(points) - 1):
            middle = _LEFT + (place + 0.5) * _STEP
            turned = f'transform="rotate(-25 {middle:g} {_TOP + _HEIGHT + 10:g})"'
            parts.append(
                f'<text class="t e" x="{middle:g}" y="{_TOP + _HEIGHT + 10:g}" {turned}>'
                f"{escape(text(row, 'run'))}</text>"
            )
    width, height = _LEFT + len(points) * _STEP + 4, _TOP + _HEIGHT + 48
    beyond = [text(row, "run") for row in points if text(row, "verdict") in ("warn", "fail")]
    label = (
        f"{name} over {len(points)} runs; beyond the limits: {numerals.listed(beyond) or 'none'}"
    )
    return (
        f'<svg role="img" viewBox="0 0 {width:g} {height:g}" style="max-width:{2 * width:g}px" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _range(points: Sequence[Row], values: Sequence[float]) -> tuple[float, float]:
    """From lowest to highest of values and warning limits, these no wider than the values twice."""
    low, high = min(values), max(values)
    spare = (high - low) or abs(high) or 1.0
    ends = [number(row, end) for row in points for end in ("fail_lo", "fail_hi")]
    known = [value for value in ends if value is not None]
    low = max(min([low, *known]), low - spare)
    high = min(max([high, *known]), high + spare)
    return low - 0.05 * spare, high + 0.05 * spare


def _column(row: Row, left: float, y: Any) -> list[str]:
    parts = []
    for strength, ends in ((0.1, ("fail_lo", "fail_hi")), (0.28, ("warn_lo", "warn_hi"))):
        low, high = (number(row, end) for end in ends)
        if low is not None and high is not None:
            fill = shade(GREY, strength)
            top, height = y(high), y(low) - y(high)
            parts.append(
                f'<path fill="{fill}" d="M{left + 2:g} {top:.1f}h{_STEP - 4:g}v{height:.1f}'
                f'h-{_STEP - 4:g}z"/>'
            )
    mean, value = number(row, "mean"), number(row, "value")
    if mean is not None:
        parts.append(f'<path class="r" d="M{left + 2:g} {y(mean):.1f}h{_STEP - 4:g}"/>')
    if value is not None:
        parts.append(_dot(left + _STEP / 2, y(value), text(row, "verdict")))
    return parts


def _dot(x: float, y: float, verdict: str) -> str:
    if verdict == "fail":
        return (
            f'<path fill="none" stroke="{INK}" stroke-width="2" '
            f'd="M{x - 4:.1f} {y - 4:.1f}l8 8m-8 0l8-8"/>'
        )
    if verdict == "warn":
        style = f'fill="none" stroke="{ORANGE}" stroke-width="2"'
        return f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    return f'<circle fill="{BLUE}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def _chart(name: str, points: list[Row]) -> dict[str, Any]:
    unit = text(points[0], "unit")
    judged = sum(number(row, "value") is not None for row in points)
    return {
        "name": f"{name}, {unit}" if unit else name,
        "figure": chart_svg(name, points) if judged >= LEAST_RUNS else "",
        "why_none": f"{numerals.counted(judged, 'run')} with a value: limits need {LEAST_RUNS}.",
        "rows": [_point(row) for row in points],
    }


def _point(row: Row) -> dict[str, str]:
    verdict = text(row, "verdict")
    rule = text(row, "rule")
    return {
        "run": text(row, "run"),
        "value": _shown(row, "value") or "none",
        "n": str(count(row, "n")),
        "mean": _shown(row, "mean"),
        "limits": _limits(row, "warn"),
        "outer": _limits(row, "fail"),
        "verdict": verdict or "not judged",
        "mark": mark_svg(VERDICT_MARKS[verdict]) if verdict else "",
        "why": f"{rule}: {_RULES[rule]}" if rule else "",
    }


def _limits(row: Row, tier: str) -> str:
    low, high = _shown(row, f"{tier}_lo"), _shown(row, f"{tier}_hi")
    return f"{low} to {high}" if low and high else ""


def _shown(row: Row, column: str) -> str:
    value = number(row, column)
    return "" if value is None else _written(value)


def _written(value: float) -> str:
    return numerals.significant(value, 3)


def _drift(row: Row, gates: Mapping[str, Any]) -> dict[str, str]:
    rho, p, change = (number(row, f"run_drift_{name}") for name in ("rho", "p", "pct"))
    counts = f"{count(row, 'n_plates')} ({count(row, 'n_warn')} warn, {count(row, 'n_fail')} fail)"
    shown = {"run": text(row, "run"), "plates": counts, "order": _ORDERS[text(row, "order")]}
    if rho is None or p is None or change is None:
        return shown | {"rho": "", "p": "", "change": "", "verdict": "too few plates to tell"}
    drifts = p <= gates["trend_p"] and abs(change) > gates["drift_of_run_pct"]
    return shown | {
        "rho": f"{rho:.2f}".replace("-", "−"),
        "p": numerals.p_value(p),
        "change": f"{numerals.signed(change)} %",
        "verdict": "warn" if drifts else "pass",
    }
