"""From bytes to cells: encodings, line ends, separators, workbooks and hostile ones."""

import io
import resource
import time
import tracemalloc
import zipfile

import pytest

from drp.plates.pages import open_source, safe_id
from drp.plates.text import find_separator, read_text, split_cells
from drp.plates.workbook import MOST_MEMBERS, check_archive, read_workbook
from drp.problems import Problems
from tests.plates_workbooks import CONTENT_TYPES, make_workbook

GRID = [["", "1", "2"], ["A", "5", "6µ"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line_ending", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_the_same_cells_however_they_are_written(encoding, line_ending, separator):
    text = "".join(separator.join(cells) + line_ending for cells in GRID)
    read = read_text(text.encode(encoding))
    assert read.rows == GRID
    assert (read.separator, read.terminated) == (separator, True)


def test_big_endian_utf16():
    assert read_text("\ufeffA1\n".encode("utf-16-be")).rows == [["A1"]]


def test_a_last_line_without_end_is_noticed():
    assert not read_text(b"A;1\nB;2").terminated


@pytest.mark.parametrize("content", [b"A1\0", b"\xff\xfeA", b"A\x81"])
def test_what_is_no_text(content):
    with pytest.raises(ValueError, match=r"NUL|no text"):
        read_text(content)


def test_more_cells_than_allowed_are_not_made():
    with pytest.raises(ValueError, match="4,000,001 cells"):
        read_text(b";" * 4_000_000)


def test_separator_is_not_the_decimal_comma():
    assert find_separator(["A;0,5;0,7", "B;0,9;1,1"]) == ";"
    assert find_separator(["Name\tdose", "x\t0,5", "y\t1,5"]) == "\t"
    assert find_separator(["plate,well,note", "P,A1,a;b", "P,A2,c;d"]) == ","


def test_unbalanced_quotes_stay_in_their_line():
    assert split_cells('Comments:,"half,3', ",") == ["Comments:", '"half', "3"]
    assert split_cells('1,"=""8/22/2023""",2', ",") == ["1", '="8/22/2023"', "2"]


def test_a_workbook_keeps_its_coordinates():
    sheet = {"C4": 5.0, "D4": "x", "D5": 0.25}
    rows = read_workbook(make_workbook({"Data": sheet}))["Data"].rows
    assert rows[3] == ["", "", "5", "x"]
    assert rows[4] == ["", "", "", "0.25"]


def _archive(members, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _sheet(cells, dimension="A1"):
    return (
        f'<worksheet><dimension ref="{dimension}"/><sheetData>{cells}</sheetData></worksheet>'
    ).encode()


BASE = {"[Content_Types].xml": CONTENT_TYPES, "xl/workbook.xml": b"<workbook/>"}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"a.txt": b"x"}, "not an xlsx workbook"),
        (BASE | {f"xl/{i}.xml": b"x" for i in range(MOST_MEMBERS)}, "202 members"),
        (BASE | {"xl/big.xml": b"0" * 2_000_000}, "times its packed size"),
        (BASE | {"xl/s.xml": _sheet('<c r="A1"/><c r="XFD1048576"/>')}, "XFD1048576"),
        (BASE | {"xl/s.xml": _sheet("", "A1:ZZ1000000")}, "ZZ1000000"),
        (BASE | {"xl/s.bin": _sheet("<x:row r = '9999999'/><c r='B1'/>")}, "B9999999"),
        (BASE | {"xl/s.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}, "document type"),
    ],
)
def test_costly_or_strange_archives_are_refused(members, reason):
    with pytest.raises(ValueError, match=reason):
        check_archive(_archive(members))


def test_a_cut_archive_is_refused():
    content = make_workbook({"Data": {"A1": 1.0}})
    for end in (30, len(content) // 2, len(content) - 10):
        with pytest.raises(ValueError, match="damaged"):
            read_workbook(content[:end])


def test_the_sparse_sheet_costs_no_memory(shared_data):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Problems()
    assert open_source(shared_data / "bad" / "sparse.xlsx", "plate", found) is None
    assert [problem.code for problem in found.errors] == ["plate.unusable-file"]
    assert "XFD1048576" in found.errors[0].found
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "plate.empty"),
        (b" \n\n", "plate.empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "plate.unusable-file"),
        (b"PK\x03\x04rest", "plate.unusable-file"),
        (b"A1\0", "plate.unusable-file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, code):
    path = tmp_path / "plate.csv"
    path.write_bytes(content)
    found = Problems()
    assert open_source(path, "plate", found) is None
    assert [problem.code for problem in found.items] == [code]
    assert found.items[0].where.file == "plate.csv"


def test_absent_and_too_large_files(tmp_path):
    found = Problems()
    open_source(tmp_path / "none.csv", "layout", found)
    open_source(tmp_path, "layout", found)
    large = tmp_path / "large.csv"
    with large.open("wb") as stream:
        stream.truncate(2 * 1024**3)
    open_source(large, "layout", found)
    codes = [problem.code for problem in found.items]
    assert codes == ["layout.unreadable", "layout.unreadable", "layout.too-large"]


def test_cp1252_is_read_with_a_warning(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_bytes("A1;5 µM\n".encode("cp1252"))
    found = Problems()
    source = open_source(path, "plate", found)
    assert source is not None
    assert source.pages[0].rows == [["A1", "5 µM"]]
    assert [problem.code for problem in found.items] == ["plate.encoding"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("../../x", "x"), ("-rf", "rf"), ("a" * 80, "a" * 64), ("Ä", "plate"), ("P 1", "P_1")],
)
def test_ids_are_safe(text, expected):
    assert safe_id(text) == expected


def test_a_workbook_that_slips_through_is_stopped_by_the_limits_of_its_process(monkeypatch):
    far = make_workbook({"Data": {"A1": 1.0, "XFD1048576": 2.0}})
    with pytest.raises(ValueError, match="cells, more than"):
        read_workbook(far)
    monkeypatch.setattr("drp.plates.workbook.check_archive", lambda content: None)
    started = time.monotonic()
    with pytest.raises(ValueError, match="2 GB of memory or 20 s"):
        read_workbook(far)
    assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2.2 * 1024**2  # in KiB


def test_a_text_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(2 * 1024**3)  # sparse: takes no room on the disk
    found = Problems()
    tracemalloc.start()
    assert open_source(path, "plate", found) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [problem.code for problem in found.items] == ["plate.too-large"]
    assert most < 1024**2
