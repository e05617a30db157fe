"""The kinds of export a simulated run can be written as: every kind that drp reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.plates import writers
from drp.problems import DataError, Place, Problem

_COMMENT = "SIMULATED DATA: no real patient and no real measurement"
_READ = "LUM"


@dataclass(frozen=True, slots=True)
class Reading:
    """One plate that was read: its id, its place in the stack from 1, its signals, when."""

    plate: str
    number: int
    signal: NDArray[np.float64]
    read_at: datetime

    def at(self, pattern: str) -> str:
        """Print the time in the form of an instrument."""
        return self.read_at.strftime(pattern)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the export of one plate is written, and how its file is called."""

    suffix: str
    write: Callable[[Path, Reading], None]


def _envision(path: Path, reading: Reading) -> None:
    writers.write_envision(
        path,
        reading.signal,
        measured_at=reading.at("%m/%d/%Y %I:%M:%S %p"),
        comment=_COMMENT,
        plate_number=reading.number,
    )


def _icontrol(path: Path, reading: Reading) -> None:
    moment = reading.at("%m/%d/%Y %I:%M:%S %p")
    plate = {"Label1": (reading.signal, (1, 1))}
    writers.write_tecan_icontrol(path, {reading.plate: plate}, measured_at=moment)


def _sparkcontrol(path: Path, reading: Reading) -> None:
    plates = {reading.plate: {_READ: reading.signal}}
    moment = reading.at("%d/%m/%Y %H:%M")
    writers.write_tecan_sparkcontrol(path, plates, measured_at=moment, layout=False)


def _mars(path: Path, reading: Reading) -> None:
    writers.write_bmg_mars(
        path, reading.signal, date=reading.at("%m/%d/%Y"), time=reading.at("%I:%M:%S %p")
    )


def _smart_control(path: Path, reading: Reading) -> None:
    writers.write_bmg_smart_control(
        path,
        reading.signal,
        mode="Luminescence",
        date=reading.at("%m/%d/%Y"),
        time=reading.at("%I:%M:%S %p"),
    )


def _plain(write: Callable[..., None], **options: Any) -> Callable[[Path, Reading], None]:
    return lambda path, reading: write(path, reading.signal, **options)


# By the name of the reader.
DIALECTS: dict[str, Dialect] = {
    "envision": Dialect("txt", _envision),
    "tecan_icontrol": Dialect("xlsx", _icontrol),
    "tecan_sparkcontrol": Dialect("csv", _sparkcontrol),
    "tecan_magellan": Dialect(
        "xlsx", lambda path, reading: writers.write_tecan_magellan(path, {_READ: reading.signal})
    ),
    "bmg_mars": Dialect("csv", _mars),
    "bmg_smart_control": Dialect("xlsx", _smart_control),
    "gen5": Dialect("txt", _plain(writers.write_gen5)),
    "softmax": Dialect("txt", _plain(writers.write_softmax)),
    "kaleido": Dialect("csv", _plain(writers.write_kaleido, comment=_COMMENT)),
    "skanit": Dialect("xlsx", _plain(writers.write_skanit)),
    "labelled_grid": Dialect("tsv", _plain(writers.write_labelled_grid)),
    "tidy": Dialect(
        "csv", lambda path, reading: writers.write_tidy(path, {reading.plate: reading.signal})
    ),
}


def find_dialect(name: str) -> Dialect:
    """Give a dialect by the name of its reader.

    Raises
    ------
    DataError
        There is none of this name.

    Examples
    --------
    >>> find_dialect("gen5").suffix
    'txt'
    """
    if name not in DIALECTS:
        fix = f"Use one of {', '.join(DIALECTS)}."
        text = f"there is no kind of export {name!r}"
        raise DataError([Problem("simulate.unknown-dialect", "error", Place(), text, fix)])
    return DIALECTS[name]
