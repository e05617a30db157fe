"""What is odd about the measured blocks of a file: doubles, copies, stray wells, rings of zeros."""

from collections import Counter

from drp.plates.blocks import Block, Reading
from drp.plates.values import looks_like_number, parse_number
from drp.problems import Place, Problems
from drp.wellnames import FORMATS, well_name

_SHOWN = 5
_FEWEST_DISTINCT = 8
_FEW_STRAYS, _FEW_IN = 4, 20  # so many wells, and one in so many


def check_blocks(
    blocks: list[Block], ids: dict[int, str], file: str, found: Problems
) -> list[Block]:
    """Give the blocks that can be used: no read of a plate twice; note what is suspicious.

    Parameters
    ----------
    blocks : list of Block
        The measured blocks of a file.
    ids : dict of int to str
        Plate index to id.
    file : str
        Name of the file.
    found : Problems
        Takes empty and doubled blocks, copies, stray wells, unlabelled plates, rings of zeros.
    """
    kept: dict[tuple[int, str], Block] = {}
    for block in blocks:
        where = Place(file, block.locator, ids[block.plate_index])
        if not any(looks_like_number(reading.text) for reading in block.readings):
            text = "the block holds no value that can be used"
            found.error("plate.no-values", where, text, "Export the plate again.")
            continue
        if (block.plate_index, block.read) in kept:
            text = f"the plate has two blocks of the measurement {block.read!r}"
            found.error("plate.duplicate-block", where, text, "Keep the block that is right.")
            continue
        twin = next((other for other in kept.values() if _is_copy(block, other)), None)
        if twin is not None:
            text = f"the values equal those of plate {ids[twin.plate_index]}, well by well"
            fix = "One of the two is a copy; export the plates again."
            found.error("plate.identical", where, text, fix)
        strays = _stray_wells(block)
        if strays:
            text = f"wells outside the block that nearly all others form: {list_readings(strays)}"
            fix = "A row or column may be mistyped. Correct it, or export the plate again."
            found.error("plate.stray-well", place_of(file, where.plate, strays[0]), text, fix)
        kept[block.plate_index, block.read] = block
        if block.registration == "positional":
            text = "no row letters and column numbers: wells were taken by position"
            fix = "Check with the controls that the layout lies where the plate was read."
            found.warning("plate.positional", where, text, fix)
        if _has_ring_of_zeros(block):
            text = "every outer well is exactly 0, no inner well is"
            fix = "If the outer wells were not read, leave them out of the layout."
            found.warning("plate.ring-of-zeros", where, text, fix)
    return list(kept.values())


def _stray_wells(block: Block) -> list[Reading]:
    """Give the few wells that lie where none should: a mistyped row or column does this.

    They lie outside the plate format that holds all the others; or outside a full rectangle of
    wells that lacks as few.
    """
    for rows, columns in FORMATS.values():
        outside = [r for r in block.readings if r.row > rows or r.column > columns]
        if len(outside) <= _FEW_STRAYS and len(outside) * _FEW_IN < len(block.readings):
            if outside:
                return outside
            break
    rows_used = Counter([reading.row for reading in block.readings])
    columns_used = Counter([reading.column for reading in block.readings])
    full_rows = {row for row, n in rows_used.items() if 2 * n >= max(rows_used.values())}
    full = {column for column, n in columns_used.items() if 2 * n >= max(columns_used.values())}
    outside = [r for r in block.readings if r.row not in full_rows or r.column not in full]
    lacking = len(full_rows) * len(full) - len(block.readings) + len(outside)
    moved = 0 < len(outside) <= _FEW_STRAYS and 0 < lacking <= 3 * _FEW_STRAYS
    return outside if moved and len(block.readings) > _FEW_IN * len(outside) else []


def _is_copy(block: Block, other: Block) -> bool:
    """Say whether two plates agree in every well they share, with enough different values."""
    if block.plate_index == other.plate_index:
        return False
    texts = {(reading.row, reading.column): reading.text for reading in other.readings}
    shared = [r for r in block.readings if (r.row, r.column) in texts]
    return (
        all(reading.text == texts[reading.row, reading.column] for reading in shared)
        and len({reading.text for reading in shared}) >= _FEWEST_DISTINCT
    )


def _has_ring_of_zeros(block: Block) -> bool:
    if parse_number(block.readings[0].text) != 0:
        return False
    last = max((reading.row, reading.column) for reading in block.readings)
    if last not in FORMATS.values() or len(block.readings) != last[0] * last[1]:
        return False
    return all(
        (parse_number(r.text) == 0) == (r.row in (1, last[0]) or r.column in (1, last[1]))
        for r in block.readings
    )


def list_readings(readings: list[Reading]) -> str:
    """Name the first readings with their text, and say how many more there are."""
    wells = [f"{well_name(r.row, r.column)} {r.text.strip()!r}" for r in readings[:_SHOWN]]
    more = f" and {len(readings) - _SHOWN} more" if len(readings) > _SHOWN else ""
    return f"{', '.join(wells)}{more}"


def place_of(file: str, plate: str, reading: Reading) -> Place:
    """Say where a reading stands."""
    return Place(file, reading.locator, plate, well_name(reading.row, reading.column))
