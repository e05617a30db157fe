"""The readers, on small exports written here: what they take, leave out and refuse."""

import numpy as np
import pytest

from drp.plates import READERS, read_plate, scan_plate
from drp.plates.writers import write_envision, write_labelled_grid, write_tidy
from drp.problems import DataError
from tests.plates_workbooks import make_workbook

SIGNAL = np.arange(96.0).reshape(8, 12) * 10 + 1000


def _scan(tmp_path, text, name="plate.csv", **options):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    reads, problems = scan_plate(path, **options)
    return reads, [problem.code for problem in problems]


def _envision(tmp_path, signal=SIGNAL, **options):
    path = tmp_path / "written.csv"
    write_envision(path, signal, **options)
    return path.read_bytes().decode()


def _by_well(reads):
    return dict(zip(reads["well"], reads["signal"], strict=True))


# --- EnVision ----------------------------------------------------------------------------------


@pytest.mark.parametrize("information_last", [True, False])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_only_the_measured_block_is_read(tmp_path, information_last, separator):
    text = _envision(tmp_path, information_last=information_last, separator=separator)
    lines = text.split("\r\n")
    # Make the calculated block differ, so that taking it would show.
    row = next(i for i, line in enumerate(lines) if line.startswith(f"A{separator}1000.0"))
    lines[row] = lines[row].replace("1000.0", "9999.0")
    reads, codes = _scan(tmp_path, "\r\n".join(lines))
    assert codes == []
    assert len(reads) == 96
    assert reads["signal"].tolist() == SIGNAL.ravel().tolist()
    assert set(reads["read"]) == {"LUM 384(1)"}
    assert set(reads["unit"]) == {"CPS"}
    assert set(reads["measured_at_raw"]) == {"11/03/2025 10:15:00 AM"}


def test_locators_lead_to_the_printed_value(tmp_path):
    text = _envision(tmp_path)
    reads, _ = _scan(tmp_path, text)
    lines = text.split("\r\n")
    for row in reads.itertuples():
        line, field = (int(word) for word in row.locator.split()[1::2])
        assert lines[line - 1].split(";")[field - 1] == row.raw_text


def test_the_comment_does_not_disturb(tmp_path):
    reads, codes = _scan(tmp_path, _envision(tmp_path, comment="SIMULATED DATA"))
    assert (len(reads), codes) == (96, [])


def _edit(text, old, new, count=1):
    assert old in text
    return text.replace(old, new, count)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Rotated plate;;;;No", "Rotated plate;;;;Yes", "plate.rotated"),
        ("Number of rows;;;;8", "Number of rows;;;;7", "plate.other-format"),
        ("Results for LUM 384(1) - channel 0 (CPS)", "Values", "plate.unknown-block"),
        ("1;LUM 384(1);0;0", "1;OTHER(1);0;0", "plate.bad-information"),
        ("Plate;Repeat", "Disc;Repeat", "plate.bad-information"),
        ("Plate information", "Plates", "plate.bad-information"),
        ("End of plate", "Beginning of plate", "plate.bad-information"),
        ("Exported with", "Written by", "plate.incomplete-footer"),
        ("\r\nC;1240;", "\r\n;1240;", "plate.unlabelled-row"),
        ("\r\nC;1240;", "\r\nX;1240;", "plate.missing-row"),
        ("\r\nC;1240;", "\r\nB;1240;", "plate.duplicate-row"),
        ("\r\nC;1240;", "\r\nC;1,240;", "plate.ambiguous-number"),
        ("\r\nC;1240;", "\r\nC;1240.5;12,5;", "plate.wide-row"),
        ("\r\nC;1240;", "\r\nC;WRONG;", "plate.unknown-token"),
        ("\r\nC;1240;", "\r\nC;OVRFLW;", "plate.saturated"),
        ("\r\nC;1240;", "\r\nC;-5;", "plate.negative-value"),
        ("\r\nC;1240;", "\r\nC;;", "plate.missing-value"),
    ],
)
def test_every_fault_has_its_code(tmp_path, old, new, code):
    _, codes = _scan(tmp_path, _edit(_envision(tmp_path), old, new))
    assert code in codes


def test_a_row_lost_from_the_measured_block_only(tmp_path):
    lines = _envision(tmp_path).split("\r\n")
    del lines[next(i for i, line in enumerate(lines) if line.startswith("H;1840;"))]
    reads, codes = _scan(tmp_path, "\r\n".join(lines))
    assert "plate.missing-row" in codes
    assert "H1" not in set(reads["well"])


