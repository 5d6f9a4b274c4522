"""Merging and undoing by a person: within a site one record replaces another, across sites two records are linked.

Within a site it is what a merge message (A40) does, and an unmerge what its opposite (A37) does: the retired record is
marked, and unmarked, and no other resource is touched. Across sites nothing is rewritten: a link begins or ends.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway import clock
from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError, Gone, Transient
from gateway.fhir import resource
from gateway.identity import review
from gateway.identity.candidates import Judge
from gateway.identity.linking import pair_of
from gateway.record import joined, revision, trail
from gateway.record.edits import Edit
from gateway.record.incoming import Incoming
from gateway.record.joined import REPLACED, SAME, Told
from gateway.record.marks import retired, standing
from gateway.record.revision import Revision
from gateway.record.standing import permit
from gateway.store.engine import ReadTx, Store, WriteTx
from gateway.store.failures import Conflict
from gateway.store.resources import visible
from gateway.store.values import Head, Link, Stored

_TRIES = 60
_PAUSE_S = 0.001
_SOURCE, _TARGET = "Parameters.parameter:source-patient", "Parameters.parameter:target-patient"


class Wanted(NamedTuple):
    """Which record is to be one with which (ids), why, and whether only to say what would become of it.

    `if_match` is the version of the source that the client means; `performer` the person who decided it.
    """

    source: str
    target: str
    reason: str
    performer: str
    preview: bool = False
    if_match: int | None = None


@dataclass
class Outcome:
    """What became of it: both records as they stand now (or would), and what to know about it."""

    source: Stored
    target: Stored
    told: list[str] = field(default_factory=list)


class _Previewed(Exception):
    """Takes back a transaction whose outcome was only asked for."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Merging:
    """Merges and unmerges for one store; `zone` is where dates without an offset stand."""

    def __init__(self, store: Store, judge: Judge, zone: str) -> None:
        self._store = store
        self._judge = judge
        self._zone = zone

    def merge(self, actor: Actor, wanted: Wanted) -> Outcome:
        """Make two records one: raises GatewayError (400 itself, 404, 409 circle or already one, 410, 412 If-Match)."""
        return self._noted("merge", actor, wanted)

    def unmerge(self, actor: Actor, wanted: Wanted) -> Outcome:
        """Undo what made two records one, and call them different: raises GatewayError as `merge` does."""
        return self._noted("unmerge", actor, wanted)

    def _noted(self, action: str, actor: Actor, wanted: Wanted) -> Outcome:
        """Do it, and let the audit trail say so before anybody hears of it; a refusal as well."""
        try:
            done = self._tried(action, actor, wanted)
        except GatewayError as fault:
            trail.note(self._store, actor, action, "Patient", wanted.source, outcome=fault.category.value)
            raise
        trail.note(self._store, actor, action, "Patient", wanted.source, [done.source.pid, done.target.pid])
        return done

    def _tried(self, action: str, actor: Actor, wanted: Wanted) -> Outcome:
        for attempt in range(_TRIES):
            try:
                with self._store.write() as tx:
                    moment_us = tx.moment(clock.now_us())
                    work = _Work(tx, self, actor, wanted, moment_us)
                    outcome = work.merge() if action == "merge" else work.unmerge()
                    if wanted.preview:
                        raise _Previewed(outcome)
                    return outcome
            except _Previewed as previewed:
                return previewed.outcome
            except Conflict:
                clock.sleep(_PAUSE_S * min(attempt, 16) * (1 + clock.token(1)[0] / 256))
        raise Transient("other writers were first again and again; nothing was changed. Retry.")

    @property
    def judge(self) -> Judge:
        """Return what decides whether two records are one person."""
        return self._judge

    @property
    def zone(self) -> str:
        """Return where dates without an offset stand."""
        return self._zone


