"""BMG MARS exports (CLARIOstar, PHERAstar, FLUOstar …): text, lines of plates or of wells.

Header lines (``Test name: …``, ``ID1: …``, the kind of measurement) stand above blocks of values.
A block titled ``Raw Data (…)`` is measured; ``Blank corrected based on Raw Data (…)`` and the like
are not and are left out. A blank cell was not read.
"""

from drp.plates.blocks import Block
from drp.plates.grid import Grid, find_stray_rows
from drp.plates.pages import Page, Source
from drp.plates.readers.bmg_blocks import Plate, blocks_of_grids, blocks_of_table
from drp.plates.readers.bmg_information import is_marker, read_header, read_title
from drp.plates.readers.bmg_wells import find_well_table
from drp.plates.readers.strict_grids import find_strict_grids
from drp.problems import Place, Problems

NAME = "bmg_mars"
MEANING = "BMG MARS text exports with 'Test name:', 'ID1:' and blocks 'Raw Data (…)'"

_NEAR = 3  # a title stands directly above its grid, with a blank line between


def recognise(source: Source) -> bool:
    """Say whether a file is a text export of BMG MARS, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_mars(page) for page in source.pages if not page.sheet)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured block of a MARS export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        Plates in the order of the file. Rows that are not printed are absent.
    """
    blocks: list[Block] = []
    for page in source.pages:
        if page.sheet:
            continue
        table = find_well_table(page, source.file)
        if table is not None:
            plate = Plate(page, read_header(page, 0, table.row), 1, source.file)
            blocks += blocks_of_table(plate, table, found)
        else:
            blocks += _read_grids(page, source.file, found)
    if not blocks and not found.errors:
        text = "no block is titled 'Raw Data (…)': only calculated values, or none"
        fix = "Choose the raw data in MARS and export them in the microplate view."
        found.error("plate.no-measured-block", Place(source.file), text, fix)
    return blocks


def _is_mars(page: Page) -> bool:
    # Only texts with a colon can be markers; most cells are numbers.
    texts = {cell for cells in page.rows for cell in cells if ":" in cell}
    markers = {is_marker(text) for text in texts} - {""}
    titles = [row for row in range(len(page.rows)) if _is_raw_title(page, row)]
    if len(markers) + bool(titles) > 1:
        return True
    return any(
        [cell.strip() for cell in cells[1:3]] == ["1", "2"]
        for row in titles
        for cells in page.rows[row + 1 : row + 1 + _NEAR]
    )


def _is_raw_title(page: Page, row: int) -> bool:
    first = _first(page, row)
    return first.startswith("Raw Data") and read_title(first).text != ""


def _read_grids(page: Page, file: str, found: Problems) -> list[Block]:
    grids = find_strict_grids(page, file)
    found.extend(find_stray_rows(page, grids, file))
    starts = _plate_starts(page, grids, file, found)
    blocks: list[Block] = []
    index = 0
    for start, stop in zip(starts, [*starts[1:], len(page.rows)], strict=True):
        own = [grid for grid in grids if start <= grid.header < stop]
        if own:
            index += 1
            header = read_header(page, start, own[0].header)
            blocks += blocks_of_grids(Plate(page, header, index, file), own, start, found)
    return blocks


def _plate_starts(page: Page, grids: list[Grid], file: str, found: Problems) -> list[int]:
    """Give the rows where plates begin; after the first, each needs both its header lines."""
    starts = [0]
    stops = [grid.stop for grid in grids]
    for stop, following in zip(stops, [grid.header for grid in grids[1:]], strict=False):
        rows = [row for row in range(stop, following) if is_marker(_first(page, row))]
        kinds = {is_marker(_first(page, row)) for row in rows}
        if {"user", "test"} <= kinds:
            starts.append(rows[0])
        elif rows:
            name = _first(page, rows[0]).partition(":")[0]
            text = f"a line {name!r} stands between two blocks of values"
            fix = "Every plate begins with the lines 'User: …' and 'Test name: …'."
            found.error("plate.bad-information", Place(file, page.line(rows[0])), text, fix)
    return starts


def _first(page: Page, row: int) -> str:
    return next((cell.strip() for cell in page.rows[row] if cell.strip()), "")
