"""One condition of a search: the reading of one name=value, before any table is touched (R4 search.html)."""

from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.search import parameters
from gateway.search.extract import answerable
from gateway.search.kinds.date import Zone
from gateway.search.parameters import Parameter
from gateway.search.refusals import chained, known, unsupported
from gateway.search.values import Value, allowed, read


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: any of `values` holds for the parameter; `missing` asks for absence or presence instead."""

    parameter: Parameter
    values: tuple[Value, ...] = ()
    negated: bool = False
    missing: bool | None = None


AnyCriterion = Criterion
"""Whatever one name=value can ask."""


def criterion(type_name: str, name: str, value: str, zone: Zone, now_us: int) -> AnyCriterion:
    """Return what one name=value asks of resources of a type.

    Dates without an offset stand in `zone`; `now_us` (microseconds since 1970) is what `ap` is near to. Raises
    GatewayError for an unknown parameter (with the list of known ones) and a value that is not of its kind.
    """
    names = parameters.for_type(type_name)
    base, _, modifier = name.partition(":")
    if "." in base or "." in modifier:
        raise chained(name, names)
    parameter = names.get(base)
    if parameter is None:
        raise known(base, type_name, names)
    if not answerable(parameter):
        raise unsupported(base, names)
    if modifier == "missing":
        return Criterion(parameter, missing=truth(base, value))
    allowed(parameter, modifier)
    if not value.strip():
        raise GatewayError(f"{base!r} has no value. Leave it out, or give it one.", where=base)
    return Criterion(parameter, read(parameter, modifier, value, zone, now_us), negated=modifier == "not")


def truth(name: str, value: str) -> bool:
    """Return what `true` and `false` say; GatewayError for anything else."""
    if value not in ("true", "false"):
        raise GatewayError(f"{name!r} is true or false, not {value!r}.", where=name)
    return value == "true"
