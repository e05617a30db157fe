"""What is known of each drug: names, class, target, and the concentration a patient reaches.

The facts are two tables in `drp/data`: `drugs.tsv` (one row per drug) and `exposure.tsv` (one row
per published peak or steady-state plasma concentration). A laboratory may override and extend them
(`drp.drug_sheets`); functions take such a table as their last argument and use the shipped one
without it. Only a verified value enters a call, and none is averaged: of several schedules the
laboratory names the one that applies. Class, target and caveat are general pharmacology and want a
pharmacist's eye before clinical use.
"""

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal, cast

from drp.problems import DataError, Place, Problem

InVitro = Literal["yes", "limited", "no"]
Confidence = Literal["usable", "doubtful", "binding only"]


@dataclass(frozen=True, slots=True)
class Drug:
    """One drug.

    Attributes
    ----------
    name : str
        Generic name, the one every table and report uses.
    synonyms : tuple of str
        Other names, codes and brands.
    drug_class, targets, status_in_all : str
        Class, primary targets, and its standing in acute lymphoblastic leukaemia (ALL).
    exvivo : {"yes", "limited", "no"}
        Whether a plate of some days can read it; "no" for prodrugs, antibodies, cells, slow agents.
    caveat : str
        What to bear in mind, or what to test in its place; empty if nothing is known.
    exvivo_range : str
        Range of doses usually tested, with its unit; empty where it is not tested.
    pubchem_cid : str
        PubChem compound id where it was confirmed, else empty.
    """

    name: str
    synonyms: tuple[str, ...]
    drug_class: str
    targets: str
    status_in_all: str
    exvivo: InVitro
    caveat: str
    exvivo_range: str
    pubchem_cid: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One published plasma concentration of one drug under one schedule.

    Attributes
    ----------
    drug, analyte : str
        The drug given, and what was measured (F-ara-A for fludarabine).
    schedule, population : str
        Dose and route; who was measured.
    cmax_nm : float or None
        Total concentration, nM; None where only the protein binding is known.
    kind : str
        Peak, plateau, steady state or trough.
    unbound_fraction, cmax_free_nm : (float, float) or None
        Lower and upper bound of the fraction (0 to 1) and of the free concentration (nM); equal
        where one value is stated.
    verification : str
        Kind of source the value was read in: verified-label, -paper, -review, or not-found.
    confidence : {"usable", "doubtful", "binding only"}
        Only a usable value may enter a call.
    remark, source, source_url, cmax_as_stated : str
        What is doubtful about it, where it stands, and the value as printed there.
    """

    drug: str
    analyte: str
    schedule: str
    population: str
    cmax_as_stated: str
    cmax_nm: float | None
    kind: str
    unbound_fraction: tuple[float, float] | None
    cmax_free_nm: tuple[float, float] | None
    verification: str
    confidence: Confidence
    remark: str
    source: str
    source_url: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One row by which a laboratory changed the table: the drug, what it says, and the row."""

    drug: str
    words: str
    row: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DrugTable:
    """Drugs and plasma concentrations together, with what a laboratory changed in them.

    Examples
    --------
    >>> shipped_table().edits
    ()
    """

    drugs: tuple[Drug, ...]
    exposures: tuple[Exposure, ...]
    edits: tuple[Edit, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Drug]:
        """Every drug under its name and its synonyms, in lower case."""
        synonyms = {_key(name): drug for drug in self.drugs for name in drug.synonyms}
        return synonyms | {_key(drug.name): drug for drug in self.drugs}

    @cached_property
    def levels_of(self) -> dict[str, tuple[Exposure, ...]]:
        """Every plasma concentration by the drug's name in lower case."""
        found: dict[str, list[Exposure]] = {}
        for row in self.exposures:
            found.setdefault(_key(row.drug), []).append(row)
        return {name: tuple(rows) for name, rows in found.items()}

    def edits_of(self, names: Iterable[str]) -> list[Edit]:
        """Give the changes that concern some drugs, named as in the layouts."""
        wanted = {_key(_name(name, self)) for name in names} if self.edits else set()
        return [edit for edit in self.edits if _key(edit.drug) in wanted]


@cache
def shipped_table() -> DrugTable:
    """Give the table that ships with drp."""
    return DrugTable(load_drugs(), load_exposures())


@cache
def load_drugs() -> tuple[Drug, ...]:
    """Give every drug of the table, in its order.

    Examples
    --------
    >>> len(load_drugs())
    105
    """
    return tuple(drug_of(row) for row in _rows("drugs.tsv"))


