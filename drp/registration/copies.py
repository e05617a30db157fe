"""Whether a plate is there twice: the same export, barcode or values under two names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drp.problems import Place, Problem, Problems
from drp.registration.columns import (
    Indices,
    Table,
    Values,
    listed,
    numbered,
    numbers,
    rows_of,
    texts,
)
from drp.registration.placements import PLACEMENTS, Placement
from drp.wellnames import MOST_COLUMNS, MOST_ROWS, parse_well, smallest_format

_RUN = 4  # values side by side that two plates do not share by chance
_FEWEST_RUNS = 6
_SHARE = 0.5  # of the runs of the smaller plate
_EQUAL = 0.9  # of the wells both have: then one is the other's copy
_AT_ONCE = 256  # plates: bounds the memory
_FIX = "One of the two is a copy; export both plates again, or correct plates.tsv."

Plate = dict[str, str]


def check_copies(reads: Table) -> list[Problem]:
    """Find plates that are one and the same: by file, by barcode, by their values.

    Parameters
    ----------
    reads : DataFrame or dict of str to list
        Table `reads` of any number of plates, in any order. `file_sha256`, `plate_index` and
        `barcode` are compared where they are there.

    Returns
    -------
    list of Problem
        Errors, for the second plate of a pair. ``wells.same-export``: two plates were read from
        the same place of the same file. ``wells.same-barcode``: two plates carry one barcode.
        ``wells.identical-plates``: nine wells in ten, or more, have exactly equal values, as read
        or one row or column off, turned or mirrored. A pair is reported once, by the first of
        these that holds; exact copies within one file are not, `drp.read_plate` reports them.

    Notes
    -----
    Values are compared in runs of four different ones side by side, forwards or backwards, so
    that equal digits, zeros or a saturated corner make no copy.
    """
    return compare_readings([gather_readings(reads)])


@dataclass(frozen=True, slots=True)
class Readings:
    """What tells copies of plates: where each was read, and its values."""

    plates: list[Plate]
    grids: list["_Grid"]


def gather_readings(reads: Table) -> Readings:
    """Give what `compare_readings` needs of some plates: a small part of the table `reads`."""
    return Readings(_plates(reads), _grids(reads))


def compare_readings(parts: Iterable[Readings]) -> list[Problem]:
    """Find copies as `check_copies` does, among the plates of several tables together."""
    parts = list(parts)
    plates = sorted((p for part in parts for p in part.plates), key=lambda p: p["plate"])
    grids = sorted((g for part in parts for g in part.grids), key=lambda g: (g.plate, g.read))
    found, known = Problems(), set[tuple[str, str]]()
    _check_exports(plates, known, found)
    _check_barcodes(plates, known, found)
    file_of = {plate["plate"]: plate["file"] for plate in plates}
    for one, other in _alike(grids):
        names = (grids[one].plate, grids[other].plate)
        copy = None if names in known else _find_copy(grids[one].values, grids[other].values)
        if copy is None:
            continue
        known.add(names)
        # A reader that finds such copies within its file has said so.
        if not (copy.exact and file_of[names[0]] == file_of[names[1]]):
            where = Place(file_of[names[1]], plate=names[1])
            text = f"the values equal those of plate {names[0]}{copy}"
            found.error("wells.identical-plates", where, text, _FIX)
    return found.items


def _plates(reads: Table) -> list[Plate]:
    """Give what is the same in all readings of a plate, by plate."""
    columns = {name: texts(reads, name) for name in ("plate", "file", "barcode", "file_sha256")}
    index = listed(reads, "plate_index") if "plate_index" in reads else [1] * len(columns["plate"])
    first: dict[str, int] = {}
    for row, name in enumerate(columns["plate"]):
        first.setdefault(name, row)
    return [
        {name: values[row] for name, values in columns.items()} | {"part": str(index[row])}
        for _, row in sorted(first.items())
    ]


def _check_exports(plates: list[Plate], known: set[tuple[str, str]], found: Problems) -> None:
    fix = "Correct the file, or the plate_index, of one of them in plates.tsv."
    for one, other in _equal_pairs(plates, ("file_sha256", "part"), known):
        text = f"plates {other['plate']} and {one['plate']} were read from the same part of a file"
        found.error("wells.same-export", Place(other["file"], plate=other["plate"]), text, fix)


def _check_barcodes(plates: list[Plate], known: set[tuple[str, str]], found: Problems) -> None:
    fix = "Correct plates.tsv if one plate was named twice; else export both again."
    for one, other in _equal_pairs(plates, ("barcode",), known):
        code = f"{other['barcode']!r}"
        text = f"plates {other['plate']} and {one['plate']} carry the same barcode, {code}"
        found.error("wells.same-barcode", Place(other["file"], plate=other["plate"]), text, fix)


def _equal_pairs(
    plates: list[Plate], columns: tuple[str, ...], known: set[tuple[str, str]]
) -> Iterator[tuple[Plate, Plate]]:
    """Give pairs of plates with equal entries, the first of them not empty; note them as known."""
    first: dict[tuple[str, ...], Plate] = {}
    for plate in plates:
        if plate[columns[0]]:
            one = first.setdefault(tuple(plate[name] for name in columns), plate)
            names = (one["plate"], plate["plate"])
            if one is not plate and names not in known:
                known.add(names)
                yield one, plate


@dataclass(frozen=True, slots=True)
class _Grid:
    """One measurement of a plate, 32 x 48 wells; NaN where there is no value."""

    plate: str
    read: str
    values: Values


def _grids(reads: Table) -> list[_Grid]:
    plate, names = numbered(texts(reads, "plate"))
    read, labels = numbered(texts(reads, "read"))
    measurement = plate * len(labels) + read
    wells = texts(reads, "well")
    place_of = {well: parse_well(well) or (0, 0) for well in set(wells)}
    row, column = np.array([place_of[well] for well in wells]).reshape(-1, 2).T
    status = np.array(texts(reads, "status"), dtype=object)
    signal = np.where(status == "ok", numbers(reads, "signal"), np.nan)
    grids = []
    for rows in rows_of(measurement, len(names) * len(labels)):
        if len(rows):
            values = np.full((MOST_ROWS, MOST_COLUMNS), np.nan)
            values[row[rows] - 1, column[rows] - 1] = signal[rows]
            grids.append(_Grid(names[plate[rows[0]]], labels[read[rows[0]]], values))
    return grids


def _alike(grids: list[_Grid]) -> list[tuple[int, int]]:
    """Give pairs of measurements of different plates that share half of their runs of values."""
    parts = [_runs(grids, start) for start in range(0, len(grids), _AT_ONCE)]
    if not parts:
        return []
    owner, key = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((owner, key))
    owner, key = owner[order], key[order]
    new = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    # Every run is compared with the first measurement that has it: pairs do not multiply.
    first = owner[new][np.cumsum(new) - 1]
    pairs, shared = np.unique((first * len(grids) + owner)[first != owner], return_counts=True)
    total = np.bincount(owner, minlength=len(grids))
    return [
        divmod(pair, len(grids))
        for pair, runs in zip(pairs.tolist(), shared.tolist(), strict=True)
        if _enough(divmod(pair, len(grids)), runs, total, grids)
    ]


def _enough(pair: tuple[int, int], shared: int, total: Indices, grids: list[_Grid]) -> bool:
    one, other = pair
    least = max(_SHARE * min(total[one], total[other]), _FEWEST_RUNS)
    return bool(shared >= least) and grids[one].plate != grids[other].plate


def _runs(grids: list[_Grid], start: int) -> tuple[Indices, NDArray[np.uint64]]:
    """Give owner and key of every run of different values; backwards has the same key."""
    values = np.stack([grid.values for grid in grids[start : start + _AT_ONCE]])
    runs = np.lib.stride_tricks.sliding_window_view(values, _RUN, axis=2)
    distinct = (np.diff(np.sort(runs, axis=-1), axis=-1) > 0).all(axis=-1)
    owner = np.broadcast_to(np.arange(len(values))[:, None, None], distinct.shape)[distinct]
    kept = runs[distinct]
    forward, backward = _key(kept), _key(kept[:, ::-1])
    return owner + start, np.minimum(forward, backward)


def _key(runs: Values) -> NDArray[np.uint64]:
    """Mix the bits of each run's values to one number."""
    bits = np.ascontiguousarray(runs).view(np.uint64)
    key = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


