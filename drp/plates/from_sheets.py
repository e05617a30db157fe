"""The exports and layouts that plates.tsv names, read together, with every problem found.

Each file is read once, however many rows name it.
"""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from drp.apart import NOT_OF_ONE
from drp.plain_tables import Columns, choose, no_rows, stack
from drp.plates import scan_columns
from drp.plates.layouts import LAYOUT, scan_layout_columns
from drp.plates.layouts.names import read_names
from drp.plates.reads import READS
from drp.problems import DataError, Place, Problem, Problems
from drp.provenance import file_sha256
from drp.refusals import LAYOUT_COLUMN
from drp.sheetfiles import Row

# Columns of plates.tsv that say which plate of an export a row means.
_CHOICES = ("plate_index", "sheet", "barcode")
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PlatesRead:
    """What was read of some plates.

    `reads` and `layouts` are the tables of that name as plain columns; `files` has file, kind
    (``export``, ``layout`` or ``names``), plate and sha256; `unused` lists plates of the exports
    that no row asks for; `problems` holds everything found on the way.
    """

    reads: Columns
    layouts: Columns
    files: Columns
    unused: list[Problem]
    problems: Problems


def read_plates(
    rows: Iterable[Row], folder: str, layouts: Mapping[str, Mapping[str, Any]]
) -> PlatesRead:
    """Read the exports and layouts that rows of plates.tsv name.

    Parameters
    ----------
    rows : iterable of dict
        Rows of plates.tsv.
    folder : str
        Where the files lie.
    layouts : mapping
        What a layout leaves unsaid, by file: options of `drp.read_layout`, and `names_file`.
    """
    rows = list(rows)
    exports, maps = read_exports(rows, folder), read_layouts(rows, folder, layouts)
    found = Problems()
    for problems in (*exports.problems, maps.problems):
        found.extend(problems)
    files = _as_columns([*exports.files, *maps.files])
    unused = [problem for problem in exports.unused if problem]
    return PlatesRead(exports.reads, maps.layouts, files, unused, found)


@dataclass(frozen=True, slots=True)
class ExportsRead:
    """What was read of exports: the table `reads`, and for each row of plates.tsv its problems.

    `unused` names for each row the plates of its file that no row asks for, where the row is the
    first that uses the file; else None.
    """

    reads: Columns
    files: list[tuple[str, str, str, str]]
    problems: list[list[Problem]]
    unused: list[Problem | None]


def read_exports(rows: Sequence[Row], folder: str) -> ExportsRead:
    """Read the exports that rows of plates.tsv name; all rows of a file must be among them."""
    exports = _Exports(Path(folder))
    reads, problems = [], []
    for row in rows:
        exports.found = Problems()
        reads.append(exports.plate(row))
        problems.append(exports.found.items)
    read = stack([values for values in reads if values is not None], READS)
    return ExportsRead(read, exports.files, problems, exports.unused(rows))


@dataclass(frozen=True, slots=True)
class LayoutsRead:
    """What was read of layouts: the table `layout`, files, problems."""

    layouts: Columns
    files: list[tuple[str, str, str, str]]
    problems: list[Problem]


def read_layouts(
    rows: Sequence[Row], folder: str, layouts: Mapping[str, Mapping[str, Any]]
) -> LayoutsRead:
    """Read the layouts that rows of plates.tsv name, each once."""
    found = Problems()
    maps = _Layouts(Path(folder), layouts, found)
    return LayoutsRead(stack(maps.of(rows), LAYOUT), maps.files, found.items)


def _as_columns(files: list[tuple[str, str, str, str]]) -> Columns:
    names = ("file", "kind", "plate", "sha256")
    return {name: [entry[position] for entry in files] for position, name in enumerate(names)}


