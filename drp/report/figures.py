"""The figures of a report, drawn as SVG by hand: one drawing for HTML and PDF.

Coordinates are rounded to a tenth, wells of one kind are one path, and styles are classes
(`FIGURE_STYLE`), so that a page of 63 curves stays small. Every figure carries its text.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape
from math import log10

from drp.report.numerals import significant, whole
from drp.report.palette import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    WHITE,
    shade,
    text_on,
)
from drp.report.plate_rows import place
from drp.report.record import Curve, DoseAxis, Matrix, Plate
from drp.wellnames import row_letters

FIGURE_STYLE = (
    f".b{{fill:{BLUE};fill-opacity:.16;stroke:none}}"
    f".a{{fill:none;stroke:{BLUE};stroke-width:1.4}}"
    f".g{{fill:none;stroke:{PALE};stroke-width:.6}}"
    f".l{{fill:none;stroke:{BLUE};stroke-width:1.8}}"
    f".r{{fill:none;stroke:{GREY};stroke-width:1.1;stroke-dasharray:3 2}}"
    f".p{{fill:none;stroke:{ORANGE};stroke-width:1.8}}"
    f".d{{fill:none;stroke:{BLUE};stroke-width:3;stroke-linecap:round}}"
    f".x{{fill:none;stroke:{ORANGE};stroke-width:1.4}}"
    f".o{{fill:none;stroke:{INK};stroke-width:1.2}}"
    f".i{{fill:none;stroke:{INK};stroke-width:1.6;stroke-linecap:round}}"
    f".w{{fill:none;stroke:{WHITE};stroke-width:1.6;stroke-linecap:round}}"
    f".u{{fill:none;stroke:{GREY};stroke-width:.8}}"
    f".t{{font-size:7px;fill:{GREY}}}"
    ".n{font-size:8.5px;text-anchor:middle}"
    ".e{text-anchor:end}.c{text-anchor:middle}"
)
# Viability drawn, %; what lies beyond sits on the edge.
LOWEST, HIGHEST = -10.0, 130.0
_CELL = 22
_WELL_STEP = 8
_LEVELS = 10
_STRONG_EXCESS = 25.0
_Cell = Callable[[int, int], tuple[str, str] | None]


def curve_svg(curve: Curve, axis: DoseAxis, width: float, height: float, *, labels: bool) -> str:
    """Draw one dose-response curve.

    Parameters
    ----------
    curve : Curve
    axis : DoseAxis
        Dose axis; with equal axes, curves of different drugs can be compared by eye.
    width, height : float
        Size in SVG units.
    labels : bool
        Whether the axes carry numbers; without, the drawing is a strip for a table row.

    Returns
    -------
    str
        One ``<svg>``: dots are wells, the solid line the fit, the band its interval, the dashed
        line the reference median, the bar the plasma peak, thin lines 0, 50 and 100 %. An arrow
        on the line of 50 % points to where the IC50 lies beyond the tested doses.
    """
    left, bottom = (20.0, height - 11.0) if labels else (1.0, height - 1.0)
    decades = log10(axis.dose_max / axis.dose_min)

    def x(dose: float) -> float:
        return left + (width - left - 2) * log10(dose / axis.dose_min) / decades

    scale = (bottom - 1) / (HIGHEST - LOWEST)

    def y(viability: float) -> float:
        inside = LOWEST if viability < LOWEST else HIGHEST if viability > HIGHEST else viability
        return 1 + (HIGHEST - inside) * scale

    first, last = x(curve.dose_min), x(curve.dose_max)
    parts = [f'<path class="g" d="{_lines(left, width - 2, [y(0), y(50), y(100)])}"/>']
    if labels:
        parts.append(_curve_labels(axis, left, width, height, y(0), y(100)))
    if curve.plasma_peak and axis.dose_min <= curve.plasma_peak <= axis.dose_max:
        parts.append(f'<path class="p" d="M{x(curve.plasma_peak):.1f} 1V{bottom:.1f}"/>')
    if curve.band_low:
        low = _along(first, last, [y(height) for height in curve.band_low])
        high = _along(first, last, [y(height) for height in curve.band_high])
        parts.append(f'<path class="b" d="M{"L".join(low + high[::-1])}z"/>')
    # Room for the arrow, whichever doses the axis ends at.
    parts.append(_beyond(curve.ic50_qualifier, max(first, left + 8), min(last, width - 9), y(50)))
    for kind, heights in (("r", curve.reference), ("l", curve.fitted)):
        if heights:
            line = "L".join(_along(first, last, [y(height) for height in heights]))
            parts.append(f'<path class="{kind}" d="M{line}"/>')
    used = [(x(p.dose), y(p.viability_pct)) for p in curve.points if p.dose > 0 and not p.excluded]
    out = [(x(p.dose), y(p.viability_pct)) for p in curve.points if p.dose > 0 and p.excluded]
    parts.append(_dots("d", used))
    if out:
        crosses = "".join(f"M{a - 2:.1f} {b - 2:.1f}l4 4m-4 0l4-4" for a, b in out)
        parts.append(f'<path class="x" d="{crosses}"/>')
    return _svg(width, height, curve.summary, parts)


def _along(first: float, last: float, heights: list[float]) -> list[str]:
    """Write heights at equal steps from `first` to `last`: equal steps of log dose."""
    places = _steps(first, last, len(heights))
    return [f"{place} {height:.1f}" for place, height in zip(places, heights, strict=True)]


@lru_cache(maxsize=256)  # most curves share doses and axis
def _steps(first: float, last: float, number: int) -> tuple[str, ...]:
    step = (last - first) / (number - 1)
    return tuple(f"{first + place * step:.1f}" for place in range(number))


def _beyond(qualifier: str, low: float, high: float, half: float) -> str:
    """Draw an arrow from the outer dose towards an IC50 that lies beyond it."""
    if qualifier == ">":
        return f'<path class="a" d="M{high:.1f} {half:.1f}h7m-3-2.5l3 2.5l-3 2.5"/>'
    if qualifier == "<":
        return f'<path class="a" d="M{low:.1f} {half:.1f}h-7m3-2.5l-3 2.5l3 2.5"/>'
    return ""


def own_axis(curve: Curve) -> DoseAxis:
    """Give the axis of a curve that shares none, from its lowest to its highest dose."""
    return DoseAxis(dose_unit=curve.dose_unit, dose_min=curve.dose_min, dose_max=curve.dose_max)


def excess_svg(matrix: Matrix) -> str:
    """Draw a matrix of excess over Bliss: orange and + is more, purple and − is less.

    Only cells with both drugs are drawn. Doses a patient can reach are framed together.
    """
    columns = [place for place, dose in enumerate(matrix.dose) if dose > 0]
    rows = [place for place, dose in enumerate(matrix.dose2) if dose > 0]

    def cell(row: int, column: int) -> tuple[str, str] | None:
        value = matrix.excess[row][column]
        if value is None:
            return None
        colour = ORANGE if value > 0 else PURPLE
        plus = "+" if round(value) > 0 else ""
        return shade(colour, abs(value) / _STRONG_EXCESS), plus + whole(value)

    return _matrix_svg(matrix, rows, columns, cell, matrix.summary)


def inhibition_svg(matrix: Matrix) -> str:
    """Draw a matrix of observed inhibition, single agents included: darker is more."""

    def cell(row: int, column: int) -> tuple[str, str] | None:
        value = matrix.observed[row][column]
        if value is None:
            return None
        return shade(BLUE, value / 100), whole(value)

    label = f"{matrix.drug} with {matrix.drug2}: observed % inhibition at each pair of doses"
    return _matrix_svg(
        matrix, list(range(len(matrix.dose2))), list(range(len(matrix.dose))), cell, label
    )


def plate_svg(plate: Plate) -> str:
    """Draw a plate: light is alive, dark blue dead; dots are controls, crosses removed wells."""
    columns = len(plate.viability_pct[0])
    step, left, top = _WELL_STEP, 16, 10
    levels: dict[int, list[tuple[float, float]]] = {}
    for row, values in enumerate(plate.viability_pct):
        for column, value in enumerate(values):
            if value is not None:
                dead = min(1.0, max(0.0, 1 - value / 100))
                corner = (left + column * step, top + row * step)
                levels.setdefault(round(dead * _LEVELS), []).append(corner)
    parts = [_plate_labels(columns, len(plate.viability_pct), left, top, step)]
    size = step - 1
    for level, corners in sorted(levels.items()):
        squares = "".join(f"M{a:g} {b:g}h{size}v{size}h-{size}z" for a, b in corners)
        # A living well keeps a tint, so that it differs from an empty place.
        fill = shade(BLUE, 0.08 + 0.92 * level / _LEVELS)
        parts.append(f'<path fill="{fill}" d="{squares}"/>')

    def centres(wells: Iterable[str]) -> list[tuple[float, float]]:
        places = [place(well) or (0, 0) for well in wells]
        half = size / 2
        return [(left + column * step + half, top + row * step + half) for row, column in places]

    parts.append(_dots("i", centres(plate.negative)))
    parts.append(_dots("w", centres(plate.positive)))
    struck = "".join(f"M{a - 3:g} {b:g}h6" for a, b in centres(plate.unread))
    crosses = "".join(
        f"M{a - 3:g} {b - 3:g}l6 6m-6 0l6-6"
        for a, b in centres(item.well for item in plate.removed)
    )
    parts.extend(f'<path class="{k}" d="{d}"/>' for k, d in (("u", struck), ("x", crosses)) if d)
    width, height = left + columns * step, top + len(plate.viability_pct) * step
    return _svg(width, height, plate.summary, parts)


def _svg(width: float, height: float, label: str, parts: Iterable[str], *, top: int = 0) -> str:
    return (
        f'<svg role="img" viewBox="0 {top} {width:g} {height:g}" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, words: str, classes: str = "t", more: str = "") -> str:
    return f'<text class="{classes}" x="{x:g}" y="{y:g}"{more}>{escape(words)}</text>'


def _dots(kind: str, places: Iterable[tuple[float, float]]) -> str:
    """All dots as one path: each a line of no length with round ends."""
    drawn = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
    return f'<path class="{kind}" d="{drawn}"/>' if drawn else ""


def _lines(left: float, right: float, heights: Iterable[float]) -> str:
    return "".join(f"M{left:g} {height:.1f}H{right:g}" for height in heights)


def _curve_labels(
    axis: DoseAxis, left: float, width: float, height: float, zero: float, full: float
) -> str:
    return "".join(
        (
            _text(left - 3, full + 2.5, "100", "t e"),
            _text(left - 3, zero + 2.5, "0", "t e"),
            _text(left, height - 2, significant(axis.dose_min)),
            _text(width - 2, height - 2, f"{_short(axis.dose_max)} {axis.dose_unit}", "t e"),
        )
    )


def _short(dose: float) -> str:
    """Write a dose for an axis, with k for thousand.

    >>> _short(10000), _short(320)
    ('10k', '320')
    """
    return f"{significant(dose / 1000)}k" if dose >= 1000 else significant(dose)


def _matrix_svg(
    matrix: Matrix, rows: list[int], columns: list[int], cell: _Cell, label: str
) -> str:
    size, left = _CELL, 40
    height = size * len(rows)
    parts = []
    for line, row in enumerate(reversed(rows)):
        top = line * size
        parts.append(_text(left - 3, top + size / 2 + 2.5, _short(matrix.dose2[row]), "t e"))
        for place_, column in enumerate(columns):
            parts.append(_cell_svg(left + place_ * size, top, cell(row, column)))
    for place_, column in enumerate(columns):
        middle = left + place_ * size + size / 2
        parts.append(_text(middle, height + 8, _short(matrix.dose[column]), "t c"))
    frame = _frame(matrix, rows, columns, left)
    parts.append(f'<path class="o" d="{frame}"/>' if frame else "")
    width = left + size * len(columns)
    middle, unit = (left + width) / 2, matrix.dose_unit
    parts.append(_text(middle, height + 18, f"{_cut(matrix.drug)}, {unit}", "t c"))
    turned = f' transform="rotate(-90 8 {height / 2:g})"'
    parts.append(_text(8, height / 2, f"{_cut(matrix.drug2)}, {unit}", "t c", turned))
    return _svg(width + 1, height + 22, label, parts, top=-1)  # room for the frame's stroke


def _cell_svg(x: float, y: float, shown: tuple[str, str] | None) -> str:
    size = _CELL - 1
    square = f'd="M{x:g} {y:g}h{size}v{size}h-{size}z"'
    if shown is None:
        return f'<path class="g" {square}/>'
    fill, words = shown
    number = _text(x + size / 2, y + size / 2 + 3, words, "n", f' fill="{text_on(fill)}"')
    return f'<path fill="{fill}" {square}/>{number}'


def _frame(matrix: Matrix, rows: list[int], columns: list[int], left: float) -> str:
    """Outline the reachable doses, which fill the corner of low doses above 0."""
    wide = sum(any(matrix.achievable[row][column] for row in rows) for column in columns)
    high = sum(any(matrix.achievable[row][column] for column in columns) for row in rows)
    if not wide or not high:
        return ""
    size = _CELL
    x = left - 0.5 + size * (matrix.dose[columns[0]] == 0)
    bottom = size * (len(rows) - (matrix.dose2[rows[0]] == 0)) - 0.5
    return f"M{x:g} {bottom - size * high:g}h{size * wide}v{size * high}h-{size * wide}z"


def _cut(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _plate_labels(columns: int, rows: int, left: float, top: float, step: float) -> str:
    shown = [0, *range(5, columns - 1, 6), columns - 1]
    middle = (step - 1) / 2
    return "".join(
        [
            *(_text(left + at * step + middle, top - 3, str(at + 1), "t c") for at in shown),
            *(
                _text(left - 3, top + at * step + middle + 2.5, row_letters(at + 1), "t e")
                for at in range(0, rows, 1 if rows <= 16 else 2)
            ),
        ]
    )
