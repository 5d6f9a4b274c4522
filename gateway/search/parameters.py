"""The search parameters of every R4 type, out of the shipped table; their ids are stable, index rows hold them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import msgspec

from gateway.errors import Category, GatewayError
from gateway.fhir import types as facts

Kind = Literal["token", "string", "reference", "date", "number", "quantity", "uri", "composite", "special"]

_TABLE = "data/r4-search-parameters.json"


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: the parameter whose kind it has, and where it stands under the composite."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one type.

    `via` names the parameters whose rows answer this one (it has none of its own); `only` then narrows them to one
    target type. `id` is unique over all types.
    """

    id: int
    type: str
    name: str
    kind: Kind
    expression: str
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    description: str = ""
    via: tuple[str, ...] = ()
    only: str = ""


@cache
def _table() -> dict[str, Any]:
    text = resources.files("gateway.search").joinpath(_TABLE).read_bytes()
    return cast(dict[str, Any], msgspec.json.decode(text))


_own: dict[str, dict[str, Parameter]] = {}


@cache
def for_type(type_name: str) -> Mapping[str, Parameter]:
    """Return name -> parameter of a resource type, R4's and ours; GatewayError for a type R4 does not have."""
    found = published(type_name)
    return {**found, **_own[type_name]} if type_name in _own else found


@cache
def published(type_name: str) -> Mapping[str, Parameter]:
    """Return name -> parameter of a resource type as R4 has them; GatewayError for a type it does not have."""
    entries = _table()["parameters"].get(type_name)
    if entries is None:
        raise GatewayError(f"R4 has no resource type {type_name!r}.", category=Category.NOT_FOUND)
    return {name: _parameter(type_name, name, entry) for name, entry in entries.items()}


def adopt(own: Iterable[Parameter]) -> None:
    """Take parameters of our own in place of those taken before; their ids stand apart from R4's."""
    _own.clear()
    for parameter in own:
        _own.setdefault(parameter.type, {})[parameter.name] = parameter
    for_type.cache_clear()


def types() -> tuple[str, ...]:
    """Return all resource types, sorted."""
    return tuple(_table()["parameters"])


def stored(parameter: Parameter) -> tuple[Parameter, ...]:
    """Return the parameters whose rows answer this one: itself, or those it is `via`."""
    if not parameter.via:
        return (parameter,)
    names = for_type(parameter.type)
    return tuple(names[name] for name in parameter.via)


class _Elements(Mapping[str, list[str]]):
    """The table's elements; what our own expressions need beside them is read from R4's facts."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = dict(_table()["elements"])

    def __getitem__(self, key: str) -> list[str]:
        if key not in self._known:
            self._known[key] = _led_to(key)
        if not self._known[key]:
            raise KeyError(key)
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key, found in self._known.items() if found)

    def __len__(self) -> int:
        return sum(map(bool, self._known.values()))


def _led_to(key: str) -> list[str]:
    context, _, name = key.rpartition(".")
    try:
        element = facts.elements(context).get(name.removesuffix("[x]"))
    except GatewayError:
        return []
    return list(element.types) if element is not None and element.choice == name.endswith("[x]") else []


@cache
def elements() -> Mapping[str, list[str]]:
    """Return `context.name` (`context.name[x]` for a choice) -> the types or inner paths it leads to."""
    return _Elements()


def _parameter(type_name: str, name: str, entry: dict[str, Any]) -> Parameter:
    return Parameter(
        id=entry["id"],
        type=type_name,
        name=name,
        kind=entry["kind"],
        expression=entry["expression"],
        targets=tuple(entry.get("targets", ())),
        components=tuple(Component(c["name"], c["expression"]) for c in entry.get("components", ())),
        description=entry["description"],
        via=tuple(entry.get("via", ())),
        only=entry.get("only", ""),
    )
