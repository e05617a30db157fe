"""Files written whole or not at all, and tables between stages.

A job that is killed in the middle must leave either the old file or the new one, never a torn one:
everything is written under a temporary name in the same folder, handed to the disk, and only then
moved into place. A disk that is full or read-only is a problem with a place, not an exception.
"""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.problems import DataError, Place, Problem

if TYPE_CHECKING:
    import pandas as pd

TEMPORARY = ".drp-tmp"  # how every temporary name ends
RUN_FILE = Path("results/run.json")  # which run holds the folder
RUN_VARIABLE = "DRP_RUN_ID"  # in the environment of its jobs

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success move it into place, else remove it.

    Raises
    ------
    DataError
        The disk is full or may not be written to, or the job belongs to a run that another one
        has taken over from. `path` is then what it was before.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> (folder / "a.txt").read_text(), len(list(folder.iterdir()))
    ('whole', 1)
    """
    temporary = _temporary_name(path)
    with _writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            _sync(temporary)
            _refuse_if_superseded(path)
            temporary.replace(path)
            _sync(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success it takes the place of `path`.

    The old folder is moved aside first: a job that is killed in between leaves no folder, which
    counts as not done, and never one with files of two makings.
    """
    temporary, aside = _temporary_name(path), _temporary_name(path)
    with _writing(path):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            _sync(temporary)
            _refuse_if_superseded(path)
            if path.exists():
                path.rename(aside)
            temporary.rename(path)
            _sync(path.parent)
        finally:
            for folder in (temporary, aside):
                shutil.rmtree(folder, ignore_errors=True)


def write_together(contents: "dict[Path, bytes]") -> None:
    """Write files that belong together: all new, or some missing, but never new beside old.

    Nothing is touched before every file lies on the disk under its temporary name. Then the old
    ones are removed, and only then the new ones moved into place.

    Parameters
    ----------
    contents : dict of Path to bytes
        What each file holds.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_together({folder / "a.txt": b"1", folder / "b.txt": b"2"})
    >>> sorted(path.name for path in folder.iterdir())
    ['a.txt', 'b.txt']
    """
    temporaries = {path: _temporary_name(path) for path in contents}
    try:
        for path, content in contents.items():
            with _writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporaries[path].write_bytes(content)
                _sync(temporaries[path])
        for path in contents:
            _refuse_if_superseded(path)
            with _writing(path):
                path.unlink(missing_ok=True)
        for path, temporary in temporaries.items():
            with _writing(path):
                temporary.replace(path)
        for folder in {path.parent for path in contents}:
            _sync(folder)
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()


def clear_temporaries(*folders: Path) -> list[Path]:
    """Remove what killed jobs left under temporary names, and say what was removed."""
    left = sorted(path for folder in folders for path in folder.rglob(f".*{TEMPORARY}"))
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)  # it may have lain in a folder just removed
    return left


