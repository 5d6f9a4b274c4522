"""What crosses the store's doors: plain frozen values; times are microseconds since 1970."""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

INDEX_BITS = 20
FILE_INDEX = (1 << INDEX_BITS) - 1
"""The item that stands for a whole file, where its records have the indexes below."""
TABLE = "TABLE"
"""The type of arrivals and items that come from a table export."""
VERSION_BITS = 24

_UNFIT = re.compile("[\0\ud800-\udfff]")


class State(IntEnum):
    """States of an item; below 10 the item is open, below 2 it waits for a worker."""

    QUEUED = 0
    RETRY = 1
    PARKED = 2
    HELD = 3
    APPLIED = 10
    DISCARDED = 11


class Op(IntEnum):
    """What a version did."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3


MODES: tuple[str, ...] = ("", "replace", "fill", "advance")
MODE_ID: dict[str, int] = {mode: number for number, mode in enumerate(MODES)}


class NewArrival(NamedTuple):
    """Bytes as received; `digest` is their SHA-256, `envelope` JSON text; `received_us` 0 means now."""

    feed: str
    site: str
    body: bytes
    digest: bytes
    control_id: str = ""
    type: str = ""
    event: str = ""
    peer: str = ""
    listener: str = ""
    charset: str = ""
    envelope: str = "{}"
    answer: str = ""
    test: bool = False
    received_us: int = 0


class Receipt(NamedTuple):
    """Proof of storage; of a duplicate it is the first one's id, answer and time."""

    id: int
    duplicate: bool
    answer: str
    received_us: int


class Arrival(NamedTuple):
    """One row of the inbox; `body` is None once retention removed it (digest and size stay)."""

    id: int
    feed: str
    site: str
    received_us: int
    digest: bytes
    control_id: str
    type: str
    event: str
    peer: str
    listener: str
    charset: str
    envelope: str
    size: int
    answer: str
    test: bool
    body: bytes | None


class NewReject(NamedTuple):
    """Something that could not be accepted; only its first 4 KiB are kept."""

    reason: str
    head: bytes
    size: int
    listener: str = ""
    peer: str = ""
    seen: str = "{}"


class Reject(NamedTuple):
    """One row of the reject log."""

    id: int
    received_us: int
    listener: str
    peer: str
    reason: str
    seen: str
    size: int
    head: bytes


class WorkRow(NamedTuple):
    """An item: one message or row of an arrival, and what became of it.

    `before` is the state the writer saw (None: no row yet); any other state in the store is a Conflict, so that no
    item takes effect twice. `holding` makes a parked item hold back later ones of its patient key.
    """

    item_id: int
    feed: str
    site: str
    lane: int
    patient_key: str
    state: State
    received_us: int
    reason: str = ""
    holding: bool = False
    attempts: int = 0
    next_us: int = 0
    offset: int = 0
    length: int = 0
    control_id: str = ""
    type: str = ""
    event: str = ""
    source_us: int | None = None
    applied_us: int | None = None
    mapping_id: int | None = None
    populated: int = 0
    mapped: int = 0
    issues: str = "[]"
    test: bool = False
    before: State | None = None


class WorkFilter(NamedTuple):
    """Which items to list, newest first; empty fields do not filter."""

    states: Sequence[State] = ()
    feed: str = ""
    reason: str = ""
    patient_key: str = ""
    control_id: str = ""
    before_id: int = 0
    limit: int = 50


class AliasKey(NamedTuple):
    """A business key as the alias table knows it; `day` is set where numbers restart."""

    type: str
    system: str
    value: str
    day: str = ""


class Target(NamedTuple):
    """What an alias or claim points to."""

    pid: int
    fid: str


class NewVersion(NamedTuple):
    """One version to write: `ver` 1 creates, else the stored version must be `ver` - 1.

    `body` is the exact text to return (None when deleted), `digest` 16 bytes over the content without id and meta.
    """

    pid: int
    ver: int
    type: str
    fid: str
    op: Op
    body: bytes | None
    digest: bytes
    site: str
    updated_us: int
    patient_pid: int | None = None
    sensitivity: int = 0
    source_us: int | None = None
    mode: str = ""
    item_id: int | None = None
    mapping_id: int | None = None
    actor: str | None = None
    reason: str | None = None
    test: bool = False


class Head(NamedTuple):
    """The current state of a resource, without its body."""

    pid: int
    type: str
    fid: str
    ver: int
    updated_us: int
    deleted: bool
    site: str
    patient_pid: int | None
    sensitivity: int
    source_us: int | None
    mode: str
    item_id: int | None
    mapping_id: int | None
    seq: int
    digest: bytes
    test: bool


class Stored(NamedTuple):
    """One version of a resource as stored; `body` is empty where it was deleted."""

    pid: int
    type: str
    fid: str
    site: str
    patient_pid: int | None
    sensitivity: int
    test: bool
    ver: int
    op: Op
    updated_us: int
    seq: int
    item_id: int | None
    mapping_id: int | None
    mode: str
    source_us: int | None
    actor: str | None
    reason: str | None
    body: bytes

    @property
    def deleted(self) -> bool:
        """Say whether this version is a deletion."""
        return self.op == Op.DELETE


class Change(NamedTuple):
    """One entry of the outbox; `seq` rises in commit order and never skips behind a reader."""

    seq: int
    pid: int
    type: str
    ver: int
    op: Op
    site: str
    updated_us: int
    test: bool


class NewLink(NamedTuple):
    """A link between two records: who replaces or equals whom, on what evidence (JSON text).

    `kind` is `replaced-by` (from the retired record to the survivor) or `same` (from the lower pid to the higher one);
    `made` says by what: a `message`, the `linker` or a `person`.
    """

    kind: str
    from_pid: int
    to_pid: int
    state: str
    created_us: int
    evidence: str = "{}"
    item_id: int | None = None
    made: str = "message"


class Link(NamedTuple):
    """A stored link; `ended_us` is None while it holds."""

    id: int
    kind: str
    from_pid: int
    to_pid: int
    state: str
    evidence: str
    item_id: int | None
    created_us: int
    ended_us: int | None
    made: str = "message"


class Relation(NamedTuple):
    """An organisation's relation with a person from `from_us` until before `to_us` (None: open)."""

    organisation: str
    person: str
    kind: str
    from_us: int
    to_us: int | None = None


class AuditRow(NamedTuple):
    """Who did what to which record for what purpose, and how it ended; `detail` is JSON text."""

    at_us: int
    actor: str
    action: str
    outcome: str
    type: str = ""
    fid: str = ""
    patient: str = ""
    purpose: str = ""
    detail: str = "{}"


def item_id(arrival: int, index: int) -> int:
    """Return the id of the `index`-th item of an arrival."""
    return arrival << INDEX_BITS | index


def arrival_of(item: int) -> int:
    """Return the arrival an item came in."""
    return item >> INDEX_BITS


def version_id(pid: int, ver: int) -> int:
    """Return the key of a version's row."""
    return pid << VERSION_BITS | ver


def clean(text: str) -> str:
    """Return text every database can keep: NUL and lone surrogates become U+FFFD."""
    return _UNFIT.sub("\ufffd", text) if _UNFIT.search(text) else text
