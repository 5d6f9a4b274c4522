"""The desk of one validation: its definitions, the findings so far, and the time that is left."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway import clock
from gateway.conformance import items
from gateway.conformance.items import Item
from gateway.conformance.profiles import Profiles
from gateway.conformance.terminology import Terminology
from gateway.fhir.issues import Issue, Severity

Json = dict[str, Any]

ISSUE_LIMIT = 200
"""Findings gathered for one resource at most."""

_LOOK = 64


class Exhausted(Exception):
    """The time of a validation is over, or its findings are as many as anybody reads."""


class Budget:
    """The time a validation may take; asked at every step, it looks at the clock now and then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = clock.monotonic() + seconds
        self._steps = 0

    def spend(self, steps: int = 1) -> None:
        """Count steps; raises Exhausted when the time is over."""
        self._steps += steps
        if self._steps >= _LOOK:
            self._steps = 0
            if clock.monotonic() > self._end:
                raise Exhausted


@dataclass(slots=True)
class Desk:
    """What every part of one validation works with."""

    profiles: Profiles
    terminology: Terminology
    budget: Budget
    issues: list[Issue] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _bundles: dict[int, dict[str, Json]] = field(default_factory=dict)
    _contained: dict[int, dict[str, Item]] = field(default_factory=dict)

    def note(self, severity: Severity, code: str, where: str, text: str) -> None:
        """Keep a finding, once; raises Exhausted when there are too many."""
        self.keep(Issue(severity, code, text, where))

    def keep(self, issue: Issue) -> None:
        """Keep a finding made elsewhere; raises Exhausted when there are too many."""
        if (issue.where, issue.text) in self._seen:
            return
        self._seen.add((issue.where, issue.text))
        self.issues.append(issue)
        if len(self.issues) >= ISSUE_LIMIT:
            raise Exhausted

    def trial(self) -> "Desk":
        """Return a desk with the same time whose findings count for nothing but a yes or no."""
        return Desk(self.profiles, self.terminology, self.budget, _bundles=self._bundles, _contained=self._contained)

    def resolve(self, reference: Item) -> Item | None:
        """Return what a Reference points at inside its container or its Bundle, None where it leads elsewhere."""
        text = reference.value.get("reference") if isinstance(reference.value, dict) else None
        if not isinstance(text, str):
            return None
        frame = reference.frame
        if text.startswith("#"):
            return self._inside(frame.root).get(text[1:])
        found = self._entries(frame.bundle).get(text.partition("/_history/")[0]) if frame.bundle else None
        return items.of(found) if found is not None else None

    def _inside(self, root: Json) -> dict[str, Item]:
        """Return what a resource contains by id, itself by an empty one."""
        known = self._contained.get(id(root))
        if known is None:
            top = items.of(root)
            listed = {str(one.value.get("id")): one for one in reversed(items.named(top, "contained"))}
            known = self._contained[id(root)] = {**listed, "": top}
        return known

    def _entries(self, bundle: Json) -> dict[str, Json]:
        known = self._bundles.get(id(bundle))
        if known is None:
            known = self._bundles[id(bundle)] = dict(_addresses(bundle))
        return known


def _addresses(bundle: Json) -> Iterator[tuple[str, Json]]:
    """Yield the resources of a Bundle by full URL and by `Type/id`."""
    for entry in items.named(items.of(bundle), "entry"):
        resource = entry.value.get("resource")
        if items.is_resource(resource):
            yield str(entry.value.get("fullUrl", "")), resource
            yield f"{resource['resourceType']}/{resource.get('id', '')}", resource
