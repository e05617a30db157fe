"""Wells: what was read, joined with what was put there.

One row per well of each plate. Nothing is dropped: a well taken out by a person stays, marked
`excluded` with the reason; a well whose reading failed stays with its status. The column
`control` says which wells define 100 % and 0 % viability, so that every later stage uses the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from drp.joining import WELLS, join_columns
from drp.plain_tables import make_frame, plain
from drp.problems import Problems


def join_wells(
    reads: pd.DataFrame,
    layouts: pd.DataFrame,
    plates: Iterable[Mapping[str, str]],
    exclusions: Iterable[Mapping[str, str]] = (),
    *,
    read: str | None = None,
    normalisation: Mapping[str, Any] | None = None,
    found: Problems | None = None,
) -> pd.DataFrame:
    """Join readings, layouts and sheets to one row per well.

    Parameters
    ----------
    reads : DataFrame
        Table `reads`; several measurements per well are allowed.
    layouts : DataFrame
        Table `layout`; one or more layouts. Of its further columns `sample`, `addon` (the partner
        that a whole arm of the plate got) and `failed` (why a well was not filled as planned) are
        used where they are.
    plates : iterable of mappings
        Rows of plates.tsv: plate, layout, sample and, if used, run and read.
    exclusions : iterable of mappings
        Rows of exclusions.tsv: plate, well, reason.
    read : str, optional
        The measurement to analyse where an export holds several.
    normalisation : mapping, optional
        `negative_controls` (substances), `ignore_outer_layers`, `use_positive`.
    found : Problems, optional
        Collects every problem; without it, errors are raised.

    Returns
    -------
    DataFrame
        Table `wells`, with `addon` (empty but in arms with a partner), `control` (``negative``,
        ``positive``, ``blank`` or empty: how the well is used to scale the plate or, with a
        partner, its arm), `row`, `column`, `format` (how many wells such a plate has),
        `registration`, `measured_at`, `file` and `locator` of the reading and `layout_locator`. A
        well that failed is excluded with that reason. A plate with an error is left out, its
        problems are in `found`.

    Raises
    ------
    DataError
        If `found` is not given and something is wrong.
    """
    collected = Problems()
    columns = join_columns(
        plain(reads),
        plain(layouts),
        plates,
        exclusions,
        read,
        normalisation or {},
        collected,
    )
    if found is None:
        collected.raise_errors()
    else:
        found.extend(collected.items)
    return make_frame(columns, "wells", WELLS)
