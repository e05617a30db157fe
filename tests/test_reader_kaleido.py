"""Kaleido exports: real files, two releases, plates, operations, and every kind of damage."""

import csv
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_kaleido
from drp.wellnames import well_name
from tests.reader_blocks import read_blocks

QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
SIGNAL = [[11.0, 12, 13], [21, 22, 23], [31, 32, 33], [41, 42, 43]]
KINDS = ["drop", "double", "swap", "cut", "blank", "separator", "field", "extra", "digit", "word"]


def _errors(problems):
    return [problem.code for problem in problems if problem.severity == "error"]


def _lines(tmp_path, signal=None, **options):
    path = tmp_path / "written.csv"
    write_kaleido(path, {"P7": SIGNAL} if signal is None else signal, line_ending="\n", **options)
    return path.read_text().splitlines()


def _scan(tmp_path, lines):
    path = tmp_path / "plate.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return scan_plate(path)


def _at(lines, text, skip=0):
    return [at for at, line in enumerate(lines) if line.startswith(text)][skip]


def test_the_real_export(shared_data):
    folder = shared_data / "plates"
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["path"].startswith("kaleido/")]
    reads, problems = scan_plate(folder / row["path"])
    assert problems == []
    assert reads["status"].tolist() == ["ok"] * int(row["expected_wells"])
    values = reads.set_index("well")
    for number in (1, 2, 3):
        well = row[f"spot{number}_well"]
        assert values.loc[well, "signal"] == float(row[f"spot{number}_value"])
    lines = (folder / row["path"]).read_text(encoding="utf-8").splitlines()
    for value in reads.itertuples():
        _, line, _, field = value.locator.split()
        cells = lines[int(line) - 1].split(",")
        assert (cells[0], cells[int(field) - 1]) == (value.well[0], value.raw_text)
    first = reads.iloc[0]
    assert (first["read"], first["mode"]) == ("Luminescence 1", "lum")
    assert (first["instrument"], first["software"]) == ("EnSight", "Kaleido 3.0.3067.117")
    assert first["measured_at_raw"] == "2023-05-17 16:21:30"
    assert first["barcode"] == "V-2023-05-17 16:21:29"
    assert first["plate"] == "kaleido30_lum96"


def test_the_real_export_without_its_end(shared_data):
    whole, _ = scan_plate(shared_data / "plates" / "kaleido" / "kaleido30_lum96.csv")
    reads, problems = scan_plate(shared_data / "bad" / "kaleido_trunc.csv")
    assert [(p.code, p.severity) for p in problems] == [("plate.incomplete-footer", "warning")]
    assert reads["signal"].tolist() == whole["signal"].tolist()


@pytest.mark.parametrize("release", [2, 3])
def test_modes_and_wavelengths(tmp_path, release):
    signal = {"P7": {"ABS mono 1": SIGNAL, "Fluorescence intensity 1": SIGNAL, "Read A": SIGNAL}}
    lines = _lines(tmp_path, signal, release=release)
    gap = ",,," if release == 3 else ",,,,"
    keys = ["Excitation Wavelength [nm]", "Emission Wavelength [nm]"]
    for name, values in (("ABS mono 1", ["450"]), ("Fluorescence intensity 1", ["485", "535"])):
        at = next(i for i, line in enumerate(lines) if line.endswith(f"{gap}{name}"))
        lines[at + 1 : at + 1] = [f"{k}{gap}{v}" for k, v in zip(keys, values, strict=False)]
    at = next(i for i, line in enumerate(lines) if line.endswith(f"{gap}Read A"))
    lines.insert(at + 1, f"Distance between Plate and Detector [mm]{gap}0.1")
    reads, problems = _scan(tmp_path, lines)
    assert _errors(problems) == []
    first = reads.drop_duplicates("read")[["read", "mode", "wavelength_nm"]]
    assert first.to_numpy().tolist() == [
        ["ABS mono 1", "abs", "450"],
        ["Fluorescence intensity 1", "fluo", "485/535"],
        ["Read A", "lum", ""],
    ]


