"""The sections of a SoftMax Pro export: plates, groups and notes, each closed by ``~End``.

The first line says how many there are. That number and the end marks are what shows that a file is
whole.
"""

from dataclasses import dataclass, replace

from drp.plates.pages import Page
from drp.plates.values import looks_like_number
from drp.problems import Place, Problems

COUNT = "##BLOCKS="
END = "~End"
PLATE = "Plate:"
LAYOUTS = ("TimeFormat", "PlateFormat")

_OTHERS = ("Group:", "Note:")
_FOOTER = "Original Filename:"
_FIX = "Export the plates again."


@dataclass(frozen=True, slots=True)
class Section:
    """A section: index of its first line and of the line after its last one, without ``~End``."""

    kind: str
    start: int
    stop: int
    closed: bool


def tabbed(page: Page) -> Page:
    r"""Give a page split at tabs, where long notes made commas look like the separator.

    Examples
    --------
    >>> page = Page([["Plate:\tP1\t1.3\tTimeFormat"], ["\t21", "5\t0", "5"]])
    >>> tabbed(page).rows
    [['Plate:', 'P1', '1.3', 'TimeFormat'], ['', '21,5', '0,5']]
    """
    if page.sheet or not any(cells[0].startswith(f"{PLATE}\t") for cells in page.rows):
        return page
    # Were the cells split at commas, none of them holds one.
    sign = ";" if any("," in cell for cells in page.rows for cell in cells) else ","
    return replace(page, rows=[sign.join(cells).split("\t") for cells in page.rows])


def is_plate(cells: list[str]) -> bool:
    """Say whether a line begins the section of a plate.

    Examples
    --------
    >>> is_plate(["Plate:", "Plate1", "1.3", "PlateFormat", "Endpoint"]), is_plate(["Plate: 7"])
    (True, False)
    """
    return cells[0].strip() == PLATE and any(cell.strip() for cell in cells[1:])


def find_sections(page: Page, file: str, found: Problems) -> list[Section]:
    """Find every section of a page.

    Parameters
    ----------
    page : Page
        Rows of cells, split at the right separator.
    file : str
        Name of the file.
    found : Problems
        Takes sections without end, sections that are lost or too many, values outside sections.

    Returns
    -------
    list of Section
        In the order of the file. An export that was appended to another has a count of its own.
    """
    sections: list[Section] = []
    counts: list[tuple[int, int]] = []
    kind, start = "", 0
    footer = False
    for row, cells in enumerate(page.rows):
        first = cells[0].strip()
        counted = first.startswith(COUNT)
        begins = _begins(cells, kind)
        if kind and (counted or begins or first == END):
            sections.append(Section(kind, start, row, first == END))
            kind = ""
        if counted:
            counts.append((row, len(sections)))
        elif begins:
            kind, start = begins, row
        elif not kind and first != END:
            footer = footer or first.startswith(_FOOTER)
            _check_outside(page, row, file, found)
    if kind:
        sections.append(Section(kind, start, len(page.rows), False))
    _check_ends(page, sections, file, found)
    _check_counts(page, counts, len(sections), file, found)
    if not footer and not found.errors:
        text = f"the end of the file ({_FOOTER!r}) is missing"
        fix = "The sections are whole; export again if you need what the file says about itself."
        found.warning("plate.incomplete-footer", Place(file), text, fix)
    return sections


def _begins(cells: list[str], kind: str) -> str:
    """Give the kind of section that a line begins, empty if it begins none.

    Notes and groups hold free text, which may look like the beginning of a note.
    """
    if is_plate(cells) and (kind != _OTHERS[1] or any(c.strip() in LAYOUTS for c in cells)):
        return PLATE
    if kind in ("", PLATE):
        return next((other for other in _OTHERS if cells[0].strip().startswith(other)), "")
    return ""


def _check_outside(page: Page, row: int, file: str, found: Problems) -> None:
    if sum(map(looks_like_number, page.rows[row])) >= 2:
        text = "a line of values stands outside every section"
        fix = f"A plate begins with a line {PLATE!r} and ends with {END!r}. {_FIX}"
        found.error("plate.stray-row", Place(file, page.line(row)), text, fix)


def _check_ends(page: Page, sections: list[Section], file: str, found: Problems) -> None:
    for section in sections:
        if not section.closed:
            text = f"the section {section.kind!r} has no {END!r}: the file was cut off or damaged"
            found.error("plate.truncated", Place(file, page.line(section.start)), text, _FIX)


def _check_counts(
    page: Page, counts: list[tuple[int, int]], n_sections: int, file: str, found: Problems
) -> None:
    """Compare the sections with their stated number; `counts` has the line and those before it."""
    if not counts or counts[0][1]:
        text = f"the first line, {COUNT!r} and the number of sections, is missing"
        found.error("plate.truncated", Place(file, page.line(0)), text, _FIX)
    stops = [before for _, before in counts[1:]] + [n_sections]
    for (row, before), stop in zip(counts, stops, strict=False):
        stated = page.rows[row][0].strip().removeprefix(COUNT).strip()
        if stated != str(stop - before):
            text = f"the file says {stated!r} sections and holds {stop - before}"
            found.error("plate.truncated", Place(file, page.line(row)), text, _FIX)
