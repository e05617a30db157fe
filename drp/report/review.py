"""The review of one plate as a static page: heat maps, controls, replicates, exclusions.

A person marks wells, gives a reason and downloads `exclusions.tsv`: the rows that stand in
`config/` and the new ones. No request leaves the page. A policy in the page lets no script run but
the one in `templates/review.js`, and what people typed reaches that script as data only.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from drp.report import numerals
from drp.report.exclusion_sheet import COLUMNS, sheet_text
from drp.report.heat_maps import heat_maps, level_style, roles_shown
from drp.report.html import SIMULATED, TEMPLATES, environment, script_hash
from drp.report.palette import VERDICT_MARKS, mark_svg
from drp.report.prose import RESEARCH_USE
from drp.report.review_rows import (
    control_rows,
    excluded_rows,
    listed_wells,
    odd_rows,
    quality_facts,
    replicate_rows,
)
from drp.report.rows import parts, text
from drp.report.view import printed_time

Row = Mapping[str, Any]

_STRIP_WIDTH = 120.0


def render_review(
    plate: Mapping[str, str],
    wells: Iterable[Row],
    quality: Row,
    exclusions: Sequence[Mapping[str, str]],
    remarks: Iterable[str] = (),
    *,
    settings: Mapping[str, Any],
    generated_at: str,
) -> str:
    """Render the review of one plate.

    Parameters
    ----------
    plate : mapping
        Its row of plates.tsv: plate, run, sample.
    wells : iterable of mappings
        Its rows of table `viability`, in any order; of a plate shared by several batches, those of
        all of them (controls stand in each and count once).
    quality : mapping
        Its row of table `quality`.
    exclusions : sequence of mappings
        Every row of exclusions.tsv, those of other plates too: the file that the page gives takes
        the place of the whole sheet.
    remarks : iterable of str
        The remark lines of exclusions.tsv.
    settings : mapping
        title, laboratory, simulated.
    generated_at : str
        ISO 8601 time; the only thing that differs between two runs.

    Returns
    -------
    str
        The page. Every text is escaped, in HTML, in the data for the script and in the sheet.
    """
    placed = {text(well, "well"): well for well in wells}
    ordered = sorted(placed.values(), key=lambda well: (well["row"], well["column"]))
    own = [row for row in exclusions if row["plate"] == plate["plate"]]
    replicates, n_replicates = replicate_rows(ordered)
    sheet = sheet_text(exclusions, remarks)
    known = {"plate": plate["plate"], "header": "\t".join(COLUMNS), "sheet": sheet}
    return (
        environment()
        .get_template("review.html.j2")
        .render(
            **{key: settings[key] for key in ("title", "laboratory", "simulated")},
            simulated_words=SIMULATED,
            research_use=RESEARCH_USE,
            generated=printed_time(generated_at),
            plate=plate["plate"],
            run=plate.get("run") or "run",
            samples=plate["sample"],
            several=";" in plate["sample"],
            verdict=text(quality, "verdict"),
            mark=mark_svg(VERDICT_MARKS[text(quality, "verdict")]),
            reasons=parts(quality, "reasons", ";"),
            facts=quality_facts(quality),
            maps=heat_maps(ordered),
            letters=roles_shown(ordered),
            level_style=level_style(),
            controls=control_rows(ordered),
            replicates=[row | {"strip": strip_svg(row["values"])} for row in replicates],
            n_replicates=n_replicates,
            excluded=excluded_rows(ordered, own),
            odd=odd_rows(ordered),
            wells=listed_wells(ordered),
            n_known=numerals.counted(len(exclusions), "row"),
            known=script_json(known),
            script=script(),
            script_hash=script_hash(script()),
        )
    )


@cache
def script() -> str:
    """Give the page's only script."""
    return (TEMPLATES / "review.js").read_text(encoding="utf-8")


def script_json(content: Any) -> str:
    r"""Write data for a script element: nothing in it can end the element.

    >>> script_json("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    written = json.dumps(content, ensure_ascii=True, sort_keys=True)
    for character in "<>&":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def strip_svg(values: Sequence[float]) -> str:
    """Draw replicates as dots from 0 to 120 % viable; the numbers stand beside it.

    >>> 'aria-hidden="true"' in strip_svg([20.0, 80.0])
    True
    """
    places = [2 + (_STRIP_WIDTH - 4) * min(120.0, max(0.0, value)) / 120 for value in values]
    dots = "".join(f"M{place:.1f} 8h0" for place in places)
    return (
        f'<svg class="dots" viewBox="0 0 {_STRIP_WIDTH:g} 16" aria-hidden="true">'
        f'<path class="a" d="M2 8H{_STRIP_WIDTH - 2:g}M2 4v8M98.7 4v8"/>'
        f'<path class="d" d="{dots}"/></svg>'
    )
