"""A request and an answer of FHIR REST, as the interactions see them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.hooks import Operation
from gateway.identity.merge import Merging
from gateway.identity.persons import Persons
from gateway.record.editing import Editor
from gateway.record.everything import Everything
from gateway.record.history import Histories
from gateway.record.judging import Judge
from gateway.record.labels import Labels
from gateway.record.repository import Repository

FHIR_JSON = "application/fhir+json; charset=utf-8"

Pairs = tuple[tuple[str, str], ...]


class Prefer(NamedTuple):
    """What a client would rather have (header Prefer, R4 http.html#ops): `returns` is "" where it did not say."""

    returns: str = ""
    lenient: bool = False


class Limits(NamedTuple):
    """How much one request may bring or do: bytes of its body, entries of its Bundle, nesting, deletes, time."""

    body_bytes: int
    bundle_entries: int
    nesting: int
    deletes_at_once: int = 1
    bundle_seconds: float = 60.0


NO_WISHES = Prefer()


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `base` is the public address of the FHIR endpoint, `pairs` the query (or form) as sent.

    `media` is the body's type/subtype in small letters, "" without a body.
    """

    method: str
    path: tuple[str, ...]
    pairs: Pairs
    headers: Mapping[str, str]
    base: str
    actor: Actor
    body: bytes = b""
    media: str = ""
    prefer: Prefer = NO_WISHES


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its bytes are sent as they are; with a `stream`, its `size` bytes (-1: unknown) part by part."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Rest:
    """What the interactions work with."""

    record: Repository
    persons: Persons
    merging: Merging
    editor: Editor
    histories: Histories
    everything: Everything
    labels: Labels
    page_key: bytes
    page_size: int
    max_page_size: int
    software_version: str
    zone: str
    limits: Limits
    judge: Judge
    operations: tuple[Operation, ...] = ()


Interaction = Callable[[Rest, Request], Answer]
