"""Tidy layouts: one line per well, in columns found by their names.

Columns are well (or row and column), drug, dose, dose_unit, and if used role, drug2, dose2, drug3,
dose3, sample. Nothing is guessed: a dose has a unit or is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drp.plates.columns import Tidy, find_tidy
from drp.plates.layouts.entries import SUFFIXES, Entry, Options
from drp.plates.layouts.roles import role_as_written, role_of_drug
from drp.plates.layouts.units import ALLOWED, convert_dose, is_logarithm, is_unit
from drp.plates.pages import Source
from drp.plates.values import Decimal, find_decimal, parse_number
from drp.problems import Place, Problems
from drp.tables import ROLES
from drp.wellnames import well_name

NAME = "tidy"
MEANING = "tables with one line per well and columns well (or row and column), drug, dose"

_SYNONYMS = {
    "plate": ("plate", "plateid", "barcode"),
    "well": ("well", "wellid"),
    "row": ("row", "wellrow"),
    "column": ("column", "col", "wellcolumn"),
    "role": ("role", "welltype"),
    "dose_unit": ("doseunit", "unit", "concentrationunit"),
    "sample": ("sample", "sampleid"),
    **{
        f"{ours}{suffix}": tuple(f"{name}{suffix}" for name in names)
        for suffix in SUFFIXES
        for ours, names in (
            ("drug", ("drug", "name", "treatment", "compound", "agent")),
            ("dose", ("dose", "concentration", "conc")),
        )
    },
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How to read the lines of one layout: the user's unit and roles, the decimal sign."""

    dose_unit: str
    roles: Mapping[str, str]
    decimal: Decimal


def recognise(source: Source) -> bool:
    """Say whether a file holds a tidy layout.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return bool(_tables(source))


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read the tidy layout of a file, of one plate or of several told apart by a column plate.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        Unit and roles that the user states.
    found : Problems
        Takes everything that is wrong, line by line.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of the file.
    """
    tables = _tables(source)
    if len(tables) != 1:
        text = f"{len(tables)} tables with the columns well and drug were found, one is needed"
        fix = "The first line names the columns: well, role, drug, dose, dose_unit."
        found.error("layout.unrecognised", Place(source.file), text, fix)
        return []
    return _read_table(tables[0], source.file, options, found)


def _tables(source: Source) -> list[Tidy]:
    return find_tidy(source, _SYNONYMS, ("well", "drug"))


def _read_table(table: Tidy, file: str, options: Options, found: Problems) -> list[Entry]:
    if table.twice:
        where = Place(file, table.page.line(table.header))
        text = f"columns mean the same as others: {', '.join(table.twice)}"
        found.error("layout.duplicate-column", where, text, "Keep one of them.")
        return []
    lines = table.rows()
    cells = [(line, f"dose{suffix}") for line in lines for suffix in SUFFIXES]
    decimal, faults = find_decimal(table.text(line, column) for line, column in cells)
    for fault in faults:
        line, column = cells[fault.position]
        where = Place(file, table.place(line, column), well=table.well_text(line))
        text = f"the dose {table.text(line, column).strip()!r} {fault.fault}"
        fix = "Write numbers without thousands separators and with one decimal sign."
        found.error("layout.ambiguous-number", where, text, fix)
    if faults:
        return []
    lowered = {name.strip().lower(): role for name, role in options.roles.items()}
    rules = Rules(options.dose_unit, lowered, decimal)
    return _read_lines(table, lines, file, rules, found)


def _read_lines(
    table: Tidy, lines: list[int], file: str, rules: Rules, found: Problems
) -> list[Entry]:
    entries: list[Entry] = []
    first: dict[tuple[str, tuple[int, int]], str] = {}
    for line in lines:
        locator, plate = table.page.line(line), table.text(line, "plate").strip()
        well = table.well(line)
        if well is None:
            text = f"{table.well_text(line)!r} is no well"
            found.error(
                "layout.bad-well", Place(file, locator, plate), text, "Wells are A1 to AF48."
            )
            continue
        place = Place(file, locator, plate, well_name(*well))
        if (plate, well) in first:
            text = f"the well is given twice, here and at {first[plate, well]}"
            found.error("layout.duplicate-well", place, text, "Keep the line that is right.")
            continue
        first[plate, well] = locator
        before = len(found.errors)
        entry = _read_entry(table, line, well, rules, place, found)
        entry.plate = plate
        if len(found.errors) == before:
            entries.append(entry)
    return entries


