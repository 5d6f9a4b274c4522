"""A model's field made ready to run: how it is read, compared and weighed, as closures that look nothing up by name."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from gateway.identity.comparisons import COMPARATORS, Compare, Step, comparison
from gateway.identity.fields import Field, Level
from gateway.identity.frequencies import Lifts, Table

Read = Callable[[Mapping[str, Any]], Any]
# What the values of two sides that agree at a level add to its bits.
Lift = Callable[[Any, Any], float]


class Weight(NamedTuple):
    """What a level is called and weighs."""

    level: str
    bits: float
    lift: Lift | None


class Test(NamedTuple):
    """One field ready to run; `compare` returns a place in `weights`, or -1."""

    field: str
    read: Read
    compare: Compare
    weights: tuple[Weight, ...]


def compiled(field: Field, tables: Mapping[str, Table]) -> Test:
    """Return a field of a checked model ready to run."""
    comparator = COMPARATORS[field.compare]
    fixed = comparator.head + comparator.tail
    steps = [Step(level.at, level.edits) for name, level in field.levels.items() if name not in fixed]
    compare = comparison(field.compare, steps if comparator.stepped else ())
    order = comparator.order(field.levels)
    weights = [
        _weight(_present(order, place, field.levels), field.levels, _lift(field, order, place, compare, tables))
        for place in range(len(order))
    ]
    return Test(field.name, _reading(field.sources), compare, tuple(weights))


def _present(order: Sequence[str], place: int, levels: Mapping[str, Level]) -> str:
    """Return the first level from a place on that the model weighs: what it leaves out counts as the next worse."""
    return next(name for name in order[place:] if name in levels)


def _weight(name: str, levels: Mapping[str, Level], lift: Lift | None) -> Weight:
    return Weight(name, levels[name].bits, lift)


def _reading(sources: Sequence[str]) -> Read:
    if len(sources) == 1:
        (only,) = sources
        return lambda values: values.get(only)
    first, second = sources
    return lambda values: (values.get(first), values.get(second))


def _lift(field: Field, order: Sequence[str], place: int, compare: Compare, tables: Mapping[str, Table]) -> Lift | None:
    terms = field.levels[_present(order, place, field.levels)].terms
    if not terms:
        return None
    parts = [(_part(term), tables[table].lifts()) for term, table in sorted(terms.items())]

    def lift(a: Any, b: Any) -> float:
        """Return the bits of the values that agree at this level: of several, the pair that says most."""
        pairs = [(one, other) for one in _each(a) for other in _each(b) if compare(one, other) == place]
        return max([sum([_common(part(one), part(other), lifts) for part, lifts in parts]) for one, other in pairs])

    return lift


def levels_of(field: Field) -> list[str]:
    """Return the levels that a model weighs in a field, from the best to the worst."""
    return [name for name in COMPARATORS[field.compare].order(field.levels) if name in field.levels]


def leveller(test: Test, field: Field) -> Callable[[Mapping[str, Any], Mapping[str, Any]], int]:
    """Return the comparison of two records in one field, as a place among its levels, -1 where one does not tell it."""
    order = levels_of(field)
    places = [order.index(weight.level) for weight in test.weights]

    def level(a: Mapping[str, Any], b: Mapping[str, Any]) -> int:
        place = test.compare(test.read(a), test.read(b))
        return places[place] if place >= 0 else -1

    return level


def parts_of(field: Field, term: str, values: Mapping[str, Any]) -> list[str]:
    """Return what a record has as a part (value, family, given) of a field."""
    told = _reading(field.sources)(values)
    return [part for one in _each(told) if one and (part := _part(term)(one))]


def keys_of(field: Field, values: Mapping[str, Any]) -> list[str]:
    """Return the texts that records which agree exactly in a field have in common."""
    told = _reading(field.sources)(values)
    first = told[0] if len(field.sources) > 1 else told
    return [str(getattr(one, "text", one)) for one in _each(first) if one]


def _part(term: str) -> Callable[[Any], str]:
    return str if term == "value" else attrgetter(term)


def _each(value: Any) -> Sequence[Any]:
    return value if type(value) is tuple else (value,)


def _common(a: str, b: str, lifts: Lifts) -> float:
    """Return the lift of what both have; where they differ (a homophone), of the more common one."""
    return lifts.of(a) if a == b else min(lifts.of(a), lifts.of(b))
