"""Workbooks that draw the plate on a sheet for each attribute: the cell itself is the well.

Sheets are called Gnumber and Concentration (Gnumber_2, Concentration_2 for a second drug), without
any labels: cell B3 is well C2, so blank rows and columns at the start matter. A template of
untreated plates has one sheet, of any name, with nothing but vehicle.
"""

from itertools import pairwise

from drp.plates.columns import find_tidy
from drp.plates.grid import find_grids
from drp.plates.layouts.attributes import AttributeMap, attribute_of, read_attributes
from drp.plates.layouts.entries import Entry, Options
from drp.plates.layouts.merged import check_merged
from drp.plates.layouts.roles import is_vehicle
from drp.plates.layouts.tidy import COLUMNS
from drp.plates.pages import Page, Source
from drp.plates.values import looks_like_number
from drp.problems import Place, Problems
from drp.wellnames import MOST_COLUMNS, MOST_ROWS, row_number

NAME = "sheets"
MEANING = "workbooks with sheets Gnumber (or drug) and Concentration, each cell a well, no labels"

_FEWEST_LABELS = 3  # that many letters in a row are labels, not names of drugs


def recognise(source: Source) -> bool:
    """Say whether a file is a workbook with a sheet for each attribute.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    pages = [page for page in source.pages if page.sheet and _cells(page)]
    labelled = any(find_grids(page, source.file) for page in pages)
    if not pages or labelled or find_tidy(source, COLUMNS, ("well", "drug")):
        return False
    return any(_attribute(page)[0] == "drug" for page in pages) or _is_untreated(pages)


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read a workbook with a sheet for each attribute, one plate.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        Unit, roles and names that the user states.
    found : Problems
        Takes everything that is wrong with the sheets and with each well.

    Returns
    -------
    list of Entry
        The wells without a fault.
    """
    pages = [page for page in source.pages if _cells(page)]
    if _is_untreated(pages):
        maps = [_map("drug", "", pages[0], source.file, found)]
    else:
        maps = []
        for page in pages:
            attribute, unit = _attribute(page)
            if attribute:
                maps.append(_map(attribute, unit, page, source.file, found))
            else:
                text = f"the sheet {page.sheet!r} is not used"
                fix = "If it says what is in the wells, call it Gnumber, Concentration, Gnumber_2 …"
                found.warning("layout.unused-sheet", Place(source.file, page.sheet), text, fix)
    check_merged(source.file, [given.page for given in maps], found)
    for given in maps:
        if given.attribute.startswith("drug"):
            _check_drugs(given, source.file, found)
    return [] if found.errors else read_attributes(maps, source.file, options, found)


def _cells(page: Page) -> list[tuple[int, int, str]]:
    """Give row and column, from 1, and text of every cell of a sheet that is not blank."""
    return [
        (row, column, text)
        for row, cells in enumerate(page.rows, start=1)
        for column, text in enumerate(cells, start=1)
        if text.strip()
    ]


def _attribute(page: Page) -> tuple[str, str]:
    return attribute_of(page.sheet) or ("", "")


def _is_untreated(pages: list[Page]) -> bool:
    """Say whether there is one sheet, and nothing on it but vehicle or untreated."""
    return len(pages) == 1 and all(is_vehicle(text, {}) for _, _, text in _cells(pages[0]))


def _map(attribute: str, unit: str, page: Page, file: str, found: Problems) -> AttributeMap:
    given = AttributeMap(attribute, unit, page, page.sheet)
    for row, column, text in _cells(page):
        locator = page.cell(row - 1, column - 1)
        if row > MOST_ROWS or column > MOST_COLUMNS:
            fault = f"{text.strip()!r} stands beyond the largest plate"
            fix = "A cell is a well here: row 1, column A is A1. Take away all else."
            found.error("layout.bad-well", Place(file, locator), fault, fix)
            break
        given.cells[row, column] = (text, locator)
    return given


def _check_drugs(given: AttributeMap, file: str, found: Problems) -> None:
    """Refuse row letters and column numbers: with them the cells would not be the wells."""
    first = min(column for _, column in given.cells)
    edge = sorted(well for well in given.cells if well[1] == first)
    numbers = [row_number(given.text(well)) for well in edge]
    lettered = len(edge) >= _FEWEST_LABELS and all(
        number is not None and after == number + 1 for number, after in pairwise(numbers)
    )
    wrong = [well for well in given.cells if looks_like_number(given.text(well))]
    for well in (edge if lettered else wrong)[:1]:
        found.error(
            "layout.labelled-sheet",
            Place(file, given.cells[well][1]),
            f"the drug is {given.text(well)!r}: row letters or column numbers, or doses",
            "Without labels a cell is a well; with labels call the grid's corner drug, dose …",
        )
