"""Search as R4's page says it, over resources in memory: slow and plain, and sharing no code with what it judges.

It imports neither gateway.search nor gateway.store.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from tests.support.naive_kinds import (
    FOREVER,
    PREFIXES,
    Refused,
    at,
    date_holds,
    dates,
    exactly,
    fold,
    literal,
    number_holds,
    of_type,
    quantity_holds,
    ranges,
    string_holds,
    target_type,
    texts,
    token_holds,
    tokens,
    uri_holds,
    words,
)
from tests.support.naive_table import (
    PARAMETERS,
    TYPES,
    kind_of,
    parameter,
    targets_of,
    values,
)

__all__ = [
    "FOREVER",
    "PARAMETERS",
    "PREFIXES",
    "TYPES",
    "Key",
    "Pair",
    "World",
    "dates",
    "exactly",
    "in_order",
    "key_of",
    "kind_of",
    "literal",
    "parameter",
    "ranges",
    "references",
    "sort_value",
    "steers",
    "target_type",
    "targets_of",
    "texts",
    "tokens",
]

Json = dict[str, Any]
Pair = tuple[str, str]
Key = tuple[str, str]


# --- searching ------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """The resources that can be seen, and which pairs of patients are linked."""

    resources: Sequence[Json]
    links: Sequence[Pair] = ()
    now: int = 0
    linked: bool = True
    by_key: dict[Key, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the resources by type and id."""
        self.by_key = {key_of(one): one for one in self.resources}

    def search(self, kind: str, pairs: Iterable[Pair]) -> list[Json]:
        """Return the resources of a type that satisfy every criterion among the pairs, in no order."""
        given = list(pairs)
        self.linked = ("_linked", "false") not in given
        criteria = [pair for pair in given if not steers(pair[0])]
        mine = [one for one in self.resources if one["resourceType"] == kind]
        return [one for one in mine if all(self.holds(one, *pair) for pair in criteria)]

    def holds(self, resource: Json, name: str, value: str) -> bool:
        """Say whether one resource satisfies one criterion."""
        kind = resource["resourceType"]
        if name.startswith("_has:"):
            return self._has(resource, name, value)
        head, dot, rest = name.partition(".")
        base, _, modifier = head.partition(":")
        if dot:
            return self._chain(resource, base, modifier, rest, value)
        if modifier == "missing":
            return bool(self._present(resource, kind, base)) != (value == "true")
        options = re.split(r"(?<!\\),", value)
        if modifier in ("not", "not-in"):
            return not any(self._one(resource, base, "", option) for option in options)
        return any(self._one(resource, base, modifier, option) for option in options)

    def _present(self, resource: Json, kind: str, name: str) -> list[Any]:
        facts = parameter(kind, name)
        if facts[0] != "composite":
            return [row for t, v in values(resource, kind, name) for row in _rows(facts[0].split()[0], t, v)]
        return [1 for first, second in _pairs(resource, facts) for _ in product(_coded(first), _measured(second))]

    def _one(self, resource: Json, name: str, modifier: str, value: str) -> bool:
        kind = resource["resourceType"]
        facts = parameter(kind, name)
        sort = facts[0].split()[0]
        if sort == "composite":
            first, second = value.split("$")
            return any(
                any(token_holds(first, row) for row in _coded(code))
                and any(quantity_holds(second, *row) for row in _measured(measured))
                for code, measured in _pairs(resource, facts)
            )
        return any(self._value(sort, facts, t, v, modifier, value) for t, v in values(resource, kind, name))

    def _value(self, sort: str, facts: tuple[str, ...], t: str, held: Any, modifier: str, value: str) -> bool:
        match sort:
            case "token" if modifier == "text":
                return any(fold(text).startswith(fold(value)) for text in words(t, held))
            case "token" if modifier == "of-type":
                return of_type(value, held)
            case "token":
                return any(token_holds(value, row) for row in tokens(t, held))
            case "string":
                return any(string_holds(modifier, value, text, name=_is_name(facts, t)) for text in texts(t, held))
            case "date":
                return any(date_holds(value, row, self.now) for row in dates(t, held))
            case "number":
                return any(number_holds(value, low, high) for low, high, _ in ranges(t, held))
            case "quantity":
                return any(quantity_holds(value, *row) for row in ranges(t, held))
            case "uri":
                return uri_holds(modifier, value, held)
        if modifier == "identifier":
            return any(token_holds(value, row) for row in tokens("Identifier", held.get("identifier") or {}))
        return literal(held) in self._meant(facts, modifier, value)

    def _meant(self, facts: tuple[str, ...], modifier: str, value: str) -> set[Key]:
        """Return the references that a value stands for: of each possible type, and of linked patients."""
        there = literal({"reference": value})
        if there and there[0]:
            options = {there}
        elif re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", value):
            options = {(one, value) for one in ([modifier] if modifier else facts[0].split()[1:])}
        else:
            options = {("", value)}
        return {linked for option in options for linked in self.family(option)}

    def family(self, key: Key) -> set[Key]:
        """Return a resource and, for a patient that can be seen, those linked to it that can be seen too."""
        if key[0] != "Patient" or not self.linked or key not in self.by_key:
            return {key}
        found, left = {key}, [key]
        while left:
            one = left.pop()
            for pair in self.links:
                if one[1] in pair:
                    other = ("Patient", pair[0] if pair[1] == one[1] else pair[1])
                    if other in self.by_key and other not in found:
                        found.add(other)
                        left.append(other)
        return found

    def _chain(self, resource: Json, base: str, modifier: str, rest: str, value: str) -> bool:
        """Say whether a resource refers to one that satisfies the rest of a chain (§3.1.1.4.5)."""
        kind = resource["resourceType"]
        for _, held in values(resource, kind, base):
            there = literal(held)
            if there is None or there[0] not in ([modifier] if modifier else targets_of(kind, base)):
                continue
            for key in self.family(there):
                if key in self.by_key and self._fits(self.by_key[key], rest, value):
                    return True
        return False

    def _fits(self, resource: Json, name: str, value: str) -> bool:
        try:
            return self.holds(resource, name, value)
        except (Refused, KeyError):
            return False  # a type without that parameter

    def _has(self, resource: Json, name: str, value: str) -> bool:
        """Say whether another resource that satisfies the rest refers to this one (§3.1.1.4.6)."""
        _, kind, base, rest = name.split(":", 3)
        me = key_of(resource)
        return any(
            me in [literal(held) for _, held in values(one, kind, base)] and self.holds(one, rest, value)
            for one in self.resources
            if one["resourceType"] == kind
        )

    # --- includes ---

    def included(self, matches: Sequence[Json], pairs: Iterable[Pair]) -> set[Key]:
        """Return what `_include` and `_revinclude` add to some matches (§3.1.1.5.4)."""
        asked = [(name.partition(":")[0], name.partition(":")[2], value) for name, value in pairs]
        asked = [one for one in asked if one[0] in ("_include", "_revinclude")]
        mine = {key_of(one) for one in matches}
        found = {key for name, _, value in asked for one in matches for key in self._follow(name, value, one)} - mine
        left = set(found)
        again = [one for one in asked if one[1] in ("iterate", "recurse")]
        while left and again:
            new = {k for name, _, value in again for key in left for k in self._follow(name, value, self.by_key[key])}
            left = new - found - mine
            found |= left
        return found

    def _follow(self, name: str, value: str, resource: Json) -> set[Key]:
        source, _, rest = value.partition(":")
        base, _, target = rest.partition(":")
        if name == "_include":
            if source not in ("*", resource["resourceType"]):
                return set()
            return {key for key in references(resource, base) if key in self.by_key and target in ("", key[0])}
        others = [one for one in self.resources if source in ("*", one["resourceType"])]
        me = key_of(resource)
        return {key_of(one) for one in others if me in references(one, base) and target in ("", me[0])}


