"""The exports and layouts that plates.tsv names, read together, with every problem found.

Each file is read once, however many rows name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.problems import DataError, Place, Problem, Problems
from drp.provenance import file_sha256
from drp.sheetfiles import Row

if TYPE_CHECKING:
    import pandas as pd

# Columns of plates.tsv that say which plate of an export a row means, and the column of the reads.
_CHOICES = {"plate_index": "plate_index", "sheet": "sheet", "barcode": "barcode"}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PlatesRead:
    """What was read of some plates.

    `reads` and `layouts` are the tables of that name; `files` has file, kind (``export`` or
    ``layout``), plate and sha256; `unused` lists plates of the exports that no row asks for;
    `problems` holds everything found on the way.
    """

    reads: "pd.DataFrame"
    layouts: "pd.DataFrame"
    files: "pd.DataFrame"
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
    import pandas as pd

    from drp.tables import empty

    found = Problems()
    rows = list(rows)
    exports = _Exports(Path(folder), found)
    maps = _Layouts(Path(folder), layouts, found)
    reads = [exports.plate(row) for row in rows]
    kept = [layout for layout in maps.of(rows) if layout is not None]
    found_reads = [values for values in reads if values is not None and len(values)]
    return PlatesRead(
        pd.concat(found_reads, ignore_index=True) if found_reads else empty("reads"),
        pd.concat(kept, ignore_index=True) if kept else empty("layout"),
        pd.DataFrame(
            [*exports.files, *maps.files], columns=["file", "kind", "plate", "sha256"]
        ).astype("str"),
        exports.unused(),
        found,
    )


class _Exports:
    """Exports read so far, by file and reader, and which of their plates rows have asked for."""

    def __init__(self, folder: Path, found: Problems) -> None:
        self.folder, self.found = folder, found
        self.files: list[tuple[str, str, str, str]] = []
        self._read: dict[tuple[str, str], tuple[pd.DataFrame, list[Problem]]] = {}
        self._used: dict[tuple[str, str], dict[int, str]] = {}
        self._hashes: dict[str, str] = {}

    def plate(self, row: Row) -> "pd.DataFrame | None":
        """Give the readings of the plate that a row means, under the row's own plate id."""
        from drp.plates import scan_plate

        path = _path(row["file"], row["plate"], self.folder, self.found)
        if path is None:
            return None
        key = (row["file"], row.get("reader") or "auto")
        if key not in self._read:
            self._read[key] = scan_plate(path, reader=key[1])
            self._hashes[row["file"]] = file_sha256(path)
            reads, problems = self._read[key]
            if len(set(reads["plate_index"])) <= 1:
                self.found.extend(_under_id(problem, row["plate"]) for problem in problems)
            else:
                self.found.extend(problems)
        self.files.append((row["file"], "export", row["plate"], self._hashes[row["file"]]))
        own = self._choose(self._read[key][0], row, path.name)
        if own is None or not len(own):
            return own
        self._used.setdefault(key, {})[int(own["plate_index"].iloc[0])] = row["plate"]
        return own.assign(plate=row["plate"])

    def _choose(self, reads: "pd.DataFrame", row: Row, file: str) -> "pd.DataFrame | None":
        asked = {name: row[name] for name in _CHOICES if row.get(name)}
        own = reads
        for name, value in asked.items():
            own = own[own[_CHOICES[name]].astype("str") == value]
        held = sorted(set(own["plate_index"]))
        if len(held) == 1 or reads.empty:
            return own
        wanted = " and ".join(f"{name} {value!r}" for name, value in asked.items())
        if held:
            code = "plates.which-plate"
            text = f"the export holds {len(held)} plates" + (f" with {wanted}" if wanted else "")
        else:
            code, text = "plates.no-such-plate", f"the export holds no plate with {wanted}"
        fix = f"Say which in plate_index, sheet or barcode of plates.tsv. It holds {_held(reads)}."
        self.found.error(code, Place(file, plate=row["plate"]), text, fix)
        return None

    def unused(self) -> list[Problem]:
        """Say which plates of the exports no row has asked for."""
        found = Problems()
        for key, (reads, _) in self._read.items():
            rest = reads[~reads["plate_index"].isin(list(self._used.get(key, {})))]
            if len(rest) and key in self._used:
                text = f"no row of plates.tsv asks for {_held(rest)}"
                fix = "Add rows for them, if they belong to the project."
                found.warning("plates.unused-plate", Place(Path(key[0]).name), text, fix)
        return found.items


def _under_id(problem: Problem, plate: str) -> Problem:
    """A problem of a file with one plate, under the id that the user knows the plate by."""
    if not problem.where.plate:
        return problem
    return replace(problem, where=replace(problem.where, plate=plate))


def _held(reads: "pd.DataFrame") -> str:
    """List plates with what may be used to choose one."""
    columns = ["plate_index", "sheet", "barcode"]
    plates = reads[columns].drop_duplicates("plate_index").to_dict("records")
    texts = [
        ", ".join(f"{name} {row[name]}" for name in columns if row[name] != "")
        for row in plates[:_SHOWN]
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
        self._read: dict[str, pd.DataFrame | None] = {}

    def of(self, rows: list[Row]) -> "list[pd.DataFrame | None]":
        """Give the layouts that rows name, each once."""
        first = {row["layout"]: row["plate"] for row in reversed(rows)}
        return [
            self._layout(name, first[name]) for name in dict.fromkeys(r["layout"] for r in rows)
        ]

    def _layout(self, name: str, plate: str) -> "pd.DataFrame | None":
        file, _, part = name.partition("#")
        if file not in self._read:
            self._read[file] = self._read_file(file, plate)
        layout = self._read[file]
        if layout is None or layout.empty:
            return None
        held = list(dict.fromkeys(layout["layout_plate"]))
        if part and part not in held:
            text = f"the layout describes no plate {part!r}, but {', '.join(held[:_SHOWN])}"
        elif not part and len(held) > 1:
            text = f"the layout describes {len(held)} plates: {', '.join(held[:_SHOWN])}"
        else:
            own = layout[layout["layout_plate"] == part] if part else layout
            return own.assign(layout=name)
        fix = f"Write the plate behind the name in plates.tsv, for example {file}#{held[0]}."
        self.found.error("plates.which-layout", Place("plates.tsv", plate=plate), text, fix)
        return None

    def _read_file(self, file: str, plate: str) -> "pd.DataFrame | None":
        from drp.plates import scan_layout

        path = _path(file, plate, self.folder, self.found)
        if path is None:
            return None
        options = dict(self.options.get(file, {}))
        table = options.pop("names_file", "")
        if table:
            names = self._names(table, plate)
            options["names"] = {**names, **(options.get("names") or {})}
        layout, problems = scan_layout(path, **options)
        self.found.extend(problems)
        self.files.append((file, "layout", "", file_sha256(path)))
        return layout

    def _names(self, file: str, plate: str) -> dict[str, str]:
        from drp.plates.layouts.names import read_names

        path = _path(file, plate, self.folder, self.found)
        if path is None:
            return {}
        self.files.append((file, "names", "", file_sha256(path)))
        try:
            return read_names(path)
        except DataError as fault:
            self.found.extend(fault.problems)
            return {}


def _path(file: str, plate: str, folder: Path, found: Problems) -> Path | None:
    path = folder / file
    place = Place("plates.tsv", plate=plate)
    if not file or not path.resolve().is_relative_to(folder.resolve()):
        found.error(
            "plates.outside",
            place,
            f"the file {file!r} is not inside the plates folder",
            "Give the file's name relative to the plates folder, without '..'.",
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
