"""Real exports of plate readers: every well, and values checked in the raw text by hand."""

import csv

import pytest

from drp.plates import scan_plate


def _manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if row["role"] in ("reader", "tidy") and row["expected_wells"]]


def _errors(problems):
    return [problem for problem in problems if problem.severity == "error"]


@pytest.mark.slow
def test_every_file_of_the_manifest_gives_all_its_wells(shared_data):
    rows = _manifest(shared_data)
    assert len(rows) == 20
    for row in rows:
        reads, problems = scan_plate(shared_data / "plates" / row["path"])
        assert _errors(problems) == [], row["path"]
        flagged = reads["status"].isin(["saturated", "missing", "below_range", "invalid"])
        assert ((reads["status"] == "ok") | flagged).sum() == int(row["expected_wells"]), row[
            "path"
        ]


@pytest.mark.slow
def test_every_value_checked_by_hand_comes_back(shared_data):
    checked = 0
    for row in _manifest(shared_data):
        reads, _ = scan_plate(shared_data / "plates" / row["path"])
        for number in (1, 2, 3):
            value = _spot(reads, row[f"spot{number}_well"])
            assert value["raw_text"].strip().removesuffix(".0") == row[
                f"spot{number}_value"
            ].removesuffix(".0"), (row["path"], number)
            if value["status"] == "ok":
                assert value["signal"] == float(row[f"spot{number}_value"])
            place = row[f"spot{number}_source"].split(" (")[0]
            if row["path"].startswith("bmg/smart"):
                continue  # its values stand on two sheets; the manifest names the other one
            if place.startswith("line"):
                assert value["locator"] == place
            elif "!" in place and "row '" not in place:
                assert value["locator"].rpartition("!")[2] == place.rpartition("!")[2]
            checked += 1
    assert checked == 57


def _spot(reads, name):
    """The one reading that a manifest means by A1, plate2:A1, H358-1:B2 or OD600:A1."""
    group, _, well = name.partition(" (")[0].rpartition(":")
    own = reads[reads["well"] == well]
    if group.startswith("plate") and group[5:].isdigit():
        own = own[own["plate_index"] == int(group[5:])]
    elif group:
        own = own[(own["plate"] == group) | (own["read"] == group)]
    else:
        own = own[own["plate_index"] == 1]
    assert len(own) == 1, (name, len(own))
    return own.iloc[0]


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


# Each defective file: how many values may be used, and the problems that must be named.
DEFECTS = {
    "gen5_midrow_trunc.txt": (None, {"plate.short-row", "plate.truncated"}),
    "gen5_ovr.txt": (90, {"plate.saturated", "plate.missing-value", "plate.invalid-reading"}),
    "gen5_thousands.txt": (None, {"plate.ambiguous-number"}),
    "gen5_dupheader.txt": (None, {"plate.identical"}),
    "gen5_crlf_bom.txt": (96, set()),
    "kaleido_trunc.csv": (96, {"plate.incomplete-footer"}),
    "env_A450_rowC_missing.csv": (None, {"plate.missing-row"}),
    "sparse.xlsx": (None, {"plate.unusable-file"}),
}


def test_every_defective_file_ends_as_its_manifest_says(shared_data):
    with (shared_data / "bad" / "BAD_MANIFEST.csv").open(newline="") as stream:
        names = {row["file"] for row in csv.DictReader(stream)}
    assert names == set(DEFECTS)
    for name, (usable, codes) in DEFECTS.items():
        reads, problems = scan_plate(shared_data / "bad" / name)
        assert codes <= {problem.code for problem in problems}, name
        assert (usable is None) == bool(_errors(problems)), name
        if usable is not None:
            assert (reads["status"] == "ok").sum() == usable, name
            assert len(reads) == 96, name
        for problem in problems:
            assert problem.where.file == name
            assert problem.found and problem.fix, name


def test_a_line_end_or_a_mark_changes_no_value(shared_data):
    marked, _ = scan_plate(shared_data / "bad" / "gen5_crlf_bom.txt")
    cut, problems = scan_plate(shared_data / "bad" / "gen5_midrow_trunc.txt")
    assert "row E" in {problem.where.well for problem in _errors(problems)}
    whole = marked.set_index("well")["signal"]
    kept = cut.set_index("well")["signal"]
    assert set(kept.index) == {f"{row}{column}" for row in "ABCD" for column in range(1, 13)}
    assert (whole[kept.index] == kept).all()


@pytest.mark.slow
def test_nothing_of_persons_or_machines_travels(shared_data):
    """Operators, folders and serial numbers that stand in the exports are in no column."""
    for row in _manifest(shared_data):
        path = shared_data / "plates" / row["path"]
        reads, problems = scan_plate(path)
        texts = {text for name in reads.select_dtypes("str") for text in set(reads[name])}
        texts |= {str(problem) for problem in problems}
        for text in texts - set(reads["raw_text"]):
            assert not any(mark in text for mark in ("\\", "C:", "User", "Serial")), (
                path.name,
                text,
            )


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
