"""Making the search index anew from the stored texts: beside writers, a page at a time, from where it stopped."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.record.fsck import Finding
from gateway.record.indexing import stored_rows
from gateway.search import parameters
from gateway.search.extract import Rows
from gateway.search.hashes import hash64
from gateway.store import index
from gateway.store.engine import ReadTx, Store, WriteTx
from gateway.store.values import Stored

_AT = "reindex.at"
_CHANGED = "reindex.changed"
_MADE_BY = "index.made-by"
_PAGE = 100  # resources of one transaction, so that no other writer waits long


class Renewed(NamedTuple):
    """How many of `total` resources are done, how many search rows that changed, and what the last page told."""

    done: int
    total: int
    changed: int
    findings: list[Finding]


def reindex(store: Store, zone: str, *, anew: bool = False) -> Iterator[Renewed]:
    """Yield how far the search index has been made anew; goes on where it was stopped, unless `anew`.

    Resources written meanwhile are indexed by who writes them, so every process must run these definitions already.
    """
    with store.read() as tx:
        last, total = tx.last_pid(), tx.count_resources()
        at, changed = (0, 0) if anew else (tx.cursor(_AT), tx.cursor(_CHANGED))
        done = tx.count_resources(at)
    while at < last:
        with store.write() as tx:
            pids = tx.hold_resources(at, _PAGE)
            at = max(pids, default=last)
            rows, findings = _renewed(tx, pids, zone)
            done, changed = done + len(pids), changed + rows
            tx.cursor_set(_AT, at)
            tx.cursor_set(_CHANGED, changed)
        yield Renewed(done, total, changed, findings)
    with store.write() as tx:
        tx.cursor_set(_AT, 0)
        tx.cursor_set(_CHANGED, 0)
        tx.cursor_set(_MADE_BY, fingerprint())


def due(store: Store) -> str:
    """Return in words why the search index should be made anew, '' where it need not be."""
    with store.read() as tx:
        made_by, at = tx.cursor(_MADE_BY), tx.cursor(_AT)
    if at:
        return "a reindex was stopped before its end: run gateway reindex again, it goes on where it was"
    if made_by and made_by != fingerprint():
        return "the search parameters have changed since the index was made: run gateway reindex"
    return ""


def begin(store: Store) -> None:
    """Note in a store without resources that its index is made by the parameters in force."""
    with store.read() as tx:
        if not _empty(tx):
            return
    with store.write() as tx:
        if _empty(tx):
            tx.cursor_set(_MADE_BY, fingerprint())


def fingerprint() -> int:
    """Return a number that stands for all search parameters: their ids, kinds, expressions and what answers them."""
    told = [
        f"{one.id} {one.kind} {one.expression} {one.via} {one.only} {one.components}"
        for name in parameters.types()
        for one in parameters.for_type(name).values()
    ]
    return hash64("\n".join(told)) or 1


def _empty(tx: ReadTx) -> bool:
    return not tx.last_pid() and tx.cursor(_MADE_BY) != fingerprint()


def _renewed(tx: WriteTx, pids: Iterable[int], zone: str) -> tuple[int, list[Finding]]:
    findings: list[Finding] = []
    entries = list(_entries(_readable(tx, pids, findings), zone, findings))
    return index.renew(tx, entries), findings


def _readable(tx: WriteTx, pids: Iterable[int], findings: list[Finding]) -> Mapping[int, Stored]:
    """Return the current versions; each that cannot be read is a finding."""
    try:
        return tx.current(pids)
    except GatewayError:
        return dict(_one_by_one(tx, pids, findings))


def _one_by_one(tx: WriteTx, pids: Iterable[int], findings: list[Finding]) -> Iterator[tuple[int, Stored]]:
    for pid in pids:
        try:
            yield from tx.current([pid]).items()
        except GatewayError as fault:
            findings.append(Finding(f"resource {pid}", f"it keeps its old search rows: {fault.text}"))


def _entries(current: Mapping[int, Stored], zone: str, findings: list[Finding]) -> Iterator[index.Entry]:
    """Yield what to index; a deleted resource has no rows, one that cannot be indexed keeps those it has."""
    for pid, stored in current.items():
        try:
            yield pid, stored.type, _rows(stored, zone), False
        except GatewayError as fault:
            findings.append(Finding(f"{stored.type}/{stored.fid}", f"it keeps its old search rows: {fault.text}"))


def _rows(stored: Stored, zone: str) -> Rows:
    if stored.deleted:
        return Rows()
    return stored_rows(resource.loads(stored.body, strict=False), stored.type, zone, mapped=bool(stored.item_id))
