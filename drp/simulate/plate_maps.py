"""The two simulated 384-well plates: which well holds what.

The places of controls are fixed and spread over the plate, inner wells among them, so that an edge
effect can be judged; drugs and doses are shuffled over the rest, once and for all runs, so that no
dose sits on the edge by rule.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drp.simulate.panel import DOSES_PER_DRUG, load_pairs, load_panel
from drp.simulate.responses import Responses, curve_viability, matrix_viability
from drp.wellnames import parse_well, well_name

Values = NDArray[np.float64]
Design = Literal["single", "combinations"]

ROWS, COLUMNS = 16, 24
REPLICATES = 3
VEHICLE, FULL_KILL = "DMSO", "Benzethonium chloride"
_LEVELS = 6  # doses of a drug in a matrix, zero included
_SHUFFLE_SEED = 384

_NEGATIVE_EDGE = ["A6", "A18", "E1", "L1", "F24", "K24", "P7", "P19"]
_POSITIVE_EDGE = ["A12", "H1", "I24", "P13"]
_EMPTY_EDGE = [
    "A1",
    "A2",
    "A23",
    "A24",
    "B1",
    "B24",
    "C1",
    "C24",
    "D1",
    "D24",
    "G1",
    "G24",
    "J1",
    "J24",
    "M1",
    "M24",
    "N1",
    "N24",
    "O1",
    "O24",
    "P1",
    "P2",
    "P23",
    "P24",
]
_NEGATIVE_INNER = [f"{row}{column}" for row in "DGJM" for column in (4, 9, 15, 20)]
_POSITIVE_INNER = [f"{row}{column}" for row in "CFKN" for column in (7, 12, 18)]


@dataclass(frozen=True, slots=True)
class PlateMap:
    """What the wells of a plate hold, in the order A1, A2 … P24.

    Attributes
    ----------
    rows : tuple of dict
        One row of the layout file per well: well, role, drug, dose, dose_unit, drug2, dose2.
    place : array of int, shape (384,)
        Where in the list of true viabilities (`true_viability`) the well's value stands.
    """

    rows: tuple[dict[str, str], ...]
    place: NDArray[np.int64]


@cache
def plate_map(design: Design) -> PlateMap:
    """Give the map of the single-agent plate or of the combination plate.

    Examples
    --------
    >>> roles = [row["role"] for row in plate_map("single").rows]
    >>> roles.count("sample"), roles.count("negative"), roles.count("positive")
    (320, 24, 16)
    """
    contents = _single_agents() if design == "single" else _matrices()
    repeats = 1 if design == "single" else REPLICATES
    cells = [cell for cell in range(len(contents)) for _ in range(repeats)]
    negative, positive, empty = (len(contents) + i for i in range(3))
    held = dict.fromkeys(_NEGATIVE_EDGE + _NEGATIVE_INNER, negative)
    held |= dict.fromkeys(_POSITIVE_EDGE + _POSITIVE_INNER, positive)
    held |= dict.fromkeys(_EMPTY_EDGE[len(cells) - 320 :], empty)
    wells = [well_name(row + 1, column + 1) for row in range(ROWS) for column in range(COLUMNS)]
    shuffled = np.random.default_rng(_SHUFFLE_SEED).permutation(cells)
    free = [well for well in wells if well not in held]
    held |= dict(zip(free, (int(cell) for cell in shuffled), strict=True))
    contents = [*contents, _well("negative", VEHICLE), _well("positive", FULL_KILL), _well("empty")]
    rows = tuple({"well": well, **contents[held[well]]} for well in wells)
    return PlateMap(rows, np.array([held[well] for well in wells], dtype=np.int64))


def true_viability(responses: Responses, design: Design) -> Values:
    """Give the true viability of every sample in every kind of well of a plate.

    Parameters
    ----------
    responses : Responses
        n samples.
    design : {"single", "combinations"}
        Which plate.

    Returns
    -------
    array, shape (n, kinds of wells)
        Per cent. The last three are the negative (100) and positive (0) control and an empty well
        (NaN); `PlateMap.place` leads each well to its kind.
    """
    if design == "single":
        parts = [
            curve_viability(responses, drug, agent.doses) for drug, agent in enumerate(load_panel())
        ]
    else:
        parts = [
            matrix_viability(responses, pair)[0].reshape(len(responses.samples), -1)
            for pair in range(len(load_pairs()))
        ]
    controls = np.tile([100.0, 0.0, np.nan], (len(responses.samples), 1))
    return np.concatenate([*parts, controls], axis=1)


def is_edge() -> NDArray[np.bool_]:
    """Say of each of the 384 wells whether it lies on the outer ring."""
    edge = np.ones((ROWS, COLUMNS), dtype=bool)
    edge[1:-1, 1:-1] = False
    return edge.ravel()


def place_of_well(well: str) -> int:
    """Give the place of a well in the order A1, A2 … P24.

    >>> place_of_well("B1")
    24
    """
    row, column = parse_well(well) or (0, 0)
    if not (1 <= row <= ROWS and 1 <= column <= COLUMNS):
        raise ValueError(f"{well!r} is no well of a plate with {ROWS} x {COLUMNS} wells")
    return (row - 1) * COLUMNS + column - 1


def _well(
    role: str, drug: str = "", dose: str = "", unit: str = "", **second: str
) -> dict[str, str]:
    empty = {"drug2": "", "dose2": ""}
    return {"role": role, "drug": drug, "dose": dose, "dose_unit": unit} | (second or empty)


def _single_agents() -> list[dict[str, str]]:
    contents = [
        _well("sample", agent.name, f"{dose:g}", agent.dose_unit)
        for agent in load_panel()
        for dose in agent.doses
    ]
    if len(contents) != len(load_panel()) * DOSES_PER_DRUG:
        raise ValueError("every drug of the panel needs the same number of doses")
    return contents


def _matrices() -> list[dict[str, str]]:
    return [
        _well("sample", pair.drug, f"{dose:g}", "nM", drug2=pair.drug2, dose2=f"{dose2:g}")
        for pair in load_pairs()
        for dose in (0.0, *pair.doses)
        for dose2 in (0.0, *pair.doses2)
    ]
