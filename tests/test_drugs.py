import csv

import pytest

from drp import drugs
from drp.problems import DataError


def test_every_name_and_synonym_finds_its_own_drug():
    for drug in drugs.load_drugs():
        for name in (drug.name, *drug.synonyms):
            assert drugs.find(f" {name.upper()} ") == drug, name


def test_names_are_unique_and_contract_values_hold():
    names = [name.casefold() for drug in drugs.load_drugs() for name in (drug.name, *drug.synonyms)]
    assert len(names) == len(set(names))
    assert {drug.exvivo for drug in drugs.load_drugs()} == {"yes", "limited", "no"}


@pytest.mark.parametrize("name", ["Cyclophosphamide", "ifosfamide", "Prednisone", "Revumenib"])
def test_what_a_plate_cannot_read_is_marked(name):
    assert drugs.find(name).exvivo == "no"


def test_an_unknown_name_is_not_guessed():
    assert drugs.find("dasatinb") is None
    assert drugs.nearest("dasatinb") == "Dasatinib"
    assert drugs.nearest("qqqq") is None


def test_one_usable_value_needs_no_schedule():
    value, reason = drugs.exposure("Dasatinib")
    assert (value.cmax_nm, reason) == (214.1, "")
    assert value.cmax_free_nm == (8.57, 8.57)


def test_several_usable_values_need_a_schedule():
    assert drugs.exposure("cytarabine") == (None, "several schedules: configuration names none")
    value, _ = drugs.exposure("ara-C", "1 g/m2 IV over 1 h")
    assert value.cmax_nm == 61200


def test_a_doubtful_value_never_enters_a_call_even_when_named():
    row = drugs.exposures("dexamethasone")[0]
    assert row.cmax_nm == 655.4
    for schedule in (None, row.schedule):
        value, reason = drugs.exposure("dexamethasone", schedule)
        assert value is None
        assert "healthy adults" in reason


def test_binding_alone_is_no_exposure():
    assert drugs.exposures("ruxolitinib")[0].unbound_fraction == (0.03, 0.03)
    assert drugs.exposure("ruxolitinib") == (None, "no verified value")


def test_a_wrong_schedule_is_an_error_that_lists_the_right_ones():
    with pytest.raises(DataError, match=r"1\.3 mg/m2 SC, repeated dosing"):
        drugs.exposure("bortezomib", "1.3 mg/m2 by mouth")
    with pytest.raises(DataError, match=r"Name one of: none"):
        drugs.exposure("vincristine", "weekly")


def test_cmax_keys_are_the_names_of_the_layout_in_lower_case():
    found = drugs.cmax_nm(
        ["ABT-199", "Bortezomib", "Vincristine", "not a drug"],
        {"VELCADE": "1.3 mg/m2 IV, repeated dosing"},
    )
    assert found == {"abt-199": 2418.0, "bortezomib": 580.4}


def test_a_schedule_for_a_drug_that_has_no_value_is_not_passed_over():
    with pytest.raises(DataError, match="bortezomb"):
        drugs.cmax_nm(["Venetoclax"], {"bortezomb": "1.3 mg/m2 SC, repeated dosing"})


def test_bounds_of_stated_ranges():
    assert drugs.exposure("venetoclax")[0].cmax_free_nm == (0.0, 24.2)
    fludarabine = drugs.exposure("fludarabine")[0]
    assert fludarabine.unbound_fraction == (0.71, 0.81)
    assert fludarabine.analyte == "F-ara-A"
    decitabine = drugs.exposures("decitabine")[0]
    assert decitabine.cmax_free_nm == (464.0, decitabine.cmax_nm)


def test_every_value_has_a_source_and_a_schedule_that_names_it():
    rows = [row for row in drugs.load_exposures() if row.cmax_nm is not None]
    assert all(row.source and row.source_url and row.schedule for row in rows)
    keys = [(row.drug, row.schedule) for row in rows]
    assert len(keys) == len(set(keys))
    assert all(row.cmax_nm > 0 for row in rows)
    assert all(row.verification.startswith("verified-") for row in rows)


def test_doubtful_rows_say_why():
    assert all(r.remark for r in drugs.load_exposures() if r.confidence == "doubtful")


def test_the_tables_agree_with_the_collected_facts(shared_data):
    with (shared_data / "drugs" / "exposure.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    ours = drugs.load_exposures()
    assert len(ours) == len(rows)
    for row, mine in zip(rows, ours, strict=True):
        assert row["drug"].split(" (")[0].casefold() == mine.drug.casefold()
        assert (float(row["cmax_nM"]) if row["cmax_nM"] else None) == mine.cmax_nm
        assert row["confidence"] == mine.confidence
        assert row["source_url"] == mine.source_url
