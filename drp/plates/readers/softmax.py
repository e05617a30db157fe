"""SoftMax Pro (Molecular Devices) exports: text with tabs, often UTF-16, one plate or several.

A file is a row of sections; those of plates hold a line that says how the plate was read, measured
values, and reduced values. Groups (tables of samples) and notes are not read. In *PlateFormat* the
rows of a plate have no letters: they are counted from row A, so the wells are marked
``positional``; in *TimeFormat* every well is named.
"""

from drp.plates.blocks import Block, Reading
from drp.plates.pages import Page, Source
from drp.plates.readers.softmax_frames import (
    Frame,
    find_frames,
    read_measured,
    read_reduced,
)
from drp.plates.readers.softmax_header import PlateHeader, read_header
from drp.plates.readers.softmax_sections import (
    COUNT,
    END,
    LAYOUTS,
    PLATE,
    Section,
    find_sections,
    is_plate,
    tabbed,
)
from drp.plates.values import parse_number
from drp.problems import Place, Problem, Problems
from drp.wellnames import row_letters

NAME = "softmax"
MEANING = "SoftMax Pro exports, sections 'Plate: …' that end with '~End'"

_FIX = "Export the raw values of the plate again."
_FEWEST_DISTINCT = 3

Numbers = tuple[float | None, ...]
Rows = dict[int, Numbers]


def recognise(source: Source) -> bool:
    """Say whether a file is a SoftMax Pro export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(_is_softmax(tabbed(page)) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured plate of a SoftMax Pro export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole, and plates that cannot be read.

    Returns
    -------
    list of Block
        Plates in the order of the file, one block per wavelength. Wells that are printed but lie
        outside the part that was read have the status ``not_read``.
    """
    blocks: list[Block] = []
    plates = 0
    for page in map(tabbed, source.pages):
        if not _is_softmax(page):
            continue
        sections = [s for s in find_sections(page, source.file, found) if s.kind == PLATE]
        pairs: list[tuple[Frame, Frame]] = []
        for section in sections:
            plates += 1
            blocks += _read_plate(page, section, plates, source.file, pairs, found)
        found.extend(_mixed_up(pairs, source.file))
    if not plates:
        text = f"the file has no section {PLATE!r}"
        found.error("plate.no-measured-block", Place(source.file), text, _FIX)
    return blocks


def _is_softmax(page: Page) -> bool:
    firsts = [cells[0].strip() for cells in page.rows]
    counted = any(first.startswith(COUNT) for first in firsts)
    if counted and (END in firsts or PLATE in firsts):
        return True
    return any(
        is_plate(cells) and any(cell.strip() in LAYOUTS for cell in cells[1:5])
        for cells in page.rows
    )


def _read_plate(
    page: Page,
    section: Section,
    index: int,
    file: str,
    pairs: list[tuple[Frame, Frame]],
    found: Problems,
) -> list[Block]:
    where = Place(file, page.line(section.start))
    if all(page.is_blank(row) for row in range(section.start + 1, section.stop)):
        text = f"the plate {page.rows[section.start][1].strip()!r} holds no values, left out"
        found.warning("plate.no-values", where, text, "Check that the plate was not read.")
        return []
    header = read_header(page, section.start, file, found)
    if header is None:
        return []
    frames = find_frames(page, header, section.stop)
    if not _check_frames(page, header, frames, section, file, found):
        return []
    measured, *others = frames
    read_measured(page, header, measured, file, found)
    for reduced in others:
        read_reduced(page, header, reduced, file, found)
        if reduced.reads:
            pairs.append((measured, reduced))
    return _blocks(page, header, measured, index)


def _check_frames(
    page: Page,
    header: PlateHeader,
    frames: list[Frame],
    section: Section,
    file: str,
    found: Problems,
) -> bool:
    """Check that a section holds one frame of measured values and at most one of reduced ones."""
    where = Place(file, page.line(header.row))
    first = frames[0].header if frames else section.stop
    stray = next((r for r in range(header.row + 1, first) if not page.is_blank(r)), None)
    kinds = [frame.reduced for frame in frames]
    if stray is not None:
        place = Place(file, page.line(stray))
        text = "the line below 'Plate:' is no header of wells or columns"
        found.error("plate.bad-shape", place, text, _FIX)
    elif header.reduced and not any(not kind for kind in kinds):
        text = f"the plate {header.name!r} has reduced values only, which are calculated"
        found.error("plate.no-measured-block", where, text, _FIX)
    elif kinds not in ([False], [False, True]) or header.reduced:
        names = ", ".join("reduced" if kind else "measured" for kind in kinds) or "none"
        text = f"the plate {header.name!r} should have measured values, then reduced ones: {names}"
        found.error("plate.bad-information", where, text, _FIX)
    else:
        return True
    return False


def _blocks(page: Page, header: PlateHeader, frame: Frame, index: int) -> list[Block]:
    number = parse_number(frame.temperature, "," if "," in frame.temperature else ".")
    return [
        Block(
            plate_index=index,
            read=read,
            readings=readings,
            locator=page.line(header.row),
            name=header.name,
            sheet=page.sheet,
            mode=header.mode,
            wavelength_nm=wavelength,
            software="SoftMax Pro",
            registration="labelled" if header.layout == "TimeFormat" else "positional",
            temperature=float("nan") if number is None else number,
            statuses={
                well: "not_read"
                for well in ((reading.row, reading.column) for reading in readings)
                if not header.is_due(well)
            },
        )
        for read, wavelength, readings in zip(
            header.reads, header.wavelengths, frame.reads, strict=False
        )
    ]


def _by_row(readings: list[Reading]) -> Rows:
    """Give the numbers of every row of the plate."""
    rows: dict[int, list[float | None]] = {}
    for reading in readings:
        number = parse_number(reading.text, "," if "," in reading.text else ".")
        rows.setdefault(reading.row, []).append(number)
    return {row: tuple(numbers) for row, numbers in rows.items()}


def _mixed_up(pairs: list[tuple[Frame, Frame]], file: str) -> list[Problem]:
    """Find rows of measured values whose reduced values stand in another row or plate.

    Where the values of a wavelength are not reduced at all, both are equal, and a line that was
    exchanged for another shows, although nothing names the row or the plate.
    """
    reduced = [_by_row(frame.reads[0]) for _, frame in pairs]
    owners = {numbers for rows in reduced for numbers in rows.values() if _is_telling(numbers)}
    found = Problems()
    for (frame, _), own in zip(pairs, reduced, strict=True):
        for readings in frame.reads:
            rows = _by_row(readings)
            other = {row for row, numbers in rows.items() if not _agree(numbers, own.get(row, ()))}
            same = sum(map(_is_telling, rows.values())) - len(other)
            for row in sorted(other):
                if same >= len(other) or rows[row] in owners:
                    where = next(reading.locator for reading in readings if reading.row == row)
                    text = "the measured values are not those of the reduced row: lines were moved"
                    place = Place(file, where, well=f"row {row_letters(row)}")
                    found.error("plate.mixed-up", place, text, _FIX)
    return found.items


def _is_telling(numbers: Numbers) -> bool:
    """Say whether a row has enough different numbers to be known by them."""
    return len({number for number in numbers if number is not None}) >= _FEWEST_DISTINCT


def _agree(numbers: Numbers, others: Numbers) -> bool:
    """Say whether two rows are equal wherever both hold numbers."""
    pairs = zip(numbers, others, strict=False)
    return all(a == b for a, b in pairs if a is not None and b is not None)