def _read_entry(
    table: Tidy, line: int, well: tuple[int, int], rules: Rules, place: Place, found: Problems
) -> Entry:
    raw_role = table.text(line, "role").strip()
    drugs = [table.text(line, f"drug{suffix}").strip() for suffix in SUFFIXES]
    written = [table.text(line, f"dose{suffix}").strip() for suffix in SUFFIXES]
    unit = table.text(line, "dose_unit").strip()
    role = _find_role(raw_role, drugs, written, rules, place, found)
    entry = Entry(well, role, raw_role, table.text(line, "sample").strip(), place.locator)
    entry.dose_value = "|".join(written).rstrip("|")
    entry.dose_value_unit = unit
    if role == "sample":
        entry.drugs = drugs
        entry.dose_value_unit = unit or rules.dose_unit
        _read_doses(entry, written, rules, place, found)
    else:
        # A control keeps the name of its substance; a number beside it (0.3 % DMSO) is no dose.
        entry.drugs[0] = drugs[0]
    return entry


def _find_role(
    raw_role: str,
    drugs: list[str],
    written: list[str],
    rules: Rules,
    place: Place,
    found: Problems,
) -> str:
    if raw_role:
        role = role_as_written(raw_role, rules.roles)
        if role is None:
            text = f"the role {raw_role!r} is not known"
            found.error("layout.unknown-role", place, text, f"Roles are {', '.join(ROLES)}.")
        return role or ""
    if not drugs[0]:
        if any(drugs) or any(written):
            text = f"a dose or a second drug stands without a first drug ({written[0]!r})"
            found.error("layout.no-drug", place, text, "Write the drug in the column drug.")
        else:
            text = "the well has neither a role nor a drug"
            found.error("layout.no-role", place, text, "Write a role: empty, untreated, blank …")
        return ""
    role = role_of_drug(drugs[0], rules.roles)
    if role is None:
        text = f"{drugs[0]!r} may be with cells (untreated) or without (blank)"
        found.error("layout.unclear-role", place, text, "Write the role in the column role.")
    return role or ""


def _read_doses(
    entry: Entry, written: list[str], rules: Rules, place: Place, found: Problems
) -> None:
    """Read drugs and doses of a drug well; every fault of the line is noted."""
    drugs, unit = entry.drugs, entry.dose_value_unit
    named = [drug.lower() for drug in drugs if drug]
    if not drugs[0] or (drugs[2] and not drugs[1]):
        text = "a drug well has no first drug, or a third one without a second"
        found.error("layout.no-drug", place, text, "Write the drugs in drug, drug2, drug3.")
    if len(set(named)) < len(named):
        text = f"the well names a drug twice: {' and '.join(drug for drug in drugs if drug)}"
        found.error("layout.same-drug", place, text, "Write each drug once.")
    if not unit:
        text = f"the dose {written[0]!r} of {drugs[0] or 'no drug'} has no unit"
        fix = "Add a column dose_unit, for example nM, or name the unit in the configuration."
        found.error("layout.no-unit", place, text, fix)
    elif not is_unit(unit):
        text = f"the unit {unit!r} is not known"
        found.error("layout.unknown-unit", place, text, f"Use one of {ALLOWED}.")
    for position, (drug, text) in enumerate(zip(drugs, written, strict=True)):
        value = _read_dose(drug, text, unit, rules.decimal, place, found)
        if value is not None and is_unit(unit):
            entry.doses[position], entry.dose_unit = convert_dose(value, unit)
    if len(named) == 1 and entry.doses[0] == 0:
        text = f"{drugs[0]} alone is given at dose 0"
        found.error("layout.zero-dose", place, text, "A well without drug is a control: say so.")


def _read_dose(
    drug: str, written: str, unit: str, decimal: Decimal, place: Place, found: Problems
) -> float | None:
    if not drug and not written:
        return None
    if not drug:
        text = f"the dose {written!r} has no drug"
        found.error("layout.no-drug", place, text, "Write the drug, or take the dose away.")
        return None
    value = parse_number(written, decimal)
    if not written:
        text = f"{drug} has no dose"
        found.error("layout.no-dose", place, text, "Write the dose; in a matrix 0 is a dose.")
    elif value is None:
        text = f"the dose {written!r} of {drug} is no number"
        found.error("layout.bad-dose", place, text, "Write a plain number, the unit apart.")
    elif value < 0 and not is_logarithm(unit):
        text = f"the dose {written!r} of {drug} is negative"
        found.error("layout.negative-dose", place, text, "For logarithms the unit is log10 M.")
        return None
    return value
