"""From the measured blocks of a file to the table `reads`: numbers, states, plate ids."""

import re
from dataclasses import replace

from drp.plain_tables import Columns, kinds_of, no_rows
from drp.plates.blockchecks import check_blocks, list_readings, place_of
from drp.plates.blocks import Block, Reading
from drp.plates.moments import iso_moment
from drp.plates.pages import Source, safe_id
from drp.plates.values import Decimal, find_decimal, parse_number, read_status
from drp.problems import Place, Problems
from drp.wellnames import well_name

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NOTES = {
    "saturated": ("plate.saturated", "saturated"),
    "below_range": ("plate.below-range", "below the range of the reader"),
    "invalid": ("plate.invalid-reading", "marked invalid by the reader"),
    "missing": ("plate.missing-value", "without a value"),
    "negative": ("plate.negative-value", "negative, kept as they are"),
}
READS = kinds_of(
    "reads",
    {
        **dict.fromkeys(("plate_index", "row", "column"), "count"),
        **dict.fromkeys(("unit", "wavelength_nm", "barcode", "sheet", "registration"), "text"),
        **dict.fromkeys(("measured_at_raw", "measured_at", "instrument", "software"), "text"),
        "temperature_c": "number",
        **dict.fromkeys(("reader", "file_sha256"), "text"),
    },
)


def make_reads(
    source: Source, blocks: list[Block], reader: str, plate: str | None, found: Problems
) -> Columns:
    """Make the table `reads` of a file.

    Parameters
    ----------
    source : Source
        The opened file.
    blocks : list of Block
        What the reader gave.
    reader : str
        Its name.
    plate : str, optional
        Id of the plate; see `name_plates`.
    found : Problems
        Takes faults of blocks, unreadable cells, readings without a number.

    Returns
    -------
    dict of str to list
        Table `reads` as plain columns, ordered as the file. Further columns are plate_index, row,
        column, unit, wavelength_nm, barcode, sheet, registration, measured_at_raw, measured_at
        (ISO 8601, empty where the printed date is not certain), instrument, software,
        temperature_c, reader, file_sha256.
    """
    ids = name_plates(source, blocks, plate, found)
    for block in blocks:
        found.extend(
            replace(fault, where=replace(fault.where, plate=ids[block.plate_index]))
            for fault in block.faults
        )
    blocks = check_blocks(blocks, ids, source.file, found)
    decimal = _decimal(source, blocks, ids, found)
    rows = no_rows(READS)
    if decimal is not None:
        for block in blocks:
            _add_block(rows, block, ids[block.plate_index], decimal, source.file, found)
    rows["reader"] = [reader] * len(rows["plate"])
    rows["file_sha256"] = [source.sha256] * len(rows["plate"])
    return rows


def name_plates(
    source: Source, blocks: list[Block], plate: str | None, found: Problems
) -> dict[int, str]:
    """Give every plate of a file its id.

    One plate is called `plate`, else by the name the file itself gives it, else after the file.
    Several are called by the names the file gives them (a sheet, a column), else by their barcodes,
    if all differ and are fit to be ids; else ``{plate}_1``, ``{plate}_2`` in the order of the file.

    Parameters
    ----------
    source : Source
        The opened file.
    blocks : list of Block
        Its measured blocks.
    plate : str, optional
        Id that the user gives: letters, digits, ``.``, ``_``, ``-``, at most 64.
    found : Problems
        Takes an id that is not fit, and a barcode that two plates share.

    Returns
    -------
    dict of int to str
        Plate index to id.
    """
    if plate is not None and not _ID.fullmatch(plate):
        text = f"{plate!r} is not fit to be a plate id"
        fix = "Use letters, digits, '.', '_' and '-', at most 64, a letter or digit first."
        found.error("plate.bad-id", Place(source.file), text, fix)
    base = safe_id(plate) if plate else source.stem
    names = {block.plate_index: block.name for block in blocks}
    barcodes = {block.plate_index: block.barcode for block in blocks}
    if len(names) == 1:
        named = next((name for name in names.values() if _ID.fullmatch(name)), base)
        return dict.fromkeys(names, base if plate else named)
    if _are_ids(names):
        return names
    _check_barcodes(list(barcodes.values()), source.file, found)
    return barcodes if _are_ids(barcodes) else {index: f"{base}_{index}" for index in barcodes}


