"""Merged cells in a sheet that says what is in which well."""

from drp.plates.pages import Page
from drp.problems import Place, Problems

_SHOWN = 5


def check_merged(file: str, pages: list[Page], found: Problems) -> None:
    """Refuse merged cells: only the first of them holds the text, the others look empty.

    Parameters
    ----------
    file : str
        Name of the file.
    pages : list of Page
        The sheets that are used as a layout; a text file has no merged cells.
    found : Problems
        Takes one error for each sheet with merged cells.

    Examples
    --------
    >>> found = Problems()
    >>> check_merged("layout.xlsx", [Page([["X", ""]], "Drug", merged=[(0, 0, 0, 1)])], found)
    >>> print(found.items[0])
    error layout.merged-cells: layout.xlsx, Drug!A1: cells of the sheet are merged: A1:B1. Unmerge
    them and write the text into every cell.
    """
    for page in pages:
        if not page.merged:
            continue
        ranges = [
            ":".join(page.cell(*corner).rpartition("!")[2] for corner in (area[:2], area[2:]))
            for area in page.merged[:_SHOWN]
        ]
        shown = ", ".join(ranges) + (" …" if len(page.merged) > _SHOWN else "")
        found.error(
            "layout.merged-cells",
            Place(file, page.cell(*page.merged[0][:2])),
            f"cells of the sheet are merged: {shown}",
            "Unmerge them and write the text into every cell.",
        )
