"""Synergy beside the package `synergy` 1.0.0, in one run: agreement, speed, a bootstrap.

    python benchmarks/synergy.py [--parts agreement speed panel draws] [--repeats 5] [--seed N]

One thread, CPU time, medians, ratios of the same run. Without `synergy` (pip install
synergy==1.0.0) its columns are empty. Matrices are simulated: `clean` without noise, on which a
general optimiser arrives at once, `noisy` with a well SD of 5 points, as plates are. Agreement is
shown on clean matrices, where both have one answer; on noisy ones fits differ, so the squared
errors of the single curves say whose are better.
"""

import argparse
import os
import secrets
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
if any(os.environ.get(name) != "1" for name in THREADS):  # read when NumPy is imported
    os.environ.update(dict.fromkeys(THREADS, "1"))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from drp.synergy import nulls  # noqa: E402
from drp.synergy.hill import HillFits, fit_hill  # noqa: E402
from drp.synergy.loewe import loewe  # noqa: E402
from drp.synergy.musyc import Musyc, fit_musyc, musyc_surface  # noqa: E402
from drp.synergy.zip import zip_draws, zip_model, zip_models  # noqa: E402

OWN = sys.path.pop(0)  # this file has the name of the package it compares with
try:
    from synergy import combination as peer
except ImportError:
    peer = None
sys.path.insert(0, OWN)

Floats = NDArray[np.float64]
SIZES = (4, 6, 8, 10)
WELL_SD = 5.0
DRAWS = 1000
PANEL = 40
# As many of the peer's draws as its median needs; the rest is multiplied.
PEER_DRAWS = 5


@dataclass
class Matrix:
    """Levels of both drugs, 0 first, and inhibition of every cell, %."""

    first: Floats
    second: Floats
    table: Floats

    @property
    def long(self) -> tuple[Floats, Floats, Floats]:
        """Doses and fraction alive, one entry per well, as the peer wants them."""
        one, other = (part.ravel() for part in np.meshgrid(self.first, self.second, indexing="ij"))
        return one, other, 1 - self.table.ravel() / 100

    @property
    def doses(self) -> Floats:
        mesh = np.meshgrid(self.first[1:], self.second[1:], indexing="ij")
        return np.column_stack([part.ravel() for part in mesh])


def simulate(size: int, noise: float, rng: np.random.Generator) -> Matrix:
    """Draw a matrix of the four-state model: half-log doses, a little synergy of potency."""
    truth = Musyc(1, 0.4, 0.3, 0.1, rng.uniform(1, 2), rng.uniform(0.8, 1.5), 10, 3, 2.0)
    steps = 10 ** (-0.5 * np.arange(size - 1)[::-1])
    first, second = np.append(0, 100 * steps), np.append(0, 30 * steps)
    one, other = (part.ravel() for part in np.meshgrid(first, second, indexing="ij"))
    clean = 100 - 100 * musyc_surface(truth, one, other)
    table = clean + rng.normal(0, noise, clean.shape) if noise else clean
    return Matrix(first, second, table.reshape(size, size))


def singles(matrix: Matrix) -> HillFits:
    dose = np.stack([matrix.first, matrix.second])
    return fit_hill(dose, np.stack([matrix.table[:, 0], matrix.table[0]]))


def our_bliss(matrix: Matrix) -> Floats:
    one, other = np.broadcast_arrays(matrix.table[1:, :1], matrix.table[:1, 1:])
    return matrix.table[1:, 1:] - nulls.bliss(np.stack([one, other], axis=-1))


def our_loewe(matrix: Matrix) -> Floats:
    expected = loewe(singles(matrix), matrix.doses).expected
    return matrix.table[1:, 1:] - expected.reshape(matrix.table[1:, 1:].shape)


def our_zip(matrix: Matrix) -> Floats:
    return zip_model((matrix.first, matrix.second), matrix.table, variant="fitted").excess


