"""Which version of the reference each approved sample stays compared with.

The table of earlier samples grows by versions: each of its rows says with which version it came,
and version 3 is all rows up to 3. The input hash of a sample names the version it was compared
with, as in ``0123456789abcdef-r3``; so an approval, which names the hash, holds the sample to that
cohort.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_VERSIONED = re.compile(r"[0-9a-f]+-r(\d+)")


def with_version(digest: str, version: int) -> str:
    """Name the version of the reference in an input hash; 0 stands for none.

    >>> with_version("0123456789abcdef", 3), with_version("0123456789abcdef", 0)
    ('0123456789abcdef-r3', '0123456789abcdef')
    """
    return f"{digest}-r{version}" if version else digest


def version_of(input_hash: str) -> int:
    """Give the version that an input hash names; 0 if it names none.

    >>> version_of("0123456789abcdef-r3"), version_of("0123456789abcdef")
    (3, 0)
    """
    found = _VERSIONED.fullmatch(input_hash.strip())
    return int(found[1]) if found else 0


def locked_versions(approvals: Iterable[Mapping[str, str]], newest: int) -> dict[str, int]:
    """Give the samples held to an older version than the newest, and that version.

    Parameters
    ----------
    approvals : iterable of mapping
        Rows of approvals.tsv; of several rows on one sample the last counts.
    newest : int
        The newest version of the table; 0 if there is none, then nothing is held.

    Examples
    --------
    >>> locked_versions([{"sample": "S1", "input_hash": "ab-r2"},
    ...                  {"sample": "S2", "input_hash": "cd-r3"}], 3)
    {'S1': 2}
    """
    named = {row["sample"]: version_of(row.get("input_hash", "")) for row in approvals}
    return {sample: version for sample, version in named.items() if 0 < version < newest}


def newest_version(table: Path) -> int:
    """Give the newest version in a table of earlier samples; 1 if its rows name none.

    Parameters
    ----------
    table : Path
        Tab-separated text; lines that start with ``#`` are remarks. 0 if it is not there.
    """
    if not table.is_file():
        return 0
    with table.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader((line for line in stream if not line.startswith("#")), delimiter="\t")
        header = next(rows, [])
        if "version" not in header:
            return 1
        place = header.index("version")
        named = {row[place] for row in rows if len(row) > place}
    return max([1, *(int(text) for text in named if text.isdigit())])
