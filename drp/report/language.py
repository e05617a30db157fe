"""The words of a report in another language: every phrase by its English original.

A record is English and knows no language. What `drp.report.view` lays out of it is a tree of
texts, and each text is translated here, sentence by sentence, with a catalogue of phrases. What a
person wrote (names, notes, reasons) is set aside first and comes back as it was. A phrase that
the catalogue lacks stays English, whole, and is remembered.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape, unescape
from typing import Any

from drp.report.phrases import PLACE, Catalogue

# Code points no text uses stand for what must not be translated.
_FIRST_MASK, _LAST_MASK = 0xF0000, 0xFFFFD
_MASKED = re.compile(f"[{chr(_FIRST_MASK)}-{chr(_LAST_MASK)}]")
_NAME = _MASKED.pattern
_FURTHER = re.compile(r"\d+ (?:more|others?)")
_LISTED = re.compile(rf"{_NAME}(?:, {_NAME})* and (?:{_NAME}|\d+ more)")
_LABEL = re.compile(r'(?<= aria-label=")[^"]*')
_DRAWN = re.compile(r"(?<=>)[\d,.]+(?: [^<,]+)?(?=</text>)")
# Between the parts of a text that can be translated one by one, widest first.
_SEPARATORS = (" · ", "; ", ", ", " and ")
# A comma between digits reads as a decimal sign in most languages: 2,420 would become 2.42.
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Units, measures and the names of risk classes are the same in every language.
_ABBREVIATIONS = "nM|IU/mL|U/mL|ug/mL|h|z|p|q|n|AUC|IC50|DSS2?|Z′|SSMD|Bliss|HSA|Loewe|ZIP|CSS|RI"
_ABBREVIATIONS += "|S[1-4]|SR|IR|HR|Low|Intermediate|High"
_SAME_EVERYWHERE = re.compile(rf"(?:\b(?:{_ABBREVIATIONS})(?!\w)|[^A-Za-z])*")


class Translator:
    """Translates the texts of one record.

    Parameters
    ----------
    phrases : Catalogue
    kept : iterable of str
        Names and words of people: never translated, wherever they stand.

    Attributes
    ----------
    missing : set of str
        Phrases met that the catalogue lacks.

    Examples
    --------
    >>> from drp.report.phrases import catalogue
    >>> german = Translator(catalogue("de"), ["Venetoclax", "Warm and cold"])
    >>> german.say("Of 40 drugs, 2 sensitive and 38 not evaluable.")
    'Of 40 drugs, 2 sensitive and 38 not evaluable.'
    >>> german.say("Uncertain: Venetoclax and Warm and cold.")
    'Unsicher: Venetoclax und Warm and cold.'
    >>> sorted(german.missing)
    ['Of 40 drugs, 2 sensitive and 38 not evaluable.']
    """

    def __init__(self, phrases: Catalogue, kept: Iterable[str] = ()) -> None:
        self.phrases = phrases
        self.missing: set[str] = set()
        self._known: dict[str, str | None] = {}
        self._kept = sorted({words for words in kept if words.strip()}, key=lambda one: -len(one))
        self._kept = self._kept[: _LAST_MASK - _FIRST_MASK]
        self._places = {words: chr(_FIRST_MASK + n) for n, words in enumerate(self._kept)}
        self._names = {mark: words for words, mark in self._places.items()}
        self._finder = _finder(self._kept)

    def say(self, words: str) -> str:
        """Translate a text, sentence by sentence; what is not known stays English."""
        return self._said(words, self.missing.add)

    def say_if_known(self, words: str) -> str:
        """Translate a text that may be a laboratory's own; what is not known is not missing."""
        return self._said(words, lambda _: None)

    def _said(self, words: str, lacking: Callable[[str], None]) -> str:
        if not words.strip() or _MASKED.search(words):
            return words
        masked = self._finder.sub(lambda found: self._places[found[0]], words)
        whole = self._phrase(masked)
        if whole is None:
            whole = " ".join(self._sentence(one, lacking) for one in _sentences(masked))
        return self._unmasked(_THOUSANDS.sub("\N{NO-BREAK SPACE}", whole))

    def _sentence(self, masked: str, lacking: Callable[[str], None]) -> str:
        found = self._phrase(masked)
        if found is None:
            lacking(self._unmasked(masked))
        return masked if found is None else found

    def _unmasked(self, masked: str) -> str:
        return _MASKED.sub(lambda found: self._names[found[0]], masked)

    def _phrase(self, words: str) -> str | None:
        if words not in self._known:
            self._known[words] = None  # a phrase is no part of itself
            self._known[words] = self._found(words)
        return self._known[words]

    def _found(self, words: str) -> str | None:
        """Translate a phrase: known as it is, by a pattern, without its full stop, in parts."""
        if words in self.phrases.exact:
            return self.phrases.exact[words]
        if _SAME_EVERYWHERE.fullmatch(words):
            return words
        if _LISTED.fullmatch(words):
            return self._list(words)
        found = self._by_pattern(words)
        if found is None and words.endswith("."):
            found = self._phrase(words[:-1])
            found = found if found is None else f"{found}."
        if found is None and words[0].isupper():
            found = self._phrase(words[0].lower() + words[1:])
            found = found if found is None else found[0].upper() + found[1:]
        return self._in_parts(words) if found is None else found

    def _by_pattern(self, words: str) -> str | None:
        for pattern in self.phrases.patterns:
            match = pattern.needed in words and pattern.expression.fullmatch(words)
            if match:
                filled = {name: self._filled(kind, match[name]) for name, kind in pattern.places}
                if None not in filled.values():
                    return _filled_in(pattern.phrase, filled)
        return None

    def _filled(self, kind: str, words: str) -> str | None:
        if kind == "w":
            return self._phrase(words)
        if kind == "l":
            return self._list(words)
        return words if kind in "nq" or _SAME_EVERYWHERE.fullmatch(words) else None

    def _list(self, words: str) -> str | None:
        """Translate a list of names, its last joint and its count of further ones."""
        head, joint, last = words.rpartition(" and ")
        joined = self.phrases.exact.get(joint, joint)
        if _FURTHER.fullmatch(last):
            last = self._phrase(last) or last
        elif not _SAME_EVERYWHERE.fullmatch(last):
            return None
        return f"{head}{joined}{last}" if _SAME_EVERYWHERE.fullmatch(head) else None

    def _in_parts(self, words: str) -> str | None:
        sentences = _sentences(words)
        if len(sentences) > 1:
            return self._joined(sentences, " ")
        for separator in _SEPARATORS:
            if separator in words:
                joint = self.phrases.exact.get(separator, separator)
                found = self._joined(words.split(separator), joint)
                if found is not None:
                    return found
        return None

    def _joined(self, parts: list[str], joint: str) -> str | None:
        found = [self._phrase(part) for part in parts]
        return None if None in found else joint.join(filter(None, found))


