"""One row of the sheet of patients: its cells into facts, checked against each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from drp.problems import Place, Problems
from drp.risk.cells import (
    read_age,
    read_answer,
    read_choice,
    read_date,
    read_em_sites,
    read_months,
    read_relapse_number,
)
from drp.risk.genetics import read_genetics
from drp.risk.mrd import Mrd, read_mrd
from drp.risk.refusal import RefusedError
from drp.risk.timing import Dates, Elapsed, Months

IMMUNOPHENOTYPES = ("B", "T", "MPAL")
SITES = ("isolated_marrow", "combined", "isolated_em")
MRD_TIME_POINTS = ("end_of_induction", "end_of_block_1")
SHEET = "patients.tsv"
UNKNOWN = ("", "na")

# Months that someone rounded are up to a month apart from the calendar; ages in whole years a year.
_MONTHS_APART = 1
_AGES_APART_MONTHS = 13

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of one relapse; None where it is not known, which is never "no".

    Attributes
    ----------
    em_sites : frozenset of str, optional
        Extramedullary sites; empty if there are none.
    since_diagnosis, off_therapy : Dates or Months, optional
        Time to the relapse from diagnosis, and from the end of therapy.
    eoi_mrd : Mrd, optional
        Marrow MRD at the end of induction (block 1).
    mrd_time_point : str, optional
        When it was measured, in words; not given, it serves every system.
    genetics : frozenset of str, optional
        Lesions found; empty if tested and none found.
    """

    patient: str
    immunophenotype: str | None
    site: str | None
    em_sites: frozenset[str] | None
    since_diagnosis: Elapsed | None
    off_therapy: Elapsed | None
    on_therapy: bool | None
    eoi_mrd: Mrd | None
    mrd_time_point: str | None
    age_at_diagnosis_y: Decimal | None
    age_at_relapse_y: Decimal | None
    genetics: frozenset[str] | None
    down_syndrome: bool | None
    prior_hsct: bool | None
    relapse_number: int | None
    second_remission: bool | None


def read_patient(cells: Mapping[str, str], problems: Problems) -> Patient | None:
    """Read one row and check it against itself.

    Parameters
    ----------
    cells : mapping
        Text by column, ``patient`` among them; an absent column, an empty cell or ``NA`` is not
        known.
    problems : Problems
        Takes every fault found, located by patient and column.

    Returns
    -------
    Patient or None
        The facts; None if there was an error.

    Examples
    --------
    >>> problems = Problems()
    >>> read_patient({"patient": "P01", "age_at_relapse_y": "150"}, problems) is None
    True
    >>> print(problems.items[0])
    error risk.out-of-range: patients.tsv, row for P01, column age_at_relapse_y: 150 years cannot
    be right. Write 0 to 110 years.
    """
    return _Row(cells, problems).patient()


