"""D300 protocols and tables of names: what is read, what is refused, what damage does."""

import math
import random
from string import ascii_letters

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.plates import read_layout, scan_layout
from drp.plates.layouts.names import read_names
from drp.plates.layouts.units import convert_dose
from drp.plates.layouts.xml_tree import MOST_LEVELS, read_xml
from drp.plates.workbook import read_workbook
from drp.plates.writers import write_d300
from drp.problems import DataError
from drp.wellnames import well_name
from tests.examples import examples
from tests.plates_workbooks import make_workbook

QUICK = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
FLUIDS = """  <Fluids>
    <Fluid ID="0"><Name>Drug A</Name><ByVol>False</ByVol>
      <Concentration>10000</Concentration><ConcentrationUnit>mM</ConcentrationUnit></Fluid>
    <Fluid ID="1"><Name>Drug B</Name></Fluid>
    <Fluid ID="2"><Name>DMSO</Name><ByVol>True</ByVol></Fluid>
    <Fluid ID="3"><Name>Drug A - 1:200</Name><RootFluidID>0</RootFluidID></Fluid>
    <Fluid ID="4"><Name>Drug C</Name></Fluid>
    <Fluid ID="5"><Name>Drug D</Name></Fluid>
    <Fluid ID="6"><Name>Medium</Name></Fluid>
  </Fluids>
"""
UNIT = "<ConcentrationUnit>µM</ConcentrationUnit>"


def _well(row, column, *fluids):
    inside = "".join(f'<Fluid ID="{number}">{dose}</Fluid>' for number, dose in fluids)
    return f'<Well Row="{row}" Col="{column}">{inside}</Well>'


def _plate(*wells, name="", size=(8, 12), extra="<Randomize />"):
    return (
        f"    <Plate><PlateType>Default{size[0] * size[1]}</PlateType>\n"
        f"      <Rows>{size[0]}</Rows><Cols>{size[1]}</Cols><Name>{name}</Name>\n"
        "      <Wells>\n" + "".join(f"        {well}\n" for well in wells) + "      </Wells>\n"
        f"      {extra}\n    </Plate>\n"
    )


def _protocol(*plates, unit=UNIT, fluids=FLUIDS, end="<Backfills />"):
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Protocol>\n  {unit}\n{fluids}  <Plates>\n'
        + "".join(plates)
        + f"  </Plates>\n  {end}\n</Protocol>\n"
    )


def _scan(tmp_path, text, **options):
    path = tmp_path / "run.tdd"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return scan_layout(path, **options)


def _codes(problems, severity="error"):
    return [problem.code for problem in problems if problem.severity == severity]


# --- what is read ------------------------------------------------------------------------------


def test_what_a_protocol_says(tmp_path):
    text = _protocol(
        _plate(
            _well(0, 0, (0, 0.3)),
            _well(1, 2, (0, "9.5E-05"), (1, 10)),
            _well(7, 11, (2, 0.01)),
            _well(2, 2, (2, 0.01), (1, 0.5)),
            _well(3, 3, (3, 0.002)),
            _well(4, 4, (0, 0), (1, 0), (4, 2)),
        )
    )
    layout, problems = _scan(tmp_path, text)
    assert _codes(problems) == []
    assert _codes(problems, "warning") == ["layout.control-dose"]
    rows = layout.set_index("well").to_dict("index")
    assert list(rows) == ["A1", "B3", "H12", "C3", "D4", "E5"]
    assert [row["role"] for row in rows.values()] == [
        "sample", "sample", "negative", "sample", "sample", "sample",
    ]  # fmt: skip
    assert (rows["A1"]["drug"], rows["A1"]["dose"], rows["A1"]["dose_unit"]) == (
        "Drug A", 300.0, "nM",
    )  # fmt: skip
    assert (rows["B3"]["drug"], rows["B3"]["dose"]) == ("Drug A", 0.095)
    assert (rows["B3"]["drug2"], rows["B3"]["dose2"]) == ("Drug B", 10_000.0)
    assert (rows["B3"]["dose_value"], rows["B3"]["dose_value_unit"]) == ("9.5E-05|10", "µM")
    assert rows["H12"]["drug"] == "DMSO"
    assert math.isnan(rows["H12"]["dose"])
    assert (rows["C3"]["drug"], rows["C3"]["dose"], rows["C3"]["drug2"]) == ("Drug B", 500.0, "")
    # A fluid diluted from another one is the same drug; its number is the final dose all the same.
    assert (rows["D4"]["drug"], rows["D4"]["dose"]) == ("Drug A", 2.0)
    assert [rows["E5"][f"dose{suffix}"] for suffix in ("", "2", "3")] == [0, 0, 2000]
    assert set(layout["layout_plate"]) == {"1"}
    lines = text.split("\n")
    assert [lines[int(each.split()[1]) - 1].strip()[:6] for each in layout["locator"]] == [
        "<Well "
    ] * 6


