"""Real exports of plate readers: every well, and values checked in the raw text by hand."""

import csv

from drp.plates import scan_plate

# Files of the other folders are tried with their readers, in test_reader_*.py.
FOLDERS = ("envision", "envision_ctg", "envision_bare", "generic_grid")


def _manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [
        row
        for row in rows
        if row["path"].split("/")[0] in FOLDERS
        and row["role"] in ("reader", "tidy")
        and row["expected_wells"]
    ]


def _errors(problems):
    return [problem for problem in problems if problem.severity == "error"]


def test_every_file_of_the_manifest_gives_all_its_wells(shared_data):
    rows = _manifest(shared_data)
    assert len(rows) == 10
    for row in rows:
        reads, problems = scan_plate(shared_data / "plates" / row["path"])
        assert _errors(problems) == [], row["path"]
        assert (reads["status"] == "ok").sum() == int(row["expected_wells"]), row["path"]


def test_every_value_checked_by_hand_comes_back(shared_data):
    checked = 0
    for row in _manifest(shared_data):
        reads, _ = scan_plate(shared_data / "plates" / row["path"])
        for number in (1, 2, 3):
            plate, _, well = row[f"spot{number}_well"].rpartition(":")
            index = int(plate.removeprefix("plate") or 1)
            value = reads[(reads["plate_index"] == index) & (reads["well"] == well)].iloc[0]
            assert value["signal"] == float(row[f"spot{number}_value"]), (row["path"], well)
            place = row[f"spot{number}_source"].split(" (")[0]
            if place.startswith("line") or "!" in place:
                assert value["locator"] == place
            checked += 1
    assert checked == 30


def _raw_block(path):
    """Read the measured block by counting lines, which is right for these files and no others."""
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Results for"))
    return {
        f"{fields[0]}{column}": float(text)
        for fields in (line.split(";") for line in lines[start + 2 : start + 18])
        for column, text in enumerate(fields[1:25], start=1)
    }


def test_the_leukaemia_plates(shared_data):
    paths = sorted((shared_data / "leukaemia_plates").glob("CTGLuminescence_*.txt"))
    assert len(paths) == 15
    for path in paths:
        reads, problems = scan_plate(path)
        assert problems == []
        assert reads["status"].tolist() == ["ok"] * 384
        assert dict(zip(reads["well"], reads["signal"], strict=True)) == _raw_block(path)
        assert set(reads["read"]) == {"LW US LUM 384(1)"}
        assert set(reads["mode"]) == {"lum"}
        assert set(reads["unit"]) == {"CPS"}
        # The measured block is the second one: no value comes from the calculated block above.
        lines = [int(locator.split()[1]) for locator in reads["locator"]]
        assert min(lines) >= 30


def test_rows_that_are_not_printed_stay_absent(shared_data):
    path = shared_data / "plates" / "envision" / "envision_lum384_sparse_rows_AEIM.csv"
    reads, problems = scan_plate(path)
    assert {problem.code for problem in problems} == {"plate.partial"}
    assert {well[0] for well in reads["well"]} == {"A", "E", "I", "M"}
    assert sorted(set(reads["plate_index"])) == [1, 2]


def test_plates_without_labels_are_read_by_position_and_say_so(shared_data):
    path = shared_data / "plates" / "envision" / "envision_fluor96_bare_partial_5plates.csv"
    reads, problems = scan_plate(path)
    assert [problem.code for problem in problems] == ["plate.positional"] * 5
    assert set(reads["registration"]) == {"positional"}
    blank = reads[reads["status"] == "not_read"]
    assert len(blank) == 64
    assert set(blank["plate_index"]) == {1}


def test_a_row_lost_from_a_real_export(shared_data):
    reads, problems = scan_plate(shared_data / "bad" / "env_A450_rowC_missing.csv")
    errors = _errors(problems)
    assert [problem.code for problem in errors] == ["plate.missing-row"] * 2
    assert {problem.where.well for problem in errors} == {"row C"}
    assert [problem.where.plate[-2:] for problem in errors] == ["_1", "_2"]
    # What is there keeps its own well.
    first = reads[reads["plate_index"] == 1].set_index("well")["signal"]
    assert (first["D1"], first["H12"], first["B12"]) == (0.07, 0.095, 0.31)


def test_thousands_in_a_plain_grid(shared_data, tmp_path):
    lines = (shared_data / "bad" / "gen5_thousands.txt").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Results")) + 1
    grid = [line.split("\t")[:13] for line in lines[start : start + 9]]
    path = tmp_path / "plain.txt"
    path.write_text("".join("\t".join(cells) + "\n" for cells in grid))
    reads, problems = scan_plate(path)
    assert len(reads) == 0
    (problem,) = _errors(problems)
    assert problem.code == "plate.ambiguous-number"
    assert "210,530" in problem.found
    assert (problem.where.locator, problem.where.well) == ("line 2 field 2", "A1")


def test_states_in_a_plain_grid(shared_data, tmp_path):
    lines = (shared_data / "bad" / "gen5_ovr.txt").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Results")) + 1
    grid = [line.split("\t")[:13] for line in lines[start : start + 9]]
    path = tmp_path / "plain.txt"
    path.write_text("".join("\t".join(cells) + "\n" for cells in grid))
    reads, problems = scan_plate(path)
    assert _errors(problems) == []
    assert (reads["status"] == "ok").sum() == 90
    flagged = reads[reads["status"] != "ok"].set_index("well")
    assert flagged["status"].to_dict() == {
        "A1": "saturated",
        "A2": "saturated",
        "A3": "invalid",
        "A4": "saturated",
        "A5": "missing",
        "A6": "missing",
    }
    assert flagged["raw_text"].tolist() == ["OVRFLW", ">Max", "*****", "#SAT", "NaN", ""]
    assert flagged["signal"].isna().all()