class _Exports:
    """Exports read so far, by file and reader, and which of their plates rows have asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.found = folder, Problems()
        self.files: list[tuple[str, str, str, str]] = []
        self._read: dict[tuple[str, str], Columns] = {}
        self._used: dict[tuple[str, str], set[int]] = {}
        self._hashes: dict[str, str] = {}

    def plate(self, row: Row) -> Columns | None:
        """Give the readings of the plate that a row means, under the row's own plate id."""
        place = Place("plates.tsv", "column file", row["plate"])
        path = _path(row["file"], place, self.folder, self.found)
        if path is None:
            return None
        key = _key(row)
        if key not in self._read:
            self._read_file(path, key, row["plate"])
        self.files.append((row["file"], "export", row["plate"], self._hashes[row["file"]]))
        own = self._choose(self._read[key], row)
        if own is None or not own["plate"]:
            return own
        self._used.setdefault(key, set()).add(own["plate_index"][0])
        return own | {"plate": [row["plate"]] * len(own["plate"])}

    def _read_file(self, path: Path, key: tuple[str, str], plate: str) -> None:
        try:
            self._read[key], problems = scan_columns(path, reader=key[1])
        except NOT_OF_ONE:
            raise
        except Exception as fault:  # noqa: BLE001 (the other plates must not wait for this file)
            self._read[key], problems = no_rows(READS), [_own_fault("plate", path, fault)]
        hashes = self._read[key]["file_sha256"]
        self._hashes[key[0]] = hashes[0] if hashes else file_sha256(path)
        if len(set(self._read[key]["plate_index"])) <= 1:
            problems = [_under_id(problem, plate) for problem in problems]
        self.found.extend(_as_in_the_sheet(problem, path, key[0]) for problem in problems)

    def _choose(self, reads: Columns, row: Row) -> Columns | None:
        asked = {name: row[name] for name in _CHOICES if row.get(name)}
        rows = list(range(len(reads["plate"])))
        for name, value in asked.items():
            rows = [position for position in rows if _is(reads, position, name, value)]
        held = {reads["plate_index"][position] for position in rows}
        if len(held) == 1 or not reads["plate"]:
            return choose(reads, rows) if asked else reads
        wanted = " and ".join(f"{name} {value!r}" for name, value in asked.items())
        if held:
            code = "plates.which-plate"
            text = f"the export holds {len(held)} plates" + (f" with {wanted}" if wanted else "")
        else:
            code, text = "plates.no-such-plate", f"the export holds no plate with {wanted}"
        fix = f"Say which in plate_index, sheet or barcode of plates.tsv. It holds {_held(reads)}."
        self.found.error(code, Place(row["file"], plate=row["plate"]), text, fix)
        return None

    def unused(self, rows: Sequence[Row]) -> list[Problem | None]:
        """Say, at the first row of each export, which of its plates no row has asked for."""
        keys = dict.fromkeys(_key(row) for row in rows)
        first = {key: self._unasked(key) for key in keys if key in self._used}
        return [first.pop(_key(row), None) for row in rows]

    def _unasked(self, key: tuple[str, str]) -> Problem | None:
        reads, used = self._read[key], self._used[key]
        rest = [row for row, index in enumerate(reads["plate_index"]) if index not in used]
        if not rest:
            return None
        text = f"no row of plates.tsv asks for {_held(choose(reads, rest))}"
        fix = "Add rows for them, if they belong to the project."
        return Problem("plates.unused-plate", "warning", Place(Path(key[0]).name), text, fix)


def _key(row: Row) -> tuple[str, str]:
    """The export and the reader of a row: what is read once."""
    return row["file"], row.get("reader") or "auto"


def _is(reads: Columns, position: int, name: str, value: str) -> bool:
    """Whether a plate is the one asked for; its name in the file serves as barcode too."""
    held = {str(reads[name][position])}
    return value in (held | {reads["plate"][position]} if name == "barcode" else held)


def _under_id(problem: Problem, plate: str) -> Problem:
    """A problem of a file with one plate, under the id that the user knows the plate by."""
    if not problem.where.plate:
        return problem
    return replace(problem, where=replace(problem.where, plate=plate))


def _as_in_the_sheet(problem: Problem, path: Path, file: str) -> Problem:
    """A problem of a file under its name in plates.tsv: other folders may hold one called the same.

    Readers know a file by its last name only.
    """
    if problem.where.file != path.name:
        return problem
    return replace(problem, where=replace(problem.where, file=file))


def _own_fault(area: Literal["plate", "layout"], path: Path, fault: Exception) -> Problem:
    """A file that brings out a fault of drp; the words name the place in the code."""
    *_, last = traceback.extract_tb(fault.__traceback__)
    return Problem(
        f"{area}.fault",
        "error",
        Place(path.name),
        f"drp failed on the file ({type(fault).__name__}: {fault}; {Path(last.filename).name},"
        f" line {last.lineno})",
        "Please report it, with the file if you may. Until then save the file in another of the"
        " forms that drp reads.",
    )


