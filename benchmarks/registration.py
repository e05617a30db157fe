"""Registration checks: false alarms, share of deliberate displacements found, CPU time.

The real plates are looked for where the tests look for them; without them only simulated ones are
measured. With a number as argument, that many simulated plates of each kind (default 30).
"""

import os
import sys
import time
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from drp.plain_tables import plain
from drp.registration import check_controls, check_copies, check_registration, check_swaps
from drp.wellnames import well_name
from tests.conftest import ROOT
from tests.displaced_plates import (
    READING,
    WORDS,
    cll_plates,
    demo_plates,
    displace,
    itrex_plates,
    tecan_plates,
    words_expected,
)

REPEATS = 5
KINDS = {
    "row": ("one row up", "one row down"),
    "column": ("one column left", "one column right"),
    "both": tuple(words for words in WORDS if " and " in words),
    "turn": ("turned by 180°",),
    "mirror": ("mirrored left to right", "mirrored top to bottom"),
}
WAYS = {
    "signals, rest dark": ("signals", "dark"),
    "signals, rest unread": ("signals", "unread"),
    "layout": ("layout", ""),
}


def plate_sets():
    folder = Path(os.environ.get("DRP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    sets = {"simulated run": demo_plates()}
    if folder.is_dir():
        sets["CLL"] = cll_plates(folder)
        sets |= {name: itrex_plates(folder, name) for name in ("BT-40", "INF-R-1632")}
        sets["H2122, H358"] = tecan_plates(folder)
    return sets


def split(wells):
    return [plate for _, plate in wells.groupby("plate", sort=True)]


def all_checks(wells, reads):
    found = check_registration(wells) + check_swaps(wells) + check_controls(wells)
    return found + check_copies(reads)


def false_alarms(sets):
    print("problems on plates as they are, together | each plate alone")
    for name, (wells, reads) in sets.items():
        alone = sum(len(check_registration(plate)) for plate in split(wells))
        count = wells["plate"].nunique()
        print(f"  {name}: {len(all_checks(wells, reads))} | {alone} of {count} plates")


def judged(problems, plate, expected):
    """Whether the placement is named first, or at all; and whether another plate is blamed."""
    own = [p.found for p in problems if p.where.plate == plate]
    first = own[0].partition("better ")[2].partition(" (score")[0] if own else ""
    named = first == expected or any(f" {expected} (" in text for text in own)
    return first == expected, named, len(problems) - len(own)


def power(sets, *, alone):
    print("displaced plates", "alone" if alone else "among the others of their set")
    print("  set, what moved: named first (or among others) per kind, others blamed")
    for name, (wells, _) in sets.items():
        plates = split(wells)
        for way, (moved, vacated) in WAYS.items():
            hits, blamed = defaultdict(list), 0
            for kind, words in KINDS.items():
                for number, word in [(n, w) for n in range(len(plates)) for w in words]:
                    plate = plates[number]
                    table = displace(plate, WORDS.index(word), moved, vacated)
                    if not alone:
                        table = pd.concat([table, *plates[:number], *plates[number + 1 :]])
                    expected = words_expected(WORDS.index(word), moved)
                    id_ = plate["plate"].iloc[0]
                    *found, others = judged(check_registration(table), id_, expected)
                    hits[kind].append(found)
                    blamed += others
            shares = [f"{kind} {share(rows)}" for kind, rows in hits.items()]
            print(f"  {name}, {way}: {', '.join(shares)}; {blamed}")


def share(rows):
    first, named = (100 * np.mean(column) for column in zip(*rows, strict=True))
    return f"{first:.0f} %" + (f" ({named:.0f} %)" if named > first else "")


def swaps(sets):
    print("exchanged exports of two plates of a run with different layouts: found")
    for name, (wells, _) in sets.items():
        plates = [p.sort_values(["row", "column"], ignore_index=True) for p in split(wells)]
        done = Counter()
        for one, other in combinations(range(len(plates)), 2):
            first, second = plates[one].copy(), plates[other].copy()
            same = first[["role", "drug", "dose"]].equals(second[["role", "drug", "dose"]])
            if same or first["run"].iloc[0] != second["run"].iloc[0]:
                continue
            first[READING], second[READING] = plates[other][READING], plates[one][READING]
            rest = [p for n, p in enumerate(plates) if n not in (one, other)]
            found = [p.found for p in check_swaps(pd.concat([first, second, *rest]))]
            ids = [plates[n]["plate"].iloc[0] for n in (one, other)]
            right = [text for text in found if all(id_ in text for id_ in ids)]
            done.update(pairs=1, found=bool(right), wrong=len(found) - len(right))
        print(f"  {name}: {done['found']} of {done['pairs']} pairs, {done['wrong']} wrong pairs")


def layout(kind):
    """Roles of common layouts, by place: 16 x 24 wells but for `96`."""
    rows, columns = (8, 12) if "96" in kind else (16, 24)
    cells = {}
    for row, column in np.ndindex(rows, columns):
        role, drug, dose = "sample", f"d{row}/{(column - 2) // 10}", 3.0 ** ((column - 2) % 10)
        if kind == "single dose":
            drug, dose = f"d{row}/{column}", 1000.0
        if column < 2 and rows == 16:
            role = "negative"
        elif column >= 22 or (rows == 8 and column in (0, 11)):
            role = "negative" if "negatives only" in kind else "positive"
        if rows == 8 and column in (0, 11) and "negatives only" not in kind:
            role = "negative" if (row < 4) == (column == 0) else "positive"
        cells[row, column] = (role, drug, dose)
    if kind == "scattered":
        order = np.random.default_rng(5).permutation(len(cells))
        contents = list(cells.values())
        cells = dict(zip(cells, (contents[i] for i in order), strict=True))
    entries = [
        (well_name(r + 1, c + 1), r + 1, c + 1, *content) for (r, c), content in cells.items()
    ]
    table = pd.DataFrame(entries, columns=["well", "row", "column", "role", "drug", "dose"])
    control = table["role"] != "sample"
    table.loc[control, "drug"], table.loc[control, "dose"] = "control", np.nan
    return table.assign(
        drug2="", dose2=np.nan, drug3="", dose3=np.nan, sample="S", status="ok", excluded=False
    )


LAYOUTS = ("columns", "negatives only", "single dose", "scattered", "96", "96, negatives only")
PLATES = {
    "30 % of drugs act": {},
    "30 % act, CV 20 %": {"cv": 0.2},
    "5 % act, CV 12 %": {"active": 0.05, "cv": 0.12},
    "5 % act, gradient 40 %": {"active": 0.05, "gradient": 0.4},
    "none acts, gradient 40 %": {"active": 0.0, "gradient": 0.4},
    "none acts, gradient 80 %": {"active": 0.0, "gradient": 0.8},
    "5 % act, edge 30 %": {"active": 0.05, "edge": 0.3},
    "5 % act, 3 % odd wells": {"active": 0.05, "odd": 0.03},
    "none acts, 3 % odd wells": {"active": 0.0, "odd": 0.03},
    "no living cells, CV 20 %": {"alive": 0.0, "cv": 0.2},
}


def signal(table, rng, active=0.3, cv=0.08, gradient=0.0, edge=0.0, odd=0.0, alive=1.0):
    level = np.full(len(table), alive)
    for _, wells in table[table["role"] == "sample"].groupby("drug"):
        if rng.random() < active:
            log_dose = np.log10(wells["dose"].to_numpy())
            ec50, bottom = rng.uniform(log_dose.min(), log_dose.max() + 0.5), rng.uniform(0, 0.7)
            level[wells.index] *= bottom + (1 - bottom) / (1 + 10 ** (1.3 * (log_dose - ec50)))
    level[table["role"] == "positive"] = 0.0
    row, column = table["row"].to_numpy(), table["column"].to_numpy()
    across = (column - 1) / (column.max() - 1) - 0.5
    outer = (row == 1) | (row == row.max()) | (column == 1) | (column == column.max())
    level = (0.02 + 0.98 * level) * (1 + gradient * rng.choice([-1, 1]) * across)
    level = level * np.where(outer, 1 - edge, 1) * (1 + cv * rng.standard_normal(len(table)))
    return 1e6 * np.where(rng.random(len(table)) < odd, 0.02 * rng.uniform(1, 10), level).clip(0)


def simulated(count):
    print(f"false alarms, {count} simulated plates of each of {len(LAYOUTS)} layouts")
    rng = np.random.default_rng(3)
    for name, settings in PLATES.items():
        by_layout = {}
        for kind in LAYOUTS:
            table = layout(kind)
            made = [
                table.assign(plate=f"P{n:03d}", run="R", signal=signal(table, rng, **settings))
                for n in range(count)
            ]
            by_layout[kind] = sum(len(check_registration(plate)) for plate in made)
        said = ", ".join(f"{kind} {alarms}" for kind, alarms in by_layout.items() if alarms)
        print(f"  {name}: {sum(by_layout.values())} of {count * len(LAYOUTS)} {said}")


def timing(sets):
    parts = [sets[name] for name in ("simulated run", "CLL") if name in sets]
    wells = pd.concat([wells for wells, _ in parts], ignore_index=True)
    first = sorted(set(wells["plate"]))[:20]
    wells = wells[wells["plate"].isin(first)]
    reads = pd.concat([pd.DataFrame(reads) for _, reads in parts], ignore_index=True)
    reads = reads[reads["plate"].isin(first)]
    print(f"median CPU ms, {len(first)} plates, {len(wells)} wells: plain columns | DataFrame")
    for check, table in (
        (check_registration, wells),
        (check_swaps, wells),
        (check_controls, wells),
        (check_copies, reads),
    ):
        columns = plain(table)
        print(
            f"  {check.__name__}: {median_ms(check, columns):.0f} | {median_ms(check, table):.0f}"
        )


def median_ms(check, table):
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        check(table)
        times.append(time.process_time() - start)
    return 1000 * sorted(times)[REPEATS // 2]


def main() -> None:
    sets = plate_sets()
    timing(sets)
    false_alarms(sets)
    swaps(sets)
    power(sets, alone=False)
    power(sets, alone=True)
    simulated(int(sys.argv[1]) if len(sys.argv) > 1 else 30)


if __name__ == "__main__":
    main()
