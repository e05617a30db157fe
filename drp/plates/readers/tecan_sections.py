"""The settings around the values in exports of Tecan's i-control and SparkControl.

Each measurement is a section: settings (a name, its value in one of the next cells, perhaps a
unit), one or more blocks of values, the time of the end. Releases and languages differ in names
and places, so a value is found by the name of its line, and the part of the plate by its form.
"""

import re
from dataclasses import dataclass, field

from drp.plates.blocks import Block
from drp.plates.pages import Page, Source
from drp.plates.readers.tecan_part import check_part, parse_part
from drp.plates.readers.tecan_tables import Table
from drp.plates.values import parse_number
from drp.problems import Place, Problem, Problems

_UNIT = re.compile(r"\s*\[[^\]]*\]$")
_TEMPERATURE = re.compile(r"Temperatur\w*\s*:\s*(-?[0-9]+(?:[.,][0-9]+)?)\b.*", re.IGNORECASE)
_KINETIC = re.compile(
    r"(?:cycle nr|cycles / well|zyklen / well|kineti[ck][ -]*(?:measurement|messung|cycles|zyklen))"
    r".*",
    re.IGNORECASE,
)
_SPECTRUM = re.compile(r"(?:wavel\.|wavelength (?:start|end|step)|scan number).*", re.IGNORECASE)
_CALCULATED = re.compile(
    r"\b(?:difference|\w*corrected|ratio|polari[sz]ation|anisotropy|average|mean|st\.? ?dev)\b",
    re.IGNORECASE,
)
_MODES = {"absor": "abs", "lumin": "lum", "fluor": "fluo", "cell count": "count"}
_WAVELENGTH = ("measurement wavelength", "wavelength", "wellenlänge")
_START = ("start time", "startzeit")
_END = ("end time", "endzeit")
_ONCE = ("mode", "modus", "part of plate", *_START, *_END)
_NO_PART = ("name", "plate area")
_SPAN = re.compile(r"[A-Za-z]{1,2}[0-9]{1,2}-[A-Za-z]{1,2}[0-9]{1,2}")


@dataclass(slots=True)
class Section:
    """One measurement of an export.

    Attributes
    ----------
    page : Page
        The page it stands on.
    start, stop : int
        Index of its first row and of the first row after it.
    name : str
        What the export calls it.
    tables : list of Table
        Its blocks of values.
    settings : dict of str to (int, str)
        Plain name of a setting to the index of its row and its value; the first of equal names.
    repeated : list of int
        Rows with a setting that a measurement has once, and that stands there again.
    """

    page: Page
    start: int
    stop: int
    name: str
    tables: list[Table] = field(default_factory=list)
    settings: dict[str, tuple[int, str]] = field(default_factory=dict)
    repeated: list[int] = field(default_factory=list)

    def value(self, *names: str) -> str:
        """Give the value of the first of these settings that the section has, or nothing."""
        return next((self.settings[name][1] for name in names if name in self.settings), "")

    @property
    def mode(self) -> str:
        """``lum``, ``fluo``, ``abs``, ``count`` or empty; the words are alike in all languages."""
        printed = self.value("mode", "modus").lower()
        return next((mode for word, mode in _MODES.items() if printed.startswith(word)), "")

    @property
    def wavelength(self) -> str:
        """In nm; excitation and emission as ``485/535``."""
        pair = [self.value("excitation wavelength"), self.value("emission wavelength")]
        return "/".join(filter(None, pair)) or self.value(*_WAVELENGTH)

    @property
    def part(self) -> str:
        """The part of the plate as printed, in any language; empty if there is none."""
        stated = self.value("part of plate")
        if not stated:
            others = [text for name, (_, text) in self.settings.items() if name not in _NO_PART]
            stated = next((text for text in others if _SPAN.fullmatch(text)), "")
        return stated if parse_part(stated) else ""


def plain_key(text: str) -> str:
    """Bring the name of a setting to its plain form.

    Examples
    --------
    >>> plain_key("Start Time:"), plain_key("Temperature [°C]")
    ('start time', 'temperature')
    """
    return _UNIT.sub("", text.strip()).rstrip(":").strip().lower()


def next_value(cells: list[str]) -> str:
    """Give the first cell after the first one that is not blank.

    Examples
    --------
    >>> next_value(["Mode", "", "", "", "Luminescence", ""]), next_value(["Name"])
    ('Luminescence', '')
    """
    return next((cell.strip() for cell in cells[1:] if cell.strip()), "")


def make_section(page: Page, start: int, stop: int, name: str, tables: list[Table]) -> Section:
    """Read the settings of a section.

    Parameters
    ----------
    page : Page
        Rows of cells.
    start, stop : int
        Index of its first row and of the first row after it.
    name : str
        What the export calls it.
    tables : list of Table
        Every block of the page; those within the section are taken.
    """
    own = [table for table in tables if start <= table.header < stop]
    section = Section(page, start, stop, name, own)
    inside = {row for table in own for row in range(table.header, table.stop)}
    for row in range(start, stop):
        if row not in inside:
            cells = page.rows[row]
            key = plain_key(cells[0])
            if key in _ONCE and key in section.settings:
                section.repeated.append(row)
            section.settings.setdefault(key, (row, next_value(cells)))
            for cell in cells[:2]:
                match = _TEMPERATURE.fullmatch(cell.strip())
                if match:
                    section.settings.setdefault("temperature", (row, match.group(1)))
    return section


