"""References changed inside a JSON text: only the strings that refer are written anew, every other byte stays."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol

import msgspec

from gateway.fhir import types

_STRING = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"([ \t\r\n]*:)?', re.DOTALL)
_LINK = re.compile(r"""(\s(?:href|src)\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
_ADDRESSES = frozenset({"uri", "url", "oid", "uuid"})
_NAMES_ITSELF = frozenset({"system", "code", "type", "identifier", "implicitRules", "fullUrl", "reference"})
_URN = "urn:"
_CONTENT = "Binary/"


class Resolver(Protocol):
    """Knows what references become; None where they stay as they are."""

    def reference(self, text: str) -> str | None:
        """Return what a Reference.reference becomes."""
        ...

    def address(self, text: str) -> str | None:
        """Return what any other address of a resource becomes: a link in a narrative, a uri."""
        ...


def rewritten(text: bytes, resolver: Resolver, *, own: str = "") -> bytes:
    """Return a resource's JSON text with its references resolved.

    Looked at are Reference.reference, elements of type uri, url, oid and uuid that hold a URN or lead to a Binary, and
    the links and images of narratives (R4 http.html#trules). `own` is the url by which the resource names itself.
    """
    parts: list[bytes] = []
    done = 0
    key = ""
    for found in _STRING.finditer(text):
        if found[2] is not None:
            key = _plain(found[1])
            continue
        new = _changed(key, found[1], resolver, own)
        if new is not None:
            parts += (text[done : found.start()], msgspec.json.encode(new))
            done = found.end()
    return b"".join((*parts, text[done:])) if parts else text


def references(value: Any) -> Iterator[str]:
    """Yield every Reference.reference in a resource, contained ones too."""
    if isinstance(value, dict):
        found = value.get("reference")
        if isinstance(found, str):
            yield found
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def _changed(key: str, raw: bytes, resolver: Resolver, own: str) -> str | None:
    """Return what a string under a key becomes, None where it stays as it is."""
    if key == "reference":
        old = _plain(raw)
        new = resolver.reference(old)
    elif key == "div":
        old = _plain(raw)
        new = _LINK.sub(lambda found: _link(found, resolver), old)
    elif key in _address_names():
        old = _plain(raw)
        new = _addressed(old, resolver) if old != own else None
    else:
        return None
    return None if new == old else new


def _addressed(old: str, resolver: Resolver) -> str | None:
    """Return what a uri becomes: a URN of an entry, or the place of an attachment; other addresses are identities."""
    new = resolver.address(old)
    return new if new is not None and (old.startswith(_URN) or new.startswith(_CONTENT)) else None


def _link(found: re.Match[str], resolver: Resolver) -> str:
    quote, target = found[2][0], found[2][1:-1]
    new = resolver.address(target)
    return found[0] if new is None else f"{found[1]}{quote}{new}{quote}"


def _plain(raw: bytes) -> str:
    return str(json.loads(b'"%b"' % raw)) if b"\\" in raw else raw.decode()


@cache
def _address_names() -> frozenset[str]:
    """Return the names of elements that may hold the address of a resource, references aside."""
    waiting = [*types.RESOURCE_TYPES, *types.DATA_TYPES]
    names: set[str] = set()
    for kind in waiting:
        for field in types.fields(kind).values():
            if field.type in _ADDRESSES:
                names.add(field.name)
            elif field.type.startswith(f"{kind}.") and field.type not in waiting:
                waiting.append(field.type)
    return frozenset(names) - _NAMES_ITSELF
