"""`reports/index.html`: all patients of a project, one row each, and links to its plates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import groupby
from typing import Any, Literal
from urllib.parse import quote

from drp.report.failure import Failure
from drp.report.html import SIMULATED, TEMPLATES, environment, script_hash
from drp.report.numerals import counted, listed
from drp.report.palette import VERDICT_MARKS, mark_shapes, mark_svg
from drp.report.plate_rows import review_path
from drp.report.prose import RESEARCH_USE
from drp.report.record import PatientRecord, UsableSample, Verdict
from drp.report.view import printed_time


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the index says of one patient, from the newest sample.

    `agents` are the drugs called sensitive, `elapsed` the days from collection to reading.
    """

    patient: str
    title: str
    laboratory: str
    simulated: bool
    sample: str
    n_samples: int
    verdict: Verdict
    usable: Literal["yes", "with caution", "no"]
    elapsed: str
    agents: str
    pair: str
    risk: str
    status: str
    approval: str


def index_row(record: PatientRecord) -> IndexRow:
    """Take a patient's row of the index from the record.

    Raises
    ------
    ValueError
        The record has no sample.
    """
    if not record.samples:
        raise ValueError(f"the record of {record.patient} has no sample")
    newest = record.samples[0]
    days = newest.days_collection_to_reading
    agents, pair = "no result", "no result"
    if isinstance(newest, UsableSample):
        called = [drug.drug for drug in newest.drugs if drug.call == "sensitive"]
        agents = listed(called, 4) or "none"
        best = newest.combinations[:1]
        pair = f"{best[0].combination}: {best[0].call}" if best else "none tested"
    return IndexRow(
        patient=record.patient,
        title=record.title,
        laboratory=record.laboratory,
        simulated=record.simulated,
        sample=newest.sample,
        n_samples=len(record.samples),
        verdict=newest.verdict,
        usable=newest.usable,
        elapsed="not given" if days is None else counted(days, "day"),
        agents=agents,
        pair=pair,
        risk=record.risk_lead,
        status=record.status,
        approval=_approval_words(record),
    )


def _approval_words(record: PatientRecord) -> str:
    """Say who released the newest sample, or why a given approval does not hold."""
    approval = record.samples[0].approval
    if approval is None:
        return ""
    given = f"by {approval.by}, {approval.date}"
    if not approval.valid:
        return f"approval {given} is void"
    return given if record.status == "released" else f"newest sample approved {given}"


def failed_row(failure: Failure) -> IndexRow:
    """Give the row of a patient whose report could not be made.

    >>> failed_row(Failure("P01", "record", "KeyError")).status
    'no report: the stage record failed'
    """
    return IndexRow(
        patient=failure.patient,
        title="",
        laboratory="",
        simulated=False,
        sample="",
        n_samples=0,
        verdict="fail",
        usable="no",
        elapsed="not given",
        agents="no result",
        pair="no result",
        risk="no result",
        approval="",
        status=f"no report: {failure.short}",
    )


def entry_of(record: PatientRecord | Failure) -> dict[str, Any]:
    """Give what the index needs of a record, as plain data, so that it need not be read again."""
    if isinstance(record, Failure):
        return {"row": asdict(failed_row(record)), "plates": {}, "failure": record.words}
    return {"row": asdict(index_row(record)), "plates": plate_verdicts(record), "failure": ""}


def read_entries(
    entries: Iterable[Mapping[str, Any]],
) -> tuple[list[IndexRow], dict[str, Verdict]]:
    """Give the rows, and the verdicts of all plates, of what `entry_of` gave."""
    rows: list[IndexRow] = []
    verdicts: dict[str, Verdict] = {}
    for entry in entries:
        rows.append(IndexRow(**entry["row"]))
        verdicts |= entry["plates"]
    return rows, verdicts


@dataclass(frozen=True, slots=True)
class ReviewedPlate:
    """A plate in the index: its run, its verdict, and where its review lies."""

    plate: str
    run: str
    verdict: Verdict
    link: str


def plate_verdicts(record: PatientRecord) -> dict[str, Verdict]:
    """Take the verdict of each of a patient's plates from the record."""
    return {plate.plate: plate.verdict for sample in record.samples for plate in sample.plates}


def reviewed_plates(
    run_of_plate: Mapping[str, str], verdicts: Mapping[str, Verdict]
) -> list[ReviewedPlate]:
    """List the plates that have a review page, by run and name.

    Parameters
    ----------
    run_of_plate, verdicts : mapping
        Each reviewed plate's run, and its verdict. A plate without a verdict is on no report.

    Examples
    --------
    >>> [plate.link for plate in reviewed_plates({"PL1": "R1"}, {"PL1": "pass"})]
    ['plates/R1/PL1.html']
    """
    return [
        ReviewedPlate(plate, run, verdicts[plate], review_path(run, plate))
        for run, plate in sorted((run, plate) for plate, run in run_of_plate.items())
        if plate in verdicts
    ]


def render_index(
    rows: Iterable[IndexRow],
    generated_at: str,
    plates: Sequence[ReviewedPlate] = (),
    *,
    cohort: bool = False,
) -> str:
    """Render the index of all patients as one self-contained HTML page.

    Parameters
    ----------
    rows : iterable of IndexRow
        In any order; the page is sorted by patient. It links to ``{patient}/report.html``.
    generated_at : str
        ISO 8601 time.
    plates : sequence of ReviewedPlate
        The plates with a review page, in the order of show.
    cohort : bool
        Whether there is a page of the cohort to link to.

    Examples
    --------
    >>> "0 patients" in render_index([], "2026-03-01T08:05:00+00:00")
    True
    """
    ordered = sorted(rows, key=lambda row: row.patient)
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            title=_common([row.title for row in ordered if row.title]) or "Reports",
            laboratory=_common([row.laboratory for row in ordered if row.laboratory]),
            count=counted(len(ordered), "patient"),
            cohort=cohort,
            simulated=any(row.simulated for row in ordered),
            simulated_words=SIMULATED,
            verdict_marks={verdict: mark_shapes(mark) for verdict, mark in VERDICT_MARKS.items()},
            script=_script(),
            script_hash=script_hash(_script()),
            research_use=RESEARCH_USE,
            generated=printed_time(generated_at),
            rows=[
                {
                    **asdict(row),
                    "link": f"{quote(row.patient, safe='')}/report",
                    "order": _VERDICT_ORDER[row.verdict],
                    "days": _first_number(row.elapsed),
                }
                for row in ordered
            ],
            runs=[
                (run, [asdict(p) | {"mark": mark_svg(VERDICT_MARKS[p.verdict])} for p in members])
                for run, members in groupby(plates, key=lambda plate: plate.run)
            ],
        )
    )


_VERDICT_ORDER: Mapping[Verdict, int] = {"pass": 0, "warn": 1, "fail": 2}


def _first_number(words: str) -> str:
    first = words.partition(" ")[0].replace(",", "")
    return first if first.isdigit() else "99999"


@cache
def _script() -> str:
    return (TEMPLATES / "index.js").read_text(encoding="utf-8")


def _common(texts: Sequence[str]) -> str:
    return listed(sorted(set(texts)))
