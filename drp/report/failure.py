"""What stands in place of a report that could not be made: the same files, with the reason.

A patient whose report fails must not be missing from the folder, nor show the report of before as
if it were today's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import typst

from drp.problems import Problem
from drp.report.html import TEMPLATES, environment
from drp.report.pdf import FONTS
from drp.report.pdf_content import printable
from drp.report.prose import RESEARCH_USE

WHAT_TO_DO = (
    "Nothing is known of this patient's sample from this run. Other patients are not affected. "
    "Run drp check, then drp run again; if the fault stays, report it with the words above."
)
MEND_IT = (
    "Nothing is known of this patient's samples from this run, also not from their other plates. "
    "Other patients are not affected. Mend what is named above, then run drp run again."
)
_REFUSED = "plates"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """A report that could not be made: whose, in which stage, and the words of the fault.

    The stage is ``plates`` where a plate has an error, which is no fault of a stage.
    """

    patient: str
    stage: str
    error: str

    @property
    def words(self) -> str:
        """Say it in a sentence.

        >>> Failure("P01", "record", "KeyError: 'auc'").words
        "No report of P01: the stage record failed (KeyError: 'auc')."
        """
        return f"No report of {self.patient}: {self.short} ({self.error})."

    @property
    def short(self) -> str:
        """Say what failed."""
        if self.stage == _REFUSED:
            return "a plate cannot be used"
        return f"the stage {self.stage} failed"

    @property
    def advice(self) -> str:
        """Say what is known and what to do."""
        return MEND_IT if self.stage == _REFUSED else WHAT_TO_DO


def refusal_of(patient: str, problems: Sequence[Problem]) -> Failure:
    """Describe what is wrong with a patient's plates.

    >>> from drp.problems import Place
    >>> cut = Problem("plate.truncated", "error", Place("a.txt"), "it is cut off", "Export again.")
    >>> refusal_of("P01", [cut]).words
    'No report of P01: a plate cannot be used (a.txt: it is cut off. Export again.).'
    """
    named = [str(problem).split(": ", 1)[1] for problem in dict.fromkeys(problems)]
    more = f" And {len(named) - _SHOWN} more: see drp check." if len(named) > _SHOWN else ""
    return Failure(patient, _REFUSED, _one_line(" ".join(named[:_SHOWN]) + more))


def failure_of(patient: str, stage: str, fault: Exception) -> Failure:
    r"""Describe an exception, on one line, without control characters.

    >>> failure_of("P01", "record", ValueError("a\nb")).error
    'ValueError: a b'
    """
    return Failure(patient, stage, _one_line(f"{type(fault).__name__}: {fault}")[:500])


def fault_of(patient: str, fault: Mapping[str, str]) -> Failure:
    """Describe a sample that a stage could not compute.

    >>> fault_of("P01", {"sample": "S1", "stage": "curves", "error": "ValueError: a"}).words
    'No report of P01: the stage curves failed (sample S1: ValueError: a).'
    """
    words = f"sample {fault['sample']}: {fault['error']}"
    return Failure(patient, fault["stage"], _one_line(words)[:500])


def _one_line(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def read_failure(content: object) -> Failure | None:
    """Give the failure that a record file holds in place of a record; None if it is a record."""
    given = content.get("failure") if isinstance(content, dict) else None
    return Failure(**given) if isinstance(given, dict) else None


def failure_json(failure: Failure, generated_at: str | None = None) -> str:
    """Write the failure as JSON; with a time where it stands in place of a report."""
    head = {} if generated_at is None else {"generated_at": generated_at}
    return json.dumps(head | {"failure": asdict(failure)}, ensure_ascii=False, indent=1) + "\n"


def failure_html(failure: Failure, generated_at: str) -> str:
    """Render the failure as a self-contained page; every text of it is escaped."""
    page = environment().get_template("failure.html.j2")
    return page.render(failure=failure, generated=generated_at, research_use=RESEARCH_USE)


def failure_pdf(failure: Failure, generated_at: str) -> bytes:
    """Render the failure as a page of PDF; its texts reach the template as data."""
    texts = {
        "patient": failure.patient,
        "cause": f"{failure.short.capitalize()}: {failure.error}",
        "generated": generated_at,
        "what_to_do": failure.advice,
        "research_use": RESEARCH_USE,
    }
    content = {name: printable(text) for name, text in texts.items()}
    pages = _compiler().compile(format="pdf", sys_inputs={"content": json.dumps(content)})
    if not isinstance(pages, bytes):
        raise TypeError(f"typst gave {type(pages).__name__}, not one file")
    return pages


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]
    )
    return typst.Compiler(TEMPLATES / "failure.typ", font_paths=fonts)


def failure_fhir(failure: Failure) -> str:
    """Write the failure as a FHIR OperationOutcome, which no system takes for a report."""
    issue = {"severity": "fatal", "code": "exception", "diagnostics": failure.words}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return json.dumps(outcome, ensure_ascii=False, indent=1) + "\n"
