"""Read an xlsx workbook in a process of its own, with limits on memory and time.

Run as a script: the workbook comes in on standard input, its cells go out as JSON. A workbook is
made by strangers and read by compiled code; whatever it does, it ends here.
"""

import datetime
import io
import json
import os
import resource
import sys

MOST_MEMORY = 2 * 1024**3
MOST_SECONDS = 20


def cell_text(value: object) -> str:
    """Write a cell: whole numbers without a decimal point, dates as in ISO 8601.

    Examples
    --------
    >>> cell_text(85.0), cell_text(0.5), cell_text(True), cell_text(datetime.date(2024, 5, 1))
    ('85', '0.5', 'TRUE', '2024-05-01')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def read_cells(content: bytes) -> dict[str, object]:
    """Give every sheet's cells and merged ranges, or what is wrong with the workbook."""
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = []
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            # Without this option leading blank rows and columns are cut off and wells shift.
            rows = sheet.to_python(skip_empty_area=False)
            merged = [[*start, *end] for start, end in sheet.merged_cell_ranges or []]
            sheets.append([name, [[cell_text(value) for value in row] for row in rows], merged])
    except python_calamine.CalamineError as error:
        return {"error": str(error)}
    return {"sheets": sheets}


def main() -> None:
    """Limit this process, then read the workbook."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found = read_cells(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # nothing is left to tidy up, and large tables take long to


if __name__ == "__main__":
    main()
