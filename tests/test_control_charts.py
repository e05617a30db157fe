import numpy as np
import pytest
from scipy import stats

from drp.config import QualityTiers
from drp.control_charts import chart_points, westgard
from drp.report.control_page import chart_svg, render_control_page
from drp.run_charts import chart_table, drift_table, run_order
from tests.test_report_html import EVIL, Page

TIERS = QualityTiers(reference_drugs=["Bortezomib"]).model_dump()
SETTINGS = {"title": "Screen", "laboratory": "Lab", "simulated": True, "quality": TIERS}
TIME = "2026-03-01T08:05:00+00:00"
NAN = float("nan")


@pytest.mark.parametrize(
    ("z", "rules"),
    [
        ([0.0, 1.9, -1.9], ["", "", ""]),
        ([2.0, 3.0], ["", "1-2s"]),  # on the limit is inside it
        ([2.5, 2.5, 2.5], ["1-2s", "2-2s", "2-2s"]),
        ([2.5, -2.5], ["1-2s", "1-2s"]),  # on different sides
        ([2.5, 0.0, 2.5], ["1-2s", "", "1-2s"]),  # not in a row
        ([2.5, NAN, 2.5], ["1-2s", "", "1-2s"]),
        ([-3.1, -2.1], ["1-3s", "2-2s"]),
    ],
)
def test_the_rules_by_hand(z, rules):
    found = westgard(z)
    assert [rule for _, rule in found] == rules
    tier = {"": "pass", "1-2s": "warn", "1-3s": "fail", "2-2s": "fail"}
    expected = ["" if np.isnan(each) else tier[rule] for each, rule in zip(z, rules, strict=True)]
    assert [verdict for verdict, _ in found] == expected


def test_limits_by_hand():
    runs = [f"R{number}" for number in range(5)]
    values = [60.0, 62.0, 61.0, 65.0, 70.0]
    point = chart_points(runs, values, [3] * 5)[4]
    others = np.array(values[:4])
    assert (point.mean, point.sd) == (others.mean(), pytest.approx(others.std(ddof=1)))
    wide = point.sd * np.sqrt(1 + 1 / 4)
    t = (70 - point.mean) / wide
    assert point.z == pytest.approx(stats.norm.isf(stats.t.sf(t, 3)))
    reach = stats.t.ppf(stats.norm.cdf(2), 3) * wide
    assert (point.warn_lo, point.warn_hi) == pytest.approx((62 - reach, 62 + reach))
    assert point.fail_hi == pytest.approx(62 + stats.t.ppf(stats.norm.cdf(3), 3) * wide)
    assert (point.value > point.warn_hi) == (abs(point.z) > 2)


def test_a_long_series_has_the_usual_limits():
    rng = np.random.default_rng(1)
    values = rng.normal(60, 4, 400).tolist()
    points = chart_points([str(n) for n in range(400)], values, [1] * 400)
    middle = points[200]
    assert (middle.warn_hi - middle.mean) / middle.sd == pytest.approx(2, rel=0.01)
    assert (middle.fail_lo - middle.mean) / middle.sd == pytest.approx(-3, rel=0.02)


def test_a_short_series_crosses_its_limits_as_rarely_as_a_long_one():
    rng = np.random.default_rng(2)
    z = [chart_points(list("abcd"), rng.normal(0, 1, 4).tolist(), [1] * 4)[3].z for _ in range(800)]
    assert np.mean(np.abs(z) > 2) == pytest.approx(2 * stats.norm.sf(2), abs=0.02)
    assert stats.kstest(z, "norm").pvalue > 0.001


def test_few_runs_missing_values_and_equal_ones_are_not_judged():
    for values in ([60.0, 90.0], [60.0, 90.0, NAN], [60.0, 60.0, 60.0]):
        points = chart_points(list("abc")[: len(values)], values, [1] * len(values))
        assert [point.verdict for point in points] == [""] * len(values)
    points = chart_points(list("abcd"), [60.0, NAN, 61.0, 62.0], [1, 0, 1, 1])
    assert [point.verdict for point in points] == ["pass", "", "pass", "pass"]


def test_a_low_spread_is_no_fault():
    values = [10.0, 11.0, 10.5, 10.2, 10.8, 0.5]
    high, low = (
        chart_points(list("abcdef"), values, [1] * 6, low_is_good=good)[5].verdict
        for good in (False, True)
    )
    assert (high, low) == ("fail", "pass")


def quality(plate, run, median=1000.0, verdict="pass", time=""):
    return {
        "plate": plate,
        "run": run,
        "verdict": verdict,
        "robust_cv_negative": 8.0 + median / 1000,
        "negative_median": median,
        "measured_at": time,
        "read_order_source": "plates.tsv",
        "run_drift_rho": -0.5,
        "run_drift_p": 0.004,
        "run_drift_pct": -44.0,
        "run_drift_n": 1,
    }


