"""The trees of `/core` as XML: the same content as their JSON.

All in one namespace. An object is an element; a list is repeated elements of its name. The `id` of
an object, and `rel` and `href` of a link, are attributes. Empty lists leave nothing. The renderers
that there are for DRF have neither attributes nor a namespace, and wrap the entries of lists.
"""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from config.api.dialects import CORE_NAMESPACE, xml_text

ATTRIBUTES = frozenset({"id", "rel", "href"})


def to_xml(root: str, tree: Mapping[str, object]) -> bytes:
    """A document in UTF-8 with its declaration."""
    element = ET.Element(root, xmlns=CORE_NAMESPACE)
    fill(element, tree)
    document: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    # A reader of XML takes a carriage return that is not escaped for a line feed.
    return document.replace(b"\r", b"&#13;")


def fill(element: ET.Element, tree: Mapping[str, object]) -> None:
    """Put the members of an object into its element."""
    for name, value in tree.items():
        if name in ATTRIBUTES:
            element.set(name, xml_text(str(value)))
            continue
        for entry in value if isinstance(value, list) else [value]:
            child = ET.SubElement(element, name)
            if isinstance(entry, dict):
                fill(child, entry)
            else:
                child.text = spelled(entry)


def spelled(value: object) -> str:
    """A text, number or truth value."""
    return str(value).lower() if isinstance(value, bool) else xml_text(str(value))
