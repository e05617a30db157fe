"""What a real cohort shows: drugs that tell two leukaemias apart, and whether a map does.

    python benchmarks/cohort_biology.py TABLE [--map FILE]

TABLE is the long table of the Bioconductor package BloodCancerMultiOmics2017 (249 samples, 64
drugs, 5 doses; Dietrich et al., J Clin Invest 2018): sample, drug, conc_uM, viability (fraction of
control), diagnosis. --map writes the map of samples, drawn as SVG.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from drp.profiles import compare_groups, profiles, sample_map, separation
from drp.report.profile_figures import map_svg
from drp.sensitivity import fit_curves

EXPECTED = ("venetoclax", "ibrutinib", "idelalisib")


def main() -> None:
    """Fit, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--map", type=Path)
    options = parser.parse_args()
    wells = pd.read_csv(options.table)
    viability = pd.DataFrame(
        {
            "sample": wells["sample"],
            "drug": wells["drug"],
            "dose": 1000 * wells["conc_uM"],
            "viability_pct": 100 * wells["viability"],
        }
    )
    table = profiles(fit_curves(viability))
    diagnosis = wells.drop_duplicates("sample").set_index("sample")["diagnosis"]
    groups = {name: sorted(diagnosis.index[diagnosis == name]) for name in ("CLL", "T-PLL")}
    found = compare_groups(table, groups["CLL"], groups["T-PLL"])
    print(f"{found['significant'].sum()} of {len(found)} drugs differ at a rate of 1 %")
    print(found[found["drug"].isin(EXPECTED)].to_string(index=False))
    both = table.loc[[*groups["CLL"], *groups["T-PLL"]]]
    labels = diagnosis[both.index].to_numpy()
    print(f"silhouette of CLL and T-PLL: {separation(both, labels):.2f}")
    placed = sample_map(table)
    print(f"on the map: {separation(placed.loc[both.index], labels):.2f}")
    print(f"nearest neighbour of the same diagnosis: {_neighbours(both, labels)}")
    if options.map:
        kinds = diagnosis.where(diagnosis.isin(list(groups)), "other")
        options.map.write_text(map_svg(placed, kinds), encoding="utf-8")


def _neighbours(table: pd.DataFrame, labels: np.ndarray) -> str:
    from drp.profiles import distances

    near = distances(table).to_numpy(copy=True)
    np.fill_diagonal(near, np.inf)
    same = labels[near.argmin(axis=1)] == labels
    parts = [f"{name} {same[labels == name].mean():.2f}" for name in sorted(set(labels))]
    return ", ".join(parts)


if __name__ == "__main__":
    main()
