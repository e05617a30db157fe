"""What one well holds: from the words of a layout to role, drugs and doses.

Every kind of layout that writes words comes through here, so that a word, a unit and a vehicle
mean the same in all of them. Nothing is guessed: a dose has a unit or is an error.
"""

from drp.plates.layouts.entries import SUFFIXES, Entry
from drp.plates.layouts.roles import (
    is_vehicle,
    nearest_role_words,
    role_as_written,
    role_of_drug,
    why_unclear,
)
from drp.plates.layouts.rules import Rules, Written
from drp.plates.layouts.units import convert_dose, is_logarithm, is_unit, nearest_unit_words
from drp.plates.values import Decimal, parse_number
from drp.problems import Place, Problems

_MOST = 1e11  # nM: 100 M, more than there is of anything; no other unit has so large a number
DOSED = ("sample", "reference")  # roles of wells in which a dose is a dose


def read_entry(written: Written, rules: Rules, place: Place, found: Problems) -> Entry | None:
    """Read one well; every fault of it is noted.

    Parameters
    ----------
    written : Written
        What the layout writes about the well.
    rules : Rules
        How to read it.
    place : Place
        Where it stands.
    found : Problems
        Takes what is wrong.

    Returns
    -------
    Entry or None
        None if there was an error.

    Examples
    --------
    >>> from drp.plates.layouts.entries import Options
    >>> from drp.plates.layouts.rules import make_rules
    >>> rules = make_rules(Options(dose_unit="uM"), ".")
    >>> written = Written((1, 1), "", "", ["vehicle", "Venetoclax", ""], ["0", "0.1", ""], "",
    ...                   "", "")
    >>> entry = read_entry(written, rules, Place("layout.tsv"), Problems())
    >>> entry.role, entry.drugs, entry.doses, entry.dose_unit
    ('sample', ['Venetoclax', '', ''], [100.0, nan, nan], 'nM')
    """
    before = len(found.errors)
    drugs = [rules.names.get(drug.lower(), drug) for drug in written.drugs]
    role = _find_role(written, drugs, rules, place, found)
    entry = Entry(
        written.well, role, written.role, written.sample, place.locator, plate=written.plate
    )
    entry.dose_value = "|".join(written.doses).rstrip("|")
    entry.dose_value_unit = written.unit
    entry.addon = _find_partner(written.addon, rules, place)
    if role in DOSED:
        drugs, doses = _without_vehicles(drugs, written.doses, rules, place)
        _take_drugs(entry, drugs, doses, rules, place, found)
    else:
        # A control keeps the name of its substance; a number beside it (0.3 % DMSO) is no dose.
        entry.drugs[0] = drugs[0]
    return entry if len(found.errors) == before else None


def _find_role(
    written: Written, drugs: list[str], rules: Rules, place: Place, found: Problems
) -> str:
    if written.role:
        role = role_as_written(written.role, rules.roles, rules.words)
        if role is None:
            text = f"the role {written.role!r} is not known"
            fix = nearest_role_words(written.role, [*rules.roles, *rules.words])
            found.error("layout.unknown-role", place, text, fix)
        return role or ""
    if rules.role_needed or not any((*drugs, *written.doses)):
        text = f"the well has no role (its drug is {drugs[0]!r})" if drugs[0] else ""
        text = text or "the well has neither a role nor a drug"
        found.error("layout.no-role", place, text, "Write a role: empty, untreated, blank …")
        return ""
    if not drugs[0]:
        text = f"a dose or a second drug stands without a first drug ({written.doses[0]!r})"
        found.error("layout.no-drug", place, text, "Write the drug in the column drug.")
        return ""
    return _role_of_drugs([drug for drug in drugs if drug], rules, place, found)


def _role_of_drugs(drugs: list[str], rules: Rules, place: Place, found: Problems) -> str:
    """Find the role of a well from its drugs alone; a vehicle beside a drug is no partner."""
    fix = "Write the role in the column role."
    known = {drug: role_of_drug(drug, rules.roles) for drug in drugs}
    for drug, role in known.items():
        if role is None:
            text = f"{drug!r} {why_unclear(drug)}"
            found.error("layout.unclear-role", place, text, fix)
            return ""
    controls = {
        drug: role
        for drug, role in known.items()
        if role != "sample" and not ("sample" in known.values() and is_vehicle(drug, rules.roles))
    }
    if "sample" in known.values() and not controls:
        return "sample"
    if len(set(known.values())) > 1:
        words = " and ".join(f"{drug!r} ({role})" for drug, role in known.items())
        found.error("layout.unclear-role", place, f"the well names {words}", fix)
        return ""
    return known[drugs[0]] or ""