def our_musyc(matrix: Matrix) -> Floats:
    first, second, alive = matrix.long
    found = fit_musyc(first, second, 100 - 100 * alive).parameters
    return np.log10([found.alpha12, found.alpha21])


def of_peer(name: str, **options: object) -> Callable[[Matrix], Floats]:
    """Give the peer's excess of the combination cells, points; NaN where it fails."""

    def score(matrix: Matrix) -> Floats:
        inner = matrix.table[1:, 1:].shape
        model = getattr(peer, name)(**options)
        try:
            fitted = model.fit(*matrix.long)
        except (ValueError, RuntimeError, ArithmeticError, AttributeError):
            return np.full(inner, np.nan)
        if name == "MuSyC":
            found = model.get_parameters()
            return np.log10([found["alpha12"], found["alpha21"]])
        excess = fitted if fitted is not None else model.synergy
        return 100 * np.reshape(excess, matrix.table.shape)[1:, 1:]

    return score


MODELS: dict[str, tuple[Callable[[Matrix], Floats], Callable[[Matrix], Floats]]] = {
    "Bliss": (our_bliss, of_peer("Bliss")),
    "Loewe": (our_loewe, of_peer("Loewe", mode="delta_hsa")),
    "ZIP": (our_zip, of_peer("ZIP")),
    "MuSyC": (our_musyc, of_peer("MuSyC")),
}


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Give the median CPU time of a call, after one that does not count."""
    run()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        run()
        taken.append(time.process_time() - begun)
    return float(np.median(taken))


def agreement(rng: np.random.Generator, _repeats: int) -> None:
    """Show the largest difference of cells, points (MuSyC: of log10 potency), by size."""
    print("\nlargest difference to `synergy` over 5 clean matrices, points; MuSyC: log10 alpha")
    print("size | " + " | ".join(MODELS))
    for size in SIZES:
        matrices = [simulate(size, 0.0, rng) for _ in range(5)]
        row = []
        for ours, theirs in MODELS.values():
            if peer is None:
                row.append("-")
                continue
            apart = [np.abs(ours(one) - theirs(one)).max() for one in matrices]
            row.append(f"{np.nanmax(apart):.1e}")
        print(f"{size} | " + " | ".join(row), flush=True)
    print("\nsquared error of single curves on 20 noisy matrices: ours over theirs, - if none of")
    print("theirs is in our bounds | median | largest")
    ratios = single_curve_ratios(rng)
    if len(ratios):
        print(f"{len(ratios)} curves | {np.median(ratios):.4f} | {ratios.max():.4f}")


def single_curve_ratios(rng: np.random.Generator) -> Floats:
    """Compare squared errors of single curves where the peer's lie inside our bounds."""
    ratios: list[float] = []
    if peer is None:
        return np.array(ratios)
    for _ in range(20):
        matrix = simulate(8, WELL_SD, rng)
        ours, zipped = singles(matrix), peer.ZIP()
        zipped.fit(*matrix.long)
        sides = ((matrix.first, matrix.table[:, 0]), (matrix.second, matrix.table[0]))
        for drug, (dose, values) in enumerate(sides):
            curve = (zipped.drug1_model, zipped.drug2_model)[drug]
            found = curve.get_parameters()
            effects = 100 * (1 - np.array([found["E0"], found["Emax"]]))
            inside = effects.max() <= 105 and 0.1 <= found["h"] <= 10
            inside &= dose[1] / 10 <= found["C"] <= dose[-1] * 10
            if inside:
                error = 100 * (1 - curve.E(dose)) - values
                ratios.append(float(ours.rss[drug] / (error @ error)))
    return np.array(ratios)


