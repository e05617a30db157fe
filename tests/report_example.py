"""Made-up stage tables of one patient, and the record built from them, for tests of the report."""

from typing import Any

import numpy as np
import pandas as pd

from drp.report.build import build_record
from drp.report.record import PatientRecord

GENERATED = "2026-03-01T08:05:00+00:00"
DRUGS = [
    "Venetoclax",
    "Bortezomib",
    "Dasatinib",
    "Dexamethasone",
    "Prednisolone",
    "Vincristine",
    "Daunorubicin",
    "Doxorubicin",
    "Mitoxantrone",
    "Idarubicin",
    "Cytarabine",
    "Nelarabine",
    "Clofarabine",
    "Fludarabine",
    "Mercaptopurine",
    "Thioguanine",
    "Methotrexate",
    "Etoposide",
    "Teniposide",
    "Topotecan",
    "Imatinib",
    "Ponatinib",
    "Nilotinib",
    "Ruxolitinib",
    "Tofacitinib",
    "Trametinib",
    "Selumetinib",
    "Everolimus",
    "Rapamycin",
    "Idelalisib",
    "Copanlisib",
    "Panobinostat",
    "Vorinostat",
    "Decitabine",
    "Azacitidine",
    "Selinexor",
    "Idasanutlin",
    "Navitoclax",
    "Asparaginase",
    "Cyclophosphamide",
]
PAIRS = (
    ("Bortezomib", "Venetoclax", 14.2, "effective and synergistic"),
    ("Dexamethasone", "Venetoclax", 1.1, "effective and additive"),
    ("Dasatinib", "Trametinib", -6.4, "effective, antagonistic"),
)
DOSES = [10.0 ** (step / 2) for step in range(0, 8)]
PAIR_DOSES = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0)
SETTINGS: dict[str, Any] = {
    "title": "Ex vivo drug response",
    "laboratory": "Example laboratory",
    "simulated": True,
    "assay": {
        "name": "demo-ctg-72h",
        "readout": "luminescence (ATP)",
        "hours": 72.0,
        "culture": "without stroma",
        "material": "bone marrow",
    },
    "certain": 0.8,
    "thresholds": {"sensitive from robust z": 1.0, "and percentile": 80},
    "normalisation": "Per plate, 100 % is the median of the negative controls (DMSO); 0 % is the "
    "median of the positive controls, or the blank, or no signal where a plate has neither.",
}
PROVENANCE: dict[str, Any] = {
    "run_id": "R1",
    "fingerprint": "0123456789abcdef",
    "config_hash": "fedcba9876543210",
    "seed": 1,
    "versions": {"drp": "0.1.0", "Python": "3.11"},
    "files": {"plates/P01_single.txt": "ab" * 32, "plates/P01_pairs.txt": "cd" * 32},
    "edits": [],
}
PATIENT = {
    "patient": "P01",
    "immunophenotype": "B",
    "site": "combined",
    "eoi_mrd": "",
    "genetics": "KMT2A-r",
    "cautions": "asparaginase hypersensitivity",
    "diagnosis_date": "2023-01-05",
}


def sample_row(sample: str = "P01-S1", day: str = "2026-02-02", **more: str) -> dict[str, str]:
    row = {
        "sample": sample,
        "patient": "P01",
        "kind": "relapse",
        "material": "bone marrow",
        "preparation": "fresh",
        "collected_date": day,
        "received_date": day,
        "plated_date": day,
        "read_date": day[:-2] + f"{int(day[-2:]) + 4:02d}",
        "thaw_viability_pct": "91",
        "blasts_pct": "84",
        "survival_pct": "72",
        "assay": "demo-ctg-72h",
    }
    return row | more


def drug_names(count: int) -> list[str]:
    return [*DRUGS, *(f"Agent {number:02d}" for number in range(len(DRUGS), count))][:count]


def as_rows(frames):
    """Stage tables as the rows that `build_record` takes."""
    return {name: frame.to_dict("records") for name, frame in frames.items()}


