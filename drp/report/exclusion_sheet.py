"""The sheet `exclusions.tsv` as text, fit to take the place of the one in `config/`.

What people typed goes into it: tabs and line breaks become spaces, text that a spreadsheet would
run as a formula gets an apostrophe, and quotes are doubled as `drp.sheets` reads them. The script
of the review page (`templates/review.js`) writes its rows by the same rules.
"""

import re
from collections.abc import Iterable, Mapping

COLUMNS = ("plate", "well", "reason", "by", "date")
# Everything that ends a line somewhere, or moves a cursor.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FORMULA = ("=", "+", "-", "@")


def cell_text(text: str) -> str:
    r"""Give a cell of the sheet: one line, no formula, quotes doubled.

    Examples
    --------
    >>> cell_text("dry\tat the rim\n"), cell_text("=cmd()"), cell_text('a "halo" seen')
    ('dry at the rim', "'=cmd()", '"a ""halo"" seen"')
    """
    flat = _BREAKS.sub(" ", text).strip()
    plain = f"'{flat}" if flat.startswith(_FORMULA) else flat
    return '"' + plain.replace('"', '""') + '"' if '"' in plain else plain


def sheet_text(rows: Iterable[Mapping[str, str]], remarks: Iterable[str] = ()) -> str:
    r"""Give the whole sheet: remarks, header, one line per row, in the order they came.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of exclusions.tsv; an unknown cell is empty.
    remarks : iterable of str
        Lines that start with ``#``.

    Examples
    --------
    >>> row = {"plate": "PL1", "well": "A1", "reason": "dry"}
    >>> sheet_text([row], ["# by hand"]).splitlines()[::2]
    ['# by hand', 'PL1\tA1\tdry\t\t']
    """
    lines = [*(_BREAKS.sub(" ", remark) for remark in remarks), "\t".join(COLUMNS)]
    lines += ["\t".join(cell_text(row.get(column, "")) for column in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"
