"""A project whose curves are made up: from the reference to the reports, without a plate."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from drp import stages
from drp.config import parse_config
from drp.job import Job
from drp.plan import Plan
from drp.sheets import read_sheets
from drp.storage import write_json, write_table
from tests import report_example

ASSAY = "demo-ctg-72h"
DRUGS = report_example.DRUGS[:4]
CONFIG = {
    "assay": {"name": ASSAY},
    "cohort": {"reference": "config/reference.tsv", "within_run": False},
    "risk_systems": False,
    "plate_review": False,
}
NUMBERS = ("dose_min", "dose_max", "auc", "dss2", "top", "bottom", "slope", "ec50")


class SmallProject:
    """Works in the current folder. Samples are added, then `run` makes every report."""

    def __init__(self, **config):
        self.config = CONFIG | config
        self.samples, self.curves, self.quality = {}, {}, {}
        self.approvals, self.more_sheets = [], {}
        Path("config").mkdir(exist_ok=True)

    def add(self, sample, patient=None, *, level=50.0, kind="relapse", verdict="pass", day="02"):
        """Add a sample whose AUCs are `level`, `level` + 1 ... over the drugs."""
        tables = report_example.tables((sample,), n_drugs=len(DRUGS), verdict="pass")
        area = {"auc": level, "auc_lo": level - 4, "auc_hi": level + 4}
        rows = [
            row | {name: value + number for name, value in area.items()}
            for number, row in enumerate(tables["curves"].to_dict("records"))
        ]
        self.samples[sample] = {"patient": patient or f"P-{sample}", "kind": kind, "day": day}
        self.curves[sample] = pd.DataFrame(rows).assign(plates=f"{sample}-single")
        self.quality[sample] = tables["quality"].assign(cv_negative=6.0, n_negative=16)
        judged = tables["sample_quality"].assign(assay=ASSAY, n_plates=2, n_plates_failed=0)
        reasons = "every plate failed" if verdict == "fail" else ""
        tables["sample_quality"] = judged.assign(verdict=verdict, reasons=reasons)
        self.samples[sample]["tables"] = tables

    def remove(self, sample):
        """Take a sample out of the project."""
        for known in (self.samples, self.curves, self.quality):
            del known[sample]

    def approve(self, sample, input_hash):
        """Release a sample's results."""
        self.approvals.append(f"{sample}\tlab director\t2026-03-01\t{input_hash}")

    def reference(self, size=12, **more):
        """Write the table of earlier samples: AUC about 80 for every drug."""
        generator = np.random.default_rng(3)
        rows = []
        for number in range(size):
            for drug in DRUGS:
                curve = report_example._curve(f"R{number:02d}", drug, 0, 4)
                row = {name: curve[name] for name in ("sample", "drug", "dose_unit", *NUMBERS)}
                rows.append({"assay": ASSAY} | row | {"auc": round(generator.normal(80, 5), 3)})
        table = pd.DataFrame(rows).assign(**more)
        table.to_csv("config/reference.tsv", sep="\t", index=False)
        return table

    def plan(self):
        """Write the sheets and give the plan."""
        sheets = self._sheets() | self.more_sheets
        for name, text in sheets.items():
            Path(f"config/{name}.tsv").write_text(text, encoding="utf-8")
        return Plan(parse_config(self.config), read_sheets(Path("config")))

    def run(self, *, reports=None, page=False):
        """Run the stages from the reference on; give each patient's record as plain data.

        Reports are made of all patients, or of those in `reports`; the page of the cohort if asked.
        """
        plan = self.plan()
        self._tables()
        batches = {name: Path("results/batches") / name for name in plan.batches}
        run = Path("results/runs/run/quality.parquet")
        cohort = Path("results/cohort")

        def stage(name, inputs, outputs, job=""):
            settings = json.loads(plan.settings(name)) if name != "report" else {}
            getattr(stages, name)(Job(inputs, outputs, settings, Path("config"), job))

        def tables(name):
            return [folder / f"{name}.parquet" for folder in batches.values()]

        outputs = {name: cohort / f"{name}.parquet" for name in ("members", "healthy", "reference")}
        outputs["others"] = cohort / "other_references.parquet"
        own = plan.reference_batches
        inputs = {"earlier": [Path(path) for path in plan.reference_files]}
        if own:
            inputs |= {name: tables(name) for name in ("curves", "samples")} | {"quality": [run]}
        stage("cohort", inputs, outputs)
        if page:
            inputs = {name: [outputs[name]] for name in ("members", "healthy")}
            inputs |= {name: tables(name) for name in ("curves", "samples")} | {"quality": [run]}
            stage("cohort_page", inputs, {"page": Path("reports/cohort.html")})
        for batch, folder in batches.items():
            inputs = {name: [folder / f"{name}.parquet"] for name in ("curves", "samples")}
            inputs |= {"quality": [run]}
            inputs |= {name: [outputs[name]] for name in ("members", "healthy")}
            made = {"calls": folder / "calls.parquet", "faults": folder / "calls.faults.json"}
            stage("calls", inputs, made, batch)
        found = {}
        for group in plan.groups:
            found |= self._records(plan, group, batches, outputs, stage, reports)
        return found

    def _records(self, plan, group, batches, outputs, stage, reports):
        folder = Path("results/groups") / group
        risk = {"risk": folder / "risk.parquet", "context": folder / "risk_context.parquet"}
        stage("risk", {}, risk, group)
        own = [batches[name] for name in plan.batches_of_group(group)]
        names = ("files", "viability", "samples", "curves", "synergy", "surface", "calls")
        inputs = {name: [place / f"{name}.parquet" for place in own] for name in names}
        inputs |= {
            f"{kind}_problems": [place / "none.json" for place in own] for kind in ("plate", "well")
        }
        inputs |= {"faults": [place / "calls.faults.json" for place in own]}
        inputs |= {"quality": [Path("results/runs/run/quality.parquet")]}
        inputs |= {"reference": [outputs["reference"]], "other_references": [outputs["others"]]}
        inputs |= {"risk": [risk["risk"]], "risk_context": [risk["context"]]}
        made = {"records": folder / "records", "index": folder / "index.json"}
        stage("record", inputs, made, group)
        found = {}
        for path in sorted((folder / "records").glob("*.json")):
            kinds = {"html": "html", "pdf": "pdf", "json": "json", "fhir": "fhir.json"}
            made = {kind: Path(f"reports/{path.stem}/report.{end}") for kind, end in kinds.items()}
            if reports is None or path.stem in reports:
                stage("report", {"record": [path]}, made)
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _sheets(self):
        plates = "plate\tfile\tlayout\tsample\n"
        samples = "sample\tpatient\tkind\tcollected_date\tassay\n"
        for name, row in self.samples.items():
            for kind in ("single", "pairs"):
                plates += f"{name}-{kind}\t{name}-{kind}.txt\tmap.tsv\t{name}\n"
            day = f"2026-02-{row['day']}"
            samples += f"{name}\t{row['patient']}\t{row['kind']}\t{day}\t{ASSAY}\n"
        patients = sorted({row["patient"] for row in self.samples.values()})
        return {
            "plates": plates,
            "samples": samples,
            "patients": "\n".join(["patient", *patients]) + "\n",
            "approvals": "\n".join(["sample\tby\tdate\tinput_hash", *self.approvals]) + "\n",
        }

    def _tables(self):
        write_table(
            Path("results/runs/run/quality.parquet"), pd.concat(list(self.quality.values()))
        )
        for name, row in self.samples.items():
            folder = Path("results/batches") / name
            write_table(folder / "curves.parquet", self.curves[name])
            write_table(folder / "samples.parquet", row["tables"]["sample_quality"])
            for table in ("viability", "synergy", "surface"):
                write_table(folder / f"{table}.parquet", row["tables"][table])
            files = [f"{name}-single.txt", f"{name}-pairs.txt", "map.tsv"]
            write_table(
                folder / "files.parquet",
                pd.DataFrame([{"file": file, "sha256": file, "kind": ""} for file in files]),
            )
            write_json(folder / "none.json", [])
