"""Echo reports: doses by hand, failed transfers, what must be stated, what damage does."""

import math
import random
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drp.plates import read_layout, scan_layout
from drp.plates.writers import EchoTransfer, write_echo
from drp.wellnames import well_name
from tests.examples import examples
from tests.plates_workbooks import make_workbook

QUICK = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
HEADER = (
    "Date Time Point,Source Plate Name,Source Plate Barcode,Source Well,Destination Plate Name,"
    "Destination Plate Barcode,Destination Plate Type,Destination Well,Transfer Volume,"
    "Actual Volume,Sample ID,Sample Name,Transfer Status"
)
END = "\nInstrument Name,E\nInstrument Model,Echo\n"
STATED = {"stocks": {"A": "10 mM", "B": "2 mM"}, "well_volume_ul": 50}


def _line(
    well, volume="25", actual=None, name="A", *, number=0, source="A1", barcode="D1", status="",
    plate="Destination[1]", sample_id="", kind="X_384",
):  # fmt: skip
    actual = volume if actual is None else actual
    return (
        f"10:00:{number:02d},Source[1],S1,{source},{plate},{barcode},{kind},{well},{volume},"
        f"{actual},{sample_id},{name},{status}"
    )


def _report(details=(), exceptions=(), header=HEADER, end=END):
    text = "Run ID,7\nUser Name,somebody\n"
    for section, lines in (("[EXCEPTIONS]", exceptions), ("[DETAILS]", details)):
        if lines:
            text += "\n".join(["", section, header, *lines, ""])
    return text + end


def _scan(tmp_path, text, **options):
    path = tmp_path / "report.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return scan_layout(path, **(STATED | options))


def _codes(problems, severity="error"):
    return [problem.code for problem in problems if problem.severity == severity]


# --- doses -------------------------------------------------------------------------------------


def test_doses_by_hand(tmp_path):
    lines = [
        _line("A1", "25", number=1),
        _line("A2", "2.5", number=2),
        _line("A3", "25", number=3),
        _line("A3", "75", name="DMSO", number=4, source="P1"),
        _line("A4", "25", number=5),
        _line("A4", "50", number=6, source="A1"),
        _line("A5", "25", number=7),
        _line("A5", "100", name="B", number=8, source="B1"),
        _line("A6", "100", name="DMSO", number=9, source="P1"),
    ]
    layout, problems = _scan(tmp_path, _report(lines))
    assert problems == []
    rows = layout.set_index("well").to_dict("index")
    assert list(rows) == ["A1", "A2", "A3", "A4", "A5", "A6"]
    # 10 mM = 1e7 nM; a well holds 50 000 nL before the transfers.
    assert rows["A1"]["dose"] == pytest.approx(1e7 * 25 / 50_025, rel=1e-11)
    assert rows["A2"]["dose"] == pytest.approx(499.975001249938, rel=1e-11)
    assert rows["A3"]["dose"] == pytest.approx(1e7 * 25 / 50_100, rel=1e-11)
    assert rows["A4"]["dose"] == pytest.approx(1e7 * 75 / 50_075, rel=1e-11)
    assert rows["A5"]["dose"] == pytest.approx(1e7 * 25 / 50_125, rel=1e-11)
    assert rows["A5"]["dose2"] == pytest.approx(2e6 * 100 / 50_125, rel=1e-11)
    assert (rows["A5"]["drug"], rows["A5"]["drug2"]) == ("A", "B")
    assert (rows["A5"]["dose_value"], rows["A5"]["dose_value_unit"]) == ("25|100", "nL")
    assert (rows["A6"]["role"], rows["A6"]["drug"]) == ("negative", "DMSO")
    assert math.isnan(rows["A6"]["dose"])
    assert {row["role"] for well, row in rows.items() if well != "A6"} == {"sample"}
    assert rows["A4"]["locator"] == "line 10, line 11"
    assert set(layout["layout_plate"]) == {"D1"}
    assert set(layout["failed"]) == {""}


