"""The tables of plate information and the protocol in an EnVision export.

Only what is needed to tell plates apart and to check the blocks is taken; operator, paths and
notes stay where they are. Values are found by the names of their columns, because releases differ.
"""

import re
from dataclasses import dataclass

from drp.plates.pages import Page
from drp.plates.values import parse_number
from drp.problems import Place, Problems

TITLE = "Plate information"

_END = "Exported with EnVision"
_UNWRAP = re.compile(r'="(.*)"')
_TEMPERATURES = ("chamber temperature at start", "inside temperature at start")


@dataclass(frozen=True, slots=True)
class Information:
    """One table of plate information.

    Attributes
    ----------
    row : int
        Index of its title on the page.
    plate, repeat, barcode : str
        Order of the plate in the run, repeat of its measurement, barcode; as printed.
    label, formula : str
        The measurement of a measured block, the formula of a calculated one.
    measinfo : str
        Detector and filters, such as ``De=USLum Ex=N/A Em=N/A``.
    measured_at : str
        As printed.
    temperature : float
        °C, NaN if not printed.
    """

    row: int
    plate: str = ""
    repeat: str = ""
    barcode: str = ""
    label: str = ""
    formula: str = ""
    measinfo: str = ""
    measured_at: str = ""
    temperature: float = float("nan")

    @property
    def mode(self) -> str:
        """``lum``, ``abs`` or ``fluo`` by detector and filters; empty if they do not say."""
        detector = self.detector.lower()
        if "lum" in detector or detector == "abs":
            return "lum" if "lum" in detector else "abs"
        if self._parts.get("Ex", "N/A") == "N/A":
            return ""
        return "abs" if self._parts.get("Em", "N/A") == "N/A" else "fluo"

    @property
    def detector(self) -> str:
        """Detector, with the window of a sequence: ``USLum``, ``1st``, ``2nd window 1``."""
        window = self._parts.get("Wdw", "N/A")
        named = self._parts.get("De", "")
        return named if window == "N/A" or not named else f"{named} window {window}"

    @property
    def _parts(self) -> dict[str, str]:
        return {
            name: value
            for name, _, value in (part.partition("=") for part in self.measinfo.split())
            if value
        }


@dataclass(frozen=True, slots=True)
class Protocol:
    """What the protocol section says; None, False and empty where it says nothing."""

    rows: int | None = None
    columns: int | None = None
    rotated: int | None = None
    information_last: bool | None = None
    complete: bool = False
    software: str = ""


def read_information(page: Page, file: str, found: Problems) -> list[Information]:
    """Read every table of plate information on a page, in order.

    Parameters
    ----------
    page : Page
        Rows of cells.
    file : str
        Name of the file.
    found : Problems
        Takes tables that are cut off.
    """
    tables = []
    for row, cells in enumerate(page.rows):
        if cells[0].strip() != TITLE:
            if _begins_table(cells) and page.rows[row - 1][0].strip() != TITLE:
                text = f"a table of plate information has no title {TITLE!r}"
                where = Place(file, page.line(row))
                found.error("plate.bad-information", where, text, "Export the plate again.")
            continue
        names = [cell.strip().lower() for cell in _row(page, row + 1)]
        values = [_plain(cell) for cell in _row(page, row + 2)]
        if names[:1] != ["plate"] or not (values and values[0]):
            where = Place(file, page.line(row))
            text = "a table of plate information is not complete"
            found.error("plate.bad-information", where, text, "Export the plate again.")
            continue
        by_name = dict(zip(names, values, strict=False))
        temperature = next((by_name[name] for name in _TEMPERATURES if name in by_name), "")
        number = parse_number(temperature, "," if "," in temperature else ".")
        tables.append(
            Information(
                row,
                temperature=float("nan") if number is None else number,
                measured_at=by_name.get("measurement date", ""),
                **{
                    name: by_name.get(name, "")
                    for name in ("plate", "repeat", "barcode", "label", "formula", "measinfo")
                },
            )
        )
    return tables


def read_protocol(page: Page) -> Protocol:
    """Read plate type, rotation and the place of plate information from the protocol.

    Parameters
    ----------
    page : Page
        Rows of cells.

    Examples
    --------
    >>> read_protocol(Page([["Number of rows", "", "", "", "16"]])).rows
    16
    """
    stated: dict[str, tuple[int, str]] = {}
    software = ""
    for row, cells in enumerate(page.rows):
        name = cells[0].strip()
        if name.startswith(_END):
            software = name.removeprefix("Exported with ").strip()
        value = next((cell.strip() for cell in cells[1:] if cell.strip()), "")
        if value:
            stated.setdefault(name, (row, value))
    row, rotated = stated.get("Rotated plate", (0, "No"))
    _, place = stated.get("Place plate information at", (0, ""))
    return Protocol(
        rows=_count(stated.get("Number of rows")),
        columns=_count(stated.get("Number of columns")),
        rotated=None if rotated == "No" else row,
        information_last=place.startswith("End") if place else None,
        complete=bool(software),
        software=software,
    )


def _begins_table(cells: list[str]) -> bool:
    return [cell.strip().lower() for cell in cells[:2]] == ["plate", "repeat"]


def _row(page: Page, index: int) -> list[str]:
    return page.rows[index] if index < len(page.rows) else []


def _plain(cell: str) -> str:
    """Take a text out of the wrapping that keeps Excel from changing it: ``="1051017"``."""
    wrapped = _UNWRAP.fullmatch(cell.strip())
    return (wrapped.group(1) if wrapped else cell).strip()


def _count(stated: tuple[int, str] | None) -> int | None:
    return int(stated[1]) if stated and stated[1].isascii() and stated[1].isdigit() else None
