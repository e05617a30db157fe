"""The report as PDF/A, tagged, A4: the same record and figures as the HTML, set by typst.

The record reaches the typst template as data and is never read as markup. Only the fonts that come
with the package are used, so that a report looks the same everywhere.
"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from drp.report.html import SIMULATED, TEMPLATES
from drp.report.pdf_content import as_source, marks, of_the_view
from drp.report.phrases import catalogue
from drp.report.record import PatientRecord
from drp.report.view import view

FONTS = Path(__file__).parent / "fonts"
# PDF/A-2a (archiving, tagged) and PDF/UA-1 (accessible).
STANDARDS: Final = ("a-2a", "ua-1")


def render_pdf(
    record: PatientRecord, generated_at: str, shown: dict[str, Any] | None = None
) -> bytes:
    """Render a record as PDF.

    Parameters
    ----------
    record : PatientRecord
    generated_at : str
        ISO 8601 time; also the creation date in the file, so that equal calls give equal bytes.
    shown : dict, optional
        What `view` gives for these, if it is at hand.

    Returns
    -------
    bytes
        A tagged PDF/A-2a and PDF/UA-1 file.
    """
    shown = shown or view(record, generated_at)
    content = of_the_view(shown) | {
        "simulated_words": catalogue(shown["language"]).label(SIMULATED),
        "creation": _moment(generated_at).timetuple()[:6],
    }
    pages = _compiler().compile(
        input=as_source(content),
        format="pdf",
        pdf_standards=list(STANDARDS),
        timestamp=_moment(generated_at),
        sys_inputs={"fixed": _fixed(shown["language"])},
    )
    if not isinstance(pages, bytes):
        raise TypeError(f"typst gave {type(pages).__name__}, not one file")
    return pages


@cache
def _fixed(language: str) -> str:
    """Give what is the same for all patients: typst forgets all it has set where an input differs.

    One input and no more, as it is not told in which order several are given.
    """
    return json.dumps({"phrases": dict(catalogue(language).exact), "marks": marks()})


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(
        root=TEMPLATES,
        font_paths=typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]
        ),
    )


def _moment(generated_at: str) -> datetime:
    time = datetime.fromisoformat(generated_at)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
