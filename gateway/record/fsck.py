"""Checking the store against itself: bytes, states, versions, provenance, search rows, the audit trail."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.search import extract
from gateway.store import index
from gateway.store.engine import ReadTx, Store
from gateway.store.values import State, Stored, WorkRow, item_id

_PAGE = 500


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


def check(store: Store) -> Iterator[Progress]:
    """Yield progress and findings while checking everything; reads only, and may run beside a working gateway."""
    yield from _arrivals(store)
    yield from _resources(store)
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
            rows = tx.work_rows([item_id(arrival.id, 0) for arrival in arrivals])
        findings += [
            Finding(f"arrival {arrival.id}", "it was picked up, but no item of it has a state")
            for arrival in arrivals
            if arrival.id <= cursor and item_id(arrival.id, 0) not in rows
        ]
        after = arrivals[-1].id
        yield Progress("inbox", after, last, findings)


def _resources(store: Store) -> Iterator[Progress]:
    """Every resource can be read, is of its digest, names its origin, and is found by exactly what it says."""
    with store.read() as tx:
        last = tx.last_pid()
    for first in range(1, last + 1, _PAGE):
        pids = range(first, min(first + _PAGE, last + 1))
        with store.read() as tx:
            found = tx.current(pids)
            origins = tx.work_rows({stored.item_id for stored in found.values() if stored.item_id})
            findings = [finding for stored in found.values() for finding in _resource(tx, stored, origins)]
        yield Progress("resources", pids[-1], last, findings)


def _resource(tx: ReadTx, stored: Stored, origins: dict[int, WorkRow]) -> Iterator[Finding]:
    where = f"{stored.type}/{stored.fid}"
    origin = origins.get(stored.item_id or 0)
    if origin is None and not stored.actor:
        yield Finding(where, f"version {stored.ver} does not say where it comes from")
    elif origin is not None and origin.state not in (State.APPLIED, State.QUEUED, State.RETRY, State.PARKED):
        yield Finding(where, f"version {stored.ver} comes from item {origin.item_id}, which was not applied")
    if stored.deleted:
        return
    try:
        body = resource.loads(stored.body, strict=False)
    except GatewayError as fault:
        yield Finding(where, f"version {stored.ver} cannot be read: {fault.text}")
        return
    yield from _stamp(where, stored, body)
    yield from _index(tx, where, stored, body)


def _stamp(where: str, stored: Stored, body: dict[str, object]) -> Iterator[Finding]:
    meta = body.get("meta")
    said = meta.get("versionId") if isinstance(meta, dict) else None
    if (body.get("resourceType"), body.get("id"), said) != (stored.type, stored.fid, str(stored.ver)):
        yield Finding(where, f"its text says {body.get('resourceType')}/{body.get('id')} version {said}")


def _index(tx: ReadTx, where: str, stored: Stored, body: dict[str, object]) -> Iterator[Finding]:
    rows = extract.rows({name: value for name, value in body.items() if name not in ("id", "meta")}, stored.type)
    wanted = index.expected(tx, stored.pid, stored.type, rows)
    held = index.stored(tx, stored.pid, stored.type)
    for kind, expected in wanted.items():
        if sorted(map(repr, set(expected))) != sorted(map(repr, set(held.get(kind, [])))):
            yield Finding(where, f"its {kind} search rows are not what its text says; run gateway reindex")
