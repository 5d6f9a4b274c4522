"""What is wrong with a resource, element by element: FHIRPath, issue code and a sentence to act on."""

import difflib
from collections.abc import Iterable
from typing import Any

from gateway.conformance import references
from gateway.fhir import primitives, types
from gateway.fhir.issues import Issue
from gateway.fhir.primitives import shown
from gateway.fhir.resource import DEPTH_LIMIT

Json = dict[str, Any]

ISSUE_LIMIT = 100
"""Findings reported for one resource: a wrong export repeats one mistake in every entry."""

_FEW = 12


def explain(resource: Json) -> list[Issue]:
    """Return every structural fault of `resource` against R4 4.0.1, at most ISSUE_LIMIT of them."""
    walk = _Walk()
    walk.resource(resource, "", 1)
    return walk.issues[:ISSUE_LIMIT]


class _Walk:
    """One pass over a resource that notes each fault where it stands."""

    __slots__ = ("issues",)

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def note(self, code: str, where: str, text: str) -> None:
        """Record one error."""
        self.issues.append(Issue("error", code, text, where))

    def resource(self, value: Any, where: str, depth: int) -> None:
        """Check a whole resource that stands at `where` (empty for the outermost)."""
        if not isinstance(value, dict):
            self.note("structure", where, f"A resource is an object in braces, not {shown(value)}.")
            return
        name = value.get("resourceType")
        if not isinstance(name, str) or name not in types.RESOURCE_TYPES:
            self.note("structure", where or "Resource", _type_fault(name))
            return
        self.fields(value, name, where or name, depth)

    def fields(self, value: Json, name: str, where: str, depth: int) -> None:
        """Check the properties of an object of type `name`."""
        if depth > DEPTH_LIMIT or len(self.issues) >= ISSUE_LIMIT:
            self._stop(where, depth)
            return
        known = types.fields(name)
        for key, held in value.items():
            field = known.get(key.removeprefix("_"))
            if key == "resourceType" and name in types.RESOURCE_TYPES:
                continue
            if field is None or (key[0] == "_" and field.type not in types.PRIMITIVES):
                self.note("structure", where, _unknown(key, name, known))
            elif key[0] == "_":
                self.companion(held, value.get(key[1:]), field, _at(where, field), depth)
            else:
                self.field(held, value.get("_" + key), field, _at(where, field), depth)
        self.presence(value, name, where)

    def _stop(self, where: str, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            self.note("too-long", where, f"The elements nest deeper than {DEPTH_LIMIT} levels.")

    def presence(self, value: Json, name: str, where: str) -> None:
        """Check that each needed element is there and that each choice is made once."""
        for element in types.elements(name).values():
            if not (element.required or element.choice):
                continue
            given = _given(value, element)
            if len(given) > 1:
                text = f"{' and '.join(given)} are both given, but {element.name}[x] is one value: keep one."
                self.note("structure", f"{where}.{element.name}", text)
            elif element.required and not given:
                self.note("required", f"{where}.{element.name}", _missing(element, name))

    def field(self, value: Any, companion: Any, field: types.Field, where: str, depth: int) -> None:
        """Check one property, single or repeated."""
        if not field.element.many:
            if isinstance(value, list):
                self.note("structure", where, f"{field.name} stands once in R4: write its value without [ ].")
            else:
                self.value(value, field, where, depth)
        elif not isinstance(value, list):
            self.note("structure", where, f"{field.name} may repeat in R4: write it in [ ], even a single one.")
        elif not value:
            self.note("structure", where, f"{field.name} is an empty list: leave it out instead.")
        else:
            for at, one in enumerate(value):
                if not (one is None and _padded(companion, at, field)):
                    self.value(one, field, f"{where}[{at}]", depth)

    def value(self, value: Any, field: types.Field, where: str, depth: int) -> None:
        """Check one value against the type of its property."""
        if value is None:
            self.note("structure", where, f"{field.name} is null: leave it out instead.")
        elif field.type in types.PRIMITIVES:
            self.primitive(value, field, where)
        elif field.type == "Resource":
            self.inner(value, field, where, depth)
        elif not isinstance(value, dict):
            self.note("structure", where, f"{field.name} is {_noun(field.type)}, not {shown(value)}.")
        elif not value:
            self.note("structure", where, f"{field.name} is an empty object: leave it out instead.")
        else:
            self.fields(value, field.type, where, depth + 1)
            self.special(value, field, where)

    def primitive(self, value: Any, field: types.Field, where: str) -> None:
        """Check a primitive's form and, for a code, its required value set."""
        fault = primitives.fault(field.type, value)
        codes = types.codes(field.element.binding) if field.type == "code" else None
        if fault:
            self.note("value", where, fault)
        elif codes and value not in codes:
            text = f"{shown(value)} is not a code of {field.element.binding}: use {_one_of(codes)}."
            self.note("code-invalid", where, text)

    def inner(self, value: Any, field: types.Field, where: str, depth: int) -> None:
        """Check a resource inside another one by its own type."""
        self.resource(value, where, depth + 1)
        if field.name != "contained" or not isinstance(value, dict):
            return
        if "id" not in value:
            self.note("required", f"{where}.id", "A contained resource needs an id, to be pointed at by #id.")
        if "contained" in value:
            self.note("structure", f"{where}.contained", "A contained resource contains no other: move it out.")

    def special(self, value: Json, field: types.Field, where: str) -> None:
        """Check what depends on the place: a reference's targets, a concept's required codes."""
        if field.type == "Reference":
            self.reference(value, field.element.targets, where)
        elif field.type == "CodeableConcept" and types.codes(field.element.binding):
            self.concept(value, field.element.binding, where)

    def reference(self, value: Json, targets: tuple[str, ...], where: str) -> None:
        """Check the form of a reference and the type it points at."""
        text, named = value.get("reference"), value.get("type")
        fault = references.fault(text, targets) if isinstance(text, str) and text else None
        if fault:
            self.note("value", f"{where}.reference", fault)
        if targets and isinstance(named, str) and named in types.RESOURCE_TYPES and named not in targets:
            text = f"The type is {named}, but this reference takes {references.either(targets)}."
            self.note("value", f"{where}.type", text)

    def concept(self, value: Json, binding: str, where: str) -> None:
        """Check that a concept holds a coding of its required value set."""
        listed = types.value_set(binding)
        codings = value.get("coding")
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, dict) and coding.get("code") in listed.get(str(coding.get("system")), ()):
                return
        wanted = f"{_one_of(types.codes(binding))} of {', '.join(listed)}"
        text = f"None of its codings is of {binding}: use {wanted}."
        self.note("code-invalid", where, text)

    def companion(self, value: Any, plain: Any, field: types.Field, where: str, depth: int) -> None:
        """Check `_name`, which carries the id and extensions of a primitive."""
        name = "_" + field.name
        if not field.element.many:
            self.element(value, name, where, depth)
            return
        if not isinstance(value, list) or not value:
            self.note("structure", where, f"{name} goes with a list: write it in [ ], with null where not needed.")
            return
        if isinstance(plain, list) and len(plain) != len(value):
            text = f"{field.name} has {len(plain)} values and {name} {len(value)}: give each its place, or null."
            self.note("structure", where, text)
        for at, one in enumerate(value):
            if one is not None:
                self.element(one, name, f"{where}[{at}]", depth)
            elif not isinstance(plain, list):
                self.note("structure", f"{where}[{at}]", f"{name} is null where {field.name} has no value either.")

    def element(self, value: Any, name: str, where: str, depth: int) -> None:
        """Check one companion object."""
        if not isinstance(value, dict) or not value:
            self.note("structure", where, f"{name} is an object with id or extension, not {shown(value)}.")
        else:
            self.fields(value, "Element", where, depth + 1)


