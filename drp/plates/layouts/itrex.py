"""iTReX layouts: a sheet ``Data`` with one line per well, of several plates, also of two arms.

The format counts in nM and has no column that says so. ``AddOn`` names a partner that a whole arm
of the plate got at a dose the layout does not state; such an arm has negative controls of its own.
``TRC`` and ``STS`` are wells of a reference substance, no samples.
"""

from drp.plates.columns import Tidy, find_tidy
from drp.plates.layouts.entries import Entry, Options
from drp.plates.layouts.rules import make_rules
from drp.plates.layouts.tidy import COLUMNS, read_tables
from drp.plates.pages import Source
from drp.problems import Problems

NAME = "itrex"
MEANING = "tables with Plate, Row, Column, WellType, Treatment, Concentration and AddOn"

_COLUMNS = {
    **COLUMNS,
    **{
        ours: (theirs,)
        for ours, theirs in (
            ("plate", "plate"),
            ("row", "row"),
            ("column", "column"),
            ("role", "welltype"),
            ("drug", "treatment"),
            ("dose", "concentration"),
        )
    },
}
_NEEDED = ("plate", "row", "column", "role", "drug", "dose", "addon")
_WORDS = {
    "therapy": "sample",
    "neg": "negative",
    "pos": "positive",
    "bzcl": "positive",
    "trc": "reference",
    "sts": "reference",
    "untreated": "untreated",
    "empty": "empty",
}
_UNIT = "nM"


def recognise(source: Source) -> bool:
    """Say whether a file holds an iTReX layout, with or without readouts.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return bool(_tables(source))


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read an iTReX layout.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        A unit that the user states goes before nM; words for roles go before those of the format.
    found : Problems
        Takes everything that is wrong, and a warning where doses were read as nM.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of the file.
    """
    return read_tables(
        _tables(source),
        source,
        lambda decimal: make_rules(
            options, decimal, words=_WORDS, format_unit=_UNIT, role_needed=True
        ),
        found,
    )


def _tables(source: Source) -> list[Tidy]:
    return find_tidy(source, _COLUMNS, _NEEDED)
