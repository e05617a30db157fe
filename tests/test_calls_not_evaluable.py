"""What cannot be judged has its reason and no number: in the table, the JSON, FHIR and the page."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from drp.drugs import find
from drp.sensitivity import fit_curves
from drp.storage import read_table
from tests.small_project import ASSAY, NUMBERS, SmallProject

GOOD = "Venetoclax"
PRODRUG, ANTIBODY, RARE, SCATTERED, TWO_DOSES, FAILED = (
    "Cyclophosphamide", "Rituximab", "Bortezomib", "Dasatinib", "Vincristine", "Idelalisib",
)  # fmt: skip
REASONS = {
    PRODRUG: "cannot be read in this assay: INACTIVE ex vivo",
    ANTIBODY: "cannot be read in this assay: Effector dependent",
    RARE: "no reference: 7 comparable samples of the 8 needed",
    SCATTERED: "the wells disagree too much to identify a curve",
    TWO_DOSES: "no curve: too few doses",
    FAILED: "plate S1-pairs failed quality control: robust Z′ is below 0",
}
DOSES = [1.0, 10.0, 100.0, 1000.0, 10_000.0]
NUMERIC = (
    "probability", "z", "percentile", "p_sensitive", "expected_false", "healthy_median",
    "selective_difference", "selective_difference_lo", "selective_difference_hi",
)  # fmt: skip


def fitted():
    """Curves as the stage fits them; the six have every fault that a panel can have."""
    generator = np.random.default_rng(11)
    falling = 100 / (1 + (np.array(DOSES) / 30) ** 1.0)
    parts = []
    for drug in (GOOD, *REASONS):
        wells = {"dose": DOSES, "viability_pct": falling + generator.normal(0, 3, 5)}
        if drug == SCATTERED:
            wells["viability_pct"] = [100.0, 10.0, 110.0, 5.0, 90.0]
        if drug == TWO_DOSES:
            wells = {name: values[:2] for name, values in wells.items()}
        parts.append(pd.DataFrame(wells).assign(sample="S1", drug=drug, dose_unit="nM"))
    curves = fit_curves(pd.concat(parts, ignore_index=True), seed=1)
    plate = ["S1-pairs" if drug == FAILED else "S1-single" for drug in curves["drug"]]
    return curves.assign(plates=plate)


def reference():
    """Twelve earlier samples, but only seven of one drug, and nine healthy controls."""
    generator = np.random.default_rng(3)
    rows = []
    for number in range(21):
        for drug in (GOOD, *REASONS):
            if drug == RARE and number >= 7:
                continue
            auc = generator.normal(80, 5)
            row = dict.fromkeys(NUMBERS, 1.0) | {"auc": auc, "top": 100.0, "ec50": 30.0}
            row |= {"dose_min": DOSES[0], "dose_max": DOSES[-1], "dose_unit": "nM"}
            kind = "healthy" if number >= 12 else ""
            rows.append({"assay": ASSAY, "sample": f"R{number}", "drug": drug, "kind": kind} | row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("project")
        patch.chdir(folder)
        project = SmallProject()
        reference().to_csv("config/reference.tsv", sep="\t", index=False)
        project.add("S1")
        project.curves["S1"] = fitted()
        judged = project.quality["S1"]
        failed = judged["plate"] == "S1-pairs"
        judged.loc[failed, ["verdict", "reasons"]] = ["fail", "robust Z′ is below 0"]
        project.run()
        return folder


class Rows(HTMLParser):
    """The text of each row of the page's tables."""

    def __init__(self, page):
        super().__init__()
        self.rows, self._inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append("")
            self._inside = True

    def handle_endtag(self, tag):
        self._inside = self._inside and tag != "tr"

    def handle_data(self, data):
        if self._inside:
            self.rows[-1] += f" {data}"


def test_the_control_of_this_test_is_called_and_has_numbers(made):
    calls = read_table(made / "results/batches/S1/calls.parquet").set_index("drug")
    assert calls.loc[GOOD, "call"] == "sensitive"
    assert not calls.loc[GOOD, list(NUMERIC)].isna().any()


@pytest.mark.parametrize("drug", REASONS)
def test_the_table_of_calls(made, drug):
    row = read_table(made / "results/batches/S1/calls.parquet").set_index("drug").loc[drug]
    assert row["call"] == "not evaluable"
    assert row["reason"].startswith(REASONS[drug])
    assert row[list(NUMERIC)].isna().all()
    assert (row["n_reference"], row["rank_status"]) == (0, "none")


@pytest.mark.parametrize("drug", REASONS)
def test_the_json_record(made, drug):
    record = json.loads((made / "reports/P-S1/report.json").read_text(encoding="utf-8"))
    found = next(row for row in record["samples"][0]["drugs"] if row["drug"] == drug)
    assert found["call"] == "not evaluable"
    assert found["reason"].startswith(REASONS[drug])
    assert found["rank"] == {"status": "none", "z": None, "percentile": None, "n_reference": 0}
    shown = ("probability", "measures", "curve", "selective")
    assert [found[name] for name in shown] == [None] * 4
    assert found["healthy"] == ""
    assert drug not in record["samples"][0]["featured"]


@pytest.mark.parametrize("drug", REASONS)
def test_the_fhir_bundle(made, drug):
    bundle = json.loads((made / "reports/P-S1/report.fhir.json").read_text(encoding="utf-8"))
    found = [
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
        and entry["resource"]["code"]["text"] == drug
    ]
    assert len(found) == 1
    assert found[0]["dataAbsentReason"]["text"].startswith(REASONS[drug])
    assert "component" not in found[0]
    assert not [name for name in found[0] if name.startswith("value")]


@pytest.mark.parametrize("drug", REASONS)
def test_the_page(made, drug):
    rows = Rows((made / "reports/P-S1/report.html").read_text(encoding="utf-8")).rows
    rows = [" ".join(row.split()) for row in rows]
    (place,) = [number for number, row in enumerate(rows) if row.startswith(f"{drug} ")]
    words = rows[place].replace(find(drug).drug_class, "")
    assert words.split() == [drug, "not", "evaluable"]
    assert rows[place + 1].casefold().startswith(REASONS[drug].casefold())
