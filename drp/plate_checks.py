"""The check of plates, some at a time, and by several processes where there are many.

Plates are read and joined in portions, so that memory does not grow with their number; of each
portion only what is wrong is kept, and what it takes to compare its plates with all others. What
is found, and its order, depends neither on the portions nor on the number of processes.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from drp.joining import join_columns
from drp.plain_tables import Columns
from drp.plates.from_sheets import read_exports, read_layouts
from drp.problems import Problem, Problems
from drp.refusals import files_of_row
from drp.registration import (
    check_controls,
    check_exchanged,
    check_placements,
    check_sizes,
    compare_readings,
    gather_readings,
    lay_out,
)
from drp.registration.copies import Readings
from drp.registration.plates import Plate
from drp.sheetfiles import Row

_AT_ONCE = 48  # plates of a portion
_LEAST_FOR_PROCESSES = 400  # starting one takes as long as checking some fifty plates
_SERVE = "from drp.plate_checks import serve; serve()"

NumberedRow = tuple[int, Row]


@dataclass(frozen=True, slots=True)
class PlatesAsked:
    """What all portions have in common: settings, exclusions, layouts that were read.

    `faulty` are the files of layouts with an error: their plates are not joined.
    """

    folder: str
    read: str | None
    normalisation: Mapping[str, Any]
    exclusions: list[Row]
    layouts: Columns
    faulty: frozenset[str]


@dataclass(frozen=True, slots=True)
class PortionChecked:
    """What was found in some plates: problems of a file with the number of the row, others sorted.

    `plates` and `readings` are what the comparison with other plates needs.
    """

    reading: list[tuple[int, list[Problem]]]
    unused: list[tuple[int, Problem]]
    joining: list[Problem]
    controls: list[Problem]
    sizes: list[Problem]
    plates: list[Plate]
    readings: Readings


def check_plates(
    rows: Sequence[Row],
    exclusions: list[Row],
    folder: str,
    layouts: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    processes: int = 1,
) -> tuple[list[Problem], Columns]:
    """Read the files that rows of plates.tsv name, join them, and say all that is wrong.

    Parameters
    ----------
    rows : sequence of dict
        Rows of plates.tsv, no plate twice.
    exclusions : list of dict
        Rows of exclusions.tsv.
    folder : str
        Where the files lie.
    layouts : mapping
        What a layout leaves unsaid, by file.
    settings : mapping
        `read` and `normalisation` of the configuration.
    processes : int
        How many may work at once; few plates are checked in this one.

    Returns
    -------
    problems : list of Problem
        Of files in the order of the rows, then by plate.
    layouts : dict of str to list
        Table `layout` as plain columns.
    """
    maps = read_layouts(rows, folder, layouts)
    broken = frozenset(p.where.file for p in maps.problems if p.severity == "error")
    asked = PlatesAsked(
        folder, **settings, exclusions=exclusions, layouts=maps.layouts, faulty=broken
    )
    parts = _checked(asked, _portions(rows), processes if len(rows) >= _LEAST_FOR_PROCESSES else 1)
    return _together(parts, maps.problems), maps.layouts


def _together(parts: Sequence[PortionChecked], of_layouts: list[Problem]) -> list[Problem]:
    """Put the problems of all portions in order, and compare their plates."""
    reading = sorted(
        (entry for part in parts for entry in part.reading), key=lambda entry: entry[0]
    )
    unused = sorted((entry for part in parts for entry in part.unused), key=lambda entry: entry[0])
    plates = sorted((plate for part in parts for plate in part.plates), key=lambda one: one.name)
    sizes = _by_plate([part.sizes for part in parts])
    return [
        *(problem for _, problems in reading for problem in problems),
        *of_layouts,
        *(problem for _, problem in unused),
        *_by_plate([part.joining for part in parts]),
        *_by_plate([part.controls for part in parts]),
        *sizes,
        *check_placements(plates, sizes),
        *check_exchanged(plates),
        *compare_readings([part.readings for part in parts]),
    ]


def _by_plate(found: list[list[Problem]]) -> list[Problem]:
    problems = [problem for problems in found for problem in problems]
    return sorted(problems, key=lambda problem: problem.where.plate)


def _portions(rows: Sequence[Row]) -> list[list[NumberedRow]]:
    """Cut the rows into portions; all that name one file stay together."""
    by_file: dict[str, list[NumberedRow]] = {}
    for number, row in enumerate(rows):
        by_file.setdefault(row["file"], []).append((number, row))
    portions: list[list[NumberedRow]] = []
    for own in by_file.values():
        if not portions or len(portions[-1]) + len(own) > _AT_ONCE:
            portions.append([])
        portions[-1] += own
    return portions


def check_portion(asked: PlatesAsked, portion: list[NumberedRow]) -> PortionChecked:
    """Check some plates, all that name the same files, as far as each can be checked by itself."""
    numbers, rows = [number for number, _ in portion], [row for _, row in portion]
    read = read_exports(rows, asked.folder)
    errors = [p for problems in read.problems for p in problems if p.severity == "error"]
    broken = asked.faulty | {problem.where.file for problem in errors}
    found = Problems()
    wells = join_columns(
        read.reads,
        asked.layouts,
        [row for row in rows if not files_of_row(row) & broken],
        asked.exclusions,
        asked.read,
        asked.normalisation,
        found,
        keep_faulty=True,
    )
    return PortionChecked(
        reading=list(zip(numbers, read.problems, strict=True)),
        unused=[(n, p) for n, p in zip(numbers, read.unused, strict=True) if p],
        joining=found.items,
        controls=check_controls(wells),
        sizes=check_sizes(wells),
        plates=lay_out(wells),
        readings=gather_readings(read.reads),
    )


def _checked(
    asked: PlatesAsked, portions: list[list[NumberedRow]], processes: int
) -> list[PortionChecked]:
    """Check portions, here or dealt out to processes; an answer that does not come is made here."""
    processes = min(processes, len(portions))
    if processes < 2:
        return [check_portion(asked, portion) for portion in portions]
    with ExitStack() as stack:
        helpers = [stack.enter_context(_helper()) for _ in range(processes)]
        for number, helper in enumerate(helpers):
            _hand_over(helper, asked, portions[number::processes])
        found = []
        for number, portion in enumerate(portions):
            answer = _answer(helpers[number % processes])
            found.append(answer or check_portion(asked, portion))
    return found


@contextmanager
def _helper() -> Iterator["subprocess.Popen[bytes]"]:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(  # noqa: S603 (our own command, no shell)
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a fault is said when this process comes upon it itself
        env=os.environ | threads,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what could not be handed over is still to be written
                if pipe is not None:
                    pipe.close()


def _hand_over(
    helper: "subprocess.Popen[bytes]", asked: PlatesAsked, portions: list[list[NumberedRow]]
) -> None:
    with suppress(OSError):  # then no answer comes
        if helper.stdin is not None:
            pickle.dump((asked, portions), helper.stdin)
            helper.stdin.close()


def _answer(helper: "subprocess.Popen[bytes]") -> PortionChecked | None:
    if helper.stdout is None:
        return None
    try:
        answer: PortionChecked = pickle.load(helper.stdout)  # noqa: S301 (of a process of our own)
    except (EOFError, OSError, pickle.UnpicklingError):
        return None
    return answer


def serve(source: BinaryIO | None = None, sink: BinaryIO | None = None) -> None:
    """Take portions on standard input and give what was found in each, one after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    source, sink = source or sys.stdin.buffer, sink or sys.stdout.buffer
    asked, portions = pickle.load(source)  # noqa: S301 (likewise)
    for portion in portions:
        pickle.dump(check_portion(asked, portion), sink)
        sink.flush()