def tables(
    samples: tuple[str, ...] = ("P01-S1",), n_drugs: int = 40, verdict: str = "pass"
) -> dict[str, pd.DataFrame]:
    generator = np.random.default_rng(7)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    names = drug_names(n_drugs)
    for number, name in enumerate(names):
        parts["drug_facts"].append(_fact(name, number))
        parts["reference"].append(_reference(name))
    for sample in samples:
        for number, name in enumerate(names):
            parts["curves"].append(_curve(sample, name, number, n_drugs))
            parts["calls"].append(_call(sample, name, number, n_drugs))
        parts["viability"] += _single_plate(sample, names, parts["curves"][-n_drugs:], generator)
        _add_pairs(sample, parts, generator)
        parts["quality"] += [_quality(f"{sample}-{kind}", verdict) for kind in ("single", "pairs")]
        reasons = {"pass": "", "warn": "blasts at plating 71 % is below 80"}
        parts["sample_quality"].append(
            {
                "sample": sample,
                "verdict": verdict,
                "reasons": reasons.get(verdict, "viability at plating 31 % is below 50"),
            }
        )
    parts["risk"] = _risk()
    parts["exclusions"] = [
        {
            "plate": f"{samples[0]}-single",
            "well": "C5",
            "reason": "pipetting error",
            "by": "lab A",
            "date": "2026-02-06",
        }
    ]
    return {name: pd.DataFrame(rows) for name, rows in parts.items()}


def record(**options: Any) -> PatientRecord:
    samples = options.pop("samples", [sample_row()])
    frames = tables(tuple(row["sample"] for row in samples), **options)
    made = as_rows(frames)
    return build_record(PATIENT, samples, made, settings=SETTINGS, provenance=PROVENANCE)


_TABLES = (
    "viability",
    "quality",
    "sample_quality",
    "curves",
    "synergy",
    "surface",
    "calls",
    "risk",
    "reference",
    "drug_facts",
    "exclusions",
)


def _kind(number: int, n_drugs: int) -> str:
    if number >= n_drugs - 2:
        return "not evaluable"
    if number < 10:
        return "sensitive"
    return "intermediate" if number < 14 else "not sensitive"


def _unit(name: str) -> str:
    return "IU/mL" if name == "Asparaginase" else "nM"


def _parameters(number: int, n_drugs: int) -> tuple[float, float, float, float]:
    kind = _kind(number, n_drugs)
    ec50 = {"sensitive": 5.0 + 3 * number, "intermediate": 200.0}.get(kind, 2500.0)
    return 99.0, 4.0 + number / 2, 1.1, ec50


def _fact(name: str, number: int) -> dict[str, Any]:
    return {
        "drug": name,
        "drug_class": "example class",
        "targets": "example target",
        "status": "approved",
        "exvivo": "yes",
        "caveat": "",
        "cmax_nm": float("nan") if number % 4 == 3 else 291.5,
        "cmax_source": "example label",
    }


def _reference(name: str) -> dict[str, Any]:
    return {
        "assay": "demo-ctg-72h",
        "drug": name,
        "n": 32,
        "auc_median": 71.0,
        "median_top": 99.0,
        "median_bottom": 20.0,
        "median_slope": 1.0,
        "median_ec50": 400.0,
    }


def _curve(sample: str, name: str, number: int, n_drugs: int) -> dict[str, Any]:
    top, bottom, slope, ec50 = _parameters(number, n_drugs)
    beyond = ec50 > 2000
    return {
        "sample": sample,
        "drug": name,
        "n_wells": 8,
        "n_doses": 8,
        "dose_min": DOSES[0],
        "dose_max": DOSES[-1],
        "dose_unit": _unit(name),
        "top": top,
        "bottom": bottom,
        "slope": slope,
        "ec50": ec50,
        "ec50_lo": ec50 / 1.6,
        "ec50_hi": float("inf") if beyond else ec50 * 1.6,
        "ic50": DOSES[-1] if beyond else ec50 * 1.05,
        "ic50_qualifier": ">" if beyond else "=",
        "ic50_lo": 1500.0 if beyond else ec50 * 0.7,
        "ic50_hi": float("inf") if beyond else ec50 * 1.5,
        "auc": 40.0 + number,
        "auc_lo": 36.0 + number,
        "auc_hi": 44.25 + number,
        "dss2": 25.0 - number / 2,
        "dss2_lo": 22.0 - number / 2,
        "dss2_hi": 28.5 - number / 2,
        "viability_at_cmax": float("nan") if number % 4 == 3 else 6.0 + 2 * number,
        "viability_at_cmax_lo": float("nan") if number % 4 == 3 else 2.0 + 2 * number,
        "viability_at_cmax_hi": float("nan") if number % 4 == 3 else 11.5 + 2 * number,
        "shape": "decreasing",
        "flags": "",
    }


