"""Resources as XML (http://hl7.org/fhir/R4/xml.html): elements in the order of the definitions, values as they came.

Narratives become real XHTML. What XML cannot carry, and what R4 does not define, is refused with its place.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from html.entities import name2codepoint
from typing import Any, NoReturn
from xml.parsers import expat

from gateway.errors import Category, GatewayError
from gateway.fhir import types
from gateway.fhir.primitives import shown
from gateway.fhir.types import PRIMITIVES, RESOURCE_TYPES, Field

NAMESPACE = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile('[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_OWN_ENTITIES = ("amp", "lt", "gt", "quot", "apos")
_DOCUMENT = re.compile(r"<\?|<!DOCTYPE", re.IGNORECASE)
_DIV = re.compile(r"<div(?=[\s/>])")

Body = dict[str, Any]


def dumps(resource: Body, *, indent: bool = False, lenient: bool = False) -> bytes:
    """Return a resource as XML text in UTF-8; `indent` is for people.

    Raises GatewayError, with the FHIRPath of the place, for a character XML has no form for, a narrative that is not
    well-formed XHTML, and what R4 does not define. `lenient` puts U+FFFD for such characters.
    """
    writer = _Writer(indent=indent, lenient=lenient)
    writer.resource(resource, str(resource.get("resourceType")), f' xmlns="{NAMESPACE}"')
    return "".join([_DECLARATION, "\n" if indent else "", *writer.parts]).encode()


class _Writer:
    """Collects the text of one document."""

    def __init__(self, *, indent: bool, lenient: bool) -> None:
        self.parts: list[str] = []
        self._indent = indent
        self._lenient = lenient
        self._depth = 0

    def resource(self, node: Any, where: str, namespace: str = "") -> None:
        """Write a resource in an element of its type's name."""
        kind = node.get("resourceType") if isinstance(node, dict) else None
        if not isinstance(kind, str) or kind not in RESOURCE_TYPES:
            _refuse(f"{shown(kind)} is no resource type of R4.", where)
        members = {name: value for name, value in node.items() if name != "resourceType"}
        self._element(kind, namespace, lambda: self._members(members, kind, where))

    def _members(self, node: Body, kind: str, where: str) -> None:
        """Write the children of a resource or complex value, in the order of its definition."""
        left = len(node)
        for name, field in _ordered(kind).items():
            value, more = node.get(name), node.get(f"_{name}")
            left -= (name in node) + (f"_{name}" in node)
            if value is not None or more is not None:
                self._field(field, value, more, f"{where}.{name}")
        if left:
            strange = next(name for name in node if name.removeprefix("_") not in _ordered(kind))
            _refuse(f"{shown(strange)} is no element of {kind} in R4.", where)

    def _field(self, field: Field, value: Any, more: Any, where: str) -> None:
        if not field.element.many:
            self._one(field, value, more, where)
            return
        for number, (each, companion) in enumerate(_pairs(value, more, where)):
            self._one(field, each, companion, f"{where}[{number}]")

    def _one(self, field: Field, value: Any, more: Any, where: str) -> None:
        if field.type == "xhtml":
            self._narrative(value, where)
        elif field.type in PRIMITIVES:
            self._primitive(field.name, value, _object(more, where), where)
        elif field.type == "Resource":
            self._element(field.name, "", lambda: self.resource(value, where))
        else:
            self._complex(field, _object(value, where), where)

    def _primitive(self, name: str, value: Any, more: Body, where: str) -> None:
        attributes = self._attribute("id", more.get("id"), where)
        if value is not None:
            attributes += self._attribute("value", _text(value, where), where)
        below = {key: each for key, each in more.items() if key != "id"}
        self._element(name, attributes, (lambda: self._members(below, "Element", where)) if below else None)

    def _complex(self, field: Field, node: Body, where: str) -> None:
        attributes = self._attribute("id", node.get("id"), where)
        outside = {"id"}
        if field.type == "Extension":
            attributes += self._attribute("url", node.get("url"), where)
            outside.add("url")
        below = {name: value for name, value in node.items() if name not in outside}
        self._element(field.name, attributes, (lambda: self._members(below, field.type, where)) if below else None)

    def _attribute(self, name: str, value: Any, where: str) -> str:
        return "" if value is None else f' {name}="{_escape(self._fit(str(value), where))}"'

    def _fit(self, text: str, where: str) -> str:
        if self._lenient:
            return _UNFIT.sub("\ufffd", text)
        found = _UNFIT.search(text)
        if found:
            _refuse(f"It holds the character U+{ord(found[0]):04X}, for which XML has no form.", where)
        return text

    def _narrative(self, value: Any, where: str) -> None:
        self._begin_line()
        self.parts.append(_xhtml(self._fit(str(value), where), where))

    def _element(self, name: str, attributes: str, inside: Any) -> None:
        self._begin_line()
        if inside is None:
            self.parts.append(f"<{name}{attributes}/>")
            return
        self.parts.append(f"<{name}{attributes}>")
        self._depth += 1
        inside()
        self._depth -= 1
        self._begin_line()
        self.parts.append(f"</{name}>")

    def _begin_line(self) -> None:
        if self._indent and self.parts:
            self.parts.append("\n" + "  " * self._depth)


@cache
def _ordered(kind: str) -> Mapping[str, Field]:
    return types.fields(kind)


def _pairs(value: Any, more: Any, where: str) -> Iterator[tuple[Any, Any]]:
    values, companions = value or [], more or []
    if not isinstance(values, list) or not isinstance(companions, list):
        _refuse("It repeats, so it is a list.", where)
    for number in range(max(len(values), len(companions))):
        yield (
            values[number] if number < len(values) else None,
            companions[number] if number < len(companions) else None,
        )


def _object(value: Any, where: str) -> Body:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _refuse(f"{shown(value)} is no object.", where)
    return value


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, Decimal):
        return str(getattr(value, "text", value))
    return _refuse(f"{shown(value)} is no primitive value.", where)


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text) if _ESCAPED.search(text) else text


def _xhtml(text: str, where: str) -> str:
    """Return a narrative's div as it stands in XML: with its namespace, and characters for XHTML's named ones."""
    text = _ENTITY.sub(_named, text.strip())
    if _DIV.match(text) and "xmlns=" not in text[: text.find(">") + 1]:
        text = f'<div xmlns="{XHTML}"{text[4:]}'
    names: list[str] = []
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = lambda name, _: names.append(name)
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as fault:
        _refuse(f"The narrative is not well-formed XHTML: {fault}.", where)
    if names[0] != f"{XHTML} div" or _DOCUMENT.search(text):
        _refuse("The narrative is not one div of XHTML.", where)
    return text


def _named(found: re.Match[str]) -> str:
    point = name2codepoint.get(found[1])
    return found[0] if point is None or found[1] in _OWN_ENTITIES else chr(point)


def _refuse(text: str, where: str) -> NoReturn:
    raise GatewayError(text, where=where, category=Category.UNSUPPORTED)
