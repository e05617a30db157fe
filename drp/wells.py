"""Wells: what was read, joined with what was put there.

One row per well of each plate. Nothing is dropped: a well taken out by a person stays, marked
`excluded` with the reason; a well whose reading failed stays with its status. The column
`control` says which wells define 100 % and 0 % viability, so that every later stage uses the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from drp.problems import Place, Problems
from drp.tables import TABLES, check, empty
from drp.wellnames import parse_well, smallest_format


def join_wells(
    reads: pd.DataFrame,
    layouts: pd.DataFrame,
    plates: Iterable[Mapping[str, str]],
    exclusions: Iterable[Mapping[str, str]] = (),
    *,
    read: str | None = None,
    normalisation: Mapping[str, Any] | None = None,
    found: Problems | None = None,
) -> pd.DataFrame:
    """Join readings, layouts and sheets to one row per well.

    Parameters
    ----------
    reads : DataFrame
        Table `reads`; several measurements per well are allowed.
    layouts : DataFrame
        Table `layout`; one or more layouts.
    plates : iterable of mappings
        Rows of plates.tsv: plate, layout, sample and, if used, run and read.
    exclusions : iterable of mappings
        Rows of exclusions.tsv: plate, well, reason.
    read : str, optional
        The measurement to analyse where an export holds several.
    normalisation : mapping, optional
        `negative_controls` (substances), `ignore_outer_layers`, `use_positive`.
    found : Problems, optional
        Collects every problem; without it, errors are raised.

    Returns
    -------
    DataFrame
        Table `wells`, with `control` (``negative``, ``positive``, ``blank`` or empty: how the well
        is used to scale the plate), `row` and `column`. A plate with an error is left out, its
        problems are in `found`.

    Raises
    ------
    DataError
        If `found` is not given and something is wrong.
    """
    collected = Problems()
    exclusions = list(exclusions)
    parts = []
    for plate in plates:
        before = len(collected.errors)
        wells = _one_plate(reads, layouts, plate, exclusions, read, collected)
        if wells is not None:
            wells["control"] = _controls(wells, normalisation or {}, collected)
            if len(collected.errors) == before:
                parts.append(wells)
    if found is None:
        collected.raise_errors()
    else:
        found.extend(collected.items)
    if not parts:
        return empty("wells", {"control": "text", "row": "count", "column": "count"})
    joined = pd.concat(parts, ignore_index=True)
    return check(joined.sort_values(["plate", "row", "column"], ignore_index=True), "wells")


def _one_plate(
    reads: pd.DataFrame,
    layouts: pd.DataFrame,
    plate: Mapping[str, str],
    exclusions: list[Mapping[str, str]],
    read: str | None,
    found: Problems,
) -> pd.DataFrame | None:
    name = plate["plate"]
    values = _chosen_read(reads[reads["plate"] == name], name, plate.get("read") or read, found)
    layout = layouts[layouts["layout"] == plate["layout"]]
    if values is None:
        return None
    wells = layout.merge(
        values[["well", "signal", "status", "file", "locator"]],
        on="well",
        how="outer",
        suffixes=("_layout", ""),
    )
    _fill_unmapped(wells)
    wells["plate"] = name
    wells["run"] = plate.get("run", "")
    wells["sample"] = _samples(wells, plate, found)
    _mark_exclusions(wells, name, exclusions, found)
    _check_unread(wells[~wells["excluded"]], name, found)
    places = [parse_well(well) or (0, 0) for well in wells["well"]]
    wells["row"] = [row for row, _ in places]
    wells["column"] = [column for _, column in places]
    kept = [*TABLES["wells"].names, "row", "column"]
    return wells[kept].copy()


def _chosen_read(
    values: pd.DataFrame, plate: str, read: str | None, found: Problems
) -> pd.DataFrame | None:
    names = sorted(set(values["read"]))
    if not names:
        return None  # the export could not be read; that problem is already on the list
    if read is None and len(names) == 1:
        return values
    if read is not None and read in names:
        return values[values["read"] == read]
    file = str(values["file"].iloc[0])
    asked = f"{read!r} is not among them" if read else "none is chosen"
    found.error(
        "wells.which-read",
        Place(file, plate=plate),
        f"the export holds the measurements {', '.join(names)} and {asked}",
        "Name one in the column read of plates.tsv, or as read: in config.yaml.",
    )
    return None


def _fill_unmapped(wells: pd.DataFrame) -> None:
    """Wells that were read but are in no layout are empty; mapped wells may lack a reading."""
    wells["role"] = wells["role"].fillna("empty")
    for column in ("drug", "drug2", "drug3", "dose_unit", "file", "locator"):
        wells[column] = wells[column].fillna("")
    wells["status"] = wells["status"].fillna("not_read")


def _samples(wells: pd.DataFrame, plate: Mapping[str, str], found: Problems) -> list[str]:
    """The sample of each well: the layout's where it names one, else the plate's only sample."""
    on_plate = [part.strip() for part in plate["sample"].split(";") if part.strip()]
    named = wells["sample"].fillna("").tolist() if "sample" in wells else [""] * len(wells)
    only = on_plate[0] if len(on_plate) == 1 else ""
    strangers = sorted(set(named) - set(on_plate) - {""})
    if strangers:
        found.error(
            "wells.unknown-sample",
            Place(plate["layout"], plate=plate["plate"]),
            f"the layout names the samples {', '.join(strangers)}, the plate holds "
            f"{', '.join(on_plate)}",
            "List the plate's samples, separated by ';', in plates.tsv.",
        )
    samples = [name or only for name in named]
    orphans = [
        well
        for well, role, sample in zip(wells["well"], wells["role"], samples, strict=True)
        if role == "sample" and not sample
    ]
    if orphans:
        found.error(
            "wells.no-sample",
            Place(plate["layout"], plate=plate["plate"], well=orphans[0]),
            f"{len(orphans)} drug wells belong to no sample, {orphans[0]} the first",
            "Name the sample of each well in the layout, or one sample per plate in plates.tsv.",
        )
    return samples


def _check_unread(wells: pd.DataFrame, plate: str, found: Problems) -> None:
    """A well with a drug or a control must have been read; one list of wells, not one each."""
    unread = wells[(wells["role"] != "empty") & (wells["status"] == "not_read")]
    if len(unread):
        names = unread["well"].tolist()
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        found.error(
            "wells.no-value",
            Place(str(wells["file"].max()), plate=plate, well=names[0]),
            f"the layout fills {len(names)} wells for which the export has no value: {shown}",
            "Check that layout and export belong together; mark wells left empty as role empty.",
        )
    _check_saturated_controls(wells, plate, found)


def _check_saturated_controls(wells: pd.DataFrame, plate: str, found: Problems) -> None:
    """A saturated negative control would put 100 % too low; the reader warns of other wells."""
    saturated = wells[(wells["role"] == "negative") & (wells["status"] == "saturated")]
    for row in saturated.itertuples():
        found.error(
            "wells.saturated-control",
            Place(str(row.file), str(row.locator), plate, str(row.well)),
            "a negative control is saturated",
            "Repeat the reading at a lower gain, or exclude the well and say why.",
        )


def _mark_exclusions(
    wells: pd.DataFrame, plate: str, exclusions: list[Mapping[str, str]], found: Problems
) -> None:
    reasons = {row["well"]: row["reason"] for row in exclusions if row["plate"] == plate}
    for well in sorted(set(reasons) - set(wells["well"])):
        found.error(
            "wells.unknown-exclusion",
            Place("exclusions.tsv", plate=plate, well=well),
            "the plate has no such well",
            "Correct the well or remove the line.",
        )
    wells["excluded"] = wells["well"].isin(list(reasons))
    wells["reason"] = [reasons.get(well, "") for well in wells["well"]]


def _controls(wells: pd.DataFrame, normalisation: Mapping[str, Any], found: Problems) -> list[str]:
    """Choose the wells that scale the plate; which negatives is never guessed."""
    usable = (wells["status"] == "ok") & ~wells["excluded"]
    negative = usable & (wells["role"] == "negative")
    wanted = [name.casefold() for name in normalisation.get("negative_controls", [])]
    vehicles = sorted(set(wells.loc[negative, "drug"]))
    if wanted:
        negative &= wells["drug"].str.casefold().isin(wanted)
    elif len(vehicles) > 1:
        found.error(
            "wells.which-control",
            Place(plate=str(wells["plate"].iloc[0])),
            f"the negative controls are of several kinds: {', '.join(vehicles)}",
            "Name those that define 100 % in normalisation.negative_controls of config.yaml.",
        )
    negative &= ~_in_outer_layers(wells, int(normalisation.get("ignore_outer_layers", 0)))
    use_positive = bool(normalisation.get("use_positive", True))
    positive = usable & (wells["role"] == "positive") & use_positive
    blank = usable & (wells["role"] == "blank")
    control = pd.Series("", index=wells.index)
    control[negative], control[positive], control[blank] = "negative", "positive", "blank"
    if not negative.any():
        found.warning(
            "wells.no-control",
            Place(plate=str(wells["plate"].iloc[0])),
            "no negative control is usable",
            "The plate cannot be scaled: it fails, and its drugs are not evaluable.",
        )
    return control.tolist()


def _in_outer_layers(wells: pd.DataFrame, layers: int) -> pd.Series:
    rows, columns = smallest_format(int(wells["row"].max()), int(wells["column"].max()))
    inside = wells["row"].between(layers + 1, rows - layers) & wells["column"].between(
        layers + 1, columns - layers
    )
    return ~inside