def test_a_source_that_holds_a_dilution(tmp_path):
    lines = [_line("A1", number=1), _line("A2", number=2, source="A2")]
    stocks = {"A": "10 mM", "s1:a2": "100uM"}
    layout, problems = _scan(tmp_path, _report(lines), stocks=stocks)
    assert problems == []
    assert layout["dose"].tolist() == pytest.approx([1e7 * 25 / 50_025, 1e5 * 25 / 50_025])
    # Both at once add up, each from its own stock.
    lines = [_line("A1", number=1), _line("A1", number=2, source="A2")]
    layout, _ = _scan(tmp_path, _report(lines), stocks=stocks)
    assert layout["dose"].tolist() == pytest.approx([(1e7 + 1e5) * 25 / 50_050])


def test_one_stock_for_several_sources_is_said(tmp_path):
    lines = [_line("A1", number=1), _line("A2", number=2, source="A2")]
    _, problems = _scan(tmp_path, _report(lines))
    assert [problem.code for problem in problems] == ["layout.several-sources"]


def _with_stocks(value, unit):
    header = f"{HEADER},Source Concentration,Source Concentration Units"
    return _report([f"{_line('A1')},{value},{unit}"], header=header)


def test_stocks_of_the_report(tmp_path):
    layout, problems = _scan(tmp_path, _with_stocks("5", "mM"), stocks={})
    assert problems == []
    assert layout["dose"].tolist() == pytest.approx([5e6 * 25 / 50_025])
    layout, _ = _scan(tmp_path, _with_stocks("5000", "IU/mL"), stocks={})
    assert layout["dose_unit"].tolist() == ["IU/mL"]
    layout, _ = _scan(tmp_path, _with_stocks("0", "N/A"), stocks={"A": "5 mM"})
    assert layout["dose"].tolist() == pytest.approx([5e6 * 25 / 50_025])
    _, problems = _scan(tmp_path, _with_stocks("5", "mM"), stocks={"A": "10 mM"})
    assert _codes(problems) == ["layout.stock-conflict"]
    for value, unit, code in (
        ("5", "", "layout.no-unit"),
        ("5", "mm", "layout.unknown-unit"),
        ("-5", "mM", "layout.bad-stock"),
        ("much", "mM", "layout.bad-stock"),
    ):
        assert _codes(_scan(tmp_path, _with_stocks(value, unit))[1]) == [code]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"stocks": {}}, "layout.no-stock"),
        ({"stocks": {"A": "10"}}, "layout.bad-stock"),
        ({"well_volume_ul": None}, "layout.no-volume"),
        ({"well_volume_ul": float("inf")}, "layout.no-volume"),
        ({"well_volume_ul": 0}, "layout.bad-volume"),
    ],
)
def test_what_the_configuration_must_state(tmp_path, options, code):
    lines = [_line(f"A{column}", number=column) for column in range(1, 13)]
    layout, problems = _scan(tmp_path, _report(lines), **options)
    assert code in _codes(problems)
    assert _codes(problems).count(code) == 1
    assert layout["dose"].notna().sum() == 0


def test_drugs_of_one_well_need_one_kind_of_unit(tmp_path):
    lines = [_line("A1", number=1), _line("A1", name="B", number=2, source="B1")]
    _, problems = _scan(tmp_path, _report(lines), stocks={"A": "1 mM", "B": "5 IU/mL"})
    assert _codes(problems) == ["layout.mixed-units"]


# --- names, roles, plates ----------------------------------------------------------------------


def test_names_by_sample_id_by_name_and_by_source(tmp_path):
    lines = [
        _line("A1", name="", sample_id="X-7", number=1),
        _line("A2", name="stock b", number=2, source="B1"),
        _line("A3", name="", number=3, source="C3"),
        _line("A4", name="N/A", number=4, source="C4"),
        _line("A5", name="DMSO", number=5, source="P1"),
    ]
    names = {"X-7": "A", "Stock B": "B", "S1:C3": "C", "Source[1]:C4": "STS"}
    layout, problems = _scan(
        tmp_path, _report(lines), names=names, roles={"STS": "positive"},
        stocks={"A": "1 mM", "B": "1 mM", "C": "1 mM"},
    )  # fmt: skip
    assert problems == []
    assert layout["drug"].tolist() == ["A", "B", "C", "STS", "DMSO"]
    assert layout["role"].tolist() == ["sample", "sample", "sample", "positive", "negative"]
    names = {"X-7": "A", "stok b": "B", "S1:C3": "B"}
    _, problems = _scan(tmp_path, _report(lines), names=names)
    assert _codes(problems) == ["layout.unknown-name", "layout.no-drug"]
    assert "'S1:C4'" in problems[1].fix
    _, problems = _scan(tmp_path, _report(lines[:1]), names={"X-7": "A", "S1:A1": "B"})
    assert _codes(problems) == ["layout.unclear-name"]


