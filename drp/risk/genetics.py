"""Genetic lesions: one name each, whatever a laboratory calls it; an unknown name is refused."""

import difflib
import re
import tomllib
from functools import cache, lru_cache
from importlib import resources

from drp.risk.refusal import RefusedError

MODAL_CUT = 40
_MODAL_RANGE = (23, 120)

_GENE_ENDINGS = ("", "del", "deletion", "loss", "mut", "mutation", "mutated", "variant")
_SEPARATOR = re.compile(r"(?<=[a-z0-9)])(?:::|[-/_.])(?=[a-z0-9(])")
_TRANSLOCATION = re.compile(r"(t\(\d+;\d+\))(?:\([pq0-9.;?~]*\))?")
_MODAL = re.compile(r"(?:modal(?:number)?|hypodiploidy?)[=:(]?(\d{2,3})\)?|(\d{2,3})chromosomes")
_OUTSIDE_BRACKETS = re.compile(r";(?![^(]*\))")


@lru_cache(maxsize=4096)
def read_genetics(text: str) -> frozenset[str]:
    """Read a list of lesions.

    Parameters
    ----------
    text : str
        Lesions separated by ``;``, or ``none`` for tested and nothing found.

    Returns
    -------
    frozenset of str
        The lesions by the names of ``genetics.toml``; empty for ``none``. An empty cell (not
        reported) is not ``none`` and must not come here.

    Raises
    ------
    RefusedError
        A spelling is unknown (the nearest known ones are named) or leaves open what the class
        may turn on, or ``none`` stands beside a lesion.

    Examples
    --------
    >>> sorted(read_genetics("t(9;22)(q34;q11.2); IKZF1 deletion; modal=39"))
    ['BCR::ABL1', 'IKZF1', 'modal<40']
    >>> read_genetics("BCR-ALB1")
    Traceback (most recent call last):
    drp.risk.refusal.RefusedError: lesion 'BCR-ALB1' is not known. Nearest known: BCR::ABL1...
    """
    parts = [part.strip() for part in _OUTSIDE_BRACKETS.split(text) if part.strip()]
    if [part.casefold() for part in parts] == ["none"]:
        return frozenset()
    if not parts or any(part.casefold() == "none" for part in parts):
        found = f"genetics {text!r} says both none and a lesion, or nothing"
        raise RefusedError("genetics-none", found, "Write none alone, or the lesions alone.")
    return frozenset(_name(part) for part in parts)


@cache
def known_lesions() -> tuple[str, ...]:
    """Give the names of every lesion the package knows, sorted.

    Examples
    --------
    >>> "KMT2A-r" in known_lesions()
    True
    """
    return tuple(sorted(set(_spellings()[0].values())))


def _name(spelling: str) -> str:
    known, unclear = _spellings()
    plain = _plain(spelling)
    if plain in known:
        return known[plain]
    if plain in unclear:
        found = f"lesion {spelling!r} leaves open what the class may turn on"
        raise RefusedError("unclear-lesion", found, unclear[plain])
    modal = _MODAL.fullmatch(plain)
    if modal:
        return _modal_name(spelling, int(modal[1] or modal[2]))
    close = difflib.get_close_matches(plain, known, n=8, cutoff=0.6)
    nearest = list(dict.fromkeys(known[match] for match in close))[:3] or list(known_lesions())
    fix = f"Nearest known: {', '.join(nearest)}. Separate several by ';'; none is for none found."
    raise RefusedError("unknown-lesion", f"lesion {spelling!r} is not known", fix)


def _modal_name(spelling: str, modal_number: int) -> str:
    low, high = _MODAL_RANGE
    if not low <= modal_number <= high:
        found = f"modal number {modal_number} in {spelling!r} is not between {low} and {high}"
        raise RefusedError("modal-range", found, "Correct the modal number, for example modal=39.")
    return "modal<40" if modal_number < MODAL_CUT else "modal>=40"


def _plain(spelling: str) -> str:
    # A hyphen at the end stays: 'Ph-' says the opposite of 'Ph'.
    joined = re.sub(r"\s+", "", spelling.casefold().replace("\u2013", "-").replace("≥", ">="))
    translocation = _TRANSLOCATION.fullmatch(joined)
    return translocation[1] if translocation else _SEPARATOR.sub("", joined)


@cache
def _spellings() -> tuple[dict[str, str], dict[str, str]]:
    text = resources.files("drp.risk").joinpath("genetics.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    known = {}
    for lesion in table["lesion"]:
        for spelling in (lesion["name"], *lesion["spellings"]):
            known[_plain(spelling)] = lesion["name"]
    for group in table["gene"]:
        for gene in group["names"]:
            known |= {_plain(gene + ending): gene for ending in _GENE_ENDINGS}
    unclear = {
        _plain(spelling): entry["fix"]
        for entry in table["unclear"]
        for spelling in entry["spellings"]
    }
    return known, unclear
