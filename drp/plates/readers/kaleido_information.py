"""What a Kaleido export says about its blocks of values: titles, barcodes, operations, footer.

Releases arrange these differently, so everything is found by its name. Only what is needed to tell
blocks apart and to check them is taken; owners, paths, serial numbers and comments are not.
"""

import re
from dataclasses import dataclass, field

from drp.plates.pages import Page

TITLE = re.compile(r"Results? for (.+)")
EXPORTED = "Exported with Kaleido"
PLATEMAP = "platemap"

_ANALYSIS = "Analysis Result"
_RESULTS_FROM = re.compile(r"(\S+) Results from\b.*")
_FOOTERS = frozenset(
    {
        "analysis",
        "comments",
        "details of measurement sequence",
        "instrument information",
        "measurement basic information",
        "measurement information",
        "measurement sequence",
        "measurements",
        "operations",
        "plate type",
        "plate type information",
        "post processing sequence",
        "protocol information",
    }
)
_SPACES = re.compile(r"[\s_]+")


@dataclass(frozen=True, slots=True)
class Information:
    """The line that goes with a block of values.

    Attributes
    ----------
    row : int
        Index of the line on the page.
    fields : dict of str to str
        What it says, by names without blanks in lower case: ``barcode``, ``repeat`` …
    """

    row: int
    fields: dict[str, str]

    def text(self, *names: str) -> str:
        """Give the first of some fields that is not empty."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")

    @property
    def barcode(self) -> str:
        """As printed."""
        return self.text("barcode")

    @property
    def repeat(self) -> str:
        """Number of the plate's repeat, as printed."""
        return self.text("repeat", "platerepeat")

    @property
    def analysis(self) -> str:
        """Parameter of an analysis; empty for a measurement."""
        return self.text("analysisparameter")


@dataclass(slots=True)
class Footer:
    """What stands around the blocks.

    Attributes
    ----------
    instrument, software : str
        Model and software with version.
    started : dict of str to str
        Barcode to the time of measurement, as printed.
    measured_at : str
        The first time of measurement, for plates whose barcode the footer does not name.
    operations : dict of str to dict
        Name of an operation to its settings, by names in lower case.
    present, complete : bool
        Whether there is a footer, and whether it is there to its end.
    """

    instrument: str = ""
    software: str = ""
    started: dict[str, str] = field(default_factory=dict)
    measured_at: str = ""
    operations: dict[str, dict[str, str]] = field(default_factory=dict)
    present: bool = False
    complete: bool = False


def is_kaleido(page: Page) -> bool:
    """Say whether a page is of a Kaleido export, whatever may be wrong with it."""
    titled = False
    for row, cells in enumerate(page.rows):
        first = cells[0].strip()
        if first.startswith(EXPORTED) or _RESULTS_FROM.fullmatch(first):
            return True
        if first.lower().startswith("software version") and "Kaleido" in "".join(cells):
            return True
        if titled and read_information(page, row):
            return True
        titled = titled or TITLE.fullmatch(first) is not None
    return False


def read_information(page: Page, row: int) -> Information | None:
    """Read the line with the barcode that goes with a block; None if here stands none.

    Examples
    --------
    >>> page = Page([["Barcode", "Repeat", "Loop no"], ["P7", "1", ""]])
    >>> read_information(page, 0).barcode
    'P7'
    >>> page = Page([["Barcode: V-2024-01-31 09:15:00", " PlateRepeat: 2", " WellRepeat: 1"]])
    >>> read_information(page, 0).fields
    {'barcode': 'V-2024-01-31 09:15:00', 'platerepeat': '2', 'wellrepeat': '1'}
    """
    if not page.rows[row][0].strip().lower().startswith("barcode"):
        return None
    cells = [cell.strip() for cell in page.rows[row]]
    if [cell.lower() for cell in cells[:2]] == ["barcode", "repeat"]:
        values = page.rows[row + 1] if row + 1 < len(page.rows) else []
        pairs = zip(map(plain, cells), (value.strip() for value in values), strict=False)
        return Information(row, {name: value for name, value in pairs if name})
    if not cells[0].startswith("Barcode:") or "PlateRepeat" not in ",".join(cells):
        return None
    parts = (part.partition(":") for part in ",".join(cells).split(","))
    return Information(row, {plain(name): value.strip() for name, _, value in parts if name})


def read_footer(page: Page) -> Footer:
    """Read what a page says apart from its blocks.

    Examples
    --------
    >>> rows = [["Operation", "", "", "ABS 1"], ["Excitation Wavelength [nm]", "", "", "450"]]
    >>> read_footer(Page(rows)).operations
    {'ABS 1': {'excitation wavelength [nm]': '450'}}
    """
    footer = Footer()
    operation: dict[str, str] = {}
    started = date = ""
    for cells in page.rows:
        first = cells[0].strip()
        name = first.rstrip(": ").lower()
        value = next((cell.strip() for cell in cells[1:] if cell.strip()), "")
        begins = _RESULTS_FROM.fullmatch(first)
        if begins:
            footer.instrument = begins.group(1)
        elif first.startswith(EXPORTED):
            footer.complete = True
            footer.software = (
                footer.software or first.removeprefix("Exported with ").split(" and")[0]
            )
        elif name in ("operation", "tech"):
            operation = footer.operations.setdefault(value, {})
        elif name == "software version":
            footer.software = value
        elif name == "measurement date":
            date = date or value
        elif name == "measurement started":
            started = value
            footer.measured_at = footer.measured_at or value
        elif name == "barcode" and value and started:
            footer.started[value] = started
        elif name in _FOOTERS:
            footer.present = True
            operation = {}
        elif value:
            operation.setdefault(name, value)
    footer.measured_at = footer.measured_at or date
    return footer


def read_sections(page: Page) -> list[tuple[int, str, str]]:
    """Find the lines that begin a part of the export.

    Returns
    -------
    list of (row, kind, title)
        Kind is ``result``, ``analysis``, ``platemap`` or ``footer``; an analysis is calculated.
        The title is that of a result.
    """
    sections = []
    analysis = False
    for row, cells in enumerate(page.rows):
        first = cells[0].strip()
        name = first.rstrip(": ").lower()
        title = TITLE.fullmatch(first)
        if title:
            sections.append((row, "analysis" if analysis else "result", title.group(1)))
        elif first.startswith(_ANALYSIS):
            analysis = True
        elif name == PLATEMAP:
            sections.append((row, PLATEMAP, ""))
        elif name in _FOOTERS or _RESULTS_FROM.fullmatch(first):
            analysis = False
            sections.append((row, "footer", ""))
    return sections


def plain(name: str) -> str:
    """Bring a name to its plain form.

    >>> plain("Loop no"), plain(" AnalysisParameter")
    ('loopno', 'analysisparameter')
    """
    return _SPACES.sub("", name).lower()
