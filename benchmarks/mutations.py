"""Damage real exports in their structure thousands of times and see what the readers do.

    python benchmarks/mutations.py FOLDER [--count 12000] [--seed 1]

FOLDER holds `plates/MANIFEST.csv` and the exports it names. Printed is a table for
docs/validation/mutations.md. A file is damaged by cutting bytes, dropping, doubling or swapping
lines or whole runs of lines, changing separators, or flipping digits and letters outside the
measured values. For each damaged file one of these is counted:

- refused: at least one error, so that nothing of it is analysed;
- same: every value is where it was;
- fewer: values are missing, those that are there are where they were;
- altered: the damage itself changed the text of a value (cut bytes do that), no value moved;
- moved: a value stands in a well where it was not. This is the fault looked for.

A traceback or a read that takes over 5 s would end in the columns of that name.
"""

import argparse
import csv
import random
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from drp.plates import scan_columns
from drp.plates.text import decode
from drp.plates.workbook import read_workbook
from drp.plates.writers.common import put_bytes, put_workbook

KINDS = ("cut", "drop", "double", "swap", "block", "separator", "flip", "truncate")
OUTCOMES = ("refused", "same", "fewer", "altered", "moved", "traceback", "slow")
SLOW_S = 5.0


class Original:
    """An undamaged export: its lines or sheets, its values by plate, read and well."""

    def __init__(self, path):
        self.path = path
        reads, problems = scan_columns(path)
        assert not any(problem.severity == "error" for problem in problems), path.name
        self.values = defaultdict(dict)
        for index, read, well, text in zip(
            reads["plate_index"], reads["read"], reads["well"], reads["raw_text"], strict=True
        ):
            self.values[index, read][well] = text.strip()
        content = path.read_bytes()
        self.is_text = not content.startswith(b"PK")
        if self.is_text:
            text, self.encoding = decode(content)
            self.lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
            self.lines = [line for line in self.lines if line]
        else:
            self.sheets = {name: sheet.rows for name, sheet in read_workbook(content).items()}
        self.value_cells = set(reads["locator"])


def damaged_text(original, kind, chance):
    """Give the bytes of a text export with one damage."""
    lines = list(original.lines)
    at = chance.randrange(len(lines))
    if kind == "cut":
        content = "".join(lines).encode(_codec(original))
        start = chance.randrange(len(content))
        return content[:start] + content[start + chance.randint(1, 200) :]
    if kind == "truncate":
        content = "".join(lines).encode(_codec(original))
        return content[: chance.randrange(len(content))]
    if kind == "separator":
        old = chance.choice(",;\t")
        new = chance.choice([",", ";", "\t", old + old, ""])
        return "".join([*lines[:at], lines[at].replace(old, new), *lines[at + 1 :]]).encode(
            _codec(original)
        )
    if kind == "flip":
        lines[at] = _flipped(lines[at], at, original, chance)
    else:
        lines = _moved(lines, kind, chance)
    return "".join(lines).encode(_codec(original))


def damaged_workbook(original, kind, chance):
    """Give the sheets of a workbook with one damage in its rows."""
    sheets = {name: [list(row) for row in rows] for name, rows in original.sheets.items()}
    name = chance.choice([name for name, rows in sheets.items() if rows])
    rows = sheets[name]
    at = chance.randrange(len(rows))
    if kind in ("cut", "truncate"):
        sheets[name] = rows[:at] + ([] if kind == "truncate" else rows[at + chance.randint(1, 3) :])
    elif kind == "separator":  # a column is lost or inserted
        column = chance.randrange(max(map(len, rows)) or 1)
        lost = chance.random() < 0.5
        sheets[name] = [
            row[:column] + ([] if lost else [""]) + row[column + lost :] for row in rows
        ]
    elif kind == "flip":
        places = [
            (row, column)
            for row, cells in enumerate(rows)
            for column, cell in enumerate(cells)
            if cell.strip() and f"{name}!{_letters(column)}{row + 1}" not in original.value_cells
        ]
        if places:
            row, column = chance.choice(places)
            rows[row][column] = _flip(rows[row][column], chance)
    else:
        sheets[name] = _moved(rows, kind, chance)
    return sheets


