"""Checking the store against itself: bytes, states, versions, provenance, search rows, the audit trail."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.fhir.types import RESOURCE_TYPES
from gateway.record import attachments
from gateway.record.indexing import stored_rows
from gateway.search.extract import ZONE
from gateway.search.kinds.date import Zone
from gateway.store import index
from gateway.store.engine import ReadTx, Store
from gateway.store.values import TABLE, Head, State, Stored, WorkRow, item_id

_PAGE = 500
Body = dict[str, Any]


class Finding(NamedTuple):
    """Something that is not as it must be: where, and what."""

    where: str
    text: str


class Progress(NamedTuple):
    """How far the check is, and what it found in the last step."""

    area: str
    done: int
    total: int
    findings: list[Finding]


def check(store: Store, zone: Zone = ZONE) -> Iterator[Progress]:
    """Yield progress and findings while checking everything; reads only, and may run beside a working gateway.

    `zone` is where dates without an offset stand in the search index (setting `zone`).
    """
    yield from _arrivals(store)
    yield from _resources(store, zone)
    yield from _contents(store)
    faults = [Finding("audit trail", text) for text in store.audit.verify()]
    yield Progress("audit", 1, 1, faults)


def _arrivals(store: Store) -> Iterator[Progress]:
    """Every arrival has the bytes its digest says, and a state once it was picked up."""
    last = store.inbox.last_id()
    with store.read() as tx:
        cursor = tx.cursor("arrivals")
    after = 0
    while arrivals := store.inbox.unpicked(after, _PAGE):
        findings = [
            Finding(f"arrival {arrival.id}", "its bytes are not those that were received")
            for arrival in arrivals
            if arrival.body is not None and hashlib.sha256(arrival.body).digest() != arrival.digest
        ]
        with store.read() as tx:
            rows = tx.work_rows([item_id(arrival.id, 0) for arrival in arrivals if arrival.type != TABLE])
            files = tx.file_reports([arrival.id for arrival in arrivals if arrival.type == TABLE])
        findings += [
            Finding(f"arrival {arrival.id}", "it was picked up, but no item of it has a state")
            for arrival in arrivals
            if arrival.id <= cursor and item_id(arrival.id, 0) not in rows and arrival.id not in files
        ]
        after = arrivals[-1].id
        yield Progress("inbox", after, last, findings)


def _resources(store: Store, zone: Zone) -> Iterator[Progress]:
    """Every resource can be read, is what was written, names its origin, and is found by exactly what it says."""
    with store.read() as tx:
        last = tx.last_pid()
    for first in range(1, last + 1, _PAGE):
        pids = range(first, min(first + _PAGE, last + 1))
        with store.read() as tx:
            findings, binaries = _page(tx, pids, zone)
            named = tx.attached(binaries)
        findings += _binaries(store, binaries, named)
        yield Progress("resources", pids[-1], last, findings)


def _binaries(store: Store, binaries: Mapping[bytes, str], named: set[bytes]) -> Iterator[Finding]:
    """Every Binary's content is there, and the record says that it is in use."""
    held = store.blobs.find(binaries)
    for digest, where in binaries.items():
        if digest not in held:
            yield Finding(where, "its content is lost; replay its message to bring it back")
        elif digest not in named:
            yield Finding(where, "its content is not marked as in use, so a sweep would take it")


def _contents(store: Store) -> Iterator[Progress]:
    """Every piece of content is what its digest and size say."""
    total, done, after = store.blobs.count(), 0, b""
    while listed := store.blobs.listed(after):
        for digest, size in listed:
            done += 1
            fault = _content(store, digest, size)
            yield Progress("attachments", done, total, [fault] if fault else [])
        after = listed[-1][0]


def _content(store: Store, digest: bytes, size: int) -> Finding | None:
    read = 0
    try:
        for part in store.blobs.parts(digest):
            read += len(part)
    except GatewayError:
        return Finding(f"content {digest.hex()}", "its bytes are missing or not what its digest says")
    told = f"its size is told as {size} bytes; it has {read}"
    return None if read == size else Finding(f"content {digest.hex()}", told)


def sweep(store: Store) -> Iterator[Progress]:
    """Take away content that no version refers to and nobody stored within a day; what a crash left behind."""

    def used(digests: Sequence[bytes]) -> set[bytes]:
        with store.read() as tx:
            return tx.attached(digests)

    total, done, after = store.blobs.count(), 0, b""
    while (swept := store.blobs.sweep(used, after)).after:
        done, after = done + swept.blobs, swept.after
        yield Progress("sweep", done, total, [])


