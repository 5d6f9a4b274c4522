"""A request and an answer of FHIR REST, as the interactions see them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.access.actor import Actor
from gateway.record.repository import Repository

FHIR_JSON = "application/fhir+json; charset=utf-8"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `base` is the public address of the FHIR endpoint, `pairs` the query (or form) as sent."""

    method: str
    path: tuple[str, ...]
    pairs: Pairs
    headers: Mapping[str, str]
    base: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its bytes are sent as they are; with a `stream`, its `size` bytes part by part."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Rest:
    """What the interactions work with."""

    record: Repository
    page_key: bytes
    page_size: int
    max_page_size: int
    software_version: str
    zone: str


Interaction = Callable[[Rest, Request], Answer]
