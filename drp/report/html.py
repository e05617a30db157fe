"""The report as one self-contained HTML page: no request, no script, readable on paper."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from drp.report.figures import FIGURE_STYLE
from drp.report.phrases import catalogue
from drp.report.record import PatientRecord
from drp.report.view import view

TEMPLATES = Path(__file__).parent / "templates"
SIMULATED = "SIMULATED DATA: no patient, no specimen"


def render_html(
    record: PatientRecord, generated_at: str, shown: dict[str, Any] | None = None
) -> str:
    """Render a record as HTML.

    Parameters
    ----------
    record : PatientRecord
    generated_at : str
        ISO 8601 time; printed, and the only thing that differs between two runs.
    shown : dict, optional
        What `view` gives for these, if it is at hand: drawing the figures is half the work.

    Returns
    -------
    str
        The page. Every text of the record is escaped; figures are inline SVG.
    """
    shown = shown or view(record, generated_at)
    say = catalogue(shown["language"]).label
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            **shown,
            figure_style=FIGURE_STYLE,
            say=say,
            simulated_words=say(SIMULATED),
            footer=f"{record.patient} · {say('report')} {record.report_id}"
            + (f" · {say('DRAFT')}" if shown["draft"] else ""),
        )
    )


@cache
def environment() -> Environment:
    """Give the template environment: everything is escaped, an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["css_text"] = css_text
    return made


def script_hash(script: str) -> str:
    """Give the hash by which a page's policy lets its own script run, and no other.

    >>> script_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def css_text(words: str) -> str:
    r"""Write text for a quoted CSS string: all but plain letters, digits and spaces by number.

    Nothing in it can end the string, the rule or the style element.

    >>> css_text('P1 "</style>')
    'P1 \\22 \\3c \\2f style\\3e '
    """
    return "".join(
        character
        if character == " " or (character.isascii() and character.isalnum())
        else f"\\{ord(character):x} "
        for character in words
    )
