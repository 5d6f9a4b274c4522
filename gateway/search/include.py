"""`_include` and `_revinclude` as values: which references are followed from the matches, and which literal ones a
resource holds (R4 search.html#include).
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.search import parameters
from gateway.search.parameters import Parameter
from gateway.search.walk import Emit, Walker, compile_all

_LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([1-9][0-9]{0,6}))?")
_RENDERED = frozenset({"AuditEvent"})


class Include(NamedTuple):
    """One instruction: follow a reference parameter of a type ("" any type, None any parameter).

    Forward from the resources at hand to what they refer to, in reverse to what refers to them; `target` is the type
    referred to ("" any). `iterate` follows from included resources too.
    """

    type: str
    parameter: Parameter | None
    target: str = ""
    reverse: bool = False
    iterate: bool = False


class Literal(NamedTuple):
    """A reference to a resource of ours as it is written; `ver` is None where it names no version."""

    type: str
    fid: str
    ver: int | None


def parse(name: str, modifier: str, value: str, types: Sequence[str]) -> Include:
    """Return the instruction of `_include` or `_revinclude` in a search of some types.

    Values are `Type:parameter`, `Type:parameter:target`, `Type:*` and `*`. Raises GatewayError saying what is usable.
    """
    iterate = modifier in ("iterate", "recurse")
    if modifier and not iterate:
        raise GatewayError(f"{name} takes the modifier :iterate, not :{modifier}.", where=name)
    reverse = name == "_revinclude"
    if value == "*":
        return Include("", None, "", reverse, iterate)
    source, _, rest = value.partition(":")
    parameter, _, target = rest.partition(":")
    _known(name, value, source)
    if target:
        _known(name, value, target)
    if not (reverse or iterate or source in types):
        raise GatewayError(
            f"_include={value} begins at {source}, which is not what this search finds. "
            f"Begin at {' or '.join(types[:5])}, or write _include:iterate.",
            where=name,
        )
    found = None if parameter == "*" else _reference(name, value, source, parameter)
    return Include(source, found, target, reverse, iterate)


def references(type_name: str) -> list[Parameter]:
    """Return the reference parameters of a type that have rows of their own."""
    found = parameters.for_type(type_name).values()
    return [each for each in found if each.kind == "reference" and each.expression and not each.via]


def pointing(type_name: str, target: str) -> list[Parameter]:
    """Return those of them that may refer to a type."""
    return [each for each in references(type_name) if not each.targets or target in each.targets]


def literals(resource: dict[str, Any], found: Iterable[Parameter]) -> Iterable[Literal]:
    """Yield the references of a resource's parameters that name a type, an id and perhaps a version."""
    for parameter in found:
        for text in _texts(resource, parameter):
            match = _LITERAL.fullmatch(text)
            if match and match[1] in parameters.types() and parameter.only in ("", match[1]):
                yield Literal(match[1], match[2], int(match[3]) if match[3] else None)


def _known(name: str, value: str, type_name: str) -> None:
    if type_name in _RENDERED:
        raise GatewayError(
            f"{name}={value}: {type_name} is made up for each answer and cannot be included; ask /{type_name}.",
            where=name,
        )
    if type_name not in parameters.types():
        raise GatewayError(f"{name}={value}: R4 has no resource type {type_name!r}.", where=name)


def _reference(name: str, value: str, source: str, parameter: str) -> Parameter:
    found = parameters.for_type(source).get(parameter)
    if found is None or found.kind != "reference":
        usable = ", ".join(f"{source}:{n}" for n, p in parameters.for_type(source).items() if p.kind == "reference")
        raise GatewayError(
            f"{name}={value} names no reference parameter of {source}. Usable: {usable or 'none'}.", where=name
        )
    return found


def _texts(resource: dict[str, Any], parameter: Parameter) -> list[str]:
    made: list[str] = []
    for walker in _walkers(parameter):
        value = resource.get(walker.key) if walker.key else resource
        for one in value if isinstance(value, list) else () if value is None else (value,):
            walker.emit(one, made)
    return made


@cache
def _walkers(parameter: Parameter) -> list[Walker]:
    stored = parameters.stored(parameter)
    return [
        walker for each in stored for walker in compile_all(each.expression, each.type, _leaf, parameters.elements())
    ]


def _leaf(type_name: str) -> Emit | None:
    return _literal if type_name == "Reference" else None


def _literal(value: Any, made: Any) -> None:
    text = value.get("reference")
    if text:
        made.append(text)
