"""How the wells of one layout are read: what the user states, what its kind fixes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from drp.plates.layouts.entries import Options
from drp.plates.values import Decimal
from drp.problems import Place, Problems

# Said once for each kind of remark and subject, not once for each well.
_REMARKS = {
    "layout.unit-by-format": (
        "{n} doses have no unit and were read as {what}, which this kind of layout counts in",
        "If they are in another unit, state it as dose_unit.",
    ),
    "layout.control-dose": (
        "{n} drug wells carry a number beside {what}, which is no drug",
        "It is kept, but is not used as a dose.",
    ),
    "layout.vehicle-addon": (
        "{n} wells name {what} as the partner of their arm, which is no drug",
        "They count as wells without a partner.",
    ),
    "layout.same-addon": (
        "{n} wells hold {what} at a dose that is stated and once more as the partner of their arm",
        "They are neither wells of that drug alone nor of a pair, and have no curve.",
    ),
}


class Written(NamedTuple):
    """What a layout writes about one well, as printed but for blanks at the ends.

    `drugs` and `doses` have three texts each; `unit` is empty where the layout leaves it open.
    """

    well: tuple[int, int]
    plate: str
    role: str
    drugs: list[str]
    doses: list[str]
    unit: str
    sample: str
    addon: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How to read the wells of one layout.

    Attributes
    ----------
    dose_unit : str
        Unit that the user states for doses without one; empty if not stated.
    roles, names : mapping of str to str
        The user's words for roles, and names in the file to names of drugs; keys in lower case.
    decimal : {".", ","}
        Decimal sign of the file.
    words : mapping of str to str
        Words for roles that this kind of layout uses in its own way, in lower case.
    format_unit : str
        Unit that this kind of layout counts in, where neither the file nor the user states one.
    role_needed : bool
        Whether a well without a role is an error even if it names a drug.
    remarks : dict
        Wells about which there is something to say, by code of the problem and subject.
    """

    dose_unit: str
    roles: Mapping[str, str]
    names: Mapping[str, str]
    decimal: Decimal
    words: Mapping[str, str] = field(default_factory=dict)
    format_unit: str = ""
    role_needed: bool = False
    remarks: dict[tuple[str, str], list[Place]] = field(default_factory=dict)

    def remark(self, code: str, what: str, place: Place) -> None:
        """Note something that is said once for all the wells it is true of."""
        self.remarks.setdefault((code, what), []).append(place)


def make_rules(
    options: Options,
    decimal: Decimal,
    *,
    words: Mapping[str, str] | None = None,
    format_unit: str = "",
    role_needed: bool = False,
) -> Rules:
    """Make the rules of a layout from what the user states and what its kind fixes.

    Parameters
    ----------
    options : Options
        What the user states.
    decimal, words, format_unit, role_needed
        As in `Rules`.
    """
    roles, names = (
        {key.strip().lower(): value for key, value in given.items()}
        for given in (options.roles, options.names)
    )
    return Rules(options.dose_unit, roles, names, decimal, words or {}, format_unit, role_needed)


def say_remarks(rules: Rules, found: Problems) -> None:
    """Warn of everything that was noted while wells were read, once for each kind and subject.

    Parameters
    ----------
    rules : Rules
        With the remarks.
    found : Problems
        Takes the warnings.
    """
    for (code, what), places in sorted(rules.remarks.items()):
        text, fix = _REMARKS[code]
        found.warning(code, places[0], text.format(n=len(places), what=what), fix)
