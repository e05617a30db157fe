"""What a dispenser put into a well: its labels as drugs and vehicles, and what the well is for."""

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from drp.plates.layouts.entries import SUFFIXES, Options
from drp.plates.layouts.roles import role_of_drug, why_unclear
from drp.problems import Place, Problems

_NO_DRUG = ("negative", "untreated")


class Substance(NamedTuple):
    """A substance of a dispenser's file: its name, and the role of a well that holds it alone."""

    name: str
    role: str


class Contents(NamedTuple):
    """What a well is for, and the names that matter: its drugs, or the substance of a control."""

    role: str
    names: tuple[str, ...]


class Naming:
    """Turns labels of a file into substances by the user's names and roles.

    Each substance is looked up once, so that a label which is not known is one problem, not one
    for every well.

    Examples
    --------
    >>> found = Problems()
    >>> naming = Naming(Options(names={"stock 7": "Venetoclax"}), found)
    >>> naming.substance(["stock 7"], Place("a.tdd"))
    Substance(name='Venetoclax', role='sample')
    >>> naming.substance(["DMSO"], Place("a.tdd"))
    Substance(name='DMSO', role='negative')
    >>> naming.substance(["stok 7"], Place("a.tdd")) is None
    True
    >>> print(found.errors[0])
    error layout.unknown-name: a.tdd: the label 'stok 7' is not in the table of names. Add it
    there; the nearest label there is 'stock 7'.
    """

    def __init__(self, options: Options, found: Problems) -> None:
        self._names = {label.strip().lower(): name for label, name in options.names.items()}
        self._roles = {name.strip().lower(): role for name, role in options.roles.items()}
        self._found = found
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], Substance | None] = {}

    def substance(
        self, labels: Sequence[str], place: Place, keys: Sequence[str] = ()
    ) -> Substance | None:
        """Give the substance that goes by some labels, or None after noting why there is none.

        Parameters
        ----------
        labels : sequence of str
            What the file calls it, the most telling first; blank ones do not count. Without a
            table of names the first label is the name.
        place : Place
            Where it is used first.
        keys : sequence of str
            Further words by which the table of names may know it, but which are no names, such as
            the well a stock stands in.
        """
        known = (tuple(label for label in labels if label), tuple(keys))
        if known not in self._known:
            name = self._name(*known, place)
            role = self._role(name, *known, place) if name else None
            self._known[known] = Substance(name, role) if name and role else None
        return self._known[known]

    def _name(self, labels: tuple[str, ...], keys: tuple[str, ...], place: Place) -> str:
        words = [word.lower() for word in (*labels, *keys)]
        given = list(dict.fromkeys(self._names[word] for word in words if word in self._names))
        if len(given) > 1:
            text = f"{_listed((*labels, *keys))} stand for different drugs: {_listed(given)}"
            fix = "Give them one name in the table of names."
            self._found.error("layout.unclear-name", place, text, fix)
            return ""
        if given and given[0].strip():
            return given[0].strip()
        if not labels:
            text = f"the file does not name what comes from {keys[0]}" if keys else "it has no name"
            fix = f"Add {keys[0]!r} and its drug to the table of names." if keys else "Name it."
            self._found.error("layout.no-drug", place, text, fix)
            return ""
        if self._names and self._stated(labels) in (None, "sample"):
            self._not_known(labels[0], place)
            return ""
        return labels[0]

    def _not_known(self, label: str, place: Place) -> None:
        near = difflib.get_close_matches(label.lower(), sorted(self._names), n=1, cutoff=0.0)
        text = f"the label {label!r} is not in the table of names"
        fix = f"Add it there; the nearest label there is {near[0]!r}." if near else "Add it there."
        self._found.error("layout.unknown-name", place, text, fix)

    def _role(
        self, name: str, labels: tuple[str, ...], keys: tuple[str, ...], place: Place
    ) -> str | None:
        words = (name, *labels, *keys)
        role = self._stated(words)
        if role is None:
            unclear = next(word for word in words if role_of_drug(word, {}) is None)
            text = f"{unclear!r} {why_unclear(unclear)}"
            fix = "State its role in the configuration."
            self._found.error("layout.unclear-role", place, text, fix)
        return role

    def _stated(self, words: Sequence[str]) -> str | None:
        """Give the role the user states for one of some words, else the one a word must have."""
        stated = [self._roles[word.lower()] for word in words if word.lower() in self._roles]
        if stated:
            return stated[0]
        usual = [role_of_drug(word, {}) for word in words]
        return next((role for role in usual if role != "sample"), "sample")


def settle_contents(
    substances: Sequence[Substance], place: Place, found: Problems
) -> Contents | None:
    """Say what a well is for from everything that was put into it.

    Parameters
    ----------
    substances : sequence of Substance
        In the order of the file. A vehicle beside anything else does not count.
    place : Place
        Where the well stands.
    found : Problems
        Takes the error if a substance is there twice, if drugs and controls are mixed, or if there
        are more than three drugs.

    Returns
    -------
    Contents or None
        None after an error.

    Examples
    --------
    >>> dmso, drug = Substance("DMSO", "negative"), Substance("Venetoclax", "sample")
    >>> settle_contents([dmso, drug], Place(), Problems())
    Contents(role='sample', names=('Venetoclax',))
    >>> settle_contents([dmso], Place(), Problems())
    Contents(role='negative', names=('DMSO',))
    """
    others = [substance for substance in substances if substance.role not in _NO_DRUG]
    if not others:
        roles = {substance.role for substance in substances}
        role = roles.pop() if len(roles) == 1 else "negative"
        return Contents(role, (" + ".join(dict.fromkeys(each.name for each in substances)),))
    names = tuple(substance.name for substance in others)
    roles = {substance.role for substance in others}
    if len({name.casefold() for name in names}) < len(names):
        text = f"the well holds a substance twice: {_listed(names)}"
        found.error("layout.same-drug", place, text, "Give each substance of a well once.")
        return None
    if len(others) > 1 and roles != {"sample"}:
        words = " beside ".join(f"{name} ({role})" for name, role in others)
        text, fix = f"the well holds {words}", "Check the roles that the configuration states."
        found.error("layout.unclear-role", place, text, fix)
        return None
    if len(others) > len(SUFFIXES):
        text = f"the well holds {len(others)} drugs: {_listed(names)}"
        found.error("layout.too-many-drugs", place, text, "At most three drugs can be analysed.")
        return None
    return Contents(others[0].role, names)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(repr(word) for word in words)
