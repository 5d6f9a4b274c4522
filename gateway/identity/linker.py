"""The linker: follows the changes of Patients, keeps their evidence, and links who is the same person."""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from gateway import clock, failpoints
from gateway.errors import GatewayError, Transient
from gateway.identity import candidates, events, linking
from gateway.identity.candidates import Judge
from gateway.identity.decide import Decision, Verdict
from gateway.identity.evidence import VERSION, Evidence, of_patient, packed
from gateway.identity.linking import Outcome, Pair, View, pair_of
from gateway.store.engine import ReadTx, Store, WriteTx
from gateway.store.identity import LINKER_AT, Case, NewCase, NewEvent, NewEvidence
from gateway.store.values import Change, Link, NewLink, Op, Stored

AT = LINKER_AT

PAGE = 128
"""Changes of one step: one transaction of it takes some milliseconds."""

MADE_BY = "identity.made-by"
"""The cursor that holds the version of the evidence that is stored."""

_LOOK_S = 5.0
_REACH = 1024
_LOG = logging.getLogger(__name__)
Fence = Callable[[WriteTx], None]


class Read(NamedTuple):
    """A Patient as the linker reads it: what it says of who it is, and the digest of all that matters to links."""

    evidence: Evidence
    digest: bytes
    test: bool

    def keys(self) -> dict[int, str]:
        """Return the keys it is found under, with their kinds."""
        return candidates.keys(self.evidence, test=self.test)

    def stored(self, pid: int, keys: Mapping[int, str]) -> NewEvidence:
        """Return what is stored of it."""
        return NewEvidence(pid, self.digest, packed(self.evidence), keys.keys())


@dataclass
class _Batch:
    """What one step learned before it judges."""

    turn: int
    changes: Sequence[Change]
    new: dict[int, Read]
    gone: set[int]
    keys: dict[int, dict[int, str]]


def read(stored: Stored) -> Read:
    """Return a stored Patient as the linker reads it; one that cannot be read says nothing of who it is."""
    try:
        body: Any = msgspec.json.decode(stored.body)
        told = of_patient(body, stored.site)
    except Exception:  #  one Patient that cannot be read must not keep all others from being linked
        _LOG.exception("Patient %d cannot be read for linking; it stays by itself", stored.pid)
        body, told = {}, Evidence(stored.site)
    joined = msgspec.json.encode([VERSION, stored.test, body.get("active"), body.get("link")])
    return Read(told, hashlib.blake2b(packed(told) + joined, digest_size=16).digest(), stored.test)


def current(tx: ReadTx, pids: Iterable[int]) -> dict[int, Stored]:
    """Return the current versions of Patients; one whose stored bytes are damaged is left out, for fsck to tell."""
    wanted = sorted(pids)
    try:
        return tx.current(wanted)
    except Transient:
        raise
    except GatewayError as fault:
        if len(wanted) == 1:
            _LOG.error("Patient %d is left as it is: %s", wanted[0], fault.text)
            return {}
    return {pid: stored for one in wanted for pid, stored in current(tx, [one]).items()}


class Judging:
    """Decisions of pairs, each made once; evidence comes from the store or from the batch."""

    def __init__(self, judge: Judge, evidence: Mapping[int, Evidence]) -> None:
        self._judge = judge
        self._evidence = evidence
        self._made: dict[Pair, Decision | None] = {}

    def __call__(self, low: int, high: int) -> Decision | None:
        """Return what is decided of two records, None where one of them has no evidence or cannot be judged."""
        pair = (low, high)
        if pair not in self._made:
            self._made[pair] = self._decided(self._evidence.get(low), self._evidence.get(high), pair)
        return self._made[pair]

    def _decided(self, one: Evidence | None, other: Evidence | None, pair: Pair) -> Decision | None:
        if one is None or other is None:
            return None
        try:
            return self._judge(one, other)
        except Exception:  #  what cannot be judged is not linked, and must not keep all others from being linked
            _LOG.exception("Patients %d and %d cannot be compared; they are not linked", *pair)
            return None


