"""What the template of the PDF is given: what it prints, and nothing twice.

Reading what it is given takes typst a tenth of the time of a report. So marks are names, axes that
curves share stand once, and a drawing holds what is drawn and no more.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, get_args

from drp.report.figures import FIGURE_STYLE
from drp.report.palette import mark_svg
from drp.report.record import Mark

# What the fonts can show; anything else is printed by its number, as PDF/A allows no missing glyph.
SHOWN: Final = (
    "\n -~\u00a0-\u0148\u014a-\u017f\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0400-\u045f"
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2032\u2033\u20ac\u2122"
    "\u2190-\u2193\u2212\u2248\u2260\u2264\u2265"
)
_NOT_SHOWN = re.compile(f"[^{SHOWN}]|\u00ad")
# In JSON of plain letters, where all else is an escape.
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")

_CALL = ("mark", "call", "notes")
_IC50 = ("ic50", "ic50_interval")
_AT_PEAK = ("at_peak", "at_peak_interval")
_FEATURED = (
    *_CALL, "kind", "drug", "drug_class", *_IC50, *_AT_PEAK, "z", "probability", "strip",
    "own_axis",
)  # fmt: skip
_DRUG = (
    *_CALL, "kind", "drug", "drug_class", "probability", "z", "percentile", "n_reference", *_IC50,
    "auc", "auc_interval", "dss2", "dss2_interval", *_AT_PEAK, "why",
)  # fmt: skip
_PANEL = (*_CALL, "drug", "own_axis", "figure")
_RESULTS = ("axis", "featured_note", "more_combinations")
_RECORD = (
    "amended", "amendments", "draft", "facts", "generated", "how_to_read", "laboratory", "language",
    "limits", "methods", "patient", "provenance", "removed_by_hand", "repeats", "report_id",
    "research_use", "risk", "risk_context", "schema_version", "signatures", "simulated", "title",
)  # fmt: skip


def printable(words: str) -> str:
    """Write characters the fonts lack as their code points; nothing vanishes.

    >>> printable("Z′ ≥ 0.4, 漢")
    'Z′ ≥ 0.4, [U+6F22]'
    """
    if words.isascii() and words.isprintable():
        return words
    return _NOT_SHOWN.sub(lambda found: f"[U+{ord(found[0]):04X}]", words)


def of_the_view(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a view what the template prints.

    Parameters
    ----------
    shown : mapping
        From `drp.report.view.view`.

    Returns
    -------
    dict
        As the template names it; each mark is a name of `marks`, each figure one drawing for typst.
    """
    samples = [_sample(sample) for sample in shown["samples"]]
    risk = [_marked(item) for item in shown["risk"]]
    return _only(shown, _RECORD) | {"samples": samples, "risk": risk}


def marks() -> dict[str, str]:
    """Give the drawing of each mark by its name.

    >>> sorted(marks())[:3]
    ['caution', 'check', 'cross']
    """
    return {name: standalone(mark_svg(name)) for name in get_args(Mark)}


def as_source(content: Mapping[str, Any]) -> bytes:
    r"""Hand the content to the template: as JSON in raw text, which holds no mark-up.

    Only what the fonts can show is left in it.

    >>> as_source({"drug": "`\t#x"}).decode().splitlines()[1]
    '#report(json(bytes(`{"drug": "\\u0060[U+0009]#x"}`.text)))'
    """
    text = json.dumps(content)
    if "\x7f" in text or not all(map(_is_shown, set(_ESCAPE.findall(text)))):
        text = json.dumps(_each_text(content, printable))
    quoted = text.replace("`", "\\u0060")
    return f'#import "/report.typ": report\n#report(json(bytes(`{quoted}`.text)))'.encode()


@lru_cache(maxsize=512)
def _is_shown(escape: str) -> bool:
    character: str = json.loads(f'"{escape}"')
    return printable(character) == character


@lru_cache(maxsize=512)  # axes come back all the time
def standalone(svg: str) -> str:
    """Make an inline SVG a document of its own: name space, font, and styles as attributes.

    Reading a style sheet takes longer than reading most of the drawings, and each text of its own
    as long as all of them in one. What a figure says stands beside it.

    >>> standalone('<svg viewBox="0 0 9 9" aria-label="a"><path class="u" d="M0 0"/></svg>')[39:]
    " viewBox='0 0 9 9'><path fill='none' stroke='#5b6470' stroke-width='.8' d='M0 0'/></svg>"
    """
    size, _, drawn = printable(svg).partition(">")
    found = _VIEW_BOX.search(size)
    drawn = _CLASSES.sub(_attributes, drawn.removesuffix("</svg>"))
    if "<text " in drawn:
        drawn = _TEXT.sub("", drawn) + _one_text(_TEXT.findall(drawn))
    whole = f'<svg xmlns="http://www.w3.org/2000/svg"{found[0] if found else ""}>{drawn}</svg>'
    return whole.replace('"', "'")