def curve(sample, plates, auc, drug="bortezomib"):
    return {"sample": sample, "drug": drug, "auc": auc, "dss2": auc / 4, "plates": plates}


PLATES = {f"PL{n}": f"R{n}" for n in range(6)} | {"PL9": "R0"}
QUALITY = [quality(f"PL{n}", f"R{n}", 1000.0 + 10 * n) for n in range(6)]
CURVES = [curve(f"S{n}", f"PL{n}", 50.0 + n) for n in range(5)] + [curve("S5", "PL5", 99.0)]


def of_chart(name, table):
    return [row for row in table if row["chart"] == name]


def test_each_chart_takes_the_median_of_each_run():
    more = [quality("PL9", "R0", 3000.0), quality("PL8", "R1", 9e9, verdict="fail")]
    curves = [*CURVES, curve("S7", "PL9", 60.0), curve("S8", "PL0;PL8", 0.0)]
    table = chart_table([*QUALITY, *more], curves, PLATES | {"PL8": "R1"}, TIERS)
    signal = of_chart("Signal of negative controls", table)
    assert [row["value"] for row in signal] == [2000.0, 1010.0, 1020.0, 1030.0, 1040.0, 1050.0]
    assert [row["n"] for row in signal] == [2, 1, 1, 1, 1, 1]
    areas = of_chart("AUC of Bortezomib", table)
    assert [row["value"] for row in areas] == [55.0, 51.0, 52.0, 53.0, 54.0, 99.0]
    assert (areas[-1]["verdict"], areas[-1]["rule"]) == ("fail", "1-3s")


def test_the_measure_and_the_control_samples_are_the_configured_ones():
    tiers = TIERS | {"reference_measure": "dss2", "reference_samples": ["S1", "S5"]}
    rows = of_chart("DSS2 of Bortezomib", chart_table(QUALITY, CURVES, PLATES, tiers))
    values = [row["value"] for row in rows]
    assert values[1::4] == [12.75, 24.75]
    assert np.isnan([values[0], *values[2:5]]).all()
    assert {row["verdict"] for row in rows} == {""}


def test_runs_stand_in_the_order_of_time_or_of_the_sheet():
    timed = [quality("PL1", "B", time="2025-11-03"), quality("PL2", "A", time="2025-11-10")]
    sheet = {"PL2": "A", "PL1": "B"}
    assert run_order(timed, sheet) == ["B", "A"]
    assert run_order([timed[0], quality("PL2", "A")], sheet) == ["A", "B"]


def page(table, **settings):
    return render_control_page(
        table, drift_table(QUALITY), settings=SETTINGS | settings, generated_at=TIME
    )


def test_the_page_shows_each_chart_and_says_what_is_beyond():
    html = page(chart_table(QUALITY, CURVES, PLATES, TIERS))
    assert html.count("<svg role") == 3
    assert "AUC of Bortezomib over 6 runs; beyond the limits: R5" in html
    assert "1-3s: beyond the outer limit" in html
    assert "SIMULATED DATA" in html
    drifts = Page(html).table("")
    assert drifts[-1][-1][-1] == "warn"


def test_fewer_than_three_runs_are_said_and_not_drawn():
    two = chart_table(QUALITY[:2], CURVES[:2], PLATES, TIERS)
    html = page(two)
    assert "<svg role" not in html
    assert html.count("Not drawn: 2 runs with a value: limits need 3.") == 3
    none = page(chart_table(QUALITY, [], PLATES, TIERS | {"reference_drugs": []}), quality=QUIET)
    assert "No control drug is named" in none


QUIET = TIERS | {"reference_drugs": []}


def test_names_cannot_leave_their_place():
    rows = [quality(f"PL{n}", EVIL + str(n)) for n in range(4)]
    table = chart_table(rows, [], {f"PL{n}": EVIL + str(n) for n in range(4)}, QUIET)
    html = render_control_page(table, drift_table(rows), settings=SETTINGS, generated_at=TIME)
    assert "<script" not in html
    assert EVIL in "".join(Page(html).words)


def test_a_chart_far_outside_stays_in_its_frame():
    table = chart_table(QUALITY, CURVES, PLATES, TIERS)
    svg = chart_svg("x", of_chart("AUC of Bortezomib", table))
    heights = [float(part.split('"')[0]) for part in svg.split('cy="')[1:]]
    assert all(6 <= height <= 126 for height in heights)
    assert svg.count('fill="none"') == 1  # the one cross
