"""The blocks of values in a Kaleido export, each with its title and barcode, and their checks."""

from dataclasses import dataclass

from drp.plates.grid import Grid
from drp.plates.pages import Page
from drp.plates.readers.kaleido_information import (
    PLATEMAP,
    Footer,
    Information,
    read_information,
    read_sections,
)
from drp.problems import Place, Problem, Problems
from drp.wellnames import FORMATS, row_letters

_FIX = "Export the plate again."
_IMAGES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_NO_ENDPOINT = ("scan", "kinetic", "spectr")


@dataclass(slots=True)
class Data:
    """A grid with what goes with it.

    Attributes
    ----------
    grid : Grid
        The values.
    kind, title : str
        Of the part of the export it stands in, as `read_sections` gives them.
    information : Information or None
        The line with the barcode above it.
    settings : dict of str to str
        Those of the operation that measured it, as far as the footer names them.
    """

    grid: Grid
    kind: str
    title: str
    information: Information | None
    settings: dict[str, str]

    @property
    def calculated(self) -> bool:
        """Whether it is the result of an analysis."""
        return bool(self.information and self.information.analysis)

    @property
    def measured(self) -> bool:
        """Whether it holds measured values, and not a platemap or names of images."""
        return self.kind == "result" and not self.calculated and not self._is_images()

    @property
    def barcode(self) -> str:
        """As printed; perhaps a virtual one, made of the time."""
        return self.text("barcode")

    @property
    def repeat(self) -> str:
        """Number of the plate's repeat, as printed."""
        return self.text("repeat", "platerepeat")

    def _is_images(self) -> bool:
        texts = [reading.text.strip().lower() for reading in self.grid.readings()]
        return any(texts) and all(text.endswith(_IMAGES) for text in texts if text)

    def text(self, *names: str) -> str:
        """Give the first of some fields of the line with the barcode that is not empty."""
        return self.information.text(*names) if self.information else ""


def find_data(
    page: Page, grids: list[Grid], footer: Footer, file: str, found: Problems
) -> list[Data]:
    """Give every grid its title and its line with the barcode, which stand right above it.

    Parameters
    ----------
    page : Page
        Rows of cells.
    grids : list of Grid
        All grids of the page.
    footer : Footer
        Names the settings of operations.
    file : str
        Name of the file.
    found : Problems
        Takes grids without title or barcode.
    """
    sections = read_sections(page)
    data = []
    stop = 0
    for grid in grids:
        start, kind, title = next(
            (section for section in reversed(sections) if section[0] < grid.header), (0, "", "")
        )
        rows = range(max(start, stop), grid.header)
        lines = [line for row in rows if (line := read_information(page, row))]
        stop = grid.stop
        settings = footer.operations.get(title, {})
        entry = Data(grid, kind, title, lines[-1] if lines else None, settings)
        data.append(entry)
        if kind != PLATEMAP:
            _check_block(page, entry, len(lines), file, found)
    return data


def _check_block(page: Page, data: Data, n_lines: int, file: str, found: Problems) -> None:
    where = Place(file, page.line(data.grid.header))
    if data.kind not in ("result", "analysis"):
        text = "a grid stands below no title 'Result for …' and is no platemap"
        found.error("plate.unknown-block", where, text, _FIX)
    elif n_lines != 1:
        text = f"{n_lines} lines with a barcode stand above the grid of {data.title!r}, one is due"
        found.error("plate.bad-information", where, text, _FIX)
    elif data.kind == "analysis" and not data.calculated:
        text = f"{data.title!r} stands among results of an analysis but names no parameter of one"
        found.error("plate.unknown-block", where, text, _FIX)
    elif not data.repeat.isdigit():
        text = f"the repeat of {data.title!r} is {data.repeat!r}, not a number"
        found.error("plate.bad-information", where, text, _FIX)


def check_titles(page: Page, data: list[Data], file: str, found: Problems) -> None:
    """Check that below every title stand values."""
    rows = [row for row, kind, _ in read_sections(page) if kind == "result"]
    later = [row for row, _, _ in read_sections(page)] + [len(page.rows)]
    for row in rows:
        stop = min(other for other in later if other > row)
        if not any(row < d.grid.header < stop for d in data):
            text = f"no values stand below the title {page.rows[row][0].strip()!r}"
            found.error("plate.truncated", Place(file, page.line(row)), text, _FIX)


def is_whole(grid: Grid) -> bool:
    """Say whether a grid is that of a whole plate of a usual format."""
    return (max(grid.lines, default=0), grid.columns[-1]) in FORMATS.values() and not grid.faults


def block_faults(data: Data, measured: list[Data], maps: list[Grid], file: str) -> list[Problem]:
    """Find what is wrong with a measured block.

    Parameters
    ----------
    data : Data
        The block.
    measured : list of Data
        All measured blocks, to tell the loops of a kinetic.
    maps : list of Grid
        The platemaps, which show the whole plate.
    file : str
        Name of the file.
    """
    faults = [*data.grid.faults, *_width_faults(data.grid, file)]
    if not faults:
        faults += _part_faults(data.grid, maps, file)
    return [*faults, *_endpoint_faults(data, measured, file)]


def _width_faults(grid: Grid, file: str) -> list[Problem]:
    """Check that every row has as many fields as the header, so that no column can have moved."""
    found = Problems()
    due = len(grid.page.rows[grid.header])
    for row, index in grid.lines.items():
        n_fields = len(grid.page.rows[index])
        if n_fields != due and not grid.page.sheet:
            place = Place(file, grid.page.line(index), well=f"row {row_letters(row)}")
            text = f"the row has {n_fields} fields, its header has {due}"
            found.error("plate.wide-row", place, text, _FIX)
    return found.items


def _endpoint_faults(data: Data, measured: list[Data], file: str) -> list[Problem]:
    """Find out whether a block is one of a kinetic, a scan of the wells or a spectrum."""
    found = Problems()
    loops = {
        other.text("loopno", "loop")
        for other in measured
        if (other.title, other.barcode) == (data.title, data.barcode)
    }
    scan = data.text("wellscanx", "wellscany", "scanx", "scany")
    kind = data.settings.get("measurement mode", "")
    if len(loops) > 1 or scan or any(word in kind.lower() for word in _NO_ENDPOINT):
        what = f"{len(loops)} loops" if len(loops) > 1 else f"scan {scan}" if scan else kind
        text = f"{data.title!r} is no endpoint measurement: {what}"
        fix = "Only endpoint measurements can be read; export one reading per well."
        place = Place(file, data.grid.page.line(data.grid.header))
        found.error("plate.not-endpoint", place, text, fix)
    return found.items


def _part_faults(grid: Grid, maps: list[Grid], file: str) -> list[Problem]:
    """Say so where fewer rows or columns are printed than the plate has."""
    found = Problems()
    rows, columns = len(grid.lines), len(grid.columns)
    due = max(((len(m.lines), len(m.columns)) for m in maps), default=(0, 0))
    whole = is_whole(grid) if not maps else (rows >= due[0] and columns >= due[1])
    if not whole and rows:
        text = (
            f"{rows} rows of {columns} columns are printed, {row_letters(min(grid.lines))}"
            f"{grid.columns[0]} to {row_letters(max(grid.lines))}{grid.columns[-1]}"
        )
        if maps:
            text += f", the plate has {due[0]} of {due[1]}"
        where = Place(file, grid.page.line(grid.header))
        found.warning("plate.partial", where, text, "Check that no more wells were measured.")
    return found.items
