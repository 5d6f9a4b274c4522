"""A profile's rules applied to a resource: cardinality, types, fixed values, slices, bindings, references."""

from collections.abc import Sequence
from typing import Any

from gateway.conformance import invariants, items, matching, references, rules
from gateway.conformance.desk import Desk
from gateway.conformance.items import Item
from gateway.conformance.references import either
from gateway.conformance.rules import CORE, Binding, Kind, Profile, Rule
from gateway.conformance.slices import Slicer
from gateway.fhir import types
from gateway.fhir.issues import Severity, has_errors
from gateway.fhir.primitives import shown

Json = dict[str, Any]


class Applying:
    """Applies profiles to items; what is wrong is noted on the desk."""

    def __init__(self, desk: Desk, under_way: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._desk = desk
        self._slicer = Slicer(desk.profiles, self.holds, self._coded, desk.resolve)
        self._under_way = under_way
        self._profile: Profile | None = None

    def profile(self, profile: Profile, item: Item) -> None:
        """Check an item against a profile and those it is built on."""
        key = (profile.url, id(item.value))
        if key in self._under_way:
            return
        before, self._profile = self._profile, profile
        self._under_way |= {key}
        try:
            self._chain(profile, item)
        finally:
            self._profile = before
            self._under_way -= {key}

    def holds(self, url: str, item: Item) -> bool:
        """Say whether an item satisfies the profile of a canonical URL; one that is not ours counts by its type."""
        profile = rules.find(self._desk.profiles, url)
        if profile is None:
            return not url.startswith(CORE) or _is(url.removeprefix(CORE), item)
        trial = Applying(self._desk.trial(), self._under_way)
        trial.profile(profile, item)
        return not has_errors(trial._desk.issues)

    def _chain(self, profile: Profile, item: Item) -> None:
        if item.type != profile.type:
            self._note("error", "structure", item.where, f"{_title(profile)} is a profile of {profile.type}.")
            return
        base = rules.find(self._desk.profiles, profile.base)
        if base is not None:
            self.profile(base, item)
        elif not profile.base.startswith(CORE):
            text = f"{profile.base}, on which {_title(profile)} is built, is not here: its rules were not checked."
            self._note("warning", "not-found", item.where, text)
        self._element(profile.root, item)

    def _note(self, severity: Severity, code: str, where: str, text: str) -> None:
        self._desk.note(severity, code, where, text)

    @property
    def _told(self) -> str:
        assert self._profile is not None
        return _title(self._profile)

    def _element(self, rule: Rule, item: Item) -> None:
        """Check one element against a rule, and everything below both."""
        self._desk.budget.spend()
        if rule.kinds and not self._kind(rule, item):
            return
        if rule.constant is not None and not matching.fits(item.value, rule.constant):
            word = "exactly " if rule.constant.exact and isinstance(rule.constant.value, dict) else ""
            text = f"{self._told} wants {word}{shown(rule.constant.value)} here, not {shown(item.value)}."
            self._note("error", "value", item.where, text)
        if rule.binding is not None:
            self._bound(rule.binding, item)
        for constraint in rule.constraints:
            invariants.check(self._desk, constraint, item, self._told)
        for child in rule.children.values():
            self._group(child, items.named(item, child.name), f"{item.where}.{child.name}")

    def _group(self, rule: Rule, found: Sequence[Item], where: str) -> None:
        """Check how often an element stands, each of its values, and their slices."""
        self._count(rule, len(found), where)
        for one in found:
            self._element(rule, one)
        if rule.slices:
            self._slices(rule, found, where)

    def _count(self, rule: Rule, number: int, where: str) -> None:
        name = f"{rule.name}:{rule.slice}" if rule.slice else rule.name
        if number < rule.least:
            often = "it" if rule.least == 1 else f"it {rule.least} times at least, {number} are given"
            self._note("error", "required", where, f"{name} is missing: {self._told} needs {often}.")
        if rule.most is not None and number > rule.most:
            text = f"{self._told} has no {name}: leave it out."
            if rule.most:
                text = f"{self._told} takes {name} {rule.most} times at most, {number} are given."
            self._note("error", "structure", where, text)

    def _slices(self, rule: Rule, found: Sequence[Item], where: str) -> None:
        sorted_in: dict[str, list[Item]] = {name: [] for name in rule.slices}
        places: list[int] = []
        for one in found:
            self._desk.budget.spend(len(rule.slices))
            part = self._slicer.slice_of(rule, one)
            places.append(list(rule.slices).index(part.slice) if part else len(rule.slices))
            if part is not None:
                sorted_in[part.slice].append(one)
            elif rule.slicing is not None and rule.slicing.rules == "closed":
                text = f"{self._told} takes only {either(rule.slices)} as {rule.name}; this is none of them."
                self._note("error", "structure", one.where, text)
        self._order(rule, places, where)
        for name, part in rule.slices.items():
            self._group(part, sorted_in[name], where)

    def _order(self, rule: Rule, places: list[int], where: str) -> None:
        slicing = rule.slicing
        if slicing is None:
            return
        other = len(rule.slices)
        named = [place for place in places if place < other]
        if slicing.ordered and named != sorted(named):
            text = f"{self._told} wants {rule.name} in the order {', '.join(rule.slices)}."
            self._note("error", "structure", where, text)
        if slicing.rules == "openAtEnd" and other in places[: len(named)]:
            text = f"{self._told} wants other entries of {rule.name} after {either(rule.slices)}."
            self._note("error", "structure", where, text)

    def _kind(self, rule: Rule, item: Item) -> bool:
        """Check an element's type, the profiles of the type and the targets of a reference; say whether to go on."""
        kinds = [kind for kind in rule.kinds if _is(kind.code, item)]
        if not kinds:
            names = either(kind.code for kind in rule.kinds)
            self._note("error", "structure", item.where, f"{self._told} wants {names} here, not {item.type}.")
            return False
        if all(kind.profiles for kind in kinds):
            self._profiled([url for kind in kinds for url in kind.profiles], item)
        if item.type == "Reference" and all(kind.targets for kind in kinds):
            self._reference(kinds, item)
        return True

    def _profiled(self, urls: list[str], item: Item) -> None:
        """Check that a value satisfies one of the profiles of its type."""
        only = rules.find(self._desk.profiles, urls[0]) if len(urls) == 1 else None
        if only is not None:
            if only.type != "Extension":  # extensions are checked wherever they stand
                self.profile(only, item)
        elif not any(self.holds(url, item) for url in urls):
            text = f"{self._told} wants what satisfies {either(urls)} here."
            self._note("error", "structure", item.where, text)

    def _reference(self, kinds: Sequence[Kind], item: Item) -> None:
        urls = [url for kind in kinds for url in kind.targets]
        target = self._desk.resolve(item)
        if target is not None:
            if not any(self.holds(url, target) for url in urls):
                text = f"{self._told} wants {either(map(self._target, urls))} here; {target.type} does not satisfy it."
                self._note("error", "structure", item.where, text)
            return
        named = references.target(str(item.value.get("reference", ""))) or str(item.value.get("type", ""))
        wanted = {self._type(url) for url in urls}
        if named in types.RESOURCE_TYPES and not wanted & {named, "Resource"}:
            text = f"{self._told} wants a reference to {either(sorted(wanted))} here, not to {named}."
            self._note("error", "value", item.where, text)

    def _type(self, url: str) -> str:
        profile = rules.find(self._desk.profiles, url)
        return profile.type if profile else url.removeprefix(CORE)

    def _target(self, url: str) -> str:
        profile = rules.find(self._desk.profiles, url)
        return _title(profile) if profile else url.removeprefix(CORE)

    def _bound(self, binding: Binding, item: Item) -> None:
        """Check a coded element against its value set: required ones are errors, extensible ones warnings."""
        if binding.strength not in ("required", "extensible"):
            return
        held = self._held(binding.value_set, item)
        title = self._desk.terminology.title(binding.value_set)
        if held is None:
            text = f"Whether the code is of {title}, as {self._told} asks, cannot be told: its codes are not installed."
            self._note("information", "not-found", item.where, text)
        elif not held and binding.strength == "required":
            text = f"{self._told} wants a code of {title} here ({binding.value_set}), not {_codes(item)}."
            self._note("error", "code-invalid", item.where, text)
        elif not held and _coded_at_all(item):
            text = f"{_codes(item)} is not of {title}; {self._told} asks for its code where it has one that fits."
            self._note("warning", "code-invalid", item.where, text)

    def _coded(self, value_set: str, item: Item) -> bool:
        return self._held(value_set, item) is True

    def _held(self, value_set: str, item: Item) -> bool | None:
        """Say whether one of an element's codes is in a value set."""
        holds = self._desk.terminology.holds
        found = [holds(value_set, system, code) for system, code in codings(item)]
        return True if True in found else None if None in found else False


def codings(item: Item) -> list[tuple[str, str]]:
    """Return system (empty for the type `code` and texts) and code of each coding in a coded element."""
    if not isinstance(item.value, dict):
        return [("", item.value)] if isinstance(item.value, str) else []
    listed = item.value.get("coding") if item.type == "CodeableConcept" else [item.value]
    codes = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [(str(one.get("system", "?")), one["code"]) for one in codes if isinstance(one.get("code"), str)]


def _coded_at_all(item: Item) -> bool:
    return bool(codings(item)) or item.type in ("Coding", "Quantity")


def _codes(item: Item) -> str:
    given = [f"{code} of {system}" if system else shown(code) for system, code in codings(item)]
    return either(given) if given else "a text without a code"


def _is(code: str, item: Item) -> bool:
    """Say whether an item has a type; a backbone element goes by the path it is declared at."""
    return code in (item.type, "Resource", "BackboneElement", "Element") or (
        code == "DomainResource" and item.type in types.RESOURCE_TYPES
    )


def _title(profile: Profile) -> str:
    return f"“{profile.title}”"
