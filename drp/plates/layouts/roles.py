"""What a well is for: roles as laboratories write them."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from drp.tables import ROLES

# Substances that kill every cell and are drugs as well: controls only where a role is written.
_KILLERS = (
    *("sts", "staurosporine", "bzcl", "bzt", "benzethonium chloride", "bortezomib"),
    *("positive control", "pos", "poscon"),
)
_WRITTEN = {
    **{role: role for role in ROLES},
    **dict.fromkeys(("drug", "treatment", "treated", "therapy", "compound"), "sample"),
    **dict.fromkeys(("neg", "negcon", "negative control", "vehicle", "dmso", "pbs"), "negative"),
    **dict.fromkeys(_KILLERS, "positive"),
    **dict.fromkeys(("medium", "media", "no cells"), "blank"),
    **dict.fromkeys(("day 0", "d00"), "day0"),
}
# Names that stand in a column of drugs and can be nothing else. A positive control is a drug too,
# so it is only a control if the layout says so; medium may be with or without cells.
_NAMES = {
    **dict.fromkeys(("dmso", "vehicle", "pbs", "neg", "negcon", "negative control"), "negative"),
    **dict.fromkeys(("pos", "poscon", "positive control"), "positive"),
    **dict.fromkeys(("blank", "no cells"), "blank"),
    "untreated": "untreated",
    "empty": "empty",
}
_UNCLEAR = {
    **dict.fromkeys(("medium", "media"), "may be with cells (untreated) or without (blank)"),
    **dict.fromkeys(("control", "ctrl"), "may be a negative or a positive control"),
}


def role_as_written(
    text: str, roles: Mapping[str, str], words: Mapping[str, str] | None = None
) -> str | None:
    """Give the role that a cell in a column of roles names, or None if it is unknown.

    Parameters
    ----------
    text : str
        The cell; case and blanks around it do not matter.
    roles : mapping of str to str
        The user's own words for roles, in lower case; they go first.
    words : mapping of str to str, optional
        Words of one kind of layout, in lower case; they go before the usual ones.

    Examples
    --------
    >>> role_as_written("NEGCON", {}), role_as_written("therapy", {}), role_as_written("x", {})
    ('negative', 'sample', None)
    >>> role_as_written("STS", {}), role_as_written("STS", {}, {"sts": "reference"})
    ('positive', 'reference')
    """
    word = text.strip().lower()
    return {**_WRITTEN, **(words or {}), **roles}.get(word)


def nearest_role_words(text: str, further: Iterable[str] = ()) -> str:
    """Say which roles there are and, if there is one, the known word most like an unknown one.

    Parameters
    ----------
    text : str
        The word that `role_as_written` does not know.
    further : iterable of str
        Words that are known besides the usual ones, in lower case.

    Examples
    --------
    >>> print(nearest_role_words("negatve"))
    Roles are sample, negative, positive, blank, untreated, day0, reference, empty; the known word
    nearest to 'negatve' is 'negative'.
    """
    near = get_close_matches(text.strip().lower(), [*_WRITTEN, *further], n=1)
    hint = f"; the known word nearest to {text.strip()!r} is {near[0]!r}" if near else ""
    return f"Roles are {', '.join(ROLES)}{hint}."


def role_of_drug(drug: str, roles: Mapping[str, str]) -> str | None:
    """Give the role of a well for which only the drug is written, or None if that is unclear.

    Parameters
    ----------
    drug : str
        Name in the column of drugs.
    roles : mapping of str to str
        Roles that the user gives to names, in lower case; they go first.

    Examples
    --------
    >>> role_of_drug("DMSO", {}), role_of_drug("Venetoclax", {}), role_of_drug("medium", {})
    ('negative', 'sample', None)
    """
    word = drug.strip().lower()
    if word in roles:
        return roles[word]
    return None if word in _UNCLEAR else _NAMES.get(word, "sample")


def why_unclear(drug: str) -> str:
    """Say what a name may mean for which `role_of_drug` gives None.

    Examples
    --------
    >>> why_unclear("Medium")
    'may be with cells (untreated) or without (blank)'
    """
    return _UNCLEAR[drug.strip().lower()]


def is_vehicle(drug: str, roles: Mapping[str, str]) -> bool:
    """Say whether a name means that no drug was given: a vehicle, or nothing at all.

    Beside a drug such a name says that there is no partner.

    Examples
    --------
    >>> is_vehicle("vehicle", {}), is_vehicle("untreated", {}), is_vehicle("STS", {})
    (True, True, False)
    """
    return role_of_drug(drug, roles) in ("negative", "untreated")
