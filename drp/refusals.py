"""Which plates an error speaks of, and which samples it keeps from being computed.

One bad export must not keep a thousand other patients waiting. A plate with an error is not
computed, nor is any sample with wells on it: their patients' reports say what is wrong. An error
that cannot be laid to some plates alone, or that leaves no sample, stops the run.
"""

from collections.abc import Iterable, Mapping

from drp.problems import Problem
from drp.sheetfiles import Row
from drp.sheets import layout_file, samples_of_plate

# Errors of two plates, of which nobody knows which is right, and names that no rule may carry.
_STOPPING = (
    *("wells.identical-plates", "wells.same-barcode", "wells.same-export"),
    *("plates.bad-name", "plates.outside"),
)
LAYOUT_COLUMN = "column layout"


def plates_at_fault(
    problems: Iterable[Problem], rows: Iterable[Row]
) -> dict[str, list[Problem]] | None:
    """Lay every error to the plates it speaks of.

    Parameters
    ----------
    problems : iterable of Problem
        What was found; warnings do not count.
    rows : iterable of mapping
        Rows of plates.tsv.

    Returns
    -------
    dict of list of Problem, or None
        By plate. None if an error stops the run: it speaks of a sheet, of the configuration, or of
        plates that cannot be told apart.

    Examples
    --------
    >>> from drp.problems import Place
    >>> rows = [{"plate": name, "file": f"{name}.txt", "layout": "l.tsv", "sample": "S1"}
    ...         for name in ("PL1", "PL2")]
    >>> cut = Problem("plate.truncated", "error", Place("PL1.txt", "line 9"), "cut", "Again.")
    >>> list(plates_at_fault([cut], rows)), plates_at_fault(
    ...     [Problem("config.bad-value", "error", Place("config.yaml"), "odd", "Mend it.")], rows)
    (['PL1'], None)
    """
    by_plate = {row["plate"]: row for row in rows}
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.severity == "error":
            plates = _plates_of(problem, by_plate)
            if not plates:
                return None
            for plate in plates:
                found.setdefault(plate, []).append(problem)
    return found


def _plates_of(problem: Problem, by_plate: Mapping[str, Row]) -> list[str]:
    area, where = problem.code.partition(".")[0], problem.where
    if problem.code in _STOPPING:
        return []
    if area in ("plate", "layout"):  # of a file: whatever is read from it is in doubt
        return [name for name, row in by_plate.items() if where.file in files_of_row(row)]
    if area not in ("plates", "wells") or where.plate not in by_plate:
        return []
    if where.locator != LAYOUT_COLUMN:
        return [where.plate]
    layout = layout_file(by_plate[where.plate])
    return [name for name, row in by_plate.items() if layout_file(row) == layout]


def files_of_row(row: Row) -> set[str]:
    """Give the export and the layout that a row of plates.tsv names, as problems name them.

    >>> sorted(files_of_row({"file": "day1/PL1.txt", "layout": "map.xlsx#2"}))
    ['day1/PL1.txt', 'map.xlsx']
    """
    return {row["file"], layout_file(row)}


def refused_samples(plates: Iterable[str], rows: Iterable[Row]) -> set[str]:
    """Give the samples with wells on plates that are not computed.

    >>> sorted(refused_samples(["PL1"], [{"plate": "PL1", "sample": "S1; S2"}]))
    ['S1', 'S2']
    """
    bad = set(plates)
    return {sample for row in rows if row["plate"] in bad for sample in samples_of_plate(row)}


def stops_run(problems: Iterable[Problem], rows: Iterable[Row]) -> bool:
    """Say whether errors leave nothing that may be computed: see `plates_at_fault`.

    >>> stops_run([], [{"plate": "PL1", "file": "a", "layout": "b", "sample": "S1"}])
    False
    """
    rows = list(rows)
    found = plates_at_fault(problems, rows)
    if found is None:
        return True
    everyone = refused_samples((row["plate"] for row in rows), rows)
    return bool(found) and refused_samples(found, rows) == everyone
