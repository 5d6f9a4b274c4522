"""FHIR XML read back into JSON values, to compare with what was written: the standard's rules (xml.html), in short."""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from gateway.fhir import resource, types

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def read(text: bytes) -> dict[str, Any]:
    """Return the resource an XML document holds; asserts that its elements stand in the order of the definitions."""
    return _resource(ElementTree.fromstring(text))


def _resource(node: ElementTree.Element) -> dict[str, Any]:
    name = _local(node)
    return {"resourceType": name, **_members(node, name, {})}


def _local(node: ElementTree.Element) -> str:
    assert node.tag.startswith(FHIR), node.tag
    return node.tag.removeprefix(FHIR)


def _members(node: ElementTree.Element, kind: str, found: dict[str, Any]) -> dict[str, Any]:
    fields = types.fields(kind)
    names = ["div" if child.tag == f"{XHTML}div" else _local(child) for child in node]
    order = list(fields)
    assert [order.index(name) for name in names] == sorted(order.index(name) for name in names), names
    for name in dict.fromkeys(names):
        children = [child for child, each in zip(node, names, strict=True) if each == name]
        field = fields[name]
        values, companions = zip(*(_value(child, field.type) for child in children), strict=True)
        assert field.element.many or len(children) == 1
        if any(value is not None for value in values):
            found[name] = list(values) if field.element.many else values[0]
        if any(companions):
            found[f"_{name}"] = [each or None for each in companions] if field.element.many else companions[0]
    return found


def _value(node: ElementTree.Element, kind: str) -> tuple[Any, dict[str, Any]]:
    if kind == "xhtml":
        return _canonical(ElementTree.tostring(node, encoding="unicode")), {}
    attributes = dict(node.attrib)
    if kind in types.PRIMITIVES:
        value = attributes.pop("value", None)
        return (None if value is None else _primitive(value, kind)), _members(node, "Element", attributes)
    if kind == "Resource":
        (inner,) = node
        return _resource(inner), {}
    return _members(node, kind, attributes), {}


def _primitive(text: str, kind: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind in ("integer", "positiveInt", "unsignedInt"):
        return int(text)
    return resource.loads(f'{{"n":{text}}}')["n"] if kind == "decimal" else text


def _canonical(text: str) -> str:
    return ElementTree.canonicalize(text, rewrite_prefixes=True)


def comparable(value: Any) -> Any:
    """Return JSON values as they compare: decimals by their digits, narratives in canonical XML, no empty places."""
    if isinstance(value, dict):
        return {
            name: _canonical(each) if name == "div" and isinstance(each, str) else comparable(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return str(getattr(value, "text", value)) if isinstance(value, Decimal) else value
