"""The wells of some plates that can be computed, and the problems of those that cannot.

A batch does it in two steps, `plates` and `wells`, and keeps what belongs to its samples; a run
does it for all of its plates at once, since they are judged beside each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from drp.joining import join_columns
from drp.plain_tables import Columns, choose
from drp.plates.from_sheets import PlatesRead, read_plates
from drp.problems import DataError, Problems
from drp.refusals import plates_at_fault, refused_samples
from drp.registration import check_controls
from drp.sheetfiles import Row


def read_good_plates(
    rows: Sequence[Row], folder: str, layouts: Mapping[str, Mapping[str, Any]]
) -> PlatesRead:
    """Read what rows of plates.tsv name, and leave out the plates that have an error.

    Parameters
    ----------
    rows, folder, layouts
        As in `drp.plates.from_sheets.read_plates`.

    Returns
    -------
    PlatesRead
        Readings of good plates only; its problems hold every error.

    Raises
    ------
    DataError
        An error cannot be laid to some plates alone.
    """
    found = read_plates(rows, folder, layouts)
    return replace(found, reads=_without_errors(found.reads, found.problems, rows))


def join_good_plates(
    reads: Columns,
    layouts: Columns,
    rows: Sequence[Row],
    exclusions: Iterable[Row],
    settings: Mapping[str, Any],
    found: Problems,
) -> Columns:
    """Join readings and layouts, and leave out the plates that have an error.

    Parameters
    ----------
    reads, layouts, rows, exclusions
        As in `drp.joining.join_columns`; rows without readings or layout are left out, their
        problem was found when they were read.
    settings : mapping
        `read` and `normalisation` of the configuration.
    found : Problems
        Takes every problem of the join, and of the controls.

    Returns
    -------
    dict of str to list
        Table `wells` as plain columns.

    Raises
    ------
    DataError
        An error cannot be laid to some plates alone.
    """
    known, mapped = set(reads["plate"]), set(layouts["layout"])
    readable = [row for row in rows if row["plate"] in known and row["layout"] in mapped]
    joined = join_columns(
        reads, layouts, readable, exclusions, settings["read"], settings["normalisation"], found
    )
    found.extend(check_controls(joined))
    return _without_errors(joined, found, rows)


def _without_errors(table: Columns, found: Problems, rows: Sequence[Row]) -> Columns:
    """Leave out the rows of plates in error; an error of no plate in particular is raised."""
    bad = plates_at_fault(found.items, rows)
    if bad is None:
        raise DataError(found.items)
    if not bad:
        return table
    return choose(table, [at for at, plate in enumerate(table["plate"]) if plate not in bad])


def own_wells(wells: Columns, rows: Sequence[Row], samples: Iterable[str]) -> Columns:
    """Keep the drug wells of some samples, and the controls of their plates.

    A sample with wells on a plate that is not there is left out whole: what is on its other plates
    would look like all of it.

    Parameters
    ----------
    wells : dict of str to list
        From `join_good_plates`.
    rows : sequence of dict
        Rows of plates.tsv: all plates of the samples.
    samples : iterable of str
        The samples wanted.

    Examples
    --------
    >>> rows = [{"plate": "PL1", "sample": "S1;S2"}, {"plate": "PL2", "sample": "S2"}]
    >>> wells = {"plate": ["PL1"] * 3, "role": ["negative", "sample", "sample"],
    ...          "sample": ["", "S1", "S2"]}
    >>> own_wells(wells, rows, ["S1", "S2"])["sample"]
    ['', 'S1']
    """
    there = set(wells["plate"])
    missing = [row["plate"] for row in rows if row["plate"] not in there]
    own = set(samples) - refused_samples(missing, rows)
    plates = {row["plate"] for row in rows if refused_samples([row["plate"]], [row]) & own}
    kept = [
        at
        for at, (plate, role, sample) in enumerate(
            zip(wells["plate"], wells["role"], wells["sample"], strict=True)
        )
        if plate in plates and (role != "sample" or sample in own)
    ]
    return wells if len(kept) == len(wells["plate"]) else choose(wells, kept)