def _filled_in(phrase: str, filled: Mapping[str, str | None]) -> str:
    return PLACE.sub(lambda at: str(filled[at[1] + at[2]]), phrase)


def _sentences(words: str) -> list[str]:
    return re.split(r"(?<=[.?!]) (?=\S)", words)


def _finder(kept: Iterable[str]) -> re.Pattern[str]:
    """Find any of the words where they stand alone, the longest first."""
    by_first: dict[str, list[str]] = {}
    for words in kept:
        by_first.setdefault(words[0], []).append(re.escape(words[1:]))
    groups = [f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)" if groups else r"(?!)")


# Keys of what `view` gives that are never translated, and those that may be a laboratory's own.
_VERBATIM = frozenset(
    (
        *("report_id", "laboratory", "patient", "schema_version", "generated", "language"),
        *("usable", "tier", "sample", "drug", "targets", "status", "kind", "mark", "combination"),
        *("plate", "well", "review", "removed", "removed_by_hand"),
        *("system", "rule", "flags", "source", "third"),
    )
)
_PERHAPS = frozenset(("title", "drug_class", "facts", "header"))
_NOTE = (
    "Language",
    "Quoted in English: what is published beside the risk class, remarks of the drug table, and "
    "what the laboratory wrote. Numbers have a decimal point; a space marks thousands.",
)


def translated(shown: dict[str, Any], translator: Translator) -> dict[str, Any]:
    """Translate the tree of texts that `drp.report.view.view` lays out.

    Parameters
    ----------
    shown : dict
    translator : Translator

    Returns
    -------
    dict
        The same tree, with a line on the language among the methods. Names, notes and reasons of
        people, what is quoted from publications, hashes and ids are as they were.
    """
    say = translator.say
    quoted = {
        "risk_context": [
            group | {"title": say(group["title"]), "note": say(group["note"])}
            for group in shown["risk_context"]
        ],
        "provenance": [line | {"term": say(line["term"])} for line in shown["provenance"]],
    }
    rest = {key: item for key, item in shown.items() if key not in quoted}
    said = _tree(rest, say, translator) | quoted
    found = {key: said[key] for key in shown}
    term, text = (translator.phrases.label(words) for words in _NOTE)
    return found | {"methods": [*found["methods"], {"term": term, "text": text}]}


def _tree(shown: Any, say: Callable[[str], str], translator: Translator) -> Any:
    if isinstance(shown, str):
        return _drawing(shown, say) if shown.startswith("<svg ") else say(shown)
    if isinstance(shown, list):
        return [_tree(item, say, translator) for item in shown]
    if not isinstance(shown, dict):
        return shown
    return {
        key: item
        if key in _VERBATIM
        else _tree(item, translator.say_if_known if key in _PERHAPS else say, translator)
        for key, item in shown.items()
    }


def _drawing(svg: str, say: Callable[[str], str]) -> str:
    """Translate the text of a drawing; what is drawn are names, doses and numbers."""
    named = _LABEL.sub(lambda label: escape(say(unescape(label[0]))), svg, count=1)
    return _DRAWN.sub(lambda number: _THOUSANDS.sub("\N{NO-BREAK SPACE}", number[0]), named)


def untranslated(shown: dict[str, Any], translator: Translator) -> list[str]:
    """List the phrases of a tree that the catalogue lacks, in order of the alphabet."""
    translated(shown, translator)
    return sorted(translator.missing)


def texts(shown: Any) -> Iterator[str]:
    """Give every text of a tree, in order.

    >>> list(texts({"a": ["x", {"b": "y"}], "c": 1}))
    ['x', 'y']
    """
    if isinstance(shown, str):
        yield shown
    elif isinstance(shown, dict | list):
        for item in shown.values() if isinstance(shown, dict) else shown:
            yield from texts(item)
