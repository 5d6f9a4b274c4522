"""What R4 takes as Reference.reference, and which type it points at."""

import re
from collections.abc import Iterable
from functools import cache

from gateway.fhir import types

_ID = "[A-Za-z0-9.-]{1,64}"
_LOCAL = re.compile(r"([A-Za-z]+)(?:[/?]|$)")


@cache
def pattern(targets: tuple[str, ...]) -> str:
    """Return the expression of references to `targets` (empty: any type); absolute addresses are all taken.

    Forms: `#id`, `Type/id`, `Type/id/_history/version` (either with a `#fragment`), `Type?search` (in transactions),
    `urn:…`, `https://…`.
    """
    names = "|".join(targets or sorted(types.RESOURCE_TYPES))
    return rf"^(?:#\S*|[A-Za-z][A-Za-z0-9+.-]*:\S+|(?:{names})(?:/{_ID}(?:/_history/{_ID})?(?:#\S+)?|\?\S+))$"


@cache
def _compiled(targets: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(pattern(targets).removeprefix("^").removesuffix("$"))


def target(text: str) -> str:
    """Return the resource type a relative reference names, or empty for any other form."""
    found = _LOCAL.match(text)
    return found[1] if found and found[1] in types.RESOURCE_TYPES else ""


def fault(text: str, targets: tuple[str, ...]) -> str | None:
    """Return why `text` is no reference to one of `targets`, as a sentence, or None when it is."""
    if _compiled(targets).fullmatch(text):
        return None
    named = target(text)
    if named and targets and named not in targets:
        return f"{text!r} points at {named}, but this reference takes {either(targets)}."
    return f"{text!r} is no reference: write Type/id such as {(targets or ('Patient',))[0]}/123, or an address."


def either(names: Iterable[str]) -> str:
    """Return names as people list alternatives: `Patient, Group or Device`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
