"""What is new in a file: its records against what is known of the rows of its table (ruling R6)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.mapping.tables.records import Record
from gateway.store.rows import RowState
from gateway.store.values import arrival_of, clean, item_id

_KEYLESS = "!"  # before the digest of a row that names no key


@dataclass(slots=True)
class Contents:
    """What is told by a file as a whole: its keys, those that stand on several rows, and its span of time."""

    arrival: int
    keys: set[str]
    repeated: dict[str, bytes]
    first: str = ""
    last: str = ""

    def spans(self, told: str) -> bool:
        """Say whether a source time lies in the file's own span."""
        return bool(told) and self.first <= told <= self.last


@dataclass(slots=True)
class Sorted:
    """The records of one step by what must become of them; unchanged ones cost nothing."""

    fresh: list[Record] = field(default_factory=list)
    changed: list[Record] = field(default_factory=list)
    quarantined: list[Record] = field(default_factory=list)
    unchanged: int = 0
    returned: list[str] = field(default_factory=list)
    new: list[RowState] = field(default_factory=list)
    told_anew: list[RowState] = field(default_factory=list)
    earlier: list[int] = field(default_factory=list)


def key_of(record: Record) -> str:
    """Return the key a row is known by; one without a key is known by its content."""
    return clean(record.key) or _KEYLESS + record.digest.hex()


def is_keyless(key: str) -> bool:
    """Say whether a row is known by its content only."""
    return key.startswith(_KEYLESS)


def contents(records: Iterable[Record], arrival: int) -> Contents:
    """Return what a file tells as a whole."""
    digests: dict[str, bytes] = {}
    repeated: dict[str, list[bytes]] = {}
    times = set()
    for record in records:
        key = key_of(record)
        if key in digests:
            repeated.setdefault(key, [digests[key]]).append(record.digest)
        else:
            digests[key] = record.digest
        times.add(record.time)
    times.discard("")
    joined = {key: hashlib.blake2b(b"".join(found), digest_size=16).digest() for key, found in repeated.items()}
    return Contents(arrival, set(digests), joined, min(times, default=""), max(times, default=""))


def sort(records: Sequence[Record], known: Mapping[str, RowState], whole: Contents) -> Sorted:
    """Return which records are new or changed; `known` is what was told of their keys before.

    A key that stands on several rows is unchanged only if all of them are; what a later file told stays.
    """
    result = Sorted()
    states = dict(known)
    for record in records:
        key = key_of(record)
        digest = whole.repeated.get(key, record.digest)
        state = states.get(key)
        if state is not None and _nothing_new(state, digest, whole.arrival):
            result.unchanged += 1
            if state.missing_us is not None:
                result.returned.append(key)
            continue
        states[key] = _take(result, record, RowState(key, digest, 0, record.line, record.time), state, whole.arrival)
    return result


def _nothing_new(state: RowState, digest: bytes, arrival: int) -> bool:
    told_in = arrival_of(state.item_id)
    return told_in > arrival or (state.digest == digest and told_in != arrival)


def _take(result: Sorted, record: Record, now: RowState, before: RowState | None, arrival: int) -> RowState:
    now = now._replace(item_id=item_id(arrival, record.number))
    (result.new if before is None else result.told_anew).append(now)
    if record.fault:
        result.quarantined.append(record)
    else:
        (result.fresh if before is None else result.changed).append(record)
    if before is not None and arrival_of(before.item_id) != arrival:
        result.earlier.append(before.item_id)
    return now
