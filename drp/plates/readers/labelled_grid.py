"""Plain grids: column numbers above, row letters on the left, or nothing but values.

For tables a laboratory made itself or copied out of an export: text or xlsx, one grid or several,
each with at most one line of title. A file that says more than that is an export of some
instrument, whose calculated blocks would look just like the measured ones, so it is not taken.
"""

from drp.plates.blocks import Block
from drp.plates.grid import Grid, find_grids, find_stray_rows
from drp.plates.gridrows import row_label
from drp.plates.modes import mode_of
from drp.plates.pages import Page, Source
from drp.plates.positional import find_positional_grids, is_positional
from drp.problems import Problems

NAME = "labelled_grid"
MEANING = "plain grids, consecutive column numbers above rows that begin with A, B, C …"

_READ = "signal"


def recognise(source: Source) -> bool:
    """Say whether a file holds plain grids and nothing else.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    kept = [page for page in source.pages if _has_content(page)]
    return bool(kept) and all(_is_plain(page, source.file) for page in kept)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every grid of a file, each as a plate of its own.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes rows of values that belong to no grid.

    Returns
    -------
    list of Block
        Plates in the order of sheets and lines. A title above a grid, or the name of the sheet
        where there are several, is given as barcode.
    """
    blocks: list[Block] = []
    several = len(source.pages) > 1
    for page in source.pages:
        grids = find_grids(page, source.file)
        found.extend(find_stray_rows(page, grids, source.file))
        for grid in grids:
            title = _title(grid)
            block = Block(
                plate_index=len(blocks) + 1,
                read=grid.corner or _READ,
                readings=grid.readings(),
                locator=page.line(grid.header),
                barcode=title or (page.sheet if several else ""),
                sheet=page.sheet,
                mode=mode_of(grid.corner),
                faults=grid.faults,
            )
            blocks.append(block)
        inside = {row for grid in grids for row in range(grid.header, grid.stop)}
        for bare in find_positional_grids(page, source.file, inside):
            block = Block(
                plate_index=len(blocks) + 1,
                read=_READ,
                readings=bare.readings(),
                locator=page.line(bare.start),
                barcode=page.sheet if several else "",
                sheet=page.sheet,
                registration="positional",
                blank_status="not_read",
                faults=bare.faults,
            )
            blocks.append(block)
    return blocks


def _has_content(page: Page) -> bool:
    return not all(page.is_blank(row) for row in range(len(page.rows)))


def _is_plain(page: Page, file: str) -> bool:
    """Say whether every line is blank, of a grid, a title above one, or a damaged row of values."""
    grids = find_grids(page, file)
    inside = {row for grid in grids for row in range(grid.header, grid.stop)}
    titles = {grid.header - 1 for grid in grids if _title(grid)}
    others = set(range(len(page.rows))) - inside - titles
    positional = {row for row in others if is_positional(page, row)}
    if not grids and not positional:
        return False
    return all(
        page.is_blank(row) or row_label(page.rows[row], 0) is not None
        for row in others - positional
    )


def _title(grid: Grid) -> str:
    if not grid.header:
        return ""
    cells = [cell.strip() for cell in grid.page.rows[grid.header - 1] if cell.strip()]
    return cells[0] if len(cells) == 1 else ""
