"""Path walkers: expressions compiled once into closures that hand each value they reach to an indexer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from gateway.search.expression import Path, Step, parse
from gateway.search.kinds.reference import type_of

Emit = Callable[[Any, Any], None]
"""Takes one value (never a list) and the sink."""

Elements = Mapping[str, list[str]]

Leaf = Callable[[str], Emit | None]
"""Gives what to do with a value of a FHIR type, or None where the parameter cannot index that type."""


class Walker(NamedTuple):
    """Where to begin (`key` of the resource, "" for the resource itself) and what to do with each value there."""

    key: str
    emit: Emit


def compile_all(expression: str, type_name: str, leaf: Leaf, elements: Elements) -> list[Walker]:
    """Return the walkers of an expression of a resource type; GatewayError for syntax outside the subset."""
    made: list[Walker] = []
    for path in parse(expression):
        steps = path[1:] if path and path[0] == Step("get", type_name) else path
        made += _head(steps, type_name, leaf, elements)
    return made


def relative(expression: str, context: str, leaf: Leaf, elements: Elements) -> list[Emit]:
    """Return emitters for an expression relative to an element of the given context."""
    return [emit for path in parse(expression) for emit in _compile(path, context, leaf, elements)]


def _head(path: Path, type_name: str, leaf: Leaf, elements: Elements) -> list[Walker]:
    if path and path[-1].kind == "known":
        known = _known(path[:-1], type_name, leaf, elements)
        return [Walker("", known)] if known else []
    if not path or (path[1:2] and path[1].kind == "at"):
        return [Walker("", emit) for emit in _compile(path, type_name, leaf, elements)]
    return [
        Walker(key, emit)
        for key, context, rest in _leads(path, type_name, elements)
        for emit in _compile(rest, context, leaf, elements)
    ]


def _leads(path: Path, context: str, elements: Elements) -> Iterable[tuple[str, str, Path]]:
    """Yield (JSON key, context there, remaining steps) for the `get` a path begins with, each type of a choice."""
    name, rest = path[0].name, path[1:]
    if name == "extension":
        yield name, "Extension", rest
        return
    choices = elements.get(f"{context}.{name}[x]")
    if choices is None:
        for onward in elements.get(f"{context}.{name}", ()):
            yield name, onward, rest
        return
    wanted = rest[0].name if rest and rest[0].kind == "as" else ""
    for choice in choices:
        if wanted in ("", choice):
            yield name + choice[:1].upper() + choice[1:], choice, rest[1:] if wanted else rest


def _compile(path: Path, context: str, leaf: Leaf, elements: Elements) -> list[Emit]:
    if not path:
        return _end(context, leaf, elements)
    step, rest = path[0], path[1:]
    if step.kind == "get":
        return [made for lead in _leads(path, context, elements) for made in _get(*lead, leaf, elements)]
    if step.kind == "as":
        return _compile(rest, context, leaf, elements) if step.name == context else []
    return [_keep(step, emit) for emit in _compile(rest, context, leaf, elements)]


def _get(key: str, context: str, rest: Path, leaf: Leaf, elements: Elements) -> list[Emit]:
    if rest and rest[0].kind == "at":
        at = int(rest[0].name)
        return [_pick(key, at, emit) for emit in _compile(rest[1:], context, leaf, elements)]
    return [_descend(key, emit) for emit in _compile(rest, context, leaf, elements)]


def _end(context: str, leaf: Leaf, elements: Elements) -> list[Emit]:
    if context == "Extension":
        return _compile((Step("get", "value"),), context, leaf, elements)  # an extension is found by its value
    emit = leaf(context)
    return [emit] if emit else []


def _descend(key: str, emit: Emit) -> Emit:
    def step(value: Any, sink: Any) -> None:
        inner = value.get(key)
        if inner is None:
            return
        if type(inner) is list:
            for one in inner:
                emit(one, sink)
        else:
            emit(inner, sink)

    return step


def _pick(key: str, at: int, emit: Emit) -> Emit:
    def step(value: Any, sink: Any) -> None:
        inner = value.get(key) or ()
        if at < len(inner):
            emit(inner[at], sink)

    return step


def _known(path: Path, context: str, leaf: Leaf, elements: Elements) -> Emit | None:
    keys = [key for key, _, _ in _leads(path, context, elements)]
    emit = leaf("boolean")
    if emit is None:
        return None

    def say(value: Any, sink: Any) -> None:
        emit(any(value.get(key) not in (None, False) for key in keys), sink)

    return say


def _keep(step: Step, emit: Emit) -> Emit:
    test = _test(step)

    def kept(value: Any, sink: Any) -> None:
        if test(value):
            emit(value, sink)

    return kept


def _test(step: Step) -> Callable[[Any], bool]:
    name, wanted = step.name, step.value
    if step.kind == "equals":
        return lambda value: value.get(name) == wanted
    if step.kind == "is":
        return lambda value: type_of(value) == name
    return lambda value: any(found.get("url") == name for found in value.get("extension") or ())
