"""What a layout says about the signals of a plate: which wells are alike, which fall with dose.

Wells of one kind of control should be alike. Wells of one drug should be alike at one dose and
fall from dose to dose. A design holds this in arrays, so that many plates and placements are
scored at once.
"""

from dataclasses import dataclass

import numpy as np

from drp.registration.columns import Flags, Indices, Wells, name_rows, number_rows, starts


@dataclass(frozen=True, slots=True)
class Design:
    """The wells of a layout in the order group, level; a group is a kind of control or a series.

    Attributes
    ----------
    row, column : array of int, shape (n,)
        Place of each well in the layout, from 1.
    filled : array of bool, shape (n,)
        True where the layout puts something.
    level_of : array of int, shape (n,)
        The level of each well: one per kind of control, one per dose of a series.
    level_starts : array of int, shape (levels,)
        First well of each level.
    group_starts : array of int, shape (groups,)
        First level of each group.
    negative, low : array of bool, shape (levels,)
        Levels of negative controls, and of positive controls and blanks, which lie below them.
    content : array of int, shape (n,)
        What a well with a dose holds, as `number_contents` numbers it; -1 for all others.
    """

    row: Indices
    column: Indices
    filled: Flags
    level_of: Indices
    level_starts: Indices
    group_starts: Indices
    negative: Flags
    low: Flags
    content: Indices


def make_design(wells: Wells, rows: Indices, content: Indices) -> Design:
    """Give the design of one plate's layout.

    Parameters
    ----------
    wells : Wells
        All wells.
    rows : array of int
        Which of them are the plate's.
    content : array of int, shape (n,)
        Of all wells, as `number_contents` gives it.
    """
    group = _groups(wells, rows)
    doses = wells.dose[rows]
    order = np.lexsort((doses[:, 2], doses[:, 1], doses[:, 0], group))
    group, doses, rows = group[order], doses[order], rows[order]
    new_group = starts(group[:, None])
    new_level = new_group | starts(doses)
    return Design(
        row=wells.row[rows],
        column=wells.column[rows],
        filled=wells.filled[rows],
        level_of=np.cumsum(new_level) - 1,
        level_starts=np.flatnonzero(new_level),
        group_starts=np.flatnonzero(new_group[new_level]),
        negative=wells.negative[rows][new_level],
        low=wells.low[rows][new_level],
        content=content[rows],
    )


def number_contents(wells: Wells) -> Indices:
    """Number what the wells of all plates hold, whosever cells they are; -1 without a dose.

    The same content has the same number in every table: plates may be laid out some at a time.

    Parameters
    ----------
    wells : Wells
        All wells.
    """
    return np.where(wells.dosed, name_wells(wells), -1)


def name_wells(wells: Wells) -> Indices:
    """Number what stands in wells, with a dose or without, samples left aside, as above."""
    role_and_drugs = np.delete(wells.kind, 1, axis=1)
    words = [known for place, known in enumerate(wells.words) if place != 1]
    return name_rows(np.column_stack([role_and_drugs, wells.dose]), words)


def _groups(wells: Wells, rows: Indices) -> Indices:
    """Number the groups: wells of one role, sample, drugs and arm.

    Of a combination the wells with one dose of the partners are a series of their own; where each
    such series is a single well, as on a diagonal, they are one series in the order of the doses.
    """
    kind = number_rows(wells.kind[rows])
    series = number_rows(np.column_stack([kind, wells.dose[rows, 1:]]))
    single = np.bincount(series)[series] == 1
    # Single wells of one kind go together under a number that no series has.
    return np.where(single, series.max(initial=0) + 1 + kind, series)
