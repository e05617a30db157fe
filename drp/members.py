"""The table of earlier samples as a laboratory keeps it: its columns, and what can be wrong."""

from collections.abc import Mapping, Sequence

from drp.problems import Place, Problem

MEMBER_TEXT = ("assay", "sample", "drug", "dose_unit")
MEMBER_NUMBERS = ("dose_min", "dose_max", "auc", "dss2", "top", "bottom", "slope", "ec50")
# Standard error of the AUC, points, and the version of the table a row came with; tables made
# before these were kept lack them.
MEMBER_OPTIONAL = ("auc_se", "version")
# What kind of sample it is: `healthy` marks a healthy control, which is no patient's reference.
MEMBER_KIND = "kind"
_KEY = ("assay", "sample", "drug")
_UNKNOWN = ("", "NA")
_SHOWN = 5


def member_problems(table: Mapping[str, Sequence[str]], file: str) -> list[Problem]:
    """Check a table of earlier samples.

    Parameters
    ----------
    table : mapping of str to sequence of str
        Columns as text.
    file : str
        Name of the file.

    Returns
    -------
    list of Problem
        A column that is missing, a number that is none, a sample that has a drug twice.

    Examples
    --------
    >>> table = {name: ["1"] for name in (*MEMBER_TEXT, *MEMBER_NUMBERS)} | {"auc": ["high"]}
    >>> print(member_problems(table, "reference.tsv")[0])
    error cohort.bad-reference: reference.tsv: auc is 'high'. `drp export` writes this table ...
    """
    wanted = [*MEMBER_TEXT, *MEMBER_NUMBERS]
    faults = [f"column {column} is missing" for column in wanted if column not in table]
    for column in [name for name in (*MEMBER_NUMBERS, *MEMBER_OPTIONAL) if name in table]:
        odd = [text for text in dict.fromkeys(table[column]) if not _is_number(text)]
        faults += [f"{column} is {text!r}" for text in odd[:_SHOWN]]
    odd = [text for text in dict.fromkeys(table.get("version", ())) if not _is_version(text)]
    faults += [f"version is {text!r}, no whole number from 1 on" for text in odd[:_SHOWN]]
    if all(column in table for column in _KEY):
        keys = list(zip(*(table[column] for column in _KEY), strict=True))
        # A drug is the same however its name is capitalised.
        keys = [(assay, sample, drug.casefold()) for assay, sample, drug in keys]
        seen: set[tuple[str, str, str]] = set()
        for key in keys:
            if key in seen:
                faults.append(f"{key[1]}, {key[2]} occurs twice")
            seen.add(key)
    fix = "`drp export` writes this table in the right form."
    return [Problem("cohort.bad-reference", "error", Place(file), fault, fix) for fault in faults]


def _is_version(text: str) -> bool:
    return text in _UNKNOWN or (text.isdigit() and int(text) > 0) or not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        return text in _UNKNOWN or float(text) == float(text)
    except ValueError:
        return False
