"""Layouts: what was put into which well, from the files a laboratory writes."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from drp.plain_tables import Columns, kinds_of, make_frame
from drp.plates.layouts.contents import DOSED, is_above_zero
from drp.plates.layouts.entries import SUFFIXES, Entry, Options
from drp.plates.layouts.formats import choose_layout
from drp.plates.layouts.units import ALLOWED, is_unit
from drp.plates.pages import open_source
from drp.problems import DataError, Place, Problem, Problems
from drp.tables import ROLES
from drp.wellnames import well_name

if TYPE_CHECKING:
    import pandas as pd

LAYOUT = kinds_of(
    "layout",
    dict.fromkeys(
        ("sample", "dose_value", "dose_value_unit", "raw_role", "layout_plate", "addon", "failed"),
        "text",
    ),
)
_HIGH_NM = 1e6
_LOW_NM = 1e-3


def read_layout(
    path: str | Path,
    *,
    dose_unit: str | None = None,
    roles: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    stocks: Mapping[str, str] | None = None,
    well_volume_ul: float | None = None,
) -> "pd.DataFrame":
    r"""Read a layout: what was put into which well.

    Parameters
    ----------
    path : str or Path
        A tidy table, text (TSV, CSV, ``;``) or xlsx, with one line per well and the columns well
        (``A1``, ``A01``, ``A001``), drug, dose, and if used role, dose_unit, drug2, dose2, drug3,
        dose3, sample. Usual other names of columns are understood (``wellID``, ``WellType``,
        ``Treatment``, ``concentration`` …). Or a layout of another kind in
        `drp.plates.layouts.formats.LAYOUTS`: drawn like the plate, of iTReX, of a dispenser.
    dose_unit : str, optional
        Unit of the doses for which the file writes none: nM, uM, µM, mM, M, pM, log10 M, IU/mL,
        ug/mL.
    roles : mapping of str to str, optional
        Roles of drugs or words of the file, for example ``{"STS": "positive"}``. Without a role
        and without a word here, DMSO, PBS and the like are negative controls, all else is a drug.
    names : mapping of str to str, optional
        Names in the file to names of drugs, as for the labels of a dispenser.
    stocks : mapping of str to str, optional
        Drug to the concentration of its stock, ``{"Venetoclax": "10 mM"}``, where the file records
        volumes only.
    well_volume_ul : float, optional
        Volume in a well before anything is dispensed, µL, where the file records volumes only.

    Returns
    -------
    DataFrame
        Table `layout`: molar doses in nM, rounded to 12 significant digits. Controls have no dose;
        their substance stays in `drug`. Further columns: sample; dose_value and dose_value_unit as
        written (several doses joined by ``|``); raw_role as written; layout_plate, the plate as the
        file names it; addon, a partner of the whole arm at a dose that is not stated; failed, why a
        well was not filled as planned. Where a file describes several plates, `layout` is
        ``file#plate``.

    Raises
    ------
    DataError
        Listing everything that is wrong with the file. `scan_layout` gives warnings as well.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "layout.tsv"
    >>> _ = path.write_text("well\tdrug\tdose\nA01\tDMSO\t0.3\nA02\tVenetoclax\t0.0032\n")
    >>> read_layout(path, dose_unit="uM")[["well", "role", "drug", "dose", "dose_unit"]]
      well      role        drug  dose dose_unit
    0   A1  negative        DMSO   NaN
    1   A2    sample  Venetoclax   3.2        nM
    """
    layout, problems = scan_layout(
        path,
        dose_unit=dose_unit,
        roles=roles,
        names=names,
        stocks=stocks,
        well_volume_ul=well_volume_ul,
    )
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    return layout


def scan_layout(
    path: str | Path,
    *,
    dose_unit: str | None = None,
    roles: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    stocks: Mapping[str, str] | None = None,
    well_volume_ul: float | None = None,
) -> tuple["pd.DataFrame", list[Problem]]:
    """Read what can be read of a layout, and list everything that is wrong or odd.

    Parameters
    ----------
    path, dose_unit, roles, names, stocks, well_volume_ul
        As in `read_layout`.

    Returns
    -------
    layout : DataFrame
        Table `layout`, without the wells that have an error.
    problems : list of Problem
        Errors and warnings in the order they were found.
    """
    layout, problems = scan_layout_columns(
        path,
        dose_unit=dose_unit,
        roles=roles,
        names=names,
        stocks=stocks,
        well_volume_ul=well_volume_ul,
    )
    return make_frame(layout, "layout", LAYOUT), problems


def scan_layout_columns(
    path: str | Path,
    *,
    dose_unit: str | None = None,
    roles: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    stocks: Mapping[str, str] | None = None,
    well_volume_ul: float | None = None,
) -> tuple[Columns, list[Problem]]:
    """Do as `scan_layout`, and give the table as plain columns, for which pandas is not needed."""
    found = Problems()
    volume = float("nan") if well_volume_ul is None else float(well_volume_ul)
    options = Options(dose_unit or "", roles or {}, names or {}, stocks or {}, volume)
    file = Path(path).name
    _check_options(options, file, found)
    source = open_source(path, "layout", found)
    entries: list[Entry] = []
    reader = choose_layout(source, found) if source is not None else None
    if source is not None and reader is not None and not found.errors:
        entries = reader.read(source, options, found)
        _check_controls(entries, file, found)
        _check_drugs(entries, file, found)
        if not entries and not found.errors:
            text = "the layout has no wells"
            found.error("layout.empty", Place(file), text, "Write one line per well.")
    return _columns(entries, file), found.items


def role_mapping(layout: "pd.DataFrame | Columns") -> list[tuple[str, str, str, int]]:
    r"""Show what the words of a layout were taken for.

    Parameters
    ----------
    layout : DataFrame or dict of str to list
        Table `layout`.

    Returns
    -------
    list of tuple
        Word of the layout for the role (empty where the role follows from the drug), drug, role,
        number of wells. The drugs of sample wells are put together, with an empty name.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "layout.tsv"
    >>> _ = path.write_text("well\trole\tdrug\tdose\nA1\tNEG\tDMSO\t\nA2\t\tX\t3\nA3\t\tY\t3\n")
    >>> role_mapping(read_layout(path, dose_unit="uM"))
    [('', '', 'sample', 2), ('NEG', 'DMSO', 'negative', 1)]
    """
    counts: dict[tuple[str, str, str], int] = {}
    words = layout["raw_role"] if "raw_role" in layout else [""] * len(layout["drug"])
    for word, drug, role in zip(words, layout["drug"], layout["role"], strict=True):
        key = (word, "" if role == "sample" else drug, role)
        counts[key] = counts.get(key, 0) + 1
    return [(*key, counts[key]) for key in sorted(counts)]


def _check_options(options: Options, file: str, found: Problems) -> None:
    """Check what the user states before it is used for any well."""
    for name, role in options.roles.items():
        if role not in ROLES:
            text = f"{name!r} is given the unknown role {role!r}"
            fix = f"Roles are {', '.join(ROLES)}."
            found.error("layout.unknown-role", Place(file), text, fix)
    if options.dose_unit and not is_unit(options.dose_unit):
        text = f"the unit {options.dose_unit!r} is not known"
        found.error("layout.unknown-unit", Place(file), text, f"Use one of {ALLOWED}.")
    if options.well_volume_ul <= 0:
        text = f"the volume of a well is {options.well_volume_ul:g} µL"
        found.error("layout.bad-volume", Place(file), text, "Give it in µL, above 0.")


def _check_controls(entries: list[Entry], file: str, found: Problems) -> None:
    """Say once for each substance that a number beside a control is not a dose."""
    numbered: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.role not in DOSED and is_above_zero(entry.dose_value):
            numbered.setdefault((entry.drugs[0], entry.role), []).append(entry)
    for (drug, role), wells in sorted(numbered.items()):
        text = f"{len(wells)} {role} wells of {drug!r} carry a number such as {wells[0].dose_value}"
        where = Place(file, wells[0].locator, well=well_name(*wells[0].well))
        found.warning("layout.control-dose", where, text, "It is kept, but is not used as a dose.")


def _check_drugs(entries: list[Entry], file: str, found: Problems) -> None:
    """Compare the doses of each drug: one kind of unit, and amounts that a plate can hold."""
    doses: dict[str, list[tuple[Entry, float]]] = {}
    for entry in entries:
        for drug, dose in zip(entry.drugs, entry.doses, strict=True):
            if drug and entry.role in DOSED and not isnan(dose):
                doses.setdefault(drug, []).append((entry, dose))
    for drug, given in sorted(doses.items()):
        units = sorted({entry.dose_unit for entry, _ in given})
        if len(units) > 1:
            other = next(entry for entry, _ in given if entry.dose_unit != given[0][0].dose_unit)
            where = Place(file, other.locator, well=well_name(*other.well))
            text = f"the doses of {drug} have different kinds of unit: {' and '.join(units)}"
            found.error("layout.mixed-units", where, text, "Write all its doses in one unit.")
        for entry, dose in given:
            if entry.dose_unit == "nM" and (dose > _HIGH_NM or 0 < dose < _LOW_NM):
                where = Place(file, entry.locator, well=well_name(*entry.well))
                text = f"{drug} has a dose of {dose:g} nM, above 1 mM or below 1 pM"
                found.warning("layout.odd-dose", where, text, "Check the unit.")
                break


def _columns(entries: list[Entry], file: str) -> Columns:
    several = len({entry.plate for entry in entries}) > 1
    columns: Columns = {
        "layout": [f"{file}#{entry.plate}" if several else file for entry in entries],
        "well": [well_name(*entry.well) for entry in entries],
        "layout_plate": [entry.plate for entry in entries],
    }
    for position, suffix in enumerate(SUFFIXES):
        columns[f"drug{suffix}"] = [entry.drugs[position] for entry in entries]
        columns[f"dose{suffix}"] = [entry.doses[position] for entry in entries]
    for name in LAYOUT.keys() - columns.keys():
        columns[name] = [getattr(entry, name) for entry in entries]
    return {name: columns[name] for name in LAYOUT}
