"""Which reader reads which layout: recognised by content, never by name.

A reader is a module of this folder with ``NAME``, ``MEANING``, ``recognise(source)`` and
``read(source, options, found)``. Plain tables come second, because a format of an instrument or a
program may look like a plain table too.
"""

from typing import Protocol

from drp.plates.layouts import d300, echo, itrex, sheets, stacked, tidy
from drp.plates.layouts.entries import Entry, Options
from drp.plates.pages import Source
from drp.problems import Place, Problems


class LayoutReader(Protocol):
    """What a reader of layouts in this folder offers."""

    NAME: str
    MEANING: str

    def recognise(self, source: Source) -> bool:
        """Say whether the file is of this reader's kind."""

    def read(self, source: Source, options: Options, found: Problems) -> list[Entry]:
        """Read its wells."""


SPECIAL: tuple[LayoutReader, ...] = (itrex, d300, echo, stacked, sheets)
PLAIN: tuple[LayoutReader, ...] = (tidy,)
LAYOUTS = {reader.NAME: reader for reader in (*SPECIAL, *PLAIN)}


def choose_layout(source: Source, found: Problems) -> LayoutReader | None:
    """Choose the reader of a layout.

    Parameters
    ----------
    source : Source
        The opened file.
    found : Problems
        Takes the error if no reader, or more than one, recognises the file.

    Returns
    -------
    module or None
        The reader; None if there was an error.
    """
    matching: list[LayoutReader] = []
    for group in (SPECIAL, PLAIN):
        matching = matching or [reader for reader in group if reader.recognise(source)]
    if len(matching) == 1:
        return matching[0]
    names = " and ".join(reader.NAME for reader in matching)
    kinds = "; ".join(f"{reader.NAME}: {reader.MEANING}" for reader in LAYOUTS.values())
    found.error(
        "layout.unrecognised",
        Place(source.file),
        f"{names} recognise the layout" if names else "it is no layout of a known kind",
        f"Write it as one of: {kinds}.",
    )
    return None