@pytest.mark.parametrize(
    ("names", "expected", "warnings"),
    [
        (("", "", ""), ["1", "2", "3"], []),
        (("x", "y", "z"), ["x", "y", "z"], []),
        (("x", "", "z"), ["1", "2", "3"], ["layout.plate-names"]),
        (("x", "y", "x"), ["1", "2", "3"], ["layout.plate-names"]),
    ],
)
def test_plates_go_by_their_names_or_their_order(tmp_path, names, expected, warnings):
    text = _protocol(*(_plate(_well(0, 0, (0, 1)), name=name) for name in names))
    layout, problems = _scan(tmp_path, text)
    assert layout["layout_plate"].tolist() == expected
    assert layout["layout"].tolist() == [f"run.tdd#{name}" for name in expected]
    assert [problem.code for problem in problems] == warnings


@pytest.mark.parametrize(
    ("unit", "dose", "stated"),
    [
        ("<ConcentrationUnit>nM</ConcentrationUnit>", 3.0, None),
        ("<ConcentrationUnit>mM</ConcentrationUnit>", 3e6, "nM"),
        ("<MolarityConcentrationUnit>µM</MolarityConcentrationUnit>", 3000.0, None),
        ("<ConcentrationUnit />", 3000.0, "uM"),
    ],
)
def test_the_unit_is_that_of_the_protocol(tmp_path, unit, dose, stated):
    text = _protocol(_plate(_well(0, 0, (0, 3))), unit=unit)
    layout, _ = _scan(tmp_path, text, dose_unit=stated)
    assert layout["dose"].tolist() == [dose]


def test_names_and_roles_of_the_user(tmp_path):
    text = _protocol(_plate(_well(0, 0, (3, 1)), _well(0, 1, (1, 1)), _well(0, 2, (2, 1))))
    names = {"drug a": "Venetoclax", "Drug B": "Staurosporine"}
    layout, problems = _scan(tmp_path, text, names=names, roles={"Staurosporine": "positive"})
    assert _codes(problems) == []
    assert layout["drug"].tolist() == ["Venetoclax", "Staurosporine", "DMSO"]
    assert layout["role"].tolist() == ["sample", "positive", "negative"]
    layout, _ = _scan(tmp_path, text, roles={"Drug B": "negative"})
    assert layout["role"].tolist() == ["sample", "negative", "negative"]