@pytest.mark.parametrize("release", [2, 3])
def test_what_an_analysis_calculates_is_left_out(tmp_path, release):
    lines = _lines(tmp_path, release=release, analysis=True)
    reads, problems = _scan(tmp_path, lines)
    assert [problem.code for problem in problems] == []
    assert reads["signal"].tolist() == [value for row in SIGNAL for value in row]
    assert sum(line.startswith(",1,2,3") for line in lines) == 3  # measured, calculated, platemap


def test_images_have_no_values(tmp_path):
    lines = _lines(tmp_path, release=2, operation="IMG 1", analysis=True)
    start = _at(lines, ",1,2,3")
    for at in range(start + 1, start + 5):
        lines[at] = f"{lines[at][0]},a.tiff,b.tiff,c.tiff"
    _, problems = _scan(tmp_path, lines)
    assert _errors(problems) == ["plate.no-measured-block"]


@pytest.mark.parametrize("release", [2, 3])
def test_rows_and_columns_of_the_footer_are_not_used(tmp_path, release):
    signal = np.arange(96.0).reshape(8, 12)
    lines = _lines(tmp_path, {"P7": signal}, release=release)
    text = "Number of Rows,,12" if release == 3 else "Number of rows:,,8"
    assert text in lines
    reads, problems = _scan(tmp_path, lines)
    assert problems == []
    assert len(reads) == 96


def test_comments_hold_unbalanced_quotes(tmp_path):
    comment = 'a "virtual barcode was given, "P7, 5 times'
    reads, problems = _scan(tmp_path, _lines(tmp_path, comment=comment))
    assert problems == []
    assert len(reads) == 12


@pytest.mark.slow
@pytest.mark.parametrize("release", [2, 3])
def test_damage_is_named(tmp_path, release):
    lines = _lines(tmp_path, release=release)
    grid = _at(lines, ",1,2,3")
    title, barcode = _at(lines, "Result"), _at(lines, "Barcode")

    def changed(at, text=None):
        return lines[:at] + ([] if text is None else [text]) + lines[at + 1 :]

    end = "," if release == 3 else ""
    cases = [
        (changed(grid + 2), "plate.missing-row"),
        (changed(grid), "plate.truncated"),
        (changed(title), "plate.unknown-block"),
        (changed(title, "Result of something"), "plate.unknown-block"),
        (changed(barcode), "plate.bad-information"),
        (changed(barcode, lines[barcode].replace("Repeat", "epeat")), "plate.bad-information"),
        (changed(grid, f",2,3{end}"), "plate.wide-row"),
        (changed(grid, f",1,2,4{end}"), "plate.stray-row"),
        (changed(grid + 2, f"B,21,22{end}"), "plate.short-row"),
        (changed(grid + 2, f"B,21,,22,23{end}"), "plate.wide-row"),
        (changed(grid + 2, f"B,21,22,23{end},"), "plate.wide-row"),
        (changed(grid + 2, f"A,21,22,23{end}"), "plate.duplicate-row"),
        (changed(grid + 2, f",21,22,23{end}"), "plate.unlabelled-row"),
        (changed(grid + 2, f"B,-,-,-{end}"), "plate.unknown-token"),
        ([*lines[: grid + 2], "", *lines[grid + 2 :]], "plate.stray-row"),
        ([*lines[: grid + 1], *lines[grid + 2 :], lines[grid + 1]], "plate.stray-row"),
        ([*lines[: grid + 5], *lines[title:]], "plate.duplicate-block"),
        (lines[: grid + 3], "plate.truncated"),
    ]
    if release == 3:
        cases += [
            (changed(barcode + 1), "plate.bad-information"),
            (changed(barcode + 1, lines[barcode + 1].replace("P7", "P8")), "plate.bad-information"),
            (changed(barcode + 1, lines[barcode + 1].replace("1,,", "1,,3")), "plate.not-endpoint"),
            (changed(title, "Result for Luminescence 2"), "plate.bad-information"),
            ([line.replace("Single", "Well scan") for line in lines], "plate.not-endpoint"),
        ]
    for damaged, code in cases:
        _, problems = _scan(tmp_path, damaged)
        assert code in _errors(problems), (code, problems)


