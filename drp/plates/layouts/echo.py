"""Echo reports (Labcyte, Beckman Coulter): volumes of stocks that went into each well.

The dose is the amount that was transferred over the final volume: stock × V / (well + all V), where
transfers of one drug add up. The report has neither the volume of a well nor, as a rule, the
concentrations of the stocks; both are stated in the configuration. A vehicle adds its volume and
is no drug. A well with a transfer that failed stays in the layout, without a dose and marked as
failed, so that it is excluded.
"""

from math import isfinite, isnan, nan

from drp.plates.layouts.contents import DOSED
from drp.plates.layouts.dispensed import Contents, Naming, settle_contents
from drp.plates.layouts.echo_report import find_lines, looks_like_report
from drp.plates.layouts.echo_stocks import Stocks
from drp.plates.layouts.echo_transfers import Transfer, read_transfers
from drp.plates.layouts.entries import Entry, Options
from drp.plates.pages import Source
from drp.problems import Place, Problems

NAME = "echo"
MEANING = "transfer reports of the Echo, with [DETAILS] or [EXCEPTIONS]"

_NL_PER_UL = 1000
_Named = list[tuple[str, Transfer]]


def recognise(source: Source) -> bool:
    """Say whether a file is an Echo report, whatever may be wrong with it.

    Parameters
    ----------
    source : Source
        The opened file.
    """
    return looks_like_report(source)


def read(source: Source, options: Options, found: Problems) -> list[Entry]:
    """Read every well that an Echo report names.

    Parameters
    ----------
    source : Source
        The opened file.
    options : Options
        `stocks` and `well_volume_ul`, without which there are no doses; `names` of drugs by sample
        name, sample id, compound name or source well (``SRC1:A1``); `roles`.
    found : Problems
        Takes everything that is wrong, and a warning for each well with a failed transfer.

    Returns
    -------
    list of Entry
        The wells without a fault, in the order of their first transfers.
    """
    transfers = read_transfers(find_lines(source, found), source.file, found)
    naming, stocks = Naming(options, found), Stocks(options, source.file, found)
    wells: dict[tuple[str, tuple[int, int]], list[Transfer]] = {}
    for transfer in transfers:
        wells.setdefault((transfer.place.plate, transfer.well), []).append(transfer)
    reader = _Wells(naming, stocks, options.well_volume_ul, found)
    entries = [reader.entry(own) for own in wells.values()]
    stocks.say_several()
    return [entry for entry in entries if entry is not None]


class _Wells:
    """Makes wells from their transfers."""

    def __init__(self, naming: Naming, stocks: Stocks, volume_ul: float, found: Problems) -> None:
        self._naming = naming
        self._stocks = stocks
        self._volume = volume_ul * _NL_PER_UL if isfinite(volume_ul) else nan
        self._found = found
        self._without_volume = False

    def entry(self, transfers: list[Transfer]) -> Entry | None:
        """Give a well, or None if it has a fault."""
        first = transfers[0]
        locator = ", ".join(transfer.place.locator for transfer in transfers)
        place = Place(first.place.file, locator, first.place.plate, first.place.well)
        substances = [
            self._naming.substance(transfer.labels, transfer.place, transfer.sources)
            for transfer in transfers
        ]
        known = [substance for substance in substances if substance is not None]
        if len(known) < len(substances):
            return None
        contents = settle_contents(list(dict.fromkeys(known)), place, self._found)
        if contents is None:
            return None
        entry = Entry(first.well, contents.role, "", "", locator, first.place.plate)
        entry.drugs[: len(contents.names)] = contents.names
        named = [
            (substance.name, transfer) for substance, transfer in zip(known, transfers, strict=True)
        ]
        if any(transfer.failure for transfer in transfers):
            self._mark_failed(entry, named, place)
        elif contents.role in DOSED and not self._add_doses(entry, contents, named, place):
            return None
        return entry

    def _mark_failed(self, entry: Entry, named: _Named, place: Place) -> None:
        failed = [
            f"transfer of {name} failed: {transfer.failure}"
            for name, transfer in named
            if transfer.failure
        ]
        entry.failed = "; ".join(dict.fromkeys(failed))
        fix = "The well is excluded."
        self._found.warning("layout.failed-transfer", place, entry.failed, fix)

    def _add_doses(self, entry: Entry, contents: Contents, named: _Named, place: Place) -> bool:
        """Work out the doses of a well; False if that cannot be done."""
        own = [(name, transfer) for name, transfer in named if name in contents.names]
        stocks = [self._stocks.find(transfer, name) for name, transfer in own]
        if not self._has_volume(place) or any(stock is None for stock in stocks):
            return False
        total = self._volume + sum(transfer.volume for _, transfer in named)
        amounts = dict.fromkeys(contents.names, 0.0)
        volumes = dict.fromkeys(contents.names, 0.0)
        units = set()
        for (name, transfer), stock in zip(own, stocks, strict=True):
            if stock is not None:
                amounts[name] += stock.value * transfer.volume
                volumes[name] += transfer.volume
                units.add(stock.unit)
        if len(units) > 1:
            text = f"the stocks of the well have different kinds of unit: {' and '.join(units)}"
            fix = "Drugs of one well must have doses in one unit."
            self._found.error("layout.mixed-units", place, text, fix)
            return False
        for position, name in enumerate(contents.names):
            entry.doses[position] = float(f"{amounts[name] / total:.12g}")
        entry.dose_unit = units.pop()
        entry.dose_value = "|".join(f"{volume:.12g}" for volume in volumes.values())
        entry.dose_value_unit = "nL"
        return True

    def _has_volume(self, place: Place) -> bool:
        if isnan(self._volume) and not self._without_volume:
            self._without_volume = True
            text = "the volume of a well before the transfers is not known"
            fix = "State it in the configuration, for example well_volume_ul: 50."
            self._found.error("layout.no-volume", place, text, fix)
        return not isnan(self._volume)
