"""Make small xlsx workbooks for tests, without a library that would make them too clean."""

import io
import zipfile
from collections.abc import Mapping

CONTENT_TYPES = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
</Types>"""
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def make_workbook(sheets: Mapping[str, Mapping[str, float | str]]) -> bytes:
    """Make a workbook from sheet name to cell reference to value."""
    names, relations, members = "", "", {}
    for number, (name, cells) in enumerate(sheets.items(), start=1):
        names += f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        relations += (
            f'<Relationship Id="rId{number}" Type="{_RELATIONSHIPS}/worksheet" '
            f'Target="worksheets/sheet{number}.xml"/>'
        )
        members[f"xl/worksheets/sheet{number}.xml"] = _sheet(cells)
    members["[Content_Types].xml"] = CONTENT_TYPES.decode()
    members["_rels/.rels"] = (
        f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )
    members["xl/workbook.xml"] = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONSHIPS}"><sheets>{names}</sheets></workbook>'
    )
    members["xl/_rels/workbook.xml.rels"] = (
        f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _sheet(cells: Mapping[str, float | str]) -> str:
    rows: dict[int, str] = {}
    for reference, value in cells.items():
        row = int("".join(sign for sign in reference if sign.isdigit()))
        if isinstance(value, str):
            cell = f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'
        else:
            cell = f'<c r="{reference}"><v>{value!r}</v></c>'
        rows[row] = rows.get(row, "") + cell
    body = "".join(f'<row r="{row}">{text}</row>' for row, text in sorted(rows.items()))
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
