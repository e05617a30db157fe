"""A laboratory's own drug table: what it may change, what is refused, where it is said."""

import itertools

import pytest

from drp.checks import check_project
from drp.config import parse_config
from drp.drug_sheets import drug_problems, laboratory_table, read_drug_table
from drp.drugs import applicable_exposure, cmax_nm, find, nearest, shipped_table
from drp.plan import Plan
from drp.records import input_hash
from drp.report.build import build_record
from drp.sheets import Sheets
from drp.stages import _drug_facts
from tests import report_example

OURS = {"drug": "venetoclax", "source": "SOP 12", "exvivo": "limited", "caveat": "read at 48 h"}
NEW = {"drug": "LAB-7", "source": "datasheet 3", "exvivo": "yes", "synonyms": "Labosib; L7"}
LEVEL = {
    "drug": "LAB-7", "schedule": "5 mg daily", "cmax_nm": "120", "verification": "verified-paper",
    "confidence": "usable", "source": "J Clin Pharm 2020;1:1",
}  # fmt: skip


def faults(drugs=(), exposures=()):
    found = drug_problems(list(drugs), list(exposures), {})
    return [(problem.code, str(problem.where)) for problem in found]


def test_a_known_drug_keeps_what_the_laboratory_leaves_empty():
    table = laboratory_table([OURS], [])
    ours, shipped = find("ABT-199", table), find("ABT-199")
    assert (ours.exvivo, ours.caveat) == ("limited", "read at 48 h")
    assert (ours.name, ours.targets, ours.synonyms) == (
        shipped.name, shipped.targets, shipped.synonyms,
    )  # fmt: skip
    assert find("ABT-199").exvivo == "yes"  # the shipped table itself is not touched


def test_a_new_drug_is_found_by_its_synonyms_and_has_a_plasma_level():
    table = laboratory_table([NEW], [LEVEL])
    assert find("l7", table).name == "LAB-7"
    assert nearest("Labosip", table) == "LAB-7"
    assert cmax_nm(["Labosib"], {}, table) == {"labosib": 120.0}
    assert find("l7") is None


def test_a_level_of_a_known_schedule_replaces_it_and_another_is_added():
    schedule = next(row.schedule for row in shipped_table().exposures if row.drug == "Venetoclax")
    row = LEVEL | {"drug": "Venetoclax", "schedule": schedule.upper(), "cmax_nm": "1500"}
    assert applicable_exposure("abt-199", {}, laboratory_table([], [row]))[0].cmax_nm == 1500
    other = laboratory_table([], [row | {"schedule": "ours"}])
    assert applicable_exposure("abt-199", {}, other)[1].startswith("several schedules")
    assert applicable_exposure("abt-199", {"venetoclax": "ours"}, other)[0].cmax_nm == 1500


@pytest.mark.parametrize("confidence", ["doubtful", "binding only"])
def test_a_value_that_is_not_usable_is_shown_and_enters_no_call(confidence):
    row = LEVEL | {"confidence": confidence, "remark": "one healthy adult"}
    table = laboratory_table([NEW], [row])
    facts = _drug_facts(["LAB-7"], {}, table)["lab-7"]
    assert facts.cmax != facts.cmax
    assert facts.cmax_reason.startswith("no verified value")
    assert len(table.exposures) == len(shipped_table().exposures) + 1


def test_the_order_of_rows_changes_nothing():
    rows = [OURS, NEW, {"drug": "Dasatinib", "source": "SOP 3", "targets": "ABL1"}]
    tables = [laboratory_table(order, [LEVEL]) for order in itertools.permutations(rows)]
    assert all(table == tables[0] for table in tables)


def test_each_change_is_said_with_its_source():
    words = [edit.words for edit in laboratory_table([OURS, NEW], [LEVEL]).edits]
    assert "exvivo 'limited' in place of 'yes' (source: SOP 12)" in words[1]
    assert words[0] == "LAB-7: added by the laboratory (source: datasheet 3)"
    assert words[2] == (
        "LAB-7: plasma level under '5 mg daily' 120 nM, usable (source: J Clin Pharm 2020;1:1)"
    )