def _page(tx: ReadTx, pids: Iterable[int], zone: Zone) -> tuple[list[Finding], dict[bytes, str]]:
    """Return what is wrong with a page of resources, and the content its Binaries name."""
    heads = tx.heads_by_pid(pids)
    found, findings = _readable(tx, heads)
    earlier = {pid: tx.versions(pid)[:-1] for pid, stored in found.items() if stored.ver > 1}
    versions = [*found.values(), *(version for history in earlier.values() for version in history)]
    origins = tx.work_rows({version.item_id for version in versions if version.item_id})
    bodies: dict[int, Body] = {}
    for stored in found.values():
        for version in (*earlier.get(stored.pid, ()), stored):
            findings += _origin(version, origins)
        if len(earlier.get(stored.pid, ())) != stored.ver - 1:
            findings.append(Finding(_name(stored), f"of {stored.ver} versions not every one is there"))
        if not stored.deleted:
            findings += _text(stored, heads[stored.pid].digest, bodies)
    findings += _index(tx, found, bodies, zone)
    places = {pid: attachments.pointer(body) for pid, body in bodies.items() if found[pid].type == "Binary"}
    return findings, {place.digest: _name(found[pid]) for pid, place in places.items() if place is not None}


def _readable(tx: ReadTx, heads: Mapping[int, Head]) -> tuple[dict[int, Stored], list[Finding]]:
    """Return the current versions of a page, and what cannot be read; then each is read by itself."""
    found: dict[int, Stored] = {}
    findings = []
    try:
        found = tx.current(heads)
    except GatewayError:
        for pid, head in heads.items():
            try:
                found |= tx.current([pid])
            except GatewayError as fault:
                findings.append(Finding(_name(head), fault.text))
    if not findings:
        lost = [head for pid, head in heads.items() if pid not in found]
        findings = [Finding(_name(head), f"version {head.ver}, its current one, is lost") for head in lost]
    return found, findings


def _name(stored: Stored | Head) -> str:
    return f"{stored.type}/{stored.fid}"


def _origin(version: Stored, origins: Mapping[int, WorkRow]) -> Iterator[Finding]:
    origin = origins.get(version.item_id or 0)
    if origin is None and not version.actor:
        yield Finding(_name(version), f"version {version.ver} does not say where it comes from")
    elif origin is not None and origin.applied_us is None and origin.state == State.DISCARDED:
        text = f"version {version.ver} comes from item {origin.item_id}, which was not applied"
        yield Finding(_name(version), text)


def _text(stored: Stored, digest: bytes, bodies: dict[int, Body]) -> Iterator[Finding]:
    """Check that the text can be read, is of its digest and says who it is; a good one is added to `bodies`."""
    try:
        body = resource.loads(stored.body, strict=False)
    except GatewayError as fault:
        yield Finding(_name(stored), f"version {stored.ver} cannot be read: {fault.text}")
        return
    meta = body.get("meta")
    said = meta.get("versionId") if isinstance(meta, dict) else None
    if (body.get("resourceType"), body.get("id"), said) != (stored.type, stored.fid, str(stored.ver)):
        yield Finding(_name(stored), f"its text says {body.get('resourceType')}/{body.get('id')} version {said}")
    bare = {name: value for name, value in body.items() if name not in ("id", "meta")}
    if stored.item_id and hashlib.blake2b(resource.dumps(bare), digest_size=len(digest)).digest() != digest:
        yield Finding(_name(stored), f"the text of version {stored.ver} is not the one that was written")
    bodies[stored.pid] = body


def _index(tx: ReadTx, found: Mapping[int, Stored], bodies: Mapping[int, Body], zone: Zone) -> Iterator[Finding]:
    """Compare the search rows of resources with what their texts say; each kind that differs is one finding."""
    entries: list[index.Entry] = []
    for pid, body in bodies.items():
        try:
            mapped = bool(found[pid].item_id)
            entries.append((pid, found[pid].type, stored_rows(body, found[pid].type, zone, mapped=mapped), False))
        except GatewayError as fault:
            yield Finding(_name(found[pid]), f"its text cannot be indexed: {fault.text}")
    named = {(kind, fid) for entry in entries for _, kind, fid in entry[2].reference if kind in RESOURCE_TYPES}
    unknown = {head.pid: index.unknown_target(kind, fid) for (kind, fid), head in tx.heads(named).items()}
    held = _by_pid(index.stored(tx, *(entry[0] for entry in entries)), unknown)
    wanted = _by_pid(index.batch(entries, {}), unknown)
    for pid, kind in sorted({key for key in wanted.keys() | held.keys() if wanted.get(key) != held.get(key)}):
        text = f"its {kind} search rows are not what its text says; run gateway reindex"
        yield Finding(_name(found[pid]), text)


def _by_pid(batch: index.Batch, unknown: Mapping[int, int]) -> dict[tuple[int, str], set[tuple[Any, ...]]]:
    """Return rows by resource and kind.

    A reference stored before its target stands as a hash, one stored after it as the target's pid: both are right,
    so every target is read as its hash.
    """
    rows: dict[tuple[int, str], set[tuple[Any, ...]]] = {}
    for kind, found in batch.items():
        pid_at, target_at = (-1, 1) if kind == "clinical" else (0, 2 if kind in ("reference", "composite") else None)
        for row in found:
            values = list(row)
            if target_at is not None:
                values[target_at] = unknown.get(values[target_at], values[target_at])
            rows.setdefault((row[pid_at], kind), set()).add(tuple(values))
    return rows
