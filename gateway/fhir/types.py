"""The facts of FHIR R4 4.0.1: types, elements, cardinality, reference targets and required codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from gateway.errors import Category, GatewayError

VERSION = "4.0.1"

PRIMITIVES = frozenset(
    {
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
    }
    | {"markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml"}
)
_ABSTRACT = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type as R4 declares it; a choice `value[x]` is one element named `value`."""

    name: str
    path: str
    types: tuple[str, ...]
    """Type names; a backbone element's type is the path it is declared at, such as `Patient.contact`."""
    required: bool
    many: bool
    choice: bool
    targets: tuple[str, ...]
    """Resource types a Reference may point at; empty means any."""
    binding: str
    """Name of the value set bound with strength `required`, or empty."""
    modifier: bool
    summary: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One JSON property: `valueQuantity` is the element `value` holding a Quantity."""

    name: str
    type: str
    element: Element


def _table(name: str) -> dict[str, Any]:
    text = resources.files("gateway.fhir").joinpath("data", name).read_bytes()
    table: dict[str, Any] = msgspec.json.decode(text)
    return table


_FACTS: dict[str, dict[str, str]] = _table("elements.json")
_CODES: dict[str, dict[str, list[str]]] = _table("codes.json")


def _is_resource(name: str) -> bool:
    base = _FACTS[name][""] if name in _FACTS else ""
    return base == "Resource" or (bool(base) and _is_resource(base))


RESOURCE_TYPES: frozenset[str] = frozenset(
    name for name in _FACTS if "." not in name and name not in _ABSTRACT and _is_resource(name)
)
"""The 146 concrete resource types of R4."""

DATA_TYPES: frozenset[str] = frozenset(
    name for name in _FACTS if "." not in name and name not in RESOURCE_TYPES and name not in _ABSTRACT
)
"""The complex data types, such as HumanName."""


@cache
def base(name: str) -> str:
    """Return the type that `name` is derived from, empty for Element and Resource."""
    return _facts(name)[""]


@cache
def elements(name: str) -> Mapping[str, Element]:
    """Return the elements of a type or backbone path in R4's order, inherited ones first.

    Raises GatewayError for a name that R4 does not have.
    """
    facts = _facts(name)
    inherited = dict(elements(facts[""])) if facts[""] else {}
    own = (_element(name, key, words) for key, words in facts.items() if key)
    return inherited | {element.name: element for element in own}


def _facts(name: str) -> dict[str, str]:
    facts = _FACTS.get(name)
    if facts is None:
        raise GatewayError(f"FHIR R4 has no type {name!r}.", category=Category.UNSUPPORTED)
    return facts


def _element(owner: str, key: str, facts: str) -> Element:
    cardinality, *words = facts.split()
    types = tuple(word for word in words if word[0] not in "!^=")
    targets = next((word.partition("(")[2][:-1].split("|") for word in types if "(" in word), [])
    return Element(
        name=key.removesuffix("[x]"),
        path=f"{owner}.{key}",
        types=tuple(word.partition("(")[0].lstrip("@") for word in types),
        required=cardinality in "1+",
        many=cardinality in "*+",
        choice=key.endswith("[x]"),
        targets=tuple(targets),
        binding=next((word[1:] for word in words if word[0] == "="), ""),
        modifier="!" in words,
        summary="^" in words,
    )


@cache
def fields(name: str) -> Mapping[str, Field]:
    """Return the JSON properties of a type or backbone path, without their `_` companions."""
    found = (field for element in elements(name).values() for field in _fields(element))
    return {field.name: field for field in found}


def _fields(element: Element) -> list[Field]:
    if not element.choice:
        return [Field(element.name, element.types[0], element)]
    return [Field(element.name + kind[0].upper() + kind[1:], kind, element) for kind in element.types]


def value_set(binding: str) -> Mapping[str, list[str]]:
    """Return {code system: codes} of a required value set; empty where R4 cannot list it (MIME types)."""
    return _CODES.get(binding, {})


@cache
def codes(binding: str) -> frozenset[str]:
    """Return the codes of a required value set, whatever their system; empty where it cannot be listed."""
    return frozenset(code for listed in value_set(binding).values() for code in listed)


def value_sets() -> tuple[str, ...]:
    """Return the names of the required value sets that R4 lists completely."""
    return tuple(_CODES)
