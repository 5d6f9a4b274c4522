"""What a resource can be found by: its index rows, through walkers compiled once per type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from gateway.errors import GatewayError
from gateway.search import parameters
from gateway.search.kinds import composite, date, number, quantity, reference, string, token, uri
from gateway.search.kinds.composite import Row as CompositeRow
from gateway.search.kinds.date import Row as DateRow
from gateway.search.kinds.number import Row as NumberRow
from gateway.search.kinds.quantity import Row as QuantityRow
from gateway.search.kinds.reference import Row as ReferenceRow
from gateway.search.kinds.string import Row as StringRow
from gateway.search.kinds.text import Row as TextRow
from gateway.search.kinds.token import Row as TokenRow
from gateway.search.kinds.uri import Row as UriRow
from gateway.search.parameters import Parameter
from gateway.search.walk import Emit, Leaf, Walker, compile_all, relative

ZONE: date.Zone = "Asia/Shanghai"
"""Where dates without an offset stand, unless the caller says otherwise."""

COLUMNS = frozenset({"_id", "_lastUpdated"})
"""Parameters answered by the resource row itself."""

_INDEXERS: dict[str, dict[str, Any]] = {
    "token": token.INDEX,
    "reference": reference.INDEX,
    "number": number.INDEX,
    "quantity": quantity.INDEX,
    "string": string.INDEX,
    "uri": uri.INDEX,
}


@dataclass(slots=True)
class Rows:
    """The index rows of one resource, by kind; each kind's file says what a row holds."""

    token: list[TokenRow] = field(default_factory=list)
    reference: list[ReferenceRow] = field(default_factory=list)
    date: list[DateRow] = field(default_factory=list)
    number: list[NumberRow] = field(default_factory=list)
    quantity: list[QuantityRow] = field(default_factory=list)
    string: list[StringRow] = field(default_factory=list)
    uri: list[UriRow] = field(default_factory=list)
    text: list[TextRow] = field(default_factory=list)
    composite: list[CompositeRow] = field(default_factory=list)


Plan = tuple[dict[str, tuple[Emit, ...]], tuple[Emit, ...]]


def rows(resource: dict[str, Any], type_name: str, zone: date.Zone = ZONE) -> Rows:
    """Return the index rows of a valid resource; GatewayError where its values are not what R4 allows there."""
    by_key, always = plan(type_name, zone)
    made = Rows()
    try:
        for key, value in resource.items():
            emits = by_key.get(key)
            if emits is None:
                continue
            if type(value) is list:
                for one in value:
                    for emit in emits:
                        emit(one, made)
            else:
                for emit in emits:
                    emit(value, made)
        for emit in always:
            emit(resource, made)
    except (AttributeError, TypeError, KeyError, ValueError) as fault:
        raise GatewayError(f"{type_name} cannot be indexed: {fault}.", where=type_name) from fault
    return made


@cache
def plan(type_name: str, zone: date.Zone) -> Plan:
    """Return what to do for each top-level element of a type, and what to do for every resource of it."""
    by_key: dict[str, list[Emit]] = {}
    for parameter in parameters.for_type(type_name).values():
        for walker in walkers(parameter, zone):
            by_key.setdefault(walker.key, []).append(walker.emit)
    always = tuple(by_key.pop("", ()))
    return {key: tuple(emits) for key, emits in by_key.items()}, always


def forget() -> None:
    """Compile everything anew at its next use, for the parameters have changed."""
    plan.cache_clear()
    leaf_types.cache_clear()


def walkers(parameter: Parameter, zone: date.Zone) -> list[Walker]:
    """Return the walkers that make a parameter's rows; none where its rows are another's or a column's."""
    if parameter.via or parameter.name in COLUMNS or parameter.kind == "special":
        return []
    if parameter.kind == "composite":
        return _groups(parameter, zone)
    leaf = _leaf(parameter.kind, parameter.id, zone, _indexers(parameter))
    return compile_all(parameter.expression, parameter.type, leaf, parameters.elements())


def _indexers(parameter: Parameter) -> dict[str, Any]:
    """Return the indexers of a parameter's kind; names of persons have their own."""
    if parameter.kind == "string" and parameter.type in string.PERSONS:
        return string.PART if parameter.name in string.PARTS else string.PERSONAL
    return _INDEXERS.get(parameter.kind, {})


def paired(parameter: Parameter) -> bool:
    """Say whether a composite has rows of its own, for its element is not the resource itself."""
    names = parameters.for_type(parameter.type)
    kinds = tuple(names[part.name].kind for part in parameter.components)
    return parameter.expression != parameter.type and kinds in composite.GROUPS


def whole(parameter: Parameter) -> bool:
    """Say whether one of a composite's elements is the resource itself, so that its parts are parameters."""
    return parameter.type in parameter.expression.split(" | ")


def answerable(parameter: Parameter) -> bool:
    """Say whether a parameter can be searched by: all but two that need geography and today's date."""
    if parameter.kind == "composite":
        return paired(parameter) or whole(parameter)
    return parameter.kind != "special" and bool(parameter.expression)