@cache
def load_exposures() -> tuple[Exposure, ...]:
    """Give every published concentration of the table, usable or not, in its order.

    Examples
    --------
    >>> {exposure.confidence for exposure in load_exposures()} >= {"usable", "doubtful"}
    True
    """
    return tuple(exposure_of(row) for row in _rows("exposure.tsv"))


def find(name: str, table: DrugTable | None = None) -> Drug | None:
    """Find a drug by its name or a synonym, whatever the case.

    Parameters
    ----------
    name : str
        Name as a laboratory writes it; blanks around it do not matter.
    table : DrugTable, optional
        The table to look in; without it, the shipped one. So in all functions here.

    Returns
    -------
    Drug or None
        None if the table does not know the name; `nearest` then says what may have been meant.

    Examples
    --------
    >>> find("abt-199").name
    'Venetoclax'
    >>> find("venetoklax") is None
    True
    """
    return (table or shipped_table()).by_name.get(_key(name))


def nearest(name: str, table: DrugTable | None = None) -> str | None:
    """Give the known drug whose name or synonym is spelt most like `name`, for a message.

    Parameters
    ----------
    name : str
        A name that `find` does not know.

    Returns
    -------
    str or None
        The generic name, or None if nothing is similar. It is never used in place of the name.

    Examples
    --------
    >>> nearest("venetoklax")
    'Venetoclax'
    >>> nearest("xyz") is None
    True
    """
    known = (table or shipped_table()).by_name
    matches = difflib.get_close_matches(_key(name), known, n=1, cutoff=0.75)
    return known[matches[0]].name if matches else None


def exposures(drug: str, table: DrugTable | None = None) -> tuple[Exposure, ...]:
    """Give every published concentration of one drug, usable or not; empty if there is none.

    Parameters
    ----------
    drug : str
        Name or synonym.

    Examples
    --------
    >>> [exposure.cmax_nm for exposure in exposures("Velcade")]
    [291.5, 580.4, 53.09]
    """
    return (table or shipped_table()).levels_of.get(_key(_name(drug, table)), ())


def exposure(
    drug: str, schedule: str | None = None, table: DrugTable | None = None
) -> tuple[Exposure | None, str]:
    """Give the one concentration that may enter a call, or the reason why there is none.

    Parameters
    ----------
    drug : str
        Name or synonym.
    schedule : str, optional
        The schedule that applies, exactly as in `exposure.tsv`; needed where several are usable.

    Returns
    -------
    exposure : Exposure or None
        A usable value, with `cmax_nm` set.
    reason : str
        Why there is none; empty if there is one.

    Raises
    ------
    DataError
        The table has no such schedule for the drug.

    Examples
    --------
    >>> exposure("venetoclax")[0].cmax_nm
    2418.0
    >>> exposure("bortezomib")
    (None, 'several schedules: configuration names none')
    >>> exposure("bortezomib", "1.3 mg/m2 SC, repeated dosing")[0].cmax_nm
    53.09
    >>> exposure("vincristine")
    (None, 'no verified value')
    """
    rows = [row for row in exposures(drug, table) if row.cmax_nm is not None]
    if schedule is not None:
        rows = [_named(drug, schedule, rows)]
    usable = [row for row in rows if row.confidence == "usable"]
    if len(usable) == 1:
        return usable[0], ""
    if usable:
        return None, "several schedules: configuration names none"
    if rows:
        remarks = dict.fromkeys(row.remark for row in rows)
        return None, f"no verified value: doubtful ({'; '.join(remarks)})"
    return None, "no verified value"


def cmax_nm(
    drugs: Iterable[str],
    schedules: Mapping[str, str] | None = None,
    table: DrugTable | None = None,
) -> dict[str, float]:
    """Give the total plasma concentration of each drug that has a usable one.

    Parameters
    ----------
    drugs : iterable of str
        Names as they stand in the layout.
    schedules : mapping of str to str, optional
        Drug (name or synonym, any case) to the schedule that applies.

    Returns
    -------
    dict of str to float
        Lower-case name, as given in `drugs`, to nM. A drug without a usable value is absent.

    Raises
    ------
    DataError
        The table has no such schedule for a drug of `schedules`.

    Examples
    --------
    >>> cmax_nm(["Venetoclax", "Bortezomib"], {"velcade": "1.3 mg/m2 SC, repeated dosing"})
    {'venetoclax': 2418.0, 'bortezomib': 53.09}
    """
    found = {}
    for drug in drugs:
        value, _ = applicable_exposure(drug, schedules or {}, table)
        if value is not None and value.cmax_nm is not None:
            found[drug.strip().lower()] = value.cmax_nm
    for drug in schedules or {}:
        applicable_exposure(
            drug, schedules or {}, table
        )  # a schedule that does not exist is an error
    return found


