"""XML of dispensers as a plain tree of elements that know their lines.

Document types, entities and external references are refused, as is a file that would need much
memory: a dispenser's file has none of them.
"""

from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

MOST_BYTES = 32 * 1024 * 1024
MOST_ELEMENTS = 300_000
MOST_LEVELS = 32


class Element:
    """An element: its name, line, attributes, children, and its own text without blanks around."""

    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, line: int, attributes: dict[str, str]) -> None:
        self.name = name
        self.line = line
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def all(self, name: str) -> list["Element"]:
        """Give the children of a name."""
        return [child for child in self.children if child.name == name]

    def texts(self, name: str) -> list[str]:
        """Give the different texts of the children of a name; one that is empty does not count."""
        return list(dict.fromkeys(child.text for child in self.all(name) if child.text))


class _Builder(ContentHandler):
    def __init__(self, locator: Locator) -> None:
        super().__init__()
        self.locator = locator
        self.root: Element | None = None
        self.count = 0
        self.open: list[tuple[Element, list[str]]] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self.count += 1
        if self.count > MOST_ELEMENTS or len(self.open) >= MOST_LEVELS:
            raise ValueError(
                f"it has more than {MOST_ELEMENTS:,} elements, or more than {MOST_LEVELS} levels"
            )
        element = Element(name, self.locator.getLineNumber() or 0, dict(attrs))
        if self.open:
            self.open[-1][0].children.append(element)
        else:
            self.root = element
        self.open.append((element, []))

    def characters(self, content: str) -> None:
        self.open[-1][1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        element, parts = self.open.pop()
        element.text = "".join(parts).strip()


def read_xml(content: bytes) -> Element:
    r"""Read an XML document into a tree.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    ValueError
        It is not well formed, declares a document type, or has more than 32 MB, 300,000 elements or
        32 levels.

    Examples
    --------
    >>> root = read_xml(b"<Plates>\n<Plate><Rows> 8 </Rows></Plate></Plates>")
    >>> root.children[0].line, root.children[0].texts("Rows")
    (2, ['8'])
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    # These load half of the network library with them, and most layouts are no XML.
    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    parser = create_parser(forbid_dtd=True)
    builder = _Builder(parser)
    parser.setContentHandler(builder)
    try:
        # In one piece: a long attribute that comes bit by bit is read anew with every bit.
        parser.feed(content)
        parser.close()
    except SAXParseException as error:
        line = error.getLineNumber()
        raise ValueError(f"its XML is broken in line {line} ({error.getMessage()})") from error
    except DefusedXmlException as error:
        raise ValueError("its XML declares a document type or an entity") from error
    except (SAXException, LookupError, UnicodeError) as error:
        raise ValueError(f"its XML cannot be read ({error})") from error
    if builder.root is None:
        raise ValueError("its XML has no element")
    return builder.root