def _moved(lines, kind, chance):
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if kind == "drop":
        del lines[at]
    elif kind == "double":
        lines.insert(other, lines[at])
    elif kind == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "block":
        length = chance.randint(2, 12)
        run = lines[at : at + length]
        if chance.random() < 0.5:
            lines[other:other] = run
        else:
            del lines[at : at + length]
    return lines


def _flipped(line, index, original, chance):
    """Change one digit or letter of a line outside its measured values."""
    separator = next((sign for sign in "\t;," if sign in line), None)
    fields = line.split(separator) if separator else [line]
    free = [
        position
        for position, field in enumerate(fields)
        if field.strip() and f"line {index + 1} field {position + 1}" not in original.value_cells
    ]
    if not free:
        return line
    position = chance.choice(free)
    fields[position] = _flip(fields[position], chance)
    return (separator or "").join(fields)


def _flip(text, chance):
    places = [place for place, sign in enumerate(text) if sign.isalnum()]
    if not places:
        return text
    place = chance.choice(places)
    new = chance.choice("0123456789" if text[place].isdigit() else "ABCDEFGHabcdefgh")
    return text[:place] + new + text[place + 1 :]


def _letters(column):
    from drp.plates.workbook import column_letters

    return column_letters(column + 1)


def _codec(original):
    return {"utf-16": "utf-16", "utf-8-sig": "utf-8-sig"}.get(original.encoding, original.encoding)


def outcome(original, path):
    """Read a damaged file and say what became of it, with the time it took."""
    start = time.monotonic()
    try:
        reads, problems = scan_columns(path)
    except Exception:  # noqa: BLE001 (a traceback is what is looked for)
        return "traceback", time.monotonic() - start
    taken = time.monotonic() - start
    if taken > SLOW_S:
        return "slow", taken
    if any(problem.severity == "error" for problem in problems):
        return "refused", taken
    found = defaultdict(dict)
    for index, read, well, text in zip(
        reads["plate_index"], reads["read"], reads["well"], reads["raw_text"], strict=True
    ):
        found[index, read][well] = text.strip()
    return _compare(original.values, found), taken


def _compare(before, after):
    worst = "same"
    for key, wells in after.items():
        twin = _twin(before, key, wells)
        for well, text in wells.items():
            if twin.get(well) == text:
                continue
            if not text:
                worst = "fewer" if worst == "same" else worst
            elif text in twin.values():
                return "moved"
            else:
                worst = "altered"
    if worst == "same" and sum(map(len, after.values())) < sum(map(len, before.values())):
        return "fewer"
    return worst


def _twin(before, key, wells):
    """The undamaged block that a block is compared with: of its read, the one most alike."""
    named = [block for (_, read), block in before.items() if read == key[1]]
    candidates = named or list(before.values())
    return max(candidates, key=lambda block: sum(block.get(w) == t for w, t in wells.items()))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list-moved", action="store_true")
    options = parser.parse_args()
    with (options.folder / "plates" / "MANIFEST.csv").open(newline="") as stream:
        names = [r["path"] for r in csv.DictReader(stream) if r["role"] in ("reader", "tidy")]
    originals = [Original(options.folder / "plates" / name) for name in names]
    each = -(-options.count // len(originals))
    print("| file | mutations |", " | ".join(OUTCOMES), "| median ms |")
    print("|---|---|" + "---|" * (len(OUTCOMES) + 1))
    total = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for original in originals:
            counts, times = Counter(), []
            for number in range(each):
                chance = random.Random(f"{options.seed} {original.path.name} {number}")
                kind = KINDS[number % len(KINDS)]
                path = Path(folder) / original.path.name
                if original.is_text:
                    put_bytes(path, damaged_text(original, kind, chance))
                else:
                    put_workbook(path, damaged_workbook(original, kind, chance))
                result, taken = outcome(original, path)
                counts[result] += 1
                times.append(1000 * taken)
                if result in ("moved", "traceback", "slow") and options.list_moved:
                    print(f"# {original.path.name} {number} {kind}: {result}")
            total += counts
            cells = " | ".join(str(counts[name]) for name in OUTCOMES)
            print(f"| {original.path.name} | {each} | {cells} | {statistics.median(times):.0f} |")
    cells = " | ".join(str(total[name]) for name in OUTCOMES)
    print(f"| all | {each * len(originals)} | {cells} | |")


if __name__ == "__main__":
    main()
