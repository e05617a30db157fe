"""What can be wrong with the data a laboratory gives us, and how we say it.

A reader or a check never stops at the first mistake: it collects every `Problem`, each with the
place it was found, what stood there and what to do, and hands all of them over at once.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem was found. Every part may be empty when it does not apply.

    Attributes
    ----------
    file : str
        File name as the user gave it, without folders of the machine.
    locator : str
        ``line 30 field 5``, ``Sheet1!I28`` or ``row 4, column dose``.
    plate, well : str
        The plate's id and the well (``A1``), or a row of wells (``row C``).
    """

    file: str = ""
    locator: str = ""
    plate: str = ""
    well: str = ""

    def __str__(self) -> str:
        plate = f"plate {self.plate}" if self.plate else ""
        if self.well:
            well = self.well if self.well.startswith("row") else f"well {self.well}"
        else:
            well = ""
        return ", ".join(part for part in (self.file, self.locator, plate, well) if part)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or odd, in the data.

    Attributes
    ----------
    code : str
        Stable name, ``area.fault`` in lower case with hyphens: ``plate.missing-row``.
    severity : {"error", "warning"}
        An error keeps the samples it speaks of from being computed, or stops the run (see
        `drp.refusals`); a warning travels into the report.
    where : Place
        Where it was found.
    found : str
        What was found there, in a sentence, with the raw text.
    fix : str
        What the user can do about it.

    Examples
    --------
    >>> print(Problem("layout.no-unit", "error", Place("layout.tsv", "line 4", well="C7"),
    ...               "dose 30 has no unit", "Add a column dose_unit, for example nM."))
    error layout.no-unit: layout.tsv, line 4, well C7: dose 30 has no unit. Add a column
    dose_unit, for example nM.
    """

    code: str
    severity: Severity
    where: Place
    found: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.where}: " if str(self.where) else ""
        return f"{self.severity} {self.code}: {place}{self.found.rstrip('.')}. {self.fix}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Give the problem as plain nested dictionaries, for JSON."""
        return asdict(self)


def problem_of(values: dict[str, Any]) -> Problem:
    """Give back the problem that `Problem.as_dict` turned into dictionaries.

    >>> problem = Problem("plate.empty", "error", Place("a.csv"), "the file is empty", "")
    >>> problem_of(problem.as_dict()) == problem
    True
    """
    return Problem(**(values | {"where": Place(**values["where"])}))


class DataError(Exception):
    """The data cannot be used as they are; `problems` says why, all of it.

    Examples
    --------
    >>> raise DataError([Problem("plate.empty", "error", Place("a.csv"), "the file is empty", "")])
    Traceback (most recent call last):
    drp.problems.DataError: error plate.empty: a.csv: the file is empty.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Problems:
    """A growing list of problems found while something is read or checked.

    Examples
    --------
    >>> found = Problems()
    >>> found.warning("plate.no-positive", Place(plate="P1"), "no positive control", "")
    >>> found.errors
    []
    >>> found.raise_errors()   # only warnings so far: nothing happens
    """

    items: list[Problem] = field(default_factory=list)

    def error(self, code: str, where: Place, found: str, fix: str) -> None:
        """Note something that must be mended before the data can be used."""
        self.items.append(Problem(code, "error", where, found, fix))

    def warning(self, code: str, where: Place, found: str, fix: str) -> None:
        """Note something that a reader of the report must know."""
        self.items.append(Problem(code, "warning", where, found, fix))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over problems found elsewhere."""
        self.items.extend(problems)

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop the run."""
        return [problem for problem in self.items if problem.severity == "error"]

    def raise_errors(self) -> None:
        """Raise `DataError` with every problem, if at least one of them is an error."""
        if self.errors:
            raise DataError(self.items)
