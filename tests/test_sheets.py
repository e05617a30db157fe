import pytest

from drp.config import parse_config, read_config
from drp.problems import DataError
from drp.sheets import keep_sheets, read_sheets, samples_of_plate, scan_sheets

PLATES = "plate\tfile\tlayout\tsample\trun\nPL1\ta.txt\tmap.tsv\tS1\tR1\n"
SAMPLES = "sample\tpatient\tthaw_viability_pct\tcollected_date\nS1\tP1\t85\t2025-11-03\n"
PATIENTS = "# simulated\npatient\tsite\nP1\tisolated_marrow\n"


@pytest.fixture
def folder(tmp_path):
    def write(**sheets):
        texts = {"plates": PLATES, "samples": SAMPLES, "patients": PATIENTS} | sheets
        for sheet, text in texts.items():
            (tmp_path / f"{sheet}.tsv").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def faults(folder):
    return [(problem.code, str(problem.where)) for problem in scan_sheets(folder)[1]]


def test_good_sheets_have_no_problem(folder):
    sheets = read_sheets(folder())
    assert sheets.patient_of() == {"S1": "P1"}
    assert sheets.lines["patients"] == [3]
    assert samples_of_plate(sheets.plates[0]) == ["S1"]
    assert scan_sheets(folder())[1] == []


@pytest.mark.parametrize(
    ("sheets", "code", "place"),
    [
        ({"plates": PLATES.replace("\t", ",")}, "sheet.missing-column", "plates.tsv, line 1"),
        ({"plates": PLATES + "PL1\tb.txt\tmap.tsv\tS1\tR1\n"}, "sheet.double-id", "line 3"),
        ({"plates": PLATES.replace("PL1", "../PL1")}, "sheet.bad-id", "column plate"),
        ({"plates": PLATES.replace("PL1", "=cmd()")}, "sheet.bad-id", "column plate"),
        ({"plates": PLATES.replace("\tR1", "\tR/1")}, "sheet.bad-id", "column run"),
        ({"plates": PLATES.replace("S1", "S2")}, "sheet.unknown-link", "column sample"),
        ({"plates": PLATES.replace("\tS1\t", "\t\t")}, "sheet.unknown-link", "column sample"),
        ({"plates": PLATES.replace("\trun", "\tsurname")}, "sheet.personal", "plates.tsv, line 1"),
        ({"plates": PLATES.replace("\trun", "\tstack")}, "sheet.unknown-column", "line 1"),
        ({"samples": SAMPLES.replace("P1", "P2")}, "sheet.unknown-link", "column patient"),
        ({"samples": SAMPLES.replace("85", "good")}, "sheet.bad-number", "thaw_viability_pct"),
        ({"samples": SAMPLES.replace("2025-11-03", "3.11.25")}, "sheet.bad-date", "collected_date"),
        ({"samples": SAMPLES.replace("2025-11-03", "2025-02-30")}, "sheet.bad-date", "line 2"),
        (
            {
                "samples": SAMPLES.replace("P1", "2014-05-03"),
                "patients": PATIENTS.replace("P1", "2014-05-03"),
            },
            "sheet.personal",
            "patients.tsv",
        ),
        (
            {"exclusions": "plate\twell\treason\nPL1\tA1\tborn 3 May\n"},
            "sheet.personal",
            "column reason",
        ),
        (
            {"exclusions": 'plate\twell\treason\nPL1\tA1\t"bubble\nPL1\tA2\tdry\n'},
            "sheet.lost-quote",
            "line 2",
        ),
        ({"patients": PATIENTS.replace("site", "sight")}, "sheet.unknown-column", "line 2"),
        ({"patients": PATIENTS.replace("site", "date_of_birth")}, "sheet.personal", "line 2"),
        ({"patients": "# nothing\n"}, "sheet.empty", "patients.tsv"),
        (
            {"exclusions": "plate\twell\treason\nPL1\tA01\tbubble\n"},
            "sheet.bad-well",
            "plate PL1, well A01",
        ),
        ({"exclusions": "plate\twell\treason\nPL1\tA1\t\n"}, "sheet.no-reason", "well A1"),
        ({"exclusions": "plate\twell\treason\nPL9\tA1\tx\n"}, "sheet.unknown-link", "column plate"),
    ],
)
def test_each_mistake_is_found_in_its_place(folder, sheets, code, place):
    found = faults(folder(**sheets))
    assert code in [name for name, _ in found]
    assert any(place in where for name, where in found if name == code)


def test_all_mistakes_are_reported_at_once(folder):
    with pytest.raises(DataError) as fault:
        read_sheets(folder(plates=PLATES.replace("S1", "S2"), samples=SAMPLES.replace("P1", "P2")))
    assert len(fault.value.problems) >= 2


def test_kept_sheets_are_read_again_when_one_changes(folder):
    assert read_sheets(folder()) is not read_sheets(folder())
    place = folder()
    keep_sheets(place)
    kept = read_sheets(place)
    assert read_sheets(place) is kept
    (place / "exclusions.tsv").write_text("plate\twell\treason\nPL1\tA1\tclotted\n")
    assert read_sheets(place).exclusions_of(["PL1"])[0]["reason"] == "clotted"
    (place / "exclusions.tsv").unlink()
    (place / "samples.tsv").write_text(SAMPLES.replace("P1", "P7"))
    keep_sheets(place)
    with pytest.raises(DataError, match="P7"):
        read_sheets(place)


def test_absent_sheets_are_named(tmp_path):
    assert [where for _, where in faults(tmp_path)] == ["plates.tsv", "samples.tsv", "patients.tsv"]


def test_configuration_faults_name_the_key(tmp_path):
    with pytest.raises(DataError) as fault:
        parse_config({"assay": {"name": "a"}, "calls": {"z": -1, "zz": 2}, "seed": "x"})
    places = [problem.where.locator for problem in fault.value.problems]
    assert places == ["key calls.z", "key calls.zz", "key seed"]
    (tmp_path / "config.yaml").write_text("assay: [", encoding="utf-8")
    with pytest.raises(DataError, match="config.unreadable"):
        read_config(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text("assay: {name: a}\n", encoding="utf-8")
    config = read_config(tmp_path / "config.yaml", {"plates_folder": "elsewhere"})
    assert config.plates_folder == "elsewhere"
