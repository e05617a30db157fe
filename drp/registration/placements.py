"""Where a layout may lie on a plate: as stated, one row or column off, turned or mirrored."""

from collections.abc import Callable
from dataclasses import dataclass

from drp.registration.columns import Indices


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to lay a layout on a plate.

    Attributes
    ----------
    words : str
        As it stands in a sentence: "the layout fits better one row down".
    physical : bool
        False for mirror images: a file can be mirrored, a plate in a reader cannot.
    move : callable
        From a well's row and column in the layout, and rows and columns of the plate, to where
        the well lies. The result may lie up to one row or column outside the plate.
    """

    words: str
    physical: bool
    move: Callable[[Indices, Indices, int, int], tuple[Indices, Indices]]


def _shift(down: int, right: int) -> Placement:
    rows = {-1: ["one row up"], 0: [], 1: ["one row down"]}[down]
    columns = {-1: ["one column left"], 0: [], 1: ["one column right"]}[right]
    return Placement(
        " and ".join(rows + columns) or "as stated",
        True,
        lambda row, column, _rows, _columns: (row + down, column + right),
    )


def _turned(row: Indices, column: Indices, rows: int, columns: int) -> tuple[Indices, Indices]:
    return rows + 1 - row, columns + 1 - column


def _left_right(row: Indices, column: Indices, _rows: int, columns: int) -> tuple[Indices, Indices]:
    return row, columns + 1 - column


def _up_down(row: Indices, column: Indices, rows: int, _columns: int) -> tuple[Indices, Indices]:
    return rows + 1 - row, column


# The stated placement first: the others are compared with it.
PLACEMENTS = (
    _shift(0, 0),
    *(_shift(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right),
    Placement("turned by 180°", True, _turned),
    Placement("mirrored left to right", False, _left_right),
    Placement("mirrored top to bottom", False, _up_down),
)
