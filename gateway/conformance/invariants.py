"""R4's own constraints and those of profiles, each judged at the element it stands at."""

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from gateway.conformance import items, narrative
from gateway.conformance.desk import Desk
from gateway.conformance.fhirpath import compiler
from gateway.conformance.fhirpath.functions import Env
from gateway.conformance.items import Item
from gateway.conformance.rules import Constraint
from gateway.errors import GatewayError
from gateway.fhir import types
from gateway.fhir.issues import Severity

Json = dict[str, Any]

LEFT_OUT = {
    "dom-6": "a narrative is good practice for documents; data of feeds has none, and a warning on each says nothing",
    "sdf-19": "it asks something of HL7's own definitions only",
    "sdf-22": "it asks something of HL7's own definitions only",
}
"""R4's constraints that are not judged, and why."""


CHEAP = frozenset({"ele-1", "ext-1", "ref-1"})
"""R4's constraints that are asked before anything is stored: an empty or doubled value, a reference to what is not
contained."""


@cache
def table() -> dict[str, tuple[Constraint, ...]]:
    """Return R4's constraints by the type or element path they belong to."""
    text = resources.files("gateway.fhir").joinpath("data", "invariants.json").read_bytes()
    rows: dict[str, list[list[str]]] = msgspec.json.decode(text)
    return {path: tuple(Constraint(*row) for row in found if row[0] not in LEFT_OUT) for path, found in rows.items()}


@cache
def of(kind: str, path: str) -> tuple[Constraint, ...]:
    """Return the constraints of an element by its type, what that is derived from, and the path it stands at."""
    found = list(table().get(path, ())) if path != kind else []
    name = kind if kind not in types.PRIMITIVES else "Element"
    while name:
        found += table().get(name, ())
        name = types.base(name)
    return tuple(found)


def base(desk: Desk, item: Item, only: frozenset[str] = frozenset()) -> None:
    """Check one element against R4's constraints, or those of them whose keys are given."""
    for constraint in of(item.type, item.path):
        if not only or constraint.key in only:
            check(desk, constraint, item, "R4")


def check(desk: Desk, constraint: Constraint, item: Item, told: str) -> None:
    """Check one element against one constraint of `told`, a profile or R4."""
    desk.budget.spend()
    native = _NATIVE.get(constraint.key) if told == "R4" else None
    try:
        # R4's own say nothing where they are empty: bdl-8 of an entry without fullUrl.
        empty = told == "R4"
        kept = native(desk, item) if native else compiler.holds(constraint.expression, _env(desk, item), empty=empty)
    except GatewayError as fault:
        text = f"The rule {constraint.key} of {told} was not checked: {fault.text}"
        desk.note("warning", "not-supported", item.where, text)
        return
    if kept is False:
        severity: Severity = "error" if constraint.severity == "error" else "warning"
        text = f"{constraint.human.rstrip('. ')} (rule {constraint.key} of {told})."
        desk.note(severity, "invariant", item.where, text)


def _env(desk: Desk, item: Item) -> Env:
    return Env(desk.budget, item, desk.resolve)


def _filled(_: Desk, item: Item) -> bool:
    """ele-1: an element has a value or children, not an id alone."""
    if item.type in types.PRIMITIVES:
        return item.value is not None or bool(set(item.extra or ()) - {"id"})
    return bool(item.value.keys() - {"id"})


def _exclusive(_: Desk, item: Item) -> bool:
    """ext-1: an extension has a value or extensions, never both."""
    value = any(name.lstrip("_").startswith("value") for name in item.value)
    return value != ("extension" in item.value)


def _local(desk: Desk, item: Item) -> bool:
    """ref-1: `#id` names a contained resource; `#` alone is the container."""
    text = item.value.get("reference")
    return not isinstance(text, str) or not text.startswith("#") or desk.resolve(item) is not None


def _used(desk: Desk, item: Item) -> bool:
    """dom-3: whatever is contained is referred to, or refers to its container."""
    contained = items.named(item, "contained")
    if not contained:
        return True
    named = _fragments(desk, item)
    return all(f"#{one.value.get('id')}" in named or "#" in _fragments(desk, one) for one in contained)


def _fragments(desk: Desk, item: Item) -> set[str]:
    """Return the fragments that references and addresses below an element point at."""
    found: set[str] = set()
    for one in items.walk(item):
        desk.budget.spend()
        text = one.value.get("reference") if one.type == "Reference" else one.value
        if isinstance(text, str) and text.startswith("#") and one.type in ("Reference", "canonical", "uri", "url"):
            found.add(text)
    return found


def _clean(_: Desk, item: Item) -> bool:
    """txt-1: a narrative is XHTML without anything active."""
    return not isinstance(item.value, str) or not narrative.fault(item.value)


def _shows(_: Desk, item: Item) -> bool:
    """txt-2: a narrative shows something."""
    return not isinstance(item.value, str) or not narrative.empty(item.value)


_NATIVE: dict[str, Callable[[Desk, Item], bool]] = {
    "ele-1": _filled,
    "ext-1": _exclusive,
    "ref-1": _local,
    "dom-3": _used,
    "txt-1": _clean,
    "txt-2": _shows,
}
"""Constraints judged by a function: those of every element, and those whose expression is quadratic."""
