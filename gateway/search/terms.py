"""Sets of codes that a token is asked to be in: value sets (`:in`), and a code with those below or above it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.fhir import types
from gateway.search import definitions
from gateway.search.kinds.text import plain, split, wrong

Json = dict[str, Any]
Pair = tuple[str, str]

_R4 = "http://hl7.org/fhir/ValueSet/"
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Branch:
    """A code of a code system and all below it (`above`: all above it), `itself` too or not."""

    system: str
    code: str
    above: bool = False
    itself: bool = True


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes listed one by one, whole code systems, and branches of code systems that the store holds."""

    listed: frozenset[Pair] = frozenset()
    systems: frozenset[str] = frozenset()
    branches: tuple[Branch, ...] = ()

    def union(self, other: "Codes") -> "Codes":
        """Return what is in either."""
        return Codes(self.listed | other.listed, self.systems | other.systems, self.branches + other.branches)

    def has(self, system: str, code: str) -> bool:
        """Say whether a code is listed or its system is; an element of type code has no system, so any fits."""
        if system:
            return system in self.systems or (system, code) in self.listed
        return any(code == one for _, one in self.listed)


@dataclass(frozen=True, slots=True)
class InSet:
    """What a query asks: a code of `inside` that is not of `outside`; `name` is how it was asked."""

    name: str
    inside: Codes
    outside: Codes = Codes()

    def matches(self, found: Any) -> bool:
        """Say whether a token row satisfies this value, as far as no stored code system is needed."""
        return self.inside.has(found[2], found[3]) and not self.outside.has(found[2], found[3])


def parse_set(name: str, text: str) -> InSet:
    """Return the value of `:in` and `:not-in`; GatewayError (not found) for a value set that is not at hand."""
    url = plain(text)
    inside, outside = _value_set(name, url.partition("|")[0], 0)
    return InSet(url, inside, outside)


def parse_branch(name: str, text: str, *, above: bool) -> InSet:
    """Return the value of `:below` and `:above`; GatewayError unless it is `system|code`."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) != 2 or not all(parts):
        raise wrong(name, text, "system|code: which codes stand above and below is a matter of their code system")
    return InSet(text, _branch(Branch(parts[0], parts[1], above)))


def _value_set(name: str, url: str, depth: int) -> tuple[Codes, Codes]:
    own = definitions.canonical().get(url)
    if own is not None and own.get("resourceType") == "ValueSet" and depth < _DEPTH:
        compose = own.get("compose") or {}
        outside = _all(_included(name, one, depth) for one in compose.get("exclude") or ())
        return _all(_included(name, one, depth) for one in compose.get("include") or ()), outside
    listed = types.value_set(url.removeprefix(_R4)) if url.startswith(_R4) else {}
    if not listed:
        text = f"There is no value set {url!r} here that {name!r} could be in. There are R4's required ones and ours."
        raise GatewayError(text, where=name, category=Category.NOT_FOUND)
    return Codes(frozenset((system, code) for system, codes in listed.items() for code in codes)), Codes()


def _all(parts: Iterable[Codes]) -> Codes:
    made = Codes()
    for part in parts:
        made = made.union(part)
    return made


def _included(name: str, one: Json, depth: int) -> Codes:
    sets = one.get("valueSet") or ()
    if sets and (len(sets) > 1 or "system" in one):
        raise _too_much(name, "takes what several value sets have in common")
    if sets:
        inside, outside = _value_set(name, sets[0].partition("|")[0], depth + 1)
        if outside != Codes():
            raise _too_much(name, "includes one that excludes codes")
        return inside
    system = one.get("system", "")
    if "concept" in one:
        return Codes(frozenset((system, concept["code"]) for concept in one["concept"]))
    filters = one.get("filter") or ()
    if not filters:
        return Codes(systems=frozenset({system}))
    if len(filters) > 1 or filters[0].get("op") not in ("is-a", "descendent-of"):
        raise _too_much(name, "chooses codes by other filters than is-a and descendent-of")
    return _branch(Branch(system, filters[0]["value"], itself=filters[0]["op"] == "is-a"))


def _too_much(name: str, what: str) -> GatewayError:
    text = f"The value set that {name!r} names {what}; search cannot follow that."
    return GatewayError(text, where=name, category=Category.UNSUPPORTED)


def _branch(branch: Branch) -> Codes:
    """Return the codes of a branch of one of our code systems; a branch of any other is left to the store."""
    system = definitions.canonical().get(branch.system)
    if system is None or system.get("resourceType") != "CodeSystem" or not system.get("concept"):
        return Codes(branches=(branch,))
    found = {code for code, above in _placed(system["concept"], ()) if branch.code in above}
    if branch.above:
        found = {one for code, above in _placed(system["concept"], ()) if code == branch.code for one in above}
    if branch.itself:
        found.add(branch.code)
    return Codes(frozenset((branch.system, code) for code in found))


def _placed(concepts: Iterable[Json], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every code with those above it."""
    for concept in concepts:
        yield concept["code"], above
        yield from _placed(concept.get("concept") or (), (*above, concept["code"]))
