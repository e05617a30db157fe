"""Files written whole or not at all, and tables between stages.

A job that is killed in the middle must leave either the old file or the new one, never a torn one:
everything is written under a temporary name in the same folder and then moved into place.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success move it into place, else remove it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> (folder / "a.txt").read_text(), len(list(folder.iterdir()))
    ('whole', 1)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success it takes the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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


def read_groups(paths: Iterable[Path], key: str) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """Read Parquet tables of one kind, to be given out as rows by the text column `key`.

    The tables stay in columns, which are small; only the rows that are asked for are made. A group
    may be spread over several files. Pandas is not loaded.

    Returns
    -------
    dict
        For each value of `key`, in order, a function that gives its rows.
    """
    import pyarrow.parquet as pq

    parts: dict[str, list[Any]] = {}
    for path in paths:
        with pq.ParquetFile(path) as file:
            table = file.read()
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
