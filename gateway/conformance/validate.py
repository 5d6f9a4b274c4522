"""A resource judged in full: R4's structure and rules, the region's profiles, its extensions and value sets."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.conformance import extensions, invariants, items, rules, structure
from gateway.conformance.applying import Applying
from gateway.conformance.desk import ISSUE_LIMIT, Budget, Desk, Exhausted
from gateway.conformance.explain import explain
from gateway.conformance.items import Item
from gateway.conformance.profiles import Profiles
from gateway.conformance.terminology import Codes, NoCodes, Terminology
from gateway.errors import GatewayError
from gateway.fhir import types
from gateway.fhir.issues import Issue

Json = dict[str, Any]

SECONDS = 5.0
"""Time one validation may take unless told otherwise."""


def validate(
    resource: Json,
    profiles: Profiles,
    claimed: Sequence[str] = (),
    *,
    codes: Codes | None = None,
    seconds: float = SECONDS,
) -> list[Issue]:
    """Return all that is wrong with a resource against R4, `claimed` and its own meta.profile; at most ISSUE_LIMIT.

    `claimed` are canonical URLs, `codes` the installed code files. When `seconds` are over, what was found by then
    is returned, with an issue that says so.
    """
    found = [] if structure.is_valid(resource) else explain(resource)
    if not items.is_resource(resource):
        return found
    desk = _desk(profiles, codes, seconds)
    for issue in found:
        desk.keep(issue)
    _guarded(desk, resource, _Judge(desk, tuple(claimed)))
    return desk.issues


def check(resource: Json, profiles: Profiles, *, codes: Codes | None = None, seconds: float = SECONDS) -> list[Issue]:
    """Return why a resource may not be stored (errors), and what its sender should know (warnings).

    Asked are the structure, the profiles of ours it claims, our extensions and R4's CHEAP constraints; all the rest is
    `validate`'s. A profile or modifier extension of somebody else's is a warning: it is stored, not understood.
    """
    found = structure.check(resource)
    if found:
        return found
    desk = _desk(profiles, codes, seconds)
    _guarded(desk, resource, _Judge(desk, (), only=invariants.CHEAP))
    return [issue for issue in desk.issues if issue.severity != "information"]


def _desk(profiles: Profiles, codes: Codes | None, seconds: float) -> Desk:
    return Desk(profiles, Terminology(profiles, codes or NoCodes()), Budget(seconds))


def _guarded(desk: Desk, resource: Json, judge: "_Judge") -> None:
    try:
        judge.whole(items.of(resource))
    except Exhausted:
        cause = f"{desk.budget.seconds:g} s" if len(desk.issues) < ISSUE_LIMIT else f"{ISSUE_LIMIT} findings"
        text = f"The check was stopped after {cause}: there may be more to say."
        desk.issues.append(Issue("error", "too-costly", text, str(resource["resourceType"])))


class _Judge:
    """Looks at every element of one resource; `only` names R4's constraints to ask, none means all."""

    def __init__(self, desk: Desk, claimed: tuple[str, ...], only: frozenset[str] = frozenset()) -> None:
        self._desk = desk
        self._claimed = claimed
        self._only = only
        self._applying = Applying(desk)

    def whole(self, top: Item) -> None:
        """Check a resource and all that stands in it."""
        for url in self._claimed:
            self._claim(url, top, asked=True)
        for item, holder in _elements(top):
            self._desk.budget.spend()
            invariants.base(self._desk, item, self._only)
            if item.type == "Extension":
                extensions.check(self._desk, self._applying, item, holder, lenient=bool(self._only))
            elif item.type in types.RESOURCE_TYPES:
                for url in _profiles(item.value):
                    if item is not top or url not in self._claimed:
                        self._claim(url, item, asked=False)

    def _claim(self, url: str, item: Item, *, asked: bool) -> None:
        """Check a resource against a profile that it, or the caller, names."""
        plain, _ = rules.canonical(url)
        profile = rules.find(self._desk.profiles, url)
        if plain.startswith(rules.CORE):
            self._core(plain.removeprefix(rules.CORE), item)
        elif profile is not None:
            self._apply(profile, item)
        elif asked or plain.startswith(extensions.OWN):
            text = f"There is no profile {url} here: see the StructureDefinitions in profiles/structures."
            self._desk.note("error", "not-found", item.where, text)
        else:
            text = f"The profile {url} is not of this region: whether it holds was not checked."
            self._desk.note("warning", "not-supported", f"{item.where}.meta.profile", text)

    def _core(self, name: str, item: Item) -> None:
        if name in types.RESOURCE_TYPES and name != item.type:
            self._desk.note("error", "structure", item.where, f"It names the profile of {name}, but is a {item.type}.")

    def _apply(self, profile: rules.Profile, item: Item) -> None:
        try:
            self._applying.profile(profile, item)
        except GatewayError as fault:
            text = f"“{profile.title}” cannot be applied: {fault.text}"
            self._desk.note("warning", "not-supported", item.where, text)


def _elements(top: Item) -> Iterator[tuple[Item, Item]]:
    """Yield every element with the one that holds it, the resource itself first."""
    waiting = [(top, top)]
    while waiting:
        item, holder = waiting.pop()
        yield item, holder
        waiting += [(child, item) for child in items.children(item)][::-1]


def _profiles(resource: Json) -> list[str]:
    meta = resource.get("meta")
    listed = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in listed if isinstance(url, str)] if isinstance(listed, list) else []