def find_not_endpoint(page: Page) -> int | None:
    """Give the index of the first row that belongs to a kinetic or to a spectrum, if any.

    Examples
    --------
    >>> find_not_endpoint(Page([["Mode", "Absorbance"], ["Cycle Nr.", "1", "2"]]))
    1
    """
    for row, cells in enumerate(page.rows):
        first = cells[0].strip()
        mode = next_value(cells).lower() if plain_key(first) in ("mode", "modus") else ""
        scanned = "scan" in mode or "spectr" in mode or mode.startswith("kineti")
        if scanned or _KINETIC.fullmatch(first) or _SPECTRUM.fullmatch(first):
            return row
    return None


def report_not_endpoint(page: Page, row: int, file: str, found: Problems) -> None:
    """Say that a page holds a kinetic or a spectrum."""
    text = f"{page.rows[row][0].strip()!r} belongs to a kinetic or a spectrum"
    fix = "Only endpoint measurements can be read; export the endpoint alone."
    found.error("plate.not-endpoint", Place(file, page.line(row)), text, fix)


def note_other_sheets(source: Source, sheets: list[Page], found: Problems) -> None:
    """Note every sheet that holds something, but no run of the reader."""
    for page in source.pages:
        if page not in sheets and not all(page.is_blank(row) for row in range(len(page.rows))):
            text = "the sheet holds no run of the reader and was left out"
            fix = "Nothing to do, if no measured values stand there."
            found.warning("plate.other-sheet", Place(source.file, page.sheet), text, fix)


def is_calculated(title: str) -> bool:
    """Say whether the title of a block names a calculation.

    Examples
    --------
    >>> is_calculated("Difference"), is_calculated("OD600")
    (True, False)
    """
    return _CALCULATED.search(title) is not None


def measured_tables(section: Section, file: str, found: Problems) -> list[tuple[str, Table]]:
    """Give the measured blocks of a section, each with the label of its measurement.

    Parameters
    ----------
    section : Section
        The section.
    file : str
        Name of the file.
    found : Problems
        Takes blocks that are neither known to be measured nor known to be calculated, and a
        section without a block.

    Returns
    -------
    list of (str, Table)
        Titled ``Reference``, a block is a measurement of its own; differences of measurements
        and other calculated blocks are left out.
    """
    label = section.name or section.value("mode", "modus") or "signal"
    measured = []
    for table in section.tables:
        if table.title in ("", section.name):
            measured.append((label, table))
        elif table.title == "Reference":
            measured.append((f"{label} Reference", table))
        elif not is_calculated(table.title):
            text = f"a block of {label!r} is titled {table.title!r}: measured or calculated?"
            where = Place(file, section.page.line(table.header))
            found.error("plate.unknown-block", where, text, "Export the plain measurement.")
    if not section.tables:
        text = f"the measurement {label!r} has no values"
        where = Place(file, section.page.line(section.start))
        found.error("plate.truncated", where, text, "Export the plate again.")
    return measured


def make_block(section: Section, table: Table, plate_index: int, read: str, file: str) -> Block:
    """Make the block of one measurement, and check which wells it holds and that it ends.

    Parameters
    ----------
    section : Section
        Its settings.
    table : Table
        Its values.
    plate_index : int
        Which plate of the file, from 1.
    read : str
        Label of the measurement.
    file : str
        Name of the file.
    """
    statuses = check_part(table, parse_part(section.part), section.part, file)
    number = parse_number(section.value("temperature").replace(",", "."))
    return Block(
        plate_index=plate_index,
        read=read,
        readings=table.readings,
        locator=section.page.line(table.header),
        sheet=section.page.sheet,
        mode=section.mode,
        unit=section.value("output"),
        wavelength_nm=section.wavelength,
        measured_at=section.value(*_START).lstrip("'"),
        temperature=float("nan") if number is None else number,
        statuses=statuses,
        faults=[*table.faults, *_end_faults(section, table, file), *_notes(section, table, file)],
    )


def _end_faults(section: Section, table: Table, file: str) -> list[Problem]:
    """Say if the time of the end is missing: an error unless every well due is there."""
    ends = [section.settings[name] for name in _END if name in section.settings]
    if any(row > table.header and text for row, text in ends):
        return []
    found = Problems()
    where = Place(file, section.page.line(min(table.stop, len(section.page.rows)) - 1))
    text = "after the values there is no 'End Time'"
    if section.part and not table.broken:
        fix = "The values are whole; export again if you need what the file says about the run."
        found.warning("plate.incomplete-footer", where, text, fix)
    else:
        text += ", the values may be cut off"
        found.error("plate.truncated", where, text, "Export the plate again.")
    return found.items


def _notes(section: Section, table: Table, file: str) -> list[Problem]:
    found = Problems()
    where = Place(file, section.page.line(table.header))
    for row in section.repeated:
        text = f"{section.page.rows[row][0].strip()!r} stands twice in the same measurement"
        fix = "Export the plate again; two measurements may have run together."
        found.error("plate.bad-information", Place(file, section.page.line(row)), text, fix)
    if table.averaged:
        text = "several points were measured in each well; the value is their mean as printed"
        fix = "Check that the points do not lie on the wall of the well."
        found.warning("plate.mean-of-points", where, text, fix)
    reference = section.value("reference wavelength", "referenzwellenlänge")
    if reference and len(section.tables) == 1:
        text = f"a reference wavelength is set ({reference}): the values may be differences"
        fix = "Export the measurement without the reference wavelength, if you need it."
        found.warning("plate.reference-wavelength", where, text, fix)
    return found.items