def _at(where: str, field: types.Field) -> str:
    return f"{where}.{field.element.name}"


def _given(value: Json, element: types.Element) -> list[str]:
    names = [element.name]
    if element.choice:
        names = [element.name + kind[0].upper() + kind[1:] for kind in element.types]
    return [name for name in names if name in value or "_" + name in value]


def _padded(companion: Any, at: int, field: types.Field) -> bool:
    """Say whether a null in a list of primitives keeps the place of an extension."""
    if field.type not in types.PRIMITIVES or not isinstance(companion, list) or at >= len(companion):
        return False
    return isinstance(companion[at], dict)


def _type_fault(name: Any) -> str:
    if name is None:
        return "resourceType is missing: it says what the resource is, such as Patient."
    near = difflib.get_close_matches(str(name), sorted(types.RESOURCE_TYPES), n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{shown(name)} is not a resource type of FHIR R4{hint}"


def _unknown(key: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key.removeprefix("_"), list(known), n=1)
    return f"{name} has no element {shown(key)} in FHIR R4" + (f"; did you mean {near[0]!r}?" if near else ".")


def _missing(element: types.Element, name: str) -> str:
    codes = types.codes(element.binding)
    hint = f" Use {_one_of(codes)}." if codes else ""
    choice = f" It is one of {references.either(element.types[:_FEW])}." if element.choice else ""
    return f"{element.name} is missing; every {name} needs it.{hint}{choice}"


def _noun(name: str) -> str:
    return f"an object ({name.rpartition('.')[2]})"


def _one_of(codes: Iterable[str]) -> str:
    listed = sorted(codes)
    if len(listed) <= _FEW:
        return references.either(listed)
    return f"one of its {len(listed)} codes ({', '.join(listed[:_FEW])} …)"
