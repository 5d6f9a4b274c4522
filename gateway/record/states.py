"""The values of planning: resources as a batch sees them, and what one message changes."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.fhir.issues import Issue
from gateway.mapping.draft import Content, Key, Mapped
from gateway.record.fold import Body
from gateway.store.values import AliasKey


class KeyReused(GatewayError):
    """A known number came with another person, specimen or day; it is parked, never an update (R2)."""


class Refused(GatewayError):
    """A statement about identities that cannot be true, such as a merge into itself."""


@dataclass(slots=True, eq=False)
class State:
    """One resource as the batch sees it; `pid` is 0 until it is stored, `body` None until it is needed.

    An `edited` one was last changed by a client, a `deleted` one has no body: older messages change neither.
    """

    type: str
    fid: str
    pid: int = 0
    ver: int = 0
    digest: bytes = b""
    source_us: int = 0
    item_id: int = 0
    patient: "State | None" = None
    patient_pid: int = 0
    body: Body | None = None
    edited: bool = False
    deleted: bool = False

    @property
    def reference(self) -> str:
        """Return the literal reference `Type/id`."""
        return f"{self.type}/{self.fid}"


class Planned(NamedTuple):
    """One version to write; `content` is its canonical text without id and meta, `digest` that text's."""

    state: State
    ver: int
    body: Body
    content: bytes
    digest: bytes
    mode: str
    source_us: int


class NewAlias(NamedTuple):
    """A number that from now on names `state`; `moved` where it named another record before."""

    site: str
    key: AliasKey
    state: State
    moved: bool = False


class NewLink(NamedTuple):
    """A merge: the survivor replaces the retired record; `evidence` (JSON): the numbers named, what it was before.

    Of kind `same` it says that two records are of one person and both go on.
    """

    retired: State
    survivor: State
    evidence: str = "{}"
    kind: str = "replaced-by"


class Moved(NamedTuple):
    """A visit that was taken from one patient and given to another."""

    visit: State
    origin: State
    target: State
    where: str


@dataclass(slots=True, eq=False)
class Plan:
    """Everything one message changes."""

    versions: list[Planned] = field(default_factory=list)
    aliases: list[NewAlias] = field(default_factory=list)
    links: list[NewLink] = field(default_factory=list)
    ended: list[NewLink] = field(default_factory=list)
    apart: list[tuple[State, State]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """One message's drafts with what places them: alias space (site), default source time, inbox id.

    `separate` is for senders whose number series nobody knows: a number that comes with another person then names
    a resource of that person instead of being parked.
    """

    space: str
    mapped: Mapped
    source_us: int
    item_id: int
    separate: bool = False


def content(body: Body) -> tuple[bytes, bytes]:
    """Return the canonical text of a body and its digest."""
    text = resource.dumps(body)
    return text, hashlib.blake2b(text, digest_size=16).digest()


def alias(resource_type: str, key: Key) -> AliasKey:
    """Return a business key as the alias table knows it."""
    return AliasKey(resource_type, key.system, key.value, key.day)