def test_a_block_given_twice_is_an_error(tmp_path):
    text = _envision(tmp_path)
    start = text.index("Results for")
    block = text[start : text.index("Basic assay")]
    reads, codes = _scan(tmp_path, text[:start] + block + text[start:])
    assert "plate.duplicate-block" in codes
    assert not reads.duplicated(["plate", "well", "read"]).any()


def test_only_calculated_values_are_no_reads(tmp_path):
    text = _envision(tmp_path)
    text = text[: text.index("Results for")] + text[text.index("Basic assay") :]
    _, codes = _scan(tmp_path, text)
    assert codes == ["plate.no-measured-block"]


def _two_plates(tmp_path, first, second, **barcodes):
    texts = []
    for number, signal in ((1, first), (2, second)):
        barcode = barcodes.get(f"barcode_{number}", "")
        text = _envision(tmp_path, signal, plate_number=number, barcode=barcode)
        texts.append(text)
    head = texts[0][: texts[0].index("Basic assay")]
    return head + texts[1]


def test_two_plates_in_one_file(tmp_path):
    reads, codes = _scan(tmp_path, _two_plates(tmp_path, SIGNAL, SIGNAL + 1))
    assert codes == []
    assert sorted(set(reads["plate"])) == ["plate_1", "plate_2"]
    second = reads[reads["plate_index"] == 2]
    assert second["signal"].tolist() == (SIGNAL + 1).ravel().tolist()


def test_two_plates_are_called_by_their_barcodes_if_these_are_fit(tmp_path):
    text = _two_plates(tmp_path, SIGNAL, SIGNAL + 1, barcode_1="X7", barcode_2="X8")
    assert sorted(set(_scan(tmp_path, text)[0]["plate"])) == ["X7", "X8"]
    text = _two_plates(tmp_path, SIGNAL, SIGNAL + 1, barcode_1="a/b", barcode_2="X8")
    assert sorted(set(_scan(tmp_path, text, plate="R")[0]["plate"])) == ["R_1", "R_2"]
    text = _two_plates(tmp_path, SIGNAL, SIGNAL + 1, barcode_1="X7", barcode_2="X7")
    assert "plate.duplicate-barcode" in _scan(tmp_path, text)[1]


def test_two_plates_with_the_same_values_are_an_error(tmp_path):
    _, codes = _scan(tmp_path, _two_plates(tmp_path, SIGNAL, SIGNAL))
    assert codes == ["plate.identical"]


def test_a_copy_of_a_part_of_a_plate_is_an_error(tmp_path):
    text = "P1\n;1;2;3;4\nA;1;2;3;4\nB;5;6;7;8\n\nP2\n;1;2;3;4\nA;1;2;3;4\nB;5;6;7;8\nC;1;1;1;1\n"
    assert _scan(tmp_path, text)[1] == ["plate.identical"]


# --- plain grids -------------------------------------------------------------------------------


def test_a_plain_grid(tmp_path):
    reads, codes = _scan(tmp_path, "RLU\t1\t2\nA\t5\tNA\nB\t7.5\t8\n", "my plate.tsv")
    assert codes == ["plate.missing-value"]
    assert reads["plate"].unique().tolist() == ["my_plate"]
    assert reads["read"].unique().tolist() == ["RLU"]
    assert reads["status"].tolist() == ["ok", "missing", "ok", "ok"]


def test_several_titled_grids(tmp_path):
    text = "P1;;\n;1;2\nA;5;6\n\nP2;;\n;1;2\nA;7;8\n"
    reads, codes = _scan(tmp_path, text)
    assert codes == []
    assert reads.groupby("plate")["signal"].sum().to_dict() == {"P1": 11, "P2": 15}


def test_grids_on_several_sheets(tmp_path):
    sheets = {
        name: {"B3": "1", "C3": "2", "A4": "A", "B4": value, "C4": "OVER"}
        for name, value in (("P1", 5.0), ("P2", 6.0))
    }
    reads, codes = _scan(tmp_path, make_workbook(sheets | {"Empty": {}}), "run.xlsx")
    assert codes == ["plate.saturated"] * 2
    assert reads["plate"].tolist() == ["P1", "P1", "P2", "P2"]
    assert reads["locator"].tolist()[0] == "P1!B4"
    assert reads["raw_text"].tolist()[0] == "5"


