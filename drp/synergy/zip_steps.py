"""Computations that ask for fits as they go: the curves of many matrices are then fitted together.

One call of the fit costs much the same for ten curves as for a hundred.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from drp.synergy.hill import HillFits, fit_hill

Floats = NDArray[np.float64]


class Request(NamedTuple):
    """Curves that are to be fitted next: which of the matrix they are, and their data."""

    part: slice
    dose: Floats
    values: Floats
    weight: Floats
    start: Floats
    well_sd: float


Result = TypeVar("Result")
Steps = Generator[Request, HillFits, Result]


def run(steps: Steps[Result], fit: Callable[[Request], HillFits]) -> Result:
    """Go through the steps, giving each fit that is asked for."""
    try:
        asked = next(steps)
        while True:
            asked = steps.send(fit(asked))
    except StopIteration as end:
        result: Result = end.value
    return result


def run_together(running: Sequence[Steps[Any]]) -> list[Any]:
    """Go through many computations at once, round by round: all that is asked for is one fit.

    Parameters
    ----------
    running : sequence of Steps
        None of them started.

    Returns
    -------
    list
        What each comes to, the same to the last bit as by `run` one by one.
    """
    answers: dict[int, HillFits | None] = dict.fromkeys(range(len(running)))
    results: dict[int, Any] = {}
    while answers:
        asked: dict[int, Request] = {}
        for at, answer in answers.items():
            try:
                asked[at] = next(running[at]) if answer is None else running[at].send(answer)
            except StopIteration as end:
                results[at] = end.value
        fitted = fit_together(list(asked.values())) if asked else []
        answers = dict(zip(asked, fitted, strict=True))
    return [results[at] for at in range(len(running))]


def request(
    dose: Floats, values: Floats, weight: Floats | None = None, well_sd: float = 0.0
) -> Request:
    """Ask for free curves at the same doses: values (n_curves, n_doses), the others (n_doses,)."""
    weight = np.ones(len(dose)) if weight is None else weight
    doses, weights = (np.broadcast_to(one, values.shape) for one in (dose, weight))
    start = np.full(len(values), np.nan)
    return Request(slice(None), doses, values, weights, start, well_sd)


def fit_asked(asked: Request) -> HillFits:
    """Fit the curves of one request."""
    return fit_hill(
        asked.dose, asked.values, asked.weight, start=asked.start, well_sd=asked.well_sd
    )


def fit_together(asked: list[Request]) -> list[HillFits]:
    """Fit the curves of many requests in one call."""
    widest = max(one.dose.shape[1] for one in asked)

    def joined(parts: Iterable[Floats]) -> Floats:
        padded = (
            np.pad(one, ((0, 0), (0, widest - one.shape[1])), constant_values=np.nan)
            if one.shape[1] < widest
            else one
            for one in parts
        )
        return np.concatenate(list(padded))

    fits = fit_hill(
        joined(one.dose for one in asked),
        joined(one.values for one in asked),
        np.nan_to_num(joined(one.weight for one in asked)),
        start=np.concatenate([one.start for one in asked]),
        well_sd=np.repeat([one.well_sd for one in asked], [len(one.dose) for one in asked]),
    )
    ends = np.cumsum([len(one.dose) for one in asked]).tolist()
    return [fits.take(slice(begin, end)) for begin, end in pairwise([0, *ends])]
