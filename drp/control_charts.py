"""Control charts across runs: whether a control drug, or the controls, are where they usually are.

Levey and Jennings drew each day's control value against mean and standard deviation; Westgard's
rules say when a value, or two in a row, are no longer chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drp.standing import z_cut

LEAST_RUNS = 3
_LEAST_TAIL = 1e-300  # keeps a value far outside from being infinitely far


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """The value of one run beside those of the others.

    Attributes
    ----------
    run : str
    value : float
        NaN where the run has none.
    n : int
        Plates or samples behind the value.
    mean, sd : float
        Of the other runs; NaN with fewer than 2 of them.
    warn_lo, warn_hi, fail_lo, fail_hi : float
        The limits, in the unit of the value.
    z : float
        Distance from the mean in standard deviations, as of a long series: with few others the
        mean and its spread are uncertain, and the same distance counts for less.
    verdict : {"pass", "warn", "fail", ""}
        Empty where there is nothing to judge.
    rule : str
        Westgard's name of the rule that was broken.
    """

    run: str
    value: float
    n: int
    mean: float
    sd: float
    warn_lo: float
    warn_hi: float
    fail_lo: float
    fail_hi: float
    z: float
    verdict: str
    rule: str


def chart_points(
    runs: Sequence[str],
    values: Sequence[float],
    counts: Sequence[int],
    warn: float = 2.0,
    fail: float = 3.0,
    *,
    low_is_good: bool = False,
) -> list[ChartPoint]:
    """Put the values of several runs on a Levey-Jennings chart.

    Parameters
    ----------
    runs : sequence of str
        In the order of time.
    values, counts : sequence
        Each run's value, NaN where it has none, and how many plates or samples it rests on.
    warn, fail : float
        Limits in standard deviations.
    low_is_good : bool
        Judge only values above the mean, as of a coefficient of variation.

    Returns
    -------
    list of ChartPoint
        One per run, in the order given. Mean and standard deviation are those of the *other* runs:
        in a short series a value far off would widen its own limits. The limits are prediction
        limits by Student's t (`drp.standing.z_cut`): however few the others are, they are crossed
        as rarely as those of a long series. With fewer than 3 values nothing is judged.

    References
    ----------
    Levey and Jennings, Am J Clin Pathol 1950;20:1059, doi 10.1093/ajcp/20.11_ts.1059.

    Examples
    --------
    >>> runs = ["R1", "R2", "R3", "R4", "R5"]
    >>> last = chart_points(runs, [60.0, 62.0, 61.0, 61.0, 99.0], [2, 2, 2, 2, 2])[-1]
    >>> last.mean, round(last.sd, 2), last.verdict, last.rule
    (61.0, 0.82, 'fail', '1-3s')
    """
    known = np.array(values, dtype=float)
    enough = int(np.sum(np.isfinite(known))) >= LEAST_RUNS
    beside = [
        _others(known, place) if enough else (0, np.nan, np.nan) for place in range(len(runs))
    ]
    cuts = [
        [z_cut(n, limit, n + 1) if n else float("nan") for limit in (warn, fail)]
        for n, _, _ in beside
    ]
    z = [_usual(value, *others) for value, others in zip(known, beside, strict=True)]
    verdicts = westgard(np.maximum(z, 0).tolist() if low_is_good else z, warn, fail)
    return [
        ChartPoint(
            run=run,
            value=float(known[place]),
            n=counts[place],
            mean=mean,
            sd=sd,
            warn_lo=mean - cuts[place][0] * sd,
            warn_hi=mean + cuts[place][0] * sd,
            fail_lo=mean - cuts[place][1] * sd,
            fail_hi=mean + cuts[place][1] * sd,
            z=z[place],
            verdict=verdicts[place][0],
            rule=verdicts[place][1],
        )
        for place, (run, (_, mean, sd)) in enumerate(zip(runs, beside, strict=True))
    ]


def westgard(z: Sequence[float], warn: float = 2.0, fail: float = 3.0) -> list[tuple[str, str]]:
    """Judge a series of control values by three of Westgard's rules.

    Parameters
    ----------
    z : sequence of float
        Distances from the mean in standard deviations, in the order of time. NaN is no value: it
        is not judged, and the values before and after it do not follow one another.
    warn, fail : float
        Limits, standard deviations.

    Returns
    -------
    list of (verdict, rule)
        ``1-3s``, one value beyond `fail`: fail. ``2-2s``, this value and the one before it beyond
        `warn` on the same side: fail. ``1-2s``, one value beyond `warn`: warn. Otherwise pass with
        an empty rule; for NaN both are empty.

    References
    ----------
    Westgard, Barry, Hunt and Groth, Clin Chem 1981;27:493, doi 10.1093/clinchem/27.3.493.

    Examples
    --------
    >>> westgard([0.3, 2.1, 2.4, -2.2, 3.5])
    [('pass', ''), ('warn', '1-2s'), ('fail', '2-2s'), ('warn', '1-2s'), ('fail', '1-3s')]
    """
    found = []
    before = float("nan")
    for value in z:
        if np.isnan(value):
            found.append(("", ""))
        elif abs(value) > fail:
            found.append(("fail", "1-3s"))
        elif abs(value) > warn and abs(before) > warn and before * value > 0:
            found.append(("fail", "2-2s"))
        else:
            found.append(("warn", "1-2s") if abs(value) > warn else ("pass", ""))
        before = value
    return found


def _others(values: "np.typing.NDArray[np.float64]", place: int) -> tuple[int, float, float]:
    rest = np.delete(values, place)
    rest = rest[np.isfinite(rest)]
    if len(rest) < LEAST_RUNS - 1:
        return 0, float("nan"), float("nan")
    return len(rest), float(np.mean(rest)), float(np.std(rest, ddof=1))


def _usual(value: float, n: int, mean: float, sd: float) -> float:
    """The distance in standard deviations of the normal distribution with the same probability."""
    from scipy.special import ndtri, stdtr

    if not sd > 0 or np.isnan(value):
        return float("nan")
    distance = (value - mean) / (sd * np.sqrt(1 + 1 / n))
    tail = max(float(stdtr(n - 1, -abs(distance))), _LEAST_TAIL)
    return float(np.copysign(ndtri(tail), distance))