def _find_partner(addon: str, rules: Rules, place: Place) -> str:
    partner = rules.names.get(addon.lower(), addon)
    if partner and is_vehicle(partner, rules.roles):
        rules.remark("layout.vehicle-addon", partner, place)
        return ""
    return partner


def _without_vehicles(
    drugs: list[str], doses: list[str], rules: Rules, place: Place
) -> tuple[list[str], list[str]]:
    """Take vehicles from among the drugs of a well; those after them move up."""
    kept = []
    for drug, dose in zip(drugs, doses, strict=True):
        if not drug or not is_vehicle(drug, rules.roles):
            kept.append((drug, dose))
        elif is_above_zero(dose):
            rules.remark("layout.control-dose", drug, place)
    kept += [("", "")] * (len(SUFFIXES) - len(kept))
    return [drug for drug, _ in kept], [dose for _, dose in kept]


def is_above_zero(written: str) -> bool:
    """Say whether a number, or several, as written beside a control are more than zeros.

    Examples
    --------
    >>> is_above_zero("0.3"), is_above_zero("0,00"), is_above_zero("0|0"), is_above_zero("")
    (True, False, False, False)
    """
    return any(sign in "123456789" for sign in written)


def _take_drugs(
    entry: Entry, drugs: list[str], doses: list[str], rules: Rules, place: Place, found: Problems
) -> None:
    """Read drugs and doses of a well; every fault of them is noted."""
    entry.drugs = drugs
    named = [drug.casefold() for drug in drugs if drug]
    if (not drugs[0] and (entry.role == "sample" or named)) or (drugs[2] and not drugs[1]):
        text = "a drug well has no first drug, or a third one without a second"
        found.error("layout.no-drug", place, text, "Write the drugs in drug, drug2, drug3.")
        if not named:
            return
    if len(set(named)) < len(named):
        text = f"the well names a drug twice: {' and '.join(drug for drug in drugs if drug)}"
        found.error("layout.same-drug", place, text, "Write each drug once.")
    if entry.role == "sample" or any(doses):
        _take_doses(entry, doses, rules, place, found)
    if entry.role == "sample" and len(named) == 1 and entry.doses[0] == 0:
        text = f"{drugs[0]} alone is given at dose 0"
        found.error("layout.zero-dose", place, text, "A well without drug is a control: say so.")
    if entry.role == "sample" and entry.addon:
        _take_partner(entry, named, rules, place, found)


def _take_partner(
    entry: Entry, named: list[str], rules: Rules, place: Place, found: Problems
) -> None:
    """Name the partner of an arm as a further drug of the well, at a dose that is not stated."""
    if entry.addon.casefold() in named:
        rules.remark("layout.same-addon", entry.addon, place)
    elif len(named) == len(SUFFIXES):
        text = f"the well has three drugs and {entry.addon} besides"
        found.error("layout.too-many-drugs", place, text, "Up to three drugs can be read.")
    else:
        entry.drugs[len(named)] = entry.addon


def _take_doses(
    entry: Entry, doses: list[str], rules: Rules, place: Place, found: Problems
) -> None:
    unit = entry.dose_value_unit or rules.dose_unit or rules.format_unit
    if not entry.dose_value_unit and not rules.dose_unit and rules.format_unit:
        rules.remark("layout.unit-by-format", rules.format_unit, place)
    entry.dose_value_unit = unit
    if not unit:
        text = f"the dose {doses[0]!r} of {entry.drugs[0] or 'no drug'} has no unit"
        fix = "Write it in the layout (dose_unit, for example nM), or state dose_unit."
        found.error("layout.no-unit", place, text, fix)
    elif not is_unit(unit):
        text = f"the unit {unit!r} is not known"
        found.error("layout.unknown-unit", place, text, nearest_unit_words(unit))
    for position, (drug, text) in enumerate(zip(entry.drugs, doses, strict=True)):
        value = _read_dose(drug, text, unit, rules.decimal, place, found)
        if value is None or not is_unit(unit):
            continue
        entry.doses[position], entry.dose_unit = convert_dose(value, unit)
        if entry.doses[position] > _MOST:
            fault = f"the dose {text!r} of {drug} in {unit} is beyond all measure"
            found.error("layout.bad-dose", place, fault, "Check the dose and its unit.")


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
