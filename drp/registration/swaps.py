"""Whether two plates of a run carry each other's layout."""

from collections.abc import Iterable

import numpy as np

from drp.problems import Place, Problem, Problems
from drp.registration.agreement import agree_with_layout
from drp.registration.columns import Table, Values
from drp.registration.plates import Plate, lay_out, read_at
from drp.registration.positions import LEAST_GAIN, LEAST_SCORE, LEAST_SPREAD

# What is left unexplained must shrink to this part, for both plates.
_LEFT = 0.4
# Share of the scatter that no layout explains: keeps two nearly perfect fits comparable.
_NOISE_SHARE = 0.005
_FIX = "Check which export belongs to which plate in plates.tsv; nothing was exchanged."


def check_swaps(wells: Table) -> list[Problem]:
    """Find pairs of plates of a run that fit each other's layout much better than their own.

    Parameters
    ----------
    wells : DataFrame or dict of str to list
        Table `wells` with row and column, of whole runs, in any order.

    Returns
    -------
    list of Problem
        One warning ``wells.swapped-plates`` per pair, with the scores (see
        `drp.registration.score_placements`). Plates with the same layout are never found: the
        signals do not say whose they are.
    """
    return check_exchanged(lay_out(wells))


def check_exchanged(plates: Iterable[Plate]) -> list[Problem]:
    """Do as `check_swaps` with plates that are laid out, as `lay_out` gives them."""
    runs: dict[tuple[str, tuple[int, int]], list[Plate]] = {}
    for plate in plates:
        if plate.spread >= LEAST_SPREAD:
            runs.setdefault((plate.run, plate.shape), []).append(plate)
    found = Problems()
    for of_run in runs.values():
        if len({plate.key for plate in of_run}) > 1:
            _check_run(of_run, found)
    return found.items


def _check_run(plates: list[Plate], found: Problems) -> None:
    score = _cross_scores(plates)
    own = np.diag(score)[:, None]
    left = (1 - score + _NOISE_SHARE) / (1 - own + _NOISE_SHARE)
    fits = (score >= LEAST_SCORE) & (score - own >= LEAST_GAIN) & (left <= _LEFT)
    pairs = np.argwhere(np.triu(fits & fits.T, 1)).tolist()
    free = np.ones(len(plates), dtype=bool)
    # The clearest pair first; of pairs that look the same, the first by name.
    for one, other in sorted(
        pairs, key=lambda pair: left[pair[0], pair[1]] * left[pair[1], pair[0]]
    ):
        if free[one] and free[other]:
            free[[one, other]] = False
            _note(plates, one, other, score, found)


def _cross_scores(plates: list[Plate]) -> Values:
    """Score every plate (row) with every plate's layout (column)."""
    columns = {}
    for plate in plates:
        if plate.key not in columns:
            design = plate.layout
            levels, unread = read_at(plates, design.row[None], design.column[None])
            columns[plate.key] = agree_with_layout(design, levels, unread).score
    return np.stack([columns[plate.key] for plate in plates], axis=1)


def _note(plates: list[Plate], one: int, other: int, score: Values, found: Problems) -> None:
    text = (
        f"plates {plates[one].name} and {plates[other].name} fit each other's layout better than "
        f"their own (score {score[one, other]:.2f} against {score[one, one]:.2f}, and "
        f"{score[other, one]:.2f} against {score[other, other]:.2f})"
    )
    found.warning(
        "wells.swapped-plates", Place(plates[one].file, plate=plates[one].name), text, _FIX
    )