def test_decimal_comma_if_all_numbers_agree(tmp_path):
    reads, codes = _scan(tmp_path, ";1;2\nA;0,5;210,530\n")
    assert codes == []
    assert reads["signal"].tolist() == [0.5, 210.53]
    reads, codes = _scan(tmp_path, ";1;2\nA;0,5;2.5\n")
    assert codes == ["plate.ambiguous-number"]
    assert len(reads) == 0


def test_a_full_ring_of_zeros_is_said(tmp_path):
    signal = SIGNAL.copy()
    signal[[0, -1], :] = 0
    signal[:, [0, -1]] = 0
    path = tmp_path / "plate.tsv"
    write_labelled_grid(path, signal)
    reads, problems = scan_plate(path)
    assert [problem.code for problem in problems] == ["plate.ring-of-zeros"]
    assert (reads["status"] == "ok").all()


def test_a_plain_grid_says_nothing_but_values(tmp_path):
    text = "Software;Version 3\n;1;2\nA;5;6\n\nNormalised;x\n;1;2\nA;7;8\n"
    assert _scan(tmp_path, text)[1] == ["plate.unrecognised"]


# --- tidy tables -------------------------------------------------------------------------------


def test_a_tidy_table(tmp_path):
    text = "Plate,Well ID,Readout,note\nP1,A01,5,x\nP1,b2,OVRFLW,\nP2,A1,-3,\n"
    reads, codes = _scan(tmp_path, text)
    assert codes == ["plate.saturated", "plate.negative-value"]
    assert reads["plate"].tolist() == ["P1", "P1", "P2"]
    assert reads["well"].tolist() == ["A1", "B2", "A1"]
    assert reads["locator"].tolist()[2] == "line 4 field 3"
    assert set(reads["read"]) == {"Readout"}


def test_tidy_rows_and_columns_apart_in_a_workbook(tmp_path):
    cells = {"A1": "Row", "B1": "Column", "C1": "Value", "D1": "Status"}
    cells |= {"A2": "C", "B2": 3.0, "C2": 12.5, "A3": "C", "B3": 4.0, "D3": "not_read"}
    reads, codes = _scan(tmp_path, make_workbook({"Data": cells}), "P9.xlsx")
    assert codes == []
    assert reads["well"].tolist() == ["C3", "C4"]
    assert reads["status"].tolist() == ["ok", "not_read"]
    assert set(reads["plate"]) == {"P9"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("well,value\nA1,5\nA01,6\n", "plate.duplicate-well"),
        ("well,value\nZZ1,5\n", "plate.bad-well"),
        ("well,value\nA1,5,6\n", "plate.short-row"),
        ("well,value\nA1,5", "plate.truncated"),
        ("well,value,status\nA1,5,fine\n", "plate.bad-status"),
        ("well,value,signal\nA1,5,5\n", "plate.duplicate-column"),
        ("well,value\n", "plate.no-values"),
        ("well,value\nA1,\n", "plate.no-values"),
    ],
)
def test_tidy_faults(tmp_path, text, code):
    assert code in _scan(tmp_path, text)[1]


def test_row_order_of_a_tidy_table_does_not_matter(tmp_path):
    write_tidy(tmp_path / "a.csv", {"P1": SIGNAL, "P2": SIGNAL + 1})
    lines = (tmp_path / "a.csv").read_text().splitlines()
    order = np.random.default_rng(1).permutation(len(lines) - 1) + 1
    shuffled = "\n".join([lines[0], *(lines[i] for i in order)]) + "\n"
    columns = ["plate", "well", "read", "signal", "status", "raw_text"]
    sort = {"by": ["plate", "well"], "ignore_index": True}
    ordered = read_plate(tmp_path / "a.csv")[columns].sort_values(**sort)
    assert _scan(tmp_path, shuffled)[0][columns].sort_values(**sort).equals(ordered)


# --- choosing and naming -----------------------------------------------------------------------


def test_readers_can_be_named(tmp_path):
    text = "well,value\nA1,5\n"
    assert len(_scan(tmp_path, text, reader="tidy")[0]) == 1
    assert _scan(tmp_path, text, reader="gen9")[1] == ["plate.unknown-reader"]
    for reader in set(READERS) - {"tidy"}:
        reads, codes = _scan(tmp_path, text, reader=reader)
        assert len(reads) == 0
        assert codes


