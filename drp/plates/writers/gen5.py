"""Write Gen5 text exports."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from drp.plates.writers.common import (
    Line,
    Signal,
    check_text,
    number_text,
    plate_shape,
    put_in_place,
)
from drp.wellnames import row_letters, smallest_format, well_name

_DETECTIONS = {"lum": "Luminescence", "abs": "Absorbance", "fluo": "Fluorescence"}
_PLATE = "Plate 1"


def write_gen5(
    path: str | Path,
    plates: "Signal | Mapping[str, Mapping[str, Signal]]",
    *,
    step: str = "LUM",
    mode: str = "lum",
    calculated: str = "Norm",
    layout: bool = True,
    separate: bool = False,
    alone: bool = False,
    measured_at: tuple[str, str] = ("11/3/2025", "10:15:00 AM"),
    reading_type: str = "Reader",
    barcode: str = "",
    blank: str = "",
    decimal: str = ".",
    line_ending: str = "\r\n",
    encoding: str = "utf-8",
) -> None:
    r"""Write plates as a Gen5 text export, with measured and calculated lines in one matrix.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.
    plates : array, or mapping of str to mapping of str to array
        One plate's signal, shape (rows, columns), row A first; or for each plate number
        (``Plate 1``) the signal of each read, called ``Lum``, ``450`` or ``360/40,460/40``. A plate
        smaller than 96, 384 or 1536 wells is written as a part of such a plate.
    step : str
        Label of the ``Read`` step, before the colon of each label; empty for a step without one.
    mode : {"lum", "abs", "fluo"}
        What the step measured.
    calculated : str
        Name of a calculated line below each measured one; empty for none.
    layout : bool
        Write a matrix ``Layout``, as a plate with defined wells has it.
    separate : bool
        One matrix for each read, titled by its label, instead of one titled ``Results``.
    alone : bool
        Print a part of a plate alone instead of the whole plate with blank cells around it.
    measured_at : tuple of str
        Date and time, as the computer's own settings print them.
    reading_type : str
        ``Reader``, ``Manual``, ``File`` or ``Simulation``.
    barcode : str
        Barcode of the plate; the line is left out if it is empty.
    blank : str
        What stands for NaN: empty, ``MISSED`` …
    decimal : {".", ","}
        Decimal sign.
    line_ending, encoding : str
        End of every line; ``utf-8``, ``utf-8-sig``, ``utf-16``, ``cp1252``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.txt"
    >>> write_gen5(path, [[8718, 3118], [8782, 9406]], alone=True)
    >>> lines = path.read_text().splitlines()
    >>> lines[lines.index("Results"):][:3]
    ['Results', '\t1\t2', 'A\t8718\t3118\tLUM:Lum']
    """
    if not isinstance(plates, Mapping):
        plates = {_PLATE: {"Lum": plates}}
    lines: list[Line] = []
    for number, reads in plates.items():
        for text in (number, step, calculated, barcode, blank, *measured_at, *reads):
            check_text(text, "\t")
        shapes = {plate_shape(signal) for signal in reads.values()}
        if len(shapes) != 1:
            raise ValueError(
                "every read of a plate must have the same shape, and there must be one"
            )
        part = shapes.pop()
        plate = smallest_format(*part)
        printed = part if alone else plate
        lines += _preamble(number, measured_at, reading_type, barcode)
        lines += _procedure(list(reads), step, mode, part, plate)
        if layout:
            lines += ["Layout", *_matrix({"Well ID": _names(part)}, printed), ""]
        lines += ["", "", ["Actual Temperature:", f"22{decimal}8"], ""]
        lines += _results(reads, step, calculated, printed, separate, blank, decimal)
    put_in_place(path, lines, "\t", line_ending, encoding)


def _preamble(
    number: str, measured_at: tuple[str, str], reading_type: str, barcode: str
) -> list[Line]:
    return [
        *("", ""),
        ["Software Version", "3.12.08"],
        *("", "", ""),
        ["Experiment File Path:", "Experiments\\run.xpt"],
        ["Protocol File Path:", "Protocols\\run.prt"],
        *("", "", ""),
        ["Plate Number", number],
        *([["Barcode", barcode]] if barcode else []),
        ["Date", measured_at[0]],
        ["Time", measured_at[1]],
        ["Reader Type:", "Synergy H1"],
        ["Reader Serial Number:", "Unknown"],
        ["Reading Type", reading_type],
        "",
    ]


def _procedure(
    names: list[str], step: str, mode: str, part: tuple[int, int], plate: tuple[int, int]
) -> list[Line]:
    kind = f"{_DETECTIONS[mode]} Endpoint"
    wells = "Full Plate" if part == plate else f"A1..{well_name(*part)}"
    lines: list[Line] = [
        "Procedure Details",
        "",
        ["Plate Type", f"{plate[0] * plate[1]} WELL PLATE (Use plate lid)"],
        ["Eject plate on completion", ""],
        ["Read", step or kind],
        *([["", kind]] if step else []),
        ["", wells],
    ]
    if mode == "abs":
        lines.append(["", f"Wavelengths:  {', '.join(names)}"])
    for number, name in enumerate(names if mode != "abs" else [], start=1):
        emission = name.rpartition(",")[2]
        text = f"    Emission: {'Full light' if emission == 'Lum' else emission}"
        if mode == "fluo":
            text = f"    Excitation: {name.partition(',')[0]},  Emission: {emission}"
        lines += [["", f"Filter Set {number}"], ["", text], ["", "    Optics: Top,  Gain: 135"]]
    return [*lines, ["", "Read Speed: Normal,  Delay: 100 msec"], ""]


def _names(part: tuple[int, int]) -> list[list[str]]:
    """Give the well ids of a layout: the first column is a control, the others are samples."""
    rows, columns = part
    return [
        ["NEGCON", *(f"SPL{row * (columns - 1) + column}" for column in range(1, columns))]
        for row in range(rows)
    ]


def _results(
    reads: Mapping[str, Signal],
    step: str,
    calculated: str,
    printed: tuple[int, int],
    separate: bool,
    blank: str,
    decimal: str,
) -> list[Line]:
    lines: dict[str, list[list[str]]] = {}
    for name, signal in reads.items():
        label = f"{step}:{name}" if step else name
        lines[label] = [[number_text(v, blank, decimal=decimal) for v in row] for row in signal]
    if calculated:
        for name, signal in reads.items():
            label = calculated if len(reads) == 1 else f"{calculated} {name}"
            lines[label] = [[_per_cent(v, signal, blank, decimal) for v in row] for row in signal]
    if not separate:
        return ["Results", *_matrix(lines, printed), ""]
    parts = ([label, *_matrix({label: rows}, printed), ""] for label, rows in lines.items())
    return [line for part in parts for line in part]


def _per_cent(value: float, signal: Signal, blank: str, decimal: str) -> str:
    """Write a value as per cent of the first one, as a calculated line does."""
    first = float(signal[0][0])
    if not first > 0 or value != value:
        return blank if value != value else "?????"
    return f"{100 * float(value) / first:.3f}".replace(".", decimal)


def _matrix(lines: Mapping[str, list[list[str]]], printed: tuple[int, int]) -> list[Line]:
    """Write a matrix: under each row letter one line for each label; cells beyond are blank."""
    rows, columns = printed
    matrix: list[list[str]] = [["", *map(str, range(1, columns + 1))]]
    for row in range(rows):
        for position, (label, cells) in enumerate(lines.items()):
            values = cells[row] if row < len(cells) else []
            padded = [*values, *[""] * (columns - len(values))]
            matrix.append([row_letters(row + 1) if position == 0 else "", *padded, label])
    return cast("list[Line]", matrix)
