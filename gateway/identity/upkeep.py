"""Upkeep of identity: evidence made anew from the Patients, and what is stored of identity checked against itself."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gateway.identity import linking
from gateway.identity.evidence import VERSION
from gateway.identity.linker import AT, MADE_BY, current, reach, read
from gateway.identity.linking import pair_of
from gateway.record.fsck import Finding, Progress
from gateway.store.engine import ReadTx, Store, WriteTx
from gateway.store.identity import Case, Event, NewEvidence
from gateway.store.values import Head, Link, Stored

_RENEWED_AT = "identity.renewed-at"
_CHANGED = "identity.renewed"
_FROM = "identity.renewed-from"
_PAGE = 100  # Patients of one transaction, so that no other writer waits long
_ALL_EVENTS = 1 << 30
_LINKING = ("linked", "decided-same")
_DECIDING = (*_LINKING, "unlinked", "decided-different")


class Renewed(NamedTuple):
    """How far the Patients have been looked at (by pid), and how many had other evidence than was stored."""

    done: int
    total: int
    changed: int


def due(store: Store) -> str:
    """Return in words why the evidence should be made anew, '' where it need not be."""
    with store.read() as tx:
        made_by, at = tx.cursor(MADE_BY), tx.cursor(_RENEWED_AT)
    if at or made_by not in (0, VERSION):
        return "evidence of identity was made by an older version of the gateway: run gateway reindex"
    return ""


def renew(store: Store, *, anew: bool = False) -> Iterator[Renewed]:
    """Yield how far evidence has been made anew; goes on where it was stopped, unless `anew`.

    Records that come out otherwise are decided anew by the linker, which goes back to the first of their changes.
    """
    with store.read() as tx:
        last = tx.last_pid()
        at, changed = (0, 0) if anew else (tx.cursor(_RENEWED_AT), tx.cursor(_CHANGED))
    while at < last:
        with store.write() as tx:
            tx.identity_take_turn()
            pids = tx.patients_after(at, _PAGE)
            at = pids[-1] if pids else last
            changed += _renew(tx, pids)
            tx.cursor_set(_RENEWED_AT, at)
            tx.cursor_set(_CHANGED, changed)
        yield Renewed(at, last, changed)
    with store.write() as tx:
        tx.identity_take_turn()
        if first := tx.cursor(_FROM):
            tx.cursor_set(AT, min(tx.cursor(AT), first - 1))
        for name in (_RENEWED_AT, _CHANGED, _FROM):
            tx.cursor_set(name, 0)
        tx.cursor_set(MADE_BY, VERSION)


def _renew(tx: WriteTx, pids: Sequence[int]) -> int:
    """Write evidence anew where it differs, without a digest: that lets the linker decide of the record again."""
    known, seen = tx.cursor(AT), current(tx, pids)
    wrong = [stored for stored, _ in _wrong(tx, {pid: one for pid, one in seen.items() if one.seq <= known})]
    tx.evidence_put([_fresh(one)._replace(digest=b"") for one in wrong if not one.deleted])
    if wrong:
        before = [first] if (first := tx.cursor(_FROM)) else []
        tx.cursor_set(_FROM, min(before + [one.seq for one in wrong]))
    return len(wrong)


def _wrong(tx: ReadTx, stored: dict[int, Stored]) -> Iterator[tuple[Stored, str]]:
    """Yield the Patients whose evidence or keys are not what their texts say, with what is wrong."""
    digests, bodies, keys = tx.evidence_digests(stored), tx.evidence(stored), tx.blocks_of(stored)
    for pid, one in stored.items():
        if one.deleted:
            if pid in digests:
                yield one, "it is deleted and still has evidence for linking"
            continue
        fresh = _fresh(one)
        if (digests.get(pid), bodies.get(pid)) != (fresh.digest, fresh.body):
            yield one, "its evidence for linking is not what its text says"
        elif keys.get(pid, set()) != set(fresh.keys):
            yield one, "it is not found under the keys its evidence has"


def _fresh(stored: Stored) -> NewEvidence:
    told = read(stored)
    return told.stored(stored.pid, told.keys())


# The check.


def check(store: Store) -> Iterator[Progress]:
    """Yield what is wrong with evidence, links and decisions; reads only, and may run beside a working gateway."""
    told = due(store)
    with store.read() as tx:
        last = tx.last_pid()
    if told:
        yield Progress("identity", 0, last, [Finding("identity", told)])
    else:
        yield from _evidence(store, last)
    yield from _links(store, last)
    yield from _decisions(store, last)
    yield Progress("identity", last, last, [])


def _evidence(store: Store, last: int) -> Iterator[Progress]:
    pids: Sequence[int] = [0]
    while pids:
        with store.read() as tx:
            pids = tx.patients_after(pids[-1], _PAGE)
            stored, known = current(tx, pids), tx.cursor(AT)
            looked_at = {pid: one for pid, one in stored.items() if one.seq <= known}
            findings = [Finding(_name(one), f"{text}; run gateway reindex") for one, text in _wrong(tx, looked_at)]
        yield Progress("identity", pids[-1] if pids else last, last, findings)


def _links(store: Store, last: int) -> Iterator[Progress]:
    """Every link of one person with itself is of two records of one partition, and was told of when it was made."""
    after = 0
    while True:
        with store.read() as tx:
            links = tx.links_after(after, "same", _PAGE)
            pids = {pid for link in links for pid in link[2:4]}
            heads, events = tx.heads_by_pid(pids), tx.identity_events(pids, _ALL_EVENTS)
            evidence = tx.evidence_digests(pids)
        if not links:
            return
        after = links[-1].id
        yield Progress("identity", last, last, list(_link_faults(links, heads, events, evidence)))


def _link_faults(
    links: Iterable[Link], heads: dict[int, Head], events: Iterable[Event], evidence: dict[int, bytes]
) -> Iterator[Finding]:
    said = {(event.low_pid, event.high_pid): event.action for event in events if event.action in _DECIDING}
    for link in links:
        pair, where = pair_of(link.from_pid, link.to_pid), f"link {link.id}"
        ends = [heads[pid] for pid in pair if pid in heads]
        if len(ends) < len(pair):
            yield Finding(where, "one of its records is not there")
        elif len({(head.type, head.test) for head in ends}) > 1 or ends[0].type != "Patient":
            yield Finding(where, "its records are not two Patients of one partition")
        elif said.get(pair) not in _LINKING:
            yield Finding(where, "no event tells who made it")
        elif link.made == "linker" and not evidence.keys() >= set(pair):
            yield Finding(where, "one of its records has no evidence")


def _decisions(store: Store, last: int) -> Iterator[Progress]:
    """Records that a person called different are not one person by what the linker made."""
    after = 0
    while True:
        with store.read() as tx:
            cases = tx.called_different(after, _PAGE)
            findings = [found for case in cases if (found := _joined(tx, case)) is not None]
        if not cases:
            return
        after = cases[-1].id
        yield Progress("identity", last, last, findings)


def _joined(tx: ReadTx, case: Case) -> Finding | None:
    pair = (case.low_pid, case.high_pid)
    if pair not in linking.different(one for one in tx.cases_of([case.low_pid]) if one[1:3] == pair):
        return None
    links = reach(tx, pair)
    fixed = [link for link in links if link.made != "linker"]
    if _one(links, pair) and not _one(fixed, pair):
        return Finding(f"case {case.id}", "its two records are linked, though a person called them different")
    return None


def _one(links: Iterable[Link], pair: tuple[int, int]) -> bool:
    roots = linking.components(links)
    return roots.get(pair[0], pair[0]) == roots.get(pair[1], pair[1])


def _name(stored: Stored) -> str:
    return f"Patient/{stored.fid}"
