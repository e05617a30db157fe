"""SoftMax Pro exports: real files, both layouts, parts of plates, and every kind of damage."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_softmax
from drp.wellnames import parse_well, smallest_format, well_name
from tests.reader_blocks import read_blocks

QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
KINDS = ["drop", "double", "swap", "cut", "blank", "separator"]
KINDS += ["field", "extra", "digit", "word", "end"]
COLUMNS = "\t".join(str(column) for column in range(1, 7))
HEADER = "Plate:\tP7\t1.3\tPlateFormat\tEndpoint\tAbsorbance\tRaw\tFALSE\t1" + "\t" * 6
ROWS = ["1.785\t1.672\t1.32\t0.38\t2.453\t0.388", "1.136\t1.075\t1.327\t0.189\t1.766\t0.228"]
ROWS += ["0.656\t0.645\t0.419\t0.126\t1.066\t0.158", "0.354\t0.355\t0.42\t0.093\t0.674\t0.11"]
PLATE = [
    "##BLOCKS= 1",
    f"{HEADER}1\t450 \t1\t6\t24\t1\t4\t\t",
    f"\tTemperature(¡C)\t{COLUMNS}\t",
    *(f"\t{'' if row else '22,5'}\t{cells}\t" for row, cells in enumerate(ROWS)),
    "",
    f"\t\t{COLUMNS}\t",
    *(f"\t\t{cells}\t" for cells in ROWS),
    "~End",
    "Original Filename: by hand; Date Last Saved: 1/9/2023 2:23:07 PM",
]
WELLS = "\t".join(f"{row}{column}" for row in "AB" for column in (1, 2, 3))
LINE = [
    "##BLOCKS= 1",
    "Plate:\tP8\t1.3\tTimeFormat\tEndpoint\tLuminescence\tRaw\tFALSE\t1"
    + "\t" * 6
    + "1\t0 \t1\t3\t6"
    + "\t" * 10
    + "1\t2\t\t",
    f"\tTemperature(¡C)\t{WELLS}\t",
    "\t25\t11\t12\t13\t21\t22\t23\t",
    "",
    f"\t\t{WELLS}\t",
    "\t\t11\t12\t13\t21\t22\t23\t",
    "~End",
    "Original Filename: by hand; Date Last Saved: 1/9/2023 2:23:07 PM",
]


def _scan(tmp_path, lines, ending="\n"):
    path = tmp_path / "plate.txt"
    path.write_bytes(ending.join([*lines, ""]).encode())
    return scan_plate(path)


def _errors(problems):
    return [problem.code for problem in problems if problem.severity == "error"]


def _without(lines, at):
    return lines[:at] + lines[at + 1 :]


def _with(lines, at, old, new):
    assert old in lines[at]
    return [*lines[:at], lines[at].replace(old, new, 1), *lines[at + 1 :]]


def test_the_real_export(shared_data):
    folder = shared_data / "plates"
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["path"].startswith("softmax/")]
    reads, problems = scan_plate(folder / row["path"])
    assert problems == []
    assert (reads["status"] == "ok").sum() == int(row["expected_wells"])
    assert (reads["status"] == "not_read").sum() == 96
    for number in (1, 2, 3):
        plate, _, well = row[f"spot{number}_well"].partition(":")
        value = reads[(reads["plate"] == plate) & (reads["well"] == well)].iloc[0]
        assert value["signal"] == float(row[f"spot{number}_value"])
        assert value["locator"] == row[f"spot{number}_source"].split(" (")[0]
    assert set(reads["mode"]) == {"lum"}
    assert set(reads["read"]) == {"Luminescence"}
    assert set(reads["registration"]) == {"labelled"}
    assert dict(zip(reads["plate"], reads["temperature_c"], strict=True)) == {
        "c12345_2": 25.0,
        "c123455_3": 24.0,
    }


def test_rows_and_columns_by_hand(tmp_path):
    reads, problems = _scan(tmp_path, PLATE)
    assert [problem.code for problem in problems] == ["plate.positional"]
    expected = [float(text) for row in ROWS for text in row.split("\t")]
    assert reads["signal"].tolist() == expected
    assert reads["well"].tolist() == [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]
    first = reads.iloc[0]
    assert (first["plate"], first["read"], first["mode"]) == ("P7", "Absorbance 450", "abs")
    assert (first["wavelength_nm"], first["temperature_c"]) == ("450", 22.5)
    assert (first["software"], first["measured_at_raw"]) == ("SoftMax Pro", "")
    assert first["locator"] == "line 4 field 3"


def test_a_line_of_wells_by_hand(tmp_path):
    reads, problems = _scan(tmp_path, LINE)
    assert problems == []
    assert dict(zip(reads["well"], reads["signal"], strict=True)) == {
        "A1": 11,
        "A2": 12,
        "A3": 13,
        "B1": 21,
        "B2": 22,
        "B3": 23,
    }


@pytest.mark.parametrize("kind", ["Kinetic", "Spectrum", "Well Scan"])
def test_what_is_no_endpoint_is_refused(tmp_path, kind):
    for lines in (PLATE, LINE):
        reads, problems = _scan(tmp_path, _with(lines, 1, "Endpoint", kind))
        assert _errors(problems) == ["plate.not-endpoint"]
        assert repr(kind) in next(p.found for p in problems if p.severity == "error")
        assert len(reads) == 0


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (_without(PLATE, 0), "plate.truncated"),  # the number of sections
        (_with(PLATE, 0, "1", "2"), "plate.truncated"),
        (_without(PLATE, 13), "plate.truncated"),  # ~End
        (PLATE[:6], "plate.truncated"),
        (_without(PLATE, 2), "plate.bad-shape"),  # the header
        (_without(PLATE, 4), "plate.bad-shape"),  # row B
        ([*PLATE[:5], "", *PLATE[5:]], "plate.bad-shape"),  # a blank line between rows
        (_with(PLATE, 4, "\t1.075", ""), "plate.short-row"),
        (_with(PLATE, 4, "\t1.075", "\t\t1.075"), "plate.wide-row"),
        (_with(PLATE, 4, "\t", "0:30\t"), "plate.not-endpoint"),
        (_with(PLATE, 2, "\t3\t", "\t8\t"), "plate.bad-shape"),
        (_with(PLATE, 1, "\t24\t1", "\t96\t1"), "plate.bad-shape"),
        (_with(PLATE, 1, "\t24\t1", "\t25\t1"), "plate.bad-information"),
        (_with(PLATE, 1, "\t1\t6\t24", "\t2\t6\t24"), "plate.bad-information"),
        (_with(PLATE, 1, "\t1\t6\t24", "\t1\t5\t24"), "plate.other-format"),
        (_with(PLATE, 1, "\t24\t1\t4", "\t24\t2\t3"), "plate.bad-shape"),
        (_with(PLATE, 1, "\t1\t450 ", "\t2\t450 "), "plate.bad-information"),
        (_with(PLATE, 1, "\t1\t450 ", "\t2\t450 650 "), "plate.bad-shape"),
        (_with(PLATE, 1, "Absorbance", "Absorbence"), "plate.bad-information"),
        (_with(PLATE, 1, "PlateFormat", "TimeFormat"), "plate.bad-well"),
        (_with(PLATE, 1, "FALSE\t1", "FALSE\t3"), "plate.not-endpoint"),
        (_with(PLATE, 1, "Plate:", "late:"), "plate.truncated"),
        ([*PLATE[:3], *PLATE[4:5], *PLATE[3:4], *PLATE[5:]], "plate.bad-information"),  # A with B
        ([*PLATE[:4], PLATE[5], PLATE[4], *PLATE[6:]], "plate.mixed-up"),  # B with C
        ([*PLATE[:3], PLATE[9], *PLATE[4:9], PLATE[3], *PLATE[10:]], "plate.mixed-up"),
        (_with(PLATE, 1, "Raw", "Reduced"), "plate.bad-information"),
        (
            _with([*PLATE[:2], *PLATE[8:]], 1, "Raw", "Reduced"),
            "plate.no-measured-block",
        ),
        ([*PLATE[:2], *PLATE[8:]], "plate.bad-information"),  # no measured values
        ([*PLATE[:13], *PLATE[2:8], *PLATE[13:]], "plate.bad-information"),  # measured twice
        (["##BLOCKS= 0", "~End", *PLATE[-1:]], "plate.no-measured-block"),
        (_with(LINE, 2, "A2", "A3"), "plate.bad-well"),
        (_with(LINE, 2, "A2", "A4"), "plate.bad-well"),
        (_with(LINE, 2, "A1\tA2", "A2\tA1"), "plate.bad-well"),
        (_with(LINE, 2, "\tA2", ""), "plate.truncated"),
        (_with(LINE, 3, "\t12", ""), "plate.short-row"),
        (_with(LINE, 3, "\t12", "\t\t12"), "plate.wide-row"),
        ([*LINE[:4], LINE[3], *LINE[4:]], "plate.bad-shape"),
        (_without(LINE, 3), "plate.bad-shape"),
        ([*LINE[:3], LINE[6], *LINE[4:6], LINE[3], *LINE[7:]], "plate.mixed-up"),
        (_with(LINE, 1, "\t1\t2\t\t", "\t1\t1\t\t"), "plate.other-format"),
        (_with(LINE, 3, "\t12", ",12"), "plate.short-row"),
    ],
)
@pytest.mark.slow
def test_damage_is_named(tmp_path, lines, code):
    _, problems = _scan(tmp_path, lines)
    assert code in _errors(problems), problems
    error = next(problem for problem in problems if problem.code == code)
    assert error.where.file == "plate.txt"
    assert error.where.locator.startswith("line") or code == "plate.no-measured-block"


def test_rows_of_equal_plates_that_were_exchanged(tmp_path):
    """Nothing names the plate of a line, but the reduced values, where they are not reduced."""
    plates = {"P1": [[1.0, 2, 3], [4, 5, 6]], "P2": [[10.0, 20, 30], [40, 50, 60]]}
    write_softmax(tmp_path / "p.txt", plates, encoding="utf-8", line_ending="\n")
    lines = (tmp_path / "p.txt").read_text().splitlines()
    first, second = [at for at, line in enumerate(lines) if line.startswith("\t25")]
    lines[first], lines[second] = lines[second], lines[first]
    _, problems = _scan(tmp_path, lines)
    assert set(_errors(problems)) == {"plate.mixed-up"}


def test_a_reduction_is_no_damage(tmp_path):
    lines = [line.replace("0.", "7.") if at > 8 else line for at, line in enumerate(PLATE)]
    lines = [line.replace("1.", "6.") if 8 < at < 13 else line for at, line in enumerate(lines)]
    reads, problems = _scan(tmp_path, lines)
    assert _errors(problems) == []
    assert reads["signal"].iloc[0] == 1.785
    # Wells that are masked in the reduced values do no harm either.
    reads, problems = _scan(tmp_path, _with(PLATE, 10, "1.075", " "))
    assert _errors(problems) == []


def test_states_and_missing_values(tmp_path):
    lines = _with(_with(PLATE, 3, "1.672", "#Sat"), 4, "1.075", "")
    reads, problems = _scan(tmp_path, lines)
    assert _errors(problems) == []
    status = reads.set_index("well")["status"]
    assert (status["A2"], status["B2"]) == ("saturated", "missing")
    assert (status == "ok").sum() == 22


def test_lines_that_lost_their_blank_ends(tmp_path):
    write_softmax(tmp_path / "p.txt", {"P1": [[1.0, 2], [3, 4]]}, first_well="C3", encoding="utf-8")
    lines = [line.rstrip("\t") for line in (tmp_path / "p.txt").read_text().splitlines()]
    reads, problems = _scan(tmp_path, lines)
    assert _errors(problems) == []
    taken = reads[reads["status"] == "ok"]
    assert taken["well"].tolist() == ["C3", "C4", "D3", "D4"]
    assert taken["signal"].tolist() == [1, 2, 3, 4]
    # A field lost from such a line still shows.
    at = next(at for at, line in enumerate(lines) if line.startswith("\t25"))
    _, problems = _scan(tmp_path, _with(lines, at, "\t25\t", "\t25"))
    assert _errors(problems) == ["plate.short-row"]


def test_a_row_of_a_part_that_is_lost_moves_nothing(tmp_path):
    signal = np.add.outer(np.arange(1.0, 5) * 100, np.arange(1, 7))
    write_softmax(
        tmp_path / "p.txt", signal, layout="PlateFormat", first_well="C3", encoding="utf-8"
    )
    lines = (tmp_path / "p.txt").read_text().splitlines()
    reads, problems = _scan(tmp_path, lines)
    assert _errors(problems) == []
    assert reads[reads["status"] == "ok"]["well"].iloc[0] == "C3"
    for at in range(3, 11):
        _, problems = _scan(tmp_path, _without(lines, at))
        # Only the blank rows below the part may be absent: they hold no place.
        assert bool(_errors(problems)) == (at < 9), at


def test_notes_and_groups_are_not_read(tmp_path):
    note = "Read by A, B and C\nPlate: 7\t8\t9\t10\n1\t2\t3\nGroup: none"
    write_softmax(tmp_path / "p.txt", {"P1": [[5.0, 6]]}, note=note, group=True)
    reads, problems = scan_plate(tmp_path / "p.txt")
    assert problems == []
    assert reads[reads["status"] == "ok"]["signal"].tolist() == [5, 6]


def test_a_long_note_with_commas_does_not_hide_the_tabs(tmp_path):
    note = "\n".join(["SpectraMax M2, M3, M4"] * 20)
    write_softmax(tmp_path / "p.txt", {"P1": [[5.5, 6.25]]}, note=note, decimal=",")
    reads, problems = scan_plate(tmp_path / "p.txt")
    assert problems == []
    assert reads[reads["status"] == "ok"]["signal"].tolist() == [5.5, 6.25]
    assert reads["locator"].iloc[0] == "line 26 field 3"


def test_an_export_appended_to_another(tmp_path):
    other = [line.replace("\tP7\t", "\tP9\t").replace("1.", "2.") for line in PLATE]
    other[1] = PLATE[1].replace("\tP7\t", "\tP9\t")
    reads, problems = _scan(tmp_path, [*PLATE, *other])
    assert _errors(problems) == []
    assert list(dict.fromkeys(reads["plate"])) == ["P7", "P9"]
    _, problems = _scan(tmp_path, [*PLATE, *PLATE])
    assert "plate.identical" in _errors(problems)


def test_plates_that_were_not_read_are_said_to_be_left_out(tmp_path):
    empty = [PLATE[1].replace("P7", "P9"), "~End"]
    reads, problems = _scan(tmp_path, ["##BLOCKS= 2", *PLATE[1:14], *empty, PLATE[-1]])
    assert [p.code for p in problems] == ["plate.no-values", "plate.positional"]
    assert "'P9'" in problems[0].found
    assert set(reads["plate"]) == {"P7"}


def test_plates_of_one_name_are_told_apart_by_their_order(tmp_path):
    other = [line.replace("1.", "2.") if at > 1 else line for at, line in enumerate(PLATE)]
    reads, problems = _scan(tmp_path, ["##BLOCKS= 2", *PLATE[1:14], *other[1:14], PLATE[-1]])
    assert _errors(problems) == []
    assert list(dict.fromkeys(reads["plate"])) == ["plate_1", "plate_2"]


def test_several_wavelengths(tmp_path):
    for layout in ("TimeFormat", "PlateFormat"):
        signal = {"P1": {"485/538": [[1.0, 2]], "544/590": [[3.0, 4]]}}
        write_softmax(tmp_path / "p.txt", signal, layout=layout, reading="Fluorescence")
        reads, problems = scan_plate(tmp_path / "p.txt")
        assert _errors(problems) == []
        taken = reads[reads["status"] == "ok"]
        assert taken["read"].tolist() == [
            *["Fluorescence 485/538"] * 2,
            *["Fluorescence 544/590"] * 2,
        ]
        assert taken["signal"].tolist() == [1, 2, 3, 4]
        assert set(reads["mode"]) == {"fluo"}
        assert set(reads["wavelength_nm"]) == {"485/538", "544/590"}


@st.composite
def _plates(draw):
    """Give plates by name and wavelength, the well where they begin, and the read mode."""
    reading = draw(st.sampled_from(["Luminescence", "Absorbance", "Fluorescence"]))
    names = {"Luminescence": ["0"], "Absorbance": ["450", "650"], "Fluorescence": ["485/538"]}
    wavelengths = names[reading][: draw(st.integers(1, 2))]
    first = draw(st.tuples(st.integers(1, 20), st.integers(1, 30)))
    rows = draw(st.integers(1, min(32 - first[0] + 1, 10)))
    columns = draw(st.integers(1, min(48 - first[1] + 1, 14)))
    number = st.one_of(st.integers(-5, 10**8).map(float), st.floats(1e-4, 1e9), st.just(math.nan))
    grid = hnp.arrays(float, (rows, columns), elements=number, fill=number)
    plates = {
        name: {wavelength: draw(grid) for wavelength in wavelengths}
        for name in ["P1", "P2"][: draw(st.integers(1, 2))]
    }
    # Something to read, and no plate that looks like a copy.
    for position, reads in enumerate(plates.values()):
        for signal in reads.values():
            signal[0, 0] = 1234.5 + position
    return plates, well_name(*first), reading


@QUICK
@given(
    _plates(),
    st.sampled_from(["TimeFormat", "PlateFormat"]),
    st.sampled_from([("\t", "."), ("\t", ","), (",", ".")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(["utf-16", "utf-8", "utf-8-sig"]),
    st.booleans(),
)
@pytest.mark.slow
def test_round_trip(tmp_path, written, layout, locale, line_ending, encoding, reduced):
    plates, first_well, reading = written
    separator, decimal = locale
    path = tmp_path / "p.txt"
    write_softmax(
        path,
        plates,
        layout=layout,
        reading=reading,
        first_well=first_well,
        reduced=reduced,
        separator=separator,
        decimal=decimal,
        line_ending=line_ending,
        encoding=encoding,
        note=None if separator == "," else "a note, with commas",
    )
    reads, problems = scan_plate(path)
    assert _errors(problems) == []
    lines = path.read_bytes().decode(encoding).removeprefix("\ufeff").split(line_ending)
    _assert_read(reads, plates, parse_well(first_well), lines, separator)


def _assert_read(reads, plates, first, lines, separator):
    wanted = {}
    for name, signals in plates.items():
        for position, signal in enumerate(signals.values()):
            for (row, column), value in np.ndenumerate(signal):
                wanted[name, position, well_name(first[0] + row, first[1] + column)] = value
            last = (first[0] + signal.shape[0] - 1, first[1] + signal.shape[1] - 1)
    labels = {read: at for at, read in enumerate(dict.fromkeys(reads["read"]))}
    n_wells = math.prod(smallest_format(*last)) * len(labels) * len(plates)
    assert len(reads) == n_wells or set(reads["registration"]) == {"positional"}
    for row in reads.itertuples():
        value = wanted.pop((row.plate, labels[row.read], row.well), None)
        if value is None:
            assert row.status == "not_read"
        elif math.isnan(value):
            assert (row.status, row.raw_text) == ("missing", "NaN")
        else:
            assert (row.status, row.signal) == ("ok", value)
        _, line, _, field = row.locator.split()
        assert lines[int(line) - 1].split(separator)[int(field) - 1] == row.raw_text
    assert wanted == {}


@pytest.mark.parametrize(
    ("signal", "options", "match"),
    [
        ([[1.0]], {"layout": "Time"}, "layout must be"),
        ([[1.0]], {"first_well": "Z99"}, "must be a well"),
        ([[1.0] * 12], {"first_well": "A40"}, "on no plate"),
        ({"P1": {"450": [[1.0]], "650": [[1.0, 2.0]]}}, {}, "of one shape"),
        ({"P\t1": [[1.0]]}, {}, "must hold neither"),
        ([[]], {}, "1 to 32 rows"),
    ],
)
def test_what_is_no_plate_is_not_written(tmp_path, signal, options, match):
    with pytest.raises(ValueError, match=match):
        write_softmax(tmp_path / "p.txt", signal, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_same_plates_give_the_same_bytes(tmp_path):
    for name in ("a.txt", "b.txt"):
        write_softmax(tmp_path / name, {"P1": np.arange(96.0).reshape(8, 12)}, note="x")
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()


def _mutate(lines, chance):
    """Damage a file in its structure, not inside a value."""
    lines = list(lines)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.choice(KINDS)
    fields = lines[at].split("\t")
    spot = chance.randrange(len(fields))
    if kind == "drop":
        del lines[at]
    elif kind == "double":
        lines.insert(other, lines[at])
    elif kind == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "cut":
        return [*lines[:at], lines[at][: chance.randrange(len(lines[at]) + 1)]]
    elif kind == "blank":
        lines.insert(at, "")
    elif kind == "separator":
        lines[at] = lines[at].replace("\t", chance.choice([",", ";", "\t\t", ""]))
    elif kind == "field":
        del fields[spot]
        lines[at] = "\t".join(fields)
    elif kind == "extra":
        fields.insert(spot, "")
        lines[at] = "\t".join(fields)
    elif kind == "digit":  # in headers and labels only
        at = chance.choice([i for i, text in enumerate(lines) if _is_structure(text)])
        digits = [i for i, sign in enumerate(lines[at]) if sign.isdigit()]
        if digits:
            spot = chance.choice(digits)
            lines[at] = lines[at][:spot] + chance.choice("0123456789") + lines[at][spot + 1 :]
    elif kind == "word":
        lines[at] = chance.choice(["", "C", "Q", "~", "Σ"]) + lines[at][1:]
    elif kind == "end":
        lines[at] = lines[at].rstrip("\t")
    return [*lines, ""]


def _is_structure(line):
    return line[:1] not in ("", "\t") or line.startswith(("\tTemp", "\t\t1\t", "\t\tA1"))


def _value(plate, row, column, wavelength):
    return plate * 1_000_000 + wavelength * 100_000 + row * 100 + column


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["TimeFormat", "PlateFormat"])
@pytest.mark.parametrize("first_well", ["A1", "C3"])
def test_damage_never_moves_a_value(tmp_path, layout, first_well):
    chance = random.Random(f"{layout}{first_well}")
    rows, columns = (8, 12) if first_well == "A1" else (4, 8)
    row, column = parse_well(first_well)
    plates = {
        f"P{plate}": {
            wavelength: [
                [float(_value(plate, row + r, column + c, position)) for c in range(columns)]
                for r in range(rows)
            ]
            for position, wavelength in enumerate(("450", "650"))
        }
        for plate in (1, 2)
    }
    path = tmp_path / "p.txt"
    options = {"layout": layout, "reading": "Absorbance", "first_well": first_well}
    write_softmax(path, plates, encoding="utf-8", line_ending="\n", **options)
    lines = path.read_text().splitlines()
    outcomes = {"refused": 0, "read": 0}
    for _ in range(60):
        damaged = _mutate(lines, chance)
        path.write_text("\n".join(damaged))
        blocks, codes = read_blocks(path)
        if codes:
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        for block in blocks:
            taken = [reading for reading in block.readings if reading.text.strip()]
            assert len(taken) == rows * columns, damaged
            for reading in taken:
                assert int(reading.text) % 100_000 == reading.row * 100 + reading.column, damaged
    assert min(outcomes.values()) > 5
