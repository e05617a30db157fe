"""Stacked layouts: blocks and sheets by their names, wells by their labels, damage refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drp.plates import scan_layout
from drp.wellnames import FORMATS, row_letters, well_name
from tests.plates_workbooks import make_workbook

DRUGS = [["DMSO", "Venetoclax", "Venetoclax"], ["empty", "Bortezomib", "Bortezomib"]]
DOSES = [["0", "100", "10"], ["", "5", "0.5"]]


def grid(name, cells, separator=",", first_row=1, first_column=1):
    """Lay out one block as lines."""
    head = [name, *(str(column) for column in range(first_column, first_column + len(cells[0])))]
    rows = [[row_letters(first_row + index), *row] for index, row in enumerate(cells)]
    return [separator.join(line) for line in (head, *rows)]


def stack(*blocks, separator=",", between="", end="\n"):
    blank = [between]
    lines = [line for block in blocks for line in (*blank, *block)][1:]
    return "".join(line + end for line in lines)


def plain():
    return stack(grid("drug", DRUGS), grid("conc (nM)", DOSES), between=",,,")


def scan(tmp_path, content, **options):
    path = tmp_path / "layout.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return scan_layout(path, **options)


def codes(problems, severity=None):
    return [p.code for p in problems if severity in (None, p.severity)]


def contents(layout):
    """What each well holds, without where it stands."""
    rows = layout.drop(columns=["layout", "locator"]).fillna({"dose": -1.0}).to_dict("records")
    return {row["well"]: (row["role"], row["drug"], row["dose"]) for row in rows}


EXPECTED = {
    "A1": ("negative", "DMSO", -1.0),
    "A2": ("sample", "Venetoclax", 100.0),
    "A3": ("sample", "Venetoclax", 10.0),
    "B1": ("empty", "empty", -1.0),
    "B2": ("sample", "Bortezomib", 5.0),
    "B3": ("sample", "Bortezomib", 0.5),
}


# --- what is read ------------------------------------------------------------------------------


def test_blocks_of_a_text_file(tmp_path):
    layout, problems = scan(tmp_path, plain())
    assert problems == []
    assert contents(layout) == EXPECTED
    assert layout["locator"].tolist()[:2] == ["line 2 field 2", "line 2 field 3"]


def test_a_title_above_a_grid_names_it_too(tmp_path):
    blocks = [["Drug", *grid("", DRUGS)], ["dose", *grid("", DOSES)]]
    layout, problems = scan(tmp_path, stack(*blocks), dose_unit="nM")
    assert problems == []
    assert contents(layout) == EXPECTED


def cells(lines, first=1):
    return {
        f"{'ABCDEFGH'[column]}{row}": text
        for row, line in enumerate(lines, start=first)
        for column, text in enumerate(line.split(","))
        if text
    }


def test_a_sheet_for_each_block_and_a_sheet_to_read(tmp_path):
    content = make_workbook(
        {
            "Read me": {"A1": "hello"},
            "Drug": cells(grid("", DRUGS), first=4),
            "Dose": cells(grid("", DOSES)),
        }
    )
    layout, problems = scan(tmp_path, content, dose_unit="nM")
    assert codes(problems) == ["layout.unused-sheet"]
    assert contents(layout) == EXPECTED
    assert layout["locator"][0] == "Drug!B5"


def test_every_attribute_has_a_block(tmp_path):
    blocks = [
        grid("role", [["", "sample", "STS"]]),
        grid("Treatment", [["vehicle", "A", "X"]]),
        grid("Concentration", [["0", "1", "9"]]),
        grid("drug_2", [["vehicle", "B", ""]]),
        grid("dose_2", [["0", "0", ""]]),
        grid("unit", [["", "uM", ""]]),
        grid("sample", [["S1", "S2", ""]]),
        grid("protein", [["1", "1", "1"]]),
    ]
    layout, problems = scan(tmp_path, stack(*blocks))
    assert codes(problems) == ["layout.unused-block", "layout.control-dose"]
    assert layout["role"].tolist() == ["negative", "sample", "positive"]
    assert layout.loc[1, ["drug", "dose", "drug2", "dose2", "sample"]].tolist() == [
        *("A", 1000.0, "B", 0.0, "S2")
    ]


def test_a_part_of_a_plate_keeps_its_labels(tmp_path):
    blocks = [
        grid(name, values, first_row=2, first_column=3)
        for name, values in (("drug", DRUGS), ("dose", DOSES))
    ]
    layout, _ = scan(tmp_path, stack(*blocks), dose_unit="nM")
    assert layout["well"].tolist() == ["B3", "B4", "B5", "C3", "C4", "C5"]


@settings(max_examples=6, deadline=None)
@given(
    st.sampled_from(sorted(FORMATS)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.randoms(use_true_random=False),
)
@pytest.mark.slow
def test_a_written_layout_comes_back(tmp_path_factory, wells, separator, end, random):
    rows, columns = FORMATS[wells]
    expected, drugs, doses = {}, [], []
    for row in range(1, rows + 1):
        drugs.append([""] * columns)
        doses.append([""] * columns)
        for column in range(1, columns + 1):
            if random.random() < 0.7:
                dose = float(f"{10 ** random.uniform(-1, 5):.4g}")
                drugs[-1][column - 1] = f"D{random.randrange(50)}"
                text = repr(dose)
                doses[-1][column - 1] = text.replace(".", ",") if separator == ";" else text
                expected[well_name(row, column)] = ("sample", drugs[-1][column - 1], dose)
    blocks = (grid(name, cells, separator) for name, cells in (("drug", drugs), ("dose", doses)))
    text = stack(*blocks, between=separator * columns, end=end)
    layout, problems = scan(tmp_path_factory.mktemp("stacked"), text, dose_unit="nM")
    assert problems == []
    assert contents(layout) == expected


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (stack(grid("drug", DRUGS), grid("dose", DOSES)), "layout.no-unit"),
        (stack(grid("conc (nM)", DOSES), grid("sample", DRUGS)), "layout.no-drug"),
        (stack(grid("drug", DRUGS), grid("Gnumber", DRUGS)), "layout.duplicate-block"),
        (stack(grid("drug", DRUGS), grid("dose (um)", DOSES)), "layout.unknown-unit"),
        (stack(grid("drug", DRUGS), grid("dose (nM)", DOSES[:1])), "layout.grid-shape"),
        (plain().replace("A,DMSO", ",DMSO"), "layout.stray-row"),
        (plain().replace("B,empty", "A,empty"), "layout.duplicate-row"),
        (plain().replace("B,empty", "C,empty"), "layout.grid-shape"),
        (plain().replace(",Bortezomib,", ",", 1), "layout.short-row"),
        (plain().replace("Bortezomib,", "Bortezomib,x,"), "layout.wide-row"),
        (plain().replace("drug,1,2,3", "drug,1,3,3"), "layout.stray-row"),
        (plain().replace(",5,", ",five,"), "layout.bad-dose"),
        (plain().replace("A,0,100,10", 'A,0,"1,000",10'), "layout.ambiguous-number"),
        (plain().removesuffix("\n"), "layout.truncated"),
        (plain() + "drawn on Monday\n", "layout.stray-row"),
    ],
)
def test_damage_is_refused(tmp_path, text, code):
    _, problems = scan(tmp_path, text)
    assert code in codes(problems, "error"), problems


def test_units_stated_twice_are_refused(tmp_path):
    blocks = [
        grid("drug", [["A"]]),
        grid("drug2", [["B"]]),
        grid("dose (uM)", [["1"]]),
        grid("dose2 (nM)", [["1"]]),
    ]
    assert codes(scan(tmp_path, stack(*blocks))[1]) == ["layout.mixed-units"]


def test_the_shared_example_is_refused_because_it_names_no_drug(shared_data):
    path = shared_data / "plates" / "layouts" / "plater_style_grid_96.csv"
    layout, problems = scan_layout(path, dose_unit="M")
    assert layout.empty
    (problem,) = [p for p in problems if p.severity == "error"]
    assert problem.code == "layout.no-drug"
    assert "dose, sample" in problem.found


def test_a_last_line_without_an_end_that_has_lost_nothing(tmp_path):
    text = stack(grid("dose (nM)", [["5", ""]]), grid("drug", [["A", ""]])).removesuffix("\n")
    layout, problems = scan(tmp_path, text)
    assert codes(problems) == ["layout.no-line-end"]
    assert contents(layout) == {"A1": ("sample", "A", 5.0)}


def mutations(text):
    """Every line dropped, doubled, or swapped with the next; every digit of a label changed."""
    lines = text.splitlines(keepends=True)
    for index in range(len(lines)):
        yield "".join(lines[:index] + lines[index + 1 :])
        yield "".join(lines[: index + 1] + lines[index:])
        yield "".join(lines[:index] + lines[index : index + 2][::-1] + lines[index + 2 :])
    for index in range(0, len(text), 2):
        yield text[:index]
        yield text[:index] + text[index + 1 :]
    for line in (0, 4):
        for digit in "123":
            yield "".join(
                row.replace(digit, "7", 1) if number == line else row
                for number, row in enumerate(lines)
            )


def is_part(text, whole):
    """Say whether a text is another one with letters left out."""
    signs = iter(whole)
    return all(sign in signs for sign in text)


@pytest.mark.slow
def test_no_mutation_of_structure_puts_anything_into_a_wrong_well(tmp_path):
    """What is still accepted stands in its own well; a name or a dose may lose a sign."""
    accepted = 0
    for text in mutations(plain()):
        layout, problems = scan(tmp_path, text)
        if not codes(problems, "error"):
            accepted += 1
            for well, (role, drug, dose) in contents(layout).items():
                assert role == EXPECTED[well][0] or drug != EXPECTED[well][1]
                assert is_part(drug, EXPECTED[well][1])
                assert dose == EXPECTED[well][2] or math.log10(EXPECTED[well][2] / dose) % 1 == 0
    assert accepted > 5
