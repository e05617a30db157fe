"""Whether the layout lies on the plate as it was read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drp.problems import Place, Problem, Problems
from drp.registration.agreement import Agreement, advantage
from drp.registration.columns import Table
from drp.registration.placements import PLACEMENTS
from drp.registration.plates import Evidence, Plate, lay_out, place
from drp.registration.sizes import check_sizes

if TYPE_CHECKING:
    import pandas as pd

# Chosen by measurement, see docs/validation/registration.md.
LEAST_SCORE = 0.3  # a placement that explains less is no better placement
LEAST_GAIN = 0.05  # of the score, against the plate's own layout
LEAST_GAIN_OTHERS = 0.2  # likewise against the other plates
LEAST_ADVANTAGE = 3.0  # standard errors
LEAST_SPREAD = 0.2  # wells that differ by less (about 20 %) show little but noise and drift
_STATED = 0
_FIX = (
    "Check on which corner the plate and the layout begin, and correct the layout or the export; "
    "nothing was moved."
)
_FIX_UNKNOWN = "Export the plate with row letters and column numbers, or check the corner by hand."


def score_placements(wells: Table) -> "pd.DataFrame":
    """Score each plate's layout as stated, shifted, turned and mirrored.

    Parameters
    ----------
    wells : DataFrame or dict of str to list
        Table `wells` with row and column, as `drp.wells.join_wells` gives it.

    Returns
    -------
    DataFrame
        plate, placement (in words), score and score_others (shares of the scatter of the signals
        that the layout, and the other plates with the same drugs and doses, explain: up to 1,
        about 0 for wells at random, NaN where nothing is to be compared), advantage (of the stated
        placement over this one by the first score, in standard errors; 0 for itself).
    """
    import pandas as pd

    rows = [
        {
            "plate": evidence.plate.name,
            "placement": placement.words,
            "score": evidence.layout.score[index],
            "score_others": evidence.others.score[index],
            "advantage": advantage(evidence.layout, _STATED, index) if index else 0.0,
        }
        for evidence in place(lay_out(wells))
        for index, placement in enumerate(PLACEMENTS)
    ]
    columns = ["plate", "placement", "score", "score_others", "advantage"]
    return pd.DataFrame(rows, columns=columns)


def check_registration(wells: Table) -> list[Problem]:
    """Compare each layout as stated with its shifts by a row or column, its turn, its mirrors.

    A placement is better if wells that the layout calls alike are more alike there, positive
    controls lie below negative ones and signals fall with dose; or if the plate then shows what
    three or more other plates show where they hold the same drugs and doses. Nothing is moved.

    Parameters
    ----------
    wells : DataFrame or dict of str to list
        Table `wells` with row and column, as `drp.wells.join_wells` gives it, in any order.
        `registration` (``positional`` where the export has no labels) and `locator` (empty where
        the export has no such well) may be there. Hand over whole runs or projects: plates are
        compared with each other.

    Returns
    -------
    list of Problem
        By plate: ``wells.size-mismatch`` (error), ``wells.registration`` (warning), and for
        positional exports ``wells.registration-unknown`` (warning) where the signals leave
        another placement open.

    Examples
    --------
    A plate that was read one column to the right of its layout:

    >>> import pandas as pd
    >>> def control(row, column):
    ...     return (row * column) % 5 == 0
    >>> plate = pd.DataFrame([
    ...     {"plate": "P1", "run": "R1", "row": row, "column": column, "sample": "S1",
    ...      "role": "negative" if control(row, column) else "sample",
    ...      "drug": "DMSO" if control(row, column) else f"drug {row}",
    ...      "dose": float("nan") if control(row, column) else 10.0**column,
    ...      "signal": 100.0 if control(row, column - 1) else 98.0 - 8 * (column - 1)}
    ...     for row in range(1, 9) for column in range(1, 13)])
    >>> plate = plate.assign(drug2="", dose2=None, drug3="", dose3=None, status="ok",
    ...                      excluded=False)
    >>> for problem in check_registration(plate):
    ...     print(problem.found)
    the layout fits better one column right (score 1.00 against 0.55 as stated)
    """
    sizes = check_sizes(wells)
    return [*sizes, *check_placements(lay_out(wells), sizes)]


def check_placements(plates: Iterable[Plate], sizes: Iterable[Problem]) -> list[Problem]:
    """Do as `check_registration` with plates that are laid out.

    Parameters
    ----------
    plates : iterable of Plate
        From `lay_out`, by name.
    sizes : iterable of Problem
        From `check_sizes`: plates whose layout is for another size are left out.
    """
    found = Problems()
    mismatched = {problem.where.plate for problem in sizes}
    for evidence in place([plate for plate in plates if plate.name not in mismatched]):
        better = _better_placement(evidence)
        where = Place(evidence.plate.file, plate=evidence.plate.name)
        if better is not None:
            found.warning("wells.registration", where, better.words(), _FIX)
        elif evidence.plate.positional:
            _check_open(evidence, where, found)
    return found.items


@dataclass(frozen=True, slots=True)
class Better:
    """A placement that is clearly better than the stated one, and others as good as it."""

    index: int
    equals: list[int]
    by_others: bool
    evidence: Evidence

    def words(self) -> str:
        """Say what fits better, with the scores."""
        score = (self.evidence.others if self.by_others else self.evidence.layout).score
        lead = "compared with the other plates, " if self.by_others else ""
        text = (
            f"{lead}the layout fits better {PLACEMENTS[self.index].words} "
            f"(score {score[self.index]:.2f} against {score[_STATED]:.2f} as stated)"
        )
        equals = [f"{PLACEMENTS[i].words} ({score[i]:.2f})" for i in self.equals]
        return f"{text}; also possible: {', '.join(equals)}" if equals else text


def _better_placement(evidence: Evidence) -> Better | None:
    """Give the placement that both kinds of evidence together favour, if one of them is clear."""
    if evidence.plate.spread < LEAST_SPREAD:
        return None
    by_layout = _clearly_better(evidence.layout, LEAST_GAIN)
    by_others = _clearly_better(evidence.others, LEAST_GAIN_OTHERS)
    clear = sorted({*by_layout, *by_others})
    if not clear:
        return None
    together = np.nan_to_num(evidence.layout.score) + np.nan_to_num(evidence.others.score)
    best = max(clear, key=lambda index: float(together[index]))
    equals = [index for index in clear if index != best and not _ruled_out(evidence, best, index)]
    return Better(best, equals, best not in by_layout, evidence)


def _clearly_better(found: Agreement, least_gain: float) -> list[int]:
    """List the placements clearly better than the stated one."""
    gain = np.nan_to_num(found.score - found.score[_STATED], nan=-np.inf)
    rising = np.flatnonzero((found.score >= LEAST_SCORE) & (gain >= least_gain)).tolist()
    return [index for index in rising if advantage(found, index, _STATED) >= LEAST_ADVANTAGE]


def _ruled_out(evidence: Evidence, better: int, worse: int) -> bool:
    """Say whether one placement is so much better that the other is not to be considered."""
    return any(
        found.score[better] - found.score[worse] >= least_gain
        and advantage(found, better, worse) >= LEAST_ADVANTAGE
        for found, least_gain in (
            (evidence.layout, LEAST_GAIN),
            (evidence.others, LEAST_GAIN_OTHERS),
        )
    )


def _check_open(evidence: Evidence, where: Place, found: Problems) -> None:
    """Without labels, say which other placements the signals do not rule out."""
    spread = evidence.plate.spread >= LEAST_SPREAD
    open_to = [
        index
        for index, placement in enumerate(PLACEMENTS)
        if index != _STATED
        and placement.physical
        and not (spread and _ruled_out(evidence, _STATED, index))
    ]
    if open_to:
        shown = ", ".join(PLACEMENTS[index].words for index in open_to[:3])
        more = f" and {len(open_to) - 3} more" if len(open_to) > 3 else ""
        text = (
            "the export has no well labels, and controls and doses do not tell whether the layout "
            f"lies as stated or {shown}{more}"
        )
        found.warning("wells.registration-unknown", where, text, _FIX_UNKNOWN)
