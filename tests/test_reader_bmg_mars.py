"""BMG MARS: grids and tables of wells in text, read by their labels or refused."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.plates import scan_plate
from drp.plates.writers import write_bmg_mars
from tests.reader_blocks import read_blocks

QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
HEAD = "User: USER,Path: C:\\x,Test run no.: 4\nTest name: CTG,Date: 03/04/2016,Time: 14:34:46\n\n"
GRID = ",1,2,3\nA,5,6,7\nB,8,9,10\n"


def scan(tmp_path, text, name="p.csv"):
    (tmp_path / name).write_text(text, newline="")
    return scan_plate(tmp_path / name)


def errors(problems):
    return [problem.code for problem in problems if problem.severity == "error"]


def codes(problems):
    return [problem.code for problem in problems]


def values(reads):
    return dict(zip(reads["well"], reads["signal"], strict=True))


def test_the_real_export_gives_every_value(shared_data):
    path = shared_data / "plates" / "bmg" / "mars_lum1536_sparse.csv"
    reads, problems = scan_plate(path)
    assert codes(problems) == ["plate.partial"]
    assert reads["status"].tolist() == ["ok"] * 288
    # A slow and obvious twin: the labels in the first field, the columns counted.
    lines = [line.split(",") for line in path.read_text().splitlines()[9:]]
    rows = {"A": "A", "G": "G", "M": "M", "S": "S", "Y": "Y", "e": "AE"}
    expected = {
        f"{rows[label]}{column}": float(text)
        for label, *texts in lines
        for column, text in enumerate(texts, start=1)
    }
    assert values(reads) == expected
    for row in reads.itertuples():
        line, field = (int(part) for part in row.locator.split()[1::2])
        assert lines[line - 10][field - 1] == row.raw_text
    first = reads.iloc[0]
    assert (first["mode"], first["read"], first["barcode"]) == (
        "lum",
        "Raw Data (No filter)",
        "92A_4",
    )
    assert first["measured_at_raw"] == "10/16/2024 3:09:52 PM"
    assert "USER" not in " ".join(map(str, first.to_dict().values()))


def test_spot_values_of_the_manifest(shared_data):
    with (shared_data / "plates" / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["path"].endswith("1536_sparse.csv")]
    reads, _ = scan_plate(shared_data / "plates" / row["path"])
    assert len(reads) == int(row["expected_wells"])
    for number in (1, 2, 3):
        well = row[f"spot{number}_well"].split()[0]
        assert values(reads)[well] == float(row[f"spot{number}_value"])


def test_several_filters_beside_calculated_values(tmp_path):
    text = (
        HEAD
        + "ID1: P17,ID2: a b,ID3:\nAbsorbance\n\nRaw Data (450 1)\n\n"
        + GRID
        + "\nRaw Data  (570 2)\n\n,1,2,3\nA,1,2,3\nB,4,,6\n"
        + "\nBlank corrected based on Raw Data (450 1)\n\n,1,2,3\nA,0,1,2\nB,3,4,5\n"
    )
    reads, problems = scan(tmp_path, text)
    assert errors(problems) == []
    assert reads["read"].unique().tolist() == ["Raw Data (450 1)", "Raw Data (570 2)"]
    assert reads["wavelength_nm"].unique().tolist() == ["450", "570"]
    second = reads[reads["read"] == "Raw Data (570 2)"].set_index("well")
    assert second["status"].to_dict()["B2"] == "not_read"
    assert second["signal"].to_dict()["B3"] == 6
    assert set(reads["barcode"]) == {"P17"}
    assert set(reads["measured_at"]) == {""}  # 3 April or 4 March: nobody knows


@pytest.mark.parametrize("barcode", ["black 384w", "Schmidt", "2012-05-03", "x/../y1", ""])
def test_what_people_write_as_id_is_no_barcode(tmp_path, barcode):
    reads, _ = scan(tmp_path, HEAD + f"ID1: {barcode},ID2:\nLuminescence\n\nRaw Data (1)\n" + GRID)
    assert set(reads["barcode"]) == {""}


def test_a_header_that_ends_with_a_separator_and_rows_that_do_not(tmp_path):
    text = HEAD + "Absorbance\n\nRaw Data (450)\n\n,1,2,3,\nA,5,6,7\nB,8,9,\n"
    reads, problems = scan(tmp_path, text)
    assert errors(problems) == []
    assert values(reads)["B2"] == 9
    assert reads["status"].tolist() == ["ok"] * 5 + ["not_read"]


def test_cells_left_out_at_the_end_of_rows(tmp_path):
    rows = "A,1,2\nB,3,4\nC,5\nD,6\n"
    reads, problems = scan(tmp_path, HEAD + "Absorbance\n\nRaw Data (450)\n\n,1,2,3,4\n" + rows)
    assert codes(problems) == ["plate.partial"]
    assert values(reads) == {"A1": 1, "A2": 2, "B1": 3, "B2": 4, "C1": 5, "D1": 6}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("A,1,2\nB,3,4\nC,5\nD,6,7\n", "plate.short-row"),  # C may have lost any field
        ("A,1,2\nB,3,4\nC,5,,6,7\nD,8,9\n", "plate.short-row"),  # C may have one too many
        ("A,1,2,3,4\nB,3,,4,5,\nC,5,6,7,8\nD,8,9,9,9\n", "plate.wide-row"),
        ("A,1,2,3,4\nB,3,4,5\nC,5,6,7,8\nD,8,9,9,9\n", "plate.short-row"),
        ("A,1,2,3,4\nB,1,2,3,4\nB,5,6,7,8\nC,8,9,9,9\n", "plate.duplicate-row"),
        ("A,1,2,3,4\nB,1,2,3,4\nD,8,9,9,9\n", "plate.missing-row"),
        ("A,1,2,3,4\n,5,6,7,9\nC,8,9,9,9\n", "plate.unlabelled-row"),
    ],
)
def test_rows_that_may_have_moved_are_refused(tmp_path, rows, code):
    text = HEAD + "Absorbance\n\nRaw Data (450)\n\n,1,2,3,4\n" + rows
    reads, problems = scan(tmp_path, text)
    assert code in errors(problems)
    assert "C1" not in values(reads) or values(reads)["C1"] in (5.0, 8.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Absorbance\n\n" + GRID, "plate.unknown-block"),
        ("Absorbance\n\nRxw Dxta (450)\n\n" + GRID, "plate.unknown-block"),
        ("Absorbance\n\nBlank corrected based on Raw Data (450)\n" + GRID,
         "plate.no-measured-block"),
        ("Absorbance\n\nRaw Data (450)\n\n,2,3,4\nA,5,6,7\nB,8,9,10\n", "plate.bad-columns"),
        ("Absorbance\n\nRaw Data (450)\n\n,1,3,4\nA,5,6,7\nB,8,9,10\n", "plate.stray-row"),
        ("Absorbance\n\nRaw Data (450)\n\n" + GRID[:-1], "plate.truncated"),
        ("Absorbance\n\nRaw Data (450)\n" + GRID + "\nRaw Data (450)\n" + GRID,
         "plate.duplicate-block"),
        ("Absorbance\n\nRaw Data (450 2)\n" + GRID + "\nRaw Data (570 1)\n" + GRID,
         "plate.block-order"),
        ("Absorbance\n\nAverage based on Raw Data (450)\n" + GRID + "\nRaw Data (450)\n" + GRID,
         "plate.block-order"),
        ("Absorbance\n\nRaw Data (450)\n,1,2,3\nA,5,6,7\n\n%CV based on Raw Data (450)\n" + GRID,
         "plate.missing-row"),
        ("Absorbance\n\nRaw Data (450)\n" + GRID + "\nID1: x\n\nRaw Data (570)\n" + GRID,
         "plate.bad-information"),
        ("Absorbance spectrum\n\nRaw Data (450)\n" + GRID, "plate.not-endpoint"),
        ("Luminescence\n\nRaw Data (450)\nCycle 1 (0 min)\n" + GRID, "plate.not-endpoint"),
        ("Fluorescence (FI)\n\nWell Scan: Average (570-8/615-8)\n" + GRID, "plate.not-endpoint"),
        ("Absorbance\n\nRaw Data (450)\n", "plate.no-measured-block"),
        ("Absorbance\n\nRaw Data (450)\n,1,2,3\nA,5,zz,7\nB,8,9,10\n", "plate.unknown-token"),
    ],
)  # fmt: skip
def test_defects_end_as_errors(tmp_path, text, code):
    _, problems = scan(tmp_path, HEAD + "ID1: P1,ID2:\n" + text)
    assert code in errors(problems)


def test_a_calculation_with_a_name_of_its_own_is_left_out_with_a_warning(tmp_path):
    text = HEAD + "Absorbance\n\nRaw Data (450)\n" + GRID + "\nMy index\n" + GRID
    reads, problems = scan(tmp_path, text)
    assert codes(problems) == ["plate.unknown-block"]
    assert len(reads) == 6


def test_rows_in_another_order_keep_their_wells(tmp_path):
    text = HEAD + "Luminescence\n\nRaw Data (No filter)\n\n,1,2\ne,9,8\nA,5,6\n"
    reads, problems = scan(tmp_path, text)
    assert codes(problems) == ["plate.row-order"]
    assert values(reads) == {"A1": 5, "A2": 6, "AE1": 9, "AE2": 8}


def test_two_plates_in_one_file(tmp_path):
    one = HEAD + "ID1: P1,ID2:\nLuminescence\n\nRaw Data (No filter)\n" + GRID + "\n"
    reads, problems = scan(tmp_path, one + one.replace("P1", "P2").replace("5,6,7", "50,60,70"))
    assert errors(problems) == []
    assert reads.groupby("plate")["signal"].first().to_dict() == {"P1": 5, "P2": 50}


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("Well,Content,Raw Data (450)\nA01,Sample X1,1\nA02,,2\n", ""),
        ("Well Row,Well Col,Content, Raw Data (450)\nA,1,Sample X1,1\n\nA,2,Blank B,2\n", ""),
        ("Well,Content,Raw Data (450)\nA01,Sample X1,1\nA01,X,2\n", "plate.duplicate-well"),
        ("Well,Content,Raw Data (450)\nA01,Sample X1,1\nA99,X,2\n", "plate.bad-well"),
        ("Well,Content,Raw Data (450)\nA01,Sample X1,1\nA02,2\n", "plate.short-row"),
        ("Well,Content,Raw Data (450)\n,Time [s],0\nA01,Sample X1,1\n", "plate.not-endpoint"),
        ("Well,Content,Raw Data (Ex Spectrum)\nA01,Sample X1,1\n", "plate.not-endpoint"),
        ("Well,Content,Blank corrected based on Raw Data (450)\nA01,X,1\n",
         "plate.no-measured-block"),
        ("Well,Content,Raw Data (450)\nA01,X,1\nA02,X,2", "plate.truncated"),
    ],
)  # fmt: skip
def test_tables_of_wells(tmp_path, table, code):
    reads, problems = scan(tmp_path, HEAD + "Absorbance\n\n" + table)
    if code:
        assert code in errors(problems)
    else:
        assert errors(problems) == []
        assert values(reads) == {"A1": 1, "A2": 2}


@st.composite
def plates(draw):
    n_rows, n_columns = draw(st.sampled_from([(8, 12), (16, 24), (2, 5), (32, 3), (1, 48)]))
    seed = draw(st.integers(0, 10**6))
    chance = np.random.default_rng(seed)
    signal = np.round(chance.lognormal(8, 2, (n_rows, n_columns)), 3)
    signal[chance.random(signal.shape) < draw(st.sampled_from([0, 0.2, 0.7]))] = math.nan
    signal[0, 0] = 7.25
    return signal


def assert_same(path, expected, decimal=".", separator=",", rows=None):
    blocks, found = read_blocks(path)
    assert found == []
    assert [block.read for block in blocks] == [f"Raw Data ({name})" for name in expected]
    lines = [line.split(separator) for line in path.read_text().splitlines()]
    for block, signal in zip(blocks, expected.values(), strict=True):
        wells = {}
        for reading in block.readings:
            line, field = (int(part) for part in reading.locator.split()[1::2])
            assert lines[line - 1][field - 1] == reading.text
            if reading.text:
                wells[reading.row, reading.column] = float(reading.text.replace(decimal, "."))
        assert wells == {
            (row, column): value
            for row, cells in enumerate(signal.tolist(), start=1)
            for column, value in enumerate(cells, start=1)
            if not math.isnan(value) and (rows is None or row in rows)
        }


@QUICK
@given(
    plates(),
    st.sampled_from([(",", "."), (";", "."), (";", ",")]),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_round_trip(tmp_path, signal, locale, line_ending, padded, table, lowercase):
    blocks = {"450 1": signal, "570 2": signal + 1}
    write_bmg_mars(
        tmp_path / "p.csv",
        blocks,
        mode="Absorbance",
        padded=padded,
        table=table,
        lowercase=lowercase,
        separator=locale[0],
        decimal=locale[1],
        line_ending=line_ending,
    )
    assert_same(tmp_path / "p.csv", blocks, locale[1], locale[0])


@QUICK
@given(plates(), st.sampled_from([2, 4, 6]), st.integers(0, 99), st.booleans())
def test_rows_printed_in_part_and_in_any_order(tmp_path, signal, step, seed, lowercase):
    rows = list(range(1, len(signal) + 1, step))
    random.Random(seed).shuffle(rows)
    if not np.isfinite(signal[[row - 1 for row in rows]]).any():
        return
    write_bmg_mars(
        tmp_path / "p.csv", signal, rows=rows, lowercase=lowercase, blank_corrected=False
    )
    assert_same(tmp_path / "p.csv", {"No filter": signal}, rows=rows)


def test_the_writer_refuses_what_would_break_the_file(tmp_path):
    with pytest.raises(ValueError, match="shape of one plate"):
        write_bmg_mars(tmp_path / "p.csv", {"a": [[1.0]], "b": [[1.0, 2.0]]})
    with pytest.raises(ValueError, match="must hold neither"):
        write_bmg_mars(tmp_path / "p.csv", [[1.0]], barcode="a,b")
    for name in ("a.csv", "b.csv"):
        write_bmg_mars(tmp_path / name, [[1.0, 2.0]])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


KINDS = ("drop", "double", "swap", "cut", "blank", "separator", "field", "insert", "label", "bytes")


def mutate(text, chance):
    """Damage a file in its structure: lines, separators, labels, bytes that are no value."""
    lines = text.split("\n")[:-1]
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.choice(KINDS)
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
        lines[at] = lines[at].replace(
            ",", chance.choice([";", "\t", ",,", ""]), chance.choice([1, -1])
        )
    elif kind in ("field", "insert"):
        fields = lines[at].split(",")
        where = chance.randrange(len(fields))
        fields[where : where + (kind == "field")] = [] if kind == "field" else [""]
        lines[at] = ",".join(fields)
    elif kind == "label":
        lines[at] = chance.choice(["", "C", "Q", "e", "7", "Σ"]) + lines[at][1:]
    elif kind == "bytes":
        whole = "\n".join(lines) + "\n"
        start = chance.randrange(len(whole))
        return whole[:start] + whole[start + chance.choice([30, 80, 200]) :]
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("style", ["padded", "plain", "trimmed"])
def test_damage_never_moves_a_value(tmp_path, style):
    """Every value says its well, so one that was taken elsewhere is seen."""
    signal = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13)) + 500_000
    signal[:, 9:] = math.nan  # blank cells at the end are where a field too many hides
    options = {"padded": style == "padded", "trimmed": style == "trimmed", "line_ending": "\n"}
    blocks = {"450 1": signal, "570 2": signal + 200_000}
    write_bmg_mars(tmp_path / "w.csv", blocks, blank_corrected=False, **options)
    text = (tmp_path / "w.csv").read_text()
    chance = random.Random(7)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(150):
        (tmp_path / "p.csv").write_text(mutate(text, chance))
        blocks, found = read_blocks(tmp_path / "p.csv")
        outcomes["refused" if found else "read"] += 1
        for block in [] if found else blocks:
            base = 700_000 if "570" in block.read else 500_000
            for reading in block.readings:
                expected = str(base + reading.row * 1000 + reading.column)
                assert reading.text in ("", expected), (block.read, reading)
    assert min(outcomes.values()) > 20


def test_a_row_exchanged_with_its_blank_corrected_values(tmp_path):
    signal = np.arange(96.0).reshape(8, 12) + 500
    write_bmg_mars(tmp_path / "w.csv", {"450": signal}, line_ending="\n")
    lines = (tmp_path / "w.csv").read_text().splitlines()
    rows = [index for index, line in enumerate(lines) if line.startswith("C,")]
    assert len(rows) == 2
    lines[rows[0]], lines[rows[1]] = lines[rows[1]], lines[rows[0]]
    _, problems = scan(tmp_path, "\n".join(lines) + "\n")
    assert errors(problems) == ["plate.inconsistent"]
    assert problems[0].where.well == "row C"


def test_no_person_and_no_path_stands_in_a_problem(tmp_path):
    _, problems = scan(tmp_path, HEAD.replace("USER", "J. Doe") + GRID + "\n" + HEAD[:20] + GRID)
    assert errors(problems)
    text = " ".join(map(str, problems))
    assert "Doe" not in text
    assert "C:" not in text
