"""What is measured about curve fits: time per chunk and its ratios, misses, errors of the EC50."""

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from curve_designs import Curves, Floats, Simulated, squared_error, within_bounds
from curve_peers import NO_CURVE, Peer, best_feasible, fit_all
from numpy.typing import NDArray

# Shares of SST by which a fit may be worse than the best known: a miss, and a bad one.
MISS, BAD_MISS = 1e-6, 1e-3


class Spent(NamedTuple):
    """CPU time of one chunk: ms per curve, ms of the median curve, curves done and with result."""

    mean: float
    median: float
    n_curves: int
    n_results: int


class Ratio(NamedTuple):
    """One method over all chunks: ms, and how many times the reference's time it takes.

    `ratio` compares whole chunks; `of_median` the method's median curve with the reference.
    """

    ms: float
    ms_median: float
    ratio: float
    lowest: float
    highest: float
    of_median: float
    n_curves: int
    n_results: int


Run = Callable[[Simulated], Spent]


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """Give the names, another one first at each turn.

    >>> rotated(["a", "b", "c"], 1)
    ['b', 'c', 'a']
    """
    shift = turn % len(names)
    return [*names[shift:], *names[:shift]]


def timed_singly(fit: Callable[[Floats, Floats], object], n_curves: int) -> Run:
    """Time a program that fits one curve at a time, on the first curves of each chunk."""

    def run(chunk: Simulated) -> Spent:
        spent, results = [], 0
        for wells in chunk.viability[:n_curves]:
            start = time.process_time()
            with contextlib.suppress(NO_CURVE):
                results += fit(chunk.dose, wells) is not None
            spent.append(1000.0 * (time.process_time() - start))
        return Spent(statistics.mean(spent), statistics.median(spent), len(spent), results)

    return run


def timed_batch(fit: Callable[[Simulated], NDArray[np.bool_]]) -> Run:
    """Time one call that fits the whole batch and says which curves have a result."""

    def run(chunk: Simulated) -> Spent:
        start = time.process_time()
        results = fit(chunk)
        mean = 1000.0 * (time.process_time() - start) / len(results)
        return Spent(mean, mean, len(results), int(results.sum()))

    return run


def run_chunks(methods: dict[str, Run], chunks: Sequence[Simulated]) -> dict[str, list[Spent]]:
    """Run every method on every chunk, the order rotated from chunk to chunk."""
    spent: dict[str, list[Spent]] = {name: [] for name in methods}
    for turn, chunk in enumerate(chunks):
        for name in rotated(list(methods), turn):
            spent[name].append(methods[name](chunk))
    return spent


def ratios(spent: dict[str, list[Spent]], reference: str) -> dict[str, Ratio]:
    """Compare with the reference chunk by chunk; then median, lowest and highest over chunks."""
    found = {}
    for name, own in spent.items():
        pairs = list(zip(own, spent[reference], strict=True))
        whole = [one.mean / other.mean for one, other in pairs]
        found[name] = Ratio(
            statistics.median(one.mean for one in own),
            statistics.median(one.median for one in own),
            statistics.median(whole),
            min(whole),
            max(whole),
            statistics.median(one.median / other.mean for one, other in pairs),
            sum(one.n_curves for one in own),
            sum(one.n_results for one in own),
        )
    return found


class Missed(NamedTuple):
    """Shares of curves: no result, outside the bounds, worse than the best by 1e-6, by 1e-3."""

    n_curves: int
    none: float
    outside: float
    missed: float
    badly: float


def fit_by_all(
    data: Simulated, peers: Sequence[Peer], n_peers: int, batch: dict[str, Curves], search: Peer
) -> dict[str, Curves]:
    """Add to the batch results those of the search on all and of the peers on the first curves.

    Results of peers are shorter arrays.
    """
    found = dict(batch)
    found[search.name] = fit_all(search.fit, data.dose, data.viability)
    for peer in peers:
        found[peer.name] = fit_all(peer.fit, data.dose, data.viability[:n_peers])
    return found


def best_of(found: dict[str, Curves], data: Simulated) -> Floats:
    """Give the least error within the bounds that any method found for each curve."""
    n_curves = len(data.viability)
    padded = [
        Curves(*(np.append(part, np.full(n_curves - len(part), np.nan)) for part in curves))
        for curves in found.values()
    ]
    return best_feasible(padded, data.dose, data.viability)


def misses(curves: Curves, data: Simulated, best: Floats) -> Missed:
    """Count the curves whose fit is worse than the best known, as a share of SST.

    A result outside the bounds may be better than the best within them; that is no miss.
    """
    n_curves = len(curves.left)
    wells = data.viability[:n_curves]
    total = ((wells - wells.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    behind = (squared_error(curves, data.dose, wells) - best[:n_curves]) / total
    there = curves.present
    return Missed(
        n_curves,
        float(np.mean(~there)),
        float(np.mean(there & ~within_bounds(curves, data.dose))),
        float(np.mean(there & (behind > MISS))),
        float(np.mean(there & (behind > BAD_MISS))),
    )


class Error(NamedTuple):
    """Distance of log10 EC50 from the truth on the common subset, and how many had an EC50."""

    with_ec50: int
    median: float
    ninety_five: float


def ec50_errors(found: dict[str, Curves], data: Simulated) -> tuple[int, int, dict[str, Error]]:
    """Compare EC50s with the truth on the full curves for which every method has one.

    Returns
    -------
    tuple
        Full curves that all methods were given; those of them in the common subset; the errors.
    """
    n_curves = min(len(curves.left) for curves in found.values())
    full = data.kind[:n_curves] == "full"
    truth = data.truth.log10_ec50[:n_curves]
    known = {name: np.isfinite(curves.log10_ec50[:n_curves]) for name, curves in found.items()}
    common = np.logical_and.reduce([full, *known.values()])
    errors = {}
    for name, curves in found.items():
        off = np.abs(curves.log10_ec50[:n_curves] - truth)[common]
        middle, far = np.quantile(off, [0.5, 0.95]) if len(off) else (np.nan, np.nan)
        errors[name] = Error(int((known[name] & full).sum()), float(middle), float(far))
    return int(full.sum()), int(common.sum()), errors
