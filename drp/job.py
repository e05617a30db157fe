"""One call of a verb of the workflow: what to read, what to write, and under which settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.batches import Grouping
from drp.sheets import read_sheets
from drp.storage import join_tables, read_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a verb.

    Attributes
    ----------
    inputs : dict
        Name → files; several for a gathering stage.
    outputs : dict
        Name → file or folder.
    settings : dict
        The configuration keys the stage uses.
    sheets : Path
        The folder with the sheets.
    name : str
        The batch, run, group or patient the job is for.
    """

    inputs: Mapping[str, list[Path]] = field(default_factory=dict)
    outputs: Mapping[str, Path] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    sheets: Path = Path("config")
    name: str = ""

    def table(self, name: str) -> "pd.DataFrame":
        """Read the input `name`; several files are joined."""
        return join_tables(read_table(path) for path in self.inputs[name])

    def grouping(self) -> Grouping:
        """Give the sheets, with the rows that belong to this job's batch or group."""
        return Grouping(read_sheets(self.sheets), self.settings["batches"])
