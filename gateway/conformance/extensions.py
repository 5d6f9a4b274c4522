"""Extensions wherever they stand: ours by their definitions, unknown ones by whether they may be ignored."""

from typing import Any

from gateway.conformance import rules
from gateway.conformance.applying import Applying
from gateway.conformance.desk import Desk
from gateway.conformance.items import Item
from gateway.conformance.references import either
from gateway.conformance.rules import CORE, Profile
from gateway.fhir import types

Json = dict[str, Any]

OWN = "https://yigong.example/fhir/"
"""Addresses the region defines; whatever begins so and has no definition is a mistake."""


def check(desk: Desk, applying: Applying, item: Item, holder: Item, *, lenient: bool = False) -> None:
    """Check one extension of `holder` (R4 extensibility.html); `lenient` lets pass what is only not understood."""
    url = item.value.get("url")
    changes = item.path.endswith(".modifierExtension")
    if not isinstance(url, str) or ":" not in url:
        return  # a part of a complex extension: its parent's definition tells
    profile = rules.find(desk.profiles, url)
    if profile is None:
        _unknown(desk, url, item, changes=changes, lenient=lenient)
        return
    if profile.modifier != changes:
        right = "modifierExtension" if profile.modifier else "extension"
        desk.note("error", "extension", item.where, f"“{profile.title}” is a {right}: put it there.")
    if not any(_stands(told, item, holder) for told in profile.definition.get("context", ())):
        places = either(told["expression"] for told in profile.definition.get("context", ()))
        desk.note("error", "extension", item.where, f"“{profile.title}” stands at {places}, not at {_place(holder)}.")
    _limit(desk, profile, item, holder)
    applying.profile(profile, item)


def _unknown(desk: Desk, url: str, item: Item, *, changes: bool, lenient: bool) -> None:
    if changes and not url.startswith(OWN):
        text = f"{url} changes the meaning of what bears it and is not known here: the resource cannot be understood."
        desk.note("warning" if lenient else "error", "extension", item.where, text)
    elif url.startswith(OWN):
        text = f"{url} looks like one of this region's extensions, but there is none of this name: correct the address."
        desk.note("error", "extension", item.where, text)


def _limit(desk: Desk, profile: Profile, item: Item, holder: Item) -> None:
    """Check that an extension that stands once by its definition is not repeated."""
    most = profile.root.most
    if most is None or not isinstance(holder.value, dict):
        return
    name = item.path.rpartition(".")[2]
    desk.budget.spend(len(holder.value.get(name, ())))
    same = [one for one in holder.value.get(name, ()) if isinstance(one, dict) and one.get("url") == profile.url]
    if len(same) > most:
        text = f"“{profile.title}” stands {most} times at most, {len(same)} are given."
        desk.note("error", "extension", f"{holder.where}.{name}", text)


def _stands(told: Json, item: Item, holder: Item) -> bool:
    """Say whether an extension may stand where it does (R4 defining-extensions.html#context)."""
    expression = told["expression"]
    if told["type"] == "extension":
        return bool(holder.type == "Extension" and holder.value.get("url") == expression)
    if told["type"] == "fhirpath":
        return True
    return expression in _names(holder) or (expression.startswith(CORE) and holder.type == expression[len(CORE) :])


def _names(holder: Item) -> set[str]:
    """Return the names a place goes by: its path, its type and all that type is derived from."""
    names = {holder.path, holder.path.removesuffix("[x]")}
    kind = holder.type
    while kind:
        names.add(kind)
        kind = types.base(kind) if kind not in types.PRIMITIVES else "Element"
    return names


def _place(holder: Item) -> str:
    return holder.path if holder.type not in types.RESOURCE_TYPES else holder.type