def test_loops_are_no_endpoint(tmp_path):
    lines = _lines(tmp_path)
    title, stop = _at(lines, "Result"), _at(lines, "Measurement Information")
    first = [line.replace("P7,1,,", "P7,1,1,") for line in lines[title:stop]]
    second = [line.replace("P7,1,,", "P7,1,2,") for line in lines[title:stop]]
    _, problems = _scan(tmp_path, [*lines[:title], *first, *second, *lines[stop:]])
    assert "plate.not-endpoint" in _errors(problems)
    reads, problems = _scan(tmp_path, [*lines[:title], *first, *lines[stop:]])
    assert _errors(problems) == []
    assert len(reads) == 12


def test_repeats_and_wavelengths_are_reads_of_their_own(tmp_path):
    lines = _lines(tmp_path, operation="ABS 1")
    title, stop = _at(lines, "Result"), _at(lines, "Measurement Information")
    block = lines[title:stop]
    about = "P7,1,,,,,,,,,"
    variants = ["P7,1,,,,450,,,,,", "P7,1,,,,650,,,,,", "P7,2,,,,450,,,,,"]
    several = [line.replace(about, variant) for variant in variants for line in block]
    reads, problems = _scan(tmp_path, [*lines[:title], *several, *lines[stop:]])
    assert _errors(problems) == []
    assert list(dict.fromkeys(reads["read"])) == ["ABS 1 450", "ABS 1 650", "ABS 1 450 repeat 2"]
    assert set(reads["plate_index"]) == {1}


def test_a_part_of_the_plate_is_said_to_be_one(tmp_path):
    lines = _lines(tmp_path)
    grid = _at(lines, ",1,2,3")
    reads, problems = _scan(tmp_path, lines[: grid + 3] + lines[grid + 5 :])
    assert [problem.code for problem in problems] == ["plate.partial"]
    assert "A1 to B3" in problems[0].found
    assert reads["well"].tolist() == ["A1", "A2", "A3", "B1", "B2", "B3"]


def test_a_file_padded_by_a_spreadsheet(tmp_path):
    lines = _lines(tmp_path, {"P7": np.arange(96.0).reshape(8, 12)}, comment="ok")
    padded = [",".join((line.split(",") + [""] * 13)[:13]) for line in lines]
    reads, problems = _scan(tmp_path, padded)
    assert problems == []
    assert reads["signal"].tolist() == np.arange(96.0).tolist()


NUMBERS = st.one_of(st.integers(-5, 10**8).map(float), st.floats(1e-4, 1e9), st.just(math.nan))


