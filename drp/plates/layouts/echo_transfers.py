"""Transfers of an Echo report: what went from which source into which well, and what failed."""

from dataclasses import dataclass

from drp.plates.layouts.echo_report import EXCEPTIONS, Line
from drp.plates.layouts.units import Dose, convert_dose, is_unit, nearest_unit_words
from drp.plates.values import Decimal, find_decimal, parse_number
from drp.problems import Place, Problems
from drp.wellnames import FORMATS, parse_well, well_name

_DONE = ("", "ok")
_NONE = ("", "n/a", "na")
_NUMBERS = ("requested", "actual", "stock")
_LONGEST_STATUS = 120
_AGAIN = "Export the report again."


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer.

    Attributes
    ----------
    place : Place
        Its line, and the plate and well it went to.
    well : tuple of int
        Row and column from 1.
    labels : tuple of str
        What the report calls the substance: sample name, sample id, compound name; may be empty.
    sources : tuple of str
        The source well by the barcode and by the name of its plate, such as ``SRC1:A1``.
    volume : float
        Transferred volume, nL; 0 if it failed.
    stock : Dose or None
        Concentration of the source, where the report states it.
    failure : str
        Why it failed; empty if it did not.
    """

    place: Place
    well: tuple[int, int]
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    volume: float
    stock: Dose | None
    failure: str


def read_transfers(lines: list[Line], file: str, found: Problems) -> list[Transfer]:
    """Read the transfers of a report.

    Parameters
    ----------
    lines : list of Line
        The lines of its tables.
    file : str
        Name of the file.
    found : Problems
        Takes what is wrong, line by line, and a warning for volumes other than those asked for.

    Returns
    -------
    list of Transfer
        Those without a fault, in the order of the file. A plate is called by its barcode or, if it
        has none, by its name.
    """
    decimal = _decimal(lines, file, found)
    if decimal is None:
        return []
    _check_plates(lines, file, found)
    transfers = [_read(line, decimal, file, found) for line in lines]
    return [transfer for transfer in transfers if transfer is not None]


def _decimal(lines: list[Line], file: str, found: Problems) -> Decimal | None:
    cells = [(line, column) for line in lines for column in _NUMBERS]
    decimal, faults = find_decimal(line.text(column) for line, column in cells)
    for fault in faults:
        line, column = cells[fault.position]
        text = f"the number {line.text(column)!r} {fault.fault}"
        fix = "Write numbers without thousands separators and with one decimal sign."
        found.error("layout.ambiguous-number", Place(file, line.locator()), text, fix)
    return None if faults else decimal


def _check_plates(lines: list[Line], file: str, found: Problems) -> None:
    """Compare names and barcodes of plates: one plate must not appear as two."""
    barcodes: dict[str, dict[str, Line]] = {}
    for line in lines:
        barcodes.setdefault(line.text("plate"), {}).setdefault(line.text("barcode"), line)
    for name, first in barcodes.items():
        last = list(first.values())[-1]
        where = Place(file, last.locator(), name)
        given = " and ".join(repr(barcode) for barcode in first)
        if len(first) > 1 and "" in first:
            text = f"the plate {name!r} has a barcode in some lines and none in others"
            found.error("layout.unclear-plate", where, text, _AGAIN)
        elif len(first) > 1 and name.endswith("]"):
            # Destination[1] counts the plates of a run; other names are often those of a type.
            text = f"the plate {name!r} has {len(first)} barcodes: {given}"
            fix = "They are taken for different plates; check that they are."
            found.warning("layout.unclear-plate", where, text, fix)


def _read(line: Line, decimal: Decimal, file: str, found: Problems) -> Transfer | None:
    before = len(found.errors)
    plate = line.text("barcode") or line.text("plate")
    well = _well(line, plate, file, found)
    if well is None:
        return None
    place = Place(file, line.locator(), plate, well_name(*well))
    failure = _failure(line, decimal, place, found)
    volume = 0.0 if failure else _volume(line, decimal, place, found)
    transfer = Transfer(
        place=place,
        well=well,
        labels=tuple(_label(line, name) for name in ("sample_name", "sample_id", "compound")),
        sources=_sources(line),
        volume=volume,
        stock=None if failure else _stock(line, decimal, place, found),
        failure=failure,
    )
    return transfer if len(found.errors) == before else None


def _label(line: Line, column: str) -> str:
    text = line.text(column)
    return "" if text.lower() in _NONE else text


def _well(line: Line, plate: str, file: str, found: Problems) -> tuple[int, int] | None:
    """Give the destination; where the type of its plate names a format, it must be within it."""
    text, kind = line.text("well"), line.text("plate_type")
    well = parse_well(text)
    where = Place(file, line.locator(), plate)
    if well is None:
        found.error("layout.bad-well", where, f"{text!r} is no well", "Wells are A1 to AF48.")
        return None
    named = [shape for number, shape in FORMATS.items() if _names_format(kind, number)]
    if len(named) == 1 and (well[0] > named[0][0] or well[1] > named[0][1]):
        fault = f"{text!r} is no well of a plate {kind!r}"
        found.error("layout.bad-well", where, fault, _AGAIN)
        return None
    return well


def _names_format(kind: str, number: int) -> bool:
    digits = "".join(sign if sign.isdigit() else " " for sign in kind)
    return str(number) in digits.split()


def _sources(line: Line) -> tuple[str, ...]:
    text = line.text("source_well")
    well = parse_well(text)
    name = well_name(*well) if well else text
    plates = [line.text("source_barcode"), line.text("source_plate")]
    return tuple(dict.fromkeys(f"{plate}:{name}" for plate in plates if plate and name))


def _failure(line: Line, decimal: Decimal, place: Place, found: Problems) -> str:
    """Say why a transfer failed; empty if it was made."""
    status = " ".join(line.text("status").split())[:_LONGEST_STATUS]
    text = line.text("actual")
    actual = parse_number(text, decimal)
    if text and (actual is None or actual < 0):
        fault = f"the actual volume {text!r} is no volume"
        found.error("layout.bad-volume", place, fault, _AGAIN)
    if status.lower() not in _DONE:
        return status
    if line.section == EXCEPTIONS and actual:
        fault = f"a transfer of {text} nL without a reason stands among those that failed"
        found.error("layout.unclear-transfer", place, fault, _AGAIN)
    if not text:
        return "no volume is stated"
    return "no volume was transferred" if not actual else ""


def _volume(line: Line, decimal: Decimal, place: Place, found: Problems) -> float:
    actual = parse_number(line.text("actual"), decimal) or 0.0
    text = line.text("requested")
    requested = parse_number(text, decimal)
    if text and (requested is None or requested < 0):
        fault = f"the transfer volume {text!r} is no volume"
        found.error("layout.bad-volume", place, fault, _AGAIN)
    elif requested is not None and abs(actual - requested) > 0.1 * requested:
        fault = f"{actual:g} nL were transferred where {requested:g} nL were asked for"
        fix = "The dose is that of the volume transferred; exclude the well if that is not enough."
        found.warning("layout.partial-transfer", place, fault, fix)
    return actual


def _stock(line: Line, decimal: Decimal, place: Place, found: Problems) -> Dose | None:
    """Give the concentration of the source as the report states it; 0 or N/A is not stated."""
    text, unit = line.text("stock"), line.text("stock_unit")
    value = None if text.lower() in _NONE else parse_number(text, decimal)
    if value == 0 or text.lower() in _NONE:
        return None
    if value is None or value < 0:
        fault = f"the source concentration {text!r} is no concentration"
        found.error("layout.bad-stock", place, fault, _AGAIN)
        return None
    if not is_unit(unit):
        code = "layout.unknown-unit" if unit else "layout.no-unit"
        fault = f"the source concentration {text} has " + (f"the unit {unit!r}" if unit else "none")
        found.error(code, place, fault, nearest_unit_words(unit))
        return None
    return convert_dose(value, unit)
