"""What is published beside the classes: each class has one pathway, each figure its group."""

import re
from itertools import product

import pytest

from drp.problems import DataError
from drp.risk import classify_rows, list_switches, risk_context
from drp.risk.flags import flag_meanings
from drp.risk.genetics import known_lesions
from drp.risk.notes import load_agents, load_pathways
from drp.risk.outcomes import load_figures
from drp.risk.rules import DOMAINS, NOT_CLASSIFIABLE, load_systems
from drp.risk.worlds import inputs_of
from drp.tables import PATIENT_COLUMNS, RISK_STATEMENTS, check

LATE_MARROW = {
    "patient": "P01",
    "immunophenotype": "B",
    "site": "isolated_marrow",
    "months_dx_to_relapse": "48",
    "months_end_of_therapy_to_relapse": "20",
    "eoi_mrd": "0.005%",
    "age_at_diagnosis_y": "6",
    "genetics": "none",
    "down_syndrome": "N",
    "prior_hsct": "N",
    "relapse_number": "1",
}


def published(kind, switches=None, **cells):
    sheet = [{**LATE_MARROW, **cells}]
    rows = risk_context(sheet, classify_rows(sheet, switches=switches), switches=switches)
    return [row for row in rows if row["kind"] == kind]


def figures(**cells):
    return {(row["subject"], row["text"]) for row in published("outcome", **cells)}


def pathways(**cells):
    found = {}
    for row in published("pathway", **cells):
        found.setdefault(row["subject"], []).append((row["condition"], row["text"]))
    return found


@pytest.mark.parametrize("system", load_systems(), ids=lambda system: system.name)
def test_every_rule_with_a_class_has_exactly_one_pathway_in_every_world(system):
    notes = [one for one in load_pathways() if one.system == system.name and one.is_pathway]
    for rule in system.rules:
        fitting = [note for note in notes if rule.id in note.rules]
        facts = sorted({fact for note in fitting for part in note.when for fact in inputs_of(part)})
        for world in product(*(DOMAINS[fact] for fact in facts)):
            values = dict(zip(facts, world, strict=True))
            found = sum(all(p.holds(values[p.fact]) for p in note.when) for note in fitting)
            assert found == (rule.risk_class != NOT_CLASSIFIABLE), (rule.id, world)


def test_notes_name_rules_and_lesions_that_exist():
    rules = {rule.id for system in load_systems() for rule in system.rules}
    for note in load_pathways():
        assert note.rules <= rules
        assert bool(note.when) <= bool(note.condition or note.subject)
        assert note.says.endswith(".") and note.source
    for one in load_agents():
        assert set(one.lesions) <= set(known_lesions())
        assert one.says.endswith(".") and one.source
        assert bool(one.evidence) == bool(one.agents)


def test_a_pathway_depends_on_what_is_not_known():
    assert pathways()["ALLR3"] == [
        ("", "ALLR3 treated late B-ALL marrow relapses with such an MRD with chemotherapy, with or "
             "without radiotherapy.")
    ]  # fmt: skip
    conditions = [condition for condition, _ in pathways(eoi_mrd="")["ALLR3"]]
    assert conditions == [
        "MRD at the end of induction of 0.01 % or more",
        "MRD at the end of induction below 0.01 %",
    ]
    assert [condition for condition, _ in pathways(eoi_mrd="")["COG"]] == ["Intermediate", "Low"]
    both = pathways(site="", eoi_mrd="")["ALL-REZ BFM"]
    assert ("late isolated marrow B-ALL relapse and MRD at the end of induction below 0.1 %") in [
        condition for condition, _ in both
    ]


def test_the_cut_of_each_protocol_is_its_own():
    between = pathways(eoi_mrd="0.05%")
    assert "chemotherapy" in between["ALL-REZ BFM"][0][1]
    assert "transplanted" in between["ALLR3"][0][1]
    at_the_cut = pathways(eoi_mrd="0.1%")
    assert "transplanted" in at_the_cut["ALL-REZ BFM"][0][1]


def test_no_pathway_for_a_patient_who_is_not_classifiable():
    assert pathways(prior_hsct="Y") == {} == pathways(relapse_number="2")
    assert set(pathways(immunophenotype="MPAL")) == {"InPOG-ALL-R1"}


@pytest.mark.parametrize(("answer", "number"), [("N", 1), ("Y", 0), ("", 0), ("NA", 0)])
def test_no_second_remission_is_said_where_it_is_recorded(answer, number):
    said = published("remission", second_remission=answer)
    assert len(said) == number
    assert all("difficult to cure" in row["text"] for row in said)


