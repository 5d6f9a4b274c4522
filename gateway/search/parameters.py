"""The search parameters of every R4 type, out of the shipped table; their ids are stable, index rows hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import msgspec

from gateway.errors import Category, GatewayError

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


@cache
def for_type(type_name: str) -> Mapping[str, Parameter]:
    """Return name -> parameter of a resource type; GatewayError for a type R4 does not have."""
    entries = _table()["parameters"].get(type_name)
    if entries is None:
        raise GatewayError(f"R4 has no resource type {type_name!r}.", category=Category.NOT_FOUND)
    return {name: _parameter(type_name, name, entry) for name, entry in entries.items()}


def types() -> tuple[str, ...]:
    """Return all resource types, sorted."""
    return tuple(_table()["parameters"])


def stored(parameter: Parameter) -> tuple[Parameter, ...]:
    """Return the parameters whose rows answer this one: itself, or those it is `via`."""
    if not parameter.via:
        return (parameter,)
    names = for_type(parameter.type)
    return tuple(names[name] for name in parameter.via)


def elements() -> Mapping[str, list[str]]:
    """Return `context.name` (`context.name[x]` for a choice) -> the types or inner paths it leads to."""
    return cast(Mapping[str, list[str]], _table()["elements"])


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