def applicable_exposure(
    drug: str, schedules: Mapping[str, str], table: DrugTable | None = None
) -> tuple[Exposure | None, str]:
    """Give the concentration that counts for a drug under a laboratory's schedules, or why none.

    Parameters
    ----------
    drug : str
        Name or synonym.
    schedules : mapping of str to str
        Drug (name or synonym, any case) to the schedule that applies.

    Examples
    --------
    >>> applicable_exposure("Velcade", {"bortezomib": "1.3 mg/m2 SC, repeated dosing"})[0].cmax_nm
    53.09
    """
    chosen = {_key(_name(named, table)): schedule for named, schedule in schedules.items()}
    return exposure(drug, chosen.get(_key(_name(drug, table))), table)


def free_words(exposure: Exposure) -> str:
    """Give the unbound concentration in words; empty where it is not known.

    >>> free_words(exposure("venetoclax")[0])
    'at most 24 nM'
    >>> free_words(exposure("dasatinib")[0])
    '8.6 nM'
    """
    if exposure.cmax_free_nm is None:
        return ""
    low, high = (f"{float(f'{bound:.2g}'):,.15g}" for bound in exposure.cmax_free_nm)
    if low == high:
        return f"{high} nM"
    return f"at most {high} nM" if low == "0" else f"{low} to {high} nM"


def _rows(file: str) -> list[dict[str, str]]:
    text = (files("drp") / "data" / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _name(drug: str, table: DrugTable | None = None) -> str:
    known = find(drug, table)
    return known.name if known else drug


def drug_of(row: Mapping[str, str]) -> Drug:
    """Read a drug from a row of `drugs.tsv`, whose cells were checked."""
    return Drug(
        name=row["drug"],
        synonyms=tuple(part.strip() for part in row["synonyms"].split(";") if part.strip()),
        drug_class=row["drug_class"],
        targets=row["targets"],
        status_in_all=row["status_in_all"],
        exvivo=cast(InVitro, row["exvivo"]),
        caveat=row["caveat"],
        exvivo_range=row["exvivo_range"],
        pubchem_cid=row["pubchem_cid"],
    )


def exposure_of(row: Mapping[str, str]) -> Exposure:
    """Read a plasma concentration from a row of `exposure.tsv`, whose cells were checked."""
    return Exposure(
        drug=row["drug"],
        analyte=row["analyte"],
        schedule=row["schedule"],
        population=row["population"],
        cmax_as_stated=row["cmax_as_stated"],
        cmax_nm=float(row["cmax_nm"]) if row["cmax_nm"] else None,
        kind=row["kind"],
        unbound_fraction=_bounds(row["unbound_fraction"], 1.0),
        cmax_free_nm=_bounds(row["cmax_free_nm"], float(row["cmax_nm"] or "inf")),
        verification=row["verification"],
        confidence=cast(Confidence, row["confidence"]),
        remark=row["remark"],
        source=row["source"],
        source_url=row["source_url"],
    )


def _bounds(text: str, most: float) -> tuple[float, float] | None:
    """Read ``0.17``, ``<0.01``, ``>0.99`` or ``0.71-0.81`` as bounds between 0 and `most`."""
    if not text:
        return None
    numbers = [float(number) for number in re.findall(r"[0-9.]+", text)]
    if text.startswith("<"):
        return 0.0, numbers[0]
    if text.startswith(">"):
        return numbers[0], most
    return numbers[0], numbers[-1]


def _named(drug: str, schedule: str, rows: list[Exposure]) -> Exposure:
    for row in rows:
        if _key(row.schedule) == _key(schedule):
            return row
    known = "; ".join(repr(row.schedule) for row in rows) or "none"
    problem = Problem(
        "drugs.unknown-schedule",
        "error",
        Place(locator=f"schedule of {drug}"),
        f"there is no schedule {schedule!r} for {drug}",
        f"Name one of: {known}.",
    )
    raise DataError([problem])
