"""The simulated panel: which drugs and pairs are plated, at which doses, and how cells respond.

The numbers stand in `drp/data/demo`: population medians that are plausible for lymphoblasts, chosen
so that a plate looks like one; they are no measurement.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

DOSES_PER_DRUG = 8


@dataclass(frozen=True, slots=True)
class Agent:
    """A drug of the panel and how the simulated population responds to it.

    Attributes
    ----------
    name, group : str
        Generic name; drugs of one group go up and down together between patients.
    dose_unit : {"nM", "IU/mL"}
        Unit of every dose and of the EC50.
    doses : tuple of float
        Tested doses, ascending, in steps of 1-3-10.
    ec50, ec50_sd_log10 : float
        Population median, and spread between patients in decades.
    slope, bottom_pct : float
        Hill slope; viability that remains at any dose, per cent (100 = no effect at all).
    """

    name: str
    group: str
    dose_unit: str
    doses: tuple[float, ...]
    ec50: float
    ec50_sd_log10: float
    slope: float
    bottom_pct: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two drugs of the panel, plated as a matrix of their doses (nM) with a zero each."""

    drug: str
    drug2: str
    doses: tuple[float, ...]
    doses2: tuple[float, ...]

    @property
    def name(self) -> str:
        """The name of the combination."""
        return f"{self.drug} + {self.drug2}"


@cache
def load_panel() -> tuple[Agent, ...]:
    """Give the drugs of the simulated panel.

    Examples
    --------
    >>> agents = {agent.name: agent for agent in load_panel()}
    >>> len(agents), agents["Venetoclax"].doses
    (40, (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0))
    """
    return tuple(
        Agent(
            name=row["drug"],
            group=row["group"],
            dose_unit=row["dose_unit"],
            doses=dose_series(row["dose_min"], DOSES_PER_DRUG),
            ec50=float(row["ec50_median"]),
            ec50_sd_log10=float(row["ec50_sd_log10"]),
            slope=float(row["slope"]),
            bottom_pct=float(row["bottom_pct"]),
        )
        for row in demo_rows("panel")
    )


@cache
def load_pairs() -> tuple[Pair, ...]:
    """Give the combinations of the simulated panel.

    Examples
    --------
    >>> [pair.name for pair in load_pairs()][0]
    'Bortezomib + Venetoclax'
    """
    return tuple(
        Pair(
            row["drug"],
            row["drug2"],
            tuple(float(dose) for dose in row["doses_nm"].split(";")),
            tuple(float(dose) for dose in row["doses2_nm"].split(";")),
        )
        for row in demo_rows("pairs")
    )


def dose_series(lowest: str, count: int) -> tuple[float, ...]:
    """Give doses in steps of 1-3-10, exact in decimals.

    Parameters
    ----------
    lowest : str
        Lowest dose as a decimal number that is 1 or 3 times a power of ten.
    count : int
        Number of doses.

    Examples
    --------
    >>> dose_series("0.03", 4)
    (0.03, 0.1, 0.3, 1.0)
    """
    exponent = f"{float(lowest):e}"
    first, power = (0 if exponent[0] == "1" else 1), int(exponent.split("e")[1])
    steps = range(first, first + count)
    return tuple(float(f"{(1, 3)[step % 2]}e{power + step // 2}") for step in steps)


def demo_rows(name: str) -> list[dict[str, str]]:
    """Give the rows of one table of `drp/data/demo`, columns by name.

    Examples
    --------
    >>> demo_rows("patients")[0]["patient"]
    'P01'
    """
    text = (files("drp") / "data" / "demo" / f"{name}.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
