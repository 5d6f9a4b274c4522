"""One condition of a search: the reading of one name=value, before any table is touched (R4 search.html)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import Category, GatewayError
from gateway.search import parameters
from gateway.search.extract import answerable, leaf_types
from gateway.search.kinds.date import Zone
from gateway.search.parameters import Parameter
from gateway.search.refusals import UNSUPPORTED, known, unsupported
from gateway.search.values import Value, allowed, read

DEPTH = 5
"""Most references that one condition follows, forward and backward together."""

_HAS = "_has:Type:parameter:condition, such as _has:Observation:patient:code"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: any of `values` holds for the parameter; `missing` asks for absence or presence instead."""

    parameter: Parameter
    values: tuple[Value, ...] = ()
    negated: bool = False
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """`parameter:type.inner`: the reference leads to a resource of the type that satisfies the inner condition."""

    parameter: Parameter
    type: str
    inner: "AnyCriterion"


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:type:parameter:inner`: a resource that satisfies the inner condition refers here; `parameter` is its."""

    type: str
    parameter: Parameter
    inner: "AnyCriterion"


AnyCriterion = Criterion | Chain | Has
"""Whatever one name=value can ask."""


class _Asked(NamedTuple):
    """What is the same at every step of a chain; `where` is the whole name, `steps` counts references followed."""

    where: str
    zone: Zone
    now_us: int
    steps: int = 0

    def further(self) -> "_Asked":
        """Return the same one reference further on; GatewayError where that is too far."""
        if self.steps == DEPTH:
            text = f"{self.where!r} follows more than {DEPTH} references. Ask in two searches."
            raise GatewayError(text, where=self.where)
        return self._replace(steps=self.steps + 1)


def criterion(type_name: str, name: str, value: str, zone: Zone, now_us: int) -> AnyCriterion:
    """Return what one name=value asks of resources of a type.

    Dates without an offset stand in `zone`; `now_us` (microseconds since 1970) is what `ap` is near to. Raises
    GatewayError for an unknown parameter (with the list of known ones) and a value that is not of its kind.
    """
    return _read(type_name, name, value, _Asked(name, zone, now_us))


def _read(type_name: str, name: str, value: str, asked: _Asked) -> AnyCriterion:
    if name == "_has" or name.startswith("_has:"):
        return _has(type_name, name, value, asked.further())
    head, dot, rest = name.partition(".")
    base, _, modifier = head.partition(":")
    parameter = _parameter(type_name, base)
    if dot:
        target = _target(parameter, modifier, rest, asked)
        return Chain(parameter, target, _read(target, rest, value, asked.further()))
    if modifier == "missing":
        return Criterion(parameter, missing=truth(base, value))
    allowed(parameter, modifier)
    if not value.strip():
        raise GatewayError(f"{base!r} has no value. Leave it out, or give it one.", where=base)
    values = read(parameter, modifier, value, asked.zone, asked.now_us)
    return Criterion(parameter, values, negated=modifier in ("not", "not-in"))


def _parameter(type_name: str, name: str) -> Parameter:
    names = parameters.for_type(type_name)
    if name in UNSUPPORTED:
        raise unsupported(name, names)
    parameter = names.get(name)
    if parameter is None:
        raise known(name, type_name, names)
    if not answerable(parameter):
        raise unsupported(name, names)
    return parameter


# --- chains -------------------------------------------------------------------------------------------------------


def _target(parameter: Parameter, modifier: str, rest: str, asked: _Asked) -> str:
    """Return the type that a chained reference leads to; GatewayError where it is none, or must be said."""
    if parameter.kind != "reference" or leaf_types(parameters.stored(parameter)[0]) <= {"canonical", "uri"}:
        text = f"{asked.where!r}: {parameter.type}.{parameter.name} is no reference that a chain could follow."
        raise GatewayError(text, where=asked.where)
    possible = targets(parameter)
    if modifier:
        return _one_of(modifier, possible, asked.where, f"{parameter.type}.{parameter.name}")
    inner = rest.partition(".")[0].partition(":")[0]
    fitting = [each for each in possible if inner == "_has" or inner in parameters.for_type(each)]
    if len(possible) > 1 and len(fitting) != 1:
        text = f"{asked.where!r}: {parameter.name} leads to {_listed(fitting or possible)}; say which, as in"
        example = f"{parameter.name}:{(fitting or possible)[0]}.{rest}"
        raise GatewayError(f"{text} {example}.", where=asked.where)
    return (fitting or possible)[0]


def targets(parameter: Parameter) -> Sequence[str]:
    """Return the types a reference parameter may lead to."""
    return (parameter.only,) if parameter.only else parameter.targets or parameters.types()


def _one_of(name: str, possible: Sequence[str], where: str, what: str) -> str:
    if name not in possible:
        raise GatewayError(f"{where!r}: {what} does not lead to {name!r} but to {_listed(possible)}.", where=where)
    return name


def _listed(types: Sequence[str]) -> str:
    return ", ".join(types) if len(types) < 20 else "any type"


def _has(type_name: str, name: str, value: str, asked: _Asked) -> Has:
    parts = name.split(":", 3)
    if len(parts) < 4 or not all(parts):
        raise GatewayError(f"{asked.where!r} is not complete: write {_HAS}.", where=asked.where)
    _, source, reference, rest = parts
    if source not in parameters.types():
        text = f"{asked.where!r}: R4 has no resource type {source!r}. Write {_HAS}."
        raise GatewayError(text, where=asked.where)
    parameter = _parameter(source, reference)
    if parameter.kind != "reference":
        usable = ", ".join(n for n, p in parameters.for_type(source).items() if p.kind == "reference")
        text = f"{asked.where!r}: {source}.{reference} is no reference. Usable: {usable}."
        raise GatewayError(text, where=asked.where, category=Category.INVALID)
    _one_of(type_name, targets(parameter), asked.where, f"{source}.{reference}")
    return Has(source, parameter, _read(source, rest, value, asked))


def truth(name: str, value: str) -> bool:
    """Return what `true` and `false` say; GatewayError for anything else."""
    if value not in ("true", "false"):
        raise GatewayError(f"{name!r} is true or false, not {value!r}.", where=name)
    return value == "true"