@cache
def leaf_types(parameter: Parameter) -> frozenset[str]:
    """Return the FHIR types an expression ends in."""
    seen: set[str] = set()

    def note(type_name: str) -> None:
        seen.add(type_name)

    compile_all(parameter.expression, parameter.type, note, parameters.elements())
    return frozenset(seen)


def targets(resource: dict[str, Any], parameter: Parameter) -> list[ReferenceRow]:
    """Return the rows of one reference parameter, for following it from a resource."""
    made = Rows()
    for each in parameters.stored(parameter):
        for walker in walkers(each, ZONE):
            _visit(walker, resource, made)
    return [row for row in made.reference if parameter.only in ("", row[1])]


def _visit(walker: Walker, resource: dict[str, Any], made: Any) -> None:
    value = resource.get(walker.key) if walker.key else resource
    for one in value if isinstance(value, list) else () if value is None else (value,):
        walker.emit(one, made)


def _leaf(kind: str, param: int, zone: date.Zone, indexers: dict[str, Any]) -> Leaf:
    if kind == "date":
        return lambda type_name: _dated(param, date.INDEX.get(type_name), zone)
    return lambda type_name: _bound(kind, param, indexers.get(type_name))


def _dated(param: int, index: date.Indexer | None, zone: date.Zone) -> Emit | None:
    if index is None:
        return None
    return lambda value, made: index(param, value, made.date, zone)


def _bound(kind: str, param: int, index: Callable[[int, Any, Any], None] | None) -> Emit | None:
    return None if index is None else _EMITS[kind](param, index)


def _to_rows(param: int, index: token.Indexer) -> Emit:
    return lambda value, made: index(param, value, made)


def _to_number(param: int, index: number.Indexer) -> Emit:
    return lambda value, made: index(param, value, made.number)


def _to_quantity(param: int, index: quantity.Indexer) -> Emit:
    return lambda value, made: index(param, value, made.quantity)


def _to_string(param: int, index: string.Indexer) -> Emit:
    return lambda value, made: index(param, value, made.string)


def _to_uri(param: int, index: uri.Indexer) -> Emit:
    return lambda value, made: index(param, value, made.uri)


# One closure per kind, so that the hot path reads a slot by name and not through getattr.
_EMITS: dict[str, Callable[[int, Any], Emit]] = {
    "token": _to_rows,
    "reference": _to_rows,
    "number": _to_number,
    "quantity": _to_quantity,
    "string": _to_string,
    "uri": _to_uri,
}


def _groups(parameter: Parameter, zone: date.Zone) -> list[Walker]:
    if not paired(parameter):
        return []
    inner = " | ".join(part for part in parameter.expression.split(" | ") if part != parameter.type)
    if any(part.expression.startswith(_RESOURCE) for part in parameter.components):
        return _rooted(parameter, inner, zone)
    return compile_all(
        inner, parameter.type, lambda context: partial(_group, parameter.id, _parts(parameter, context, zone)),
        parameters.elements(),
    )  # fmt: skip


Part = tuple[str, list[Emit]]
_RESOURCE = "%resource."


def _rooted(parameter: Parameter, inner: str, zone: date.Zone) -> list[Walker]:
    """Return the walker of a composite some of whose parts stand at the resource and not in its element."""

    def begin(context: str) -> Emit:
        parts = _parts(parameter, context, zone)
        return lambda value, sink: sink.append((value, parts))

    steps = compile_all(inner, parameter.type, begin, parameters.elements())
    outer = [part.expression.startswith(_RESOURCE) for part in parameter.components]

    def emit(resource: Any, made: Rows) -> None:
        reached: list[tuple[Any, list[Part]]] = []
        for step in steps:
            _visit(step, resource, reached)
        for value, parts in reached:
            where = [resource if at_root else value for at_root in outer]
            held = [_found(part, one) for part, one in zip(parts, where, strict=True)]
            composite.add(parameter.id, held, made.composite)

    return [Walker("", emit)]


def _parts(parameter: Parameter, context: str, zone: date.Zone) -> list[Part]:
    names = parameters.for_type(parameter.type)
    return [
        _part(names[each.name].kind, each.expression, parameter.type, context, zone) for each in parameter.components
    ]


def _part(kind: str, expression: str, type_name: str, context: str, zone: date.Zone) -> Part:
    at = type_name if expression.startswith(_RESOURCE) else context
    leaf = _leaf(kind, 0, zone, _INDEXERS.get(kind, {}))
    return kind, relative(expression.removeprefix(_RESOURCE), at, leaf, parameters.elements())


def _group(param: int, parts: list[Part], value: Any, made: Rows) -> None:
    composite.add(param, [_found(part, value) for part in parts], made.composite)


def _found(part: Part, value: Any) -> list[tuple[Any, ...]]:
    kind, emits = part
    made = Rows()
    for emit in emits:
        emit(value, made)
    found: list[tuple[Any, ...]] = getattr(made, kind)
    return found
