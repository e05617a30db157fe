"""How much of a plate a Gen5 matrix covers: all of it, or the part that the procedure reads."""

import re
from collections.abc import Collection

from drp.plates.readers.gen5_matrix import Matrix
from drp.plates.readers.gen5_procedure import Step
from drp.problems import Place, Problem, Problems
from drp.wellnames import FORMATS, row_letters

_SHAPES = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), **FORMATS}
_COUNT = re.compile(r"(?<![0-9A-Za-z/])[0-9]+(?![0-9/])")
_AGAIN = "Export the plate again."


def order_faults(matrix: Matrix, measured: Collection[str], where: Place) -> list[Problem]:
    """Check the order of rows: lines without a letter do not move with the line that has it.

    Parameters
    ----------
    matrix : Matrix
        The matrix.
    measured : collection of str
        Its labels that are measured.
    where : Place
        Where the matrix begins.
    """
    numbers = [row.number for row in matrix.rows if row.number]
    if numbers == sorted(numbers):
        return []
    found = Problems()
    text = "the rows are not in order"
    if any(label in measured for row in matrix.rows for label, _ in row.lines[1:]):
        text += ", so lines without row letters may stand under another row than theirs"
        found.error("plate.row-order", where, text, _AGAIN)
    else:
        text += "; wells were taken by their labels"
        found.warning("plate.row-order", where, text, "Check that the labels are right.")
    return found.items


def extent_faults(
    matrix: Matrix, steps: Collection[Step], plate_type: str, where: Place
) -> list[Problem]:
    """Compare the rows and columns of a matrix with the plate, or with the part that was read.

    Parameters
    ----------
    matrix : Matrix
        A matrix that holds measured values.
    steps : collection of Step
        The steps that measured them.
    plate_type : str
        As the procedure prints it; it names the number of wells.
    where : Place
        Where the matrix begins.
    """
    printed = {row.number for row in matrix.rows if row.number}
    columns = set(matrix.columns)
    due = _due(printed, columns, steps, plate_type)
    found = Problems()
    if due is None:
        text = f"{len(printed)} rows of {len(columns)} columns are printed; the plate type "
        text += f"{plate_type!r} does not say how many there are"
        found.warning("plate.partial", where, text, "Check that all wells are there.")
    elif columns != due[1] or printed - due[0]:
        text = f"columns {min(columns)} to {max(columns)} and rows {_letters(printed)} do not fit "
        text += f"the plate type {plate_type!r} or the part that was read"
        found.error("plate.other-format", where, text, _AGAIN)
    else:
        _note_missing(printed, due[0], where, found)
    return found.items


def _note_missing(printed: set[int], due: set[int], where: Place, found: Problems) -> None:
    last = max(printed, default=0)
    for row in sorted(row for row in due - printed if row < last):
        letters = row_letters(row)
        fix = f"{_AGAIN} The rows that are there keep their own wells."
        place = Place(where.file, where.locator, well=f"row {letters}")
        found.error("plate.missing-row", place, f"row {letters} is missing", fix)
    lost = {row for row in due - printed if row > last}
    if lost:
        text = f"the matrix ends after row {row_letters(last) if last else 'none'}; "
        text += f"missing: {_letters(lost)}"
        found.error("plate.truncated", where, text, _AGAIN)


def _due(
    printed: set[int], columns: set[int], steps: Collection[Step], plate_type: str
) -> tuple[set[int], set[int]] | None:
    """Give the rows and columns a matrix must have; None if the file does not say."""
    wells = {well for step in steps for well in step.wells or ()}
    if any(step.wells is None for step in steps):
        wells = set()
    part_rows, part_columns = {row for row, _ in wells}, {column for _, column in wells}
    shape = _shape(len(printed), columns, plate_type)
    if shape is None:
        if not wells:
            return None
        shape = max(part_rows), max(part_columns)
    # A part of the plate is printed alone, or in a matrix of the whole plate with blanks around.
    alone = bool(printed) and printed <= part_rows
    rows = part_rows if alone else set(range(1, shape[0] + 1))
    return rows, part_columns if columns == part_columns else set(range(1, shape[1] + 1))


def _shape(n_rows: int, columns: set[int], plate_type: str) -> tuple[int, int] | None:
    """Give the shape of the plate by the number of wells in its type, else by its columns."""
    numbers = [int(number) for number in _COUNT.findall(plate_type)]
    stated = [_SHAPES[number] for number in numbers if number in _SHAPES]
    fitting = [shape for shape in stated or _SHAPES.values() if shape[1] == max(columns)]
    if fitting or stated:
        return (fitting or stated)[0]
    return (n_rows, len(columns)) if n_rows * len(columns) in numbers else None


def _letters(rows: set[int]) -> str:
    return ", ".join(row_letters(row) for row in sorted(rows)) or "none"
