"""Tecan D300 and D300e protocols (``.tdd``): XML with the dose of each fluid in each well.

Rows and columns count from 0. The number in a well is the final dose in the unit of the protocol;
the unit that stands with a fluid is for display only and does not go with its number, so it is
never used. A fluid that was diluted from another one is the same drug. A vehicle beside a drug does
not count, a well with a vehicle alone is a negative control, and a well that is not listed is not
in the layout.

Several fluids in a well are a combination. Wells with one drug stay single-agent wells, for the
protocol does not say which of them belong to a matrix: a combination takes its single agents from
the wells of the same sample.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from drp.plates.layouts.contents import DOSED, read_entry
from drp.plates.layouts.d300_fluids import Fluids
from drp.plates.layouts.d300_structure import AGAIN, check_structure, only_section, place_of
from drp.plates.layouts.dispensed import settle_contents
from drp.plates.layouts.entries import SUFFIXES, Entry, Options
from drp.plates.layouts.rules import Rules, Written, make_rules, say_remarks
from drp.plates.layouts.units import is_unit, nearest_unit_words
from drp.plates.layouts.xml_tree import Element, read_xml
from drp.plates.pages import Source
from drp.plates.values import Decimal, find_decimal
from drp.problems import Place, Problems
from drp.wellnames import MOST_COLUMNS, MOST_ROWS, well_name

NAME = "d300"
MEANING = "protocols of the Tecan D300 and D300e (.tdd, XML)"

_ROOT = re.compile(rb"<Protocol[\s>]")
_TYPE = re.compile(r"Default([0-9]+)")


@dataclass(frozen=True, slots=True)
class _Protocol:
    """What holds for every well of a protocol."""

    file: str
    fluids: Fluids
    unit: str
    rules: Rules


def recognise(source: Source) -> bool:
    """Say whether a file is a D300 protocol, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    # Bytes of UTF-16 are those of the letters with NUL between them.
    start = source.content[:8192].replace(b"\0", b"")
    if not _ROOT.search(start):
        return False
    content = source.content.replace(b"\0", b"")
    return b"<Fluids" in content or b"<Plates" in content


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read every plate of a D300 protocol.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        Names of the fluids, roles; the unit of the doses where the protocol has none.
    found : Problems
        Takes everything that is wrong, well by well.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of the file. Plates go by their names if these are
        given and differ, else by their numbers in the file, from 1.
    """
    try:
        root = read_xml(source.content)
    except ValueError as error:
        text = f"the file cannot be used: {error}"
        found.error("layout.unusable-file", Place(source.file), text, AGAIN)
        return []
    check_structure(root, source.file, found)
    fluids = only_section(root, "Fluids", source.file, found)
    plates = only_section(root, "Plates", source.file, found)
    unit = _dose_unit(root, options, source.file, found)
    if fluids is None or plates is None or unit is None or found.errors:
        return []
    decimal = _decimal(plates, source.file, found)
    if decimal is None:
        return []
    # The fluids have their names already, so that the rules need none.
    rules = make_rules(replace(options, names={}), decimal)
    listed = Fluids(fluids, source.file, options, found)
    protocol = _Protocol(source.file, listed, unit, rules)
    entries: list[Entry] = []
    for plate, name in zip(plates.children, _plate_names(plates, source.file, found), strict=True):
        entries += _read_plate(plate, name, protocol, found)
    say_remarks(rules, found)
    return entries


def _dose_unit(root: Element, options: Options, file: str, found: Problems) -> str | None:
    """Give the unit of the doses: the protocol's, or the one the user states if it has none."""
    given = root.texts("ConcentrationUnit")
    units = list(dict.fromkeys([*given, *root.texts("MolarityConcentrationUnit")]))
    where = place_of(root, file)
    if len(units) > 1:
        text = f"the protocol names different units: {' and '.join(units)}"
        found.error("layout.mixed-units", where, text, AGAIN)
        return None
    unit = units[0] if units else options.dose_unit
    if not unit:
        text = "the protocol names no unit of its doses (<ConcentrationUnit>)"
        fix = "State dose_unit, for example uM, for this layout in the configuration."
        found.error("layout.no-unit", where, text, fix)
        return None
    if not is_unit(unit):
        text = f"the unit {unit!r} is not known"
        found.error("layout.unknown-unit", where, text, nearest_unit_words(unit))
        return None
    return unit


def _decimal(plates: Element, file: str, found: Problems) -> Decimal | None:
    doses = [
        fluid for well in _descend([plates], "Plate", "Wells", "Well") for fluid in well.children
    ]
    decimal, faults = find_decimal(fluid.text for fluid in doses)
    for fault in faults:
        fluid = doses[fault.position]
        text = f"the dose {fluid.text!r} {fault.fault}"
        fix = "Write numbers without thousands separators and with one decimal sign."
        found.error("layout.ambiguous-number", place_of(fluid, file), text, fix)
    return None if faults else decimal


