"""Kaleido exports (EnSight and other readers of PerkinElmer, Revvity): CSV, one plate or several.

A block of values stands below a title ``Result for …`` (``Results for …`` in older releases) and a
line with the barcode. Results of an analysis are calculated, images have no values, and the
platemap only looks like values. The number of rows and columns in the footer is not used: releases
give them the wrong way round.
"""

from drp.plates.blocks import Block
from drp.plates.grid import find_grids, find_stray_rows
from drp.plates.pages import Page, Source
from drp.plates.readers.kaleido_blocks import (
    Data,
    block_faults,
    check_titles,
    find_data,
    is_whole,
)
from drp.plates.readers.kaleido_information import (
    EXPORTED,
    PLATEMAP,
    Footer,
    is_kaleido,
    read_footer,
)
from drp.problems import Place, Problem, Problems

NAME = "kaleido"
MEANING = "Kaleido exports (EnSight) with blocks 'Result for …'"

_FIX = "Export the plate again."
_MODES = (
    ("lum", ("lum", "us lum", "ultra sensitive lum")),
    ("abs", ("abs",)),
    ("fluo", ("fluo", "fi ", "trf", "time-resolved", "htrf", "lance", "alpha")),
)
_EXCITATION = ("excitation wavelength [nm]", "exc. filter [nm]", "excitation filter")
_EMISSION = ("emission wavelength [nm]", "em. filter [nm]", "emission filter")


def recognise(source: Source) -> bool:
    """Say whether a file is a Kaleido export, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return any(is_kaleido(page) for page in source.pages)


def read(source: Source, found: Problems) -> list[Block]:
    """Read every measured block of a Kaleido export.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes what is wrong with the file as a whole.

    Returns
    -------
    list of Block
        Plates, known by their barcodes, in the order of the file.
    """
    blocks: list[Block] = []
    for page in source.pages:
        if is_kaleido(page):
            before = max((block.plate_index for block in blocks), default=0)
            blocks += _read_page(page, source.file, before, found)
    return blocks


def _read_page(page: Page, file: str, before: int, found: Problems) -> list[Block]:
    footer = read_footer(page)
    grids = find_grids(page, file)
    found.extend(find_stray_rows(page, grids, file))
    data = find_data(page, grids, footer, file, found)
    check_titles(page, data, file, found)
    measured = [entry for entry in data if entry.measured]
    if not measured and not found.errors:
        text = "no measured block: only images or results of an analysis" if data else "no block"
        found.error("plate.no-measured-block", Place(file), text, "Export the measured values.")
    _check_end(page, footer, measured, file, found)
    _check_footer(footer, measured, file, found)
    maps = [entry.grid for entry in data if entry.kind == PLATEMAP]
    barcodes = list(dict.fromkeys(entry.barcode for entry in measured))
    blocks = []
    for entry in measured:
        index = before + 1 + barcodes.index(entry.barcode)
        faults = block_faults(entry, measured, maps, file)
        blocks.append(_block(entry, index, _label(entry, measured), footer, faults))
    return blocks


def _check_end(
    page: Page, footer: Footer, measured: list[Data], file: str, found: Problems
) -> None:
    """Check that the file was not cut off among its values."""
    if footer.complete or not measured:
        return
    if footer.present or all(is_whole(entry.grid) for entry in measured):
        text = f"the end of the file ({EXPORTED!r}) is missing"
        fix = "Check that no block is missing, or export the plate again."
        found.warning("plate.incomplete-footer", Place(file), text, fix)
    else:
        place = Place(file, page.line(len(page.rows) - 1))
        text = "the file ends below values that are not those of a whole plate"
        found.error("plate.truncated", place, text, _FIX)


def _check_footer(footer: Footer, measured: list[Data], file: str, found: Problems) -> None:
    """Compare barcodes and operations of the blocks with those that the footer names."""
    barcodes = {entry.barcode for entry in measured}
    if len(footer.started) == len(barcodes) and set(footer.started) != barcodes:
        text = f"barcodes of the blocks are {sorted(barcodes)}, of the footer {[*footer.started]}"
        found.error("plate.bad-information", Place(file), text, _FIX)
    for entry in measured:
        if footer.operations and entry.title not in footer.operations:
            place = Place(file, entry.grid.page.line(entry.grid.header))
            text = f"{entry.title!r} is none of the operations {[*footer.operations]}"
            found.error("plate.bad-information", place, text, _FIX)


def _block(data: Data, index: int, read: str, footer: Footer, faults: list[Problem]) -> Block:
    return Block(
        plate_index=index,
        read=read,
        readings=data.grid.readings(),
        locator=data.grid.page.line(data.grid.header),
        barcode=data.barcode,
        sheet=data.grid.page.sheet,
        mode=_mode(data.title, data.settings),
        wavelength_nm=_wavelengths(data) or _of_settings(data.settings),
        instrument=footer.instrument,
        software=footer.software,
        measured_at=footer.started.get(data.barcode, footer.measured_at),
        faults=faults,
    )


def _label(data: Data, measured: list[Data]) -> str:
    """Name a block by its operation, and by what else tells it from others of this operation."""
    parts = [data.title]
    if len({_wavelengths(other) for other in measured if other.title == data.title}) > 1:
        parts.append(_wavelengths(data))
    parts += [data.text("label-freeparameter"), data.text("trfwindow")]
    for name, text in (("repeat", data.repeat), ("well repeat", data.text("wellrepeat"))):
        parts += [f"{name} {text}"] if text not in ("", "1") else []
    return " ".join(part for part in parts if part)


def _mode(title: str, settings: dict[str, str]) -> str:
    """Give the mode by the name of the operation, else by its settings; empty if unknown."""
    name = f"{title.strip().lower()} "
    for mode, beginnings in _MODES:
        if name.startswith(beginnings):
            return mode
    excitation, _, emission = _of_settings(settings).partition("/")
    if excitation:
        return "fluo" if emission else "abs"
    return "lum" if any("detector" in key for key in settings) else ""


def _wavelengths(data: Data) -> str:
    pair = (data.text("excwl/filter"), data.text("emswl", "emwl"))
    return "/".join(text for text in pair if text)


def _of_settings(settings: dict[str, str]) -> str:
    """Give excitation and emission of an operation, as ``485/535`` or ``450``."""
    found = (
        next((settings[k] for k in keys if settings.get(k)), "")
        for keys in (_EXCITATION, _EMISSION)
    )
    return "/".join(text for text in found if text)
