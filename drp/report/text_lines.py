"""How many lines a text takes in the PDF, known before it is set.

A row of unknown height is set twice by typst, once to measure it, and a table within a row four
times. Most rows hold one line or two, which the widths of the letters tell.
"""

import re
import struct
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
_FILES = {False: "Inter-Regular.otf", True: "Inter-SemiBold.otf"}
# Letters are also moved closer or apart in pairs: the most that does to a text, and the least that
# it does to a short and to a long one, as shares of the width.
_MOST, _LEAST_SHORT, _LEAST = 1.015, 0.94, 0.97
_SHORT_EM = 12.0
_WORDS = re.compile(r"[^ ]+")
# A line may also end within a word, after a sign; just which is for typst to know.
_PARTS = re.compile(r"[^\W_]*(?:[\W_]+|$)")


@lru_cache(maxsize=4096)  # names and calls come back all the time
def lines(words: str, width_em: float, *, bold: bool = False, indent_em: float = 0.0) -> int | None:
    """Count the lines of a text.

    Parameters
    ----------
    words : str
        Broken at spaces, and perhaps at signs.
    width_em : float
        Width of the line over the size of the letters.
    bold : bool
    indent_em : float
        What stands before the first word, in the same unit.

    Returns
    -------
    int or None
        None where a hair's breadth decides, or a word is wider than the line.

    Examples
    --------
    >>> lines("not sensitive", 20), lines("not sensitive", 5), lines("not sensitive", 6)
    (1, 2, None)
    >>> lines("", 20)
    0
    """
    if indent_em + _width(words, bold) * _MOST <= width_em:
        return int(bool(words.strip()))
    parts = _WORDS.findall(words)
    if any(indent_em + _width(part, bold) * _MOST > width_em for part in parts):
        return None  # it is broken, or stands out
    most = _filled(parts, width_em / _MOST, indent_em, bold, _width(" ", bold))
    share = _LEAST if width_em > _SHORT_EM else _LEAST_SHORT
    least = _filled(_PARTS.findall(words), width_em / share, indent_em, bold)
    return most if most == least else None


def _filled(
    parts: Iterable[str], width_em: float, indent_em: float, bold: bool, gap: float = 0.0
) -> int:
    count, used = 1, indent_em
    for part in filter(None, parts):
        if used and used + _width(part.rstrip(), bold) > width_em:
            count, used = count + 1, 0.0
        used += _width(part, bold) + gap
    return count


@lru_cache(maxsize=4096)  # the same words come back all the time
def _width(words: str, bold: bool) -> float:
    advances = _advances(bold)
    return sum(advances.get(letter, 1.0) for letter in words)


@cache
def _advances(bold: bool) -> dict[str, float]:
    """Read the width of each letter, as a share of the size, from a font of the package."""
    font = (FONTS / _FILES[bold]).read_bytes()
    (n_tables,) = struct.unpack_from(">H", font, 4)
    found = (struct.unpack_from(">4sLLL", font, 12 + 16 * table) for table in range(n_tables))
    start = {name.decode(): place for name, _, place, _ in found}
    (per_em,) = struct.unpack_from(">H", font, start["head"] + 18)
    (n_widths,) = struct.unpack_from(">H", font, start["hhea"] + 34)
    widths = struct.unpack_from(">" + "Hh" * n_widths, font, start["hmtx"])[::2]
    glyphs = _glyphs(font, start["cmap"])
    return {letter: widths[min(glyph, n_widths - 1)] / per_em for letter, glyph in glyphs.items()}


def _glyphs(font: bytes, cmap: int) -> dict[str, int]:
    """Read which glyph stands for a letter: the table of kind 4, for the plane of most letters."""
    (n_tables,) = struct.unpack_from(">H", font, cmap + 2)
    places = [struct.unpack_from(">HHL", font, cmap + 4 + 8 * n)[2] for n in range(n_tables)]
    table = next(cmap + at for at in places if struct.unpack_from(">H", font, cmap + at)[0] == 4)
    n = struct.unpack_from(">H", font, table + 6)[0] // 2
    ends = struct.unpack_from(f">{n}H", font, table + 14)
    starts, shifts, offsets = (
        struct.unpack_from(f">{n}H", font, table + 16 + 2 * n * part) for part in (1, 2, 3)
    )
    glyphs = {}
    for segment, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offsets[segment]:
                at = table + 16 + 6 * n + 2 * segment + offsets[segment] + 2 * (code - first)
                (glyph,) = struct.unpack_from(">H", font, at)
            glyphs[chr(code)] = (glyph + shifts[segment]) % 0x10000
    return glyphs
