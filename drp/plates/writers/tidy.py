"""Write tidy tables of readings."""

from collections.abc import Mapping
from pathlib import Path

from drp.plates.writers.common import Signal, check_text, number_text, plate_shape, put_in_place
from drp.wellnames import well_name


def write_tidy(
    path: str | Path,
    plates: Mapping[str, Signal],
    *,
    separator: str = ",",
    line_ending: str = "\n",
    decimal: str = ".",
) -> None:
    r"""Write plates as a tidy table, one line per well: ``plate``, ``well``, ``value``.

    Parameters
    ----------
    path : str or Path
        The file to write.
    plates : mapping of str to array, shape (rows, columns)
        Plate id to signal; NaN is written as ``NA``.
    separator, line_ending : str
        Field separator and end of every line.
    decimal : {".", ","}
        Decimal sign; it must differ from the separator.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.csv"
    >>> write_tidy(path, {"P1": [[5, float("nan")]]})
    >>> path.read_text()
    'plate,well,value\nP1,A1,5\nP1,A2,NA\n'
    """
    lines = [["plate", "well", "value"]]
    for plate, signal in plates.items():
        plate_shape(signal)
        check_text(plate, separator)
        for row, values in enumerate(signal, start=1):
            for column, value in enumerate(values, start=1):
                text = number_text(value, "NA", decimal=decimal)
                lines.append([plate, well_name(row, column), text])
    put_in_place(path, lines, separator, line_ending)
