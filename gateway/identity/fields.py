"""The fields of a model: what each compares, its levels with their weights, and what is wrong with them."""

from collections.abc import Iterator, Mapping
from math import log2
from typing import Annotated

import msgspec

from gateway.identity.comparisons import COMPARATORS
from gateway.identity.frequencies import Table

# Rounded numbers of a file need not add up to exactly one.
_SLACK = 0.01

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level of agreement: how often true pairs (m) and pairs of strangers (u) have it."""

    m: Share
    u: Share
    at: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None  # how alike, for `text` and `place`
    edits: Annotated[int, msgspec.Meta(ge=1, le=4)] | None = None  # how many edits apart, for `text`
    terms: dict[str, str] = {}  # part of the value (value, family, given): its table in `frequencies`

    @property
    def bits(self) -> float:
        """Return the weight of the level without frequencies: log2(m / u)."""
        return log2(self.m / self.u)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field: where its value is read, how values are compared, and what each level weighs."""

    name: str
    compare: str
    levels: dict[str, Level]
    read: tuple[str, ...] = ()  # names of the values it is read from; default its own
    note: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the values that the field is read from."""
        return self.read or (self.name,)


def faults(field: Field, tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with a field, as far as its types do not show it."""
    comparator = COMPARATORS.get(field.compare)
    if comparator is None:
        yield f"compare: there is no {field.compare}; known are {', '.join(sorted(COMPARATORS))}"
        return
    if len(field.sources) != comparator.reads:
        yield f"read: {field.compare} reads {comparator.reads} value(s), not {len(field.sources)}"
    yield from _level_faults(field)
    for term, table in [pair for level in field.levels.values() for pair in level.terms.items()]:
        if table not in tables:
            yield f"terms: there is no table {table} in frequencies"
        if term not in comparator.terms:
            yield f"terms: {field.compare} has no part {term}; it has {', '.join(comparator.terms) or 'none'}"


def _level_faults(field: Field) -> Iterator[str]:
    comparator = COMPARATORS[field.compare]
    order = comparator.order(field.levels)
    for name in (order[0], order[-1]):
        if name not in field.levels:
            yield f"levels: {name} is missing"
    fixed = comparator.head + comparator.tail
    for name, level in field.levels.items():
        step = level.at is not None or (level.edits is not None and field.compare == "text")
        if name not in order:
            yield f"level {name}: {field.compare} has no such level; it has {', '.join(order)}"
        elif (name in fixed) == step:
            yield f"level {name}: " + ("its meaning is fixed: no `at`, no `edits`" if step else "say `at` or `edits`")
    for share in ("m", "u"):
        total = sum(getattr(level, share) for level in field.levels.values())
        if abs(total - 1) > _SLACK:
            yield f"levels: their {share} add up to {total:.4f}, not 1"
