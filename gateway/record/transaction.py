"""References between the entries of a transaction, and references by condition (R4 http.html#trules)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.fhir.types import RESOURCE_TYPES
from gateway.record.rewriting import references

_RESTFUL = re.compile(r"(https?://.+/)([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")
_LITERAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_QUESTION = re.compile(rb'"[A-Z][A-Za-z]+(?:\?|\\u003[fF])')
_VERSION = "/_history/"


class Pointed(NamedTuple):
    """The resource of an entry; `ver` is its version where the entry's id is a new one, else 0."""

    kind: str
    fid: str
    ver: int


@dataclass(slots=True)
class Links:
    """What the references of one request lead to: entries by their addresses, conditions by what they found."""

    entries: dict[str, Pointed] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)

    def add(self, full_url: str, pointed: Pointed) -> None:
        """Let an address lead to an entry; raises GatewayError where two entries have it."""
        if full_url in self.entries:
            raise GatewayError(f"two entries have the fullUrl {full_url[:200]}; references to it would be ambiguous")
        self.entries[full_url] = pointed

    def of(self, full_url: str) -> "Resolving":
        """Return the resolver for the references of the entry at an address."""
        base = _RESTFUL.fullmatch(full_url)
        return Resolving(self, base[1] if base else "")


class Resolving:
    """The references of one entry; relative ones stand under the same base as the entry."""

    def __init__(self, links: Links, base: str) -> None:
        self._links = links
        self._base = base

    def reference(self, text: str) -> str | None:
        """Return what a Reference.reference becomes, None where it stays."""
        return self._links.found.get(text) or self.address(text)

    def address(self, text: str) -> str | None:
        """Return the literal reference to the entry an address names, its fragment and version put right."""
        head, mark, fragment = text.partition("#")
        head, versioned, _ = head.partition(_VERSION)
        pointed = self._links.entries.get(self._base + head if _LITERAL.fullmatch(head) else head)
        if pointed is None or not head:
            return None
        kept = text[len(head) :] if versioned and not pointed.ver else mark + fragment
        version = f"{_VERSION}{pointed.ver}" if versioned and pointed.ver else ""
        return f"{pointed.kind}/{pointed.fid}{version}{kept}"


def may_ask(text: bytes) -> bool:
    """Say whether a text may hold a reference by condition, from its bytes alone."""
    return _QUESTION.search(text) is not None


def asked(body: object) -> list[str]:
    """Return the references by condition of a resource, each once."""
    return list(dict.fromkeys(text for text in references(body) if condition(text)))


def condition(text: str) -> tuple[str, str] | None:
    """Return the type and the query of a reference by condition (`Patient?identifier=…`), None for any other."""
    found = _CONDITIONAL.fullmatch(text)
    return (found[1], found[2]) if found and found[1] in RESOURCE_TYPES else None


def literals(body: object) -> Iterable[tuple[str, str]]:
    """Yield (type, id) of the references of a resource to resources of this server."""
    for text in references(body):
        head = text.partition("#")[0].partition(_VERSION)[0]
        if _LITERAL.fullmatch(head):
            kind, _, fid = head.partition("/")
            yield kind, fid