def steers(name: str) -> bool:
    """Say whether a name steers a search rather than filters it."""
    base = name.partition(":")[0]
    return base in ("_sort", "_count", "_total", "_include", "_revinclude", "_linked", "_summary", "_elements")


def references(resource: Json, base: str) -> set[Key]:
    """Return the targets of one reference parameter, or of all (`*`)."""
    kind = resource["resourceType"]
    names = [name for name in PARAMETERS[kind] if kind_of(kind, name) == "reference"] if base in ("*", "") else [base]
    if base not in ("*", "") and base not in PARAMETERS[kind]:
        return set()
    return {key for name in names for _, held in values(resource, kind, name) if (key := literal(held)) and key[0]}


def key_of(resource: Json) -> Key:
    """Return type and id."""
    return resource["resourceType"], resource["id"]


def _is_name(facts: tuple[str, ...], type_name: str) -> bool:
    return type_name == "HumanName" or facts[1].startswith("name.")


def _pairs(resource: Json, facts: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    for place in facts[1].split("|"):
        for context in at(resource, place) if place else [resource]:
            yield context.get("code"), context.get("valueQuantity")


def _coded(concept: Any) -> list[tuple[str, str]]:
    return tokens("CodeableConcept", concept) if concept else []


def _measured(quantity: Any) -> list[tuple[Fraction, Fraction, Json]]:
    return ranges("Quantity", quantity) if quantity else []


def _rows(kind: str, type_name: str, value: Any) -> list[Any]:
    if kind == "reference":
        return [1] if literal(value) else []
    makers: dict[str, Callable[[str, Any], list[Any]]] = {
        "token": tokens,
        "date": dates,
        "string": texts,
        "number": ranges,
        "quantity": ranges,
        "uri": lambda _, one: [one],
    }
    return makers[kind](type_name, value)


# --- order ----------------------------------------------------------------------------------------------------------


def sort_value(resource: Json, name: str) -> Any:
    """Return what a resource is sorted by for one `_sort` key, None without a value (§3.1.1.5.1)."""
    base, descending = name.removeprefix("-"), name.startswith("-")
    kind = resource["resourceType"]
    sort = kind_of(kind, base)
    if sort == "composite":
        raise Refused(name)
    rows = [row for t, v in values(resource, kind, base) for row in _rows(sort, t, v)]
    if sort == "string":
        rows = [fold(row) for row in rows]
    elif sort == "token":
        rows = [code for _, code in rows]
    elif sort in ("date", "number", "quantity"):
        rows = [row[0] for row in rows]
    elif sort == "reference":
        raise Refused(name)
    return None if not rows else max(rows) if descending else min(rows)


def in_order(resources: Sequence[Json], names: Sequence[str]) -> bool:
    """Say whether resources stand in the order of `_sort` keys; those without a value come last."""
    return all(not _before(later, sooner, names) for sooner, later in pairwise(resources))


def _before(one: Json, other: Json, names: Sequence[str]) -> bool:
    """Say whether `one` must stand before `other`."""
    for name in names:
        mine, theirs = sort_value(one, name), sort_value(other, name)
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return theirs is None
        return bool(mine > theirs) if name.startswith("-") else bool(mine < theirs)
    return False
