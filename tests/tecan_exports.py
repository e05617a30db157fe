"""What the tests of Tecan's three dialects share: reading without fuss, and damage."""

import math

from drp.plates import scan_plate
from drp.wellnames import well_name


def errors(problems):
    return [problem for problem in problems if problem.severity == "error"]


def codes(path):
    """Codes of the errors of a file, each once, in alphabetical order."""
    _, problems = scan_plate(path)
    return sorted({problem.code for problem in errors(problems)})


def warnings(path):
    _, problems = scan_plate(path)
    return sorted({problem.code for problem in problems if problem.severity == "warning"})


def values(reads):
    """Plate, read and well to signal and status."""
    keys = zip(reads["plate"], reads["read"], reads["well"], strict=True)
    found = zip(reads["signal"], reads["status"], strict=True)
    return dict(zip(keys, ((None if math.isnan(s) else s, t) for s, t in found), strict=True))


def wells(signal, first=(1, 1)):
    """Well to value of a signal whose first value lies in `first`."""
    return {
        well_name(row, column): float(value)
        for row, line in enumerate(signal, first[0])
        for column, value in enumerate(line, first[1])
    }


def assert_same(reads, read, signal, first=(1, 1)):
    """Every well of the signal came back, NaN as a missing value."""
    own = reads[(reads["read"] == read) & (reads["status"] != "not_read")]
    due = wells(signal, first)
    got = dict(zip(own["well"], own["signal"], strict=True))
    assert set(got) == set(due)
    for well, value in due.items():
        assert got[well] == value or (math.isnan(value) and math.isnan(got[well])), well
    missing = {well for well, value in due.items() if math.isnan(value)}
    assert set(own[own["status"] == "missing"]["well"]) == missing


def damage(lines, chance, separator, labels):
    """Damage a text export in its structure, not inside a value; with or without first fields."""
    lines = list(lines)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kinds = ["drop", "double", "swap", "cut", "blank", "separator", "field", "block"]
    kind = chance.choice(kinds + ["label"] * labels)
    fields = lines[at].split(separator)
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
        lines[at] = lines[at].replace(separator, chance.choice([";", "|", separator * 2]))
    elif kind == "field":
        del fields[chance.randrange(len(fields))]
        lines[at] = separator.join(fields)
    elif kind == "label":
        lines[at] = chance.choice(["", "C", "Q", "B7", "Σ"]) + separator.join(["", *fields[1:]])
    elif kind == "block":
        del lines[at : at + 12]
    return "\n".join([*lines, ""])


def assert_damage_moves_nothing(path, chance, rounds, separator, labels=True):
    """Damage a whole export again and again: what is read without an error is as it was."""
    whole, _ = scan_plate(path)
    due = values(whole)
    text = path.read_bytes().decode("utf-8-sig")
    damaged = path.with_name("damaged" + path.suffix)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(rounds):
        damaged.write_text(damage(text.splitlines(), chance, separator, labels), encoding="utf-8")
        reads, problems = scan_plate(damaged, plate=path.stem)
        if errors(problems):
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        for key, value in values(reads).items():
            if value[1] == "ok":
                # A line of settings may be lost, and with it the label of the measurement.
                same = [old for (_, _, well), old in due.items() if well == key[2]]
                assert value == due[key] if key in due else value in same, (key, problems)
    assert min(outcomes.values()) > rounds // 10, outcomes
