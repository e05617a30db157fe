"""The exports and layouts that plates.tsv names, read together, with every problem found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.problems import Place, Problems
from drp.provenance import file_sha256
from drp.sheets import Row

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class PlatesRead:
    """What was read of some plates.

    `reads` and `layouts` are the tables of that name; `files` has file, kind (``export`` or
    ``layout``), plate and sha256; `problems` holds everything found on the way.
    """

    reads: "pd.DataFrame"
    layouts: "pd.DataFrame"
    files: "pd.DataFrame"
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
        What a layout leaves unsaid, by file: `dose_unit` and `roles`.
    """
    import pandas as pd

    from drp.tables import empty

    found = Problems()
    reads, files = [], []
    maps: dict[str, pd.DataFrame | None] = {}
    for row in rows:
        export = _path(row["file"], row["plate"], Path(folder), found)
        if export is not None:
            values = _read_export(export, row, found)
            reads += [values] if values is not None and len(values) else []
            files.append((row["file"], "export", row["plate"], file_sha256(export)))
        if row["layout"] in maps:
            continue
        path = _path(row["layout"], row["plate"], Path(folder), found)
        maps[row["layout"]] = None
        if path is not None:
            maps[row["layout"]] = _read_layout(path, row["layout"], layouts, found)
            files.append((row["layout"], "layout", "", file_sha256(path)))
    kept = [layout for layout in maps.values() if layout is not None]
    return PlatesRead(
        pd.concat(reads, ignore_index=True) if reads else empty("reads"),
        pd.concat(kept, ignore_index=True) if kept else empty("layout"),
        pd.DataFrame(files, columns=["file", "kind", "plate", "sha256"]).astype("str"),
        found,
    )


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


def _read_export(path: Path, row: Row, found: Problems) -> "pd.DataFrame | None":
    from drp.plates import scan_plate

    reads, problems = scan_plate(path, reader=row.get("reader") or "auto", plate=row["plate"])
    found.extend(problems)
    held = sorted(set(reads["plate_index"]))
    asked = row.get("plate_index", "")
    if len(held) > 1 and not asked:
        found.error(
            "plates.which-plate",
            Place(path.name, plate=row["plate"]),
            f"the export holds {len(held)} plates",
            "Say which in the column plate_index of plates.tsv: 1 for the first.",
        )
        return None
    if asked and asked not in {str(number) for number in held}:
        found.error(
            "plates.no-such-plate",
            Place(path.name, plate=row["plate"]),
            f"plate_index is {asked!r}, the export holds {len(held)} plates",
            "Give a number from 1.",
        )
        return None
    own = reads[reads["plate_index"].astype(str) == asked] if asked else reads
    return own.assign(plate=row["plate"])


def _read_layout(
    path: Path, name: str, layouts: Mapping[str, Mapping[str, Any]], found: Problems
) -> "pd.DataFrame":
    from drp.plates import scan_layout

    options = layouts.get(name, {})
    unit, roles = options.get("dose_unit"), options.get("roles")
    layout, problems = scan_layout(path, dose_unit=unit, roles=roles)
    found.extend(problems)
    return layout.assign(layout=name)
