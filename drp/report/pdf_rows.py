"""How many lines the rows of the PDF take, so that typst need not set them twice.

Widths and sizes stand here once; the template takes its columns from here.
"""

from collections.abc import Mapping
from typing import Any, Final

from drp.report.text_lines import lines

_POINTS_PER_MM = 72 / 25.4
# The table of all drugs: its columns, what lies between text and edge, sizes of letters.
DRUG_COLUMNS_MM: Final = (27.0, 30.0, 10.0, 7.0, 12.5, 37.0, 18.5, 20.0, 24.0)
_INSET_MM = 1.4
_SIZE, _WHY_SIZE = 6.5, 6.1
# A mark and the room after it.
_MARK_MM = 3.3


def drug_lines(row: Mapping[str, Any], of: str) -> list[int] | None:
    """Count the lines of a row of the table of all drugs.

    Parameters
    ----------
    row : mapping
        Of the view.
    of : str
        The word between a percentile and the number of references.

    Returns
    -------
    list of int or None
        Lines of name and class, of the cells beside them, and of the reason below; None if typst
        must find out.
    """
    name = lines(row["drug"], _em(DRUG_COLUMNS_MM[0]), bold=True)
    kind = lines(row["drug_class"], _em(DRUG_COLUMNS_MM[0]))
    call = lines(
        f"{row['call']} {row['notes']}",
        _em(DRUG_COLUMNS_MM[1]),
        bold=row["kind"] == "sensitive",
        indent_em=_MARK_MM * _POINTS_PER_MM / _SIZE,
    )
    beside = zip(_cells(row, of), DRUG_COLUMNS_MM[2:], strict=True)
    fit = all(lines(words, _em(width)) in (0, 1) for words, width in beside)
    why = lines(row["why"], _em(sum(DRUG_COLUMNS_MM[1:]), _WHY_SIZE))
    if name != 1 or kind is None or call is None or why is None or not fit:
        return None
    return [name + kind, call, why]


def _cells(row: Mapping[str, Any], of: str) -> list[str]:
    """Give the texts of the cells of one line, each at its longest."""
    pairs = (f"{row[name]} ({row[name + '_interval']})" for name in _MEASURES)
    return [row["probability"], row["z"], f"{row['percentile']} {of} {row['n_reference']}", *pairs]


_MEASURES = ("ic50", "auc", "dss2", "at_peak")


def _em(width_mm: float, size: float = _SIZE) -> float:
    """Give the width of a cell's line in units of the size of its letters."""
    return (width_mm - _INSET_MM) * _POINTS_PER_MM / size
