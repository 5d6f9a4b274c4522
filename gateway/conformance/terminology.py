"""Whether a code is in a value set: R4's required ones, the region's own, and code files a site installed."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Protocol

from gateway.conformance.profiles import Profiles
from gateway.conformance.rules import canonical
from gateway.fhir import types

Json = dict[str, Any]
Tree = Mapping[str, tuple[str, ...]]
"""Codes of a system, each with the codes above it."""

_R4 = "http://hl7.org/fhir/ValueSet/"
_OF_CODE = ("concept", "code")
_DEPTH = 20


class Codes(Protocol):
    """The code files that are installed beside the region's own code systems."""

    def installed(self, system: str) -> bool:
        """Say whether the system's codes are there."""
        ...

    def above(self, system: str, code: str) -> tuple[str, ...] | None:
        """Return the codes above a code, nearest first; None where the system has no such code."""
        ...


class NoCodes:
    """No code files: what the region does not define itself cannot be judged."""

    def installed(self, system: str) -> bool:
        """Say no."""
        return False

    def above(self, system: str, code: str) -> tuple[str, ...] | None:
        """Return nothing."""
        return None


class Terminology:
    """Answers whether codes are in value sets; None where a part of the value set is not at hand."""

    def __init__(self, profiles: Profiles, codes: Codes) -> None:
        self._profiles = profiles
        self._codes = codes

    def title(self, address: str) -> str:
        """Return what people call a value set."""
        definition = self._profiles.canonical.get(canonical(address)[0], {})
        return definition.get("title") or definition.get("name") or canonical(address)[0].rpartition("/")[2]

    def holds(self, address: str, system: str, code: str, depth: int = 0) -> bool | None:
        """Say whether a value set has a code; an empty `system` stands for any (R4's type `code`)."""
        url, _ = canonical(address)
        own = self._profiles.canonical.get(url)
        if own is not None and own["resourceType"] == "ValueSet" and depth < _DEPTH:
            return self._composed(own.get("compose", {}), system, code, depth)
        listed = types.value_set(url.removeprefix(_R4)) if url.startswith(_R4) else {}
        if not listed:
            return None
        return code in listed.get(system, ()) if system else any(code in codes for codes in listed.values())

    def _composed(self, compose: Json, system: str, code: str, depth: int) -> bool | None:
        inside = _any(self._included(one, system, code, depth) for one in compose.get("include", ()))
        if inside is False:
            return False
        outside = _any(self._included(one, system, code, depth) for one in compose.get("exclude", ()))
        if outside:
            return False
        return None if outside is None else inside

    def _included(self, one: Json, system: str, code: str, depth: int) -> bool | None:
        parts: list[bool | None] = [self.holds(url, system, code, depth + 1) for url in one.get("valueSet", ())]
        if "system" in one:
            parts.append(self._of_system(one, system, code))
        return _all(parts)

    def _of_system(self, one: Json, system: str, code: str) -> bool | None:
        if system and system != one["system"]:
            return False
        if "concept" in one:
            return any(concept["code"] == code for concept in one["concept"])
        above = self._above(one["system"], code)
        if above is None or above is False:
            return above
        assert isinstance(above, tuple)
        return _all(_filtered(told, code, above) for told in one.get("filter", ()))

    def _above(self, system: str, code: str) -> tuple[str, ...] | bool | None:
        """Return the codes above a code, False where the system has it not, None where the system is not at hand."""
        tree = self._tree(system)
        if tree is not None:
            return tree.get(code, False)
        if self._codes.installed(system):
            found = self._codes.above(system, code)
            return False if found is None else found
        return () if code in _r4_codes().get(system, ()) else None

    def _tree(self, system: str) -> Tree | None:
        definition = self._profiles.canonical.get(system)
        if definition is None or definition["resourceType"] != "CodeSystem" or "concept" not in definition:
            return None
        key = f"tree {system}"
        if key not in self._profiles.compiled:
            self._profiles.compiled[key] = _tree(definition["concept"], ())
        found: Tree = self._profiles.compiled[key]
        return found


def _any(parts: Iterable[bool | None]) -> bool | None:
    found = list(parts)
    return True if True in found else None if None in found else False


def _all(parts: Iterable[bool | None]) -> bool | None:
    found = list(parts)
    return False if False in found else None if None in found else True


def _tree(concepts: Iterable[Json], above: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for concept in concepts:
        parents = (*_parents(concept), *above)
        found[concept["code"]] = parents
        found |= _tree(concept.get("concept", ()), (concept["code"], *parents))
    return found


def _parents(concept: Json) -> list[str]:
    told = (one for one in concept.get("property", ()) if one.get("code") == "parent")
    return [one["valueCode"] for one in told if "valueCode" in one]


_TESTS: dict[str, Callable[[str, str, tuple[str, ...]], bool]] = {
    "=": lambda value, code, _: code == value,
    "is-a": lambda value, code, above: code == value or value in above,
    "descendent-of": lambda value, _, above: value in above,
    "is-not-a": lambda value, code, above: code != value and value not in above,
    "in": lambda value, code, _: code in [one.strip() for one in value.split(",")],
    "not-in": lambda value, code, _: code not in [one.strip() for one in value.split(",")],
    "regex": lambda value, code, _: re.fullmatch(value, code) is not None,
}


def _filtered(told: Json, code: str, above: tuple[str, ...]) -> bool | None:
    """Say whether a filter lets a code in; None for a filter on other properties than the code and its place."""
    value: str = told["value"]
    if told["property"] == "parent" and told["op"] == "=":
        return above[:1] == (value,)
    test = _TESTS.get(told["op"]) if told["property"] in _OF_CODE else None
    return None if test is None else test(value, code, above)


@cache
def _r4_codes() -> dict[str, set[str]]:
    """Return every code that R4's required value sets list, by system."""
    found: dict[str, set[str]] = {}
    for name in types.value_sets():
        for system, codes in types.value_set(name).items():
            found.setdefault(system, set()).update(codes)
    return found