def test_other_encodings_and_line_ends(tmp_path):
    text = _protocol(_plate(_well(1, 1, (0, 0.3)), _well(1, 2, (2, 1)))).replace(" 1:200", " é")
    plain, _ = _scan(tmp_path, text)
    assert plain["well"].tolist() == ["B2", "B3"]
    for content in (
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.replace("utf-8", "utf-16").encode("utf-16"),
        text.replace('encoding="utf-8"', 'encoding="windows-1252"').encode("cp1252"),
    ):
        layout, problems = _scan(tmp_path, content)
        assert _codes(problems) == []
        assert layout.equals(plain)


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wells", "code"),
    [
        ([_well(8, 0, (0, 1))], "layout.bad-well"),
        ([_well(0, 12, (0, 1))], "layout.bad-well"),
        ([_well("A", 1, (0, 1))], "layout.bad-well"),
        (['<Well Row="0"><Fluid ID="0">1</Fluid></Well>'], "layout.bad-well"),
        ([_well(0, 0, (0, 1)), _well(0, 0, (1, 1))], "layout.duplicate-well"),
        ([_well(0, 0)], "layout.no-drug"),
        ([_well(0, 0, (9, 1))], "layout.bad-fluid"),
        ([_well(0, 0, (0, 1), (0, 2))], "layout.same-drug"),
        ([_well(0, 0, (0, 1), (3, 2))], "layout.same-drug"),
        ([_well(0, 0, (0, 1), (1, 1), (4, 1), (5, 1))], "layout.too-many-drugs"),
        ([_well(0, 0, (0, ""))], "layout.no-dose"),
        ([_well(0, 0, (0, "high"))], "layout.bad-dose"),
        ([_well(0, 0, (0, -1))], "layout.negative-dose"),
        ([_well(0, 0, (0, 0))], "layout.zero-dose"),
        ([_well(0, 0, (0, "1,234"))], "layout.ambiguous-number"),
        ([_well(0, 0, (6, 1))], "layout.unclear-role"),
    ],
)
def test_wells_that_are_refused(tmp_path, wells, code):
    _, problems = _scan(tmp_path, _protocol(_plate(*wells)))
    assert _codes(problems) == [code]
    where = next(problem.where for problem in problems if problem.severity == "error")
    assert where.locator.startswith("line ")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (UNIT, "", "layout.no-unit"),
        (UNIT, "<ConcentrationUnit>ng_mL</ConcentrationUnit>", "layout.unknown-unit"),
        (UNIT, UNIT + UNIT.replace("µ", "n"), "layout.mixed-units"),
        (UNIT, UNIT + "<MolarityConcentrationUnit>nM</MolarityConcentrationUnit>",
         "layout.mixed-units"),
        ("<Randomize />", "<Randomize><Well/></Randomize>", "layout.unsupported"),
        ("<Backfills />", "<Backfills><Backfill/></Backfills>", "layout.unsupported"),
        ("<ByVol>False", "<ByVol>True", "layout.unsupported"),
        (">mM<", ">ng_mL<", "layout.unsupported"),
        ('ID="1"', 'ID="0"', "layout.bad-fluid"),
        ("Drug A<", "<", "layout.no-drug"),
        ("<RootFluidID>0", "<RootFluidID>9", "layout.bad-fluid"),
        ("<RootFluidID>0", "<RootFluidID>3", "layout.bad-fluid"),
        ("<Rows>8", "<Rows>3", "layout.bad-format"),
        ("<Rows>8</Rows>", "", "layout.bad-format"),
        ("Default96", "Default384", "layout.bad-format"),
        ("  <Plates>\n", "  <Plates></Plates>\n  <Plates>\n", "layout.bad-section"),
        (FLUIDS, "", "layout.bad-section"),
        ("Drug B<", "Drug B</Name><Name>Drug C<", "layout.bad-section"),
        ("<Fluid ID=\"1\"><Name>", "<Fluid ID=\"7\"/><Fluid ID=\"1\"><Fluid/><Name>",
         "layout.bad-section"),
        ("</Well>", "</Well>;", "layout.bad-section"),
        ("      <Wells>", "      <Wells/><Wells>", "layout.bad-section"),
        ("</Protocol>", "", "layout.unusable-file"),
        ("</Well>", "", "layout.unusable-file"),
        ('encoding="utf-8"', 'encoding="nonsense"', "layout.unusable-file"),
        ("<Protocol>", "<Protocoll>", "layout.unrecognised"),
    ],
)  # fmt: skip
def test_protocols_that_are_refused(tmp_path, old, new, code):
    good = _protocol(_plate(_well(0, 0, (0, 1)), _well(0, 1, (3, 1))))
    assert _codes(_scan(tmp_path, good)[1]) == []
    assert old in good
    _, problems = _scan(tmp_path, good.replace(old, new, 1))
    assert code in _codes(problems)


def test_a_label_that_is_not_in_the_table_is_said_once_with_the_nearest(tmp_path):
    text = _protocol(_plate(*(_well(0, column, (0, 1)) for column in range(12))))
    _, problems = _scan(tmp_path, text, names={"Drug AB": "x", "Quite another": "y"})
    assert _codes(problems) == ["layout.unknown-name"]
    assert "nearest label there is 'drug ab'" in problems[0].fix
    _, problems = _scan(tmp_path, text, names={"Drug A": " "})
    assert _codes(problems) == ["layout.unknown-name"]


