"""Which reader reads which file: recognised by content, never by name.

A reader is a module of this folder with ``NAME``, ``MEANING``, ``recognise(source)`` and
``read(source, found)``. Plain tables come second, because the blocks of an instrument's export look
like plain tables too.
"""

from typing import Protocol

from drp.plates.blocks import Block
from drp.plates.pages import Source
from drp.plates.readers import (
    bmg_mars,
    bmg_smart_control,
    envision,
    gen5,
    kaleido,
    labelled_grid,
    skanit,
    softmax,
    tecan_icontrol,
    tecan_magellan,
    tecan_sparkcontrol,
    tidy,
)
from drp.problems import Place, Problems


class Reader(Protocol):
    """What a module in this folder offers."""

    NAME: str
    MEANING: str

    def recognise(self, source: Source) -> bool:
        """Say whether the file is of this reader's kind."""

    def read(self, source: Source, found: Problems) -> list[Block]:
        """Read its measured blocks."""


INSTRUMENTS: tuple[Reader, ...] = (
    bmg_mars,
    bmg_smart_control,
    envision,
    gen5,
    kaleido,
    skanit,
    softmax,
    tecan_icontrol,
    tecan_magellan,
    tecan_sparkcontrol,
)
PLAIN: tuple[Reader, ...] = (labelled_grid, tidy)
READERS = {reader.NAME: reader for reader in (*INSTRUMENTS, *PLAIN)}


def choose_reader(source: Source, name: str, found: Problems) -> Reader | None:
    """Choose the reader of a file.

    Parameters
    ----------
    source : Source
        The opened file.
    name : str
        Name of a reader, or ``auto`` to recognise the file by its content.
    found : Problems
        Takes the error if no reader, or more than one, recognises the file.

    Returns
    -------
    module or None
        The reader; None if there was an error.
    """
    if name != "auto":
        if name not in READERS:
            text = f"there is no reader {name!r}"
            fix = f"Use auto or one of {', '.join(READERS)}."
            found.error("plate.unknown-reader", Place(source.file), text, fix)
        return READERS.get(name)
    matching: list[Reader] = []
    for group in (INSTRUMENTS, PLAIN):
        matching = matching or [reader for reader in group if reader.recognise(source)]
    if len(matching) == 1:
        return matching[0]
    names = " and ".join(reader.NAME for reader in matching)
    kinds = "; ".join(f"{reader.NAME}: {reader.MEANING}" for reader in READERS.values())
    found.error(
        "plate.unrecognised",
        Place(source.file),
        f"{names} recognise the file" if names else "no reader recognises the file",
        f"Say which reader to use. There are: {kinds}.",
    )
    return None
