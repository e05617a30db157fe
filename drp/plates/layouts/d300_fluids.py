"""The fluids of a D300 protocol: which drug or vehicle goes by a number."""

from drp.plates.layouts.d300_structure import AGAIN, place_of
from drp.plates.layouts.dispensed import Naming, Substance
from drp.plates.layouts.entries import Options
from drp.plates.layouts.xml_tree import Element
from drp.problems import Place, Problems


class Fluids:
    """Fluids by their ``ID``; a fluid diluted from another one is what that one is.

    Parameters
    ----------
    section : Element
        The element ``<Fluids>``.
    file : str
        Name of the file.
    options : Options
        Names and roles that the user states.
    found : Problems
        Takes what is wrong with the list and, once for each, with fluids that are used.
    """

    def __init__(self, section: Element, file: str, options: Options, found: Problems) -> None:
        self._file = file
        self._found = found
        self._naming = Naming(options, found)
        self._fluids: dict[str, Element] = {}
        self._known: dict[str, Substance | None] = {}
        for fluid in section.children:
            number = fluid.attributes.get("ID", "")
            if fluid.name != "Fluid" or not number or number in self._fluids:
                text = f"<{fluid.name} ID={number!r}> is no fluid, or its number stands twice"
                found.error("layout.bad-fluid", place_of(fluid, self._file), text, AGAIN)
            self._fluids.setdefault(number, fluid)

    def find(self, used: Element, place: Place) -> Substance | None:
        """Give what a fluid in a well is, or None after noting what is wrong with it.

        Parameters
        ----------
        used : Element
            The element ``<Fluid>`` of a well.
        place : Place
            The well.
        """
        number = used.attributes.get("ID", "")
        if used.name != "Fluid" or number not in self._fluids:
            text = f"<{used.name} ID={number!r}> is none of the fluids of the protocol"
            self._found.error("layout.bad-fluid", place, text, AGAIN)
            return None
        if number not in self._known:
            self._known[number] = self._look_up(self._fluids[number])
        return self._known[number]

    def _look_up(self, fluid: Element) -> Substance | None:
        place = place_of(fluid, self._file)
        labels = self._labels(fluid)
        substance = self._naming.substance(labels, place)
        if substance is None or substance.role != "sample":
            return substance
        # The number in a well is a dose only for a fluid that is dosed by molar concentration.
        volumes = [text for text in fluid.texts("ByVol") if text.lower() != "false"]
        units = [unit for unit in fluid.texts("ConcentrationUnit") if not unit.endswith("M")]
        for text in (
            *(f"{labels[0]!r} is dispensed by volume (<ByVol>{value})" for value in volumes),
            *(f"the stock of {labels[0]!r} is in {unit!r}, not molar" for unit in units),
        ):
            fix = "Give it a molar stock in the protocol, or write a tidy layout."
            self._found.error("layout.unsupported", place, text, fix)
            substance = None
        return substance

    def _labels(self, fluid: Element) -> list[str]:
        """Give the names of a fluid and of those it was diluted from, the origin first."""
        chain = [fluid]
        while True:
            roots = chain[-1].texts("RootFluidID")
            root = self._fluids.get(roots[0]) if len(roots) == 1 else None
            if not roots:
                return [" ".join(each.texts("Name")) for each in reversed(chain)]
            if root is None or root in chain:
                text = f"the fluid it was diluted from is not clear: {' and '.join(roots)}"
                place = place_of(fluid, self._file)
                self._found.error("layout.bad-fluid", place, text, AGAIN)
                return [" ".join(fluid.texts("Name"))]
            chain.append(root)