_VIEW_BOX = re.compile(r' viewBox="[^"]*"')
_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")


def _one_text(texts: Iterable[tuple[str, str]]) -> str:
    """Put texts into one; only the turned ones stay as they are."""
    turned = [f"<text {how}>{words}</text>" for how, words in texts if " transform=" in how]
    parts = [f"<tspan {how}>{words}</tspan>" for how, words in texts if " transform=" not in how]
    return f'<g font-family="Inter"><text>{"".join(parts)}</text>{"".join(turned)}</g>'


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    results = sample["results"]
    return {
        **sample,
        "answers": [_marked(answer) for answer in sample["answers"]],
        "plates": [_marked(one) | {"figure": _figure(one["figure"])} for one in sample["plates"]],
        "results": results and _results(results),
    }


def _results(results: Mapping[str, Any]) -> dict[str, Any]:
    axes: dict[str, int] = {}
    return _only(results, _RESULTS) | {
        "featured": [_featured(row) for row in results["featured"]],
        "drugs": [_marked(_only(row, _DRUG)) for row in results["drugs"]],
        "panels": [_panel(row, axes) for row in results["panels"]],
        "axes": list(axes),
        "combinations": [_combination(item) for item in results["combinations"]],
        "n_front": len(results["front_combinations"]),
    }


def _only(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _marked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "mark": _mark_names()[row["mark"]]}


@cache
def _mark_names() -> dict[str, str]:
    return {mark_svg(name): name for name in get_args(Mark)}


def _figure(figure: Mapping[str, str]) -> dict[str, Any]:
    return {"svg": standalone(figure["svg"]), "alt": figure["alt"]}


def _featured(row: Mapping[str, Any]) -> dict[str, Any]:
    return _marked(_only(row, _FEATURED)) | {"strip": row["strip"] and _figure(row["strip"])}


def _panel(row: Mapping[str, Any], axes: dict[str, int]) -> dict[str, Any]:
    return _marked(_only(row, _PANEL)) | {"figure": _parted(row["figure"], axes)}


def _parted(figure: Mapping[str, str] | None, axes: dict[str, int]) -> dict[str, Any] | None:
    """Part a curve from its axes, which most share; they are drawn under it, by their place."""
    if not figure:
        return None
    found = _AXES.match(figure["svg"])
    if not found:
        return _figure(figure) | {"axes": None}
    drawn = standalone(f"{found['size']}>{found['axes']}</svg>")
    svg = figure["svg"]
    alone = svg[: found.start("axes")] + svg[found.end("axes") :]
    place = axes.setdefault(drawn, len(axes))
    return {"svg": standalone(alone), "alt": figure["alt"], "axes": place}


# A curve begins with its lines and labels; those of one size, doses and unit are the same.
_AXES = re.compile(
    r'(?P<size><svg role="img" viewBox="[^"]*")[^>]*>'
    r'(?P<axes><path class="g"[^>]*/>(?:<text [^>]*>[^<]*</text>)+)'
)


def _combination(item: Mapping[str, Any]) -> dict[str, Any]:
    kinds = ("excess", "inhibition")
    drawn = [one | {kind: _figure(one[kind]) for kind in kinds} for one in item["matrices"]]
    return _marked(item) | {"matrices": drawn}


@cache
def _styled(classes: str) -> str:
    return " ".join(_CLASS_STYLES[name] for name in classes.split() if name in _CLASS_STYLES)


def _attributes(found: re.Match[str]) -> str:
    return " " + _styled(found[1])


def _style_attributes() -> dict[str, str]:
    """Give each class of a figure as presentation attributes."""
    rules = re.findall(r"\.(\w+)\{(.*?)\}", FIGURE_STYLE)
    pairs = {name: [line.split(":") for line in style.split(";")] for name, style in rules}
    return {
        name: " ".join(f'{key}="{value}"' for key, value in styles)
        for name, styles in pairs.items()
    }


_CLASSES = re.compile(r' class="([a-z ]*)"')
_CLASS_STYLES = _style_attributes()


def _each_text(content: Any, change: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, dict):
        return {key: _each_text(value, change) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_each_text(value, change) for value in content]
    return content