class Linker:
    """Takes changes of Patients a page at a time; whatever kills it, the next step goes on where the last one ended."""

    def __init__(self, store: Store, judge: Judge, model: str, page: int = PAGE, most: int = candidates.MOST) -> None:
        self._store = store
        self._judge = judge
        self._model = model
        self._page = page
        self._most = most
        self._at: int | None = None
        self._look_at = 0.0

    def step(self, fence: Fence) -> int:
        """Deal with the next changes; return how many.

        `fence` raises Fenced in the transaction unless this is still the one linker; raises Conflict where a person
        decided something meanwhile: then nothing was written, and the next step begins anew.
        """
        batch = self._batch()
        if batch is None:
            return 0
        outcome, cut = self._outcome(batch) if batch.new or batch.gone else (Outcome(), {})
        fresh = [one.stored(pid, batch.keys[pid]) for pid, one in batch.new.items()]
        with self._store.write() as tx:
            tx.identity_take_turn(batch.turn)
            fence(tx)
            tx.evidence_put(fresh)
            tx.evidence_drop(batch.gone)
            self._write(tx, outcome, batch.gone, cut)
            tx.cursor_set(AT, batch.changes[-1].seq)
            if not tx.cursor(MADE_BY):
                tx.cursor_set(MADE_BY, VERSION)
            failpoints.hit("fp13")
        self._at = batch.changes[-1].seq
        failpoints.hit("fp14")
        return len(batch.changes)

    def _batch(self) -> _Batch | None:
        """Return the next changes, and of these the Patients that say something new of who they are."""
        with self._store.read() as tx:
            changes = self._changes(tx)
            if not changes:
                return None
            turn, at = tx.identity_turn(), tx.cursor(AT)
            stored = current(tx, {change.pid for change in changes})
            known = tx.evidence_digests(stored)
        if at != self._at:  # all evidence is made anew: begin where that says
            self._at = None
            return self._batch()
        latest = [stored[change.pid] for change in changes if _is_latest(change, stored)]
        new = {one.pid: read(one) for one in latest if one.op != Op.DELETE}
        changed = {pid: one for pid, one in new.items() if known.get(pid) != one.digest}
        gone = {one.pid for one in latest if one.op == Op.DELETE and one.pid in known}
        return _Batch(turn, changes, changed, gone, {pid: one.keys() for pid, one in changed.items()})

    def _changes(self, tx: ReadTx) -> list[Change]:
        if self._at is None or clock.monotonic() >= self._look_at:
            self._at, self._look_at = tx.cursor(AT), clock.monotonic() + _LOOK_S
        return tx.changes_since(self._at, self._page, "Patient")

    def _outcome(self, batch: _Batch) -> tuple[Outcome, dict[int, tuple[str, ...]]]:
        """Return what follows from a batch, and which kinds of blocks were cut for whom."""
        evidence = {pid: one.evidence for pid, one in batch.new.items()}
        judged = Judging(self._judge, evidence)
        pairs, cut = self._near(batch, evidence)
        changed = {*batch.new, *batch.gone}
        alike = (pair for pair in pairs if (told := judged(*pair)) and told.verdict in (Verdict.SAME, Verdict.REVIEW))
        concerned = changed.union(*alike)
        with self._store.read() as tx:
            concerned.update(*(case[1:3] for case in tx.cases_of(changed)))
            links = reach(tx, concerned)
            members = concerned.union(*(link[2:4] for link in links))
            cases = tx.cases_of(members)
            members.update(*(case[1:3] for case in cases))
            evidence |= candidates.evidence(tx, members - evidence.keys() - batch.gone)
        pairs.update(linking.between(cases, links, changed))
        return linking.plan(View(batch.new.keys(), batch.gone, pairs, links, cases), judged), cut

    def _near(self, batch: _Batch, evidence: dict[int, Evidence]) -> tuple[set[Pair], dict[int, tuple[str, ...]]]:
        """Return the pairs of changed records that share a block with a stored one or with each other."""
        with self._store.read() as tx:
            near = candidates.near(tx, batch.keys, self._most)
            found = set().union(*near.pids.values()) - batch.new.keys() - batch.gone
            evidence |= candidates.evidence(tx, found)
        pairs = {pair_of(pid, other) for pid, others in near.pids.items() for other in others & found}
        return pairs | _together(batch.keys), near.cut

    def _write(self, tx: WriteTx, outcome: Outcome, gone: Collection[int], cut: Mapping[int, tuple[str, ...]]) -> None:
        now_us = clock.now_us()
        tx.links_end([one.link.id for one in outcome.end], now_us)
        tx.links_add([self._link(pair, decision, now_us) for pair, decision in outcome.add])
        tx.cases_add([self._case(doubt, now_us) for doubt in outcome.ask])
        tx.cases_judge([self._renewed(case, doubt) for case, doubt in outcome.renew])
        for case in outcome.settle:
            tx.case_decide(case.id, "settled", events.LINKER, "", now_us)
        tx.identity_events_add(self._events(outcome, gone, cut, now_us))
        tx.tally(_cuts(cut))

    def _link(self, pair: Pair, decision: Decision, now_us: int) -> NewLink:
        return NewLink("same", *pair, "active", now_us, events.link_text(decision, events.LINKER), made="linker")

    def _case(self, doubt: linking.Doubt, now_us: int) -> NewCase:
        text = events.case_text((*doubt.more, *doubt.decision.reasons), doubt.decision)
        return NewCase(*doubt.pair, doubt.decision.bits, text, doubt.decision.model, now_us)

    def _renewed(self, case: Case, doubt: linking.Doubt) -> tuple[int, float, str, str]:
        fresh = self._case(doubt, 0)
        return case.id, fresh.score, fresh.reasons, fresh.model

    def _events(
        self, outcome: Outcome, gone: Collection[int], cut: Mapping[int, tuple[str, ...]], now_us: int
    ) -> list[NewEvent]:
        def event(action: str, pair: Sequence[int], text: str) -> NewEvent:
            return events.event(now_us, action, (pair[0], pair[1]), events.LINKER, text, self._model)

        def missed(pair: Pair) -> list[str]:
            return sorted({kind for pid in pair for kind in cut.get(pid, ())})

        found = [event(events.DELETED, (pid, pid), "{}") for pid in sorted(gone)]
        found += [
            event(events.UNLINKED, one.link[2:4], events.event_text(one.decision, one.more)) for one in outcome.end
        ]
        found += [
            event(events.LINKED, pair, events.event_text(decision, (), missed(pair))) for pair, decision in outcome.add
        ]
        found += [
            event(events.PROPOSED, doubt.pair, events.event_text(doubt.decision, doubt.more, missed(doubt.pair)))
            for doubt in outcome.ask
        ]
        return found + [event(events.SETTLED, case[1:3], "{}") for case in outcome.settle]


def reach(tx: ReadTx, pids: Iterable[int]) -> list[Link]:
    """Return every standing link of the persons these records are of, oldest first."""
    found: dict[int, Link] = {}
    edge, seen = set(pids), set(pids)
    most = _REACH + len(seen)
    while edge and len(seen) < most:
        links = tx.links(edge)
        found |= {link.id: link for link in links}
        edge = {pid for link in links for pid in link[2:4]} - seen
        seen |= edge
    return [found[number] for number in sorted(found)]


def _is_latest(change: Change, stored: Mapping[int, Stored]) -> bool:
    return change.pid in stored and stored[change.pid].ver == change.ver


def _together(keys: Mapping[int, Mapping[int, str]]) -> set[Pair]:
    """Return the pairs of one batch that share a key."""
    held: dict[int, list[int]] = {}
    for pid in sorted(keys):
        for key in keys[pid]:
            held.setdefault(key, []).append(pid)
    return {(low, high) for pids in held.values() for at, low in enumerate(pids) for high in pids[at + 1 :]}


def _cuts(cut: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for kind in (kind for kinds in cut.values() for kind in kinds):
        counted[f"cut|{kind}"] = counted.get(f"cut|{kind}", 0) + 1
    return counted
