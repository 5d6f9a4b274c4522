"""A resource seen element by element: each value with its R4 type, the path R4 declares it at, and its place."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from gateway.fhir import types

Json = dict[str, Any]


class Frame(NamedTuple):
    """The resource an element stands in, and the one that contains it (FHIRPath's %resource and %rootResource)."""

    resource: Json
    root: Json
    bundle: Json | None = None
    """The Bundle around it, in which references may find their target."""


class Item(NamedTuple):
    """One element: `value` is None where a primitive is nothing but an extension, `extra` is its `_name` object."""

    value: Any
    extra: Json | None
    type: str
    path: str
    frame: Frame
    parent: "Item | None" = None
    name: str = ""
    at: int = -1
    """Position in a list, -1 where it stands once."""

    @property
    def where(self) -> str:
        """Return its place as FHIRPath; put together only for a finding."""
        if self.parent is None:
            return self.path
        place = f"{self.parent.where}.{self.name}"
        return place if self.at < 0 else f"{place}[{self.at}]"


def is_resource(value: Any) -> bool:
    """Say whether a JSON value is an object of one of R4's resource types."""
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return isinstance(kind, str) and kind in types.RESOURCE_TYPES


def of(resource: Json) -> Item:
    """Return a resource as an item; the caller has seen that its resourceType is one of R4."""
    name = resource["resourceType"]
    bundle = resource if name == "Bundle" else None
    return Item(resource, None, name, name, Frame(resource, resource, bundle))


def named(item: Item, name: str) -> list[Item]:
    """Return the elements `name` of an item (`value` for value[x]); what has a wrong JSON kind is left out."""
    holder, owner = _holder(item)
    found: list[Item] = []
    for field in fields_of(owner).get(name, ()):
        value, extra = holder.get(field.name), holder.get("_" + field.name)
        if value is not None or extra is not None:
            found += _items(item, field, value, extra)
    return found


def children(item: Item) -> Iterator[Item]:
    """Yield every element directly below an item."""
    holder, owner = _holder(item)
    known = types.fields(owner)
    names = {key.removeprefix("_") for key in holder}
    for name in dict.fromkeys(known[one].element.name for one in holder if one in known):
        yield from named(item, name)
        names -= {field.name for field in fields_of(owner)[name]}
    for name in dict.fromkeys(known[one].element.name for one in sorted(names) if one in known):
        yield from named(item, name)


def walk(item: Item) -> Iterator[Item]:
    """Yield an item and everything below it, also inside contained and enclosed resources."""
    waiting = [item]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(list(children(one)))


def _holder(item: Item) -> tuple[Json, str]:
    """Return the object that has an item's elements, and the type that declares them."""
    if item.type in types.PRIMITIVES:
        return item.extra or {}, "Element"
    return item.value, item.type


@cache
def fields_of(owner: str) -> dict[str, tuple[types.Field, ...]]:
    """Return the JSON properties of a type by the element they belong to."""
    found: dict[str, tuple[types.Field, ...]] = {}
    for field in types.fields(owner).values():
        found[field.element.name] = (*found.get(field.element.name, ()), field)
    return found


def _items(parent: Item, field: types.Field, value: Any, extra: Any) -> Iterator[Item]:
    if not field.element.many:
        yield from _item(parent, field, value, extra, -1)
        return
    values = value if isinstance(value, list) else []
    extras = extra if isinstance(extra, list) else []
    for at in range(max(len(values), len(extras))):
        one = values[at] if at < len(values) else None
        companion = extras[at] if at < len(extras) else None
        yield from _item(parent, field, one, companion, at)


def _item(parent: Item, field: types.Field, value: Any, extra: Any, at: int) -> Iterator[Item]:
    element = field.element
    if field.type in types.PRIMITIVES:
        companion = extra if isinstance(extra, dict) else None
        plain = None if isinstance(value, dict | list) else value
        if plain is not None or companion is not None:
            yield Item(plain, companion, field.type, element.path, parent.frame, parent, element.name, at)
    elif not isinstance(value, dict):
        return
    elif field.type != "Resource":
        yield Item(value, None, field.type, element.path, parent.frame, parent, element.name, at)
    elif is_resource(value):
        frame = _enclosed(parent.frame, field, value)
        yield Item(value, None, value["resourceType"], element.path, frame, parent, element.name, at)


def _enclosed(frame: Frame, field: types.Field, value: Json) -> Frame:
    """Return the frame of a resource inside another: a contained one belongs to its container, others to themselves."""
    root = frame.root if field.name == "contained" else value
    bundle = value if value["resourceType"] == "Bundle" else frame.bundle
    return Frame(value, root, bundle)
