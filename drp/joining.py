"""Join readings, layouts and sheets to one row per well, in plain columns.

What is wrong with the join is found here, before anything is computed: a well that the layout fills
but nobody read, a choice between measurements or controls that nobody made, a saturated control.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from drp.plain_tables import Columns, kinds_of, no_rows
from drp.problems import Place, Problems
from drp.wellnames import FORMATS, parse_well, smallest_format

WELLS = kinds_of(
    "wells",
    {
        "addon": "text",
        "row": "count",
        "column": "count",
        "format": "count",
        "control": "text",
        "measured_at": "text",
        "registration": "text",
        "file": "text",
        "locator": "text",
        "layout_locator": "text",
    },
)
Maps = dict[str, dict[str, int]]

_NAN = float("nan")
# What a well is where no layout, or no reading, speaks of it.
_UNMAPPED = {
    "role": "empty",
    "dose_unit": "",
    "sample": "",
    "addon": "",
    "failed": "",
    **{f"drug{suffix}": "" for suffix in ("", "2", "3")},
    **{f"dose{suffix}": _NAN for suffix in ("", "2", "3")},
}
_UNREAD = {
    "signal": _NAN,
    "status": "not_read",
    "registration": "",
    "measured_at": "",
    "file": "",
    "locator": "",
}
_SHOWN = 12


def join_columns(
    reads: Columns,
    layouts: Columns,
    plates: Iterable[Mapping[str, str]],
    exclusions: Iterable[Mapping[str, str]],
    read: str | None,
    normalisation: Mapping[str, Any],
    found: Problems,
    *,
    keep_faulty: bool = False,
) -> Columns:
    """Join readings, layouts and sheets; see `drp.wells.join_wells`.

    Parameters
    ----------
    reads, layouts : dict of str to list
        Tables `reads` and `layout` as plain columns.
    plates, exclusions, read, normalisation
        As in `drp.wells.join_wells`.
    found : Problems
        Takes every problem. A plate with an error is left out.
    keep_faulty : bool
        Keep plates with an error too: a check may see what is behind it, nothing may be computed.

    Returns
    -------
    dict of str to list
        Table `wells` as plain columns, ordered by plate, row and column.
    """
    reasons: dict[str, dict[str, str]] = {}
    for entry in exclusions:
        reasons.setdefault(entry["plate"], {})[entry["well"]] = entry["reason"]
    readings, maps = _rows_of(reads["plate"]), _maps(layouts)
    joined = no_rows(WELLS)
    for plate in sorted(plates, key=lambda plate: plate["plate"]):
        before = len(found.errors)
        rows = _chosen_read(reads, readings.get(plate["plate"], []), plate, read, found)
        if rows is None:
            continue
        wells = _fill(reads, rows, layouts, maps.get(plate["layout"], {}), plate)
        _name_samples(wells, plate, found)
        _mark_exclusions(wells, plate["plate"], reasons.get(plate["plate"], {}), found)
        _check_unread(wells, plate["plate"], found)
        _choose_controls(wells, plate["plate"], normalisation, found)
        if keep_faulty or len(found.errors) == before:
            for name, values in joined.items():
                values += wells[name]
    return joined


def _rows_of(plates: list[str]) -> dict[str, list[int]]:
    """Where each plate's readings stand in the table."""
    found: dict[str, list[int]] = {}
    for row, plate in enumerate(plates):
        found.setdefault(plate, []).append(row)
    return found


def _maps(layouts: Columns) -> Maps:
    """Where each well of each layout stands in the table."""
    found: Maps = {}
    for row, (layout, well) in enumerate(zip(layouts["layout"], layouts["well"], strict=True)):
        found.setdefault(layout, {})[well] = row
    return found


