"""The frozen values that travel down the line, and the reasons a message leaves it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from gateway.fhir.issues import Issue
from gateway.formats.hl7v2 import Message
from gateway.mapping.draft import Mapped
from gateway.mapping.feeds import Feed
from gateway.mapping.tables.records import Record
from gateway.record.states import Plan
from gateway.store.values import State

T = TypeVar("T")


class Reason(StrEnum):
    """Why a message is parked; each reason is a queue of its own."""

    UNDECODABLE = "undecodable"
    UNREADABLE = "unreadable"
    UNMAPPED = "unmapped"
    UNIDENTIFIED = "unidentified"
    KEY_REUSED = "key-reused"
    INVALID = "invalid"
    REFUSED = "refused"
    POISON = "poison"
    UNKNOWN_FEED = "unknown-feed"
    QUARANTINED = "quarantined"
    HALF_FILE = "half-file"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Item:
    """One message of one arrival: its bytes, its feed, and what the door already read of it.

    `applied_us` is when it took effect before, where it did; then a replay refolds what it touched. `waited` is the
    patient key its row stands under: its own first one, or that of an earlier message it waited for. An item of a
    file is one record of it (None: it is not there any more) and has no bytes of its own; `lost` are those whose
    bytes retention removed.
    """

    item_id: int
    feed: Feed
    raw: bytes
    received_us: int
    control_id: str = ""
    event: str = ""
    charset: str = ""
    test: bool = False
    attempts: int = 0
    offset: int = 0
    length: int = 0
    before: State | None = None
    replay: bool = False
    applied_us: int | None = None
    waited: str = ""
    of_file: bool = False
    record: Record | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """An item read as a located message; `patient_keys` are the numbers it names, the lane's first."""

    item: Item
    message: Message
    patient_keys: tuple[str, ...]
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """A message as resources without ids."""

    parsed: Parsed
    mapped: Mapped

    @property
    def item(self) -> Item:
        """Return the item this came from."""
        return self.parsed.item


@dataclass(frozen=True, slots=True)
class Identified:
    """A message as versions to write, each with its id."""

    drafted: Drafted
    plan: Plan

    @property
    def item(self) -> Item:
        """Return the item this came from."""
        return self.drafted.item


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that leaves the line here, with the reason and the findings a person can act on."""

    item: Item
    reason: Reason
    issues: tuple[Issue, ...]
    patient_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose definitions raised; it is tried again at `next_us`."""

    item: Item
    next_us: int
    issues: tuple[Issue, ...]


@dataclass(slots=True)
class Sorted(Generic[T]):
    """What a stage hands on, and what it parks."""

    passed: list[T] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
