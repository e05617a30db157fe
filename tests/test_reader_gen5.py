"""Gen5 exports: measured lines by their labels, every line in its own row, or an error."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.pages import Page, Source, open_source
from drp.plates.readers import gen5
from drp.plates.writers import write_gen5
from drp.problems import Problems
from drp.wellnames import row_letters, smallest_format, well_name

QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
NUMBERS = st.one_of(
    st.integers(0, 10**8).map(float),
    st.floats(1e-4, 1e9, allow_nan=False),
    st.just(math.nan),
)


def _signals(least=2):
    shapes = st.tuples(st.integers(1, 32), st.integers(least, 48)).filter(
        lambda shape: shape[0] * shape[1] <= 300
    )
    return hnp.arrays(float, shapes, elements=NUMBERS, fill=NUMBERS).filter(
        lambda signal: np.isfinite(signal).any()
    )


def _codes(problems, severity="error"):
    return [problem.code for problem in problems if problem.severity == severity]


def _row(read, well):
    return read.set_index("well").loc[well]


PREAMBLE = (
    "Software Version\t3.11.19\nUser Name:\tsomeone\n\n"
    "Experiment File Path:\tC:\\secret\\run.xpt\n\n"
    "Plate Number\tPlate 1\nDate\t1/2/2026\nTime\t9:00:00 AM\nReader Type:\tSynergy Neo2\n"
    "Reader Serial Number:\t1234567\nReading Type\tReader\n\nProcedure Details\n\n"
)
LUM = "Read\tLuminescence Endpoint\n\tFull Plate\n\t    Emission: Hole\n"


def _matrix(*labels, rows=8, columns=12, base=0):
    """Write a matrix whose values tell row, column and line: 1000 · row + 10 · column + line."""
    lines = ["\t" + "\t".join(str(column) for column in range(1, columns + 1))]
    for row in range(1, rows + 1):
        for line, label in enumerate(labels):
            values = [base + 1000 * row + 10 * column + line for column in range(1, columns + 1)]
            first = row_letters(row) if line == 0 else ""
            lines.append("\t".join([first, *map(str, values), label]))
    return "\n".join(lines) + "\n\n"


def _read(tmp_path, *parts, name="p.txt", encoding="utf-8"):
    text = "".join(parts)
    (tmp_path / name).write_bytes(text.encode(encoding))
    return scan_plate(tmp_path / name)


def _text(procedure, *matrices, plate="96 WELL PLATE (Use plate lid)"):
    return "".join([PREAMBLE, f"Plate Type\t{plate}\n", procedure, "\n", *matrices])


def _check_values(reads, lines):
    """Each value names its row, column and line, so none can stand in another well unseen."""
    for row in reads[reads["status"] == "ok"].itertuples():
        assert row.signal == 1000 * row.row + 10 * row.column + lines[row.read], row


# --- files of the instrument -------------------------------------------------------------------


def _manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["path"].startswith("gen5/")]


def test_every_file_of_the_manifest(shared_data):
    rows = _manifest(shared_data)
    assert len(rows) == 2
    for row in rows:
        reads, problems = scan_plate(shared_data / "plates" / row["path"])
        assert _codes(problems) == []
        assert len(reads) == int(row["expected_wells"])
        for number in (1, 2, 3):
            value = _row(reads, row[f"spot{number}_well"])
            assert value["raw_text"] == row[f"spot{number}_value"]
            place = row[f"spot{number}_source"].split(" (")[0]
            if place.startswith("line"):
                assert value["locator"] == place


def test_calculated_lines_between_measured_ones_are_left_out(shared_data):
    reads, problems = scan_plate(shared_data / "plates" / "gen5" / "gen5_lum96_with_NormLum.txt")
    assert problems == []
    assert set(reads["read"]) == {"LUM:Lum"}
    assert set(reads["mode"]) == {"lum"}
    assert set(reads["measured_at_raw"]) == {"10/10/2022 9:15:37 PM"}


def test_words_instead_of_numbers(shared_data):
    reads, problems = scan_plate(shared_data / "plates" / "gen5" / "gen5_abs96_OVRFLW.txt")
    saturated = reads[reads["status"] == "saturated"]
    missed = reads[reads["status"] == "missing"]
    assert saturated["well"].tolist() == ["A8", "B7", "C6", "D5", "E4", "F3", "G2", "H1"]
    assert missed["well"].tolist() == ["D12", "E11", "F10", "G9", "H8"]
    assert set(missed["raw_text"]) == {"MISSED"}
    assert reads.loc[reads["status"] != "ok", "signal"].isna().all()
    assert "plate.simulated" in _codes(problems, "warning")


def test_the_same_plate_twice(shared_data):
    _, problems = scan_plate(shared_data / "bad" / "gen5_dupheader.txt")
    assert _codes(problems) == ["plate.identical"]


def test_a_file_cut_in_a_number(shared_data):
    reads, problems = scan_plate(shared_data / "bad" / "gen5_midrow_trunc.txt")
    assert _codes(problems) == ["plate.short-row", "plate.truncated", "plate.truncated"]
    short = next(problem for problem in problems if problem.code == "plate.short-row")
    assert short.where.well == "row E"
    assert "2 of 12" in short.found
    assert set(reads["row"]) == {1, 2, 3, 4}


def test_thousands_separators(shared_data):
    reads, problems = scan_plate(shared_data / "bad" / "gen5_thousands.txt")
    assert len(reads) == 0
    (error,) = [problem for problem in problems if problem.severity == "error"]
    assert error.code == "plate.ambiguous-number"
    assert (error.where.locator, error.where.well) == ("line 35 field 2", "A1")
    assert "210,530" in error.found


def test_one_flag_for_each_word(shared_data):
    reads, problems = scan_plate(shared_data / "bad" / "gen5_ovr.txt")
    assert _codes(problems) == []
    assert (reads["status"] == "ok").sum() == 90
    flagged = reads[reads["status"] != "ok"]
    assert dict(zip(flagged["well"], flagged["status"], strict=True)) == {
        "A1": "saturated",
        "A2": "saturated",
        "A3": "invalid",
        "A4": "saturated",
        "A5": "missing",
        "A6": "missing",
    }
    assert flagged["raw_text"].tolist() == ["OVRFLW", ">Max", "*****", "#SAT", "NaN", ""]


def test_line_ends_and_byte_order_mark_do_not_matter(shared_data, tmp_path):
    path = shared_data / "bad" / "gen5_crlf_bom.txt"
    reads, problems = scan_plate(path)
    assert _codes(problems) == []
    text = path.read_bytes().decode("utf-8-sig")
    for ending in ("\n", "\r"):
        other, _ = _read(tmp_path, text.replace("\r\n", ending))
        assert len(reads) == 96
        assert other["signal"].tolist() == reads["signal"].tolist()


# --- the dialect, by hand ----------------------------------------------------------------------


def test_several_modes_and_wavelengths_in_one_matrix(tmp_path):
    procedure = (
        "Read\tod\n\tAbsorbance Endpoint\n\tFull Plate\n\tWavelengths:  600, 450\n"
        "Read\tfluor\n\tFluorescence Endpoint\n\tFull Plate\n\tFilter Set 1\n"
        "\t    Excitation: 579/20,  Emission: 616/40\n\tFilter Set 2\n"
        "\t    Excitation: 479,  Emission: 520\n"
        "Read\tLuminescence Endpoint\n\tFull Plate\n\t    Emission: 460/40\n"
    )
    labels = ["od:600", "od:450", "fluor:579/20,616/40", "fluor:479,520", "Read 3:460/40"]
    norm = ["Blank od:600", "Ratio", "[Concentration]"]
    text = _text(procedure, "Actual Temperature:\t22.8\n\nResults\n", _matrix(*labels, *norm))
    reads, problems = _read(tmp_path, text)
    assert problems == []
    assert len(reads) == 5 * 96
    modes = reads.groupby("read", sort=False)["mode"].first()
    assert modes.to_dict() == dict(zip(labels, ["abs", "abs", "fluo", "fluo", "lum"], strict=True))
    assert set(reads["temperature_c"]) == {22.8}
    _check_values(reads, {label: line for line, label in enumerate(labels)})


def test_wavelengths_instruments_and_nothing_of_people():
    procedure = (
        "Read\tDNA\n\tAbsorbance Endpoint\n\tFull Plate\n\tWavelengths:  260\n"
        "\tPathlength Correction: 977 / 900\n"
        "Read\tFP\n\tFluorescence Endpoint\n\tFull Plate\n"
        "\t    Excitation: 485/20,  Emission: 528/20\n\tFluorescence Polarization\n"
        "Read\tAlpha Endpoint\n\tFull Plate\n"
    )
    labels = [
        *("DNA:977 [Test]", "DNA:900 [Ref]", "DNA:Pathlength", "DNA:260"),
        *("FP:485/20,528/20 [Parallel]", "FP:485/20,528/20 [Perpendicular]", "Alpha"),
    ]
    text = _text(procedure, "Results\n", _matrix(*labels, "Polarization", "Log Alpha"))
    source = Source("p.txt", "", [Page([line.split("\t") for line in text.split("\n")])])
    found = Problems()
    blocks = gen5.read(source, found)
    assert found.items == []
    assert [problem for block in blocks for problem in block.faults] == []
    said = {block.read: (block.mode, block.wavelength_nm) for block in blocks}
    assert said == {
        "DNA:977 [Test]": ("abs", "977"),
        "DNA:900 [Ref]": ("abs", "900"),
        "DNA:Pathlength": ("", ""),
        "DNA:260": ("abs", "260"),
        "FP:485/20,528/20 [Parallel]": ("fluo", "485/528"),
        "FP:485/20,528/20 [Perpendicular]": ("fluo", "485/528"),
        "Alpha": ("lum", ""),
    }
    assert {block.instrument for block in blocks} == {"Synergy Neo2"}
    assert {block.software for block in blocks} == {"Gen5 3.11.19"}
    assert {block.name for block in blocks} == {"Plate 1"}
    printed = repr([(block.name, block.barcode, block.software) for block in blocks])
    assert not any(word in printed for word in ("someone", "secret", "1234567"))


def test_one_matrix_for_each_label(tmp_path):
    procedure = (
        "Read\tFluorescence Endpoint\n\tFull Plate\n\tExcitation: 400/30,  Emission: 460/40\n"
    )
    reads, problems = _read(
        tmp_path,
        _text(
            procedure,
            "400/30,460/40\n",
            _matrix("400/30,460/40"),
            "Blank 400/30,460/40\n",
            _matrix("Blank 400/30,460/40", base=7),
            "Curve Fitting Results\n\nCurve Name\tA\tB\nA\t0.1\t0.2\nB\t1.5\t3\n\nConc\n",
            _matrix("Conc", base=8),
        ),
    )
    assert problems == []
    assert len(reads) == 96
    _check_values(reads, {"400/30,460/40": 0})


def test_labels_may_leave_the_band_width_out(tmp_path):
    procedure = (
        "Read\tFluorescence Endpoint\n\tFull Plate\n\tExcitation: 504/20,  Emission: 531/20\n"
    )
    reads, problems = _read(tmp_path, _text(procedure, "Results\n", _matrix("504,531", "Blank")))
    assert problems == []
    assert len(reads) == 96


def test_wells_outside_the_part_were_not_read(tmp_path):
    rows = ["\t" + "\t".join(map(str, range(1, 13)))]
    for row in range(1, 9):
        cells = [str(1000 * row + 10 * c) if row in (3, 4) else "" for c in range(1, 13)]
        cells[4] = "" if row == 3 else cells[4]
        rows.append("\t".join([row_letters(row), *cells, "Lum"]))
    matrix = "\n".join(rows) + "\n"
    part = LUM.replace("Full Plate", "C1..D12")
    reads, problems = _read(tmp_path, _text(part, "Results\n", matrix))
    assert _codes(problems) == []
    assert reads["status"].value_counts().to_dict() == {"not_read": 72, "ok": 23, "missing": 1}
    assert _row(reads, "C5")["status"] == "missing"
    # The same blanks with the full plate read are values that are lost.
    reads, _ = _read(tmp_path, _text(LUM, "Results\n", matrix))
    assert (reads["status"] == "missing").sum() == 73
    # Wells chosen when the plate was read: a blank cell was not chosen.
    runtime = "Well Selection\tRuntime\n" + LUM
    reads, _ = _read(tmp_path, _text(runtime, "Results\n", matrix))
    assert (reads["status"] == "not_read").sum() == 73


def test_a_value_outside_the_part_is_an_error(tmp_path):
    part = LUM.replace("Full Plate", "A1..H11")
    _, problems = _read(tmp_path, _text(part, "Results\n", _matrix("Lum")))
    assert _codes(problems) == ["plate.other-format"]
    assert "'1120'" in problems[0].found
    assert problems[0].where.locator == "line 22 field 13"


def test_masked_values_are_flagged_not_used(tmp_path):
    text = _text(LUM, "Results\n", _matrix("Lum")).replace("\t3050\t", "\t*3050*\t")
    reads, problems = _read(tmp_path, text)
    assert _codes(problems) == []
    well = _row(reads, "C5")
    assert (well["status"], well["raw_text"]) == ("invalid", "*3050*")
    assert math.isnan(well["signal"])


def test_several_plates_and_their_barcodes(tmp_path):
    one = _text(LUM, "Results\n", _matrix("Lum"))
    two = _text(LUM, "Results\n", _matrix("Lum", base=5)).replace("Plate 1\n", "Plate 2\n")
    reads, problems = _read(tmp_path, one, "\n\n", two)
    assert problems == []
    assert reads["plate"].drop_duplicates().tolist() == ["p_1", "p_2"]
    assert reads.groupby("plate")["signal"].first().tolist() == [1010, 1015]
    coded = [
        text.replace("Date\t", f"Barcode:\tPB{number}\nDate\t")
        for number, text in enumerate((one, two))
    ]
    reads, _ = _read(tmp_path, *coded)
    assert reads["plate"].drop_duplicates().tolist() == ["PB0", "PB1"]


def test_the_preamble_may_lack_lines_or_begin_at_the_plate_number(tmp_path):
    text = _text(LUM, "Results\n", _matrix("Lum"))
    for line in ("Software Version\t3.11.19\n", "Plate Number\tPlate 1\n", "Procedure Details\n"):
        reads, problems = _read(tmp_path, text.replace(line, ""))
        assert problems == []
        assert len(reads) == 96
    short = text.replace("Software Version\t3.11.19\n", "")
    reads, problems = _read(tmp_path, short, short.replace("\t1010\t", "\t1011\t"))
    assert problems == []
    assert set(reads["plate_index"]) == {1, 2}


def test_labels_and_order_of_lines_may_differ_between_rows(tmp_path):
    procedure = "Read\tAbsorbance Endpoint\n\tFull Plate\n\tWavelengths:  280, 325\n"
    text = _text(procedure, "Results\n", _matrix("280", "325"))
    lines = text.split("\n")
    b = next(index for index, line in enumerate(lines) if line.startswith("B\t"))
    lines[b], lines[b + 1] = "B" + lines[b + 1], lines[b].removeprefix("B")
    reads, problems = _read(tmp_path, "\n".join(lines))
    assert problems == []
    _check_values(reads, {"280": 0, "325": 1})


# --- defects -----------------------------------------------------------------------------------

SERIES = {
    "Start Kinetic": "Start Kinetic\tRuntime 0:05:00\n    Read\tLuminescence Endpoint\n",
    "Luminescence Spectrum": "Read\tLuminescence Spectrum\n\tFull Plate\n",
    "Absorbance Area Scan": "Read\tScan\n\tAbsorbance Area Scan\n\tFull Plate\n",
    "Fluorescence Linear Scan": "Read\tScan\n\tFluorescence Linear Scan\n",
}


@pytest.mark.parametrize("what", SERIES)
def test_more_than_one_value_per_well(tmp_path, what):
    reads, problems = _read(tmp_path, _text(SERIES[what], "Results\n", _matrix("Mean [Lum]")))
    assert len(reads) == 0
    assert _codes(problems) == ["plate.not-endpoint"]
    assert what in problems[0].found
    assert problems[0].where.locator in ("line 16", "line 17")


def test_a_table_over_time_without_its_procedure(tmp_path):
    table = "Lum\n\nTime\tT° Lum\tA1\tA2\n0:00:00\t22\t5\t6\n0:01:00\t22\t7\t8\n\n"
    _, problems = _read(tmp_path, _text("", table, "Results\n", _matrix("Max V [Lum]")))
    assert _codes(problems) == ["plate.not-endpoint"]


@pytest.mark.parametrize(
    ("procedure", "labels", "code", "words"),
    [
        (LUM, ("Blank Lum", "Norm"), "plate.no-measured-block", "'Blank Lum', 'Norm'"),
        ("", ("Norm",), "plate.no-measured-block", "no 'Read' step"),
        ("", ("Lum",), "plate.unknown-block", "'Lum'"),
        ("", ("LUM:Lum", "Norm"), "plate.unknown-block", "'LUM:Lum'"),
        (LUM, ("450",), "plate.unknown-block", "'450'"),
        (LUM, ("Lum", "LUM:460/40"), "plate.unknown-block", "'LUM:460/40'"),
    ],
)
def test_labels_that_no_step_measured(tmp_path, procedure, labels, code, words):
    _, problems = _read(tmp_path, _text(procedure, "Results\n", _matrix(*labels)))
    assert _codes(problems) == [code]
    assert words in problems[0].found


def test_values_that_stand_in_a_list(tmp_path):
    _, problems = _read(tmp_path, _text(LUM, "Results\nWell\tLum\nA1\t5\nA2\t6\n"))
    assert _codes(problems) == ["plate.no-measured-block"]
    assert "no matrix" in problems[0].found


def test_a_read_that_is_not_printed_is_said(tmp_path):
    procedure = "Read\tAbsorbance Endpoint\n\tFull Plate\n\tWavelengths:  280, 325\n"
    reads, problems = _read(tmp_path, _text(procedure, "Results\n", _matrix("280")))
    assert _codes(problems) == []
    assert [problem.code for problem in problems] == ["plate.missing-read"]
    assert "'325'" in problems[0].found
    assert set(reads["read"]) == {"280"}


def _damaged(lines, at, kind):
    line = lines[at]
    changed = {
        "drop": [],
        "double": [line, line],
        "blank before": ["", line],
        "no letter": [line[line.index("\t") :]],
        "odd letter": ["Σ" + line[line.index("\t") :]],
        "other letter": ["C" + line[line.index("\t") :]],
        "no label": [line.rpartition("\t")[0]],
        "other label": [line + "x"],
        "lost field": [line.replace("\t", "", 1)],
        "wide": [line.replace("\t20", "\t\t20", 1)],
        "comma": [line.replace("\t", ",")],
    }[kind]
    return [*lines[:at], *changed, *lines[at + 1 :]]


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("drop", {"plate.uneven-rows", "plate.missing-row"}),
        ("double", {"plate.duplicate-row", "plate.uneven-rows"}),
        ("blank before", {"plate.stray-row", "plate.truncated"}),
        ("no letter", {"plate.uneven-rows", "plate.missing-row"}),
        ("odd letter", {"plate.unlabelled-row", "plate.missing-row"}),
        ("other letter", {"plate.duplicate-row", "plate.missing-row"}),
        ("no label", {"plate.short-row"}),
        ("other label", {"plate.uneven-rows"}),
        ("lost field", {"plate.unlabelled-row", "plate.short-row", "plate.missing-row"}),
        ("wide", {"plate.wide-row"}),
        ("comma", {"plate.stray-row", "plate.truncated"}),
    ],
)
def test_a_damaged_line_is_an_error_and_moves_nothing(tmp_path, kind, codes):
    """Row B of two reads: whatever happens to its first line, no other row takes its values."""
    procedure = "Read\tAbsorbance Endpoint\n\tFull Plate\n\tWavelengths:  280, 325\n"
    lines = _text(procedure, "Results\n", _matrix("280", "325")).split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("B\t"))
    reads, problems = _read(tmp_path, "\n".join(_damaged(lines, at, kind)))
    found = set(_codes(problems))
    assert found
    assert found <= codes | {"plate.stray-row"}
    assert found & codes
    _check_values(reads, {"280": 0, "325": 1, "325x": 1})


def test_a_lost_line_without_letter(tmp_path):
    text = _text(LUM, "Results\n", _matrix("Lum", "Norm"))
    lines = text.split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("D\t")) + 1
    reads, problems = _read(tmp_path, "\n".join(_damaged(lines, at, "drop")))
    assert _codes(problems) == ["plate.uneven-rows"]
    assert problems[0].where.well == "row D"
    assert "no 'Norm'" in problems[0].found
    assert 4 not in set(reads["row"])


def test_rows_in_another_order(tmp_path):
    """A row of one line may be moved with its letter; a row of two may have lost its second."""
    for labels, severity in ((("Lum",), "warning"), (("Lum", "Norm"), "error")):
        lines = _text(LUM, "Results\n", _matrix(*labels)).split("\n")
        b, e = (
            next(i for i, line in enumerate(lines) if line.startswith(x)) for x in ("B\t", "E\t")
        )
        if severity == "error":  # the measured line is the one without a letter
            text = "\n".join(lines).replace("\tLum", "\t?").replace("\tNorm", "\tLum")
            lines = text.replace("\t?", "\tNorm").split("\n")
        lines[b], lines[e] = lines[e], lines[b]
        reads, problems = _read(tmp_path, "\n".join(lines))
        assert ("plate.row-order", severity) in {(p.code, p.severity) for p in problems}
        if severity == "warning":
            _check_values(reads, {"Lum": 0})


@pytest.mark.parametrize(
    ("rows", "columns", "plate", "code"),
    [
        (5, 12, "96 WELL PLATE", "plate.truncated"),
        (5, 12, "Corning white", "plate.truncated"),
        (8, 12, "Corning 384 flat", "plate.other-format"),
        (9, 12, "96 WELL PLATE", "plate.other-format"),
        (8, 11, "96 WELL PLATE", "plate.other-format"),
        (16, 24, "384 WELL PLATE", ""),
        (8, 12, "PE 1/2 area plate 96", ""),
        (8, 12, "Corning 3596, clear", ""),
        (4, 6, "24 WELL PLATE", ""),
        (6, 12, "72 WELL PLATE", "plate.truncated"),
        (6, 10, "60 WELL PLATE", ""),
    ],
)
def test_declared_and_printed_wells(tmp_path, rows, columns, plate, code):
    matrix = _matrix("Lum", rows=rows, columns=columns)
    _, problems = _read(tmp_path, _text(LUM, "Results\n", matrix, plate=plate))
    assert _codes(problems) == ([code] if code else [])


def test_a_plate_of_unknown_size_is_said(tmp_path):
    matrix = _matrix("Lum", rows=3, columns=5)
    _, problems = _read(tmp_path, _text(LUM, "Results\n", matrix, plate="Own plate"))
    assert [(p.code, p.severity) for p in problems] == [("plate.partial", "warning")]


def test_a_plate_without_results_among_others(tmp_path):
    text = _text(LUM, "Results\n", _matrix("Lum"))
    reads, problems = _read(tmp_path, text, PREAMBLE, LUM)
    assert _codes(problems) == ["plate.no-measured-block"]
    assert "plate 2 of the file" in problems[0].found
    assert len(reads) == 96


def test_an_end_cut_off_below_the_values(tmp_path):
    text = _text(LUM, "Results\n", _matrix("Lum"), "StdCurve Fitting Results\n\nCurve Name\tA")
    reads, problems = _read(tmp_path, text)
    assert [(p.code, p.severity) for p in problems] == [("plate.incomplete-footer", "warning")]
    assert len(reads) == 96


def test_a_missing_header(tmp_path):
    header = "\t" + "\t".join(map(str, range(1, 13))) + "\n"
    broken = header.replace("\t7\t", "\t8\t")
    for new in ("", broken, header[1:], header.replace("\t1\t", "\t")):
        text = _text(LUM, "Results\n", _matrix("Lum")).replace(header, new)
        reads, problems = _read(tmp_path, text)
        assert _codes(problems)
        assert len(reads) == 0


# --- written and read --------------------------------------------------------------------------


def _expected(signal, step, alone):
    rows, columns = signal.shape
    plate = signal.shape if alone else smallest_format(rows, columns)
    for row in range(plate[0]):
        for column in range(plate[1]):
            inside = row < rows and column < columns
            value = signal[row, column] if inside else math.nan
            status = "ok" if not math.isnan(value) else "missing" if inside else "not_read"
            yield well_name(row + 1, column + 1), value, status


@QUICK
@given(
    _signals(),
    st.sampled_from(["LUM", "", "DAPI/GFP", "plate 7: CTG"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from([".", ","]),
    st.sampled_from(["", "Norm", "Blank Lum", "% µM"]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_one_plate_comes_back(
    tmp_path, signal, step, line_ending, encoding, decimal, calculated, choices
):
    layout, separate, alone = choices
    path = tmp_path / "p.txt"
    options = {"step": step, "line_ending": line_ending, "encoding": encoding, "decimal": decimal}
    parts = {"layout": layout, "separate": separate, "alone": alone, "calculated": calculated}
    write_gen5(path, signal, **options, **parts)
    reads, problems = scan_plate(path)
    if _codes(problems) == ["plate.ambiguous-number"]:
        assert decimal == ","  # every comma could be a thousands separator: refused, not guessed
        return
    assert _codes(problems) == []
    wells, values, statuses = zip(*_expected(signal, step, alone), strict=True)
    assert reads["well"].tolist() == list(wells)
    np.testing.assert_array_equal(reads["signal"], values)
    assert reads["status"].tolist() == list(statuses)
    assert set(reads["read"]) == {f"{step}:Lum" if step else "Lum"}
    text = path.read_bytes().decode("utf-16" if encoding == "utf-16" else encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row in reads.itertuples():
        line, field = int(row.locator.split()[1]), int(row.locator.split()[3])
        assert lines[line - 1].split("\t")[field - 1] == row.raw_text


@QUICK
@given(
    st.integers(1, 3),
    st.sampled_from([("abs", ["450", "630"]), ("fluo", ["360/40,460/40", "485/20,528/20"])]),
    st.booleans(),
    st.sampled_from([(8, 12), (16, 24)]),
)
def test_several_plates_and_reads_come_back(tmp_path, n_plates, reads_of, separate, shape):
    mode, names = reads_of
    generator = np.random.default_rng(3)
    plates = {
        f"Plate {number}": {name: generator.uniform(0.05, 4, shape).round(4) for name in names}
        for number in range(1, n_plates + 1)
    }
    write_gen5(tmp_path / "p.txt", plates, step="S", mode=mode, separate=separate)
    reads, problems = scan_plate(tmp_path / "p.txt")
    assert problems == []
    assert set(reads["mode"]) == {mode}
    for index, signals in enumerate(plates.values(), start=1):
        for name, signal in signals.items():
            kept = (reads["plate_index"] == index) & (reads["read"] == f"S:{name}")
            assert reads.loc[kept, "signal"].tolist() == signal.ravel().tolist()


def test_the_writer_refuses_what_would_break_the_file(tmp_path):
    with pytest.raises(ValueError, match="must hold neither"):
        write_gen5(tmp_path / "p.txt", [[1.0, 2.0]], step="a\tb")
    with pytest.raises(ValueError, match="same shape"):
        write_gen5(tmp_path / "p.txt", {"P1": {"450": [[1.0]], "630": [[1.0, 2.0]]}})
    assert list(tmp_path.iterdir()) == []


def test_the_same_plate_gives_the_same_bytes(tmp_path):
    for name in ("a.txt", "b.txt"):
        write_gen5(tmp_path / name, np.arange(384.0).reshape(16, 24) + 1)
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()


# --- mutations ---------------------------------------------------------------------------------


def _mutate(lines, chance):
    """Damage a file in its structure, not inside a value."""
    lines = list(lines)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    fields = lines[at].split("\t")
    kind = chance.choice(
        ["drop", "double", "swap", "cut", "blank", "separator", "field", "label", "block", "header"]
    )
    if kind == "drop":
        del lines[at]
    elif kind == "double":
        lines.insert(other, lines[at])
    elif kind == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "cut":
        return "\n".join([*lines[:at], lines[at][: chance.randrange(len(lines[at]) + 1)]])
    elif kind == "blank":
        lines.insert(at, "")
    elif kind == "separator":
        lines[at] = lines[at].replace("\t", chance.choice([",", ";", "\t\t", " "]))
    elif kind == "field":
        del fields[chance.randrange(len(fields))]
        lines[at] = "\t".join(fields)
    elif kind == "label":
        lines[at] = chance.choice(["", "C", "Q", "7", "Σ"]) + lines[at][1:]
    elif kind == "block":
        first, last = sorted((at, other))
        lines[last:last] = lines[first:last]
    elif kind == "header":
        last = fields[-1]
        fields[-1] = last.replace(chance.choice("0123456789"), chance.choice("0123456789"))
        if not last.isdigit() or lines[at].startswith("\t1\t2"):
            lines[at] = "\t".join(fields)
    return "\n".join([*lines, ""])


def _is_refused(path):
    """Say whether the reader alone finds an error, which spares making the table."""
    found = Problems()
    source = open_source(path, "plate", found)
    blocks = gen5.read(source, found) if source else []
    found.extend(fault for block in blocks for fault in block.faults)
    return bool(found.errors)


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    """Each value names plate, row, column and read: one that is taken must stand in its place."""
    names = ["450", "630"]
    grid = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13) * 10.0)
    plates = {
        f"Plate {number}": {
            name: grid[:4, :6] + 100_000 * number + line for line, name in enumerate(names)
        }
        for number in (1, 2)
    }
    part = {"alone": True, "calculated": ""}
    shapes = [
        {"plates": plates, "mode": "abs", "step": "OD", "alone": True},
        {"plates": grid + 100_000, "step": "LUM"},
        {"plates": grid[:5] + 100_000, "step": "", **part},
    ]
    chance = random.Random(8)
    outcomes = {"refused": 0, "read": 0}
    for options in shapes:
        write_gen5(tmp_path / "whole.txt", **options, line_ending="\n")
        lines = (tmp_path / "whole.txt").read_text().splitlines()
        for _ in range(70):
            (tmp_path / "p.txt").write_text(text := _mutate(lines, chance))
            if _is_refused(tmp_path / "p.txt"):
                outcomes["refused"] += 1
                continue
            reads, problems = scan_plate(tmp_path / "p.txt")
            if _codes(problems):
                outcomes["refused"] += 1
                continue
            outcomes["read"] += 1
            for row in reads[reads["status"] == "ok"].itertuples():
                line = names.index(row.read[-3:]) if row.read.startswith("OD") else 0
                value = 100_000 * row.plate_index + 1000 * row.row + 10 * row.column + line
                assert row.signal == value, text
    assert min(outcomes.values()) > 30
