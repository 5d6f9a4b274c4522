"""The end of a message: defaults, keys, text that belongs together, and no reference to what was not made."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from gateway.mapping import dates, paths, program
from gateway.mapping.draft import Draft, Key
from gateway.mapping.environment import Environment
from gateway.mapping.keys import Facts, short
from gateway.mapping.plan import FOLLOWERS, Blueprint, missing
from gateway.mapping.program import SegmentProgram

Body = dict[str, Any]
# Two statements about one of these in a message are one resource, not two of the same number.
_SHARED = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Device"})

# Elements that tell the day of a number which starts again daily, the surest first.
_DAYS = ("effectiveDateTime", "authoredOn", "occurrenceDateTime")


class Instance:
    """One resource being built: its draft, the segments it came from, constants, and defaults still to apply."""

    __slots__ = ("blueprint", "constants", "draft", "programs", "seen")

    def __init__(self, blueprint: Blueprint, draft: Draft) -> None:
        self.blueprint = blueprint
        self.draft = draft
        self.seen: dict[str, list[str]] = {}
        self.constants: Body = {}
        self.programs: list[SegmentProgram] = []

    def takes(self, name: str) -> bool:
        """Say whether a starting segment belongs here: begun by one listed before it, and the first of its kind."""
        starters = self.blueprint.starters
        if len(starters) == 1:
            return False
        return starters.index(name) > max((starters.index(seen) for seen in self.seen if seen in starters), default=-1)


class Finish:
    """Completes the resources of one message."""

    def __init__(
        self,
        env: Environment,
        message: str,
        instances: list[Instance],
        heads: Mapping[str, list[str]],
        displaced: Sequence[tuple[Draft, str, Body]] = (),
    ) -> None:
        self._displaced = displaced
        self._env = env
        self._heads = heads
        self._message = message
        self._instances = instances
        self._children: dict[tuple[str, str, str], Draft] = {}
        self._keyed: dict[tuple[str, Key], Draft] = {}
        self._gone: dict[str, str] = {}

    def drafts(self) -> list[Draft]:
        """Return the drafts that have something to say, each with its keys or its parent."""
        kept = _without_yielding([instance for instance in self._instances if not _empty(instance)])
        if len(kept) < len(self._instances):
            alive = {instance.draft.name for instance in kept}
            self._gone = {one.draft.name: "" for one in self._instances if one.draft.name not in alive}
        found = [instance.draft for instance in kept if self._complete(instance)]
        if self._gone:
            for draft in found:
                _unlink(draft, self._gone)
            self._put_back()
        _label(found)
        for draft in found:
            if draft.type == "MedicationRequest":
                _choose(draft.body)
        return found

    def _put_back(self) -> None:
        """Let an element refer to what it was given first, where what took its place was not made."""
        for draft, name, reference in reversed(self._displaced):
            if name not in draft.body and any(place is reference for place, _ in draft.links):
                draft.body[name] = reference

    def _complete(self, instance: Instance) -> bool:
        draft, blueprint = instance.draft, instance.blueprint
        for name, write in blueprint.required:
            if name not in draft.body:
                write(draft.body, missing())
        for compiled in instance.programs:
            for path, write, value in compiled.defaults:
                if path not in draft.body and not (_nested(path) and paths.has(draft.body, path)):
                    write(draft.body, value())
        if blueprint.joins_text and draft.parent and draft.parent != draft.patient and draft.parent not in self._gone:
            draft.child = short(self._parts(instance))  # the commonest case of `keys.observation`, without ceremony
            return self._distinct(instance)
        named = blueprint.naming(self._facts(instance))
        draft.keys, draft.parent, draft.child = named.keys, named.parent, named.child
        draft.guard, draft.claim = named.guard, named.claim
        return self._numbered(instance) if draft.keys else self._distinct(instance)

    def _facts(self, instance: Instance) -> Facts:
        draft = instance.draft
        parent = draft.parent if draft.parent not in self._gone else draft.patient
        parts = self._parts(instance)
        return Facts(self._env, draft.body, parts, parent, draft.patient, self._message, self._day(draft))

    def _parts(self, instance: Instance) -> tuple[str, ...]:
        """Return what names the resource in the fields its message map lists."""
        seen, heads = instance.seen, self._heads
        found = []
        for by in instance.blueprint.by:
            fields = seen.get(by.name) or heads.get(by.name) or []
            found.append(_part(program.pick(fields, by)))
        return tuple(found)

    def _day(self, draft: Draft) -> str:
        """Return the day that parts number series which start again daily, '' where the feed has none."""
        if not self._env.daily:
            return ""
        body = draft.body
        told = next((body[name] for name in _DAYS if name in body), "") or body.get("period", {}).get("start")
        return dates.day(str(told or draft.source_time))

    def _numbered(self, instance: Instance) -> bool:
        """Make a second resource of the same number a child of the first (one application form, several tests)."""
        draft = instance.draft
        first = self._keyed.setdefault((draft.type, draft.keys[0]), draft)
        if first is not draft and draft.type in _SHARED:
            _share(first, draft)
            self._gone[draft.name] = first.name
            return False
        if first is not draft and not instance.blueprint.is_patient:
            words = tuple(_part(fields[4]) for fields in instance.seen.values() if len(fields) > 4)
            draft.keys, draft.parent, draft.child = (), first.name, f"n-{short(words or (draft.name,))}"
            return self._distinct(instance)
        return True

    def _distinct(self, instance: Instance) -> bool:
        """Join lines of one text, and give repeated children numbers; False when the draft was joined away."""
        draft = instance.draft
        key = (draft.type, draft.parent, draft.child)
        first = self._children.setdefault(key, draft)
        if first is draft:
            return True
        if instance.blueprint.joins_text and _join_text(first, instance):
            self._gone[draft.name] = first.name
            return False
        number = 2
        while (draft.type, draft.parent, f"{draft.child}-{number}") in self._children:
            number += 1
        draft.child = f"{draft.child}-{number}"
        self._children[(draft.type, draft.parent, draft.child)] = draft
        return True


def _without_yielding(kept: list[Instance]) -> list[Instance]:
    """Leave out an order that is nothing but an ORC which a prescription was made of (`yields`)."""
    if not any(one.blueprint.yields for one in kept):
        return kept
    taken = {(one.blueprint.name, id(fields)) for one in kept for fields in one.seen.values()}
    return [one for one in kept if len(one.seen.keys() - FOLLOWERS) > 1 or not _taken(one, taken)]


def _taken(instance: Instance, taken: set[tuple[str, int]]) -> bool:
    return any((instance.blueprint.yields, id(fields)) in taken for fields in instance.seen.values())


def _choose(body: Body) -> None:
    """Let a prescription name one medication and one dose, where segments told them in two ways."""
    if "medicationReference" in body:  #  a compound (RXC), told after the code of the order
        body.pop("medicationCodeableConcept", None)
    for dosage in body.get("dosageInstruction", ()):
        for dose in dosage.get("doseAndRate", ()):
            if "doseRange" in dose and "doseQuantity" in dose:
                del dose["doseQuantity" if "high" in dose["doseRange"] else "doseRange"]


def _label(drafts: list[Draft]) -> None:
    """Let references to a role show who it is, as those to a person do."""
    roles = {draft.name: draft.body.get("practitioner", {}) for draft in drafts if draft.type == "PractitionerRole"}
    if roles:
        for draft in drafts:
            for reference, name in draft.links:
                if not reference and "display" in roles.get(name, ()):
                    reference["display"] = roles[name]["display"]


def _share(first: Draft, other: Draft) -> None:
    """Let the first of two statements about one thing say what only the other says."""
    for name, value in other.body.items():
        if name not in first.body:
            first.body[name] = value
            inside = {id(value), *(id(item) for item in value if isinstance(value, list))}
            first.links.extend(link for link in other.links if id(link[0]) in inside)


def _empty(instance: Instance) -> bool:
    """Say whether no rule wrote anything: only constants and references to its surroundings stand in the body."""
    body, links, constants = instance.draft.body, instance.draft.links, instance.constants
    if instance.blueprint.needs and not instance.blueprint.needs & instance.seen.keys():
        return True
    if instance.blueprint.is_patient:  # what else the message tells is about somebody
        return False
    if len(body) > 1 + len(links) + len(constants):
        return False
    references = {id(reference) for reference, _ in links}
    said = (item for item in body.items() if item[0] != "resourceType" and constants.get(item[0]) is not item[1])
    return all(_only_references(value, references) for _, value in said)


def _only_references(value: Any, references: set[int]) -> bool:
    if isinstance(value, list):
        return all(_only_references(item, references) for item in value)
    if id(value) in references:
        return not value
    return isinstance(value, dict) and bool(value) and all(_only_references(v, references) for v in value.values())


def _unlink(draft: Draft, gone: Mapping[str, str]) -> None:
    """Take out references to resources that were not made, or point them to what they joined.

    In a list of references nothing stands twice; a reference beside other words (a member with a role) stays.
    """
    if not any(name in gone for _, name in draft.links):
        return
    seen = {name for _, name in draft.links if name not in gone}
    listed = {id(item) for value in draft.body.values() if isinstance(value, list) for item in value}
    dead: set[int] = set()
    links = []
    for reference, name in draft.links:
        target = gone.get(name, name)
        if not target or (name in gone and target in seen and id(reference) in listed):
            dead.add(id(reference))
            continue
        seen.add(target)
        links.append((reference, target))
    draft.links = links
    _remove(draft.body, dead)


def _remove(body: Body, references: set[int]) -> None:
    for name, value in list(body.items()):
        if id(value) in references:
            del body[name]
        elif isinstance(value, list):
            _remove_items(body, name, value, references)


def _remove_items(body: Body, name: str, value: list[Any], references: set[int]) -> None:
    kept = []
    for item in value:
        if id(item) in references:
            continue
        said = bool(item)
        if isinstance(item, dict):
            _remove(item, references)
        if item or not said:
            kept.append(item)
    body[name] = kept
    if not kept:
        del body[name]


def _join_text(first: Draft, instance: Instance) -> bool:
    """Add a further line of text (TX, FT) to the result it continues."""
    told = instance.draft.body.get("valueString")
    kind = instance.seen.get("OBX", ["", "", ""])[2]
    if kind not in ("TX", "FT") or told is None or "valueString" not in first.body:
        return False
    first.body["valueString"] = f"{first.body['valueString']}\n{told}"
    return True


def _nested(path: str) -> bool:
    return not path.isidentifier()


@lru_cache(maxsize=8192)
def _part(raw: str) -> str:
    """Return what names a thing in a raw field: its code, else its alternate code, else its words."""
    first = raw.split("~", 1)[0]
    if "^" not in first:
        return first.strip()
    parts = first.split("^")
    return next((part.strip() for part in (parts[0], *parts[3:4], parts[1], *parts[4:]) if part.strip()), "")
