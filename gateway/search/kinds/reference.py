"""References: literal targets, compared by type and id, or by URL (R4 search.html §3.1.1.4.12).

A row is `(param, target type, target id)`; the type is "" for a URL that is not ours. The identifier of
a reference, and the display of one that leads nowhere, have rows as those of tokens have.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.search.kinds import token
from gateway.search.kinds.text import plain, wrong

Row = tuple[int, str, str]
Indexer = Callable[[int, Any, Any], None]
"""Appends what a value is found by to the `reference`, `token` and `text` lists of the rows of a resource."""

_LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_MEMO: dict[str, tuple[str, str]] = {}
_MEMO_SIZE = 65536


def target(text: str) -> tuple[str, str]:
    """Return (type, id) of a literal reference, ("", URL) of any other; contained ones are ("", "")."""
    made = _MEMO.get(text)
    if made is None:
        found = _LITERAL.fullmatch(text)
        made = (found[1], found[2]) if found else ("", "" if text.startswith("#") else text)
        if len(_MEMO) >= _MEMO_SIZE:
            _MEMO.clear()
        _MEMO[text] = made
    return made


def type_of(value: Any) -> str:
    """Return the target type of a Reference as far as it tells: from the reference, or from `type`."""
    text = value.get("reference") or ""
    found = target(text)[0]
    if not found and "/" in text:
        found = text.split("/_history/")[0].split("/")[-2]
    return found or value.get("type") or ""


def _reference(param: int, value: Any, made: Any) -> None:
    text = value.get("reference")
    if text:
        type_name, fid = _MEMO.get(text) or target(text)
        if fid:
            made.reference.append((param, type_name, fid))
    elif "display" in value:
        token.told(param, value["display"], made)
    if "identifier" in value:
        token.identified(param, value["identifier"], made)


def _canonical(param: int, value: Any, made: Any) -> None:
    if value:
        made.reference.append((param, "", value))
        bare = value.split("|")[0]
        if bare and bare != value:
            made.reference.append((param, "", bare))


def _resource(param: int, value: Any, made: Any) -> None:
    if value.get("id"):
        made.reference.append((param, value["resourceType"], value["id"]))


INDEX: dict[str, Indexer] = {
    "Reference": _reference,
    "canonical": _canonical,
    "uri": _canonical,
    "Resource": _resource,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a query asks: any of some (type, id) pairs; the type is "" for a URL."""

    options: tuple[tuple[str, str], ...]

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return (found[1], found[2]) in self.options


def parse(name: str, text: str, types: tuple[str, ...]) -> Target:
    """Return the value of `Type/id`, `id` (of any of `types`) or a URL; GatewayError where it is none of them."""
    value = plain(text)
    type_name, fid = target(value)
    if type_name:
        return Target(((type_name, fid),))
    if _ID.fullmatch(value) and types:
        return Target(tuple((each, value) for each in types))
    if ":" in value:
        return Target((("", value),))
    raise wrong(name, text, "an id, Type/id or a URL")
