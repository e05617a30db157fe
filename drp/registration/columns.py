"""The table `wells` as arrays: numbers for texts, ordered by plate, row and column.

A check must not wait for pandas, so tables come as DataFrames or as plain columns (a dictionary
of lists), and only NumPy works on them here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Table: TypeAlias = "pd.DataFrame | Mapping[str, Sequence[Any]]"
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Values = NDArray[np.float64]

_KIND = ("role", "sample", "drug", "drug2", "drug3", "addon")
_DOSES = ("dose", "dose2", "dose3")


@dataclass(frozen=True, slots=True)
class Wells:
    """The n wells of all plates, ordered by plate, row and column.

    Attributes
    ----------
    names : list of str
        The plates, sorted.
    plate : array of int, shape (n,)
        Which of them.
    run, file : list of str
        Of each well; the file is empty where it is not known.
    row, column : array of int, shape (n,)
        From 1.
    kind : array of int, shape (n, 6)
        Role, sample, drug, drug2, drug3 and partner of the arm (`addon`): equal numbers for equal
        texts of a column; -1 in wells whose role is empty.
    words : list of list of str
        For each column of `kind`, the text of every number.
    dose : array, shape (n, 3)
        Doses of wells with a series (samples, references); -1 where there is none.
    filled, dosed, negative, low : array of bool, shape (n,)
        Wells the layout fills; samples and references; negative controls; positive controls and
        blanks.
    signal : array, shape (n,)
        NaN unless the reading counts.
    unread, positional : array of bool, shape (n,)
        Wells that the reader did not read; wells without labels in the export.
    """

    names: list[str]
    plate: Indices
    run: list[str]
    file: list[str]
    row: Indices
    column: Indices
    kind: Indices
    words: list[list[str]]
    dose: Values
    filled: Flags
    dosed: Flags
    negative: Flags
    low: Flags
    signal: Values
    unread: Flags
    positional: Flags


def read_wells(table: Table) -> Wells:
    """Give the table `wells` as arrays.

    Parameters
    ----------
    table : DataFrame or dict of str to list
        Table `wells` with row and column; `addon` and `registration` may be there.
    """
    plate, names = numbered(texts(table, "plate"))
    row, column = (numbers(table, name).astype(np.int64) for name in ("row", "column"))
    order = np.lexsort((column, row, plate))
    role = np.array(texts(table, "role"), dtype=object)[order]
    run, file = texts(table, "run"), texts(table, "file")
    registration = np.array(texts(table, "registration"), dtype=object)
    dosed = _is_one_of(role, "sample", "reference")
    excluded = np.array(listed(table, "excluded"), dtype=bool)[order]
    status = np.array(texts(table, "status"), dtype=object)[order]
    dose = np.column_stack([numbers(table, name) for name in _DOSES])[order]
    kinds, words = zip(*(numbered(texts(table, name)) for name in _KIND), strict=True)
    kind = np.column_stack(kinds)[order]
    return Wells(
        names=names,
        plate=plate[order],
        run=[run[index] for index in order],
        file=[file[index] for index in order],
        row=row[order],
        column=column[order],
        kind=np.where((role != "empty")[:, None], kind, -1),
        words=list(words),
        dose=np.where(dosed[:, None] & np.isfinite(dose), dose, -1.0),
        filled=~_is_one_of(role, "empty"),
        dosed=dosed,
        negative=_is_one_of(role, "negative"),
        low=_is_one_of(role, "positive", "blank"),
        signal=np.where((status == "ok") & ~excluded, numbers(table, "signal")[order], np.nan),
        unread=(status == "not_read") & ~excluded,
        positional=_is_one_of(registration[order], "positional"),
    )


def listed(table: Table, name: str) -> list[Any]:
    """Give a column as a list."""
    values: Any = table[name]
    found: list[Any] = values if isinstance(values, list) else values.tolist()
    return found


def texts(table: Table, name: str) -> list[str]:
    """Give a column of texts; empty ones where the table has no such column.

    >>> texts({"plate": ["P1", "P2"]}, "barcode")
    ['', '']
    """
    return listed(table, name) if name in table else [""] * len(table["plate"])


def numbers(table: Table, name: str) -> Values:
    """Give a column of numbers as an array; NaN for None.

    >>> numbers({"dose": [10.0, None]}, "dose")
    array([10., nan])
    """
    return np.array(listed(table, name), dtype=float)


def numbered(values: Sequence[str]) -> tuple[Indices, list[str]]:
    """Give each text its number among the sorted different ones, and these.

    >>> numbered(["b", "a", "b"])
    (array([1, 0, 1]), ['a', 'b'])
    """
    names = sorted(set(values))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[value] for value in values], dtype=np.int64), names


def rows_of(number: Indices, count: int) -> list[Indices]:
    """Give, for each number below `count`, the places where it stands, in order.

    >>> [rows.tolist() for rows in rows_of(np.array([1, 0, 1]), 2)]
    [[1], [0, 2]]
    """
    order = np.argsort(number, kind="stable")
    return np.split(order, np.searchsorted(number[order], np.arange(1, count)))


def number_rows(rows: NDArray[Any]) -> Indices:
    """Number the different rows of a matrix of numbers, in sorted order.

    >>> number_rows(np.array([[2, 1], [1, 1], [2, 1]]))
    array([1, 0, 1])
    """
    order = np.lexsort(rows.T)
    number = np.empty(len(rows), dtype=np.int64)
    number[order] = np.cumsum(starts(rows[order])) - 1
    return number


def name_rows(rows: NDArray[Any], words: Sequence[Sequence[str]]) -> Indices:
    """Give each row a number that depends on what it says alone, so that tables can be compared.

    Parameters
    ----------
    rows : array, shape (n, k)
        Numbers; those of the first columns stand for texts, -1 for none.
    words : sequence of sequence of str
        The texts of these columns.

    Examples
    --------
    >>> one = name_rows(np.array([[1, 10.0], [0, 10.0]]), [["A", "B"]])
    >>> bool(one[1] == name_rows(np.array([[3, 10.0]]), [["x", "y", "z", "A"]])[0])
    True
    """
    number = number_rows(rows)
    different, first = np.unique(number, return_index=True)
    names = np.zeros(len(different), dtype=np.int64)
    for place, row in enumerate(rows[first].tolist()):
        said = [known[int(n)] if n >= 0 else "" for n, known in zip(row, words, strict=False)]
        names[place] = short_hash(repr([*said, *row[len(words) :]]).encode())
    return names[number]


def short_hash(content: bytes) -> int:
    """Give 63 bits of a hash, as a number that is not negative.

    >>> short_hash(b"") == short_hash(b"") != short_hash(b"a")
    True
    """
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 1


def starts(rows: NDArray[Any]) -> Flags:
    """Say of each row whether it is the first, or differs from the one before."""
    changed = np.ones(len(rows), dtype=bool)
    changed[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return changed


def _is_one_of(role: NDArray[np.object_], *roles: str) -> Flags:
    found: Flags = np.logical_or.reduce([role == name for name in roles]).astype(bool)
    return found
