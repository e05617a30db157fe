"""Concentrations of the sources of an Echo: as the user states them, or as the report does."""

import re
from math import isclose

from drp.plates.layouts.echo_transfers import Transfer
from drp.plates.layouts.entries import Options
from drp.plates.layouts.units import Dose, convert_dose, is_logarithm, is_unit
from drp.plates.values import parse_number
from drp.problems import Place, Problems

_STOCK = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*(\S.*?)\s*")


def parse_stock(text: str) -> Dose | None:
    """Give the concentration that a text such as ``10 mM`` states, or None if it states none.

    Parameters
    ----------
    text : str
        A number above 0 and a unit, with or without a blank between.

    Examples
    --------
    >>> parse_stock("10 mM"), parse_stock("0.5mM"), parse_stock("5000 IU/mL")
    (Dose(value=10000000.0, unit='nM'), Dose(value=500000.0, unit='nM'), Dose(value=5000.0,
    unit='IU/mL'))
    >>> parse_stock("10"), parse_stock("mM"), parse_stock("1,5 mM"), parse_stock("0 mM")
    (None, None, None, None)
    """
    match = _STOCK.fullmatch(text)
    value = parse_number(match.group(1)) if match else None
    if match is None or not value or not is_unit(match.group(2)) or is_logarithm(match.group(2)):
        return None
    return convert_dose(value, match.group(2))


class Stocks:
    """The concentration of every source; what is wrong with one is said once for each drug.

    Parameters
    ----------
    options : Options
        `stocks` names a concentration for a source well (``SRC1:A1``), a label or a drug; the first
        of these that is there counts.
    file : str
        Name of the file.
    found : Problems
        Takes what is missing, wrong or contradictory.
    """

    def __init__(self, options: Options, file: str, found: Problems) -> None:
        self._file = file
        self._found = found
        self._stated: dict[str, Dose] = {}
        self._said: set[tuple[str, str]] = set()
        self._sources: dict[str, set[tuple[str, ...]]] = {}
        self._several: dict[str, str] = {}
        for word, text in options.stocks.items():
            stock = parse_stock(text)
            if stock is None:
                fault = f"the stock of {word!r} is stated as {text!r}"
                fix = "Write a number above 0 and a unit, for example 10 mM."
                found.error("layout.bad-stock", Place(file), fault, fix)
            else:
                self._stated[word.strip().lower()] = stock

    def find(self, transfer: Transfer, name: str) -> Dose | None:
        """Give the concentration a transfer came from, or None after noting why there is none.

        Parameters
        ----------
        transfer : Transfer
            The transfer.
        name : str
            The drug.
        """
        words = (*transfer.sources, *transfer.labels, name)
        word = next((word for word in words if word.lower() in self._stated), "")
        if word and word not in transfer.sources:
            self._sources.setdefault(name, set()).add(transfer.sources)
            self._several.setdefault(name, transfer.place.locator)
        stock = self._stated[word.lower()] if word else transfer.stock
        if stock is None:
            text = f"the concentration that {name} was taken from is not known"
            fix = f"State it in the configuration, for example stocks: {{{name}: 10 mM}}."
            self._say("layout.no-stock", name, transfer.place, text, fix)
        elif transfer.stock and not _same(stock, transfer.stock):
            text = f"the stock of {name} is stated as {_words(stock)} for {word}"
            text += f", but the report says {_words(transfer.stock)}"
            fix = "Correct the one that is wrong; the report's counts if you state none."
            self._say("layout.stock-conflict", name, transfer.place, text, fix)
            return None
        return stock

    def _say(self, code: str, name: str, place: Place, text: str, fix: str) -> None:
        if (code, name) not in self._said:
            self._said.add((code, name))
            self._found.error(code, place, text, fix)

    def say_several(self) -> None:
        """Warn of drugs for which one stock is stated and which came from several source wells."""
        for name, sources in self._sources.items():
            if len(sources) > 1:
                text = f"{name} comes from {len(sources)} source wells, with one stock for all"
                fix = "If they differ, state a stock for each, for example {SRC1:A1: 10 mM}."
                where = Place(self._file, self._several[name])
                self._found.warning("layout.several-sources", where, text, fix)


def _same(one: Dose, other: Dose) -> bool:
    return one.unit == other.unit and isclose(one.value, other.value, rel_tol=1e-6)


def _words(stock: Dose) -> str:
    return f"{stock.value:g} {stock.unit}"