def _call(sample: str, name: str, number: int, n_drugs: int) -> dict[str, Any]:
    kind = _kind(number, n_drugs)
    lost = kind == "not evaluable"
    known = number % 4 != 3
    missing = float("nan")
    reason = "cannot be read in this assay: a prodrug that needs the liver"
    rank = f"more sensitive than {99 - 2 * number} % of 32 reference samples"
    return {
        "sample": sample,
        "drug": name,
        "call": kind,
        "probability": missing if lost else 0.99 - 0.025 * (number % 12),
        "z": missing if lost else 3.2 - number / 8,
        "percentile": missing if lost else 99.0 - 2 * number,
        "n_reference": 0 if lost else 32,
        "exposure": ""
        if lost
        else "12 % viable at the plasma peak of 292 nM"
        if known
        else "exposure unknown: no verified plasma level",
        "reason": reason if lost else rank,
        "uncertain": not lost and 0.99 - 0.025 * (number % 12) < 0.8,
        "rank_status": "none" if lost else "established",
        "data": reason if lost else "sample, plate and curve pass",
        "rank": "" if lost else rank,
    }


def _well(sample: str, plate: str, well: str, **more: Any) -> dict[str, Any]:
    row = {
        "run": "R1",
        "plate": f"{sample}-{plate}",
        "well": well,
        "sample": sample,
        "role": "sample",
        "dose_unit": "",
        "signal": 1e6,
        "status": "ok",
        "excluded": False,
        "reason": "",
        "viability_pct": 100.0,
    }
    for suffix in ("", "2", "3"):
        row |= {f"drug{suffix}": "", f"dose{suffix}": float("nan")}
    return row | more


def _places(columns: range) -> list[str]:
    return [f"{letter}{column}" for letter in "ABCDEFGHIJKLMNOP" for column in columns]