def _are_ids(names: dict[int, str]) -> bool:
    """Say whether every plate has a name of its own that is fit to be an id."""
    return len(set(names.values())) == len(names) and all(map(_ID.fullmatch, names.values()))


def _check_barcodes(barcodes: list[str], file: str, found: Problems) -> None:
    for barcode in sorted({code for code in barcodes if code and barcodes.count(code) > 1}):
        text = f"{barcodes.count(barcode)} plates carry the barcode {barcode!r}"
        fix = "Export every plate once, with its own barcode."
        found.error("plate.duplicate-barcode", Place(file), text, fix)


def _decimal(
    source: Source, blocks: list[Block], ids: dict[int, str], found: Problems
) -> Decimal | None:
    """Find the decimal sign of the file; None if its numbers cannot be trusted."""
    cells = [(block, reading) for block in blocks for reading in block.readings]
    decimal, faults = find_decimal(reading.text for _, reading in cells)
    for fault in faults:
        block, reading = cells[fault.position]
        found.error(
            "plate.ambiguous-number",
            place_of(source.file, ids[block.plate_index], reading),
            f"{reading.text.strip()!r} {fault.fault}; no value of the file was read",
            "Export numbers without thousands separators and with one decimal sign.",
        )
    return None if faults else decimal


def _add_block(
    rows: Columns, block: Block, plate: str, decimal: Decimal, file: str, found: Problems
) -> None:
    noted: dict[str, list[Reading]] = {}
    unknown: dict[str, list[Reading]] = {}
    kept: list[tuple[Reading, float, str]] = []
    for reading in block.readings:
        signal, status = _judge(block, reading, decimal)
        if status is None:
            unknown.setdefault(reading.text.strip(), []).append(reading)
            continue
        if status != "ok" or signal < 0:
            noted.setdefault("negative" if status == "ok" else status, []).append(reading)
        kept.append((reading, signal, status))
    _note(noted, unknown, plate, file, found)
    rows["well"] += [well_name(reading.row, reading.column) for reading, _, _ in kept]
    rows["row"] += [reading.row for reading, _, _ in kept]
    rows["column"] += [reading.column for reading, _, _ in kept]
    rows["signal"] += [signal for _, signal, _ in kept]
    rows["status"] += [status for _, _, status in kept]
    rows["raw_text"] += [reading.text for reading, _, _ in kept]
    rows["locator"] += [reading.locator for reading, _, _ in kept]
    same = {
        "plate": plate,
        "read": block.read,
        "mode": block.mode,
        "file": file,
        "unit": block.unit,
        "wavelength_nm": block.wavelength_nm,
        "plate_index": block.plate_index,
        "temperature_c": block.temperature,
        "barcode": block.barcode,
        "sheet": block.sheet,
        "registration": block.registration,
        "measured_at_raw": block.measured_at,
        "measured_at": iso_moment(block.measured_at, block.date_order),
        "instrument": block.instrument,
        "software": block.software,
    }
    for name, value in same.items():
        rows[name] += [value] * len(kept)


def _judge(block: Block, reading: Reading, decimal: Decimal) -> tuple[float, str | None]:
    if block.statuses:
        stated = block.statuses.get((reading.row, reading.column), "ok")
        if stated != "ok":
            return float("nan"), stated
    signal = parse_number(reading.text, decimal)
    if signal is not None:
        return signal, "ok"
    blank = not reading.text.strip()
    return float("nan"), block.blank_status if blank else read_status(reading.text)


def _note(
    noted: dict[str, list[Reading]],
    unknown: dict[str, list[Reading]],
    plate: str,
    file: str,
    found: Problems,
) -> None:
    """Say once for each state, and for each unknown word, in which wells it stands."""
    for token, readings in unknown.items():
        text = f"{token!r} is neither a number nor a known word ({list_readings(readings)})"
        fix = "Known are numbers, blanks, NA, OVRFLW, >Max, <Min, Invalid and the like."
        found.error("plate.unknown-token", place_of(file, plate, readings[0]), text, fix)
    for status, readings in sorted(noted.items()):
        if status in _NOTES:
            code, what = _NOTES[status]
            where = place_of(file, plate, readings[0])
            fix = "Check the wells; the layout says which of them matter."
            found.warning(code, where, f"{what}: {list_readings(readings)}", fix)