def _temporary_name(path: Path) -> Path:
    """A name no other job has: two nodes of a cluster may well give the same process id."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")


def _sync(path: Path) -> None:
    """Hand a file, or the names in a folder, to the disk, so that a power cut cannot undo it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what a disk can refuse into a problem that names the file."""
    try:
        yield
    except OSError as fault:
        problem = disk_problem(fault, path)
        if problem is None:
            raise
        raise DataError([problem]) from fault


def disk_problem(fault: OSError, path: Path) -> Problem | None:
    """Say what is wrong with the disk; None if the fault is another one.

    >>> print(disk_problem(OSError(errno.ENOSPC, "No space left on device"), Path("results/a.txt")))
    error project.disk-full: results/a.txt: there is no space left on the disk. Make room, then run
    drp resume; what was finished is kept.
    """
    if fault.errno in _FULL:
        return Problem(
            "project.disk-full",
            "error",
            _place(path),
            "there is no space left on the disk",
            "Make room, then run drp resume; what was finished is kept.",
        )
    own = fault.filename is None or _is_beside(Path(os.fsdecode(fault.filename)), path)
    if fault.errno == errno.EROFS or (fault.errno in _CLOSED and own):
        return Problem(
            "project.read-only",
            "error",
            _place(path),
            "the file or its folder may not be written to",
            "Give the user who runs drp the right to write there, or use a copy of the project.",
        )
    return None


def _is_beside(named: Path, path: Path) -> bool:
    """Whether a file is the one to be written, a temporary of it, or a folder above it."""
    return named == path or named in path.parents or f".{path.name}." in str(named)


def _place(path: Path) -> Place:
    """The file within the project: folders of the machine stay out of messages."""
    inside = path.is_relative_to(Path.cwd())
    shown = path.relative_to(Path.cwd()) if inside else path
    return Place(shown.name if shown.is_absolute() else str(shown))


def _refuse_if_superseded(path: Path) -> None:
    """Stop a job of an earlier run: one on a node that was lost cannot be cancelled."""
    own = os.environ.get(RUN_VARIABLE)
    if not own or not RUN_FILE.is_file():
        return
    if read_json(RUN_FILE).get("run") != own:
        raise DataError(
            [
                Problem(
                    "project.superseded",
                    "error",
                    _place(path),
                    f"the job is of run {own}, which another run has taken over from",
                    "Nothing is to be done: the newer run writes this file.",
                )
            ]
        )


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON, keys sorted, without NaN or infinities."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table as Parquet."""
    with replacing(path) as temporary:
        frame.reset_index(drop=True).to_parquet(temporary, index=False, engine="pyarrow")


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows of text and whole numbers as Parquet, without loading pandas.

    The detour over JSON lines is for speed: building Arrow arrays from Python values makes PyArrow
    import pandas, which costs a short job more than all of its work.
    """
    import io

    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    kinds = {name: pa.string() if isinstance(v, str) else pa.int64() for name, v in rows[0].items()}
    options = pj.ParseOptions(explicit_schema=pa.schema(kinds), unexpected_field_behavior="error")
    lines = "\n".join(json.dumps(row) for row in rows)
    table = pj.read_json(io.BytesIO(lines.encode()), parse_options=options)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a Parquet table as rows, without loading pandas."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:  # pq.read_table would load pandas
        rows: list[dict[str, Any]] = file.read().to_pylist()
    return rows


def read_groups(
    paths: Iterable[Path], key: str, columns: list[str] | None = None
) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """Read Parquet tables of one kind, to be given out as rows by the text column `key`.

    The tables stay in columns, which are small; only the rows that are asked for are made. A group
    may be spread over several files. Pandas is not loaded.

    Parameters
    ----------
    paths : iterable of Path
    key : str
    columns : list of str, optional
        The columns to read, `key` among them; by default all.

    Returns
    -------
    dict
        For each value of `key`, in order, a function that gives its rows.
    """
    import pyarrow.parquet as pq

    parts: dict[str, list[Any]] = {}
    for path in paths:
        with pq.ParquetFile(path) as file:
            table = file.read(columns)
        start = 0
        for value, run in groupby(table.column(key).to_pylist()):
            length = sum(1 for _ in run)
            parts.setdefault(value, []).append(table.slice(start, length))
            start += length

    def rows_of(value: str) -> list[dict[str, Any]]:
        return [row for part in parts[value] for row in part.to_pylist()]

    return {value: partial(rows_of, value) for value in sorted(parts)}


def read_table(path: Path) -> "pd.DataFrame":
    """Read a Parquet table; text columns come back as text."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        frame: pd.DataFrame = file.read().to_pandas()
    return frame


def join_tables(parts: "Iterable[pd.DataFrame]") -> "pd.DataFrame":
    """Put tables with the same columns one after the other.

    Parameters
    ----------
    parts : iterable of DataFrame
        At least one. Those without rows are left out, as their columns may be of no kind yet.

    Examples
    --------
    >>> import pandas as pd
    >>> join_tables([pd.DataFrame({"n": []}), pd.DataFrame({"n": [1, 2]})])["n"].tolist()
    [1, 2]
    """
    import pandas as pd

    every = list(parts)
    return pd.concat([part for part in every if len(part)] or every[:1], ignore_index=True)
