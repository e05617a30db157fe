"""Lines that a list of wells may have lost: single gaps in what is otherwise whole."""

from drp.plates.layouts.entries import Entry
from drp.problems import Place, Problems
from drp.wellnames import well_name

# A design that leaves wells out leaves out many; a lost line is one gap, or a few.
_LARGEST_SHARE = 0.05
_SHOWN = 5


def note_gaps(entries: list[Entry], file: str, found: Problems) -> None:
    """Warn where a plate lists nearly all wells of a rectangle, but not all.

    Parameters
    ----------
    entries : list of Entry
        Every well that the layout lists.
    file : str
        Name of the file.
    found : Problems
        Takes one warning for each plate with gaps of at most 5 % of its rectangle.

    Examples
    --------
    >>> wells = [Entry((row, column), "empty", "", "", "") for row in range(1, 9)
    ...          for column in range(1, 13)]
    >>> found = Problems()
    >>> note_gaps(wells[:40] + wells[41:], "layout.tsv", found)
    >>> print(found.items[0])
    warning layout.missing-well: layout.tsv, well D5: 95 wells are listed, 1 between them is not:
    D5. Check that no line was lost; a well that was left empty has the role empty.
    """
    plates: dict[str, set[tuple[int, int]]] = {}
    for entry in entries:
        plates.setdefault(entry.plate, set()).add(entry.well)
    for plate, wells in sorted(plates.items()):
        rows, columns = ({well[axis] for well in wells} for axis in (0, 1))
        n_missing = (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1) - len(wells)
        if not 0 < n_missing <= _LARGEST_SHARE * (n_missing + len(wells)):
            continue
        missing = [
            well_name(row, column)
            for row in range(min(rows), max(rows) + 1)
            for column in range(min(columns), max(columns) + 1)
            if (row, column) not in wells
        ]
        names = ", ".join(missing[:_SHOWN]) + (" …" if n_missing > _SHOWN else "")
        lie = "is" if n_missing == 1 else "are"
        found.warning(
            "layout.missing-well",
            Place(file, plate=plate, well=missing[0]),
            f"{len(wells)} wells are listed, {n_missing} between them {lie} not: {names}",
            "Check that no line was lost; a well that was left empty has the role empty.",
        )
