"""Titles and header lines in exports of BMG LABTECH readers, text or workbook.

Above the values stand lines such as ``Test name: …``, ``ID1: …`` and the kind of measurement; each
block of values has a title. User, path and the text of notes stay where they are.
"""

import re
from dataclasses import dataclass

from drp.plates.pages import Page

_NUMBERED = re.compile(r"(?:([0-9]{1,2})\.\s*)?(.*)", re.DOTALL)
_MEASURED = re.compile(r"Raw Data(?: ?\(.*\))?")
_WAVELENGTH = re.compile(r"[0-9]{3,4}(?:-[0-9]+)?(?: ?/ ?[0-9]{3,4}(?:-[0-9]+)?)?")
_COURSE = re.compile(r"spectrum|spectra|\bcycles?\b|kinetic|well scan", re.IGNORECASE)
_MODES = (
    ("lum", re.compile(r"luminescence\b", re.IGNORECASE)),
    ("abs", re.compile(r"absorbance\b", re.IGNORECASE)),
    ("fluo", re.compile(r"(?:time.resolved )?fluorescence\b", re.IGNORECASE)),
    ("", re.compile(r"alpha|nephelometry|turbidimetry", re.IGNORECASE)),
)
_CALCULATED = (
    "Blank corrected",
    "Average",
    "Standard deviation",
    "Standard error",
    "%CV",
    "Difference",
    "Ratio",
    "Sum of",
    "Normalized",
    "Normalised",
    "Polarization",
    "Anisotropy",
    "Linear regression",
    "Minimum",
    "Maximum",
    "Range",
    "Slope",
)
_LAYOUT = (
    "Layout",
    "Content",
    "Group",
    "Sample ID",
    "Standard Concentration",
    "Concentration",
    "Dilution",
)
_DATE = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}")
_TIME = re.compile(r"[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2})?(?: ?[AaPp]\.?[Mm]\.?)?")
_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Title:
    """The title of a block of values.

    Attributes
    ----------
    text : str
        Without the number in front of it and without doubled blanks.
    number : int
        The number in front of it, 0 if there is none.
    kind : {"measured", "calculated", "layout", "course", "damaged", "unknown"}
        ``course`` is a spectrum, a kinetic or a scan of wells; ``damaged`` seems to have been the
        title of a measured block; ``unknown`` may be a calculation the user has named.
    """

    text: str
    number: int
    kind: str

    @property
    def wavelength_nm(self) -> str:
        """Filters of a measured block as printed, ``580/620``; empty for ``No filter``."""
        match = _WAVELENGTH.search(self.text)
        return match.group(0).replace(" ", "") if match else ""


@dataclass(frozen=True, slots=True)
class Header:
    """What the lines above the values say.

    Attributes
    ----------
    mode : str
        ``lum``, ``fluo``, ``abs`` or empty.
    course : str
        The line that says that this is no endpoint measurement; empty if none does.
    barcode : str
        ``ID1``, if it is a plain id with a digit and no date; else empty, since people write
        anything there.
    measured_at : str
        Date and time as printed. Their style is that of the computer.
    """

    mode: str = ""
    course: str = ""
    barcode: str = ""
    measured_at: str = ""


def read_title(text: str) -> Title:
    """Tell what a block holds by its title.

    Parameters
    ----------
    text : str
        The cell as printed.

    Examples
    --------
    >>> read_title("4. Raw Data (480-14/520-30)")
    Title(text='Raw Data (480-14/520-30)', number=4, kind='measured')
    >>> read_title(" Blank corrected based on Raw Data (450)").kind
    'calculated'
    >>> read_title("Raw Data (Abs Spectrum)").kind, read_title("aw Data (450)").kind
    ('course', 'damaged')
    >>> read_title("Raw Data (450 1)").wavelength_nm
    '450'
    """
    match = _NUMBERED.fullmatch(text.strip())
    number, rest = match.groups() if match else (None, text)
    plain = " ".join(rest.split())
    return Title(plain, int(number or 0), _kind(plain))


def _kind(text: str) -> str:
    if _COURSE.search(text):
        return "course"
    if _MEASURED.fullmatch(text):
        return "measured"
    if " based on " in text or text.startswith(_CALCULATED):
        return "calculated"
    if text.startswith(_LAYOUT):
        return "layout"
    lower = text.lower()
    seems = "raw" in lower or "data" in lower or re.search(r"\( *[0-9]{3}|filter", lower)
    return "damaged" if seems else "unknown"


def is_marker(text: str) -> str:
    """Give the name of the header line that a cell belongs to, or an empty text.

    Examples
    --------
    >>> is_marker("Test Name: viability"), is_marker("ID1: 472-0016"), is_marker("Name: x")
    ('test', 'id', '')
    """
    lower = text.strip().lower()
    if lower.startswith(("test name:", "test run no", "test id:")):
        return "test"
    if lower.startswith(("user:", "path:")):
        return "user"
    return "id" if lower.startswith(("id1:", "id2:", "id3:")) else ""


def read_header(page: Page, start: int, stop: int) -> Header:
    """Read the lines above the values of one plate.

    Parameters
    ----------
    page : Page
        Rows of cells.
    start, stop : int
        Index of the first row, and of the first row after them.

    Examples
    --------
    >>> page = Page([["Test name: CTG", "Date: 10/16/2024", "Time: 3:09:52 PM"],
    ...              ["ID1: P17", "ID2:"], ["Luminescence", ""]])
    >>> read_header(page, 0, 3)
    Header(mode='lum', course='', barcode='P17', measured_at='10/16/2024 3:09:52 PM')
    """
    stated: dict[str, str] = {}
    mode, course = "", ""
    for cells in page.rows[start:stop]:
        for cell in cells:
            name, colon, value = cell.strip().partition(":")
            if colon:
                stated.setdefault(name.lower(), value.strip())
        first = next((cell.strip() for cell in cells if cell.strip()), "")
        if ":" not in first:
            found = [name for name, pattern in _MODES if pattern.match(first)]
            mode = mode or "".join(found)
            if found and _COURSE.search(" ".join(cells)):
                course = course or first
    date, time = stated.get("date", ""), stated.get("time", "")
    moment = [date if _DATE.fullmatch(date) else "", time if _TIME.fullmatch(time) else ""]
    return Header(
        mode,
        course,
        plain_id(stated.get("id1", "")),
        " ".join(part for part in moment if part) if moment[0] else "",
    )


def plain_id(text: str) -> str:
    """Give an id that can be a barcode: plain, with a digit, no date; else an empty text.

    Examples
    --------
    >>> plain_id("92A_4"), plain_id("black 384w"), plain_id("Schmidt"), plain_id("2012-05-03")
    ('92A_4', '', '', '')
    """
    text = text.strip()
    return text if _ID.fullmatch(text) and not _DATE.fullmatch(text.replace("_", "-")) else ""
