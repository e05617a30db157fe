"""Tidy layouts: one line per well, in columns found by their names.

Columns are well (or row and column), drug, dose, dose_unit, and if used plate, role, drug2, dose2,
drug3, dose3, sample, addon.
"""

from collections.abc import Callable
from difflib import get_close_matches

from drp.plates.columns import Tidy, find_tidy, plain_name
from drp.plates.layouts.contents import read_entry
from drp.plates.layouts.entries import SUFFIXES, Entry, Options
from drp.plates.layouts.gaps import note_gaps
from drp.plates.layouts.merged import check_merged
from drp.plates.layouts.rules import Rules, Written, make_rules, say_remarks
from drp.plates.pages import Source
from drp.plates.values import Decimal, find_decimal
from drp.problems import Place, Problems
from drp.wellnames import well_name

NAME = "tidy"
MEANING = "tables with one line per well and columns well (or row and column), drug, dose"

# What a column, a block or a sheet of a layout may be called, in `plain_name`'s form.
CONTENTS = {
    "role": ("role", "welltype"),
    "dose_unit": ("doseunit", "unit", "concentrationunit"),
    "sample": ("sample", "sampleid"),
    "addon": ("addon",),
    **{
        f"{ours}{suffix}": tuple(
            f"{name}{end}" for name in names for end in ((suffix,) if suffix else ("", "1"))
        )
        for suffix in SUFFIXES
        for ours, names in (
            ("drug", ("drug", "name", "treatment", "compound", "agent", "gnumber")),
            ("dose", ("dose", "concentration", "conc")),
        )
    },
}
COLUMNS = {
    "plate": ("plate", "plateid", "barcode"),
    "well": ("well", "wellid"),
    "row": ("row", "wellrow"),
    "column": ("column", "col", "wellcolumn"),
    **CONTENTS,
}
_OPTIONAL = ("role", "dose_unit", "sample", "addon")  # what a line may leave out unnoticed
_ALMOST = 0.8  # likeness from which an unknown name is a misspelt one
# A column with such a beginning that we do not know may hold what was put into the wells.
_TELLING = ("dose", "conc", "drug", "gnumber", "compound", "treatment", "agent", "unit", "role")


def recognise(source: Source) -> bool:
    """Say whether a file holds a tidy layout.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return bool(_tables(source))


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read the tidy layout of a file, of one plate or of several told apart by a column plate.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        Unit, roles and names that the user states.
    found : Problems
        Takes everything that is wrong, line by line.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of the file.
    """
    return read_tables(_tables(source), source, lambda decimal: make_rules(options, decimal), found)


def _tables(source: Source) -> list[Tidy]:
    return find_tidy(source, COLUMNS, ("well", "drug"))


def read_tables(
    tables: list[Tidy], source: Source, make: Callable[[Decimal], Rules], found: Problems
) -> list[Entry]:
    """Read the one table of a file that has a line per well.

    Parameters
    ----------
    tables : list of Tidy
        The tables found; more or fewer than one is an error.
    source : Source
        The opened file.
    make : callable
        Gives the rules when the decimal sign of the file is known.
    found : Problems
        Takes everything that is wrong.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of the file.
    """
    if len(tables) != 1:
        text = f"{len(tables)} tables with the columns well and drug were found, one is needed"
        fix = "The first line names the columns: well, role, drug, dose, dose_unit."
        found.error("layout.unrecognised", Place(source.file), text, fix)
        return []
    (table,) = tables
    _check_columns(table, source.file, found)
    check_merged(source.file, [table.page], found)
    lines = table.rows()
    cells = [(line, f"dose{suffix}") for line in lines for suffix in SUFFIXES]
    decimal, faults = find_decimal(table.text(line, column) for line, column in cells)
    for fault in faults:
        line, column = cells[fault.position]
        where = Place(source.file, table.place(line, column), well=table.well_text(line))
        text = f"the dose {table.text(line, column).strip()!r} {fault.fault}"
        fix = "Write numbers without thousands separators and with one decimal sign."
        found.error("layout.ambiguous-number", where, text, fix)
    if faults or table.twice:
        return []
    rules = make(decimal)
    entries = _read_lines(table, lines, source.file, rules, found)
    say_remarks(rules, found)
    if not found.errors:
        note_gaps(entries, source.file, found)
    return entries