@st.composite
def _plates(draw):
    rows, columns = draw(st.integers(1, 32)), draw(st.integers(1, 48))
    rows = max(1, min(rows, 150 // columns))
    names = ["Luminescence 1", "ABS mono 2"][: draw(st.integers(1, 2))]
    plates = {}
    for position, barcode in enumerate(["P1", "P-2", "P3"][: draw(st.integers(1, 3))]):
        plates[barcode] = {}
        for name in names:
            signal = draw(hnp.arrays(float, (rows, columns), elements=NUMBERS, fill=NUMBERS))
            signal[0, 0] = 1234.5 + position  # something to read, and no copies
            plates[barcode][name] = signal
    return plates


@QUICK
@given(
    _plates(),
    st.sampled_from([2, 3]),
    st.booleans(),
    st.sampled_from([(",", "."), (";", ","), ("\t", ","), ("\t", ".")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_round_trip(tmp_path, plates, release, analysis, locale, line_ending, encoding):
    path = tmp_path / "p.csv"
    separator, decimal = locale
    write_kaleido(
        path,
        plates,
        release=release,
        analysis=analysis,
        separator=separator,
        decimal=decimal,
        line_ending=line_ending,
        encoding=encoding,
    )
    reads, problems = scan_plate(path, plate="P1" if len(plates) == 1 else None)
    assert _errors(problems) == []
    wanted = {
        (barcode, name, well_name(row + 1, column + 1)): value
        for barcode, signals in plates.items()
        for name, signal in signals.items()
        for (row, column), value in np.ndenumerate(signal)
    }
    lines = path.read_bytes().decode(encoding).removeprefix("\ufeff").split(line_ending)
    for row in reads.itertuples():
        value = wanted.pop((row.plate, row.read, row.well))
        assert row.status == ("missing" if math.isnan(value) else "ok")
        assert row.signal == value or math.isnan(value)
        _, line, _, field = row.locator.split()
        assert lines[int(line) - 1].split(separator)[int(field) - 1] == row.raw_text
    assert wanted == {}


def test_what_is_no_plate_is_not_written(tmp_path):
    for signal, options, match in (
        ([[1.0]], {"release": 1}, "release must be"),
        ({"P,1": [[1.0]]}, {}, "must hold neither"),
        ([[1.0] * 49], {}, "1 to 32 rows"),
    ):
        with pytest.raises(ValueError, match=match):
            write_kaleido(tmp_path / "p.csv", signal, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_same_plates_give_the_same_bytes(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_kaleido(tmp_path / name, {"P1": SIGNAL}, analysis=True)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def _mutate(lines, chance):
    """Damage a file in its structure, not inside a value."""
    lines = list(lines)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.choice(KINDS)
    fields = lines[at].split(",")
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
        lines[at] = lines[at].replace(",", chance.choice([";", "\t", ",,", ""]))
    elif kind == "field":
        del fields[spot]
        lines[at] = ",".join(fields)
    elif kind == "extra":
        fields.insert(spot, "")
        lines[at] = ",".join(fields)
    elif kind == "digit":  # in headers only
        at = chance.choice([i for i, line in enumerate(lines) if line.startswith(",1,2")])
        digits = [i for i, sign in enumerate(lines[at]) if sign.isdigit()]
        spot = chance.choice(digits)
        lines[at] = lines[at][:spot] + chance.choice("0123456789") + lines[at][spot + 1 :]
    elif kind == "word":
        lines[at] = chance.choice(["", "c", "Q", "7", "Σ"]) + lines[at][1:]
    return [*lines, ""]


@pytest.mark.slow
@pytest.mark.parametrize("release", [2, 3])
def test_damage_never_moves_a_value(tmp_path, release):
    chance = random.Random(release)
    wells = np.add.outer(np.arange(1, 9) * 100.0, np.arange(1, 13))
    plates = {
        f"P{plate}": {
            name: plate * 1_000_000 + position * 100_000 + wells
            for position, name in enumerate(("Luminescence 1", "Luminescence 2"))
        }
        for plate in (1, 2)
    }
    # Rows of two blocks that change places cannot be seen, so one letter names only one row.
    plates["P1"]["Luminescence 2"] = plates["P1"]["Luminescence 1"] + 100_000
    lines = _lines(tmp_path, plates, release=release, analysis=True)
    path = tmp_path / "plate.csv"
    outcomes = {"refused": 0, "read": 0}
    for _ in range(70):
        damaged = _mutate(lines, chance)
        path.write_text("\n".join(damaged))
        blocks, codes = read_blocks(path)
        readings = [reading for block in blocks for reading in block.readings]
        # A word among the values is refused when they become numbers.
        if codes or not all(reading.text.isdigit() for reading in readings):
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        for reading in readings:
            assert int(reading.text) % 100_000 == reading.row * 100 + reading.column, damaged
    assert min(outcomes.values()) > 10
