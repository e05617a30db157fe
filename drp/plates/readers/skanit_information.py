"""What stands around the grids of a SkanIt export: steps, wavelengths, plates, the instrument.

Session, person, notes and serial number stay where they are.
"""

import re
from dataclasses import dataclass

from drp.plates.grid import Grid
from drp.plates.pages import Page
from drp.plates.values import looks_like_number

TITLE = "Measurement results"

_MODES = (
    ("lum", re.compile(r"luminescence|lumi\b", re.IGNORECASE)),
    ("abs", re.compile(r"absorbance|photometric|photometry", re.IGNORECASE)),
    ("fluo", re.compile(r"(?:time.resolved )?fluorescence|fluorometric|TRF", re.IGNORECASE)),
)
_CALCULATED = re.compile(
    r"subtract|standard curve|curve fit|average|normali[sz]|ratio|precalc|cut.?off|qualitative"
    r"|statistic|user.defined|interpolat|kinetic rate|z.prime|transformation|pathlength|calculat",
    re.IGNORECASE,
)
_UNITS = {"rlu": "lum", "rfu": "fluo", "abs": "abs", "od": "abs", "cps": "", "counts": ""}
_LAYOUTS = ("sample", "group", "name", "layout", "dilution", "concentration")
_COURSE = re.compile(
    r"^(?:reading|cycle) ?[0-9]|\bkinetic\b|\bspectr|avg\. ?time|^time ?\[|^wavelengths? ?\[nm",
    re.IGNORECASE,
)
_WAVELENGTH = re.compile(r"(?:wavelength|excitation|emission|filter)s? ?:", re.IGNORECASE)
_NANOMETRES = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*nm")
_MOMENT = re.compile(
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}[ T]+[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2})?"
    r"(?:\.[0-9]+)?(?: ?[AaPp]\.?[Mm]\.?)?"
)
_MODEL = re.compile(r"(?:Varioskan|Multiskan|Fluoroskan|Luminoskan)[A-Za-z0-9 ]{0,20}")
_SOFTWARE = re.compile(r"SkanIt Software .*?ver\. ?([0-9]+(?:\.[0-9]+)*)")
_NOTE = re.compile(r"[A-Za-z][A-Za-z ]+: *\S.*")
_COUNTER = re.compile(r"_[0-9]{2}$")


@dataclass(frozen=True, slots=True)
class Context:
    """What stands between a grid and the one before it, as printed; empty where nothing does.

    `stray` is a line of which it cannot be said what it is.
    """

    step: str = ""
    wavelength: str = ""
    plate: str = ""
    stray: str = ""

    def over(self, above: "Context") -> "Context":
        """Give these lines, and those `above` where there is none of the kind."""
        return Context(
            self.step or above.step,
            self.wavelength or above.wavelength,
            self.plate or above.plate,
            self.stray or above.stray,
        )


def read_context(page: Page, start: int, stop: int) -> Context:
    """Read the lines above a grid.

    The plate may have any name, so it is the line directly above the grid, unless that says
    something else. The step stands above the wavelength.

    Parameters
    ----------
    page : Page
        Rows of cells.
    start, stop : int
        Index of the first row, and of the header of the grid.

    Examples
    --------
    >>> page = Page([["Luminescence 1"], ["Wavelength: 0 nm"], [" "], ["Plate 1"], [" "]])
    >>> read_context(page, 0, 5)
    Context(step='Luminescence 1', wavelength='Wavelength: 0 nm', plate='Plate 1', stray='')
    """
    lines = _lines(page, start, stop)
    plate = ""
    if lines and not (_WAVELENGTH.match(lines[-1]) or mode_of(lines[-1])):
        plate = lines.pop()
    waves = [line for line in lines if _WAVELENGTH.match(line)]
    steps = [line for line in lines if mode_of(line) or is_calculation(line)]
    strays = [line for line in lines if line not in waves and line not in steps]
    if strays and not start and not steps and lines.index(strays[0]) == 0:
        steps = [strays.pop(0)]  # a step may have been given another name
    return Context((steps or [""])[-1], ", ".join(waves), plate, (strays or [""])[0])


