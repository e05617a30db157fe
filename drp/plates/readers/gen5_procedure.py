"""The procedure in a Gen5 export: which reads were taken, of which wells, and what they are called.

Measured and calculated lines look alike in a matrix; only the ``Read`` steps of the procedure tell
them apart. A step without a label is called ``Read 1``, ``Read 2`` … in the order of the steps.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from drp.plates.pages import Page
from drp.wellnames import parse_well

Well = tuple[int, int]

_WAVELENGTH = r"[0-9]{3,4}(?:/[0-9]+)?"
_NAME = re.compile(rf"({_WAVELENGTH}(?:,{_WAVELENGTH})*|Lum|Alpha)(?: \[[^\]]*\])?")
_TYPE = re.compile(
    r"(?P<detection>(?:[A-Z][a-z]*[ -])*"
    r"(?:Absorbance|Fluorescence|Luminescence|Alpha|Polarization)) "
    r"(?P<type>Endpoint|Kinetic|Spectrum|Area Scan|Linear Scan|Well Scan)"
)
_EXCITATION = re.compile(r"Excitation:\s*([^,]+?)\s*,\s*Emission:\s*([^,]+?)\s*(?:,|$)")
_EMISSION = re.compile(r"Emission:\s*([^,]+?)\s*(?:,|$)")
_REFERENCES = re.compile(r"Pathlength Correction:\s*([0-9]+)\s*/\s*([0-9]+)")
_PART = re.compile(r"[A-Z]{1,2}[0-9]{1,2}(?:\.\.[A-Z]{1,2}[0-9]{1,2})?")
_MODES = {"absorbance": "abs", "fluorescence": "fluo", "luminescence": "lum", "alpha": "lum"}


class Measurement(NamedTuple):
    """What a label of a matrix means: step, name of the read, mode, wavelength or ``ex/em``."""

    step: "Step"
    name: str
    mode: str
    wavelength_nm: str


@dataclass(slots=True)
class Step:
    """A ``Read`` step.

    Attributes
    ----------
    name : str
        Its label, or ``Read 2`` for the second step if it has none.
    mode : str
        ``abs``, ``fluo``, ``lum``, or empty if the procedure does not say.
    names : list of str
        What its reads are called after the colon: ``450``, ``360/40,460/40``, ``Lum``.
    wells : frozenset of (int, int), optional
        The wells it reads; None for the full plate or if the procedure does not say.
    """

    name: str
    mode: str = ""
    names: list[str] = field(default_factory=list)
    wells: frozenset[Well] | None = None

    def has(self, name: str) -> bool:
        """Say whether a read of this name belongs to the step; band widths may be left out."""
        return _centres(name) in map(_centres, self.names)

    def missing(self, printed: list[str]) -> list[str]:
        """Give the reads of the step that are not among those printed.

        Examples
        --------
        >>> Step("OD", "abs", ["450", "630"]).missing(["450"])
        ['630']
        """
        have = set(map(_centres, printed))
        return [name for name in dict.fromkeys(self.names) if _centres(name) not in have]


@dataclass(slots=True)
class Procedure:
    """What the procedure of one plate says.

    Attributes
    ----------
    steps : list of Step
        In the order of the procedure.
    plate_type : str
        As printed, such as ``96 WELL PLATE``.
    runtime : bool
        Whether the wells were chosen when the plate was read, so that blank wells were not read.
    not_endpoint : tuple of int and str, optional
        Row on the page and text of what is more than one value per well.
    """

    steps: list[Step] = field(default_factory=list)
    plate_type: str = ""
    runtime: bool = False
    not_endpoint: tuple[int, str] | None = None

    def find(self, label: str) -> Measurement | None:
        """Find the measurement of a label, or None if no step measured it.

        Examples
        --------
        >>> procedure = Procedure([Step("DAPI", "fluo", ["360/40,460/40"])])
        >>> procedure.find("DAPI:360/40,460/40").wavelength_nm
        '360/460'
        >>> procedure.find("normDAPI"), procedure.find("DAPI:485,528")
        (None, None)
        """
        for step in self.steps:
            name = label.removeprefix(f"{step.name}:")
            if name != label:
                known = not (step.names and _NAME.fullmatch(name)) or step.has(name)
                return _measurement(step, name) if known else None
        for step in self.steps:
            if _NAME.fullmatch(label) and step.has(label):
                return _measurement(step, label)
        return None

    def is_unclear(self, label: str) -> bool:
        """Say whether a label looks like that of a measurement, and yet no step has it.

        Examples
        --------
        >>> procedure = Procedure([Step("abs", "abs", ["450"])])
        >>> [procedure.is_unclear(label) for label in ("abs:460", "630", "Blank abs:450", "Ratio")]
        [True, True, False, False]
        """
        name = label.rpartition(":")[2]
        derived = any(label.find(f"{step.name}:") > 0 for step in self.steps)
        return bool(_NAME.fullmatch(name)) and not derived and self.find(label) is None


def read_procedure(page: Page, rows: range) -> Procedure:
    """Read the procedure of one plate.

    Parameters
    ----------
    page : Page
        Rows of cells.
    rows : range
        The rows of the page that belong to the plate.

    Examples
    --------
    >>> lines = [["Read", "OD"], ["", "Absorbance Endpoint"], ["", "B2..C4"]]
    >>> page = Page([*lines, ["", "Wavelengths:  600"]])
    >>> step = read_procedure(page, range(4)).steps[0]
    >>> step.name, step.mode, step.names, len(step.wells)
    ('OD', 'abs', ['600'], 6)
    """
    procedure = Procedure()
    step: Step | None = None
    for row in rows:
        cells = [cell.strip() for cell in page.rows[row]]
        first, second = cells[0], cells[1] if len(cells) > 1 else ""
        if first == "Start Kinetic":
            procedure.not_endpoint = procedure.not_endpoint or (row, f"{first} {second}".strip())
        elif first == "Plate Type":
            procedure.plate_type = procedure.plate_type or second
        elif first == "Well Selection":
            procedure.runtime = procedure.runtime or second == "Runtime"
        if first == "Read":
            unnamed = _TYPE.fullmatch(second) is not None or not second
            number = len(procedure.steps) + 1
            step = Step(f"Read {number}" if unnamed else second)
            procedure.steps.append(step)
        if first or not second:
            step = step if first == "Read" else None
        if step is not None:
            _read_setting(second, step, procedure, row)
    for step in procedure.steps:
        _complete(step)
    return procedure


def _read_setting(text: str, step: Step, procedure: Procedure, row: int) -> None:
    kind = _TYPE.fullmatch(text)
    excitation, emission = _EXCITATION.search(text), _EMISSION.search(text)
    references = _REFERENCES.search(text)
    if kind:
        words = kind["detection"].lower()
        step.mode = next((mode for word, mode in _MODES.items() if word in words), "")
        if kind["type"] != "Endpoint":
            procedure.not_endpoint = procedure.not_endpoint or (row, text)
        if words == "alpha":
            step.names.append("Alpha")
    elif text.startswith("Wavelengths:"):
        step.names += [part.strip() for part in text.partition(":")[2].split(",")]
    elif references:
        step.names += [*references.groups()]
    elif excitation:
        step.names.append(",".join(excitation.groups()))
    elif emission:
        # Light that passes no filter has no wavelength: 'Full light', 'Hole'.
        step.names.append(emission[1] if _NAME.fullmatch(emission[1]) else "Lum")
    elif _is_part(text):
        step.wells = (step.wells or frozenset()) | _wells(text)


def _complete(step: Step) -> None:
    if step.mode == "lum" and not step.names:
        step.names.append("Lum")


def _measurement(step: Step, name: str) -> Measurement:
    if not _NAME.fullmatch(name):
        return Measurement(step, name, "", "")  # such as the path length, which is no absorbance
    centres = [centre for centre in _centres(name) if centre.isdigit()]
    return Measurement(step, name, step.mode, "/".join(centres))


def _centres(name: str) -> tuple[str, ...]:
    """Give the wavelengths without band widths and without what stands in brackets."""
    plain = name.partition(" [")[0]
    return tuple(part.strip().partition("/")[0] for part in plain.split(","))


def _is_part(text: str) -> bool:
    parts = re.split(r"[,;]\s*|\s+", text)
    return all(_PART.fullmatch(part) for part in parts) and ".." in text


def _wells(text: str) -> frozenset[Well]:
    """Give the wells of a part of plate, each range the rectangle between its two corners."""
    wells: set[Well] = set()
    for part in re.split(r"[,;]\s*|\s+", text):
        corners = [parse_well(corner) for corner in part.split("..")]
        first, last = corners[0], corners[-1]
        if first and last:
            wells |= {
                (row, column)
                for row in range(first[0], last[0] + 1)
                for column in range(first[1], last[1] + 1)
            }
    return frozenset(wells)
