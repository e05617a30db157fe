"""Small tables built by hand, for tests of the stages after reading."""

import math
from typing import Any

import pandas as pd


def reads(plate: str, values: dict[str, float], **columns: Any) -> pd.DataFrame:
    """One measurement of some wells; NaN becomes a missing reading."""
    rows = [
        {
            "plate": plate,
            "well": well,
            "read": "LUM",
            "mode": "lum",
            "signal": value,
            "status": "missing" if math.isnan(value) else "ok",
            "raw_text": "" if math.isnan(value) else f"{value:g}",
            "file": f"{plate}.csv",
            "locator": f"line {number}",
        }
        | columns
        for number, (well, value) in enumerate(values.items(), start=1)
    ]
    return pd.DataFrame(rows)


def layout(wells: dict[str, tuple[Any, ...]], name: str = "map.tsv") -> pd.DataFrame:
    """Wells as (role, drug, dose, drug2, dose2); what is left out is empty."""
    rows = []
    for number, (well, entry) in enumerate(wells.items(), start=2):
        role, drug, dose, drug2, dose2 = (
            *entry,
            *("sample", "", math.nan, "", math.nan)[len(entry) :],
        )
        dosed = not (math.isnan(dose) and math.isnan(dose2))
        rows.append(
            {
                "layout": name,
                "well": well,
                "role": role,
                "drug": drug,
                "dose": float(dose),
                "drug2": drug2,
                "dose2": float(dose2),
                "drug3": "",
                "dose3": math.nan,
                "dose_unit": "nM" if dosed else "",
                "locator": f"line {number}",
            }
        )
    return pd.DataFrame(rows)


PLATE = {"plate": "PL1", "layout": "map.tsv", "sample": "S1", "run": "R1"}