def _check_columns(table: Tidy, file: str, found: Problems) -> None:
    where = Place(file, table.page.line(table.header))
    if table.twice:
        text = f"columns mean the same as others: {', '.join(table.twice)}"
        found.error("layout.duplicate-column", where, text, "Keep one of them.")
    known = set(table.cells.values())
    header = [cell.strip() for cell in table.page.rows[table.header]]
    others = [name for cell, name in enumerate(header) if cell not in known]
    names = [name for names in COLUMNS.values() for name in names]
    for name in others:
        near = get_close_matches(plain_name(name), names, n=1, cutoff=_ALMOST)
        if near and plain_name(name) != near[0] and not plain_name(name).endswith("id"):
            text = f"there is no column {name!r}; is it meant as {near[0]!r}?"
            fix = "Correct the name, or give the column quite another one."
            found.error("layout.unknown-column", where, text, fix)
    unused = [name for name in others if plain_name(name).startswith(_TELLING)]
    unused = [name for name in unused if name not in table.twice]
    if unused:
        text = f"columns are not used: {', '.join(map(repr, unused))}"
        fix = "If they say what is in the wells, call them drug, dose, drug2, dose2, dose_unit …"
        found.warning("layout.unused-column", where, text, fix)


def _read_lines(
    table: Tidy, lines: list[int], file: str, rules: Rules, found: Problems
) -> list[Entry]:
    entries: list[Entry] = []
    first: dict[tuple[str, tuple[int, int]], str] = {}
    several = any(table.text(line, "plate").strip() for line in lines)
    for line in lines:
        locator, plate = table.page.line(line), table.text(line, "plate").strip()
        well = table.well(line)
        if not _is_whole(table, line, file, found):
            continue
        if well is None:
            text = f"{table.well_text(line)!r} is no well"
            found.error(
                "layout.bad-well", Place(file, locator, plate), text, "Wells are A1 to AF48."
            )
            continue
        place = Place(file, locator, plate, well_name(*well))
        if several and not plate:
            text = "the line names no plate, others do"
            found.error("layout.no-plate", place, text, "Name the plate in every line.")
            continue
        if (plate, well) in first:
            text = f"the well is given twice, here and at {first[plate, well]}"
            found.error("layout.duplicate-well", place, text, "Keep the line that is right.")
            continue
        first[plate, well] = locator
        entry = read_entry(_written(table, line, well, plate), rules, place, found)
        entries += [entry] if entry is not None else []
    return entries


def _is_whole(table: Tidy, line: int, file: str, found: Problems) -> bool:
    """Say whether a line of a text file has all its fields: what a short one lost, nobody knows."""
    page, cells = table.page, table.page.rows[line]
    short = not page.sheet and len(cells) != table.width()
    cut = not page.terminated and line == len(page.rows) - 1
    if not (short or cut):
        return True
    where = Place(file, page.line(line), well=table.well_text(line))
    fix = "If the file is whole, save it with a last line end."
    if short:
        text = f"the line has {len(cells)} fields, the header has {table.width()}"
        fix = "Write every field, empty ones too; put one that holds the separator in quotes."
        found.error("layout.short-row", where, text, fix)
    elif cells[-1].strip():
        text = f"the last line has no line end, the file may be cut off after {cells[-1]!r}"
        found.error("layout.truncated", where, text, fix)
    elif any(table.cells.get(column) == len(cells) - 1 for column in _OPTIONAL):
        found.warning("layout.no-line-end", where, "the last line has no line end", fix)
    return not short and not cells[-1].strip()


def _written(table: Tidy, line: int, well: tuple[int, int], plate: str) -> Written:
    return Written(
        well=well,
        plate=plate,
        role=table.text(line, "role").strip(),
        drugs=[table.text(line, f"drug{suffix}").strip() for suffix in SUFFIXES],
        doses=[table.text(line, f"dose{suffix}").strip() for suffix in SUFFIXES],
        unit=table.text(line, "dose_unit").strip(),
        sample=table.text(line, "sample").strip(),
        addon=table.text(line, "addon").strip(),
    )