@pytest.mark.parametrize("lesion", ["TP53del", "TP53mut", "TP53del;TP53mut"])
def test_tp53_is_said_once(lesion):
    (row,) = published("remission", genetics=lesion)
    assert row["source"] == "Yu 2020"


@pytest.mark.parametrize(
    ("cells", "agent", "level"),
    [
        ({"genetics": "BCR::ABL1"}, "Dasatinib", "standard for this lesion"),
        ({"genetics": "ABL-class"}, "Dasatinib", "level not stated"),
        ({"genetics": "KMT2A-r"}, "Venetoclax", "cells in the laboratory only"),
        ({"genetics": "TCF3::HLF"}, "Venetoclax", "cells in the laboratory only"),
        ({"genetics": "TCF3::PBX1"}, "Dasatinib", "cells in the laboratory only"),
        ({"genetics": "TP53mut"}, "Idasanutlin", "expected from the mechanism"),
        ({"genetics": "KRAS"}, "Trametinib", "under clinical investigation"),
        ({"genetics": "NR3C1"}, "Dexamethasone", "expected from the mechanism"),
        ({"genetics": "NT5C2"}, "Mercaptopurine", "expected from the mechanism"),
        ({"immunophenotype": "T"}, "Nelarabine", "responses seen in patients"),
    ],
)
def test_a_lesion_names_its_agents_with_the_level_of_evidence(cells, agent, level):
    found = published("agent", **cells)
    assert any(agent in row["agents"].split(";") and row["evidence"] == level for row in found)
    assert all(row["source"] for row in found)


def test_without_a_finding_only_the_antigens_are_named():
    for cells in ({}, {"genetics": ""}, {"immunophenotype": ""}):
        (row,) = published("agent", **cells)
        assert row["subject"] == "CD19, CD22, CD38"
        assert "never on a plate result" in row["text"]


def test_figures_of_the_smallest_group_the_patient_certainly_belongs_to():
    assert figures(eoi_mrd="0.05%") == {
        ("B-ALL, 36 months or more from diagnosis", "5-year OS 66.4 ± 1.8 %"),
        ("MRD below 0.1 % at the end of induction 1",
         "3-year EFS and OS 84.9 ± 4.0 % and 93.8 ± 2.7 %"),
    }  # fmt: skip
    assert ("B-ALL", "5-year OS 52.5 ± 1.3 %") in figures(
        months_dx_to_relapse="", months_end_of_therapy_to_relapse=""
    )
    assert ("all relapses", "5-year OS 48.9 ± 1.2 %") in figures(
        age_at_diagnosis_y="", months_dx_to_relapse="", months_end_of_therapy_to_relapse=""
    )
    assert ("infants", "5-year OS 21.5 ± 3.9 %") in figures(age_at_diagnosis_y="0.9")
    assert ("KMT2A-r", "5-year OS 31.9 ± 7.7 %") in figures(genetics="MLL")


@pytest.mark.parametrize(
    ("months", "group"), [("17.9", "under 18"), ("18", "18 to under 36"), ("36", "36 months")]
)
def test_isolated_cns_by_time(months, group):
    cells = {"site": "isolated_em", "em_sites": "CNS", "months_dx_to_relapse": months,
             "months_end_of_therapy_to_relapse": ""}  # fmt: skip
    assert any(f"CNS relapse, {group}" in subject for subject, _ in figures(**cells))
    assert not any("isolated CNS" in s for s, _ in figures(**{**cells, "em_sites": "CNS;testes"}))


@pytest.mark.parametrize(
    "cells",
    [
        {"prior_hsct": "Y"}, {"relapse_number": "2"}, {"immunophenotype": "MPAL"},
        {"prior_hsct": ""}, {"relapse_number": ""}, {"immunophenotype": ""},
    ],
)  # fmt: skip
def test_no_figure_for_a_patient_who_may_be_beyond_the_systems(cells):
    assert figures(**cells) == set()


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({}, True),
        ({"genetics": "BCR::ABL1"}, False),
        ({"genetics": ""}, False),
        ({"down_syndrome": "Y"}, False),
        ({"down_syndrome": ""}, False),
    ],
)
def test_a_trial_is_shown_only_to_whom_it_did_not_exclude(cells, shown):
    early = {"months_dx_to_relapse": "24", "months_end_of_therapy_to_relapse": ""}
    found = {subject for subject, _ in figures(**early, on_therapy="Y", **cells)}
    assert ("blinatumomab v chemotherapy" in found) == shown


