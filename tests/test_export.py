"""Exported tables hold every row once."""

import pandas as pd

from drp.export import export_tables
from drp.storage import write_table


def test_the_wells_of_batches_are_joined_and_those_of_runs_are_not_added_again(tmp_path):
    results = tmp_path / "results"
    wells = pd.DataFrame({"plate": ["PL1", "PL2"], "viability_pct": [50.0, 60.0]})
    for number, name in enumerate(("b1", "b2")):
        write_table(results / "batches" / name / "viability.parquet", wells[number : number + 1])
    write_table(results / "runs" / "R1" / "scaled.parquet", wells)
    (file,) = export_tables(results, tmp_path / "export")
    assert file.name == "viability.tsv"
    pd.testing.assert_frame_equal(
        pd.read_csv(file, sep="\t").astype({"plate": wells["plate"].dtype}), wells
    )
