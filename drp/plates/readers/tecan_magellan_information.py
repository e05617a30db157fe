"""What a Magellan export says of the run, in lines below the list of wells.

Only what is needed to tell measurements apart is taken; the person, paths, methods and serial
numbers stay where they are.
"""

import re
from dataclasses import dataclass, field

from drp.plates.pages import Page
from drp.plates.values import parse_number

_SIGNS = ("Date of measurement:", "Meas. temperature:", "Plate definition file:")
_DATE = re.compile(r"Date of measurement:\s*(.+?)\s*/\s*Time of measurement:\s*(.+)")
_TEMPERATURE = re.compile(r"Meas\. temperature:\s*(.+?)\s*:\s*(-?[0-9]+(?:[.,][0-9]+)?).*")
_NUMBER = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*nm")
_MODES = {"absor": "abs", "lumin": "lum", "fluor": "fluo"}
# The line after that of the user. Only known families are taken, so that no person ever is.
_MODEL = re.compile(
    r"(?:infinite|spark|sunrise|ultra|genios|safire|xfluor|polarion|rainbow|spectra)[\w .-]{0,20}",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Settings:
    """How one measurement was made: mode, wavelength in nm, unit; empty if not printed."""

    mode: str = ""
    wavelength: str = ""
    unit: str = ""


@dataclass(slots=True)
class Information:
    """What the lines below a list say.

    Attributes
    ----------
    lines : int
        How many there are; 0 if the file ends with the list.
    measured_at : str
        Date and time as printed.
    instrument : str
        Model of the reader.
    part : str
        Part of the plate that was measured.
    temperatures : dict of str to float
        Label of a measurement to °C, in the order printed.
    labels : list of str
        Labels named in other lines.
    settings : list of Settings
        One for each measurement, in the order printed.
    """

    lines: int = 0
    measured_at: str = ""
    instrument: str = ""
    part: str = ""
    temperatures: dict[str, float] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)

    def of(self, label: str, measured: int) -> Settings:
        """Give the settings of a measurement.

        Parameters
        ----------
        label : str
            Its label.
        measured : int
            How many measurements the list has. If they and the settings cannot be paired, only
            what all settings agree on is given.
        """
        labels = [*self.temperatures] or self.labels
        if label in labels and len(labels) == len(self.settings):
            return self.settings[labels.index(label)]
        if len(self.settings) == measured == 1:
            return self.settings[0]
        modes = {settings.mode for settings in self.settings}
        return Settings(mode=modes.pop() if len(modes) == 1 else "")


def is_information(page: Page) -> bool:
    """Say whether a page holds lines that Magellan prints below a list."""
    return any(cells[0].strip().startswith(_SIGNS) for cells in page.rows)


def read_information(page: Page, start: int) -> Information:
    """Read the lines below a list.

    Parameters
    ----------
    page : Page
        Rows of cells.
    start : int
        Index of the first row below the list.

    Examples
    --------
    >>> rows = [["Measurement mode: Absorbance"], ["Measurement wavelength: 595 nm"], ["Unit: OD"]]
    >>> read_information(Page(rows), 0).of("Raw data", 1)
    Settings(mode='abs', wavelength='595', unit='OD')
    """
    told = Information()
    for cells in page.rows[start:]:
        line = cells[0].strip()
        told.lines += bool(line)
        date, temperature = _DATE.fullmatch(line), _TEMPERATURE.fullmatch(line)
        if date and not told.measured_at:
            told.measured_at = f"{date.group(1)} {date.group(2)}"
        elif temperature:
            number = parse_number(temperature.group(2).replace(",", "."))
            told.temperatures.setdefault(
                temperature.group(1), float("nan") if number is None else number
            )
        elif _MODEL.fullmatch(line) and not told.instrument:
            told.instrument = line
        else:
            _read_setting(line, told)
    return told


def _read_setting(line: str, told: Information) -> None:
    key, _, value = (part.strip() for part in line.partition(":"))
    mode = _mode(value) if key == "Measurement mode" else "" if value else _mode(key)
    if mode or key == "Measurement mode":
        told.settings.append(Settings(mode))
    elif key == "Label":
        told.labels.append(value)
    elif key == "Range":
        told.part = told.part or value
    elif told.settings:
        last, number = told.settings[-1], _NUMBER.match(value)
        if key == "Unit" and not last.unit:
            last.unit = value
        elif number and key in ("Measurement wavelength", "Excitation wavelength"):
            last.wavelength = last.wavelength or number.group(1)
        elif number and key == "Emission wavelength" and "/" not in last.wavelength:
            last.wavelength = f"{last.wavelength}/{number.group(1)}".lstrip("/")


def _mode(text: str) -> str:
    return next((mode for word, mode in _MODES.items() if text.lower().startswith(word)), "")
