"""Which slice an entry of a sliced list is, by its discriminators (http://hl7.org/fhir/R4/profiling.html#slicing)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from gateway.conformance import items, matching, references, rules
from gateway.conformance.items import Item
from gateway.conformance.profiles import Profiles
from gateway.conformance.rules import Constant, Discriminator, Rule
from gateway.errors import GatewayError

Holds = Callable[[str, Item], bool]
"""Says whether an item satisfies the profile of a canonical URL."""
Resolve = Callable[[Item], Item | None]
"""Returns what a Reference points at inside the same resource or Bundle."""

_STEP = re.compile(r"[a-z]\w*\('[^']*'\)|[a-z]\w*\(\w*\)|\$this|[A-Za-z]\w*")
_EXTENSION = re.compile(r"extension\('([^']*)'\)")
_OF_TYPE = re.compile(r"ofType\((\w+)\)")


class Slicer:
    """Tells slices apart; `holds`, `coded` and `resolve` answer what needs more than the entry itself."""

    def __init__(self, profiles: Profiles, holds: Holds, coded: Callable[[str, Item], bool], resolve: Resolve) -> None:
        self._profiles = profiles
        self._holds = holds
        self._coded = coded
        self._resolve = resolve

    def slice_of(self, rule: Rule, item: Item) -> Rule | None:
        """Return the slice of `rule` that an entry is, None where it is none of them.

        Raises GatewayError where a slice has nothing that its discriminator could tell it by.
        """
        by = rule.slicing.by if rule.slicing else ()
        for one in rule.slices.values():
            if by and all(self._is(one, told, item) for told in by):
                return one
        return None

    def _is(self, part: Rule, told: Discriminator, item: Item) -> bool:
        steps = _STEP.findall(told.path)
        found = [item]
        for step in steps:
            found = [below for one in found for below in self._step(one, step)]
        if told.kind == "exists":
            return bool(found) == _wanted(part, steps)
        if told.kind == "type":
            names = self._kinds(part, steps)
            return any(one.type in names for one in found) or self._unresolved(item, steps, names)
        if told.kind == "profile":
            urls = self._urls(part, steps)
            return any(self._holds(url, one) for one in found for url in urls)
        return self._same(part, steps, found)

    def _step(self, item: Item, step: str) -> list[Item]:
        """Return what one step of a discriminator's path leads to."""
        extension, of_type = _EXTENSION.fullmatch(step), _OF_TYPE.fullmatch(step)
        if step == "$this":
            return [item]
        if step == "resolve()":
            target = self._resolve(item)
            return [] if target is None else [target]
        if extension:
            return [one for one in items.named(item, "extension") if one.value.get("url") == extension[1]]
        if of_type:
            return [item] if item.type == of_type[1] else []
        return items.named(item, step)

    def _same(self, part: Rule, steps: list[str], found: list[Item]) -> bool:
        constant = self.constant(part, steps)
        if constant is not None:
            return any(matching.fits(one.value, constant) for one in found)
        bound = self._at(part, steps)
        if bound is None or bound.binding is None:
            path = ".".join(steps)
            raise GatewayError(f"The slice {part.name}:{part.slice} says no fixed value or pattern at {path}.")
        return any(self._coded(bound.binding.value_set, one) for one in found)

    def constant(self, rule: Rule, steps: list[str]) -> Constant | None:
        """Return the value a slice demands at a path: its own, one inside a pattern above, or its profile's."""
        plain = [step for step in steps if step != "$this"]
        found = _inside(rule.constant, plain) if rule.constant is not None else None
        if found is None and plain and plain[0] in rule.children:
            found = self.constant(rule.children[plain[0]], plain[1:])
        return self._of_profile(rule, plain) if found is None and plain else found

    def _of_profile(self, rule: Rule, steps: list[str]) -> Constant | None:
        for url in (url for kind in rule.kinds for url in kind.profiles):
            if steps == ["url"] and rule.type == "Extension":
                return Constant(rules.canonical(url)[0], exact=True)
            profile = rules.find(self._profiles, url)
            found = self.constant(profile.root, steps) if profile else None
            if found is not None:
                return found
        return None

    def _at(self, rule: Rule, steps: list[str]) -> Rule | None:
        for step in (step for step in steps if step != "$this"):
            below = rule.children.get(step)
            if below is None:
                return None
            rule = below
        return rule

    def _kinds(self, part: Rule, steps: list[str]) -> set[str]:
        """Return the types a slice allows at a path; behind resolve() those its reference may point at."""
        if "resolve()" in steps:
            return {self._type(url) for url in self._targets(part, steps)}
        rule = self._at(part, steps)
        return {kind.code for kind in rule.kinds} if rule else set()

    def _targets(self, part: Rule, steps: list[str]) -> Iterator[str]:
        rule = self._at(part, steps[: steps.index("resolve()")])
        for kind in rule.kinds if rule else ():
            yield from kind.targets

    def _type(self, url: str) -> str:
        profile = rules.find(self._profiles, url)
        return profile.type if profile else url.removeprefix(rules.CORE)

    def _urls(self, part: Rule, steps: list[str]) -> list[str]:
        if "resolve()" in steps:
            return list(self._targets(part, steps))
        rule = self._at(part, steps)
        return [url for kind in rule.kinds for url in kind.profiles] if rule else []

    def _unresolved(self, item: Item, steps: list[str], names: set[str]) -> bool:
        """Say whether a reference that leads out of the resource names one of the types wanted."""
        if steps[-1:] != ["resolve()"]:
            return False
        found = [item]
        for step in steps[:-1]:
            found = [below for one in found for below in self._step(one, step)]
        texts = (str(one.value.get("reference", "")) for one in found if self._resolve(one) is None)
        return any(references.target(text) in names for text in texts)


def _inside(constant: Constant, steps: list[str]) -> Constant | None:
    value: Any = constant.value
    for step in steps:
        value = value[0] if isinstance(value, list) and value else value
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return Constant(value[0] if steps and isinstance(value, list) else value, constant.exact)


def _wanted(part: Rule, steps: list[str]) -> bool:
    rule = part
    for step in steps:
        rule = rule.children.get(step, rule)
    return rule.most != 0
