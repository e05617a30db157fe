"""The tables of an Echo report: which transfers were made, which failed, by the names of columns.

A report has lines of key and value, a table of failed transfers under ``[EXCEPTIONS]``, one of
transfers under ``[DETAILS]`` (either may be absent; other programs write one table without such a
line), and lines about the instrument. Nothing but the tables is taken from it. Volumes that were
transferred are in nL.
"""

import re
from dataclasses import dataclass, field

from drp.plates.columns import Tidy, plain_name
from drp.plates.pages import Page, Source
from drp.problems import Place, Problems

_SYNONYMS = {
    "source_plate": ("sourceplatename",),
    "source_barcode": ("sourceplatebarcode",),
    "source_well": ("sourcewell",),
    "stock": ("sourceconcentration",),
    "stock_unit": ("sourceconcentrationunits",),
    "plate": ("destinationplatename",),
    "barcode": ("destinationplatebarcode",),
    "plate_type": ("destinationplatetype",),
    "well": ("destinationwell",),
    "requested": ("transfervolume", "transfervolume(nl)"),
    "actual": ("actualvolume", "actualvolume(nl)"),
    "sample_name": ("samplename",),
    "sample_id": ("sampleid",),
    "compound": ("compoundname",),
    "status": ("transferstatus",),
}
_COLUMNS = {name: column for column, names in _SYNONYMS.items() for name in names}
_NEEDED = {"well": "Destination Well", "actual": "Actual Volume"}
_SECTION = re.compile(r"\[(.*)\]")
EXCEPTIONS = "EXCEPTIONS"
_SECTIONS = (EXCEPTIONS, "DETAILS")
_AGAIN = "Export the report again."
_MOST_IN_KEY_LINE = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: the table, its index on the page, the section it stands in."""

    table: Tidy
    index: int
    section: str

    def text(self, column: str) -> str:
        """Give a cell without blanks around it; empty where there is no such column."""
        return self.table.text(self.index, column).strip()

    def cells(self) -> tuple[str, ...]:
        """Give all cells."""
        return tuple(cell.strip() for cell in self.table.page.rows[self.index])

    def locator(self) -> str:
        """Say where the line stands."""
        return self.table.page.line(self.index)


@dataclass(slots=True)
class _State:
    """Where the reading of a page has got to."""

    table: Tidy | None = None
    section: str = ""
    after_blank: bool = False
    stray: bool = False
    ended: bool = False
    lines: list[Line] = field(default_factory=list)


def looks_like_report(source: Source) -> bool:
    """Say whether a file has a section or a table of an Echo report.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(
        _section(cells) in _SECTIONS or _is_header(cells)
        for page in source.pages
        for cells in page.rows
    )


def find_lines(source: Source, found: Problems) -> list[Line]:
    """Find the lines of all tables of a report.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes lines that are short, doubled, or outside the tables.

    Returns
    -------
    list of Line
        In the order of the file.
    """
    lines: list[Line] = []
    for page in source.pages:
        state = _State()
        for index in range(len(page.rows)):
            _take(page, index, state, source.file, found)
        lines += state.lines
        _check_end(page, state, source.file, found)
    _check_doubled(lines, source.file, found)
    return lines


def _take(page: Page, index: int, state: _State, file: str, found: Problems) -> None:
    cells = [cell.strip() for cell in page.rows[index]]
    filled = sum(bool(cell) for cell in cells)
    where, section = Place(file, page.line(index)), _section(cells)
    after_blank, state.after_blank = state.after_blank, not filled
    if not filled:
        return
    if section is not None:
        state.table, state.section, state.stray = None, section, False
        if section not in _SECTIONS:
            text = f"the section [{section}] is not known"
            fix = f"Sections are [{'] and ['.join(_SECTIONS)}]. {_AGAIN}"
            found.error("layout.bad-section", where, text, fix)
    elif _is_header(cells):
        state.table, state.stray = _table(page, index, file, found), True
    elif cells[0].lower().startswith("instrument "):
        state.table, state.ended, state.stray = None, True, False
    elif state.table is not None and after_blank and filled <= 2:
        state.table, state.stray = None, False
    elif state.table is not None:
        if _is_whole(cells, state.table, where, found):
            state.lines.append(Line(state.table, index, state.section))
    elif filled > _MOST_IN_KEY_LINE and not state.stray:
        state.stray = True
        text = "a line of a table stands where there is no line with the names of columns above it"
        found.error("layout.stray-line", where, text, _AGAIN)


def _section(cells: list[str]) -> str | None:
    first = _SECTION.fullmatch(cells[0].strip())
    return first.group(1).strip().upper() if first and not any(map(str.strip, cells[1:])) else None


def _is_header(cells: list[str]) -> bool:
    """Say whether a line names columns of a report, even if one of them is damaged."""
    if "destination" not in " ".join(cells).lower():
        return False
    names = {_COLUMNS.get(plain_name(cell)) for cell in cells} - {None}
    return len(names) > 2 and bool(names & {*_NEEDED, "requested"})


def _table(page: Page, index: int, file: str, found: Problems) -> Tidy | None:
    cells: dict[str, int] = {}
    twice = []
    for cell, text in enumerate(page.rows[index]):
        column = _COLUMNS.get(plain_name(text))
        if column in cells:
            twice.append(text.strip())
        elif column:
            cells[column] = cell
    where = Place(file, page.line(index))
    if twice:
        text = f"columns mean the same as others: {', '.join(twice)}"
        found.error("layout.duplicate-column", where, text, "Keep one of them.")
    missing = [name for column, name in _NEEDED.items() if column not in cells]
    if missing:
        text = f"the table has no column {' and no column '.join(missing)}"
        fix = (
            "Export the report of the run; a pick list says what was asked for, not what was done."
        )
        found.error("layout.missing-column", where, text, fix)
    return None if twice or missing else Tidy(page, index, cells, twice)


def _is_whole(cells: list[str], table: Tidy, where: Place, found: Problems) -> bool:
    width = table.width()
    if len(cells) != width:
        text = f"the line has {len(cells)} fields, the header of its table has {width}"
        found.error("layout.short-row", where, text, _AGAIN)
        return False
    return True


def _check_end(page: Page, state: _State, file: str, found: Problems) -> None:
    if not state.lines:
        return
    last = state.lines[-1]
    if not page.terminated and last.index == len(page.rows) - 1:
        text = "the last line has no line end, the file may be cut off"
        found.error("layout.truncated", Place(file, last.locator()), text, _AGAIN)
    elif not state.ended:
        text = "the lines about the instrument at the end of the report are missing"
        fix = "Check that the last transfers are there; export the report again."
        found.warning("layout.incomplete-footer", Place(file), text, fix)


def _check_doubled(lines: list[Line], file: str, found: Problems) -> None:
    """Find lines that stand twice: their volumes would be added up."""
    first: dict[tuple[str, ...], Line] = {}
    for line in lines:
        if line.section == EXCEPTIONS:
            continue  # a failed transfer is no volume, however often it is listed
        earlier = first.setdefault(line.cells(), line)
        if earlier is not line:
            text = f"the line is the same as {earlier.locator()}, and its volume would count twice"
            fix = "Take one of them away, or export the report again."
            found.error("layout.duplicate-line", Place(file, line.locator()), text, fix)
