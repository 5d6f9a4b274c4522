"""The values of a client's write: what it asks to change, what became of it, and what the house allows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from gateway.fhir.issues import Issue
from gateway.store.values import Stored

Body = dict[str, Any]
Check = Callable[[Body], list[Issue]]
"""What R4 and our profiles refuse in a resource; warnings do not stop a write."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change a client asks for (R4 http.html#create, #update, #patch, #delete)."""

    action: Literal["create", "update", "patch", "delete"]
    kind: str
    """The resource type."""
    fid: str = ""
    """The id; empty where the server or a condition names it."""
    text: bytes = b""
    """Of a create or update: the JSON text as sent."""
    patch: tuple[Body, ...] = ()
    """Operations of a JSON Patch (RFC 6902), numbers as `fhir.resource.loads` reads them."""
    criteria: tuple[tuple[str, str], ...] | None = None
    """The search that names the resource (of a create: If-None-Exist); None where there is no condition."""
    if_match: int | None = None
    """The version the client says it changes; 0 where it says that there is none yet."""
    full_url: str = ""
    """In a transaction: the address by which other entries refer to this one."""
    place: str = ""
    """Where it stands in the request; empty for `Bundle.entry[n]` by its position among several edits."""


class Done(NamedTuple):
    """What became of an edit."""

    edit: Edit
    stored: Stored | None
    """The version that now stands, of a delete the deletion; None where there was nothing to delete."""
    created: bool
    changed: bool
    """False where nothing was written: a no-op update, a condition that found one, a delete of what was gone."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation allows clients to do."""

    deletes_at_once: int = 1
    """How many resources one conditional delete may remove."""
    references_exist: bool = False
    """Whether a reference to a resource of ours must name one that is there (feeds deliver in any order: off)."""
    search_seconds: float = 10.0
    """How long the search of a condition may take."""