def _controls(sample: str, plate: str, generator: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for role, column, level in (("negative", 23, 100.0), ("positive", 24, 0.0)):
        for well in _places(range(column, column + 1)):
            value = level + generator.normal(0, 3)
            rows.append(_well(sample, plate, well, role=role, viability_pct=value))
    return rows


def _single_plate(
    sample: str, names: list[str], curves: list[dict[str, Any]], generator: np.random.Generator
) -> list[dict[str, Any]]:
    rows = _controls(sample, "single", generator)
    places = _places(range(1, 23))
    wanted = [
        (name, curve, dose) for name, curve in zip(names, curves, strict=True) for dose in DOSES
    ]
    for (name, curve, dose), well in zip(wanted, places, strict=False):
        level = curve["bottom"] + (curve["top"] - curve["bottom"]) / (
            1 + (dose / curve["ec50"]) ** curve["slope"]
        )
        row = _well(sample, "single", well, drug=name, dose=dose, dose_unit=_unit(name))
        row["viability_pct"] = level + generator.normal(0, 4)
        if well == "C5":
            row |= {"excluded": True, "reason": "pipetting error"}
        if well == "D7":
            row |= {"status": "saturated", "viability_pct": float("nan"), "signal": float("nan")}
        rows.append(row)
    return rows


def _add_pairs(
    sample: str, parts: dict[str, list[dict[str, Any]]], generator: np.random.Generator
) -> None:
    places = iter(_places(range(1, 23)))
    parts["viability"] += _controls(sample, "pairs", generator)
    for one, other, excess, call in PAIRS:
        name = f"{one} + {other}"
        for x in PAIR_DOSES:
            for y in PAIR_DOSES:
                expected = 100 * (1 - 1 / (1 + x / 60) / (1 + y / 90))
                both = x > 0 and y > 0
                bump = excess * 1.6 * expected * (100 - expected) / 2500 if both else 0.0
                inhibition = expected + bump + generator.normal(0, 2)
                parts["viability"].append(
                    _well(
                        sample, "pairs", next(places), drug=one, dose=x, drug2=other, dose2=y,
                        dose_unit="nM", viability_pct=100 - inhibition,
                    )
                )  # fmt: skip
                parts["surface"].append(
                    {
                        "sample": sample, "combination": name, "dose": x, "dose2": y,
                        "dose3": float("nan"), "n_wells": 1, "observed": inhibition,
                        "expected_bliss": expected if both else float("nan"),
                        "excess_bliss": inhibition - expected if both else float("nan"),
                    }
                )  # fmt: skip
        parts["synergy"].append(_synergy(sample, name, one, other, excess, call))


def _synergy(
    sample: str, name: str, one: str, other: str, excess: float, call: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sample": sample,
        "combination": name,
        "drug": one,
        "drug2": other,
        "drug3": "",
        "design": "matrix",
        "n_wells": 36,
        "assessable": True,
        "call": call,
        "reason": f"Bliss excess {excess:+.1f} points over 25 dose pairs".replace(
            "-", "\N{MINUS SIGN}"
        ),
        "bliss_p": 0.0004,
        "hsa_p": 0.02,
    }
    row |= {
        "agreement": "3 of 4 models see more than they expect (Bliss, HSA, Loewe); neither: ZIP",
        "models_note": "",
        "css": 71.2,
        "ri": 55.4,
        "p_fdr": 0.0012,
        "probability_synergistic": 0.97,
        "detectable_excess": 6.1,
        "best_region": excess + 6,
        "best_region_p": 0.002,
        "best_region_doses": f"{one} 1–10 + {other} 3–30 nM",
    }
    offsets = {"bliss": 0, "hsa": 4, "achievable_bliss": -1, "loewe": 2, "zip": 1}
    for metric, value in ((name, excess + by) for name, by in offsets.items()):
        row |= {metric: value, f"{metric}_lo": value - 4.3, f"{metric}_hi": value + 4.3}
    return row


def _quality(plate: str, verdict: str) -> dict[str, Any]:
    return {
        "plate": plate,
        "z_prime": 0.69,
        "robust_z_prime": 0.713,
        "ssmd": 12.4,
        "signal_to_background": 61.0,
        "cv_negative": 6.8,
        "cv_positive": 9.1,
        "edge_effect": 0.97,
        "n_negative": 16,
        "n_positive": 16,
        "negative_median": 1.2e6,
        "verdict": verdict,
        "reasons": "" if verdict == "pass" else "robust CV of negative controls 31 % is above 25",
    }


def _risk() -> list[dict[str, Any]]:
    rows = (
        ("COG", "High", "definite", "", "", "high", "3"),
        ("ALL-REZ BFM", "S2", "definite", "", "", "intermediate", "6"),
        ("ALLR3", "IR", "definite", "", "", "intermediate", "6"),
        ("IntReALL 2010", "SR", "definite", "", "", "low", "6"),
        ("InPOG-ALL-R1", "", "pending", "HR|SR", "eoi_mrd to 1e-4", "", ""),
    )
    return [
        {
            "patient": "P01",
            "system": system,
            "risk_class": risk_class,
            "status": status,
            "possible": possible,
            "needs": needs,
            "rule": rule,
            "flags": "DISCORDANT",
            "source": "CTRI/2019/10/021758; Sidhu 2023, Table 1",
            "tier": tier,
            "sentence": f"{risk_class}. Early B-ALL relapse: marrow involved and under 36 months "
            "from diagnosis, or isolated extramedullary and under 18 months."
            if risk_class
            else "Provisional: HR or SR. To settle it: the MRD at the end of induction.",
        }
        for system, risk_class, status, possible, needs, tier, rule in rows
    ]