def test_plates_go_by_barcode_or_name(tmp_path):
    lines = [
        _line("A1", number=1),
        _line("A1", number=2, barcode="D2", plate="Destination[2]"),
        _line("A1", number=3, barcode="", plate="Destination[3]"),
    ]
    layout, problems = _scan(tmp_path, _report(lines))
    assert problems == []
    assert layout["layout_plate"].tolist() == ["D1", "D2", "Destination[3]"]
    lines[1] = _line("A1", number=2, barcode="D2")
    assert [each.code for each in _scan(tmp_path, _report(lines))[1]] == ["layout.unclear-plate"]
    lines[1] = _line("A1", number=2, barcode="")
    assert _codes(_scan(tmp_path, _report(lines))[1]) == ["layout.unclear-plate"]


# --- failed transfers --------------------------------------------------------------------------


def test_a_failed_transfer_takes_the_dose_away_and_keeps_the_well(tmp_path):
    fault = "MM0202007: no fluid"
    details = [
        _line("A1", number=1),
        _line("A2", number=2),
        _line("A3", "25", "0", number=3),
        _line("A4", "25", "", number=4),
        _line("A5", "25", "25", status=fault, number=5),
        _line("A6", number=6),
        _line("A7", "25", "20", number=7),
    ]
    exceptions = [
        _line("A2", "50", "0", "B", status=fault, number=8),
        _line("A6", "50", "0", "DMSO", status=fault, number=9),
        _line("B1", "50", "0", "B", status=fault, number=10),
        _line("B1", "50", "0", "B", status=fault, number=10),
    ]
    layout, problems = _scan(tmp_path, _report(details, exceptions))
    assert _codes(problems) == []
    assert (
        _codes(problems, "warning") == ["layout.partial-transfer"] + ["layout.failed-transfer"] * 6
    )
    failed = layout.set_index("well")["failed"].to_dict()
    assert failed == {
        "A1": "",
        "A7": "",
        "A2": f"transfer of B failed: {fault}",
        "A3": "transfer of A failed: no volume was transferred",
        "A4": "transfer of A failed: no volume is stated",
        "A5": f"transfer of A failed: {fault}",
        "A6": f"transfer of DMSO failed: {fault}",
        "B1": f"transfer of B failed: {fault}",
    }
    rows = layout.set_index("well")
    assert rows["dose"].notna().to_dict() == {well: not why for well, why in failed.items()}
    assert (rows.loc["A2", "drug"], rows.loc["A2", "drug2"]) == ("B", "A")
    # What was transferred counts, not what was asked for.
    assert rows.loc["A7", "dose"] == pytest.approx(1e7 * 20 / 50_020)


def test_the_real_report_of_a_partial_run(shared_data):
    names = {f"SRC000001:{source}": drug for source, drug in (("A1", "A"), ("A2", "B"))}
    path = shared_data / "plates" / "echo" / "PartialTransfer.csv"
    layout, problems = scan_layout(path, names=names, **STATED)
    assert _codes(problems) == []
    assert _codes(problems, "warning") == ["layout.failed-transfer"] * 2
    rows = layout.set_index("well").to_dict("index")
    assert list(rows) == ["A2", "B2", "A1", "B1"]
    assert [bool(row["failed"]) for row in rows.values()] == [True, True, False, False]
    assert [row["drug"] for row in rows.values()] == ["B", "B", "A", "A"]
    for well in ("A1", "B1"):
        assert rows[well]["dose"] == pytest.approx(1e7 * 100 / 50_100, rel=1e-11)
    assert set(layout["layout_plate"]) == {"DST000001"}


