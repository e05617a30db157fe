"""The report as PDF/A, tagged, A4: the same record and figures as the HTML, set by typst.

The record reaches the typst template as data and is never read as markup. Only the fonts that come
with the package are used, so that a report looks the same everywhere.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import typst

from drp.report.figures import FIGURE_STYLE
from drp.report.html import SIMULATED, TEMPLATES
from drp.report.phrases import catalogue
from drp.report.record import PatientRecord
from drp.report.view import view

FONTS = Path(__file__).parent / "fonts"
# PDF/A-2a (archiving, tagged) and PDF/UA-1 (accessible).
STANDARDS: Final = ("a-2a", "ua-1")
# What the fonts can show; anything else is printed by its number, as PDF/A allows no missing glyph.
_SHOWN = "\n -~\u00a0-\u0148\u014a-\u017f\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0400-\u045f"
_SHOWN += "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2032\u2033\u20ac\u2122"
_SHOWN += "\u2190-\u2193\u2212\u2248\u2260\u2264\u2265"
_NOT_SHOWN = re.compile(f"[^{_SHOWN}]|\u00ad")


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
    phrases = catalogue(shown["language"])
    content = shown | {
        "simulated_words": phrases.label(SIMULATED),
        "creation": _moment(generated_at).timetuple()[:6],
    }
    pages = _compiler().compile(
        input=_document(_each_text(_with_axes_apart(content), _printable)),
        format="pdf",
        pdf_standards=list(STANDARDS),
        timestamp=_moment(generated_at),
        # Never of a patient: typst forgets all it has set where an input differs.
        sys_inputs={"phrases": json.dumps(dict(phrases.exact))},
    )
    if not isinstance(pages, bytes):
        raise TypeError(f"typst gave {type(pages).__name__}, not one file")
    return pages


def printable(words: str) -> str:
    """Write characters the fonts lack as their code points; nothing vanishes.

    >>> printable("Z′ ≥ 0.4, 漢")
    'Z′ ≥ 0.4, [U+6F22]'
    """
    if words.isascii() and words.isprintable():
        return words
    return _NOT_SHOWN.sub(lambda found: f"[U+{ord(found[0]):04X}]", words)


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(
        root=TEMPLATES,
        font_paths=typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]
        ),
    )


def _document(content: dict[str, Any]) -> bytes:
    """Hand the content to the template, as JSON in a string that holds no mark-up."""
    quoted = json.dumps(content).replace("\\", "\\\\").replace('"', '\\"')
    return f'#import "/report.typ": report\n#report(json(bytes("{quoted}")))'.encode()


def _with_axes_apart(content: dict[str, Any]) -> dict[str, Any]:
    """Part the curves' axes, which most share, from what is drawn on them: text is dear to read."""
    samples = []
    for sample in content["samples"]:
        results = sample["results"]
        if results is not None:
            panels = [one | {"figure": _apart(one["figure"])} for one in results["panels"]]
            results = results | {"panels": panels}
        samples.append(sample | {"results": results})
    return content | {"samples": samples}


def _apart(figure: dict[str, str] | None) -> dict[str, str] | None:
    found = figure and _AXES.match(figure["svg"])
    if not figure or not found:
        return figure
    svg = figure["svg"]
    return figure | {
        "axes": f"{found['size']}>{found['axes']}</svg>",
        "svg": svg[: found.start("axes")] + svg[found.end("axes") :],
    }


# A curve begins with its lines and labels; those of one size, doses and unit are the same.
_AXES = re.compile(
    r'(?P<size><svg role="img" viewBox="[^"]*")[^>]*>'
    r'(?P<axes><path class="g"[^>]*/>(?:<text [^>]*>[^<]*</text>)+)'
)


def _moment(generated_at: str) -> datetime:
    time = datetime.fromisoformat(generated_at)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _printable(words: str) -> str:
    return _standalone(words) if words.startswith("<svg ") else printable(words)


@lru_cache(maxsize=512)  # marks and axes come back all the time
def _standalone(svg: str) -> str:
    """Make an inline SVG a document of its own: name space, font, and styles as attributes.

    Reading a style sheet takes longer than reading most of the drawings.
    """
    opening = '<svg xmlns="http://www.w3.org/2000/svg" font-family="Inter" '
    return opening + _CLASSES.sub(_attributes, printable(svg).removeprefix("<svg "))


@cache
def _styled(classes: str) -> str:
    return " ".join(_CLASS_STYLES[name] for name in classes.split() if name in _CLASS_STYLES)


def _attributes(found: re.Match[str]) -> str:
    return _styled(found[1])


def _style_attributes() -> dict[str, str]:
    """Give each class of a figure as presentation attributes."""
    rules = re.findall(r"\.(\w+)\{(.*?)\}", FIGURE_STYLE)
    pairs = {name: [line.split(":") for line in style.split(";")] for name, style in rules}
    return {
        name: " ".join(f'{key}="{value}"' for key, value in styles)
        for name, styles in pairs.items()
    }


_CLASSES = re.compile(r'(?<= )class="([a-z ]*)"')
_CLASS_STYLES = _style_attributes()


def _each_text(content: Any, change: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, dict):
        return {key: _each_text(value, change) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_each_text(value, change) for value in content]
    return content
