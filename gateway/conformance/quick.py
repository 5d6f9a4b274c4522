"""A profile as closures over plain JSON: yes or no in microseconds, never yes where `validate` says no.

What has no quick form (slices told apart by type or order, references into the resource) counts as no.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from gateway.conformance import matching, references, rules
from gateway.conformance.desk import Budget
from gateway.conformance.fhirpath import compiler
from gateway.conformance.fhirpath.functions import Env
from gateway.conformance.items import Frame, Item, fields_of
from gateway.conformance.profiles import Profiles
from gateway.conformance.rules import CORE, Kind, Rule
from gateway.conformance.slices import Slicer
from gateway.conformance.terminology import NoCodes, Terminology
from gateway.errors import GatewayError
from gateway.fhir import types

Json = dict[str, Any]
Test = Callable[[Any, Json], bool]
"""Judges a value inside a resource."""

_SECONDS = 1.0
_REMEMBERED = 8192


class Quick:
    """Compiles profiles; each once."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._terminology = Terminology(profiles, NoCodes())
        self._slicer = Slicer(profiles, _no, _no, lambda _: None)
        self._made: dict[str, Test] = {}

    def profile(self, url: str) -> Test:
        """Return the test of one of our profiles and those it is built on."""
        if url not in self._made:
            self._made[url] = later(self._made, url)  # for profiles in a circle
            self._made[url] = self._profile(url)
        return self._made[url]

    def _profile(self, url: str) -> Test:
        profile = rules.find(self._profiles, url)
        if profile is None:
            return _never
        base = rules.find(self._profiles, profile.base)
        if base is None and not profile.base.startswith(CORE):
            return _never
        return every([*([self.profile(base.url)] if base else []), *self._value(profile.root)])

    def _value(self, rule: Rule) -> list[Test]:
        """Return the tests of one value of an element."""
        tests: list[Test] = []
        if rule.constant is not None:
            constant = rule.constant
            tests.append(lambda value, _: matching.fits(value, constant))
        if rule.binding is not None and rule.binding.strength == "required":
            tests.append(self._bound(rule.binding.value_set, rule.type))
        if rule.kinds and rule.type == "Reference":
            tests += self._reference(rule.kinds)
        profiled = [url for kind in rule.kinds for url in kind.profiles]
        if profiled and rule.type != "Extension":  # extensions are judged wherever they stand
            tests.append(self.profile(profiled[0]) if len(profiled) == 1 else _never)
        tests += [_constraint(one.expression, rule.type) for one in rule.constraints if one.severity == "error"]
        tests += [self._part(child, rule.type) for child in rule.children.values()]
        return tests

    def _part(self, rule: Rule, owner: str) -> Test:
        """Return the test of an element; right below a resource its answers are kept, if they hang on it alone."""
        test = self._group(rule, owner)
        if owner not in types.RESOURCE_TYPES or _looks_around(rule):
            return test
        names = [name for field in fields_of(owner).get(rule.name, ()) for name in (field.name, "_" + field.name)]
        return remembering(test, lambda holder: {name: holder[name] for name in names if name in holder})

    def _group(self, rule: Rule, owner: str) -> Test:
        """Return the test of how often an element stands below `owner`, of its values and of its slices."""
        fields = fields_of("Element" if owner in types.PRIMITIVES else owner).get(rule.name, ())
        if not fields or owner in types.PRIMITIVES:
            return _never
        codes = {kind.code for kind in rule.kinds}
        taken = [one.name for one in fields if not codes or len(fields) == 1 or one.type in codes]
        refused = [name for one in fields for name in (one.name, "_" + one.name) if one.name not in taken]
        single = every(self._value(rule)) if len(taken) == 1 or not rule.children else _never
        slices = self._slices(rule, owner)
        least, most = rule.least, rule.most
        # A value that is nothing but an extension is not looked into: it does where only presence is asked.
        companions = [f"_{name}" for name in taken]
        presence = single is _always and not rule.slices and not fields[0].element.many

        def test(holder: Any, resource: Json) -> bool:
            found = _values(holder, taken)
            if not holder.keys().isdisjoint(companions):
                if not presence:
                    return False
                found = found or [None]
            if len(found) < least or (most is not None and len(found) > most):
                return False
            if any(name in holder for name in refused):
                return False
            return all(single(one, resource) for one in found) and slices(found, resource)

        return test

    def _slices(self, rule: Rule, owner: str) -> Test:
        if not rule.slices:
            return _always
        slicing = rule.slicing
        if slicing is None or slicing.ordered or slicing.rules == "openAtEnd":
            return _never
        told = [(part, self._matcher(rule, part), every(self._value(part))) for part in rule.slices.values()]
        parts = [(part, matches, each) for part, matches, each in told if matches is not None]
        if len(parts) < len(told):
            return _never
        closed = slicing.rules == "closed"

        def test(found: Any, resource: Json) -> bool:
            left = list(found)
            for part, matches, each in parts:
                mine = [one for one in left if matches(one, resource)]
                left = [one for one in left if not any(one is other for other in mine)]
                if len(mine) < part.least or (part.most is not None and len(mine) > part.most):
                    return False
                if not all(each(one, resource) for one in mine):
                    return False
            return not (left and closed)

        return test

    def _matcher(self, rule: Rule, part: Rule) -> Test | None:
        """Return the test that tells whether an entry is of a slice, None where it has no quick form."""
        assert rule.slicing is not None
        tests: list[Test] = []
        for told in rule.slicing.by:
            steps = [step for step in told.path.split(".") if step != "$this"]
            constant = self._slicer.constant(part, steps) if told.kind in ("value", "pattern") else None
            if constant is None or not all(step.isalnum() for step in steps):
                return None
            tests.append(_at(steps, constant))
        return every(tests)

    def _bound(self, value_set: str, kind: str) -> Test:
        known: dict[tuple[str, str], bool] = {}

        def held(system: str, code: str) -> bool:
            key = (system, code)
            if key not in known:
                known[key] = self._terminology.holds(value_set, system, code) is True
                if len(known) > _REMEMBERED:
                    known.clear()
                    return self._terminology.holds(value_set, system, code) is True
            return known[key]

        def test(value: Any, _: Json) -> bool:
            if isinstance(value, str):
                return held("", value)
            listed = value.get("coding", ()) if kind == "CodeableConcept" else (value,)
            return any(held(one.get("system", "?"), one["code"]) for one in listed if "code" in one)

        return test

    def _reference(self, kinds: Sequence[Kind]) -> list[Test]:
        if not all(kind.targets for kind in kinds):
            return []
        wanted = {self._type(url) for kind in kinds for url in kind.targets}

        def test(value: Any, _: Json) -> bool:
            text = value.get("reference", "")
            named = references.target(text) or value.get("type", "")
            return not text.startswith("#") and (
                named in wanted or named not in types.RESOURCE_TYPES or "Resource" in wanted
            )

        return [test]

    def _type(self, url: str) -> str:
        profile = rules.find(self._profiles, url)
        return profile.type if profile else url.removeprefix(CORE)