def test_a_dilution_and_its_origin_must_not_be_different_drugs(tmp_path):
    text = _protocol(_plate(_well(0, 0, (3, 1))))
    _, problems = _scan(tmp_path, text, names={"Drug A": "x", "Drug A - 1:200": "y"})
    assert _codes(problems) == ["layout.unclear-name"]


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE Protocol [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>\n',
        '<!DOCTYPE Protocol [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n',
        '<!DOCTYPE Protocol SYSTEM "http://127.0.0.1:1/a.dtd">\n',
    ],
)
def test_document_types_and_entities_are_refused(tmp_path, start):
    text = _protocol(_plate(_well(0, 0, (0, 1)))).replace("<Protocol>", start + "<Protocol>", 1)
    _, problems = _scan(tmp_path, text.replace("Drug B", "&b;"))
    assert _codes(problems) == ["layout.unusable-file"]


def test_xml_that_would_need_much_memory_is_refused(monkeypatch):
    deep = "<a>" * (MOST_LEVELS + 1) + "</a>" * (MOST_LEVELS + 1)
    with pytest.raises(ValueError, match="levels"):
        read_xml(deep.encode())
    monkeypatch.setattr("drp.plates.layouts.xml_tree.MOST_ELEMENTS", 5)
    with pytest.raises(ValueError, match="elements"):
        read_xml(b"<a>" + b"<b/>" * 5 + b"</a>")
    monkeypatch.setattr("drp.plates.layouts.xml_tree.MOST_BYTES", 5)
    with pytest.raises(ValueError, match="bytes"):
        read_xml(b"<abcd/>")


# --- the real protocol -------------------------------------------------------------------------


def test_the_first_plate_is_as_it_was_dispensed(shared_data):
    folder = shared_data / "plates" / "d300"
    names = read_names(folder / "Gnumber_D300_96_well_plate.xlsx")
    assert len(names) == 8
    layout = read_layout(folder / "D300_96_well_plate_example.tdd", names=names)
    assert layout.groupby("layout_plate", sort=False).size().to_dict() == {
        str(number): 60 for number in range(1, 23)
    }
    content = (folder / "output_files_96w__reference__trt_P1.xlsx").read_bytes()
    expected = {name: sheet.rows for name, sheet in read_workbook(content).items()}
    own = layout[layout["layout_plate"] == "1"].set_index("well")
    drugs = 0
    for row, cells in enumerate(expected["Gnumber"], start=1):
        for column, drug in enumerate(cells, start=1):
            if drug == "vehicle":
                assert own.loc[well_name(row, column), "role"] == "negative"
                assert column == 11
            elif drug:
                drugs += 1
                entry = own.loc[well_name(row, column)]
                dose = float(expected["Concentration"][row - 1][column - 1])
                assert (entry["role"], entry["drug"]) == ("sample", drug)
                assert entry["dose"] == convert_dose(dose, "uM").value
            else:
                assert well_name(row, column) not in own.index
    assert drugs == 54
    lines = (folder / "D300_96_well_plate_example.tdd").read_text(encoding="utf-8").split("\n")
    for well, locator in own["locator"].items():
        line = lines[int(locator.removeprefix("line ")) - 1]
        row, column = (int(part) for part in line.split('"')[1::2])
        assert well_name(row + 1, column + 1) == well


# --- writing and reading, and damage -----------------------------------------------------------

NAMES = st.text(ascii_letters + "0123456789 <>&'\"-:é", min_size=1, max_size=9).map(
    lambda name: f"d{name.strip()}"
)
DOSES = st.one_of(st.floats(1e-6, 1000), st.integers(1, 1000).map(float))


@st.composite
def designs(draw):
    shape = draw(st.sampled_from([(8, 12), (16, 24), (32, 48)]))
    # Names that differ in their capitals alone would be one substance.
    drugs = draw(st.lists(NAMES, min_size=3, max_size=6, unique_by=str.casefold))
    places = st.tuples(st.integers(1, shape[0]), st.integers(1, shape[1]))
    wells = st.dictionaries(
        places.map(lambda place: well_name(*place)),
        st.dictionaries(st.sampled_from(drugs), DOSES, min_size=1, max_size=3),
        min_size=1,
        max_size=12,
    )
    plates = draw(st.dictionaries(NAMES, wells, min_size=1, max_size=3))
    return shape, plates