def _descend(elements: Iterable[Element], *names: str) -> list[Element]:
    found = list(elements)
    for name in names:
        found = [child for element in found for child in element.all(name)]
    return found


def _plate_names(plates: Element, file: str, found: Problems) -> list[str]:
    names = [" ".join(plate.texts("Name")) for plate in plates.children]
    if names and all(names) and len(set(names)) == len(names):
        return names
    if any(names):
        text = f"names of plates are empty or equal, so they are numbered 1 to {len(names)}"
        fix = "Name all plates, or refer to them by their numbers."
        found.warning("layout.plate-names", place_of(plates, file), text, fix)
    return [str(number) for number in range(1, len(names) + 1)]


def _read_plate(plate: Element, name: str, protocol: _Protocol, found: Problems) -> list[Entry]:
    shape = _shape(plate, name, protocol.file, found)
    wells = only_section(plate, "Wells", protocol.file, found)
    if shape is None or wells is None:
        return []
    entries: list[Entry] = []
    first: dict[tuple[int, int], int] = {}
    for element in wells.children:
        well = _well(element, shape, name, protocol.file, found)
        if well is None:
            continue
        place = place_of(element, protocol.file, name, well_name(*well))
        if well in first:
            text = f"the well is given twice, here and in line {first[well]}"
            found.error("layout.duplicate-well", place, text, AGAIN)
            continue
        first[well] = element.line
        entry = _read_well(element, well, place, protocol, found)
        if entry is not None:
            entries.append(entry)
    return entries


def _shape(plate: Element, name: str, file: str, found: Problems) -> tuple[int, int] | None:
    """Give rows and columns of a plate; a type such as ``Default384`` must say the same."""
    texts = plate.texts("Rows"), plate.texts("Cols")
    sizes = [_integer(text[0]) if len(text) == 1 else None for text in texts]
    rows, columns = sizes
    kind = _TYPE.fullmatch(" ".join(plate.texts("PlateType")))
    if (
        plate.name == "Plate"
        and rows is not None
        and columns is not None
        and 0 < rows <= MOST_ROWS
        and 0 < columns <= MOST_COLUMNS
        and (kind is None or int(kind.group(1)) == rows * columns)
    ):
        return rows, columns
    text = f"<{plate.name}> has {texts[0]} rows and {texts[1]} columns"
    text += f", but is of the type {kind.group()}" if kind else ""
    found.error("layout.bad-format", place_of(plate, file, name), text, AGAIN)
    return None


def _well(
    element: Element, shape: tuple[int, int], plate: str, file: str, found: Problems
) -> tuple[int, int] | None:
    row, column = (_integer(element.attributes.get(name, "")) for name in ("Row", "Col"))
    if (
        element.name == "Well"
        and row is not None
        and column is not None
        and row < shape[0]
        and column < shape[1]
    ):
        return row + 1, column + 1
    given = " ".join(f"{name}={value!r}" for name, value in element.attributes.items())
    text = f"<{element.name} {given}> is no well of a plate of {shape[0]} × {shape[1]}"
    fix = "Rows and columns count from 0 and end within the plate."
    found.error("layout.bad-well", place_of(element, file, plate), text, fix)
    return None


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


def _read_well(
    element: Element, well: tuple[int, int], place: Place, protocol: _Protocol, found: Problems
) -> Entry | None:
    """Read the fluids of a well; None if it has a fault."""
    fluids = element.children
    if not fluids:
        text = "the well is listed without a fluid"
        found.error("layout.no-drug", place, text, "Take it away, or give it a fluid.")
        return None
    substances = [protocol.fluids.find(fluid, place) for fluid in fluids]
    known = [substance for substance in substances if substance is not None]
    if len(known) < len(substances):
        return None
    contents = settle_contents(known, place, found)
    if contents is None:
        return None
    doses = [fluid.text for fluid in fluids]
    if contents.role in DOSED:
        doses = [
            dose for dose, each in zip(doses, known, strict=True) if each.name in contents.names
        ]
    free = len(SUFFIXES) - len(contents.names)
    written = Written(
        well=well,
        plate=place.plate,
        role=contents.role,
        drugs=[*contents.names, *[""] * free],
        doses=[*doses, *[""] * free],
        unit=protocol.unit,
        sample="",
        addon="",
    )
    entry = read_entry(written, protocol.rules, place, found)
    return replace(entry, raw_role="") if entry is not None else None
