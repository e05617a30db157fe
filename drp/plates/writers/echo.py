"""Write transfer reports of the Echo."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from drp.plates.writers.common import Line, check_text, number_text, put_in_place

_COLUMNS = (
    "Date Time Point",
    "Source Plate Name",
    "Source Plate Barcode",
    "Source Plate Type",
    "Source Well",
    "Destination Plate Name",
    "Destination Plate Barcode",
    "Destination Plate Type",
    "Destination Well",
    "Transfer Volume",
    "Actual Volume",
    "Sample ID",
    "Sample Name",
    "Survey Fluid Volume",
    "Current Fluid Volume",
    "Fluid Composition",
    "Fluid Units",
    "Fluid Type",
    "Transfer Status",
)
_STOCKS = ("Source Concentration", "Source Concentration Units")


class EchoTransfer(NamedTuple):
    """One transfer for `write_echo`; volumes are in nL.

    `actual` is by default the volume that was asked for. A transfer with a `status` failed. `stock`
    is the concentration of the source in `stock_unit`; 0 where it is not stated.
    """

    sample: str
    source_well: str
    well: str
    volume: float
    actual: float | None = None
    status: str = ""
    source_plate: str = "Source[1]"
    source_barcode: str = ""
    plate: str = "Destination[1]"
    barcode: str = ""
    stock: float = 0
    stock_unit: str = "N/A"


def write_echo(
    path: str | Path,
    transfers: Sequence[EchoTransfer],
    *,
    plate_type: str = "384PS",
    stocks: bool = False,
    separator: str = ",",
    line_ending: str = "\r\n",
    decimal: str = ".",
) -> None:
    """Write transfers as a report with failed ones apart, under ``[EXCEPTIONS]``.

    Parameters
    ----------
    path : str or Path
        The file to write.
    transfers : sequence of EchoTransfer
        In the order they were made. A section without a transfer is left out.
    plate_type : str
        Type of the destination plates.
    stocks : bool
        Write the columns with the concentrations of the sources.
    separator, line_ending : str
        Field separator and end of every line.
    decimal : {".", ","}
        Decimal sign; it must differ from the separator.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.csv"
    >>> write_echo(path, [EchoTransfer("Venetoclax", "A1", "B2", 2.5)])
    >>> [line[:26] for line in path.read_text().splitlines()][5:8]
    ['[DETAILS]', 'Date Time Point,Source Pla', '2025-01-01 10:00:00.000,So']
    """
    header = [*_COLUMNS, *(_STOCKS if stocks else ())]
    lines: list[Line] = [["Run ID", "1"], ["Application Name", "Echo Plate Reformat"]]
    lines += [["Protocol Name", "simulated"], ["User Name", ""], ""]
    rows = [
        _row(number, transfer, plate_type, stocks, decimal)
        for number, transfer in enumerate(transfers)
    ]
    for cell in (cell for row in rows for cell in row):
        check_text(cell, separator)
    for section, failed in (("[EXCEPTIONS]", True), ("[DETAILS]", False)):
        own = [
            row for row, made in zip(rows, transfers, strict=True) if bool(made.status) is failed
        ]
        lines += [section, header, *own, ""] if own else []
    lines += [["Instrument Name", "Echo"], ["Instrument Model", "Echo 650"]]
    put_in_place(path, lines, separator, line_ending)


def _row(
    number: int, transfer: EchoTransfer, plate_type: str, stocks: bool, decimal: str
) -> list[str]:
    actual = transfer.volume if transfer.actual is None else transfer.actual
    minutes, seconds = divmod(number, 60)
    cells = {
        "Date Time Point": f"2025-01-01 {10 + minutes // 60}:{minutes % 60:02d}:{seconds:02d}.000",
        "Source Plate Name": transfer.source_plate,
        "Source Plate Barcode": transfer.source_barcode,
        "Source Plate Type": "384PP_DMSO2",
        "Source Well": transfer.source_well,
        "Destination Plate Name": transfer.plate,
        "Destination Plate Barcode": transfer.barcode,
        "Destination Plate Type": plate_type,
        "Destination Well": transfer.well,
        "Transfer Volume": number_text(transfer.volume, decimal=decimal),
        "Actual Volume": number_text(actual, decimal=decimal),
        "Sample Name": transfer.sample,
        "Fluid Composition": "100",
        "Fluid Type": "DMSO",
        "Transfer Status": transfer.status,
        _STOCKS[0]: number_text(transfer.stock, decimal=decimal),
        _STOCKS[1]: transfer.stock_unit,
    }
    return [cells.get(name, "") for name in (*_COLUMNS, *(_STOCKS if stocks else ()))]
