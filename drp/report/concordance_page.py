"""`reports/concordance.html`: calls beside what came of the therapies, with exact intervals."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from drp.concordance import PFS_RATIO, Share, concordance
from drp.report.figures import FIGURE_STYLE
from drp.report.html import SIMULATED, environment
from drp.report.numerals import percent, significant
from drp.report.prose import RESEARCH_USE
from drp.report.view import printed_time

_SHARES = (
    ("Sensitivity", "sensitivity", "responses whose therapy was called sensitive"),
    ("Specificity", "specificity", "failures whose therapy was not"),
    ("PPV", "ppv", "therapies called sensitive that led to a response"),
    ("NPV", "npv", "therapies not called sensitive that led to none"),
    ("PFS ratio, called sensitive", "pfs_sensitive", "ratio to the previous therapy reached"),
    ("PFS ratio, not called sensitive", "pfs_not", "ratio to the previous therapy reached"),
)


def render_concordance(
    rows: Sequence[Mapping[str, Any]], *, settings: Mapping[str, Any], generated_at: str
) -> str:
    """Render therapies, calls and what they have in common as one self-contained page.

    Parameters
    ----------
    rows : sequence of mappings
        As `drp.concordance.compare` gives them.
    settings : mapping
        title, laboratory and simulated.
    generated_at : str
        ISO 8601 time; the only thing that differs between two runs.
    """
    found = concordance(rows)
    table = found["table"]
    return (
        environment()
        .get_template("concordance.html.j2")
        .render(
            **{key: settings[key] for key in ("title", "laboratory", "simulated")},
            simulated_words=SIMULATED,
            research_use=RESEARCH_USE,
            figure_style=FIGURE_STYLE,
            generated=printed_time(generated_at),
            pfs_limit=f"{PFS_RATIO:g}",
            counts=[
                (called, table[called, True], table[called, False])
                for called in ("sensitive", "not sensitive")
            ],
            shares=[(name, words, *_share(found[key])) for name, key, words in _SHARES],
            roc=_roc(found["roc"]),
            n_compared=found["n_compared"],
            n_left_out=found["n_left_out"],
            rows=[_row(row) for row in rows],
        )
    )


def _share(share: Share) -> tuple[str, str, str]:
    if not share.n:
        return "none yet", "0 of 0", ""
    return (
        f"{percent(100 * share.value)} %",
        f"{share.count} of {share.n}",
        f"{percent(100 * share.low)} to {percent(100 * share.high)} %",
    )


def _roc(roc: tuple[float, float, float]) -> tuple[str, str]:
    if isnan(roc[0]):
        return "none yet", ""
    area, low, high = (f"{value:.2f}" for value in roc)
    return area, f"{low} to {high}"


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    responded = {True: "yes", False: "no", None: "not recorded"}[row["responded"]]
    return {
        "sample": row["sample"],
        "therapy": row["therapy"],
        "called": row["called"] or "cannot be compared",
        "z": "" if isnan(row["score"]) else f"{row['score']:.1f}".replace("-", "−"),
        "responded": responded,
        "pfs": "" if isnan(row["pfs_ratio"]) else significant(row["pfs_ratio"]),
        "why": row["why"],
    }
