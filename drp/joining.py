"""Join readings, layouts and sheets to one row per well, in plain columns.

What is wrong with the join is found here, before anything is computed: a well that the layout fills
but nobody read, a choice between measurements or controls that nobody made, a saturated control.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from drp.plain_tables import Columns, kinds_of, no_rows
from drp.problems import Place, Problems
from drp.wellnames import parse_well, smallest_format

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
Well = dict[str, Any]

_NAN = float("nan")
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
    readings = _rows_by(reads, "plate", ("well", "read", *_UNREAD))
    maps = _rows_by(layouts, "layout", ("well", "locator", *_UNMAPPED))
    joined: list[Well] = []
    for plate in sorted(plates, key=lambda plate: plate["plate"]):
        before = len(found.errors)
        values = _chosen_read(readings.get(plate["plate"], []), plate, read, found)
        if values is None:
            continue
        wells = _fill(values, maps.get(plate["layout"], []), plate)
        _name_samples(wells, plate, found)
        _mark_exclusions(wells, plate["plate"], reasons.get(plate["plate"], {}), found)
        _check_unread(wells, plate["plate"], found)
        _choose_controls(wells, plate["plate"], normalisation, found)
        if keep_faulty or len(found.errors) == before:
            joined += wells
    if not joined:
        return no_rows(WELLS)
    return {name: [well[name] for well in joined] for name in WELLS}


def _rows_by(table: Columns, key: str, wanted: Iterable[str]) -> dict[str, list[Well]]:
    """The rows of a table, with the columns that are used of it, by the column `key`."""
    names = [name for name in wanted if name in table]
    grouped: dict[str, list[Well]] = {}
    rows = zip(*(table[name] for name in names), strict=True)
    for group, values in zip(table[key], rows, strict=True):
        grouped.setdefault(group, []).append(dict(zip(names, values, strict=True)))
    return grouped


def _chosen_read(
    values: list[Well], plate: Mapping[str, str], read: str | None, found: Problems
) -> list[Well] | None:
    """Give the readings of the measurement that counts; which one is never guessed."""
    names = sorted({value["read"] for value in values})
    if not names:
        return None  # the export could not be read; that problem is already on the list
    wanted = plate.get("read") or read
    if wanted is None and len(names) == 1:
        return values
    if wanted is not None and wanted in names:
        return [value for value in values if value["read"] == wanted]
    asked = f"{wanted!r} is not among them" if wanted else "none is chosen"
    found.error(
        "wells.which-read",
        Place(values[0]["file"], plate=plate["plate"]),
        f"the export holds the measurements {', '.join(names)} and {asked}",
        "Name one in the column read of plates.tsv, or as read: in config.yaml.",
    )
    return None


def _fill(values: list[Well], layout: list[Well], plate: Mapping[str, str]) -> list[Well]:
    """Wells that were read but are in no layout are empty; mapped wells may lack a reading."""
    read_of = {value["well"]: value for value in values}
    map_of = {entry["well"]: entry for entry in layout}
    own = {"run": plate.get("run", ""), "plate": plate["plate"], "control": ""}
    wells = []
    for name in read_of.keys() | map_of.keys():
        mapped, value = map_of.get(name, {}), read_of.get(name, {})
        row, column = parse_well(name) or (0, 0)
        # The reading goes last: both tables have a locator, and that of the value is kept.
        well = _UNMAPPED | mapped | _UNREAD | value | own | {"row": row, "column": column}
        well["layout_locator"] = mapped.get("locator", "")
        wells.append(well)
    size = prod(_shape(wells))
    for well in wells:
        well["format"] = size
    return sorted(wells, key=lambda well: (well["row"], well["column"]))


def _name_samples(wells: list[Well], plate: Mapping[str, str], found: Problems) -> None:
    """The sample of each well: the layout's where it names one, else the plate's only sample."""
    on_plate = [part.strip() for part in plate["sample"].split(";") if part.strip()]
    only = on_plate[0] if len(on_plate) == 1 else ""
    strangers = sorted({well["sample"] for well in wells} - set(on_plate) - {""})
    if strangers:
        found.error(
            "wells.unknown-sample",
            Place(plate["layout"], plate=plate["plate"]),
            f"the layout names the samples {', '.join(strangers)}, the plate holds "
            f"{', '.join(on_plate)}",
            "List the plate's samples, separated by ';', in plates.tsv.",
        )
    for well in wells:
        well["sample"] = well["sample"] or only
    orphans = [w["well"] for w in wells if w["role"] == "sample" and not w["sample"]]
    if orphans:
        found.error(
            "wells.no-sample",
            Place(plate["layout"], plate=plate["plate"], well=orphans[0]),
            f"{len(orphans)} drug wells belong to no sample, {orphans[0]} the first",
            "Name the sample of each well in the layout, or one sample per plate in plates.tsv.",
        )


def _mark_exclusions(
    wells: list[Well], plate: str, reasons: Mapping[str, str], found: Problems
) -> None:
    for name in sorted(reasons.keys() - {well["well"] for well in wells}):
        found.error(
            "wells.unknown-exclusion",
            Place("exclusions.tsv", plate=plate, well=name),
            "the plate has no such well",
            "Correct the well or remove the line.",
        )
    for well in wells:
        by_hand = reasons.get(well["well"], "")
        well["excluded"] = well["well"] in reasons or bool(well["failed"])
        well["reason"] = "; ".join(part for part in (by_hand, well["failed"]) if part)


def _check_unread(wells: list[Well], plate: str, found: Problems) -> None:
    """A well with a drug or a control must have been read; one list of wells, not one each."""
    due = [well for well in wells if well["role"] != "empty" and not well["excluded"]]
    unread = [well["well"] for well in due if well["status"] == "not_read"]
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        file = max(well["file"] for well in wells)
        found.error(
            "wells.no-value",
            Place(file, plate=plate, well=unread[0]),
            f"the layout fills {len(unread)} wells for which the export has no value: "
            f"{', '.join(unread[:_SHOWN])}{more}",
            "Check that layout and export belong together; mark wells left empty as role empty.",
        )
    # A saturated negative control would put 100 % too low; the reader warns of other wells.
    for well in due:
        if well["role"] == "negative" and well["status"] == "saturated":
            found.error(
                "wells.saturated-control",
                Place(well["file"], well["locator"], plate, well["well"]),
                "a negative control is saturated",
                "Repeat the reading at a lower gain, or exclude the well and say why.",
            )


def _choose_controls(
    wells: list[Well], plate: str, normalisation: Mapping[str, Any], found: Problems
) -> None:
    """Choose the wells that scale the plate; which negatives is never guessed."""
    usable = [well for well in wells if well["status"] == "ok" and not well["excluded"]]
    for well in usable:
        positive = well["role"] == "positive" and normalisation.get("use_positive", True)
        if positive or well["role"] == "blank":
            well["control"] = well["role"]
    negative = [well for well in usable if well["role"] == "negative"]
    wanted = [name.casefold() for name in normalisation.get("negative_controls", [])]
    vehicles = sorted({well["drug"] for well in negative})
    if wanted:
        negative = [well for well in negative if well["drug"].casefold() in wanted]
    elif len(vehicles) > 1:
        found.error(
            "wells.which-control",
            Place(plate=plate),
            f"the negative controls are of several kinds: {', '.join(vehicles)}",
            "Name those that define 100 % in normalisation.negative_controls of config.yaml.",
        )
    inner = _inside(wells, int(normalisation.get("ignore_outer_layers", 0)))
    for well in negative:
        if well["row"] in inner[0] and well["column"] in inner[1]:
            well["control"] = "negative"
    _check_arms(wells, plate, found)


def _inside(wells: list[Well], layers: int) -> tuple[range, range]:
    """Rows and columns of a plate without its outer layers."""
    rows, columns = _shape(wells)
    return range(layers + 1, rows - layers + 1), range(layers + 1, columns - layers + 1)


def _shape(wells: list[Well]) -> tuple[int, int]:
    return smallest_format(
        max(well["row"] for well in wells), max(well["column"] for well in wells)
    )


def _check_arms(wells: list[Well], plate: str, found: Problems) -> None:
    """A plate needs negative controls, and so does every arm of it with the same partner."""
    scaled = {well["addon"] for well in wells if well["control"] == "negative"}
    if not scaled:
        found.warning(
            "wells.no-control",
            Place(plate=plate),
            "no negative control is usable",
            "The plate cannot be scaled: it fails, and its drugs are not evaluable.",
        )
        return
    for partner in sorted({w["addon"] for w in wells if w["role"] == "sample"} - scaled):
        arm = f"with {partner}" if partner else "without a partner"
        found.warning(
            "wells.no-arm-control",
            Place(plate=plate),
            f"the arm {arm} has no usable negative control of its own",
            "Its wells cannot be scaled: the drugs of that arm are not evaluable.",
        )