def test_several_matching_readers_are_an_error(tmp_path, monkeypatch):
    from drp.plates import readers

    monkeypatch.setattr(readers, "PLAIN", (readers.tidy, readers.tidy))
    path = tmp_path / "p.csv"
    path.write_text("well,value\nA1,5\n")
    with pytest.raises(DataError, match="tidy and tidy recognise the file"):
        read_plate(path)


def test_an_unknown_file_lists_what_is_known(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("hello\n")
    with pytest.raises(DataError, match=r"no reader recognises.*envision.*labelled_grid.*tidy"):
        read_plate(path)


def test_plate_ids_must_be_fit(tmp_path):
    _, codes = _scan(tmp_path, "well,value\nA1,5\n", plate="../x")
    assert codes == ["plate.bad-id"]


def test_warnings_do_not_raise(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("well,value\nA1,OVER\nA2,5\n")
    assert read_plate(path, plate="P7")["plate"].tolist() == ["P7", "P7"]


def test_the_same_bytes_give_the_same_table(tmp_path):
    text = _two_plates(tmp_path, SIGNAL, SIGNAL + 1)
    first, second = (_scan(tmp_path, text)[0] for _ in range(2))
    assert first.equals(second)


def _two_detectors(titled):
    header = "Plate,Repeat,Barcode,Group,Label,ScanX,ScanY,Measinfo,Kinetics,Measurement date,"
    text = ""
    for number, detector, first in ((1, "1st", 31441), (2, "2nd", 80368)):
        text += f"Plate information\n{header}\n"
        text += f'1,1,"=""""",1,HTRF [Eu](1),0,0,De={detector} Ex=Top Em=Top Wdw=1 (14),0,,\n\n'
        if titled:
            text += f"Results for HTRF [Eu](1) - channel {number} window 1 (Counts)\n,01,02,\n"
            text += f"A,{first},{first + 1},\n\n"
        else:
            for row in range(8):
                values = ",".join(str(first + 12 * row + column) for column in range(12))
                text += values + ",\n"
            text += "\n"
    return text + "Exported with EnVision Workstation version 1.14.3049.1193\n"


def test_detectors_of_one_label_are_reads_of_their_own(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(_two_detectors(titled=True))
    reads, problems = scan_plate(path)
    assert [problem.code for problem in problems] == []
    assert reads[["read", "well", "signal", "unit", "mode"]].values.tolist() == [
        ["HTRF [Eu](1) channel 1 window 1", "A1", 31441.0, "Counts", "fluo"],
        ["HTRF [Eu](1) channel 1 window 1", "A2", 31442.0, "Counts", "fluo"],
        ["HTRF [Eu](1) channel 2 window 1", "A1", 80368.0, "Counts", "fluo"],
        ["HTRF [Eu](1) channel 2 window 1", "A2", 80369.0, "Counts", "fluo"],
    ]
    assert set(reads["software"]) == {"EnVision Workstation version 1.14.3049.1193"}


def test_bare_blocks_of_one_label_are_told_apart_by_their_detector(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(_two_detectors(titled=False))
    reads, problems = scan_plate(path)
    assert [problem.code for problem in problems] == ["plate.positional"] * 2
    first = reads[reads["well"] == "A1"]
    assert dict(zip(first["read"], first["signal"], strict=True)) == {
        "HTRF [Eu](1) detector 1st window 1": 31441.0,
        "HTRF [Eu](1) detector 2nd window 1": 80368.0,
    }


def test_a_lone_well_outside_the_plate_of_all_others_is_an_error(tmp_path):
    wells = [f"{row}{column}" for row in "ABCDEFGHIJKLMNOP" for column in range(1, 25)]
    path = tmp_path / "p.csv"
    lines = [f"{well},{100 + number}" for number, well in enumerate(wells)]
    path.write_text("well,value\n" + "\n".join(lines) + "\n")
    assert scan_plate(path)[1] == []
    path.write_text(path.read_text().replace("K24,", "K25,"))
    (problem,) = scan_plate(path)[1]
    assert (problem.code, problem.where.well) == ("plate.stray-well", "K25")
    inner = [line for line in lines if line[0] not in "ABP" and not line.startswith("C1,")]
    path.write_text("well,value\n" + "\n".join([*inner, "A1,7"]) + "\n")  # C1 turned into A1
    assert [problem.where.well for problem in scan_plate(path)[1]] == ["A1"]
    path.write_text("well,value\nA1,5\nAF48,6\n")  # two corners of a large plate are no slip
    assert scan_plate(path)[1] == []