def _constraint(expression: str, kind: str) -> Test:
    """Return the test of a constraint; its answers on a resource are kept by the elements it asks about."""
    test = invariant(expression, kind)
    if kind not in types.RESOURCE_TYPES:
        return test
    names = compiler.members(expression)
    return test if names is None else remembering(test, lambda held: {name: held[name] for name in names & held.keys()})


def invariant(expression: str, kind: str, *, empty: bool = False) -> Test:
    """Return the test of one FHIRPath expression at values of a type."""

    def test(value: Any, resource: Json) -> bool:
        item = Item(value, None, kind, kind, Frame(resource, resource))
        try:
            return compiler.holds(expression, Env(Budget(_SECONDS), item, lambda _: None), empty=empty) is not False
        except GatewayError:
            return False

    return test


def remembering(judge: Test, seen: Callable[[Any], Any]) -> Test:
    """Return a test that keeps its answers by what it has `seen`: numbers, names and codes come again and again."""
    known: dict[bytes, bool] = {}

    def test(value: Any, resource: Json) -> bool:
        key = msgspec.json.encode(seen(value))
        found = known.get(key)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[key] = judge(value, resource)
        return found

    return test


def _looks_around(rule: Rule) -> bool:
    """Say whether a constraint at or below an element asks about more than the element."""
    if any("%" in one.expression for one in rule.constraints):
        return True
    return any(_looks_around(one) for one in (*rule.children.values(), *rule.slices.values()))


def every(tests: Sequence[Test]) -> Test:
    """Return the test that holds where all of them do."""
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda value, resource: all(test(value, resource) for test in tests)


def later(made: dict[str, Test], name: str) -> Test:
    """Return a test that is looked up when it is first asked, for types and profiles that contain themselves."""

    def test(value: Any, resource: Json) -> bool:
        return made[name](value, resource)

    return test


def _always(_: Any, __: Json) -> bool:
    return True


def _never(_: Any, __: Json) -> bool:
    return False


def _no(*_: Any) -> bool:
    return False


def _values(holder: Json, names: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for name in names:
        value = holder.get(name)
        if isinstance(value, list):
            found += value
        elif value is not None:
            found.append(value)
    return found


def _at(steps: Sequence[str], constant: rules.Constant) -> Test:
    """Return the test that one of the values at a path is what a slice demands."""
    return lambda value, _: any(matching.fits(one, constant) for one in _reached(value, steps))


def _reached(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif isinstance(value, dict):
        for one in _values(value, steps[:1]):
            yield from _reached(one, steps[1:])
