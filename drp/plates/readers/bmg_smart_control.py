"""BMG workbooks: SMART Control, and MARS exports to Excel.

The sheet ``Microplate End point`` holds numbered blocks, each with a title: ``Raw Data (…)`` is
measured; layout, standards, dilutions and blank-corrected values are not. The sheet ``Table End
point`` holds the same values well by well; where it is there, the two must agree.
"""

import re

from drp.plates.blocks import Block, Reading
from drp.plates.grid import find_grids, find_stray_rows
from drp.plates.pages import Page, Source
from drp.plates.readers.bmg_blocks import Plate, add_course, blocks_of_grids, blocks_of_table
from drp.plates.readers.bmg_information import is_marker, read_header
from drp.plates.readers.bmg_wells import WellTable, find_well_table
from drp.plates.values import parse_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import well_name

NAME = "bmg_smart_control"
MEANING = "BMG workbooks (SMART Control, MARS) with a sheet 'Microplate End point'"

_VIEW = re.compile(r"(microplate|table) (end ?point|.*cycles?|.*spectr.*|.*scan.*)", re.IGNORECASE)
_COURSE = re.compile(r"cycle|spectr|scan", re.IGNORECASE)
_FIX = "Export the workbook again."


def recognise(source: Source) -> bool:
    """Say whether a file is a workbook of BMG's software, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_view(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured block of a BMG workbook, and compare its two views.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        One plate. Without a sheet of grids the values are those of the table of wells.
    """
    file = source.file
    pages = [page for page in source.pages if _is_view(page)]
    for page in pages:
        if _COURSE.search(page.sheet) and _VIEW.fullmatch(page.sheet.strip()):
            add_course(page.sheet, Place(file, page.sheet), found)
            return []
    tables = {page.sheet: find_well_table(page, file) for page in pages}
    blocks: list[Block] = []
    views: list[Block] = []
    for page in pages:
        table = tables[page.sheet]
        if table is None:
            blocks += _read_grids(page, file, found)
        else:
            views += _read_table(page, table, file, found)
    if not blocks:
        blocks = views
    elif views:
        for block in blocks:
            block.faults += _compare(block, views, file)
        _find_alone(blocks, views, file, found)
    if not blocks and not found.errors:
        text = "no block is titled 'Raw Data (…)': only calculated values, or none"
        fix = "Export the microplate view with its raw data."
        found.error("plate.no-measured-block", Place(file), text, fix)
    return blocks


def _is_view(page: Page) -> bool:
    if not page.sheet or page.sheet.strip().lower() == "protocol information":
        return False
    if _VIEW.fullmatch(page.sheet.strip()):
        return True
    return len({is_marker(cells[0]) for cells in page.rows if cells} - {""}) > 1


def _read_grids(page: Page, file: str, found: Problems) -> list[Block]:
    grids = find_grids(page, file)
    found.extend(find_stray_rows(page, grids, file))
    header = read_header(page, 0, grids[0].header if grids else len(page.rows))
    return blocks_of_grids(Plate(page, header, 1, file), grids, 0, found)


def _read_table(page: Page, table: WellTable, file: str, found: Problems) -> list[Block]:
    header = read_header(page, 0, table.row)
    return blocks_of_table(Plate(page, header, 1, file), table, found)


def _compare(block: Block, views: list[Block], file: str) -> list[Problem]:
    """Compare a block with the same one in the table of wells, well by well."""
    found = Problems()
    where = Place(file, block.locator)
    twin = next((view for view in views if view.read == block.read), None)
    if twin is None:
        text = f"the sheet {views[0].sheet!r} has no values titled {block.read!r}"
        found.error("plate.inconsistent", where, text, _FIX)
        return found.items
    own, other = _by_well(block), _by_well(twin)
    for well in sorted(own.keys() | other.keys()):
        first, second = own.get(well), other.get(well)
        if not _agree(first, second):
            known = first or second
            texts = [f"{r.text!r} at {r.locator}" if r else "nothing" for r in (first, second)]
            text = f"the two views of the plate differ: {texts[0]}, {texts[1]}"
            place = Place(file, known.locator if known else "", well=well_name(*well))
            found.error("plate.inconsistent", place, text, _FIX)
    return found.items


def _find_alone(blocks: list[Block], views: list[Block], file: str, found: Problems) -> None:
    """Find measured values that only the table of wells has."""
    reads = {block.read for block in blocks}
    for view in views:
        if view.read not in reads:
            text = f"the sheet {blocks[0].sheet!r} has no block titled {view.read!r}"
            found.error("plate.inconsistent", Place(file, view.locator), text, _FIX)


def _by_well(block: Block) -> dict[tuple[int, int], Reading]:
    return {(r.row, r.column): r for r in block.readings if r.text.strip()}


def _agree(first: Reading | None, second: Reading | None) -> bool:
    if first is None or second is None:
        return False
    if first.text.strip() == second.text.strip():
        return True
    numbers = parse_number(first.text), parse_number(second.text)
    return numbers[0] is not None and numbers[0] == numbers[1]
