"""Write protocols of the Tecan D300."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TypeAlias

from drp.plates.writers.common import number_text, put_bytes
from drp.wellnames import MOST_COLUMNS, MOST_ROWS, parse_well

Doses: TypeAlias = Mapping[str, Mapping[str, float]]
_UNITS = ("ConcentrationUnit", "MolarityConcentrationUnit")


def write_d300(
    path: str | Path,
    plates: Mapping[str, Doses],
    *,
    shape: tuple[int, int] = (8, 12),
    unit: str = "µM",
    named: bool = True,
    volume_nl: int = 50_000,
    line_ending: str = "\r\n",
    encoding: str = "utf-8",
) -> None:
    """Write plates as a D300 protocol (``.tdd``), with no randomisation and no backfill.

    Parameters
    ----------
    path : str or Path
        The file to write.
    plates : mapping of str to mapping
        Plate to well to drug (or ``DMSO``) to final dose in `unit`.
    shape : tuple of int
        Rows and columns of every plate, at most 32 and 48.
    unit : str
        Unit of the doses.
    named : bool
        Write the names of the plates; without them readers number the plates from 1.
    volume_nl : int
        Volume of a well, nL.
    line_ending : str
        End of every line.
    encoding : {"utf-8", "utf-8-sig", "utf-16"}
        Encoding of the file.

    Raises
    ------
    ValueError
        A well is outside the plate, or a name holds signs that cannot be printed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.tdd"
    >>> write_d300(path, {"P1": {"B2": {"Venetoclax": 0.3}}})
    >>> [line.strip() for line in path.read_text().splitlines() if "Row=" in line or '">0' in line]
    ['<Well Row="1" Col="1">', '<Fluid ID="0">0.3</Fluid>']
    """
    if not (1 <= shape[0] <= MOST_ROWS and 1 <= shape[1] <= MOST_COLUMNS):
        raise ValueError(f"a plate has 1 to {MOST_ROWS} rows and 1 to {MOST_COLUMNS} columns")
    wells = [well for plate in plates.values() for well in plate.values()]
    names = list(dict.fromkeys(name for well in wells for name in well))
    numbers = {name: number for number, name in enumerate(names)}
    declared = "utf-16" if encoding == "utf-16" else "utf-8"
    lines = [f'<?xml version="1.0" encoding="{declared}"?>', "<Protocol>"]
    lines += ["  <Version>3.1</Version>", "  <VolumeUnit>nL</VolumeUnit>"]
    lines += [f"  <{tag}>{escape(unit)}</{tag}>" for tag in _UNITS]
    lines += ["  <Fluids>", *(line for name in names for line in _fluid(name, numbers[name]))]
    lines += ["  </Fluids>", "  <Plates>"]
    for name, plate in plates.items():
        lines += _plate(name if named else "", plate, shape, volume_nl, numbers)
    lines += ["  </Plates>", "  <Backfills />", "</Protocol>"]
    put_bytes(path, "".join(line + line_ending for line in lines).encode(encoding))


def _fluid(name: str, number: int) -> list[str]:
    # The program writes mM beside a number that counts in the unit of the protocol.
    return [
        f'    <Fluid ID="{number}">',
        f"      <Name>{_printed(name)}</Name>",
        "      <ByVol>False</ByVol>",
        "      <Concentration>10000</Concentration>",
        "      <ConcentrationUnit>mM</ConcentrationUnit>",
        "    </Fluid>",
    ]


def _plate(
    name: str, plate: Doses, shape: tuple[int, int], volume_nl: int, numbers: Mapping[str, int]
) -> list[str]:
    lines = [
        "    <Plate>",
        f"      <PlateType>Default{shape[0] * shape[1]}</PlateType>",
        f"      <Rows>{shape[0]}</Rows>",
        f"      <Cols>{shape[1]}</Cols>",
        f"      <Name>{_printed(name)}</Name>" if name else "      <Name />",
        f"      <AssayVolume>{volume_nl}</AssayVolume>",
        "      <Wells>",
    ]
    for well, doses in plate.items():
        place = parse_well(well)
        if place is None or place[0] > shape[0] or place[1] > shape[1]:
            raise ValueError(f"{well!r} is no well of a plate of {shape[0]} × {shape[1]}")
        lines.append(f'        <Well Row="{place[0] - 1}" Col="{place[1] - 1}">')
        lines += [
            f'          <Fluid ID="{numbers[drug]}">{number_text(dose).upper()}</Fluid>'
            for drug, dose in doses.items()
        ]
        lines.append("        </Well>")
    return [*lines, "      </Wells>", "      <Randomize />", "    </Plate>"]


def _printed(name: str) -> str:
    if not name.isprintable():
        raise ValueError(f"{name!r} holds signs that cannot be printed")
    return escape(name)
