"""What messages and clients say of who is who, written: links that begin and end, cases, and an event of each."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.record.states import Plan
from gateway.store.engine import ReadTx, WriteTx
from gateway.store.failures import Conflict
from gateway.store.identity import NewCase, NewEvent
from gateway.store.values import Link, NewLink

REPLACED, SAME = "replaced-by", "same"
_FEED = "feed:"
_TOLD_APART = ("told-apart", "the sender says that the two are two persons (A37)", "来源系统声明两者为不同的人（A37）")


class Told(NamedTuple):
    """Who says it (a feed or a person), in which item, and when (microseconds since 1970)."""

    actor: str
    item_id: int | None
    now_us: int


def of_message(tx: WriteTx, plan: Plan, feed: str, item_id: int, now_us: int) -> None:
    """Write what one message said of who is who; raises Conflict where another writer made it a circle."""
    if not (plan.links or plan.ended or plan.apart or plan.moved):
        return
    told = Told(_FEED + feed, item_id, now_us)
    tx.identity_take_turn()
    for join in plan.ended:
        end(tx, told, REPLACED, (join.retired.pid, join.survivor.pid), "unmerged", join.evidence)
    for link in plan.links:
        pair = (link.retired.pid, link.survivor.pid)
        if link.kind == REPLACED:
            replace(tx, told, pair, link.evidence)
        elif not _between(tx, SAME, pair):
            _add(tx, told, SAME, (min(pair), max(pair)), link.evidence, "linked")
    for one, other in plan.apart:
        _part(tx, told, (one.pid, other.pid))
    for moved in plan.moved:
        text = json.dumps({"visit": moved.visit.reference, "where": moved.where}, ensure_ascii=False)
        _event(tx, told, "moved", (moved.origin.pid, moved.target.pid), text)


def replace(tx: WriteTx, told: Told, pair: tuple[int, int], evidence: str, made: str = "message") -> None:
    """Link a retired record to its survivor; raises Conflict where the survivor is replaced by it by now."""
    _add(tx, told, REPLACED, pair, evidence, "merged", made)
    if pair[0] in path(tx, pair[1]):
        raise Conflict("Another writer merged these records the other way round first. Read again and retry.")
    for case in tx.cases_of(pair):
        mine = {case.low_pid, case.high_pid} == set(pair)
        if mine and (case.state in ("open", "later") or case.actor.startswith(_FEED)):
            tx.case_decide(case.id, "same", told.actor, "", told.now_us)


def end(tx: WriteTx, told: Told, kind: str, pair: tuple[int, int], action: str, evidence: str) -> None:
    """End the links of a kind between two records, and write that down."""
    found = _between(tx, kind, pair)
    tx.links_end([link.id for link in found], told.now_us)
    if found:
        _event(tx, told, action, pair, evidence)


def path(tx: ReadTx, pid: int) -> list[int]:
    """Return a record and those that replace it, one after the other."""
    found = [pid]
    while True:
        links = tx.replaced([found[-1]])
        if not links or links[0].to_pid in found:
            return found
        found.append(links[0].to_pid)


def _add(
    tx: WriteTx, told: Told, kind: str, pair: tuple[int, int], evidence: str, action: str, made: str = "message"
) -> None:
    tx.links_add([NewLink(kind, *pair, "active", told.now_us, evidence, told.item_id, made)])
    _event(tx, told, action, pair, evidence)


def _part(tx: WriteTx, told: Told, pair: tuple[int, int]) -> None:
    """Write that two records are of two persons, so that nobody links them again but a person."""
    end(tx, told, SAME, pair, "unlinked", "{}")
    low, high = sorted(pair)
    mine = [case for case in tx.cases_of(pair) if (case.low_pid, case.high_pid) == (low, high)]
    if mine:
        tx.case_decide(mine[-1].id, "different", told.actor, _TOLD_APART[1], told.now_us)
    else:
        reasons = json.dumps({"reasons": [_TOLD_APART]}, ensure_ascii=False)
        case = NewCase(low, high, 0.0, reasons, "", told.now_us, "different", told.now_us, told.actor, _TOLD_APART[1])
        tx.cases_add([case])
    _event(tx, told, "decided-different", pair, json.dumps({"reasons": [_TOLD_APART[0]]}))


def _between(tx: ReadTx, kind: str, pair: tuple[int, int]) -> Sequence[Link]:
    return [link for link in tx.links(pair, kind=kind) if {link.from_pid, link.to_pid} == set(pair)]


def _event(tx: WriteTx, told: Told, action: str, pair: Iterable[int], evidence: str) -> None:
    low, high = sorted(pair)
    tx.identity_events_add([NewEvent(told.now_us, action, low, high, told.actor, evidence)])
