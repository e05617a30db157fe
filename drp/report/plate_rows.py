"""The plates of one sample: metrics, and the viability of every well in its place."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from drp.report import numerals
from drp.report.record import Plate, RemovedWell
from drp.report.rows import count, flag, number, parts, records, text
from drp.wellnames import parse_well, smallest_format

Row = Mapping[str, Any]


def place(well: str) -> tuple[int, int] | None:
    """Give the row and column of a well, both from 0; None if it is not a well's name.

    >>> place("A1"), place("AF48"), place("well 3")
    ((0, 0), (31, 47), None)
    """
    found = parse_well(well)
    return found and (found[0] - 1, found[1] - 1)


def review_path(run: str, plate: str) -> str:
    """Say where a plate's review lies, as a link from the folder `reports/`.

    >>> review_path("run-1", "PL1")
    'plates/run-1/PL1.html'
    """
    return f"plates/{quote(run or 'run', safe='')}/{quote(plate, safe='')}.html"


def plate_rows(
    sample: str, tables: Mapping[str, list[dict[str, Any]]], *, reviewed: bool = False
) -> list[Plate]:
    """Give the plates that carry wells of a sample, by name.

    Parameters
    ----------
    sample : str
    tables : mapping
        ``viability`` (all wells) and ``quality`` (one row per plate).
    reviewed : bool
        Whether the plates have review pages.

    Notes
    -----
    Controls shared by several samples of a plate carry no sample, or all of them; they are
    shown with each.
    """
    wells: dict[str, list[dict[str, Any]]] = {}
    named = set()
    for well in records(tables, "viability"):
        plate, own = text(well, "plate"), text(well, "sample") == sample
        if own:
            named.add(plate)
        if own or text(well, "role") != "sample":
            wells.setdefault(plate, []).append(well)
    quality = {text(row, "plate"): row for row in records(tables, "quality")}
    return [_plate(name, quality.get(name, {}), wells[name], reviewed) for name in sorted(named)]


def _plate(name: str, quality: Row, wells: list[dict[str, Any]], reviewed: bool) -> Plate:
    found = {text(well, "well"): well for well in wells}
    order = sorted((at, well) for well in found if (at := place(well)))
    placed = {well: found[well] for _, well in order}
    removed = [
        RemovedWell(well=well, reason=text(row, "reason"))
        for well, row in placed.items()
        if flag(row, "excluded", False)
    ]
    roles = {well: text(row, "role") for well, row in placed.items()}
    used = {well: row for well, row in placed.items() if roles[well] != "empty"}
    metrics = {column: number(quality, column) for column in _METRICS}
    reasons = parts(quality, "reasons", ";")
    verdict = text(quality, "verdict") or "fail"
    return Plate(
        plate=name,
        verdict=verdict,  # type: ignore[arg-type]  # the model checks the word
        reasons=reasons if quality else ["no quality figures for this plate"],
        **metrics,
        n_negative=count(quality, "n_negative"),
        n_positive=count(quality, "n_positive"),
        n_wells=len(used),
        viability_pct=_grid([at for at, _ in order], used),
        negative=[well for well, role in roles.items() if role == "negative"],
        positive=[well for well, role in roles.items() if role == "positive"],
        removed=removed,
        unread=[well for well, row in used.items() if text(row, "status") not in ("ok", "")],
        review=review_path(text(wells[0], "run"), name) if reviewed else "",
        correction=text(quality, "correction") or "none",
        summary=_summary(name, verdict, metrics, len(used), len(removed)),
    )


_METRICS = (
    "z_prime",
    "robust_z_prime",
    "ssmd",
    "signal_to_background",
    "cv_negative",
    "cv_positive",
    "edge_effect",
    "gradient_row_pct",
    "gradient_column_pct",
    "negative_median",
)


def _grid(places: list[tuple[int, int]], used: Mapping[str, Row]) -> list[list[float | None]]:
    """Viability by row and column, of a plate with wells at these places."""
    last = max((row for row, _ in places), default=0), max((c for _, c in places), default=0)
    rows, columns = smallest_format(last[0] + 1, last[1] + 1)
    grid: list[list[float | None]] = [[None] * columns for _ in range(rows)]
    for well, values in used.items():
        viability = number(values, "viability_pct")
        row, column = place(well) or (0, 0)
        if viability is not None:
            grid[row][column] = round(viability, 1)
    return grid


def _summary(
    name: str, verdict: str, metrics: Mapping[str, float | None], used: int, removed: int
) -> str:
    z_prime = metrics["robust_z_prime"]
    robust = f", robust Z′ {numerals.significant(z_prime, finest=0.01)}" if z_prime else ""
    return (
        f"Plate {name}: {verdict}{robust}; {numerals.counted(used, 'well')} in use, "
        f"{removed} removed"
    )
