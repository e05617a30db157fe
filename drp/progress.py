"""What a run is doing, in a few lines: stages, counts, time left, and the first problem at once.

The workflow manager says ten lines per job. They go into a log file as they are; what a person
wants to know is taken from them. The same lines go to a terminal and into a file: nothing is
overwritten on the screen, and control characters are printed by number.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_COUNT = re.compile(r"^(\w+) +(\d+)$")
_FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")
_FAILED = re.compile(r"^Error in rule (\w+):")
_LOG = re.compile(r"^    log: ([^ ,]+)")
_NOTHING = "Nothing to be done"
_EVERY_S = 5.0
_LINES_OF_A_LOG = 6


def harmless_line(text: str) -> str:
    r"""Give a text as one line without control characters, which a terminal could obey.

    Whatever stands in a sheet or an export may come out in a message.

    >>> harmless_line("P01\x1b[2J\nP02")
    'P01\\x1b[2J\\nP02'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@dataclass(slots=True)
class Progress:
    """Reads what the workflow manager prints; gives the lines a person gets.

    Parameters
    ----------
    clock : function
        Gives seconds.
    every_s : float
        Seconds between two reports of progress.

    Examples
    --------
    >>> progress = Progress(clock=iter([0.0, 30.0]).__next__, every_s=0.0)
    >>> for line in ("Job stats:", "curves  2", "total  2", "Finished jobid: 1 (Rule: curves)"):
    ...     for said in progress.read(line):
    ...         print(said)
    2 jobs: curves 2
    1 of 2 jobs done, about 30 s left: curves 1/2
    """

    clock: Callable[[], float]
    every_s: float = _EVERY_S
    planned: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    nothing: bool = False
    _counting: bool = False
    _stage: str = ""
    _start: float = 0.0
    _last: float = 0.0

    def read(self, line: str) -> list[str]:
        """Take one line of the workflow manager; give what is to be said, often nothing."""
        line = line.rstrip("\n")
        if line.startswith("Job stats:"):
            self.planned, self._counting = {}, True
        elif self._counting:
            return self._count(line)
        elif found := _FINISHED.match(line):
            return self._finished(found[1])
        elif found := _FAILED.match(line):
            self._stage = found[1]
        elif self._stage and (found := _LOG.match(line)):
            return self._problem(found[1])
        elif _NOTHING in line:
            self.nothing = True
            return ["Nothing to be done: all reports are up to date."]
        return []

    def _count(self, line: str) -> list[str]:
        found = _COUNT.match(line)
        if found and found[1] == "total":
            self._counting = False
            self._start = self._last = self.clock()
            stages = ", ".join(f"{stage} {count}" for stage, count in self.planned.items())
            return [f"{_jobs(sum(self.planned.values()))}: {stages}"]
        if found and found[1] != "all":
            self.planned[found[1]] = int(found[2])
        return []

    def _finished(self, stage: str) -> list[str]:
        if stage not in self.planned:
            return []
        self.done[stage] = self.done.get(stage, 0) + 1
        now, done, total = self.clock(), sum(self.done.values()), sum(self.planned.values())
        if now - self._last < self.every_s and done < total:
            return []
        self._last = now
        left = duration((now - self._start) / done * (total - done))
        under_way = ", ".join(
            f"{stage} {self.done.get(stage, 0)}/{count}"
            for stage, count in self.planned.items()
            if 0 < self.done.get(stage, 0) < count
        )
        ending = f": {under_way}" if under_way else ""
        return [f"{done} of {_jobs(total)} done, about {left} left{ending}"]

    def _problem(self, log: str) -> list[str]:
        stage, self._stage = self._stage, ""
        if log in self.failed:
            return []
        self.failed.append(log)
        first = "First problem" if len(self.failed) == 1 else "Problem"
        return [f"{first}: stage {stage}, see {log}", *(f"  {line}" for line in _ending(log))]


def _ending(log: str) -> list[str]:
    path = Path(log)
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-_LINES_OF_A_LOG:]


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"


def duration(seconds: float) -> str:
    """Say a time in seconds, minutes or hours.

    >>> duration(42), duration(150), duration(9000)
    ('42 s', '2 min 30 s', '2 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
