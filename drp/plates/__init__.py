"""Plates: files of plate readers and layouts to tables, every value with its place in the file.

Readers are strict: a well comes from its label, a value that cannot be read safely is an error, and
all errors of a file are reported at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from drp.plain_tables import Columns, make_frame, no_rows
from drp.plates.layouts import read_layout, scan_layout
from drp.plates.pages import open_source
from drp.plates.readers import READERS, choose_reader
from drp.plates.reads import READS, make_reads
from drp.problems import DataError, Place, Problem, Problems

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READERS", "read_layout", "read_plate", "scan_layout", "scan_plate"]


def read_plate(
    path: str | Path, *, reader: str = "auto", plate: str | None = None
) -> "pd.DataFrame":
    r"""Read the measured values of one plate or several from a plate reader's export.

    Parameters
    ----------
    path : str or Path
        The export: text (CSV, TSV, ``;``) or xlsx, at most 64 MB.
    reader : str
        A name in `READERS`, or ``auto`` to recognise the file by its content.
    plate : str, optional
        Id of the plate; by default made from the file name. Where the file holds several plates,
        they are called by their barcodes, if these are usable, else ``{plate}_1``, ``{plate}_2``.

    Returns
    -------
    DataFrame
        Table `reads`: one row per plate, well and measurement that the file prints. `signal` is as
        printed, NaN unless `status` is ``ok``. Further columns: plate_index, row, column, unit,
        barcode, registration, measured_at_raw, temperature_c, reader, file_sha256.

    Raises
    ------
    DataError
        Listing everything that is wrong with the file. `scan_plate` gives warnings as well.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.tsv"
    >>> _ = path.write_text("\t1\t2\nA\t1200\tOVRFLW\nB\t35\t900\n")
    >>> read_plate(path)[["plate", "well", "signal", "status", "locator"]]
      plate well  signal     status         locator
    0    P1   A1  1200.0         ok  line 2 field 2
    1    P1   A2     NaN  saturated  line 2 field 3
    2    P1   B1    35.0         ok  line 3 field 2
    3    P1   B2   900.0         ok  line 3 field 3
    """
    reads, problems = scan_plate(path, reader=reader, plate=plate)
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    return reads


def scan_plate(
    path: str | Path, *, reader: str = "auto", plate: str | None = None
) -> tuple["pd.DataFrame", list[Problem]]:
    """Read what can be read of an export, and list everything that is wrong or odd.

    Parameters
    ----------
    path, reader, plate
        As in `read_plate`.

    Returns
    -------
    reads : DataFrame
        Table `reads`, perhaps without a row. If a problem is an error, it must not be analysed.
    problems : list of Problem
        Errors and warnings in the order they were found, each once.
    """
    reads, problems = scan_columns(path, reader=reader, plate=plate)
    return make_frame(reads, "reads", READS), problems


def scan_columns(
    path: str | Path, *, reader: str = "auto", plate: str | None = None
) -> tuple[Columns, list[Problem]]:
    """Do as `scan_plate`, and give the table as plain columns, for which pandas is not needed."""
    found = Problems()
    source = open_source(path, "plate", found)
    chosen = choose_reader(source, reader, found) if source else None
    if source is None or chosen is None:
        return no_rows(READS), found.items
    blocks = chosen.read(source, found)
    if not blocks and not found.errors:
        text = "the file has the form of an export but holds no values"
        found.error("plate.no-values", Place(source.file), text, "Export the plate again.")
    reads = make_reads(source, blocks, chosen.NAME, plate, found)
    return reads, list(dict.fromkeys(found.items))
