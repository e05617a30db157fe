"""What every reader gives back: measured blocks of plates, still as printed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from drp.problems import Problem


class Reading(NamedTuple):
    """One printed cell of a plate: row and column from 1, its text, where it stands."""

    row: int
    column: int
    text: str
    locator: str


@dataclass(slots=True)
class Block:
    """One measurement of one plate.

    Attributes
    ----------
    plate_index : int
        Which plate of the file, from 1.
    read : str
        Label of the measurement in the export.
    readings : list of Reading
        Every cell that was printed.
    locator : str
        Where the block begins.
    name : str
        Id that the file itself gives to the plate, for example in a column; empty if none.
    barcode : str
        As printed; empty if none.
    sheet : str
        Name of the sheet of a workbook; empty for text.
    mode, unit : str
        ``lum``, ``fluo``, ``abs``, ``count`` or empty; the unit as printed or empty.
    wavelength_nm : str
        As printed, excitation and emission as ``488/530``; empty if none or not printed.
    instrument, software : str
        Model of the reader, and its software with version; empty if the file does not say. Never
        a serial number, a path or a person.
    registration : str
        ``labelled``, or ``positional`` where wells have no labels.
    blank_status : str
        Status of a blank cell.
    measured_at : str
        Date and time as printed; empty if the file does not say.
    date_order : str
        ``mdy`` or ``dmy`` where the kind of export fixes the order of a date with slashes or
        dots; empty if it depends on the computer, so that 03/04/2024 stays unread.
    temperature : float
        Temperature at the start, °C; NaN if the file does not say.
    statuses : dict of (int, int) to str
        Status of wells for which the file states it in a column of its own.
    faults : list of Problem
        What is wrong with the block; the plate's id is added when it is known.
    """

    plate_index: int
    read: str
    readings: list[Reading]
    locator: str
    name: str = ""
    barcode: str = ""
    sheet: str = ""
    mode: str = ""
    unit: str = ""
    wavelength_nm: str = ""
    instrument: str = ""
    software: str = ""
    registration: str = "labelled"
    blank_status: str = "missing"
    measured_at: str = ""
    date_order: str = ""
    temperature: float = float("nan")
    statuses: dict[tuple[int, int], str] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)
