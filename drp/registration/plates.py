"""The wells of a plate as grids: logarithms of the signals, and what was not read."""

from dataclasses import dataclass

import numpy as np

from drp.registration.agreement import Agreement, agree_with_layout, agree_with_others
from drp.registration.columns import (
    Flags,
    Indices,
    Table,
    Values,
    Wells,
    read_wells,
    rows_of,
    short_hash,
)
from drp.registration.designs import Design, make_design, name_wells
from drp.registration.placements import PLACEMENTS
from drp.wellnames import smallest_format

# Signals below a twentieth of the plate's high ones are all "dead": their logarithm is noise.
_FLOOR, _HIGH_PCT = 0.05, 90
_FEWEST_READ = 6
_FEWEST_PLATES = 4  # with this one; three others have a median that one odd plate does not move
_AT_ONCE = 64  # plates scored together: bounds the memory


@dataclass(frozen=True, slots=True)
class Plate:
    """One plate.

    Attributes
    ----------
    name, run, file : str
        As in the table `wells`; the file is empty where it is not known.
    positional : bool
        True if the export does not label its wells.
    shape : tuple of int
        Rows and columns of the plate.
    levels : array, shape (rows + 2, columns + 2)
        Logarithm of the signal over its standard deviation on the plate, with a rim of one well
        around it; NaN where there is no usable reading.
    unread : array of bool, same shape
        Wells inside the plate that were not read.
    spread : float
        That standard deviation: 0.1 is about 10 % of the signal. 0 with too few readings.
    layout : Design
        What the plate's layout says.
    key : int
        Equal for plates with equal layouts, whatever the samples are called.
    """

    name: str
    run: str
    file: str
    positional: bool
    shape: tuple[int, int]
    levels: Values
    unread: Flags
    spread: float
    layout: Design
    key: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well a plate agrees with its layout, and with the other plates, in each placement.

    The rows of both are in the order of `PLACEMENTS`.
    """

    plate: Plate
    layout: Agreement
    others: Agreement


def lay_out(table: Table) -> list[Plate]:
    """Give every plate of the table `wells`, by name.

    A plate is laid out alike whatever other plates the table holds.

    Parameters
    ----------
    table : DataFrame or dict of str to list
        Table `wells` with row and column; `addon` and `registration` (``positional``) may be there.
    """
    wells = read_wells(table)
    held = name_wells(wells)
    content, layout = np.where(wells.dosed, held, -1), _layouts(wells, held)
    designs: dict[int, Design] = {}
    plates = []
    for name, rows in zip(wells.names, rows_of(wells.plate, len(wells.names)), strict=False):
        key = short_hash(layout[rows].tobytes())
        if key not in designs:
            designs[key] = make_design(wells, rows, content)
        plates.append(_plate(name, wells, rows, designs[key], key))
    return plates


def place(plates: list[Plate]) -> list[Evidence]:
    """Score every plate's layout in every placement; equal layouts are scored together."""
    usual = UsualLevels(plates)
    together: dict[tuple[int, tuple[int, int]], list[Plate]] = {}
    for plate in plates:
        together.setdefault((plate.key, plate.shape), []).append(plate)
    found = {}
    for alike in together.values():
        for start in range(0, len(alike), _AT_ONCE):
            for evidence in _place(alike[start : start + _AT_ONCE], usual):
                found[evidence.plate.name] = evidence
    return [found[plate.name] for plate in plates]


def _place(plates: list[Plate], usual: "UsualLevels") -> list[Evidence]:
    """Score plates of one layout and shape."""
    design, (rows, columns) = plates[0].layout, plates[0].shape
    moved = [p.move(design.row, design.column, rows, columns) for p in PLACEMENTS]
    row, column = (np.stack(places) for places in zip(*moved, strict=True))
    levels, unread = read_at(plates, row, column)
    expected = usual.of(design.content)
    layout = agree_with_layout(design, levels, unread)
    others = agree_with_others(design, levels, expected)
    size = len(PLACEMENTS)
    return [
        Evidence(
            plate, *(_part(found, slice(i * size, (i + 1) * size)) for found in (layout, others))
        )
        for i, plate in enumerate(plates)
    ]