class _Row:
    """One row while it is read; remembers whether it had an error."""

    def __init__(self, cells: Mapping[str, str], problems: Problems) -> None:
        self.cells = cells
        self.problems = problems
        self.faulty = False

    def read(self, column: str, reader: Callable[[str], Parsed]) -> Parsed | None:
        text = self.cells.get(column, "")
        if text.casefold() in UNKNOWN:
            return None
        try:
            return reader(text)
        except RefusedError as refused:
            self.error(refused.code, column, refused.found, refused.fix)
            return None

    def error(self, code: str, column: str, found: str, fix: str) -> None:
        self.faulty = True
        self.problems.error(f"risk.{code}", self.place(column), found, fix)

    def place(self, column: str) -> Place:
        return Place(SHEET, f"row for {self.cells['patient']}, column {column}")

    def patient(self) -> Patient | None:
        patient = Patient(
            patient=self.cells["patient"],
            immunophenotype=self.read(
                "immunophenotype", lambda text: read_choice(text, IMMUNOPHENOTYPES)
            ),
            site=self.read("site", lambda text: read_choice(text, SITES)),
            em_sites=self.read("em_sites", read_em_sites),
            **self._times(),
            eoi_mrd=self.read("eoi_mrd", read_mrd),
            mrd_time_point=self.read("mrd_time_point", _read_time_point),
            age_at_diagnosis_y=self.read("age_at_diagnosis_y", read_age),
            age_at_relapse_y=self.read("age_at_relapse_y", read_age),
            genetics=self.read("genetics", read_genetics),
            down_syndrome=self.read("down_syndrome", read_answer),
            prior_hsct=self.read("prior_hsct", read_answer),
            relapse_number=self.read("relapse_number", read_relapse_number),
            second_remission=self.read("second_remission", read_answer),
        )
        self._check_site(patient)
        self._check_ages(patient)
        return None if self.faulty else patient

    def _times(self) -> dict[str, Any]:
        on_therapy = self.read("on_therapy", read_answer)
        diagnosis = self.read("diagnosis_date", read_date)
        stop = self.read("end_of_therapy_date", read_date)
        relapse = self.read("relapse_date", read_date)
        self._check_order(on_therapy, diagnosis, stop, relapse)
        if relapse and stop and stop > relapse:
            stop = None  # a planned end; the relapse came on therapy
        since = self._elapsed("months_dx_to_relapse", diagnosis, relapse)
        off = self._elapsed("months_end_of_therapy_to_relapse", stop, relapse)
        self._check_times(on_therapy, since, off)
        return {"on_therapy": on_therapy, "since_diagnosis": since, "off_therapy": off}

    def _elapsed(self, column: str, start: date | None, end: date | None) -> Elapsed | None:
        months = self.read(column, read_months)
        if start is None or end is None or start > end:
            return None if months is None else Months(months)
        elapsed = Dates(start, end)
        by_calendar = elapsed.approximate_months()
        if months is not None and abs(months - by_calendar) > _MONTHS_APART:
            found = f"{months} months, but {by_calendar:.1f} by the dates {start} and {end}"
            self.error("times-disagree", column, found, "Correct one, or leave the months empty.")
        return elapsed

    def _check_order(
        self,
        on_therapy: bool | None,
        diagnosis: date | None,
        stop: date | None,
        relapse: date | None,
    ) -> None:
        if diagnosis and relapse and relapse < diagnosis:
            found = f"relapse on {relapse} is before diagnosis on {diagnosis}"
            self.error("relapse-before-diagnosis", "relapse_date", found, "Correct the dates.")
        if diagnosis and stop and stop < diagnosis:
            found = f"end of therapy on {stop} is before diagnosis on {diagnosis}"
            self.error("end-before-diagnosis", "end_of_therapy_date", found, "Correct the dates.")
        if relapse and stop and stop > relapse and not on_therapy:
            found = f"end of therapy on {stop} is after relapse on {relapse}"
            fix = "Write on_therapy Y if the relapse came on therapy, or correct the dates."
            self.error("end-after-relapse", "end_of_therapy_date", found, fix)

    def _check_times(
        self, on_therapy: bool | None, since: Elapsed | None, off: Elapsed | None
    ) -> None:
        if on_therapy and off is not None and _months(off) > 0:
            found = f"on therapy, but therapy ended {_months(off):.1f} months before the relapse"
            self.error("on-therapy-ended", "on_therapy", found, "Correct one of the two.")
        # Two pairs of dates were compared day by day before.
        by_dates = isinstance(since, Dates) + isinstance(off, Dates)
        slack = _MONTHS_APART if by_dates == 1 else 0
        if since and off and by_dates < 2 and _months(off) > _months(since) + slack:
            found = "more months since the end of therapy than since diagnosis"
            column = "months_end_of_therapy_to_relapse"
            self.error("end-before-diagnosis", column, found, "Correct one of the two.")

    def _check_site(self, patient: Patient) -> None:
        em_sites, site = patient.em_sites, patient.site
        if site == "isolated_marrow" and em_sites:
            found = f"site is isolated_marrow, but em_sites is {'; '.join(sorted(em_sites))}"
            fix = "Write site combined, or em_sites none."
            self.error("site-contradiction", "em_sites", found, fix)
        if site in ("combined", "isolated_em") and em_sites == frozenset():
            found = f"site is {site}, but em_sites is none"
            fix = (
                "Name the sites, leave em_sites empty if not known, or write site isolated_marrow."
            )
            self.error("site-contradiction", "em_sites", found, fix)

    def _check_ages(self, patient: Patient) -> None:
        at_diagnosis, at_relapse = patient.age_at_diagnosis_y, patient.age_at_relapse_y
        if at_diagnosis is None or at_relapse is None:
            return
        if at_relapse < at_diagnosis:
            found = f"age {at_relapse} at relapse is below age {at_diagnosis} at diagnosis"
            self.error("age-order", "age_at_relapse_y", found, "Correct one of the two.")
        elif patient.since_diagnosis is not None:
            by_age, months = 12 * (at_relapse - at_diagnosis), _months(patient.since_diagnosis)
            if abs(by_age - months) > _AGES_APART_MONTHS:
                found = f"{by_age:.0f} months between the ages, {months:.0f} between the events"
                place = self.place("age_at_relapse_y")
                fix = "Check ages and dates; the class uses each as it stands."
                self.problems.warning("risk.age-time-disagree", place, found, fix)


def _read_time_point(text: str) -> str:
    return read_choice(text, MRD_TIME_POINTS).replace("_", " ")


def _months(elapsed: Elapsed) -> Decimal:
    return elapsed.value if isinstance(elapsed, Months) else elapsed.approximate_months()
