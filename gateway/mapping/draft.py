"""Drafts: resources as one message tells them, before they have an id."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from gateway.fhir.issues import Issue

Mode = Literal["replace", "fill", "advance"]


class Key(NamedTuple):
    """A business key; `kind` parts number series of one system, `day` is set where numbers restart."""

    system: str
    value: str
    day: str = ""


class Content(NamedTuple):
    """Content kept beside the record: its SHA-256, its size in bytes, and its base64."""

    digest: bytes
    size: int
    text: str


@dataclass(slots=True, eq=False)
class Draft:
    """One resource of one message.

    `name` is unique in the message ("patient", "observation/3"). `body` has `resourceType` but no id;
    `links` are the Reference dicts inside `body` with the draft name each points to (the identify stage
    writes their `reference`). A draft has `keys`, or a `parent` draft and a `child` part of an id.
    `guard` holds what must not differ for the same key (R2): {"patient": draft name, "day": "20260102", ...}.
    `claim` names what its patient may have one of at a time (A3): two of them at once are told, neither is closed.
    `attached` are the Attachment dicts inside `body` whose `url` is to name a Binary draft; such a one has `content`.
    """

    name: str
    type: str
    body: dict[str, Any]
    mode: Mode
    keys: tuple[Key, ...] = ()
    parent: str = ""
    child: str = ""
    links: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    patient: str = ""
    source_time: str = ""
    guard: dict[str, str] = field(default_factory=dict)
    clear: tuple[str, ...] = ()
    attached: tuple[tuple[dict[str, Any], str], ...] = ()
    claim: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """An A40-like statement: the keys of the retired record and the draft name of the survivor.

    `body` is what the message says of the retired one; it counts where nothing else was ever told of it.
    """

    retired: tuple[Key, ...]
    survivor: str
    where: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Same:
    """An A24-like statement: the patients of these two drafts are one person, and both records go on."""

    one: str
    other: str
    where: str


@dataclass(frozen=True, slots=True)
class Split:
    """An A37-like statement: the patients of these two drafts are two persons, however they were joined before."""

    kept: str
    other: str
    where: str


@dataclass(frozen=True, slots=True)
class Renumber:
    """An A47-like statement: the patient of the draft `survivor` was known by these keys before."""

    former: tuple[Key, ...]
    survivor: str
    where: str


@dataclass(frozen=True, slots=True)
class Move:
    """An A44-like statement: the visits of this message belong to the draft `to`, no more to who has these keys."""

    origin: tuple[Key, ...]
    to: str
    where: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A statement about identities that only a person can carry out (A43)."""

    where: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Which rule wrote which element from which field; kept only when asked for."""

    draft: str
    path: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Left:
    """A populated field that no rule mapped: kept on purpose in the raw bytes, or dropped, with the reason."""

    where: str
    reason: str
    kept: bool


@dataclass(slots=True, eq=False)
class Mapped:
    """What a message became, and what became of each of its fields."""

    drafts: list[Draft]
    merges: list[Merge] = field(default_factory=list)
    said: list[Split | Renumber | Move | Same | Refusal] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    populated: int = 0
    mapped: int = 0
    left: list[Left] = field(default_factory=list)
    trace: list[Trace] = field(default_factory=list)
