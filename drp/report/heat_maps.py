"""The heat maps of a plate's review: one cell per well, shaded in twelve steps, with its value.

Dark means little signal and few living cells, in both maps alike. A well's role stands as a letter
and a frame beside the shade, so that nothing is said by colour alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drp.report import numerals
from drp.report.palette import BLUE, shade, text_on
from drp.report.review_rows import ROLE_WORDS, status_words, usable, well_words
from drp.report.rows import number, text
from drp.wellnames import row_letters, smallest_format

Row = Mapping[str, Any]
Shade = Callable[[float], float]

LEVELS = 12
LETTERS = {
    "negative": "N",
    "positive": "P",
    "blank": "B",
    "untreated": "U",
    "day0": "D",
    "reference": "R",
}
_STATUS_LETTERS = {
    "saturated": "sat",
    "below_range": "low",
    "invalid": "inv",
    "not_read": "n/r",
    "missing": "mis",
}


def heat_maps(wells: Sequence[Row]) -> list[dict[str, Any]]:
    """Lay out a plate's signal and viability for the template.

    Parameters
    ----------
    wells : sequence of mappings
        The plate's rows of table `viability`, with row and column from 1.

    Returns
    -------
    list of dict
        Two maps with name, title, note, legend (steps from dark to light, each with its level and
        words), columns and rows. A row has its letters and its cells; a cell is None where the
        plate has no such well.
    """
    low, high = signal_range(wells)
    span = high - low
    by_signal: Shade = lambda value: (value - low) / span if span > 0 else 0.5  # noqa: E731
    steps = [low + span * share for share in (0, 0.5, 1)]
    signal = [f"{short(low)} or less", short(steps[1]), f"{short(high)} or more"]
    several = len({text(well, "sample") for well in wells if text(well, "role") == "sample"}) > 1
    labels = [well_words(well, several=several) for well in wells]
    maps = (
        ("signal", "Signal, before normalisation", by_signal, short, signal),
        (
            "viability_pct",
            "Viability, after normalisation",
            lambda value: value / 100,
            numerals.whole,
            ["0 % viable or less", "50 %", "100 % or more"],
        ),
    )
    return [
        {
            "name": name,
            "title": title,
            "legend": list(zip((0, LEVELS // 2, LEVELS - 1), words, strict=True)),
            **_grid(wells, labels, name, light, write),
        }
        for name, title, light, write, words in maps
    ]


def signal_range(wells: Sequence[Row]) -> tuple[float, float]:
    """Give the signals between which the shades run: the 2nd and 98th percentile of usable wells.

    One stray bright well must not make all others look alike.
    """
    values = sorted(
        number(well, "signal") or 0.0
        for well in wells
        if usable(well) and text(well, "role") != "empty"
    )
    if not values:
        return 0.0, 0.0
    last = len(values) - 1
    return values[round(0.02 * last)], values[round(0.98 * last)]


def short(value: float) -> str:
    """Write a signal in at most five characters.

    >>> short(226.0), short(45210.0), short(1302119.0), short(0.1234)
    ('226', '45.2k', '1.3M', '0.123')
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{float(f'{value / size:.3g}'):g}{letter}".replace("-", numerals.MINUS)
    return f"{float(f'{value:.3g}'):g}".replace("-", numerals.MINUS)


def level(share: float) -> int:
    """Give the step of a share, 0 the darkest; beyond 0 and 1 it is clipped.

    >>> level(-0.2), level(0.5), level(1.7)
    (0, 6, 11)
    """
    return min(LEVELS - 1, max(0, int(share * LEVELS)))


def level_style() -> str:
    """Give the style rules of the steps; each has text of at least 4.5 : 1 on its ground."""
    fills = [shade(BLUE, 0.06 + 0.94 * (1 - step / (LEVELS - 1))) for step in range(LEVELS)]
    return "".join(
        f"i.v{step},.map .v{step}{{background-color:{fill};color:{text_on(fill)}}}"
        for step, fill in enumerate(fills)
    )


def roles_shown(wells: Sequence[Row]) -> list[tuple[str, str]]:
    """Give the letters that stand on a plate, each with its meaning."""
    roles = {text(well, "role") for well in wells}
    return [(letter, ROLE_WORDS[role]) for role, letter in LETTERS.items() if role in roles]


def _grid(
    wells: Sequence[Row],
    labels: Sequence[str],
    column: str,
    light: Shade,
    write: Callable[[float], str],
) -> dict[str, Any]:
    last = [max((int(well[axis]) for well in wells), default=1) for axis in ("row", "column")]
    n_rows, n_columns = smallest_format(*last)
    placed = {
        (int(well["row"]), int(well["column"])): _cell(well, label, column, light, write)
        for well, label in zip(wells, labels, strict=True)
    }
    return {
        "columns": list(range(1, n_columns + 1)),
        "rows": [
            {
                "letters": row_letters(row),
                "cells": [placed.get((row, place)) for place in range(1, n_columns + 1)],
            }
            for row in range(1, n_rows + 1)
        ],
    }


def _cell(
    well: Row, label: str, column: str, light: Shade, write: Callable[[float], str]
) -> dict[str, Any]:
    value, role, status = number(well, column), text(well, "role"), text(well, "status")
    bare = value is None or role == "empty"
    classes = [role if role in ("sample", "empty") else "control"]
    if role in ("negative", "positive", "blank") and not text(well, "control"):
        classes.append("unused")
    if well.get("excluded"):
        classes.append("out")
    elif not bare and value is not None:
        classes.append(f"v{level(light(value))}")
    words = "" if value is None or (role == "empty" and column != "signal") else write(value)
    return {
        "well": text(well, "well"),
        "label": label,
        "classes": " ".join(classes),
        "letter": LETTERS.get(role, ""),
        "text": _STATUS_LETTERS.get(status, status) if status_words(well) else words,
        "excluded": bool(well.get("excluded")),
    }
