"""Which of our profiles a produced resource satisfies: what it may truly bear as meta.profile."""

from typing import Any

from gateway.conformance import extensions, invariants, rules
from gateway.conformance.fhirpath.values import Moment, Unjudged, compare
from gateway.conformance.profiles import Profiles
from gateway.conformance.quick import Quick, Test, every, invariant, later, remembering
from gateway.conformance.rules import Constraint
from gateway.fhir import types

Json = dict[str, Any]

_KEY = "claims"
# Judged while a resource is made or by its structure, or about what produced resources never have.
_SETTLED = frozenset({"ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5"})
_NEVER_MADE = ("contained", "text", "modifierExtension")


def claims(resource: Json, profiles: Profiles) -> tuple[str, ...]:
    """Return the canonical URLs of the profiles marked `claimed` that a produced resource satisfies, with R4's rules.

    The tests are compiled once; a resource costs some microseconds, one of a type without such a profile nothing.
    """
    table: _Table | None = profiles.compiled.get(_KEY)
    if table is None:
        table = profiles.compiled[_KEY] = _Table(profiles)
    tests = table.tests.get(resource["resourceType"])
    if tests is None or any(name in resource for name in _NEVER_MADE):
        return ()
    found = tuple(url for url, test in tests if test(resource, resource))
    return found if found and table.base(resource["resourceType"])(resource, resource) else ()


class _Table:
    """The compiled tests of a set of profiles."""

    def __init__(self, profiles: Profiles) -> None:
        self._quick = Quick(profiles)
        self._profiles = profiles
        self._base: dict[str, Test] = {}
        self.tests: dict[str, list[tuple[str, Test]]] = {}
        for profile in rules.everything(profiles):
            if profile.claimed:
                self.tests.setdefault(profile.type, []).append((profile.url, self._quick.profile(profile.url)))

    def base(self, kind: str) -> Test:
        """Return the test of R4's own rules, and of our extensions, at and below a value of a type or backbone path."""
        if kind not in self._base:
            self._base[kind] = later(self._base, kind)  # for types in a circle
            self._base[kind] = self._made(kind)
        return self._base[kind]

    def _made(self, kind: str) -> Test:
        own = every([_rule(one, kind) for one in invariants.of(kind, kind) if _matters(one)])
        whole = kind in types.RESOURCE_TYPES
        fields = [one for one in types.fields(kind).values() if one.type not in types.PRIMITIVES]
        below = {one.name: self._below(one, whole=whole) for one in fields if one.type != "Resource"}
        names = below.keys()

        def test(value: Json, resource: Json) -> bool:
            return all(below[key](value[key], resource) for key in names & value.keys()) and own(value, resource)

        return test

    def _below(self, field: types.Field, *, whole: bool) -> Test:
        """Return the test of all values of a property; right below a resource its answers are kept."""

        def judge(held: Any, resource: Json) -> bool:
            return self._each(field)(held, resource)

        if field.type == "Reference":
            return lambda held, resource: all(map(_bare, _listed(held))) or judge(held, resource)
        return remembering(judge, _itself) if whole else judge

    def _each(self, field: types.Field) -> Test:
        key = f"{field.element.path} {field.type}"
        if key not in self._base:
            placed = _at(field.element.path) if field.element.path != field.type else ()
            here = [_rule(one, field.type) for one in placed if _matters(one)]
            single = self._extension if field.type == "Extension" else every([*here, self.base(field.type)])
            self._base[key] = lambda held, resource: all(single(one, resource) for one in _listed(held))
        return self._base[key]

    def _extension(self, value: Json, resource: Json) -> bool:
        """Judge one extension: ours by its definition, foreign ones are nobody's business."""
        url = value["url"]
        profile = rules.find(self._profiles, url) if ":" in url else None
        if profile is None:
            return not url.startswith(extensions.OWN) and self.base("Extension")(value, resource)
        return self._quick.profile(url)(value, resource) and self.base("Extension")(value, resource)


def _listed(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [held]


def _itself(held: Any) -> Any:
    return held


def _bare(reference: Json) -> bool:
    """Say whether a reference has nothing that any rule is about."""
    return "identifier" not in reference and "extension" not in reference


def _at(path: str) -> tuple[Constraint, ...]:
    return invariants.table().get(path, ())


def _matters(constraint: Constraint) -> bool:
    return constraint.severity == "error" and constraint.key not in _SETTLED


def _rule(constraint: Constraint, kind: str) -> Test:
    return _PLAIN.get(constraint.key) or invariant(constraint.expression, kind, empty=True)


def _forwards(value: Json, _: Json) -> bool:
    """per-1: a period does not end before it begins."""
    start, end = value.get("start"), value.get("end")
    if start is None or end is None:
        return True
    try:
        return compare(Moment(start), Moment(end)) <= 0
    except Unjudged:
        return True


_PLAIN: dict[str, Test] = {
    "cpt-2": lambda value, _: "value" not in value or "system" in value,
    "per-1": _forwards,
    "qty-3": lambda value, _: "code" not in value or "system" in value,
}
"""The commonest of R4's rules, as they read in Python."""