def _chosen_read(
    reads: Columns, rows: list[int], plate: Mapping[str, str], read: str | None, found: Problems
) -> list[int] | None:
    """Give the readings of the measurement that counts; which one is never guessed."""
    measured = reads["read"]
    names = sorted({measured[row] for row in rows})
    if not names:
        return None  # the export could not be read; that problem is already on the list
    wanted = plate.get("read") or read
    if wanted is None and len(names) == 1:
        return rows
    if wanted is not None and wanted in names:
        return [row for row in rows if measured[row] == wanted]
    asked = f"{wanted!r} is not among them" if wanted else "none is chosen"
    found.error(
        "wells.which-read",
        Place(reads["file"][rows[0]], plate=plate["plate"]),
        f"the export holds the measurements {', '.join(names)} and {asked}",
        "Name one in the column read of plates.tsv, or as read: in config.yaml.",
    )
    return None


def _fill(
    reads: Columns,
    rows: list[int],
    layouts: Columns,
    mapped: dict[str, int],
    plate: Mapping[str, str],
) -> Columns:
    """Wells that were read but are in no layout are empty; mapped wells may lack a reading."""
    names = reads["well"]
    read = {names[row]: row for row in rows}
    places = sorted((parse_well(name) or (0, 0), name) for name in read.keys() | mapped.keys())
    wells = [name for _, name in places]
    shape = smallest_format(
        max(row for (row, _), _ in places), max(column for (_, column), _ in places)
    )
    at_map, at_read = [mapped.get(name) for name in wells], [read.get(name) for name in wells]
    # Both tables have a locator; that of the reading is kept under this name.
    filled = {name: _at(layouts, name, at_map, blank) for name, blank in _UNMAPPED.items()}
    filled |= {name: _at(reads, name, at_read, blank) for name, blank in _UNREAD.items()}
    filled |= {
        "well": wells,
        "row": [row for (row, _), _ in places],
        "column": [column for (_, column), _ in places],
        "layout_locator": _at(layouts, "locator", at_map, ""),
    }
    same: dict[str, Any] = {"run": plate.get("run", ""), "plate": plate["plate"], "control": ""}
    same["format"] = prod(shape)
    return filled | {name: [value] * len(wells) for name, value in same.items()}


def _at(table: Columns, name: str, rows: list[int | None], blank: Any) -> list[Any]:
    """A column at some rows; `blank` where there is no row, or no such column."""
    if name not in table:
        return [blank] * len(rows)
    values = table[name]
    return [blank if row is None else values[row] for row in rows]


def _name_samples(wells: Columns, plate: Mapping[str, str], found: Problems) -> None:
    """The sample of each well: the layout's where it names one, else the plate's only sample."""
    on_plate = [part.strip() for part in plate["sample"].split(";") if part.strip()]
    only = on_plate[0] if len(on_plate) == 1 else ""
    strangers = sorted(set(wells["sample"]) - set(on_plate) - {""})
    if strangers:
        found.error(
            "wells.unknown-sample",
            Place(plate["layout"], plate=plate["plate"]),
            f"the layout names the samples {', '.join(strangers)}, the plate holds "
            f"{', '.join(on_plate)}",
            "List the plate's samples, separated by ';', in plates.tsv.",
        )
    wells["sample"] = [sample or only for sample in wells["sample"]]
    cells = zip(wells["well"], wells["role"], wells["sample"], strict=True)
    orphans = [well for well, role, sample in cells if role == "sample" and not sample]
    if orphans:
        found.error(
            "wells.no-sample",
            Place(plate["layout"], plate=plate["plate"], well=orphans[0]),
            f"{len(orphans)} drug wells belong to no sample, {orphans[0]} the first",
            "Name the sample of each well in the layout, or one sample per plate in plates.tsv.",
        )


def _mark_exclusions(
    wells: Columns, plate: str, reasons: Mapping[str, str], found: Problems
) -> None:
    for name in sorted(reasons.keys() - set(wells["well"])):
        found.error(
            "wells.unknown-exclusion",
            Place("exclusions.tsv", plate=plate, well=name),
            "the plate has no such well",
            "Correct the well or remove the line.",
        )
    cells = list(zip(wells["well"], wells["failed"], strict=True))
    wells["excluded"] = [well in reasons or bool(failed) for well, failed in cells]
    wells["reason"] = [
        "; ".join(part for part in (reasons.get(well, ""), failed) if part) if out else ""
        for (well, failed), out in zip(cells, wells["excluded"], strict=True)
    ]