def speed(rng: np.random.Generator, repeats: int) -> None:
    """Time each model on one matrix at a time: milliseconds, and theirs over ours."""
    for noise in (0.0, WELL_SD):
        kind = f"noisy, SD {noise:g}" if noise else "clean"
        print(f"\nCPU ms of one matrix ({kind}), ours / theirs / ratio; median of {repeats}")
        print("size | " + " | ".join(MODELS))
        for size in SIZES:
            matrix = simulate(size, noise, rng)
            row = []
            for ours, theirs in MODELS.values():
                mine = seconds(lambda run=ours, of=matrix: run(of), repeats)
                if peer is None:
                    row.append(f"{1e3 * mine:.2f}")
                    continue
                other = seconds(lambda run=theirs, of=matrix: run(of), repeats)
                row.append(f"{1e3 * mine:.2f} / {1e3 * other:.1f} / {other / mine:.0f}")
            print(f"{size} | " + " | ".join(row), flush=True)


def panel(rng: np.random.Generator, repeats: int) -> None:
    """Time the ZIP of many matrices in one call, as a panel is scored, per matrix."""
    print(f"\nCPU ms of ZIP per matrix, {PANEL} noisy matrices in one call; theirs one by one")
    print("size | ours | theirs | ratio")
    for size in SIZES:
        matrices = [simulate(size, WELL_SD, rng) for _ in range(PANEL)]
        pairs = [((one.first, one.second), one.table) for one in matrices]
        mine = seconds(lambda these=pairs: zip_models(these, variant="fitted"), repeats) / PANEL
        if peer is None:
            print(f"{size} | {1e3 * mine:.2f}", flush=True)
            continue
        few = matrices[:PEER_DRAWS]
        theirs = np.median([seconds(lambda of=one: MODELS["ZIP"][1](of), 1) for one in few])
        print(f"{size} | {1e3 * mine:.2f} | {1e3 * theirs:.0f} | {theirs / mine:.0f}", flush=True)


def all_four(matrix: Matrix, drawn: Floats) -> Floats:
    """Score every draw by Bliss, HSA, Loewe and ZIP: means, (4, n_draws)."""
    levels, inner = (matrix.first, matrix.second), drawn[:, 1:, 1:]
    weight = np.full(matrix.table.shape, 3.0)
    observed = zip_model(levels, matrix.table, weight)
    alone = np.stack(np.broadcast_arrays(drawn[:, 1:, :1], drawn[:, :1, 1:]), axis=-1)
    expected, fitted, fits = zip_draws(observed, levels, drawn, weight)
    additive = loewe(fits, matrix.doses).expected.reshape(inner.shape)
    excess = (
        inner - nulls.bliss(alone),
        inner - nulls.hsa(alone),
        inner - additive,
        fitted - expected,
    )
    return np.array([one.mean(axis=(1, 2)) for one in excess])


def draws(rng: np.random.Generator, repeats: int) -> None:
    """Time 1,000 joint draws of all four models, and the peer's ZIP of as many."""
    print(f"\nCPU s of {DRAWS} joint draws, Bliss + HSA + Loewe + ZIP, triplicate, SD {WELL_SD:g};")
    print("`synergy`: its ZIP alone, from a few draws")
    print("size | ours | theirs | ratio")
    for size in SIZES[1:]:
        matrix = simulate(size, WELL_SD / np.sqrt(3), rng)
        noise = rng.normal(0, WELL_SD / np.sqrt(3), (DRAWS, size, size))
        drawn = matrix.table + noise
        mine = seconds(lambda of=matrix, these=drawn: all_four(of, these), repeats)
        if peer is None:
            print(f"{size} | {mine:.2f}", flush=True)
            continue
        few = [Matrix(matrix.first, matrix.second, one) for one in drawn[:PEER_DRAWS]]
        taken = [seconds(lambda of=one: MODELS["ZIP"][1](of), 1) for one in few]
        theirs = DRAWS * float(np.median(taken))
        print(f"{size} | {mine:.2f} | {theirs:.0f} | {theirs / mine:.0f}", flush=True)


PARTS = {"agreement": agreement, "speed": speed, "panel": panel, "draws": draws}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    print(f"seed {seed}; peer: {'synergy' if peer else 'absent'}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for place, part in enumerate(PARTS):
            if part in given.parts:
                PARTS[part](np.random.default_rng([seed, place]), given.repeats)


if __name__ == "__main__":
    main()
