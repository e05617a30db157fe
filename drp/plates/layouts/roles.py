"""What a well is for: roles as laboratories write them."""

from collections.abc import Mapping

from drp.tables import ROLES

_WRITTEN = {
    **{role: role for role in ROLES},
    **dict.fromkeys(("drug", "treatment", "treated", "therapy", "compound"), "sample"),
    **dict.fromkeys(("neg", "negcon", "negative control", "vehicle", "dmso", "pbs"), "negative"),
    **dict.fromkeys(("pos", "poscon", "positive control"), "positive"),
    **dict.fromkeys(("medium", "media", "no cells"), "blank"),
    **dict.fromkeys(("day 0", "d00"), "day0"),
}
# Names that stand in a column of drugs and can be nothing else. A positive control is a drug too,
# so it is only a control if the layout says so; medium may be with or without cells.
_NAMES = {
    **dict.fromkeys(("dmso", "vehicle", "pbs", "neg", "negcon", "negative control"), "negative"),
    **dict.fromkeys(("blank", "no cells"), "blank"),
    "untreated": "untreated",
    "empty": "empty",
}
_UNCLEAR = ("medium", "media")


def role_as_written(text: str, roles: Mapping[str, str]) -> str | None:
    """Give the role that a cell in a column of roles names, or None if it is unknown.

    Parameters
    ----------
    text : str
        The cell; case and blanks around it do not matter.
    roles : mapping of str to str
        The user's own words for roles, in lower case.

    Examples
    --------
    >>> role_as_written("NEGCON", {}), role_as_written("therapy", {}), role_as_written("x", {})
    ('negative', 'sample', None)
    """
    word = text.strip().lower()
    return roles.get(word, _WRITTEN.get(word))


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