def _part(found: Agreement, rows: slice) -> Agreement:
    return Agreement(found.score[rows], found.misfit[rows], found.missed[rows], found.freedom[rows])


def read_at(plates: list[Plate], row: Indices, column: Indices) -> tuple[Values, Flags]:
    """Give levels and unread wells of plates of one shape at k sets of n places.

    Returns
    -------
    tuple of arrays, shape (k times plates, n)
        Plate by plate, k rows each.
    """
    levels = np.stack([plate.levels for plate in plates])[:, row, column]
    unread = np.stack([plate.unread for plate in plates])[:, row, column]
    return levels.reshape(-1, row.shape[-1]), unread.reshape(-1, row.shape[-1])


class UsualLevels:
    """The median level of each content over the plates that hold it."""

    def __init__(self, plates: list[Plate]) -> None:
        designs = {plate.key: plate.layout for plate in plates}
        contents = [design.content for design in designs.values()]
        self._contents = np.unique(np.concatenate([*contents, [-1]]))  # -1 is the first
        size = len(self._contents)
        places = {key: self._place_of(design.content) for key, design in designs.items()}
        levels = np.full((len(plates), size), np.nan)
        for index, plate in enumerate(plates):
            here = plate.levels[plate.layout.row, plate.layout.column]
            place = places[plate.key]
            known = np.isfinite(here) & (place > 0)
            count = np.bincount(place[known], minlength=size)
            total = np.bincount(place[known], here[known], minlength=size)
            levels[index][count > 0] = total[count > 0] / count[count > 0]
        enough = np.isfinite(levels).sum(axis=0) >= _FEWEST_PLATES
        levels[:, ~enough] = 0.0
        medians = np.nanmedian(levels, axis=0) if plates else np.zeros(size)
        self._levels: Values = np.where(enough, medians, np.nan)

    def of(self, content: Indices) -> Values:
        """Give the usual level of each content of a design; NaN for too few plates, or no dose."""
        usual: Values = self._levels[self._place_of(content)]
        return usual

    def _place_of(self, content: Indices) -> Indices:
        place: Indices = np.searchsorted(self._contents, content)
        return place


def _plate(name: str, wells: Wells, which: Indices, design: Design, key: int) -> Plate:
    row, column = wells.row[which], wells.column[which]
    rows, columns = smallest_format(int(row.max()), int(column.max()))
    levels = np.full((rows + 2, columns + 2), np.nan)
    levels[row, column], spread = _logs(wells.signal[which])
    unread = np.zeros(levels.shape, dtype=bool)
    unread[1:-1, 1:-1] = True
    unread[row, column] = wells.unread[which]
    return Plate(
        name=name,
        run=wells.run[which[0]],
        file=max({wells.file[index] for index in which.tolist()}),
        positional=bool(wells.positional[which].any()),
        shape=(rows, columns),
        levels=levels,
        unread=unread,
        spread=spread,
        layout=design,
        key=key,
    )


def _logs(signal: Values) -> tuple[Values, float]:
    """Give the logarithm of the signals over its standard deviation, and that."""
    read = signal[np.isfinite(signal)]
    high = float(np.percentile(read, _HIGH_PCT)) if len(read) >= _FEWEST_READ else 0.0
    if high <= 0:
        return np.full(len(signal), np.nan), 0.0
    logs = np.log(np.maximum(signal, 0) + _FLOOR * high)
    spread = float(np.nanstd(logs))
    mean = float(np.nanmean(logs))
    return ((logs - mean) / spread if spread else np.full(len(logs), np.nan)), spread


def _layouts(wells: Wells, held: Indices) -> Indices:
    """Give numbers that are equal where layouts are, whatever the samples are called."""
    pair = wells.plate * (wells.kind[:, 1].max(initial=0) + 2) + wells.kind[:, 1] + 1
    # Within each plate, samples are numbered in the order of the wells.
    different, first, number = np.unique(pair, return_index=True, return_inverse=True)
    by_place = np.empty(len(different), dtype=np.int64)
    by_place[np.argsort(first)] = np.arange(len(different))
    sample = by_place[number]
    start = sample[np.searchsorted(wells.plate, wells.plate)]
    return np.column_stack([wells.row, wells.column, held, sample - start])
