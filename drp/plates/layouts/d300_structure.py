"""The structure of a D300 protocol: what stands where, once or many times, and what is refused."""

from drp.plates.layouts.xml_tree import Element
from drp.problems import Place, Problems

# Where elements with wells and doses may stand; of all others nothing but their text is used.
_PARENTS = {
    "Protocol": ("",),
    "Fluids": ("Protocol",),
    "Plates": ("Protocol",),
    "Plate": ("Plates",),
    "Wells": ("Plate",),
    "Well": ("Wells",),
    "Fluid": ("Fluids", "Well"),
}
_NOT_SUPPORTED = ("Backfills", "Randomize")
AGAIN = "Save the protocol again."


def place_of(element: Element, file: str, plate: str = "", well: str = "") -> Place:
    """Give the place of an element."""
    return Place(file, f"line {element.line}", plate, well)


def check_structure(root: Element, file: str, found: Problems) -> None:
    """Check that every element stands where it belongs, and refuse what moves or adds fluids.

    Parameters
    ----------
    root : Element
        The element ``<Protocol>``.
    file : str
        Name of the file.
    found : Problems
        Takes elements in a wrong place, text between elements, settings that stand twice with
        different values, randomisation and backfills.
    """
    _check(root, "", file, found)


def _check(element: Element, parent: str, file: str, found: Problems) -> None:
    place = place_of(element, file)
    if element.name in _NOT_SUPPORTED:
        if element.children or element.text:
            text = f"the protocol has a section <{element.name}>, which is not supported"
            fix = "Save it without randomisation and backfills, or write a tidy layout."
            found.error("layout.unsupported", place, text, fix)
        return
    if parent not in _PARENTS.get(element.name, (parent,)):
        text = f"<{element.name}> stands in <{parent}>, where it does not belong"
        found.error("layout.bad-section", place, text, AGAIN)
    if element.children and element.text:
        text = f"{element.text[:40]!r} stands between the elements of <{element.name}>"
        found.error("layout.bad-section", place, text, AGAIN)
    for name in dict.fromkeys(child.name for child in element.children):
        texts = element.texts(name)
        if name not in _PARENTS and len(texts) > 1:
            text = f"<{element.name}> has different values of <{name}>: {' and '.join(texts)}"
            found.error("layout.bad-section", place, text, AGAIN)
    for child in element.children:
        _check(child, element.name, file, found)


def only_section(parent: Element, name: str, file: str, found: Problems) -> Element | None:
    """Give the one child of a name, or None after noting that there is none or more than one."""
    sections = parent.all(name)
    if len(sections) == 1:
        return sections[0]
    text = f"<{parent.name}> has {len(sections)} sections <{name}>, one is needed"
    found.error("layout.bad-section", place_of(parent, file), text, AGAIN)
    return None
