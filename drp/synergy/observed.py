"""What the wells of a dose matrix show as they are, before any draw: all curves of all models.

Each matrix asks for a dozen small fits, and a fit of ten curves costs much the same as one of a
hundred: those of many matrices are made together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from drp.synergy.css import Css, score_css, score_ri
from drp.synergy.hill import HillFits
from drp.synergy.nulls import FloatArray
from drp.synergy.surface import DoseMatrix
from drp.synergy.table import Table, ask_single_curves, single_values
from drp.synergy.zip import Variant, Zip, score_zip
from drp.synergy.zip_steps import Steps, run_together


class Seen(NamedTuple):
    """What the wells of one matrix show, before any draw.

    table, observed: the cells as an array; curves: each drug alone; zip: None for a diagonal
    design, which has no rows and columns to fit; ri: of each drug; css: None unless two drugs.
    """

    table: Table
    observed: FloatArray
    curves: list[HillFits]
    zip: Zip | None
    ri: tuple[float, ...]
    css: Css | None


def fit_observed(
    matrices: Sequence[tuple[DoseMatrix, float, int]], variant: Variant = "observed"
) -> list[Seen]:
    """Fit all curves of many matrices as observed, together: one by one takes far longer.

    Parameters
    ----------
    matrices : sequence of (DoseMatrix, float, int)
        The wells, the SD of one well in points, and the number of negative control wells, on which
        an untreated cell without wells of its own rests.
    variant : {"observed", "fitted"}
        Of ZIP: see `drp.synergy.zip`.

    Returns
    -------
    list of Seen
        The same to the last bit whatever stands beside a matrix.

    Examples
    --------
    See `drp.synergy.score_synergy`, which calls it.
    """
    tables = [Table.of(matrix, n_negative) for matrix, _, n_negative in matrices]
    observed = [
        table.fill(matrix.inhibition) for table, (matrix, *_) in zip(tables, matrices, strict=True)
    ]
    asked = [
        _asked(matrix, table, values, well_sd, variant)
        for (matrix, well_sd, _), table, values in zip(matrices, tables, observed, strict=True)
    ]
    answers = iter(run_together([steps for one in asked for steps in one.values()]))
    seen = []
    for table, values, one in zip(tables, observed, asked, strict=True):
        found = {name: next(answers) for name in one}
        ri = tuple(found[f"ri {drug}"] for drug in range(len(table.levels)))
        seen.append(Seen(table, values, found["curves"], found.get("zip"), ri, found.get("css")))
    return seen


def _asked(
    matrix: DoseMatrix, table: Table, observed: FloatArray, well_sd: float, variant: Variant
) -> dict[str, Steps[Any]]:
    """Name what is to be computed of one matrix as observed."""
    levels, single = table.levels, single_values(table, observed)
    asked: dict[str, Steps[Any]] = {"curves": ask_single_curves(table, single, well_sd)}
    asked |= {f"ri {drug}": score_ri(levels[drug], values) for drug, values in enumerate(single)}
    if len(levels) == 2:
        asked["css"] = score_css((levels[0], levels[1]), observed)
    if matrix.design != "diagonal":
        asked["zip"] = score_zip(
            levels, observed, table.wells, variant=variant, well_sd=well_sd, drugs=matrix.drugs
        )
    return asked
