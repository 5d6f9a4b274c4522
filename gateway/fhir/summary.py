"""Parts of a resource that a client may ask for instead of the whole (http://hl7.org/fhir/R4/search.html#summary).

What is left has every digit it had, and the tag SUBSETTED, so that nobody takes it for the whole and stores it back.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from gateway.errors import GatewayError
from gateway.fhir import types
from gateway.fhir.types import PRIMITIVES, RESOURCE_TYPES, Element

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
KINDS = ("true", "text", "data", "false", "count")
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
"""What no part goes without: who it is, and what changes the meaning of all the rest."""

Body = dict[str, Any]


def summary(body: Body) -> Body:
    """Return the elements R4 marks as summary, at every depth, and those that must be there."""
    return _subsetted(_summarised(body, _type(body)), body)


def text(body: Body) -> Body:
    """Return the narrative, id and meta, and the elements that must be there."""
    return _kept(body, {"text"})


def data(body: Body) -> Body:
    """Return everything but the narrative."""
    return _subsetted({name: value for name, value in body.items() if name != "text"}, body)


def elements(body: Body, names: Collection[str]) -> Body:
    """Return the elements named, as in `name` or `Patient.name`, with id, meta and those that must be there."""
    kind = _type(body)
    return _kept(body, {name.removeprefix(f"{kind}.").removesuffix("[x]") for name in names})


@cache
def known(name: str) -> bool:
    """Say whether any type has an element of this name, as in `name`, `value[x]` or `Patient.name`."""
    kind, dot, rest = name.partition(".")
    bare = (rest if dot else name).removesuffix("[x]")
    kinds = RESOURCE_TYPES if not dot else {kind} & RESOURCE_TYPES
    return any(bare in types.elements(each) or bare in types.fields(each) for each in kinds)


def _type(body: Body) -> str:
    kind = body.get("resourceType")
    if not isinstance(kind, str) or kind not in RESOURCE_TYPES:
        raise GatewayError("Only a resource of FHIR R4 has parts to choose from.", where="resourceType")
    return kind


def _kept(body: Body, wanted: Collection[str]) -> Body:
    fields = types.fields(_type(body))
    kept = {}
    for name, value in body.items():
        bare = name.removeprefix("_")
        element = fields[bare].element if bare in fields else None
        if bare in _ALWAYS or bare in wanted or (element is not None and (element.required or element.name in wanted)):
            kept[name] = value
    return _subsetted(kept, body)


def _subsetted(part: Body, whole: Body) -> Body:
    """Return the part with the tag SUBSETTED in a meta of its own."""
    found = whole.get("meta")
    meta = dict(found) if isinstance(found, dict) else {}
    tags = [tag for tag in meta.get("tag", ()) if not is_subsetted(tag)]
    meta["tag"] = [*tags, SUBSETTED]
    leading = {name: whole[name] for name in ("resourceType", "id") if name in whole}
    return leading | {"meta": meta} | {name: value for name, value in part.items() if name not in (*leading, "meta")}


def is_subsetted(tag: Any) -> bool:
    """Say whether a tag says that a resource is not whole."""
    return isinstance(tag, dict) and (tag.get("system"), tag.get("code")) == tuple(SUBSETTED.values())


def _summarised(node: Any, kind: str) -> Any:
    """Return what of a value of a type or backbone path belongs to a summary."""
    if isinstance(node, list):
        return [_summarised(each, kind) for each in node]
    if not isinstance(node, dict):
        return node
    kind = node.get("resourceType", kind) if kind == "Resource" else kind
    return {name: _below(value, name, kind) for name, value in node.items() if _in_summary(name, kind)}


def _in_summary(name: str, kind: str) -> bool:
    if name in _ALWAYS:
        return True
    chosen = _chosen(kind).get(name.removeprefix("_"))
    return chosen is not None and (chosen.summary or chosen.required)


def _below(value: Any, name: str, kind: str) -> Any:
    """Return a member's part; a primitive's companion (`_birthDate`) is the value's own and stays whole."""
    if name.startswith("_") or name == "meta":
        return value
    field = types.fields(kind).get(name)
    return value if field is None or field.type in PRIMITIVES else _summarised(value, field.type)


@cache
def _chosen(kind: str) -> Mapping[str, Element]:
    return {name: field.element for name, field in types.fields(kind).items()}
