"""The values of FHIRPath: elements and plain values, their types, equality and order."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gateway.conformance.items import Item
from gateway.errors import GatewayError
from gateway.fhir import temporal, types

Collection = list[Any]
"""Elements (`Item`) and plain values: bool, int, Decimal, str, Moment."""

ZONE = "Asia/Shanghai"
"""Where dates without a zone stand when they are compared with moments that have one."""

_TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})
_QUANTITIES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "Money"})
# FHIRPath's own types and the primitive types of FHIR that are of them.
_SYSTEM: dict[str, frozenset[str]] = {
    "Boolean": frozenset({"boolean"}),
    "String": types.PRIMITIVES - _TEMPORAL - {"boolean", "decimal", "integer", "positiveInt", "unsignedInt"},
    "Integer": frozenset({"integer", "positiveInt", "unsignedInt"}),
    "Decimal": frozenset({"decimal"}),
    "Date": frozenset({"date"}),
    "DateTime": frozenset({"dateTime", "instant"}),
    "Time": frozenset({"time"}),
}
_DERIVED = {
    "string": frozenset({"code", "id", "markdown"}),
    "uri": frozenset({"canonical", "oid", "url", "uuid"}),
    "integer": frozenset({"positiveInt", "unsignedInt"}),
}


class Unjudged(Exception):
    """The expression has no answer here: two values cannot be compared, or a reference leads elsewhere."""


class Moment(str):
    """A date, time or dateTime that an expression writes."""

    __slots__ = ()


def plain(value: Any) -> Any:
    """Return what an element holds: the JSON value of a primitive, the object of any other."""
    return value.value if isinstance(value, Item) else value


def truth(found: Collection) -> bool | None:
    """Return a collection as a condition: None when empty; a single value that is no boolean counts as true."""
    if not found:
        return None
    if len(found) > 1:
        raise Unjudged
    value = plain(found[0])
    return value if isinstance(value, bool) else True


def is_type(value: Any, name: str) -> bool:
    """Say whether a value is of a FHIR type, one derived from it, or a System type."""
    if not isinstance(value, Item):
        return _of_system(value) == name
    if value.type == name or value.type in _SYSTEM.get(name, ()) or value.type in _DERIVED.get(name, ()):
        return True
    return value.type not in types.PRIMITIVES and name in _bases(value.type)


def _of_system(value: Any) -> str:
    if isinstance(value, Moment):
        return "Time" if value.startswith("T") else "DateTime" if "T" in value else "Date"
    kinds = ((bool, "Boolean"), (int, "Integer"), (Decimal, "Decimal"), (str, "String"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "")


def _bases(name: str) -> Iterable[str]:
    while name:
        name = types.base(name)
        yield name


def key(value: Any) -> Any:
    """Return something hashable that equal values share."""
    return _key(plain(value))


def _key(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _key(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(map(_key, value))
    return (isinstance(value, bool), value)


def distinct(found: Collection) -> Collection:
    """Return a collection without repetitions."""
    return list({key(value): value for value in reversed(found)}.values())[::-1]


def same(left: Collection, right: Collection) -> bool | None:
    """Return whether two collections are equal (`=`); None when one is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    return all(_same(one, other) for one, other in zip(left, right, strict=True))


def _same(one: Any, other: Any) -> bool:
    if _temporal(one) and _temporal(other) and plain(one) != plain(other):
        return compare(one, other) == 0
    return bool(key(one) == key(other))


def compare(one: Any, other: Any) -> int:
    """Return -1, 0 or 1; raises Unjudged for values whose order cannot be told."""
    if _quantity(one) and _quantity(other):
        return _quantities(plain(one), plain(other))
    left, right = plain(one), plain(other)
    if _temporal(one) or _temporal(other):
        return _moments(left, right)
    numbers = all(isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in (left, right))
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        raise Unjudged
    return int(left > right) - int(left < right)


def _temporal(value: Any) -> bool:
    return isinstance(value, Moment) or (isinstance(value, Item) and value.type in _TEMPORAL)


def _quantity(value: Any) -> bool:
    return isinstance(value, Item) and value.type in _QUANTITIES


def _quantities(left: dict[str, Any], right: dict[str, Any]) -> int:
    """Compare two quantities of the same unit; others would need UCUM's tables."""
    unit = ("system", "code", "currency") if "code" in left or "code" in right else ("unit", "currency")
    if any(left.get(name) != right.get(name) for name in unit):
        raise Unjudged
    return compare(left.get("value"), right.get("value"))


def _moments(left: Any, right: Any) -> int:
    """Compare two moments; where one covers the other (a day and an hour of it) there is no answer."""
    if not isinstance(left, str) or not isinstance(right, str):
        raise Unjudged
    if left.startswith("T") or ":" in left[:3]:
        clocks = left.removeprefix("T"), right.removeprefix("T")
        return int(clocks[0] > clocks[1]) - int(clocks[0] < clocks[1])
    try:
        (start, end), (begin, until) = temporal.bounds(left, ZONE), temporal.bounds(right, ZONE)
    except GatewayError:
        raise Unjudged from None
    if ("T" in left and "T" in right) or (start, end) == (begin, until):
        return int(start > begin) - int(start < begin)
    if end <= begin or until <= start:
        return -1 if end <= begin else 1
    raise Unjudged