class _Work:
    """One attempt in the transaction that writes it."""

    def __init__(self, tx: WriteTx, merging: Merging, actor: Actor, wanted: Wanted, moment_us: int) -> None:
        self._tx = tx
        self._merging = merging
        self._actor = actor
        self._wanted = wanted
        self._now_us = moment_us
        self._told = Told(wanted.performer or actor.name, None, moment_us)

    def merge(self) -> Outcome:
        """Link the source to the target, within a site as its replacement."""
        source, target = self._both()
        if source.site != target.site:
            return self._decide(source, target, "same")
        self._permit(source)
        self._permit(target)
        ways = [joined.path(self._tx, head.pid) for head in (source, target)]
        self._possible(source, target, *ways)
        body = self._body(source)
        evidence = {
            "where": "$merge",
            "before": {"active": body["active"]} if "active" in body else {},
            "version": source.ver,
            **self._why(),
        }
        self._tx.identity_take_turn()
        self._rewrite(source, resource.dumps(retired(body, _name(target))))
        text = json.dumps(evidence, ensure_ascii=False)
        joined.replace(self._tx, self._told, (source.pid, target.pid), text, "person")
        return self._outcome(source, target, f"{_name(source)} is replaced by {_name(target)}; its numbers lead there")

    def unmerge(self) -> Outcome:
        """End what makes the two one, and call them different."""
        source, target = self._both()
        merges = self._between(REPLACED, source, target)
        if not merges:
            self._linked(source, target)
            return self._decide(source, target, "different")
        gone = source if merges[0].from_pid == source.pid else target
        self._permit(gone)
        self._permit(target if gone is source else source)
        self._tx.identity_take_turn()
        self._stand(gone, merges[0], _name(target if gone is source else source))
        done = self._called("different", source, target)
        return self._outcome(source, target, f"{_name(gone)} stands by itself, as it was", *done)

    # What may be done at all.

    def _both(self) -> tuple[Head, Head]:
        """Return both records, held until the end; raises GatewayError where there is none, or they are one."""
        wanted = self._wanted
        if wanted.source == wanted.target:
            raise GatewayError(f"Patient/{wanted.source} is one record already: name two", where=_TARGET)
        heads = self._tx.lock_heads([("Patient", wanted.source), ("Patient", wanted.target)])
        source, target = (
            self._there(heads.get(("Patient", fid)), fid, where)
            for fid, where in ((wanted.source, _SOURCE), (wanted.target, _TARGET))
        )
        if wanted.if_match is not None and wanted.if_match != source.ver:
            text = f"If-Match names version {wanted.if_match} of {_name(source)}, which is now version {source.ver}"
            raise GatewayError(f"{text}; read it anew", where=_SOURCE, category=Category.PRECONDITION)
        return source, target

    def _there(self, head: Head | None, fid: str, where: str) -> Head:
        if head is None or not visible(head, self._actor.scope):
            text = f"there is no Patient/{fid} that you may see; search by identifier for the right one"
            raise GatewayError(text, where=where, category=Category.NOT_FOUND)
        if head.deleted:
            raise Gone(
                f"Patient/{fid} has been deleted; create it anew before it is merged", version=head.ver, where=where
            )
        return head

    def _permit(self, head: Head) -> None:
        """Let only who may write both records merge them: the clients of their site."""
        permit(self._tx, self._actor, Edit("update", "Patient", head.fid), head.fid, head)

    def _possible(self, source: Head, target: Head, mine: Sequence[int], theirs: Sequence[int]) -> None:
        if target.pid in mine:
            text = f"{_name(source)} was merged into {_name(target)} already; nothing is left to do"
        elif source.pid in theirs:
            text = f"{_name(target)} was merged into {_name(source)}; the other way round would be a circle:"
            text += " undo that first ($unmerge)"
        elif len(mine) > 1:
            other = self._tx.heads_by_pid([mine[1]])[mine[1]]
            text = f"{_name(source)} was merged into {_name(other)}: merge that one, or undo it first ($unmerge)"
        else:
            return
        raise GatewayError(text, where=_SOURCE, category=Category.CONFLICT)

    def _linked(self, source: Head, target: Head) -> None:
        """Refuse to undo what is not done, or what was done through another record."""
        if self._between(SAME, source, target):
            return
        mine, theirs = (joined.path(self._tx, head.pid) for head in (source, target))
        text = f"{_name(source)} and {_name(target)} are not one; there is nothing to undo"
        if mine[-1] == theirs[-1]:
            steps = [pid for pid in (*mine, *theirs) if pid not in (source.pid, target.pid)]
            other = self._tx.heads_by_pid(steps[:1])[steps[0]]
            text = f"{_name(source)} and {_name(target)} are one through {_name(other)}: undo that merge"
        raise GatewayError(text, where=_SOURCE, category=Category.CONFLICT)

    def _between(self, kind: str, source: Head, target: Head) -> list[Link]:
        pair = {source.pid, target.pid}
        return [link for link in self._tx.links(pair, kind=kind) if {link.from_pid, link.to_pid} == pair]

    # What is written.

    def _decide(self, source: Head, target: Head, choice: review.Choice) -> Outcome:
        """Link two records of two sites, or unlink them; neither is rewritten."""
        if choice == "same" and any(link.made == "person" for link in self._between(SAME, source, target)):
            text = f"{_name(source)} and {_name(target)} were called the same already; nothing is left to do"
            raise GatewayError(text, where=_SOURCE, category=Category.CONFLICT)
        self._tx.identity_take_turn()
        told = self._called(choice, source, target)
        words = "are linked as one person" if choice == "same" else "are two persons; nothing links them any more"
        return self._outcome(source, target, f"{_name(source)} and {_name(target)} {words}", *told)

    def _called(self, choice: review.Choice, source: Head, target: Head) -> list[str]:
        reader = Actor(self._told.actor, self._actor.purpose, self._actor.scope, self._actor.site)
        pair = pair_of(source.pid, target.pid)
        return review.decide_within(self._tx, self._merging.judge, pair, choice, reader, self._wanted.reason).told

    def _stand(self, gone: Head, link: Link, survivor: str) -> None:
        """Unmark a retired record; where nothing was said of it since, it gets the very text it had."""
        evidence = json.loads(link.evidence)
        ver = evidence.get("version", 0)
        before = self._tx.bodies([(gone.pid, ver)]) if ver and gone.ver == ver + 1 else {}
        text = next(iter(before.values()), b"")
        self._rewrite(gone, text or resource.dumps(standing(self._body(gone), survivor, evidence.get("before", {}))))
        why = json.dumps({**evidence, **self._why(), "where": "$unmerge"}, ensure_ascii=False)
        joined.end(self._tx, self._told, REPLACED, (link.from_pid, link.to_pid), "unmerged", why)

    def _body(self, head: Head) -> dict[str, object]:
        texts = self._tx.bodies([(head.pid, head.ver)])
        return resource.loads(texts[head.pid, head.ver], strict=False)

    def _rewrite(self, head: Head, text: bytes) -> None:
        edit = Edit("update", "Patient", head.fid, text=text)
        entry = Incoming(edit, 0, "", body=resource.loads(text, strict=False), text=text)
        made = Revision(entry, head.fid, head=head, stored=self._body(head), pid=head.pid)
        revision.write(self._tx, self._actor, [made], {("Patient", head.fid): head.pid}, self._merging.zone)

    def _why(self) -> dict[str, str]:
        wanted = self._wanted
        return {"actor": self._told.actor, "client": self._actor.name, "reason": wanted.reason}

    def _outcome(self, source: Head, target: Head, *told: str) -> Outcome:
        stored = _current(self._tx, source, target)
        return Outcome(stored[source.pid], stored[target.pid], list(told))


def _current(tx: ReadTx, source: Head, target: Head) -> dict[int, Stored]:
    return tx.current([source.pid, target.pid])


def _name(head: Head) -> str:
    return f"Patient/{head.fid}"