def test_every_figure_given_is_there_and_none_is_shown_that_must_not_be(shared_data):
    with (shared_data / "risk" / "evidence.csv").open(encoding="utf-8") as stream:
        given = {line[:3]: line for line in list(stream)[1:]}
    ours = {}
    for figure in load_figures():
        for number in re.findall(r"E\d\d", figure.id):
            ours.setdefault(number, []).append(figure)
    assert set(ours) == set(given)
    for number, line in given.items():
        if "no until checked" in line:
            assert {figure.show for figure in ours[number]} == {"no"}
        if "review only" in line:
            assert {figure.checked for figure in ours[number]} == {"review only"}
    for figure in load_figures():
        assert figure.source and figure.cohort
        assert (figure.show == "patient") != bool(figure.why)


def test_no_word_recommends():
    forbidden = re.compile(r"recommend|should|must|advise|suggest|indicated|prefer|best", re.I)
    texts = [note.says for note in load_pathways()] + [one.says for one in load_agents()]
    assert [text for text in texts if forbidden.search(text)] == []


def test_every_flag_has_a_meaning_and_every_switch_that_is_set_its_question():
    raised = {flag.flag for system in load_systems() for flag in system.flags}
    own = {"BOUNDARY", "ABANDONED", "DISCORDANT", "DATES", "UNITS", "NOT_FIRST_RELAPSE",
           "MRD_TIME_POINT"}  # fmt: skip
    assert set(flag_meanings()) == raised | own
    for name, options in list_switches().items():
        assert published("switch", {name: options[0]}) == []
        (row,) = published("switch", {name: options[1]})
        assert row["subject"] == f"{name} = {options[1]}"
        assert f"the default is {options[0]}" in row["text"]


def test_neither_dates_nor_ages_are_stated():
    dates = {"diagnosis_date": "2018-05-10", "end_of_therapy_date": "2020-07-10",
             "relapse_date": "2022-05-10", "months_dx_to_relapse": "",
             "months_end_of_therapy_to_relapse": "", "age_at_diagnosis_y": "6.5"}  # fmt: skip
    sheet = [{**LATE_MARROW, **dates}]
    text = str(risk_context(sheet, classify_rows(sheet)))
    assert not re.search(r"2018-|2020-0|2022-|6\.5", text)
    assert {row["text"] for row in published("input", **dates)} == {"late", "under 15 years"}


def test_the_table_keeps_its_contract():
    import pandas as pd

    sheet = [{**LATE_MARROW, "genetics": "KMT2A-r", "second_remission": "N"}]
    rows = risk_context(sheet, classify_rows(sheet))
    table = check(pd.DataFrame(rows).astype({"place": "int64"}), "risk_context")
    assert set(table["kind"]) <= set(RISK_STATEMENTS)
    nothing = [dict.fromkeys(PATIENT_COLUMNS, "") | {"patient": "P01"}]
    assert risk_context(nothing, classify_rows(nothing))


def test_a_bad_row_gives_no_statement():
    with pytest.raises(DataError, match="mrd-unit"):
        risk_context([{**LATE_MARROW, "eoi_mrd": "0.1"}], [])


@pytest.mark.parametrize("applies", [True, False])
def test_the_stage_writes_classes_and_what_is_published(tmp_path, applies):
    from drp.config import RiskSwitches
    from drp.job import Job
    from drp.stages import risk
    from drp.storage import read_rows

    sheets = {
        "plates": "plate\tfile\tlayout\tsample\nPL1\ta\tmap.tsv\tS1\n",
        "samples": "sample\tpatient\nS1\tP01\n",
        "patients": "\t".join(LATE_MARROW) + "\n" + "\t".join(LATE_MARROW.values()) + "\n",
    }
    for name, text in sheets.items():
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("risk", "context")}
    switches = RiskSwitches(inpog_age="at_relapse").model_dump()
    settings = {"batches": None, "risk_systems": applies, "risk_switches": switches}
    risk(Job(inputs={}, outputs=outputs, settings=settings, sheets=tmp_path, name="P01"))
    classes, context = (read_rows(outputs[name]) for name in ("risk", "context"))
    assert len(classes) == (5 if applies else 0)
    assert bool(context) == applies
    if applies:
        assert classes[4]["switches"] == "inpog_age=at_relapse"
        assert [row["place"] for row in context] == list(range(1, len(context) + 1))
        assert "switch" in {row["kind"] for row in context}