def _check_unread(wells: Columns, plate: str, found: Problems) -> None:
    """A well with a drug or a control must have been read; one list of wells, not one each."""
    taken_out, states = wells["excluded"], wells["status"]
    due = [row for row, role in enumerate(wells["role"]) if role != "empty" and not taken_out[row]]
    unread = [wells["well"][row] for row in due if states[row] == "not_read"]
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        found.error(
            "wells.no-value",
            Place(max(wells["file"]), plate=plate, well=unread[0]),
            f"the layout fills {len(unread)} wells for which the export has no value: "
            f"{', '.join(unread[:_SHOWN])}{more}",
            "Check that layout and export belong together; mark wells left empty as role empty.",
        )
    # A saturated negative control would put 100 % too low; the reader warns of other wells.
    for row in due:
        if states[row] == "saturated" and wells["role"][row] == "negative":
            found.error(
                "wells.saturated-control",
                Place(wells["file"][row], wells["locator"][row], plate, wells["well"][row]),
                "a negative control is saturated",
                "Repeat the reading at a lower gain, or exclude the well and say why.",
            )


def _choose_controls(
    wells: Columns, plate: str, normalisation: Mapping[str, Any], found: Problems
) -> None:
    """Choose the wells that scale the plate; which negatives is never guessed."""
    scaling = {"blank", "positive"} if normalisation.get("use_positive", True) else {"blank"}
    cells = zip(wells["role"], wells["status"], wells["excluded"], strict=True)
    usable = [status == "ok" and not out for _, status, out in cells]
    wells["control"] = [
        role if role in scaling and use else ""
        for role, use in zip(wells["role"], usable, strict=True)
    ]
    negative = [row for row, role in enumerate(wells["role"]) if role == "negative" and usable[row]]
    wanted = [name.casefold() for name in normalisation.get("negative_controls", [])]
    drugs = wells["drug"]
    vehicles = sorted({drugs[row] for row in negative})
    if wanted:
        negative = [row for row in negative if drugs[row].casefold() in wanted]
    elif len(vehicles) > 1:
        found.error(
            "wells.which-control",
            Place(plate=plate),
            f"the negative controls are of several kinds: {', '.join(vehicles)}",
            "Name those that define 100 % in normalisation.negative_controls of config.yaml.",
        )
    rows, columns = _inside(wells, int(normalisation.get("ignore_outer_layers", 0)))
    for row in negative:
        if wells["row"][row] in rows and wells["column"][row] in columns:
            wells["control"][row] = "negative"
    _check_arms(wells, plate, found)


def _inside(wells: Columns, layers: int) -> tuple[range, range]:
    """Rows and columns of a plate without its outer layers."""
    rows, columns = FORMATS[wells["format"][0]]
    return range(layers + 1, rows - layers + 1), range(layers + 1, columns - layers + 1)


def _check_arms(wells: Columns, plate: str, found: Problems) -> None:
    """A plate needs negative controls, and so does every arm of it with the same partner."""
    controls = zip(wells["addon"], wells["control"], strict=True)
    scaled = {addon for addon, control in controls if control == "negative"}
    if not scaled:
        found.warning(
            "wells.no-control",
            Place(plate=plate),
            "no negative control is usable",
            "The plate cannot be scaled: it fails, and its drugs are not evaluable.",
        )
        return
    roles = zip(wells["addon"], wells["role"], strict=True)
    for partner in sorted({addon for addon, role in roles if role == "sample"} - scaled):
        arm = f"with {partner}" if partner else "without a partner"
        found.warning(
            "wells.no-arm-control",
            Place(plate=plate),
            f"the arm {arm} has no usable negative control of its own",
            "Its wells cannot be scaled: the drugs of that arm are not evaluable.",
        )