@dataclass(frozen=True, slots=True)
class _Copy:
    """How one plate's values lie on another: in which placement, and how many wells are equal."""

    placement: Placement
    equal: int
    shared: int

    @property
    def exact(self) -> bool:
        return self.placement is PLACEMENTS[0] and self.equal == self.shared

    def __str__(self) -> str:
        moved = "" if self.placement is PLACEMENTS[0] else f", {self.placement.words}"
        return f"{moved}: {self.equal} of {self.shared} wells"


def _find_copy(one: Values, other: Values) -> _Copy | None:
    """Give the first placement in which nearly all wells that both have are equal."""
    rows, columns = np.nonzero(np.isfinite(one))
    most = np.max(np.nonzero(np.isfinite(one) | np.isfinite(other)), axis=1) + 1
    shape = smallest_format(int(most[0]), int(most[1]))
    framed = np.pad(other, 1, constant_values=np.nan)
    for placement in PLACEMENTS:
        row, column = placement.move(rows + 1, columns + 1, *shape)
        there = framed[row, column]
        shared = int(np.isfinite(there).sum())
        equal = int((there == one[rows, columns]).sum())
        if equal >= max(_EQUAL * shared, _FEWEST_RUNS + _RUN - 1):
            return _Copy(placement, equal, shared)
    return None
