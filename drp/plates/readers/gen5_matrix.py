"""The matrices of a Gen5 export: several lines under one row letter, each ending with its label.

Only the first line of a row has the letter; a line without one belongs to the row above it. So a
line that was lost or doubled would hand values on to another row: every row must have the same
labels as the others, once each, or it is not used.
"""

from collections import Counter
from dataclasses import dataclass, field

from drp.plates.blocks import Reading
from drp.plates.gridrows import LABEL
from drp.plates.pages import Page
from drp.plates.values import looks_like_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import MOST_COLUMNS, row_letters, row_number

_COLUMNS = {str(number): number for number in range(1, MOST_COLUMNS + 1)}
_AGAIN = "Export the plate again."


@dataclass(slots=True)
class Row:
    """The lines of one row of the plate.

    Attributes
    ----------
    letters : str
        As printed; empty if the row has lost them.
    index : int
        Index of its first line on the page.
    lines : list of (str, int)
        Label and index of each line.
    number : int
        Number of the row, 0 if there is no such row.
    whole : bool
        Whether its values can be used.
    """

    letters: str
    index: int
    lines: list[tuple[str, int]] = field(default_factory=list)
    number: int = 0
    whole: bool = True


@dataclass(slots=True)
class Matrix:
    """A header of column numbers and the rows below it.

    Attributes
    ----------
    page : Page
        The page it stands on.
    header, stop : int
        Index of the header and of the first line after the matrix.
    columns : range
        The column numbers.
    rows : list of Row
        As printed.
    faults : list of Problem
        What is wrong with it. They count only if the matrix holds measured values.
    """

    page: Page
    header: int
    columns: range
    stop: int = 0
    rows: list[Row] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Every label, in the order in which they come first; of damaged lines none is known."""
        labels = dict.fromkeys(label for row in self.rows for label, _ in row.lines)
        return [label for label in labels if label]

    def readings(self, label: str) -> list[Reading]:
        """Give the cells of the lines of one label, from the rows that can be used."""
        found = []
        for row in sorted((row for row in self.rows if row.whole), key=lambda row: row.number):
            for name, index in row.lines:
                if name == label:
                    cells = self.page.rows[index]
                    found += [
                        Reading(row.number, column, cells[cell], self.page.cell(index, cell))
                        for cell, column in enumerate(self.columns, start=1)
                    ]
        return found


def find_matrices(page: Page, rows: range, file: str) -> list[Matrix]:
    """Find every matrix of a plate, measured, calculated or layout.

    Parameters
    ----------
    page : Page
        Rows of cells.
    rows : range
        The rows of the page that belong to the plate.
    file : str
        Name of the file, for the places of faults.

    Examples
    --------
    >>> lines = [["", "1", "2"], ["A", "5", "6", "Lum"], ["", "50", "60", "Norm"]]
    >>> matrix = find_matrices(Page(lines), range(3), "plate.txt")[0]
    >>> matrix.labels, [(r.row, r.column, r.text) for r in matrix.readings("Lum")]
    (['Lum', 'Norm'], [(1, 1, '5'), (1, 2, '6')])
    """
    matrices = []
    index = rows.start
    while index < rows.stop:
        columns = header_columns(page.rows[index])
        if not columns:
            index += 1
            continue
        matrix = Matrix(page, index, columns)
        found = Problems()
        _collect(matrix, rows.stop, file, found)
        _number(matrix, file, found)
        _compare_labels(matrix, file, found)
        matrix.faults = found.items
        matrices.append(matrix)
        index = matrix.stop
    return matrices


def find_stray_lines(page: Page, rows: range, matrices: list[Matrix], file: str) -> list[Problem]:
    """Find lines of values that stand in no matrix, as a broken header or a blank line leaves them.

    Parameters
    ----------
    page, rows, file
        As in `find_matrices`.
    matrices : list of Matrix
        Everything that `find_matrices` found.
    """
    inside = {index for matrix in matrices for index in range(matrix.header, matrix.stop)}
    found = Problems()
    curves = False
    for index in rows:
        cells = page.rows[index]
        first = cells[0].strip()
        # A fitted curve may be called A, and has a line of numbers.
        curves = first == "Curve Name" or (curves and bool(first))
        if curves or index in inside or (first and not LABEL.fullmatch(first)):
            continue
        if sum(map(looks_like_number, cells)) >= 2:
            found.error(
                "plate.stray-row",
                Place(file, page.line(index), well=f"row {first}" if first else ""),
                f"a line of values ({cells[1].strip()!r} …) stands under no header of column "
                "numbers",
                "Every matrix needs a header of column numbers directly above row A.",
            )
    return found.items


def header_columns(cells: list[str]) -> range | None:
    """Give the columns of a header: a blank cell, then consecutive numbers; None if it is none.

    Examples
    --------
    >>> header_columns(["", "1", "2", "3"]), header_columns(["", "1", "3"])
    (range(1, 4), None)
    """
    if cells[0].strip():
        return None
    width = len(cells)
    while width > 1 and not cells[width - 1].strip():
        width -= 1
    numbers = [_COLUMNS.get(cell.strip(), 0) for cell in cells[1:width]]
    if len(numbers) < 2 or not numbers[0]:
        return None
    columns = range(numbers[0], numbers[0] + len(numbers))
    return columns if numbers == list(columns) else None


def _collect(matrix: Matrix, stop: int, file: str, found: Problems) -> None:
    """Collect the lines below the header up to a blank line or a title."""
    page = matrix.page
    index = matrix.header + 1
    while index < stop and not page.is_blank(index):
        cells = page.rows[index]
        first = cells[0].strip()
        if first and not LABEL.fullmatch(first):
            if not any(cell.strip() for cell in cells[1:]):
                break
            text = f"a line below the header begins with {first!r}, not with row letters"
            fix = "Give the row its letter; other lines must follow after a blank line."
            found.error("plate.unlabelled-row", Place(file, page.line(index)), text, fix)
            matrix.rows.append(Row("", index, whole=False))
        elif first:
            matrix.rows.append(Row(first, index))
        elif not matrix.rows:
            text = "a line without row letters stands directly below the header"
            found.error("plate.unlabelled-row", Place(file, page.line(index)), text, _AGAIN)
            matrix.rows.append(Row("", index, whole=False))
        row = matrix.rows[-1]
        where = Place(file, page.line(index), well=f"row {row.letters}" if row.letters else "")
        label = _label(matrix, index, where, found)
        row.lines.append((label, index))
        row.whole &= _is_ended(page, index, where, found) and bool(label)
        index += 1
    matrix.stop = index


def _label(matrix: Matrix, index: int, where: Place, found: Problems) -> str:
    """Give the label of a line, the cell after the last column; empty if the line is damaged."""
    cells, n_columns = matrix.page.rows[index], len(matrix.columns)
    if len(cells) < n_columns + 1:
        text = f"the line has {len(cells) - 1} of {n_columns} fields"
        found.error("plate.short-row", where, text, _AGAIN)
        return ""
    if any(cell.strip() for cell in cells[n_columns + 2 :]):
        text = f"the line is wider than its header, which has {n_columns} columns"
        fix = "A thousands separator or a lost line end does this. Export the plate again."
        found.error("plate.wide-row", where, text, fix)
        return ""
    label = cells[n_columns + 1].strip() if len(cells) > n_columns + 1 else ""
    if not label:
        text = f"after {n_columns} fields stands no label of a read; a field may be lost"
        found.error("plate.short-row", where, text, _AGAIN)
    return label


def _is_ended(page: Page, index: int, where: Place, found: Problems) -> bool:
    ended = page.terminated or index < len(page.rows) - 1
    if not ended:
        found.error(
            "plate.truncated",
            where,
            f"the last line has no line end, the file may be cut off after "
            f"{page.rows[index][-1]!r}",
            "Export the plate again; if the file is whole, save it with a last line end.",
        )
    return ended


def _number(matrix: Matrix, file: str, found: Problems) -> None:
    """Give every row its number, and take out rows that are given twice."""
    # Some software goes on after Z with lowercase letters: "e" beside "A" is row 31, AE.
    beyond = any(row.letters.isupper() for row in matrix.rows)
    first: dict[int, Row] = {}
    for row in matrix.rows:
        if not row.letters:
            continue
        single = len(row.letters) == 1 and row.letters.islower()
        name = f"A{row.letters}" if beyond and single else row.letters
        number = row_number(name.upper())
        where = Place(file, matrix.page.line(row.index), well=f"row {row.letters}")
        if number is None:
            text = f"{row.letters!r} beside capital letters is no row of a plate"
            found.error("plate.bad-row", where, text, "Rows are A to Z and AA to AF.")
            row.whole = False
            continue
        row.number = number
        if number in first:
            text = f"row {row.letters} is given twice, here and at "
            text += matrix.page.line(first[number].index)
            found.error("plate.duplicate-row", where, text, "Keep the row that is right.")
            row.whole = first[number].whole = False
        first.setdefault(number, row)
    if not matrix.rows:
        text = "a header of column numbers has no lettered row below it"
        found.error("plate.no-rows", Place(file, matrix.page.line(matrix.header)), text, _AGAIN)


def _compare_labels(matrix: Matrix, file: str, found: Problems) -> None:
    """Take out rows whose labels are not those that most rows have."""
    whole = [row for row in matrix.rows if row.whole]
    kinds = Counter(tuple(sorted(label for label, _ in row.lines)) for row in whole)
    if not kinds:
        return
    usual = min(kinds, key=lambda kind: (len(set(kind)) < len(kind), -kinds[kind]))
    for row in whole:
        labels = Counter(label for label, _ in row.lines)
        if labels != Counter(usual) or max(labels.values()) > 1:
            extra = ", ".join(f"one {label!r} too many" for label in labels - Counter(usual))
            lost = ", ".join(f"no {label!r}" for label in Counter(usual) - labels)
            differs = ", ".join(filter(None, (extra, lost))) or "a label twice"
            found.error(
                "plate.uneven-rows",
                Place(file, matrix.page.line(row.index), well=f"row {row_letters(row.number)}"),
                f"the lines of the row are not those of the other rows: {differs}",
                "A line was lost, doubled or moved. Export the plate again.",
            )
            row.whole = False