def _held(reads: Columns) -> str:
    """List plates with what may be used to choose one."""
    plates = list(dict.fromkeys(zip(*(reads[name] for name in _CHOICES), strict=True)))
    texts = [
        ", ".join(f"{name} {value}" for name, value in zip(_CHOICES, plate, strict=True) if value)
        for plate in plates[:_SHOWN]
    ]
    more = f"; and {len(plates) - _SHOWN} more" if len(plates) > _SHOWN else ""
    return "; ".join(texts) + more


class _Layouts:
    """Layouts read so far, by file; a file may describe several plates, as ``file#plate``."""

    def __init__(
        self, folder: Path, options: Mapping[str, Mapping[str, Any]], found: Problems
    ) -> None:
        self.folder, self.options, self.found = folder, options, found
        self.files: list[tuple[str, str, str, str]] = []
        self._read: dict[str, Columns | None] = {}

    def of(self, rows: Iterable[Row]) -> list[Columns]:
        """Give the layouts that rows name, each once."""
        first: dict[str, str] = {}
        for row in rows:
            first.setdefault(row["layout"], row["plate"])
        found = [self._layout(name, plate) for name, plate in first.items()]
        return [layout for layout in found if layout is not None]

    def _layout(self, name: str, plate: str) -> Columns | None:
        file, _, part = name.partition("#")
        if file not in self._read:
            self._read[file] = self._read_file(file, plate)
        layout = self._read[file]
        if layout is None or not layout["well"]:
            return None
        plates = layout["layout_plate"]
        held = list(dict.fromkeys(plates))
        if part and part not in held:
            text = f"the layout describes no plate {part!r}, but {', '.join(held[:_SHOWN])}"
        elif not part and len(held) > 1:
            text = f"the layout describes {len(held)} plates: {', '.join(held[:_SHOWN])}"
        else:
            rows = [row for row, own in enumerate(plates) if not part or own == part]
            return choose(layout, rows) | {"layout": [name] * len(rows)}
        fix = f"Write the plate behind the name in plates.tsv, for example {file}#{held[0]}."
        place = Place("plates.tsv", LAYOUT_COLUMN, plate)
        self.found.error("plates.which-layout", place, text, fix)
        return None

    def _read_file(self, file: str, plate: str) -> Columns | None:
        path = _path(file, Place("plates.tsv", LAYOUT_COLUMN, plate), self.folder, self.found)
        if path is None:
            return None
        options = dict(self.options.get(file, {}))
        table = options.pop("names_file", "")
        if table:
            names = self._names(table, plate)
            options["names"] = {**names, **(options.get("names") or {})}
        try:
            layout, problems = scan_layout_columns(path, **options)
        except NOT_OF_ONE:
            raise
        except Exception as fault:  # noqa: BLE001 (the other plates must not wait for this file)
            layout, problems = no_rows(LAYOUT), [_own_fault("layout", path, fault)]
        self.found.extend(_as_in_the_sheet(problem, path, file) for problem in problems)
        self.files.append((file, "layout", "", file_sha256(path)))
        return layout

    def _names(self, file: str, plate: str) -> dict[str, str]:
        path = _path(file, Place("plates.tsv", LAYOUT_COLUMN, plate), self.folder, self.found)
        if path is None:
            return {}
        self.files.append((file, "names", "", file_sha256(path)))
        try:
            return read_names(path)
        except DataError as fault:
            self.found.extend(fault.problems)
            return {}


def _path(file: str, place: Place, folder: Path, found: Problems) -> Path | None:
    path = folder / file
    if not file or not path.resolve().is_relative_to(folder.resolve()):
        found.error(
            "plates.outside",
            place,
            f"the file {file!r} is not inside the plates folder",
            "Give the file's name relative to the plates folder, without '..'.",
        )
        return None
    if not file.isprintable() or set("{}") & set(file):
        found.error(
            "plates.bad-name",
            place,
            f"the name {file!r} holds a brace or a control character",
            "Give the file another name: the workflow manager would take it for a pattern.",
        )
        return None
    if not path.is_file():
        found.error(
            "plates.no-file",
            place,
            f"the file {file} is not in the folder {folder.name}",
            "Put it there, or correct its name in plates.tsv.",
        )
        return None
    return path