@QUICK
@given(
    designs(),
    st.sampled_from(["µM", "nM", "mM"]),
    st.booleans(),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_protocol_comes_back(tmp_path, design, unit, named, line_ending, encoding):
    shape, plates = design
    path = tmp_path / "run.tdd"
    write_d300(
        path, plates, shape=shape, unit=unit, named=named, line_ending=line_ending,
        encoding=encoding,
    )  # fmt: skip
    layout, problems = scan_layout(path)
    assert _codes(problems) == []
    factor = {"µM": 1e3, "nM": 1, "mM": 1e6}[unit]
    expected = {
        (name if named else str(number), well): {
            drug: pytest.approx(dose * factor, rel=1e-11) for drug, dose in doses.items()
        }
        for number, (name, plate) in enumerate(plates.items(), start=1)
        for well, doses in plate.items()
    }
    assert _as_written(layout) == expected


def _as_written(layout):
    return {
        (row["layout_plate"], row["well"]): {
            row[f"drug{suffix}"]: row[f"dose{suffix}"]
            for suffix in ("", "2", "3")
            if row[f"drug{suffix}"]
        }
        for row in layout.to_dict("records")
    }


@pytest.mark.parametrize(
    ("name", "well", "shape"),
    [("a\nb", "A1", (8, 12)), ("a", "A13", (8, 12)), ("a", "x", (8, 12)), ("a", "A1", (33, 1))],
)
def test_what_cannot_be_written(tmp_path, name, well, shape):
    with pytest.raises(ValueError):
        write_d300(tmp_path / "run.tdd", {"P1": {well: {name: 1.0}}}, shape=shape)


def _damage(lines, chance):
    lines = list(lines)
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.choice(["drop", "double", "swap", "cut", "block", "byte"])
    if kind == "drop":
        del lines[first]
    elif kind == "double":
        lines.insert(first, lines[first])
    elif kind == "swap" and not ("</Fluid>" in lines[first] and "</Fluid>" in lines[second]):
        # Doses of two wells that changed places cannot be told: nothing in their lines says whose.
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == "cut":
        lines[first:] = [lines[first][: chance.randrange(len(lines[first]) + 1)]]
    elif kind == "block":
        lines[first:first] = lines[min(first, second) : max(first, second)]
    else:
        at = chance.randrange(len(lines[first]) + 1)
        lines[first] = lines[first][:at] + chance.choice('<>"/&;, \0') + lines[first][at + 1 :]
    return lines


@pytest.mark.slow
def test_damage_never_moves_a_dose(tmp_path):
    path = tmp_path / "run.tdd"
    plates = {
        f"P{plate}": {
            well_name(row, column): {f"D{row}": row * 10.0 + column, "E": plate * 100.0 + column}
            for row in range(1, 4)
            for column in range(1, 4)
        }
        for plate in (1, 2)
    }
    write_d300(path, plates)
    good = _as_written(read_layout(path))
    lines = path.read_text(encoding="utf-8").split("\r\n")
    chance, refused = random.Random(7), 0
    for _ in range(100):
        path.write_bytes("\r\n".join(_damage(lines, chance)).encode())
        layout, problems = scan_layout(path)
        if _codes(problems):
            refused += 1
            continue
        for (_, well), doses in _as_written(layout).items():
            # Plates may be numbered anew, and a fluid that was taken away is not missed; but a
            # well holds what one of the plates has there.
            assert any(doses.items() <= good[plate, well].items() for plate in ("P1", "P2")), (
                well,
                doses,
            )
    assert refused > 50


# --- tables of names ---------------------------------------------------------------------------


def test_names_of_a_workbook(tmp_path):
    path = tmp_path / "names.xlsx"
    cells = {"A1": "Gnumber", "B1": "note", "C1": "D300_Label", "A2": "X", "C2": " 7 ", "A3": "Y",
             "C3": "8"}  # fmt: skip
    path.write_bytes(make_workbook({"Labels": cells}))
    assert read_names(path) == {"7": "X", "8": "Y"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("label,drug\nA,\n", "layout.bad-names"),
        ("label,drug\n,X\n", "layout.bad-names"),
        ("label,drug\nA,X\na,Y\n", "layout.bad-names"),
        ("label,other\nA,X\n", "layout.bad-names"),
        ("label,drug,compound\nA,X,Y\n", "layout.duplicate-column"),
        ("", "layout.empty"),
    ],
)
def test_tables_of_names_that_are_refused(tmp_path, text, code):
    path = tmp_path / "names.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_names(path)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_label_may_stand_twice_with_one_drug(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("label;drug\nA;X\nA;X\n")
    assert read_names(path) == {"A": "X"}
