"""The phrases of a language: English originals, with places for what changes, and their twins."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).parent / "catalogue"
LANGUAGES = ("en", "de")
PLACE = re.compile(r"\{([nxlwq])(\d*)\}")
_NUMBER = r"[+−±-]?\d+(?:[,.]\d+)*"
_WITHIN_A_SENTENCE = "(?:(?![.?!] ).)+?"
_KINDS = {"n": _NUMBER, "x": ".+?", "l": ".+?", "w": ".+?", "q": _WITHIN_A_SENTENCE}


@dataclass(frozen=True)
class Pattern:
    """A phrase with places.

    `needed` is its longest fixed part, `places` the name and kind of each place.
    """

    needed: str
    expression: re.Pattern[str]
    phrase: str
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Catalogue:
    """The phrases of one language.

    Attributes
    ----------
    language : str
        As in the attribute ``lang`` of a page.
    exact : mapping
        English phrase → phrase, without places.
    patterns : tuple
        Those with places, the ones with the most fixed letters first.
    """

    language: str
    exact: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[Pattern, ...] = ()

    def label(self, words: str) -> str:
        """Translate a fixed phrase of a template; one that is lacking stays English.

        >>> catalogue("de").label("Limits"), catalogue("en").label("Limits")
        ('Grenzen', 'Limits')
        """
        return self.exact.get(words, words)


@cache
def catalogue(language: str) -> Catalogue:
    """Read the catalogue of a language; that of English is empty.

    Parameters
    ----------
    language : str
        One of `LANGUAGES`.

    Raises
    ------
    ValueError
        There is no such language, or a phrase lacks a place of its original.

    Examples
    --------
    >>> catalogue("de").exact["not evaluable"]
    'nicht auswertbar'
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language}: use one of {', '.join(LANGUAGES)}")
    if language == "en":
        return Catalogue(language)
    phrases: dict[str, str] = {}
    sections = tomllib.loads((CATALOGUES / f"{language}.toml").read_text(encoding="utf-8"))
    for section in sections.values():
        phrases |= section
    fixed = {key: words for key, words in phrases.items() if not PLACE.search(key)}
    placed = sorted(phrases.keys() - fixed.keys(), key=_order)
    return Catalogue(language, fixed, tuple(_compiled(key, phrases[key]) for key in placed))


def _order(phrase: str) -> tuple[int, int, str]:
    """Most fixed letters first; words that can be translated before words only quoted."""
    return -len(PLACE.sub("", phrase)), phrase.count("{q"), phrase


def _compiled(phrase: str, words: str) -> Pattern:
    """Make an expression of a phrase; each place is named by its kind and number."""
    places = tuple((kind + number, kind) for kind, number in PLACE.findall(phrase))
    given = sorted(kind + number for kind, number in PLACE.findall(words))
    if sorted(name for name, _ in places) != given:
        raise ValueError(f"not the same places: {phrase!r} and {words!r}")
    expression, end = "", 0
    for found in PLACE.finditer(phrase):
        expression += re.escape(phrase[end : found.start()])
        expression += f"(?P<{found[1]}{found[2]}>{_KINDS[found[1]]})"
        end = found.end()
    needed = max(PLACE.sub("\0", phrase).split("\0"), key=len)
    whole = re.compile(expression + re.escape(phrase[end:]), re.DOTALL)
    return Pattern(needed, whole, words, places)