def _lines(page: Page, start: int, stop: int) -> list[str]:
    """Give the lines of text in some rows, without title, session and date of the sheet."""
    lines: list[str] = []
    for row in range(start, stop):
        text = " ".join(cell.strip() for cell in page.rows[row] if cell.strip())
        if _MOMENT.fullmatch(text):
            lines = []  # the session, which may have any name, stands above the date
        elif text and text != TITLE and not _is_note(text):
            lines.append(text)
    return lines


def _is_note(text: str) -> bool:
    """Say whether a line is of no use: the name of the session, a setting with a colon."""
    if text.lower().endswith(".skax"):
        return True
    return _NOTE.fullmatch(text) is not None and not _WAVELENGTH.match(text)


def find_course(page: Page, grids: list[Grid]) -> str:
    """Give the first text that says that a sheet holds a kinetic or a spectrum; else nothing."""
    start = 0
    for grid in grids:
        found = next((ln for ln in _lines(page, start, grid.header) if _COURSE.search(ln)), "")
        if found:
            return found
        start = grid.stop
    lines = _lines(page, start, len(page.rows))
    return next((line[:60] for line in lines if _COURSE.search(line)), "")


def sheet_step(page: Page) -> str:
    """Give the step a sheet is named after: ``Luminescence 1_01`` is of ``Luminescence 1``."""
    return _COUNTER.sub("", page.sheet.strip())


def mode_of(step: str) -> str:
    """Give the mode of a measuring step; empty if it is none.

    Examples
    --------
    >>> mode_of("Absorbance 2"), mode_of("Blank Subtraction 1"), mode_of("Plate 1")
    ('abs', '', '')
    """
    return next((mode for mode, pattern in _MODES if pattern.match(step)), "")


def is_calculation(step: str) -> bool:
    """Say whether a step computes values instead of measuring them.

    Examples
    --------
    >>> is_calculation("Blank Subtraction 1"), is_calculation("Luminescence 1")
    (True, False)
    """
    return not mode_of(step) and _CALCULATED.search(step) is not None


def grid_kind(grid: Grid) -> str:
    """Tell by corner and cells whether a grid is ``measured``, a ``layout`` or ``unknown``.

    The corner of a measured grid is its unit. Words of other languages, as for ``Sample``, are no
    unit; a grid under them is a layout if none of its cells is a number.
    """
    corner = grid.corner.lower()
    if corner in _UNITS:
        return "measured"
    numbers = any(looks_like_number(reading.text) for reading in grid.readings())
    return "unknown" if numbers and not corner.startswith(_LAYOUTS) else "layout"


def unit_mode(unit: str) -> str:
    """Give the mode that a unit stands for; empty if it may be any."""
    return _UNITS.get(unit.lower(), "")


def nanometres(line: str) -> str:
    """Give the wavelengths in a line, as ``485/535``; empty for none or 0.

    Examples
    --------
    >>> nanometres("Wavelength: 450 nm"), nanometres("Wavelength: 0 nm")
    ('450', '')
    >>> nanometres("Excitation: 485 nm, Emission: 535 nm")
    '485/535'
    """
    return "/".join(value for value in _NANOMETRES.findall(line) if value.strip("0.,"))


def read_moment(page: Page) -> str:
    """Give date and time at the top of a sheet, as printed; empty if they are not there."""
    for cells in page.rows[:6]:
        if cells and _MOMENT.fullmatch(cells[0].strip()):
            return cells[0].strip()
    return ""


def read_device(pages: list[Page]) -> tuple[str, str]:
    """Give the model of the reader and the software with its version; empty if not stated.

    Examples
    --------
    >>> read_device([Page([["", "Name", "", "", "Varioskan LUX"]], "Instrument information")])
    ('Varioskan LUX', '')
    """
    model = software = ""
    for page in pages:
        if page.sheet.strip() not in ("Instrument information", "General information"):
            continue
        for cells in page.rows:
            for cell in cells:
                release = _SOFTWARE.search(cell)
                if release and not software:
                    software = f"SkanIt Software {release.group(1)}"
                if _MODEL.fullmatch(cell.strip()) and not model:
                    model = cell.strip()
    return model, software