def test_the_real_report_of_a_failed_run(shared_data):
    names = {f"SRC000002:{source}": drug for source, drug in (("A1", "A"), ("A2", "B"))}
    path = shared_data / "plates" / "echo" / "ExceptionsOnly.csv"
    layout, problems = scan_layout(path, names=names, **STATED)
    assert [problem.code for problem in problems] == ["layout.failed-transfer"] * 4
    assert layout["well"].tolist() == ["A1", "B1", "A2", "B2"]
    assert layout["failed"].str.contains("MM0202007").all()
    assert layout["dose"].isna().all()
    # Nothing about the person or the instrument travels along.
    words = layout.to_csv() + "".join(map(str, problems))
    assert "LabAutomation" not in words
    assert "E5XX" not in words


# --- what is refused, and other ways to write it -----------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Actual Volume", "Actual Vol", "layout.missing-column"),
        ("Destination Well", "Destination", "layout.missing-column"),
        ("Sample ID", "Sample Name", "layout.duplicate-column"),
        ("[DETAILS]", "[DETAIL]", "layout.bad-section"),
        (HEADER + "\n", "", "layout.stray-line"),
        (",A1,25,25,", ",A1,25,", "layout.short-row"),
        (",A1,25,25,", ",A1,25,25,7,", "layout.short-row"),
        (",A1,25,25,", ",A0,25,25,", "layout.bad-well"),
        (",A1,25,25,", ",A25,25,25,", "layout.bad-well"),
        (",A1,25,25,", ",Q1,25,25,", "layout.bad-well"),
        (",A1,25,25,", ",A1,25,many,", "layout.bad-volume"),
        (",A1,25,25,", ",A1,25,-25,", "layout.bad-volume"),
        (",A1,25,25,", ",A1,some,25,", "layout.bad-volume"),
        (",A1,25,25,", ',A1,25,"1,250",', "layout.ambiguous-number"),
        ("10:00:02,", "10:00:01,", "layout.duplicate-line"),
        ("[DETAILS]", "[EXCEPTIONS]", "layout.unclear-transfer"),
        (",A,", ",Medium,", "layout.unclear-role"),
        (END, "", "layout.truncated"),
    ],
)
def test_reports_that_are_refused(tmp_path, old, new, code):
    lines = [_line("A1", number=1), _line("A1", number=2), _line("A2", number=3)]
    good = _report(lines)
    assert _scan(tmp_path, good)[1] == []
    assert old in good
    text = good.replace(old, new, 1)
    assert code in _codes(_scan(tmp_path, text.removesuffix("\n") if new == "" else text)[1])


def test_a_report_without_its_end_is_warned_about(tmp_path):
    layout, problems = _scan(tmp_path, _report([_line("A1")], end=""))
    assert [problem.code for problem in problems] == ["layout.incomplete-footer"]
    assert len(layout) == 1


def test_a_pick_list_is_no_report(tmp_path):
    text = "Source Plate Name,Source Well,Destination Well,Transfer Volume\nS,A1,B1,25\n"
    assert _codes(_scan(tmp_path, text)[1]) == ["layout.missing-column"]


def test_a_report_without_sections_and_with_padded_lines(tmp_path):
    header = "Source Plate Name,Source Well,Compound Name,Destination Well,Actual Volume"
    lines = ["Run ID,1,,,", ",,,,", header, "S,A1,A,B2,25", ",,,,", "Instrument Name,E,,,", ""]
    layout, problems = _scan(tmp_path, "\n".join(lines))
    assert problems == []
    assert layout["dose"].tolist() == pytest.approx([1e7 * 25 / 50_025])


def test_a_report_that_was_saved_as_a_workbook(tmp_path):
    text = _report([_line("A1")])
    cells = {
        f"{chr(65 + column)}{row + 1}": float(cell) if cell.isdigit() else cell
        for row, line in enumerate(text.split("\n"))
        for column, cell in enumerate(line.split(","))
        if cell
    }
    layout, problems = _scan(tmp_path, make_workbook({"Report": cells}))
    assert problems == []
    assert layout["dose"].tolist() == pytest.approx([1e7 * 25 / 50_025])
    assert layout["locator"].tolist() == ["Report row 6"]


# --- writing and reading, and damage -----------------------------------------------------------

VOLUMES = st.integers(1, 400).map(lambda drops: drops * 2.5)


