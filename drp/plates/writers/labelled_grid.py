"""Write plain labelled grids."""

from pathlib import Path

from drp.plates.writers.common import Signal, check_text, grid_lines, plate_shape, put_in_place


def write_labelled_grid(
    path: str | Path,
    signal: Signal,
    *,
    corner: str = "",
    separator: str = "\t",
    line_ending: str = "\n",
    decimal: str = ".",
) -> None:
    r"""Write one plate as a plain grid: column numbers above, row letters on the left.

    Parameters
    ----------
    path : str or Path
        The file to write.
    signal : array, shape (rows, columns)
        Signal in any unit, row A first; NaN is written as ``NA``.
    corner : str
        Text above the row letters.
    separator, line_ending : str
        Field separator and end of every line.
    decimal : {".", ","}
        Decimal sign; it must differ from the separator.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "P1.tsv"
    >>> write_labelled_grid(path, [[1.5, 2], [3, float("nan")]])
    >>> path.read_text()
    '\t1\t2\nA\t1.5\t2\nB\t3\tNA\n'
    """
    plate_shape(signal)
    check_text(corner, separator)
    lines = grid_lines(signal, pad="d", decimals=False, trailing=False, blank="NA", decimal=decimal)
    lines[0][0] = corner
    put_in_place(path, lines, separator, line_ending)
