"""Write Kaleido exports (EnSight)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from drp.plates.writers.common import (
    Line,
    Signal,
    check_text,
    grid_lines,
    plate_shape,
    put_in_place,
)
from drp.wellnames import row_letters

Plates: TypeAlias = "Signal | Mapping[str, Signal] | Mapping[str, Mapping[str, Signal]]"

_NAMES = (
    *("Barcode", "Repeat", "Loop no", "Well scan x", "Well scan y", "Exc wl / filter", "Ems wl"),
    *("TRF Window", "Analysis Parameter", "Label-free Parameter"),
)
_RELEASES = {2: "Kaleido 2.0.3058.126", 3: "Kaleido 3.0.3067.117"}


def write_kaleido(
    path: str | Path,
    signal: Plates,
    *,
    release: int = 3,
    operation: str = "Luminescence 1",
    analysis: bool = False,
    measured_at: str = "2025-11-03 10:15:00",
    comment: str | None = None,
    separator: str = ",",
    decimal: str = ".",
    line_ending: str = "\r\n",
    encoding: str = "utf-8",
) -> None:
    """Write one plate or several as a Kaleido export.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    signal : array, or mapping of str to array, or mapping of str to mapping of str to array
        Signal of shape (rows, columns), row A first, NaN is written as ``NaN``; for several
        plates by their barcodes, for several operations by barcode and operation.
    release : {2, 3}
        Which of the arrangements to write.
    operation : str
        Name of the operation where `signal` does not name it.
    analysis : bool
        Add the result of an analysis, which is calculated, to each plate.
    measured_at : str
        As printed.
    comment : str, optional
        One line among the comments, which may hold separators and quotes.
    separator, decimal, line_ending, encoding : str
        Of the file. A decimal comma needs another separator.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.csv"
    >>> write_kaleido(path, {"P7": [[94395, 20]]})
    >>> lines = path.read_text().splitlines()
    >>> lines[lines.index("Result for Luminescence 1"):][2:6]
    ['P7,1,,,,,,,,,', '', ',1,2,', 'A,94395,20,']
    """
    if release not in _RELEASES:
        raise ValueError(f"release must be 2 or 3, found {release!r}")
    plates = signal if isinstance(signal, Mapping) else {f"V-{measured_at}": signal}
    reads = {
        barcode: dict(values) if isinstance(values, Mapping) else {operation: values}
        for barcode, values in plates.items()
    }
    for text in (*reads, *(name for plate in reads.values() for name in plate), measured_at):
        check_text(text, separator)
    parts = _release_2 if release == 2 else _release_3
    put_in_place(
        path,
        parts(reads, analysis, measured_at, comment or "Measurement started.", decimal),
        separator,
        line_ending,
        encoding,
    )


def _share(signal: Signal) -> list[list[float]]:
    """Calculate what an analysis could: per cent of the first well that is not zero."""
    whole = next((value for values in signal for value in values if value), 1.0)
    return [[round(100 * float(value) / whole, 2) for value in values] for values in signal]


def _release_3(
    reads: dict[str, dict[str, Signal]],
    analysis: bool,
    measured_at: str,
    comment: str,
    decimal: str,
) -> list[Line]:
    lines: list[Line] = ["EnSight Results from", ["Protocol Name", "simulated"]]
    lines += [["Measurement Date", measured_at], "", ""]
    for barcode, plate in reads.items():
        for name, signal in plate.items():
            blocks: list[tuple[str, Any]] = [("", signal)]
            blocks += [("Share of the first well", _share(signal))] if analysis else []
            for parameter, values in blocks:
                about = [barcode, "1", *[""] * 6, parameter, "", ""]
                lines += [f"Result for {name}", [*_NAMES, ""], about, ""]
                lines += [*_grid(values, decimal, trailing=True), "", ""]
    rows, columns = _largest(reads)
    for barcode in reads:
        lines += ["Measurement Information", ["Measurement Started", "", measured_at]]
        lines += [["Barcode", "", barcode], ""]
    lines += ["Instrument Information", ["Software Version", "", _RELEASES[3]], ""]
    lines += ["Plate Type Information", ["Plate Type Name", "", f"{rows * columns} General"]]
    # The software really gives them the wrong way round.
    lines += [["Number of Rows", "", str(columns)], ["Number of Columns", "", str(rows)], ""]
    lines += ["Platemap", *_platemap(rows, columns, trailing=True), "", ""]
    lines += ["Details of Measurement Sequence", ""]
    for name in dict.fromkeys(name for plate in reads.values() for name in plate):
        lines += [["Operation", "", "", name], ["Measurement Mode", "", "", "Single"], ""]
    lines += ["Post Processing Sequence", "", "Comments:", f"{measured_at},,,{comment}", ""]
    return [*lines, f"Exported with {_RELEASES[3]}", "", ""]


def _release_2(
    reads: dict[str, dict[str, Signal]],
    analysis: bool,
    measured_at: str,
    comment: str,
    decimal: str,
) -> list[Line]:
    lines: list[Line] = ["", ""]
    about = "Barcode: {}, PlateRepeat: 1, WellRepeat: 1"
    blocks = [(barcode, *block) for barcode, plate in reads.items() for block in plate.items()]
    for barcode, name, signal in blocks:
        lines += [f"Results for {name}", "", about.format(barcode)]
        lines += [*_grid(signal, decimal, trailing=False), ""]
    lines += ["Analysis Result  ", ""]
    for barcode, name, signal in blocks if analysis else []:
        parameter = f"{about.format(barcode)}, AnalysisParameter: Share of the first well"
        lines += [f"Results for Analysis ( {name} )", "", parameter, ""]
        lines += [*_grid(_share(signal), decimal, trailing=False), ""]
    rows, columns = _largest(reads)
    for barcode in reads:
        lines += ["Measurement Basic Information", ["Software version:", "", _RELEASES[2]], ""]
        lines += [["Measurement Started:", "", measured_at], ["Barcode:", "", barcode], ""]
    lines += ["Plate Type", ["Number of rows:", "", str(rows)]]
    lines += [["Number of columns:", "", str(columns)], "", "Platemap", "Plate"]
    lines += [*_platemap(rows, columns, trailing=False), "", "Operations:", "", "Measurements:", ""]
    for name in dict.fromkeys(name for plate in reads.values() for name in plate):
        lines += [["Meas", *[""] * 4], ["Tech", "", "", "", name]]
        lines += [["Measurement mode", "", "", "", "Single"], ""]
    lines += ["Analysis:", "", "Comments:", f"{measured_at},,,Notification,{comment}", ""]
    return [*lines, f"Exported with {_RELEASES[2]} and xslt version 2.0.0"]


def _grid(signal: Signal, decimal: str, *, trailing: bool) -> list[list[str]]:
    plate_shape(signal)
    return grid_lines(signal, trailing=trailing, blank="NaN", decimal=decimal)


def _largest(reads: dict[str, dict[str, Signal]]) -> tuple[int, int]:
    """Give rows and columns that hold every plate."""
    shapes = [plate_shape(signal) for plate in reads.values() for signal in plate.values()]
    return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


def _platemap(rows: int, columns: int, *, trailing: bool) -> list[Line]:
    end = [""] if trailing else []
    lines: list[Line] = [["", *map(str, range(1, columns + 1)), *end]]
    return [*lines, *([row_letters(row), *["-"] * columns, *end] for row in range(1, rows + 1))]