@st.composite
def runs(draw):
    places = st.tuples(st.integers(1, 16), st.integers(1, 24)).map(lambda place: well_name(*place))
    transfer = st.tuples(
        st.sampled_from(["A", "B", "DMSO"]),
        places,
        st.sampled_from(["A1", "B7", "C12", "P24"]),
        VOLUMES,
        st.sampled_from(["", "", "", "MM1: no fluid"]),
        st.sampled_from(["D1", "D2"]),
    )
    made = draw(st.lists(transfer, min_size=1, max_size=20))
    return [
        EchoTransfer(
            drug, source, well, volume, 0 if status else None, status,
            plate=f"Destination[{barcode}]", barcode=barcode,
        )
        for drug, source, well, volume, status, barcode in made
    ]  # fmt: skip


@QUICK
@given(
    runs(),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ",")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from([20, 50, 62.5]),
)
def test_a_report_comes_back_as_its_doses(tmp_path, transfers, signs, line_ending, volume):
    path = tmp_path / "report.csv"
    write_echo(path, transfers, separator=signs[0], decimal=signs[1], line_ending=line_ending)
    layout, problems = scan_layout(path, stocks=STATED["stocks"], well_volume_ul=volume)
    assert _codes(problems) == []
    assert _as_written(layout) == _slow_doses(transfers, volume)


def _slow_doses(transfers, volume):
    wells = defaultdict(list)
    for transfer in transfers:
        wells[transfer.barcode, transfer.well].append(transfer)
    doses = {}
    for key, own in wells.items():
        final = volume + sum(each.volume for each in own if not each.status) / 1000
        drugs = {each.sample for each in own} - {"DMSO"} or {"DMSO"}
        failed = any(each.status for each in own)
        doses[key] = {
            drug: None
            if failed or drug == "DMSO"
            else pytest.approx(
                {"A": 1e7, "B": 2e6}[drug]
                * sum(each.volume / 1000 for each in own if each.sample == drug)
                / final,
                rel=1e-10,
            )
            for drug in drugs
        }
    return doses


def _as_written(layout):
    return {
        (row["layout_plate"], row["well"]): {
            row[f"drug{suffix}"]: None if math.isnan(row[f"dose{suffix}"]) else row[f"dose{suffix}"]
            for suffix in ("", "2", "3")
            if row[f"drug{suffix}"]
        }
        for row in layout.to_dict("records")
    }


def test_text_that_would_break_a_line_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="neither"):
        write_echo(tmp_path / "a.csv", [EchoTransfer("A,B", "A1", "A1", 25)])


def _damage(lines, chance):
    lines = list(lines)
    first, second = sorted(chance.randrange(len(lines)) for _ in "ab")
    kind = chance.choice(["drop", "double", "swap", "cut", "block", "separator", "byte"])
    if kind == "drop":
        del lines[first]
    elif kind == "double":
        lines.insert(first, lines[first])
    elif kind == "swap":
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == "cut":
        lines[first:] = [lines[first][: chance.randrange(len(lines[first]) + 1)]]
    elif kind == "block":
        lines[first:first] = lines[first:second]
    elif kind == "separator":
        lines[first] = lines[first].replace(",", chance.choice(";\t"), chance.choice([1, 99]))
    else:
        at = chance.randrange(len(lines[first]) + 1)
        lines[first] = lines[first][:at] + chance.choice(",;[]\"' \0") + lines[first][at + 1 :]
    return lines


@pytest.mark.slow
def test_damage_never_moves_or_adds_a_dose(tmp_path):
    path = tmp_path / "report.csv"
    transfers = [
        EchoTransfer("AB"[row % 2], f"A{row}", well_name(row, column), 25.0 * row + column * 2.5)
        for row in range(1, 5)
        for column in range(1, 5)
    ]
    transfers += [EchoTransfer("A", "A1", f"H{row}", 25, 0, "MM1: no") for row in range(1, 5)]
    write_echo(path, transfers, line_ending="\n")
    good = _as_written(read_layout(path, **STATED))
    lines = path.read_text().split("\n")
    chance, refused = random.Random(5), 0
    for _ in range(150):
        path.write_bytes("\n".join(_damage(lines, chance)).encode())
        layout, problems = scan_layout(path, **STATED)
        if _codes(problems):
            refused += 1
            continue
        for (_, well), doses in _as_written(layout).items():
            assert doses == good["Destination[1]", well] or set(doses.values()) == {None}
    assert refused > 50
