"""Figures of the cohort view: the map of samples, and samples by drugs as a heat map."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from drp.report.palette import BLUE, GREY, INK, ORANGE

_WIDTH, _HEIGHT, _EDGE = 640.0, 420.0, 16.0
# Outlines about (0, 0): the kinds are told apart by shape as well as by colour.
_SHAPES = (
    ("M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0", BLUE),
    ("M-3.5-3.5h7v7h-7z", ORANGE),
    ("M0-4.5l4.2 7.5h-8.4z", INK),
    ("M-3-3l6 6m-6 0l6-6", GREY),
)
_CELL, _NAMES, _LEVELS = 7.0, 110.0, 4
_LARGEST_Z = 4.0
_FAINTEST = 0.15


def map_svg(places: pd.DataFrame, kinds: Mapping[str, str]) -> str:
    """Draw samples at their places; a shape and colour for each of the four most frequent kinds.

    Parameters
    ----------
    places : DataFrame
        As `drp.profiles.sample_map` gives it.
    kinds : mapping
        Sample → what it is; further kinds are drawn like the fourth.
    """
    if places.empty:
        return ""
    tally = pd.Series([kinds[str(name)] for name in places.index]).value_counts()
    names = sorted(tally.index, key=lambda kind: (-int(tally[kind]), kind))
    low, high = places.min(), places.max()
    span = (high - low).where(high > low, 1.0)
    x = _EDGE + (places["x"] - low["x"]) / span["x"] * (_WIDTH - 2 * _EDGE)
    y = _HEIGHT - _EDGE - (places["y"] - low["y"]) / span["y"] * (_HEIGHT - 2 * _EDGE)
    marks, legend = [], []
    for place, kind in enumerate(names):
        shape, colour = _SHAPES[min(place, len(_SHAPES) - 1)]
        style = f'fill="none" stroke="{colour}" stroke-width="1.6"'
        own = [name for name in places.index if kinds[str(name)] == kind]
        path = "".join(f"M{x[name]:.1f} {y[name]:.1f}{shape[0].lower()}{shape[1:]}" for name in own)
        marks.append(f'<path {style} d="{path}"/>')
        row = _HEIGHT + 16 + 18 * place
        legend.append(
            f'<path {style} d="{shape}" transform="translate(20 {row - 4:.0f})"/>'
            f'<text x="32" y="{row:.0f}" font-size="12">{escape(kind)} ({tally[kind]})</text>'
        )
    words = ", ".join(f"{tally[kind]} {kind}" for kind in names)
    height = _HEIGHT + 24 + 18 * len(names)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" '
        f'role="img" aria-label="Map of samples by their drug responses: {escape(words)}">'
        f"{''.join(marks)}{''.join(legend)}</svg>"
    )


def heat_svg(table: pd.DataFrame, samples: Sequence[str], drugs: Sequence[str]) -> str:
    """Draw z of samples (rows) by drugs (columns), both in the order given.

    Blue is more sensitive than usual, orange less; a blank is near the median or not tested.
    """
    values = table.loc[list(samples), list(drugs)].to_numpy(float)
    parts = [
        _cells(values * sign, colour, level)
        for sign, colour in ((1.0, BLUE), (-1.0, ORANGE))
        for level in range(1, _LEVELS + 1)
    ]
    height = _NAMES + len(samples) * _CELL
    width = _NAMES + len(drugs) * _CELL
    names = [
        f'<text font-size="6.5" transform="translate({_NAMES + (place + 0.8) * _CELL:.1f} '
        f'{_NAMES - 3:.0f}) rotate(-90)">{escape(str(drug))}</text>'
        for place, drug in enumerate(drugs)
    ]
    names += [
        f'<text font-size="6.5" x="{_NAMES - 3:.0f}" y="{_NAMES + (place + 0.8) * _CELL:.1f}" '
        f'text-anchor="end">{escape(str(sample))}</text>'
        for place, sample in enumerate(samples)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="Heat map of {len(samples)} samples by {len(drugs)} drugs, '
        f'in the order of a cluster tree">{"".join(parts)}{"".join(names)}</svg>'
    )


def _cells(
    values: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", colour: str, level: int
) -> str:
    """All cells of one shade as one path; the first shade starts at z of half a step."""
    step = _LARGEST_Z / _LEVELS
    upper = np.inf if level == _LEVELS else (level + 0.5) * step
    rows, columns = np.nonzero((values >= (level - 0.5) * step) & (values < upper))
    path = "".join(
        f"M{_NAMES + column * _CELL:g} {_NAMES + row * _CELL:g}h{_CELL:g}v{_CELL:g}h-{_CELL:g}z"
        for row, column in zip(rows, columns, strict=True)
    )
    opacity = _FAINTEST + (1 - _FAINTEST) * level / _LEVELS
    return f'<path fill="{colour}" fill-opacity="{opacity:.2f}" d="{path}"/>' if path else ""
