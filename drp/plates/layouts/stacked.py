"""Stacked layouts: one labelled grid for each attribute, in one text file or on sheets.

The corner of a grid, a title above it or the name of its sheet says which attribute it is. Wells
come from the labels; every grid has the same rows and columns, so that none has lost some.
"""

from dataclasses import replace

from drp.plates.grid import Grid, find_grids
from drp.plates.gridrows import row_label
from drp.plates.layouts.attributes import AttributeMap, attribute_of, read_attributes
from drp.plates.layouts.entries import Entry, Options
from drp.plates.layouts.merged import check_merged
from drp.plates.pages import Page, Source
from drp.problems import Place, Problems
from drp.wellnames import row_letters

NAME = "stacked"
MEANING = "labelled grids, one for each attribute, called drug, dose … in their corners"

_TELLING = ("drug", "dose", "role")


def recognise(source: Source) -> bool:
    """Say whether a file holds labelled grids, one of them called drug, dose or role.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    named = (
        attribute_of(name)
        for page in source.pages
        for grid in find_grids(page, source.file)
        for name in _names(grid)
    )
    return any(known is not None and known[0] in _TELLING for known in named)


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read a stacked layout of one plate.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        Unit, roles and names that the user states.
    found : Problems
        Takes everything that is wrong with the grids and with each well.

    Returns
    -------
    list of Entry
        The wells without a fault; none if a grid is damaged.
    """
    maps, grids = [], []
    for page in (_ended(page, source.file, found) for page in source.pages):
        own = find_grids(page, source.file)
        _check_lines(page, own, source.file, found)
        for grid in own:
            faults = [replace(f, code=f.code.replace("plate.", "layout.")) for f in grid.faults]
            found.extend(faults)
            known = next(filter(None, map(attribute_of, _names(grid))), None)
            if known is None:
                _note_unused(grid, source.file, found)
                continue
            cells = {(r.row, r.column): (r.text, r.locator) for r in grid.readings()}
            maps.append(AttributeMap(*known, page, page.line(grid.header), cells))
            grids.append(grid)
    check_merged(source.file, [given.page for given in maps], found)
    _check_shapes(grids, source.file, found)
    return [] if found.errors else read_attributes(maps, source.file, options, found)


def _names(grid: Grid) -> list[str]:
    """Give what may say which attribute a grid is, the nearest first."""
    return [name for name in (grid.corner, _title(grid), grid.page.sheet) if name]


def _title(grid: Grid) -> str:
    if not grid.header:
        return ""
    cells = [cell.strip() for cell in grid.page.rows[grid.header - 1] if cell.strip()]
    return cells[0] if len(cells) == 1 else ""


def _ended(page: Page, file: str, found: Problems) -> Page:
    """Take a last line without a line end as whole if its last cell is blank: it has lost none."""
    if page.terminated or page.rows[-1][-1].strip():
        return page
    text = "the last line has no line end"
    fix = "If the file is whole, save it with a last line end."
    found.warning("layout.no-line-end", Place(file, page.line(len(page.rows) - 1)), text, fix)
    return Page(page.rows, page.sheet)


def _note_unused(grid: Grid, file: str, found: Problems) -> None:
    name = next(iter(_names(grid)), "")
    found.warning(
        "layout.unused-block",
        Place(file, grid.page.line(grid.header)),
        f"the grid {name!r} is not used" if name else "a grid has no name and is not used",
        "If it says what is in the wells, call it drug, dose, role, drug2, dose2 …",
    )


def _check_lines(page: Page, grids: list[Grid], file: str, found: Problems) -> None:
    """Every line must be blank, of a grid, or a title: others are what a damaged grid leaves."""
    inside = {row for grid in grids for row in range(grid.header, grid.stop)}
    titles = {grid.header - 1 for grid in grids if _title(grid)}
    others = [row for row in range(len(page.rows)) if not page.is_blank(row)]
    others = [row for row in others if row not in inside | titles]
    lettered = any(row_label(page.rows[row], 0) is not None for row in others)
    if others and not grids and not lettered and not attribute_of(page.sheet):
        text = f"the sheet {page.sheet!r} is not used"
        fix = "If it says what is in the wells, give it row letters and column numbers."
        found.warning("layout.unused-sheet", Place(file, page.line(others[0])), text, fix)
        return
    for row in others:
        shown = ", ".join(cell.strip() for cell in page.rows[row][:3])
        found.error(
            "layout.stray-row",
            Place(file, page.line(row)),
            f"a line belongs to no grid: {shown!r} …",
            "Each grid has column numbers above rows A, B, C …, and a blank line after it.",
        )


def _check_shapes(grids: list[Grid], file: str, found: Problems) -> None:
    for grid in grids[1:]:
        ours, others = _shape(grid), _shape(grids[0])
        if ours != others:
            text = f"the grid has {ours}, the one at {grids[0].page.line(grids[0].header)} {others}"
            fix = "Draw every attribute for the same rows and columns; cells may be blank."
            found.error("layout.grid-shape", Place(file, grid.page.line(grid.header)), text, fix)


def _shape(grid: Grid) -> str:
    rows = sorted(grid.lines)
    letters = f"rows {row_letters(rows[0])} to {row_letters(rows[-1])}" if rows else "no rows"
    return f"{letters} ({len(rows)}) and columns {grid.columns[0]} to {grid.columns[-1]}"
