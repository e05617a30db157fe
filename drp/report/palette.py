"""Colours and drawn marks, the same in HTML and PDF.

Blue is effect, orange synergy or caution, purple antagonism, grey reference. No red, no green, and
never colour alone: every colour comes with a word and a drawn shape. Text on white has a contrast
of at least 4.5 : 1 (WCAG 2.2, success criterion 1.4.3).
"""

from functools import cache, lru_cache

from drp.report.record import Mark

INK = "#16191d"
GREY = "#5b6470"
PALE = "#c9ced6"
BLUE = "#0b4f94"
ORANGE = "#a84a00"
PURPLE = "#62359b"
WHITE = "#ffffff"
BLACK = "#000000"

# Each mark in a square of 12 by 12: its colour and its shapes. Drawn, so that no font can lack it.
_FILL, _STROKE = "fill:{};stroke:none", "fill:none;stroke:{};stroke-width:2;stroke-linecap:round"
_MARKS: dict[Mark, tuple[str, str]] = {
    "check": (INK, '<path style="S" d="M2 6.5l3 3L10 3"/>'),
    "caution": (ORANGE, '<path style="S" d="M6 1.5v5.5M6 10.5h0"/>'),
    "cross": (INK, '<path style="S" d="M2.5 2.5l7 7M9.5 2.5l-7 7"/>'),
    "disc": (BLUE, '<circle style="F" cx="6" cy="6" r="4.5"/>'),
    "half": (
        BLUE,
        '<circle style="S" cx="6" cy="6" r="4"/><path style="F" d="M6 2a4 4 0 0 0 0 8z"/>',
    ),
    "ring": (GREY, '<circle style="S" cx="6" cy="6" r="4"/>'),
    "dash": (GREY, '<path style="S" d="M2.5 6h7"/>'),
    "plus": (ORANGE, '<path style="S" d="M6 2v8M2 6h8"/>'),
    "minus": (PURPLE, '<path style="S" d="M2 6h8"/>'),
    "equals": (GREY, '<path style="S" d="M2 4h8M2 8h8"/>'),
    "diamond": (GREY, '<path style="S" d="M6 1.5L10.5 6 6 10.5 1.5 6z"/>'),
    "triangle": (INK, '<path style="F" d="M6 1.5L11 10.5H1z"/>'),
}  # fmt: skip

CALL_MARKS: dict[str, Mark] = {
    "sensitive": "disc",
    "intermediate": "half",
    "not sensitive": "ring",
    "not evaluable": "dash",
}
VERDICT_MARKS: dict[str, Mark] = {"pass": "check", "warn": "caution", "fail": "cross"}


@cache
def mark_svg(mark: Mark) -> str:
    """Draw a mark; it stands beside its word, so it is hidden from screen readers.

    >>> mark_svg("dash")[:30]
    '<svg class="m" viewBox="0 0 12'
    """
    return f'<svg class="m" viewBox="0 0 12 12" aria-hidden="true">{mark_shapes(mark)}</svg>'


def mark_shapes(mark: Mark) -> str:
    """Give the shapes of a mark, without the drawing around them.

    >>> mark_shapes("dash").count("<path")
    1
    """
    colour, shapes = _MARKS[mark]
    shapes = shapes.replace('"F"', f'"{_FILL.format(colour)}"')
    return shapes.replace('"S"', f'"{_STROKE.format(colour)}"')


def shade(colour: str, strength: float) -> str:
    """Mix a colour with white; `strength` 0 is white, 1 the colour, beyond is clipped.

    >>> shade("#000000", 0.5), shade("#0b4f94", 2)
    ('#808080', '#0b4f94')
    """
    share = min(1.0, max(0.0, strength))
    channels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    mixed = (round(255 + (channel - 255) * share) for channel in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def luminance(colour: str) -> float:
    """Give the relative luminance, 0 black to 1 white (WCAG 2.2, definition).

    >>> luminance("#ffffff")
    1.0
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return round(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], 6)


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours, 1 to 21 (WCAG 2.2).

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def text_on(background: str) -> str:
    """Choose black or white, whichever reads better; at least 4.5 : 1 on any background.

    >>> text_on("#0b4f94"), text_on("#eeeeee")
    ('#ffffff', '#000000')
    """
    return max((BLACK, WHITE), key=lambda colour: contrast(colour, background))