@pytest.mark.parametrize(
    ("drugs", "exposures", "expected"),
    [
        ([OURS | {"source": ""}], [], ("drugs.bad-value", "drugs.tsv, line 2, column source")),
        ([OURS | {"exvivo": "maybe"}], [], ("drugs.bad-value", "drugs.tsv, line 2, column exvivo")),
        ([NEW | {"exvivo": ""}], [], ("drugs.bad-value", "drugs.tsv, line 2, column exvivo")),
        ([OURS, OURS | {"drug": "abt-199"}], [],
         ("drugs.double", "drugs.tsv, line 3, column drug")),
        ([NEW | {"synonyms": "Velcade"}], [],
         ("drugs.double", "drugs.tsv, line 2, column synonyms")),
        ([], [LEVEL], ("drugs.bad-value", "exposure.tsv, line 2, column drug")),
        ([NEW], [LEVEL | {"cmax_nm": "-3"}],
         ("drugs.bad-value", "exposure.tsv, line 2, column cmax_nm")),
        ([NEW], [LEVEL | {"verification": "not-found"}],
         ("drugs.unverified", "exposure.tsv, line 2, column confidence")),
        ([NEW], [LEVEL | {"cmax_nm": ""}],
         ("drugs.unverified", "exposure.tsv, line 2, column confidence")),
        ([NEW], [LEVEL | {"confidence": "doubtful"}],
         ("drugs.bad-value", "exposure.tsv, line 2, column remark")),
        ([NEW], [LEVEL | {"cmax_free_nm": "about 3"}],
         ("drugs.bad-value", "exposure.tsv, line 2, column cmax_free_nm")),
        ([NEW], [LEVEL, LEVEL | {"drug": "L7", "schedule": "5 MG daily"}],
         ("drugs.double", "exposure.tsv, line 3, column schedule")),
    ],
)  # fmt: skip
def test_what_is_unsourced_unverified_or_ambiguous_is_refused_in_its_place(
    drugs, exposures, expected
):
    assert faults(drugs, exposures) == [expected]


def test_sound_rows_pass():
    assert faults([OURS, NEW], [LEVEL]) == []


def test_an_empty_folder_gives_the_shipped_table(tmp_path):
    assert read_drug_table(tmp_path) is shipped_table()
    head = "drug\tsource\texvivo\n"
    (tmp_path / "drugs.tsv").write_text(f"# ours\n{head}Venetoclax\tSOP 12\tno\n")
    assert find("venetoclax", read_drug_table(tmp_path)).exvivo == "no"


SHEETS = Sheets(
    plates=[{"plate": "PL1", "file": "1.txt", "layout": "m.tsv", "sample": "S1"}],
    samples=[{"sample": "S1", "patient": "P1"}],
    patients=[{"patient": "P1"}],
)


def hashed(drugs=(), exposures=()):
    sheets = Sheets(SHEETS.plates, SHEETS.samples, SHEETS.patients, drugs=list(drugs),
                    exposure=list(exposures))  # fmt: skip
    plan = Plan(parse_config({"assay": {"name": "a"}}), sheets)
    tables = {
        "quality": [], "reference": [],
        "curves": [{"sample": "S1", "drug": "ABT-199"}, {"sample": "S2", "drug": "LAB-7"}],
    }  # fmt: skip
    files = {"1.txt": "one", "m.tsv": "two"}
    return input_hash(plan, sheets.patients[0], sheets.samples[0], tables, files), plan


def test_an_approval_hangs_on_the_rows_about_its_own_drugs_only():
    assert hashed([NEW], [LEVEL])[0] == hashed()[0]
    assert hashed([OURS])[0] != hashed()[0]
    assert hashed([OURS | {"source": "SOP 13"}])[0] != hashed([OURS])[0]


@pytest.mark.parametrize("stage", ["drugs", "record"])
def test_a_changed_table_redoes_what_reads_it(stage):
    assert hashed([OURS])[1].rows(stage, "P1") != hashed()[1].rows(stage, "P1")


def test_the_check_finds_a_bad_row_before_anything_runs():
    config = parse_config({"assay": {"name": "a"}, "risk_systems": False})
    sheets = Sheets(drugs=[OURS | {"source": ""}], lines={"drugs": [7]})
    found = [str(problem.where) for problem in check_project(config, sheets).problems]
    assert "drugs.tsv, line 7, column source" in found


def test_the_report_says_what_the_laboratory_changed():
    tables = report_example.as_rows(report_example.tables(n_drugs=6))
    rows = [{"drug": edit.drug, "words": edit.words, "row": edit.row}
            for edit in laboratory_table([OURS], []).edits]  # fmt: skip
    record = build_record(
        report_example.PATIENT, [report_example.sample_row()], tables | {"drug_edits": rows},
        settings=report_example.SETTINGS, provenance=report_example.PROVENANCE,
    )  # fmt: skip
    said = {fact.term: fact.text for fact in record.methods}
    assert "exvivo 'limited' in place of 'yes' (source: SOP 12)" in said["Drug table"]
