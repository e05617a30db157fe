"""Layouts drawn like the plate, one picture for each attribute: drugs here, their doses there.

Blocks of one text file and sheets of one workbook differ in how a cell says which well it is;
what they mean once that is known is the same and stands here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from drp.plates.columns import plain_name
from drp.plates.layouts.contents import read_entry
from drp.plates.layouts.entries import SUFFIXES, Entry, Options
from drp.plates.layouts.rules import Written, make_rules, say_remarks
from drp.plates.layouts.tidy import CONTENTS
from drp.plates.pages import Page
from drp.plates.values import Decimal, find_decimal
from drp.problems import Place, Problems
from drp.wellnames import well_name

Well = tuple[int, int]

_OURS = {name: ours for ours, names in CONTENTS.items() for name in names}
_WITH_UNIT = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]")
_DOSES = tuple(f"dose{suffix}" for suffix in SUFFIXES)
_NAMING = ("drug", "role")


@dataclass(slots=True)
class AttributeMap:
    """One attribute of the wells of a plate.

    Attributes
    ----------
    attribute : str
        Our name: drug, dose, role, drug2 …
    unit : str
        Unit stated in the name, as in ``conc (uM)``; empty if none.
    page : Page
        Where it stands.
    locator : str
        Where it begins.
    cells : dict of (int, int) to (str, str)
        Text and place of every cell, by row and column of the well.
    """

    attribute: str
    unit: str
    page: Page
    locator: str
    cells: dict[Well, tuple[str, str]] = field(default_factory=dict)

    def text(self, well: Well) -> str:
        """Give the text of a well without blanks at its ends; empty where there is none."""
        return self.cells.get(well, ("", ""))[0].strip()


def attribute_of(name: str) -> tuple[str, str] | None:
    """Give our name of an attribute and the unit stated with it, or None if it is none we use.

    Parameters
    ----------
    name : str
        As a block or a sheet is called.

    Examples
    --------
    >>> attribute_of("Gnumber_2"), attribute_of("conc (uM)"), attribute_of("protein")
    (('drug2', ''), ('dose', 'uM'), None)
    """
    ours = _OURS.get(plain_name(name))
    if ours:
        return ours, ""
    match = _WITH_UNIT.fullmatch(name.strip())
    ours = _OURS.get(plain_name(match.group(1))) if match else None
    return (ours, match.group(2).strip()) if match and ours in _DOSES else None


def read_attributes(
    maps: list[AttributeMap], file: str, options: Options, found: Problems
) -> list[Entry]:
    """Put the attributes of each well together and read them.

    Parameters
    ----------
    maps : list of AttributeMap
        The attributes of one plate.
    file : str
        Name of the file.
    options : Options
        Unit, roles and names that the user states.
    found : Problems
        Takes everything that is wrong, well by well.

    Returns
    -------
    list of Entry
        The wells without a fault, row by row. A well that is blank in every map has no entry.
    """
    by_name: dict[str, AttributeMap] = {}
    for given in maps:
        other = by_name.setdefault(given.attribute, given)
        if other is not given:
            text = f"{given.attribute} is given twice, here and at {other.locator}"
            found.error(
                "layout.duplicate-block", Place(file, given.locator), text, "Keep the right one."
            )
    if not any(name in by_name for name in _NAMING):
        text = f"the layout gives {', '.join(sorted(by_name)) or 'nothing'}, but no drug"
        fix = "Add a block, or a sheet, called drug; it may say DMSO, empty, untreated … as well."
        found.error("layout.no-drug", Place(file), text, fix)
    unit = _stated_unit(by_name, file, found)
    decimal = _decimal(by_name, file, found)
    if found.errors or decimal is None:
        return []
    rules = make_rules(options, decimal)
    entries = []
    for well in _wells(by_name.values()):
        place = Place(file, _locator(by_name, well), well=well_name(*well))
        entry = read_entry(_written(by_name, well, unit), rules, place, found)
        entries += [entry] if entry is not None else []
    say_remarks(rules, found)
    return entries


def _stated_unit(by_name: dict[str, AttributeMap], file: str, found: Problems) -> str:
    """Find the unit that the names of the dose maps state; it holds for all of them."""
    named = [by_name[dose] for dose in _DOSES if dose in by_name]
    units = sorted({given.unit for given in named if given.unit})
    if units and (len(units) > 1 or "dose_unit" in by_name):
        besides = " and in a map of their own" if "dose_unit" in by_name else ""
        text = f"the units of doses are stated as {' and '.join(units)}{besides}"
        fix = "Write all doses in one unit and state it once."
        found.error("layout.mixed-units", Place(file, named[0].locator), text, fix)
    return units[0] if units else ""


def _decimal(by_name: dict[str, AttributeMap], file: str, found: Problems) -> Decimal | None:
    cells = [
        (well, text, locator)
        for dose in _DOSES
        if dose in by_name
        for well, (text, locator) in by_name[dose].cells.items()
    ]
    decimal, faults = find_decimal(text for _, text, _ in cells)
    for fault in faults:
        well, text, locator = cells[fault.position]
        where = Place(file, locator, well=well_name(*well))
        fix = "Write numbers without thousands separators and with one decimal sign."
        found.error("layout.ambiguous-number", where, f"{text.strip()!r} {fault.fault}", fix)
    return None if faults else decimal


def _wells(maps: Iterable[AttributeMap]) -> list[Well]:
    return sorted({well for given in maps for well in given.cells if given.text(well)})


def _locator(by_name: dict[str, AttributeMap], well: Well) -> str:
    """Say where a well stands: its drug, else its role, else whatever is written."""
    ordered = sorted(by_name.values(), key=lambda given: given.attribute not in _NAMING)
    return next(given.cells[well][1] for given in ordered if given.text(well))


def _written(by_name: dict[str, AttributeMap], well: Well, unit: str) -> Written:
    def text(attribute: str) -> str:
        return by_name[attribute].text(well) if attribute in by_name else ""

    return Written(
        well=well,
        plate="",
        role=text("role"),
        drugs=[text(f"drug{suffix}") for suffix in SUFFIXES],
        doses=[text(dose) for dose in _DOSES],
        unit=text("dose_unit") or unit,
        sample=text("sample"),
        addon=text("addon"),
    )
