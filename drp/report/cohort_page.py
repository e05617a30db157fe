"""`reports/cohort.html`: the reference samples as a map, a heat map and nearest profiles."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from drp.profiles import closest, clustered, distances, profiles, sample_map
from drp.report.figures import FIGURE_STYLE
from drp.report.html import SIMULATED, environment
from drp.report.profile_figures import heat_svg, map_svg
from drp.report.prose import RESEARCH_USE
from drp.report.view import printed_time

FEWEST_SAMPLES = 3
# A heat map of more samples is no longer read; distances of more of them fill the memory.
MOST_DRAWN, MOST_COMPARED = 500, 2000
_UNRECORDED = "nothing recorded"


def render_cohort_page(
    members: pd.DataFrame,
    recorded: Mapping[str, str],
    *,
    settings: Mapping[str, Any],
    generated_at: str,
) -> str:
    """Render the cohort view, one part per assay, as one self-contained page.

    Parameters
    ----------
    members : DataFrame
        The reference, one row per sample and drug (`drp.cohort`).
    recorded : mapping
        Sample → what is recorded of it (kind, material), for the samples of this project.
    settings : mapping
        title, laboratory and simulated.
    generated_at : str
        ISO 8601 time; the only thing that differs between two runs.
    """
    parts = [
        _assay(str(assay), own, recorded) for assay, own in members.groupby("assay", sort=True)
    ]
    return (
        environment()
        .get_template("cohort.html.j2")
        .render(
            **{key: settings[key] for key in ("title", "laboratory", "simulated")},
            simulated_words=SIMULATED,
            research_use=RESEARCH_USE,
            figure_style=FIGURE_STYLE,
            generated=printed_time(generated_at),
            parts=parts,
        )
    )


def _assay(assay: str, members: pd.DataFrame, recorded: Mapping[str, str]) -> dict[str, Any]:
    table = profiles(_most_common_doses(members))
    shown: dict[str, Any] = {"assay": assay, "samples": len(table), "drugs": table.shape[1]}
    if len(table) < FEWEST_SAMPLES or table.shape[1] < FEWEST_SAMPLES:
        return shown | {"map": "", "heat": "", "near": []}
    kinds = {str(sample): recorded.get(str(sample), "earlier samples") for sample in table.index}
    return shown | {
        "map": map_svg(sample_map(table), kinds),
        "heat": heat_svg(table, *clustered(table)) if len(table) <= MOST_DRAWN else "",
        "near": _all_near(table, recorded) if len(table) <= MOST_COMPARED else [],
        "left_out": _left_out(len(table)),
    }


def _left_out(samples: int) -> str:
    """Say what is not shown of a large cohort."""
    limits = ((MOST_DRAWN, "no heat map"), (MOST_COMPARED, "no nearest profiles"))
    words = [f"{what} of more than {most:,} samples" for most, what in limits if samples > most]
    return f"Left out: {', '.join(words)}." if words else ""


def _all_near(table: pd.DataFrame, recorded: Mapping[str, str]) -> list[tuple[str, str]]:
    found = distances(table)
    return [(name, _near(found, name, recorded)) for name in table.index if name in recorded]


def _most_common_doses(members: pd.DataFrame) -> pd.DataFrame:
    """Keep, of each drug, the samples tested over its most common range: only these compare."""
    ranges = members[["dose_unit", "dose_min", "dose_max"]].astype(str).agg("|".join, axis=1)
    counted = members.assign(doses=ranges).groupby(["drug", "doses"]).size().reset_index(name="n")
    counted = counted.sort_values(["drug", "n", "doses"], ascending=[True, False, True])
    chosen = counted.drop_duplicates("drug").set_index("drug")["doses"]
    kept: pd.DataFrame = members[(ranges == members["drug"].map(chosen)).to_numpy()]
    return kept


def _near(found: pd.DataFrame, sample: str, recorded: Mapping[str, str]) -> str:
    words = [
        f"{other} ({recorded.get(str(other), _UNRECORDED)}; {distance:.1f})"
        for other, distance in closest(found, sample).items()
    ]
    return ", ".join(words) or "no sample shares enough drugs"
